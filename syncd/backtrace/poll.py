"""Polls: the totals of the groups that crashed, read from time to time, and those of all groups once a day."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import structlog
from msgspec.structs import replace

from syncd.backtrace import links, queries
from syncd.backtrace.client import Client, ColumnsMissing, Target
from syncd.backtrace.intake import Arrived, Intake
from syncd.backtrace.links import Linker
from syncd.backtrace.queries import Filter, Query, Row
from syncd.config import Config
from syncd.core.budget import HORIZON_SECONDS, Allowance
from syncd.core.polls import is_fresh
from syncd.errors import Deferred, Misconfigured, Throttled, TrackerError
from syncd.model import Call, Identity
from syncd.platform.clock import Clock
from syncd.store import Store, countings, polls
from syncd.store.polls import PollStanding
from syncd.worker import absorb
from syncd.worker.routing import Routing, take

log = structlog.get_logger("syncd.backtrace")

# A crash is stored after its time: clients send it at their next start, and their clocks differ.
OVERLAP_SECONDS = 3600.0
WAKE_SECONDS = 60.0  # after a poll until a notification causes the next
WHOLE_SECONDS = 86400.0
REFUSED_SECONDS = 3600.0  # until a try after a refusal that a person has to end
FIRST_PAUSE_SECONDS = 30.0  # after a failure; doubled by each further one
MOST_WAITING = 1000  # groups with a notification that are remembered
MOVED = 1000  # groups of one answer without folds


class Reader:
    """Reads groups of a project within the project's budget, and without the columns that it does not index."""

    def __init__(
        self, target: Target, store: Store, routing: Routing, clock: Clock, sleep: Callable[[float], None]
    ) -> None:
        self.client = Client(target, clock, sleep, self.spend)
        self._store, self._clock, self._sleep = store, clock, sleep
        self._names = routing.config.notifications.release_attributes
        self._allowance = Allowance(credential=target.credential, limits=target.project.reads)
        self.dropped: list[str] = []

    def spend(self) -> None:
        """Wait until the budget has a request left, and take it."""
        while True:
            now = self._clock.wall()
            taken = partial(take, allowances=[self._allowance], call=Call.UPDATE, now=now)
            _, seconds = self._store.write(taken, exclusive=False)
            self._sleep(seconds)  # also without a wait: syncd may be stopping
            if not seconds:
                return

    def pages(self, start: Query) -> Iterator[tuple[Query, queries.Page]]:
        """The pages of a query with all totals. Raises TrackerError, StoreUnavailable."""
        while True:
            folds = queries.totals(self._names, self.dropped)
            try:
                yield from self.client.pages(Query(filter=start.filter, folds=folds, tx=start.tx, offset=start.offset))
            except ColumnsMissing as error:
                self.dropped += error.columns
                log.info("columns_missing", project=self.client.target.title, columns=error.columns)
            else:
                return

    def rows(self, conditions: Filter) -> Iterator[Sequence[Row]]:
        """The groups that fit, page by page."""
        return (page.rows for _, page in self.pages(Query(filter=conditions)))

    def group(self, fingerprint: str) -> Sequence[Row]:
        """The group with this fingerprint, if there is one."""
        return next(self.rows(queries.since(0) | {queries.GROUP: [("equal", fingerprint)]}), ())

    def moved(self, since: float) -> set[str]:
        """The groups that crashed at a time or later."""
        query = Query(filter=queries.since(since), limit=MOVED)
        return {row.key for _, page in self.client.pages(query) for row in page.rows}


class Poller:
    """Polls one project. One thread calls `step`; `note` is for any."""

    def __init__(
        self,
        target: Target,
        store: Store,
        routing: Routing,
        clock: Clock,
        sleep: Callable[[float], None],
        arrived: Arrived,
    ) -> None:
        self.target = target
        self._store, self._routing, self._clock = store, routing, clock
        self._intake = Intake(target, store, routing, arrived)
        self._reader = Reader(target, store, routing, clock, sleep)
        self._linker = Linker(target, clock, sleep, self._reader.spend) if target.project.link == "tickets" else None
        self._unlinkable = set[str]()  # groups whose tickets Backtrace refuses, until the next start
        self._lock = threading.Lock()
        self._waiting: set[str] = set()
        self._token = target.project.token.version()

    def note(self, identity: Identity) -> bool:
        """A notification of a group came: the next poll reads that group. Return whether it is one of this project."""
        if (identity.universe, identity.project) != self.target.place:
            return False
        with self._lock:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.add(identity.fingerprint)
        return True

    def step(self) -> float:
        """Poll if that is due. Return the seconds until the next poll. Raises StoreUnavailable."""
        now, interval = self._clock.wall(), self.target.project.poll
        before = self._store.read(partial(polls.standing, project=self.target.title))
        if (token := self.target.project.token.version()) != self._token:
            self._token = token
            self._reader.client.close()
            before = replace(before, until=0.0)
        if (due := self._due(before, now)) > now:
            return due - now
        if not before.begun_at:
            # A process that dies in its first poll begins it anew, and no group that crashed meanwhile is an old one.
            before = replace(before, begun_at=now)
            self._store.write(partial(polls.save, project=self.target.title, after=before), exclusive=False)
        with self._lock:
            waiting, self._waiting = self._waiting, set()
        try:
            after = self._poll(before, waiting, now)
        except Deferred:
            raise
        except TrackerError as error:
            with self._lock:
                self._waiting |= waiting
            after = self._failed(before, error, now)
        self._store.write(partial(polls.save, project=self.target.title, after=after), exclusive=False)
        ended = self._clock.wall()
        if not is_fresh(after.polled_at, interval, ended) and self._mark(fresh=False):
            log.warning("polls_stale", project=self.target.title)
        return max(0.0, self._due(after, ended) - ended)

    def close(self) -> None:
        """Close the connections."""
        self._reader.client.close()
        if self._linker is not None:
            self._linker.close()

    def _due(self, standing: PollStanding, now: float) -> float:
        """The time of the next poll. A time in the future was stored before the clock was set back."""
        if standing.failures and now < standing.until <= now + HORIZON_SECONDS:
            return standing.until
        if standing.polled_at > now:
            return now
        with self._lock:
            pause = min(WAKE_SECONDS, self.target.project.poll) if self._waiting else self.target.project.poll
        return standing.polled_at + pause

    def _mark(self, *, fresh: bool) -> bool:
        mode = self._routing.config.notifications.occurrence_mode
        return absorb.mark_polled(self._store, self.target.place, mode, fresh=fresh)

    def _poll(self, before: PollStanding, waiting: set[str], now: float) -> PollStanding:
        """Read every group that moved, or once a day every group. Return the standing after it."""
        whole = not before.polled_at <= now < before.whole_at + WHOLE_SECONDS
        moved = set[str]()
        if not whole:
            moved = self._reader.moved(before.polled_at - OVERLAP_SECONDS) | waiting
            # One request reads one group, or a page of all.
            whole = len(moved) > max(1, before.groups // queries.PAGE)
        if whole:
            self._reader.dropped = []
            pages: Iterable[Sequence[Row]] = self._reader.rows(queries.since(0))
        else:
            pages = map(self._reader.group, sorted(moved))
        groups = older = delivered = 0
        fault, link_reason = before.link_fault, ""
        for rows in pages:
            if not groups:
                self._mark(fresh=True)  # before the first group is folded
            existing = self._intake.existing(rows)
            wanted = [row for row in rows if row.key in existing or _crashed(row, before.begun_at)]
            delivered += self._intake.deliver(wanted, self._clock.wall())
            groups, older = groups + len(rows), older + len(rows) - len(wanted)
            if self._linker is not None and not fault and not link_reason:
                try:
                    fault = self._link(self._linker, [row for row in rows if row.key in existing])
                except Deferred:
                    raise
                except TrackerError as error:  # the counts are read all the same
                    link_reason = error.reason
                    log.warning("link_failed", project=self.target.title, reason=link_reason)
        log.info("polled", project=self.target.title, groups=groups, news=delivered, whole=whole)
        after = PollStanding(begun_at=before.begun_at, polled_at=now, whole_at=now, groups=groups, older=older)
        after = replace(after, link_fault=fault, link_reason=link_reason)
        return after if whole else replace(after, whole_at=before.whole_at, groups=before.groups, older=before.older)

    def _link(self, linker: Linker, rows: Sequence[Row]) -> str:
        """Write the missing links of groups. Return why none may be written any more; empty if nothing is against it."""
        issues = self._intake.issues(rows)
        for row in rows:
            issue = issues.get(row.key)
            if issue is None or row.key in self._unlinkable or not links.lacks(row, str(issue.url)):
                continue
            link = linker.link(row.key, issue)
            log.info("linked", project=self.target.title, fingerprint=row.key, issue=issue.key, result=link.result)
            if link.result is links.Result.REFUSED:
                self._unlinkable.add(row.key)
                reason = link.reason
                log.warning("link_refused", project=self.target.title, fingerprint=row.key, reason=reason)
            if link.stops:
                reason = f"{row.key[:12]}: {link.reason}"
                log.error("links_stopped", project=self.target.title, reason=reason)
                return reason
        return ""

    def _failed(self, before: PollStanding, error: TrackerError, began: float) -> PollStanding:
        """The standing after the failure of a poll that began at a time."""
        refused = isinstance(error, Misconfigured)
        pause = REFUSED_SECONDS if refused else min(FIRST_PAUSE_SECONDS * 2**before.failures, REFUSED_SECONDS)
        if isinstance(error, Throttled):
            pause = max(pause, error.seconds)
        failure = type(error).__name__
        log.warning("poll_failed", project=self.target.title, failure=failure, reason=error.reason, seconds=pause)
        return replace(
            before,
            reason=error.reason,
            failures=before.failures + 1,
            failing_since=before.failing_since or began,
            until=self._clock.wall() + pause,
            refused=refused,
        )


def _crashed(row: Row, since: float) -> bool:
    """Whether a group has crashed at a time or later."""
    return row.span is not None and row.span[1] >= since


def end(store: Store, config: Config, projects: Iterable[countings.Project]) -> list[countings.Project]:
    """The notifications of projects that are polled no longer count again: of all that are not in `projects`. Return those. Raises StoreUnavailable."""
    standing = store.read(countings.every)
    ended = [place for place, each in standing.items() if each.counting.polled and place not in set(projects)]
    for place in ended:
        absorb.mark_polled(store, place, config.notifications.occurrence_mode, fresh=False)
    return ended

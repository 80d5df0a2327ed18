"""Surveys: which issues of a tracker people changed, so that a closing is known before the next crash.

A survey writes nothing that decides: its readings may be older than a look or a write of syncd's own that came meanwhile. It makes a
look due wherever a reading differs from the store; the look is made under the group's claim, one at a time.
Only who an issue is assigned to is written at once: no decision depends on it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from syncd.core import budget, hooks, readings
from syncd.core.plan import DueCall
from syncd.errors import Throttled, TrackerError
from syncd.model import Call, Issue, IssueState
from syncd.platform.clock import Clock
from syncd.store import Store, issues, limits, outbox
from syncd.store import hooks as saved
from syncd.store.connection import Transaction
from syncd.store.records import load_issue
from syncd.trackers import Survey, Tracker
from syncd.worker import breaker
from syncd.worker.routing import Routing, silence

log = structlog.get_logger("syncd.worker")

RETRY_SECONDS = 300.0  # after a survey that failed
SOON_SECONDS = 15.0  # the longest delay of a survey that a hook asks for
BITE = 50  # issues written in one transaction


@dataclass
class Surveyor:
    """Surveys one tracker by one request at a time: the thread that files goes on filing between two of them."""

    store: Store
    tracker: Tracker
    name: str
    routing: Routing
    clock: Clock
    _requests: Iterator[None] | None = field(default=None, init=False)
    _quiet_at: float = field(default=0.0, init=False)

    @property
    def hooks(self) -> bool:
        """True if a hook is to report the tracker's changes."""
        return any(self.name in hook.tracker for hook in self.routing.config.hooks.values())

    def step(self) -> float:
        """Make one request if a survey is under way or due, unless the tracker rests. Return the seconds until the next step. Raises
        StoreUnavailable."""
        now, interval = self.clock.wall(), self.routing.config.trackers[self.name].survey_interval
        # What breaks off below is begun anew.
        requests, self._requests = self._requests, None
        if requests is None and (pause := self._pause(now, interval)) > 0:
            return pause
        allowance = self.routing.allowance(self.name)
        standing = partial(limits.standing, tracker=self.name, credential=allowance.credential)
        opens_at = budget.opens(self.store.read(standing), allowance, now)[Call.PROBE]
        if opens_at > now:
            return min(opens_at - now, RETRY_SECONDS)  # an operator may end a rest at any time
        requests = requests or self._survey(now)
        try:
            for _ in requests:
                self._requests = requests
                return 0.0
        except TrackerError as error:
            log.warning("survey_failed", tracker=self.name, failure=type(error).__name__, reason=error.reason)
            if error.silent:
                trip = partial(breaker.trip, tracker=self.name, reason=error.reason, now=self.clock.wall())
                self.store.write(trip, exclusive=False)
            if isinstance(error, Throttled):
                # Trackers count from their answer.
                answered = self.clock.wall()
                wait = partial(silence, credential=allowance.credential, error=error, call=Call.PROBE, now=answered)
                self.store.write(wait, exclusive=False)
            return RETRY_SECONDS
        return min(interval, SOON_SECONDS) if self.hooks else interval

    def _pause(self, now: float, interval: float) -> float:
        """The seconds until the next survey may be due; 0 if one is. With hooks it is looked again soon whether one is."""
        notebook = self.store.notebook(self.name)
        last = float(notebook.recall("surveyed_at") or 0.0)
        # A time in the future was written before the clock was set back.
        if not last <= now:
            return 0.0
        if not self.hooks:
            return max(0.0, last + interval - now)
        missed_at = notebook.recall(saved.MISSED)
        rarer = hooks.survey_interval(interval, self._reported_at(), float(missed_at) if missed_at else None, now)
        due_at = last + rarer
        if last <= float(notebook.recall(hooks.SURVEY_DUE) or -1.0) <= now:
            due_at = last + hooks.SURVEY_SPACING_SECONDS
        elif rarer > interval and not 0 <= now - max(self._quiet_at, last) < interval:
            self._quiet_at = now
            owe_quiet(self.store, self.name, self.routing, now)
        return min(max(0.0, due_at - now), SOON_SECONDS)

    def _reported_at(self) -> float | None:
        return self.store.read(partial(saved.reported_at, tracker=self.name))

    def _survey(self, began: float) -> Iterator[None]:
        """Each step is one request and the writing of its findings. The tracker's bookmark is stored after all of them, so that what was
        not written is read again. Raises TrackerError, StoreUnavailable."""
        notebook = self.store.notebook(self.name)
        due_at = float(notebook.recall(hooks.SURVEY_DUE) or -1.0)
        last = float(notebook.recall("surveyed_at") or 0.0)
        # What a hook asked for, or came before its first report, it has not missed.
        reports_all = self.hooks and not last <= due_at <= began and self._reported_at() is not None
        linked: dict[str, Issue] = {}
        after = 0
        while rows := self.store.read(partial(issues.linked, tracker=self.name, after=after)):
            linked |= {str(issue.remote_id): issue for _, issue in rows}
            after = rows[-1][0]
        changed, bookmark = 0, None
        if linked:
            for part in self.tracker.survey(list(linked.values()), notebook.recall("survey_bookmark")):
                changed += save(self.store, self.name, linked, part, self.clock.wall())
                bookmark = part.bookmark or bookmark
                yield
        if bookmark is not None:
            notebook.note("survey_bookmark", bookmark)
        if changed and reports_all:
            notebook.note(saved.MISSED, repr(began))
            log.info("changes_not_reported", tracker=self.name, changed=changed)
        if doubled := self.store.read(partial(issues.doubled, tracker=self.name)):
            self.store.write(partial(_ask_doubled, tracker=self.name, group_ids=doubled, now=self.clock.wall()))
        log.info("survey_finished", tracker=self.name, issues=len(linked), changed=changed)
        owe_quiet(self.store, self.name, self.routing, self.clock.wall())
        notebook.note("surveyed_at", repr(began))


def save(store: Store, tracker: str, linked: Mapping[str, Issue], survey: Survey, now: float) -> int:
    """Make a look due at the issues that are missing, or that differ from `linked`, what the store had before the survey; how many these
    are. What was met is no issue that the account cannot see."""
    met = {remote_id: linked[remote_id] for remote_id in survey.observations if remote_id in linked}
    unread = [remote_id for remote_id, issue in met.items() if not issue.is_read]
    if unread:
        store.write(partial(issues.read, tracker=tracker, remote_ids=unread))
    assigned = {
        remote_id: survey.observations[remote_id]
        for remote_id, issue in met.items()
        if survey.observations[remote_id].owners not in (None, issue.owners)
    }
    if assigned:
        store.write(partial(issues.assign, tracker=tracker, readings=assigned))
    changed = [
        remote_id
        for remote_id, issue in met.items()
        if issue.state is IssueState.PARKED or readings.is_news(issue, survey.observations[remote_id])
    ]
    missing = [
        remote_id
        for remote_id in survey.missing
        if remote_id not in linked or linked[remote_id].state is IssueState.LINKED
    ]
    remote_ids = [*changed, *missing]
    for start in range(0, len(remote_ids), BITE):
        ask = partial(_ask, tracker=tracker, remote_ids=remote_ids[start : start + BITE], survey=survey, now=now)
        store.write(ask)
    return len(remote_ids)


def _ask(transaction: Transaction, tracker: str, remote_ids: Sequence[str], survey: Survey, now: float) -> None:
    for remote_id in remote_ids:
        for group_id, _ in issues.at_place(transaction, tracker, remote_id):
            issue, observation = load_issue(transaction, group_id), survey.observations.get(remote_id)
            if issue is not None and issue.state is IssueState.PARKED and observation is not None:
                # It lacks what was not written to it while it could not be read.
                issues.reach_again(transaction, group_id)
            elif issue is None or issue.state is not IssueState.LINKED:
                continue
            elif observation is not None and not readings.is_news(issue, observation):
                continue  # a look saw the same meanwhile
            issues.ask_look(transaction, group_id)
            outbox.owe(transaction, {group_id: DueCall(tracker=tracker, due_at=now, call=Call.UPDATE)})


def _ask_doubled(transaction: Transaction, tracker: str, group_ids: Sequence[int], now: float) -> None:
    """A survey does not read doubles, which are linked to no group: the looks at their groups do."""
    for group_id in group_ids:
        issues.ask_look(transaction, group_id)
    outbox.owe(transaction, dict.fromkeys(group_ids, DueCall(tracker=tracker, due_at=now, call=Call.UPDATE)))


def owe_quiet(store: Store, tracker: str, routing: Routing, now: float) -> None:
    """Make due the groups whose crash was not seen for as long as a route of the tracker waits for."""
    waits = [
        policy.quiet_after for policy in routing.config.all_routes if policy.tracker == tracker and policy.quiet_after
    ]
    if not waits:
        return

    def write(transaction: Transaction) -> None:
        quiet = issues.quiet(transaction, tracker, now - min(waits))
        due = DueCall(tracker=tracker, due_at=now, call=Call.UPDATE)
        outbox.owe(transaction, dict.fromkeys(quiet, due))

    store.write(write)

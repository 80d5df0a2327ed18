"""What becomes of the reports of hooks: the issues that they name owe a look, or their tracker a survey."""

import hashlib
import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from syncd.core import hooks
from syncd.core.plan import DueCall
from syncd.model import Call, IssueState
from syncd.platform.clock import Clock
from syncd.store import Store, outbox
from syncd.store import hooks as saved
from syncd.store.connection import Transaction
from syncd.store.hooks import Heard, Named
from syncd.trackers.hooks import Report

HEARD_STEP_SECONDS = 10.0  # between two writes of when a hook was heard
MOST_BURSTS = 10_000  # issues whose reports are gathered; one that is left out is looked at somewhat later

Place = tuple[str, str]  # tracker and remote id


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An authentic report of the hook `name`. `home` is the fact of its trackers that has the repository; `marks` are the digests by which the
    report is recognised when it comes again."""

    name: str
    trackers: tuple[str, ...]
    home: str
    report: Report
    marks: tuple[str, ...]


def marks(name: str, body: bytes, number: bytes) -> tuple[str, ...]:
    """The marks of a delivery: of its body, since nobody signs the number, and of its number, since a second try may have other times in its body."""
    texts = [b"body\0" + body] + ([b"number\0" + number] if number else [])
    return tuple(hashlib.sha256(name.encode() + b"\0" + text).hexdigest()[:32] for text in texts)


class Taken(NamedTuple):
    """What came of some deliveries: for each, why it led to nothing, empty where it did; and the trackers at which calls are due now."""

    silences: Sequence[str]
    due: frozenset[str]


class _Facts(NamedTuple):
    """What the store has of some deliveries: the marks that came before, by tracker its repository, and which places have an issue."""

    repeated: set[str]
    homes: Mapping[str, str]
    named: set[Place]


@dataclass(slots=True)
class _News:
    """What deliveries ask for: looks, each for the latest change that is named, and surveys of trackers. `silences` are as in `Taken`."""

    silences: list[str] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)
    surveys: set[str] = field(default_factory=set)
    looks: dict[Place, float | None] = field(default_factory=dict)


@dataclass(slots=True)
class _Burst:
    """Reports of one issue since a look for one of them: the latest look for them is due at `until`."""

    until: float
    latest: float
    count: int = 0
    waits: bool = False  # for the reports to cease

    def is_over(self, now: float) -> bool:
        """Return whether the look may be made now: some reports after it are the work of people, and many are not."""
        return self.waits and self.count <= hooks.FLOOD and now - self.latest >= hooks.GATHER_SECONDS


@dataclass
class Reports:
    """Takes deliveries of one process, several at a time; used by one thread."""

    store: Store
    clock: Clock
    _heard: dict[Place, float] = field(default_factory=dict)  # hook and tracker: when that was written last
    _looks: dict[str, deque[float]] = field(default_factory=dict)  # by tracker, the latest looks for reports
    _bursts: dict[Place, _Burst] = field(default_factory=dict)

    def take(self, deliveries: Sequence[Delivery]) -> Taken:
        """Let what these deliveries name be looked at, in one transaction; none where nothing is to be written. Raises StoreUnavailable."""
        now = self.clock.wall()
        facts = self.store.read(lambda transaction: _facts(transaction, deliveries))
        news = _news(deliveries, facts)
        heard = [
            each
            for each in _heard(deliveries, facts.homes, now)
            if not 0 <= now - self._heard.get((each.name, each.tracker), -math.inf) < HEARD_STEP_SECONDS
        ]
        if not news.marks and not heard:
            return Taken(news.silences, frozenset())
        looks, crowded = self._within_limits(news.looks, now)

        def write(transaction: Transaction) -> tuple[dict[Named, float], set[str]]:
            saved.hear(transaction, heard)
            saved.remember(transaction, news.marks)
            return _ask(transaction, looks, news.surveys | crowded, now)

        dated, due = self.store.write(write, exclusive=False)
        self._heard |= {(each.name, each.tracker): now for each in heard}
        self._gather(dated, now)
        return Taken(news.silences, frozenset(due))

    def _within_limits(
        self, wanted: Mapping[Place, float | None], now: float
    ) -> tuple[dict[Place, float | None], set[str]]:
        """Leave out the looks beyond MOST_LOOKS in a minute, and return the trackers that have a survey instead."""
        kept, crowded = {}, set()
        for place, changed_at in wanted.items():
            latest = self._looks.setdefault(place[0], deque(maxlen=hooks.MOST_LOOKS))
            waits = place in self._bursts
            if not waits and len(latest) == hooks.MOST_LOOKS and 0 <= now - latest[0] < 60.0:
                crowded.add(place[0])
                continue
            if not waits:
                latest.append(now)
            kept[place] = changed_at
        return kept, crowded

    def _gather(self, looks: Mapping[Named, float], now: float) -> None:
        """Put down the reports whose look is due later, so that it can be brought forward once they cease."""
        for issue, due_at in looks.items():
            place = (issue.tracker, issue.remote_id)
            burst = self._bursts.get(place)
            if due_at <= now:
                self._bursts.pop(place, None)
                continue
            if burst is None or burst.until != due_at:
                burst = self._bursts[place] = _Burst(due_at, now)
            burst.latest, burst.count, burst.waits = now, burst.count + 1, True
        while len(self._bursts) > MOST_BURSTS:
            del self._bursts[next(iter(self._bursts))]

    def hasten(self) -> frozenset[str]:
        """Make looks due now whose reports have ceased. Return the trackers at which calls are due now. Raises
        StoreUnavailable."""
        now = self.clock.wall()
        for place, burst in list(self._bursts.items()):
            if not now <= burst.until <= now + hooks.SPACING_SECONDS:
                del self._bursts[place]
        ceased = {place: burst for place, burst in self._bursts.items() if burst.is_over(now)}
        if not ceased:
            return frozenset()

        def write(transaction: Transaction) -> set[str]:
            saved.lock(transaction, saved.named(transaction, ceased))
            owing = [issue for issue in saved.named(transaction, ceased) if issue.looks_owed]
            calls = {issue.group_id: DueCall(tracker=issue.tracker, due_at=now, call=Call.UPDATE) for issue in owing}
            outbox.owe(transaction, calls)
            return {issue.tracker for issue in owing}

        due = self.store.write(write, exclusive=False)
        for burst in ceased.values():
            burst.waits = False
        return frozenset(due)

    @property
    def gathers(self) -> bool:
        """True while `hasten` has something to wait for."""
        return any(burst.waits and burst.count <= hooks.FLOOD for burst in self._bursts.values())


def _facts(transaction: Transaction, deliveries: Sequence[Delivery]) -> _Facts:
    homes = {}
    for tracker, fact in {(tracker, each.home) for each in deliveries if each.home for tracker in each.trackers}:
        for row in transaction.rows("recall", tracker=tracker, fact=fact):
            homes[tracker] = str(row["value"])
    repeated = saved.repeated(transaction, {mark for each in deliveries for mark in each.marks})
    named = saved.named(transaction, {place for each in deliveries for place in _places(each, homes)})
    return _Facts(repeated, homes, {(issue.tracker, issue.remote_id) for issue in named})


def _news(deliveries: Sequence[Delivery], facts: _Facts) -> _News:
    """What the deliveries ask for that did not come before."""
    news, marks = _News(), set(facts.repeated)
    for each in deliveries:
        places = [place for place in _places(each, facts.homes) if place in facts.named]
        surveys = {tracker for tracker in each.trackers if _concerns(each.report, facts.homes.get(tracker, ""))}
        if not marks.isdisjoint(each.marks):
            news.silences.append("this report came before")
        elif not places and not surveys:
            news.silences.append(each.report.silence or "syncd files none of the issues that it names")
        else:
            news.silences.append("")
            news.marks.update(each.marks)
            news.surveys.update(surveys)
            marks.update(each.marks)
            for place in places:
                times = [at for at in (news.looks.get(place), each.report.changed_at) if at is not None]
                news.looks[place] = max(times, default=None)
    return news


def _heard(deliveries: Sequence[Delivery], homes: Mapping[str, str], now: float) -> Iterable[Heard]:
    """When each hook was heard, for each of its trackers."""
    heard: dict[Place, Heard] = {}
    for each in deliveries:
        for tracker in each.trackers:
            home, key = homes.get(tracker, ""), (each.name, tracker)
            reports = _concerns(each.report, home) or _names(each, home)
            reported_at = now if reports or (key in heard and heard[key].reported_at is not None) else None
            heard[key] = Heard(name=each.name, tracker=tracker, heard_at=now, reported_at=reported_at)
    return heard.values()


def _ask(
    transaction: Transaction, looks: Mapping[Place, float | None], surveys: Iterable[str], now: float
) -> tuple[dict[Named, float], set[str]]:
    """Let the issues owe a look, for the latest change that is named, and the trackers a survey. Return when each look is due, and the trackers at
    which one is due now."""
    saved.lock(transaction, saved.named(transaction, looks))
    surveyed, dated, owing = set(surveys), {}, {}
    for issue in saved.named(transaction, looks):
        news_at = looks[issue.tracker, issue.remote_id]
        if issue.state is IssueState.PARKED:
            surveyed.add(issue.tracker)  # only a reading of it shows that it is in reach again
            continue
        dated[issue] = due_at = hooks.due(issue.hooked_at, now)
        waits = issue.looks_owed > 0 and not issue.claimed and due_at == issue.hooked_at
        if not waits or (news_at or 0.0) > (issue.news_at or 0.0):
            owing[issue] = (due_at, news_at)
    saved.ask(transaction, owing)
    for tracker in sorted(surveyed):
        saved.ask_survey(transaction, tracker, now)
    return dated, {issue.tracker for issue, (due_at, _) in owing.items() if due_at <= now}


def _places(delivery: Delivery, homes: Mapping[str, str]) -> list[Place]:
    """Where the issues of a report may be, in each tracker: without the repository in that of the tracker itself."""
    return [
        (tracker, issue.removeprefix(f"{homes[tracker]}/") if homes.get(tracker) else issue)
        for tracker in delivery.trackers
        for issue in delivery.report.issues
    ]


def _concerns(report: Report, home: str) -> bool:
    """True if a report concerns everything in a tracker with this repository."""
    return report.whole and report.home in ("", home)


def _names(delivery: Delivery, home: str) -> bool:
    """True if a report names an issue of a tracker, filed by syncd or not."""
    if not delivery.home:
        return bool(delivery.report.issues)
    return bool(home) and any(issue.startswith(f"{home}/") for issue in delivery.report.issues)

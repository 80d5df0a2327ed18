"""A store, rules, and a tracker that keeps state and fails when told to: for tests of one group's sync, step by step."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from syncd.config import StoreSettings
from syncd.core import budget
from syncd.core.doubt import Evidence
from syncd.core.policy import Policy
from syncd.errors import (
    Missing,
    OutcomeUnknown,
    TrackerError,
)
from syncd.model import Call, Condition, Created, Group, Issue, Observation, Place, PresentSettings, Settings
from syncd.render.text import Document
from syncd.store import Store, issues, limits, outbox
from syncd.store.issues import Intent
from syncd.store.outbox import LEASE_SECONDS, Claim
from syncd.trackers import Draft, Finding, IssueText, Marked, Survey, Sweep
from syncd.worker import breaker
from syncd.worker.absorb import absorb
from syncd.worker.routing import Routing, opens
from syncd.worker.surveys import Surveyor
from syncd.worker.sync import sync
from tests.clock import MovableClock
from tests.store import steps
from tests.store.filled import accept, crash_notification

NUMBERS = itertools.count()
PROBES = [20.0, 60.0, 180.0]


@dataclass
class Tracker:
    """Keeps issues and comments by marker. `fail_before` and `fail_after` hold, by operation, what to raise next."""

    issues: list[Draft] = field(default_factory=list)
    comments: dict[str, Document] = field(default_factory=dict)
    refreshed: int = 0
    calls: list[str] = field(default_factory=list)
    pings: int = 0
    fail_before: dict[str, Exception] = field(default_factory=dict)
    fail_after: dict[str, Exception] = field(default_factory=dict)
    wall: MovableClock = field(default_factory=MovableClock)
    clock: float = 1000.0
    covered: bool = True
    moved_to: str | None = None
    conditions: dict[str, Condition] = field(default_factory=dict)
    unreadable: dict[str, TrackerError] = field(default_factory=dict)
    unable: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    standings: dict[str, PresentSettings] = field(default_factory=dict)
    raised: list[Settings] = field(default_factory=list)

    def _called(self, operation: str) -> None:
        self.calls.append(operation)
        if error := self.fail_before.pop(operation, None):
            raise error

    def _done(self, operation: str) -> None:
        if error := self.fail_after.pop(operation, None):
            raise error

    def newest(self) -> int:
        return len(self.issues)

    def sweep(self, floor: int, since: float) -> Sweep:
        """Not among the calls, as `newest` is not."""
        if error := self.fail_before.pop("sweep", None):
            raise error
        marked = [
            Marked(reference=draft.marker, issue=made(number))
            for number, draft in enumerate(self.issues, start=1)
            if number > floor
        ]
        return Sweep(newest=len(self.issues), upto=len(self.issues), issues=marked)

    def reference(self, marker: str) -> str:
        return marker

    def ping(self) -> None:
        """Not among the calls: which reads follow a failure is a matter of the breaker alone."""
        self.pings += 1
        if error := self.fail_before.pop("ping", None):
            raise error

    def create(self, draft: Draft) -> Created:
        self._called("create")
        self.issues.append(draft)
        self._done("create")
        return made(len(self.issues))

    def probe(self, issue: Issue) -> Evidence:
        self._called("probe")
        marked = [number for number, draft in enumerate(self.issues, start=1) if draft.marker == issue.marker]
        issues = tuple(made(number) for number in marked if number > issue.floor)
        return Evidence(issues=issues, covered=self.covered, newest=len(self.issues), at=self.clock, summary="all read")

    def look(self, issue: Issue) -> Observation:
        self._called("look")
        key = self.moved_to or str(issue.key)
        if error := self.unreadable.get(key):
            raise error
        place = Place(remote_id=str(issue.remote_id), key=key, url=f"https://example.com/{key}")
        return Observation(place=place, condition=self.conditions.get(key, Condition()))

    def survey(self, issues: Sequence[Issue], bookmark: str | None) -> Iterator[Survey]:
        self._called("survey")
        yield Survey(observations={str(issue.remote_id): self.look(issue) for issue in issues})

    def search(self, label: str | None, query: str | None) -> Iterator[Sequence[IssueText]]:
        """The issues that it has conditions of."""
        self._called("search")
        yield [
            IssueText(
                observation=Observation(place=Place(remote_id=key[2:], key=key, url=""), condition=condition),
                title="",
                body=self.texts.get(key, ""),
            )
            for key, condition in self.conditions.items()
        ]

    def reopen(self, issue: Issue) -> str:
        self._called("reopen")
        self.conditions.pop(str(issue.key), None)
        return self.unable

    def close_issue(self, issue: Issue) -> str:
        self._called("shut")
        self.conditions[str(issue.key)] = Condition(closed=True, resolution="done", closed_at=self.wall.wall())
        return self.unable

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        self._called("comment")
        self.comments[marker] = document
        self._done("comment")
        return marker

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        self._called("find_comment")
        return marker if marker in self.comments else None

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        self._called("edit_comment")
        if comment_id not in self.comments:
            raise Missing("the comment was deleted")
        self.comments[comment_id] = document

    def refresh(self, issue: Issue, group: Group) -> None:
        self.refreshed += 1

    def read_settings(self, issue: Issue) -> PresentSettings:
        self._called("read_settings")
        return self.standings.get(str(issue.key), PresentSettings(settings=Settings()))

    def raise_settings(self, issue: Issue, changes: Settings) -> str:
        self._called("raise_settings")
        self.raised.append(changes)
        return self.unable

    def check(self, routes: Sequence[Policy] = (), releases: Sequence[str] = ()) -> list[Finding]:
        return []

    def close(self) -> None:
        self.calls.append("close")


def made(number: int) -> Created:
    return Created(remote_id=str(number), key=f"K-{number}", url=f"https://example.com/{number}", number=number)


@dataclass
class Scene:
    """A store, rules that send everything to `here` without waiting, and the tracker there."""

    store: Store
    rules: Routing
    tracker: Tracker
    settings: StoreSettings
    clock: MovableClock
    between: float = 2.0  # seconds that pass before each notification, more than a status_interval

    def tell(self, fingerprint: str = "f1", **overrides: object) -> None:
        self.clock.advance(self.between)
        accept(self.store, crash_notification(fingerprint, **overrides), at=self.clock.wall())
        absorb(self.store, self.rules, self.clock.wall())

    def sync(self) -> bool:
        """Sync the group that is due; False when none is."""
        self.read()
        now = self.clock.wall()
        calls = opens(self.store, "here", self.rules.allowance("here"), now)
        claim = self.store.outbox.claim("here", f"test/{len(self.tracker.calls)}", now, calls)
        if claim is not None:
            sync(self.store, self.tracker, claim, self.rules, self.clock)
        return claim is not None

    def read(self) -> float:
        """Read the tracker if it is unreachable and that is due. Return the seconds until the next time."""
        return breaker.step(self.store, self.tracker, "here", self.rules, self.clock)

    def overtake(self) -> tuple[Claim, Claim, float]:
        """A claim whose create outlived its lease, that of whoever took over and took it for proven absent, and when that was."""
        self.tell()
        late = self.claimed()
        steps.intend(self.store, late, Intent(marker="m", revision=1), self.clock.wall())
        after = self.clock.wall() + LEASE_SECONDS + 1
        second = self.store.outbox.claim("here", "second", after)
        assert second is not None
        steps.commit(
            self.store, second, after, lambda transaction: issues.absent(transaction, second.group_id, "proven")
        )
        return late, second, after

    def survey(self) -> float:
        """Survey the tracker if that is due. Return the seconds until the next time."""
        self.read()
        surveyor = Surveyor(self.store, self.tracker, "here", self.rules, self.clock)
        return next(wait for wait in iter(surveyor.step, None) if wait)

    def claimed(self) -> Claim:
        self.wait()
        self.read()
        claim = self.store.outbox.claim("here", f"claimed/{next(NUMBERS)}", self.clock.wall())
        assert claim is not None
        return claim

    def fail(self, operation: str, error: Exception, after: bool = False) -> None:
        (self.tracker.fail_after if after else self.tracker.fail_before)[operation] = error

    def wait(self) -> None:
        """Let time pass until the next group is due."""
        self.clock.advance(max(0.0, self.due_in or 0.0))

    @property
    def state(self) -> str | None:
        issue = self.store.report.groups()[0].issue
        return issue.state.value if issue else None

    @property
    def due_in(self) -> float | None:
        due = self.store.read(partial(outbox.next_due, tracker="here"))
        return min(due.values()) - self.clock.wall() if due else None

    @property
    def rule(self) -> str | None:
        return self.store.report.groups()[0].rule

    @property
    def reason(self) -> str:
        return self.store.report.groups()[0].reason

    def opens_in(self, call: Call = Call.CREATE) -> float:
        now = self.clock.wall()
        allowance = self.rules.allowance("here")
        return (
            budget.opens(
                self.store.read(partial(limits.standing, tracker="here", credential=allowance.credential)),
                allowance,
                now,
            )[call]
            - now
        )

    def doubt(self, after: bool = False) -> None:
        """A group whose create was sent and not answered, at a time when its tracker can be asked about it."""
        self.tell()
        self.fail("create", OutcomeUnknown("no answer"), after)
        self.sync()
        self.clock.advance(60)

    def park(self) -> None:
        """The same, after all probes, at a tracker whose numbers cannot all be read."""
        self.doubt()
        self.tracker.covered = False
        self.probe_often()

    def probe_often(self) -> None:
        """Every probe there is, each in its time."""
        for seconds in (0.0, 40.0, 120.0):
            self.probe(seconds)

    def probe(self, seconds: float = 0.0) -> None:
        """The next probe, that much later by the tracker's clock."""
        self.tracker.clock += seconds
        self.wait()
        self.sync()

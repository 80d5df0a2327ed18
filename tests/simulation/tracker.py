"""A tracker as its clients meet it: numbers that rise, lists that lag, answers that get lost, and people who edit.

`Site` is the tracker itself; `Client` implements syncd's contract over it for one worker thread. The site keeps the truth, which the
invariants compare with the store. It leaves out markup, HTTP and pages: the fakes of the adapters have those.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import ClassVar

from syncd.core.doubt import Evidence
from syncd.core.policy import Policy
from syncd.errors import (
    Gone,
    Misconfigured,
    Missing,
    OutcomeUnknown,
    OutOfReach,
    Refused,
    Throttled,
    TrackerError,
    Unavailable,
)
from syncd.model import Condition, Created, Group, Issue, Observation, Place, PresentSettings, Settings
from syncd.platform.clock import Clock
from syncd.render.text import Document
from syncd.store.outbox import LEASE_SECONDS
from syncd.trackers import Draft, Finding, IssueText, Marked, Survey, Sweep
from tests.simulation.scheduler import Owner, Scheduler

TIMEOUT_SECONDS = 15.0
PAGE = 2  # issues in one request of a survey
MOST = 4  # numbers of one sweep
BEYOND = 3  # unused numbers in a row after which a probe ends; adapters read more
LATEST_COMMIT_SECONDS = 150.0  # after which a number that was given early is committed at the latest
LATEST_SECONDS = 10.0  # a request that its client gave up is carried out this much later at the latest


@dataclass
class Note:
    """A comment."""

    id: str
    marker: str
    text: str
    created_at: float
    author: str


@dataclass
class Item:
    """An issue in the site, with everything people can do to it."""

    number: int
    marker: str
    author: str
    created_at: float
    title: str
    sent_at: float = 0.0  # the true time at which syncd sent the create
    closed: bool = False
    closed_at: float | None = None
    closed_by_person: float | None = None
    open_at: float = 0.0  # the true time of the latest request of syncd that met it open
    resolution: str = ""
    fixed_in: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    locked: bool = False
    deleted: bool = False
    hidden: bool = False
    veiled: bool = False  # hidden, and no answer tells that from a deletion
    full: bool = False  # it takes no comment any more, and no edit of one
    converted: bool = False  # into a discussion, which keeps the number
    commits_at: float = 0.0  # its number was given before, and until then nothing is under it
    readable: bool = True  # the body still carries its marker
    moved_to: str | None = None
    renamed_to: str | None = None  # its project or repository has another name
    duplicate_of: int | None = None
    comments: list[Note] = field(default_factory=list)
    changed_at: float = 0.0

    changes: ClassVar[int] = 0  # of all items

    def __setattr__(self, name: str, value: object) -> None:
        Item.changes += 1
        object.__setattr__(self, name, value)

    @property
    def remote_ids(self) -> tuple[str, ...]:
        """Every id under which it can be read: people may have transferred it."""
        return (str(self.number), *([self.moved_to] if self.moved_to else []))

    @property
    def is_live(self) -> bool:
        """Report whether people can still read it as an open or closed issue of ours."""
        return not self.deleted and not self.converted


@dataclass(frozen=True)
class Reopened:
    """An issue that a person had closed, and that syncd opened by a request of `sent_at`. True times."""

    item: Item
    closed_at: float
    open_at: float  # the latest request of syncd that met it open
    fixed_in: tuple[str, ...]
    sent_at: float


@dataclass
class Weather:
    """Faults that the site shows until they are cleared."""

    away: bool = False
    login_refused: bool = False
    throttled_until: float = 0.0
    list_lag: float = 0.0
    read_lag: float = 0.0  # reads show issues as they were so long ago
    lose_before: int = 0  # so many next writes are never carried out, and their senders get no answer
    lose_after: int = 0  # so many next writes are carried out, and their senders get no answer
    late: int = 0  # so many next writes are carried out only after their senders gave up
    slow: list[float] = field(default_factory=list)  # so many seconds until the next edits arrive; their senders wait
    drowsy: list[tuple[str, float]] = field(
        default_factory=list
    )  # so many seconds until the next answer to a request of a kind
    early: int = 0  # so many next creates get their number at once, and are committed long after their senders gave up
    refuses: set[str] = field(default_factory=set)  # the fingerprints whose creates are refused for their content
    refuses_all: bool = False  # every create is refused, as if for its content
    switched_off: bool = False  # no request is answered: issues are switched off
    veils: bool = False  # new issues are hidden from the account


class Site:
    """One repository or project."""

    def __init__(self, scheduler: Scheduler, name: str = "here", counts: Counter[str] | None = None) -> None:
        self.scheduler = scheduler
        self.counts = Counter[str]() if counts is None else counts
        self.name = name
        self.items: list[Item] = []
        self.weather = Weather()
        self.account = "syncd-bot"
        self.last_comment = 0
        self.noted: set[str] = set()  # the accounts that answers have named; each client keeps them in its notebook
        self.strays: list[str] = []  # comments on an issue that syncd has not filed for the group
        self.backup: tuple[list[Item], int] = ([], 0)
        self.moved_back: set[int] = set()  # issues whose transfer a restore has undone
        self.clock_offset = 0.0
        self.writes: list[tuple[float, str, str]] = []  # (true time, operation, marker or key)
        self.refusals: list[tuple[str, tuple[str, ...]]] = []  # (fingerprint, releases in the draft)
        self.reopened: list[Reopened] = []
        self.sent: list[tuple[float, str]] = []  # when which task sent a write
        self.tells_closing = True  # the time at which an issue was closed
        self.lists_changes = False  # a survey reads what changed since its bookmark, and not each issue
        self.changes: list[tuple[float, int]] = []  # (true time, number) of each change that a read can meet
        self._past: dict[int, list[tuple[float, Observation]]] = {}
        self._network = Owner("network")
        self._last_number = 0
        self._past_life = 0  # how often it was restored
        self._kept = -1  # the changes of all items when the past was kept last

    @property
    def now(self) -> float:
        """Return the site's own time."""
        return self.scheduler.now + self.clock_offset

    def number(self) -> int:
        """Take the next number."""
        self._last_number += 1
        return self._last_number

    def add(self, marker: str, title: str, author: str) -> Item:
        """Create an issue."""
        item = Item(number=self.number(), marker=marker, author=author, created_at=self.now, title=title)
        item.changed_at, item.open_at = self.now, self.scheduler.now
        self.items.append(item)
        return item

    def back_up(self) -> None:
        """Keep the present state for `restore`."""
        self.backup = copy.deepcopy(self.items), self._last_number

    def restore(self) -> None:
        """Go back to the last backup. Its numbers are given once more, and what was moved since is where it was: syncd knows the later
        place, which is gone, and nothing leads from there to the former one."""
        moved = {item.number for item in self.items if item.moved_to is not None}
        self.items, self._last_number = copy.deepcopy(self.backup[0]), self.backup[1]
        self._past.clear()
        self._past_life += 1
        self._kept = -1
        self.moved_back |= {item.number for item in self.items if item.number in moved and item.moved_to is None}

    def item(self, remote_id: str | None) -> Item:
        """Return an issue by its id. Raises Gone, Moved or OutOfReach as its client would learn it."""
        item = next((entry for entry in self.items if remote_id in entry.remote_ids), None)
        if item is None or not item.is_live or item.commits_at > self.scheduler.now:
            raise Gone("the issue was deleted")
        if item.veiled:
            raise Gone("the issue is not there")
        if item.hidden:
            raise OutOfReach("the account cannot read the issue")
        return item

    def place(self, item: Item) -> Place:
        """Return where the issue is now."""
        key = item.moved_to or item.renamed_to or f"K-{item.number}"
        return Place(remote_id=item.moved_to or str(item.number), key=key, url=f"https://tracker.example/{key}")

    def condition(self, item: Item) -> Condition:
        """Return how people left the issue."""
        target = next((entry for entry in self.items if entry.number == item.duplicate_of), None)
        return Condition(
            closed=item.closed,
            closed_at=item.closed_at if self.tells_closing else None,
            resolution=item.resolution,
            fixed_in=item.fixed_in,
            labels=item.labels,
            locked=item.locked,
            duplicate_of=None if target is None else self.place(target),
            created_at=item.created_at,
        )

    def present(self, item: Item) -> Observation:
        """Return an issue as it is."""
        return Observation(
            place=self.place(item), condition=self.condition(item), changed_at=item.changed_at, owners=item.owners
        )

    def observe(self, item: Item) -> Observation:
        """Return an issue as a read shows it: as it is, or as it was."""
        at = self.scheduler.now - self.weather.read_lag
        if not self.weather.read_lag or item.number not in self._past:
            return self.present(item)
        past = self._past[item.number]
        return next((entry for since, entry in reversed(past) if since <= at), past[0][1])

    def visible(self) -> int:
        """Return how many of the changes a list shows by now."""
        at = self.scheduler.now - self.weather.read_lag
        return sum(since <= at for since, _ in self.changes)

    def keep_past(self) -> None:
        """Keep what reads that lag will show. Call it after each step."""
        if self._kept == Item.changes:
            return
        self._kept = Item.changes
        for item in self.items:
            past = self._past.setdefault(item.number, [])
            present = self.present(item)
            if not past or past[-1][1] != present:
                past.append((self.scheduler.now, present))
                self.changes.append((self.scheduler.now, item.number))

    def write(
        self,
        operation: str,
        subject: str,
        effect: Callable[[], object],
        require_fresh: Callable[[], None] | None = None,
    ) -> object:
        """Carry out one write request as the weather wants it. `require_fresh` is its sender's check right before it leaves. Raises
        TrackerError."""
        self.scheduler.point(f"{operation}: before")
        if require_fresh is not None:
            require_fresh()
        self.sent.append((self.scheduler.now, self.scheduler.actor))
        self.require_reachable()
        weather = self.weather
        if weather.slow and operation == "edit comment":
            self.scheduler.sleep(weather.slow.pop(), f"{operation}: on its way")
        if weather.lose_before:
            weather.lose_before -= 1
            self.scheduler.record("request lost", f"{operation} {subject}")
            self.counts["requests lost"] += 1
            self.scheduler.sleep(TIMEOUT_SECONDS, f"{operation}: no answer")
            raise OutcomeUnknown("no answer within the timeout")
        if weather.late:
            weather.late -= 1
            self.counts["carried out late"] += 1
            delay = TIMEOUT_SECONDS + self.scheduler.random.uniform(0.0, LATEST_SECONDS)

            def carry_out_late() -> None:
                with suppress(TrackerError):  # nobody reads the answer
                    self._carry_out(operation, subject, effect)

            self.scheduler.spawn(self._network, f"late {operation}", carry_out_late, self.scheduler.now + delay)
            self.scheduler.sleep(TIMEOUT_SECONDS, f"{operation}: no answer")
            raise OutcomeUnknown("no answer within the timeout")
        try:
            outcome: object = self._carry_out(operation, subject, effect)
            if slowly := self._pop_drowsy(operation):
                past = self._past_life
                self.scheduler.sleep(slowly, f"{operation}: answered slowly")
                if past != self._past_life:
                    raise OutcomeUnknown("the connection was cut when the tracker was restored")
        finally:
            if weather.lose_after:
                weather.lose_after -= 1
                self.scheduler.record("answer lost", f"{operation} {subject}")
                self.counts["answers lost"] += 1
                self.scheduler.sleep(TIMEOUT_SECONDS, f"{operation}: no answer")
                raise OutcomeUnknown("no answer within the timeout")
        self.scheduler.point(f"{operation}: after")
        return outcome

    def _carry_out(self, operation: str, subject: str, effect: Callable[[], object]) -> object:
        outcome = effect()
        self.writes.append((self.scheduler.now, operation, subject))
        self.counts[f"carried out: {operation}"] += 1
        self.scheduler.record(operation, subject)
        return outcome

    def _pop_drowsy(self, operation: str) -> float:
        entry = next((entry for entry in self.weather.drowsy if entry[0] == operation), None)
        if entry is None:
            return 0.0
        self.weather.drowsy.remove(entry)
        self.counts["slow answers"] += 1
        return entry[1]

    def answer(self, operation: str) -> None:
        """Stand at the point where the answer to a read request arrives."""
        self.scheduler.sleep(self._pop_drowsy(operation), f"{operation}: after")

    def read(self, operation: str) -> None:
        """Stand at the point of one read request. Raises TrackerError."""
        self.counts[f"read: {operation}"] += 1
        self.scheduler.point(f"{operation}: before")
        self.require_reachable()

    def require_reachable(self) -> None:
        """Raise what the weather has for every request."""
        weather = self.weather
        if weather.away:
            raise Unavailable("connection refused")
        if weather.switched_off:
            raise Misconfigured("410: the repository takes no issues")
        if weather.login_refused:
            raise Misconfigured("401: the token is not accepted")
        if weather.throttled_until > self.now:
            raise Throttled("rate limit", weather.throttled_until - self.now)


class Client:
    """syncd's contract over a site."""

    def __init__(self, site: Site, clock: Clock) -> None:
        self._site = site
        self._clock = clock

    def newest(self) -> int:
        self._site.read("newest")
        return max((item.number for item in self._listed()), default=0)

    def sweep(self, floor: int, since: float) -> Sweep:
        """Read every number from the floor to beyond the highest that is in use, MOST at a time."""
        site = self._site
        site.read("sweep")
        floor = max([floor, *(item.number for item in self._listed() if item.created_at < since)])
        highest, number = max([floor, *(item.number for item in self._listed())]), floor
        items = {item.number: item for item in site.items if item.commits_at <= site.scheduler.now}
        while (number := number + 1) <= highest + BEYOND:
            if number in items and self._is_in_use(items[number]):
                highest = max(highest, number)
        upto = min(highest, floor + MOST)
        marked = [
            Marked(reference=item.marker, issue=self._created(item))
            for item in items.values()
            if floor < item.number <= upto and self._is_readable(item) and item.marker and self._is_own(item.author)
        ]
        site.answer("sweep")
        return Sweep(newest=highest, upto=upto, issues=marked)

    def reference(self, marker: str) -> str:
        return marker

    def ping(self) -> None:
        self._site.read("ping")

    def _listed(self) -> list[Item]:
        """The list as the site shows it."""
        site = self._site
        return [
            item
            for item in site.items
            if item.is_live
            and not item.hidden
            and item.moved_to is None
            and max(item.created_at, item.commits_at) <= site.now - site.weather.list_lag
        ]

    def create(self, draft: Draft) -> Created:
        site = self._site
        author, identity, sent_at = site.account, draft.group.identity, site.scheduler.now

        def effect() -> Item:
            if identity.fingerprint in site.weather.refuses:
                site.refusals.append((identity.fingerprint, tuple(sorted(row.release for row in draft.group.releases))))
                raise Refused("a field of the issue is not accepted")
            if site.weather.refuses_all:
                raise Refused("words that nobody knows")
            item = site.add(draft.marker, identity.fingerprint, author)
            item.sent_at = sent_at
            item.hidden = item.veiled = site.weather.veils
            return item

        if site.weather.early:
            site.weather.early -= 1
            site.scheduler.point("create: before")
            draft.require_fresh()
            site.require_reachable()
            item = effect()
            item.commits_at = site.scheduler.now + site.scheduler.random.uniform(TIMEOUT_SECONDS, LATEST_COMMIT_SECONDS)
            site.scheduler.record("number given early", f"#{item.number}")
            site.counts["numbers given early"] += 1

            def file_later() -> None:
                site.add("", "a person's issue", "person")

            later = site.scheduler.now + site.scheduler.random.uniform(40.0, 60.0)
            site.scheduler.spawn(site._network, "a person", file_later, later)
            site.scheduler.sleep(TIMEOUT_SECONDS, "create: no answer")
            raise OutcomeUnknown("no answer within the timeout")
        site.noted.add(author)  # the adapters read it before they write
        written = site.write("create", draft.marker[:8], effect, draft.require_fresh)
        assert isinstance(written, Item)
        return self._created(written)

    def _created(self, item: Item) -> Created:
        place = self._site.place(item)
        return Created(
            remote_id=place.remote_id, key=place.key, url=place.url, number=item.number, created_at=item.created_at
        )

    def _is_own(self, author: str) -> bool:
        """Report whether it is the account behind the token, which is remembered as the adapters do, or one that an answer has named."""
        self._site.noted.add(self._site.account)
        return author in self._site.noted

    def probe(self, issue: Issue) -> Evidence:
        """Read every number from the floor, or from the newest that the list shows, to beyond the highest that is in use. What has the number
        of the floor counts as what is above it."""
        site = self._site
        site.read("probe")
        listed = {item.number: item for item in self._listed()}
        floor = max(0, issue.floor - 1)
        first = min(floor, max(listed, default=0))
        highest, number = max(first, max(listed, default=0)), first
        items = {item.number: item for item in site.items if item.commits_at <= site.scheduler.now}
        read = dict(listed)
        while (number := number + 1) <= max(highest, issue.floor) + BEYOND:
            if number in items and self._is_in_use(items[number]):
                read[number], highest = items[number], max(highest, number)
        marked = [item for _, item in sorted(read.items()) if self._is_found(item, issue)]
        unclear = [number for number, item in read.items() if number > floor and self._may_be(item, issue)]
        unclear += [number for number in range(floor + 1, highest) if self._is_gap(number, read)]
        newest, lowest = read.get(max(listed, default=0)), read.get(issue.floor)
        evidence = Evidence(
            issues=tuple(self._created(item) for item in marked),
            covered=bool(marked) or not unclear,
            newest=0 if newest is None else newest.number,
            newest_at=None if newest is None else newest.created_at,
            floor_at=None if lowest is None else lowest.created_at,
            at=site.now,
            summary=f"#{first + 1} to #{highest} were read, {unclear} are unclear",
        )
        site.counts["probes that prove nothing"] += bool(unclear)
        site.answer("probe")
        return evidence

    def _is_in_use(self, item: Item) -> bool:
        """Report whether a read by number tells that the number was given: also for a discussion, and after its issue was deleted."""
        return True

    def _is_found(self, item: Item, issue: Issue) -> bool:
        return self._is_readable(item) and item.marker == issue.marker and self._is_own(item.author)

    def _is_readable(self, item: Item) -> bool:
        return item.is_live and not item.hidden and item.readable

    def _may_be(self, item: Item, issue: Issue) -> bool:
        """Report whether a number may lead to the issue, although it is not found there."""
        if item.author == "person":
            return item.deleted or item.hidden or item.marker == issue.marker  # nobody can tell whose it was
        return not item.is_live or item.hidden or not item.readable or item.marker == issue.marker

    def _is_gap(self, number: int, read: Mapping[int, Item]) -> bool:
        """Report whether a number below the highest leads to nothing: it was given, and what it was given to is gone or not there yet."""
        return number not in read

    def look(self, issue: Issue) -> Observation:
        site = self._site
        site.read("look")
        item = site.item(issue.remote_id)
        observation = site.observe(item)
        if not observation.condition.closed:
            item.open_at = site.scheduler.now - site.weather.read_lag
        site.answer("look")
        return observation

    def survey(self, issues: Sequence[Issue], bookmark: str | None) -> Iterator[Survey]:
        site = self._site
        until = site.visible()
        if site.lists_changes and bookmark is not None:
            changed = {str(number) for _, number in site.changes[int(bookmark) : until]}
            issues = [issue for issue in issues if issue.remote_id in changed]
        for start in range(0, len(issues), PAGE):
            site.read("survey")
            observations, missing = {}, []
            for issue in issues[start : start + PAGE]:
                try:
                    item = site.item(issue.remote_id)
                except TrackerError:
                    missing.append(str(issue.remote_id))
                    continue
                observations[str(issue.remote_id)] = site.observe(item)
            site.answer("survey")
            yield Survey(observations=observations, missing=tuple(missing))
        yield Survey(observations={}, bookmark=str(until))

    def search(self, label: str | None, query: str | None) -> Iterator[Sequence[IssueText]]:
        site = self._site
        items = self._listed()
        for start in range(0, len(items), PAGE):
            site.read("search")
            part = [
                IssueText(observation=site.observe(item), title=item.title, body=item.marker)
                for item in items[start : start + PAGE]
            ]
            site.answer("search")
            yield part

    def reopen(self, issue: Issue) -> str:
        site, sent_at = self._site, self._site.scheduler.now

        def effect() -> None:
            item = site.item(issue.remote_id)
            if item.closed and item.closed_by_person is not None:
                site.reopened.append(Reopened(item, item.closed_by_person, item.open_at, item.fixed_in, sent_at))
            item.closed_by_person = None
            item.closed, item.closed_at, item.resolution, item.changed_at = False, None, "", site.now

        site.write("reopen", str(issue.key), effect)
        return ""

    def close_issue(self, issue: Issue) -> str:
        site = self._site

        def effect() -> None:
            item = site.item(issue.remote_id)
            item.closed, item.closed_at, item.resolution, item.changed_at = True, site.now, "done", site.now

        site.write("close", str(issue.key), effect)
        return ""

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        site, author = self._site, self._site.account
        site.noted.add(author)  # the adapters read it before they write

        def effect() -> Note:
            item = site.item(issue.remote_id)
            is_foreign = item.marker != issue.marker or item.author == "person"
            # What happens between a look and the request cannot be known.
            if issue.attempt and not issue.followed and is_foreign and site.now - item.created_at > LEASE_SECONDS:
                site.strays.append(f"#{item.number} for {issue.marker[:8]}")
            if item.locked or item.full:
                raise Refused("the conversation is locked")
            site.last_comment += 1  # the id of a deleted comment is not given again
            note = Note(f"{item.number}.{site.last_comment}", marker, repr(document), site.now, author)
            item.comments.append(note)
            item.changed_at = site.now
            return note

        note = site.write("comment", f"{issue.key} {marker[:8]}", effect)
        assert isinstance(note, Note)
        return note.id

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        site = self._site
        site.read("find comment")
        item = site.item(issue.remote_id)
        return next((note.id for note in item.comments if note.marker == marker and self._is_own(note.author)), None)

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        site = self._site

        def effect() -> None:
            item = site.item(issue.remote_id)
            if item.full:
                raise Refused("the issue takes no more")
            note = next((entry for entry in item.comments if entry.id == comment_id), None)
            if note is None:
                raise Missing("the comment was deleted")
            item.comments[item.comments.index(note)] = replace(note, text=repr(document))
            item.changed_at = site.now

        site.write("edit comment", f"{issue.key} {comment_id}", effect)

    def refresh(self, issue: Issue, group: Group) -> None:
        return

    def read_settings(self, issue: Issue) -> PresentSettings:
        return PresentSettings(settings=Settings())

    def raise_settings(self, issue: Issue, changes: Settings) -> str:
        return ""

    def check(self, routes: Sequence[Policy] = (), releases: Sequence[str] = ()) -> list[Finding]:
        return []

    def close(self) -> None:
        return

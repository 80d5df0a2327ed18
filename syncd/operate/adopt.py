"""Issues that exist before syncd hears of their crash, from a file or from a tracker: each stands for the group of its crash from now on, or
as soon as that is met."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeVar

from syncd.config import Config
from syncd.core import adoption
from syncd.core.plan import NEVER_LINKED
from syncd.core.quantities import counted
from syncd.errors import Misconfigured, Moved, SyncdError, Throttled, TrackerError, Unavailable
from syncd.model import Identity, IssueState, Observation, Place
from syncd.operate.candidates import Candidate, Outcome, Row
from syncd.platform.clock import Clock
from syncd.store import Store, adoptions, audit, issues, outbox
from syncd.store.adoptions import Adoption
from syncd.store.audit import Kind, Subject
from syncd.store.connection import DAEMON, Transaction
from syncd.trackers import IssueText, Tracker, open_tracker
from syncd.worker import adoptions as linking

MOST_TRIES = 3
LONGEST_PAUSE_SECONDS = 120.0
PAUSE_SECONDS = 2.0
SHORT = 12  # digits of a fingerprint in a sentence

T = TypeVar("T")

Progress = Callable[[str, int, int | None], None]  # what is being done, how many are done, how many there are


class Interrupted(SyncdError):
    """A tracker could not be read any more. `later`: it may be read soon. What was adopted until then stays, and another run goes on."""

    def __init__(self, tracker: str, reason: str, *, later: bool) -> None:
        super().__init__(f"{tracker}: {reason}")
        self.tracker = tracker
        self.later = later


class _Key(NamedTuple):
    """The group that is meant; an empty universe or project means any."""

    fingerprint_key: str
    universe: str
    project: str


class Adopter:
    """Reads trackers and writes to the store only; use it as a context manager. With `dry_run` it writes nothing."""

    def __init__(
        self,
        config: Config,
        store: Store,
        progress: Progress,
        *,
        dry_run: bool = False,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._config, self._store, self._progress, self._dry_run = config, store, progress, dry_run
        self._clock, self._sleep = clock or Clock(), sleep
        self._stack = ExitStack()
        self._clients: dict[str, Tracker] = {}
        self._taken: dict[tuple[str, str], str] = {}  # by place, the fingerprint that took it in this run

    def __enter__(self) -> "Adopter":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def search(self, tracker: str, label: str | None, query: str | None) -> list[IssueText]:
        """Read the issues of a tracker. Raises Interrupted."""

        def read() -> list[IssueText]:
            texts: list[IssueText] = []
            for part in self._client(tracker).search(label, query):
                texts += part
                self._progress(f"reading {tracker}", len(texts), None)
            return texts

        return self._ask(tracker, read)

    def adopt(self, candidates: Sequence[Candidate]) -> Iterator[Row]:
        """Decide for one fingerprint after the other which of its issues stands for it, and write that down in one transaction for each: whoever
        is stopped goes on with another run. Raises Interrupted, StoreUnavailable."""
        keys = {number: self._key(candidate) for number, candidate in enumerate(candidates)}
        clusters: dict[_Key, list[Candidate]] = {}
        for number, candidate in enumerate(candidates):
            if isinstance(key := keys[number], str):
                yield _row(candidate, Outcome.LEFT, key)
            else:
                clusters.setdefault(key, []).append(candidate)
        done, total, down = 0, sum(map(len, clusters.values())), dict[str, Interrupted]()
        for key, cluster in _joined(clusters).items():
            try:
                if broken := [down[each.tracker] for each in cluster if each.tracker in down]:
                    raise broken[0]
                yield from list(self._settle(key, cluster))
            except Interrupted as error:
                # Without all issues of the crash none can be chosen. Those of other trackers go on.
                down[error.tracker] = error
                for candidate in cluster:
                    yield _row(candidate, Outcome.LEFT, str(error))
            done += len(cluster)
            self._progress("adopting", done, total)
        for interruption in down.values():
            raise interruption

    def _key(self, candidate: Candidate) -> "_Key | str":
        """The group that is meant, or why that is not known."""
        identity = Identity(candidate.universe, candidate.project, candidate.fingerprint)
        if adoption.is_whole(candidate.fingerprint):
            return _Key(identity.fingerprint_key, candidate.universe, candidate.project.lower())
        fitting = [
            listed.standing.group.identity
            for listed in self._store.lists.by_fingerprint(candidate.fingerprint)
            if adoption.fits(candidate.universe, candidate.project, listed.standing.group.identity)
        ]
        if len(fitting) != 1:
            holders = "several groups have" if fitting else "no group has"
            return f"{holders} a fingerprint that begins with {candidate.fingerprint}; name all of it in a file"
        return _Key(fitting[0].fingerprint_key, fitting[0].universe, fitting[0].project.lower())

    def _settle(self, key: _Key, cluster: Sequence[Candidate]) -> Iterator[Row]:
        """One issue stands for the crash, the others do not."""
        present = self._store.read(partial(_present, key=key))
        if present is not None and any(_is_at(candidate, present) for candidate in cluster):
            for candidate in cluster:
                if _is_at(candidate, present):
                    yield _row(candidate, Outcome.BEFORE, "", present.place)
                else:
                    yield _row(candidate, Outcome.LEFT, _second(present.place.key))
            return
        observations: dict[str, Observation] = {}
        read: dict[str, Candidate] = {}
        again: list[Row] = []
        for candidate in cluster:
            try:
                observation = candidate.observation or self._look(candidate)
            except TrackerError as error:
                yield _row(candidate, Outcome.LEFT, error.reason)
                continue
            name = f"{candidate.tracker} {observation.place.remote_id}"
            if name in read:
                again.append(_row(candidate, Outcome.BEFORE, f"as {read[name].source}", observation.place))
                continue
            observations[name], read[name] = observation, candidate
        standing_key = ""
        order = adoption.ranked(observations)
        for place_in_order, name in enumerate(order, start=1):
            candidate, place = read[name], observations[name].place
            if standing_key:
                yield _row(candidate, Outcome.LEFT, _second(standing_key), place)
                continue
            doubles = tuple(
                (observations[later].place.remote_id, observations[later].place.key)
                for later in order[place_in_order:]
                if not observations[later].condition.closed and read[later].tracker == candidate.tracker
            )
            entry = Adoption(**key._asdict(), tracker=candidate.tracker, place=place, doubles=doubles)
            outcome, reason = self._take(entry)
            standing_key = "" if outcome is Outcome.LEFT else place.key
            yield _row(candidate, outcome, reason, place)
        yield from again

    def _take(self, entry: Adoption) -> tuple[Outcome, str]:
        """Let the issue stand for the group, or wait for it."""
        at = entry.tracker, entry.place.remote_id
        if self._taken.setdefault(at, entry.fingerprint_key) != entry.fingerprint_key:
            return Outcome.LEFT, _OCCUPIED.format(self._taken[at][:SHORT])
        now = self._clock.wall()
        if self._dry_run:
            return self._store.read(partial(_take, entry=entry, instance_key=None, actor=None, now=now))
        key, actor = self._store.instance_key(), self._store.actor
        return self._store.write(partial(_take, entry=entry, instance_key=key, actor=actor, now=now))

    def _look(self, candidate: Candidate) -> Observation:
        """Read an issue, wherever it is now. Raises TrackerError where it cannot be read, Interrupted where none can be."""
        client = self._client(candidate.tracker)
        try:
            return self._ask(candidate.tracker, lambda: client.look(candidate.issue))
        except Moved as error:
            issue = replace(candidate.issue, remote_id=error.remote_id, key=error.key, url=error.url)
            return self._ask(candidate.tracker, lambda: client.look(issue))

    def _client(self, tracker: str) -> Tracker:
        if tracker not in self._clients:
            settings, notebook = self._config.trackers[tracker], self._store.notebook(tracker)
            client = open_tracker(tracker, settings, notebook, clock=self._clock, sleep=self._sleep)
            self._clients[tracker] = client
            self._stack.callback(client.close)
        return self._clients[tracker]

    def _ask(self, tracker: str, read: Callable[[], T]) -> T:
        """Read something, again after a pause where that may help. Raises Interrupted where the tracker answers nobody."""
        tries = 0
        while True:
            tries += 1
            try:
                return read()
            except (Throttled, Unavailable) as error:
                pause = error.seconds if isinstance(error, Throttled) else error.retry_after or PAUSE_SECONDS * tries
                if tries == MOST_TRIES or pause > LONGEST_PAUSE_SECONDS:
                    raise Interrupted(tracker, error.reason, later=True) from None
                self._progress(f"waiting {pause:.0f} s: {error.reason}", 0, None)
                self._sleep(pause)
            except Misconfigured as error:
                raise Interrupted(tracker, error.reason, later=False) from None


_OCCUPIED = "it is the issue of {}; `syncd alias add` shows both crashes there"


def _second(key: str) -> str:
    return f"{key} stands for its crash; close this one as a duplicate if it is open"


def _row(candidate: Candidate, outcome: Outcome, reason: str, place: Place | None = None) -> Row:
    return Row(
        source=candidate.source,
        fingerprint=candidate.fingerprint,
        tracker=candidate.tracker,
        issue=place.key if place is not None else candidate.issue.key or "",
        outcome=outcome,
        reason=reason,
        url=place.url if place is not None else candidate.issue.url or "",
        project=candidate.project,
    )


def forget(store: Store, issue: str, now: float) -> Adoption | None:
    """Let the adopted issue with this key or address wait no more for its crash; None if none of the name waits. Raises StoreUnavailable."""

    def write(transaction: Transaction) -> Adoption | None:
        name = issue.lower()
        fitting = [
            entry
            for entry in adoptions.every(transaction)
            if name in (entry.place.key.lower(), entry.place.url.lower())
        ]
        if len(fitting) != 1:
            return None
        adoptions.remove(transaction, fitting[0])
        subject = Subject(Kind.GROUP, fitting[0].fingerprint_key)
        detail = f"{fitting[0].place.key} in {fitting[0].tracker} waits for its first notification → no issue"
        audit.record(transaction, store.actor or DAEMON, "adopt", subject, detail, now)
        return fitting[0]

    return store.write(write)


def _joined(clusters: Mapping[_Key, list[Candidate]]) -> dict[_Key, list[Candidate]]:
    """Where all issues with a fingerprint that name a project name the same, those that name none mean it too."""
    by_fingerprint: dict[str, list[_Key]] = {}
    for key in clusters:
        by_fingerprint.setdefault(key.fingerprint_key, []).append(key)
    joined: dict[_Key, list[Candidate]] = {}
    for keys in by_fingerprint.values():
        named_keys = [key for key in keys if key.universe or key.project]
        target = named_keys[0] if len(named_keys) == 1 else None
        for key in keys:
            joined.setdefault(target or key, []).extend(clusters[key])
    return joined


class _Present(NamedTuple):
    """An issue that stands for a group, or waits for it."""

    tracker: str
    place: Place


def _present(transaction: Transaction, key: _Key) -> _Present | None:
    """The issue that stands for the group that is meant, or waits for it."""
    for entry in adoptions.waiting(transaction, [key.fingerprint_key]).get(key.fingerprint_key, ()):
        if (entry.universe, entry.project) == (key.universe, key.project):
            return _Present(entry.tracker, entry.place)
    for group_id in _groups(transaction, key):
        issue = outbox.load(transaction, group_id)[1]
        if issue is not None and issue.remote_id is not None:
            place = Place(remote_id=issue.remote_id, key=issue.key or "", url=issue.url or "")
            return _Present(issue.tracker, place)
    return None


def _is_at(candidate: Candidate, present: _Present) -> bool:
    return candidate.tracker == present.tracker and (
        candidate.issue.remote_id == present.place.remote_id
        or (candidate.issue.key or "").lower() == present.place.key.lower()
    )


def _groups(transaction: Transaction, key: _Key) -> list[int]:
    several = adoptions.groups(transaction, key.fingerprint_key)
    return [group_id for group_id, identity in several.items() if adoption.fits(key.universe, key.project, identity)]


def _take(
    transaction: Transaction, entry: Adoption, instance_key: str | None, actor: str | None, now: float
) -> tuple[Outcome, str]:
    """Link the group, or let the issue wait for it, if nothing is against that, by an `actor`. Without an `instance_key` nothing is written."""
    key = _Key(entry.fingerprint_key, entry.universe, entry.project)
    group_ids = _groups(transaction, key)
    if (occupied := _occupied(transaction, entry, group_ids)) is not None:
        return occupied
    if len(group_ids) > 1:
        return Outcome.LEFT, f"{counted(len(group_ids), 'group')} have its fingerprint; name the project in a file"
    if not group_ids:
        if (present := _present(transaction, key)) is not None:
            return Outcome.LEFT, _second(present.place.key)
        if instance_key is not None:
            adoptions.add(transaction, entry, now)
            _record(transaction, actor, entry, None, "waits for its first notification", now)
        return Outcome.WAITS, ""
    group, issue = outbox.load(transaction, group_ids[0], lock=instance_key is not None)
    if group.follows is not None:
        return Outcome.LEFT, f"its crash is an alias of {group.follows[:SHORT]}, whose issue shows its occurrences"
    if issue is not None and issue.state in NEVER_LINKED:
        return Outcome.LEFT, "a create for its crash has no answer yet; run this again when syncd knows the outcome"
    if issue is not None and issue.state is not IssueState.WANTED:
        return Outcome.LEFT, f"its crash has {issue.key or 'an issue'} already; `syncd relink` links another one"
    if instance_key is not None:
        linking.link(transaction, instance_key, group_ids[0], group, entry, now, group.revision, actor)
        _record(transaction, actor, entry, group_ids[0], "stands for it", now)
    return Outcome.LINKED, ""


def _record(
    transaction: Transaction, actor: str | None, entry: Adoption, group_id: int | None, what: str, now: float
) -> None:
    """Write the entry of the audit."""
    subject = Subject(Kind.GROUP, entry.fingerprint_key, group_id)
    detail = f"no issue → {entry.place.key} in {entry.tracker} {what}"
    audit.record(transaction, actor or DAEMON, "adopt", subject, detail, now)


def _occupied(transaction: Transaction, entry: Adoption, group_ids: Sequence[int]) -> tuple[Outcome, str] | None:
    """What it means that the issue stands for a group already, or waits for one; None where it does not."""
    for owner, fingerprint in issues.at_place(transaction, entry.tracker, entry.place.remote_id):
        return (Outcome.BEFORE, "") if owner in group_ids else (Outcome.LEFT, _OCCUPIED.format(fingerprint[:SHORT]))
    waiting = adoptions.at_place(transaction, entry.tracker, entry.place.remote_id)
    if waiting is None:
        return None
    if waiting.fingerprint_key == entry.fingerprint_key:
        return Outcome.BEFORE, ""
    return Outcome.LEFT, _OCCUPIED.format(waiting.fingerprint_key[:SHORT])

"""The thread of a channel: it writes the notices that no group causes, and sends what waits, each at most once.

It reads and writes the store, and nothing waits for it: a channel that hangs or refuses everything holds up no group and no other channel.
"""

import hashlib
import math
import threading
from functools import partial

import structlog

from syncd.config import AnyChannel, Config
from syncd.config.channels import events_of
from syncd.core import notices as rules
from syncd.core.budget import SKEW_SECONDS, in_force
from syncd.core.notices import Event, Kind, Share
from syncd.errors import Misconfigured, OutcomeUnknown, Refused, StoreUnavailable, Throttled, TrackerError, Unavailable
from syncd.model import Facts
from syncd.notices import digest
from syncd.notices.channels import Channel, Message, open_channel, versions
from syncd.notices.compose import compose, summary
from syncd.operate.needs import tracker_need
from syncd.operate.shapes import tracker as tracker_shape
from syncd.platform import metrics
from syncd.platform.clock import Clock
from syncd.store import Store, notices
from syncd.store.connection import Transaction
from syncd.store.notices import Stored, Summed
from syncd.worker.presentation import Presentation

log = structlog.get_logger("syncd.notices")

POLL_SECONDS = 2.0
WATCH_SECONDS = 10.0  # between two looks at the trackers and at the digest
TRY_SECONDS = 180.0  # after a try began, until another process may try: longer than a message with all its timeouts
PURGE_SECONDS = 3600.0
FAULT_SECONDS = 5.0


class Sender(threading.Thread):
    """Sends the notices of one channel until it is stopped."""

    def __init__(
        self, name: str, config: Config, store: Store, presentation: Presentation, channel: Channel, clock: Clock, key: str
    ) -> None:  # fmt: skip
        """Identifiers of messages begin with `key`, so that those of two stores differ."""
        super().__init__(
            name=f"send {name}", daemon=True
        )  # a server that never answers must not keep the process alive
        self._channel_name = name
        self._config = config
        self._settings: AnyChannel = config.channels[name]
        self._store = store
        self._presentation = presentation
        self._channel = channel
        self._clock = clock
        self._key = key
        self._stopping = threading.Event()
        self._versions: object = None
        self._watch_at = self._purge_at = 0.0

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                sent = self.step()
            except StoreUnavailable as error:
                log.error("store_unavailable", reason=str(error))
                self._stopping.wait(FAULT_SECONDS)
            except Exception:  # this thread's boundary: a bug in one notice must not stop the others
                log.exception("unexpected_error", channel=self._channel_name)
                self._stopping.wait(FAULT_SECONDS)
            else:
                if not sent:
                    self._stopping.wait(POLL_SECONDS)

    def stop(self) -> None:
        """Request the end, after the current message."""
        self._stopping.set()

    def step(self) -> bool:
        """Do what is due, and send one message if one may be sent. Return whether one was. Raises StoreUnavailable."""
        if self._store.detached_at() is not None:
            return False  # the store that this one was copied from sends the same notices
        self._store.due_times.follow_clock()
        now = self._clock.wall()
        if (present := versions(self._settings)) != self._versions:
            self._versions = present  # also at a start: what a person changed may have been the cause of a rest
            self._store.write(partial(self._try_now, now=now), exclusive=False)
        if self._clock.monotonic() >= self._watch_at:
            self._watch_at = self._clock.monotonic() + WATCH_SECONDS
            self._watch_trackers(now)
            self._write_digest(now)
            self._end_broken_off(now)
            self._drop_old(now)
        claim = self._claim(now)
        if claim is None:
            return False
        self._send(*claim)
        return True

    def _try_now(self, transaction: Transaction, now: float) -> None:
        if notices.lock(transaction, self._channel_name).until is not None:
            notices.try_until(transaction, self._channel_name, now)

    def _watch_trackers(self, now: float) -> None:
        """Write a notice for each tracker that takes no calls for a while, and for the end of that."""
        name, config = self._channel_name, self._config
        if Event.REST not in events_of(self._settings):
            return
        own = {route.tracker for route in config.all_routes if name in config.listeners[route.name]}
        resting = {}
        for tracker, standing in self._store.report.trackers(config.credentials, now).items():
            if tracker in own and standing.state != "ok":
                need = tracker_need(tracker, tracker_shape(standing), now)
                if need.alarm:
                    resting[tracker] = standing.reason or need.what
        before = self._store.read(partial(notices.standing, channel=name)).outages
        if rules.follow_trackers(before, resting, now)[0] == before:
            return

        def write(transaction: Transaction) -> None:
            after, changes = rules.follow_trackers(notices.lock(transaction, name).outages, resting, now)
            notices.save_outages(transaction, name, after)
            for change in changes:
                facts: Facts = {
                    "tracker": change.tracker,
                    "over": int(change.over),
                    "since": change.since,
                    "at": now,
                    "reason": change.reason,
                }
                notices.add(transaction, [name], Event.REST, None, facts, now)

        self._store.write(write, exclusive=False)

    def _write_digest(self, now: float) -> None:
        """Write the digest that is due. At most one process writes that of a day."""
        name, schedule = self._channel_name, self._settings.schedule
        if schedule is None:
            return
        due = rules.due_digest(schedule, self._store.read(partial(notices.standing, channel=name)).digest, now)
        if due is None:
            return
        facts = (
            digest.facts(self._config, self._store, self._presentation, name, due.since, now) if due.timely else None
        )

        def write(transaction: Transaction) -> None:
            last = notices.lock(transaction, name).digest
            if last is not None and last[0] >= due.day:
                return  # another process was faster
            notices.save_digest(transaction, name, due.day, now)
            if facts is not None:
                notices.add(transaction, [name], Event.DIGEST, None, facts, now)

        self._store.write(write, exclusive=False)

    def _end_broken_off(self, now: float) -> None:
        """Nobody knows whether a message arrived whose process died: it is lost, unless the receiver recognises a second one."""
        read = partial(notices.broken_off, channel=self._channel_name, before=now - TRY_SECONDS)
        if not self._store.read(read):
            return
        state = "waiting" if self._channel.repeats else "lost"

        def write(transaction: Transaction) -> int:
            return sum(notices.end(transaction, batch, state) for batch in read(transaction))

        number = self._store.write(write, exclusive=False)
        if state == "lost":
            metrics.NOTICES.labels(self._channel_name, state).inc(number)
        log.warning("notices_broken_off", channel=self._channel_name, notices=number, outcome=state)

    def _drop_old(self, now: float) -> None:
        before = now - self._settings.expire_after
        counts = self._store.read(partial(notices.counts, since=now)).get(self._channel_name)
        if counts is not None and counts.oldest_at is not None and counts.oldest_at < before:
            dropped = self._store.write(
                partial(notices.expire, channel=self._channel_name, before=before), exclusive=False
            )
            if dropped:
                metrics.NOTICES.labels(self._channel_name, "expired").inc(dropped)
                log.warning("notices_expired", channel=self._channel_name, notices=dropped)
        if self._clock.monotonic() >= self._purge_at:
            self._purge_at = self._clock.monotonic() + PURGE_SECONDS
            while self._store.write(partial(notices.purge, before=now - notices.KEPT_SECONDS), exclusive=False):
                pass

    def _claim(self, now: float) -> tuple[int, Stored | Summed] | None:
        """Mark what is sent next, and return it with the number of its message; None if nothing may be sent now."""
        name, limit = self._channel_name, self._settings.max
        span = {"since": now - limit.seconds, "until": now + SKEW_SECONDS}

        def choose(transaction: Transaction) -> tuple[rules.Share, Kind, int]:
            until = notices.standing(transaction, name).until
            if until is not None and in_force(until, now):
                return Share.NONE, Kind.GROUP, 0
            piles = {pile.kind: pile for pile in notices.waiting(transaction, name, **span)}
            for kind in (Kind.DIGEST, Kind.SYSTEM, Kind.GROUP):
                if (pile := piles.get(kind)) is not None:
                    chosen = rules.share(kind, pile.waiting, pile.sent, limit)
                    if chosen is not Share.NONE:
                        return chosen, kind, pile.first
            return Share.NONE, Kind.GROUP, 0

        if self._store.read(choose)[0] is Share.NONE:
            return None

        def mark(transaction: Transaction) -> tuple[int, Stored | Summed] | None:
            standing = notices.lock(transaction, name)
            chosen, kind, first = choose(transaction)
            if chosen is Share.NONE:
                return None
            if standing.until is not None:
                notices.try_until(transaction, name, now + TRY_SECONDS)
            if chosen is Share.ALL:
                return first, notices.mark_all(transaction, name, kind, first, now)
            stored = notices.mark(transaction, first, now)
            return None if stored is None else (first, stored)

        return self._store.write(mark, exclusive=False)

    def _send(self, batch: int, content: Stored | Summed) -> None:
        """Send a message that is marked, and write down what became of it."""
        now, name = self._clock.wall(), self._channel_name
        number = 1 if isinstance(content, Stored) else sum(content.counts.values())
        failure: TrackerError | None = None
        answer = ""
        try:
            if isinstance(content, Stored):
                notice = compose(self._config, self._presentation, self._store, content)
            else:
                notice = summary(self._presentation, self._store, content, self._settings)
            answer = self._channel.send(Message(notice=notice, identifier=f"{self._key}.{batch}.{number}", at=now))
        except StoreUnavailable:
            self._store.write(partial(notices.end, batch=batch, state="waiting"), exclusive=False)
            raise
        except TrackerError as error:
            failure = error
        state = _state(failure, repeats=self._channel.repeats)

        def write(transaction: Transaction) -> tuple[bool, float | None]:
            standing = notices.lock(transaction, name)
            notices.end(transaction, batch, state)
            if failure is None or isinstance(failure, Refused):
                return notices.resume(transaction, name), None  # a channel that judges a content works
            until = now + rules.rest_seconds(standing.attempts, _wanted(failure))
            notices.rest(transaction, name, until, standing.attempts + 1, failure.reason, now)
            return False, until

        resumed, until = self._store.write(write, exclusive=False)
        if resumed:
            log.info("channel_resumed", channel=name)
        if failure is None:
            metrics.NOTICES.labels(name, "sent").inc(number)
            log.info("notice_sent", channel=name, event_kind=notice.event, notices=number, answer=answer)
        else:
            if state != "waiting":
                metrics.NOTICES.labels(name, state).inc(number)
            log.warning("notice_failed", channel=name, outcome=state, reason=failure.reason, notices=number)
        if until is not None:
            log.warning("channel_rests", channel=name, until=until)


def _state(failure: TrackerError | None, *, repeats: bool) -> str:
    """What becomes of a notice: a lost answer is a lost notice, unless the receiver recognises a second one."""
    if failure is None:
        return "sent"
    if isinstance(failure, Refused):
        return "refused"
    return "lost" if isinstance(failure, OutcomeUnknown) and not repeats else "waiting"


def _wanted(failure: TrackerError) -> float | None:
    """The rest that a channel asked for."""
    if isinstance(failure, Throttled):
        return failure.seconds
    if isinstance(failure, Misconfigured):
        return failure.seconds
    return failure.retry_after if isinstance(failure, Unavailable) else None


def open_senders(config: Config, store: Store, presentation: Presentation, clock: Clock) -> list[Sender]:
    """A thread for each channel, not started. What waits for a channel that is not configured any more expires. Reads no secret and calls nobody."""
    for name, count in store.read(partial(notices.counts, since=clock.wall())).items():
        if count.waiting and name not in config.channels:
            dropped = store.write(partial(notices.expire, channel=name, before=math.inf), exclusive=False)
            log.warning("notices_expired", channel=name, notices=dropped)
    # Not the key of the markers itself: whoever has it can forge them.
    key = hashlib.sha256(f"notices {store.instance_key()}".encode()).hexdigest()[:12] if config.channels else ""
    return [
        Sender(name, config, store, presentation, open_channel(name, settings), clock, key)
        for name, settings in config.channels.items()
    ]

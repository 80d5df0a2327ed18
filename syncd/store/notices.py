"""Notices, the messages to channels, and what each channel does. A function that takes a transaction is part of its caller's.

A notice is written with its event and marked as being sent before its request, so that it is sent at most once, whoever dies.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, cast

from syncd.core.notices import KINDS, Event, Kind, Outage
from syncd.model import Facts, GroupView
from syncd.store.connection import Transaction
from syncd.store.report import standing_of

KEPT_SECONDS = 8 * 86400.0  # longer than any notice waits
PURGE = 2000  # rows of one transaction
MOST_OF_A_SUMMARY = 5
MOST_ACTIVE = 2000  # groups of a route in one digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStanding:
    """What a channel does: when it may be called again and why not before, how often in a row it failed and since when; the day and the time
    of its latest digest; and the trackers that rest as far as its notices say."""

    until: float | None = None
    attempts: int = 0
    reason: str | None = None
    failing_since: float | None = None
    digest: tuple[date, float] | None = None
    outages: Mapping[str, Outage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The notices of a kind that wait for a channel, and how many messages of that kind it got since a time."""

    kind: Kind
    waiting: int
    first: int
    sent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A notice as it is stored."""

    id: int
    event: Event
    group_id: int | None
    facts: Facts
    made_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summed:
    """What one message sums up: how many notices of each event, and the notices of the groups with the most users, or the latest of
    routes and trackers."""

    counts: Mapping[str, int]
    notices: Sequence[Stored]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCounts:
    """How many notices of a channel wait, and since when the oldest does; and what became of the others lately, by state."""

    waiting: int
    oldest_at: float | None
    ended: Mapping[str, int]


def add(
    transaction: Transaction, channels: Iterable[str], event: Event, group_id: int | None, facts: Facts, now: float
) -> None:
    """Write a notice for each of the channels, in the transaction of its event."""
    text = json.dumps(dict(facts), ensure_ascii=False)
    transaction.add("add_notices", [(name, str(event), str(KINDS[event]), group_id, text, now) for name in channels])


def lock(transaction: Transaction, channel: str) -> ChannelStanding:
    """Return the state of a channel, which no other process changes until the transaction ends."""
    transaction.lock(f"channel {channel}")
    transaction.run("meet_channel", channel=channel)
    return standing(transaction, channel)


def standing(transaction: Transaction, channel: str) -> ChannelStanding:
    """Return the state of a channel."""
    for row in cast(list[dict[str, Any]], transaction.rows("channel", channel=channel)):
        digest = None if row["digest_day"] is None else (date.fromisoformat(row["digest_day"]), row["digest_at"])
        outages = {tracker: Outage(**facts) for tracker, facts in json.loads(row["outages"]).items()}
        facts = {name: row[name] for name in ("until", "attempts", "reason", "failing_since")}
        return ChannelStanding(**facts, digest=digest, outages=outages)
    return ChannelStanding(outages={})


def waiting(transaction: Transaction, channel: str, since: float, until: float) -> Sequence[Waiting]:
    """Return what waits for a channel, by kind, with the messages that it got in a span of time."""
    span: dict[str, object] = {"channel": channel, "since": since, "until": until}
    return [
        Waiting(
            kind=Kind(str(row["kind"])),
            waiting=cast(int, row["waiting"]),
            first=cast(int, row["first"]),
            sent=cast(int, transaction.rows("sent_notices", kind=row["kind"], **span)[0]["messages"]),
        )
        for row in transaction.rows("waiting_notices", channel=channel)
    ]


def mark(transaction: Transaction, number: int, now: float) -> Stored | None:
    """Write down that a notice is about to be sent, and return it; None if another process was faster."""
    if not transaction.run("mark_notice", id=number, now=now):
        return None
    return _stored(transaction.rows("notice", id=number)[0])


def mark_all(transaction: Transaction, channel: str, kind: Kind, batch: int, now: float) -> Summed:
    """Write down that one message is about to be sent for all notices of a kind that wait, and return what it sums up."""
    transaction.run("mark_notices", channel=channel, kind=str(kind), batch=batch, now=now)
    counts = {str(row["event"]): cast(int, row["notices"]) for row in transaction.rows("notices_of_batch", batch=batch)}
    if kind is Kind.GROUP:
        ids = [row["id"] for row in transaction.rows("worst_of_batch", batch=batch, size=MOST_OF_A_SUMMARY)]
    else:
        ids = [row["id"] for row in transaction.rows("latest_of_batch", batch=batch, size=MOST_OF_A_SUMMARY)]
    return Summed(counts=counts, notices=[_stored(transaction.rows("notice", id=number)[0]) for number in ids])


def _stored(row: Mapping[str, Any]) -> Stored:
    return Stored(
        id=row["id"],
        event=Event(row["event"]),
        group_id=row["group_id"],
        facts=json.loads(row["facts"]),
        made_at=row["made_at"],
    )


def end(transaction: Transaction, batch: int, state: str) -> int:
    """Write down what became of a message: `sent`, `lost` or `refused`; `waiting` if it is sent again. Return the number of its notices."""
    if state == "waiting":
        return transaction.run("unmark_notices", batch=batch)
    return transaction.run("end_notices", batch=batch, state=state)


def broken_off(transaction: Transaction, channel: str, before: float) -> Sequence[int]:
    """Return the messages that a process began to send before a time, and whose end nobody wrote down."""
    rows = transaction.rows("broken_off", channel=channel, before=before)
    return [cast(int, row["batch"]) for row in rows]


def rest(transaction: Transaction, channel: str, until: float, attempts: int, reason: str, now: float) -> None:
    """Send nothing to a channel before a time. The caller has locked the channel."""
    transaction.run("rest_channel", channel=channel, until=until, attempts=attempts, reason=reason, now=now)


def try_until(transaction: Transaction, channel: str, until: float) -> None:
    """Let this process alone send to a channel that rested; another one may after a time."""
    transaction.run("try_channel", channel=channel, until=until)


def resume(transaction: Transaction, channel: str) -> bool:
    """The channel took a message. Return whether it failed before."""
    return transaction.run("resume_channel", channel=channel) > 0


def save_digest(transaction: Transaction, channel: str, day: date, now: float) -> None:
    """The digest of a day is written, or left out. The caller has locked the channel."""
    transaction.run("save_digest", channel=channel, day=day.isoformat(), now=now)


def save_outages(transaction: Transaction, channel: str, outages: Mapping[str, Outage]) -> None:
    """Write down which trackers rest. The caller has locked the channel."""
    text = json.dumps({tracker: asdict(outage) for tracker, outage in outages.items()}, ensure_ascii=False)
    transaction.run("save_outages", channel=channel, outages=text)


def expire(transaction: Transaction, channel: str, before: float) -> int:
    """Drop the notices that have waited since before a time, and return how many there were."""
    return transaction.run("expire_notices", channel=channel, before=before)


def purge(transaction: Transaction, before: float) -> int:
    """Delete the notices of before a time, at most PURGE."""
    return transaction.run("purge_notices", before=before, size=PURGE)


def counts(transaction: Transaction, since: float) -> dict[str, ChannelCounts]:
    """Return by channel what waits, and what became of the notices since a time."""
    rows = cast(list[dict[str, Any]], transaction.rows("channel_counts", since=since))
    result: dict[str, ChannelCounts] = {}
    for name in dict.fromkeys(row["channel"] for row in rows):
        own = {row["state"]: row for row in rows if row["channel"] == name}
        pile = own.pop("waiting", None)
        result[name] = ChannelCounts(
            waiting=0 if pile is None else pile["notices"],
            oldest_at=None if pile is None else pile["oldest_at"],
            ended={state: row["notices"] for state, row in own.items()},
        )
    return result


def active_groups(
    transaction: Transaction, routes: Sequence[str], since: float
) -> tuple[dict[int, GroupView], dict[int, str]]:
    """Return the groups of the routes that may have occurred since a time, of each route the MOST_ACTIVE with the most users; and of those that
    came back since then the latest release in which they did. An alias is part of its target."""
    views: dict[int, GroupView] = {}
    returns: dict[int, str] = {}
    for route in routes:
        for row in transaction.rows("active_groups", route=route, since=since, size=MOST_ACTIVE):
            views[cast(int, row["id"])] = standing_of(transaction, row)
        for row in transaction.rows("returns_since", route=route, since=since, size=MOST_ACTIVE):
            returns[cast(int, row["id"])] = str(row["release"])
            if cast(int, row["id"]) not in views:
                views[cast(int, row["id"])] = standing_of(transaction, row)
    return views, returns

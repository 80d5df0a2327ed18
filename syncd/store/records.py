"""Rows to nouns and back, and whole groups and issues out of their rows. Nothing here writes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from syncd.core import frames, merges
from syncd.core.aliases import with_aliases
from syncd.model import (
    Announcement,
    Condition,
    Group,
    GroupKind,
    Identity,
    Issue,
    IssueState,
    Occasion,
    Place,
    Point,
    Reading,
    Release,
    Settings,
    SourceState,
    Storm,
    Tally,
    Thresholds,
)
from syncd.store import storms
from syncd.store.connection import Transaction

LARGEST = 10  # the groups of a storm that its issue names

# Made once: msgspec inspects a type with each call that passes one, and two threads must not do so at the same time.
_TEXTS = msgspec.json.Decoder(tuple[str, ...])


class _Attribute(msgspec.Struct, frozen=True, array_like=True, gc=False):
    name: str
    values: tuple[str, ...]
    counts: tuple[int, ...] = ()


decode_attributes = msgspec.json.Decoder(tuple[_Attribute, ...]).decode
_SETTINGS = msgspec.json.Decoder(dict[str, Settings])
_CONDITION = msgspec.json.Decoder(Condition)
_MET = msgspec.json.Decoder(tuple[Thresholds, ...])
_TALLY = msgspec.json.Decoder(Tally)
_SOURCE_STATE = msgspec.json.Decoder(SourceState)
decode_trail = msgspec.json.Decoder(tuple[Point, ...]).decode


def text_of(value: object) -> str:
    """Return a value as JSON."""
    return msgspec.json.encode(value).decode()


def attributes_text(group: Group) -> str:
    """Return the attributes as JSON, each with its counts where it has any."""
    if len(group.attribute_counts) != len(group.attributes):
        return text_of(group.attributes)
    pairs = zip(group.attributes, group.attribute_counts, strict=True)
    return text_of([(name, values, counts) for (name, values), counts in pairs])


def group_of(row: Mapping[str, Any], releases: list[dict[str, Any]]) -> Group:
    """Return a group from its row and those of its releases."""
    attributes = decode_attributes(row["attributes"])
    return Group(
        identity=Identity(row["universe"], row["project"], row["fingerprint"]),
        application=row["application"],
        group_url=row["group_url"],
        callstack=_TEXTS.decode(row["callstack"]),
        object_id=row["object_id"],
        classifiers=_TEXTS.decode(row["classifiers"]),
        message=row["message"],
        source_state=None if row["source_state"] is None else _SOURCE_STATE.decode(row["source_state"]),
        occurrences=row["occurrences"],
        approximate=bool(row["approximate"]),
        at_most=row["at_most"],
        reading=Reading(row["reading"]),
        tally=_TALLY.decode(row["tally"]),
        notifications=row["notifications"],
        hosts=row["hosts"],
        users=row["users"],
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        releases=tuple(
            Release(**(entry | {"approximate": bool(entry["approximate"]), "tally": _TALLY.decode(entry["tally"])}))
            for entry in releases
        ),
        attributes=tuple((each.name, each.values) for each in attributes),
        attribute_counts=tuple(each.counts for each in attributes) if any(each.counts for each in attributes) else (),
        trail=decode_trail(row["trail"]),
        kind=GroupKind(row["kind"]),
        **standing(row),
    )


def standing(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a group that others than folding write."""
    return {
        "revision": row["revision"],
        "held_by": row["decision_rule"] if row["decision"] == "hold" else None,
        "refused": row["refused"],
        "on_hold": row["on_hold"],
        "place": row["place"],
        "ordered": row["ordered"],
        "triage": row["triage"],
        "backfilled": bool(row["backfilled"]),
        "met": () if row["met"] == "[]" else _MET.decode(row["met"]),
    }


def group_values(group_id: int, group: Group, batch: int) -> tuple[object, ...]:
    """Return the parameters of `save_groups`, in their order."""
    return (
        group_id,
        group.application,
        group.group_url,
        group.object_id,
        text_of(group.callstack),
        frames.signature(group.application, group.callstack),
        text_of(group.classifiers),
        attributes_text(group),
        text_of(group.trail),
        group.occurrences,
        int(group.approximate),
        group.notifications,
        group.hosts,
        group.users,
        group.first_seen,
        group.last_seen,
        group.revision,
        batch,
        group.at_most,
        group.reading.value,
        text_of(group.tally),
        group.message,
        None if group.source_state is None else text_of(group.source_state),
    )


def issue_of(
    row: Mapping[str, Any], announcements: Sequence[Mapping[str, Any]] = (), answered: Sequence[str] = ()
) -> Issue:
    """Return an issue from its row, those of its announcements, and the releases whose regressions were answered."""
    state = IssueState(row["state"])
    if state is IssueState.PARKED and row["cause"] in ("deleted", "discarded"):
        state = IssueState.DROPPED
    settings = {} if row["settings"] is None else _SETTINGS.decode(row["settings"])
    return Issue(
        **{name: row[name] for name in _ISSUE},
        state=state,
        is_read=bool(row["is_read"]),
        condition=None if row["condition"] is None else _CONDITION.decode(row["condition"]),
        baseline=json.loads(row["baseline"] or "{}"),
        owners=None if row["owners"] is None else _TEXTS.decode(row["owners"]),
        settings=settings.get("set"),
        judged=settings.get("judged"),
        previous=None if row["previous"] is None else Place(**json.loads(row["previous"])),
        followed=tuple(json.loads(row["followed"])),
        announcements=tuple(
            Announcement(
                **{name: entry[name] for name in ("id", "subject", "marker", "sent_at", "probes")},
                occasion=Occasion(entry["occasion"]),
                facts=json.loads(entry["facts"]),
            )
            for entry in announcements
            if entry["state"] in ("wanted", "sent")
        ),
        announced=tuple(f"{entry['occasion']} {entry['subject']}" for entry in announcements),
        answered=tuple(answered),
    )


_ISSUE = (
    "tracker", "marker", "remote_id", "key", "url", "attempt", "sent_at", "floor", "floor_since", "sent_revision", "probes", "probed_since",
    "probe_at", "comment_id", "comment_sent_at", "comment_probes", "synced_revision", "synced_at", "looked_at", "looks_owed", "news_at", "changed_at", "doubles",
    "note", "by_hand",
    "route", "comment_text", "comment_losses", "adopted_at",
)  # fmt: skip


def load_group(transaction: Transaction, row: Mapping[str, Any]) -> Group:
    """Return a group from its row, with its releases and with what its aliases or its storm add."""
    group = group_of(row, transaction.rows("group_releases", group_id=row["id"]))
    if group.kind is GroupKind.STORM:
        return _of_storm(transaction, group)
    aliases = transaction.rows("aliases_of", group_id=row["id"])
    targets = transaction.rows("target_of", group_id=row["id"])
    if targets:
        return replace(group, follows=cast(str, targets[0]["fingerprint"]))
    if not aliases:
        return group
    followers = [group_of(alias, transaction.rows("group_releases", group_id=alias["id"])) for alias in aliases]
    return merges.inherited(group, followers, with_aliases(group, followers))


def _of_storm(transaction: Transaction, group: Group) -> Group:
    route = group.identity.project
    current = transaction.rows("storm", route=route)
    # An earlier storm of the route is over, whatever the route holds back now.
    if not current or current[0]["fingerprint"] != group.identity.fingerprint:
        return replace(group, storm=Storm(held=0, since=float(group.first_seen or 0), over=True))
    held = cast(int, transaction.rows("stormy", route=route)[0]["groups"])
    rows = transaction.rows("largest_stormy", route=route, size=LARGEST)
    largest = tuple(
        (
            storms.culprit(row) or f"group {row['fingerprint']}",
            str(row["fingerprint"])[:12],
            cast(int, row["users"] or 0),
            cast(int, row["occurrences"]),
        )
        for row in rows
    )
    since, reported = cast(float, current[0]["since"]), bool(current[0]["reported"])
    return replace(group, storm=Storm(held=held, since=since, reported=reported, largest=largest))


def load_issue(transaction: Transaction, group_id: object) -> Issue | None:
    """Return the live issue of a group with its announcements; None if there is none."""
    rows = transaction.rows("live_issue", group_id=group_id)
    if not rows:
        return None
    announcements = transaction.rows("announcements", issue_id=rows[0]["id"])
    closed = issue_of(rows[0])
    at = 0.0 if closed.condition is None else closed.condition.closed_at or 0.0
    answered = transaction.rows("answered", group_id=group_id, closed_at=at)
    return issue_of(rows[0], announcements, [str(row["release"]) for row in answered])

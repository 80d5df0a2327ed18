"""Storms: the groups that a route holds back above its `max_new_issues`, and the group whose issue stands for them. Functions over a
transaction of the caller's; `core.budget` decides who is released and when a storm is over."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from syncd.core import titles
from syncd.core.budget import SKEW_SECONDS, Filed, Limit
from syncd.model import Identity
from syncd.store.connection import Transaction

UNIVERSE = "syncd"
SAMPLE = 500  # the groups whose properties are compared
SHARED = 30  # percent of the groups that make a property worth naming


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """A storm of a route: the group that stands for it, when a group was last held back, when it last released a portion, and whether an
    issue reports it: as long as all groups fit into the limit, none does."""

    route: str
    group_id: int
    held_at: float
    portioned_at: float
    reported: bool


def filed(transaction: Transaction, route: str, limits: Sequence[Limit], now: float) -> Sequence[Filed]:
    """Return the issues that the route filed within the window of each limit."""
    windows = [
        transaction.rows("issues_since", route=route, since=now - limit.seconds, until=now + SKEW_SECONDS)[0]
        for limit in limits
    ]
    return [Filed(cast(int, row["issues"]), cast(float | None, row["oldest"])) for row in windows]


def every(transaction: Transaction) -> Sequence[Storm]:
    """All storms, by the names of their routes."""
    return [
        Storm(
            route=str(row["route"]),
            group_id=cast(int, row["group_id"]),
            held_at=cast(float, row["held_at"]),
            portioned_at=cast(float, row["portioned_at"] or row["since"]),
            reported=bool(row["reported"]),
        )
        for row in transaction.rows("storms")
    ]


def counts(transaction: Transaction, route: str) -> tuple[int, int]:
    """Return the number of groups that a route holds back, and of those it released whose create is not sent yet."""
    held_back = cast(int, transaction.rows("stormy", route=route)[0]["groups"])
    return held_back, cast(int, transaction.rows("places", route=route)[0]["groups"])


def largest(transaction: Transaction, route: str, size: int) -> Sequence[tuple[int, int]]:
    """The ids and the users of the groups held back with the most users, then occurrences."""
    rows = transaction.rows("largest_stormy", route=route, size=size) if size else []
    return [(cast(int, row["id"]), cast(int, row["users"] or 0)) for row in rows]


def arrived(transaction: Transaction, route: str, since: float, now: float) -> int:
    """Return how many groups are new to the route: those that wait for their issue, and those held back or filed since a time. A group that a
    storm released is not new."""
    rows = transaction.rows("arrived", route=route, since=since, until=now + SKEW_SECONDS)
    return cast(int, rows[0]["groups"])


def portioned(transaction: Transaction, route: str, now: float) -> None:
    """The storm has released a portion."""
    transaction.run("portion_storm", route=route, now=now)


def is_reported(transaction: Transaction, route: str) -> bool:
    """True if the route is in a storm that an issue reports."""
    rows = transaction.rows("storm", route=route)
    return bool(rows) and bool(rows[0]["reported"])


def report(transaction: Transaction, route: str) -> None:
    """An issue reports the storm from now on."""
    transaction.run("report_storm", route=route)


def place_in_line(transaction: Transaction, route: str, identity: Identity) -> int:
    """Return the number of groups that the route holds back and files before this one."""
    rows = transaction.rows(
        "place_in_line",
        route=route,
        universe=identity.universe,
        project=identity.project,
        fingerprint_key=identity.fingerprint_key,
    )
    return cast(int, rows[0]["groups"])


def shares(transaction: Transaction, route: str) -> tuple[tuple[str, str, int], ...]:
    """Properties that at least SHARED percent of the largest groups held back have in common: release, application, top frame."""
    rows = transaction.rows("largest_stormy", route=route, size=SAMPLE)
    releases = transaction.batch("releases_of_groups", [(row["id"],) for row in rows])
    versions = Counter(str(row["release"]) for row in releases)
    tops = Counter(culprit(row) for row in rows)
    applications = Counter(cast(str | None, row["application"]) for row in rows)
    common: list[tuple[str, str, int]] = []
    for name, counter in (("release", versions), ("application", applications), ("top frame", tops)):
        for value, count in counter.most_common(1):
            if value and count > 1 and 100 * count >= SHARED * len(rows):
                common.append((name, value, 100 * count // len(rows)))
    return tuple(common)


def culprit(row: Mapping[str, object]) -> str | None:
    """The frame that the title of a group names, unchanged."""
    named = titles.culprit(json.loads(cast(str, row["callstack"])), cast(str | None, row["application"]))
    return None if named is None else named.frame


def keep_place(transaction: Transaction, group_id: int, route: str | None) -> None:
    """Keep a place within the route's limit for a group that its storm releases; None for no place."""
    transaction.run("keep_place", group_id=group_id, route=route)


def goes_on(transaction: Transaction, route: str, now: float) -> int:
    """One more group was held back; returns the group of the storm, which begins now where there is none. The caller has locked the
    route, so that two threads begin the same storm."""
    storm = transaction.rows("storm", route=route)
    if storm:
        group_id = cast(int, storm[0]["id"])
    else:
        fingerprint = f"storm {route} {int(now)}"
        identity = (UNIVERSE, route, fingerprint)
        rows = transaction.batch("groups_by_identity", [identity])
        rows = rows or transaction.batch("new_groups", [(*identity, fingerprint)])
        group_id = cast(int, rows[0]["id"])
        transaction.run("mark_storm", group_id=group_id, second=int(now))
        transaction.run("begin_storm", route=route, group_id=group_id, now=now)
    transaction.run("storm_goes_on", route=route, now=now)
    return group_id


def end(transaction: Transaction, route: str) -> None:
    """The storm is over."""
    transaction.run("end_storm", route=route)

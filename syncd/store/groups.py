"""Many groups in a few statements, inside a transaction of the caller. Which of them change, and how, is decided by the caller."""

import json
import secrets
from collections.abc import Collection, Iterable, Mapping
from itertools import chain
from operator import attrgetter, itemgetter
from typing import cast

from msgspec.structs import replace

from syncd.model import Group, Identity, Issue, ProjectRelease
from syncd.store.connection import Transaction
from syncd.store.records import attributes_text, group_of, group_values, issue_of, load_group, standing, text_of

RECENT_BYTES = 16 * 2**20
LATEST_RELEASES = 2000  # of a project, by which releases are judged
# What hardly any notification changes of a group that has some.
_VALUES = itemgetter(1)
_ATTRIBUTES = attrgetter("attributes", "attribute_counts")
_LASTING = attrgetter(
    "application", "group_url", "callstack", "classifiers", "message", "source_state", "hosts", "users", "first_seen"
)

Key = tuple[str, str, str]  # universe, project, fingerprint as compared


def key(identity: Identity) -> Key:
    """Return what makes two identities the same group."""
    return identity.universe, identity.project, identity.fingerprint_key


def existing(transaction: Transaction, keys: Iterable[Key]) -> dict[Key, int]:
    """Return the row id of each group that the store has."""
    return _by_key(transaction.batch("groups_by_identity", list(keys)))


def _by_key(rows: Iterable[Mapping[str, object]]) -> dict[Key, int]:
    return {
        (str(row["universe"]), str(row["project"]), str(row["fingerprint_key"])): cast(int, row["id"]) for row in rows
    }


class Recent:
    """Groups as the latest batches of this process saved them. Their rows name the batch: as long as they do, the rows need not be read."""

    def __init__(self) -> None:
        self._groups: dict[int, tuple[int, Group, int]] = {}
        self._size = 0

    def get(self, group_id: int, batch: object) -> Group | None:
        """Return the group as this batch saved it, None if it is not kept."""
        saved, group, _ = self._groups.get(group_id, (None, None, 0))
        return group if batch is not None and saved == batch else None

    def keep(self, group_id: int, batch: int, group: Group) -> None:
        """Keep a group, and let go of those that were saved longest ago while all are larger than RECENT_BYTES."""
        values = sum(map(len, group.callstack)) + sum(map(len, chain.from_iterable(map(_VALUES, group.attributes))))
        strings = len(group.callstack) + 4 * len(group.attributes)
        size = values + 100 * (strings + len(group.trail)) + 400 * (1 + len(group.releases))
        self._size += size - self._groups.pop(group_id, (0, group, 0))[2]
        self._groups[group_id] = batch, group, size
        while self._size > RECENT_BYTES:
            self._size -= self._groups.pop(next(iter(self._groups)))[2]


def load(
    transaction: Transaction, wanted: Mapping[Key, Identity], recent: Recent
) -> tuple[dict[Key, int], dict[int, Group]]:
    """Lock the groups with these identities and return the row id of each, and each with its releases, without what aliases or a storm add
    to it. A new group gets an empty row, so that all other rows have an id to point to."""
    rows = transaction.batch("folded_groups", list(wanted))
    numbers = _by_key(rows)
    new = [(*name[:2], identity.fingerprint, name[2]) for name, identity in wanted.items() if name not in numbers]
    created = _by_key(transaction.batch("new_groups", new))
    loaded = {number: Group(identity=wanted[name]) for name, number in created.items()}
    unread: list[tuple[int]] = []
    for row in rows:
        number = cast(int, row["id"])
        if (group := recent.get(number, row["batch"])) is None:
            unread.append((number,))
        else:
            loaded[number] = replace(group, **standing(row))
    return numbers | created, loaded | _read(transaction, unread)


def _read(transaction: Transaction, ids: list[tuple[int]]) -> dict[int, Group]:
    """Return groups with their releases, without what aliases add."""
    releases: dict[object, list[dict[str, object]]] = {}
    for row in transaction.batch("releases_of_groups", ids):
        releases.setdefault(row.pop("group_id"), []).append(row)
    rows = transaction.batch("groups_by_id", ids)
    return {cast(int, row["id"]): group_of(row, releases.get(row["id"], [])) for row in rows}


def of_ids(transaction: Transaction, ids: Iterable[int]) -> dict[int, Group]:
    """Return groups by their ids, without what aliases add."""
    return _read(transaction, [(number,) for number in ids])


def of_project(transaction: Transaction, universe: str, project: str, after: int, size: int) -> dict[int, Group]:
    """Lock the next `size` groups of a project behind the id `after`, and return them, without what aliases add."""
    rows = transaction.rows("groups_to_recount", universe=universe, project=project, after=after, size=size)
    return _read(transaction, [(cast(int, row["id"]),) for row in rows])


def save(transaction: Transaction, before: Mapping[int, Group], after: Mapping[int, Group], recent: Recent) -> None:
    """Write the groups of `after`, and those of their releases that differ from `before`."""
    batch = secrets.randbits(62)  # should this transaction fail, no row will name it
    whole: list[tuple[object, ...]] = []
    counts: list[tuple[object, ...]] = []
    releases: list[tuple[object, ...]] = []
    named: dict[tuple[str, str, str, str], tuple[float, bool]] = {}
    for group_id, group in after.items():
        earlier = before[group_id]
        if earlier.revision == 0 or _LASTING(group) != _LASTING(earlier):
            whole.append(group_values(group_id, group, batch))
        else:
            counts.append(
                (
                    group_id,
                    group.object_id,
                    None if _ATTRIBUTES(group) == _ATTRIBUTES(earlier) else attributes_text(group),
                    None if group.trail == earlier.trail else text_of(group.trail),
                    group.occurrences,
                    int(group.approximate),
                    group.notifications,
                    group.last_seen,
                    group.revision,
                    batch,
                    group.at_most,
                    group.reading.value,
                    text_of(group.tally),
                )
            )
        rows = {row.release: row for row in earlier.releases}
        for row in group.releases:
            if (saved := rows.get(row.release)) != row:
                # PostgreSQL takes no truth for a number.
                numbers = row.release, row.occurrences, int(row.approximate), row.at_most, text_of(row.tally)
                times = row.first_seen, row.last_seen, row.since, row.until, row.noticed_at, row.grown_at
                releases.append((group_id, *numbers, *times))
                noticed_at, is_confirmed = row.noticed_at or 0.0, row.occurrences > 1
                if saved is None or is_confirmed > (saved.occurrences > 1) or noticed_at < (saved.noticed_at or 0.0):
                    place = group.identity.universe, group.identity.project, group.application or "", row.release
                    if place in named:
                        noticed_at, is_confirmed = min(noticed_at, named[place][0]), True
                    named[place] = noticed_at, is_confirmed
        recent.keep(group_id, batch, group)
    transaction.batch("save_groups", whole)
    transaction.batch("save_counts", counts)
    transaction.batch("save_releases", releases)
    triaged = [
        (group_id, group.triage, int(group.backfilled))
        for group_id, group in after.items()
        if (group.triage, group.backfilled) != (before[group_id].triage, before[group_id].backfilled)
    ]
    transaction.batch("save_triage", triaged)
    # In one order, since another process may save the same releases.
    rows_named = [(*place, noticed_at, int(confirmed)) for place, (noticed_at, confirmed) in sorted(named.items())]
    transaction.batch("save_project_releases", rows_named)


def project_releases(transaction: Transaction, group: Group, size: int = LATEST_RELEASES) -> tuple[ProjectRelease, ...]:
    """Return the releases of the group's project and application: the `size` latest, and the group's own."""
    universe, project = group.identity.universe, group.identity.project
    rows = transaction.rows("project_releases", universe=universe, project=project, size=size)
    if len(rows) == size:
        own = {row.release for row in group.releases} - {str(row["release"]) for row in rows}
        rows = [
            *rows,
            *transaction.batch("named_project_releases", [(universe, project, name) for name in sorted(own)]),
        ]
    by_name: dict[str, ProjectRelease] = {}
    for row in rows:
        if group.application and row["application"] not in ("", group.application):
            continue
        name = str(row["release"])
        entry = ProjectRelease(name, cast(float, row["noticed_at"]), bool(row["confirmed"]))
        if before := by_name.get(name):
            entry = ProjectRelease(name, min(entry.noticed_at, before.noticed_at), True)
        by_name[name] = entry
    return tuple(by_name.values())


def save_baseline(transaction: Transaction, group_id: int, baseline: Mapping[str, int]) -> None:
    """Write the baseline of a group's live issue, in the numbers of another reading."""
    text = json.dumps(dict(baseline), ensure_ascii=False)
    transaction.run("save_baseline", group_id=group_id, baseline=text)


def save_met(transaction: Transaction, qualified: Mapping[int, Group]) -> None:
    """Write the thresholds that the groups have met."""
    transaction.batch("save_met", [(group_id, text_of(group.met)) for group_id, group in qualified.items()])


def represent(transaction: Transaction, changed: Mapping[int, Group]) -> dict[int, Group]:
    """Return the groups whose issues show the `changed` ones, each with the occurrences of its aliases. An alias is replaced by its target,
    whose revision rises with it."""
    rows = transaction.batch("targets", [(group_id,) for group_id in changed])
    targets = {cast(int, row["group_id"]): cast(int, row["target_id"]) for row in rows}
    represented = {group_id: group for group_id, group in changed.items() if group_id not in targets}
    for target_id in dict.fromkeys(targets.values()):
        if target_id not in changed:
            transaction.run("bump", group_id=target_id)
        represented[target_id] = load_group(transaction, transaction.rows("group_by_id", group_id=target_id)[0])
    return represented


def live_issues(transaction: Transaction, group_ids: Collection[int]) -> dict[int, Issue]:
    """Return the live issue of each group that has one, without its announcements."""
    rows = transaction.batch("live_issues", [(group_id,) for group_id in group_ids])
    return {cast(int, row["group_id"]): issue_of(row) for row in rows}

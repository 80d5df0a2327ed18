"""Many groups in a few statements, inside a transaction of the caller. Which of them change, and how, is decided by the caller."""

from collections.abc import Collection, Iterable, Mapping
from typing import cast

from syncd.model import Group, Identity, Issue
from syncd.store.connection import Transaction
from syncd.store.records import group_of, group_values, issue_of, load_group, text_of

Key = tuple[str, str, str]  # universe, project, fingerprint as compared


def key(identity: Identity) -> Key:
    """Return what makes two identities the same group."""
    return identity.universe, identity.project, identity.fingerprint_key


def ids(transaction: Transaction, identities: Iterable[Identity]) -> dict[Key, int]:
    """Return the row id of each group; a new group gets an empty row, so that all other rows have an id to point to."""
    wanted: dict[Key, Identity] = {}
    for identity in identities:
        wanted.setdefault(key(identity), identity)
    numbers = existing(transaction, wanted)
    new = [(*name[:2], identity.fingerprint, name[2]) for name, identity in wanted.items() if name not in numbers]
    return numbers | _by_key(transaction.batch("new_groups", new))


def existing(transaction: Transaction, keys: Iterable[Key]) -> dict[Key, int]:
    """Return the row id of each group that the store has."""
    return _by_key(transaction.batch("groups_by_identity", list(keys)))


def _by_key(rows: Iterable[Mapping[str, object]]) -> dict[Key, int]:
    return {
        (str(row["universe"]), str(row["project"]), str(row["fingerprint_key"])): cast(int, row["id"]) for row in rows
    }


def load(transaction: Transaction, group_ids: Iterable[int]) -> dict[int, Group]:
    """Lock the groups and return them with their releases, without what aliases or a storm add to them."""
    wanted = [(group_id,) for group_id in sorted(group_ids)]
    rows = transaction.batch("groups_by_id", wanted)
    releases: dict[object, list[dict[str, object]]] = {}
    for row in transaction.batch("releases_of_groups", wanted):
        releases.setdefault(row.pop("group_id"), []).append(row)
    return {cast(int, row["id"]): group_of(row, releases.get(row["id"], [])) for row in rows}


def save(transaction: Transaction, before: Mapping[int, Group], after: Mapping[int, Group]) -> None:
    """Write the groups of `after`, and those of their releases that differ from `before`."""
    transaction.batch("save_groups", [group_values(group_id, group) for group_id, group in after.items()])
    releases = [
        (
            group_id,
            release.release,
            release.occurrences,
            int(release.approximate),
            release.first_seen,
            release.last_seen,
            release.since,
            release.until,
            release.noticed_at,
            release.grown_at,
        )
        for group_id, group in after.items()
        for release in set(group.releases).difference(before[group_id].releases)
    ]
    transaction.batch("save_releases", releases)


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

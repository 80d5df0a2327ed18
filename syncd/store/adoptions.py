"""Issues that others filed, of crashes that no notification has named yet: each waits for its group."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from syncd.model import Created, Identity, Place
from syncd.store import issues
from syncd.store.connection import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """An issue of a tracker that is to stand for the group with this fingerprint, as fingerprints are compared. `universe` and `project` are
    empty where any fits; `doubles` are further open issues of the same crash, by remote id and key."""

    fingerprint_key: str
    tracker: str
    place: Place
    universe: str = ""
    project: str = ""
    doubles: tuple[tuple[str, str], ...] = ()


def add(transaction: Transaction, adoption: Adoption, now: float) -> None:
    """The issue waits for its group."""
    place = adoption.place
    transaction.run(
        "add_adoption",
        fingerprint_key=adoption.fingerprint_key,
        universe=adoption.universe,
        project=adoption.project,
        tracker=adoption.tracker,
        remote_id=place.remote_id,
        key=place.key,
        url=place.url,
        doubles=json.dumps(adoption.doubles, ensure_ascii=False),
        now=now,
    )


def waiting(transaction: Transaction, fingerprint_keys: Iterable[str]) -> dict[str, list[Adoption]]:
    """The adoptions that wait for groups with these fingerprints, by fingerprint."""
    several: dict[str, list[Adoption]] = {}
    for row in transaction.batch("adoptions_of", [(key,) for key in dict.fromkeys(fingerprint_keys)]):
        several.setdefault(str(row["fingerprint_key"]), []).append(_adoption(row))
    return several


def at_place(transaction: Transaction, tracker: str, remote_id: str) -> Adoption | None:
    """The adoption of the issue at this place, if it waits."""
    rows = transaction.rows("adoption_at", tracker=tracker, remote_id=remote_id)
    return _adoption(rows[0]) if rows else None


def every(transaction: Transaction) -> Sequence[Adoption]:
    """All adoptions that wait, the latest last."""
    return [_adoption(row) for row in transaction.rows("adoptions")]


def remove(transaction: Transaction, adoption: Adoption) -> None:
    """The issue waits no more."""
    transaction.run("remove_adoption", tracker=adoption.tracker, remote_id=adoption.place.remote_id)


def groups(transaction: Transaction, fingerprint_key: str) -> dict[int, Identity]:
    """The groups of crashes with this fingerprint, in any universe and project, by their ids."""
    rows = transaction.rows("groups_of_fingerprint", fingerprint_key=fingerprint_key)
    return {
        int(str(row["id"])): Identity(str(row["universe"]), str(row["project"]), str(row["fingerprint"]))
        for row in rows
    }


def add_doubles(transaction: Transaction, group_id: int, adoption: Adoption) -> None:
    """The tracker has further open issues of the group."""
    for remote_id, key in adoption.doubles:
        issues.add_double(transaction, group_id, Created(remote_id=remote_id, key=key, url=""))


def _adoption(row: dict[str, object]) -> Adoption:
    return Adoption(
        fingerprint_key=str(row["fingerprint_key"]),
        universe=str(row["universe"]),
        project=str(row["project"]),
        tracker=str(row["tracker"]),
        place=Place(remote_id=str(row["remote_id"]), key=str(row["key"]), url=str(row["url"])),
        doubles=tuple((str(remote_id), str(key)) for remote_id, key in json.loads(str(row["doubles"]))),
    )

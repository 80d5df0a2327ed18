"""How the counts of each project are read, and by what evidence. Parts of a caller's transaction."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

import msgspec

from syncd.core.counts import Counting, Evidence
from syncd.store.connection import Transaction
from syncd.store.records import text_of

Project = tuple[str, str]  # universe, project

_COUNTING = msgspec.json.Decoder(Counting)
_EVIDENCE = msgspec.json.Decoder(Evidence)


class ProjectCounting(NamedTuple):
    """How the counts of a project are read. Its groups with a higher id than `recount_after` are still to be read so; None if none is."""

    counting: Counting
    evidence: Evidence
    recount_after: int | None = None


def load(transaction: Transaction, projects: Iterable[Project]) -> dict[Project, ProjectCounting]:
    """Return what is stored of each project that has some."""
    return by_project(transaction.batch("countings_of_projects", list(projects)))


def pending(transaction: Transaction, mode: str) -> dict[Project, ProjectCounting]:
    """Return the projects whose groups are to be counted again: their reading has changed, or was made in another mode."""
    return by_project(transaction.rows("countings_pending", mode=mode))


def every(transaction: Transaction) -> dict[Project, ProjectCounting]:
    """Return what is stored of all projects."""
    return by_project(transaction.rows("countings"))


def save(transaction: Transaction, standings: Mapping[Project, ProjectCounting]) -> None:
    """Write what projects have now."""
    rows = [
        (
            *project,
            standing.counting.mode,
            text_of(standing.counting),
            text_of(standing.evidence),
            standing.recount_after,
        )
        for project, standing in sorted(standings.items())
    ]
    transaction.batch("save_countings", rows)


def by_project(rows: Iterable[Mapping[str, Any]]) -> dict[Project, ProjectCounting]:
    """Return the rows of the table by their project."""
    return {
        (row["universe"], row["project"]): ProjectCounting(
            _COUNTING.decode(row["counting"]), _EVIDENCE.decode(row["evidence"]), cast(int | None, row["recount_after"])
        )
        for row in rows
    }

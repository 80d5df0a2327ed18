"""A store with a group in each state that operators change, and what a change left in it."""

from collections.abc import Mapping
from pathlib import Path

from syncd.config import StoreSettings
from syncd.store import open_store
from syncd.store.move import TABLES
from tests.cli.test_output import fill
from tests.store.filled import absorb, accept, crash_notification
from tests.store.raw import ask

Contents = Mapping[str, list[tuple[object, ...]]]


def filled(folder: Path) -> StoreSettings:
    """A new store in `folder`: the groups dead0 and 10cced (dead letters), de1e7ed and d0ub7 (parked), p20bed (in doubt), held, and old, whose delivery may be purged;
    two quarantined deliveries; and in `issues` an issue that a person made."""
    settings = StoreSettings(url=f"sqlite:{folder}/syncd.db")
    store = open_store(settings)
    fill(store)
    accept(store, crash_notification("old", project="unrouted"), at=1000.0)
    absorb(store)
    store.instance_key()
    store.close()
    (folder / "token").write_text("x")
    (folder / "issues").mkdir()
    (folder / "issues" / "made-by-hand.md").write_text("# Made by hand\n\nPeople wrote this.\n")
    return settings


def contents(settings: StoreSettings) -> Contents:
    """All rows but those of the audit, and the settings, in which programs note when they last looked at something."""
    return {table: ask(settings, f"SELECT * FROM {table}") for table in TABLES if table not in ("audit", "settings")}


def entries(settings: StoreSettings) -> list[tuple[str, str, str, str, str]]:
    """Actor, action, kind, subject and detail of each entry of the audit, in their order."""
    rows = ask(settings, "SELECT actor, action, kind, subject, detail FROM audit ORDER BY id")
    return [(str(a), str(b), str(c), str(d), str(e)) for a, b, c, d, e in rows]


def lines(settings: StoreSettings) -> list[tuple[str, str, str]]:
    """Fingerprint, action and actor of each line of a group's history that an operator caused."""
    rows = ask(
        settings,
        "SELECT fingerprint, action, actor FROM history JOIN groups ON groups.id = group_id WHERE actor IS NOT NULL",
    )
    return [(str(a), str(b), str(c)) for a, b, c in rows]

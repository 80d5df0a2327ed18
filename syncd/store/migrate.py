"""Bringing a database to this program's schema: every missing step in one transaction, under the write lock.

sqlite-utils has migrations of its own; these also serve PostgreSQL, keep a checksum of every step, and take the lock
themselves (of four processes that started sqlite-utils' together, three died).
"""

import hashlib
import time
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3

from syncd.errors import SchemaMismatch, StoreUnavailable
from syncd.store.sqlite import immediate, open_file, sentence

IDENTITY = {"sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT"}


def steps(dialect: str) -> list[tuple[str, str]]:
    """(name, SQL) of every step, in order. A file for one dialect ends in `.DIALECT.sql`."""
    found = []
    for entry in sorted(_folder().iterdir(), key=lambda entry: entry.name):
        name, _, ending = entry.name.partition(".")
        if ending in ("sql", f"{dialect}.sql"):
            found.append((name, entry.read_text(encoding="utf-8").replace("{identity}", IDENTITY[dialect])))
    return found


def _folder() -> Traversable:
    """Inside the package where it was installed; beside it in a checkout."""
    inside = files("syncd").joinpath("migrations")
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "migrations"


def migrate(path: Path, known: Sequence[tuple[str, str]] | None = None) -> list[str]:
    """The names of the steps just applied to the SQLite file, which is made where it is missing. `known` are this
    program's own steps where nothing else is said.

    Raises SchemaMismatch when the database is newer than this program or one of its steps was edited, StoreUnavailable
    when it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        database = open_file(path, "rwc")
        try:
            with immediate(database):
                return _apply(database, steps("sqlite") if known is None else known)
        finally:
            database.close()
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(sentence(path, error)) from None


def verify(path: Path) -> None:
    """Raises SchemaMismatch unless the file has exactly this program's schema, StoreUnavailable when it cannot be read."""
    try:
        database = open_file(path, "rw")
        try:
            made = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations'").fetchone()
            done = dict(database.execute("SELECT name, sha256 FROM schema_migrations").fetchall()) if made else {}
        finally:
            database.close()
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(sentence(path, error)) from None
    known = steps("sqlite")
    _refuse_strangers(done, known)
    if behind := [name for name, _ in known if name not in done]:
        raise SchemaMismatch(
            f"the database lacks the step {behind[0]}; run `syncd migrate`, or start `syncd run`, which does it"
        )


def _apply(database: Database, known: Sequence[tuple[str, str]]) -> list[str]:
    database.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_at DOUBLE PRECISION NOT NULL)"
    )
    done = dict(database.execute("SELECT name, sha256 FROM schema_migrations").fetchall())
    _refuse_strangers(done, known)
    missing = [(name, text) for name, text in known if name not in done]
    for name, text in missing:
        # Statement by statement inside our transaction: the standard library's would commit it first.
        database.executescript(text)
        database.execute("INSERT INTO schema_migrations VALUES (?, ?, ?)", [name, _sha256(text), time.time()])
    return [name for name, _ in missing]


def _refuse_strangers(done: dict[str, str], known: Sequence[tuple[str, str]]) -> None:
    texts = dict(known)
    if newer := sorted(set(done) - set(texts)):
        raise SchemaMismatch(
            f"the database has the step {newer[-1]}, which this program does not know (its newest is {known[-1][0]}); "
            "install the newer syncd again"
        )
    if edited := [name for name, digest in done.items() if digest != _sha256(texts[name])]:
        raise SchemaMismatch(
            f"the database was made by another text of the step {edited[0]}; install the syncd that made it"
        )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

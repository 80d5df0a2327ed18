"""SQL of a test's own, on either database."""

from typing import Any

import psycopg

from syncd.config import StoreSettings
from syncd.store.sqlite.file import open_file


def change(settings: StoreSettings, statement: str, *values: object) -> None:
    """Run one statement; `?` is a parameter."""
    ask(settings, statement, *values)


def ask(settings: StoreSettings, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """The rows that one statement returns, if it returns any."""
    if settings.dialect == "sqlite":
        database = open_file(settings.path, "rw")
        try:
            cursor = database.execute(statement, list(values))
            return [tuple(row) for row in cursor.fetchall()]
        finally:
            database.close()
    with psycopg.connect(settings.url, autocommit=True) as session:
        done = session.execute(statement.replace("?", "%s").encode(), values)
        return done.fetchall() if done.description else []

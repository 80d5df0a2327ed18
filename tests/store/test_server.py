"""The schema on a PostgreSQL server: steps, races, and that it is the same as in a file."""

import re
import time
from pathlib import Path
from typing import cast

import pytest

from syncd.config import StoreSettings
from syncd.errors import ConfigError, StoreUnavailable, StoreUnusable
from syncd.store import bring_up, open_store
from syncd.store.connection import Transaction
from syncd.store.migrate import steps
from syncd.store.postgresql.connection import Cursor, Postgresql, setting
from syncd.store.postgresql.server import Address, conninfo
from tests.postgres import Databases, server
from tests.store.raw import ask, change

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty(servers: Databases) -> StoreSettings:
    return StoreSettings(url=servers.new(empty=True))


def test_both_databases_have_the_same_schema(servers: Databases, tmp_path: Path) -> None:
    file, server = StoreSettings(url=f"sqlite:{tmp_path}/syncd.db"), StoreSettings(url=servers.new())
    bring_up(file)

    assert [name for name, _ in steps("sqlite")] == [name for name, _ in steps("postgresql")]
    assert _columns_of_file(file) == _columns_of_server(server)
    assert _indexes_of_file(file) == _indexes_of_server(server)


def _columns_of_file(settings: StoreSettings) -> set[tuple[str, str, bool]]:
    tables = ask(settings, "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 6) <> 'sqlite'")
    return {
        (table, row[1], bool(row[3] or row[5]))
        for (table,) in tables
        for row in ask(settings, f"PRAGMA table_info({table})")
    }


def _columns_of_server(settings: StoreSettings) -> set[tuple[str, str, bool]]:
    rows = ask(
        settings,
        "SELECT table_name, column_name, is_nullable = 'NO' FROM information_schema.columns WHERE table_schema = 'public'",
    )
    return {(str(table), str(column), bool(needed)) for table, column, needed in rows}


def _indexes_of_file(settings: StoreSettings) -> set[tuple[str, bool]]:
    rows = ask(settings, "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    return {(str(name), "CREATE UNIQUE" in sql) for name, sql in rows}


def _indexes_of_server(settings: StoreSettings) -> set[tuple[str, bool]]:
    rows = ask(
        settings,
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        " AND right(indexname, 5) <> '_pkey' AND right(indexname, 4) <> '_key'",
    )
    return {(str(name), "CREATE UNIQUE" in text) for name, text in rows}


ADDITIONS = (
    r"CREATE TABLE \w+ \(.*\)",
    r"CREATE (UNIQUE )?INDEX \w+ ON .*",
    r"ALTER TABLE \w+ ADD COLUMN (?!.*NOT NULL(?!.*DEFAULT)).*",
    r"DROP INDEX \w+",  # nobody asks for an index by name
    r"(UPDATE|INSERT INTO) .*",
)


def offences(text: str, released: set[str]) -> list[str]:
    """What in a step would break an older program that still runs beside this one. A step may remove what no program needs since a
    version that was released before: its first line says `-- Unused since X.Y.Z.`"""
    unused = re.match(r"-- Unused since (\d+\.\d+\.\d+)\.", text)
    if unused and unused[1] in released:
        return []
    plain = re.sub(r"--.*", "", text)
    statements = [" ".join(statement.split()) for statement in plain.split(";") if statement.strip()]
    return [statement for statement in statements if not any(re.fullmatch(pattern, statement) for pattern in ADDITIONS)]


def test_steps_only_add_and_remove_one_release_later() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    released = set(re.findall(r"^## \[?(\d+\.\d+\.\d+)", changelog, re.MULTILINE))

    for name, text in steps("postgresql"):
        assert offences(text, released) == [], name


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE issues DROP COLUMN note",
        "ALTER TABLE issues RENAME COLUMN note TO remark",
        "DROP TABLE history",
        "ALTER TABLE issues ADD COLUMN x TEXT NOT NULL",
        "ALTER TABLE issues ALTER COLUMN note TYPE BYTEA",
        "-- Unused since 9.9.9.\nDROP TABLE history",
    ],
)
def test_a_step_removes_nothing_that_an_older_program_needs(statement: str) -> None:
    assert offences(statement, {"1.0.0"})


def test_a_step_may_remove_columns_that_no_released_program_needs() -> None:
    assert offences("-- Unused since 1.0.0.\nDROP TABLE history", {"1.0.0"}) == []


def test_the_next_session_uses_the_password_that_its_file_has_then(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("first")
    address = Address(
        StoreSettings.model_validate({"url": "postgresql://syncd@one/syncd", "password": {"file": str(secret)}})
    )
    secret.write_text("second")
    assert "password=second" in address()

    secret.unlink()
    assert "password=second" in address(), "a rotation that is not finished"


def test_a_password_is_read_from_its_own_place_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    settings = StoreSettings.model_validate(
        {"url": "postgresql://syncd@127.0.0.1:1/syncd", "password": {"file": str(tmp_path / "secret")}}
    )

    assert "hunter2" in conninfo(settings)
    with pytest.raises(StoreUnavailable) as refused:
        open_store(settings)
    assert "hunter2" not in f"{settings!r} {refused.value} {refused.value.__context__!r}"


def test_of_several_hosts_the_writable_server_is_chosen() -> None:
    address = conninfo(StoreSettings(url="postgresql://syncd@one,two/syncd"))

    assert "target_session_attrs=read-write" in address
    assert "host=one,two" in address
    chosen = conninfo(StoreSettings(url="postgresql://syncd@one/syncd?target_session_attrs=any&connect_timeout=2"))
    assert "target_session_attrs=any" in chosen
    assert "connect_timeout=2" in chosen


def test_a_server_that_may_lose_a_commit_is_refused() -> None:
    with server() as running:
        place = StoreSettings(url=running.url("postgres"))
        change(place, "ALTER SYSTEM SET fsync = off")
        change(place, "SELECT pg_reload_conf()")
        while ask(place, "SHOW fsync") != [("off",)]:
            time.sleep(0.01)

        with pytest.raises(StoreUnusable, match="fsync = off"):
            open_store(place)


def test_no_setting_of_a_session_weakens_a_commit_or_outlives_its_transaction(servers: Databases) -> None:
    """A pooler lends the session to somebody else afterwards, or has lent it before."""
    store = open_store(StoreSettings(url=f"{servers.new()}?options=-c%20synchronous_commit%3Doff"))
    in_force: list[str] = []

    def look(transaction: Transaction) -> None:
        session = cast(Cursor, transaction).session
        in_force.append(setting(session, "synchronous_commit"))

    try:
        session = cast(Postgresql, store.connection).ask(lambda session: session)  # the only one of the pool
        session.execute("SET synchronous_commit = off")
        store.connection.submit(look).result()
        store.write(look)
        store.write(look, exclusive=False)
        store.hints.send("topic")
        session.execute("RESET synchronous_commit")

        assert in_force == ["on"] * 3
        assert not session.execute("SELECT name FROM pg_settings WHERE source = 'session'").fetchall()
    finally:
        store.close()


def test_the_fault_names_why_no_session_can_be_opened(servers: Databases) -> None:
    place = StoreSettings(url=servers.new())
    store = open_store(place)
    server = StoreSettings(url=place.url.rpartition("/")[0] + "/postgres")
    database = place.url.rpartition("/")[2]
    try:
        change(server, f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
        change(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ?", database)

        with pytest.raises(StoreUnavailable, match="not currently accepting connections"):
            store.report.counts(0.0)
    finally:
        store.close()


def test_without_its_driver_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncd.store.find_spec", lambda name: None)

    with pytest.raises(ConfigError, match=r"pip install 'syncd\[postgresql\]'"):
        open_store(StoreSettings(url="postgresql://syncd@db/syncd"))

import subprocess
import sys
from pathlib import Path

import pytest

from syncd.errors import SchemaMismatch, StoreUnavailable
from syncd.platform.clock import Clock
from syncd.store.migrate import migrate, steps, verify
from syncd.store.sqlite.file import open_file


def tables(path: Path) -> set[str]:
    database = open_file(path, "rw")
    names = {str(row[0]) for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    database.close()
    return names


def change(path: Path, sql: str) -> None:
    database = open_file(path, "rw")
    database.execute(sql)
    database.close()


def test_an_empty_folder_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "new" / "syncd.db"

    assert migrate(path, Clock()) == [name for name, _ in steps("sqlite")]
    assert {"deliveries", "groups", "releases", "issues", "outbox"} <= tables(path)
    verify(path)


def test_a_second_migration_has_nothing_to_do(tmp_path: Path) -> None:
    migrate(tmp_path / "syncd.db", Clock())

    assert migrate(tmp_path / "syncd.db", Clock()) == []


def test_processes_that_start_at_once_do_not_clash(tmp_path: Path) -> None:
    program = "import sys, pathlib; from syncd.platform.clock import Clock; from syncd.store.migrate import migrate; sys.stdin.read(); migrate(pathlib.Path(sys.argv[1]), Clock())"
    command = [sys.executable, "-c", program, str(tmp_path / "syncd.db")]
    racing = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(6)]
    for process in racing:
        assert process.stdin is not None
        process.stdin.close()
    errors = []
    for process in racing:
        assert process.stderr is not None
        errors.append(process.stderr.read().decode())
        process.stderr.close()
        process.wait()

    assert errors == [""] * 6
    verify(tmp_path / "syncd.db")


def test_a_newer_database_is_refused_and_both_are_named(tmp_path: Path) -> None:
    path = tmp_path / "syncd.db"
    migrate(path, Clock())
    change(path, "INSERT INTO schema_migrations VALUES ('9999_future', 'x', 0)")

    for refuse in (lambda: migrate(path, Clock()), lambda: verify(path)):
        with pytest.raises(SchemaMismatch, match=r"9999_future.*0006_bodies"):
            refuse()


def test_a_step_with_another_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "syncd.db"
    migrate(path, Clock())
    change(path, "UPDATE schema_migrations SET sha256 = 'other'")

    with pytest.raises(SchemaMismatch, match="another text"):
        migrate(path, Clock())


def test_an_older_database_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "syncd.db"
    path.touch()

    with pytest.raises(SchemaMismatch, match="syncd migrate"):
        verify(path)


def test_a_missing_database_is_not_made_by_looking(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no such file"):
        verify(tmp_path / "syncd.db")
    assert not (tmp_path / "syncd.db").exists()


def test_a_step_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    broken = [
        *steps("sqlite"),
        ("0002_broken", "CREATE TABLE half (x INTEGER); CREATE TABLE half (x INTEGER);"),
    ]

    with pytest.raises(StoreUnavailable, match="half"):
        migrate(tmp_path / "syncd.db", Clock(), broken)
    assert tables(tmp_path / "syncd.db") <= {"sqlite_sequence"}

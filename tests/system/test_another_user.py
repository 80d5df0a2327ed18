"""What no retry mends, met by another user than root: the exit code that keeps a service manager from trying again, and one sentence with
owner, mode, user and remedy. Never a traceback, whatever the command."""

import fcntl
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from tests.postgres import Databases
from tests.prove import mounts
from tests.prove.crashes import until
from tests.system import processes
from tests.system.daemon import PROGRAM, run_syncd

USER = pwd.getpwnam("nobody").pw_uid

# Every command that opens the configuration and the store.
COMMANDS = [
    ("run",),
    ("status",),
    ("status", "--json"),
    ("groups",),
    ("show", "ab"),
    ("explain", "ab"),
    ("releases", "game"),
    ("dead", "list"),
    ("dead", "retry", "--all"),
    ("quarantine", "list"),
    ("sync", "ab"),
    ("hold", "ab"),
    ("relink", "ab", "KEY"),
    ("alias", "list"),
    ("pause", "here"),
    ("resume", "here"),
    ("replay", "ab"),
    ("backup", "copy.db"),
    ("purge",),
    ("migrate",),
]


@pytest.fixture
def place(migrated: Path) -> Iterator[Path]:
    """A folder of root's that everybody may enter, with a configuration, and a store in a folder of USER's."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user: run `make test` as root")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "store").mkdir()
        shutil.copyfile(migrated, folder / "store" / "syncd.db")
        (folder / "store" / "syncd.db").chmod(0o600)
        (folder / "config.toml").write_text(
            f'[receiver]\nlisten = "127.0.0.1:0"\n[console]\nlisten = "off"\n[store]\nurl = "sqlite:{folder}/store/syncd.db"\n'
            f'[trackers.here]\nkind = "local"\nfolder = "{folder}/store/issues"\n'
        )
        give(USER, folder / "store", folder / "store" / "syncd.db")
        yield folder


def give(user: int, *paths: Path) -> None:
    for path in paths:
        os.chown(path, user, user)


def refused(place: Path, *command: str) -> str:
    """Run a command as USER, and return the one line that it prints about its end."""
    code = 75 if command[0] == "status" else 78  # `status` says that it cannot tell
    ran = run_syncd(*command, folder=place, user=USER)
    printed = ran.stdout + ran.stderr
    assert "Traceback" not in printed, printed
    assert ran.returncode == code, (command, printed)
    (line,) = [line for line in ran.stderr.splitlines() if line.startswith("syncd: ")]
    return line


def the_configuration(place: Path) -> Sequence[str]:
    (place / "config.toml").chmod(0o600)
    return ("may not read", "config.toml", "owner root, mode 0600")


def a_folder_above_the_store(place: Path) -> Sequence[str]:
    give(0, place / "store")
    (place / "store").chmod(0o700)
    return ("may not enter", "store", "owner root, mode 0700")


def the_file_of_the_store(place: Path) -> Sequence[str]:
    give(0, place / "store" / "syncd.db")
    (place / "store" / "syncd.db").chmod(0o600)
    return ("may not write", "syncd.db", "owner root, mode 0600", "chown --reference=")


def the_folder_of_the_store(place: Path) -> Sequence[str]:
    give(0, place / "store")
    return ("may not create", f"in {place}/store, owner root, mode 0755", "chown nobody")


def the_log_of_the_store(place: Path) -> Sequence[str]:
    log = place / "store" / "syncd.db-wal"
    log.touch(0o600)
    return ("may not write", "syncd.db-wal", "owner root, mode 0600")


def a_link_into_a_closed_folder(place: Path) -> Sequence[str]:
    (place / "closed").mkdir(0o700)
    shutil.move(place / "store" / "syncd.db", place / "closed" / "syncd.db")
    (place / "store" / "syncd.db").symlink_to(place / "closed" / "syncd.db")
    return ("may not enter", "closed", "owner root, mode 0700")


def a_file_in_the_place_of_the_folder(place: Path) -> Sequence[str]:
    shutil.rmtree(place / "store")
    (place / "store").write_text("")
    return ("store is a file",)


def a_folder_in_the_place_of_the_file(place: Path) -> Sequence[str]:
    (place / "store" / "syncd.db").unlink()
    (place / "store" / "syncd.db").mkdir()
    return ("syncd.db", "it is a folder")


def a_mode_that_excludes_its_owner(place: Path) -> Sequence[str]:
    (place / "store" / "syncd.db").chmod(0o400)
    return ("may not write", "syncd.db", "owner nobody, mode 0400", "chmod u+rw")


def a_folder_that_cannot_be_made(place: Path) -> Sequence[str]:
    shutil.rmtree(place / "store")
    return ("may not make", f"{place}/store", "owner root, mode 0755", f"install -d -o nobody {place}/store")


def a_pipe(place: Path) -> Sequence[str]:
    (place / "store" / "syncd.db").unlink()
    os.mkfifo(place / "store" / "syncd.db")
    return ("syncd.db", "no regular file")


def a_newer_schema(place: Path) -> Sequence[str]:
    change(place, "INSERT INTO schema_migrations VALUES ('9999_future', 'ab', 0)")
    return ("9999_future", "install the newer syncd")


def a_table_that_is_gone(place: Path) -> Sequence[str]:
    change(place, "DROP TABLE outbox")
    return ("syncd.db", "no such table", "restore a backup")


def a_file_of_another_program(place: Path) -> Sequence[str]:
    (place / "store" / "syncd.db").unlink()
    change(place, "CREATE TABLE schema_migrations (version TEXT)", "CREATE TABLE groups (id INTEGER)")
    give(USER, place / "store" / "syncd.db")
    return ("syncd.db", "another program", "store.url")


def no_database(place: Path) -> Sequence[str]:
    (place / "store" / "syncd.db").write_bytes(b"no database" * 1000)
    return ("syncd.db", "not a database", "restore a backup")


def a_moved_store(place: Path) -> Sequence[str]:
    change(place, "INSERT INTO settings (name, value) VALUES ('store.moved', 'postgresql://db/syncd')")
    return ("postgresql://db/syncd", "set store.url")


def change(place: Path, *statements: str) -> None:
    with sqlite3.connect(place / "store" / "syncd.db") as database:
        for statement in statements:
            database.execute(statement)
    database.close()


OBSTACLES: list[Callable[[Path], Sequence[str]]] = [
    the_configuration,
    a_folder_above_the_store,
    the_file_of_the_store,
    the_folder_of_the_store,
    the_log_of_the_store,
    a_link_into_a_closed_folder,
    a_file_in_the_place_of_the_folder,
    a_folder_in_the_place_of_the_file,
    a_mode_that_excludes_its_owner,
    a_folder_that_cannot_be_made,
    a_pipe,
    a_newer_schema,
    a_table_that_is_gone,
    a_file_of_another_program,
    no_database,
    a_moved_store,
]


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_the_daemon_ends_with_the_code_that_ends_restarts(
    obstacle: Callable[[Path], Sequence[str]], place: Path
) -> None:
    expected = obstacle(place)

    line = refused(place, "run", "--config", str(place / "config.toml"))
    assert all(part in line for part in expected), line
    assert "owner" not in line or "user nobody" in line


@pytest.mark.parametrize("obstacle", [a_folder_above_the_store, a_newer_schema])
def test_every_command_says_the_same_in_one_line(obstacle: Callable[[Path], Sequence[str]], place: Path) -> None:
    expected = obstacle(place)
    for command in COMMANDS:
        line = refused(place, *command)
        assert all(part in line for part in expected), (command, line)


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_check_reports_it_with_the_remedy(obstacle: Callable[[Path], Sequence[str]], place: Path) -> None:
    expected = obstacle(place)

    ran = run_syncd("check", folder=place, user=USER)
    assert "Traceback" not in ran.stdout + ran.stderr, ran.stderr
    assert ran.returncode == 78
    assert all(part in ran.stdout + ran.stderr for part in expected), ran.stdout + ran.stderr


def test_a_working_folder_that_cannot_be_entered_hides_no_configuration_elsewhere(place: Path) -> None:
    (place / "closed").mkdir(0o700)

    line = refused(place / "closed", "run")
    assert "closed" in line
    assert "may not enter" in line
    line = refused(place / "closed", "groups", "--config", str(place / "nowhere.toml"))
    assert "nowhere.toml: cannot be read: No such file" in line


def test_locks_that_the_user_may_not_write(place: Path) -> None:
    locks = place / "store" / "syncd.db-instances"
    locks.mkdir(0o700)

    line = refused(place, "run")
    assert "syncd.db-instances" in line
    assert "owner root, mode 0700" in line


def test_a_secret_that_the_user_may_not_read(place: Path) -> None:
    (place / "secret").write_text("hunter2")
    (place / "secret").chmod(0o600)
    text = (place / "config.toml").read_text()
    login = f'username = "backtrace"\npassword = {{ file = "{place}/secret" }}\n'
    (place / "config.toml").write_text(text.replace("[receiver]\n", f"[receiver]\n{login}"))

    line = refused(place, "run")
    assert all(
        part in line for part in ("receiver.password", "secret", "owner root, mode 0600", "user nobody", "chown")
    )
    assert "hunter2" not in line


@pytest.mark.skipif(mounts.missing() is not None, reason=str(mounts.missing()))
def test_a_read_only_file_system(place: Path, migrated: Path) -> None:
    with mounts.tmpfs(place / "disk", "4m") as disk:
        shutil.copyfile(migrated, disk / "syncd.db")
        give(USER, disk, disk / "syncd.db")
        text = (place / "config.toml").read_text()
        (place / "config.toml").write_text(text.replace(f"{place}/store/syncd.db", f"{disk}/syncd.db"))
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

        for command in (("run",), ("migrate",), ("status",)):
            line = refused(place, *command)
            assert all(
                part in line for part in ("read-only", "owner nobody, mode 0", "user nobody", "ReadWritePaths=")
            ), line


def test_a_port_in_use_names_the_way_to_its_user(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = (place / "config.toml").read_text()
        (place / "config.toml").write_text(text.replace("127.0.0.1:0", f"127.0.0.1:{port}"))

        line = refused(place, "run")
    assert all(part in line for part in ("receiver.listen", f"127.0.0.1:{port}", "another syncd", f"sport = :{port}"))


def test_an_address_of_another_machine(place: Path) -> None:
    text = (place / "config.toml").read_text().replace("127.0.0.1:0", "192.0.2.1:8080")
    (place / "config.toml").write_text(text.replace("[receiver]\n", "[receiver]\nallow_unauthenticated = true\n"))

    assert "this machine has no address 192.0.2.1" in refused(place, "run")


def test_a_full_output_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, *PROGRAM, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ran.returncode == 1
    assert ran.stderr.splitlines() == ["syncd: No space left on device"]


def granted(servers: Databases, *statements: str, encoding: str = "") -> str:
    """The URL of a new database for the role `small`, after these statements of the owner in it."""
    url = servers.new(empty=True)
    name = url.rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as session:
        if encoding:
            session.execute(f"CREATE DATABASE {name}_e ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
            return f"{url}_e"
        if session.execute("SELECT 1 FROM pg_roles WHERE rolname = 'small'").fetchone() is None:
            session.execute("CREATE ROLE small LOGIN")
        for statement in statements:
            session.execute(statement.format(name=name))
    return url.replace("syncd@", "small@")


ALL = "GRANT USAGE, CREATE ON SCHEMA public TO small"
SERVERS = [
    pytest.param(
        ("REVOKE CREATE ON SCHEMA public FROM PUBLIC",),
        ("role small lacks a right in schema public", "owner", "GRANT USAGE, CREATE ON SCHEMA public TO small"),
        id="no right to create",
    ),
    pytest.param(
        (ALL, "CREATE TABLE groups (id INTEGER)"), ("tables of another program", "CREATE DATABASE"), id="a table groups"
    ),
    pytest.param(
        (ALL, "CREATE TABLE schema_migrations (version TEXT)", "GRANT ALL ON schema_migrations TO small"),
        ("tables of another program", "CREATE DATABASE"),
        id="migrations of another program",
    ),
    pytest.param(
        (ALL, "CREATE TABLE schema_migrations (name TEXT, sha256 TEXT, applied_at FLOAT)"),
        ("role small lacks a right", "OWNER TO small"),
        id="tables of another role",
    ),
    pytest.param(
        (ALL, "ALTER ROLE small IN DATABASE {name} SET search_path = nowhere"), ("no schema that exists",), id="no schema"
    ),
    pytest.param(
        ("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",), ("permission denied for database", "store.url"), id="no right to connect"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "expected"), SERVERS)
def test_a_server_that_needs_a_person(
    statements: Sequence[str], expected: Sequence[str], servers: Databases, tmp_path: Path
) -> None:
    assert_server(granted(servers, *statements), expected, tmp_path)


def test_a_database_of_another_encoding(servers: Databases, tmp_path: Path) -> None:
    assert_server(granted(servers, encoding="LATIN1"), ("not UTF8", "ENCODING 'UTF8'"), tmp_path)


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        pytest.param("syncd@", "stranger@", id="no such role"),
        pytest.param("/syncd_", "/nowhere_", id="no such database"),
    ],
)
def test_a_server_that_does_not_let_syncd_in(part: str, instead: str, servers: Databases, tmp_path: Path) -> None:
    assert_server(servers.new().replace(part, instead), ("does not exist", "correct store.url"), tmp_path)


def assert_server(url: str, expected: Sequence[str], folder: Path) -> None:
    (folder / "config.toml").write_text(
        f'[receiver]\nlisten = "127.0.0.1:0"\n[console]\nlisten = "off"\n[store]\nurl = "{url}"\n'
    )
    for command in ("run", "migrate"):
        ran = run_syncd(command, folder=folder)
        assert (ran.returncode, "Traceback" in ran.stderr) == (78, False), ran.stderr
        (line,) = ran.stderr.splitlines()
        assert all(part in line for part in expected), line


def test_a_daemon_shares_a_file_with_a_daemon_of_another_user_and_takes_nothing_from_it(place: Path) -> None:
    locks = place / "store" / "syncd.db-instances"
    locks.mkdir()
    give(USER, locks)
    with (locks / "root-1-ab").open("w") as held:  # the lock of a living process of root
        fcntl.flock(held, fcntl.LOCK_EX)
        held_by_root = locks / "root-1-ab"
        held_by_root.chmod(0o600)
        out = place / "out"
        out.touch()
        process = processes.start(PROGRAM, ["run"], place, dict(os.environ), out, out, USER)
        try:
            until(lambda: '"listening"' in out.read_text() or process.poll() is not None, "the daemon to listen", 30)
        finally:
            process.send_signal(signal.SIGTERM)
        assert (process.wait(30), held_by_root.exists()) == (0, True), out.read_text()


def test_check_by_root_reports_a_file_that_the_user_of_the_service_may_not_write(place: Path) -> None:
    well = run_syncd("check", folder=place)
    give(0, place / "store" / "syncd.db")
    (place / "store" / "syncd.db").chmod(0o600)
    ran = run_syncd("check", folder=place)

    assert (well.returncode, ran.returncode) == (0, 78), well.stdout + ran.stdout
    expected = (
        "user nobody",
        "may not write",
        "owner root, mode 0600",
        f"chown --reference={place}/store {place}/store/syncd.db",
    )
    assert all(part in ran.stdout for part in expected), ran.stdout


@pytest.mark.parametrize(
    "environment",
    [{"LISTEN_FDS": "x"}, {"WATCHDOG_USEC": "x", "NOTIFY_SOCKET": "/nowhere"}],
    ids=lambda each: next(iter(each)),
)
def test_a_service_manager_that_sets_no_number_is_one_line(environment: dict[str, str], place: Path) -> None:
    ran = run_syncd("run", folder=place, user=USER, **environment)
    assert (ran.returncode, len(ran.stderr.splitlines())) == (78, 1), ran.stderr


@pytest.mark.parametrize(
    "cause", [the_configuration, a_folder_above_the_store, the_folder_of_the_store, a_link_into_a_closed_folder]
)
def test_a_restore_that_this_user_may_not_make_changes_nothing(
    cause: Callable[[Path], Sequence[str]], place: Path, migrated: Path
) -> None:
    backup = place / "backup.db"
    shutil.copyfile(migrated, backup)
    backup.chmod(0o644)
    parts = cause(place)

    line = refused(place, "restore", str(backup))
    assert all(part in line for part in parts), line
    assert not list(place.rglob("*.partial*")) + list(place.rglob("*.replaced-*"))


def test_a_backup_that_this_user_may_not_read_replaces_nothing(place: Path, migrated: Path) -> None:
    backup = place / "backup.db"
    shutil.copyfile(migrated, backup)
    backup.chmod(0o600)

    line = refused(place, "restore", str(backup))
    assert "may not read" in line
    assert "backup.db (owner root, mode 0600)" in line


@pytest.mark.parametrize(("folder", "file", "verb"), [(0o700, 0o600, "may not enter"), (0o755, 0o644, "may not write")])
def test_a_command_by_another_user_than_the_service_names_the_one_that_works(
    folder: int, file: int, verb: str, place: Path
) -> None:
    """A `chown` to this user, as for a service that may not use its file, would stop the service."""
    give(0, place / "store", place / "store" / "syncd.db")
    (place / "store").chmod(folder)
    (place / "store" / "syncd.db").chmod(file)
    for command in (("status",), ("status", "--json"), *([("hold", "ab")] if file == 0o600 else [])):
        line = refused(place, *command)
        assert verb in line
        assert f"; run `sudo syncd {' '.join(command)}`" in line
        assert "chown" not in line

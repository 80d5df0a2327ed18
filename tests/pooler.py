"""Debian's own pgbouncer before a PostgreSQL server of tests, in any of its modes."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.ports import free_port
from tests.postgres import PATIENCE_SECONDS, as_nobody, own

_PACKAGE = Path(__file__).parents[1] / ".tests/pgbouncer"
needs_pooler = pytest.mark.skipif(
    not (_PACKAGE / "usr/sbin/pgbouncer").exists(), reason="pgbouncer is missing: `make tools` as root fetches it"
)


class Pooler:
    """pgbouncer before one server. Several processes share its port if `processes` is more than one."""

    def __init__(self, folder: Path, server_url: str, mode: str, processes: int = 1, **settings: object) -> None:
        self.mode = mode
        self._port = free_port()
        self._processes: list[subprocess.Popen[bytes]] = []
        folder.chmod(0o755)
        # Other accounts may not enter the checkout.
        self._program = Path(shutil.copy(_PACKAGE / "usr/sbin/pgbouncer", folder))
        for library in (_PACKAGE / "usr/lib").glob("*/*.so.*"):
            shutil.copy(library, folder)
        self._files = []
        server = urlsplit(server_url)
        lines = {
            "listen_addr": "127.0.0.1",
            "listen_port": self._port,
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": folder / "users",
            "admin_users": "syncd",
            "pool_mode": mode,
            "server_login_retry": 0.2,  # the tests need not wait the 15 seconds of its default
            "so_reuseport": int(processes > 1),
        } | settings
        (folder / "users").write_text('"syncd" ""\n')
        for number in range(processes):
            file = folder / f"pgbouncer-{number}.ini"
            file.write_text(
                f"[databases]\n* = host={server.hostname} port={server.port}\n[pgbouncer]\nlogfile = {folder}/log-{number}\n"
                + "".join(f"{name} = {value}\n" for name, value in lines.items())
            )
            self._files.append(file)
        self._home = folder

    def start(self) -> None:
        """Start, and return once it accepts connections."""
        own(self._home)
        common = as_nobody()
        common["env"] |= {"LD_LIBRARY_PATH": str(self._home)}
        for file in self._files:
            self._processes.append(
                subprocess.Popen(
                    [self._program, "-q", file], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **common
                )
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                psycopg.connect(f"postgresql://syncd@127.0.0.1:{self._port}/pgbouncer", autocommit=True).close()
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    logs = "\n".join(log.read_text()[-2000:] for log in self._home.glob("log-*"))
                    raise AssertionError(f"{error}\n{logs}") from error
                time.sleep(0.02)
            else:
                return

    def reload(self, mode: str) -> None:
        """Change its mode while clients are connected."""
        for file, process in zip(self._files, self._processes, strict=True):
            file.write_text(file.read_text().replace(f"pool_mode = {self.mode}\n", f"pool_mode = {mode}\n"))
            process.send_signal(signal.SIGHUP)
        self.mode = mode

    def stop(self) -> None:
        """End every process of it."""
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)
        self._processes.clear()

    def url(self, direct: str) -> str:
        """Return the URL through this pooler of the database at `direct`."""
        return urlunsplit(urlsplit(direct)._replace(netloc=f"syncd@127.0.0.1:{self._port}"))


@contextmanager
def pooler(server_url: str, mode: str, processes: int = 1, **settings: object) -> Iterator[Pooler]:
    """A pooler before the server at `server_url`. `settings` are of pgbouncer's own."""
    home = Path(tempfile.mkdtemp(prefix="syncd-pool-"))
    running = Pooler(home, server_url, mode, processes, **settings)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(home, ignore_errors=True)

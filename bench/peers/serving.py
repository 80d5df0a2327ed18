"""The peers as processes that serve."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import served
from bench.peers import installing
from tests import postgres

HERE = Path(__file__).parent
STARTUP_SECONDS = 60.0
Address = tuple[str, int]


@contextmanager
def behind_route(queue: str, place: Path | str) -> Iterator[Address]:
    """A queue behind a Starlette route; its place is a folder, or the URL of a database."""
    command = [str(installing.python()), str(HERE / "route.py"), queue, str(place)]
    with served.printing(command) as serving:
        yield serving.address


@contextmanager
def on_postgresql(queue: str, folder: Path) -> Iterator[Address]:  # noqa: ARG001 - it keeps nothing in files
    """The same, on a PostgreSQL of its own."""
    installing.python()
    with postgres.server() as server, behind_route(queue, server.url("postgres")) as address:
        yield address


@contextmanager
def webhook(folder: Path) -> Iterator[Address]:
    """`webhook`, which answers with what a script prints that stores the body."""
    port = _free_port()
    hooks = [
        {
            "id": "backtrace",
            "execute-command": sys.executable,
            "pass-arguments-to-command": [{"source": "string", "name": str(HERE / "webhook_keep.py")}],
            "pass-environment-to-command": [
                {"source": "raw-request-body", "envname": "BODY"},
                {"source": "string", "envname": "KEPT", "name": str(folder / "kept.db")},
            ],
            "include-command-output-in-response": True,
            "http-methods": ["POST"],
        }
    ]
    (folder / "hooks.json").write_text(json.dumps(hooks))
    command = [str(installing.webhook()), "-hooks", str(folder / "hooks.json"), "-ip", "127.0.0.1", "-port", str(port)]
    with _process([*command, "-urlprefix", "webhooks"], port):
        yield "127.0.0.1", port


@contextmanager
def node_red(folder: Path) -> Iterator[Address]:
    """Node-RED with a flow that stores the body by its SQLite node and answers then."""
    program, port = installing.node_red(), _free_port()
    database = folder / "kept.db"
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE deliveries (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
    flow = (HERE / "flow.json").read_text().replace("DATABASE", str(database))
    (folder / "flow.json").write_text(flow)
    nodes = program.parents[1]
    settings = (
        f"module.exports = {{uiHost: '127.0.0.1', httpAdminRoot: false, nodesDir: '{nodes}/node-red-node-sqlite'}}"
    )
    (folder / "settings.js").write_text(settings)
    command = ["node", str(program), "-u", str(folder), "-s", str(folder / "settings.js"), "-p", str(port)]
    with _process([*command, str(folder / "flow.json")], port, {"NODE_PATH": str(nodes)}):
        yield "127.0.0.1", port


@contextmanager
def _process(command: Sequence[str], port: int, more: Mapping[str, str] | None = None) -> Iterator[None]:
    environment = os.environ | (more or {})
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            deadline = time.monotonic() + STARTUP_SECONDS
            while not _answers(port):
                if time.monotonic() > deadline or process.poll() is not None:
                    raise installing.NotInstalled(f"{Path(command[0]).name} does not start")
                time.sleep(0.05)
            yield
        finally:
            process.kill()


def _answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])

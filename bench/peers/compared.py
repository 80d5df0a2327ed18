"""How fast others accept what syncd accepts, with 64 clients."""

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from bench import load, served
from bench.finding import ROUNDS, Finding
from bench.peers import installing, serving
from bench.peers.serving import Address
from syncd.intake.receiver import PATH

CLIENTS = 64
SECONDS = 1


@dataclass(frozen=True, slots=True)
class Peer:
    """`lacks` is what it could not do, besides. All of them here answer after a commit."""

    name: Callable[[], str]
    served: Callable[[Path], AbstractContextManager[Address]]
    lacks: str
    path: str = PATH


PEERS = (
    Peer(
        lambda: f"huey {installing.version('huey')}, SqliteHuey(fsync=True) behind a Starlette route",
        partial(serving.behind_route, "huey"),
        "no login, no check",
    ),
    Peer(
        lambda: f"persist-queue {installing.version('persist-queue')}, SQLiteQueue behind a Starlette route",
        partial(serving.behind_route, "persist-queue"),
        "no login, no check",
    ),
    Peer(
        lambda: f"procrastinate {installing.version('procrastinate')} on PostgreSQL behind a Starlette route",
        partial(serving.on_postgresql, "procrastinate"),
        "no login, no check",
    ),
    Peer(
        lambda: f"webhook {_said(installing.webhook(), '-version')}, with a script into SQLite",
        serving.webhook,
        "no bound on what waits, no check",
    ),
    Peer(
        lambda: f"Node-RED {json.loads(installing.node_red().with_name('package.json').read_text())['version']}, http in, SQLite node, http response",
        serving.node_red,
        "no login in this flow, no check",
    ),
)  # fmt: skip


def measure() -> Iterator[Finding | str]:
    """Each beside syncd, one right after the other."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = load.bodies(home)
        ours = stack.enter_context(served.daemon(home / "ours", "--only", "receiver")).address
        load.post(ours, file, CLIENTS, SECONDS)  # warm
        for number, peer in enumerate(PEERS):
            folder = home / str(number)
            folder.mkdir()
            try:
                yield _beside(peer, folder, ours, file)
            except (installing.NotInstalled, RuntimeError) as error:
                yield f"not measured: {error}"


def _beside(peer: Peer, folder: Path, ours: Address, file: Path) -> Finding:
    with peer.served(folder) as address:
        post = partial(load.post, address, file, CLIENTS, SECONDS, peer.path)
        post()  # warm
        pairs = [(load.post(ours, file, CLIENTS, SECONDS).rate, post().rate) for _ in range(ROUNDS)]
    mine, theirs = (median(pair[which] for pair in pairs) for which in (0, 1))
    return Finding(
        what="accepted a second, 64 clients",
        against=f"{peer.name()} (durable; {peer.lacks})",
        ratios=[one / other for one, other in pairs],
        seen=f"{mine:,.0f} and {theirs:,.0f} a second",
        at_least=5.0,
    )


def _said(*command: str | Path) -> str:
    ran = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    return (ran.stdout or ran.stderr).split()[-1].removeprefix("v")

"""Notifications through pgbouncer, whose PostgreSQL server is stopped at once again and again: `python -m tests.prove.pooler MODE STOPS SEED`.

What the senders were answered 200 for must be in the database afterwards, and every session that the pool has left must have the
settings of a new one, because another application gets it next.
"""

import itertools
import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from syncd.config import StoreSettings
from syncd.store import read_store
from tests import postgres
from tests.pooler import Pooler, pooler
from tests.postgres import Databases
from tests.prove.crashes import crash, until
from tests.prove.pooled import CARELESS, UNCHECKED
from tests.prove.report import Row
from tests.store.raw import ask
from tests.system.cluster import Cluster, sent
from tests.system.daemon import PROGRAM, Daemon
from tests.system.kinds import opened

SENDERS = 4
GROUPS = 50
RUN_SECONDS = (0.4, 1.2)  # between two stops
ANSWERS = 50  # after a start, before the next stop
PATIENCE_SECONDS = 60.0
SETTINGS = (
    "synchronous_commit", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout",
    "timezone",
)  # fmt: skip
_QUERIES = {name: f"current_setting('{name}')" for name in SETTINGS} | {
    "prepared statements": "(SELECT count(*) FROM pg_prepared_statements)"
}
_VALUES = "SELECT " + ", ".join(_QUERIES.values())


Delivered = tuple[str, str]  # fingerprint and object


@dataclass(kw_only=True)
class Outcome:
    """What was acknowledged and what of it is lost; the settings that differ from those of a new session, for each session of the pool."""

    stops: int
    acknowledged: int
    lost: int
    sessions: list[list[str]]

    @property
    def wrong(self) -> list[str]:
        changed = sum(map(bool, self.sessions))
        return [
            *([f"{self.lost} of {self.acknowledged} acknowledged notifications lost"] if self.lost else []),
            *([f"{changed} of {len(self.sessions)} sessions changed: {self.sessions}"] if changed else []),
            *([] if self.sessions else ["the pool has no session"]),
        ]


@dataclass
class _Load:
    """Senders that repeat a notification until it is answered 200."""

    cluster: Cluster
    seed: int
    acknowledged: list[Delivered] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def send(self, numbers: "itertools.count[int]") -> None:
        """Send until it is over."""
        chance = random.Random(self.seed)
        while not self.over.is_set():
            number = next(numbers)
            notification = crash(number % GROUPS, number + 1)
            while not self.over.is_set():
                if (address := self.cluster.address(chance)) is not None and sent(address, notification):
                    self.acknowledged.append((notification["fingerprint"], notification["object_id"]))
                    break
                time.sleep(0.02)


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row per mode. `size` is the number of stops."""
    proved = trial(folder / "session", "session", size, seed)
    yield Row(
        action=f"{SENDERS} senders, a receiver and a worker behind pgbouncer in session mode; the server is stopped at once during the load",
        scale=f"{proved.stops} stops, {proved.acknowledged:,} notifications acknowledged",
        result="; ".join(proved.wrong)
        or f"0 acknowledged notifications lost; the {len(proved.sessions)} sessions of the pool have the settings of a new one",
        ok=not proved.wrong,
    )
    refused = refusals(folder / "refused")
    unchecked = trial(folder / "unchecked", "transaction", size, seed, UNCHECKED)
    control = trial(folder / "control", "transaction", size, seed, CARELESS)
    yield Row(
        action="The same in transaction mode: `syncd run`, `syncd check`, and a daemon that does not look at the pooler",
        scale=f"2 commands; {unchecked.stops} stops, {unchecked.acknowledged:,} notifications acknowledged",
        result="; ".join(refused + unchecked.wrong)
        or "both exit with code 78 and name the way out; without the look, 0 acknowledged notifications lost, and the "
        f"{len(unchecked.sessions)} sessions of the pool have the settings of a new one",
        control=f"a daemon whose hints set `synchronous_commit` for their session and whose writes do not ask for it: {control.lost} of "
        f"{control.acknowledged:,} acknowledged notifications lost, {sum(map(bool, control.sessions))} of {len(control.sessions)} "
        "sessions changed",
        ok=not refused and not unchecked.wrong and control.lost > 0,
    )


def trial(folder: Path, mode: str, stops: int, seed: int, program: Sequence[str] = PROGRAM) -> Outcome:
    """Send during `stops` stops of the server. Then compare what is there."""
    folder.mkdir()
    chance = random.Random(seed)
    with postgres.server() as server, opened("local", folder) as tracker:
        direct = Databases(server.url("postgres")).new()
        # Without `server_reset_query`, what a client sets in session mode reaches the next client.
        with pooler(direct, mode, default_pool_size=40, min_pool_size=8, server_reset_query="") as running:
            with Cluster(folder / "members", running.url(direct), tracker.toml(), 1, 1, program) as cluster:
                load, numbers = _Load(cluster, seed), itertools.count()
                threads = [threading.Thread(target=load.send, args=(numbers,), daemon=True) for _ in range(SENDERS)]
                for thread in threads:
                    thread.start()
                for _ in range(stops):
                    _await_answers(load)
                    time.sleep(chance.uniform(*RUN_SECONDS))
                    server.restart(signal.SIGQUIT)
                _await_answers(load)
                load.over.set()
                for thread in threads:
                    thread.join()
            return Outcome(
                stops=stops,
                acknowledged=len(load.acknowledged),
                lost=len(set(load.acknowledged) - _stored(direct)),
                sessions=_changed(running, direct),
            )


def _await_answers(load: _Load) -> None:
    wanted = len(load.acknowledged) + ANSWERS
    until(lambda: len(load.acknowledged) >= wanted, "notifications to be acknowledged", PATIENCE_SECONDS)


def _stored(direct: str) -> set[Delivered]:
    settings = StoreSettings(url=direct)
    bodies = [body for (body,) in ask(settings, "SELECT body FROM deliveries")]
    store = read_store(settings)
    notifications = map(json.loads, store.read(lambda transaction: store.bodies.unpack(transaction, bodies)))
    stored = {(notification["fingerprint"], notification["object_id"]) for notification in notifications}
    store.close()
    return stored


def _changed(running: Pooler, direct: str) -> list[list[str]]:
    """Of each idle session of the pool, the settings that are not those of a new session."""
    with psycopg.connect(direct, autocommit=True) as session:
        fresh = session.execute(_VALUES).fetchone() or ()
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        (idle,) = session.execute(query).fetchone() or (0,)
    with ExitStack() as stack:
        # Transactions that are open at the same time run in different sessions.
        sessions = [stack.enter_context(psycopg.connect(running.url(direct))) for _ in range(idle)]
        values = [session.execute(_VALUES).fetchone() or () for session in sessions]
    return [
        [f"{name} = {value}" for name, value, usual in zip(_QUERIES, row, fresh, strict=True) if value != usual]
        for row in values
    ]


def refusals(folder: Path) -> list[str]:
    """Say what is wrong with how a daemon and `check` refuse a pooler in transaction mode."""
    folder.mkdir()
    with postgres.server() as server:
        direct = Databases(server.url("postgres")).new()
        with pooler(direct, "transaction") as running:
            daemon = Daemon(folder, "", store=running.url(direct))
            daemon.spawn()
            code = daemon.wait_dead(PATIENCE_SECONDS)
            printed = daemon.log.read_text()
            checked = daemon.syncd("check", code=78)
    return [
        *([] if code == 78 else [f"run: exit code {code}"]),
        *(
            f"{name} names no way out: {text}"
            for name, text in (("run", printed), ("check", checked))
            if "pool_mode = session" not in text
        ),
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        for how in (PROGRAM,) if sys.argv[1] == "session" else (UNCHECKED, CARELESS):
            print(trial(Path(home, how[-1]), sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), how))

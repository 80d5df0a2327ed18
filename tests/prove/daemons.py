"""Daemons for proofs: configuration, start through another program (for example strace), senders that repeat, and checks at the end."""

import http.client
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from syncd.config import StoreSettings
from syncd.store import read_store
from syncd.store.sqlite.file import sqlite3
from tests.fakes.github import TOKEN
from tests.system import reference
from tests.system.daemon import Daemon

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.05
UNEXPECTED = "unexpected_error"  # the log event of an unhandled exception
ROUTE = '[[routes]]\ntracker = "here"\nstatus_interval = "1s"\nmax_new_issues = []\nmax_updates = []\n'

Accepted = list[tuple[int, dict[str, Any]]]


def github_section(folder: Path, address: str, *settings: str, name: str = "here") -> str:
    """The section of a GitHub tracker at `address`, with further `settings` lines. Writes the token file into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    token = folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    lines = (
        f"[trackers.{name}]",
        'kind = "github"',
        'repository = "acme/game"',
        f'api_url = "{address}"',
        f'token = {{ file = "{token}" }}',
        'writes = ["6000/1m"]',
        *settings,
    )
    return "\n".join(lines) + "\n"


def is_drained(daemon: Daemon) -> bool:
    """True if the daemon has no work left. Sleeps first, because each status query is a process."""
    time.sleep(0.3)
    status = daemon.status()
    return not status["inbox"]["waiting"] + status["outbox"]["due"] + status["outbox"]["waiting"]


@contextmanager
def started(daemon: Daemon, *program: str) -> Iterator[Daemon]:
    """Start the daemon, wait until it listens, and kill it at the end. `program` has the Python arguments before `run`."""
    daemon.spawn(program)
    try:
        daemon.wait_for(lambda: daemon.listens() or not daemon.alive, "the daemon to listen")
        assert daemon.alive, daemon.log.read_text()[-4000:]
        yield daemon
    finally:
        if daemon.alive:
            daemon.kill()


def deliver_all(
    daemon: Daemon, notifications: Sequence[dict[str, Any]], clients: int = 8
) -> tuple[Accepted, Counter[int]]:
    """Send each notification from `clients` parallel clients until it is accepted. Return the accepted notifications with their numbers,
    and the counts of other statuses."""
    refused: Counter[int] = Counter()

    def one_client(number: int) -> Accepted:
        sender = daemon.sender()
        accepted = []
        for notification in notifications[number::clients]:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while (answer := sender.send(notification)).status != 200:
                assert answer.status == 503, answer
                assert time.monotonic() < deadline, answer
                refused[answer.status] += 1
                time.sleep(PAUSE_SECONDS)
            accepted.append((int(json.loads(answer.body)["delivery"]), notification))
        sender.close()
        return accepted

    with ThreadPoolExecutor(clients) as pool:
        return [pair for part in pool.map(one_client, range(clients)) for pair in part], refused


def ready(daemon: Daemon) -> tuple[int, dict[str, Any]]:
    """Status and body of `/readyz`."""
    connection = http.client.HTTPConnection(*daemon.address, timeout=10)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        content: dict[str, Any] = json.loads(answer.read())
        return answer.status, content
    finally:
        connection.close()


def require_no_unexpected_errors(daemon: Daemon) -> None:
    """Raises AssertionError if the daemon logged an exception that it does not handle."""
    log = daemon.log.read_text()
    assert f'"{UNEXPECTED}"' not in log, log[-4000:]
    assert "Traceback" not in log, log[-4000:]


def stored_deliveries(database: Path) -> Accepted:
    """Every delivery in the store, with its number."""
    connection = sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True)
    try:
        rows = connection.execute("SELECT id, body FROM deliveries ORDER BY id").fetchall()
    finally:
        connection.close()
    store = read_store(StoreSettings(url=f"sqlite:{database}"))
    bodies = store.connection.read(lambda transaction: store.bodies.unpack(transaction, [body for _, body in rows]))
    store.close()
    return [(number, json.loads(body)) for (number, _), body in zip(rows, bodies, strict=True)]


def require_counts(groups: dict[str, dict[str, Any]], deliveries: Accepted) -> None:
    """Raises AssertionError unless every group equals the reference for these deliveries."""
    wrong = reference.differences(groups, reference.counts(deliveries))
    assert not wrong, f"{len(wrong)} groups are wrong, such as {next(iter(wrong.items()))}"


def require_stored(database: Path, accepted: Accepted, groups: dict[str, dict[str, Any]]) -> int:
    """Raises AssertionError unless the store has every accepted notification and counts it once. Return the number of further deliveries,
    which were refused with 503 and stored anyway."""
    stored = stored_deliveries(database)
    by_number = dict(stored)
    lost = [number for number, notification in accepted if by_number.get(number) != notification]
    assert not lost, f"{len(lost)} acknowledged notifications are lost, such as {lost[:5]}"
    require_counts(groups, stored)
    return len(stored) - len(accepted)

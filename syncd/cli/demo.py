"""`demo`: a real daemon, a week of crashes over real HTTP, and one file per crash to look at."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import FAILED, app, stop

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from syncd.cli.story import Told
    from syncd.store import Store

SENDERS = 8
PATIENCE_SECONDS = 60.0
CONFIG = """\
[receiver]
listen = "127.0.0.1:0"
username = "backtrace"
password = {{ file = "{folder}/webhook-password" }}

[store]
url = "sqlite:{folder}/syncd.db"

[trackers.files]
kind = "local"
folder = "{folder}/issues"

[[routes]]
match = {{ project = "game-*" }}
tracker = "files"
status_interval = "1s"
"""


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where a fresh folder for this run is made.")] = Path("demo"),
) -> None:
    """Run everything here, with files for issues: no account, no token, a few seconds."""
    from syncd import config as configuration
    from syncd.cli import story, tables
    from syncd.store import read_store

    place = folder / time.strftime("%Y%m%d-%H%M%S")
    place.mkdir(parents=True)
    path = _configure(place)
    told = story.tell(int(time.time()))
    out = tables.console()
    out.print(f"[bold]syncd[/] takes {told.size} notifications of {len(told.occurrences)} crashes over HTTP …")
    with _daemon(path, place / "daemon.log") as address:
        store = read_store(configuration.load(path).store)
        try:
            _tell(address, (place / "webhook-password").read_text(), told, store)
            standings = store.report.groups()
        finally:
            store.close()
    out.print()
    tables.groups(standings, len(standings))
    files = sorted((place / "issues").glob("*.md"))
    wrong = {
        standing.group.identity.fingerprint
        for standing in standings
        if standing.group.occurrences != told.occurrences[standing.group.identity.fingerprint]
    }
    if wrong or len(files) != len(told.occurrences):
        stop(
            FAILED,
            f"{len(files)} issues for {len(told.occurrences)} crashes, {len(wrong)} with a wrong count; see {place}/daemon.log",
        )
    out.print(
        f"\n[green]✓[/] {told.size} notifications ({told.redelivered} of them sent twice) became "
        f"{len(files)} issues, one per crash, every count as sent."
    )
    out.print(
        f"  Issues:  {place}/issues/\n  Look at: {max(files, key=lambda file: file.stat().st_size)}",
        markup=False,
    )
    syncd = "syncd" if shutil.which("syncd") else os.path.relpath(sys.argv[0])
    out.print(f"  And try: {syncd} show {standings[0].group.identity.fingerprint[:8]} --config {path}", markup=False)


def _configure(place: Path) -> Path:
    import secrets

    password = place / "webhook-password"
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(18))
    path = place / "config.toml"
    path.write_text(CONFIG.format(folder=place.resolve()))
    return path


@contextmanager
def _daemon(config: Path, log: Path) -> Iterator[tuple[str, int]]:
    """A daemon of its own, stopped at the end; where it listens."""
    command = [sys.executable, "-m", "syncd", "run", "--config", str(config)]
    with log.open("w") as stderr:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=stderr)  # noqa: S603 - our own program
    try:
        yield _listening(process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _listening(process: "subprocess.Popen[bytes]", log: Path) -> tuple[str, int]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if '"listening"' in line:
                host, _, port = json.loads(line)["address"].rpartition(":")
                return host, int(port)
        time.sleep(0.05)
    stop(FAILED, f"the daemon did not start; see {log}")


def _tell(address: tuple[str, int], password: str, told: "Told", store: "Store") -> None:
    from concurrent.futures import ThreadPoolExecutor

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<22}"), BarColumn(40), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress, ThreadPoolExecutor(SENDERS) as pool:
        sent = progress.add_task("notifications answered", total=told.size)
        folded = progress.add_task("folded into groups", total=told.size)
        filed = progress.add_task("issues filed", total=len(told.occurrences))
        answered = 0
        for day in told.days:
            # A group keeps its sender, and so its order; different groups arrive mixed.
            parts = [[said for said in day if _sender_of(said) == number] for number in range(SENDERS)]
            for asked in [pool.submit(_send, address, password, part, progress, sent) for part in parts]:
                asked.result()
            answered += len(day)
            _drain(store, progress, folded, filed, answered)


def _sender_of(notification: dict[str, object]) -> int:
    return int(str(notification["fingerprint"])[:8], 16) % SENDERS


def _send(
    address: tuple[str, int],
    password: str,
    notifications: Sequence[dict[str, object]],
    progress: "Progress",
    sent: "TaskID",
) -> None:
    from syncd.cli.sender import Sender

    sender = Sender(*address, ("backtrace", password))
    for notification in notifications:
        answer = sender.send(notification)
        if answer.status != 200:
            stop(FAILED, f"the daemon answered {answer.status}: {answer.body}")
        progress.advance(sent)
    sender.close()


def _drain(store: "Store", progress: "Progress", folded: "TaskID", filed: "TaskID", answered: int) -> None:
    """Wait until every delivery is folded and every group shows its latest state."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        counts = store.report.counts(time.time())
        progress.update(folded, completed=answered - counts.inbox_waiting)
        progress.update(filed, completed=counts.linked)
        if not (counts.inbox_waiting or counts.outbox_due or counts.outbox_waiting):
            return
        time.sleep(0.05)
    stop(FAILED, "the daemon did not finish in time")

"""`demo`: a real daemon, a week of crashes over real HTTP, and one file per crash to look at."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from syncd import config as configuration
from syncd.cli import FAILED, stop, story
from syncd.cli.groups import print_groups
from syncd.cli.sender import Sender
from syncd.cli.story import Story
from syncd.cli.tables import console
from syncd.model import GroupView
from syncd.platform.clock import Clock
from syncd.store import Store, read_store

app = typer.Typer(add_completion=False)

SENDERS = 8
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.05
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
    folder: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder in which each run makes a new folder.")
    ] = Path("demo"),
) -> None:
    """Run everything here with files as issues: no account, no token, a few seconds."""
    place = folder / time.strftime("%Y%m%d-%H%M%S")
    place.mkdir(parents=True)
    password = place / "webhook-password"
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(18))
    path = place / "config.toml"
    path.write_text(CONFIG.format(folder=place.resolve()))
    week = story.tell(int(Clock().wall()))
    out = console()
    out.print(f"[bold]syncd[/] takes {week.size} notifications of {len(week.occurrences)} crashes over HTTP …")
    with _daemon(path, place / "daemon.log") as address:
        store = read_store(configuration.load(path).store)
        try:
            _send_all(address, password.read_text(), week, store)
            standings = store.report.groups()
        finally:
            store.close()
    out.print()
    standings.sort(key=lambda standing: standing.group.occurrences, reverse=True)
    print_groups(standings, len(standings))
    files = sorted((place / "issues").glob("*.md"))
    counts = {standing.group.identity.fingerprint: standing.group.occurrences for standing in standings}
    wrong = sum(count != week.occurrences[fingerprint] for fingerprint, count in counts.items())
    if wrong or len(files) != len(week.occurrences):
        result = f"{len(files)} issues for {len(week.occurrences)} crashes, {wrong} with a wrong count"
        stop(FAILED, f"{result}; see {place}/daemon.log")
    out.print(
        f"\n[green]✓[/] {week.size} notifications ({week.redelivered} of them sent twice) became {len(files)} issues, "
        "one per crash, every count as sent."
    )
    best, hostile = (_file(place, standing) for standing in (standings[0], _hostile(standings)))
    syncd = "syncd" if shutil.which("syncd") else os.path.relpath(sys.argv[0])
    out.print(f"  Look at:  {best}\n  Issues:   {place}/issues/", markup=False)
    out.print(
        f"  Hostile:  {hostile}, of a crash whose names are made to break out of an issue", markup=False, soft_wrap=True
    )
    out.print(f"  Try next: {syncd} show {standings[0].group.identity.fingerprint[:8]} --config {path}", markup=False)


def _file(place: Path, standing: GroupView) -> Path:
    """The issue of a group."""
    return place / "issues" / f"{standing.issue.key if standing.issue is not None else ''}.md"


def _hostile(standings: Sequence[GroupView]) -> GroupView:
    """The group of the crash that has the frames of `story.HOSTILE`."""
    return next(standing for standing in standings if "Chat::receive(Packet)" in standing.group.callstack)


@contextmanager
def _daemon(config: Path, log: Path) -> Iterator[tuple[str, int]]:
    """Run a daemon and yield its receiver's address. Stops the daemon at the end."""
    command = [sys.executable, "-m", "syncd", "run", "--config", str(config)]
    with log.open("w") as stderr:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=stderr)  # noqa: S603 - our own program
    try:
        yield _address(process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _address(process: "subprocess.Popen[bytes]", log: Path) -> tuple[str, int]:
    """Wait until the daemon logs where it listens."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if '"listening"' in line:
                host, _, port = json.loads(line)["address"].rpartition(":")
                return host, int(port)
        time.sleep(POLL_SECONDS)
    stop(FAILED, f"the daemon did not start; see {log}")


def _send_all(address: tuple[str, int], password: str, week: Story, store: Store) -> None:
    """Send the week day by day, and wait after each day until every group shows its latest state."""
    columns = (TextColumn("{task.description:<22}"), BarColumn(40), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress, ThreadPoolExecutor(SENDERS) as pool:
        sent = progress.add_task("notifications answered", total=week.size)
        folded = progress.add_task("folded into groups", total=week.size)
        filed = progress.add_task("issues filed", total=len(week.occurrences))
        answered = 0
        for day in week.days:
            # One sender sends all notifications of a group, so that they stay in order; groups mix.
            parts: list[list[dict[str, object]]] = [[] for _ in range(SENDERS)]
            for notification in day:
                parts[int(str(notification["fingerprint"])[:8], 16) % SENDERS].append(notification)
            for sending in [pool.submit(_send, address, password, part, progress, sent) for part in parts]:
                sending.result()
            answered += len(day)
            deadline, busy = time.monotonic() + PATIENCE_SECONDS, True
            while busy:
                counts = store.report.counts(Clock().wall())
                progress.update(folded, completed=answered - counts.inbox_waiting)
                progress.update(filed, completed=counts.linked)
                busy = bool(counts.inbox_waiting or counts.outbox_due or counts.outbox_waiting)
                if busy and time.monotonic() > deadline:
                    stop(FAILED, "the daemon did not finish in time")
                time.sleep(POLL_SECONDS)


def _send(
    address: tuple[str, int], password: str, part: Sequence[dict[str, object]], progress: Progress, sent: TaskID
) -> None:
    sender = Sender(*address, ("backtrace", password))
    for notification in part:
        answer = sender.send(notification)
        if answer.status != 200:
            stop(FAILED, f"the daemon answered {answer.status}: {answer.body}")
        progress.advance(sent)
    sender.close()

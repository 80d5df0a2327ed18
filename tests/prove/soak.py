"""Half an hour of steady load with faults. Memory, file descriptors, threads and database size must be constant after a warm-up.

Retention of a month takes five minutes here: every minute the proof backdates older rows by the retention period, so that retention
works as after months.
"""

import http.client
import json
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import escape

from syncd.cli.sender import WEBHOOK, Sender
from syncd.store.sqlite.file import sqlite3
from tests.fakes.weather import Weather
from tests.prove.report import ROOT, Row
from tests.system import kinds
from tests.system.daemon import Daemon

PICTURE = ROOT / "docs" / "pictures" / "soak.svg"
GROUPS = 300
EACH_SECOND = 20
SAMPLE_SECONDS = 5.0
KEPT_SECONDS = 300.0
BACK_SECONDS = 40 * 86400.0
PATHS = (
    "/",
    "/groups",
    "/groups?state=held",
    "/releases?project=soak",
    f"/groups/soak/soak/{1:064x}",
    "/metrics",
    "/deliveries.json",
)
MORE = 'timeout = "2s"\nprobe_after = ["3s", "5s", "7s"]\nwrites = []\n'


@dataclass(frozen=True, slots=True)
class Sample:
    """Process and database at `at` seconds after the beginning."""

    at: float
    memory: int
    files: int
    threads: int
    database: int


def run(folder: Path, seed: int, minutes: int) -> Iterator[Row]:
    """One row and a picture."""
    seconds = minutes * 60.0
    with kinds.opened("github", folder) as kind:
        assert kind.fake is not None
        weather = Weather(seed, 0.05, (0.5, 3.0))
        kind.fake.weather = weather
        daemon = Daemon(folder, kind.toml(MORE).replace('"1s"', '"20s"'), console="127.0.0.1:0")
        with daemon:
            samples, responses = soak(daemon, weather, seed, seconds)
            weather.share = 0.0
            assert daemon.alive
            assert daemon.stop() == 0
    draw(samples, PICTURE if minutes >= 30 else folder / "soak.svg")
    yield verdict(samples, responses, weather, seconds)


def soak(daemon: Daemon, weather: Weather, seed: int, seconds: float) -> tuple[list[Sample], Counter[str]]:
    """Run the load; the samples, and the counts of requests by response."""
    stop, responses = threading.Event(), Counter[str]()
    threads = [
        threading.Thread(target=work, daemon=True)
        for work in (
            lambda: _send(daemon, seed, stop, responses),
            lambda: _look(daemon, stop, responses),
            lambda: _break(daemon, weather, stop, responses),
        )
    ]
    for thread in threads:
        thread.start()
    start_time, samples = time.monotonic(), []
    while (at := time.monotonic() - start_time) < seconds:
        samples.append(_sample(daemon, at))
        stop.wait(SAMPLE_SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    return samples, responses


def _sample(daemon: Daemon, at: float) -> Sample:
    process = Path(f"/proc/{daemon.pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    database = daemon.folder / "syncd.db"
    log = database.with_name("syncd.db-wal")
    return Sample(
        at=at,
        memory=int(status["VmRSS"].split()[0]) * 1024,
        files=len(list((process / "fd").iterdir())),
        threads=int(status["Threads"]),
        database=database.stat().st_size + (log.stat().st_size if log.exists() else 0),
    )


def _send(daemon: Daemon, seed: int, stop: threading.Event, responses: Counter[str]) -> None:
    """Send EACH_SECOND notifications per second; about one in a hundred is invalid."""
    chance, number, sender = random.Random(seed), 0, daemon.sender()
    counts = Counter[int]()
    due = time.monotonic()
    while not stop.is_set():
        number += 1
        group = chance.randrange(GROUPS)
        counts[group] += chance.randrange(1, 5)
        body = json.dumps(_notification(group, counts[group], number, chance))
        try:
            fault = chance.random()
            if fault < 0.003:
                _abandon(daemon, body)
                responses["aborted"] += 1
            elif fault < 0.006:
                responses[str(Sender(*daemon.address, ("backtrace", "wrong")).send({}).status)] += 1
            elif fault < 0.009:
                responses[str(sender.send({"hello": number}).status)] += 1
            else:
                responses[str(sender.send(json.loads(body)).status)] += 1
        except (OSError, http.client.HTTPException) as error:
            responses[type(error).__name__] += 1
            sender = daemon.sender()
        due += 1 / EACH_SECOND
        stop.wait(max(0.0, due - time.monotonic()))


def _notification(group: int, count: int, number: int, chance: random.Random) -> dict[str, object]:
    now = int(time.time())
    return {
        "universe": "soak",
        "project": "soak",
        "fingerprint": f"{group:064x}",
        "application": f"app-{group % 7}",
        "callstack": [f"frame_{group}_{depth}(std::string const&)" for depth in range(20)],
        "occurrences": count,
        "object_id": format(number, "x"),
        "timestamp": [now - 86400, now],
        "classifiers": ["segfault"],
        "hosts": count,
        "guids": count,
        "attributes": {"version": [[f"1.{chance.randrange(9)}", count]], "padding": [["x" * 500, 1]]},
    }


def _abandon(daemon: Daemon, body: str) -> None:
    connection = http.client.HTTPConnection(*daemon.address, timeout=10)
    connection.putrequest("POST", WEBHOOK)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[: len(body) // 2].encode())
    connection.close()


def _look(daemon: Daemon, stop: threading.Event, responses: Counter[str]) -> None:
    """Read the console pages all the time."""
    host, port = daemon.console_address
    while not stop.is_set():
        for path in PATHS:
            connection = http.client.HTTPConnection(host, port, timeout=30)
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                responses[f"console {answer.status}"] += 1
            except (OSError, http.client.HTTPException) as error:
                responses[f"console {type(error).__name__}"] += 1
            finally:
                connection.close()
        stop.wait(2.0)


def _break(daemon: Daemon, weather: Weather, stop: threading.Event, responses: Counter[str]) -> None:
    """Faults: tracker down for 30 s of every 5 min, database locked for 3 s of every 4 min. Also backdates rows every minute."""
    tick = 0
    while not stop.wait(10.0):
        tick += 1
        weather.share = 1.0 if tick % 30 < 3 else 0.05
        if tick % 24 == 0:
            responses["locks"] += 1
            _locked(daemon)
        if tick % 6 == 0:
            _age(daemon)


def _locked(daemon: Daemon) -> None:
    connection = sqlite3.connect(str(daemon.folder / "syncd.db"), timeout=20)
    try:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(3.0)
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def _age(daemon: Daemon) -> None:
    now = time.time()
    connection = sqlite3.connect(str(daemon.folder / "syncd.db"), timeout=20)
    try:
        with connection:
            for table, column, back in (
                ("deliveries", "received_at", BACK_SECONDS),
                ("folded", "folded_at", BACK_SECONDS),
                ("history", "at", BACK_SECONDS * 10),
            ):
                connection.execute(
                    f"UPDATE {table} SET {column} = {column} - ? WHERE {column} BETWEEN ? AND ?",
                    [back, now - BACK_SECONDS / 2, now - KEPT_SECONDS],
                )
    finally:
        connection.close()


def verdict(samples: Sequence[Sample], responses: Counter[str], weather: Weather, seconds: float) -> Row:
    """Compare the last third with the second third; the values must be nearly equal."""
    second = [sample for sample in samples if seconds / 3 <= sample.at < 2 * seconds / 3]
    last = [sample for sample in samples if sample.at >= 2 * seconds / 3]
    figures, wrong = [], []
    for name, unit, allowed in (
        ("memory", 2**20, 0.05),
        ("files", 1, 0.1),
        ("threads", 1, 0.1),
        ("database", 2**20, 0.1),
    ):
        before, after = (statistics.median(getattr(sample, name) for sample in part) / unit for part in (second, last))
        suffix = " MiB" if unit > 1 else ""
        figures.append(f"{name} {before:.0f} → {after:.0f}{suffix}")
        if after > before * (1 + allowed) + (2 if unit == 1 else 1):
            wrong.append(name)
    unexpected = {key: count for key, count in responses.items() if key not in _EXPECTED}
    answers = ", ".join(f"{count} × {key}" for key, count in responses.most_common())
    return Row(
        action=f"{EACH_SECOND} notifications per second of {GROUPS} groups; 5% of all tracker calls fail in every way; the tracker is down for 30 s "
        "of every 5 min; the database is locked for 3 s of every 4 min; a client reads the console",
        scale=f"{seconds / 60:.0f} min; {answers}; {sum(weather.failed.values())} tracker calls failed",
        result=f"median of the second → last third: {', '.join(figures)} ([over time](pictures/soak.svg))"
        + (f"; NOT CONSTANT: {', '.join(wrong)}" if wrong else "")
        + (f"; UNEXPECTED: {unexpected}" if unexpected else ""),
        ok=not wrong and not unexpected,
    )


_EXPECTED = {"200", "401", "422", "aborted", "locks", "console 200"}


def draw(samples: Sequence[Sample], path: Path) -> None:
    """Draw four charts over time, each from zero to its largest value."""
    width, tall, gap = 720, 90, 34
    parts = []
    for number, (name, unit) in enumerate((("memory", "MiB"), ("files", ""), ("threads", ""), ("database", "MiB"))):
        values = [getattr(sample, name) / (2**20 if unit else 1) for sample in samples]
        top, floor = number * (tall + gap) + gap, number * (tall + gap) + gap + tall
        most, end = max([*values, 1]), max(sample.at for sample in samples) or 1.0
        points = " ".join(
            f"{sample.at / end * width:.1f},{floor - value / most * tall:.1f}"
            for sample, value in zip(samples, values, strict=True)
        )
        label = f"{name}: at most {max(values):.0f} {unit}".strip()
        parts.append(
            f'<text x="0" y="{top - 8}">{escape(label)}</text><line x1="0" x2="{width}" y1="{floor}" y2="{floor}"/>'
            f'<polyline points="{points}"/>'
        )
    height = 4 * (tall + gap) + 24
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" fill="#5b6563">'
        f'<g fill="none" stroke="#0f766e" stroke-width="1.5">{"".join(part[part.index("<polyline") :] for part in parts)}</g>'
        f'<g stroke="#c3cac6">{"".join(part[part.index("<line") : part.index("<polyline")] for part in parts)}</g>'
        f"{''.join(part[: part.index('<line')] for part in parts)}"
        f'<text x="0" y="{height - 4}">over {max(sample.at for sample in samples) / 60:.0f} minutes</text></svg>\n'
    )

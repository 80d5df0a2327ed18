"""Half an hour of steady load with faults: memory, file descriptors, threads and the database must be flat after a warm-up.

What is kept for a month is kept for five minutes here: each minute, what is older is dated back by as long as it would have to
wait, so that retention works as it does after months.
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
from syncd.store.sqlite.driver import sqlite3
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
PATHS = ("/", "/groups", "/groups?state=held", "/releases?project=soak", "/groups/1", "/metrics", "/deliveries.json")
MORE = 'timeout = "2s"\nprobe_after = ["2s", "4s", "6s"]\nwrites = []\n'


@dataclass(frozen=True, slots=True)
class Sample:
    """The process and its database at a time since the beginning."""

    at: float
    memory: int
    files: int
    threads: int
    database: int


def run(folder: Path, seed: int, minutes: int) -> Iterator[Row]:
    """One line, and a picture."""
    seconds = minutes * 60.0
    with kinds.opened("github", folder) as kind:
        assert kind.fake is not None
        weather = Weather(seed, 0.05, (0.5, 3.0))
        kind.fake.weather = weather
        daemon = Daemon(folder, kind.toml(MORE).replace('"1s"', '"20s"'), console="127.0.0.1:0")
        with daemon:
            samples, sent = soak(daemon, weather, seed, seconds)
            weather.share = 0.0
            assert daemon.alive
            assert daemon.stop() == 0
    draw(samples, PICTURE if minutes >= 30 else folder / "soak.svg")
    yield verdict(samples, sent, weather, seconds)


def soak(daemon: Daemon, weather: Weather, seed: int, seconds: float) -> tuple[list[Sample], Counter[str]]:
    """What was measured, and what was sent and answered."""
    ended, sent = threading.Event(), Counter[str]()
    threads = [
        threading.Thread(target=work, daemon=True)
        for work in (
            lambda: _send(daemon, seed, ended, sent),
            lambda: _look(daemon, ended, sent),
            lambda: _break(daemon, weather, ended, sent),
        )
    ]
    for thread in threads:
        thread.start()
    began, samples = time.monotonic(), []
    while (at := time.monotonic() - began) < seconds:
        samples.append(_sample(daemon, at))
        ended.wait(SAMPLE_SECONDS)
    ended.set()
    for thread in threads:
        thread.join()
    return samples, sent


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


def _send(daemon: Daemon, seed: int, ended: threading.Event, sent: Counter[str]) -> None:
    """EACH_SECOND notifications; one in a hundred is broken in some way."""
    chance, number, sender = random.Random(seed), 0, daemon.sender()
    counts = Counter[int]()
    due = time.monotonic()
    while not ended.is_set():
        number += 1
        group = chance.randrange(GROUPS)
        counts[group] += chance.randrange(1, 5)
        body = json.dumps(_told(group, counts[group], number, chance))
        try:
            fault = chance.random()
            if fault < 0.003:
                _abandon(daemon, body)
                sent["left in the middle"] += 1
            elif fault < 0.006:
                sent[str(Sender(*daemon.address, ("backtrace", "wrong")).send({}).status)] += 1
            elif fault < 0.009:
                sent[str(sender.send({"hello": number}).status)] += 1
            else:
                sent[str(sender.send(json.loads(body)).status)] += 1
        except (OSError, http.client.HTTPException) as error:
            sent[type(error).__name__] += 1
            sender = daemon.sender()
        due += 1 / EACH_SECOND
        ended.wait(max(0.0, due - time.monotonic()))


def _told(group: int, count: int, number: int, chance: random.Random) -> dict[str, object]:
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


def _look(daemon: Daemon, ended: threading.Event, sent: Counter[str]) -> None:
    """Somebody looks at the console all the time."""
    host, port = daemon.console_address
    while not ended.is_set():
        for path in PATHS:
            connection = http.client.HTTPConnection(host, port, timeout=30)
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                sent[f"console {answer.status}"] += 1
            except (OSError, http.client.HTTPException) as error:
                sent[f"console {type(error).__name__}"] += 1
            finally:
                connection.close()
        ended.wait(2.0)


def _break(daemon: Daemon, weather: Weather, ended: threading.Event, sent: Counter[str]) -> None:
    """The tracker is away for half a minute of every five, the database locked for three seconds of every four, and time passes."""
    turn = 0
    while not ended.wait(10.0):
        turn += 1
        weather.share = 1.0 if turn % 30 < 3 else 0.05
        if turn % 24 == 0:
            sent["locks"] += 1
            _locked(daemon)
        if turn % 6 == 0:
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


def verdict(samples: Sequence[Sample], sent: Counter[str], weather: Weather, seconds: float) -> Row:
    """Flat: the last third is hardly more than the second one."""
    second = [one for one in samples if seconds / 3 <= one.at < 2 * seconds / 3]
    last = [one for one in samples if one.at >= 2 * seconds / 3]
    told, wrong = [], []
    for name, unit, allowed in (
        ("memory", 2**20, 0.05),
        ("files", 1, 0.1),
        ("threads", 1, 0.1),
        ("database", 2**20, 0.1),
    ):
        before, after = (statistics.median(getattr(one, name) for one in part) / unit for part in (second, last))
        suffix = " MiB" if unit > 1 else ""
        told.append(f"{name} {before:.0f} → {after:.0f}{suffix}")
        if after > before * (1 + allowed) + (2 if unit == 1 else 1):
            wrong.append(name)
    unexpected = {key: count for key, count in sent.items() if key not in _EXPECTED}
    answers = ", ".join(f"{count} × {key}" for key, count in sent.most_common())
    return Row(
        done=f"{EACH_SECOND} notifications a second of {GROUPS} groups, 5% of all tracker calls failing in every way, the tracker away for 30 s "
        "of every 5 min, the database locked for 3 s of every 4 min, somebody at the console",
        many=f"{seconds / 60:.0f} min; {answers}; {sum(weather.failed.values())} tracker calls failed",
        came=f"median of the second third → of the last: {', '.join(told)} ([over time](pictures/soak.svg))"
        + (f"; NOT FLAT: {', '.join(wrong)}" if wrong else "")
        + (f"; UNEXPECTED: {unexpected}" if unexpected else ""),
        ok=not wrong and not unexpected,
    )


_EXPECTED = {"200", "401", "422", "left in the middle", "locks", "console 200"}


def draw(samples: Sequence[Sample], path: Path) -> None:
    """Four lines over time, each from zero to its largest value."""
    width, tall, gap = 720, 90, 34
    parts = []
    for number, (name, unit) in enumerate((("memory", "MiB"), ("files", ""), ("threads", ""), ("database", "MiB"))):
        values = [getattr(one, name) / (2**20 if unit else 1) for one in samples]
        top, floor = number * (tall + gap) + gap, number * (tall + gap) + gap + tall
        most, end = max([*values, 1]), max(one.at for one in samples) or 1.0
        points = " ".join(
            f"{one.at / end * width:.1f},{floor - value / most * tall:.1f}"
            for one, value in zip(samples, values, strict=True)
        )
        words = f"{name}: at most {max(values):.0f} {unit}".strip()
        parts.append(
            f'<text x="0" y="{top - 8}">{escape(words)}</text><line x1="0" x2="{width}" y1="{floor}" y2="{floor}"/>'
            f'<polyline points="{points}"/>'
        )
    height = 4 * (tall + gap) + 24
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" fill="#5b6563">'
        f'<g fill="none" stroke="#0f766e" stroke-width="1.5">{"".join(part[part.index("<polyline") :] for part in parts)}</g>'
        f'<g stroke="#c3cac6">{"".join(part[part.index("<line") : part.index("<polyline")] for part in parts)}</g>'
        f"{''.join(part[: part.index('<line')] for part in parts)}"
        f'<text x="0" y="{height - 4}">over {max(one.at for one in samples) / 60:.0f} minutes</text></svg>\n'
    )

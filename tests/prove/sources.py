"""Senders besides Backtrace, each behaving as its vendor's: redeliveries, kill -9, wrong and swapped secrets. One issue for each crash of each source."""

import base64
import hmac
import http.client
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from syncd.config.sources import kinds
from tests.intake.source_bodies import CUMULATIVE, GENERIC, MAKERS
from tests.prove.chaos_verdict import visible_count
from tests.prove.clumsy import is_idle
from tests.prove.crashes import until
from tests.prove.daemons import ROUTE
from tests.prove.report import Row
from tests.system.daemon import Daemon

DELIVERIES = 10  # of each crash
CLIENTS = 8
PATIENCE_SECONDS = 1800.0
REPEATING = ("alertmanager", "rollbar")  # repeat a delivery that was not answered, or with 5xx; all others never do
SENTRY_SECONDS = 1.0  # Sentry waits so long for an answer


def secret(kind: str, name: str) -> str:
    return f"the-secret-of-{kind}-{name}"


def section(folder: Path, kind: str, name: str) -> str:
    """`[sources.NAME]` of a kind, with its own login."""
    path = folder / f"secret-{name}"
    path.write_text(secret(kind, name))
    path.chmod(0o600)
    lines = [f"[sources.{name}]", f'kind = "{kind}"', f'secret = {{ file = "{path}" }}']
    if kinds()[kind].keys["login"] == "basic":
        lines.append('username = "sender"')
    if kind == "generic":
        lines += [
            'counts = "cumulative"',
            f"[sources.{name}.map]",
            *(f"{key} = {json.dumps(text)}" for key, text in GENERIC.items()),
        ]
    return "\n".join(lines) + "\n"


def request(kind: str, name: str, key: str, body: bytes) -> tuple[str, dict[str, str]]:
    """The path and the headers by which a sender with a secret posts to a source."""
    keys = kinds()[kind].keys
    path = f"/sources/{name}"
    match keys["login"]:
        case "basic":
            return path, {"Authorization": "Basic " + base64.b64encode(f"sender:{key}".encode()).decode()}
        case "bearer":
            return path, {"Authorization": f"Bearer {key}"}
        case "header":
            return path, {keys["header"]: key}
        case "hmac":
            return path, {keys["header"]: hmac.new(key.encode(), body, "sha256").hexdigest()}
    return f"{path}/{key}", {}


@dataclass
class Sender:
    """Posts as a vendor's program does, and writes down what was answered."""

    daemon: Daemon
    kind: str
    acknowledged: Counter[tuple[str, str]] = field(default_factory=Counter)  # distinct bodies of (source, crash)
    posted: Counter[tuple[str, str]] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    opened: list[str] = field(default_factory=list)  # where another secret was accepted

    def post(self, name: str, key: str, body: bytes) -> int:
        """The status of one attempt; 0 if there was no answer."""
        path, headers = request(self.kind, name, key, body)
        connection = http.client.HTTPConnection(
            *self.daemon.address, timeout=SENTRY_SECONDS if self.kind == "sentry" else 10.0
        )
        try:
            connection.request("POST", path, body, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            status = 0
        finally:
            connection.close()
        self.statuses[status] += 1
        return status

    def deliver(self, name: str, body: bytes) -> bool:
        """Post a body until it is answered, or once, as the vendor does. True if it was acknowledged."""
        while True:
            status = self.post(name, secret(self.kind, name), body)
            if status == 200:
                return True
            if self.kind not in REPEATING or 400 <= status < 500:
                return False
            time.sleep(0.05)

    def send(self, name: str, crash: str, chance: random.Random) -> None:
        """All deliveries of a crash: half of them distinct, each perhaps again later, now and then with another secret."""
        bodies = [json.dumps(MAKERS[self.kind](crash, number)).encode() for number in range(1, DELIVERIES // 2 + 1)]
        done: set[int] = set()
        order = [*range(len(bodies)), *(chance.randrange(len(bodies)) for _ in bodies)]
        for number in order:
            if chance.random() < 0.05:
                wrong = chance.choice(
                    [secret(self.kind, "there" if name == "here" else "here"), "guessed-and-long-enough"]
                )
                if self.post(name, wrong, bodies[number]) not in (401, 0):
                    self.opened.append(name)
            if self.deliver(name, bodies[number]):
                done.add(number)
            else:
                time.sleep(chance.uniform(0.1, 0.5))  # the next crash comes later
        self.acknowledged[name, crash] = len(done)
        self.posted[name, crash] = len(bodies)


def killed(daemon: Daemon, ended: threading.Event, most: int, chance: random.Random) -> int:
    """Kill the daemon at random times, and start it again, until the senders have ended, `most` times at most. Return how often."""
    kills = 0
    while kills < most and not ended.wait(chance.uniform(0.5, 2.5)):
        daemon.kill()
        daemon.start()
        kills += 1
    return kills


def filed(folder: Path) -> dict[tuple[str, str], list[str]]:
    """The texts of the issues of each crash of each source."""
    texts: dict[tuple[str, str], list[str]] = {}
    for path in (folder / "issues").glob("*.md"):
        text = path.read_text()
        names = set(re.findall(r"source:(here|there)", text)), set(re.findall(r"crash-\d+", text))
        assert all(len(each) == 1 for each in names), (path.name, names)
        texts.setdefault((names[0].pop(), names[1].pop()), []).append(text)
    return texts


def prove(folder: Path, kind: str, seed: int, crashes: int) -> Row:
    """So many crashes of two sources of a kind, a tenth of them with the same identifiers in both."""
    wanted = [("here", f"crash-{number}") for number in range(crashes)]
    wanted += [("there", f"crash-{number}") for number in range(0, crashes, 10)]
    sources = "".join(section(folder, kind, name) for name in ("here", "there"))
    trackers = f'{sources}[trackers.here]\nkind = "local"\nfolder = "{folder}/issues"\n{ROUTE}'
    with Daemon(folder, trackers) as daemon:
        sender, ended = Sender(daemon, kind), threading.Event()
        with ThreadPoolExecutor(CLIENTS + 1) as pool:
            killer = pool.submit(killed, daemon, ended, max(3, crashes // 20), random.Random(f"{seed} kills {kind}"))
            try:
                list(pool.map(lambda each: sender.send(each[0], each[1], random.Random(f"{seed} {each}")), wanted))
            finally:
                ended.set()
            kills = killer.result()
        # What a sender that never repeats had no answer for may be lost; each crash is sent once more while nobody kills.
        for name, crash in wanted:
            assert sender.deliver(name, json.dumps(MAKERS[kind](crash, DELIVERIES // 2)).encode())
        until(lambda: is_idle(daemon), "the last issue", PATIENCE_SECONDS)
        kept = len(json.loads(daemon.syncd("quarantine", "list", "--json")))
    texts, faults = filed(folder), list[str]()
    faults += [f"{each}: {len(texts.get(each, ()))} issues" for each in wanted if len(texts.get(each, ())) != 1]
    for each in wanted:
        # An event of Sentry is at least one occurrence, and in a disorder of times all that the count says is a bound.
        least, most = 1 if kind == "sentry" else sender.acknowledged[each], sender.posted[each]
        for text in texts.get(each, ()):
            count = visible_count(text)
            exact = kind in CUMULATIVE or kind in REPEATING
            if count is None or not (most if exact else max(1, least)) <= count <= most:
                faults.append(f"{each} counts {count} instead of {least} to {most}")
    faults += [f"{len(sender.opened)} deliveries with another secret were accepted"] if sender.opened else []
    faults += [f"{kept} in the quarantine"] if kept else []
    attempts = sum(sender.statuses.values())
    return Row(
        action=f"{kinds()[kind].title}: each crash in ten deliveries, half of them repeated, some with the secret of another source or a guessed one, "
        "and kill -9 at random times; a tenth of the crashes has the same identifiers in two sources",
        scale=f"{len(wanted)} crashes, {attempts} requests ({sender.statuses[200]} acknowledged, {sender.statuses[401]} refused, {sender.statuses[0]} unanswered), {kills} kills",
        result="; ".join(faults[:5])
        or f"{len(texts)} issues, one of each; every count as the source means it; no other secret was accepted",
        ok=not faults and kills > 0 and sender.statuses[401] > 0,
    )


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """A row for each kind of source; `size` is the number of crashes."""
    for kind in sorted(MAKERS):
        (folder / kind).mkdir()
        yield prove(folder / kind, kind, seed, size)

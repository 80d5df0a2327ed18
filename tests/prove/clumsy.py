"""Clumsy and hostile bodies, thousands of them, at one daemon: each is filed, or refused and kept, and the memory stays flat."""

import base64
import http.client
import json
import os
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.oddities import Case, cases
from tests.prove.crashes import until
from tests.prove.doors import LIMIT, peak
from tests.prove.report import Row
from tests.system.daemon import PASSWORD, Daemon
from tests.system.kinds import ROUTE

CLIENTS = 8
PATIENCE_SECONDS = 1800.0
GROWTH_BYTES = 20 * 2**20
LOGIN = "Basic " + base64.b64encode(f"backtrace:{PASSWORD}".encode()).decode()
STATUSES = {None: 200, "not_json": 400}  # any other code is answered 422


def resident(daemon: Daemon) -> int:
    """The memory of the daemon in bytes."""
    return int(Path(f"/proc/{daemon.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def is_idle(daemon: Daemon) -> bool:
    """True if nothing waits any more."""
    status = daemon.status()
    return not status["inbox"]["waiting"] + status["outbox"]["due"] + status["outbox"]["waiting"]


def send(daemon: Daemon, share: Sequence[Case]) -> list[int]:
    """Send bodies on one connection; the statuses of the answers."""
    connection = http.client.HTTPConnection(*daemon.address, timeout=60)
    statuses = []
    for case in share:
        connection.request("POST", "/webhooks/backtrace", case.body, {"Authorization": LOGIN})
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    return statuses


def send_all(daemon: Daemon, sample: Sequence[Case]) -> dict[str, int]:
    """Send all bodies; the cases that are answered otherwise than the table says."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        shares = [sample[number::CLIENTS] for number in range(CLIENTS)]
        answers = list(pool.map(lambda share: send(daemon, share), shares))
    wrong = {}
    for share, statuses in zip(shares, answers, strict=True):
        for case, status in zip(share, statuses, strict=True):
            allowed = (200, 400, 422) if case.damaged else (STATUSES.get(case.code, 422),)
            if status not in allowed:
                wrong[case.name] = status
    return wrong


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row. `size` is the number of cases, each sent three times."""
    every = list(cases(seed))
    sample = random.Random(seed).sample(every, min(size, len(every)))
    trackers = f'[trackers.here]\nkind = "local"\nfolder = "{folder}/issues"\n{ROUTE}'
    with Daemon(folder, trackers, "quarantine_size = 100000\n") as daemon:
        wrong = send_all(daemon, sample)
        until(lambda: is_idle(daemon), "the last issue", PATIENCE_SECONDS)
        before = resident(daemon)
        for _ in range(2):
            wrong |= send_all(daemon, sample)
        until(lambda: is_idle(daemon), "the last comment", PATIENCE_SECONDS)
        status = daemon.status()
        growth, most = resident(daemon) - before, peak(daemon)
        groups = {
            tuple(group[part] for part in ("universe", "project", "fingerprint")) for group in daemon.groups().values()
        }
        kept = len(json.loads(daemon.syncd("quarantine", "list", "--json")))
        log = daemon.log.read_text()
    refused = 3 * sum(case.code is not None for case in sample if not case.damaged)
    missing = {case.identity for case in sample if case.code is None and not case.damaged} - groups
    files = len(list((folder / "issues").glob("*.md")))
    faults = [
        *(f"{name}: {answer}" for name, answer in list(wrong.items())[:5]),
        *(f"not filed: {identity}" for identity in list(missing)[:5]),
        *([f"{kept} kept of {refused}"] if kept < refused else []),
        *([f"{files} issues of {len(groups)} groups"] if files != len(groups) else []),
        *(["an unexpected error in the log"] if '"unexpected_error"' in log else []),
        *([f"the inbox has {status['inbox']['waiting']}"] if status["inbox"]["waiting"] else []),
        *([f"{most / 2**20:.0f} MB of memory at the most"] if most > LIMIT else []),
        *([f"memory grew by {growth / 2**20:.0f} MB"] if growth > GROWTH_BYTES else []),
    ]
    yield Row(
        action="odd values in every place of a notification, bodies that are odd as a whole, damaged bodies, in six encodings, each sent three times",
        scale=f"{len(sample)} bodies of {len(every)}",
        result="; ".join(faults)
        or f"{len(groups)} groups, as many issues; {kept} bodies refused and kept; inbox empty, no answer of 5xx; memory grew by {growth / 2**20:.0f} MB, and was {most / 2**20:.0f} MB at the most",
        ok=not faults,
    )

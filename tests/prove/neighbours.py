"""Two hundred healthy crashes beside two rejected crashes and a dead tracker: the daemon files them as fast as alone."""

import re
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.github import FakeGitHub
from tests.fakes.server import Fault, Recorded
from tests.prove.crashes import FINGERPRINT, Tally, crash, fingerprint, tally, until
from tests.prove.daemons import github_section
from tests.prove.report import Row
from tests.system.daemon import Daemon

HEALTHY = 200
DEAD = 10  # crashes whose route leads to the dead tracker
LATENCY_SECONDS = 0.01
PATIENCE_SECONDS = 300.0
REFUSED, FAILING = 90_001, 90_002  # the rejected crashes: always 422, always 500
_MESSAGES = {REFUSED: "body contains a forbidden word", FAILING: "the server choked on it"}
_SILENT = re.compile(r"did not answer in time|no connection to")
_PROBES = 'probe_after = ["6s", "8s", "10s"]'
_ROUTES = """
[[routes]]
match = { project = "lost-game" }
tracker = "dead"
max_new_issues = []
[[routes]]
tracker = "here"
status_interval = "1s"
max_new_issues = []
max_updates = []
"""


@dataclass(kw_only=True)
class Round:
    """One daemon, with or without the faults: seconds until all healthy crashes were filed, and the state of all groups."""

    seconds: float
    healthy: Tally
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)

    def wrong(self) -> list[str]:
        """The violations in a round with faults."""
        refused, failing = (self.groups[fingerprint(number)] for number in (REFUSED, FAILING))
        lost = [self.groups[fingerprint(number)] for number in range(HEALTHY, HEALTHY + DEAD)]
        return [
            *([] if self.healthy.exact else [f"not every healthy crash has one issue: {self.healthy}"]),
            *([] if _MESSAGES[REFUSED] in str(refused) else [f"the refused crash shows no reason: {refused}"]),
            *([] if _MESSAGES[FAILING] in str(failing) else [f"the failing crash shows no reason: {failing}"]),
            *([] if not any(group["issue"] for group in lost) else ["the dead tracker has an issue"]),
            *(
                []
                if any(_SILENT.search(str(group)) for group in lost)
                else [f"no reason for the dead tracker: {lost[0]}"]
            ),
        ]


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row per kind of dead tracker. `size` is the number of rounds; rounds with and without faults alternate."""
    for hangs in (True, False):
        yield _compared(folder / ("hangs" if hangs else "refuses"), hangs, size)


def _compared(folder: Path, hangs: bool, rounds: int) -> Row:
    alone, faulty = [], []
    for number in range(rounds):
        alone.append(file_healthy(folder / f"alone-{number}"))
        faulty.append(file_healthy(folder / f"beside-{number}", hangs))
    wrong = [problem for outcome in faulty for problem in outcome.wrong()]
    wrong += [f"alone: {outcome.healthy}" for outcome in alone if not outcome.healthy.exact]
    before, after = (statistics.median(outcome.seconds for outcome in several) for several in (alone, faulty))
    dead = "that accepts connections and never responds" if hangs else "that refuses connections"
    return Row(
        action=f"{HEALTHY} healthy crashes beside two rejected ones (always 422, always 500) on the same tracker, and {DEAD} crashes for "
        f"a tracker {dead}",
        scale=f"{rounds} rounds with and {rounds} rounds without the faults, alternating",
        result="; ".join(wrong)
        or f"all {HEALTHY} filed once, in a median of {after:.2f} s with the faults and {before:.2f} s without: "
        f"{after / before:.2f} times as long; both rejected crashes show their reason",
        ok=not wrong,
    )


def file_healthy(folder: Path, hangs: bool | None = None) -> Round:
    """File the healthy crashes. None means without faults; otherwise `hangs` selects the kind of dead tracker, and the faults come first."""
    faults = hangs is not None
    with FakeGitHub() as here, _dead(hangs=bool(hangs)) as address:
        here.latency = LATENCY_SECONDS
        here.weather = _poison
        sections = [
            github_section(folder, here.url, 'timeout = "5s"', _PROBES),
            github_section(folder, address, 'timeout = "1s"', _PROBES, name="dead"),
        ]
        with Daemon(folder, "".join([*sections, _ROUTES])) as daemon:
            if faults:
                daemon.send_all([crash(HEALTHY + number, project="lost-game") for number in range(DEAD)])
                daemon.send_all([crash(REFUSED), crash(FAILING)])
            start_time = time.monotonic()
            daemon.send_all([crash(number) for number in range(HEALTHY)])
            until(lambda: len(here.repository.issues) >= HEALTHY, f"{HEALTHY} issues", PATIENCE_SECONDS)
            seconds = time.monotonic() - start_time
            if faults:
                until(lambda: _is_shown(daemon), "a reason for every fault", PATIENCE_SECONDS)
            groups = daemon.groups()
        texts = [issue.body or "" for issue in here.repository.issues.values()]
        healthy = tally([fingerprint(number) for number in range(HEALTHY)], texts)
        return Round(seconds=seconds, healthy=healthy, groups=groups)


def _poison(request: Recorded) -> Fault | None:
    match = FINGERPRINT.search(request.raw.decode()) if request.method == "POST" else None
    if match is None or match[0] not in (fingerprint(REFUSED), fingerprint(FAILING)):
        return None
    if match[0] == fingerprint(REFUSED):
        body = {"message": "Validation Failed", "errors": [{"message": _MESSAGES[REFUSED]}]}
        return Fault(how="status", status=422, body=body)
    return Fault(how="status", status=500, body={"message": _MESSAGES[FAILING]})


@contextmanager
def _dead(hangs: bool) -> Iterator[str]:
    """The address of a socket that accepts connections and never responds, or of a closed port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if hangs:
            listener.listen(128)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _is_shown(daemon: Daemon) -> bool:
    """True if each fault has a reason. Each query is a process, so the queries are spaced."""
    time.sleep(0.3)
    groups = str(daemon.groups())
    return all(message in groups for message in _MESSAGES.values()) and _SILENT.search(groups) is not None

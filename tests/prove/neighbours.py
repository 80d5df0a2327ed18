"""Two poisoned crashes and a dead tracker beside two hundred healthy crashes: those are filed as fast as without them."""

import re
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.github import TOKEN, FakeGitHub
from tests.fakes.server import Fault, Recorded
from tests.prove.crashes import FINGERPRINT, Tally, crash, fingerprint, tally, until
from tests.prove.report import Row
from tests.system.daemon import Daemon

HEALTHY = 200
DEAD = 10  # crashes that only the dead tracker could take
LATENCY_SECONDS = 0.01
PATIENCE_SECONDS = 300.0
REFUSED, FAILING = 90_001, 90_002  # the poisoned crashes: 422 and 500, each time
_WORDS = {REFUSED: "body contains a word that is not allowed", FAILING: "the server choked on it"}
_SILENT = re.compile(r"did not answer in time|no connection to")
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
    """One daemon, with its troubles or without: how long the healthy crashes took, and what became of all of them."""

    seconds: float
    healthy: Tally
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)

    def wrong(self) -> list[str]:
        """What must not be; for a round with troubles."""
        refused, failing = (self.groups[fingerprint(number)] for number in (REFUSED, FAILING))
        lost = [self.groups[fingerprint(number)] for number in range(HEALTHY, HEALTHY + DEAD)]
        return [
            *([] if self.healthy.exact else [f"not every healthy crash has one issue: {self.healthy}"]),
            *([] if _WORDS[REFUSED] in str(refused) else [f"what was refused does not say why: {refused}"]),
            *([] if _WORDS[FAILING] in str(failing) else [f"what fails does not say why: {failing}"]),
            *([] if not any(group["issue"] for group in lost) else ["the dead tracker took an issue"]),
            *([] if any(_SILENT.search(str(group)) for group in lost) else [f"no word of the dead tracker: {lost[0]}"]),
        ]


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """A line for each way of being dead. `size` is how many rounds, with troubles and without in turn."""
    for hangs in (True, False):
        yield _compared(folder / ("hangs" if hangs else "refuses"), hangs, size)


def _compared(folder: Path, hangs: bool, rounds: int) -> Row:
    alone, beside = [], []
    for number in range(rounds):
        alone.append(file_healthy(folder / f"alone-{number}"))
        beside.append(file_healthy(folder / f"beside-{number}", hangs))
    wrong = [problem for one in beside for problem in one.wrong()]
    wrong += [f"alone: {one.healthy}" for one in alone if not one.healthy.exact]
    before, after = (statistics.median(one.seconds for one in several) for several in (alone, beside))
    dead = "that takes connections and says nothing" if hangs else "that refuses connections"
    return Row(
        done=f"{HEALTHY} healthy crashes beside two poisoned ones (422 and 500 each time) on the same tracker, and {DEAD} crashes for "
        f"a tracker {dead}",
        many=f"{rounds} times with the troubles and {rounds} times without, in turn",
        came="; ".join(wrong)
        or f"all {HEALTHY} filed once, in a median of {after:.2f} s beside the troubles and {before:.2f} s without: "
        f"{after / before:.2f} times as long; both poisoned ones are shown with their reason",
        ok=not wrong,
    )


def file_healthy(folder: Path, hangs: bool | None = None) -> Round:
    """File the healthy crashes. Where `hangs` says how the dead tracker is dead, the troubles are there, and are sent first."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "token").write_text(TOKEN)
    troubles = hangs is not None
    with FakeGitHub() as here, _dead(hangs=bool(hangs)) as address:
        here.latency = LATENCY_SECONDS
        here.weather = _poison
        sections = _tracker(folder, "here", here.url, "30s"), _tracker(folder, "dead", address, "1s")
        with Daemon(folder, "".join([*sections, _ROUTES])) as daemon:
            if troubles:
                daemon.send_all([crash(HEALTHY + number, project="lost-game") for number in range(DEAD)])
                daemon.send_all([crash(REFUSED), crash(FAILING)])
            began = time.monotonic()
            daemon.send_all([crash(number) for number in range(HEALTHY)])
            until(lambda: len(here.repository.issues) >= HEALTHY, f"{HEALTHY} issues", PATIENCE_SECONDS)
            seconds = time.monotonic() - began
            if troubles:
                until(lambda: _is_shown(daemon), "a reason for every trouble", PATIENCE_SECONDS)
            groups = daemon.groups()
        texts = [issue.body or "" for issue in here.repository.issues.values()]
        healthy = tally([fingerprint(number) for number in range(HEALTHY)], texts)
        return Round(seconds=seconds, healthy=healthy, groups=groups)


def _poison(request: Recorded) -> Fault | None:
    match = FINGERPRINT.search(request.raw.decode()) if request.method == "POST" else None
    if match is None or match[0] not in (fingerprint(REFUSED), fingerprint(FAILING)):
        return None
    if match[0] == fingerprint(REFUSED):
        said = {"message": "Validation Failed", "errors": [{"message": _WORDS[REFUSED]}]}
        return Fault(how="status", status=422, body=said)
    return Fault(how="status", status=500, body={"message": _WORDS[FAILING]})


@contextmanager
def _dead(hangs: bool) -> Iterator[str]:
    """The address of what takes connections and says nothing, or of what nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if hangs:
            listener.listen(128)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _tracker(folder: Path, name: str, address: str, timeout: str) -> str:
    return (
        f'[trackers.{name}]\nkind = "github"\nrepository = "acme/game"\napi_url = "{address}"\ntimeout = "{timeout}"\n'
        f'token = {{ file = "{folder}/token" }}\nwrites = ["6000/1m"]\nprobe_after = ["1s", "2s", "3s"]\n'
    )


def _is_shown(daemon: Daemon) -> bool:
    """Whether each trouble has a reason: each is asked for by a process of its own, so not too often."""
    time.sleep(0.3)
    told = str(daemon.groups())
    return all(words in told for words in _WORDS.values()) and _SILENT.search(told) is not None

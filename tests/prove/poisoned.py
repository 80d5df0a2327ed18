"""One issue that refuses every write for ever: new crashes are filed as fast as without it, and the tracker never rests."""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.github import FakeGitHub
from tests.fakes.server import Fault, Recorded
from tests.prove.crashes import crash, until
from tests.prove.daemons import github_section
from tests.prove.report import Row
from tests.system.daemon import Daemon

PATIENCE_SECONDS = 120.0
ROUTES = '[[routes]]\ntracker = "here"\nstatus_interval = "1s"\nmax_new_issues = []\nmax_updates = []\n'
# What a full issue answers: GitHub's own text, another language, no body, a page, a text that is cut off.
REFUSALS: Mapping[str, tuple[int, Any]] = {
    "a full conversation": (403, {"message": "Commenting is disabled on issues with more than 2500 comments"}),
    "another language": (403, {"message": "Die Diskussion ist zu lang."}),
    "no body": (403, None),
    "a page": (403, b"<html><body>Forbidden</body></html>"),
    "no detail": (422, {"message": "Validation Failed"}),
    "a truncated body": (400, b'{"message": "trunc'),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """The new issues beside a refusing one, the seconds until the last of them, and what the daemon made of the refusals."""

    issues: int
    seconds: float
    dead: int
    rests: int
    state: str

    @property
    def exact(self) -> bool:
        """True if one group is a dead letter, and nothing else noticed it."""
        return (self.dead, self.rests, self.state) == (1, 0, "ok")


def file_beside(folder: Path, groups: int, refusal: tuple[int, Any] | None) -> Filed:
    """File so many new crashes, one after the other, each after an update of the issue that refuses it. None refuses nothing."""

    def refuse(request: Recorded) -> Fault | None:
        is_full = request.method in ("POST", "PATCH") and re.search(r"/issues/1(/|$)", request.path)
        return Fault(how="status", status=refusal[0], body=refusal[1]) if refusal and is_full else None

    with FakeGitHub() as here, Daemon(folder, github_section(folder, here.url) + ROUTES) as daemon:
        daemon.send_all([crash(0)])
        daemon.drain()
        here.weather = refuse
        began = time.monotonic()
        for number in range(1, groups + 1):
            daemon.send_all([crash(0, number + 1)], clients=1)
            daemon.send_all([crash(number)], clients=1)
        until(lambda: len(here.repository.issues) > groups, f"{groups} issues", PATIENCE_SECONDS)
        seconds = time.monotonic() - began
        if refusal is not None:
            until(lambda: daemon.status()["dead"], "the refusal to be a dead letter", PATIENCE_SECONDS)
        status = daemon.status()
        return Filed(
            issues=len(here.repository.issues) - 1,
            seconds=seconds,
            dead=status["dead"],
            rests=daemon.log.read_text().count('"event":"tracker_paused"'),
            state=status["trackers"]["here"]["state"],
        )


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row for each way to refuse. `size` is the number of new groups."""
    alone = file_beside(folder / "alone", size, None)
    for number, (name, refusal) in enumerate(REFUSALS.items()):
        filed = file_beside(folder / f"beside-{number}", size, refusal)
        ok = filed.exact and filed.issues == size
        yield Row(
            action=f"an issue that refuses every write with {refusal[0]} ({name}), and new crashes",
            scale=f"{size} new groups, one after the other, each with an update of the refusing issue",
            result=f"all {size} filed in {filed.seconds:.1f} s, {alone.seconds:.1f} s without it; one dead letter, no rest"
            if ok
            else str(filed),
            ok=ok,
        )

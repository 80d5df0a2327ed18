"""Who kills the daemon, and at which step: ourselves at a random time, the fake when a request has come so far, or the daemon
itself (`dying`)."""

import itertools
import os
import random
import re
import signal
import threading
from dataclasses import dataclass

from tests.fakes.server import Cut, How, Moment, Recorded
from tests.prove import dying

RANDOM, STARTING, UNMET = "random", "random, starting", "random, the step did not come"


@dataclass(frozen=True)
class Met:
    """A step that the fake sees. Where not `carried_out`, what arrived is lost with its sender."""

    moment: Moment
    what: str
    carried_out: bool = True


CREATE = r"/issues?$"
_COMMENT = r"/comments?(/\d+)?$"
MET = {
    "sent, carried out later": Met("arrived", CREATE),
    "sent, never carried out": Met("arrived", CREATE, carried_out=False),
    "committed, not answered": Met("carried_out", CREATE),
    "answered": Met("answered", CREATE),
    "comment sent": Met("arrived", _COMMENT),
    "comment committed": Met("carried_out", _COMMENT),
}
_ONLY_FILES = {"before file", "after file"}
_NEVER_FILES = {"before doubt", "after a negative probe"}  # a file is there or not, and one look tells

# Steps that only a create in doubt comes to: how one is brought about in the same life.
DOUBTS: dict[str, How] = {
    "before doubt": "reset_after",
    "during probe": "half_after",
    "after probe": "reset_before",
    "after a negative probe": "reset_before",
    "before found": "reset_after",
    "after found": "empty_after",
    "before absent": "reset_before",
    "after absent": "reset_before",
}
# Updates come after creates and probes: not at the beginning of a life.
_COMMENTS = {"after comment intent", "before comment link", "comment sent", "comment committed"}
PATIENT = {*DOUBTS, *_COMMENTS}  # steps that are waited for as long as for a doubt
ONCE = {"before take-over", "after take-over", *PATIENT}  # hardly ever a second time in one life
# A folder has no server that could bring a doubt about: there it is what these kills leave to the next life.
_LEAVING_DOUBT = {"after intent", "before link", "during create", "before file", "after file"}


def schedule(kind: str, kills: int, chance: random.Random, forgetting: bool) -> list[str]:
    """So many steps in a random order: half of them at random times, the other half at every step there is, as evenly as
    it goes; those in DOUBTS take longer and come in every second round. A daemon with another fault cannot die by itself."""
    strange = _NEVER_FILES if kind == "local" else _ONLY_FILES
    own = [] if forgetting else [step for step in dying.STEPS if step not in strange]
    steps = [*own, *(MET if kind != "local" else ())]
    half = kills // 2 if steps else 0
    chance.shuffle(steps)
    rounds = itertools.cycle([*steps, *(step for step in steps if step not in DOUBTS)])
    planned = list(itertools.islice(rounds, half))
    planned += [chance.choice((RANDOM, RANDOM, STARTING)) for _ in range(kills - half)]
    chance.shuffle(planned)
    return planned


def following(planned: list[str], kind: str, died: str) -> str:
    """Take the next step out of the plan, after a life that ended as `died`."""
    index = len(planned) - 1
    if kind == "local":
        fitting = [at for at, step in enumerate(planned) if (step in DOUBTS) == (died in _LEAVING_DOUBT)]
        index = fitting[-1] if fitting else index
    return planned.pop(index)


class Watch:
    """A `ServerBase.watch`: kills the daemon `pid` at the step it was armed with, and counts creates that were carried out
    after the death of who asked for them."""

    def __init__(self) -> None:
        self.late = 0
        self._lock = threading.Lock()
        self._pid: int | None = None
        self._met: Met | None = None
        self._nth = 0
        self._senders: dict[int, int | None] = {}  # by the identity of the request, who was alive when it came

    def begins(self, pid: int, step: str, nth: int) -> None:
        """A daemon was started, to be killed at the nth meeting of a step of MET, or never by us."""
        with self._lock:
            self._pid, self._met, self._nth = pid, MET.get(step), nth

    def ended(self) -> None:
        """The daemon is dead."""
        with self._lock:
            self._pid = self._met = None

    def __call__(self, moment: Moment, request: Recorded) -> None:
        """Raises Cut where the request is to be lost."""
        create = request.method == "POST" and re.search(CREATE, request.path) is not None
        with self._lock:
            if moment == "arrived" and create:
                self._senders[id(request)] = self._pid
            met = self._strike(moment, request)
            if moment == "carried_out" and create:
                self.late += self._senders.pop(id(request), self._pid) != self._pid
        if met is not None and not met.carried_out:
            raise Cut

    def _strike(self, moment: Moment, request: Recorded) -> Met | None:
        met = self._met
        if self._pid is None or met is None or met.moment != moment:
            return None
        if request.method == "GET" or not re.search(met.what, request.path):
            return None
        self._nth -= 1
        if self._nth:
            return None
        try:
            os.kill(self._pid, signal.SIGKILL)
        except ProcessLookupError:
            return None  # it was killed for another reason a moment ago
        self._pid = self._met = None
        return met

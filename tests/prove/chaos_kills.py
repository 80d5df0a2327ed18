"""The schedule of kills. The trial kills at a random time, the fake at a stage of a request, or the daemon kills itself (`dying`)."""

import itertools
import os
import random
import re
import signal
import threading
from dataclasses import dataclass

from tests.fakes.server import Cut, How, Moment, Recorded
from tests.prove import dying

RANDOM, STARTING, MISSED = "random", "random, starting", "random, step missed"


@dataclass(frozen=True)
class Stage:
    """A stage of a request in the fake. If not `carried_out`, the fake drops the request together with its sender."""

    moment: Moment
    what: str
    carried_out: bool = True


CREATE = r"/issues?$"
_COMMENT = r"/comments?(/\d+)?$"
STAGES = {
    "sent, carried out later": Stage("arrived", CREATE),
    "sent, never carried out": Stage("arrived", CREATE, carried_out=False),
    "committed, not answered": Stage("carried_out", CREATE),
    "answered": Stage("answered", CREATE),
    "comment sent": Stage("arrived", _COMMENT),
    "comment committed": Stage("carried_out", _COMMENT),
}
_ONLY_FILES = {"before file", "after file"}
_NEVER_FILES = {"before doubt", "before a negative probe"}  # one look tells whether a file exists

# Steps that only a create in doubt reaches, with the fault that causes the doubt in the same life.
DOUBTS: dict[str, How] = {
    "before doubt": "reset_after",
    "during probe": "half_after",
    "after probe": "reset_before",
    "before a negative probe": "reset_before",
    "before found": "reset_after",
    "inside found": "empty_after",
    "before absent": "reset_before",
    "inside absent": "reset_before",
}
# Updates follow creates and probes, so that they do not occur at the beginning of a life.
_COMMENTS = {"after comment intent", "before comment link", "comment sent", "comment committed"}
PATIENT = {*DOUBTS, *_COMMENTS}  # the trial waits as long for these steps as for a doubt
ONCE = {"before take-over", "after take-over", *PATIENT}  # these steps rarely occur twice in one life
# A local folder has no server that could cause a doubt. These kills leave a doubt to the next life.
_LEAVING_DOUBT = {"after intent", "before link", "during create", "before file", "after file"}


def schedule(kind: str, kills: int, chance: random.Random, forgetting: bool) -> list[str]:
    """A random order of `kills` steps: half of them at random times, half evenly distributed over all steps.

    Steps in DOUBTS take longer and are in every second round. A daemon with a planted fault (`forgetting`) cannot kill itself.
    """
    excluded = _NEVER_FILES if kind == "local" else _ONLY_FILES
    own = [] if forgetting else [step for step in dying.STEPS if step not in excluded]
    steps = [*own, *(STAGES if kind != "local" else ())]
    half = kills // 2 if steps else 0
    chance.shuffle(steps)
    rounds = itertools.cycle([*steps, *(step for step in steps if step not in DOUBTS)])
    plan = list(itertools.islice(rounds, half))
    plan += [chance.choice((RANDOM, RANDOM, STARTING)) for _ in range(kills - half)]
    chance.shuffle(plan)
    return plan


def next_step(plan: list[str], kind: str, last_step: str) -> str:
    """Remove the next step from `planned`, after a life that ended at step `died`."""
    index = len(plan) - 1
    if kind == "local":
        fitting = [at for at, step in enumerate(plan) if (step in DOUBTS) == (last_step in _LEAVING_DOUBT)]
        index = fitting[-1] if fitting else index
    return plan.pop(index)


class Watch:
    """A `ServerBase.watch` that kills the daemon at the armed stage and counts creates that the fake carried out after the death of
    their sender."""

    def __init__(self) -> None:
        self.late = 0
        self._lock = threading.Lock()
        self._pid: int | None = None
        self._stage: Stage | None = None
        self._nth = 0
        self._senders: dict[
            int, int | None
        ] = {}  # by request identity: the daemon that was alive when the request arrived

    def arm(self, pid: int, step: str, nth: int) -> None:
        """Arm for a new daemon: kill it at the nth occurrence of a step of STAGES. Other steps do not kill here."""
        with self._lock:
            self._pid, self._stage, self._nth = pid, STAGES.get(step), nth

    def disarm(self) -> None:
        """Disarm after the death of the daemon."""
        with self._lock:
            self._pid = self._stage = None

    def __call__(self, moment: Moment, request: Recorded) -> None:
        """Observe a request. Raises Cut if the fake must drop it."""
        create = request.method == "POST" and re.search(CREATE, request.path) is not None
        with self._lock:
            if moment == "arrived" and create:
                self._senders[id(request)] = self._pid
            stage = self._strike(moment, request)
            if moment == "carried_out" and create:
                self.late += self._senders.pop(id(request), self._pid) != self._pid
        if stage is not None and not stage.carried_out:
            raise Cut

    def _strike(self, moment: Moment, request: Recorded) -> Stage | None:
        stage = self._stage
        if self._pid is None or stage is None or stage.moment != moment:
            return None
        if request.method == "GET" or not re.search(stage.what, request.path):
            return None
        self._nth -= 1
        if self._nth:
            return None
        try:
            os.kill(self._pid, signal.SIGKILL)
        except ProcessLookupError:
            return None  # the daemon is already dead
        self._pid = self._stage = None
        return stage

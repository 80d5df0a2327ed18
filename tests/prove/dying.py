"""A daemon that kills itself at a step: `python -m tests.prove.dying STEP NTH SEED run --config FILE`.

This program wraps the public method of the step and then runs `syncd.cli.main`. The process sends SIGKILL to itself right before or
after the NTH call, so that nothing is finished or cleaned up. With SEED other than 0 file operations of the local tracker fail at
random, because that tracker has no server that could fail.
"""

import errno
import functools
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal

Wrapped = Callable[..., Any]
When = Literal["before", "after", "during"]

NEVER = "never"
FORGETTING = "forgetting"  # no kill but a planted fault: the daemon repeats creates in doubt
DURING_SECONDS = 0.05
FILE_FAILED = "file_failed"  # the log event of each injected failure

# Module, method, and the side of the call on which the process dies.
STEPS: dict[str, tuple[str, str, When]] = {
    "before take-over": ("syncd.store.outbox", "Outbox.take_over", "before"),
    "after take-over": ("syncd.store.outbox", "Outbox.take_over", "after"),
    "before absorb": ("syncd.worker.absorb", "fold_batch", "before"),
    "after absorb": ("syncd.worker.absorb", "fold_batch", "after"),
    "after claim": ("syncd.worker.sync", "load", "before"),
    "before intent": ("syncd.worker.create", "intend", "before"),
    "after intent": ("syncd.worker.create", "intend", "after"),
    "before doubt": ("syncd.store.issues", "end_intent", "before"),
    "before link": ("syncd.worker.create", "link", "before"),
    "after link": ("syncd.worker.create", "link", "after"),
    "during probe": ("syncd.trackers", "Tracker.probe", "during"),
    "after probe": ("syncd.trackers", "Tracker.probe", "after"),
    "before a negative probe": ("syncd.store.issues", "probed", "before"),
    "before found": ("syncd.worker.create", "link_proved", "before"),
    "inside found": ("syncd.worker.create", "link_proved", "after"),
    "before absent": ("syncd.store.issues", "absent", "before"),
    "inside absent": ("syncd.store.issues", "absent", "after"),
    "after comment intent": ("syncd.trackers", "Tracker.comment", "before"),
    "before comment link": ("syncd.trackers", "Tracker.comment", "after"),
    "before settle": ("syncd.worker.sync", "finish", "before"),
    "after settle": ("syncd.worker.sync", "finish", "after"),
    "during create": ("syncd.trackers", "Tracker.create", "during"),
    "before file": ("os", "link", "before"),
    "after file": ("os", "link", "after"),
}

# Calls of the local tracker that can fail, and their errors. SQLite does not use these calls.
_FILE_CALLS = ("open", "link", "fsync")
_FILE_ERRORS = (errno.ENOSPC, errno.EIO, errno.EDQUOT)
_FILE_SHARE = 0.06  # of calls; an operation of the tracker makes about five calls

_FILE_SLOW, _FILE_SECONDS = 0.15, 0.3  # share of slow calls, and their longest delay


def main(arguments: list[str]) -> None:
    """Wrap the method and run syncd. Raises AttributeError if the method of the step does not exist."""
    step, nth, seed, *rest = arguments
    if step == FORGETTING:
        _forget()
    elif step != NEVER:
        _arm(step, int(nth))
    if int(seed):
        _storm(random.Random(int(seed)))
    from syncd.cli import main as syncd

    sys.argv = ["syncd", *rest]
    syncd()


def resolve(step: str) -> tuple[Any, str]:
    """The object that has the method of a step, and the name of the method. Raises AttributeError if the method does not exist."""
    module_name, path, _ = STEPS[step]
    owner, _, name = path.rpartition(".")
    module = import_module(module_name)
    holder = getattr(module, owner) if owner else module
    getattr(holder, name)
    return holder, name


def _arm(step: str, nth: int) -> None:
    holder, name = resolve(step)
    death = _Death(nth, STEPS[step][2])
    if STEPS[step][1].startswith("Tracker."):
        _arm_trackers(name, death)  # Tracker is a protocol: each kind has its own class
    else:
        setattr(holder, name, death.around(getattr(holder, name)))


def _arm_trackers(name: str, death: "_Death") -> None:
    app = import_module("syncd.daemon.app")
    open_tracker = app.open_tracker

    def opened(*arguments: Any, **named: Any) -> Any:
        tracker = open_tracker(*arguments, **named)
        setattr(tracker, name, death.around(getattr(tracker, name)))
        return tracker

    app.open_tracker = opened  # type: ignore[attr-defined]


class _Death:
    """Kills the process at the `nth` call of the wrapped method, counted over all threads."""

    def __init__(self, nth: int, when: When) -> None:
        self._left = nth
        self._when = when
        self._lock = threading.Lock()

    def around(self, method: Wrapped) -> Wrapped:
        @functools.wraps(method)
        def dying(*arguments: Any, **named: Any) -> Any:
            with self._lock:
                self._left -= 1
                now = self._left == 0
            if now and self._when == "before":
                _die()
            if now and self._when == "during":
                threading.Timer(random.uniform(0.0, DURING_SECONDS), _die).start()
            result = method(*arguments, **named)
            if now and self._when == "after":
                _die()
            return result

        return dying


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _forget() -> None:
    """Judge every create in doubt as absent, whatever the probe read, and read nothing else before the create that follows."""
    from syncd.core import doubt
    from tests.prove.unswept import replace_sweep

    replace_sweep()

    doubt.judge  # noqa: B018 - raises AttributeError if the function does not exist
    doubt.judge = lambda *_: doubt.Judgement(outcome=doubt.Outcome.ABSENT, reason="planted fault")


def _storm(chance: random.Random) -> None:
    def failing(method: Wrapped) -> Wrapped:
        @functools.wraps(method)
        def called(*arguments: Any, **named: Any) -> Any:
            if chance.random() < _FILE_SLOW:
                time.sleep(chance.uniform(0.0, _FILE_SECONDS))
            if chance.random() >= _FILE_SHARE:
                return method(*arguments, **named)
            error = chance.choice(_FILE_ERRORS)
            event = json.dumps({"event": FILE_FAILED, "what": f"{method.__name__} {errno.errorcode[error]}"})
            # In one piece: print() writes the end of the line by itself, and a line of another thread may come between.
            sys.stderr.write(f"{event}\n")
            if chance.random() < 0.5 and method.__name__ != "open":
                method(*arguments, **named)  # the call succeeds but reports a failure
            raise OSError(error, os.strerror(error))

        return called

    from syncd.trackers.local import tracker as local

    # Replace `os` in the adapter only; the rest of the process does not fail.
    stormy = type(os)("os")
    stormy.__dict__.update(os.__dict__ | {name: failing(getattr(os, name)) for name in _FILE_CALLS})
    local.os = stormy  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(sys.argv[1:])

"""The functions on the way of a notification: `python -m bench.path` prints them for each stage, from a real run in this process.

The receiver is called as an ASGI application, without the HTTP server; the store is SQLite on disk, the tracker GitHub's fake over
HTTP. All threads are counted, the store's writer too; functions of libraries and of the fake are not. A function has a name: comprehensions
and lambdas belong to the function around them, as a reader reads them.
"""

import asyncio
import json
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import syncd
from syncd import config as configuration
from syncd.intake.receiver import PATH, Receiver
from syncd.platform.clock import Clock
from syncd.store import Store, open_store
from syncd.trackers import InstrumentedTracker, Tracker, open_tracker
from syncd.worker.absorb import absorb
from syncd.worker.presentation import Presentation
from syncd.worker.routing import Routing, opens
from syncd.worker.sync import sync
from tests.prove.crashes import crash
from tests.system.kinds import opened

HOME = str(Path(syncd.__file__).parent)
FAKES = str(Path(HOME) / "plugin" / "conformance")  # the server that the fakes of trackers are built on
INTERVAL = 1000.0  # seconds between two stages: no status_interval and no look is waited for


@dataclass
class Trace:
    """What one stage called, in order, by all threads."""

    calls: list[CodeType] = field(default_factory=list)
    reads: int = 0
    commits: int = 0

    def __str__(self) -> str:
        files = [code.co_filename for code in self.calls]
        changes = sum(before != after for before, after in pairwise(files))
        return (
            f"{len(self.calls):5} calls of {len(set(self.calls)):3} functions in {len(set(files)):2} files, "
            f"{changes:3} changes of file; {self.reads} store reads, {self.commits} commits"
        )


class Tracer:
    """Counts while a stage runs. Threads are seen if they were started after it was made."""

    def __init__(self) -> None:
        self._trace: Trace | None = None
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)

    def _profile(self, frame: FrameType, event: str, argument: object) -> None:  # noqa: ARG002 - as sys.setprofile calls it
        code = frame.f_code
        if (
            self._trace is not None
            and event == "call"
            and code.co_filename.startswith(HOME)
            and not code.co_filename.startswith(FAKES)
            and not code.co_name.startswith("<")
        ):
            self._trace.calls.append(code)

    @contextmanager
    def stage(self, store: Store) -> Iterator[Trace]:
        """Count what happens meanwhile."""
        holder: Any = store
        connection = holder.connection
        trace = self._trace = Trace()
        original = {name: getattr(connection, name) for name in ("read", "submit")}

        def counted(name: str, counter: str) -> Callable[..., Any]:
            def call(*arguments: Any, **options: Any) -> Any:
                setattr(trace, counter, getattr(trace, counter) + 1)
                return original[name](*arguments, **options)

            return call

        # The store hands out the connection's own `read`; its `write` goes through `submit`.
        connection.read = holder.read = counted("read", "reads")
        connection.submit = counted("submit", "commits")
        try:
            yield trace
        finally:
            self._trace = None
            del connection.read, connection.submit
            holder.read = connection.read

    def close(self) -> None:
        """Stop counting for good."""
        threading.setprofile(None)
        sys.setprofile(None)


class SteppedClock(Clock):
    """The machine's clock, moved forward between stages."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def wall(self) -> float:
        return super().wall() + self.ahead


@dataclass
class Way:
    """The parts of a daemon, whose stages are called one by one."""

    store: Store
    routing: Routing
    tracker: Tracker
    receiver: Receiver
    clock: SteppedClock
    tracer: Tracer

    def accept(self, body: dict[str, object]) -> Trace:
        """POST one notification."""
        content = json.dumps(body).encode()
        messages = iter([{"type": "http.request", "body": content, "more_body": False}])
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        scope = {"type": "http", "method": "POST", "path": PATH, "headers": headers, "client": ("127.0.0.1", 1)}
        statuses: list[int] = []

        async def receive() -> Any:
            return next(messages)

        async def send(message: Any) -> None:
            statuses.append(message.get("status", 0))

        async def post() -> None:
            await self.receiver(scope, receive, send)

        with self.tracer.stage(self.store) as trace:
            asyncio.run(post())
        assert statuses[0] == 200, statuses
        return trace

    def absorb(self) -> Trace:
        """Fold what was accepted."""
        with self.tracer.stage(self.store) as trace:
            absorb(self.store, self.routing, self.clock.wall())
        return trace

    def sync(self) -> Trace:
        """Sync the group that is due, as a thread of the daemon does."""
        self.clock.ahead += INTERVAL
        with self.tracer.stage(self.store) as trace:
            now = self.clock.wall()
            due = opens(self.store, "here", self.routing.allowance("here"), now)
            claim = self.store.outbox.claim("here", f"path/{now}", now, [call for call, at in due.items() if at <= now])
            assert claim is not None
            sync(self.store, self.tracker, claim, self.routing, self.clock)
        return trace


def measure() -> dict[str, Trace]:
    """Each stage's trace, by name."""
    with tempfile.TemporaryDirectory() as name, opened("github", Path(name)) as kind:
        home = Path(name)
        (home / "config.toml").write_text(f'[store]\nurl = "sqlite:{home}/syncd.db"\n' + kind.toml())
        config = configuration.load(home / "config.toml")
        clock, tracer, store = SteppedClock(), Tracer(), open_store(config.store)
        routing = Routing(
            config=config, instance_key=store.instance_key(), presentation=Presentation.from_config(config)
        )
        client = open_tracker("here", config.trackers["here"], store.notebook("here"), clock=clock, sleep=_never)
        tracker = InstrumentedTracker("here", client, clock)
        way = Way(store, routing, tracker, Receiver(config.receiver, store, lambda *_: None), clock, tracer)
        traces: dict[str, Trace] = {}
        try:
            way.accept(crash(0, 1))  # the loop, the connection and the logger are made once
            way.absorb()
            traces["first create"] = way.sync()
            traces = {"accept": way.accept(crash(1, 3)), "absorb": way.absorb()} | traces
            traces["second create"] = way.sync()
            for update, occurrences in (("first update", 5), ("second update", 9)):
                way.accept(crash(1, occurrences))
                way.absorb()
                traces[update] = way.sync()
        finally:
            tracer.close()
            tracker.close()
            store.close()
        return traces


def _never(seconds: float) -> None:
    raise AssertionError(f"a call was to be repeated after {seconds} seconds")


def main() -> None:
    """Print one line for each stage."""
    for stage, trace in measure().items():
        print(f"{stage:14} {trace}")


if __name__ == "__main__":
    main()

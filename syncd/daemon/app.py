"""The parts of one process: build them, start them, wait, stop them.

Not here: what each part does. A part is imported from its room and gets what it needs as an argument.
"""

import gc
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from types import FrameType
from typing import TYPE_CHECKING

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from syncd import __version__
from syncd.backtrace import poll
from syncd.backtrace.client import targets
from syncd.config import Config
from syncd.config.plugins import faults as plugin_faults
from syncd.daemon import threads
from syncd.daemon.heartbeat import Heartbeat, take_over
from syncd.daemon.watchdog import Watchdog
from syncd.errors import ConfigError, StoreUnavailable
from syncd.intake import source_receiver
from syncd.intake.hooks import Hooks, is_hook
from syncd.intake.receiver import PATH, Receiver, takes
from syncd.intake.source_receiver import SourceReceiver
from syncd.notices.sender import open_senders
from syncd.operate.health import Health
from syncd.operate.status import status
from syncd.platform import http_server, metrics
from syncd.platform.admission import ThrottledLog
from syncd.platform.clock import Clock
from syncd.platform.systemd import Manager
from syncd.render.text import one_line
from syncd.store import Store, open_store
from syncd.store.hints import INBOX, of_tracker
from syncd.store.inbox import Part
from syncd.store.instances import Registration, running
from syncd.trackers import InstrumentedTracker, Tracker, open_tracker
from syncd.worker import reconcile
from syncd.worker.presentation import Presentation
from syncd.worker.routing import Routing, digest

if TYPE_CHECKING:
    from syncd.console.site import Console

log = structlog.get_logger("syncd")

SWITCH_SECONDS = 0.0005
CHECKS = ("/livez", "/readyz")
YOUNG_OBJECTS = 20_000  # between two collections of young objects


@dataclass(frozen=True, slots=True)
class Daemon:
    """The parts of one process. `receiver`, `sources`, `hooks` and `listening` are absent in a worker, `worker` in a receiver."""

    config: Config
    store: Store
    registration: Registration
    heartbeat: Heartbeat
    worker: threads.Worker | None
    receiver: Receiver | None
    sources: SourceReceiver | None
    hooks: Hooks | None
    listening: socket.socket | None
    console: "Console | None"
    manager: Manager
    clock: Clock

    def run(self, signals: list[str]) -> None:
        """Serve until SIGTERM, SIGINT or SIGHUP, then finish the work in progress. SIGHUP stays ignored where `nohup` has set it so.
        `signals` has the names of those that came while the daemon was built: with one, nothing starts."""
        # The event loop and the committing thread alternate often: with Python's own 5 ms the committing thread waits that long for
        # the interpreter, several times in each commit, and every sender waits with it (decision 0017).
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.collect()
        gc.freeze()  # spares the garbage collector the objects of the start
        # A delivery makes many small objects and no cycle: a collection after every 700 of them finds nothing (decision 0017).
        gc.set_threshold(YOUNG_OBJECTS, 10, 10)
        server = None
        if self.receiver is not None and self.sources is not None and self.hooks is not None:
            server = self._server(self.receiver, self.sources, self.hooks)
        stopping = threading.Event()
        beats: dict[str, Callable[[], float]] = {"writer": lambda: self.store.connection.beat}
        if server is not None:
            beats["event loop"] = lambda: server.beat
        if (worker := self.worker) is not None:
            beats["worker"] = lambda: worker.beat
        watchdog = Watchdog(self.manager, self.clock, beats, self._status)

        def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal.signal passes both
            signals.append(signal.Signals(number).name)
            stopping.set()
            if server is not None:
                server.stop()

        with on_signals(stop):
            try:
                if signals:
                    return
                self.heartbeat.start()
                if self.console is not None:
                    self.console.start()
                if self.manager.present:
                    watchdog.start()
                if worker is not None:
                    worker.start()
                if server is not None and self.listening is not None:
                    server.run(sockets=[self.listening])
                else:
                    log.info("worker_started", instance=self.registration.owner)
                    self.manager.notify(READY="1")
                    stopping.wait()
            finally:
                log.info("stopping", signal=signals[0] if signals else None)
                self.manager.notify(STOPPING="1")
                self._stop(watchdog, crashed=not signals)
                log.info("stopped")

    def _stop(self, watchdog: Watchdog, *, crashed: bool) -> None:
        """Stop the parts in the order in which they depend on each other; those that were not started are left alone."""
        if self.worker is not None:
            self.worker.stop()
        if self.console is not None and self.console.ident is not None:
            self.console.stop()
        if self.heartbeat.ident is not None:
            self.heartbeat.stop()
        try:
            self.registration.close(stopped=not crashed)
        except StoreUnavailable as error:
            log.warning("deregister_failed", reason=str(error))  # the other processes notice by themselves
        self.store.close()
        if watchdog.ident is not None:
            watchdog.stop()

    def _server(self, receiver: Receiver, sources: SourceReceiver, hooks: Hooks) -> http_server.Server:
        def listens() -> None:
            if self.listening is not None:
                log.info("listening", address=http_server.address_of(self.listening))
            self.manager.notify(READY="1")

        settings = self.config.receiver
        application = _application(receiver, sources, hooks, Health(self.config, self.store, self.clock))
        return http_server.Server(application, settings.header_seconds, settings.max_connections, listens)

    def _status(self) -> str:
        """One line for `systemctl status`. Raises StoreUnavailable."""
        shape = status(self.config, self.store, self.clock.wall())
        return (
            f"{shape['sentence']} {shape['inbox']['waiting']} in the inbox, {shape['outbox']['due']} due in the outbox."
        )


def build(config: Config, manager: Manager, sockets: Sequence[socket.socket], part: Part, *, dry: bool) -> Daemon:
    """Open everything that `part` needs, and bring the store to this program's schema. Nothing runs yet, and no tracker is called.

    `sockets` are the listening sockets that the service manager passed. With `dry`, groups are planned and no tracker is written to.
    Raises ConfigError, SchemaMismatch, StoreUnavailable.
    """
    clock = Clock()
    metrics.BUILD.info({"version": __version__})
    presentation = Presentation.from_config(config)
    # Before the store: a process that cannot listen must not disturb the one that does.
    listening = None if part is Part.WORKER else _listen(config, sockets)
    store = open_store(config.store)
    registration = store.join(part, clock.wall(), None if part is Part.RECEIVER else digest(config))
    worker = None
    # A receiver alone wakes the workers elsewhere.
    arrived: Callable[..., None] = lambda *_: store.hints.send(INBOX)  # noqa: E731
    wake: Callable[[str], None] = lambda tracker: store.hints.send(of_tracker(tracker))  # noqa: E731
    if part is not Part.RECEIVER:
        routing = Routing(
            config=config,
            instance_key=store.instance_key(),
            presentation=presentation,
            dry=dry,
            detached=store.detached_at() is not None,
        )
        _recover(store, registration, routing, clock.wall())
        stopping = threading.Event()
        sleep = threads.sleep_until(stopping)
        for kind, fault in plugin_faults({settings.kind for settings in config.trackers.values()}):
            log.error("plugin_unusable", kind=kind, reason=fault.reason, remedy=fault.remedy)
        clients: dict[str, list[Tracker]] = {}
        for name, settings in config.trackers.items():
            for _ in range(settings.concurrency):  # one client per thread
                client = open_tracker(name, settings, store.notebook(name), clock=clock, sleep=sleep)
                clients.setdefault(name, []).append(InstrumentedTracker(name, client, clock))
        polled = [target for target in targets(config.backtrace) if isfinite(target.project.poll)]
        if ended := poll.end(store, config, [target.place for target in polled]):
            log.info("polls_ended", projects=[f"{universe}/{project}" for universe, project in ended])
        senders = [] if dry else open_senders(config, store, presentation, clock)
        worker = threads.Worker(store, routing, registration.owner, clients, stopping, clock, polled, senders)
        arrived, wake = worker.arrived, worker.wake
    receiver, sources, hooks = None, None, None
    if part is not Part.WORKER:
        receiver, sources = Receiver(config.receiver, store, arrived), SourceReceiver(config, store, arrived)
        hooks = Hooks(config, store, wake, clock)
    console = None
    if config.console.address is not None:
        from syncd.console.site import open_console  # a process without a console does not load it

        console = open_console(config, store, Clock(), registration.note_console)
    folded = (lambda: 0) if worker is None else lambda: worker.folded
    heartbeat = Heartbeat(store, registration, clock, folded, takes_over=worker is not None)
    parts = (worker, receiver, sources, hooks, listening, console)
    return Daemon(config, store, registration, heartbeat, *parts, manager, clock)


def _listen(config: Config, sockets: Sequence[socket.socket]) -> socket.socket:
    """The socket that the service manager passed, else a new one on `receiver.listen`."""
    if len(sockets) > 1:
        raise ConfigError(
            [f"the service manager passed {len(sockets)} sockets; syncd takes one: leave one ListenStream="]
        )
    if sockets:
        return sockets[0]
    try:
        return http_server.bind(config.receiver.address)
    except (OSError, UnicodeError) as error:
        reason = http_server.refusal(config.receiver.address, error)
        raise ConfigError([f"receiver.listen: {config.receiver.listen} cannot be used: {reason}"]) from None


def _recover(store: Store, registration: Registration, routing: Routing, now: float) -> None:
    """Free the claims of dead processes, and evaluate again what another configuration has held back."""
    store.due_times.follow_clock()
    take_over(store, registration, now)
    processes = running(store.connection, now)
    if sharing := [each.owner for each in processes if each.lives and each.owner != registration.owner]:
        log.info("store_shared", place=store.connection.place, processes=sharing)
    store.outbox.recover(now)
    groups = reconcile.reroute(store, routing, digest(routing.config), now)
    if groups:
        log.info("groups_reevaluated", groups=groups)


def _application(receiver: Receiver, sources: SourceReceiver, hooks: Hooks, health: Health) -> ASGIApp:
    """The receivers and the hooks at their paths, health checks at theirs, and 404 elsewhere."""

    async def error_of(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette passes both
        """An error in the shape of the receiver's own."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        code, message = {
            404: ("not_found", f"There is nothing here; notifications go to {PATH}."),
            405: ("method_not_allowed", "This path can only be read."),
        }.get(status, ("failed", "The request failed."))
        headers = error.headers if isinstance(error, HTTPException) else None
        return JSONResponse({"error": {"code": code, "message": message}}, status, dict(headers or {}))

    throttled = ThrottledLog(log)
    checks = Starlette(
        routes=[Route(path, answer) for path, answer in zip(CHECKS, (health.livez, health.readyz), strict=True)],
        exception_handlers={HTTPException: error_of},
    )
    # A redirected POST arrives as a GET, or not at all: better a 404 that the sender's operator sees.
    checks.router.redirect_slashes = False

    def application(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # The receiver answers its own errors and needs none of Starlette's layers.
        if takes(scope["path"]):
            return receiver(scope, receive, send)
        if source_receiver.takes(scope["path"]):
            return sources(scope, receive, send)
        if is_hook(scope["path"]):
            return hooks(scope, receive, send)
        if scope["method"] == "POST" and scope["path"] not in CHECKS:
            # A mistyped address loses every notification, and only its sender learns that from the answer.
            metrics.DELIVERIES.labels("not_found").inc()
            path, peer = one_line(scope["path"], 100), str((scope.get("client") or ("unknown",))[0])
            throttled.warning("path_unknown", PATH, path=path, peer=peer)
        return checks(scope, receive, send)

    return application


@contextmanager
def on_signals(stop: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Call `stop` for each SIGTERM, SIGINT and SIGHUP, however often they arrive."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        numbers.append(signal.SIGHUP)
    previous = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

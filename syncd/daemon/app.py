"""The one place where the parts are joined."""

import gc
import hashlib
import json
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from syncd import __version__
from syncd.config import Config
from syncd.daemon import heartbeat, reload, threads, watchdog
from syncd.daemon.reload import Again
from syncd.errors import ConfigError, StoreUnavailable
from syncd.intake.receiver import PATH, Receiver
from syncd.operate.health import Health
from syncd.platform import http_server, metrics
from syncd.platform.clock import Clock
from syncd.platform.systemd import NOTHING, Handed, Manager
from syncd.store import Store, open_store
from syncd.store.hints import INBOX
from syncd.store.instances import Registration
from syncd.trackers import Tracker, open_tracker
from syncd.trackers.instrumented import InstrumentedTracker
from syncd.worker.presentation import present
from syncd.worker.routing import Routing

if TYPE_CHECKING:
    from syncd.console.serving import Serving

log = structlog.get_logger("syncd")


SWITCH_SECONDS = 0.0005
YOUNG_OBJECTS = 20_000


class Part(StrEnum):
    """What a process does of the whole."""

    ALL = "all"
    RECEIVER = "receiver"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Daemon:
    """Everything one process runs: a receiver, a worker, or both."""

    config: Config
    store: Store
    presence: Registration
    pulse: heartbeat.Heartbeat
    worker: threads.Worker | None
    receiver: Receiver | None
    listening: socket.socket | None
    console: "Serving | None"
    manager: Manager
    handed_over: bool  # the listening socket came from the manager

    def run(self, reread: Callable[[], Config] | None = None) -> Again | None:
        """Serve until SIGTERM or SIGINT, then finish what is in hand: None. After SIGHUP, if what `reread` returns can be used, the
        same, but with what the program that is to go on with it needs."""
        asked, for_good = threading.Event(), threading.Event()
        server = None if self.receiver is None else self._server(self.receiver)
        stop = asked.set if server is None else server.stop

        def end() -> None:
            for_good.set()
            stop()

        _share_the_interpreter()
        watch = watchdog.Watchdog(self.manager, self._beats(server), self._status)
        reloading = reload.Reload(reread, self._make_room, stop)
        with http_server.asked_to_stop(end), reloading.on_signal():
            try:
                self.pulse.start()
                if self.console is not None:
                    self.console.start()
                if self.manager.present:
                    watch.start()
                if self.worker is not None:
                    self.worker.start()
                if server is not None and self.listening is not None:
                    server.run(sockets=[self.listening])
                else:
                    log.info("working", instance=self.presence.owner)
                    self.manager.tell(READY="1")
                    asked.wait()
            finally:
                log.info("stopping")
                # A manager that heard it of one that reloads would wait for its end, and then kill it.
                if reloading.again is None or for_good.is_set():
                    self.manager.tell(STOPPING="1")
                if self.worker is not None:
                    self.worker.stop()
                self.close()
                if watch.ident is not None:
                    watch.stop()
                log.info("stopped")
        return None if for_good.is_set() else reloading.again

    def _make_room(self, config: Config) -> Again:
        """Finish what is filed, while notifications are still taken: what the next program needs."""
        self.manager.tell(RELOADING="1", MONOTONIC_USEC=str(time.monotonic_ns() // 1000))
        kept = None
        if self.listening is not None and (self.handed_over or config.receiver.address == self.config.receiver.address):
            kept = self.listening.dup()  # the server closes its own; who connects meanwhile waits in this one
        if self.worker is not None:
            self.worker.stop()
        return Again(self.manager, kept, self.handed_over)

    def _beats(self, server: http_server.Server | None) -> dict[str, Callable[[], float]]:
        """What must turn for this process to be well."""
        beats: dict[str, Callable[[], float]] = {"writer": lambda: self.store.beat}
        if server is not None:
            beats["event loop"] = lambda: server.beat
        if (worker := self.worker) is not None:
            beats["worker"] = lambda: worker.beat
        return beats

    def _status(self) -> str:
        counts = self.store.report.counts(time.time())
        waiting = f"{counts.inbox_waiting} in the inbox, {counts.outbox_due} due in the outbox"
        wrong = counts.dead + counts.parked + counts.quarantined
        return waiting + (f", {wrong} need a person" if wrong else "")

    def _ready(self) -> None:
        if self.listening is not None:
            log.info("listening", address=http_server.address_of(self.listening))
        self.manager.tell(READY="1")

    def _server(self, receiver: Receiver) -> http_server.Server:
        settings = self.config.receiver
        return http_server.Server(
            _routes(receiver, Health(self.store, self.config.credentials, Clock())),
            settings.header_seconds,
            settings.max_connections,
            self._ready,
        )

    def close(self) -> None:
        """Give back the store and this process's name."""
        if self.console is not None and self.console.ident is not None:
            self.console.stop()
        if self.pulse.ident is not None:
            self.pulse.stop()
        try:
            self.presence.close()
        except StoreUnavailable as error:
            log.warning("not_left", reason=str(error))  # the others will find out by themselves
        self.store.close()


def _share_the_interpreter() -> None:
    """So that no thread keeps the others waiting for long. At Python's own 5 ms the writer waits that long for the event loop, several
    times in each commit, and so does everyone who waits for the commit."""
    sys.setswitchinterval(SWITCH_SECONDS)
    # What is there at the start stays; bodies are many small objects that are gone before they could be part of a cycle.
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)


def build(
    config: Config,
    *,
    dry: bool = False,
    only: Part = Part.ALL,
    manager: Manager | None = None,
    handed: Handed = NOTHING,
) -> Daemon:
    """The daemon, its store brought to this program's schema and, where it has a worker, freed of what dead processes held. `dry`: it
    takes notifications and plans, and sends nothing. `only`: a receiver that files nothing, or a worker that takes nothing.
    `manager` is told of its state; `handed` is what was handed over to this process.

    Raises ConfigError, SchemaMismatch, StoreUnavailable. No tracker is called.
    """
    metrics.BUILD.info({"version": __version__})
    presentation = present(config)
    # First of all: a process that cannot listen must not have touched what another one is working on.
    listening = None if only is Part.WORKER else _listening(config, handed.sockets)
    told = Manager({}) if manager is None else manager
    store = open_store(config.store)
    presence = store.join(only, time.time())
    if only is Part.RECEIVER:
        receiver = Receiver(config.receiver, store.inbox, lambda *_: store.hints.send(INBOX))
        beating = heartbeat.Heartbeat(store, presence, frees=False)
        console = _console(config, store)
        return Daemon(config, store, presence, beating, None, receiver, listening, console, told, handed.by_manager)
    rules = Routing(config=config, instance_key=store.instance_key(), presentation=presentation, dry=dry)
    _begin(store, presence, rules)
    stopping = threading.Event()
    clients = open_clients(config, store, threads.sleep_until(stopping))
    worker = threads.Worker(store, rules, presence.owner, clients, stopping)
    receiving = None if only is Part.WORKER else Receiver(config.receiver, store.inbox, worker.arrived)
    beating = heartbeat.Heartbeat(store, presence, frees=True)
    console = _console(config, store)
    return Daemon(config, store, presence, beating, worker, receiving, listening, console, told, handed.by_manager)


def _console(config: Config, store: Store) -> "Serving | None":
    """Raises ConfigError when its password cannot be read."""
    if config.console.address is None:
        return None
    # Imported only where it is shown.
    from syncd.console.serving import serving

    return serving(config, store)


def _begin(store: Store, presence: Registration, rules: Routing) -> None:
    """What a worker does before anything else: free what the dead held, and judge anew what another configuration held back."""
    if back := store.clock.follow():
        log.warning("clock_set_back", seconds=round(back))
    now = time.time()
    heartbeat.take_over(store, presence, now)
    store.outbox.owe_doubtful(now)
    store.outbox.forget_homes()
    store.limits.retry_rested(now)
    store.outbox.wake_dry(now)
    judged = store.outbox.reroute(rules.owes, _fingerprint_of_routes(rules.config), now)
    if judged:
        log.info("judged_anew", groups=judged)


def _listening(config: Config, inherited: Sequence[socket.socket]) -> socket.socket:
    """The socket that was handed over, else one on `receiver.listen`."""
    if len(inherited) > 1:
        raise ConfigError([f"{len(inherited)} sockets were handed over; syncd takes one: leave one ListenStream="])
    if inherited:
        return inherited[0]
    try:
        return http_server.bind(config.receiver.address)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no host name"
        raise ConfigError([f"receiver.listen: {config.receiver.listen} cannot be used: {why}"]) from None


def open_clients(config: Config, store: Store, sleep: Callable[[float], None]) -> Mapping[str, list[Tracker]]:
    """For each tracker one client a thread; `sleep` passes the seconds between two tries of a call. Raises ConfigError."""
    return {
        name: [
            InstrumentedTracker(name, open_tracker(name, settings, store.notebook(name), sleep))
            for _ in range(settings.concurrency)
        ]
        for name, settings in config.trackers.items()
    }


def _fingerprint_of_routes(config: Config) -> str:
    routes = [asdict(route) for route in config.all_routes]
    judged = [routes, config.notifications.zero_fingerprint]
    return hashlib.sha256(json.dumps(judged, sort_keys=True).encode()).hexdigest()


def _routes(receiver: Receiver, health: Health) -> ASGIApp:
    others = _others(health)

    def routed(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # The receiver answers its own errors: the way through Starlette's layers would cost a fifth of the accept rate.
        return (receiver if scope["path"] == PATH else others)(scope, receive, send)

    return routed


def _others(health: Health) -> Starlette:
    app = Starlette(
        routes=[
            Route("/livez", health.livez),
            Route("/readyz", health.readyz),
        ],
        exception_handlers={HTTPException: _unknown},
    )
    # A redirected POST arrives as a GET, or not at all: better a 404 that the sender's operator sees.
    app.router.redirect_slashes = False
    return app


async def _unknown(request: Request, error: Exception) -> Response:  # noqa: ARG001 - the shape Starlette asks for
    """Every error has the shape of the receiver's own."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    code, message = {
        404: ("not_found", f"There is nothing here; notifications go to {PATH}."),
        405: ("method_not_allowed", "This is only read."),
    }.get(status, ("failed", "The request failed."))
    headers = error.headers if isinstance(error, HTTPException) else None
    return JSONResponse({"error": {"code": code, "message": message}}, status, dict(headers or {}))

"""The one place where the parts are joined."""

import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from syncd import httpd, threads
from syncd.config import Config
from syncd.errors import ConfigError
from syncd.health import Health
from syncd.presentation import present
from syncd.receiver import Receiver
from syncd.rules import Rules
from syncd.store import Store, open_store
from syncd.store.instance import Instance
from syncd.trackers import Tracker, open_tracker

log = structlog.get_logger("syncd")


@dataclass(frozen=True, slots=True)
class Daemon:
    """Everything one process runs."""

    config: Config
    store: Store
    instance: Instance
    worker: threads.Worker
    receiver: Receiver
    listening: socket.socket

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then finish what is in hand."""
        settings = self.config.receiver
        listening = self.listening
        server = httpd.Server(
            _routes(self.receiver, Health(self.store, self.config.credentials)),
            settings.header_seconds,
            settings.max_connections,
            lambda: log.info("listening", address=httpd.address_of(listening)),
        )
        with httpd.asked_to_stop(server.stop):
            try:
                self.worker.start()
                server.run(sockets=[listening])
            finally:
                log.info("stopping")
                self.worker.stop()
                self.close()
                log.info("stopped")

    def close(self) -> None:
        """Give back the store and this process's name."""
        self.store.close()
        self.instance.close()


def build(config: Config, *, dry: bool = False) -> Daemon:
    """The daemon, its store brought to this program's schema and freed of what dead processes held. `dry`: it takes notifications
    and plans, and sends nothing.

    Raises ConfigError, SchemaMismatch, StoreUnavailable. No tracker is called.
    """
    presentation = present(config)
    # First of all: a process that cannot listen must not have touched what another one is working on.
    listening = _bind(config)
    store = open_store(config.store)
    instance = Instance(config.store.path)
    rules = Rules(config=config, instance_key=store.instance_key(), presentation=presentation, dry=dry)
    if back := store.clock.follow():
        log.warning("clock_set_back", seconds=round(back))
    dead = store.outbox.take_over(instance.is_dead, time.time())
    if dead:
        log.warning("took_over", owners=len(dead))
    store.outbox.forget_homes()
    store.limits.retry_rested(time.time())
    store.outbox.wake_dry(time.time())
    judged = store.outbox.reroute(rules.owes, _fingerprint_of_routes(config), time.time())
    if judged:
        log.info("judged_anew", groups=judged)
    stopping = threading.Event()
    clients = open_clients(config, store, threads.sleep_until(stopping))
    worker = threads.Worker(store, rules, instance.owner, clients, stopping)
    receiver = Receiver(config.receiver, store.inbox, worker.arrived)
    return Daemon(config, store, instance, worker, receiver, listening)


def _bind(config: Config) -> socket.socket:
    try:
        return httpd.bind(config.receiver.address)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no host name"
        raise ConfigError([f"receiver.listen: {config.receiver.listen} cannot be used: {why}"]) from None


def open_clients(config: Config, store: Store, sleep: Callable[[float], None]) -> Mapping[str, list[Tracker]]:
    """For each tracker one client a thread; `sleep` passes the seconds between two tries of a call. Raises ConfigError."""
    return {
        name: [open_tracker(name, settings, store.notebook(name), sleep) for _ in range(settings.concurrency)]
        for name, settings in config.trackers.items()
    }


def _fingerprint_of_routes(config: Config) -> str:
    routes = [route.model_dump() for route in config.all_routes]
    judged = [routes, config.notifications.zero_fingerprint]
    return hashlib.sha256(json.dumps(judged, sort_keys=True).encode()).hexdigest()


def _routes(receiver: Receiver, health: Health) -> Starlette:
    app = Starlette(
        routes=[
            Route("/webhooks/backtrace", receiver),
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
        404: ("not_found", "There is nothing here; notifications go to /webhooks/backtrace."),
        405: ("method_not_allowed", "This is only read."),
    }.get(status, ("failed", "The request failed."))
    headers = error.headers if isinstance(error, HTTPException) else None
    return JSONResponse({"error": {"code": code, "message": message}}, status, dict(headers or {}))

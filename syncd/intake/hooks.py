"""Hooks: trackers report over HTTP that something changed. A report is checked, marks issues for a look, and is answered; no tracker is called."""

import asyncio
import hmac
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog
from starlette.types import Scope

from syncd.config import Config, hook_secrets
from syncd.config.values import RotatingSecrets
from syncd.core.hooks import GATHER_SECONDS
from syncd.errors import ConfigError, RejectedDelivery, StoreUnavailable
from syncd.intake.receiver import Body, Door, declares_more, let_go, require_plain, too_large
from syncd.intake.reports import Delivery, Reports, Taken, marks
from syncd.platform import metrics
from syncd.platform.clock import Clock
from syncd.platform.http_server import ADMISSION, COMPLETE
from syncd.store import Store
from syncd.trackers import hooks
from syncd.trackers.hooks import Reader

log = structlog.get_logger("syncd.hooks")

PREFIX = "/hooks/"
MEMORY_BYTES = 8 * 2**20  # of bodies whose sender has proved nothing yet: a signature needs the whole body
MOST_AT_ONCE = 1000  # deliveries in one transaction
_FORM = b"application/x-www-form-urlencoded"
_PATH_SECRET = re.compile(r"[A-Za-z0-9_-]{20,}")


def is_hook(path: str) -> bool:
    """True if a path belongs to hooks. It may end in a secret, and no log has it."""
    return path.replace("//", "/").startswith(PREFIX)


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook: its trackers, how its reports are read, and the keys that sign them, or of which one ends its path."""

    name: str
    trackers: tuple[str, ...]
    reader: Reader
    keys: RotatingSecrets
    signed: bool

    def allows(self, headers: Mapping[bytes, bytes], secret: str, now: float) -> bool:
        """Return whether a request may be authentic before its body is read."""
        if self.signed:
            return not secret and bool(self.reader.signature(headers))
        given = secret.encode("utf-8", "surrogateescape")
        # Every key is compared, so that the time reveals nothing of them.
        return any([hmac.compare_digest(given, key) for key in self.keys.values(now)])


class Hooks(Door):
    """`POST /hooks/NAME`, as an ASGI application."""

    noun = "report"

    def __init__(self, config: Config, store: Store, wake: Callable[[str], None], clock: Clock) -> None:
        """`wake` is called with each tracker at which a look is due. Raises ConfigError if a secret cannot be read."""
        super().__init__(config.receiver, MEMORY_BYTES)
        self._hooks = {name: open_hook(config, name) for name in config.hooks}
        for name in self._hooks:
            for outcome in ("noted", "ignored", "unauthorized"):
                metrics.HOOKS.labels(name, outcome)
        self._reports = Reports(store, clock)
        self._wake = wake
        self._store = ThreadPoolExecutor(1, "hooks")
        self._waiting: list[tuple[Delivery, asyncio.Future[str]]] = []
        self._task: asyncio.Task[None] | None = None

    async def receive(self, scope: Scope, body: Body) -> Mapping[str, object]:
        hook, secret = self._addressed(scope["path"])
        if scope["method"] != "POST":
            raise RejectedDelivery(405, "method_not_allowed", "A hook sends by POST.")
        headers, now = dict(reversed(scope["headers"])), asyncio.get_running_loop().time()
        if not hook.allows(headers, secret, now):
            raise _unauthorized(hook)
        limit = self._settings.max_body_bytes
        if declares_more(headers, limit):
            raise too_large(limit)
        content = await (body.read(limit) if COMPLETE in scope else self.read_in_time(body, limit))
        if hook.signed and not hook.reader.is_authentic(headers, content, hook.keys.values(now)):
            raise _unauthorized(hook)
        if (admission := scope.get(ADMISSION)) is not None:
            admission.grant()
        require_plain(scope["headers"])
        if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() == _FORM:
            message = 'The body is a form; choose "application/json" as the content type in the settings of the hook.'
            raise RejectedDelivery(415, "form_body", message)
        report = hook.reader.read(headers, content)
        if report is None:
            raise RejectedDelivery(400, "not_json", "The body is not JSON.")
        numbers = marks(hook.name, content, hook.reader.delivery(headers))
        silence = await self._take(
            Delivery(name=hook.name, trackers=hook.trackers, home=hook.reader.HOME, report=report, marks=numbers)
        )
        outcome = "ignored" if silence else "noted"
        metrics.HOOKS.labels(hook.name, outcome).inc()
        log.debug("hook_heard", hook=hook.name, outcome=outcome)
        return {"status": outcome} | ({"reason": silence} if silence else {})

    def _addressed(self, path: str) -> tuple[Hook, str]:
        """The hook that a path names, and the rest of the path. Raises RejectedDelivery."""
        name, _, secret = path.replace("//", "/").removeprefix(PREFIX).partition("/")
        if (hook := self._hooks.get(name)) is None:
            # The name is not repeated: it may be a secret in the wrong place.
            raise RejectedDelivery(404, "no_hook", "There is no such hook; [hooks.NAME] makes /hooks/NAME.")
        return hook, secret.removesuffix("/")

    def count(self, scope: Scope, code: str) -> None:
        metrics.HOOKS.labels(self.facts(scope)["hook"], code).inc()

    def facts(self, scope: Scope) -> Mapping[str, str]:
        name = scope["path"].replace("//", "/").removeprefix(PREFIX).partition("/")[0]
        return {"hook": name if name in self._hooks else ""}

    def _tried_login(self, scope: Scope) -> bool:  # noqa: ARG002 - each request to a hook does
        return True

    def _challenge(self, scope: Scope) -> bytes:  # noqa: ARG002 - no hook has a login
        return b""

    async def _take(self, delivery: Delivery) -> str:
        """Wait until what came of a delivery is on disk; why it led to nothing, empty where it did. Raises StoreUnavailable."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, future))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._take_all())
        return await future

    async def _take_all(self) -> None:
        """Take all deliveries that wait, those that come meanwhile together, and bring looks forward until none is left."""
        loop = asyncio.get_running_loop()
        while self._waiting or self._reports.gathers:
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            try:
                if batch:
                    taken = await loop.run_in_executor(self._store, self._reports.take, [each for each, _ in batch])
                else:
                    await asyncio.sleep(GATHER_SECONDS / 4)
                    taken = Taken((), await loop.run_in_executor(self._store, self._reports.hasten))
            except Exception as error:  # noqa: BLE001 - this task's boundary: each sender gets the error
                let_go(error)
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                if not batch:
                    log.warning("looks_not_hastened", reason=str(error) if isinstance(error, StoreUnavailable) else "")
                    await asyncio.sleep(GATHER_SECONDS)
                continue
            for (_, future), silence in zip(batch, taken.silences, strict=True):
                if not future.done():  # its sender may have gone
                    future.set_result(silence)
            for tracker in taken.due:
                self._wake(tracker)


def open_hook(config: Config, name: str) -> Hook:
    """Return a configured hook. Raises ConfigError if a secret of it cannot be read, or cannot end an address that it has to end."""
    settings = config.hooks[name]
    keys = RotatingSecrets(hook_secrets(config, name))
    if not settings.signed and not all(_PATH_SECRET.fullmatch(key.decode()) for key in keys.values(0.0)):
        remedy = "make it of 20 or more letters, digits, - and _, such as with `openssl rand -hex 16`"
        raise ConfigError([f"hooks.{name}.secret: it ends the address of the hook, and cannot as it is; {remedy}"])
    kind = config.trackers[settings.tracker[0]].kind
    return Hook(name, tuple(settings.tracker), hooks.reader(kind), keys, settings.signed)


def _unauthorized(hook: Hook) -> RejectedDelivery:
    missing = (
        "The report is not signed with hooks.NAME.secret"
        if hook.signed
        else "The end of the address is not hooks.NAME.secret"
    )
    return RejectedDelivery(401, "unauthorized", f"{missing.replace('NAME', hook.name)}.")

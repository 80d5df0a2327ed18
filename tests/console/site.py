"""A console over a store with a week of crashes, and a client for it."""

import http.client
import json
import socket
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from syncd.cli import story
from syncd.config import Config, ConsoleSettings, LocalSettings, Route, Source, StoreSettings
from syncd.console.site import Console
from syncd.errors import ConfigError
from syncd.platform import http_server
from syncd.platform.clock import Clock
from syncd.render.addresses import group_page
from syncd.store import Store
from syncd.trackers import open_tracker
from syncd.worker.absorb import absorb
from syncd.worker.routing import Routing
from syncd.worker.sync import sync
from tests.store.filled import accept, crash_notification

HOME = {"Sec-Fetch-Site": "same-origin"}


def configuration(folder: Path, settings: StoreSettings, console: ConsoleSettings | None = None) -> Config:
    return Config(
        store=settings,
        console=console or ConsoleSettings(listen="127.0.0.1:0"),
        sources={"web": Source(kind="bugsink")},
        trackers={"files": LocalSettings(kind="local", folder=str(folder / "issues"))},
        routes=[Route(name="all", match={"not": {"project": "held-*"}}, tracker="files", status_interval=1.0)],  # type: ignore[arg-type]
    )


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Site:
    """A listening console and its store; `sync` does all due work as a worker does."""

    config: Config
    store: Store
    address: tuple[str, int]
    login: str | None = None
    rules: Routing = field(init=False)

    def __post_init__(self) -> None:
        self.rules = Routing(config=self.config, instance_key=self.store.instance_key())

    @property
    def url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}"

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, form: Mapping[str, str] | None = None, **headers: str) -> Answer:
        return self._ask("POST", path, urlencode(form or {}), headers or HOME)

    def _ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.login is not None:
            sent["Authorization"] = f"Basic {b64encode(self.login.encode()).decode()}"
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def act(self, path: str, form: Mapping[str, str] | None = None) -> str:
        """Carry out an action; the sentence about its result."""
        done = self.post(path, form)
        assert done.status == 303, done.text
        page = self.get(done.headers["location"])
        assert page.status == 200
        return page.text.partition('<p class="flash" role="status">')[2].partition("</p>")[0]

    def tell(self, *notifications: dict[str, Any], at: float | None = None) -> None:
        """Accept and fold notifications."""
        accept(self.store, *notifications, at=time.time() if at is None else at)
        while absorb(self.store, self.rules, time.time())[0]:
            pass

    def sync(self) -> None:
        client = open_tracker(
            "files", self.config.trackers["files"], self.store.notebook("files"), clock=Clock(), sleep=time.sleep
        )
        for number in range(1000):
            claim = self.store.outbox.claim("files", f"test/{number}", time.time())
            if claim is None:
                break
            sync(self.store, client, claim, self.rules, Clock())
        client.close()

    def page(self, number: int) -> str:
        """The path of the page of a group."""
        entry = self.store.lists.group(number)
        assert entry is not None
        return group_page(entry[0].standing.group.identity)

    def number(self, prefix: str) -> int:
        return self.store.lists.by_fingerprint(prefix)[0].id


@contextmanager
def served(config: Config, store: Store, login: str | None = None) -> Iterator[Site]:
    """Serve a console."""
    bound = http_server.bind(("127.0.0.1", 0))
    try:
        console = Console(config, store, Clock(), bound)
    except ConfigError:
        bound.close()
        raise
    console.start()
    try:
        yield Site(config, store, _place(bound), login)
    finally:
        console.stop()


def _place(bound: socket.socket) -> tuple[str, int]:
    host, port = bound.getsockname()[:2]
    return host, port


def live(site: Site) -> None:
    """Add a week of crashes, a held group, and a delivery that waits."""
    for day in story.tell(int(time.time()), days=3).days:
        site.tell(*day)
    site.sync()
    site.tell(crash_notification("11" * 32, project="held-back", callstack=["Held::frame"], timestamp=[1, 2]))
    accept(site.store, crash_notification("22" * 32, project="waiting"), at=time.time())

"""Requests that no page of the console makes: each route with odd numbers, texts and forms. None is answered 500."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from starlette.types import ASGIApp, Message

from syncd.config import StoreSettings
from syncd.console.site import ACTIONS, PAGES, site
from syncd.platform.clock import Clock
from syncd.store import Store
from tests.console.site import Site, configuration
from tests.store.filled import accept, crash_notification

NUMBERS = (
    "0", "1", "2", "-1", "+1", "1.0", "1e3", "007", " 1", "1_0", "999999999999999999", "9223372036854775807", "9223372036854775808",
    "18446744073709551616", "9" * 40, "9" * 5000, "²", "١", "１", "½", "0x10", "nan", "inf", "true", "", "None",
)  # fmt: skip
TEXTS = (
    "", "a", "\0", "a\0b", "\x1b[2J", "\r\nx: y", "\ud800", "😀" * 300, "%", "%_!", "!", "'; DROP TABLE groups; --", "{0}", "{number}", "${7*7}",
    "../../etc/passwd", "/", "//evil.example", "/\\evil", "http://evil.example", "\u202e", "é" * 5000, "files", "all", "yes", "last_seen", "filed", "7",
    *NUMBERS,
)  # fmt: skip
CURSORS = tuple(f"{place}.{number}" for place in NUMBERS for number in ("1", "9223372036854775808", "²", "1.9", ""))
QUERY = (
    "after",
    "before",
    "sort",
    "state",
    "project",
    "release",
    "text",
    "days",
    "flash",
    "live",
    "scrubbed",
    "unknown",
)
FIELDS = ("reason", "target", "tracker", "issue", "absent", "force", "back", "unknown")
SEED = int(os.environ.get("SYNCD_FUZZ_SEED", "20"))
COUNT = int(os.environ.get("SYNCD_FUZZ_REQUESTS", "400"))  # on each database; `make test` makes a few of many


def _encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def requests(seed: int, count: int) -> Iterator[tuple[str, str, str, bytes]]:
    """Method, path, query and form of `count` requests: first each route with each odd number, then routes, texts and forms by chance."""
    chance = random.Random(seed)
    routes = [("GET", path) for path in PAGES] + [("GET", f"{path}.json") for path in PAGES if path != "/"]
    routes += [("GET", "/overview.json"), ("GET", "/find")] + [("POST", path) for path in ACTIONS]
    numbered = [(method, path, number) for method, path in routes if "{number" in path for number in NUMBERS]
    chance.shuffle(numbered)
    for at in range(count):
        method, path = chance.choice(routes)
        number = chance.choice(NUMBERS)
        if at < count // 3 and at < len(numbered):
            method, path, number = numbered[at]
        if chance.random() < 0.02:
            method = chance.choice(("HEAD", "PUT", "DELETE", "OPTIONS", "GET", "POST"))
        path = path.replace("{number:number}", _encoded(number)).replace("{name}", _encoded(chance.choice(TEXTS)))
        values = {name: chance.choice(CURSORS if name == "after" else TEXTS) for name in chance.sample(QUERY, 2)}
        query = "&".join(f"{name}={_encoded(value)}" for name, value in values.items())
        form = "&".join(f"{name}={_encoded(chance.choice(TEXTS))}" for name in chance.sample(FIELDS, 3)).encode()
        if chance.random() < 0.1:
            form = chance.choice(
                (b"a=b&" * 60, b"a=" + b"x" * 20_000, chance.randbytes(200), b"%ff=%zz&=&&;", b"reason=%00")
            )
        yield method, path, query, form


async def status(app: ASGIApp, method: str, path: str, query: str, form: bytes) -> int:
    """The status of the answer."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "method": method, "root_path": "",
        "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(), "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 1),
        "headers": [(b"host", b"127.0.0.1"), (b"sec-fetch-site", b"same-origin"), (b"content-type", b"application/x-www-form-urlencoded")],
    }  # fmt: skip
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": form if method == "POST" else b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0]


async def answers(app: ASGIApp, seed: int, count: int) -> Counter[int]:
    """How many requests were answered with each status. Fails at the first that is answered 500 or more."""
    counts: Counter[int] = Counter()
    for sent in requests(seed, count):
        answer = await status(app, *sent)
        assert answer < 500, sent
        counts[answer] += 1
    return counts


def test_no_request_is_answered_500(store: Store, settings: StoreSettings, tmp_path: Path) -> None:
    config = configuration(tmp_path, settings)
    Site(config, store, ("", 0)).tell(*(crash_notification(f"{number}" * 64) for number in range(3)))
    accept(store, {"universe": "a"}, crash_notification("ab" * 32))

    counts = asyncio.run(answers(site(config, store, Clock()), SEED, COUNT))

    assert set(counts) <= {200, 303, 400, 404, 405, 413}
    assert min(counts[status] for status in (200, 303, 400, 404)) > COUNT / 100

"""Requests that no page of the console makes: each route with odd numbers, texts and forms. None is answered 500."""

import asyncio
import base64
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from starlette.types import ASGIApp, Message

from syncd.config import ConsoleSettings, StoreSettings
from syncd.config.values import Secret
from syncd.console.site import ACTIONS, DOWNLOADS, GROUP, PAGES, site
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
    "../../etc/passwd", "/", "//evil.example", "/\\evil", "http://evil.example", "\u202e", "é" * 5000, "files", "all", "yes", "last_seen", "filed", "7", "growth", "muted", "hold", "alias", "os:x \"", "2h",
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
    "since",
    "first",
    "returned",
    "classifier",
    "days",
    "flash",
    "live",
    "scrubbed",
    "unknown",
)
FIELDS = (
    "reason",
    "target",
    "tracker",
    "issue",
    "absent",
    "force",
    "back",
    "unknown",
    "do",
    "all",
    "group-1.1",
    "group-².1",
)
SEED = int(os.environ.get("SYNCD_FUZZ_SEED", "20"))
COUNT = int(os.environ.get("SYNCD_FUZZ_REQUESTS", "400"))  # on each database; `make test` makes a few of many


def _encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def requests(seed: int, count: int) -> Iterator[tuple[str, str, str, bytes]]:
    """Method, path, query and form of `count` requests: first each route with each odd number, then routes, texts and forms by chance."""
    chance = random.Random(seed)
    routes = [("GET", path) for path in PAGES] + [("GET", f"{path}.json") for path in PAGES if path != "/"]
    routes += [("GET", "/today.json"), ("GET", "/find")] + [("POST", path) for path in ACTIONS]
    routes += [("GET", path) for path in DOWNLOADS]
    numbered = [(method, path, number) for method, path in routes if "{number" in path for number in NUMBERS]
    chance.shuffle(numbered)
    for at in range(count):
        method, path = chance.choice(routes)
        number = chance.choice(NUMBERS)
        if at < count // 3 and at < len(numbered):
            method, path, number = numbered[at]
        if chance.random() < 0.02:
            method = chance.choice(("HEAD", "PUT", "DELETE", "OPTIONS", "GET", "POST"))
        parts = chance.choice(
            (("acme", "game", chance.choice("012") * 64), chance.choices(TEXTS, k=chance.randint(1, 4)))
        )
        path = path.replace(GROUP, "/".join(["/groups", *map(_encoded, parts)]))
        path = path.replace("{number:number}", _encoded(number)).replace("{name}", _encoded(chance.choice(TEXTS)))
        values = {name: chance.choice(CURSORS if name == "after" else TEXTS) for name in chance.sample(QUERY, 2)}
        query = "&".join(f"{name}={_encoded(value)}" for name, value in values.items())
        form = "&".join(f"{name}={_encoded(chance.choice(TEXTS))}" for name in chance.sample(FIELDS, 3)).encode()
        if chance.random() < 0.1:
            form = chance.choice(
                (b"a=b&" * 120, b"a=" + b"x" * 20_000, chance.randbytes(200), b"%ff=%zz&=&&;", b"reason=%00")
            )
        yield method, path, query, form


Headers = tuple[tuple[bytes, bytes], ...]
HOME: Headers = ((b"host", b"127.0.0.1"), (b"sec-fetch-site", b"same-origin"))


async def status(
    app: ASGIApp,
    method: str,
    path: str,
    query: str,
    form: bytes,
    headers: Headers = HOME,
    body: bytearray | None = None,
    peer: str = "127.0.0.1",
) -> int:
    """The status of the answer to `peer`; its text goes to `body`."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "method": method, "root_path": "",
        "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(), "client": (peer, 1), "server": ("127.0.0.1", 1),
        "headers": [*headers, (b"content-type", b"application/x-www-form-urlencoded")],
    }  # fmt: skip
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": form if method == "POST" else b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
        elif body is not None:
            body.extend(message.get("body", b""))

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


HOSTS = (
    b"127.0.0.1", b"localhost:80", b"[::1]:80", b"", b"[", b"[::1", b"]", b"evil.example", b"127.0.0.1.evil.example", b"evil@127.0.0.1", b"127.0.0.1/evil", b"127.0.0.1#", b"127.0.0.1:x",
    b"127.0.0.1:99999999", b"0x7f.1", b"2130706433", b"localhost.", b"LOCALHOST", b"\xff", b"\xc2\xb2", b"a" * 5000, b"127.0.0.1, evil.example", b"localhost@evil.example", b"\t", b"[fe80::1%25x]",
)  # fmt: skip
ORIGINS = (
    b"null", b"", b"http://[", b"http://]", b"http://[::1", b"http://evil.example", b"https://127.0.0.1.evil.example", b"http://evil.example@127.0.0.1", b"http://127.0.0.1@evil.example", b"//127.0.0.2", b"file://",
    b"http://\xef\xbc\x8f", b"http://127.0.0.1\t.evil", b"\xff", b"http://a b", b"http://127.0.0.1 http://evil.example", b"http://\xe2\x84\x80.example", b"javascript:alert(1)",
)  # fmt: skip
SITES = (
    b"cross-site",
    b"same-site",
    b"none",
    b"",
    b"SAME-ORIGIN ",
    b"same-origin, cross-site",
    b"\xff",
    b"same-origin\x00",
)
SCRIPT = "<script>zq</script>"


def from_elsewhere(chance: random.Random) -> Headers:
    """Headers that no page of the console sends with a change."""
    headers = [(b"host", chance.choice(HOSTS[:3]))]
    if chance.random() < 0.4:
        headers += [(b"sec-fetch-site", chance.choice(SITES))]
    elif chance.random() < 0.3:
        headers += [(b"sec-fetch-site", site) for site in chance.sample((b"same-origin", b"cross-site"), 2)]
    if chance.random() < 0.7:
        headers += [(b"origin", chance.choice(ORIGINS))]
    if chance.random() < 0.2:
        headers = [(b"host", chance.choice(HOSTS[3:])), (b"origin", chance.choice(ORIGINS))]
    return tuple(headers)


def test_no_change_comes_from_elsewhere(store: Store, settings: StoreSettings, tmp_path: Path) -> None:
    config = configuration(tmp_path, settings)
    Site(config, store, ("", 0)).tell(*(crash_notification(f"{number}" * 64) for number in range(3)))
    app, chance = site(config, store, Clock()), random.Random(SEED)
    before = store.report.groups()
    for method, path, query, form in requests(SEED, COUNT // 2):
        headers = from_elsewhere(chance)
        answer = asyncio.run(status(app, "POST" if method == "GET" else method, path, query, form, headers))
        assert answer == 403 or (method in ("GET", "HEAD") and answer < 500), (method, path, headers)

    assert store.report.groups() == before


def test_no_host_or_origin_is_answered_500_and_no_script_returns(
    store: Store, settings: StoreSettings, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text("open sesame")
    password.chmod(0o600)
    console = ConsoleSettings(listen="127.0.0.1:0", username="operator", password=Secret(file=str(password)))
    locked, free = configuration(tmp_path, settings, console), configuration(tmp_path, settings)
    login = (b"authorization", b"Basic " + base64.b64encode(b"operator:open sesame"))
    chance = random.Random(SEED)
    for app, headers in ((site(locked, store, Clock()), (login,)), (site(free, store, Clock()), ())):
        for path in (*PAGES, "/find", "/nothing", f"/{_encoded(SCRIPT)}", f"/trackers/{_encoded(SCRIPT)}/pause"):
            for host in chance.sample(HOSTS, 8):
                body = bytearray()
                query = "&".join(f"{name}={_encoded(SCRIPT)}" for name in QUERY)
                sent = (*headers, (b"host", host), (b"origin", chance.choice(ORIGINS)))
                answer = asyncio.run(
                    status(
                        app,
                        "GET",
                        path.replace(GROUP, f"/groups/{_encoded(SCRIPT)}").replace("{number:number}", "1"),
                        query,
                        b"",
                        sent,
                        body,
                    )
                )
                assert answer < 500, (path, host)
                assert SCRIPT.encode() not in body or path.endswith(".json"), (path, host)

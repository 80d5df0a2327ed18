"""The read-only login, and the login by a trusted header of a proxy."""

import asyncio
import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.types import ASGIApp

from syncd.config import ConsoleSettings, Secret, StoreSettings
from syncd.config.sections import NAME
from syncd.console.site import ACTIONS, site
from syncd.console.visitor import Refusal, Visitor, Visitors
from syncd.platform.clock import Clock
from syncd.store import Store, open_store
from tests.console import site as sites
from tests.console.test_fuzz import status
from tests.console.test_guard import waits
from tests.operate import changes

__all__ = ["waits"]
PROXY, OUTSIDE = "10.1.2.3", "10.9.9.9"
HOST = b"syncd.example.com"
Sent = list[tuple[bytes, bytes]]


def settings_of(folder: Path, *, passwords: bool = False) -> ConsoleSettings:
    keys: dict[str, object] = {
        "trusted_header": "X-Forwarded-User",
        "trusted_proxies": ["10.1.2.0/24", "::1"],
        "hosts": ["Syncd.example.com"],
        "operators": ["alice@example.com", "jürgen", "ACME\\bob"],
        "groups_header": "X-Forwarded-Groups",
        "operator_groups": ["sre", "game team"],
    }
    if passwords:
        for key, password in (("password", "open sesame"), ("reader_password", "look only")):
            (folder / key).write_text(password)
            keys[key] = {"file": str(folder / key)}
    return ConsoleSettings.model_validate(keys)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(StoreSettings(url=f"sqlite:{tmp_path}/syncd.db"))
    yield opened
    opened.close()


def app_of(folder: Path, store: Store, console: ConsoleSettings) -> ASGIApp:
    settings = StoreSettings(url=f"sqlite:{folder}/syncd.db")
    return site(sites.configuration(folder, settings, console), store, Clock())


@pytest.fixture
def app(tmp_path: Path, store: Store) -> ASGIApp:
    return app_of(tmp_path, store, settings_of(tmp_path))


def ask(app: ASGIApp, sent: Sent, path: str = "/", method: str = "GET", peer: str = PROXY) -> tuple[int, str]:
    """Status and text of the answer to a request that comes through a page of the console."""
    headers = ((b"host", HOST), (b"sec-fetch-site", b"same-origin"), *sent)
    body = bytearray()
    code = asyncio.run(status(app, method, path, "", b"reason=x", headers, body, peer))
    return code, body.decode()


def user(name: str, groups: str | None = None) -> Sent:
    listed = [] if groups is None else [(b"x-forwarded-groups", groups.encode())]
    return [(b"x-forwarded-user", name.encode()), *listed]


PAUSE = "/trackers/files/pause"


@pytest.mark.parametrize(
    ("sent", "operates"),
    [
        (user("alice@example.com"), True),
        (user("jürgen"), True),
        (user("ACME\\bob"), True),
        (user("Alice@example.com"), False),
        (user("alice@example.com.evil"), False),
        (user("carol"), False),
        (user("carol", "dev,sre"), True),
        (user("carol", "dev, game team "), True),
        (user("carol", "dev,SRE,sre2,,"), False),
        (user("carol", ""), False),
    ],
)
def test_the_proxy_names_the_user_and_the_configuration_who_operates(
    app: ASGIApp, store: Store, sent: Sent, operates: bool
) -> None:
    assert ask(app, sent)[0] == 200
    code, text = ask(app, sent, PAUSE, "POST")
    name = sent[0][1].decode()
    entries = changes.entries(StoreSettings(url=f"sqlite:{store.connection.place}"))
    if operates:
        assert code == 303
        assert [(actor, action) for actor, action, *_ in entries] == [(f"sso:{name}", "pause")]
    else:
        assert (code, text) == (403, f"sso:{name} may read this console and change nothing.\n")
        assert entries == []


@pytest.mark.parametrize("path", ACTIONS)
def test_a_user_without_the_right_may_use_no_route_of_a_change(app: ASGIApp, path: str) -> None:
    concrete = path.replace("{number:number}", "1").replace("{name}", "files")
    assert ask(app, user("carol"), concrete, "POST")[0] == 403


@pytest.mark.parametrize("peer", [OUTSIDE, "127.0.0.1", "unknown", "", "::2", "fe80::1%eth0", "/run/proxy.sock"])
def test_the_header_counts_from_no_other_peer(app: ASGIApp, peer: str) -> None:
    code, text = ask(app, user("alice@example.com"), peer=peer)
    assert code == 403
    assert "console.trusted_proxies" in text
    assert ask(app, [], peer=peer)[0] == 403


@pytest.mark.parametrize("peer", ["10.1.2.255", "::ffff:10.1.2.3", "::1", "0:0:0:0:0:0:0:1"])
def test_every_spelling_of_a_trusted_address_counts(app: ASGIApp, peer: str) -> None:
    assert ask(app, user("carol"), peer=peer)[0] == 200


def test_a_proxy_that_names_nobody_lets_nobody_in(app: ASGIApp) -> None:
    code, text = ask(app, [])
    assert (code, text) == (403, "This console is open only by the proxy that logs in and sends x-forwarded-user.\n")
    assert ask(app, [], "/livez")[0] == 200
    assert ask(app, [], "/metrics")[0] == 403


@pytest.mark.parametrize(
    "values",
    [[b""], [b" "], [b"a b"], [b"alice,bob"], [b"alice", b"alice"], [b"alice", b""], [b"a;b"], [b"<b>"], [b"a\0"], [b"\xff"],
     [b"x" * 129], ["\u202ealice".encode()], [b'"alice"'], [b"alice\tbob"]],
)  # fmt: skip
def test_an_odd_name_is_refused_also_with_a_password(tmp_path: Path, store: Store, values: list[bytes]) -> None:
    app = app_of(tmp_path, store, settings_of(tmp_path, passwords=True))
    login = (b"authorization", b"Basic " + base64.b64encode(b"operator:open sesame"))
    code, text = ask(app, [login, *((b"x-forwarded-user", value) for value in values)])
    assert code == 403
    assert "x-forwarded-user must have one name" in text
    assert ask(app, [login])[0] == 200


def test_several_headers_of_groups_are_refused(app: ASGIApp) -> None:
    assert ask(app, [*user("carol", "dev"), (b"x-forwarded-groups", b"sre")])[0] == 403


@pytest.mark.parametrize("host", [b"evil.example", b"evil.example:8081", b"syncd.example.com.evil.example", b""])
def test_a_page_that_gives_its_own_name_to_the_proxys_machine_gets_nothing(app: ASGIApp, host: bytes) -> None:
    headers = ((b"host", host), (b"sec-fetch-site", b"same-origin"), *user("alice@example.com"))
    assert asyncio.run(status(app, "GET", "/", "", b"", headers, None, PROXY)) == 403
    assert asyncio.run(status(app, "POST", PAUSE, "", b"reason=x", headers, None, PROXY)) == 403


@pytest.mark.parametrize("host", [b"syncd.example.com", b"SYNCD.example.com:443", b"127.0.0.1:8081", b"localhost"])
def test_the_names_of_the_proxy_are_answered(app: ASGIApp, host: bytes) -> None:
    assert asyncio.run(status(app, "GET", "/", "", b"", ((b"host", host), *user("carol")), None, PROXY)) == 200


@pytest.mark.parametrize(
    "sent",
    [
        [],
        [(b"sec-fetch-site", b"cross-site")],
        [(b"sec-fetch-site", b"same-site")],
        [(b"sec-fetch-site", b"none")],
        [(b"origin", b"https://evil.example")],
        [(b"origin", b"null")],
        [(b"sec-fetch-site", b"cross-site"), (b"origin", b"https://syncd.example.com")],
    ],
)
def test_a_foreign_page_cannot_use_the_cookie_of_the_proxy(app: ASGIApp, store: Store, sent: Sent) -> None:
    headers = ((b"host", HOST), *user("alice@example.com"), *sent)
    assert asyncio.run(status(app, "POST", PAUSE, "", b"reason=x", headers, None, PROXY)) == 403
    assert store.report.trackers({}, 0.0) == {}
    good = ((b"host", HOST), *user("alice@example.com"), (b"origin", b"https://syncd.example.com"))
    assert asyncio.run(status(app, "POST", PAUSE, "", b"reason=x", good, None, PROXY)) == 303


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


TEXTS = st.one_of(
    st.sampled_from([b"alice@example.com", b"carol", b"", b"alice@example.com,carol", b"sre", b"dev,sre", b"\xc3\xbc", b"\xff\xfe"]),
    st.binary(max_size=40),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
)  # fmt: skip
NAMES = st.sampled_from(
    [b"x-forwarded-user", b"x-forwarded-groups", b"x_forwarded_user", b"x-forwarded-user2", b"authorization", b"x-forwarded-for", b"forwarded"]
)  # fmt: skip
PEERS = st.sampled_from(
    [PROXY, "10.1.2.77", "::1", OUTSIDE, "127.0.0.1", "", "unknown", "::ffff:10.9.9.9", "10.1.2", "1"]
)


@given(sent=st.lists(st.tuples(NAMES, TEXTS), max_size=5), peer=PEERS)
@hypothesis_settings(max_examples=400)
def test_only_one_plain_name_from_a_trusted_peer_logs_in(
    tmp_path_factory: pytest.TempPathFactory, sent: Sent, peer: str
) -> None:
    visitors = Visitors(settings_of(tmp_path_factory.getbasetemp()))
    headers = Headers(raw=[(b"host", HOST), *sent])
    visitor = visitors.recognise(peer, headers, 0.0)
    names = [value for name, value in sent if name == b"x-forwarded-user"]
    groups = [value for name, value in sent if name == b"x-forwarded-groups"]
    if peer not in (PROXY, "10.1.2.77", "::1") or len(names) != 1 or len(groups) > 1:
        assert isinstance(visitor, Refusal)
        return
    name = names[0].decode("utf-8", "replace")
    if not re.fullmatch(NAME, name):
        assert isinstance(visitor, Refusal)
        return
    listed = [group.strip(" \t") for value in groups for group in value.decode("utf-8", "replace").split(",")]
    member = all(_is_text(value) for value in groups) and not {"sre", "game team"}.isdisjoint(listed)
    assert visitor == Visitor(f"sso:{name}", name in ("alice@example.com", "jürgen", "ACME\\bob") or member)
    assert name.isprintable()
    assert not re.search(r"[\s,;<>\"']", name)


@given(sent=st.lists(st.tuples(NAMES, TEXTS), max_size=5), peer=st.sampled_from([OUTSIDE, "127.0.0.1", "", "::2"]))
@hypothesis_settings(max_examples=200)
def test_from_elsewhere_the_headers_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, sent: Sent, peer: str
) -> None:
    """Neither for a login with a password nor for a request without one."""
    visitors = Visitors(settings_of(tmp_path_factory.getbasetemp(), passwords=True))
    own = [entry for entry in sent if entry[0] != b"authorization"]
    for login, expected in (
        (b"operator:open sesame", True),
        (b"reader:look only", False),
        (b"reader:open sesame", None),
    ):
        header = (b"authorization", b"Basic " + base64.b64encode(login))
        visitor = visitors.recognise(peer, Headers(raw=[(b"host", HOST), header, *own]), 0.0)
        assert isinstance(visitor, Refusal if expected is None else Visitor)
        if isinstance(visitor, Visitor):
            assert visitor == Visitor(f"console:{login.decode().partition(':')[0]}", bool(expected))


def test_a_failed_login_of_a_reader_waits_as_that_of_an_operator(
    tmp_path: Path, store: Store, waits: list[float]
) -> None:
    for name in ("operator", "reader"):
        (tmp_path / name).write_text(f"secret of {name}")
    console = ConsoleSettings(
        password=Secret(file=str(tmp_path / "operator")), reader_password=Secret(file=str(tmp_path / "reader"))
    )
    config = sites.configuration(tmp_path, StoreSettings(url=f"sqlite:{tmp_path}/syncd.db"), console)
    with sites.served(config, store, "reader:guess") as place:
        assert place.get("/").status == 401
        place.login = "operator:secret of reader"
        assert place.get("/").status == 401
        place.login = "reader:secret of reader"
        assert place.get("/").status == 200
        assert place.post(PAUSE, {"reason": "x"}).status == 403
        place.login = "operator:secret of operator"
        assert place.act(PAUSE, {"reason": "x"})
    assert [round(seconds) for seconds in waits] == [1, 2]

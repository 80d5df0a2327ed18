"""The client against the double: pages, failures by their text, and where a token may go."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.backtrace import queries
from syncd.backtrace.client import Client, ColumnsMissing
from syncd.backtrace.queries import Query
from syncd.errors import Misconfigured, Throttled, TrackerError, Unavailable
from syncd.platform.clock import Clock
from tests.backtrace.conftest import Configured
from tests.fakes.backtrace import TOKEN, FakeBacktrace, callstack
from tests.fakes.server import Fault

ALL = queries.since(0)


def crash(number: int, timestamp: int = 1000, **attributes: Any) -> dict[str, Any]:
    return {"fingerprint": format(number, "064x"), "timestamp": timestamp, **attributes}


def test_folds_are_read_by_their_name(fake: FakeBacktrace, client: Client) -> None:
    stack = callstack("f", "main")
    fake.objects.add(
        [
            crash(1, 5, version="1.0", guid="a", hostname="h", callstack=stack, classifiers="x y", application="game"),
            crash(1, 9, version="1.1", guid="b", hostname="h", callstack=stack),
            crash(1, 7, version=None, guid=None),
        ]
    )
    (row,) = client.query(Query(filter=ALL, folds=queries.totals(["version"], []))).rows
    assert (row.key, row.count, row.span) == (format(1, "064x"), 3, (5, 9))
    assert (row.unique("guid"), row.unique("hostname")) == (2, 1)
    assert (row.head("callstack"), row.head("classifiers"), row.head("application")) == (stack, "x y", "game")
    assert row.histogram("version") == [("1.0", 1), ("1.1", 1)]
    assert (row.head(queries.STATE), row.head(queries.TICKET)) == ("open", None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    groups=st.integers(0, 12),
    limit=st.integers(1, 4),
    most_rows=st.integers(1, 4),
    arriving=st.lists(st.lists(st.integers(0, 30), max_size=4), max_size=6),
)
def test_no_group_is_missed_or_read_twice_while_objects_arrive(
    configured: Configured, groups: int, limit: int, most_rows: int, arriving: list[list[int]]
) -> None:
    with FakeBacktrace() as fake:
        fake.most_rows = most_rows
        fake.objects.add([crash(number * 2 + 1) for number in range(groups)])
        fake.between = [lambda numbers=numbers: fake.objects.add([crash(n) for n in numbers]) for numbers in arriving]
        client = Client(configured(url=fake.url), Clock(), lambda _: None)
        pages = [page for _, page in client.pages(Query(filter=ALL, limit=limit))]
        client.close()
    counts = {row.key: row.count for page in pages for row in page.rows}
    assert counts == {crash(number * 2 + 1)["fingerprint"]: 1 for number in range(groups)}
    assert sum(len(page.rows) for page in pages) == groups


def test_a_page_goes_on_where_an_earlier_run_ended(fake: FakeBacktrace, client: Client) -> None:
    fake.objects.add([crash(number) for number in range(10)])
    (first, page), *_ = client.pages(Query(filter=ALL, limit=4))
    fake.objects.add([crash(number + 20) for number in range(5)])
    rest = client.pages(Query(filter=ALL, limit=4, tx=first.tx, offset=len(page.rows)))
    assert [len(page.rows) for _, page in rest] == [4, 2]


def revoke(fake: FakeBacktrace) -> None:
    fake.tokens.clear()


def narrow(fake: FakeBacktrace) -> None:
    fake.tokens[TOKEN]["game"] = {"object:get"}


def rename(fake: FakeBacktrace) -> None:
    fake.projects = {"other": fake.objects}


def move(fake: FakeBacktrace) -> None:
    fake.universe = "umbrella"


@pytest.mark.parametrize("polite", [True, False])
@pytest.mark.parametrize(
    ("change", "text", "login"),
    [
        (revoke, "invalid token", True),
        (narrow, "insufficient permissions", True),
        (rename, "backtrace.acme.projects[0].name", False),
        (move, "backtrace.acme.universe", False),
    ],
)
def test_a_refusal_names_what_a_person_has_to_change(
    fake: FakeBacktrace, client: Client, change: Callable[[FakeBacktrace], None], text: str, login: bool, polite: bool
) -> None:
    fake.polite = polite
    change(fake)
    with pytest.raises(Misconfigured) as caught:
        client.query(Query(filter=ALL))
    assert text in caught.value.reason
    assert caught.value.login is login
    assert TOKEN not in caught.value.reason
    assert len(fake.requests) == 1
    if login:
        assert "API tokens" in caught.value.reason
        assert "query:post" in caught.value.reason
        assert "backtrace-token" in caught.value.reason  # the file


@pytest.mark.parametrize("polite", [True, False])
def test_a_column_that_is_not_indexed_is_named(fake: FakeBacktrace, client: Client, polite: bool) -> None:
    fake.polite = polite
    fake.objects.add([crash(1)])
    del fake.objects.columns["guid"]
    with pytest.raises(ColumnsMissing) as caught:
        client.query(Query(filter=ALL, folds=queries.totals(["version", "application.version"], [])))
    (first,) = caught.value.columns
    with pytest.raises(ColumnsMissing) as caught:
        client.query(Query(filter=ALL, folds=queries.totals(["version", "application.version"], [first])))
    dropped = [first, *caught.value.columns]
    assert sorted(dropped) == ["application.version", "guid"]
    (row,) = client.query(Query(filter=ALL, folds=queries.totals(["version", "application.version"], dropped))).rows
    assert row.unique("guid") is None


@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        (Fault(how="status", status=503, times=3), Unavailable, "answers 503"),
        (Fault(how="status", status=429, headers={"Retry-After": "90"}), Throttled, "fewer requests"),
        (Fault(how="reset_after", times=3), Unavailable, "broke"),
        (Fault(how="half_after", times=3), Unavailable, "broke"),
        (Fault(how="garbage_after"), Misconfigured, "a page"),
        (
            Fault(how="status", status=302, headers={"Location": "https://evil.example/api/query"}),
            Misconfigured,
            "evil",
        ),
        (Fault(how="status", status=404, body={}), Misconfigured, "backtrace.acme.url"),
        (Fault(how="slow", seconds=3.0, times=3), Unavailable, "in time"),
    ],
    ids=lambda value: value.how if isinstance(value, Fault) else None,
)
def test_a_failure_is_classified(
    fake: FakeBacktrace, configured: Configured, fault: Fault, kind: type[TrackerError], text: str
) -> None:
    fake.inject(fault)
    client = Client(configured(timeout=1.0), Clock(), lambda _: None)
    with pytest.raises(kind, match=text) as caught:
        client.query(Query(filter=ALL))
    assert TOKEN not in repr(caught.value)
    assert TOKEN not in repr(client)
    client.close()


def test_a_failure_that_passes_is_not_one(fake: FakeBacktrace, client: Client) -> None:
    fake.inject(Fault(how="status", status=502, times=2))
    fake.objects.add([crash(1)])
    assert len(client.query(Query(filter=ALL)).rows) == 1


def test_a_token_goes_to_its_own_address_only(
    fake: FakeBacktrace, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeBacktrace() as elsewhere:
        # A redirect to another port of the same host is another address.
        fake.inject(Fault(how="status", status=307, headers={"Location": f"{elsewhere.url}/api/query"}))
        with pytest.raises(Misconfigured, match="no token is sent"):
            client.query(Query(filter=ALL))
        for path in (f"{elsewhere.url}/workflows/x", f"//{elsewhere.url.partition('//')[2]}/x", "http://[::1/x"):
            with pytest.raises(Misconfigured):
                client.read(path)
        assert elsewhere.requests == []
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    client.query(Query(filter=ALL))
    last = fake.requests[-1]
    assert "authorization" not in last.headers
    assert last.headers["x-coroner-token"] == TOKEN
    assert TOKEN not in str(last.query)


def test_nothing_is_sent_without_a_readable_token(fake: FakeBacktrace, configured: Configured, tmp_path: Path) -> None:
    client = Client(configured(), Clock(), lambda _: None)
    (tmp_path / "backtrace-token").write_text("")
    with pytest.raises(Misconfigured, match=r"backtrace\.acme\.projects\[0\]\.token"):
        client.query(Query(filter=ALL))
    assert fake.requests == []


def test_nobody_listens(configured: Configured) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    client = Client(configured(url=f"http://127.0.0.1:{port}"), Clock(), lambda _: None)
    with pytest.raises(Unavailable, match="no connection"):
        client.query(Query(filter=ALL))

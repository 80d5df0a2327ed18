"""The base of all fakes: bad weather, holds that end by themselves, and who may watch."""

import http.client
import json
import threading
from collections.abc import Iterator
from typing import get_args

import pytest

from tests.fakes.github import TOKEN, FakeGitHub
from tests.fakes.server import Cut, Fault, How, Moment, Recorded
from tests.fakes.weather import Weather

ISSUES = "/repos/acme/game/issues"
REQUESTS = Recorded(method="GET", path=ISSUES, query={}, headers={}, body=None, raw=b"")


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with FakeGitHub() as github:
        yield github


def send(fake: FakeGitHub, method: str = "POST") -> http.client.HTTPConnection:
    """A create or a list that was sent and is not yet answered."""
    connection = http.client.HTTPConnection(fake.url.removeprefix("http://"), timeout=10)
    body = json.dumps({"title": "a crash"}) if method == "POST" else None
    connection.request(method, ISSUES, body, {"Authorization": f"Bearer {TOKEN}"})
    return connection


def status(fake: FakeGitHub, method: str = "GET") -> int:
    connection = send(fake, method)
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_quarter_of_the_requests_fails_in_every_way_there_is() -> None:
    weather = Weather(7, 0.25, (0.3, 1.3))

    faults = [fault for fault in (weather(REQUESTS) for _ in range(4000)) if fault is not None]

    assert 900 <= len(faults) == sum(weather.failed.values()) <= 1100
    assert {fault.how for fault in faults} == set(get_args(How))
    assert {fault.status for fault in faults if fault.how == "status"} == {429, 500, 502, 503}
    assert all(0.3 <= fault.seconds <= 1.3 for fault in faults if fault.how in ("hang_before", "hang_after", "slow"))


def test_a_seed_decides_the_weather() -> None:
    first, same, second = (Weather(seed, 0.25, (0.3, 1.3)) for seed in (7, 7, 8))

    drawn = [[getattr(weather(REQUESTS), "how", None) for _ in range(200)] for weather in (first, same, second)]

    assert drawn[0] == drawn[1] != drawn[2]


def test_an_order_comes_before_the_weather(fake: FakeGitHub) -> None:
    fake.weather = lambda _: Fault(how="status", status=503)
    fake.inject(Fault(how="status", method="GET", status=418))

    assert [status(fake), status(fake)] == [418, 503]


def test_a_create_that_is_held_is_carried_out_after_its_sender_died(fake: FakeGitHub) -> None:
    carried_out = threading.Event()
    fake.watch = lambda moment, _: carried_out.set() if moment == "carried_out" else None
    fake.inject(Fault(how="hang_before", seconds=0.2))

    connection = send(fake)
    fake.wait_for("POST")
    connection.close()

    assert not fake.repository.issues
    assert carried_out.wait(10)
    assert len(fake.repository.issues) == 1


def test_whoever_watches_is_told_how_far_a_request_has_come(fake: FakeGitHub) -> None:
    outcomes: list[tuple[Moment, str, int]] = []
    answered = threading.Event()

    def note(moment: Moment, request: Recorded) -> None:
        outcomes.append((moment, request.method, len(fake.repository.issues)))
        if moment == "answered":
            answered.set()

    fake.watch = note

    assert status(fake, "POST") == 201
    assert answered.wait(10)
    assert outcomes == [("arrived", "POST", 0), ("carried_out", "POST", 1), ("answered", "POST", 1)]


def test_whoever_watches_may_cut_what_arrives(fake: FakeGitHub) -> None:
    def cut(moment: Moment, request: Recorded) -> None:
        raise Cut

    fake.watch = cut

    with pytest.raises(ConnectionResetError):
        status(fake, "POST")
    assert not fake.repository.issues


def test_only_so_many_requests_are_remembered(fake: FakeGitHub) -> None:
    fake.remember(2)

    for _ in range(3):
        status(fake)

    assert len(fake.requests) == 2
    assert fake.arrivals == 3

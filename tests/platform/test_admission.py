"""Who may use a listener."""

import asyncio
from collections.abc import Mapping

import pytest

from syncd.platform import admission
from syncd.platform.admission import FailedLogins, ThrottledLog, browser_trace, is_loopback

NOW = 1000.0


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.8.9.10:65535", "[::1]", "[::1]:8080"])
def test_these_are_names_of_this_machine(host: str) -> None:
    assert is_loopback(host.encode())


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "127.0.0.1.evil.example", "evil@127.0.0.1", "127.0.0.1/evil", "localhost.evil.example", "10.0.0.1", "[::2]", "::1",
     "127.0.0.1:", "127.0.0.1:80:80", "127.0.0.1 evil", "localhost\n", "0.0.0.0", "127.1"],
)  # fmt: skip
def test_any_page_can_have_these_names(host: str) -> None:
    assert not is_loopback(host.encode())


@pytest.mark.parametrize(
    ("headers", "any_host", "trace"),
    [
        pytest.param([(b"host", b"127.0.0.1:1")], False, None, id="a program"),
        pytest.param([], False, None, id="a program of HTTP/1.0"),
        pytest.param([(b"host", b"localhost"), (b"origin", b"null")], False, "Origin", id="a page"),
        pytest.param([(b"sec-fetch-site", b"same-origin"), (b"host", b"localhost")], True, "Sec-Fetch-Site", id="a new browser"),
        pytest.param([(b"host", b"rebound.example")], False, "Host", id="a page with a name for this machine"),
        pytest.param([(b"host", b"localhost"), (b"host", b"rebound.example")], False, "Host", id="two hosts"),
        pytest.param([(b"host", b"syncd.example")], True, None, id="a network that is allowed in"),
    ],
)  # fmt: skip
def test_a_browser_gives_itself_away(headers: list[tuple[bytes, bytes]], any_host: bool, trace: str | None) -> None:
    assert browser_trace(headers, any_host=any_host) == trace


def test_each_further_failure_of_a_peer_waits_a_second_more() -> None:
    logins = FailedLogins(3)

    waits = [logins.wait("192.0.2.1", NOW) for _ in range(100)]

    assert waits[:5] == [0.0, 0.0, 0.0, 1.0, 2.0]
    assert max(waits) == admission.LONGEST_SECONDS
    assert logins.wait("192.0.2.2", NOW) == 0.0
    # After a pause the peer has paid for all of them.
    assert logins.wait("192.0.2.1", NOW + 20) == 0.0


def test_one_machine_is_one_peer_whatever_its_address_in_its_own_network() -> None:
    logins = FailedLogins(0)

    assert logins.wait("2001:db8::1", NOW) == 1.0
    assert logins.wait("2001:db8::ffff:2", NOW) == 2.0
    assert logins.wait("2001:db8:0:1::1", NOW) == 1.0
    assert logins.wait("unknown", NOW) == 1.0


def test_a_bounded_number_of_peers_is_remembered() -> None:
    logins = FailedLogins(0)

    for number in range(admission.PEERS + 1):
        logins.wait(f"peer {number}", NOW)

    assert logins.wait("peer 0", NOW) == 1.0
    assert logins.wait(f"peer {admission.PEERS}", NOW) == 2.0


def test_a_thousand_equal_events_are_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "LOG_SECONDS", 0.01)
    lines: list[Mapping[str, object]] = []

    async def log() -> None:
        minute = asyncio.Event()

        class Logger:
            def warning(self, event: str, **facts: object) -> None:
                lines.append({"event": event, **facts})
                if len(lines) == 3:
                    minute.set()

        throttled = ThrottledLog(Logger())
        for number in range(1000):
            throttled.warning("refused", 401, peer=number)
        throttled.warning("refused", 403, peer=-1)
        await minute.wait()
        await asyncio.sleep(0.03)  # nothing follows: a quiet minute is not worth a line

    asyncio.run(log())

    assert lines == [
        {"event": "refused", "peer": 0, "count": 1},
        {"event": "refused", "peer": -1, "count": 1},
        {"event": "refused", "peer": 999, "count": 999},
    ]

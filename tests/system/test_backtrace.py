"""A daemon that polls the double of Backtrace, and is killed while it does."""

import random
import time
from pathlib import Path

import pytest

from tests.fakes.backtrace import TOKEN, FakeBacktrace, callstack
from tests.store import filled
from tests.system.daemon import Daemon
from tests.system.kinds import opened


def crash(group: int, at: float, number: int) -> dict[str, object]:
    return {
        "fingerprint": format(group + 2**252, "064x"),
        "timestamp": int(at),
        "version": f"1.{number % 3}",
        "object": number,
        "callstack": callstack(f"draw{group}", "main"),
        "guid": f"u{number}",
    }


def wait_for_requests(daemon: Daemon, fake: FakeBacktrace, count: int) -> None:
    daemon.wait_for(lambda: len(fake.requests) >= count, f"{count} requests")


@pytest.fixture
def daemon(tmp_path: Path, fake: FakeBacktrace) -> Daemon:
    (tmp_path / "backtrace-token").write_text(TOKEN)
    with opened("local", tmp_path) as kind:
        return Daemon(tmp_path, kind.toml() + fake.toml())


@pytest.fixture
def fake() -> object:
    with FakeBacktrace() as server:
        yield server
        assert server.problems == []


def test_kills_in_the_middle_of_polls_lose_and_double_nothing(daemon: Daemon, fake: FakeBacktrace) -> None:
    at = time.time() + 60
    fake.objects.add([crash(group, at, group * 10 + n) for group in range(300) for n in range(1 + group % 4)])
    fake.most_rows, fake.latency = 20, 0.02
    dice = random.Random(7)
    for _ in range(4):
        before = len(fake.requests)
        daemon.start()
        wait_for_requests(daemon, fake, before + dice.randint(2, 15))
        daemon.kill()
    daemon.start()
    daemon.wait_for(lambda: daemon.status()["polls"][0]["polled_at"], "a whole poll")
    daemon.drain()
    truth = {name: fake.objects.count(name) for name in fake.objects.groups()}
    assert {name: group["occurrences"] for name, group in daemon.groups().items()} == truth
    assert {name: group["issue"]["state"] for name, group in daemon.groups().items()} == dict.fromkeys(truth, "linked")
    daemon.stop()


def test_a_backfill_that_is_killed_goes_on_and_counts_every_group_once(daemon: Daemon, fake: FakeBacktrace) -> None:
    long_ago = time.time() - 90 * 86400
    fake.objects.add([crash(group, long_ago, group * 10 + n) for group in range(200) for n in range(1 + group % 4)])
    daemon.start()
    daemon.wait_for(lambda: daemon.status()["polls"][0]["polled_at"], "the first poll")
    assert daemon.groups() == {}
    fake.most_rows, fake.latency = 10, 0.05
    for seconds in (1.5, 2.0, 2.5):
        daemon.kill_command("backfill", "acme/game", seconds=seconds)
    daemon.syncd("backfill", "acme/game")
    daemon.drain()
    truth = {name: fake.objects.count(name) for name in fake.objects.groups()}
    assert {name: group["occurrences"] for name, group in daemon.groups().items()} == truth
    assert daemon.status()["held"] == len(truth)
    daemon.stop()


def test_polls_that_are_off_send_nothing(tmp_path: Path, fake: FakeBacktrace) -> None:
    (tmp_path / "backtrace-token").write_text(TOKEN)
    fake.objects.add([crash(1, time.time(), 1)])
    with opened("local", tmp_path) as kind, Daemon(tmp_path, kind.toml() + fake.toml(poll="off")) as daemon:
        daemon.send(filled.crash_notification("a" * 64))
        daemon.drain()
        assert daemon.status()["polls"] == []
    assert list(fake.requests) == []

"""A tracker that cannot be reached is read, not called for each crash; everything shows it first; everything goes on by itself."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.door import Door, Way
from tests.fakes.github import FakeGitHub
from tests.prove import unreachable as proof
from tests.prove.crashes import crash, fingerprint, tally
from tests.prove.daemons import github_section, ready
from tests.system.daemon import Daemon

GROUPS = 40
ROUTE = '[[routes]]\ntracker = "here"\nstatus_interval = "1s"\nmax_new_issues = []\nmax_updates = []\n'
PROBES = 'probe_after = ["3s", "4s"]'
CAUSES: dict[Way, str] = {
    "refused": r"no connection to 127\.0\.0\.1:\d+: connection refused",
    "cut": r"the connection to 127\.0\.0\.1:\d+ broke before its answer was whole",
    "page": r"a web page at 127\.0\.0\.1:\d+ answers instead of the tracker's API \(200\)",
    "redirect": r"a web page at 127\.0\.0\.1:\d+ answers instead of the tracker's API \(302, which redirects to sso\.example\)",
    "html error": r"127\.0\.0\.1:\d+ answers 502",
    "stranger": r"something else at 127\.0\.0\.1:\d+ answers instead of the tracker's API \(200\)",
}


@contextmanager
def behind(folder: Path, way: Way, *, secure: bool = False) -> Iterator[tuple[FakeGitHub, Door, Daemon]]:
    """A daemon whose tracker is behind a door."""
    with FakeGitHub() as fake, Door(fake.url, way, folder if secure else None) as door:
        more = [f'ca_file = "{door.ca_file}"'] if secure else []
        section = github_section(folder, door.url, 'timeout = "2s"', PROBES, *more)
        with Daemon(folder, section + ROUTE) as daemon:
            yield fake, door, daemon


def calls(daemon: Daemon) -> Counter[str]:
    """The operations that the daemon's log has, by outcome."""
    lines = [json.loads(line) for line in daemon.log.read_text().splitlines() if '"tracker_call"' in line]
    return Counter(f"{line['operation']} {line['outcome']}" for line in lines)


def unreachable(daemon: Daemon) -> dict[str, Any]:
    """The unreachable trackers that `/readyz` lists; the daemon stays ready."""
    status, answer = ready(daemon)
    assert status == 200
    trackers: dict[str, Any] = answer["unreachable_trackers"]
    return trackers


@pytest.mark.parametrize("way", CAUSES)
def test_an_outage_costs_a_read_per_step_and_is_over_by_itself(tmp_path: Path, way: Way) -> None:
    with behind(tmp_path, way) as (fake, door, daemon):
        daemon.send_all([crash(number) for number in range(GROUPS)])
        outage = daemon.wait_for(lambda: unreachable(daemon), "the tracker to be unreachable")["here"]
        standing = daemon.status()["trackers"]["here"]
        printed = daemon.syncd("status", code=3)

        assert re.search(CAUSES[way], outage["reason"]), outage
        assert standing["state"] == "unreachable"
        assert standing["calls"] >= 3
        assert standing["since"] < standing["until"]
        assert "unreachable since" in printed
        assert re.search(CAUSES[way], re.sub(r"\s+", " ", printed)), printed
        made = calls(daemon)
        pings = made.pop("ping Unavailable")
        assert pings <= 5
        assert sum(made.values()) <= 2, "one create, and one read of the highest number before it"
        assert daemon.status()["outbox"]["due"] + daemon.status()["outbox"]["waiting"] == GROUPS
        assert daemon.status()["issues"]["in_doubt"] <= 1

        door.lead("open")
        status = daemon.drain()
        assert tally(
            [fingerprint(number) for number in range(GROUPS)],
            [str(issue.body) for issue in fake.repository.issues.values()],
        ).exact
        assert (status["trackers"]["here"]["state"], status["dead"], unreachable(daemon)) == ("ok", 0, {})


def test_no_promise_is_broken_while_a_gateway_answers_for_the_tracker(tmp_path: Path) -> None:
    assert proof.outage(tmp_path / "error", "html error", 9).wrong() == []


def test_an_expired_certificate_is_named_and_a_new_one_ends_the_outage(tmp_path: Path) -> None:
    with behind(tmp_path, "open", secure=True) as (fake, door, daemon):
        daemon.send_all([crash(number) for number in range(GROUPS)])
        outage = daemon.wait_for(lambda: unreachable(daemon), "the tracker to be unreachable")["here"]
        assert re.search(
            r"the certificate of localhost:\d+ was not accepted: certificate has expired", outage["reason"]
        )
        assert door.connections <= 8

        door.renew()
        daemon.drain()
        assert len(fake.repository.issues) == GROUPS
        assert unreachable(daemon) == {}


@pytest.mark.parametrize("way", ["page", "stranger"])
def test_an_outage_in_the_middle_of_a_backlog_leaves_one_create_in_doubt_at_most(tmp_path: Path, way: Way) -> None:
    with behind(tmp_path, "open") as (fake, door, daemon):
        daemon.send(crash(0))
        daemon.drain()
        door.lead(way)
        daemon.send_all([crash(number) for number in range(1, GROUPS)])
        daemon.wait_for(lambda: unreachable(daemon), "the tracker to be unreachable")

        assert daemon.status()["issues"]["in_doubt"] <= 1
        door.lead("open")
        daemon.drain()
        assert len(fake.repository.issues) == GROUPS

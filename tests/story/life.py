"""Months of a daemon's life in a moment: its two stages, surveys and storms, turned by hand, under a clock that is passed in."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from syncd import config as configuration
from syncd.store import Store, open_store
from syncd.trackers import Tracker, open_tracker
from syncd.worker import storms
from syncd.worker.absorb import absorb
from syncd.worker.presentation import Presentation
from syncd.worker.routing import Routing
from syncd.worker.surveys import Surveyor
from syncd.worker.sync import sync
from tests.clock import MovableClock
from tests.store.filled import accept
from tests.story.people import People, people
from tests.system.kinds import ROUTE, opened

DAY = 86400.0
BEGIN = 1_760_000_000.0


class Time(MovableClock):
    """The test lets time pass; spans are real, because a real tracker measures its own requests."""

    def monotonic(self) -> float:
        """Seconds of this machine."""
        return time.monotonic()


@dataclass
class Life:
    """A store, a tracker, its people, and a clock that the test moves."""

    store: Store
    rules: Routing
    tracker: Tracker
    people: People
    clock: Time
    claims: int = 0

    def notify(
        self,
        frame: str,
        releases: dict[str, int],
        users: int = 5,
        fingerprint: str = "",
        application: str = "game",
        unreleased: int = 0,
        *,
        work: bool = True,
    ) -> None:
        """A notification: the crash occurred until now, in all so often in these releases and so often without one. syncd works on it, or
        it waits in the inbox."""
        total = sum(releases.values()) + unreleased
        notification = {
            "universe": "acme",
            "project": "game",
            "fingerprint": fingerprint or f"fingerprint of {frame} in {application}",
            "application": application,
            "callstack": [frame, "main"],
            "occurrences": total,
            "timestamp": [int(BEGIN), int(self.clock.now)],
            "hosts": users,
            "guids": users,
            "attributes": {"version": [[release, count] for release, count in releases.items()]},
        }
        accept(self.store, notification, at=self.clock.now)
        if work:
            self.work()

    def wait(self, days: float) -> None:
        """Time passes, and what is due is done: once a quarter of a day, and at the end."""
        until = self.clock.now + days * DAY
        while self.clock.now < until:
            self.clock.advance(min(until - self.clock.now, DAY / 4))
            self.work()

    def work(self) -> None:
        """Do all that is due now."""
        surveyor = Surveyor(self.store, self.tracker, "here", self.rules, self.clock)
        while not surveyor.step():
            pass
        for _ in range(300):
            absorb(self.store, self.rules, self.clock.now)
            storms.drain(self.store, self.rules, self.clock.now)
            self.claims += 1
            claim = self.store.outbox.claim("here", f"life/{self.claims}", self.clock.now)
            if claim is None:
                return
            sync(self.store, self.tracker, claim, self.rules, self.clock)
        raise AssertionError("there is always something due")


@contextmanager
def lived(
    kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch, route: str = "", url: str | None = None
) -> Iterator[Life]:
    """A life with this kind of tracker, its one route with more keys; in a file, or in the store at `url`."""
    clock = Time(BEGIN)
    with opened(kind, folder) as fake:
        limits = 'writes = ["6000/1m"]\n'
        place = url or f"sqlite:{folder}/syncd.db"
        plain = ROUTE.replace("max_new_issues = []\n", "")
        (folder / "config.toml").write_text(
            f'[store]\nurl = "{place}"\n' + fake.toml(limits).replace(ROUTE, plain + route)
        )
        loaded = configuration.load(folder / "config.toml")
        # A server is opened by the right time.
        store = open_store(loaded.store, clock) if url is None else open_store(loaded.store)
        monkeypatch.setattr(time, "time", clock.wall)
        tracker = open_tracker(
            "here",
            loaded.trackers["here"],
            store.notebook("here"),
            clock=clock,
            sleep=time.sleep,
        )
        rules = Routing(config=loaded, instance_key=store.instance_key(), presentation=Presentation.from_config(loaded))
        yield Life(store, rules, tracker, people(fake, folder), clock)
        tracker.close()
        store.close()

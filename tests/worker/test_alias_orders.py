"""Aliases added and removed in any order, with filing, adoption and lost answers between: a group never has two live issues."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.config import Config, LocalSettings, Route, StoreSettings
from syncd.errors import OutcomeUnknown, Unavailable
from syncd.model import Created, IssueState, Place
from syncd.operate import actions
from syncd.store import adoptions, handovers, open_store
from syncd.store.adoptions import Adoption
from syncd.trackers import Draft
from syncd.worker import adoptions as linking
from syncd.worker.routing import Routing
from tests.clock import MovableClock
from tests.scene import PROBES, Scene, Tracker

NAMES = ("f1", "f2", "f3", "f4")
LEAST = 10  # occurrences of a group that is filed


@dataclass
class Interrupted(Tracker):
    """A tracker during whose next create somebody does something."""

    meanwhile: Callable[[], object] | None = field(default=None)

    def create(self, draft: Draft) -> Created:
        act, self.meanwhile = self.meanwhile, None
        if act is not None:
            act()
        return super().create(draft)


class Site:
    """A store, a tracker, and the issues that others filed."""

    def __init__(self, migrated: Path, folder: Path) -> None:
        copyfile(migrated, folder / "syncd.db")
        settings = StoreSettings(url=f"sqlite:{folder}/syncd.db")
        store = open_store(settings)
        config = Config(
            store=settings,
            trackers={"here": LocalSettings(kind="local", folder="unused", probe_after=PROBES)},
            routes=[Route(name="all", tracker="here", status_interval=1.0, gather=0.0, min_occurrences=LEAST)],
        )
        clock = MovableClock()
        self.tracker = Interrupted(wall=clock)
        self.scene = Scene(
            store, Routing(config=config, instance_key=store.instance_key()), self.tracker, settings, clock
        )
        self.counts = dict.fromkeys(NAMES, 0)
        self.adopted: dict[str, str] = {}

    def ids(self) -> dict[str, int]:
        listed = self.scene.store.lists.by_fingerprint("f")
        return {group.standing.group.identity.fingerprint: group.id for group in listed}

    def tell(self, name: str, more: int) -> None:
        self.counts[name] += more
        self.scene.tell(name, occurrences=self.counts[name], timestamp=[1000, int(self.scene.clock.wall())])

    def sync(self) -> None:
        self.scene.sync()

    def wait(self, seconds: float = 200.0) -> None:
        self.scene.clock.advance(seconds)
        self.tracker.clock += seconds

    def join(self, name: str, target: str) -> None:
        numbers, now = self.ids(), self.scene.clock.wall()
        if name in numbers and target in numbers:
            with suppress(ValueError):
                actions.add_alias(self.scene.store, self.scene.rules, numbers[name], numbers[target], "", now)

    def part(self, name: str) -> None:
        if (number := self.ids().get(name)) is not None:
            actions.remove_alias(self.scene.store, self.scene.rules, number, self.scene.clock.wall())

    def lose(self, *, carried_out: bool) -> None:
        self.scene.fail("create", OutcomeUnknown("no answer"), carried_out)

    def refuse(self) -> None:
        self.scene.fail("create", Unavailable("down for a moment"))

    def adopt(self, name: str) -> None:
        """Others filed an issue of a crash that syncd has not heard of."""
        if name in self.adopted or name in self.ids():
            return
        key = self.adopted[name] = f"K-9{name[1:]}"
        entry = Adoption(
            fingerprint_key=name, tracker="here", place=Place(remote_id=key.removeprefix("K-"), key=key, url="")
        )
        self.scene.store.write(lambda transaction: adoptions.add(transaction, entry, self.scene.clock.wall()))

    def during(self, act: str, *arguments: str) -> None:
        self.tracker.meanwhile = lambda: getattr(self, act)(*arguments)

    def rest(self) -> None:
        """Sync until nothing is due any more."""
        self.tracker.fail_before.clear()
        self.tracker.fail_after.clear()
        self.tracker.meanwhile = None
        for _ in range(300):
            while self.scene.sync():
                pass
            due = self.scene.due_in
            if due is None:
                return
            self.wait(max(due, 0.0) + 1.0)
        raise AssertionError("there is always something due")

    def faults(self) -> list[str]:
        """Each group with more than one issue, and each issue that stands for more than one group."""
        filed = Counter(draft.group.identity.fingerprint for draft in self.tracker.issues)
        filed.update(self.adopted.keys())
        live = Counter(view.issue.remote_id for view in self.scene.store.report.groups() if view.issue is not None)
        several = [f"{count} issues of {name}" for name, count in filed.items() if count > 1]
        return several + [f"{count} groups of {place}" for place, count in live.items() if place and count > 1]

    def close(self) -> None:
        self.scene.store.close()


Step = tuple[Any, ...]
NAME = st.sampled_from(NAMES)
ALIAS = st.one_of(st.tuples(st.just("join"), NAME, NAME), st.tuples(st.just("part"), NAME))
STEP: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("tell"), NAME, st.sampled_from([3, 20])),
    st.tuples(st.just("sync")),
    st.tuples(st.just("sync")),
    st.tuples(st.just("wait")),
    ALIAS,
    ALIAS,
    ALIAS.map(lambda step: ("during", *step)),
    st.sampled_from([("lose", True), ("lose", False), ("refuse",)]),
    st.tuples(st.just("adopt"), NAME),
)


def run(site: Site, steps: list[Step]) -> list[str]:
    """The faults after any step, and after all aliases are removed and nothing is due."""
    for act, *arguments in steps:
        if act == "lose":
            site.lose(carried_out=arguments[0])
        else:
            getattr(site, act)(*arguments)
        if faults := site.faults():
            return faults
    site.rest()
    for name in NAMES:
        site.part(name)
        site.rest()
    for view in site.scene.store.report.groups():
        name, issue = view.group.identity.fingerprint, view.issue
        if name in site.adopted and (issue is None or issue.key != site.adopted[name]):
            return [f"{name} has {issue and issue.key}, and not {site.adopted[name]}"]
        if site.counts[name] >= LEAST and (issue is None or issue.state is not IssueState.LINKED):
            return [f"{name} has no issue: {view.reason}"]
    return site.faults()


def verdict(migrated: Path, folder: Path, steps: list[Step]) -> list[str]:
    with TemporaryDirectory(dir=folder) as place:
        site = Site(migrated, Path(place))
        try:
            return run(site, steps)
        finally:
            site.close()


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(STEP, min_size=4, max_size=25))
def test_no_order_gives_a_group_two_live_issues(migrated: Path, tmp_path: Path, steps: list[Step]) -> None:
    assert verdict(migrated, tmp_path, steps) == []


FILED = [("tell", "f1", 20), ("sync",), ("tell", "f2", 20), ("sync",)]


@pytest.mark.parametrize(
    "steps",
    [
        [*FILED, ("join", "f2", "f1"), ("sync",), ("part", "f2"), ("sync",)],
        [*FILED, ("join", "f2", "f1"), ("join", "f1", "f2"), ("part", "f1"), ("sync",), ("part", "f2")],
        [*FILED, ("tell", "f3", 3), ("join", "f2", "f3"), ("sync",), ("tell", "f3", 20), ("part", "f2"), ("sync",)],
        [("tell", "f1", 20), ("tell", "f2", 20), ("during", "join", "f1", "f2"), ("sync",), ("sync",), ("part", "f1")],
        [("adopt", "f1"), ("tell", "f1", 3), ("tell", "f2", 20), ("sync",), ("join", "f1", "f2"), ("part", "f1")],
        [("tell", "f1", 20), ("lose", True), ("sync",), ("tell", "f2", 20), ("join", "f2", "f1"), ("part", "f2")],
    ],
    ids=["and-back", "in-a-circle", "to-a-held-one", "during-a-create", "adopted", "in-doubt"],
)
def test_orders_that_people_try(migrated: Path, tmp_path: Path, steps: list[Step]) -> None:
    assert verdict(migrated, tmp_path, steps) == []


def test_without_giving_an_issue_back_a_group_gets_a_second_one(
    migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handovers, "give_back", lambda *_: None)

    assert verdict(migrated, tmp_path, [*FILED, ("join", "f2", "f1"), ("part", "f2")]) == ["2 issues of f2"]


def test_without_linking_what_is_met_a_group_gets_a_second_issue(
    migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linking, "meet", lambda *_: None)

    assert verdict(migrated, tmp_path, [("adopt", "f1"), ("tell", "f1", 20), ("sync",)]) == ["2 issues of f1"]

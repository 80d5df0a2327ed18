"""Groups that Backtrace merged: which issue stands for them, and what a closing before the merge means."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncd.operate import actions
from tests.simulation.history import Setup
from tests.simulation.test_races import Stage

DAY = 86400.0
MERGED = "0" * 24 + "c" * 40
LATER = "0" * 24 + "d" * 40
MakeStage = Callable[..., Stage]


@pytest.fixture
def make_stage(tmp_path: Path) -> Iterator[MakeStage]:
    stages: list[Stage] = []

    def make(**route: str) -> Stage:
        stages.append(Stage(tmp_path, Setup(route=(("status_interval", 1.0), *sorted(route.items())))))
        return stages[-1]

    yield make
    for stage in stages:
        stage.world.close()


def notify(stage: Stage, fingerprint: str, seconds: float = 10.0, **releases: int) -> None:
    """A total of a group of one crash by release, some time later; all that is due is done."""
    stage.world.scheduler.now += seconds
    at = int(stage.now)
    ledger = [[name.strip("v").replace("_", "."), count] for name, count in releases.items()]
    stage.notify(
        fingerprint,
        sum(releases.values()),
        application="game",
        callstack=["Render::draw", "main"],
        timestamp=[1_789_000_000, at],
        attributes={"version": ledger},
    )
    stage.sync_all()


def close(stage: Stage, number: int, *fixed_in: str) -> None:
    """A person closes an issue, and syncd hears of it."""
    stage.world.scheduler.now += 60.0
    item = stage.world.site.items[number]
    item.closed, item.closed_at, item.resolution, item.fixed_in = True, stage.now, "completed", fixed_in
    item.changed_at = item.closed_by_person = stage.now
    look(stage, item.title)


def look(stage: Stage, fingerprint: str) -> None:
    actions.sync_now(stage.store, stage.process.routing, stage.group(fingerprint), stage.now)
    stage.sync_all()
    stage.world.scheduler.now += 60.0


def explained(stage: Stage, fingerprint: str = MERGED) -> tuple[str, str, str]:
    (row,) = stage.world.database.rows(
        "SELECT decision, decision_rule, decision_reason FROM groups WHERE fingerprint = ?", fingerprint
    )
    return str(row["decision"]), str(row["decision_rule"]), str(row["decision_reason"])


def merge(stage: Stage) -> None:
    """Two groups with an issue each are merged."""
    notify(stage, "a", v1_0=10)
    notify(stage, "b", v1_0=5)
    notify(stage, MERGED, 3600.0, v1_0=15)


def test_a_merged_group_is_held_for_a_day_and_then_filed(make_stage: MakeStage) -> None:
    stage = make_stage()
    merge(stage)

    assert stage.titles == ["a", "b"]
    assert explained(stage) == (
        "hold",
        "merged",
        "Backtrace merged it of a (K-1, open) and b (K-2, open): it is filed at 2026-09-22 15:13 UTC, unless "
        f"`syncd alias add a {MERGED}` gives it K-1 before, or `syncd file` another one",
    )
    notify(stage, MERGED, DAY / 2, v1_0=16)
    assert stage.titles == ["a", "b"]

    stage.world.scheduler.now += DAY
    stage.sync_all()
    assert stage.titles == ["a", "b", MERGED]


def test_a_person_gives_a_merged_group_the_issue_that_its_reason_names(make_stage: MakeStage) -> None:
    stage = make_stage()
    merge(stage)
    group_id, target_id = stage.group("a"), stage.group(MERGED)
    actions.add_alias(stage.store, stage.process.routing, group_id, target_id, "merged", stage.now)
    stage.sync_all()
    stage.world.scheduler.now += 2 * DAY
    stage.sync_all()

    assert stage.titles == ["a", "b"]
    assert live_issues(stage) == {MERGED: "1", "b": "2"}


def live_issues(stage: Stage) -> dict[str, str]:
    """The number of the live issue of each group."""
    rows = stage.world.database.rows(
        "SELECT groups.fingerprint, issues.remote_id FROM issues JOIN groups ON groups.id = issues.group_id"
        " WHERE issues.state = 'linked' ORDER BY groups.id"
    )
    return {str(row["fingerprint"]): str(row["remote_id"]) for row in rows}


def occurrences(stage: Stage) -> int:
    group = next(
        standing.group for standing in stage.store.report.groups() if standing.group.identity.fingerprint == MERGED
    )
    return group.occurrences


def test_an_adopting_route_takes_over_the_oldest_open_issue_and_counts_nothing_twice(make_stage: MakeStage) -> None:
    stage = make_stage(on_merge="adopt")
    merge(stage)

    assert stage.titles == ["a", "b"]
    assert live_issues(stage) == {MERGED: "1"}
    assert occurrences(stage) == 15
    notify(stage, MERGED, 1000.0, v1_0=17)
    assert occurrences(stage) == 17
    assert len(stage.world.site.items[0].comments) == 1


def test_an_open_issue_is_taken_before_a_closed_one(make_stage: MakeStage) -> None:
    stage = make_stage(on_merge="adopt")
    notify(stage, "a", v1_0=10)
    notify(stage, "b", v1_0=5)
    close(stage, 0, "2.0")
    notify(stage, MERGED, 3600.0, v1_0=15)

    assert live_issues(stage) == {MERGED: "2"}


@pytest.mark.parametrize("on_merge", ["hold", "adopt"])
def test_a_merged_group_inherits_the_closing(make_stage: MakeStage, on_merge: str) -> None:
    stage = make_stage(on_merge=on_merge)
    notify(stage, "a", v1_0=10, v2_0=1)
    notify(stage, "b", v1_0=5)
    for number in (0, 1):
        close(stage, number, "2.0")
    notify(stage, MERGED, 3600.0, v1_0=15, v2_0=1)
    for count in (16, 18):  # old clients
        notify(stage, MERGED, DAY, v1_0=count, v2_0=1)

    assert stage.titles == ["a", "b"]
    assert [item.closed for item in stage.world.site.items] == [True, True]
    if on_merge == "hold":
        assert explained(stage)[:2] == ("hold", "merged-closed")
        assert "K-2 was fixed in 2.0; 3 new occurrences in 1.0, older than that" in explained(stage)[2]

    notify(stage, MERGED, DAY, v1_0=18, v2_0=1, v2_1=1)
    if on_merge == "hold":
        assert stage.titles == ["a", "b", MERGED]
    else:
        assert [item.closed for item in stage.world.site.items] == [True, False]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"v1_0": 14}, "fewer than both together"),
        ({"v1_0": 15, "later": 5}, "one of them goes on"),
    ],
)
def test_a_group_that_was_not_merged_of_others_is_filed(
    make_stage: MakeStage, facts: dict[str, int], reason: str
) -> None:
    stage = make_stage(on_merge="adopt")
    notify(stage, "a", v1_0=10)
    notify(stage, "b", v1_0=5)
    stage.world.scheduler.now += 3600.0
    if "later" in facts:
        stage.store.limits.pause_by_hand("here", "the groups come first", stage.now)
    notify(stage, MERGED, v1_0=facts["v1_0"])
    if "later" in facts:
        for name, count in (("a", 11), ("b", 6)):
            notify(stage, name, v1_0=count)
        stage.store.limits.resume_by_hand("here", "", stage.now)
        stage.sync_all()

    assert stage.titles == ["a", "b", MERGED], reason


def test_groups_without_names_in_their_stack_are_not_taken_for_merged_ones(make_stage: MakeStage) -> None:
    stage = make_stage(on_merge="adopt")
    for fingerprint, count in (("a", 10), (MERGED, 15)):
        stage.notify(fingerprint, count, callstack=["0x7ff6a1b2c3d4"])
        stage.sync_all()

    assert stage.titles == ["a", MERGED]


def test_a_second_merge_contains_the_first(make_stage: MakeStage) -> None:
    stage = make_stage(on_merge="adopt")
    merge(stage)
    notify(stage, "e", v1_0=3)
    notify(stage, LATER, 3600.0, v1_0=18)

    assert live_issues(stage) == {LATER: "1"}
    rows = stage.world.database.rows("SELECT COUNT(*) AS aliases FROM aliases WHERE target_id = ?", stage.group(LATER))
    assert rows == [{"aliases": 4}]


def test_an_operator_who_separates_a_merged_group_is_not_overruled(make_stage: MakeStage) -> None:
    stage = make_stage(on_merge="adopt")
    merge(stage)
    for name in ("a", "b"):
        actions.remove_alias(stage.store, stage.process.routing, stage.group(name), stage.now)
        stage.sync_all()
        stage.world.scheduler.now += 1000.0
    stage.sync_all()
    notify(stage, MERGED, 1000.0, v1_0=20)

    assert live_issues(stage) == {"a": "1", "b": "2", MERGED: "3"}
    assert stage.titles == ["a", "b", MERGED]


def test_file_files_at_once(make_stage: MakeStage) -> None:
    stage = make_stage(on_merge="file")
    merge(stage)

    assert stage.titles == ["a", "b", MERGED]

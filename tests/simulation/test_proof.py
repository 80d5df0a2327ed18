"""What may not be taken for the proof that an issue does not exist, and what may not be taken for the issue."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncd.config import Config, LocalSettings, Route
from syncd.operate import actions
from syncd.worker.routing import Routing
from syncd.worker.sync import sync
from tests.simulation.history import operation
from tests.simulation.operators import ROUTE, TRACKER
from tests.simulation.test_races import Stage
from tests.simulation.tracker import Client, Item, Site
from tests.simulation.world import PROBE_AFTER

ELSEWHERE = "elsewhere"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.world.close()


def pass_time(stage: Stage, seconds: float) -> None:
    stage.world.scheduler.now += seconds


def lose(stage: Stage, fingerprint: str = "f1") -> None:
    """Let the site file the issue of a group, and lose its answer."""
    stage.world.site.weather.lose_after += 1
    stage.notify(fingerprint)
    stage.sync_all()


def settle(stage: Stage) -> None:
    """Sync for an hour."""
    for _ in range(360):
        pass_time(stage, 10)
        stage.sync_all()


def parked(stage: Stage, fingerprint: str) -> str | None:
    """The reason why a group is parked."""
    rows = stage.world.database.rows(
        "SELECT note FROM issues JOIN groups ON groups.id = group_id WHERE state = 'parked' AND fingerprint = ?",
        fingerprint,
    )
    return str(rows[0]["note"]) if rows else None


def recreate(stage: Stage) -> None:
    """Let the route file a deleted issue anew."""
    config = stage.process.routing.config
    routes = [Route(name=ROUTE, tracker=TRACKER, on_deleted="recreate")]
    anew = Config(trackers=config.trackers, routes=routes)
    stage.process.routing = Routing(config=anew, instance_key=stage.world.instance_key)


def route_elsewhere(stage: Stage) -> Site:
    """Let the route lead to a second tracker from now on."""
    config = stage.process.routing.config
    there = Config(
        trackers={**config.trackers, ELSEWHERE: LocalSettings(kind="local", folder="y", probe_after=PROBE_AFTER)},
        routes=[Route(name=ROUTE, tracker=ELSEWHERE, on_deleted="recreate")],
    )
    stage.process.routing = Routing(config=there, instance_key=stage.world.instance_key)
    return Site(stage.world.scheduler, ELSEWHERE)


def sync_everywhere(stage: Stage, elsewhere: Site) -> None:
    for name, site in ((TRACKER, stage.world.site), (ELSEWHERE, elsewhere)) * 3:
        while (claim := stage.store.outbox.claim(name, f"p1/{stage.now}", stage.now)) is not None:
            sync(stage.store, Client(site, stage.process.clock), claim, stage.process.routing, stage.process.clock)


def read_again(stage: Stage) -> None:
    """Let syncd read the issue of f1 once after it was filed: what it never read it takes for hidden, and not for deleted."""
    pass_time(stage, 1000)
    stage.notify("f1", 2)
    stage.sync_all()


def test_an_issue_that_replaces_a_deleted_one_is_filed_where_the_route_leads_now(stage: Stage) -> None:
    stage.notify("f1")
    stage.sync_all()
    read_again(stage)
    there = route_elsewhere(stage)
    stage.world.site.items[0].deleted = True
    stage.notify("f1", 3)
    pass_time(stage, 1000)
    sync_everywhere(stage, there)

    assert len(stage.world.site.items) == 1
    assert [item.title for item in there.items] == ["f1"]


def test_a_create_that_is_proved_absent_is_sent_where_the_route_leads_now(stage: Stage) -> None:
    stage.world.site.weather.lose_before += 1
    stage.notify("f1")
    stage.sync_all()
    there = route_elsewhere(stage)
    for _ in range(60):
        pass_time(stage, 10)
        sync_everywhere(stage, there)

    assert stage.world.site.items == []
    assert [item.title for item in there.items] == ["f1"]


def _rewrite(item: Item) -> None:
    item.readable = False


def _delete(item: Item) -> None:
    item.deleted = True


def _convert(item: Item) -> None:
    item.converted = True


def _hide(item: Item) -> None:
    item.hidden = True


@pytest.mark.parametrize("touch", [_rewrite, _delete, _convert, _hide])
def test_an_issue_that_people_touch_while_it_is_in_doubt_is_not_filed_again(
    stage: Stage, touch: Callable[[Item], None]
) -> None:
    lose(stage)
    touch(stage.world.site.items[0])
    settle(stage)

    assert stage.titles == ["f1"]
    assert "do not prove that there is none" in str(parked(stage, "f1"))


def test_an_issue_that_people_transfer_while_it_is_in_doubt_is_found(stage: Stage) -> None:
    lose(stage)
    stage.world.site.items[0].moved_to = "M-1"
    settle(stage)

    assert stage.titles == ["f1"]
    assert parked(stage, "f1") is None


@pytest.mark.parametrize("is_noted", [True, False])
def test_another_account_behind_the_token_files_nothing_twice(stage: Stage, is_noted: bool) -> None:
    lose(stage)
    stage.world.site.account = "another-bot"
    if not is_noted:  # as of an author that syncd never wrote with
        stage.world.site.noted.clear()
    settle(stage)

    assert stage.titles == ["f1"]
    assert (parked(stage, "f1") is None) is is_noted


def test_a_status_comment_of_the_former_account_is_not_written_twice(stage: Stage) -> None:
    stage.notify("f1")
    stage.sync_all()
    pass_time(stage, 1000)
    stage.world.site.weather.lose_after += 1
    stage.notify("f1", 2)
    stage.sync_all()
    stage.world.site.account = "another-bot"
    settle(stage)

    assert len(stage.world.site.items[0].comments) == 1


@pytest.mark.parametrize("act", ["opens discussions", "files and deletes"])
def test_a_run_of_numbers_that_no_list_shows_hides_nothing(stage: Stage, act: str) -> None:
    stage.world.site.weather.list_lag = 3600.0
    stage.world._post(operation(0.0, "person", act, count=5))
    lose(stage)
    settle(stage)

    assert stage.titles.count("f1") == 1
    assert parked(stage, "f1") is None


def test_a_number_that_is_given_before_the_commit_is_no_proof(stage: Stage) -> None:
    stage.world.site.weather.early += 1
    stage.notify("f1")
    stage.sync_all()
    stage.world.site.items[0].commits_at = stage.now + 100
    pass_time(stage, 20)
    stage.sync_all()
    pass_time(stage, 25)
    stage.world.site.add("", "a person's issue", "person")
    settle(stage)

    assert stage.titles.count("f1") == 1


def test_a_look_that_an_operator_asks_for_at_once_begins_no_proof(stage: Stage) -> None:
    stage.world.site.weather.lose_before += 1
    stage.notify("f1")
    stage.sync_all()
    probes = []
    for seconds in (2, PROBE_AFTER[0]):
        pass_time(stage, seconds)
        actions.sync_now(stage.store, stage.process.routing, stage.group("f1"), stage.now)
        stage.sync_all()
        probes.append(stage.world.database.rows("SELECT probes FROM issues")[0]["probes"])

    assert probes == [0, 1]


def test_a_restored_tracker_gives_a_number_again_and_both_groups_have_an_issue(stage: Stage) -> None:
    stage.world.site.back_up()
    stage.notify("f1")
    stage.sync_all()
    stage.world.site.restore()
    stage.notify("f2")
    settle(stage)

    assert sorted(stage.titles) == ["f1", "f2"]


def test_a_restored_tracker_that_loses_an_answer_gets_no_second_issue(stage: Stage) -> None:
    stage.world.site.back_up()
    for name in ("f1", "f2", "f3"):
        stage.notify(name)
    stage.sync_all()
    stage.world.site.restore()
    lose(stage, "f4")
    settle(stage)

    assert stage.titles.count("f4") == 1


def test_nothing_is_written_to_a_persons_issue_that_got_the_number_of_a_lost_one(stage: Stage) -> None:
    stage.world.site.back_up()
    stage.notify("f1")
    stage.sync_all()
    pass_time(stage, 5)
    stage.world.site.restore()
    stage.world.site.add("", "a person's issue", "person")
    pass_time(stage, 1000)
    stage.notify("f1", 2)
    settle(stage)

    assert [len(item.comments) for item in stage.world.site.items] == [0]


def test_a_number_that_a_restored_tracker_gives_once_more_before_its_commit_is_no_gap_that_proves(stage: Stage) -> None:
    for name in ("f1", "f2"):
        stage.notify(name)
    stage.sync_all()
    stage.world.site.restore()
    stage.world.site.add("", "a person's issue", "person")
    stage.world.site.weather.early += 1
    stage.notify("f3")
    stage.sync_all()
    stage.world.site.items[-1].commits_at = stage.now + 100
    pass_time(stage, 20)
    stage.sync_all()
    pass_time(stage, 25)
    stage.world.site.add("", "a person's issue", "person")
    settle(stage)

    assert stage.titles.count("f3") == 1
    assert parked(stage, "f3") is None


def test_an_issue_is_no_stranger_because_a_restored_tracker_gave_it_the_number_of_the_lost_one(stage: Stage) -> None:
    recreate(stage)
    stage.notify("f1")
    stage.sync_all()
    read_again(stage)
    stage.world.site.restore()
    stage.world.site.weather.lose_after += 1
    pass_time(stage, 1000)
    stage.notify("f1", 3)
    stage.sync_all()
    _rewrite(stage.world.site.items[0])
    settle(stage)

    assert stage.titles == ["f1"]
    assert "do not prove that there is none" in str(parked(stage, "f1"))


def test_a_late_issue_that_people_delete_from_a_restored_tracker_is_not_filed_again(stage: Stage) -> None:
    stage.world.site.add("", "a person's issue", "person")
    stage.world.site.weather.lose_before += 1
    stage.notify("f1")
    stage.sync_all()
    marker = stage.world.database.rows("SELECT marker FROM issues")[0]["marker"]
    stage.world.site.restore()
    pass_time(stage, 20)
    stage.sync_all()
    late = stage.world.site.add(str(marker), "f1", stage.world.site.account)
    _delete(late)
    settle(stage)

    assert [item.title for item in stage.world.site.items] == ["f1"]
    assert "do not prove that there is none" in str(parked(stage, "f1"))

"""Short histories of a store that is older than its issues, and of a store that is not alone."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from syncd.core import markers
from syncd.store import limits
from syncd.store.sqlite.file import sqlite3
from syncd.worker.create import PASSED_SECONDS
from syncd.worker.sync import sync
from tests.simulation.database import Database
from tests.simulation.operators import TRACKER
from tests.simulation.process import Process
from tests.simulation.test_proof import ELSEWHERE, pass_time, read_again, recreate, route_elsewhere, sync_everywhere
from tests.simulation.test_races import Stage
from tests.simulation.tracker import MOST, Client


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    stage.store.instance_key()
    yield stage
    stage.world.close()


def backup(stage: Stage) -> Any:
    copy = sqlite3.connect(":memory:")
    stage.world.database.session.backup(copy)
    return copy


def start(stage: Stage, name: str, database: Database | None = None) -> None:
    """Let a new process receive and sync from now on."""
    world = stage.world
    process = Process(
        world.scheduler, database or world.database, world.site, world.routing, name=name, syncers=0, surveys=False
    )
    world.processes.append(process)
    act(stage, process)
    stage.store.outbox.recover(stage.now)


def restore(stage: Stage, copy: Any) -> None:
    copy.backup(stage.world.database.session)
    copy.close()
    start(stage, "restored")


def act(stage: Stage, process: Process) -> None:
    """Let this process receive and sync from now on."""
    stage.process, stage.store = process, process.store
    stage.world.processes.sort(key=lambda entry: entry is not process)


def file(stage: Stage, *fingerprints: str, occurrences: int = 1) -> None:
    for fingerprint in fingerprints:
        stage.notify(fingerprint, occurrences)
    stage.sync_all()


def settle(stage: Stage) -> None:
    """Let so much time pass that a deletion is believed and followed."""
    for _ in range(30):
        pass_time(stage, 100.0)
        stage.sync_all()


def rest(stage: Stage) -> str | None:
    at_rest = stage.store.read(lambda transaction: limits.rest(transaction, TRACKER))
    return None if at_rest is None else at_rest.reason


def linked(stage: Stage) -> dict[str, str]:
    rows = stage.world.database.rows(
        "SELECT fingerprint, key FROM issues JOIN groups ON groups.id = group_id WHERE issues.state = 'linked'"
    )
    return {str(row["fingerprint"]): str(row["key"]) for row in rows}


OLD, NEW = tuple(f"old{number}" for number in range(3)), tuple(f"new{number}" for number in range(6))


def test_a_restored_store_files_nothing_again(stage: Stage) -> None:
    """Issues of groups that it knows and of groups that it never heard of, more than one sweep reads."""
    file(stage, *OLD)
    stage.notify("held back")
    copy = backup(stage)
    file(stage, *NEW)
    before = {**linked(stage)}
    restore(stage, copy)

    file(stage, *OLD, *NEW, "held back", "later", occurrences=5)
    assert sorted(stage.titles) == sorted({*OLD, *NEW, "held back", "later"})
    assert {name: key for name, key in linked(stage).items() if name != "later"} == before
    assert stage.world.database.rows("SELECT * FROM strays") == []
    assert rest(stage) is None
    stage.world.scheduler.now += 1000.0
    stage.sync_all()
    assert [item.title for item in stage.world.site.items if not item.comments] == ["later"]


def test_a_group_whose_issue_was_replaced_after_the_backup_is_linked_to_the_latest(stage: Stage) -> None:
    file(stage, "f")
    copy = backup(stage)
    (first,) = stage.world.site.items
    second = stage.world.site.add("", "f", stage.world.site.account)
    # As the store made it: its marker counts the issues of the group that were given up.
    group, key = stage.store.report.groups(1)[0].group, stage.process.routing.instance_key
    second.marker = markers.of_issue(key, TRACKER, group, 1)
    first.deleted = True
    restore(stage, copy)

    file(stage, "f", occurrences=2)
    assert [item.title for item in stage.world.site.items if item.is_live] == ["f"]


def test_what_a_person_closed_after_the_backup_stays_closed(stage: Stage) -> None:
    copy = backup(stage)
    file(stage, "f")
    (item,) = stage.world.site.items
    item.closed, item.closed_at, item.closed_by_person = True, stage.world.site.now, stage.now
    restore(stage, copy)

    file(stage, "f", occurrences=2)
    assert (len(stage.world.site.items), item.closed) == (1, True)


@pytest.mark.parametrize("author", ["person", "another-bot"])
def test_a_copy_of_the_text_by_somebody_else_stands_for_nothing(stage: Stage, author: str) -> None:
    copy = backup(stage)
    file(stage, "f")
    (item,) = stage.world.site.items
    item.author = author
    restore(stage, copy)

    file(stage, "f")
    assert linked(stage) == {"f": "K-2"}


def test_issues_of_another_store_with_the_same_account_are_left_alone(stage: Stage) -> None:
    file(stage, "a")
    stage.world.site.add("f" * 32, "of the staging syncd", stage.world.site.account)
    stage.world.scheduler.now += 4000.0

    file(stage, "b", "c")
    assert rest(stage) is None
    assert stage.world.database.rows("SELECT * FROM strays") == []


def test_a_copy_of_the_store_that_files_too_makes_both_rest(stage: Stage, tmp_path: Path) -> None:
    file(stage, *OLD)
    world, original = stage.world, stage.process
    twin = Database(world.scheduler, tmp_path)
    world.database.session.backup(twin.session)
    start(stage, "twin", twin)
    copied = stage.process
    file(stage, "a")
    world.scheduler.now += PASSED_SECONDS + 1.0

    act(stage, original)
    file(stage, "b")  # its number shows that somebody else creates issues there
    world.scheduler.now += PASSED_SECONDS + 1.0
    file(stage, "c", "a")
    assert str(rest(stage)).startswith("another syncd with a copy of this store files here: K-4 ")
    act(stage, copied)
    world.scheduler.now += 4000.0
    file(stage, "d", "b")
    assert str(rest(stage)).startswith("another syncd with a copy of this store files here: K-5 ")
    assert stage.titles == [*OLD, "a", "b"]
    twin.session.close()


def test_two_processes_of_one_store_do_not_take_each_other_for_a_copy(stage: Stage) -> None:
    first = stage.process
    start(stage, "p2")
    second = stage.process
    for number in range(6):
        act(stage, first if number % 2 else second)
        file(stage, f"f{number}")
        stage.world.site.add("", "a person's issue", "person")
        stage.world.scheduler.now += PASSED_SECONDS + 1.0
    assert rest(stage) is None
    assert len(set(stage.titles)) == 7
    assert len(stage.titles) == 12


def test_a_second_issue_of_a_group_that_came_late_is_displayed(stage: Stage) -> None:
    file(stage, "f")
    (item,) = stage.world.site.items
    stage.world.site.add(item.marker, "f", stage.world.site.account)
    stage.world.scheduler.now += 4000.0

    file(stage, "g")
    (row,) = stage.world.database.rows("SELECT doubles FROM issues WHERE doubles IS NOT NULL")
    assert row["doubles"] == "K-2"
    assert rest(stage) is None


def sync_as(stage: Stage, *trackers: str) -> None:
    for tracker in trackers:
        while (claim := stage.store.outbox.claim(tracker, f"p1/{stage.now}", stage.now)) is not None:
            client = Client(stage.world.site, stage.process.clock)
            sync(stage.store, client, claim, stage.process.routing, stage.process.clock)


def test_two_trackers_of_one_repository_do_not_take_each_other_for_a_copy(stage: Stage) -> None:
    here = stage.process.routing
    route_elsewhere(stage)
    there = stage.process.routing
    for number in range(8):
        stage.process.routing = there if number % 2 else here
        stage.notify(f"f{number}")
        sync_as(stage, TRACKER, ELSEWHERE)
        pass_time(stage, PASSED_SECONDS + 1.0)
    for tracker in (TRACKER, ELSEWHERE):
        assert stage.store.read(partial(limits.rest, tracker=tracker)) is None


def test_an_issue_that_is_moved_here_from_another_tracker_is_no_copys(stage: Stage) -> None:
    file(stage, "g")
    there = route_elsewhere(stage)
    stage.notify("f")
    sync_everywhere(stage, there)
    (item,) = there.items
    item.moved_to = "K-2"
    stage.world.site.add(item.marker, "f", stage.world.site.account)
    stage.process.routing = stage.world.routing(stage.store)
    pass_time(stage, 4000.0)

    file(stage, "h")
    assert rest(stage) is None


def test_a_new_store_reads_nothing_that_is_older_than_itself(stage: Stage) -> None:
    """A tracker with more old issues than are read between two restarts."""
    for _ in range(6 * MOST):
        stage.world.site.add("", "an old issue", "person").created_at -= 1000.0
    stage.notify("f")
    stage.sync_all()
    assert stage.titles[-1] == "f"
    assert stage.world.counts["read: sweep"] == 1


def test_an_issue_that_was_filed_anew_after_a_deletion_since_the_backup_is_not_filed_again(stage: Stage) -> None:
    recreate(stage)
    copy = backup(stage)
    file(stage, "f1")
    read_again(stage)
    stage.world.site.items[0].deleted = True
    stage.notify("f1", 3)
    settle(stage)
    assert [item.title for item in stage.world.site.items if item.is_live] == ["f1"]
    restore(stage, copy)
    recreate(stage)

    file(stage, "f1", occurrences=5)
    assert [item.title for item in stage.world.site.items if item.is_live] == ["f1"]
    # Once more: no marker is used twice.
    read_again(stage)
    stage.world.site.items[1].deleted = True
    stage.notify("f1", 9)
    settle(stage)
    assert len({item.marker for item in stage.world.site.items}) == len(stage.world.site.items)


def test_a_number_that_is_given_once_more_is_not_that_of_the_stray(stage: Stage) -> None:
    """Store and tracker are both restored."""
    file(stage, "old")
    copy = backup(stage)
    stage.world.site.back_up()
    file(stage, "g")
    restore(stage, copy)
    file(stage, "x")
    assert len(stage.world.database.rows("SELECT key FROM strays")) == 1
    stage.world.site.restore()
    pass_time(stage, 4000.0)

    file(stage, "h")
    file(stage, "g", occurrences=3)
    for number in range(10):
        pass_time(stage, 1000.0)
        file(stage, "g", "h", "x", occurrences=5 + number)
    titles = [item.title for item in stage.world.site.items if item.is_live]
    assert sorted(titles) == sorted(set(titles))


def test_an_issue_that_was_hidden_at_the_first_sweep_is_no_copys(stage: Stage) -> None:
    copy = backup(stage)
    file(stage, "f")
    (item,) = stage.world.site.items
    item.hidden = True
    pass_time(stage, 100.0)
    restore(stage, copy)
    file(stage, "g")
    item.hidden = False
    stage.store.write(partial(limits.lower_floor, tracker=TRACKER, number=0))
    pass_time(stage, 4000.0)

    file(stage, "h")
    assert rest(stage) is None
    file(stage, "f", occurrences=2)
    assert stage.titles == ["f", "g", "h"]

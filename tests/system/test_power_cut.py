"""Whatever moment the power fails, nothing that was answered 200 is lost, and no issue that was asked for is forgotten. `make prove` does
the same more often, and beside it with a store that syncs less often, which loses both."""

import random
from pathlib import Path

import pytest

from tests.prove import power, strace
from tests.prove.disks import Disk
from tests.prove.recording import FOLDER, Ended, Remove, Sync, Write

SEED = 20
CUTS = 500
NOTIFICATIONS = 400  # enough for a checkpoint

traced = pytest.mark.skipif(strace.missing() is not None, reason=strace.missing() or "")


@traced
def test_five_hundred_power_cuts_lose_nothing_that_was_acknowledged_and_no_intent(tmp_path: Path) -> None:
    result = power.cuts(tmp_path, CUTS, SEED, notifications=NOTIFICATIONS)

    assert (result.cuts, result.acknowledged, result.creates) == (CUTS, NOTIFICATIONS, power.GROUPS)
    assert (result.lost, result.corrupt, result.half, result.forgotten, result.resumed) == (0, 0, 0, 0, 1)


@traced
@pytest.mark.parametrize("inject", [power.FAILING_SYNCS, power.FAILING_FOLDER], ids=["log", "folder"])
def test_power_cuts_after_syncs_that_failed_lose_nothing_that_was_acknowledged(tmp_path: Path, inject: str) -> None:
    result = power.cuts(tmp_path, CUTS, SEED, notifications=200, inject=inject)

    assert result.faults > 0
    assert result.sound, result


def write(disk: Disk, content: bytes, offset: int = 0) -> None:
    call = Write("a", offset, content)
    disk.begin(call)
    disk.end(Ended(call, len(content)))


def sync(disk: Disk, name: str = "a", result: int = 0) -> None:
    call = Sync(name)
    disk.begin(call)
    disk.end(Ended(call, result))


def committed(disk: Disk) -> set[bytes | None]:
    """The contents that the file may have after a cut."""
    chance = random.Random(SEED)
    return {disk.after_cut(chance).get("a") for _ in range(300)}


def test_what_was_synced_survives_and_what_was_not_may_be_there_in_part() -> None:
    disk = Disk()
    write(disk, b"o" * 1024)
    sync(disk)
    sync(disk, FOLDER)
    write(disk, b"n" * 1024)

    old, new = b"o" * 512, b"n" * 512
    assert committed(disk) == {old + old, new + old, old + new, new + new}


def test_a_sync_covers_neither_a_write_under_way_nor_anything_before_it_has_returned() -> None:
    disk, late, syncing = Disk(), Write("a", 0, b"x"), Sync("a")
    sync(disk, FOLDER)
    disk.begin(late)
    disk.begin(syncing)
    disk.end(Ended(late, 1))
    disk.end(Ended(syncing, 0))
    sync(disk, FOLDER)
    assert committed(disk) == {b"", b"x"}

    disk.begin(syncing)
    assert committed(disk) == {b"", b"x"}
    disk.end(Ended(syncing, 0))
    assert committed(disk) == {b"x"}


def test_a_file_may_be_missing_after_it_was_made_and_back_after_it_was_removed_until_its_folder_is_synced() -> None:
    disk = Disk()
    write(disk, b"x")
    sync(disk)
    assert committed(disk) == {None, b"x"}

    sync(disk, FOLDER)
    assert committed(disk) == {b"x"}

    disk.begin(Remove("a"))
    assert committed(disk) == {None, b"x"}
    sync(disk, FOLDER)
    assert committed(disk) == {None}


def test_what_a_sync_failed_to_write_stays_uncertain_until_its_page_is_written_again() -> None:
    disk = Disk()
    sync(disk, FOLDER)
    write(disk, b"x")
    sync(disk, FOLDER)
    sync(disk, result=-1)
    sync(disk)
    assert committed(disk) == {b"", b"x"}

    write(disk, b"y", offset=1)
    sync(disk)
    assert committed(disk) == {b"xy"}

"""The disk below the files: lost, full, failing, not writable, edited by others meanwhile."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from syncd.errors import Gone, Misconfigured, OutcomeUnknown, TrackerError, Unavailable
from syncd.model import Settings
from tests.fakes.notebook import Memory
from tests.trackers.local.parts import (
    COMMENT_MARKER,
    FIRST,
    doubtful,
    draft,
    issue,
    names,
    tracker,
    uses,
)


def test_what_a_killed_process_left_is_no_issue(folder: Path) -> None:
    created = tracker(folder).create(draft())
    (folder / created.remote_id).rename(folder / ".0123456789abcdef.partial")

    again = tracker(folder).create(draft())

    assert names(folder) == [".0123456789abcdef.partial", again.remote_id]


def test_a_first_create_that_never_made_its_folder_is_proven_absent(folder: Path) -> None:
    assert tracker(folder).probe(doubtful()).covered


def test_what_was_in_a_lost_folder_is_not_absent_and_not_made_anew(folder: Path) -> None:
    memory = Memory()
    created = tracker(folder, memory).create(draft())
    folder.rename(folder.parent / "elsewhere")

    restarted = tracker(folder, memory)
    for use in (lambda: restarted.probe(doubtful()), lambda: restarted.create(draft()), *uses(restarted, created)):
        with pytest.raises(Misconfigured, match=r"folder .* is gone"):
            use()

    assert not folder.exists()
    (folder.parent / "elsewhere").rename(folder)
    assert restarted.probe(doubtful()).issues == (created,)


def test_an_empty_mount_point_is_not_taken_for_the_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    with monkeypatch.context() as patch:
        patch.setattr(os.path, "ismount", lambda path: path == folder)
        notes = tracker(folder, memory)
        created = notes.create(draft())
        (folder / created.remote_id).unlink()
        with pytest.raises(Gone):
            notes.look(issue(created))

    for use in (lambda: notes.probe(doubtful()), lambda: notes.create(draft()), *uses(notes, created)):
        with pytest.raises(Misconfigured, match="nothing is mounted at"):
            use()
    assert names(folder) == []


def test_issues_are_not_taken_for_deleted_where_the_configuration_names_another_folder(
    folder: Path, tmp_path: Path
) -> None:
    memory = Memory()
    created = tracker(folder, memory).create(draft())
    second = tracker(tmp_path / "other", memory)
    (tmp_path / "other").mkdir()

    for use in (lambda: second.probe(doubtful()), lambda: second.create(draft()), *uses(second, created)):
        with pytest.raises(Misconfigured, match="the issues so far are in"):
            use()

    (folder / created.remote_id).rename(tmp_path / "other" / created.remote_id)
    assert second.look(issue(created)).place.remote_id == created.remote_id
    assert second.create(draft()).remote_id == created.remote_id


def test_the_folder_is_remembered_before_there_is_a_file_in_it(folder: Path) -> None:
    class Dying(Memory):
        def note(self, fact: str, value: str) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tracker(folder, Dying()).create(draft())

    assert names(folder) == []


def test_a_folder_that_cannot_be_read_proves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = tracker(folder)
    created = notes.create(draft())

    def fails(path: Path) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "read_bytes", fails)
    with pytest.raises(Unavailable):
        notes.probe(doubtful())
    monkeypatch.undo()

    def vanishes(path: Path) -> bytes:
        (folder / created.remote_id).rename(folder / "renamed.md")
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    monkeypatch.setattr(Path, "read_bytes", vanishes)
    with pytest.raises(Unavailable):
        notes.probe(doubtful())


def test_permissions_people_gave_a_file_stay_and_new_files_are_private(folder: Path) -> None:
    notes = tracker(folder)
    umask = os.umask(0o000)
    try:
        created = notes.create(draft())
    finally:
        os.umask(umask)
    path = folder / created.remote_id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    path.chmod(0o604)
    notes.comment(issue(created), FIRST, COMMENT_MARKER)

    assert stat.S_IMODE(path.stat().st_mode) == 0o604


@pytest.mark.parametrize("step", ["open", "fsync", "link"])
@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EACCES, Misconfigured),
        (errno.EPERM, Misconfigured),
        (errno.EROFS, Misconfigured),
        (errno.ENOTDIR, Misconfigured),
        (errno.ENOSPC, Unavailable),
        (errno.EDQUOT, Unavailable),
        (errno.EIO, Unavailable),
    ],
)
def test_a_failing_disk_is_told_by_what_can_be_done_and_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int, expected: type[TrackerError]
) -> None:
    folder.mkdir(parents=True)

    def fail(*args: object, **keywords: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(expected, match=os.strerror(number)):
            tracker(folder).create(draft())

    assert names(folder) == []
    assert tracker(folder).create(draft()).remote_id in names(folder)


def test_a_file_whose_name_may_not_be_on_disk_leaves_the_create_in_doubt(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir(parents=True)
    real, synced = os.fsync, []

    def fail_for_the_folder(descriptor: int) -> None:
        synced.append(descriptor)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail_for_the_folder)
        with pytest.raises(OutcomeUnknown, match="Input/output error"):
            tracker(folder).create(draft())

    assert len(synced) == 2
    assert len(names(folder)) == 1, "a probe finds it"


def test_a_name_that_was_given_and_is_said_to_have_failed_leaves_the_create_in_doubt(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir(parents=True)
    real = os.link

    def link_and_fail(*arguments: Any) -> None:
        real(*arguments)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", link_and_fail)
        with pytest.raises(OutcomeUnknown, match="Input/output error"):
            tracker(folder).create(draft())

    assert len(names(folder)) == 1


def test_a_disk_that_fills_up_during_an_update_leaves_the_file_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tracker(folder)
    created = notes.create(draft())
    whole = (folder / created.remote_id).read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(Unavailable, match="No space left"):
            notes.comment(issue(created), FIRST, COMMENT_MARKER)

    assert names(folder) == [created.remote_id]
    assert (folder / created.remote_id).read_bytes() == whole


def test_a_file_is_on_disk_before_it_gets_its_name_and_its_name_is_afterwards(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir(parents=True)
    real = os.fsync
    synced: list[tuple[bool, bool]] = []

    def watched(descriptor: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), any(folder.glob("*.md"))))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    created = tracker(folder).create(draft())

    assert synced == [(False, False), (True, True)]
    synced.clear()
    tracker(folder).comment(issue(created), FIRST, COMMENT_MARKER)
    assert synced == [(False, True), (True, True)]
    synced.clear()
    tracker(folder).raise_settings(issue(created), Settings(labels=("slow",)))
    assert synced == [(False, True), (True, True)]


def test_an_edit_made_at_the_same_moment_is_not_overwritten(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = tracker(folder)
    created = notes.create(draft())
    path = folder / created.remote_id
    real = os.fsync

    def edited_meanwhile(descriptor: int) -> None:
        real(descriptor)
        path.write_text("mine", encoding="utf-8")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", edited_meanwhile)
        with pytest.raises(Unavailable, match="is being edited"):
            notes.comment(issue(created), FIRST, COMMENT_MARKER)

    assert names(folder) == [created.remote_id]
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_file_where_the_folder_should_be_is_a_matter_for_people(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    for place in (tmp_path / "file", tmp_path / "file" / "crashes"):
        with pytest.raises(Misconfigured, match="cannot be used"):
            tracker(place).create(draft())
        (finding,) = tracker(place).check()
        assert not finding.ok
        assert finding.remedy
    assert names(tmp_path) == ["file"]


def test_check_finds_a_folder_that_can_be_made_or_written_and_leaves_nothing(tmp_path: Path, folder: Path) -> None:
    (makeable,) = tracker(folder).check()
    assert (makeable.ok, makeable.what, makeable.remedy) == (True, f"{folder} can be made", "")
    assert names(tmp_path) == []

    folder.mkdir(parents=True)
    (writable,) = tracker(folder).check()
    assert (writable.ok, writable.what) == (True, f"{folder} can be written to")
    assert names(folder) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere: run `make test` as another user")
def test_check_finds_a_folder_that_may_not_be_written(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o555)

    (finding,) = tracker(folder).check()

    assert not finding.ok
    assert "Permission denied" in finding.what

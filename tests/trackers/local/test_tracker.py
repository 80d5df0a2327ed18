import errno
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cmarkgfm
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.config import LocalSettings
from syncd.errors import Gone, Misconfigured, Missing, OutcomeUnknown, Refused, TrackerError, Unavailable
from syncd.model import Created, Group, Identity, Issue, IssueState
from syncd.render.document import Code, Document, Heading, Paragraph
from syncd.trackers import Draft, Tracker, open_tracker
from tests.fakes.notebook import Memory
from tests.trackers.clock import AdapterClock

MARKER = "syncd:3f2a9c1b3f2a9c1b"
COMMENT_MARKER = "syncd:status:77aa"
BODY: Document = (Heading("What crashed"), Code(("draw", "<!-- syncd:3f2a9c1b3f2a9c1b -->")))
FIRST: Document = (Paragraph(("Seen 1 time.",)),)
SECOND: Document = (Paragraph(("Seen 2 times.",)),)
GROUP = Group(identity=Identity("acme", "game", "f"))


def tracker(folder: Path, notebook: Memory | None = None) -> Tracker:
    settings, clock = LocalSettings(kind="local", folder=str(folder)), AdapterClock()
    return open_tracker("notes", settings, notebook or Memory(), clock=clock, sleep=clock.sleep)


def draft(title: str = "Crash in Renderer::draw (renderer)", marker: str = MARKER) -> Draft:
    return Draft(marker=marker, title=title, body=BODY, group=GROUP)


def issue(created: Created) -> Issue:
    return Issue(tracker="notes", state=IssueState.LINKED, marker=MARKER, remote_id=created.remote_id)


def doubtful() -> Issue:
    return Issue(tracker="notes", state=IssueState.IN_DOUBT, marker=MARKER, attempt=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "crashes" / "open"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_issue_is_one_readable_file_in_a_folder_made_on_first_use(folder: Path) -> None:
    created = tracker(folder).create(draft())

    (name,) = names(folder)
    assert re.fullmatch("crash-in-renderer-draw-renderer-[0-9a-f]{8}.md", name)
    assert created == Created(remote_id=name, key=name.removesuffix(".md"), url=(folder / name).as_uri())
    assert (folder / name).read_text(encoding="utf-8") == (
        "# `Crash in Renderer::draw (renderer)`\n\n"
        "- Status: open\n\n"
        "### What crashed\n\n"
        "```text\ndraw\n<!\u200b-- syncd:3f2a9c1b3f2a9c1b -->\n```\n\n"
        "<!-- syncd:3f2a9c1b3f2a9c1b -->\n"
    )


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Crash in Überläufer::zähle()", "crash-in-uberlaufer-zahle"),
        ("字字", "crash"),
        ("../../etc/passwd\x00", "etc-passwd"),
        ("x" * 300, "x" * 60),
        ("a" * 59 + " b", "a" * 59),
    ],
)
def test_names_are_short_plain_and_stay_in_the_folder(folder: Path, title: str, slug: str) -> None:
    created = tracker(folder).create(draft(title))

    assert names(folder) == [created.remote_id]
    assert created.key[:-9] == slug


def test_a_title_is_never_markup(folder: Path) -> None:
    created = tracker(folder).create(draft("Crash in `a` <img src=x>\n\n# @b www.evil.example *c*"))

    html = cmarkgfm.github_flavored_markdown_to_html((folder / created.remote_id).read_text(encoding="utf-8"))
    heading, _, rest = html.partition("\n")
    assert heading.startswith("<h1><code>Crash in `a` &lt;img src=x&gt; # @")
    assert heading.endswith("b www.evil.example *c*</code></h1>")
    assert rest.startswith("<ul>\n<li>Status: open</li>\n</ul>\n<h3>What crashed</h3>")


def test_creating_again_returns_the_file_as_people_left_it(folder: Path) -> None:
    created = tracker(folder).create(draft())
    path = folder / created.remote_id
    path.write_bytes(path.read_bytes().replace(b"What crashed", b"Solved!\r\n\xff"))
    edited = path.read_bytes()

    again = tracker(folder).create(draft(title="Crash in something else"))

    assert again == created
    assert names(folder) == [created.remote_id]
    assert path.read_bytes() == edited


def test_a_marker_may_be_given_as_a_comment_already(folder: Path) -> None:
    assert tracker(folder).create(draft()) == tracker(folder).create(draft(marker=f"<!-- {MARKER} -->"))


def test_a_file_that_only_quotes_the_marker_is_not_the_issue(folder: Path) -> None:
    created = tracker(folder).create(draft())
    path = folder / created.remote_id
    path.write_text(f"See <!-- {MARKER} --> in the other file.\n", encoding="utf-8")

    with pytest.raises(Refused, match="is not the file of this issue"):
        tracker(folder).create(draft())

    assert names(folder) == [created.remote_id]
    assert path.read_text(encoding="utf-8").startswith("See ")


def test_of_two_that_create_at_once_one_writes_the_file_and_both_get_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.link
    faster: list[Created] = []

    def overtaken(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "link", real)
        faster.append(tracker(folder).create(draft()))
        real(source, target)

    monkeypatch.setattr(os, "link", overtaken)

    assert [tracker(folder).create(draft())] == faster
    assert names(folder) == [faster[0].remote_id]


def test_what_a_killed_process_left_is_no_issue(folder: Path) -> None:
    created = tracker(folder).create(draft())
    (folder / created.remote_id).rename(folder / ".0123456789abcdef.partial")

    again = tracker(folder).create(draft())

    assert names(folder) == [".0123456789abcdef.partial", again.remote_id]


def test_the_status_section_comes_and_changes_while_the_rest_stays_as_it_is(folder: Path) -> None:
    notes = tracker(folder)
    created = notes.create(draft())
    path = folder / created.remote_id
    path.write_bytes(path.read_bytes() + b"\r\nmine: \xff\r\n\r\nno line end")
    mine = path.read_bytes()

    comment = notes.comment(issue(created), FIRST, COMMENT_MARKER)

    assert path.read_bytes() == mine + (
        b"\n\n<!-- status of syncd:status:77aa -->\n\nSeen 1 time.\n\n<!-- end of status of syncd:status:77aa -->\n"
    )
    path.write_bytes(path.read_bytes() + b"below\r\n")
    notes.edit_comment(issue(created), comment, SECOND, COMMENT_MARKER)
    assert path.read_bytes() == mine + (
        b"\n\n<!-- status of syncd:status:77aa -->\n\n"
        b"Seen 2 times.\n\n<!-- end of status of syncd:status:77aa -->\n"
        b"below\r\n"
    )
    assert notes.find_comment(issue(created), COMMENT_MARKER) == comment


def test_the_status_may_have_the_marker_of_its_issue(folder: Path) -> None:
    notes = tracker(folder)
    created = notes.create(draft())

    assert notes.find_comment(issue(created), MARKER) is None
    notes.edit_comment(issue(created), notes.comment(issue(created), FIRST, MARKER), SECOND, MARKER)

    assert notes.create(draft()) == created


@pytest.mark.parametrize(
    "line", [b"<!-- status of syncd:status:77aa -->\n", b"<!-- end of status of syncd:status:77aa -->\n"]
)
def test_a_section_that_lost_a_line_is_missing_and_can_be_added_again(folder: Path, line: bytes) -> None:
    notes = tracker(folder)
    created = notes.create(draft())
    comment = notes.comment(issue(created), FIRST, COMMENT_MARKER)
    path = folder / created.remote_id
    path.write_bytes(path.read_bytes().replace(line, b""))
    left = path.read_bytes()

    with pytest.raises(Missing, match="'status' is no longer in"):
        notes.edit_comment(issue(created), comment, SECOND, COMMENT_MARKER)

    assert path.read_bytes() == left
    notes.comment(issue(created), SECOND, COMMENT_MARKER)
    notes.edit_comment(issue(created), comment, FIRST, COMMENT_MARKER)
    assert path.read_bytes().startswith(left)
    assert path.read_bytes().count(b"Seen 1 time.") == 2


people = st.lists(
    st.sampled_from([b"text", b"\xff", b"\r", b"<!-- status of syncd:status:77aa -->", b"<!-- end of status of x -->"])
    | st.binary(max_size=8),
    max_size=6,
).map(b"\n".join)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(above=people, below=people)
def test_what_people_write_around_the_section_stays_byte_for_byte(tmp_path: Path, above: bytes, below: bytes) -> None:
    below = below.replace(b"<!-- status", b"<!-- ")
    notes = tracker(tmp_path)
    created = notes.create(draft())
    path = tmp_path / created.remote_id
    path.write_bytes(above)
    comment = notes.comment(issue(created), FIRST, COMMENT_MARKER)
    before = path.read_bytes().rpartition(b"<!-- status of")[0]
    path.write_bytes(path.read_bytes() + below)

    notes.edit_comment(issue(created), comment, SECOND, COMMENT_MARKER)

    after = path.read_bytes()
    assert after.startswith(above)
    assert after.startswith(before)
    assert after.endswith(b"<!-- end of status of syncd:status:77aa -->\n" + below)
    path.unlink()


def test_the_same_numbers_again_do_not_touch_the_file(folder: Path) -> None:
    notes = tracker(folder)
    created = notes.create(draft())
    comment = notes.comment(issue(created), FIRST, COMMENT_MARKER)
    before = (folder / created.remote_id).stat()

    notes.edit_comment(issue(created), comment, FIRST, COMMENT_MARKER)

    after = (folder / created.remote_id).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def uses(notes: Tracker, created: Created) -> list[Callable[[], object]]:
    return [
        lambda: notes.look(issue(created)),
        lambda: notes.comment(issue(created), FIRST, COMMENT_MARKER),
        lambda: notes.find_comment(issue(created), COMMENT_MARKER),
        lambda: notes.edit_comment(issue(created), "status", FIRST, COMMENT_MARKER),
    ]


def test_a_deleted_file_is_gone_but_a_lost_folder_is_not_a_deletion(folder: Path) -> None:
    notes = tracker(folder)
    created = notes.create(draft())
    (folder / created.remote_id).unlink()

    for use in uses(notes, created):
        with pytest.raises(Gone, match=f"{created.remote_id} is gone"):
            use()
    folder.rmdir()
    for use in uses(notes, created):
        with pytest.raises(Misconfigured, match=r"folder .* is gone"):
            use()


def test_a_file_that_lost_its_marker_is_still_known_by_its_name(folder: Path) -> None:
    notes = tracker(folder)
    created = notes.create(draft())
    (folder / created.remote_id).write_text("mine now", encoding="utf-8")

    assert notes.look(issue(created)).place.remote_id == created.remote_id


def test_of_two_files_with_the_marker_the_one_with_our_name_is_the_issue(folder: Path) -> None:
    notes = tracker(folder)
    created = notes.create(draft())
    (folder / "a copy.md").write_bytes((folder / created.remote_id).read_bytes())

    assert notes.probe(doubtful()).issues == (created,)


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


def test_permissions_people_gave_a_file_stay_and_new_files_follow_the_umask(folder: Path) -> None:
    notes = tracker(folder)
    umask = os.umask(0o027)
    try:
        created = notes.create(draft())
    finally:
        os.umask(umask)
    path = folder / created.remote_id
    assert stat.S_IMODE(path.stat().st_mode) == 0o640

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


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_check_finds_a_folder_that_may_not_be_written(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o555)

    (finding,) = tracker(folder).check()

    assert not finding.ok
    assert "Permission denied" in finding.what


def test_what_a_folder_does_not_have_is_nothing_to_do(folder: Path) -> None:
    notes = tracker(folder)

    notes.refresh(issue(notes.create(draft())), GROUP)
    notes.close()

    assert len(names(folder)) == 1

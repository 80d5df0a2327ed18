"""The lines below the title of a file: people write them, and syncd changes the status."""

import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.model import Condition, Issue
from syncd.trackers import Tracker
from syncd.trackers.local import head
from tests.fakes.notebook import Memory
from tests.trackers.local.parts import COMMENT_MARKER, FIRST, draft, issue, tracker


@pytest.fixture
def notebook() -> Memory:
    return Memory()


@pytest.fixture
def notes(tmp_path: Path, notebook: Memory) -> Tracker:
    return tracker(tmp_path / "issues", notebook)


@pytest.fixture
def filed(notes: Tracker) -> Issue:
    return issue(notes.create(draft()))


@pytest.fixture
def path(tmp_path: Path, filed: Issue) -> Path:
    return tmp_path / "issues" / str(filed.remote_id)


def written(path: Path, status: str) -> None:
    """A person writes another head."""
    path.write_bytes(path.read_bytes().replace(b"- Status: open\n", status.encode()))


def test_a_new_file_says_what_it_was_created_with(tmp_path: Path, notes: Tracker) -> None:
    created = notes.create(
        replace(draft(), labels=("memory", "a `b`"), assignee="alice", components=("Audio", "Video"))
    )

    head = (tmp_path / "issues" / created.remote_id).read_text().splitlines()[2:7]
    assert head == [
        "- Status: open",
        "- Labels: memory, `` a `b` ``",
        "- Assignee: alice",
        "- Component: Audio, Video",
        "",
    ]
    assert notes.look(issue(created)).condition.labels[1] == "memory"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("- Status: open\n", Condition()),
        ("", Condition()),
        ("- Status: closed\n", Condition(closed=True, resolution="done")),
        ("* status : Closed (won't fix)\n", Condition(closed=True, resolution="won't fix")),
        (
            "Status: done\nFixed in: 2.4.0, 2.3.5\n",
            Condition(closed=True, resolution="done", fixed_in=("2.4.0", "2.3.5")),
        ),
        ("- **Status:** closed\n- Resolution: duplicate\n", Condition(closed=True, resolution="duplicate")),
        ("- Status: closedish\n", Condition()),
        ("- Status: in progress\n- Labels: crash, `syncd:ignore`\n", Condition(labels=("crash", "syncd:ignore"))),
    ],
)
def test_people_say_in_a_line_how_it_stands(
    notes: Tracker, filed: Issue, path: Path, head: str, expected: Condition
) -> None:
    written(path, head)

    assert replace(notes.look(filed).condition, closed_at=None) == expected


def test_when_it_was_closed_is_what_people_wrote(notes: Tracker, filed: Issue, path: Path) -> None:
    written(path, "- Status: closed\n- Closed: 2026-01-02\n")

    assert notes.look(filed).condition.closed_at == datetime(2026, 1, 2, tzinfo=UTC).timestamp()


def test_when_it_was_closed_does_not_move_with_what_is_written_later(notes: Tracker, filed: Issue, path: Path) -> None:
    written(path, "- Status: closed\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert notes.look(filed).condition.closed_at == 1_700_000_000

    notes.comment(filed, FIRST, COMMENT_MARKER)
    assert notes.look(filed).condition.closed_at == 1_700_000_000
    written_again = path.read_bytes().replace(b"Status: closed", b"Status: open")
    path.write_bytes(written_again)
    assert notes.look(filed).condition.closed_at is None
    path.write_bytes(written_again.replace(b"Status: open", b"Status: closed"))
    assert notes.look(filed).condition.closed_at == pytest.approx(time.time(), abs=5)


def test_a_duplicate_names_another_file(notes: Tracker, filed: Issue, path: Path) -> None:
    original = notes.create(draft(marker="syncd:0000000000000000"))
    written(path, f"- Status: closed (duplicate)\n- Duplicate of: {original.key}\n")

    duplicate_of = notes.look(filed).condition.duplicate_of
    assert duplicate_of is not None
    assert duplicate_of.remote_id == original.remote_id
    path.write_text(path.read_text().replace(original.key, "../elsewhere"))
    assert notes.look(filed).condition.duplicate_of is None


def test_what_crashed_cannot_say_how_it_stands(notes: Tracker) -> None:
    hostile = issue(notes.create(draft(title="- Status: closed\n- Status: closed")))

    assert not notes.look(hostile).condition.closed


def test_reopening_and_closing_change_one_word(notes: Tracker, filed: Issue, path: Path) -> None:
    written(path, "*  Status:   closed (fixed)  \r\n- Fixed in: 2.4.0\r\n")
    before = path.read_bytes()

    assert notes.reopen(filed) == ""
    assert path.read_bytes() == before.replace(b"   closed (fixed)  \r\n", b" open  \r\n")
    assert notes.reopen(filed) == ""
    assert notes.close_issue(filed) == ""
    assert notes.look(filed).condition.closed
    assert path.read_bytes() == before.replace(b"   closed (fixed)  \r\n", b" closed  \r\n")


def test_a_file_whose_status_line_people_removed_is_left_alone(notes: Tracker, filed: Issue, path: Path) -> None:
    written(path, "")
    before = path.read_bytes()

    assert "write `- Status: closed` below its title" in notes.close_issue(filed)
    assert path.read_bytes() == before


@given(st.binary(max_size=2000), st.sampled_from(["open", "closed"]))
def test_a_head_is_read_of_whatever_a_file_holds_and_nothing_but_its_status_changes(
    content: bytes, status: str
) -> None:
    head.read(content)
    changed = head.with_status(content, status)
    if changed is not None:
        assert head.read(changed).closed is (status == "closed")
        assert len(changed.splitlines()) == len(content.splitlines())


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_status_that_was_written_is_read_back(before: str, after: str) -> None:
    content = f"# title\n- Status: open\n{before}\n# x\n{after}".encode("utf-8", "replace")

    closed = head.with_status(content, "closed")
    assert closed is not None
    assert closed.replace(b"- Status: closed", b"- Status: open", 1) == content


def test_a_survey_of_many_files_has_many_parts(tmp_path: Path, notes: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncd.trackers.local.tracker._PART", 2)
    issues = [issue(notes.create(draft(marker=f"syncd:{number:016x}"))) for number in range(5)]
    (tmp_path / "issues" / str(issues[3].remote_id)).unlink()

    parts = list(notes.survey(issues, None))

    assert [len(part.observations) for part in parts] == [2, 1, 1]
    assert [part.missing for part in parts] == [(), (issues[3].remote_id,), ()]

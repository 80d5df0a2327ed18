"""Files as issues: their content, the status section, and the names that people give them."""

import os
import re
from pathlib import Path

import cmarkgfm
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.errors import Gone, Misconfigured, Missing, Refused
from syncd.model import Created
from tests.trackers.local.parts import (
    COMMENT_MARKER,
    FIRST,
    GROUP,
    MARKER,
    SECOND,
    doubtful,
    draft,
    issue,
    names,
    tracker,
    uses,
)


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


def test_what_a_folder_does_not_have_is_nothing_to_do(folder: Path) -> None:
    notes = tracker(folder)

    notes.refresh(issue(notes.create(draft())), GROUP)
    notes.close()

    assert len(names(folder)) == 1

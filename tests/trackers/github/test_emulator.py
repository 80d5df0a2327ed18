"""The GitHub adapter against a GitHub that somebody else wrote, and what a lost answer leaves there."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import github
import pytest

from syncd.config import GitHubSettings, Secret
from syncd.errors import OutcomeUnknown
from syncd.model import Group, Identity, Issue, IssueState
from syncd.platform.clock import Clock
from syncd.render.text import Code, Paragraph
from syncd.trackers import Draft
from syncd.trackers.github.tracker import GitHub
from tests.fakes.emulator import REPOSITORY, TOKEN, EmulatedGitHub, emulated_github
from tests.fakes.notebook import Memory
from tests.fakes.server import Fault, How
from tests.fakes.specs import check_traffic

MARKER = "5eed0a3f1c9b7d2e4a6f8b0c1d3e5f70"
DRAFT = Draft(
    marker=MARKER,
    title="Crash in render()",
    body=(Paragraph(("It broke.",)), Code(("frame 0", "```", "frame 1"))),
    group=Group(identity=Identity("acme", "game", "f" * 64)),
)
STATUS = (Paragraph(("Seen five times.",)),)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedGitHub]:
    with emulated_github(tmp_path_factory.mktemp("emulator")) as front:
        yield front
        check_traffic(front)


@pytest.fixture
def tracker(running: EmulatedGitHub, tmp_path: Path) -> Iterator[GitHub]:
    (tmp_path / "token").write_text(TOKEN)
    settings = GitHubSettings(
        kind="github",
        repository=REPOSITORY,
        token=Secret(file=str(tmp_path / "token")),
        api_url=running.url,
        timeout=5.0,
        allow_public=True,
    )
    opened = GitHub("crashes", settings, Memory(), clock=Clock(), sleep=time.sleep)
    yield opened
    opened.close()


def test_one_issue_with_one_status_comment_comes_of_the_whole_way(running: EmulatedGitHub, tracker: GitHub) -> None:
    before = len(running.issues())
    created = tracker.create(DRAFT)
    issue = Issue(
        tracker="crashes",
        state=IssueState.LINKED,
        marker=MARKER,
        remote_id=created.remote_id,
        key=created.key,
    )
    assert tracker.find_comment(issue, MARKER) is None
    comment_id = tracker.comment(issue, STATUS, MARKER)
    assert tracker.find_comment(issue, MARKER) == comment_id
    tracker.edit_comment(issue, comment_id, (Paragraph(("Seen often.",)),), MARKER)

    issues, comments = running.issues(), running.comments(created.number)
    assert len(issues) == before + 1
    assert issues[0]["title"] == "Crash in render()"
    assert issues[0]["body"].endswith(f"\n\n<!-- syncd:1:{MARKER} -->")
    assert [label["name"] for label in issues[0]["labels"]] == ["crash"]
    assert [comment["body"] for comment in comments] == [f"Seen often.\n\n<!-- syncd:status:1:{MARKER} -->"]


@pytest.mark.parametrize("how", ["reset_after", "half_after", "empty_after", "garbage_after"])
def test_a_create_whose_answer_is_lost_leaves_exactly_one_issue(
    running: EmulatedGitHub, tracker: GitHub, how: How
) -> None:
    before = len(running.issues())
    lost = running.inject(Fault(how=how, path="/issues$", times=99))

    with pytest.raises(OutcomeUnknown):
        tracker.create(DRAFT)
    lost.times = 0
    assert len(running.issues()) == before + 1


@pytest.mark.parametrize("how", ["reset_after", "reset_before"])
def test_a_probe_finds_what_a_lost_create_left_and_nothing_else(
    running: EmulatedGitHub, tracker: GitHub, how: How
) -> None:
    """Without the commit, the same probe must find nothing."""
    marker = secrets.token_hex(16)
    before, floor = len(running.issues()), tracker.newest()
    running.inject(Fault(how=how, path="/issues$"))
    with pytest.raises(OutcomeUnknown):
        tracker.create(replace(DRAFT, marker=marker))

    doubt = Issue(tracker="crashes", state=IssueState.IN_DOUBT, marker=marker, floor=floor, attempt=1)
    evidence = tracker.probe(doubt)
    left = running.issues()[: len(running.issues()) - before]
    assert [each.number for each in evidence.issues] == [each["number"] for each in left]
    assert len(left) == (how == "reset_after")
    assert evidence.covered
    assert evidence.at is not None


def test_the_probe_of_another_create_does_not_find_it(running: EmulatedGitHub, tracker: GitHub) -> None:
    tracker.create(DRAFT)

    doubt = Issue(tracker="crashes", state=IssueState.IN_DOUBT, marker="x" * 26, attempt=1)
    evidence = tracker.probe(doubt)
    assert (evidence.issues, evidence.covered) == ((), True)
    assert evidence.newest == running.issues()[0]["number"]


def test_left_to_itself_pygithub_leaves_eleven(running: EmulatedGitHub) -> None:
    """The negative control: the faults do what they claim, and our settings are what keeps it at one."""
    before = len(running.issues())
    lost = running.inject(Fault(how="reset_after", path="/issues$", times=99))
    client = github.Github(auth=github.Auth.Token(TOKEN), base_url=running.url, seconds_between_writes=None)

    with pytest.raises(OSError, match="Connection"):
        client.get_repo(REPOSITORY).create_issue("Crash")
    client.close()
    lost.times = 0
    assert len(running.issues()) == before + 11


def test_the_check_is_content(tracker: GitHub) -> None:
    assert all(finding.ok for finding in tracker.check())

"""The status comment: written once, found again, edited in place, missed when it is gone."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from syncd.errors import Gone, Misconfigured, Missing, Moved, OutcomeUnknown, OutOfReach, Refused, TrackerError
from syncd.model import Created, Issue
from syncd.render.text import Code, Paragraph
from syncd.trackers.github.tracker import GitHub
from tests.fakes.github import TOKEN, FakeGitHub
from tests.fakes.github_records import Account, FakeRepository
from tests.fakes.server import Fault, How
from tests.trackers.github.parts import DRAFT, GROUP, LOST, MARKER, STATUS, Open, linked


def test_a_comment_is_one_request_and_is_found_again(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    before = len(fake.requests)

    comment_id = tracker.comment(issue, STATUS, MARKER)
    assert [each.method for each in fake.requests[before:]] == ["POST"]
    comment = fake.repository.issues[1].comments[int(comment_id)]
    assert comment.body == f"Seen `5` times.\n\n<!-- syncd:status:1:{MARKER} -->"
    assert tracker.find_comment(issue, MARKER) == comment_id


@pytest.mark.parametrize("how", LOST)
def test_a_comment_whose_answer_is_lost_was_sent_once_and_is_in_doubt(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, how: How
) -> None:
    fake.inject(Fault(how=how, path="comments", times=99))

    with pytest.raises(OutcomeUnknown):
        tracker.comment(issue, STATUS, MARKER)
    assert len(fake.sent("POST", "comments")) == 1
    assert tracker.find_comment(issue, MARKER) is not None


def test_a_comment_whose_answer_is_lost_is_recognised_after_another_account_took_over(
    open_github: Open, fake: FakeGitHub
) -> None:
    fake.file(fake.repository, "A person's own", "", Account("person", 99), [])
    issue = linked(Created(remote_id="1", key="#1", url="", number=1))
    fake.inject(Fault(how="reset_after", path="comments"))
    with pytest.raises(OutcomeUnknown):
        open_github().comment(issue, STATUS, MARKER)
    fake.accounts[TOKEN] = Account("acme-bot", 502)

    (comment_id,) = fake.repository.issues[1].comments
    assert open_github().find_comment(issue, MARKER) == str(comment_id)


def test_an_edit_is_one_request_and_replaces_the_text(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    comment_id = tracker.comment(issue, STATUS, MARKER)
    before = len(fake.requests)

    tracker.edit_comment(issue, comment_id, (Paragraph(("Seen often.",)),), MARKER)
    assert [each.method for each in fake.requests[before:]] == ["PATCH"]
    comment = fake.repository.issues[1].comments[int(comment_id)]
    assert comment.body == f"Seen often.\n\n<!-- syncd:status:1:{MARKER} -->"


def test_a_comment_of_an_earlier_account_is_missing_and_does_not_stop_the_tracker(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    own = tracker.comment(issue, STATUS, MARKER)
    fake.repository.issues[1].comments[int(own)].author = Account("person", 99)
    body = {"message": "Must have admin rights to Repository."}
    fake.inject(Fault(how="status", method="PATCH", path="comments", status=403, body=body))

    with pytest.raises(Missing) as caught:
        tracker.edit_comment(issue, own, STATUS, MARKER)
    assert caught.value.foreign


def test_an_edit_is_tried_again(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    comment_id = tracker.comment(issue, STATUS, MARKER)
    fake.inject(Fault(how="reset_after", method="PATCH"))
    fake.inject(Fault(how="status", method="PATCH", status=503))

    tracker.edit_comment(issue, comment_id, STATUS, MARKER)
    assert len(fake.sent("PATCH")) == 3


def test_a_status_comment_stays_within_the_limits(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    comment_id = tracker.comment(issue, (Code(("x" * 1000,) * 500),), MARKER)

    body = fake.repository.issues[1].comments[int(comment_id)].body
    assert 50_000 < len(body) <= 60_000
    assert body.endswith(f"\n<!-- syncd:status:1:{MARKER} -->")


def test_only_our_own_comment_with_the_whole_marker_is_found(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    line = f"<!-- syncd:status:1:{MARKER} -->"
    filed = fake.repository.issues[1]
    fake.remark(filed, line, Account("somebody", 7))
    fake.remark(filed, f"> {line}", fake.account)
    fake.remark(filed, f"<!-- syncd:status:1:{MARKER}x -->", fake.account)
    fake.remark(filed, f"<!-- syncd:1:{MARKER} -->", fake.account)
    assert tracker.find_comment(issue, MARKER) is None

    own = fake.remark(filed, f"words\r\n{line}\r\nmore words", fake.account)
    fake.remark(filed, line, fake.account)
    assert tracker.find_comment(issue, MARKER) == str(own.id)
    assert len(fake.sent("GET", "^/user$")) == 1


def test_a_comment_of_the_account_that_was_behind_the_token_before_is_found(
    open_github: Open, fake: FakeGitHub, issue: Issue
) -> None:
    own = fake.remark(fake.repository.issues[1], f"<!-- syncd:status:1:{MARKER} -->", fake.account)
    fake.accounts[TOKEN] = Account("acme-bot", 502)

    assert open_github().find_comment(issue, MARKER) == str(own.id)


def test_a_comment_is_found_among_very_many(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    filed = fake.repository.issues[1]
    for number in range(200):
        fake.remark(filed, f"comment {number}", Account("somebody", 7))
    comment_id = tracker.comment(issue, STATUS, MARKER)

    assert tracker.find_comment(issue, MARKER) == comment_id
    assert len(fake.sent("GET", "comments")) == 3


def test_an_app_finds_its_comment_though_it_is_not_told_who_it_is(open_github: Open, fake: FakeGitHub) -> None:
    fake.accounts["app"] = Account("syncd[bot]", 503, app=True)
    tracker = open_github("app")
    issue = linked(tracker.create(DRAFT))

    comment_id = tracker.comment(issue, STATUS, MARKER)
    assert tracker.find_comment(issue, MARKER) == comment_id


def each_use(tracker: GitHub, issue: Issue) -> Iterator[Callable[[], object]]:
    yield lambda: tracker.edit_comment(issue, "1", STATUS, MARKER)
    yield lambda: tracker.comment(issue, STATUS, MARKER)
    yield lambda: tracker.find_comment(issue, MARKER)


@pytest.mark.parametrize(("status", "error"), [(404, OutOfReach), (410, Gone)])
def test_an_issue_that_is_not_there_is_gone_only_by_githubs_word(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, status: int, error: type[TrackerError]
) -> None:
    fake.repository.issues[1].deleted = True
    fake.repository.issues[1].deleted_status = status

    for use in each_use(tracker, issue):
        with pytest.raises(error, match="acme/game#1"):
            use()


def test_an_issue_that_was_transferred_is_moved_and_nothing_is_written_there(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    elsewhere = fake.add_repository("acme/other")
    there = fake.transfer(fake.repository, 1, elsewhere)

    for use in each_use(tracker, issue):
        with pytest.raises(Moved, match="acme/game#1 was transferred and is acme/other#1 now") as caught:
            use()
        assert (caught.value.remote_id, caught.value.key) == (f"{elsewhere.id}/1", "acme/other#1")
        assert caught.value.url == f"{fake.url}/acme/other/issues/1"
    assert not there.comments


def test_comments_follow_a_transferred_issue(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    former_id = tracker.comment(issue, STATUS, MARKER)
    elsewhere = fake.add_repository("acme/other")
    there = fake.transfer(fake.repository, 1, elsewhere)
    moved = replace(issue, remote_id=f"{elsewhere.id}/1", key="acme/other#1")

    with pytest.raises(Missing, match="comment of acme/other#1 is gone"):
        tracker.edit_comment(moved, former_id, STATUS, MARKER)
    present_id = tracker.find_comment(moved, MARKER)
    assert present_id is not None
    tracker.edit_comment(moved, present_id, (Paragraph(("Seen often.",)),), MARKER)
    tracker.comment(moved, STATUS, MARKER)
    assert [comment.body.split("\n")[0] for comment in there.comments.values()] == ["Seen often.", "Seen `5` times."]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda elsewhere: setattr(elsewhere, "hidden", True),
        lambda elsewhere: setattr(elsewhere, "has_issues", False),
        lambda elsewhere: setattr(elsewhere, "can_read_issues", False),
    ],
)
def test_another_repository_that_is_closed_to_us_does_not_stop_the_tracker(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, spoil: Callable[[FakeRepository], None]
) -> None:
    elsewhere = fake.add_repository("acme/other")
    fake.transfer(fake.repository, 1, elsewhere)
    moved = replace(issue, remote_id=f"{elsewhere.id}/1", key="acme/other#1")
    spoil(elsewhere)

    for use in each_use(tracker, moved):
        with pytest.raises(OutOfReach):
            use()


def test_another_repository_that_takes_no_comments_of_ours_does_not_stop_the_tracker(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    elsewhere = fake.add_repository("acme/other", archived=True)
    fake.transfer(fake.repository, 1, elsewhere)
    moved = replace(issue, remote_id=f"{elsewhere.id}/1", key="acme/other#1")

    with pytest.raises(OutOfReach, match="archived"):
        tracker.comment(moved, STATUS, MARKER)


def test_a_repository_that_vanished_does_not_look_like_deleted_issues(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    fake.remove(fake.repository)

    for use in each_use(tracker, issue):
        with pytest.raises(Misconfigured):
            use()


def test_issues_that_were_turned_off_do_not_look_like_deleted_issues(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    fake.repository.has_issues = False

    for use in each_use(tracker, issue):
        with pytest.raises(Misconfigured):
            use()


def test_a_locked_issue_refuses_and_does_not_stop_the_others(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    fake.repository.issues[1].locked = True
    fake.repository.push = False

    with pytest.raises(Refused, match="issue is locked"):
        tracker.comment(issue, STATUS, MARKER)


def test_refreshing_sends_nothing(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    before = len(fake.requests)

    tracker.refresh(issue, GROUP)
    assert len(fake.requests) == before

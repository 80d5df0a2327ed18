"""The status comment: added, found again, edited, lost."""

import json

import pytest

from syncd.errors import Misconfigured, Missing, OutcomeUnknown, Refused, Unavailable
from syncd.model import Issue, IssueState
from syncd.render.text import Paragraph
from tests.fakes.jira import FakeJira, FakeJiraCloud
from tests.fakes.server import Fault, How
from tests.fakes.specs import check_traffic
from tests.trackers.clock import AdapterClock
from tests.trackers.jira.parts import LOST, MARKER, TAG, Open, linked, status


def test_a_comment_whose_answer_is_lost_is_recognised_after_another_account_took_over(
    fake: FakeJira, opened: Open
) -> None:
    own = fake.file("a person's own")
    issue = Issue(tracker="mobile", state=IssueState.LINKED, marker=MARKER, remote_id=own.id, key="CRASH-1")
    fake.inject(Fault(how="reset_after", path="/comment$"))
    with pytest.raises(OutcomeUnknown):
        opened().comment(issue, status("1"), MARKER)
    fake.me = "bot"

    (comment_id,) = fake.issues["CRASH-1"].comments
    assert opened().find_comment(issue, MARKER) == comment_id


def test_the_status_comment_is_added_found_and_edited_with_one_request_each(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    before = len(fake.requests)
    comment_id = adapter.comment(issue, status("1"), MARKER)

    assert len(fake.requests) == before + 1

    adapter.edit_comment(issue, comment_id, status("2"), MARKER)

    comment = fake.issues["CRASH-1"].comments[comment_id]
    assert len(fake.requests) == before + 2
    assert comment.edits == 1
    assert "2" in json.dumps(comment.body)
    assert adapter.find_comment(issue, MARKER) == comment_id
    assert len(fake.requests) == before + 3, "one page of comments"
    assert adapter.find_comment(issue, "another marker") is None
    assert len(fake.requests) == before + 4, "the account is read once"
    if isinstance(fake, FakeJiraCloud):
        assert fake.sent("PUT")[0].query == {"notifyUsers": ["false"]}
    check_traffic(fake)


def test_somebody_elses_copy_of_the_status_comment_is_not_ours(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    own = adapter.comment(issue, status("1"), MARKER)
    body = fake.issues["CRASH-1"].comments.pop(own).body
    fake.add_comment("CRASH-1", "ada", body)

    assert adapter.find_comment(issue, MARKER) is None

    again = adapter.comment(issue, status("1"), MARKER)

    assert adapter.find_comment(issue, MARKER) == again


def test_a_comment_of_an_earlier_account_is_missing_and_the_issue_is_not_to_blame(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    own = adapter.comment(issue, status("1"), MARKER)
    fake.me = "another-bot"
    changed = opened()

    with pytest.raises(Missing) as caught:
        changed.edit_comment(issue, own, status("2"), MARKER)
    assert caught.value.foreign
    again = changed.comment(issue, status("2"), MARKER)
    assert changed.find_comment(issue, MARKER) == again


def test_a_comment_of_the_account_that_was_behind_the_token_before_is_found(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    adapter.comment(issue, status("1"), "another marker")
    own = adapter.comment(issue, status("1"), MARKER)
    fake.me = "bot"

    assert opened().find_comment(issue, MARKER) == own


def test_our_comment_is_found_on_a_later_page(fake: FakeJira, opened: Open) -> None:
    fake.page_size = 5
    adapter = opened()
    issue = linked(adapter)
    for _ in range(12):
        fake.add_comment("CRASH-1", "ada", "me too")
    own = adapter.comment(issue, status("1"), MARKER)

    assert adapter.find_comment(issue, MARKER) == own
    assert len(fake.sent("GET", "/comment$")) == 3


def test_the_line_within_a_comment_does_not_make_it_ours(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    adapter.comment(issue, (*status(f"syncd status · {TAG[6:]}"), Paragraph(("more",))), "another marker")

    assert adapter.find_comment(issue, MARKER) is None


@pytest.mark.parametrize("how", LOST)
def test_a_lost_comment_is_sent_once_and_in_doubt(fake: FakeJira, opened: Open, how: How) -> None:
    adapter = opened()
    issue = linked(adapter)
    fake.inject(Fault(how=how, path="/comment$"))
    with pytest.raises(OutcomeUnknown):
        adapter.comment(issue, status("1"), MARKER)

    assert len(fake.sent("POST", "/comment$")) == 1


def test_an_unreadable_list_of_comments_is_not_taken_for_an_empty_one(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    own = adapter.comment(issue, status("1"), MARKER)
    fake.inject(Fault(how="garbage_after", method="GET", path="/comment$", times=2))

    assert adapter.find_comment(issue, MARKER) == own

    fake.inject(Fault(how="garbage_after", method="GET", path="/comment$", times=3))
    with pytest.raises(Unavailable):
        adapter.find_comment(issue, MARKER)


def test_an_edit_is_tried_three_times_and_then_given_back(fake: FakeJira, opened: Open, clock: AdapterClock) -> None:
    adapter = opened()
    issue = linked(adapter)
    comment_id = adapter.comment(issue, status("1"), MARKER)
    fake.inject(Fault(how="reset_after", method="PUT", times=2))
    adapter.edit_comment(issue, comment_id, status("2"), MARKER)

    assert len(fake.sent("PUT")) == 3
    assert len(clock.waits) == 2

    fake.inject(Fault(how="status", method="PUT", status=500, times=9))
    with pytest.raises(Unavailable):
        adapter.edit_comment(issue, comment_id, status("3"), MARKER)

    assert len(fake.sent("PUT")) == 6


def test_a_wait_that_jira_asks_for_is_not_spent_in_the_thread(
    fake: FakeJira, opened: Open, clock: AdapterClock
) -> None:
    adapter = opened()
    issue = linked(adapter)
    comment_id = adapter.comment(issue, status("1"), MARKER)
    fake.inject(Fault(how="status", method="PUT", status=503, headers={"Retry-After": "40"}))
    with pytest.raises(Unavailable) as caught:
        adapter.edit_comment(issue, comment_id, status("2"), MARKER)

    assert caught.value.retry_after == 40
    assert clock.waits == []


def test_a_lost_permission_is_not_taken_for_deleted_issues(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    comment_id = adapter.comment(issue, status("1"), MARKER)
    fake.permissions.remove("BROWSE_PROJECTS")
    with pytest.raises(Misconfigured):
        adapter.edit_comment(issue, comment_id, status("2"), MARKER)
    with pytest.raises(Misconfigured):
        adapter.comment(issue, status("2"), MARKER)


def test_a_refusal_on_one_issue_stops_the_tracker_only_where_the_permission_is_lost(
    fake: FakeJira, opened: Open
) -> None:
    adapter = opened()
    issue = linked(adapter)
    for code in (400, 403):
        fake.inject(Fault(how="status", status=code, body={"errorMessages": ["The issue is archived."]}))
        with pytest.raises(Refused, match="archived"):
            adapter.comment(issue, status("1"), MARKER)
    fake.permissions.remove("ADD_COMMENTS")
    fake.inject(Fault(how="status", status=400, body={"errorMessages": ["You may not comment."]}))
    for _ in (400, 403):
        with pytest.raises(Misconfigured, match="ADD_COMMENTS"):
            adapter.comment(issue, status("1"), MARKER)


def test_a_locked_login_is_not_asked_again(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    sent = len(fake.requests)
    denied = {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=x"}
    fake.inject(Fault(how="status", status=403, headers=denied))
    with pytest.raises(Misconfigured, match="CAPTCHA"):
        adapter.comment(issue, status("1"), MARKER)

    assert len(fake.requests) == sent + 1

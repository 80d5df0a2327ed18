"""A look at an issue that was moved, deleted or hidden, and answers that only look like it."""

from collections.abc import Callable

import pytest

from syncd.errors import Gone, Misconfigured, OutOfReach, TrackerError, Unavailable
from syncd.model import Place
from tests.fakes.jira import FakeJira, FakeJiraCloud
from tests.fakes.server import Fault, Recorded
from tests.fakes.specs import check_traffic
from tests.trackers.jira.parts import MARKER, Open, a_group, linked, status


def test_an_issue_at_home_is_one_request(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    before = len(fake.requests)

    place = adapter.look(issue).place

    assert place == Place(remote_id=str(issue.remote_id), key="CRASH-1", url=f"{fake.url}/browse/CRASH-1")
    assert len(fake.requests) == before + 1
    check_traffic(fake)


def test_a_deleted_issue_is_gone_once_a_neighbour_was_read(fake: FakeJira, opened: Open) -> None:
    fake.file("a neighbour")
    adapter = opened()
    issue = linked(adapter)
    fake.delete("CRASH-2")

    with pytest.raises(Gone, match="CRASH-2 was deleted, or moved or hidden where"):
        adapter.look(issue)

    assert len(fake.sent("GET", f"/issue/{fake.issues['CRASH-1'].id}$")) == 1
    check_traffic(fake)


def test_an_issue_that_was_moved_out_of_sight_is_gone_in_words_that_say_both(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    fake.move("CRASH-1", "SECRET")
    fake.elsewhere["SECRET"].clear()

    with pytest.raises(Gone, match="or moved or hidden where the account that syncd uses may not see it"):
        adapter.look(issue)


def test_a_lost_permission_is_never_gone(fake: FakeJira, opened: Open) -> None:
    fake.file("a neighbour")
    fake.custom_fields = {"customfield_1": "number"}
    adapter = opened(fields={"customfield_1": "{{ group.occurrences }}"})
    issue = linked(adapter)
    comment_id = adapter.comment(issue, status("1"), MARKER)
    fake.permissions.remove("BROWSE_PROJECTS")
    calls: list[Callable[[], object]] = [
        lambda: adapter.look(issue),
        lambda: adapter.comment(issue, status("2"), MARKER),
        lambda: adapter.find_comment(issue, MARKER),
        lambda: adapter.edit_comment(issue, comment_id, status("2"), MARKER),
        lambda: adapter.refresh(issue, a_group(occurrences=9)),
    ]
    for call in calls:
        with pytest.raises(Misconfigured):
            call()


@pytest.mark.parametrize("number", range(1, 4))
@pytest.mark.parametrize("code", [200, 400, 401, 403, 404, 410, 429, 500, 503])
def test_an_issue_is_not_gone_where_a_control_read_fails(fake: FakeJira, opened: Open, number: int, code: int) -> None:
    fake.file("a neighbour")
    adapter = opened()
    issue = linked(adapter)
    fake.delete("CRASH-2")
    before = len(fake.requests)

    def fails(request: Recorded) -> Fault | None:
        return Fault(how="status", status=code) if len(fake.requests) > before + number else None

    fake.weather = fails
    with pytest.raises(TrackerError) as caught:
        adapter.look(issue)

    assert isinstance(caught.value, Unavailable | Misconfigured) or code == 429
    assert not isinstance(caught.value, Gone)


def test_an_index_that_still_shows_what_is_deleted_proves_nothing(
    fake: FakeJira, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.file("deleted as well")
    adapter = opened()
    issue = linked(adapter)
    both = list(fake.issues.values())
    fake.delete("CRASH-1")
    fake.delete("CRASH-2")
    monkeypatch.setattr(fake, "indexed", lambda jql: both)

    # Only Data Center has no list but the index.
    cloud = isinstance(fake, FakeJiraCloud)
    reason = "neither CRASH-2 nor CRASH-1 can be read" if cloud else "shows CRASH-2 in a list, but not by itself"
    with pytest.raises(Unavailable, match=reason):
        adapter.look(issue)


def test_a_hidden_issue_is_out_of_reach_where_jira_says_so(fake: FakeJira, opened: Open) -> None:
    fake.file("a neighbour")
    adapter = opened()
    issue = linked(adapter)
    fake.hidden.add(str(issue.remote_id))

    with pytest.raises(Gone if isinstance(fake, FakeJiraCloud) else OutOfReach):
        adapter.look(issue)

    if isinstance(fake, FakeJiraCloud):
        fake.unreadable = {str(issue.remote_id)}
        with pytest.raises(OutOfReach, match="CRASH-2 exists, but"):
            adapter.look(issue)

    fake.permissions.remove("BROWSE_PROJECTS")
    with pytest.raises(Misconfigured):
        adapter.look(issue)


def test_what_may_not_be_done_in_another_project_does_not_stop_our_own(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    fake.move("CRASH-1", "TRIAGE")
    fake.elsewhere["TRIAGE"] = {"BROWSE_PROJECTS"}

    # The stored key is still CRASH-1.
    with pytest.raises(OutOfReach, match="TRIAGE-1 was moved to where"):
        adapter.comment(issue, status("1"), MARKER)


def test_a_locked_login_is_not_asked_again(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    before = len(fake.requests)
    denied = {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=x"}
    fake.inject(Fault(how="status", method="GET", status=403, headers=denied))

    with pytest.raises(Misconfigured) as caught:
        adapter.look(issue)

    assert caught.value.seconds == 3600
    assert len(fake.requests) == before + 1

"""The GitHub adapter against a stateful fake: how many requests it sends, and what it makes of every end."""

import secrets
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import github
import pytest

from syncd.config import GitHubSettings, Secret
from syncd.errors import Misconfigured, Missing, OutcomeUnknown, Refused, Throttled, TrackerError, Unavailable
from syncd.model import Created, Group, Identity, Issue, IssueState
from syncd.render.document import Code, Document, Paragraph, Value
from syncd.trackers import Draft, Finding
from syncd.trackers.github import GitHub
from tests.fakes.github import TOKEN, FakeGitHub, secondary_limit
from tests.fakes.github_records import Account
from tests.fakes.notebook import Memory
from tests.fakes.server import Fault, How
from tests.fakes.specs import REASON, Validator, available, check_traffic
from tests.fakes.tls import certificate, tls

MARKER = "q3vlm5ts7x2aybk4cdnpwe6fzh"
GROUP = Group(identity=Identity("acme", "game", "f" * 64))
DRAFT = Draft(marker=MARKER, title="Crash in render()", body=(Paragraph(("It broke.",)),), group=GROUP)
STATUS: Document = (Paragraph(("Seen ", Value("5"), " times.")),)


class Clock:
    """A clock that stands still; what sleeps on it is written down."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    """GitHub; every request it took must be one that GitHub describes."""
    with FakeGitHub() as server:
        yield server
    check_traffic(server)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def clock() -> Clock:
    return Clock()


Open = Callable[..., GitHub]


@pytest.fixture
def open_github(fake: FakeGitHub, memory: Memory, clock: Clock, tmp_path: Path) -> Iterator[Open]:
    opened: list[GitHub] = []

    def opener(token: str = TOKEN, **settings: object) -> GitHub:
        (tmp_path / "token").write_text(token)
        given = {
            "kind": "github",
            "repository": "acme/game",
            "token": Secret(file=str(tmp_path / "token")),
            "api_url": fake.url,
            "timeout": 1.0,
            **settings,
        }
        tracker = GitHub(
            "crashes", GitHubSettings.model_validate(given), memory, clock=clock, sleep=clock.waits.append
        )
        opened.append(tracker)
        return tracker

    yield opener
    for tracker in opened:
        tracker.close()


@pytest.fixture
def tracker(open_github: Open) -> GitHub:
    return open_github()


def linked(created: Created) -> Issue:
    return Issue(
        tracker="crashes",
        state=IssueState.LINKED,
        marker=MARKER,
        remote_id=created.remote_id,
        key=created.key,
        url=created.url,
    )


def calls(fake: FakeGitHub) -> list[str]:
    return [f"{one.method} {one.path}" for one in fake.requests]


# Creating


def test_opening_sends_nothing(tracker: GitHub, fake: FakeGitHub) -> None:
    tracker.close()

    assert fake.requests == []


def test_the_first_create_asks_for_the_repository_and_the_next_is_one_request(
    tracker: GitHub, fake: FakeGitHub
) -> None:
    home = f"/repositories/{fake.repository.id}"

    first, second = tracker.create(DRAFT), tracker.create(DRAFT)
    assert calls(fake) == ["GET /repos/acme/game", f"POST {home}/issues", f"POST {home}/issues"]
    assert first == Created(
        remote_id="1", key="acme/game#1", url=f"{fake.url}/acme/game/issues/1", number=1, notes=()
    )
    assert second.number == 2


def test_the_repository_is_known_again_after_a_restart(open_github: Open, fake: FakeGitHub) -> None:
    open_github().create(DRAFT)
    open_github().create(DRAFT)

    assert [one.method for one in fake.requests] == ["GET", "POST", "POST"]


def test_an_issue_says_what_the_draft_says_and_ends_with_the_marker(
    tracker: GitHub, fake: FakeGitHub
) -> None:
    tracker.create(DRAFT)

    issue = fake.repository.issues[1]
    assert issue.title == "Crash in render()"
    assert issue.body == f"It broke.\n\n<!-- syncd:1:{MARKER} -->"
    assert issue.labels == ["crash"]


def test_the_longest_texts_stay_within_the_limits_and_keep_the_marker(
    tracker: GitHub, fake: FakeGitHub
) -> None:
    body = (Paragraph(("It broke.",)), Code(("x" * 1000,) * 500))

    tracker.create(Draft(marker=MARKER, title="long\n" * 500, body=body, group=GROUP))
    issue = fake.repository.issues[1]
    assert len(issue.title) <= 240
    assert "\n" not in issue.title
    assert issue.body is not None
    assert 50_000 < len(issue.body) <= 60_000
    assert issue.body.endswith(f"\n<!-- syncd:1:{MARKER} -->")


def test_labels_that_github_drops_are_noted(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.repository.push = False

    created = tracker.create(DRAFT)
    assert created.notes == ("GitHub dropped the labels crash: the token may not set labels in acme/game",)


@pytest.mark.parametrize("how", ["reset_after", "half_after", "hang_after", "garbage_after", "empty_after"])
def test_a_create_whose_answer_is_lost_was_sent_once_and_is_in_doubt(
    tracker: GitHub, fake: FakeGitHub, how: How
) -> None:
    fake.inject(Fault(how=how, times=99))

    with pytest.raises(OutcomeUnknown):
        tracker.create(DRAFT)
    assert len(fake.sent("POST")) == 1
    assert len(fake.repository.issues) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_create_that_a_server_fails_was_sent_once_and_is_in_doubt(
    tracker: GitHub, fake: FakeGitHub, status: int
) -> None:
    fake.inject(Fault(how="status_after", status=status, times=99))

    with pytest.raises(OutcomeUnknown):
        tracker.create(DRAFT)
    assert len(fake.sent("POST")) == 1


def test_headers_that_pygithub_stumbles_over_leave_the_create_in_doubt(
    tracker: GitHub, fake: FakeGitHub
) -> None:
    fake.inject(
        Fault(how="status_after", status=201, headers={"X-RateLimit-Reset": "soon"}, body={"number": 1})
    )

    with pytest.raises(OutcomeUnknown, match="could not be read"):
        tracker.create(DRAFT)
    assert len(fake.sent("POST")) == 1


def test_left_to_itself_pygithub_files_a_lost_create_again_and_again(fake: FakeGitHub) -> None:
    """The negative control: without our settings the same fault makes many issues."""
    fake.inject(Fault(how="reset_after", times=4))
    client = github.Github(auth=github.Auth.Token(TOKEN), base_url=fake.url, seconds_between_writes=None)

    client.get_repo("acme/game").create_issue("Crash")
    client.close()
    assert len(fake.repository.issues) == 5


def test_the_repository_read_before_a_create_never_leaves_it_in_doubt(
    tracker: GitHub, fake: FakeGitHub, clock: Clock
) -> None:
    fake.inject(Fault(how="reset_after", method="GET", times=99))

    with pytest.raises(Unavailable):
        tracker.create(DRAFT)
    assert calls(fake) == ["GET /repos/acme/game"] * 3
    assert len(clock.waits) == 2


def test_a_read_is_tried_again(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.inject(Fault(how="status", method="GET", status=502))
    fake.inject(Fault(how="garbage_after", method="GET"))

    tracker.create(DRAFT)
    assert [one.method for one in fake.requests] == ["GET", "GET", "GET", "POST"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirected_create_is_sent_once_more_when_the_repository_is_the_same(
    tracker: GitHub, fake: FakeGitHub, status: int
) -> None:
    fake.inject(Fault(how="status", status=status, headers={"Location": f"{fake.url}/repositories/1/issues"}))

    assert tracker.create(DRAFT).number == 1
    assert [one.method for one in fake.requests] == ["GET", "POST", "GET", "POST"]
    assert fake.sent("POST")[0].path == fake.sent("POST")[1].path


def test_a_create_that_is_redirected_twice_is_given_up(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.inject(
        Fault(how="status", status=307, headers={"Location": "http://elsewhere.invalid/issues"}, times=99)
    )

    with pytest.raises(Misconfigured, match="redirects"):
        tracker.create(DRAFT)
    assert len(fake.sent("POST")) == 2


def test_a_renamed_repository_is_still_filed_in(tracker: GitHub, fake: FakeGitHub) -> None:
    tracker.create(DRAFT)
    fake.rename(fake.repository, "renamed")

    assert tracker.create(DRAFT).number == 2
    assert len(fake.requests) == 3


def test_a_repository_that_was_renamed_before_the_first_create_is_not_followed(
    tracker: GitHub, fake: FakeGitHub
) -> None:
    fake.rename(fake.repository, "renamed")

    with pytest.raises(Misconfigured, match="correct repository"):
        tracker.create(DRAFT)
    assert calls(fake) == ["GET /repos/acme/game"]


def test_a_stranger_that_took_over_the_name_gets_nothing(tracker: GitHub, fake: FakeGitHub) -> None:
    tracker.create(DRAFT)
    fake.remove(fake.repository)
    stranger = fake.add_repository("acme/game", private=False)

    with pytest.raises(Misconfigured, match="now another repository"):
        tracker.create(DRAFT)
    assert stranger.issues == {}


def test_a_repository_that_is_gone_or_hidden_is_a_fault_of_the_configuration(
    tracker: GitHub, fake: FakeGitHub
) -> None:
    tracker.create(DRAFT)
    fake.remove(fake.repository)

    with pytest.raises(Misconfigured, match="404 Not Found"):
        tracker.create(DRAFT)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda fake: setattr(fake.repository, "has_issues", False), "410 Issues are disabled for this repo"),
        (lambda fake: setattr(fake.repository, "archived", True), "403 Repository was archived"),
        (lambda fake: setattr(fake.repository, "can_file", False), "403 Resource not accessible"),
    ],
)
def test_a_repository_that_takes_no_issues_is_a_fault_of_the_configuration(
    tracker: GitHub, fake: FakeGitHub, spoil: Callable[[FakeGitHub], None], words: str
) -> None:
    spoil(fake)

    with pytest.raises(Misconfigured, match=words):
        tracker.create(DRAFT)
    assert len(fake.sent("POST")) == 1


def test_content_that_github_will_never_take_is_refused(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.inject(Fault(how="status", status=422, body={"message": "Validation Failed"}))

    with pytest.raises(Refused, match="422 Validation Failed"):
        tracker.create(DRAFT)


@pytest.mark.parametrize(("retry_after", "seconds"), [(None, 60), (17, 17)])
def test_a_secondary_limit_asks_for_silence(
    tracker: GitHub, fake: FakeGitHub, retry_after: int | None, seconds: float
) -> None:
    fake.inject(secondary_limit(retry_after))

    with pytest.raises(Throttled) as caught:
        tracker.create(DRAFT)
    assert caught.value.seconds == seconds
    assert len(fake.sent("POST")) == 1


def test_a_primary_limit_asks_for_silence_until_it_is_reset(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.remaining = 0

    with pytest.raises(Throttled) as caught:
        tracker.create(DRAFT)
    assert 1700 < caught.value.seconds <= 1801


def test_a_connection_that_was_idle_for_long_is_not_trusted_with_a_create(
    tracker: GitHub, fake: FakeGitHub, clock: Clock
) -> None:
    tracker.create(DRAFT)
    clock.now += 29
    tracker.create(DRAFT)
    assert fake.connections == 1

    clock.now += 31
    tracker.create(DRAFT)
    assert fake.connections == 2


def test_a_read_that_is_answered_later_is_not_waited_for(
    tracker: GitHub, fake: FakeGitHub, clock: Clock
) -> None:
    fake.inject(Fault(how="status", method="GET", status=202, body={}, times=99))

    with pytest.raises(Unavailable):
        tracker.create(DRAFT)
    assert calls(fake) == ["GET /repos/acme/game"] * 3


def test_an_enterprise_server_is_asked_below_its_own_path(open_github: Open, fake: FakeGitHub) -> None:
    tracker = open_github(api_url=f"{fake.url}/api/v3/")

    assert tracker.create(DRAFT).number == 1
    assert calls(fake) == [
        "GET /api/v3/repos/acme/game",
        f"POST /api/v3/repositories/{fake.repository.id}/issues",
    ]


def test_a_server_is_trusted_by_the_configured_certificates_only(open_github: Open, tmp_path: Path) -> None:
    public, key = certificate(tmp_path, "localhost")

    with tls(public, key) as port:
        with pytest.raises(Unavailable, match="certificate of localhost was not accepted"):
            open_github(api_url=f"https://localhost:{port}").create(DRAFT)
        with pytest.raises(Unavailable, match=r"GitHub's answer \(201\)"):
            open_github(api_url=f"https://localhost:{port}", ca_file=str(public)).create(DRAFT)


# The token


def test_a_wrong_token_is_a_fault_of_the_configuration_and_is_never_shown(
    open_github: Open, fake: FakeGitHub
) -> None:
    token = secrets.token_hex(20)
    tracker = open_github(token)

    with pytest.raises(Misconfigured, match="401 Bad credentials") as caught:
        tracker.create(DRAFT)
    assert token not in "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(tracker)


@pytest.mark.parametrize("how", ["reset_after", "hang_after", "half_after", "garbage_after", "status_after"])
def test_no_error_shows_the_token_or_the_issue(open_github: Open, fake: FakeGitHub, how: How) -> None:
    token, title = secrets.token_hex(20), secrets.token_hex(20)
    fake.accounts[token] = Account("other", 502)
    fake.inject(Fault(how=how))

    with pytest.raises(TrackerError) as caught:
        open_github(token).create(Draft(marker=MARKER, title=title, body=(), group=GROUP))
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert token not in shown
    assert title not in shown


def test_a_token_that_was_replaced_is_read_anew(open_github: Open, fake: FakeGitHub, tmp_path: Path) -> None:
    tracker = open_github("expired")
    with pytest.raises(Misconfigured):
        tracker.create(DRAFT)

    (tmp_path / "token").write_text(TOKEN)
    assert tracker.create(DRAFT).number == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://:80", "http://[bad"])
def test_an_address_that_is_none_is_a_fault_of_the_configuration(open_github: Open, url: str) -> None:
    with pytest.raises(Misconfigured, match=r"^trackers\.crashes\.api_url"):
        open_github(api_url=url).create(DRAFT)


def test_a_server_that_is_not_there_got_nothing(open_github: Open, fake: FakeGitHub, clock: Clock) -> None:
    fake.close()

    with pytest.raises(Unavailable, match="no connection"):
        open_github().create(DRAFT)
    assert len(clock.waits) == 2


# The status comment


@pytest.fixture
def issue(tracker: GitHub) -> Issue:
    return linked(tracker.create(DRAFT))


def test_a_comment_is_one_request_and_is_found_again(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    before = len(fake.requests)

    comment_id = tracker.comment(issue, STATUS, MARKER)
    assert [one.method for one in fake.requests[before:]] == ["POST"]
    comment = fake.repository.issues[1].comments[int(comment_id)]
    assert comment.body == f"Seen `5` times.\n\n<!-- syncd:status:1:{MARKER} -->"
    assert tracker.find_comment(issue, MARKER) == comment_id


@pytest.mark.parametrize("how", ["reset_after", "half_after", "hang_after", "garbage_after", "empty_after"])
def test_a_comment_whose_answer_is_lost_was_sent_once_and_is_in_doubt(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, how: How
) -> None:
    fake.inject(Fault(how=how, path="comments", times=99))

    with pytest.raises(OutcomeUnknown):
        tracker.comment(issue, STATUS, MARKER)
    assert len(fake.sent("POST", "comments")) == 1
    assert tracker.find_comment(issue, MARKER) is not None


def test_an_edit_is_one_request_and_replaces_the_text(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    comment_id = tracker.comment(issue, STATUS, MARKER)
    before = len(fake.requests)

    tracker.edit_comment(issue, comment_id, (Paragraph(("Seen often.",)),), MARKER)
    assert [one.method for one in fake.requests[before:]] == ["PATCH"]
    comment = fake.repository.issues[1].comments[int(comment_id)]
    assert comment.body == f"Seen often.\n\n<!-- syncd:status:1:{MARKER} -->"


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


def test_only_our_own_comment_with_the_whole_marker_is_found(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    line = f"<!-- syncd:status:1:{MARKER} -->"
    filed = fake.repository.issues[1]
    fake.remark(filed, line, Account("somebody", 7))
    fake.remark(filed, f"> {line}", fake.account)
    fake.remark(filed, f"<!-- syncd:status:1:{MARKER}x -->", fake.account)
    fake.remark(filed, f"<!-- syncd:1:{MARKER} -->", fake.account)
    assert tracker.find_comment(issue, MARKER) is None

    ours = fake.remark(filed, f"words\r\n{line}\r\nmore words", fake.account)
    fake.remark(filed, line, fake.account)
    assert tracker.find_comment(issue, MARKER) == str(ours.id)
    assert len(fake.sent("GET", "^/user$")) == 1


def test_a_comment_is_found_among_very_many(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    filed = fake.repository.issues[1]
    for number in range(200):
        fake.remark(filed, f"comment {number}", Account("somebody", 7))
    comment_id = tracker.comment(issue, STATUS, MARKER)

    assert tracker.find_comment(issue, MARKER) == comment_id
    assert len(fake.sent("GET", "comments")) == 3


def test_an_app_finds_its_comment_though_it_is_not_told_who_it_is(
    open_github: Open, fake: FakeGitHub
) -> None:
    fake.accounts["app"] = Account("syncd[bot]", 503, app=True)
    tracker = open_github("app")
    issue = linked(tracker.create(DRAFT))

    comment_id = tracker.comment(issue, STATUS, MARKER)
    assert tracker.find_comment(issue, MARKER) == comment_id


def test_a_comment_that_a_person_deleted_is_missing(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    comment_id = tracker.comment(issue, STATUS, MARKER)
    fake.repository.issues[1].comments.clear()

    with pytest.raises(Missing, match=r"the status comment of acme/game#1 is gone"):
        tracker.edit_comment(issue, comment_id, STATUS, MARKER)


def each_use(tracker: GitHub, issue: Issue) -> Iterator[Callable[[], object]]:
    yield lambda: tracker.edit_comment(issue, "1", STATUS, MARKER)
    yield lambda: tracker.comment(issue, STATUS, MARKER)
    yield lambda: tracker.find_comment(issue, MARKER)


def test_an_issue_that_was_deleted_is_missing(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    fake.repository.issues[1].deleted = True

    for use in each_use(tracker, issue):
        with pytest.raises(Missing, match=r"issue acme/game#1 is gone"):
            use()


def test_an_issue_that_was_moved_elsewhere_is_missing(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    other = fake.add_repository("acme/other")
    fake.repository.issues[1].moved_to = f"repositories/{other.id}/issues/1"

    for use in each_use(tracker, issue):
        with pytest.raises(Missing, match="moved to another repository"):
            use()


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


def test_a_locked_issue_refuses_and_does_not_stop_the_others(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    fake.repository.issues[1].locked = True
    fake.repository.push = False

    with pytest.raises(Refused, match="issue is locked"):
        tracker.comment(issue, STATUS, MARKER)


def test_refreshing_sends_nothing(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    before = len(fake.requests)

    tracker.refresh(issue, GROUP)
    assert len(fake.requests) == before


# Checking


def bad(findings: list[Finding]) -> list[str]:
    assert all(finding.remedy for finding in findings if not finding.ok)
    return [finding.what for finding in findings if not finding.ok]


def test_a_check_asks_three_questions_and_writes_nothing(tracker: GitHub, fake: FakeGitHub) -> None:
    findings = tracker.check()

    assert bad(findings) == []
    assert [finding.what for finding in findings] == [
        "the token is that of syncd-bot",
        "acme/game is there and not public",
    ]
    assert calls(fake) == ["GET /user", "GET /repos/acme/game", "GET /repos/acme/game/issues"]


def test_a_check_says_that_a_repository_is_public(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.repository.private = False

    findings = tracker.check()
    assert bad(findings) == []
    assert any("public: everybody can read" in finding.what for finding in findings)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda fake: fake.remove(fake.repository), "GitHub does not know this"),
        (lambda fake: fake.rename(fake.repository, "renamed"), "redirects to another place"),
        (lambda fake: setattr(fake.repository, "archived", True), "acme/game is archived"),
        (lambda fake: setattr(fake.repository, "has_issues", False), "acme/game takes no issues"),
        (lambda fake: setattr(fake.repository, "push", False), "may not set labels in acme/game"),
        (lambda fake: setattr(fake.repository, "can_read_issues", False), "does not let the token do this"),
        (lambda fake: fake.accounts.clear(), "does not accept the token"),
        (
            lambda fake: fake.accounts.update({TOKEN: Account("a", 1, scopes="gist, public_repo")}),
            "scope repo",
        ),
        (lambda fake: setattr(fake, "remaining", 0), "GitHub asks for fewer requests"),
        (lambda fake: fake.inject(Fault(how="status", method="GET", times=9)), "503"),
        (lambda fake: fake.close(), "no connection to 127"),
    ],
)
def test_a_check_finds_what_is_wrong_and_how_to_mend_it(
    tracker: GitHub, fake: FakeGitHub, spoil: Callable[[FakeGitHub], object], words: str
) -> None:
    spoil(fake)

    found = bad(tracker.check())
    assert len(found) == 1
    assert words in found[0]


def test_a_check_finds_that_the_name_went_to_another_repository(tracker: GitHub, fake: FakeGitHub) -> None:
    tracker.create(DRAFT)
    fake.remove(fake.repository)
    fake.add_repository("acme/game")

    assert bad(tracker.check()) == [
        "acme/game is now another repository than the one that holds the issues so far"
    ]


def test_a_check_takes_an_app_and_a_classic_token_as_they_are(open_github: Open, fake: FakeGitHub) -> None:
    fake.accounts["app"] = Account("syncd[bot]", 503, app=True)
    fake.accounts["classic"] = Account("classic", 504, scopes="repo, user")

    assert open_github("app").check()[0] == Finding(ok=True, what="the token is that of an app")
    assert bad(open_github("app").check()) == []
    assert bad(open_github("classic").check()) == []


def test_a_check_finds_a_token_that_cannot_be_read(tracker: GitHub, tmp_path: Path, fake: FakeGitHub) -> None:
    (tmp_path / "token").unlink()

    found = bad(tracker.check())
    assert len(found) == 1
    assert found[0].startswith("trackers.crashes.token: the secret in")
    assert fake.requests == []


# The fake itself


@pytest.mark.skipif(not available(), reason=REASON)
def test_the_fake_answers_as_github_describes(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    comment_id = tracker.comment(issue, STATUS, MARKER)
    tracker.find_comment(issue, MARKER)
    tracker.edit_comment(issue, comment_id, STATUS, MARKER)
    fake.file(fake.repository, "by hand", None, Account("somebody", 7), ["crash"])
    tracker.check()

    validator = Validator("github")
    judged = [one for one in fake.requests if "/issues" in one.path]
    assert {one.method for one in judged} == {"GET", "POST", "PATCH"}
    for one in judged:
        assert validator.answer_problems(one, fake.described_path(one)) == []


def test_the_fake_hides_new_issues_from_lists_that_lag(tracker: GitHub, fake: FakeGitHub) -> None:
    tracker.create(DRAFT)
    client = github.Github(auth=github.Auth.Token(TOKEN), base_url=fake.url, lazy=True)
    repository = client.get_repo("acme/game")
    fake.filtered_lag_seconds = 3600

    assert [issue.number for issue in repository.get_issues(state="all")] == [1]
    assert list(repository.get_issues(state="all", labels=["crash"])) == []
    fake.lag_seconds = 3600
    assert list(repository.get_issues(state="all")) == []
    assert repository.get_issue(1).title == DRAFT.title
    client.close()

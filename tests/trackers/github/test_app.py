"""A GitHub App: its signature, its installation, and tokens that are fetched before a call."""

import secrets
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from pydantic import ValidationError

from syncd.config import GitHubSettings
from syncd.errors import Misconfigured, Missing, OutcomeUnknown, OutOfReach, Throttled, TrackerError, Unavailable
from syncd.render.markers import issue_line
from syncd.trackers.github.tracker import GitHub
from tests.fakes.github import FakeGitHub
from tests.fakes.github_app import CLIENT_ID, FakeInstallation, private_key
from tests.fakes.github_records import Account
from tests.fakes.notebook import Memory
from tests.fakes.server import Fault, How, Moment, Recorded
from tests.trackers.clock import AdapterClock, fresh_for
from tests.trackers.github.parts import BODY, DRAFT, LOST, MARKER, STATUS, Open, calls, doubtful, linked
from tests.trackers.pouring import own_markers, pour

OpenApp = Callable[..., GitHub]
FETCH = "access_tokens$"


@pytest.fixture
def open_app(fake: FakeGitHub, memory: Memory, clock: AdapterClock, tmp_path: Path) -> Iterator[OpenApp]:
    """Opens clients of the App, in a tracker whose clock and the fake's are the same."""
    fake.now = clock.wall
    (tmp_path / "key.pem").write_text(private_key())
    opened: list[GitHub] = []

    def opener(app: dict[str, object] | None = None, **settings: object) -> GitHub:
        values = {"id": CLIENT_ID, "key": {"file": str(tmp_path / "key.pem")}, **(app or {})}
        given = {"kind": "github", "repository": "acme/game", "api_url": fake.url, "app": values, **settings}
        parsed = GitHubSettings.model_validate(given)
        opened.append(GitHub("crashes", parsed, memory, clock=clock, sleep=clock.sleep))
        return opened[-1]

    yield opener
    for tracker in opened:
        tracker.close()


def test_a_token_is_for_one_repository_and_what_issues_need_and_is_kept(open_app: OpenApp, fake: FakeGitHub) -> None:
    tracker = open_app()
    created = tracker.create(DRAFT)
    tracker.comment(linked(created), STATUS, MARKER)

    (request,) = fake.sent("POST", FETCH)
    assert request.body == {"repositories": ["game"], "permissions": {"issues": "write", "metadata": "read"}}
    assert calls(fake)[:3] == [
        "GET /app",
        "GET /repos/acme/game/installation",
        "POST /app/installations/678/access_tokens",
    ]
    assert fake.repository.issues[1].author.login == "syncd[bot]"
    claims = jwt.decode(request.headers["authorization"].split()[1], options={"verify_signature": False})
    assert claims["iss"] == CLIENT_ID
    assert claims["exp"] - claims["iat"] <= 600


def test_a_restart_narrows_by_the_id_that_survives_a_rename(
    open_app: OpenApp, fake: FakeGitHub, memory: Memory
) -> None:
    open_app().create(DRAFT)
    fake.rename(fake.repository, "renamed")
    fake.app.expire()

    assert open_app().create(replace(DRAFT, marker="z" * 26)).key == "acme/renamed#2"
    assert fake.sent("POST", FETCH)[-1].body["repository_ids"] == [fake.repository.id]


def test_an_enterprise_server_has_the_app_below_its_own_path(open_app: OpenApp, fake: FakeGitHub) -> None:
    assert open_app({"installation": 678, "id": 4711}, api_url=f"{fake.url}/api/v3").create(DRAFT).number == 1
    assert calls(fake)[:2] == ["GET /api/v3/app", "POST /api/v3/app/installations/678/access_tokens"]


@pytest.mark.parametrize("slept", ["advance", "suspend", "pause"])
def test_a_token_is_replaced_before_its_end(
    open_app: OpenApp, fake: FakeGitHub, clock: AdapterClock, slept: str
) -> None:
    tracker = open_app()
    tracker.newest()
    getattr(clock, slept)(3600.0 - 301)
    tracker.newest()
    assert fake.app.fetched == 1

    getattr(clock, slept)(2.0)
    tracker.newest()
    assert fake.app.fetched == 2


def test_a_create_gets_a_token_that_outlasts_it(open_app: OpenApp, fake: FakeGitHub, clock: AdapterClock) -> None:
    tracker = open_app()
    tracker.create(DRAFT)
    clock.advance(3600.0 - 330)
    tracker.create(replace(DRAFT, marker="z" * 26))

    assert [each.path.rpartition("/")[2] for each in fake.requests[-2:]] == ["access_tokens", "issues"]


def test_a_present_token_is_used_while_no_other_can_be_fetched(
    open_app: OpenApp, fake: FakeGitHub, clock: AdapterClock
) -> None:
    tracker = open_app()
    tracker.newest()
    fake.inject(Fault(how="status", path=FETCH, times=99))
    clock.advance(3600.0 - 200)
    tracker.newest()
    tracker.newest()
    assert len(fake.sent("POST", FETCH)) == 1 + 3  # one try with its repetitions, and none for the second call

    clock.advance(150.0)
    with pytest.raises(Unavailable, match="the App gets no token, so that nothing was sent"):
        tracker.newest()


def test_a_token_that_github_refuses_is_replaced_once(open_app: OpenApp, fake: FakeGitHub) -> None:
    tracker = open_app()
    issue = linked(tracker.create(DRAFT))
    fake.app.expire()
    tracker.create(replace(DRAFT, marker="z" * 26))
    fake.app.expire()
    tracker.comment(issue, STATUS, MARKER)
    assert fake.app.fetched == 3

    fake.app.lasting_seconds = 0.0
    fake.app.expire()
    with pytest.raises(Misconfigured, match=r"does not accept the token .* trackers\.crashes\.app\.key comes from"):
        tracker.create(replace(DRAFT, marker="y" * 26))
    assert fake.app.fetched == 4
    assert len(fake.repository.issues) == 2


def test_a_draft_whose_time_passes_during_a_fetch_is_not_sent(
    open_app: OpenApp, fake: FakeGitHub, clock: AdapterClock
) -> None:
    tracker = open_app()
    tracker.create(DRAFT)
    fake.app.expire()

    def watch(moment: Moment, request: Recorded) -> None:
        if moment == "arrived" and request.path.endswith("access_tokens"):
            clock.advance(60.0)

    fake.watch = watch
    with pytest.raises(Unavailable, match="it took too long"):
        tracker.create(replace(DRAFT, marker="z" * 26, require_fresh=fresh_for(clock, 30.0)))
    assert len(fake.repository.issues) == 1


@pytest.mark.parametrize(
    ("how", "path"),
    [
        *((how, FETCH) for how in (*LOST, "reset_before", "status")),
        ("status", "^/app$"),
        ("reset_after", "/installation$"),
    ],
)
def test_whatever_happens_to_a_fetch_no_create_is_in_doubt(
    open_app: OpenApp, fake: FakeGitHub, how: How, path: str
) -> None:
    method = "POST" if path == FETCH else "GET"
    fake.inject(Fault(how=how, method=method, path=path, times=99))

    with pytest.raises(Unavailable):
        open_app().create(DRAFT)
    assert fake.sent("POST", "/issues$") == []


def test_a_limit_on_the_fetch_is_a_limit(open_app: OpenApp, fake: FakeGitHub) -> None:
    fake.inject(Fault(how="status", path=FETCH, status=403, headers={"Retry-After": "30"}))

    with pytest.raises(Throttled, match="the App gets no token") as caught:
        open_app().create(DRAFT)
    assert caught.value.seconds == 30.0


@pytest.mark.parametrize("ahead", [7200.0, -7200.0, 90.0, -700.0])
def test_a_clock_that_is_off_is_made_up_for(
    open_app: OpenApp, fake: FakeGitHub, clock: AdapterClock, ahead: float
) -> None:
    tracker = open_app()
    fake.now = lambda: clock.wall() + ahead
    tracker.create(DRAFT)
    clock.advance(3600.0 - 301)
    tracker.newest()
    assert fake.app.fetched == 1

    clock.advance(2.0)
    tracker.newest()
    assert fake.app.fetched == 2


SPOILS: list[tuple[Callable[[FakeGitHub], object], str]] = [
    (lambda fake: fake.app.keys.clear(), 'not a key of the App trackers.crashes.app.id = "Iv23fakeclient"'),
    (lambda fake: setattr(fake.app, "installations", []), "syncd is not installed in acme/game: install it at http"),
    (lambda fake: fake.app.installation.repositories.clear(), "installed for acme, but not in acme/game: add it"),  # type: ignore[union-attr]
    (lambda fake: setattr(fake.app.installation, "suspended", True), "for acme is suspended: unsuspend it at http"),
    (lambda fake: fake.app.installation.permissions.update(issues="read"), "acme has not accepted yet: an owner does"),
    (
        lambda fake: [each.update(issues="read") for each in (fake.app.permissions, fake.app.installation.permissions)],
        "does not have Issues: Read and write: set it on the App's page",
    ),
]


@pytest.mark.parametrize(("spoil", "text"), SPOILS)
def test_what_keeps_the_app_out_is_a_fault_of_the_configuration_with_its_remedy(
    open_app: OpenApp, fake: FakeGitHub, spoil: Callable[[FakeGitHub], object], text: str
) -> None:
    spoil(fake)
    tracker = open_app()

    with pytest.raises(Misconfigured) as caught:
        tracker.create(DRAFT)
    assert text in caught.value.reason
    assert caught.value.login
    (finding,) = tracker.check()
    assert (finding.ok, finding.what) == (False, caught.value.reason)
    assert finding.remedy


@pytest.mark.parametrize(("spoil", "text"), SPOILS[2:5])
def test_what_shuts_the_app_out_later_is_told_as_well(
    open_app: OpenApp, fake: FakeGitHub, spoil: Callable[[FakeGitHub], object], text: str
) -> None:
    tracker = open_app()
    issue = linked(tracker.create(DRAFT))
    spoil(fake)

    for call in (
        lambda: tracker.create(replace(DRAFT, marker="z" * 26)),
        lambda: tracker.comment(issue, STATUS, MARKER),
    ):
        with pytest.raises(Misconfigured) as caught:
            call()
        assert text in caught.value.reason
    assert len(fake.repository.issues) == 1


def test_an_installation_of_another_owner_is_named(open_app: OpenApp, fake: FakeGitHub) -> None:
    fake.app.installations.append(FakeInstallation(9, "other"))

    for wrong in (5, 9):
        with pytest.raises(
            Misconfigured, match=rf"crashes\.app\.installation: {wrong} is not .* set 678, or leave it out"
        ):
            open_app({"installation": wrong}).create(DRAFT)


def test_an_app_that_is_installed_anew_is_met_again(open_app: OpenApp, fake: FakeGitHub) -> None:
    tracker = open_app()
    tracker.create(DRAFT)
    fake.app.installation.id = 679
    fake.app.expire()

    assert tracker.create(replace(DRAFT, marker="z" * 26)).number == 2


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
            "is no private key of an App",
        ),
        ("0123456789abcdef0123456789abcdef01234567", "is no private key of an App"),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIEpAIB\n-----END ENCRYPTED PRIVATE KEY-----", "is encrypted"),
        ("", "is empty"),
    ],
)
def test_a_key_that_is_none_is_named_and_not_shown(
    open_app: OpenApp, fake: FakeGitHub, tmp_path: Path, key: str, text: str
) -> None:
    (tmp_path / "key.pem").write_text(key)

    with pytest.raises(Misconfigured, match=rf"trackers\.crashes\.app\.key: .*{text}") as caught:
        open_app().create(DRAFT)
    assert "MIIEpAIB" not in "".join(traceback.format_exception(caught.value))
    assert fake.requests == []


def test_a_key_on_one_line_as_in_a_variable_and_a_replaced_key_are_read(
    open_app: OpenApp, fake: FakeGitHub, tmp_path: Path
) -> None:
    (tmp_path / "key.pem").write_text(private_key(1).replace("\n", "\\n"))
    tracker = open_app()
    with pytest.raises(Misconfigured):
        tracker.newest()

    fake.app.keys = [private_key(1)]
    tracker.newest()
    (tmp_path / "key.pem").write_text(private_key())
    fake.app.keys = [private_key()]
    fake.app.expire()
    tracker.newest()


@pytest.mark.parametrize("how", [*LOST, "status_after", "status"])
def test_no_error_shows_a_key_a_signature_or_a_token(open_app: OpenApp, fake: FakeGitHub, how: How) -> None:
    tracker = open_app()
    tracker.newest()
    fake.inject(Fault(how=how, path="/issues$"))

    with pytest.raises(TrackerError) as caught:
        tracker.create(DRAFT)
    text = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(vars(tracker))
    hidden = [each.headers["authorization"].split()[1] for each in fake.requests] + private_key().split("\n")[1:3]
    assert not [each for each in hidden if each in text]


def test_a_check_displays_app_installation_permissions_and_end(open_app: OpenApp, clock: AdapterClock) -> None:
    until = time.strftime("%H:%M", time.gmtime(clock.wall() + 3600))

    assert [each.what for each in open_app().check()] == [
        "the App Syncd files issues as syncd[bot]",
        "its installation 678 for acme has the permissions issues: write, metadata: read",
        f"its token is for acme/game alone, with issues: write, metadata: read, until {until} UTC",
        "its clock and this machine's tell the same time",
        "acme/game is there and not public",
    ]


@pytest.mark.usefixtures("reading")
def test_only_this_bot_is_the_author(open_app: OpenApp, fake: FakeGitHub) -> None:
    fake.file(fake.repository, "A copy", BODY, Account("other[bot]", 90, app=True), [])
    tracker = open_app()
    assert tracker.probe(doubtful(0)).issues == ()

    created = tracker.create(DRAFT)
    assert [each.number for each in tracker.probe(doubtful(0)).issues] == [created.number]


@pytest.mark.usefixtures("reading")
def test_an_app_whose_account_cannot_be_read_knows_itself_by_name(open_app: OpenApp, fake: FakeGitHub) -> None:
    fake.inject(Fault(how="status", method="GET", path="/users/", status=404, body={"message": "Not Found"}, times=9))
    fake.file(fake.repository, "A copy", BODY, Account("other[bot]", 90, app=True), [])
    fake.file(fake.repository, "Crash", BODY, fake.app.account, [])

    assert [each.number for each in open_app().probe(doubtful(0)).issues] == [2]


@pytest.mark.usefixtures("reading")
def test_a_store_that_goes_over_to_an_app_keeps_what_its_token_wrote(
    open_github: Open, open_app: OpenApp, fake: FakeGitHub
) -> None:
    former = open_github()
    issue = linked(former.create(DRAFT))
    comment_id = former.comment(issue, STATUS, MARKER)
    fake.inject(Fault(how="reset_after", path="/issues$"))
    with pytest.raises(OutcomeUnknown):
        former.create(replace(DRAFT, marker="z" * 26))
    tracker = open_app()

    assert [each.number for each in tracker.probe(replace(doubtful(0), marker="z" * 26)).issues] == [2]
    assert tracker.find_comment(issue, MARKER) == comment_id
    fake.inject(
        Fault(how="status", method="PATCH", status=403, body={"message": "Resource not accessible by integration"})
    )
    with pytest.raises(Missing) as caught:
        tracker.edit_comment(issue, comment_id, STATUS, MARKER)
    assert caught.value.foreign


def test_an_issue_that_was_transferred_is_out_of_reach_and_not_gone(open_app: OpenApp, fake: FakeGitHub) -> None:
    tracker = open_app()
    issue = linked(tracker.create(DRAFT))
    fake.transfer(fake.repository, 1, fake.add_repository("acme/other"))

    with pytest.raises(OutOfReach):
        tracker.look(issue)


def test_eight_threads_share_each_token_and_file_each_issue_once(open_app: OpenApp, fake: FakeGitHub) -> None:
    fake.app.uses = 30
    trackers = [open_app() for _ in range(8)]

    assert pour(trackers, DRAFT, 12) == []
    markers = [(issue.body or "").rpartition("\n")[2] for issue in fake.repository.issues.values()]
    assert sorted(markers) == sorted({issue_line(each) for each in own_markers(8, 12)})
    ended = sum(grant.uses == 0 for grant in fake.app.grants.values())
    assert ended >= 3
    assert fake.app.fetched <= ended + 1


def test_logins_that_are_not_shared_fetch_a_token_each(open_app: OpenApp, fake: FakeGitHub, tmp_path: Path) -> None:
    """The negative control of the test above."""
    for number in range(8):
        (tmp_path / f"key{number}").write_text(private_key())

    assert pour([open_app({"key": {"file": str(tmp_path / f"key{number}")}}) for number in range(8)], DRAFT, 1) == []
    assert fake.app.fetched == 8


def test_a_secret_of_an_app_is_never_in_its_settings(tmp_path: Path) -> None:
    word = secrets.token_hex(8)
    with pytest.raises(ValidationError, match="does not belong in this file") as caught:
        GitHubSettings.model_validate(
            {"kind": "github", "repository": "a/b", "app": {"id": "x", "key": f"-----BEGIN {word}"}}
        )
    assert all(word not in fault["msg"] for fault in caught.value.errors(include_input=False))

"""What GitLab alone has: confidential issues, roles, moves, quick actions, names."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from syncd.errors import Gone, Misconfigured, Missing, OutcomeUnknown, OutOfReach, Refused
from syncd.model import Settings
from syncd.plugin import Tracker
from syncd.plugin.conformance import Fault
from syncd.plugin.conformance.samples import DRAFT, FIVE, MARKER, SECOND_MARKER, SIX, doubtful, linked, only
from syncd.plugins.gitlab.settings import GitLabSettings
from syncd.render.text import Code, Paragraph, Value
from syncd.trackers import open_tracker
from tests.fakes.gitlab import GUEST, FakeIssue, User
from tests.plugins.gitlab.world import GitLabWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitLabWorld]:
    with GitLabWorld(tmp_path) as world:
        yield world


def opened(world: GitLabWorld, **keys: object) -> Tracker:
    """A client with other settings."""
    settings = GitLabSettings.model_validate({**dict(world.settings), **keys})
    client = open_tracker("crashes", settings, world.memory, clock=world.clock, sleep=world.sleep)
    world.stack.callback(client.close)
    return client  # type: ignore[return-value]  # a plug-in's client has the methods of the protocol


def filed(world: GitLabWorld, number: int = 1) -> FakeIssue:
    return world.fake.project.issues[number]


@pytest.mark.parametrize("visibility", ["internal", "public"])
def test_nothing_is_filed_where_others_can_read_it_unless_that_is_wanted(visibility: str, world: GitLabWorld) -> None:
    world.fake.project.visibility = visibility

    with pytest.raises(Misconfigured, match=f"acme/game is {visibility}.*confidential = true"):
        opened(world).create(DRAFT)
    assert world.items() == []
    assert any(not finding.ok and visibility in finding.what for finding in opened(world).check())
    opened(world, confidential=True).create(DRAFT)
    opened(world, allow_public=True).create(replace(DRAFT, marker=SECOND_MARKER))
    assert [filed(world).confidential, filed(world, 2).confidential] == [True, False]


def test_a_confidential_issue_that_the_role_may_not_see_is_not_taken_for_deleted(world: GitLabWorld) -> None:
    tracker = opened(world, confidential=True)
    issue = linked(tracker.create(DRAFT))
    tracker.comment(issue, FIVE, MARKER)
    world.fake.project.role, filed(world).author = GUEST, world.fake.person

    with pytest.raises(OutOfReach, match="it is confidential and hidden from the token's role"):
        tracker.look(issue)
    filed(world).author = world.fake.account
    assert tracker.look(issue).place.key == "acme/game#1"
    world.fake.project.role = 15
    filed(world).deleted = True
    with pytest.raises(Gone):
        tracker.look(issue)


def test_a_refusal_to_read_an_issue_is_no_deletion(world: GitLabWorld) -> None:
    issue = linked(opened(world).create(DRAFT))
    world.fake.inject(Fault(how="status", method="GET", path="/issues/1$", status=403))

    with pytest.raises(OutOfReach, match="cannot be read, though its neighbours can"):
        opened(world).look(issue)


def test_an_administrators_token_cannot_prove_a_deletion(world: GitLabWorld) -> None:
    issue = linked(opened(world).create(DRAFT))
    world.fake.project.role = None
    filed(world).deleted = True

    with pytest.raises(OutOfReach):
        opened(world).look(issue)


def test_the_draft_decides_type_assignee_and_milestone(world: GitLabWorld) -> None:
    world.fake.project.milestones = ["2.3", "2.4"]
    draft = replace(DRAFT, issue_type="incident", assignee="Grace", milestone="2.4", labels=("a, b", "crash"))

    assert opened(world).create(draft).notes == ()
    issue = filed(world)
    assert (issue.issue_type, issue.milestone, [user.username for user in issue.assignees]) == (
        "incident",
        "2.4",
        ["grace"],
    )
    assert issue.labels == ["crash", "a b"], "a comma would separate two labels"
    assert (
        opened(world).look(linked(opened(world).create(replace(DRAFT, marker=SECOND_MARKER)))).condition.fixed_in == ()
    )


def test_what_gitlab_does_not_take_is_left_out_with_a_note(world: GitLabWorld) -> None:
    world.fake.project.role = GUEST
    draft = replace(DRAFT, issue_type="epic", assignee="nobody", milestone="9.9")

    notes = " | ".join(opened(world, issue_type="task").create(draft).notes)
    for text in (
        "issue type epic",
        "assignee nobody was left out: GitLab has no such user",
        "milestone 9.9",
        "labels crash",
    ):
        assert text in notes
    assert (filed(world).issue_type, filed(world).assignees) == ("task", [])


def test_crash_text_is_no_quick_action_and_mentions_nobody(world: GitLabWorld) -> None:
    text = ("main", "```", "/close", "/assign @grace", "````", "/close")
    body = (Paragraph((Value("/close"),)), Paragraph(("/close",)), Code(text), Code(("/usr/lib/libc.so", "/close")))
    tracker = opened(world)
    issue = linked(tracker.create(replace(DRAFT, title="Crash of @grace", body=body)))
    comment_id = tracker.comment(issue, body, MARKER)
    tracker.edit_comment(issue, comment_id, body, MARKER)

    assert only(world).closed is False
    assert only(world).title == "Crash of @\u200bgrace"
    assert "\n/usr/lib/libc.so\n" in only(world).body, "code of a plain fence stays as it is"
    assert "\\/close" in only(world).body
    assert "\u200b/close\n\u200b/assign " in only(world).body, "a fence of five backticks does not end with three"


def test_a_lost_create_is_found_where_people_moved_it_meanwhile(world: GitLabWorld) -> None:
    tracker = opened(world)
    world.lose("create", "after")
    with pytest.raises(OutcomeUnknown):
        tracker.create(DRAFT)
    world.move("1")

    evidence = tracker.probe(doubtful())
    assert [(each.key, each.remote_id) for each in evidence.issues] == [("acme/other#1", "43/1")]
    world.fake.graphql = False
    evidence = tracker.probe(doubtful())
    assert (evidence.issues, evidence.covered) == ((), False)
    assert "was moved to where the token may not read it" in evidence.summary


def test_a_move_out_of_sight_is_no_deletion(world: GitLabWorld) -> None:
    tracker = opened(world)
    issue = linked(tracker.create(DRAFT))
    world.move("1")
    world.elsewhere.hidden = True

    with pytest.raises(OutOfReach, match="moved to where the token may not read it"):
        tracker.look(issue)
    (survey,) = tracker.survey([issue], None)
    assert (survey.observations, survey.missing) == ({}, ("1",))


def test_a_move_back_home_and_on_is_followed(world: GitLabWorld) -> None:
    tracker = opened(world)
    issue = linked(tracker.create(DRAFT))
    world.fake.move(world.fake.move(filed(world), world.elsewhere), world.fake.project)

    assert tracker.look(issue).place.remote_id == "2"
    assert [each.remote_id for each in tracker.probe(doubtful()).issues] == ["2"]


def test_numbers_that_lead_to_nothing_are_doubtful_and_named(world: GitLabWorld) -> None:
    for _ in range(3):
        world.file("A person's issue")
    filed(world, 2).deleted = True

    evidence = opened(world).probe(doubtful())
    assert not evidence.covered
    assert "#2 was deleted or hidden, or belongs to a work item that is no issue" in evidence.summary
    assert opened(world).probe(doubtful(floor=2)).covered is False
    assert opened(world).probe(doubtful(floor=3)).covered


def test_an_issue_of_syncds_account_without_its_marker_may_be_the_one(world: GitLabWorld) -> None:
    tracker = opened(world)
    tracker.create(DRAFT)
    filed(world).description = "People rewrote it."

    evidence = tracker.probe(doubtful())
    assert (evidence.issues, evidence.covered) == ((), False)
    assert "#1 was written by syncd's account and has no marker any more" in evidence.summary


def test_a_new_token_recognises_what_the_earlier_account_wrote(world: GitLabWorld) -> None:
    tracker = opened(world)
    issue = linked(tracker.create(DRAFT))
    comment_id = tracker.comment(issue, FIVE, MARKER)
    (world.folder / "token").write_text("glpat-second")
    world.fake.tokens = {"glpat-second": User(11, "project_42_bot_2")}
    tracker.close()

    assert [each.remote_id for each in tracker.probe(doubtful()).issues] == ["1"]
    assert tracker.find_comment(issue, MARKER) == comment_id
    with pytest.raises(Missing) as caught:
        tracker.edit_comment(issue, comment_id, SIX, MARKER)
    assert caught.value.foreign
    mine = tracker.comment(issue, SIX, MARKER)
    assert tracker.find_comment(issue, MARKER) == mine


def test_a_closed_duplicate_names_its_original_in_looks_and_surveys(world: GitLabWorld) -> None:
    tracker = opened(world)
    first, second = (linked(tracker.create(replace(DRAFT, marker=each))) for each in (MARKER, SECOND_MARKER))
    filed(world, 2).duplicate_of = filed(world)
    world.close("2")

    condition = tracker.look(second).condition
    assert (condition.resolution, condition.duplicate_of) == ("duplicate", tracker.look(first).place)
    (survey,) = tracker.survey([first, second], None)
    assert survey.observations["2"].condition == condition


def test_a_renamed_project_is_followed_and_another_one_of_its_name_refused(world: GitLabWorld) -> None:
    issue = linked(opened(world).create(DRAFT))
    world.fake.project.path = "studio/game"

    assert opened(world).look(issue).place.key == "studio/game#1"
    assert opened(world, project="studio/game").look(issue).place.key == "studio/game#1"
    world.fake.add_project("acme/game")
    with pytest.raises(Misconfigured, match="acme/game is now another project"):
        opened(world, project="acme/game").create(DRAFT)
    with pytest.raises(Misconfigured, match="as a tracker of another name"):
        opened(world, url="http://127.0.0.1:9", project="acme/game").look(issue)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"archived": True}, "acme/game is archived"),
        ({"issues_enabled": False}, "acme/game takes no issues"),
        ({"hidden": True}, "acme/game cannot be read"),
    ],
)
def test_a_project_that_takes_nothing_makes_the_tracker_rest(
    change: dict[str, bool], fault: str, world: GitLabWorld
) -> None:
    tracker = opened(world, allow_public=True)
    issue = linked(tracker.create(DRAFT))
    for key, value in change.items():
        setattr(world.fake.project, key, value)

    with pytest.raises(Misconfigured, match=fault):
        tracker.create(replace(DRAFT, marker=SECOND_MARKER))
    with pytest.raises(Misconfigured, match=fault):
        tracker.comment(issue, FIVE, MARKER)
    finding = next(finding for finding in tracker.check() if not finding.ok)
    assert finding.what.startswith(fault)
    assert finding.remedy


def test_a_check_names_token_role_and_scopes(world: GitLabWorld) -> None:
    findings = opened(world).check()
    assert "the token is that of project_42_bot" in [finding.what for finding in findings]
    assert any("set token_expires = 2027-01-31" in finding.remedy for finding in findings)

    world.fake.scopes, world.fake.project.role = ["read_api"], GUEST
    wrong = [finding.what for finding in opened(world).check() if not finding.ok]
    assert any("read_api" in what for what in wrong)
    assert any("role is too low" in what for what in wrong)


def test_a_low_role_that_may_not_close_an_issue_leaves_a_note(world: GitLabWorld) -> None:
    tracker = opened(world)
    issue = linked(tracker.create(DRAFT))
    filed(world).author = world.fake.person
    world.fake.project.role = GUEST

    assert "give it the role Planner or Reporter; close it by hand" in tracker.close_issue(issue)


def test_settings_are_raised_one_by_one_and_nothing_else_changes(world: GitLabWorld) -> None:
    world.fake.project.milestones = ["2.4"]
    tracker = opened(world)
    issue = linked(tracker.create(DRAFT))

    assert tracker.raise_settings(issue, Settings(labels=("hang",), assignee="grace", milestone="2.4")) == ""
    present = tracker.read_settings(issue).settings
    assert (present.assignee, present.milestone, present.labels) == ("grace", "2.4", ("crash", "hang"))
    note = tracker.raise_settings(issue, Settings(assignee="nobody", milestone="9.9"))
    assert (
        note
        == "the assignee nobody was left out: GitLab has no such user; the milestone 9.9 was left out: there is none that is open"
    )
    assert tracker.read_settings(issue).settings == present


def test_refused_content_is_refused_and_refused_rights_are_a_fault_of_the_configuration(world: GitLabWorld) -> None:
    world.refuse(DRAFT)
    with pytest.raises(Refused, match="400 description is not valid"):
        opened(world).create(DRAFT)
    world.fake.project.role = 5

    with pytest.raises(Misconfigured, match="does not let the token file issues"):
        opened(world).create(DRAFT)

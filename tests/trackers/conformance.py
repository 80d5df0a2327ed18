"""The rules that every tracker keeps. Subclass `Conformance` with a fixture `world`, and make it green.

Every rule here holds for all trackers; a rule of one product (its status codes, its request counts) belongs to that product's
own tests.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from syncd.core import adoption
from syncd.core.raising import raised
from syncd.errors import (
    Gone,
    Misconfigured,
    Missing,
    Moved,
    OutcomeUnknown,
    OutOfReach,
    Refused,
    Throttled,
    Unavailable,
)
from syncd.model import Created, Group, Identity, Issue, IssueState, Place, Settings
from syncd.render import report
from syncd.render.parts import ReportExtras
from syncd.render.text import Code, Document, Heading, Paragraph, Value
from syncd.trackers import Draft, Sweep, Tracker
from syncd.trackers.assignees import WITHHELD
from syncd.trackers.references import named
from tests.trackers.world import Item, World, whole_survey

MARKER = "5eed0a3f1c9b7d2e4a6f8b0c1d3e5f70"
SECOND_MARKER = "5eed0a9c1c9b7d2e4a6f8b0c1d3e5f70"
GROUP = Group(identity=Identity("acme", "game", "f" * 64))
DRAFT = Draft(
    marker=MARKER,
    title="Crash in render",
    body=(Heading("Call stack"), Code(("main", "drawnothing"))),
    group=GROUP,
)
WHOLE = Group(
    identity=Identity("acme|inc", "ga`me %41", "a1" * 32),
    application="Universe | x",
    callstack=("b2" * 32,),
    attributes=(("sha", ("c3" * 32,)),),
    group_url=f"https://backtrace.example.com/p/other/triage?fingerprint={'a1' * 32}",
)
BODY = report.body(WHOLE, ReportExtras())
FIVE: Document = (Paragraph(("Occurrences so far: ", Value("fivehundred"))),)
SIX: Document = (Paragraph(("Occurrences so far: ", Value("sixhundred"))),)
HOSTILE = (
    "@everyone [~admin] </details> --> ``` {noformat} {code} *bold* | # 1\r\n<script>alert(1)</script>",
    "\u202eright to left\u0000\u0007 \ud800 \U0001f4a5 %n ${jndi:ldap://x}",
)


def linked(created: Created | Place, marker: str = MARKER) -> Issue:
    """The issue as the store has it after a create or a look."""
    return Issue(
        tracker="crashes",
        state=IssueState.LINKED,
        marker=marker,
        remote_id=created.remote_id,
        key=created.key,
        url=created.url,
    )


def doubtful(floor: int = 0, marker: str = MARKER) -> Issue:
    """The issue as the store has it after a create whose outcome nobody knows."""
    return Issue(tracker="crashes", state=IssueState.IN_DOUBT, marker=marker, attempt=1, sent_at=1.0, floor=floor)


def only(world: World) -> Item:
    """The one issue that there is."""
    (item,) = world.items()
    return item


def item_of(world: World, remote_id: str) -> Item:
    return next(item for item in world.items() if item.remote_id == remote_id)


def operations(tracker: Tracker, issue: Issue) -> dict[str, Callable[[], object]]:
    """Every call that needs the tracker's answer."""
    return {
        "create": lambda: tracker.create(replace(DRAFT, marker=SECOND_MARKER)),
        "probe": lambda: tracker.probe(doubtful(marker=SECOND_MARKER)),
        "look": lambda: tracker.look(issue),
        "survey": lambda: whole_survey(tracker, [issue], None),
        "search": lambda: list(tracker.search(None, None)),
        "reopen": lambda: tracker.reopen(issue),
        "close_issue": lambda: tracker.close_issue(issue),
        "comment": lambda: tracker.comment(issue, FIVE, MARKER),
        "find_comment": lambda: tracker.find_comment(issue, MARKER),
        "edit_comment": lambda: tracker.edit_comment(issue, "1", FIVE, MARKER),
        "read_settings": lambda: tracker.read_settings(issue),
        "raise_settings": lambda: tracker.raise_settings(issue, Settings(labels=("many",))),
    }


class Conformance:
    """One test for each rule. The fixture `world` gives an empty world."""

    # Creating

    def test_a_create_makes_one_issue_that_says_what_the_draft_says(self, world: World) -> None:
        created = world.open().create(DRAFT)

        item = only(world)
        assert item.remote_id == created.remote_id
        assert "Crash in render" in item.title
        assert "drawnothing" in item.body
        assert not item.closed
        assert created.key
        assert created.url

    def test_opening_and_closing_a_client_changes_nothing(self, world: World) -> None:
        tracker = world.open()
        tracker.close()
        tracker.close()

        assert world.items() == []

    def test_a_new_issue_is_numbered_above_the_newest(self, world: World) -> None:
        tracker = world.open()
        world.file("A person's issue")
        floor = tracker.newest()

        created = tracker.create(DRAFT)
        assert created.number > floor or created.number == floor == 0
        assert tracker.newest() in (floor, created.number)

    def test_a_draft_whose_time_has_passed_is_not_sent(self, world: World) -> None:
        tracker = world.open()
        tracker.newest()

        def refuse() -> None:
            raise Unavailable("it is too late")

        with pytest.raises(Unavailable):
            tracker.create(replace(DRAFT, require_fresh=refuse))
        assert world.items() == []

    def test_a_create_lost_on_the_way_there_is_in_doubt_and_proved_absent(self, world: World) -> None:
        world.require("create lost before")
        tracker = world.open()
        floor = tracker.newest()
        world.lose("create", "before")

        with pytest.raises(OutcomeUnknown):
            tracker.create(DRAFT)
        assert world.items() == []
        evidence = tracker.probe(doubtful(floor))
        assert (evidence.issues, evidence.covered) == ((), True)

    def test_a_create_lost_on_the_way_back_is_in_doubt_and_found_after_a_restart(self, world: World) -> None:
        world.require("create lost after")
        world.file("A person's issue")
        tracker = world.open()
        floor = tracker.newest()
        world.lose("create", "after")

        with pytest.raises(OutcomeUnknown):
            tracker.create(DRAFT)
        world.file("A later issue")
        restarted = world.open()
        evidence = restarted.probe(doubtful(floor))
        assert len(world.items()) == 3
        assert "Crash in render" in item_of(world, evidence.issues[0].remote_id).title
        assert (len(evidence.issues), evidence.covered) == (1, True)
        assert restarted.look(linked(evidence.issues[0])).place.key == evidence.issues[0].key

    def test_a_lagging_list_hides_nothing_from_a_probe(self, world: World) -> None:
        world.require("lag", "create lost after")
        world.lag()
        tracker = world.open()
        world.lose("create", "after")

        with pytest.raises(OutcomeUnknown):
            tracker.create(DRAFT)
        assert [each.remote_id for each in tracker.probe(doubtful()).issues] == [only(world).remote_id]

    def test_absence_is_proved_among_issues_of_people(self, world: World) -> None:
        tracker = world.open()
        for number in range(3):
            world.file(f"A person's issue {number}")

        evidence = tracker.probe(doubtful())
        assert (evidence.issues, evidence.covered) == ((), True)
        assert evidence.summary

    def test_each_issue_is_found_by_its_own_marker(self, world: World) -> None:
        tracker = world.open()
        first, second = tracker.create(DRAFT), tracker.create(replace(DRAFT, marker=SECOND_MARKER))

        assert first.remote_id != second.remote_id
        assert [each.remote_id for each in tracker.probe(doubtful()).issues] == [first.remote_id]
        assert [each.remote_id for each in tracker.probe(doubtful(marker=SECOND_MARKER)).issues] == [second.remote_id]

    def test_a_search_reads_every_issue_with_its_text_and_condition(self, world: World) -> None:
        world.file("A person's crash")
        tracker = world.open()
        created = tracker.create(DRAFT)
        tracker.raise_settings(linked(created), Settings(labels=("from-backtrace",)))
        world.edit(created.remote_id, f"https://backtrace.example.com/p/game/triage?fingerprints={'ab' * 32}")
        closed = world.file("A closed crash")
        world.close(closed)

        everything = [text for part in world.open().search(None, None) for text in part]
        assert {text.title for text in everything} == {"A person's crash", "Crash in render", "A closed crash"}
        by_id = {text.observation.place.remote_id: text for text in everything}
        assert by_id.keys() == {item.remote_id for item in world.items()}
        assert [text.title for text in everything if text.observation.condition.closed] == ["A closed crash"]
        named = adoption.mention(by_id[created.remote_id].title, by_id[created.remote_id].body)
        assert set(named.fingerprints) == {"ab" * 32}
        assert named.project == "game"
        assert "drawnothing" in by_id[created.remote_id].body
        assert by_id[created.remote_id].observation.place == tracker.look(linked(created)).place

        labelled = [text for part in tracker.search("from-backtrace", None) for text in part]
        assert [text.observation.place.remote_id for text in labelled] == [created.remote_id]
        assert not [text for part in tracker.search("another", None) for text in part]

    def test_a_search_reads_more_issues_than_one_answer_has(self, world: World) -> None:
        for number in range(205):
            world.file(f"A crash {number:03}")

        parts = list(world.open().search(None, None))
        assert sorted(text.title for part in parts for text in part) == [
            f"A crash {number:03}" for number in range(205)
        ]
        assert len(parts) > 1

    def test_what_syncd_wrote_into_an_issue_leads_to_its_group(self, world: World) -> None:
        tracker = world.open()
        tracker.create(replace(DRAFT, body=BODY))

        ((text,),) = tracker.search(None, None)
        assert adoption.mention(text.title, text.body) == adoption.Mention(
            fingerprints=(WHOLE.identity.fingerprint,), universe="acme|inc", project="ga`me %41"
        )

    def test_a_sweep_reads_what_syncd_filed_above_the_floor(self, world: World) -> None:
        tracker = world.open()
        first = tracker.create(DRAFT)
        world.file("A person's issue")
        second = tracker.create(replace(DRAFT, marker=SECOND_MARKER))
        world.file("A later issue")

        restarted = world.open()
        if not first.number:  # no numbers: a create does no harm where the issue exists
            assert restarted.sweep(0, 0.0) == Sweep(newest=0, upto=0)
            assert restarted.create(DRAFT).remote_id == first.remote_id
            return
        swept = restarted.sweep(first.number, 0.0)
        assert [(each.reference, each.issue.remote_id, each.issue.number) for each in swept.issues] == [
            (restarted.reference(SECOND_MARKER), second.remote_id, second.number)
        ]
        assert (swept.upto, swept.newest) == (second.number + 1, second.number + 1)
        assert [each.reference for each in restarted.sweep(0, 0.0).issues] == [
            *map(restarted.reference, (MARKER, SECOND_MARKER))
        ]
        assert restarted.sweep(swept.newest, 0.0).issues in ([], ())

    def test_a_reference_begins_as_its_marker_and_tells_markers_apart(self, world: World) -> None:
        tracker = world.open()

        references = [*map(tracker.reference, (MARKER, SECOND_MARKER))]
        assert [reference[:6] for reference in references] == [MARKER[:6], SECOND_MARKER[:6]]
        assert len(set(references)) == 2

    def test_a_lagging_list_hides_nothing_from_a_sweep(self, world: World) -> None:
        world.require("lag")
        world.lag()
        tracker = world.open()
        created = tracker.create(DRAFT)

        assert [each.issue.remote_id for each in world.open().sweep(0, 0.0).issues] == [created.remote_id]

    def test_a_persons_copy_is_in_no_sweep(self, world: World) -> None:
        world.require("copy")
        tracker = world.open()
        created = tracker.create(DRAFT)
        world.copy(created.remote_id)

        numbered = [created.remote_id] if created.number else []
        assert [each.issue.remote_id for each in tracker.sweep(0, 0.0).issues] == numbered

    def test_a_persons_copy_is_not_taken_for_the_issue(self, world: World) -> None:
        world.require("copy")
        tracker = world.open()
        created = tracker.create(DRAFT)
        world.copy(created.remote_id)

        assert len(world.items()) == 2
        assert [each.remote_id for each in tracker.probe(doubtful()).issues] == [created.remote_id]

    def test_an_issue_that_people_edited_is_still_found(self, world: World) -> None:
        tracker = world.open()
        created = tracker.create(DRAFT)
        world.edit(created.remote_id, "People know more.")

        assert [each.remote_id for each in tracker.probe(doubtful()).issues] == [created.remote_id]

    # Text

    @pytest.mark.slow
    def test_text_of_any_length_is_filed_and_the_issue_found(self, world: World) -> None:
        tracker = world.open()
        body = (Paragraph(("It broke. " * 1000,)), Code(("\U0001f4a5" * 1000,) * 100))
        created = tracker.create(replace(DRAFT, title="long\n" * 500, body=body))

        issue = linked(created)
        assert "\n" not in only(world).title
        assert [each.remote_id for each in tracker.probe(doubtful()).issues] == [created.remote_id]
        comment_id = tracker.comment(issue, body, MARKER)
        assert tracker.find_comment(issue, MARKER) == comment_id
        tracker.edit_comment(issue, comment_id, body, MARKER)

    @pytest.mark.parametrize("text", HOSTILE)
    def test_hostile_text_is_filed_and_the_issue_found(self, world: World, text: str) -> None:
        tracker = world.open()
        body = (Paragraph((Value(text),)), Code((text, "```", text)))
        created = tracker.create(replace(DRAFT, title=text, body=body))

        assert only(world).remote_id == created.remote_id
        assert [each.remote_id for each in tracker.probe(doubtful()).issues] == [created.remote_id]

    def test_a_marker_in_the_text_of_a_crash_is_not_believed(self, world: World) -> None:
        tracker = world.open()
        forged = world.imitation(SECOND_MARKER)
        body = (Paragraph((Value(forged),)), Code(("main", forged, forged)))
        created = tracker.create(replace(DRAFT, title=forged, body=body))

        assert tracker.probe(doubtful(marker=SECOND_MARKER)).issues == ()
        assert [each.remote_id for each in tracker.probe(doubtful()).issues] == [created.remote_id]

    # Comments

    def test_a_comment_is_written_once_found_again_and_edited_in_place(self, world: World) -> None:
        tracker = world.open()
        issue = linked(tracker.create(DRAFT))
        assert tracker.find_comment(issue, MARKER) is None

        comment_id = tracker.comment(issue, FIVE, MARKER)
        (before,) = only(world).comments
        assert "fivehundred" in before
        assert world.open().find_comment(issue, MARKER) == comment_id
        for _ in range(2):
            tracker.edit_comment(issue, comment_id, SIX, MARKER)
        (after,) = only(world).comments
        assert "sixhundred" in after
        assert "fivehundred" not in after
        assert tracker.find_comment(issue, MARKER) == comment_id

    def test_comments_with_different_markers_are_told_apart(self, world: World) -> None:
        tracker = world.open()
        issue = linked(tracker.create(DRAFT))
        first = tracker.comment(issue, FIVE, "a" * 32)
        second = tracker.comment(issue, FIVE, "b" * 32)

        assert tracker.find_comment(issue, "a" * 32) == first
        assert tracker.find_comment(issue, "b" * 32) == second
        assert tracker.find_comment(issue, "c" * 32) is None
        tracker.edit_comment(issue, second, SIX, "b" * 32)
        before, after = only(world).comments
        assert "fivehundred" in before
        assert "sixhundred" in after

    def test_a_comment_lost_on_the_way_there_is_in_doubt_and_not_found(self, world: World) -> None:
        world.require("comment lost before")
        tracker = world.open()
        issue = linked(tracker.create(DRAFT))
        world.lose("comment", "before")

        with pytest.raises(OutcomeUnknown):
            tracker.comment(issue, FIVE, MARKER)
        assert only(world).comments == ()
        assert tracker.find_comment(issue, MARKER) is None

    def test_a_comment_lost_on_the_way_back_is_in_doubt_and_found(self, world: World) -> None:
        world.require("comment lost after")
        tracker = world.open()
        issue = linked(tracker.create(DRAFT))
        world.lose("comment", "after")

        with pytest.raises(OutcomeUnknown):
            tracker.comment(issue, FIVE, MARKER)
        assert len(only(world).comments) == 1
        assert tracker.find_comment(issue, MARKER) is not None

    def test_a_comment_that_people_deleted_is_missing(self, world: World) -> None:
        world.require("delete comment")
        tracker = world.open()
        issue = linked(tracker.create(DRAFT))
        comment_id = tracker.comment(issue, FIVE, MARKER)
        world.delete_comment(str(issue.remote_id), comment_id)

        with pytest.raises(Missing):
            tracker.edit_comment(issue, comment_id, SIX, MARKER)
        assert tracker.find_comment(issue, MARKER) is None
        assert only(world).comments == ()

    def test_what_people_wrote_survives_everything_that_the_tracker_does(self, world: World) -> None:
        tracker = world.open()
        issue = linked(tracker.create(DRAFT))
        world.edit(str(issue.remote_id), "Peopleknowmore")
        world.comment(str(issue.remote_id), "Itisfixedsoon")

        comment_id = tracker.comment(issue, FIVE, MARKER)
        tracker.edit_comment(issue, comment_id, SIX, MARKER)
        tracker.refresh(issue, GROUP)
        tracker.close_issue(issue)
        tracker.reopen(issue)
        tracker.look(issue)
        item = only(world)
        assert "Peopleknowmore" in item.body
        assert "drawnothing" in item.body
        assert "Itisfixedsoon" in item.body + "".join(item.comments)

    # How an issue stands

    def test_an_issue_is_closed_and_reopened_once(self, world: World) -> None:
        tracker = world.open()
        issue = linked(tracker.create(DRAFT))
        assert not tracker.look(issue).condition.closed

        for _ in range(2):
            assert tracker.close_issue(issue) == ""
            assert only(world).closed
            assert tracker.look(issue).condition.closed
        for _ in range(2):
            assert tracker.reopen(issue) == ""
            assert not only(world).closed
            assert not tracker.look(issue).condition.closed

    def test_an_issue_that_cannot_be_reopened_stays_closed_with_a_note(self, world: World) -> None:
        world.require("bar reopening")
        tracker = world.open()
        issue = linked(tracker.create(DRAFT))
        world.close(str(issue.remote_id))
        world.bar_reopening(str(issue.remote_id))

        assert tracker.reopen(issue)
        assert only(world).closed

    def test_an_issue_that_cannot_be_closed_stays_open_with_a_note(self, world: World) -> None:
        world.require("bar closing")
        tracker = world.open()
        issue = linked(tracker.create(DRAFT))
        world.bar_closing(str(issue.remote_id))

        assert tracker.close_issue(issue)
        assert not only(world).closed

    def test_look_and_survey_agree_on_how_people_left_issues(self, world: World) -> None:
        tracker = world.open()
        issues = [linked(tracker.create(replace(DRAFT, marker=f"{number}{MARKER[1:]}"))) for number in range(4)]
        world.file("A person's issue")
        world.close(str(issues[1].remote_id))
        world.close(str(issues[2].remote_id))
        world.reopen(str(issues[2].remote_id))

        survey = whole_survey(tracker, issues, None)
        looks = {str(issue.remote_id): tracker.look(issue) for issue in issues}
        assert [looks[str(issue.remote_id)].condition.closed for issue in issues] == [False, True, False, False]
        assert looks[str(issues[1].remote_id)].condition.resolution
        assert survey.observations == looks
        assert survey.missing == ()

    def test_the_next_survey_tells_what_changed_since_the_last(self, world: World) -> None:
        tracker = world.open()
        first, second = (linked(tracker.create(replace(DRAFT, marker=each))) for each in (MARKER, SECOND_MARKER))
        before = whole_survey(tracker, [first, second], None)
        world.close(str(second.remote_id))

        after = whole_survey(tracker, [first, second], before.bookmark)
        assert after.observations[str(second.remote_id)] == tracker.look(second)
        assert after.observations.get(str(first.remote_id), before.observations[str(first.remote_id)]) == tracker.look(
            first
        )

    def test_look_and_survey_name_whom_an_issue_is_assigned_to_and_no_address(self, world: World) -> None:
        world.require("assign")
        tracker = world.open()
        first, second = (linked(tracker.create(replace(DRAFT, marker=each))) for each in (MARKER, SECOND_MARKER))
        before = whole_survey(tracker, [first, second], None)
        assert {each.owners for each in before.observations.values()} == {()}
        world.assign(str(first.remote_id), "grace")

        after = whole_survey(tracker, [first, second], before.bookmark).observations[str(first.remote_id)]
        assert after == tracker.look(first)
        assert [name.lower() for name in after.owners or ()] == ["grace"]
        world.assign(str(first.remote_id), None)
        assert tracker.look(first).owners == ()
        world.assign(str(first.remote_id), "grace@example.com")
        assert tracker.look(first).owners == (WITHHELD,), "it is assigned, and to whom is private"

    def test_a_survey_does_not_show_a_deleted_issue(self, world: World) -> None:
        tracker = world.open()
        first, second = (linked(tracker.create(replace(DRAFT, marker=each))) for each in (MARKER, SECOND_MARKER))
        world.delete(str(first.remote_id))

        survey = whole_survey(tracker, [first, second], None)
        assert list(survey.observations) == [second.remote_id]
        assert survey.missing in ((), (first.remote_id,))

    # What rules raise

    def test_labels_are_added_once_and_everything_else_stays(self, world: World) -> None:
        tracker = world.open()
        issue = linked(tracker.create(DRAFT))
        world.edit(str(issue.remote_id), "Peopleknowmore")
        before = only(world)

        for _ in range(2):
            assert tracker.raise_settings(issue, Settings(labels=("hang", "many"))) == ""
        after = only(world)
        assert sorted(after.labels) == sorted((*before.labels, "hang", "many"))
        assert (after.title, after.closed, after.comments) == (before.title, before.closed, before.comments)
        assert "Peopleknowmore" in after.body
        assert {"hang", "many"} <= set(tracker.read_settings(issue).settings.labels)

    def test_a_label_that_people_removed_is_not_added_again(self, world: World) -> None:
        tracker = world.open()
        issue = linked(tracker.create(DRAFT))
        wanted = Settings(labels=("hang",))
        first = raised(wanted, issue, tracker.read_settings(issue))
        assert tracker.raise_settings(issue, first.changes) == ""
        assert "hang" in only(world).labels
        world.unlabel(str(issue.remote_id), "hang")

        issue = replace(issue, settings=first.after)
        assert "hang" not in tracker.read_settings(issue).settings.labels
        assert raised(wanted, issue, tracker.read_settings(issue)).changes == Settings()

    def test_a_priority_rises_along_the_trackers_order_until_a_person_chooses_another(self, world: World) -> None:
        world.require("priorities")
        tracker = world.open()
        issue = linked(tracker.create(DRAFT))
        highest, lower, *_ = tracker.read_settings(issue).priorities
        for priority in (lower, highest):
            step = raised(Settings(priority=priority), issue, tracker.read_settings(issue))
            assert step.changes == Settings(priority=priority)
            assert tracker.raise_settings(issue, step.changes) == ""
            assert only(world).priority == priority
            issue = replace(issue, settings=step.after)

        assert raised(Settings(priority=lower), issue, tracker.read_settings(issue)).changes == Settings()
        world.prioritise(str(issue.remote_id), lower)
        assert raised(Settings(priority=highest), issue, tracker.read_settings(issue)).changes == Settings()

    def test_a_priority_that_a_person_chose_first_stays(self, world: World) -> None:
        world.require("priorities")
        tracker = world.open()
        issue = replace(linked(tracker.create(DRAFT)), settings=Settings())
        highest, *_, lowest = tracker.read_settings(issue).priorities
        world.prioritise(str(issue.remote_id), lowest)

        assert raised(Settings(priority=highest), issue, tracker.read_settings(issue)).changes == Settings()

    # Where an issue is

    def test_a_look_tells_the_place_that_the_create_told(self, world: World) -> None:
        tracker = world.open()
        created = tracker.create(DRAFT)

        place = Place(remote_id=created.remote_id, key=created.key, url=created.url)
        assert tracker.look(linked(created)).place == place

    def test_a_moved_issue_is_followed_and_written_to_at_its_new_place_only(self, world: World) -> None:
        world.require("move")
        tracker = world.open()
        issue = linked(tracker.create(DRAFT))
        world.file("A person's issue")
        world.move(str(issue.remote_id))

        place = tracker.look(issue).place
        assert place.key != issue.key
        assert tracker.look(linked(place)).place == place
        try:
            comment_id = tracker.comment(issue, FIVE, MARKER)
        except Moved as moved:
            there = Place(remote_id=moved.remote_id, key=moved.key, url=moved.url)
            assert there == place
            comment_id = tracker.comment(linked(there), FIVE, MARKER)
        for name in ("find_comment", "close_issue", "reopen"):
            with suppress(Moved):
                operations(tracker, issue)[name]()
        tracker.edit_comment(linked(place), comment_id, SIX, MARKER)
        (comment,) = item_of(world, place.remote_id).comments
        assert "sixhundred" in comment
        assert whole_survey(tracker, [linked(place)], None).observations[place.remote_id] == tracker.look(linked(place))

    def test_a_deleted_issue_is_gone(self, world: World) -> None:
        tracker = world.open()
        world.file("A person's issue")
        issue = linked(tracker.create(DRAFT))
        world.delete(str(issue.remote_id))

        for name in ("look", "comment", "find_comment", "reopen", "close_issue", "edit_comment", "read_settings"):
            with pytest.raises(Gone):
                operations(tracker, issue)[name]()

    def test_the_only_issue_there_ever_was_can_be_gone_too(self, world: World) -> None:
        tracker = world.open()
        issue = linked(tracker.create(DRAFT))
        tracker.create(replace(DRAFT, marker=SECOND_MARKER))
        for item in world.items():
            world.delete(item.remote_id)
        world.file("A person's issue")

        with pytest.raises(Gone):
            tracker.look(issue)

    def test_an_issue_where_the_account_may_not_write_is_out_of_reach(self, world: World) -> None:
        world.require("move away")
        tracker = world.open()
        world.file("A person's issue")
        issue = linked(tracker.create(DRAFT))
        world.move_away(str(issue.remote_id))

        with pytest.raises(OutOfReach):
            tracker.comment(linked(tracker.look(issue).place), FIVE, MARKER)
        assert tracker.create(replace(DRAFT, marker=SECOND_MARKER)).key, "its neighbours do not suffer"

    # What can go wrong

    def test_a_refused_login_is_an_answer_of_the_tracker(self, world: World) -> None:
        world.require("revoke")
        tracker = world.open()
        tracker.ping()
        world.revoke()

        with suppress(Misconfigured):
            tracker.ping()
        assert world.items() == []

    def test_a_tracker_that_cannot_be_reached_is_unavailable(self, world: World) -> None:
        world.require("shut")
        tracker = world.open()
        issue = linked(tracker.create(DRAFT))
        world.shut()

        for operation in operations(tracker, issue).values():
            with pytest.raises(Unavailable):
                operation()
        with suppress(Unavailable):
            assert tracker.newest() == 0
        with pytest.raises(Unavailable):
            tracker.ping()
        assert any(not finding.ok and finding.remedy for finding in tracker.check())
        assert len(world.items()) == 1

    def test_a_lost_login_is_a_fault_of_the_configuration_and_deletes_nothing(self, world: World) -> None:
        world.require("revoke")
        tracker = world.open()
        remaining = linked(tracker.create(DRAFT))
        deleted = linked(tracker.create(replace(DRAFT, marker=SECOND_MARKER)), SECOND_MARKER)
        world.delete(str(deleted.remote_id))
        world.revoke()

        for issue in (remaining, deleted):
            for operation in operations(tracker, issue).values():
                with pytest.raises(Misconfigured):
                    operation()
        assert any(not finding.ok and finding.remedy for finding in tracker.check())
        assert len(world.items()) == 1

    def test_a_limit_asks_for_silence_and_the_next_create_succeeds(self, world: World) -> None:
        world.require("throttle")
        tracker = world.open()
        world.throttle()

        with pytest.raises(Throttled) as caught:
            tracker.create(DRAFT)
        assert caught.value.seconds >= 1.0
        assert world.items() == []
        assert tracker.create(DRAFT).remote_id == only(world).remote_id

    def test_content_that_the_tracker_never_takes_is_refused(self, world: World) -> None:
        world.require("refuse")
        tracker = world.open()
        before = len(world.items())
        world.refuse(DRAFT)

        with pytest.raises(Refused):
            tracker.create(DRAFT)
        assert [item for item in world.items() if "drawnothing" in item.body] == []
        assert tracker.probe(doubtful()).issues == ()
        assert before == 0

    def test_a_check_of_a_tracker_in_order_finds_nothing_wrong_and_makes_nothing(self, world: World) -> None:
        findings = world.open().check()

        assert findings
        assert [finding for finding in findings if not finding.ok] == []
        assert world.items() == []

    # What people call an issue

    def test_key_and_address_of_an_issue_name_it(self, world: World) -> None:
        world.require("reference")
        tracker = world.open()
        created = tracker.create(DRAFT)

        for text in (created.key, created.url, f" {created.key} "):
            issue = named("crashes", world.settings, text)
            assert tracker.look(issue).place.remote_id == created.remote_id
        with pytest.raises(ValueError, match="names no"):
            named("crashes", world.settings, "not an issue / of any kind")

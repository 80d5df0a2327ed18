"""The rules of texts, comments, states and labels."""

from dataclasses import replace

import pytest

from syncd.core.raising import raised
from syncd.errors import (
    Missing,
    OutcomeUnknown,
)
from syncd.model import Settings
from syncd.plugin.conformance.samples import (
    DRAFT,
    FIVE,
    GROUP,
    HOSTILE,
    MARKER,
    SECOND_MARKER,
    SIX,
    doubtful,
    linked,
    only,
)
from syncd.plugin.conformance.world import World, whole_survey
from syncd.render.text import Code, Paragraph, Value
from syncd.trackers.assignees import WITHHELD


class Writing:
    """One test for each rule."""

    # Text

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

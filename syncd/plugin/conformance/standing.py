"""The rules of places, failures and names."""

from contextlib import suppress
from dataclasses import replace

import pytest

from syncd.errors import (
    Gone,
    Misconfigured,
    Moved,
    OutOfReach,
    Refused,
    Throttled,
    Unavailable,
)
from syncd.model import Place
from syncd.plugin.conformance.samples import (
    DRAFT,
    FIVE,
    MARKER,
    SECOND_MARKER,
    SIX,
    doubtful,
    item_of,
    linked,
    only,
    operations,
)
from syncd.plugin.conformance.world import World, whole_survey
from syncd.trackers.references import named


class Standing:
    """One test for each rule."""

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

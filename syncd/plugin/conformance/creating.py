"""The rules of creates and of the proofs after them."""

from dataclasses import replace

import pytest

from syncd.core import adoption
from syncd.core.doubt import Proof
from syncd.errors import (
    OutcomeUnknown,
    Unavailable,
)
from syncd.model import Settings
from syncd.plugin.conformance.samples import BODY, DRAFT, MARKER, SECOND_MARKER, WHOLE, doubtful, item_of, linked, only
from syncd.plugin.conformance.world import World
from syncd.trackers import Sweep


class Creating:
    """One test for each rule."""

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
        assert (evidence.issues, evidence.covered) == ((), world.proof is not Proof.NONE)
        assert evidence.proof is world.proof

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
        assert (evidence.issues, evidence.covered) == ((), world.proof is not Proof.NONE)
        assert evidence.proof is world.proof
        assert evidence.summary

    def test_each_issue_is_found_by_its_own_marker(self, world: World) -> None:
        tracker = world.open()
        first, second = tracker.create(DRAFT), tracker.create(replace(DRAFT, marker=SECOND_MARKER))

        assert first.remote_id != second.remote_id
        assert [each.remote_id for each in tracker.probe(doubtful()).issues] == [first.remote_id]
        assert [each.remote_id for each in tracker.probe(doubtful(marker=SECOND_MARKER)).issues] == [second.remote_id]

    def test_a_key_is_taken_once_and_leads_to_its_issue(self, world: World) -> None:
        if world.proof is not Proof.KEY:
            pytest.skip("no key of syncd's own proves a create")
        created = world.open().create(DRAFT)
        world.edit(created.remote_id, "People know more.")
        again = world.open().create(replace(DRAFT, title="Another title"))

        assert (again, again.existed, created.existed) == (created, True, False)
        assert "Crash in render" in only(world).title
        assert "People know more." in only(world).body

    def test_a_deleted_issue_is_no_proof_of_absence(self, world: World) -> None:
        tracker = world.open()
        world.file("A person's issue")
        created = tracker.create(DRAFT)
        world.delete(created.remote_id)
        world.file("A later issue")
        if not created.number and world.proof is not Proof.KEY:
            pytest.skip("nothing is left of a deleted issue that has neither a number nor a key")

        evidence = tracker.probe(doubtful(created.number - 1 if created.number else 0))
        assert evidence.issues == ()
        assert not evidence.covered

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

        numbered = [created.remote_id] if created.number else []
        assert [each.issue.remote_id for each in world.open().sweep(0, 0.0).issues] == numbered

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

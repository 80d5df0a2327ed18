"""A tracker without rising numbers whose creates carry a key that syncd chose."""

from dataclasses import dataclass, field, replace

import pytest

from syncd.core.doubt import Evidence, Proof
from syncd.errors import OutcomeUnknown
from syncd.model import Created, Issue
from syncd.trackers import Draft, Sweep
from tests.scene import Scene, Tracker, made


@dataclass
class KeyedTracker(Tracker):
    """Takes each key once. `covered` is False where the issue with a key was deleted; `sent` are the drafts of all creates."""

    sent: list[Draft] = field(default_factory=list)

    def newest(self) -> int:
        return 0

    def sweep(self, floor: int, since: float) -> Sweep:
        return Sweep(newest=floor, upto=floor)

    def create(self, draft: Draft) -> Created:
        self.sent.append(draft)
        number = self._number(draft.marker)
        if number:
            self._called("create")
            return replace(made(number), number=0, existed=True)
        return replace(super().create(draft), number=0)

    def probe(self, issue: Issue) -> Evidence:
        self._called("probe")
        number = self._number(issue.marker)
        issues = (replace(made(number), number=0),) if number else ()
        return Evidence(issues=issues, covered=self.covered, summary="no such key", proof=Proof.KEY)

    def _number(self, marker: str) -> int:
        return next((number for number, draft in enumerate(self.issues, start=1) if draft.marker == marker), 0)


@pytest.fixture
def tracker(scene: Scene) -> KeyedTracker:
    return KeyedTracker(wall=scene.clock)


@pytest.fixture
def keyed(scene: Scene, tracker: KeyedTracker) -> Scene:
    scene.tracker = tracker
    return scene


def test_one_look_by_key_proves_that_a_lost_create_was_not_carried_out(keyed: Scene) -> None:
    keyed.doubt(after=False)
    keyed.probe()
    keyed.sync()

    assert keyed.tracker.calls == ["create", "probe", "create"]
    assert (keyed.state, len(keyed.tracker.issues)) == ("linked", 1)


def test_a_look_before_the_request_has_run_out_proves_nothing(keyed: Scene) -> None:
    keyed.tell()
    keyed.fail("create", OutcomeUnknown("no answer"))
    keyed.sync()
    keyed.clock.advance(5)

    keyed.sync()
    assert (keyed.tracker.calls, keyed.state) == (["create"], "in_doubt")


def test_a_create_that_arrived_late_makes_no_second_issue(keyed: Scene, tracker: KeyedTracker) -> None:
    keyed.doubt(after=False)
    keyed.probe()
    tracker.issues += tracker.sent
    keyed.sync()

    assert keyed.tracker.calls == ["create", "probe", "create"]
    assert (keyed.state, len(keyed.tracker.issues)) == ("linked", 1)


def test_an_issue_that_existed_is_looked_at_and_brought_up_to_date(keyed: Scene, tracker: KeyedTracker) -> None:
    keyed.doubt(after=False)
    keyed.probe()
    tracker.issues += tracker.sent
    keyed.sync()
    keyed.wait()
    while keyed.sync():
        keyed.wait()

    assert keyed.tracker.calls[:4] == ["create", "probe", "create", "look"]
    assert "comment" in keyed.tracker.calls, "the body is that of an earlier create"


def test_a_deleted_issue_with_the_key_waits_for_a_person(keyed: Scene) -> None:
    keyed.tracker.covered = False
    keyed.doubt(after=False)
    for _ in range(3):
        keyed.clock.advance(200)
        keyed.sync()

    assert keyed.state == "parked"
    assert len(keyed.tracker.issues) == 0


def test_a_tracker_with_numbers_needs_more_than_one_look(scene: Scene) -> None:
    scene.doubt(after=False)
    scene.probe()

    assert scene.state == "in_doubt"


def test_a_lost_answer_of_a_create_that_was_carried_out_is_found_by_its_key(keyed: Scene) -> None:
    keyed.doubt(after=True)
    keyed.probe()

    assert (keyed.tracker.calls, keyed.state) == (["create", "probe"], "linked")

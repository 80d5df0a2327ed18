"""The conformance suite can fail: each way of breaking the sample tracker makes the case red that stands for the broken rule."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncd.core.doubt import Evidence
from syncd.core.policy import Policy
from syncd.errors import Gone, OutcomeUnknown, Throttled, TrackerError, Unavailable
from syncd.model import Condition, Created, Issue, Observation, PresentSettings, Settings
from syncd.render.text import Document
from syncd.trackers import Draft, Finding, Survey, Tracker
from tests.trackers.conformance import Conformance
from tests.trackers.sample.desk import DESKS
from tests.trackers.sample.tracker import DeskTracker
from tests.trackers.sample.world import DeskWorld


class SendsAgain(DeskTracker):
    def create(self, draft: Draft) -> Created:
        try:
            return super().create(draft)
        except OutcomeUnknown:
            return super().create(draft)


class CallsDoubtAFailure(DeskTracker):
    def create(self, draft: Draft) -> Created:
        try:
            return super().create(draft)
        except OutcomeUnknown as error:
            raise Unavailable(error.reason) from None


class SendsStaleDrafts(DeskTracker):
    def create(self, draft: Draft) -> Created:
        return super().create(Draft(marker=draft.marker, title=draft.title, body=draft.body, group=draft.group))


class ForgetsItsMarker(DeskTracker):
    def _send(self, name: str, **arguments: Any) -> Any:
        return super()._send(name, **{**arguments, **({"reference": ""} if name == "create" else {})})


class ProbesTheListOnly(DeskTracker):
    def probe(self, issue: Issue) -> Evidence:
        newest, evidence = self.newest(), super().probe(issue)
        listed = tuple(created for created in evidence.issues if created.number <= newest)
        return Evidence(issues=listed, covered=True)


class BelievesAnybody(DeskTracker):
    def probe(self, issue: Issue) -> Evidence:
        tickets = [ticket for ticket in DESKS[self._url].tickets.values() if ticket]
        each = [self._created(ticket) for ticket in tickets if issue.marker in ticket.text + ticket.reference]
        return Evidence(issues=tuple(each), covered=True, summary="everything was read")


class ProvesBlindly(DeskTracker):
    def probe(self, issue: Issue) -> Evidence:
        try:
            return super().probe(issue)
        except TrackerError:
            return Evidence(covered=True)


class CutsNothing(DeskTracker):
    def create(self, draft: Draft) -> Created:
        return self._created(self._send("create", title=draft.title, text=str(draft.body), reference=draft.marker))


class NeverFindsItsComment(DeskTracker):
    def find_comment(self, issue: Issue, marker: str) -> str | None:
        return None


class AddsCommentsForEdits(DeskTracker):
    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        self.comment(issue, document, marker)


class OverwritesTheBody(DeskTracker):
    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        super().edit_comment(issue, comment_id, document, marker)
        self._read("read", number=int(issue.remote_id or 0)).text = "drawnothing"


class SeesEverythingOpen(DeskTracker):
    def look(self, issue: Issue) -> Observation:
        return Observation(place=super().look(issue).place, condition=Condition())


class SurveysOtherThanItLooks(DeskTracker):
    def survey(self, issues: Sequence[Issue], bookmark: str | None) -> Iterator[Survey]:
        places = {str(issue.remote_id): self.look(issue).place for issue in issues}
        yield Survey(
            observations={key: Observation(place=place, condition=Condition()) for key, place in places.items()}
        )


class ShowsDeletedIssues(DeskTracker):
    def survey(self, issues: Sequence[Issue], bookmark: str | None) -> Iterator[Survey]:
        survey = next(super().survey(issues, bookmark))
        yield Survey(observations={str(issue.remote_id): next(iter(survey.observations.values())) for issue in issues})


class RaisesWhereItCannotReopen(DeskTracker):
    def _resolve(self, issue: Issue, resolution: str) -> str:
        self._read("resolve", number=int(issue.remote_id or 0), resolution=resolution)
        return ""


class TakesAnyFailureForDeletion(DeskTracker):
    def look(self, issue: Issue) -> Observation:
        try:
            return super().look(issue)
        except TrackerError as error:
            raise Gone(error.reason) from None


class RetriesAtOnceWhenAskedForSilence(DeskTracker):
    def create(self, draft: Draft) -> Created:
        try:
            return super().create(draft)
        except Throttled as error:
            raise Unavailable(error.reason) from None


class LeaksItsLibrarysErrors(DeskTracker):
    def _send(self, name: str, **arguments: Any) -> Any:
        return DESKS[self._url].call(self._token, name, **arguments)


class RemovesOtherLabels(DeskTracker):
    def raise_settings(self, issue: Issue, changes: Settings) -> str:
        self._read("read", number=int(issue.remote_id or 0)).tags.clear()
        return super().raise_settings(issue, Settings(labels=changes.labels[:1]))


class TakesAnyPriorityForItsOwn(DeskTracker):
    def read_settings(self, issue: Issue) -> PresentSettings:
        return replace(super().read_settings(issue), touched=frozenset())


class ChecksByFiling(DeskTracker):
    def check(self, routes: Sequence[Policy] = (), releases: Sequence[str] = ()) -> list[Finding]:
        self._send("create", title="a test", text="")
        return super().check()


BREAKAGES: dict[type[DeskTracker], str] = {
    SendsAgain: "test_a_create_lost_on_the_way_back_is_in_doubt_and_found_after_a_restart",
    CallsDoubtAFailure: "test_a_create_lost_on_the_way_there_is_in_doubt_and_proved_absent",
    SendsStaleDrafts: "test_a_draft_whose_time_has_passed_is_not_sent",
    ForgetsItsMarker: "test_each_issue_is_found_by_its_own_marker",
    ProbesTheListOnly: "test_a_lagging_list_hides_nothing_from_a_probe",
    BelievesAnybody: "test_a_marker_in_the_text_of_a_crash_is_not_believed",
    ProvesBlindly: "test_a_tracker_that_cannot_be_reached_is_unavailable",
    CutsNothing: "test_text_of_any_length_is_filed_and_the_issue_found",
    NeverFindsItsComment: "test_a_comment_lost_on_the_way_back_is_in_doubt_and_found",
    AddsCommentsForEdits: "test_a_comment_is_written_once_found_again_and_edited_in_place",
    OverwritesTheBody: "test_what_people_wrote_survives_everything_that_the_tracker_does",
    SeesEverythingOpen: "test_an_issue_is_closed_and_reopened_once",
    SurveysOtherThanItLooks: "test_look_and_survey_agree_on_how_people_left_issues",
    ShowsDeletedIssues: "test_a_survey_does_not_show_a_deleted_issue",
    RaisesWhereItCannotReopen: "test_an_issue_that_cannot_be_reopened_stays_closed_with_a_note",
    TakesAnyFailureForDeletion: "test_a_lost_login_is_a_fault_of_the_configuration_and_deletes_nothing",
    RetriesAtOnceWhenAskedForSilence: "test_a_limit_asks_for_silence_and_the_next_create_succeeds",
    LeaksItsLibrarysErrors: "test_a_deleted_issue_is_gone",
    RemovesOtherLabels: "test_labels_are_added_once_and_everything_else_stays",
    TakesAnyPriorityForItsOwn: "test_a_priority_that_a_person_chose_first_stays",
    ChecksByFiling: "test_a_check_of_a_tracker_in_order_finds_nothing_wrong_and_makes_nothing",
}


class BrokenWorld(DeskWorld):
    kind: type[DeskTracker]

    def open(self) -> Tracker:
        return self.kind("crashes", self.settings, self.memory, clock=self.clock, sleep=self.sleep)


def cases() -> Iterator[tuple[str, tuple[object, ...]]]:
    for name, function in vars(Conformance).items():
        if name.startswith("test_"):
            marks = [mark for mark in getattr(function, "pytestmark", []) if mark.name == "parametrize"]
            yield from ((name, (value,)) for value in marks[0].args[1]) if marks else [(name, ())]


def red(kind: type[DeskTracker], folder: Path) -> set[str]:
    """The cases that fail with this tracker."""
    failed = set()
    for number, (name, arguments) in enumerate(cases()):
        place = folder / str(number)
        place.mkdir()
        with BrokenWorld(place) as world:
            world.kind = kind
            try:
                getattr(Conformance(), name)(world, *arguments)
            except pytest.skip.Exception:
                pass
            except (Exception, pytest.fail.Exception):  # noqa: BLE001 - whatever makes a case red
                failed.add(name)
    return failed


def test_the_sample_tracker_as_it_is_fails_no_case(tmp_path: Path) -> None:
    assert red(DeskTracker, tmp_path) == set()


@pytest.mark.parametrize("kind", BREAKAGES, ids=lambda kind: kind.__name__)
def test_a_broken_tracker_fails_the_case_of_its_rule(kind: type[DeskTracker], tmp_path: Path) -> None:
    assert BREAKAGES[kind] in red(kind, tmp_path)

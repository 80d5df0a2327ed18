"""The conformance suite can fail: each way of breaking the sample tracker makes the case red that stands for the broken rule."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from syncd.core.doubt import Evidence, Proof
from syncd.core.policy import Policy
from syncd.errors import Gone, OutcomeUnknown, Throttled, TrackerError, Unavailable
from syncd.model import Condition, Created, Issue, Observation, PresentSettings, Settings
from syncd.plugin import key_of
from syncd.plugin.conformance import Conformance
from syncd.render.text import Document
from syncd.trackers import Draft, Finding, Survey, Tracker
from tests.trackers.sample.syncd_desk import (
    DeskSettings,
    DeskTracker,
    KeyedDeskSettings,
    KeyedDeskTracker,
    Shape,
    Ticket,
    number_of,
)
from tests.trackers.sample.world import DeskWorld, KeyedDeskWorld


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
    def _file(self, draft: Draft, more: dict[str, str]) -> Ticket:
        return super()._file(draft, {})


class ProbesTheListOnly(DeskTracker):
    def probe(self, issue: Issue) -> Evidence:
        newest, evidence = self.newest(), super().probe(issue)
        listed = tuple(created for created in evidence.issues if created.number <= newest)
        return Evidence(issues=listed, covered=True)


class BelievesAnybody(DeskTracker):
    def probe(self, issue: Issue) -> Evidence:
        each, number = list[Created](), 0
        while True:
            number += 1
            try:
                ticket = self._ticket(number)
            except TrackerError:
                return Evidence(issues=tuple(each), covered=True, summary="everything was read")
            if issue.marker in ticket.text + ticket.reference:
                each.append(self._created(ticket))


class ProvesBlindly(DeskTracker):
    def probe(self, issue: Issue) -> Evidence:
        try:
            return super().probe(issue)
        except TrackerError:
            return Evidence(covered=True)


class TakesDeletionForAbsence(DeskTracker):
    def probe(self, issue: Issue) -> Evidence:
        return replace(super().probe(issue), covered=True)


class CutsNothing(DeskTracker):
    def create(self, draft: Draft) -> Created:
        payload = {"title": draft.title, "text": str(draft.body), "reference": draft.marker}
        return self._created(self._send("/api/tickets", payload, Ticket))


class NeverFindsItsComment(DeskTracker):
    def find_comment(self, issue: Issue, marker: str) -> str | None:
        return None


class AddsCommentsForEdits(DeskTracker):
    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        self.comment(issue, document, marker)


class OverwritesTheBody(DeskTracker):
    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        super().edit_comment(issue, comment_id, document, marker)
        self._change("PUT", f"/api/tickets/{number_of(issue)}", {"text": "drawnothing"}, Ticket)


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
        self._change("PUT", f"/api/tickets/{number_of(issue)}/resolution", {"resolution": resolution}, Ticket)
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
    def _send(self, path: str, payload: object, shape: type[Shape]) -> Shape:
        content = self._connection.send_once("POST", path, payload).read(shape)
        if content is None:
            raise LookupError(path)
        return content


class RemovesOtherLabels(DeskTracker):
    def raise_settings(self, issue: Issue, changes: Settings) -> str:
        self._change("PUT", f"/api/tickets/{number_of(issue)}", {"tags": []}, Ticket)
        return super().raise_settings(issue, Settings(labels=changes.labels[:1]))


class TakesAnyPriorityForItsOwn(DeskTracker):
    def read_settings(self, issue: Issue) -> PresentSettings:
        return replace(super().read_settings(issue), touched=frozenset())


class ChecksByFiling(DeskTracker):
    def check(self, routes: Sequence[Policy] = (), releases: Sequence[str] = ()) -> list[Finding]:
        self._send("/api/tickets", {"title": "a test", "text": ""}, Ticket)
        return super().check()


BREAKAGES: dict[type[DeskTracker], str] = {
    SendsAgain: "test_a_create_lost_on_the_way_back_is_in_doubt_and_found_after_a_restart",
    CallsDoubtAFailure: "test_a_create_lost_on_the_way_there_is_in_doubt_and_proved_absent",
    SendsStaleDrafts: "test_a_draft_whose_time_has_passed_is_not_sent",
    ForgetsItsMarker: "test_each_issue_is_found_by_its_own_marker",
    ProbesTheListOnly: "test_a_lagging_list_hides_nothing_from_a_probe",
    BelievesAnybody: "test_a_marker_in_the_text_of_a_crash_is_not_believed",
    ProvesBlindly: "test_a_tracker_that_cannot_be_reached_is_unavailable",
    TakesDeletionForAbsence: "test_a_deleted_issue_is_no_proof_of_absence",
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


class FilesASecondTime(KeyedDeskTracker):
    def create(self, draft: Draft) -> Created:
        return self._created(self._file(draft, {"key": f"{key_of(draft.marker)}{self._connection.logins}"}))


class TakesAnotherTicketForItsOwn(KeyedDeskTracker):
    def create(self, draft: Draft) -> Created:
        return replace(super().create(draft), existed=False)


class BelievesAFailedReadByKey(KeyedDeskTracker):
    def probe(self, issue: Issue) -> Evidence:
        return replace(super().probe(issue), covered=True)


class ProvesByNumbersThatItHasNot(KeyedDeskTracker):
    def probe(self, issue: Issue) -> Evidence:
        return replace(super().probe(issue), proof=Proof.NUMBERS)


KEYED_BREAKAGES: dict[type[DeskTracker], str] = {
    FilesASecondTime: "test_a_key_is_taken_once_and_leads_to_its_issue",
    TakesAnotherTicketForItsOwn: "test_a_key_is_taken_once_and_leads_to_its_issue",
    BelievesAFailedReadByKey: "test_a_deleted_issue_is_no_proof_of_absence",
    ProvesByNumbersThatItHasNot: "test_absence_is_proved_among_issues_of_people",
}


class BrokenWorld(DeskWorld):
    kind: type[DeskTracker]

    def open(self) -> Tracker:
        settings = self.settings
        assert isinstance(settings, DeskSettings | KeyedDeskSettings)
        return self.kind("crashes", settings, self.memory, clock=self.clock, sleep=self.sleep)


class BrokenKeyedWorld(KeyedDeskWorld, BrokenWorld):
    """The same, by keys."""


def cases() -> Iterator[tuple[str, tuple[object, ...]]]:
    for name in dir(Conformance):
        if name.startswith("test_"):
            function = getattr(Conformance, name)
            marks = [mark for mark in getattr(function, "pytestmark", []) if mark.name == "parametrize"]
            yield from ((name, (value,)) for value in marks[0].args[1]) if marks else [(name, ())]


def red(kind: type[DeskTracker], folder: Path, rule: str = "") -> set[str]:
    """The cases that fail with this tracker, of all or of one rule."""
    opened = BrokenKeyedWorld if issubclass(kind, KeyedDeskTracker) else BrokenWorld
    failed = set()
    for number, (name, arguments) in enumerate(case for case in cases() if rule in ("", case[0])):
        place = folder / str(number)
        place.mkdir()
        with opened(place) as world:
            world.kind = kind
            try:
                getattr(Conformance(), name)(world, *arguments)
            except pytest.skip.Exception:
                pass
            except (Exception, pytest.fail.Exception):  # noqa: BLE001 - whatever makes a case red
                failed.add(name)
    return failed


@pytest.mark.parametrize("kind", [DeskTracker, KeyedDeskTracker])
def test_the_sample_tracker_as_it_is_fails_no_case(kind: type[DeskTracker], tmp_path: Path) -> None:
    assert red(kind, tmp_path) == set()


@pytest.mark.parametrize("kind", [*BREAKAGES, *KEYED_BREAKAGES], ids=lambda kind: kind.__name__)
def test_a_broken_tracker_fails_the_case_of_its_rule(kind: type[DeskTracker], tmp_path: Path) -> None:
    rule = (BREAKAGES | KEYED_BREAKAGES)[kind]
    assert red(kind, tmp_path, rule) == {rule}

"""What reports of hooks lead to, on both databases: looks, surveys, or nothing."""

from dataclasses import replace
from itertools import count

import pytest

from syncd.config import HookSettings, Secret
from syncd.core.hooks import FLOOD, GATHER_SECONDS, HEARD_SECONDS, LAG_SECONDS, MOST_LOOKS, SPACING_SECONDS
from syncd.errors import OutOfReach
from syncd.intake.reports import Delivery, Reports, marks
from syncd.model import Condition, Issue, Observation
from syncd.operate.status import status
from syncd.store import hooks as saved
from syncd.trackers.hooks import Report
from tests.scene import Scene

HOUR = 3600.0
BODIES = count()


def delivery(*issues: str, body: bytes | None = None, number: bytes = b"", **facts: object) -> Delivery:
    """A report of the hook `game`, unlike all before it."""
    body = b"%d" % next(BODIES) if body is None else body
    report = Report(issues=issues, **facts)  # type: ignore[arg-type]
    return Delivery(name="game", trackers=("here",), home="", report=report, marks=marks("game", body, number))


@pytest.fixture
def heard(scene: Scene) -> Scene:
    """A scene with an issue that shows all, was looked at, and has a hook."""
    hook = HookSettings(tracker=["here"], secret=Secret(env="HOOK"))
    scene.rules = replace(scene.rules, config=scene.rules.config.model_copy(update={"hooks": {"game": hook}}))
    scene.tell()
    while scene.sync():
        scene.wait()
    scene.survey()
    scene.clock.advance(HOUR / 4)
    while scene.sync():
        pass
    scene.tracker.calls.clear()
    return scene


@pytest.fixture
def reports(heard: Scene) -> Reports:
    return Reports(heard.store, heard.clock)


def close(scene: Scene, key: str = "K-1") -> None:
    scene.tracker.conditions[key] = Condition(closed=True, resolution="completed", closed_at=scene.clock.wall())


def is_closed(scene: Scene) -> bool:
    issue = scene.store.report.groups()[0].issue
    assert issue is not None
    return issue.condition is not None and issue.condition.closed


def pass_time(scene: Scene, reports: Reports, seconds: float) -> int:
    """Let time pass in steps of a quarter of a second, and sync whatever is due. Return the number of looks."""
    before = scene.tracker.calls.count("look")
    for _ in range(round(seconds * 4)):
        reports.hasten()
        while scene.sync():
            pass
        scene.clock.advance(0.25)
    return scene.tracker.calls.count("look") - before


def test_a_closing_that_is_reported_is_read_at_once(heard: Scene, reports: Reports) -> None:
    close(heard)
    taken = reports.take([delivery("1")])

    assert list(taken.silences) == [""]
    assert taken.due == {"here"}
    assert heard.sync()
    assert is_closed(heard)
    assert heard.tracker.calls == ["look"]
    assert not heard.sync()


def test_nothing_that_a_report_says_is_believed(heard: Scene, reports: Reports) -> None:
    """The issue is open, whatever made the tracker report it."""
    reports.take([delivery("1")])
    while heard.sync():
        pass
    assert not is_closed(heard)
    assert heard.tracker.calls == ["look"], "a look that finds nothing new leads to no write, and so to no report"


@pytest.mark.parametrize("together", [1, 20])
def test_ten_thousand_reports_of_an_issue_lead_to_two_looks(heard: Scene, reports: Reports, together: int) -> None:
    looks = 0
    for number in range(500 // together):
        reports.take([delivery("1") for _ in range(together)])
        looks += pass_time(heard, reports, 0.25) if number % (50 // together) == 0 else 0
        heard.clock.advance(0.015 * together)
    close(heard)
    reports.take([delivery("1")])
    looks += pass_time(heard, reports, 2 * SPACING_SECONDS)

    assert looks == 2
    assert is_closed(heard), "the second look comes after the last report"


def test_what_a_person_does_in_a_row_is_read_within_seconds(heard: Scene, reports: Reports) -> None:
    for _ in range(3):
        close(heard)
        reports.take([delivery("1")])
        pass_time(heard, reports, GATHER_SECONDS + 0.5)
        assert is_closed(heard)
        heard.tracker.conditions.clear()
        reports.take([delivery("1")])
        pass_time(heard, reports, GATHER_SECONDS + 0.5)
        assert not is_closed(heard)
        pass_time(heard, reports, SPACING_SECONDS)
    assert not reports.gathers


def test_reports_in_the_wrong_order_end_in_the_true_state(heard: Scene, reports: Reports) -> None:
    """The report of the reopening comes first, that of the closing before it last."""
    for _ in range(2):
        reports.take([delivery("1")])
        pass_time(heard, reports, 3)
        assert not is_closed(heard)


def test_a_report_during_a_look_leads_to_another_look(heard: Scene, reports: Reports) -> None:
    reports.take([delivery("1")])
    claim = heard.claimed()
    close(heard)
    reports.take([delivery("1")])
    heard.store.write(lambda transaction: transaction.run("free_claims", owner=claim.owner, now=heard.clock.wall()))
    pass_time(heard, reports, SPACING_SECONDS + 1)
    assert is_closed(heard)


def test_the_same_report_leads_to_nothing_again(heard: Scene, reports: Reports) -> None:
    first, second = delivery("1", body=b"x", number=b"n"), delivery("1", body=b"y", number=b"n")
    numbered = delivery("1", body=b"x", number=b"m")
    assert list(reports.take([first, first]).silences) == ["", "this report came before"]
    pass_time(heard, reports, 60)
    again = Reports(heard.store, heard.clock)  # as after a restart, or in another receiver
    for repeated in (first, second, numbered):
        assert list(again.take([repeated]).silences) == ["this report came before"]
    assert pass_time(heard, again, 60) == 0
    elsewhere = replace(first, name="web", marks=marks("web", b"x", b"n"))
    assert list(again.take([elsewhere]).silences) == [""], "another hook has numbers of its own"


def test_of_the_reports_only_the_latest_are_remembered(
    heard: Scene, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved, "MOST_REPORTS", 10)
    first = delivery("1")
    for each in [first, *(delivery("1") for _ in range(20))]:
        reports.take([each])
    remembered = heard.store.read(lambda transaction: saved.repeated(transaction, first.marks))
    assert not remembered
    assert list(reports.take([first]).silences) == [""]


def test_what_syncd_has_not_filed_costs_nothing(heard: Scene, reports: Reports) -> None:
    reports.take([delivery("99")])
    heard.clock.advance(5)
    before = heard.store.connection.select("heard_hooks")
    silences = reports.take([delivery("99"), delivery(), delivery("1/99"), delivery(silence="a ping")]).silences

    assert list(silences) == [*["syncd files none of the issues that it names"] * 3, "a ping"]
    assert heard.store.connection.select("heard_hooks") == before, "nothing was written"
    assert pass_time(heard, reports, 5) == 0


def test_a_repository_of_its_own_is_left_out_of_an_address(heard: Scene, reports: Reports) -> None:
    heard.store.notebook("here").note("repository_id", "12")
    named = [replace(delivery(place), home="repository_id") for place in ("12/1", "13/1", "1")]
    assert [bool(silence) for silence in reports.take(named[:2]).silences] == [False, True]


def test_an_issue_that_was_closed_by_syncd_itself_ends_no_loop(heard: Scene, reports: Reports) -> None:
    """An hour of updates, each of which the tracker reports."""
    for _ in range(30):
        heard.clock.advance(120)
        heard.tell(occurrences=next(BODIES) + 10)
        written = len(heard.tracker.calls)
        while heard.sync():
            reports.take([delivery("1")])
        assert pass_time(heard, reports, 2 * SPACING_SECONDS) <= 2
        assert set(heard.tracker.calls[written:]) <= {"look", "comment", "edit_comment", "find_comment"}
        writes = [call for call in heard.tracker.calls[written:] if call in ("comment", "edit_comment")]
        assert len(writes) <= 1


def test_a_report_of_an_unreachable_place_is_left_to_a_survey(heard: Scene, reports: Reports) -> None:
    heard.tracker.unreadable["K-1"] = OutOfReach("it was moved to where syncd may not read")
    reports.take([delivery("1")])
    heard.sync()
    assert heard.state == "parked"
    heard.tracker.unreadable.clear()
    heard.clock.advance(120)
    reports.take([delivery("1")])
    heard.survey()
    heard.sync()
    assert heard.state == "linked"


def lagging(scene: Scene, changed_at: float) -> None:
    """From now on the tracker shows issues as they were at a time."""
    look = type(scene.tracker).look

    def lagged(issue: Issue) -> Observation:
        return replace(look(scene.tracker, issue), changed_at=changed_at)

    scene.tracker.look = lagged  # type: ignore[method-assign]


def test_a_look_that_shows_less_than_was_reported_is_made_once_more(heard: Scene, reports: Reports) -> None:
    lagging(heard, 500.0)
    reports.take([delivery("1", changed_at=501.0)])
    assert pass_time(heard, reports, LAG_SECONDS - 1) == 1
    close(heard)
    assert pass_time(heard, reports, 2) == 1
    assert is_closed(heard)
    assert pass_time(heard, reports, 300) == 0, "once"


def test_a_look_that_shows_what_was_reported_is_made_once(heard: Scene, reports: Reports) -> None:
    lagging(heard, 501.0)
    reports.take([delivery("1", changed_at=501.0)])
    assert pass_time(heard, reports, 300) == 1


def many(scene: Scene, number: int) -> None:
    """So many more issues."""
    for each in range(number):
        scene.tell(f"other-{each}")
        scene.sync()
    while scene.sync():
        pass
    scene.tracker.calls.clear()


def test_instead_of_many_looks_a_survey_is_made(heard: Scene, reports: Reports) -> None:
    many(heard, MOST_LOOKS + 10)
    heard.survey()
    heard.clock.advance(HOUR / 2)
    heard.tracker.calls.clear()
    taken = reports.take([delivery(str(number)) for number in range(1, MOST_LOOKS + 11)])
    assert not any(taken.silences)
    looks = 0
    while heard.sync():
        looks += 1
    assert looks == MOST_LOOKS
    close(heard, f"K-{MOST_LOOKS + 11}")
    heard.survey()
    assert heard.tracker.calls.count("survey") == 1


def test_what_concerns_the_whole_tracker_asks_for_one_survey(heard: Scene, reports: Reports) -> None:
    for _ in range(5):
        reports.take([delivery(whole=True)])
    heard.survey()
    assert heard.tracker.calls.count("survey") == 1
    heard.survey()
    assert heard.tracker.calls.count("survey") == 1


def surveys(scene: Scene, reports: Reports | None, hours: int) -> int:
    """Let hours pass, with a report each if `reports`; how many surveys were made."""
    before = scene.tracker.calls.count("survey")
    for _ in range(hours * 4):
        if reports is not None:
            reports.take([delivery("99")])
        scene.clock.advance(HOUR / 4)
        scene.survey()
    return scene.tracker.calls.count("survey") - before


def reporting(reports: Reports) -> None:
    """A report of something that syncd did not file shows that the hook works."""
    reports.take([delivery("99")])


def test_surveys_are_rarer_while_the_hook_reports_and_come_back(heard: Scene, reports: Reports) -> None:
    assert 11 <= surveys(heard, None, 12) <= 12
    assert 1 <= surveys(heard, reports, 12) <= 3
    surveys(heard, None, round(HEARD_SECONDS / HOUR))
    assert 11 <= surveys(heard, None, 12) <= 12


def test_a_survey_that_meets_what_no_hook_reported_brings_the_others_back(heard: Scene, reports: Reports) -> None:
    def hook() -> dict[str, object]:
        (shape,) = status(heard.rules.config, heard.store, heard.clock.wall())["hooks"]
        survey: dict[str, object] = shape["surveys"]["here"]
        return survey

    surveys(heard, reports, 12)
    assert hook() == {"interval": 6 * HOUR, "missed_at": None}
    close(heard)
    surveys(heard, reports, 7)
    while heard.sync():
        pass
    assert is_closed(heard), "it is read all the same"
    missed = hook()
    assert missed["interval"] == HOUR
    assert missed["missed_at"] is not None
    assert 11 <= surveys(heard, reports, 12) <= 12


def test_status_has_when_each_hook_was_heard(heard: Scene, reports: Reports) -> None:
    def heard_at() -> object:
        (shape,) = status(heard.rules.config, heard.store, heard.clock.wall())["hooks"]
        return shape["heard_at"]

    assert heard_at() is None
    reports.take([delivery(silence="a ping")])
    assert heard_at() == heard.clock.wall()


def test_more_than_people_do_in_a_row_is_not_looked_at_between(heard: Scene, reports: Reports) -> None:
    reports.take([delivery("1")])
    pass_time(heard, reports, 0.25)
    for _ in range(FLOOD + 1):
        reports.take([delivery("1")])
    assert pass_time(heard, reports, SPACING_SECONDS - 2) == 0
    assert pass_time(heard, reports, 3) == 1

"""The baseline of an issue: occurrences known at its closing, and new ones since then."""

from dataclasses import replace
from typing import Any

import pytest

from syncd.core import regression
from syncd.core.fold import OTHER_RELEASES
from syncd.core.regression import TOTAL, baseline_at_closing, ledger, next_baseline, verdict
from syncd.model import Condition, Group, Issue, Point, ProjectRelease, Regression, Release
from tests.factories import make_group, make_issue, make_policy

CLOSED_AT = 1000.0
CLOSED = Condition(closed=True, resolution="done", closed_at=CLOSED_AT)
OPEN = Condition()
ROUTE = make_policy()


def line(
    release: str, count: int, noticed: float | None, grown: float | None = None, last: int | None = None
) -> Release:
    return Release(
        release=release,
        occurrences=count,
        noticed_at=noticed,
        grown_at=noticed if grown is None else grown,
        last_seen=last,
    )


def group(*lines: Release, at: float = 500.0, **facts: Any) -> Group:
    total = sum(row.occurrences for row in lines)
    return make_group(
        **{"occurrences": total, "releases": lines, "trail": (Point(at=at, occurrences=total),), "last_seen": None}
        | facts
    )


def issue(showed: dict[str, int] | None = None, condition: Condition | None = None, **facts: Any) -> Issue:
    return make_issue(key="K-1", baseline=showed or {}, condition=condition, **facts)


GROUP = group(line("1.0", 5, 500.0), line("1.1", 2, 900.0))


def test_a_ledger_has_each_release_and_the_whole() -> None:
    assert ledger(GROUP) == {TOTAL: 7, "1.0": 5, "1.1": 2}


def test_the_baseline_of_an_open_issue_is_its_latest_numbers() -> None:
    assert next_baseline(GROUP, issue({TOTAL: 4, "1.0": 4}), OPEN) == {TOTAL: 4, "1.0": 4}
    assert next_baseline(GROUP, issue({TOTAL: 4}, OPEN), OPEN) == {TOTAL: 4}
    assert next_baseline(GROUP, issue(), OPEN) == ledger(GROUP)


def test_one_that_people_reopened_begins_anew() -> None:
    assert next_baseline(GROUP, issue({TOTAL: 4}, CLOSED), OPEN) == ledger(GROUP)


def test_a_closing_fixes_the_baseline_and_it_stays_until_another_closing() -> None:
    fixed = {TOTAL: 3, "1.0": 3}
    assert next_baseline(GROUP, issue(fixed, CLOSED), CLOSED) == fixed
    for closed_at in (CLOSED_AT - 600, CLOSED_AT + 600):
        assert next_baseline(GROUP, issue(fixed, replace(CLOSED, closed_at=closed_at)), CLOSED) == ledger(GROUP)
    assert next_baseline(GROUP, issue(fixed, OPEN), CLOSED) == ledger(GROUP)
    assert next_baseline(GROUP, issue(fixed), CLOSED) == ledger(GROUP)


@pytest.mark.parametrize(
    ("row", "showed", "expected"),
    [
        pytest.param(line("1.0", 5, 500.0, 999.0), 2, 5, id="it grew before the closing"),
        pytest.param(line("1.0", 5, 500.0, CLOSED_AT), 2, 5, id="it grew in the moment of the closing"),
        pytest.param(line("1.0", 5, 500.0, 1001.0), 2, 2, id="it grew after the closing"),
        pytest.param(line("1.0", 5, 500.0, 1001.0), None, 0, id="it grew after the closing and was never shown"),
        pytest.param(line("1.0", 5, CLOSED_AT, 1001.0), 2, 2, id="it was noticed in the moment of the closing"),
        pytest.param(line("1.0", 5, None, None), 2, 5, id="nobody knows when it was noticed"),
        pytest.param(line("1.0", 5, 1001.0), 2, None, id="it was noticed after the closing"),
    ],
)
def test_a_release_that_has_not_grown_since_the_closing_was_known_then(
    row: Release, showed: int | None, expected: int | None
) -> None:
    result = baseline_at_closing(group(row), issue({} if showed is None else {"1.0": showed}), CLOSED)

    assert result.get("1.0") == expected


def test_of_a_moment_that_may_be_the_first_of_time_nothing_is_assumed() -> None:
    early = replace(CLOSED, closed_at=0.5)

    assert baseline_at_closing(group(line("1.0", 5, None, None)), issue(), early)["1.0"] == 5


@pytest.mark.parametrize(
    ("trail", "showed", "total"),
    [
        pytest.param([(500.0, 7)], 4, 7, id="all came before"),
        pytest.param([(500.0, 4), (CLOSED_AT, 7)], 4, 7, id="the last came in the moment of the closing"),
        pytest.param([(500.0, 4), (1001.0, 7)], 4, 4, id="more came after"),
        pytest.param([(500.0, 7), (1001.0, 7)], 7, 7, id="something else came after"),
        pytest.param([(500.0, 4), (1001.0, 7)], None, 7, id="more came after, and nothing was shown"),
        pytest.param([(1001.0, 7), (900.0, 7)], 8, 7, id="less than was shown"),
    ],
)
def test_so_many_were_known_in_all(trail: list[tuple[float, int]], showed: int | None, total: int) -> None:
    points = tuple(Point(at=at, occurrences=count) for at, count in trail)

    assert (
        baseline_at_closing(
            group(line("1.0", 7, 500.0), trail=points), issue({} if showed is None else {TOTAL: showed}), CLOSED
        )[TOTAL]
        == total
    )


def test_without_a_time_of_closing_all_occurrences_shown_are_known() -> None:
    undated = replace(CLOSED, closed_at=None)

    assert baseline_at_closing(GROUP, issue({TOTAL: 4, "1.0": 4}), undated) == {TOTAL: 4, "1.0": 4}
    assert baseline_at_closing(GROUP, issue(), undated) == ledger(GROUP)


@pytest.mark.parametrize(
    ("grown", "looked", "baseline"),
    [
        pytest.param(700.0, 800.0, 5, id="it grew before the issue was read open"),
        pytest.param(800.0, 800.0, 5, id="it grew in the moment of that reading"),
        pytest.param(900.0, 800.0, 2, id="it grew since then"),
        pytest.param(None, 800.0, 2, id="nobody knows when it grew"),
        pytest.param(700.0, None, 2, id="the issue was never read open"),
    ],
)
def test_without_a_time_of_closing_what_came_before_the_issue_was_read_open_is_known(
    grown: float | None, looked: float | None, baseline: int
) -> None:
    undated, row = replace(CLOSED, closed_at=None), Release(release="1.0", occurrences=5, grown_at=grown)

    assert baseline_at_closing(group(row), issue({TOTAL: 2, "1.0": 2}, looked_at=looked), undated)["1.0"] == baseline


REOPENED, AGAIN = "K-1 was reopened in the tracker", "K-1 was closed in the tracker at 1970-01-01 00:16 UTC as done"


@pytest.mark.parametrize(
    ("before", "now", "sentence"),
    [
        pytest.param(None, OPEN, "", id="it is open, and was not read before"),
        pytest.param(OPEN, OPEN, "", id="it stays open"),
        pytest.param(CLOSED, OPEN, REOPENED, id="it was reopened"),
        pytest.param(CLOSED, CLOSED, "", id="it stays closed"),
        pytest.param(None, CLOSED, AGAIN, id="it is closed, and was not read before"),
        pytest.param(OPEN, CLOSED, AGAIN, id="it was closed"),
        pytest.param(replace(OPEN, closed_at=CLOSED_AT), CLOSED, AGAIN, id="it was closed, with a time of before"),
        pytest.param(replace(CLOSED, closed_at=900.0), CLOSED, AGAIN, id="it was closed again"),
        pytest.param(replace(CLOSED, closed_at=1100.0), CLOSED, AGAIN, id="its earlier closing is back"),
        pytest.param(None, Condition(closed=True), "K-1 was closed in the tracker", id="no time, no resolution"),
        pytest.param(
            OPEN,
            Condition(closed=True, resolution="NOT_PLANNED", fixed_in=("2.0", "1.9")),
            "K-1 was closed in the tracker as not planned, fixed in 2.0 and 1.9",
            id="a resolution and fixes",
        ),
    ],
)
def test_a_look_at_the_issue_tells_its_closing_and_its_reopening(
    before: Condition | None, now: Condition, sentence: str
) -> None:
    assert regression.change(issue(condition=before), now) == sentence


def test_a_regression_is_identified_by_its_closing_and_its_release() -> None:
    result = Regression(release="2.0", occurrences=3, fixed_in="", closed_at=1234.9)

    assert regression.subject(result) == "1234 2.0"
    assert regression.subject(replace(result, closed_at=None)) == "0 2.0"
    assert regression.facts(result, "reopen") == {
        "release": "2.0",
        "occurrences": 3,
        "fixed_in": "",
        "answer": "reopen",
        "closed_at": 1234,
    }
    assert "closed_at" not in regression.facts(replace(result, closed_at=None), "reopen")


def rule(of: Group, expected: dict[str, int], condition: Condition = CLOSED, **route: Any) -> str:
    return verdict(of, issue(expected, condition), condition, replace(ROUTE, **route)).rule


def test_nothing_is_new_where_no_release_has_more_than_before() -> None:
    grew_not = group(line("1.0", 5, 500.0, 1500.0, last=2000))

    assert rule(grew_not, {TOTAL: 5, "1.0": 5}) == "nothing-new"
    assert rule(grew_not, {TOTAL: 5, "1.0": 4}) == "known-at-closing"
    assert rule(grew_not, {TOTAL: 5, "1.0": 6}) == "nothing-new"


def test_growth_at_the_moment_of_the_closing_is_not_new() -> None:
    assert rule(group(line("1.0", 5, 500.0, CLOSED_AT)), {TOTAL: 5, "1.0": 4}) == "nothing-new"
    assert rule(group(line("1.0", 5, 500.0, CLOSED_AT + 1)), {TOTAL: 5, "1.0": 4}) == "known-at-closing"


def test_without_a_time_of_closing_only_releases_never_shown_are_new() -> None:
    undated = replace(CLOSED, closed_at=None)
    ledgered = group(line("1.0", 5, 500.0), line("2.0", 3, 1500.0), line(OTHER_RELEASES, 9, 1500.0))

    assert rule(ledgered, {TOTAL: 5, "1.0": 5, OTHER_RELEASES: 2}, undated) == "known-releases"
    assert rule(ledgered, {TOTAL: 15, "1.0": 5, "2.0": 1}, undated) == "known-at-closing"


def test_the_row_of_surplus_releases_is_never_compared_with_a_release() -> None:
    ledgered = group(line("1.0", 5, 500.0), line(OTHER_RELEASES, 9, 500.0), line("2.0", 3, 1500.0, last=2000))

    assert rule(ledgered, {TOTAL: 14, "1.0": 5, OTHER_RELEASES: 9}) == "known-releases"


@pytest.mark.parametrize(
    ("occurrences", "last", "expected"),
    [
        (5, 2000, "unknown-release"),
        (4, 2000, "nothing-new"),
        (5, 1000, "nothing-new"),
        (5, 900, "nothing-new"),
        (5, None, "unknown-release"),
    ],
)
def test_without_a_release_one_more_is_new(occurrences: int, last: int | None, expected: str) -> None:
    assert rule(make_group(occurrences=occurrences, last_seen=last), {TOTAL: 4}) == expected


def test_without_a_release_the_route_may_want_several_new_ones() -> None:
    bare = make_group(occurrences=6, last_seen=2000)
    keys: dict[str, Any] = {"unknown_release": "regression"}

    assert rule(bare, {TOTAL: 4}, min_regression_occurrences=2, **keys) == "unknown-release"
    assert rule(bare, {TOTAL: 4}, min_regression_occurrences=3, **keys) == "min-regression-occurrences"
    undated = replace(CLOSED, closed_at=None)
    assert rule(make_group(occurrences=6, last_seen=None), {TOTAL: 4}, undated) == "unknown-release"


def test_a_label_or_a_lock_asks_for_silence_whatever_came() -> None:
    more = group(line("1.0", 9, 500.0), line("2.0", 1, 1500.0, last=2000))
    expected = {TOTAL: 9, "1.0": 9}

    assert rule(more, expected) == "known-releases"
    assert rule(more, expected, replace(CLOSED, labels=("syncd:ignore",))) == "ignore-label"
    assert rule(more, expected, replace(CLOSED, labels=("syncd:ignore",)), ignore_label="") == "known-releases"
    assert rule(more, expected, replace(CLOSED, locked=True)) == "locked"


def test_of_two_spellings_of_one_release_the_first_is_named() -> None:
    spelled = group(line("1.0", 1, 500.0), line("2.0", 2, 1500.0, last=2000), line("v2.0", 3, 1500.0, last=2000))
    result = verdict(spelled, issue({TOTAL: 1, "1.0": 1}), CLOSED, ROUTE)

    assert result.regression is not None
    assert result.regression.release == "2.0"


def test_which_verdicts_belong_into_the_status_comment() -> None:
    def noted(of: Group, expected: dict[str, int], condition: Condition = CLOSED, **route: Any) -> bool:
        return verdict(of, issue(expected, condition), condition, replace(ROUTE, **route)).note

    more = group(line("1.0", 9, 500.0, 1500.0, last=2000), line("2.0", 1, 1500.0, last=2000))
    assert noted(group(line("1.0", 9, 500.0, 1500.0, last=2000)), {TOTAL: 5, "1.0": 5})
    assert noted(more, {TOTAL: 9, "1.0": 9}, min_regression_occurrences=2)
    assert noted(more, {TOTAL: 9, "1.0": 9}, replace(CLOSED, fixed_in=("3.0",)))
    assert not noted(GROUP, ledger(GROUP))


def test_of_several_releases_that_cannot_be_compared_all_are_counted_and_one_is_named() -> None:
    strange = group(line("1.0", 1, 500.0), line("xx", 2, 1500.0, last=2000), line("yy", 3, 1500.0, last=2000))
    result = verdict(strange, issue({TOTAL: 1, "1.0": 1}), CLOSED, replace(ROUTE, unknown_release="regression"))

    assert result.regression is not None
    assert (result.regression.release, result.regression.occurrences) == ("xx", 5)


def test_of_several_regressing_releases_the_newest_is_named() -> None:
    several = group(line("1.0", 1, 500.0), line("2.0", 2, 1500.0, last=2000), line("3.0", 3, 1500.0, last=2000))
    result = verdict(several, issue({TOTAL: 1, "1.0": 1}), CLOSED, ROUTE)

    assert result.regression is not None
    assert (result.regression.release, result.regression.occurrences) == ("3.0", 5)
    late = replace(ROUTE, hotfix_regressions=True)
    hotfix = group(line("1.0.1", 1, 500.0), line("1.0.5", 1, 400.0), line("1.0.3", 2, 1500.0, last=2000))
    fixed = replace(CLOSED, fixed_in=("2.0",))
    assert verdict(hotfix, issue({TOTAL: 2, "1.0.1": 1, "1.0.5": 1}, fixed), fixed, late).regression is None


@pytest.mark.parametrize(
    ("fix", "release", "expected"),
    [
        # Whoever closes an issue names the product, the application does not, or the other way round.
        ("iOS 5.1", "5.1", "fixed-in regression"), ("iOS 5.1", "5.0.9", "fixed-in"), ("Release 2.4", "2.4.0-ios", "fixed-in regression"),
        ("2.4.0", "com.acme.game@2.4.1", "fixed-in regression"), ("2.4.0", "com.acme.game@2.3.9", "fixed-in"),
        ("game-2.4", "editor-2.5", "incomparable"),
        # A fix that names no build covers all, and one that names a build covers that one and later ones.
        ("5.1", "5.1 (1250)", "fixed-in regression"), ("5.1 (1250)", "5.1 (1250)", "fixed-in regression"),
        ("5.1 (1250)", "5.1 (1234)", "fixed-in"), ("1.2.3+46", "1.2.3+44", "fixed-in"),
        # What is no version of this scheme reopens nothing.
        ("2.4.0", "29314046", "incomparable"), ("2.4.0", "20241105-0930", "incomparable"), ("2.4.0", "7b12345", "incomparable"),
        ("2.4.0", "Sprint 12", "incomparable"),
        # A milestone that is no release of the project counts as not given.
        ("2026-Q1", "2.4.0", "known-releases regression"), ("Sprint 12", "2.4.0", "known-releases regression"),
        # A preview comes before a candidate, a hotfix after the release.
        ("8.0.0-rc.1", "8.0.0-preview.7", "fixed-in"), ("2.4.0", "2.4.0-hotfix1", "fixed-in regression"), ("2.4.0", "2.4.0-1234", "fixed-in regression"),
    ],
)  # fmt: skip
def test_a_fix_is_compared_as_people_name_it(fix: str, release: str, expected: str) -> None:
    crashed = group(line("0.1", 1, 500.0), line(release, 2, 1500.0, last=2000))
    fixed = replace(CLOSED, fixed_in=(fix,))
    result = verdict(crashed, issue({TOTAL: 1, "0.1": 1}, fixed), fixed, ROUTE)

    assert f"{result.rule}{' regression' * (result.regression is not None)}" == expected


def test_a_later_build_than_all_known_ones_is_a_regression() -> None:
    builds = group(line("5.1 (1234)", 9, 500.0), line("5.1 (1250)", 500, 1500.0, last=2000))

    assert rule(builds, {TOTAL: 9, "5.1 (1234)": 9}) == "known-releases"
    result = verdict(builds, issue({TOTAL: 9, "5.1 (1234)": 9}), CLOSED, ROUTE)
    assert result.regression is not None
    assert result.regression.release == "5.1 (1250)"


TWO_LINES = {TOTAL: 5, "5.1": 3, "7.2": 2}


@pytest.mark.parametrize(
    ("release", "count", "expected", "comment"),
    [
        ("5.2", 500, "other-line", True),
        ("5.2", 10, "other-line", True),
        ("5.2", 9, "other-line", False),
        ("5.0", 500, "older", False),
        ("7.3", 1, "known-releases", False),
        ("6.0", 500, "older", False),
    ],
)
def test_a_line_that_goes_on_beside_the_newest_one_gets_a_comment_for_many_crashes(
    release: str, count: int, expected: str, comment: bool
) -> None:
    platforms = group(line("5.1", 3, 500.0), line("7.2", 2, 600.0), line(release, count, 1500.0, last=2000))
    result = verdict(platforms, issue(TWO_LINES, CLOSED), CLOSED, ROUTE)

    assert result.rule == ("known-releases" if expected == "older" else expected)
    assert (result.remark is not None, result.regression is not None) == (comment, release == "7.3")
    assert ("name the fix of this line if it has one" in result.reason) is (expected == "other-line")


def test_a_named_fix_of_its_own_line_decides_instead() -> None:
    platforms = group(line("5.1", 3, 500.0), line("7.2", 2, 600.0), line("5.2", 500, 1500.0, last=2000))

    assert rule(platforms, TWO_LINES, replace(CLOSED, fixed_in=("5.2", "7.3"))) == "fixed-in"
    assert rule(platforms, TWO_LINES, replace(CLOSED, fixed_in=("5.3", "7.3"))) == "fixed-in"
    fixed = replace(CLOSED, fixed_in=("5.2", "7.3"))
    assert verdict(platforms, issue(TWO_LINES, fixed), fixed, ROUTE).regression is not None


@pytest.mark.parametrize(
    ("pattern", "named", "fixes", "unusable"),
    [
        (None, ("2.4.0", "2026-Q1"), ("2.4.0",), ("2026-Q1",)),
        ("^Game (.*)", ("Game 2.4.0",), ("2.4.0",), ()),
        ("^Game (.*)", ("2.4.0", "Editor 2.4.0"), (), ("2.4.0", "Editor 2.4.0")),
        (r"\d+\.\d+", ("March: 2.4 and more",), ("2.4",), ()),
        ("^(?:Game )?([0-9.]*)", ("Game ", "Game 2.4.0"), ("2.4.0",), ("Game ",)),
        ("^Game (.*)", ("Game  2.4.0 ",), ("2.4.0",), ()),
        ("^Game(?: (.*))?$", ("Game",), (), ("Game",)),
        ("^(.*)$", ("Backlog", "2.3.x"), ("2.3.x",), ("Backlog",)),
        ("^Спринт (.*)", ("Спринт 2.4.0",), ("2.4.0",), ()),
    ],
)
def test_a_pattern_reads_the_release_out_of_a_fix_version(
    pattern: str | None, named: tuple[str, ...], fixes: tuple[str, ...], unusable: tuple[str, ...]
) -> None:
    condition, route = replace(CLOSED, fixed_in=named), replace(ROUTE, fixed_in_pattern=pattern)

    assert regression.fixes_named(condition, route, ["2.3.1", "2.4.0"]) == (fixes, unusable)


def test_a_fix_that_the_pattern_reads_decides_and_another_name_counts_as_not_given() -> None:
    crashed = group(line("2.3.1", 1, 500.0), line("2.4.0", 2, 1500.0, last=2000))
    route = {"fixed_in_pattern": "^Game (.*)"}
    baseline = {TOTAL: 1, "2.3.1": 1}

    assert rule(crashed, baseline, replace(CLOSED, fixed_in=("Game 2.5.0",)), **route) == "fixed-in"
    assert rule(crashed, baseline, replace(CLOSED, fixed_in=("2.5.0",)), **route) == "known-releases"
    condition = replace(CLOSED, fixed_in=("2.5.0",))
    result = verdict(crashed, issue(baseline, condition), condition, replace(ROUTE, fixed_in_pattern="^Game (.*)"))
    assert result.regression is not None
    assert "its fix version 2.5.0 names no release of the project" in result.reason


def test_a_baseline_whose_releases_are_more_than_their_total_brings_no_new_occurrence() -> None:
    same = group(line("1.0", 5, 500.0, last=2000), at=1500.0, last_seen=2000)

    assert rule(same, {TOTAL: 3, "1.0": 5}) == "nothing-new"


@pytest.mark.parametrize(
    ("known_then", "without_release"),
    [
        pytest.param(12, 4, id="all others came since the closing"),
        pytest.param(14, 2, id="an alias brought two of before"),
        pytest.param(15, 1, id="an alias brought three of before"),
        pytest.param(16, 0, id="an alias brought all of them"),
    ],
)
def test_occurrences_that_an_alias_brings_from_before_the_closing_are_not_new(
    known_then: int, without_release: int
) -> None:
    """Of 19 occurrences 15 have a release; three of those came since the closing, and one release was counted down by one."""
    rows = [line("1.0", 6, 500.0, 1500.0), line("1.1", 5, 500.0, 1500.0), line("1.2", 4, 500.0, 1500.0)]
    trail = (Point(at=500.0, occurrences=known_then), Point(at=1500.0, occurrences=19))
    merged = group(*rows, trail=trail, occurrences=19)
    result = verdict(merged, issue({TOTAL: 13, "1.0": 5, "1.1": 3, "1.2": 5}), CLOSED, ROUTE)

    assert result.inputs["new"] == 3 + without_release
    assert result.inputs["releases"] == "1.1"


@pytest.mark.parametrize(
    ("count", "elsewhere", "expected"),
    [
        pytest.param(1, None, "unconfirmed-release", id="one occurrence"),
        pytest.param(2, None, "known-releases", id="two occurrences"),
        pytest.param(3, None, "known-releases", id="three occurrences"),
        pytest.param(1, False, "unconfirmed-release", id="one occurrence, and one of another group"),
        pytest.param(1, True, "known-releases", id="one occurrence, and several of other groups"),
    ],
)
def test_a_release_far_above_all_others_needs_a_second_occurrence(
    count: int, elsewhere: bool | None, expected: str
) -> None:
    leaping = group(line("1.0", 5, 500.0), line("999.9.9", count, 1500.0, last=2000))
    project = () if elsewhere is None else (ProjectRelease("999.9.9", 1500.0, elsewhere),)
    result = verdict(leaping, issue({TOTAL: 5, "1.0": 5}), CLOSED, ROUTE, project)

    assert result.rule == expected
    assert (result.regression is not None) is (expected == "known-releases")


@pytest.mark.parametrize(
    ("fixed_in", "noticed_elsewhere", "expected"),
    [
        pytest.param((), 400.0, "known-at-closing", id="no fix, and out at the closing"),
        pytest.param((), 1500.0, "known-releases", id="no fix, and out after the closing"),
        pytest.param(("2.0",), 400.0, "fixed-in", id="the fix, out at the closing: this crash had not occurred in it"),
        pytest.param(("2.0",), 1500.0, "fixed-in", id="the fix, out after the closing"),
    ],
)
def test_a_named_fix_counts_though_other_crashes_occurred_in_it(
    fixed_in: tuple[str, ...], noticed_elsewhere: float, expected: str
) -> None:
    crashed = group(line("1.0", 5, 500.0), line("2.0", 2, 1500.0, last=2000))
    condition, project = replace(CLOSED, fixed_in=fixed_in), (ProjectRelease("2.0", noticed_elsewhere, True),)
    result = verdict(crashed, issue({TOTAL: 5, "1.0": 5}, condition), condition, ROUTE, project)

    assert result.rule == expected
    assert (result.regression is None) is (expected == "known-at-closing")
    assert ("from this or other crashes" in result.reason) is (expected == "known-at-closing")


@pytest.mark.parametrize(
    ("noticed", "expected"), [(400.0, "fixed-in"), (CLOSED_AT, "fixed-in"), (1001.0, "early-build")]
)
def test_a_pre_release_of_the_fix_is_a_fact_of_its_own_if_it_came_out_after_the_closing(
    noticed: float, expected: str
) -> None:
    crashed = group(line("5.0", 5, 500.0), line("5.1-beta", 2, 1500.0, last=2000))
    project = (ProjectRelease("5.1-beta", noticed, True),)
    for fix in ("5.1", "iOS 5.1"):
        condition = replace(CLOSED, fixed_in=(fix,))
        result = verdict(crashed, issue({TOTAL: 5, "5.0": 5}, condition), condition, ROUTE, project)

        assert (result.rule, result.regression) == (expected, None)


@pytest.mark.parametrize(
    ("fixed_in", "release", "expected"),
    [
        pytest.param((), "5.1 (1234)", "known-releases", id="older than one of the newest, the same as another"),
        pytest.param((), "5.1 (1300)", "same-release", id="newer than one of the newest, the same as another"),
        pytest.param(
            ("5.1", "5.1 (1250)"), "5.1 (1234)", "incomparable", id="older than one fix, not older than another"
        ),
        pytest.param(("iOS 5.1", "iOS 4.3"), "4.3.1", "fixed-in regression", id="newer than the fix of its line"),
        pytest.param(("iOS 5.1", "iOS 4.3"), "4.2.9", "fixed-in", id="older than the fix of its line"),
        pytest.param(("5.3",), "4.4", "fixed-in", id="another line than the fix"),
    ],
)
def test_the_nearest_of_several_releases_with_the_fix_decides(
    fixed_in: tuple[str, ...], release: str, expected: str
) -> None:
    earlier = [line("5.1", 1, 500.0), line("5.1 (1250)", 1, 500.0), line("4.2", 1, 500.0)]
    crashed = group(*earlier, line(release, 2, 1500.0, last=2000))
    condition = replace(CLOSED, fixed_in=fixed_in)
    result = verdict(crashed, issue({TOTAL: 3, "5.1": 1, "5.1 (1250)": 1, "4.2": 1}, condition), condition, ROUTE)

    assert f"{result.rule}{' regression' * (result.regression is not None)}" == expected


def test_a_rebuild_of_a_known_release_of_an_older_line_is_a_later_patch_of_it() -> None:
    crashed = group(line("1.0.3", 1, 500.0), line("1.0.3-hotfix1", 2, 1500.0, last=2000))
    fixed = replace(CLOSED, fixed_in=("2.0",))

    assert rule(crashed, {TOTAL: 1, "1.0.3": 1}, fixed) == "fixed-in"
    assert rule(crashed, {TOTAL: 1, "1.0.3": 1}, fixed, hotfix_regressions=True) == "hotfix-line"


@pytest.mark.parametrize(
    ("occurrences", "reason"),
    [
        (3, "2 new occurrences in xx, which cannot be compared"),
        (6, "5 new occurrences in xx, which cannot be compared"),
    ],
)
def test_what_has_no_release_or_none_that_can_be_compared_is_one_regression(occurrences: int, reason: str) -> None:
    strange = group(line("1.0", 1, 500.0), line("xx", 2, 1500.0, last=2000), at=1500.0, occurrences=occurrences)
    result = verdict(strange, issue({TOTAL: 1, "1.0": 1}), CLOSED, replace(ROUTE, unknown_release="regression"))

    assert reason in result.reason
    assert result.regression is not None
    assert result.regression.release == "xx"


def test_of_crashes_without_a_release_no_release_is_named() -> None:
    bare = make_group(occurrences=6, last_seen=2000)
    result = verdict(bare, issue({TOTAL: 4}), CLOSED, replace(ROUTE, unknown_release="regression"))

    assert "2 new occurrences without a release" in result.reason
    mixed = group(line("1.0", 1, 500.0), line("0.9", 2, 1500.0, last=2000), at=1500.0, occurrences=5)
    assert verdict(mixed, issue({TOTAL: 1, "1.0": 1}), CLOSED, ROUTE).inputs["releases"] == "0.9"


@pytest.mark.parametrize(
    ("count", "where", "they"),
    [
        (1, "1 new occurrence in 2.0, ", "but it crashed"),
        (2, "2 new occurrences in 2.1 (1) and 2.0 (1), ", "but they crashed"),
        (3, "3 new occurrences in 2.2 (1), 2.1 (1) and 2.0 (1), ", "but they crashed"),
    ],
)
def test_the_releases_of_new_occurrences_are_counted_each_if_there_are_several(
    count: int, where: str, they: str
) -> None:
    names = [f"2.{number}" for number in range(count)]
    rebuilt = group(*(line(name, 2, 500.0, 1500.0, last=2000) for name in names), line("1.0", 1, 500.0))
    baseline = {TOTAL: count + 1, "1.0": 1} | dict.fromkeys(names, 1)
    fixed = replace(CLOSED, fixed_in=("1.5",))
    reason = verdict(rebuilt, issue(baseline, fixed), fixed, ROUTE).reason

    assert where in reason
    assert they in reason
    prior = verdict(rebuilt, issue(baseline), CLOSED, ROUTE).reason
    assert where in prior
    assert "from this or other crashes" not in prior

"""Which groups a merged one was merged of, and what it inherits of them."""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace as with_fields

from syncd.core import merges, regression
from syncd.core.aliases import with_aliases
from syncd.core.merges import Alike
from syncd.core.quantities import utc
from syncd.model import Action, Call, Condition, Group, Identity, Issue, IssueState, Plan, Point, Release
from tests.factories import make_policy

AT = 1_790_000_000.0
MERGED = "0" * 24 + "c" * 40


def group(fingerprint: str, occurrences: int, begins: float = AT, ends: float = AT, release: str = "1.0") -> Group:
    row = Release(release=release, occurrences=occurrences, noticed_at=begins, grown_at=ends)
    trail = (Point(at=begins, occurrences=1), Point(at=ends, occurrences=occurrences))
    identity = Identity("acme", "game", fingerprint)
    return Group(identity=identity, occurrences=occurrences, releases=(row,), trail=trail, revision=1)


def linked(key: str, condition: Condition | None = None, **baseline: int) -> Issue:
    return Issue(
        tracker="here",
        state=IssueState.LINKED,
        marker="m",
        key=key,
        remote_id=key,
        condition=condition,
        baseline=baseline,
    )


@given(some.lists(some.integers(1, 50), min_size=1, max_size=5), some.integers(-60, 60))
def test_a_group_was_merged_of_all_that_are_alike_and_fit_or_of_none(counts: list[int], more: int) -> None:
    alike = [Alike(number, group(f"f{number}", count), linked(f"K-{number}")) for number, count in enumerate(counts)]
    total = max(1, sum(counts) + more)
    parts = merges.parts(group(MERGED, total, AT + 100.0, AT + 200.0), alike)

    assert len(parts) == (len(counts) if total >= sum(counts) else 0)
    assert merges.parts(group("c" * 64, total, AT + 100.0, AT + 200.0), alike) == ()


@given(some.lists(some.booleans(), min_size=1, max_size=5))
def test_a_group_that_goes_on_is_no_part(goes_on: list[bool]) -> None:
    alike = [
        Alike(number, group(f"f{number}", 3, ends=AT + 150.0 if still else AT), linked(f"K-{number}"))
        for number, still in enumerate(goes_on)
    ]
    parts = merges.parts(group(MERGED, 100, AT + 100.0, AT + 200.0), alike)

    assert [entry.group_id for entry in parts] == [number for number, still in enumerate(goes_on) if not still]


def test_without_an_issue_of_theirs_there_is_nothing_to_take_over() -> None:
    wanted = replace(linked("K-1"), state=IssueState.WANTED)
    for issue in (None, wanted, replace(wanted, state=IssueState.DROPPED)):
        assert merges.parts(group(MERGED, 9, AT + 100.0), [Alike(1, group("f1", 9), issue)]) == ()


@pytest.mark.parametrize(
    ("counted", "least"),
    [
        pytest.param(15, 15, id="as many as they together"),
        pytest.param(16, 16, id="more than they together"),
        pytest.param(14, 29, id="fewer: it was not merged of them"),
        pytest.param(None, 15, id="no merged part"),
    ],
)
def test_a_merged_part_contains_those_before_it(counted: int | None, least: int) -> None:
    alike = [Alike(1, group("f1", 10), linked("K-1")), Alike(2, group("f2", 5), None)]
    if counted is not None:
        alike.append(Alike(3, group("0" * 24 + "b" * 40, counted, AT + 50.0, AT + 60.0), None))

    assert len(merges.parts(group(MERGED, least, AT + 100.0), alike)) == len(alike)
    assert merges.parts(group(MERGED, least - 1, AT + 100.0), alike) == ()


@pytest.mark.parametrize(
    ("latest", "is_part"),
    [
        pytest.param([AT, AT + 50.0, AT + 100.0], True, id="notified last when the merged group was first"),
        pytest.param([AT, AT + 50.0, AT + 101.0], False, id="notified last after the merged group was first"),
        pytest.param([AT], True, id="notified once"),
        pytest.param([], False, id="nothing is remembered of it"),
    ],
)
def test_a_part_was_notified_last_when_the_merged_group_was_first_or_before(latest: list[float], is_part: bool) -> None:
    ended = with_fields(group("f1", 10), trail=tuple(Point(at=at, occurrences=10) for at in latest))
    merged = group(MERGED, 10, AT + 100.0, AT + 200.0)
    for whole in (merged, with_fields(merged, trail=(), first_seen=int(AT + 100.0))):
        assert bool(merges.parts(whole, [Alike(1, ended, linked("K-1"))])) is is_part


def test_a_closed_issue_leaves_its_baseline_and_all_of_the_rest_to_the_merged_group() -> None:
    rest = [group("f2", 5), group("f3", 3, release="2.0")]

    assert merges.baseline(replace(linked("K-1"), baseline={regression.TOTAL: 9, "1.0": 8}), rest) == {
        regression.TOTAL: 17,
        "1.0": 13,
        "2.0": 3,
    }


def test_the_successor_is_the_first_open_issue_else_the_one_closed_last() -> None:
    closed = [linked(f"K-{number}", Condition(closed=True, closed_at=at)) for number, at in enumerate((5.0, 9.0, 7.0))]
    opened = [linked("K-8"), linked("K-9", Condition())]

    assert merges.successor(closed).key == "K-1"
    for size in range(1, 3):
        for some_open in combinations(opened, size):
            assert merges.successor([*closed, *some_open]).key == some_open[0].key


def test_what_is_counted_no_more_of_is_as_old_as_the_parts_say() -> None:
    parts = [group("f1", 10, ends=AT + 10.0), group("f2", 5, ends=AT + 20.0)]
    for occurrences, grown_at in ((14, AT + 20.0), (15, AT + 20.0), (16, AT + 200.0)):
        whole = group(MERGED, occurrences, AT + 100.0, AT + 200.0)
        inherited = merges.inherited(whole, parts, with_aliases(whole, parts))
        (row,) = inherited.releases

        assert (row.occurrences, row.noticed_at, row.grown_at) == (max(15, occurrences), AT, grown_at)

    plain = with_fields(whole, identity=Identity("acme", "game", "c" * 64))
    added = with_aliases(plain, parts)
    assert merges.inherited(plain, parts, added) is added


def test_the_age_of_a_release_is_that_of_the_same_release_of_the_parts() -> None:
    parts = [group("f1", 10, ends=AT + 10.0, release=name) for name in ("0.9", "1.1")]
    whole = group(MERGED, 10, AT + 100.0, AT + 200.0)
    rows = merges.inherited(whole, parts, with_aliases(whole, parts)).releases

    assert {row.release: row.grown_at for row in rows} == {"1.0": AT + 200.0, "0.9": AT + 10.0, "1.1": AT + 10.0}


NOW, DAY = AT + 300.0, 86400.0
FIRST, SECOND, THIRD = (digit * 64 for digit in "123")
OPENED, CLOSED = Condition(), Condition(closed=True, resolution="done", closed_at=AT + 50.0)


def decide(on_merge: str, alike: list[Alike], whole: Group | None = None, now: float = NOW) -> Plan | None:
    merged = group(MERGED, 15, AT + 100.0, AT + 200.0) if whole is None else whole
    return merges.decision(merged, make_policy(on_merge=on_merge), alike, (), now)


def two(first: Issue | None, second: Issue | None) -> list[Alike]:
    return [Alike(1, group(FIRST, 10), first), Alike(2, group(SECOND, 5), second)]


@pytest.mark.parametrize(
    ("alike", "names", "start", "key"),
    [
        (two(linked("K-1"), None), "111111111111 (K-1, open) and 222222222222", "1" * 12, "K-1"),
        (
            two(linked("K-1", CLOSED), linked("K-2", OPENED)),
            "111111111111 (K-1, closed) and 222222222222 (K-2, open)",
            "2" * 12,
            "K-2",
        ),
    ],
)
def test_a_merged_group_is_held_for_a_day_in_which_people_may_give_it_the_issue(
    alike: list[Alike], names: str, start: str, key: str
) -> None:
    held, until = decide("hold", alike), AT + 100.0 + DAY

    assert held is not None
    assert (held.action, held.rule, held.until) == (Action.HOLD, merges.MERGED, until)
    assert held.inputs == {"route": "main", "groups": 2}
    assert held.reason == (
        f"Backtrace merged it of {names}: it is filed at {utc(until)}, unless `syncd alias add {start} {MERGED}` gives it {key} "
        "before, or `syncd file` another one"
    )
    assert decide("hold", alike, now=until - 1) is not None
    assert decide("hold", alike, now=until) is None
    assert decide("hold", alike, now=until + 1) is None


def test_a_clock_that_was_set_back_holds_a_merged_group_no_longer_than_a_day() -> None:
    held = decide("hold", two(linked("K-1"), None), now=AT)

    assert held is not None
    assert held.until == AT + DAY


def test_the_route_may_file_a_merged_group_as_any_other() -> None:
    assert decide("file", two(linked("K-1"), None)) is None
    assert decide("hold", two(None, None)) is None


def test_the_route_may_give_a_merged_group_the_issue_of_a_part_unless_a_create_has_no_answer() -> None:
    parts = two(linked("K-1", CLOSED), linked("K-2", OPENED))
    adopted = decide("adopt", parts)
    assert adopted is not None
    assert (adopted.action, adopted.rule, adopted.call) == (Action.ADOPT, merges.MERGED, Call.UPDATE)
    assert adopted.reason.endswith("(K-2, open): it takes over K-2, and they become its aliases")

    for state in (IssueState.INTENDED, IssueState.IN_DOUBT):
        doubts = [replace(linked("K-3"), state=state, key=None)] * 2
        parts = [Alike(1, group(FIRST, 4), linked("K-1")), Alike(4, group(SECOND, 1), None)]
        parts += [Alike(2, group(THIRD, 5), doubts[0]), Alike(3, group("4" * 64, 5), doubts[1])]
        waiting = decide("adopt", parts)
        assert waiting is not None
        assert (waiting.action, waiting.rule, waiting.until) == (Action.HOLD, merges.MERGED, NOW + 60.0)
        assert waiting.reason.endswith("; a create for 333333333333 has no answer yet")


@pytest.mark.parametrize(
    ("occurrences", "release", "reason"),
    [
        pytest.param(15, None, "K-1 is closed and has no new occurrence since its closing", id="nothing new"),
        pytest.param(16, None, "1 new occurrence in 1.0, known at the closing", id="one more of a known release"),
        pytest.param(15, "2.0", None, id="some of a later release: a regression"),
    ],
)
def test_a_group_merged_of_closed_issues_is_held_until_its_crash_comes_back(
    occurrences: int, release: str | None, reason: str | None
) -> None:
    whole = group(MERGED, occurrences, AT + 100.0, AT + 200.0)
    if release is not None:
        later = Release(release=release, occurrences=3, noticed_at=AT + 150.0, grown_at=AT + 150.0)
        whole = with_fields(whole, releases=(*whole.releases, later), occurrences=occurrences + 3)
    closed = linked("K-1", CLOSED, **{regression.TOTAL: 10, "1.0": 10})
    held = decide("hold", two(closed, None), whole)

    if reason is None:
        assert held is None
    else:
        assert held is not None
        assert (held.action, held.rule, held.until) == (Action.HOLD, merges.INHERITED, None)
        assert reason in held.reason

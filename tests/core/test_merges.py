"""Which groups a merged one was merged of, and what it inherits of them."""

from dataclasses import replace
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace as with_fields

from syncd.core import merges
from syncd.core.aliases import with_aliases
from syncd.core.merges import Alike
from syncd.model import Condition, Group, Identity, Issue, IssueState, Point, Release

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


def test_a_merged_part_contains_those_before_it() -> None:
    before = Alike(3, group("0" * 24 + "b" * 40, 15, AT + 50.0, AT + 60.0), None)
    alike = [Alike(1, group("f1", 10), linked("K-1")), Alike(2, group("f2", 5), None), before]

    assert len(merges.parts(group(MERGED, 15, AT + 100.0), alike)) == 3
    assert merges.parts(group(MERGED, 14, AT + 100.0), alike) == ()


def test_the_successor_is_the_first_open_issue_else_the_one_closed_last() -> None:
    closed = [linked(f"K-{number}", Condition(closed=True, closed_at=at)) for number, at in enumerate((5.0, 9.0, 7.0))]
    opened = [linked("K-8"), linked("K-9", Condition())]

    assert merges.successor(closed).key == "K-1"
    for size in range(1, 3):
        for some_open in combinations(opened, size):
            assert merges.successor([*closed, *some_open]).key == some_open[0].key


def test_what_is_counted_no_more_of_is_as_old_as_the_parts_say() -> None:
    parts = [group("f1", 10, ends=AT + 10.0), group("f2", 5, ends=AT + 20.0)]
    for occurrences, grown_at in ((15, AT + 20.0), (16, AT + 200.0)):
        whole = group(MERGED, occurrences, AT + 100.0, AT + 200.0)
        inherited = merges.inherited(whole, parts, with_aliases(whole, parts))
        (row,) = inherited.releases

        assert (row.occurrences, row.noticed_at, row.grown_at) == (occurrences, AT, grown_at)

    plain = with_fields(whole, identity=Identity("acme", "game", "c" * 64))
    added = with_aliases(plain, parts)
    assert merges.inherited(plain, parts, added) is added

"""The order of releases, with names as they occur in practice."""

import random
import string
import tomllib
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.releases import Kinship, Order, compare, is_final, kinship, leaps, newest, ordered
from tests.core.release_judges import JUDGES, LISTS, Judge, pairs, rates

KINDS = tomllib.loads(LISTS.read_text())

# Each line rises from left to right.
RISING = [
    # numbers of any length
    ["1.0", "1.1", "1.2", "1.10", "2.0"],
    ["145.1.87.42", "145.1.87.100", "145.1.88.0", "145.2"],
    ["9" * 30, "1" + "0" * 30, "1" + "0" * 29 + "1" + "0"],
    ["1." + "9" * 5000, "2.0"],
    # what stands before a number
    ["v1.2", "V1.3", "release-1.4", "version 1.5", "Release_1.6", "ver.1.7", "rel 1.8", "refs/tags/v1.9", "R2.0", "Milestone 2.1"],
    # SemVer 2.0.0, section 11
    ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0"],
    ["0.0.0-development", "0.0.0", "0.0.1"],
    ["2.4.0-rc.1", "2.4.0", "2.4.1-rc.1"],
    # PEP 440
    ["1.0.dev3", "1.0a1", "1.0a2", "1.0b1", "1.0rc1", "1.0", "1.0.post1", "1.0.post2", "1.1.dev1"],
    ["1.0a1.dev1", "1.0a1", "1.0a1.post1", "1.0a2"],
    ["1.0.post1.dev2", "1.0.post1"],
    ["0!9.9", "1!0.1"],
    # .NET and Minecraft: a preview comes before a candidate
    ["1.0pre3", "1.0preview4", "1.0c1", "1.0rc2", "1.0"],
    # git describe: so many commits after
    ["v1.2.3", "v1.2.3-1-gabc123", "v1.2.3-9-gabcdef0123456789", "v1.2.3-14-gabc1234-dirty", "v1.2.3-15-gabc1", "v1.2.4"],
    ["2.0-rc1", "2.0-rc1-14-gabc1234", "2.0-rc2", "2.0"],
    # a rebuild, a letter, a patch, a service pack and a hotfix come after
    ["1.0-rc1", "1.0", "1.0-1", "1.0-9", "1.0-10", "1.0a", "1.0b"],
    ["3.0-rc-3", "3.0", "3.0-hotfix1", "3.0-hotfix2", "3.0.1"],
    ["3.0", "3.0 SP", "3.0 SP1", "3.0 SP2", "3.0 SP2 Hotfix 1", "3.1"],
    ["1.0b1", "1.0.0", "1.0b"],
    ["1.17.1", "1.17.1-f2", "1.17.1-f10", "1.17.2"],
    ["1.4", "1.4left2", "1.4left10", "1.5"],
    ["1.0", "1.0-1", "1.0-1.left2", "1.0-2"],
    ["4.0-0.rc1", "4.0-0.rc1.beta2", "4.0-0.rc2", "4.0-0", "4.0-1"],
    # unless the author says that it comes before
    ["1.0~git20240105", "1.0~rc1", "1.0", "1.0-1~bpo12+1", "1.0-1"],
    # a product may change from numbers to a calendar, and a major version needs no second number if its spelling says so
    ["1.9", "24.04", "2023.12.31", "2024.1", "2024.10.1", "2024.10.2"],
    ["v1", "v1.1", "v2-rc1", "v2", "v2.0.1"],
    ["v1_9_0", "v1_10_0-rc1", "v1_10_0", "v1.11"],
    ["12 beta 2.1", "v12", "13 beta 1.0", "13.0"],
    # in Debian's version a word after "+" comes after, also a short one; a word behind the numbers does so anywhere
    ["2.4-1", "2.4+p2-1", "2.4+p3-1"],
    ["2.4", "2.4pg-1", "2.5"],
    ["2.4b1.1233", "2.4b1.1234", "2.4"],
    # builds break ties
    ["5.0 (9999)", "5.1 (1234)", "5.1 (1250)", "5.2 (3)"],
    ["1.2.3+44", "1.2.3+46", "1.2.3+100"],
    ["1.0 (1.4)", "1.0 (1) (5)"],
    ["1.0 (1A100)", "1.0 (1A240)", "1.0 (1B12)"],
    ["2.4.0-b998", "2.4.0-b1234", "2.4.0-b10000"],
    ["2.4.0 (Beta 2)", "2.4.0 (9)", "2.4.0 (10)"],
    # families of their own
    ["20240229", "2024-03-01", "nightly-2024-05-03", "nightly 20240504", "2024/05/05", "daily_2025-01-01"],
    ["2024-05-03 12:30", "2024-05-03 12:30:01"],
    ["20240503-0930", "20240503-1015", "20240504101500", "2024-05-05T09:30:00"],
    ["1", "2", "1999", "2024", "29314046"],
    ["2022-q4", "Q1 2023", "2023-Q2"],
    ["CL29314046", "CL-29314047"],
    ["game-1.2", "game-1.10", "Game 2.0"],
    ["++UE4+Release-4.27-CL-18319896", "++UE5+Release-5.3-CL-27405482", "++UE5+Release-5.3-CL-29314046"],
]  # fmt: skip


@pytest.mark.parametrize("line", RISING, ids=lambda line: f"{line[0][:20]} … {line[-1][:20]}")
def test_a_line_rises(line: list[str]) -> None:
    for older_place, older in enumerate(line):
        assert compare(older, older) is Order.SAME
        for newer in line[older_place + 1 :]:
            assert compare(older, newer) is Order.OLDER
            assert compare(newer, older) is Order.NEWER
    assert newest(line) == (line[-1],)
    assert ordered(line) == line[::-1]


@pytest.mark.parametrize(
    ("release", "reference"),
    [
        ("1.2", "1.2.0"), ("1.0", "1.0.0.0"), ("0.0", "0.0.0"), ("v1.2", "1.2"), ("release-1.2", "version 1.2"), ("1.02", "1.2"),
        ("1.2.3+build.5", "1.2.3"), ("1.2.3+5", "1.2.3"), ("1.2.3 (456)", "1.2.3"), ("1.2.3 (a) (b)", "1.2.3"), ("1.2.3+left", "1.2.3+right"),
        ("1.0.dev1+5", "1.0.dev1"), ("1.0-hotfix1+5", "1.0-hotfix1"), ("2.4.0-u", "2.4.0"), ("1.0zip", "1.0"), ("1.0-left2", "1.0"), ("1.0 (5)", "1.0 (a)"),
        ("game2-beta-1.0", "game1-beta-1.0"), ("2.4.0-b1234", "2.4.0"), ("2.4.0-b1234", "2.4.0 (1234)"), ("2.4.0-rc100", "2.4.0-rc.100"),
        ("2.4.0 (rc 2)", "2.4.0-rc2"), ("2.4.0 (b12)", "2.4.0 (12)"),
        ("1.0rc1", "1.0-rc1"), ("1.0.RC1", "1.0rc1"), ("1.0alpha1", "1.0a1"), ("1.0-beta+x", "1.0-beta"), (" 1.2 ", "1.2"),
        ("1.0alpha", "1.0a0"), ("1.0.post", "1.0.post0"), ("1.0-rev2", "1.0.post2"), ("1.0-2", "1.0-r2"), ("nightly-2024-05-03", "20240503"),
        ("2024.1", "2024.01.0"), ("game-1.2", "GAME_1.2"), ("1.0.0-rc.01", "1.0.0-rc1"), ("1.0.dev", "1.0.dev0"), ("1.2.", "1.2"), ("2.1.x", "2.1"),
        ("2.4.0-ios", "2.4.0"), ("2.4.0-win64-shipping", "2.4.0"), ("2.4.0 (Windows 10)", "2.4.0"), ("2.4.0.Final", "2.4.0-GA"), ("2.4 - March", "2.4"),
        ("2.4.0-prod", "2.4.0-steam"), ("2.4.0-tachyon", "2.4.0-lazer"), ("128.0esr", "128.0"), ("2.4.0-x86_64", "2.4.0-arm64"), ("2.4.0-dirty", "2.4.0"),
        ("1.2.86.502.g8cd7fb22", "1.2.86.502"), ("1.2.3-3F2C1AA", "1.2.3"), ("2.4\u00a0RC1", "2.4-rc1"), ("build 1234", "1234"), ("#1234", "1234"),
        ("2.4.0 (1234)", "2.4.0-CL1234"), ("2.4.0-left.12", "2.4.0-right.15"), ("2.4.0-b12", "2.4.0-beta.12"), ("2.4.0-rc1-ios", "2.4.0-ios-rc1"),
        ("2024-05-03 12:30", "2024-05-03 12:30:00"),
    ],
)  # fmt: skip
def test_one_release_may_be_spelled_in_several_ways(release: str, reference: str) -> None:
    assert compare(release, reference) is compare(reference, release) is Order.SAME
    assert newest([release, reference]) == (release, reference)


@pytest.mark.parametrize(
    ("release", "reference"),
    [
        ("1.2", "deadbeef"), ("deadbeef", "cafebabe"), ("1.2", "stable"), ("1.2", ""), ("20240503", "3.0"), ("202405.3", "3.0"), ("2407-beta1", "2.0"),
        ("2024-05-03", "2024.5"), ("2024", "2024.1"), ("game-1.2", "editor-1.2"), ("game-1.2", "1.2"), ("skia 1.2", "1.2"), ("nightly-1.2", "1.2"), ("v2024w12", "2.4"),
        ("2024-13-01", "2024-12-01"), ("2024-05-32", "2024-05-03"), ("١.٢", "1.2"), ("1..2", "1.2"), ("v29314046", "2.4"), ("2024-05", "2024-05-03"),
        ("\x00", "1"), ("1.2\x00", "1.2"), ("nightly", "20240503"), ("snapshot-1.2", "20240503"), ("2024.10", "1999-10-01"), ("29314046.1", "2.4"),
        ("2.4 and 2.5", "2.4"), ("2.4, 2.5", "2.4"), ("2.4/2.5", "2.4"), ("23w45a", "12345"), ("2026-Q1", "12"), ("2024110501", "2024-11-05"),
        ("7b12345", "12c4567"), ("0A1B2C", "1234567"), ("main-abc1234", "main-1234"), ("CL1234", "r1234"), ("b1234", "1234"), ("1", "1.0"), ("v game 5", "game 5.1"), ("5 (1)", "5.0"),
    ],
)  # fmt: skip
def test_releases_of_different_families_are_not_comparable(release: str, reference: str) -> None:
    assert compare(release, reference) is compare(reference, release) is Order.INCOMPARABLE
    assert set(newest([release, reference])) == {release, reference}


@pytest.mark.parametrize("lists", KINDS.values(), ids=KINDS)
def test_no_pair_of_a_scheme_is_wrong(lists: dict[str, str]) -> None:
    count, faults = rates(lists)

    assert count["wrong"] == 0, faults
    assert count["right"] >= 0.99 * count.total(), faults
    for line in lists.values():
        releases = [release for rank in line.split(" < ") for release in rank.split(" = ")] if " < " in line else []
        for older, newer, oldest in zip(releases, releases[1:], releases[:1] * len(releases), strict=False):
            assert compare(newer, older) is {Order.OLDER: Order.NEWER}.get(compare(older, newer), compare(older, newer))
            assert compare(oldest, newer) in (Order.OLDER, Order.SAME)


def test_the_lists_are_many_and_of_many_schemes() -> None:
    schemes = Counter(kind for kind, lists in KINDS.items() for _ in lists)

    assert schemes.total() >= 150
    assert sum(1 for lists in KINDS.values() for line in lists.values() for _ in pairs(line)) > 5000


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge.name)
@pytest.mark.slow
def test_the_comparators_of_the_schemes_agree(judge: Judge) -> None:
    if not judge.available():
        pytest.skip(f"{judge.name} is not installed")
    count = 100 if judge.name == "dpkg" else 1000  # dpkg takes two processes for a pair

    assert judge.disagreements(count, random.randrange(2**32)) == []


def test_a_name_in_front_counts_only_if_both_have_one() -> None:
    assert compare("5.1", "iOS 5.1", named=False) is Order.SAME
    assert compare("com.acme.game@2.10.0", "2.4.0", named=False) is Order.NEWER
    assert compare("5.1", "iOS 5.2", named=False) is compare("iOS 5.1", "5.2", named=False) is Order.OLDER
    assert compare("game-1.2", "editor-1.2", named=False) is Order.INCOMPARABLE
    assert compare("3", "", named=False) is compare("", "3", named=False) is Order.INCOMPARABLE
    assert compare("backlog", "", named=False) is compare("Sprint 12", "5.1", named=False) is Order.INCOMPARABLE
    assert compare("backup-20231130", "20231130", named=False) is compare("CL 12", "12", named=False) is Order.SAME
    assert kinship("5.1.1", "iOS 5.1.2", named=False) is Kinship.LINE
    assert kinship("5.1.1", "iOS 5.1.2") is kinship("game-5.1.1", "iOS 5.1.2", named=False) is Kinship.NONE


@pytest.mark.parametrize(
    ("release", "reference", "same"),
    [
        ("", "", True), ("5.1 (1)", "5.1 (2)", True), ("1:2.3.1", "2.3.1", False), ("2.3.1", "2.3.7", True), ("2.3.1", "2.4.0", False), ("2.3", "2.4", True), ("2.3", "3.4", False), ("2", "2", True), ("2", "3", False),
        ("145.1.87.42", "145.1.90.7", True), ("145.1.87.42", "145.2.87.42", False), ("2.3.1", "2.3.2-rc.1", True), ("v2.3.1", "2.3.9", True),
        ("2024.10.1", "2024.10.2", True), ("2024.10.1", "2024.11.1", False), ("2.3.1", "deadbeef", False), ("deadbeef", "deadbeef", True),
        ("2.3.1", "game-2.3.2", False), ("2.0.0", "2.0.5", True), ("2.0.1", "2.1.0", False), ("0.0.1", "0.0.2", True), ("20240503", "20240504", True),
    ],
)  # fmt: skip
def test_a_line_is_all_but_the_last_number_at_most_two(release: str, reference: str, same: bool) -> None:
    assert kinship(release, reference) is kinship(reference, release)
    assert (kinship(release, reference) >= Kinship.LINE) is same


@pytest.mark.parametrize(
    ("release", "reference", "expected"),
    [
        ("2.4.0-rc.1", "2.4", Kinship.NUMBERS), ("2.4.0+7", "2.4.0+9", Kinship.NUMBERS), ("2.3", "2.3.7", Kinship.LINE), ("2.3", "2.3.0.1234", Kinship.LINE),
        ("2.3.7", "2.4.0", Kinship.MAJOR), ("5.2", "5.10.1", Kinship.MAJOR), ("5.2", "7.2", Kinship.NONE), ("1:5.2.1", "5.3.1", Kinship.NONE),
        ("2024-11-05", "2025-01-01", Kinship.LINE), ("29314046", "29314099", Kinship.NONE), ("2.3", "2024-11-05", Kinship.NONE), ("v2", "2.7.1", Kinship.LINE),
    ],
)  # fmt: skip
def test_releases_share_a_part_of_their_numbers(release: str, reference: str, expected: Kinship) -> None:
    assert kinship(release, reference) is kinship(reference, release) is expected


@pytest.mark.parametrize(
    ("release", "references", "leap"),
    [
        ("999.9.9", ["2.3.1", "2.4.0"], True), ("4.0", ["2.4.0", "1.0"], True), ("3.0", ["2.4.0"], False), ("2.99.0", ["2.4.0"], False), ("2026.1", ["1.9"], True),
        ("999.9.9", [], False), ("999.9.9", ["29314046", "deadbeef", "2024-05-03"], False), ("99999999", ["29314046"], False), ("2099-01-01", ["2026-05-03"], True),
        ("game-999.1", ["game-2.4", "999.0"], True), ("0.9", ["2.4"], False), ("2.0", ["0.9"], True), ("1.0", ["0.9"], False),
    ],
)  # fmt: skip
def test_a_leap_is_more_than_one_major_release_beyond_all(release: str, references: list[str], leap: bool) -> None:
    assert (release in leaps([release, "2.4"], references)) is leap


@pytest.mark.parametrize(
    ("release", "final"),
    [
        ("2.5", True),
        ("v2", True),
        ("product-7.1.0", True),
        ("2.5-rc1", False),
        ("2.5-1", False),  # a rebuild
        ("2.5~git20240105", False),
        ("2.5 (1250)", False),
        ("2.5+44", False),
        ("nightly", False),
        ("", False),
    ],
)
def test_a_final_release_names_numbers_and_neither_a_stage_nor_a_build(release: str, final: bool) -> None:
    assert is_final(release) is final


def test_of_several_families_each_has_its_newest() -> None:
    some = ["1.2", "deadbeef", "1.10", "2024-05-03", "1.10.0", "2024-05-02", "1.2"]

    assert newest(some) == ("deadbeef", "1.10", "2024-05-03", "1.10.0")
    assert newest([]) == ()
    assert ordered(some) == ["2024-05-03", "2024-05-02", "deadbeef", "1.10", "1.10.0", "1.2"]


def test_of_several_builds_the_newest_of_each_kind_is_the_newest() -> None:
    some = ["5.1 (1234)", "5.1", "5.1 (1250)", "5.1-CL7", "5.1-CL9", "5.1 (1240)", "5.0 (9999)"]

    assert newest(some) == ("5.1", "5.1 (1250)", "5.1-CL9")


numbers = st.integers(0, 12).map(str)
cores = st.lists(numbers, min_size=1, max_size=4).map(".".join)
stages = st.sampled_from([
    "", "-alpha", "-alpha.1", "-beta.2", "-rc.1", "-1", "a1", "rc2", ".dev1", ".post1", "-3-gabc123", "-x.y", "!", "a", "-hotfix1", " SP2", "~rc1",
    "-0ubuntu1", "-ios", ".Final", "-rc1-2-gabc123", "-1+deb12u1", "f1", " LTS", "_2", "w3", "/2.5",
])  # fmt: skip
builds = st.sampled_from(
    ["+x", "+5", "+6", " (7)", " (8)", " (7.1)", " build 7", "-CL8", "-CL9", "-lazer.2", "-lazer.3", " (1C7)", " (1D5)"]
)
heads = st.sampled_from(["", "", "v", "release-", "game-", "nightly-", "1:"])
dates = st.sampled_from(
    [
        "20240503",
        "2024-05-04",
        "nightly-2024-05-03",
        "2024.5.1",
        "2024.10",
        "2024-05",
        "20240503.2",
        "20240503-0930",
        "Q1 2024",
    ]
)
unbuilt = (
    st.builds(lambda head, core, tail: head + core + tail, heads, cores, stages)
    | dates
    | st.text(string.ascii_letters + string.digits + ". -_", max_size=6)
)
spelled = unbuilt | st.builds(str.__add__, unbuilt, builds) | st.text(string.printable, max_size=6)
close = st.builds(lambda tail, build: f"1.2{tail}{build}", stages, st.just("") | builds)


@settings(max_examples=400)
@given(spelled | close, spelled | close)
def test_the_other_way_round_it_is_the_other_way_round(release: str, reference: str) -> None:
    mirrored = {Order.OLDER: Order.NEWER, Order.NEWER: Order.OLDER}
    order = compare(release, reference)

    assert compare(reference, release) is mirrored.get(order, order)
    assert compare(release, release) is Order.SAME


@settings(max_examples=400)
@given(unbuilt, unbuilt, unbuilt)
def test_comparable_releases_without_builds_have_a_total_preorder(release: str, two: str, three: str) -> None:
    first, second, whole = compare(release, two), compare(two, three), compare(release, three)

    # What can be compared with the same can be compared.
    if Order.INCOMPARABLE in (first, second):
        assert first is second or whole is Order.INCOMPARABLE
        return
    assert whole is not Order.INCOMPARABLE
    if first is second:
        assert whole is first
    if first is Order.SAME:
        assert whole is second


@settings(max_examples=400)
@given(*[close | spelled] * 3)
def test_builds_refine_that_order(release: str, two: str, three: str) -> None:
    first, second, whole = compare(release, two), compare(two, three), compare(release, three)

    assert (Order.INCOMPARABLE in (first, second)) or whole is not Order.INCOMPARABLE
    if first is second is not Order.SAME and first is not Order.INCOMPARABLE:
        assert whole is first
    if first is Order.SAME and second is not Order.INCOMPARABLE:
        assert whole in (second, Order.SAME, first) or second is Order.SAME


@settings(max_examples=400)
@given(st.lists(spelled | close, max_size=8))
def test_the_newest_are_those_that_nothing_is_newer_than(some: list[str]) -> None:
    expected = [
        release
        for release in dict.fromkeys(some)
        if not any(compare(reference, release) is Order.NEWER for reference in some)
    ]

    assert list(newest(some)) == expected
    for older, newer in pairwise(reversed(ordered(some))):
        assert compare(older, newer) is not Order.NEWER


@settings(max_examples=300)
@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_a_release_is_called_nothing_fails(release: str, reference: str) -> None:
    compare(release, reference)
    kinship(release, reference)
    leaps([release], [reference])
    assert ordered([release, reference])


@pytest.mark.parametrize(
    "text",
    [
        "1" * 100_000,
        "1." * 50_000,
        "-" * 100_000,
        "a." * 50_000,
        "(" * 50_000,
        " " * 100_000 + "1",
        "1-" + "a" * 100_000,
        "1.0" + "-1" * 50_000,
        "1.0" + "+a" * 50_000,
        "1_" * 50_000,
        "1.0" + "-abcdef0" * 15_000,
        "1.0" + "-" * 100_000,
        "1.0" + "-rc-x1" * 20_000,
        "1.0" + "~rc1" * 25_000,
        "1.1, " * 20_000,
        "win" + "1" * 100_000,
    ],
)
@pytest.mark.slow
def test_a_name_of_any_length_is_read_in_one_go(text: str) -> None:
    assert compare(text, text) is Order.SAME


def test_kinships_are_four_in_the_order_of_the_numbers_that_are_shared() -> None:
    order = [Kinship.NONE, Kinship.MAJOR, Kinship.LINE, Kinship.NUMBERS]

    assert list(Kinship) == order == sorted(set(order))


@pytest.mark.parametrize(
    ("release", "reference", "expected"),
    [
        pytest.param("12345.1", "2.0", Order.NEWER, id="a version of five digits"),
        pytest.param("123456.1", "2.0", Order.INCOMPARABLE, id="a counter of six digits"),
        pytest.param("1.0b12", "1.0", Order.OLDER, id="a beta of two digits"),
        pytest.param("1.0b123", "1.0", Order.SAME, id="a build of three digits"),
    ],
)
def test_large_numbers_are_counters_and_builds(release: str, reference: str, expected: Order) -> None:
    assert compare(release, reference) is expected

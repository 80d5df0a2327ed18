"""The order of releases, with names as they occur in practice."""

import string
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from syncd.core.releases import Order, compare, newest, ordered, same_line

# Each line rises from left to right.
RISING = [
    # numbers of any length
    ["1", "1.1", "1.2", "1.10", "2"],
    ["0.9.9", "1.0.0", "1.0.1", "1.1.0"],
    ["145.1.87.42", "145.1.87.100", "145.1.88.0", "145.2"],
    ["9" * 30, "1" + "0" * 30, "1" + "0" * 29 + "1" + "0"],
    ["1." + "9" * 5000, "2"],
    # what is said before a number
    ["v1.2", "V1.3", "release-1.4", "version 1.5", "Release_1.6", "ver.1.7", "rel 1.8", "1.9"],
    # SemVer 2.0.0, section 11
    ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0"],
    ["1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-a"],
    ["0.0.0-development", "0.0.0", "0.0.1"],
    ["2.4.0-rc.1", "2.4.0", "2.4.1-rc.1"],
    ["1.0.0-x-y-z", "1.0.0-x-y-z.1", "1.0.0"],
    # PEP 440
    ["1.0.dev3", "1.0a1", "1.0a2", "1.0b1", "1.0rc1", "1.0", "1.0.post1", "1.0.post2", "1.1.dev1"],
    ["1.0a1.dev1", "1.0a1", "1.0a1.post1", "1.0a2"],
    ["1.0.post1.dev2", "1.0.post1"],
    ["1.0c1", "1.0rc2", "1.0pre3", "1.0preview4", "1.0"],
    # git describe: so many commits after
    ["v1.2.3", "v1.2.3-1-gabc123", "v1.2.3-9-gabcdef0123456789", "v1.2.3-14-gabc1234-dirty", "v1.2.3-15-gabc1", "v1.2.4"],
    ["3.0", "1999", "2024"],
    ["1.0-9", "1.0-10", "1.0-a", "1.0-a.1", "1.0-b", "1.0"],
    # calendar versions
    ["2023.12.31", "2024.1", "2024.10.1", "2024.10.2"],
    ["24.04", "24.10", "25.04"],
    # dates
    ["20240229", "2024-03-01", "nightly-2024-05-03", "nightly 20240504", "2024.05.05".replace(".", "/"), "daily_2025-01-01"],
    # one product's numbers
    ["game-1.2", "game-1.10", "Game 2.0"],
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
        ("1.2", "1.2.0"), ("1", "1.0.0.0"), ("0", "0.0"), ("v1.2", "1.2"), ("release-1.2", "version 1.2"), ("1.02", "1.2"),
        ("1.2.3+build.5", "1.2.3"), ("1.2.3+5", "1.2.3+6"), ("1.2.3 (456)", "1.2.3"), ("1.2.3 (a) (b)", "1.2.3"),
        ("1.0rc1", "1.0-rc1"), ("1.0.RC1", "1.0rc1"), ("1.0alpha1", "1.0a1"), ("1.0-beta+x", "1.0-beta"), (" 1.2 ", "1.2"),
        ("1.0a", "1.0a0"), ("1.0.post", "1.0.post0"), ("1.0-rev2", "1.0.post2"), ("nightly-2024-05-03", "20240503"),
        ("2024.1", "2024.01.0"), ("game-1.2", "GAME_1.2"), ("1.0.0-01", "1.0.0-1"), ("1.0.dev", "1.0.dev0"),
    ],
)  # fmt: skip
def test_one_release_may_be_spelled_in_several_ways(release: str, reference: str) -> None:
    assert compare(release, reference) is compare(reference, release) is Order.SAME
    assert newest([release, reference]) == (release, reference)


@pytest.mark.parametrize(
    ("release", "reference"),
    [
        ("1.2", "deadbeef"), ("deadbeef", "cafebabe"), ("1.2", "stable"), ("1.2", ""), ("2024.10.1", "3.0"), ("20240503", "3.0"),
        ("2024-05-03", "2024.5"), ("2024", "2024.1"), ("game-1.2", "editor-1.2"), ("game-1.2", "1.2"), ("1.2 stable build", "1.2"), ("1.2_final!", "1.2"),
        ("2024-13-01", "2024-12-01"), ("2024-05-32", "2024-05-03"), ("1.2.3-g", "1.2.3~1"), ("١.٢", "1.2"), ("1..2", "1.2"), ("1.2.", "1.2"),
        ("1.2.3 (x", "1.2.3"), ("\x00", "1"), ("nightly", "20240503"), ("snapshot-1.2", "20240503"), ("2024.10", "1999-10-01"),
        ("1.2-", "1.2"), ("1.2-a..b", "1.2"), ("1.2a1b2", "1.2"), ("+1", "1"), ("1899.1", "1900.1"), ("2100.1", "2099.1"),
    ],
)  # fmt: skip
def test_releases_of_different_families_are_not_comparable(release: str, reference: str) -> None:
    assert compare(release, reference) is compare(reference, release) is Order.INCOMPARABLE
    assert set(newest([release, reference])) == {release, reference}


@pytest.mark.parametrize(
    ("release", "reference", "same"),
    [
        ("2.3.1", "2.3.7", True), ("2.3.1", "2.4.0", False), ("2.3", "2.4", True), ("2.3", "3.4", False), ("2", "2", True), ("2", "3", False),
        ("145.1.87.42", "145.1.90.7", True), ("145.1.87.42", "145.2.87.42", False), ("2.3.1", "2.3.2-rc.1", True), ("v2.3.1", "2.3.9", True),
        ("2024.10.1", "2024.10.2", True), ("2024.10.1", "2024.11.1", False), ("2.3.1", "deadbeef", False), ("deadbeef", "deadbeef", True),
        ("2.3.1", "game-2.3.2", False), ("2.0.0", "2.0.5", True), ("2.0.1", "2.1.0", False), ("0.0.1", "0.0.2", True), ("20240503", "20240504", True),
    ],
)  # fmt: skip
def test_a_line_is_all_but_the_last_number_at_most_two(release: str, reference: str, same: bool) -> None:
    assert same_line(release, reference) is same_line(reference, release) is same


def test_of_several_families_each_has_its_newest() -> None:
    some = ["1.2", "deadbeef", "1.10", "2024-05-03", "1.10.0", "2024-05-02", "1.2"]

    assert newest(some) == ("deadbeef", "1.10", "2024-05-03", "1.10.0")
    assert newest([]) == ()
    assert ordered(some) == ["2024-05-03", "2024-05-02", "deadbeef", "1.10", "1.10.0", "1.2"]


numbers = st.integers(0, 12).map(str)
cores = st.lists(numbers, min_size=1, max_size=4).map(".".join)
tails = st.sampled_from(
    [
        "",
        "-alpha",
        "-alpha.1",
        "-beta.2",
        "-rc.1",
        "-1",
        "a1",
        "rc2",
        ".dev1",
        ".post1",
        "+x",
        " (7)",
        "-3-gabc123",
        "-x.y",
        "!",
    ]
)
heads = st.sampled_from(["", "v", "release-", "game-", "nightly-"])
dates = st.sampled_from(["20240503", "2024-05-04", "nightly-2024-05-03", "2024.5.1", "2024.10"])
spelled = (
    st.builds(lambda head, core, tail: head + core + tail, heads, cores, tails)
    | dates
    | st.text(string.printable, max_size=6)
)


@settings(max_examples=400)
@given(spelled, spelled)
def test_the_other_way_round_it_is_the_other_way_round(release: str, reference: str) -> None:
    mirrored = {Order.OLDER: Order.NEWER, Order.NEWER: Order.OLDER}
    order = compare(release, reference)

    assert compare(reference, release) is mirrored.get(order, order)
    assert compare(release, release) is Order.SAME


@settings(max_examples=600)
@given(spelled, spelled, spelled)
def test_comparable_releases_have_a_total_preorder(release: str, two: str, three: str) -> None:
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
@given(st.lists(spelled, max_size=8))
def test_the_newest_are_those_that_nothing_is_newer_than(some: list[str]) -> None:
    expected = [
        release
        for release in dict.fromkeys(some)
        if not any(compare(reference, release) is Order.NEWER for reference in some)
    ]

    assert list(newest(some)) == expected
    for older, newer in pairwise(reversed(ordered(some))):
        assert compare(older, newer) is not Order.NEWER


python = st.builds(
    lambda core, pre, post, dev: core + pre + post + dev,
    st.lists(numbers, min_size=1, max_size=4).map(".".join),
    st.sampled_from(["", "a1", "a2", "b1", "rc1", "rc10"]),
    st.sampled_from(["", ".post1", ".post2"]),
    st.sampled_from(["", ".dev1", ".dev2"]),
)


@settings(max_examples=600)
@given(python, python)
def test_it_agrees_with_python_where_that_applies(release: str, reference: str) -> None:
    left, right = Version(release), Version(reference)

    assert compare(release, reference) is (
        Order.SAME if left == right else Order.NEWER if left > right else Order.OLDER
    )


identifiers = st.sampled_from(["0", "1", "2", "10", "x", "y", "x-1", "zeta", "gamma"])
semvers = st.builds(
    lambda core, parts, build: ".".join(core) + ("-" + ".".join(parts) if parts else "") + build,
    st.tuples(numbers, numbers, numbers),
    st.lists(identifiers, max_size=3),
    st.sampled_from(["", "+b", "+1.2"]),
)


def semver_key(text: str) -> tuple[object, ...]:
    """The order that SemVer 2.0.0 gives in section 11."""
    bare = text.partition("+")[0]
    core, _, pre = bare.partition("-")
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".")] if pre else []
    return tuple(map(int, core.split("."))), not parts, parts


@settings(max_examples=600)
@given(semvers, semvers)
def test_it_agrees_with_semver_where_that_applies(release: str, reference: str) -> None:
    left, right = semver_key(release), semver_key(reference)

    assert compare(release, reference) is (
        Order.SAME if left == right else Order.NEWER if left > right else Order.OLDER
    )


@settings(max_examples=300)
@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_a_release_is_called_nothing_fails(release: str, reference: str) -> None:
    compare(release, reference)
    same_line(release, reference)
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
    ],
)
def test_a_name_of_any_length_is_read_in_one_go(text: str) -> None:
    assert compare(text, text) is Order.SAME

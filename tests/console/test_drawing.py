"""Charts are well-formed for any data, stay within their frame, and have a text alternative."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from syncd.console import drawing
from syncd.model import Point, Release

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20) | st.just(
    '"/><script>&'
)
RELEASES = st.lists(
    st.builds(lambda name, count: Release(release=name, occurrences=count), NAMES, st.integers(0, 2**40)),
    max_size=20,
    unique_by=lambda release: release.release,
)


def drawn(markup: str) -> ElementTree.Element | None:
    """The parsed chart, which contains only bars, lines and titles."""
    if not markup:
        return None
    root = ElementTree.fromstring(markup)
    width = float(root.attrib["width"])
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"]
    for element in root.iter():
        assert element.tag in ("svg", "title", "rect", "line"), element.tag
        assert not {"style", "onload", "onclick", "href"} & set(element.attrib)
        if element.tag == "rect":
            assert float(element.attrib["height"]) >= 0
            assert -0.1 <= float(element.attrib["x"]) <= width + 0.1
    return root


@given(RELEASES)
def test_shares_of_any_releases(releases: list[Release]) -> None:
    shares = drawn(drawing.shares(releases))

    with_occurrences = [release for release in releases if release.occurrences]
    assert (shares is not None) == bool(with_occurrences)
    if shares is not None:
        assert len(shares.findall("rect")) == min(len(with_occurrences), drawing.MOST_SEGMENTS) + (
            len(with_occurrences) > drawing.MOST_SEGMENTS
        )


@given(st.lists(st.none() | st.integers(0, 10**12), max_size=30), st.floats(0, 4e9))
def test_a_bar_for_each_day_with_occurrences_and_a_mark_for_each_unknown_one(
    counts: list[int | None], now: float
) -> None:
    root = drawn(drawing.days(counts, now))

    assert root is not None
    kinds = [bar.attrib["class"] for bar in root.findall("rect")]
    assert kinds == ["s0" if count else "unknown" for count in counts if count != 0]
    heights = {
        count: float(bar.attrib["height"])
        for bar, count in zip(root.findall("rect"), filter(lambda count: count != 0, counts), strict=True)
        if count
    }
    assert sorted(heights.values()) == [heights[count] for count in sorted(heights)]
    assert root.attrib["aria-label"].count(",") >= len(counts) - 1


def test_the_days_have_a_text_alternative() -> None:
    root = drawn(drawing.days([None, 0, 1234], 1_800_000_000))
    assert root is not None
    assert root.attrib["aria-label"] == "Occurrences by day: 2027-01-13 not known, 2027-01-14 0, 2027-01-15 1,234"


@given(st.lists(st.tuples(st.floats(0, 2e9), st.integers(0, 10**9)), max_size=40))
def test_growth_of_any_trail(points: list[tuple[float, int]]) -> None:
    trail = [Point(at=at, occurrences=count) for at, count in sorted(points)]

    assert (drawn(drawing.growth(trail)) is not None) == (len(trail) > 1 and trail[-1].at > trail[0].at)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_columns_are_as_tall_as_their_counts(counts: list[int]) -> None:
    root = drawn(
        drawing.stacked({"filed": counts, "updated": counts}, [str(at) for at in range(len(counts))], "what was done")
    )

    assert root is not None
    bars = root.findall("rect")
    assert len(bars) == 2 * sum(1 for count in counts if count)
    tallest = max((float(bar.attrib["height"]) for bar in bars), default=0.0)
    assert tallest <= drawing.HEIGHT


def test_a_release_has_one_colour_in_bar_and_table() -> None:
    releases = [
        Release(release="1", occurrences=5),
        Release(release="2", occurrences=9),
        Release(release="3", occurrences=0),
    ]

    assert drawing.ranked(releases) == {"2": 0, "1": 1}


def test_a_meter_is_as_long_as_its_share() -> None:
    root = drawn(drawing.meter(25, 100))
    assert root is not None
    assert root.findall("rect")[0].attrib["width"] == "25.0"

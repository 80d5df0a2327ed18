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
def test_shares_and_sparklines_of_any_releases(releases: list[Release]) -> None:
    shares, spark = drawn(drawing.shares(releases)), drawn(drawing.sparkline(releases))

    with_occurrences = [release for release in releases if release.occurrences]
    assert (shares is not None) == bool(with_occurrences)
    assert (spark is not None) == bool(releases)
    if shares is not None:
        assert len(shares.findall("rect")) == min(len(with_occurrences), drawing.MOST_SEGMENTS) + (
            len(with_occurrences) > drawing.MOST_SEGMENTS
        )


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

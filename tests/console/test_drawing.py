"""Charts are well-formed for any data, stay within their frame, and have a text alternative."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.console import drawing
from syncd.core.trend import HOUR, MOST_COLUMNS, SPANS, Trend
from syncd.model import Release

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


@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=MOST_COLUMNS).filter(any),
    st.sampled_from(SPANS),
    st.lists(st.tuples(NAMES, st.none() | st.integers(0, 2_000_000_000)), max_size=10),
)
def test_a_trend_of_any_columns(counts: list[int], span: int, beginnings: list[tuple[str, int | None]]) -> None:
    since = 1_700_000_000 // span * span
    releases = [Release(release=name, occurrences=1, first_seen=first) for name, first in beginnings]
    scale, plot = ElementTree.fromstring(
        f"<p>{drawing.trend(Trend(since=since, span=span, counts=tuple(counts)), releases)}</p>"
    )

    assert plot.attrib["role"] == "img"
    assert plot.attrib["aria-label"].startswith(f"{sum(counts):,} occurrences by the time of the crash, from ")
    bars = plot.findall("rect")
    assert len(bars) == sum(1 for count in counts if count)
    for bar in bars:
        assert 0 <= float(bar.attrib["x"].rstrip("%")) < 100
        assert float(bar.attrib["y"]) >= drawing.PLOT_TOP - 0.1
        assert float(bar.attrib["y"]) + float(bar.attrib["height"]) == pytest.approx(drawing.PLOT_FLOOR, abs=0.2)
    top = int((scale.findall("text")[-1].text or "").replace(",", ""))
    assert max(counts) <= top <= 2 * max(counts)
    dates = [text for text in plot.findall("text") if text.attrib["class"] == "label"]
    assert 0 < len(dates) <= drawing.MOST_DATES
    marks = [float(line.attrib["x1"].rstrip("%")) for line in plot.findall("line") if line.attrib["class"] == "mark"]
    assert all(0 <= mark <= 100 for mark in marks)


def test_a_trend_has_dates_a_scale_and_the_beginnings_of_releases() -> None:
    day = 1_795_046_400  # 2026-11-19
    releases = [Release(release="2.4", occurrences=1, first_seen=day + 36 * HOUR), Release(release="1", occurrences=1)]
    columns = Trend(since=day, span=6 * HOUR, counts=(0, 3, 7, 0, 0, 0, 35, 1))
    scale, plot = ElementTree.fromstring(f"<p>{drawing.trend(columns, releases)}</p>")

    assert [text.text for text in scale.findall("text")] == ["0", "20", "40"]
    texts = {text.text: text.attrib["x"] for text in plot.findall("text")}
    assert texts == {"19 Nov": "0.000%", "20 Nov": "50.000%", "2.4": "75.000%"}
    assert "2026-11-20 12:00 UTC: 35" in [title.text for title in plot.iter("title")]
    assert plot.attrib["aria-label"] == (
        "46 occurrences by the time of the crash, from 2026-11-19 to 2026-11-20; the most, 35, in 6h from 2026-11-20 12:00 UTC on"
    )


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

"""The findings of the bench and the page that it writes."""

from pathlib import Path

import pytest

from bench import calls, page
from bench.finding import Finding


def _finding(*ratios: float, **goal: float) -> Finding:
    return Finding(subject="this", baseline="that", ratios=ratios, figures="3 and 2 ms", **goal)


@pytest.mark.parametrize(
    ("finding", "met"),
    [
        (_finding(0.9, 1.1, 5.0), True),
        (_finding(0.9, 1.1, 5.0, at_least=1.1), True),
        (_finding(0.9, 1.1, 5.0, at_least=1.2), False),
        (_finding(0.9, 1.1, 5.0, at_most=1.1), True),
        (_finding(0.9, 1.1, 5.0, at_most=1.0), False),
    ],
)
def test_the_median_meets_a_goal_or_is_said_to_miss_it(finding: Finding, met: bool) -> None:
    assert finding.met == met
    assert ("missed" in str(finding)) != met
    assert str(finding).startswith("this: 1.10 × that (0.90–5.00")


def test_a_run_replaces_its_own_section_of_the_page_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "PAGE", tmp_path / "performance.md")
    page.write("One", "make bench ONLY=one", [_finding(1.0)], 2.0)
    page.write("Two", "make bench ONLY=two", ["not measured: npm failed"], 2.0)
    page.write("One", "make bench ONLY=one", [_finding(7.0, at_most=2.0)], 2.0)
    text = (tmp_path / "performance.md").read_text()
    assert text.startswith(page.HEAD)
    assert text.index("## One") < text.index("## Two")
    assert "| this | 7.00 × | 7.00–7.00 | that | **≤ 2 ×: missed** | 3 and 2 ms |" in text
    assert "1.00 ×" not in text
    assert "not measured: npm failed" in text


@pytest.mark.parametrize(
    ("times", "fewest"),
    [
        ([0.0], 1),
        ([0.0, 10.0], 2),
        ([0.0, 10.0, 20.0, 299.0], 2),  # one after the interval shows them all
        ([0.0, 10.0, 301.0], 3),
        ([0.0, 1000.0, 1001.0], 3),
    ],
)
def test_the_fewest_calls_are_one_for_each_interval_in_which_a_group_changed(times: list[float], fewest: int) -> None:
    arrivals = [(calls.START + at, 1) for at in times]
    assert calls._fewest(arrivals) == fewest
    assert calls._Simulation().run(arrivals) == fewest

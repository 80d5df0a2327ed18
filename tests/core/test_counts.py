"""What is counted, against senders whose truth is known: right within 1 %, or between bounds that hold."""

import pytest

from syncd.core.counts import Mode
from tests.counting import Project, fault, faults
from tests.senders import SENDERS, arrivals, drawn

# What nobody has configured is tried in every run, the two others in a whole one.
MODES = ("auto", *(pytest.param(mode, marks=pytest.mark.slow) for mode in ("cumulative", "window")))


def run(name: str, mode: Mode, seed: int, *, always: bool) -> tuple[Project, list[str]]:
    """Fold what arrives of a sender; return the project and what is wrong with it at the end, or `always`."""
    project, wrong = Project(mode), list[str]()
    sent = arrivals(name, seed)
    for number, entry in enumerate(sent):
        group = project.take(entry)
        if always and (problem := fault(group, len(project.crashes[group.identity.fingerprint]))):
            wrong.append(f"{number} {group.reading}: {problem} {group.tally}")
    for fingerprint, group in project.groups.items():
        if problem := fault(group, len(project.crashes[fingerprint])):
            wrong.append(f"at the end {group.reading}: {problem} {group.tally}")
        assert group.at_most is None or group.at_most > group.occurrences
    return project, wrong


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SENDERS)
def test_a_count_is_right_or_between_bounds_that_hold(name: str, mode: Mode) -> None:
    # As long as the oldest crash stays in a window because it was uploaded late, the window is like a total.
    always = mode == "auto" and name != "sliding windows, late uploads"
    project, wrong = run(name, mode, 1, always=always)

    assert not wrong, (wrong[:5], project.evidence, project.counting)


@pytest.mark.parametrize("block", [0, *(pytest.param(place, marks=pytest.mark.slow) for place in range(1, 4))])
def test_senders_with_parameters_by_chance_are_counted_right_or_between_bounds_that_hold(block: int) -> None:
    results = [faults(drawn(seed), seed) for seed in range(60 * block, 60 * block + 60)]

    assert not [fault for wrong, _ in results for fault in wrong]
    # What nobody can know is rare.
    assert sum(unknowable > 0 for _, unknowable in results) <= 5

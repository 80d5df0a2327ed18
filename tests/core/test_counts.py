"""What is counted, against senders whose truth is known: right within 1 %, or between bounds that hold."""

import pytest

from syncd.core import counts, fold
from syncd.core.counts import Counting, Evidence, Mode
from syncd.intake.sources import backtrace
from syncd.model import Group, Release
from tests.senders import SENDERS, Sent, arrivals

READING = backtrace.Reading()
# What nobody has configured is tried in every run, the two others in a whole one.
MODES = ("auto", *(pytest.param(mode, marks=pytest.mark.slow) for mode in ("cumulative", "window")))


class Project:
    """A project whose notifications are folded, each by itself."""

    def __init__(self, mode: Mode) -> None:
        self.counting, self.evidence = Counting(mode=mode), Evidence()
        self.groups: dict[str, Group] = {}
        self.crashes: dict[str, set[int]] = {}
        self._digests = set[tuple[str, bytes]]()

    def take(self, sent: Sent) -> Group:
        """Fold a notification, as the worker does."""
        notification = backtrace.parse(sent.body, sent.at, READING)
        name = notification.identity.fingerprint
        before = self.groups.get(name)
        self.crashes.setdefault(name, set()).update(sent.crashes)
        repeats = set[int]()
        if (name, notification.digest) in self._digests:
            if notification.last is not None or notification.object_id is not None:
                return self.groups[name]
            repeats.add(0)
        self._digests.add((name, notification.digest))
        group, events = fold.fold_all(before, [notification], self.counting, lambda _: notification, repeats)
        self.groups[name], self.evidence = group, self.evidence.plus(events)
        counting = counts.decide(self.counting.mode, self.evidence, self.counting)
        if counting != self.counting:
            self.counting = counting
            self.groups = {
                name: fold.read_as(group, counting.reading(group.tally)) for name, group in self.groups.items()
            }
        return self.groups[name]


def fault(entry: Group | Release, truth: int) -> str | None:
    """What is wrong with a count."""
    if not entry.approximate:
        return None if abs(entry.occurrences - truth) * 100 <= truth else f"{entry.occurrences} of {truth}"
    high = entry.at_most
    holds = entry.occurrences * 100 <= truth * 101 and (high is None or high * 101 >= truth * 100)
    return None if holds else f"between {entry.occurrences} and {high}, of {truth}"


def run(name: str, mode: Mode, seed: int, *, always: bool) -> tuple[Project, list[str]]:
    """Fold what arrives of a sender; return the project and what is wrong with it at the end, or `always`."""
    project, faults = Project(mode), list[str]()
    sent = arrivals(name, seed)
    for number, entry in enumerate(sent):
        group = project.take(entry)
        if always and (wrong := fault(group, len(project.crashes[group.identity.fingerprint]))):
            faults.append(f"{number} {group.reading}: {wrong} {group.tally}")
    for fingerprint, group in project.groups.items():
        if wrong := fault(group, len(project.crashes[fingerprint])):
            faults.append(f"at the end {group.reading}: {wrong} {group.tally}")
        assert group.at_most is None or group.at_most > group.occurrences
    return project, faults


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SENDERS)
def test_a_count_is_right_or_between_bounds_that_hold(name: str, mode: Mode) -> None:
    # Until a total falls for the first time, nobody can know that what it counts is deleted; and as long as the oldest crash stays in a
    # window because it was uploaded late, the window is like a total.
    always = mode == "auto" and name not in ("retention with one time", "sliding windows, late uploads")
    project, faults = run(name, mode, 1, always=always)

    assert not faults, (faults[:5], project.evidence, project.counting)

"""What syncd counts of senders whose truth is known, and what is wrong with it."""

from syncd.core import counts, fold
from syncd.core.counts import Counting, Evidence, Mode
from syncd.intake.sources import backtrace
from syncd.intake.sources.values import Reading
from syncd.model import Group, Release
from tests.senders import Drawn, Sent

READING = Reading()


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


def faults(sender: Drawn, seed: int) -> tuple[list[str], int]:
    """What is wrong after each notification of a sender by chance, and how often a bound did not hold that nobody can know."""
    project, wrong, unknowable = Project("auto"), list[str](), 0
    for number, sent in enumerate(sender.arrivals(seed)):
        group = project.take(sent)
        truth = len(project.crashes[group.identity.fingerprint])
        if problem := fault(group, truth):
            if sender.limit and group.occurrences * 100 <= truth * 101:
                unknowable += 1
            else:
                wrong.append(f"{sender.name}: after {number + 1}, {group.reading}: {problem}")
    return wrong, unknowable

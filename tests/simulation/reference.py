"""What senders delivered, kept beside the program: the counts that it must show, and the releases that were known at a time."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from syncd.core.counts import Mode


@dataclass(frozen=True, slots=True)
class Accepted:
    """A delivery that was answered 200 at a true time. `occurrences` and `of_release` are the counts in it."""

    at: float
    number: int
    fingerprint: str
    release: str
    occurrences: int
    of_release: int
    body: bytes


@dataclass
class Reference:
    """All deliveries of one run, by what a patient reader would count."""

    mode: Mode = "auto"
    accepted: list[Accepted] = field(default_factory=list)

    def total(self, fingerprint: str) -> int:
        """Return the occurrences of a group: the largest total, or the sum of its windows, each counted once."""
        return self._count({entry.body: entry.occurrences for entry in self._of(fingerprint)}.values())

    def ledger(self, fingerprint: str) -> dict[str, int]:
        """Return the occurrences of each release of a group."""
        releases = {entry.release for entry in self._of(fingerprint)}
        return {
            release: self._count(
                {entry.body: entry.of_release for entry in self._of(fingerprint) if entry.release == release}.values()
            )
            for release in releases
        }

    def came_back(self, fingerprint: str, closed_at: float) -> list[str]:
        """Return the releases that crashed after a true time and not before it."""
        before = {entry.release for entry in self._of(fingerprint) if entry.at <= closed_at}
        return [entry.release for entry in self._of(fingerprint) if entry.release not in before]

    def order(self, numbers: Iterable[int]) -> list[list[int]]:
        """Return the deliveries among `numbers` of each group, in the order in which they were accepted."""
        named, groups = set(numbers), dict[str, list[int]]()
        for entry in self.accepted:
            if entry.number in named:
                groups.setdefault(entry.fingerprint, []).append(entry.number)
        return list(groups.values())

    def _of(self, fingerprint: str) -> list[Accepted]:
        return [entry for entry in self.accepted if entry.fingerprint == fingerprint]

    def _count(self, counts: Iterable[int]) -> int:
        return sum(counts) if self.mode == "window" else max(counts, default=0)

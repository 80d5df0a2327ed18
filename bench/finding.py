"""The result of a measurement: ratios of pairs, each pair measured one right after the other."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`ratios` has one entry per round, `figures` the absolute values. The goal is a lower or an upper bound."""

    subject: str
    baseline: str
    ratios: Sequence[float]
    figures: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def goal(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:g} ×"
        return "" if self.at_most is None else f"≤ {self.at_most:g} ×"

    @property
    def met(self) -> bool:
        """True if the median reaches the goal, or if there is no goal."""
        low = self.at_least is None or self.ratio >= self.at_least
        return low and (self.at_most is None or self.ratio <= self.at_most)

    @property
    def spread(self) -> str:
        """The smallest and the largest ratio."""
        return f"{min(self.ratios):.2f}–{max(self.ratios):.2f}"

    def __str__(self) -> str:
        verdict = "" if not self.goal else f", goal {self.goal}{'' if self.met else ': missed'}"
        return f"{self.subject}: {self.ratio:.2f} × {self.baseline} ({self.spread}{verdict}); {self.figures}"

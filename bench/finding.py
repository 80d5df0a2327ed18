"""What was measured: ratios of pairs, each pair measured one right after the other."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`ratios` has one for each round, `seen` the figures behind them. The goal is a bound from below or from above."""

    what: str
    against: str
    ratios: Sequence[float]
    seen: str
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
        """Whether the median keeps within the goal; anything does where there is none."""
        low = self.at_least is None or self.ratio >= self.at_least
        return low and (self.at_most is None or self.ratio <= self.at_most)

    @property
    def spread(self) -> str:
        """From the smallest to the largest ratio."""
        return f"{min(self.ratios):.2f}–{max(self.ratios):.2f}"

    def __str__(self) -> str:
        verdict = "" if not self.goal else f", goal {self.goal}{'' if self.met else ': missed'}"
        return f"{self.what}: {self.ratio:.2f} × {self.against} ({self.spread}{verdict}); {self.seen}"

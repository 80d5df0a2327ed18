"""Random histories of crashes and closings: an issue is open exactly if its crash came back."""

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path

import structlog
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from tests.prove.report import Row
from tests.story.histories import History, faults, lives
from tests.system.kinds import KINDS

APPLICATIONS = 20  # that live at once in one store
LEAST = 3  # stores: the first one of Hypothesis is the simplest
SHARE = {"local": 0.7, "github": 0.1, "jira-cloud": 0.1, "jira-datacenter": 0.1}


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """A row for each kind of tracker, `size` groups in all."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for kind in KINDS:
        groups, events, wrong = _live(kind, folder, seed, max(LEAST, round(size * SHARE[kind] / APPLICATIONS / 3)))
        yield Row(
            action=f"crashes in random releases, closings with and without a fix, on {kind}",
            scale=f"{groups:,} groups, {events:,} events",
            result="; ".join(wrong[:2])
            or "after each event an issue was open exactly if its crash had come back after its closing",
            ok=not wrong,
        )


def _live(kind: str, folder: Path, seed: int, stores: int) -> tuple[int, int, list[str]]:
    """The numbers of groups and of events, and every fault, in so many stores."""
    numbers, sizes, wrong = itertools.count(), list[tuple[int, int]](), list[str]()

    @seeded(seed)
    @settings(
        max_examples=stores,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(lives(APPLICATIONS))
    def live(applications: list[list[History]]) -> None:
        place = folder / f"{kind}-{next(numbers)}"
        place.mkdir()
        wrong.extend(faults(kind, place, applications))
        several = [history for groups in applications for history in groups]
        sizes.append((len(several), sum(map(len, several))))

    live()
    return sum(groups for groups, _ in sizes), sum(events for _, events in sizes), wrong

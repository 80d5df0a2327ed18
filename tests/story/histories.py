"""Random histories of crashes and closings through the real store, and a plain oracle: which issues are open at the end, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.story.life import Life, lived

# Numbers only, so that tuples order them. No first number leaps over another.
RELEASES = ("1.0.0", "1.0.1", "1.1.0", "1.1.9", "1.1.10", "1.2.0", "2.0.0", "2.0.1", "2.1.0", "2.10.0")


@dataclass(frozen=True, slots=True)
class Crash:
    """New occurrences in one release."""

    release: str
    count: int


@dataclass(frozen=True, slots=True)
class Close:
    """A person closes the issue as done, with the release that has the fix or without one."""

    fixed_in: str | None


Step = Crash | Close | None  # None: nothing happens to this group
History = tuple[Step, ...]

releases = st.sampled_from(RELEASES)
steps = st.one_of(
    st.none(),
    st.builds(Crash, releases, st.integers(1, 40)),
    st.builds(Crash, releases, st.integers(1, 40)),
    st.builds(Close, st.none() | releases),
)
# The first step files the issue.
histories = st.builds(
    lambda first, rest: (first, *rest),
    st.builds(Crash, releases, st.integers(1, 9)),
    st.lists(steps, min_size=4, max_size=9),
)


def lives(applications: int) -> st.SearchStrategy[list[list[History]]]:
    """The histories of so many applications, each with three groups."""
    groups = st.lists(histories, min_size=3, max_size=3)
    return st.lists(groups, min_size=applications, max_size=applications)


class Oracle:
    """One application, whose groups are numbered. It reads the same events as syncd and knows the order of these releases."""

    def __init__(self, groups: int) -> None:
        self.ledgers: list[dict[str, int]] = [{} for _ in range(groups)]
        self.closings: list[Close | None] = [None] * groups
        self.own: list[set[str]] = [set() for _ in range(groups)]  # releases of the group at its closing
        self.all: list[set[str]] = [set() for _ in range(groups)]  # releases of the application at its closing

    def crash(self, group: int, crash: Crash) -> None:
        """Count, and reopen where the release should have the fix."""
        ledger, closing = self.ledgers[group], self.closings[group]
        ledger[crash.release] = ledger.get(crash.release, 0) + crash.count
        if closing is None:
            return
        if closing.fixed_in is None:
            back = all(_order(crash.release) > _order(release) for release in self.all[group])
        else:
            back = crash.release not in self.own[group] and _order(crash.release) >= _order(closing.fixed_in)
        if back:
            self.closings[group] = None

    def close(self, group: int, closing: Close) -> None:
        """Remember what was out at the closing. A closed issue cannot be closed again."""
        self.closings[group] = closing
        self.own[group] = set(self.ledgers[group])
        self.all[group] = {release for ledger in self.ledgers for release in ledger}


def _order(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in release.split("."))


def faults(kind: str, folder: Path, applications: Sequence[Sequence[History]]) -> list[str]:
    """Let all groups of all applications live at once, one step each in turn, and compare each issue with the oracle after each step."""
    wrong: list[str] = []
    with (
        pytest.MonkeyPatch.context() as patch,
        lived(kind, folder, patch, 'name = "main"\nmax_new_issues = []\n') as life,
    ):
        oracles = [Oracle(len(groups)) for groups in applications]
        longest = max(len(history) for groups in applications for history in groups)
        for number in range(longest):
            _step(life, applications, oracles, number)
            state = {issue.title: issue.open for issue in life.people.issues()}
            for name, (groups, oracle) in enumerate(zip(applications, oracles, strict=True)):
                for group, history in enumerate(groups):
                    if state.get(_title(name, group)) is not (oracle.closings[group] is None):
                        wrong.append(f"step {number} of group {group}: {history[: number + 1]} of {list(groups)}")
            if wrong:
                break
    return wrong


def _step(life: Life, applications: Sequence[Sequence[History]], oracles: Sequence[Oracle], number: int) -> None:
    """The step with this number of every history. Each sees all events of the groups before it."""
    for name, (groups, oracle) in enumerate(zip(applications, oracles, strict=True)):
        for group, history in enumerate(groups):
            step = history[number] if number < len(history) else None
            match step:
                case Crash():
                    oracle.crash(group, step)
                    life.notify(_frame(group), oracle.ledgers[group], application=_application(name), work=False)
                case Close() if oracle.closings[group] is None:
                    life.people.close(_title(name, group), fixed_in=[] if step.fixed_in is None else [step.fixed_in])
                    oracle.close(group, step)
                case _:
                    continue
            life.clock.advance(1.0)  # before the next event, for an order that every tracker's clock shows
    life.work()
    life.wait(0.5)


def _application(name: int) -> str:
    return f"app{name}"


def _frame(group: int) -> str:
    return f"Level{group}::load"


def _title(name: int, group: int) -> str:
    return f"Crash in {_frame(group)} ({_application(name)})"

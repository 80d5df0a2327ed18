"""What a million groups cost, beside ten thousand: folding, claiming, and the console's lists."""

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import product

from bench import filled
from bench.filled import DUE, FEW, MANY, NOW, PROJECTS
from bench.finding import ROUNDS, Finding
from syncd.intake.sources import backtrace
from syncd.intake.sources.backtrace import Reading
from syncd.store import Store
from syncd.store.inbox import Read
from syncd.store.listing import Sort, State, Wanted
from tests.store.filled import accept, owes

DIALECTS = ("sqlite", "postgresql")
BATCH, BATCHES = 200, 5
PAGE = 50


def fold() -> Iterator[Finding]:
    """Notifications of groups that are known, some often and most seldom."""
    for dialect in DIALECTS:
        few, many = (filled.store(dialect, groups) for groups in (FEW, MANY))
        _fold(few, FEW, 0), _fold(many, MANY, 0)  # warm
        pairs = [(_fold(many, MANY, number), _fold(few, FEW, number)) for number in range(1, ROUNDS + 1)]
        yield _flat(f"folding a notification into one of {MANY:,} groups, {dialect}", f"of {FEW:,}", pairs, 1.3)


def _fold(store: Store, groups: int, number: int) -> float:
    """Seconds for each notification."""
    chosen = random.Random(number)
    seconds = 0.0
    for batch in range(BATCHES):
        told = [_told(group, number * BATCHES + batch) for group in _zipf(chosen, groups)]
        accept(store, *told, at=float(NOW))
        began = time.perf_counter()
        waiting = store.inbox.waiting(BATCH)
        read = [Read(one, backtrace.parse(one.body, one.received_at, Reading())) for one in waiting]
        store.inbox.absorb(read, "auto", owes, float(NOW))
        seconds += time.perf_counter() - began
    return seconds / (BATCH * BATCHES)


def _zipf(chosen: random.Random, groups: int) -> list[int]:
    """BATCH numbers from 1 to `groups`, the smaller the likelier, none twice: folding the same group again costs less, and of few
    groups more are the same."""
    numbers: set[int] = set()
    while len(numbers) < BATCH:
        numbers.add(min(groups, int(groups ** chosen.random())))
    return list(numbers)


def _told(number: int, more: int) -> dict[str, object]:
    return {
        "universe": "acme",
        "project": f"project{number % PROJECTS}",
        "fingerprint": filled.fingerprint(number),
        "application": "game",
        "callstack": [f"engine::function_{number}_{place}" for place in range(12)],
        "occurrences": 6000 + more,
        "timestamp": [NOW - 1000, NOW + more],
        "attributes": {"version": [[f"1.{number % 40}", 100 + more]]},
    }


def claim() -> Iterator[Finding]:
    """The next group to call a tracker for, where none is due and where a thousand are."""
    for dialect, (what, tracker) in product(DIALECTS, (("none", "later"), ("1,000", DUE))):
        few, many = (filled.store(dialect, groups) for groups in (FEW, MANY))
        _claim(few, tracker), _claim(many, tracker)  # warm
        pairs = [(_claim(many, tracker), _claim(few, tracker)) for _ in range(ROUNDS)]
        yield _flat(f"claiming one of {MANY:,} groups of which {what} are due, {dialect}", f"of {FEW:,}", pairs, 1.5)


def _claim(store: Store, tracker: str) -> float:
    def once() -> None:
        due = [call for call, at in store.outbox.next_due(tracker).items() if at <= NOW]
        if due:
            store.outbox.claim(tracker, f"bench/{time.monotonic_ns()}", float(NOW), due)

    return _each(once, 20)


def lists() -> Iterator[Finding]:
    """Every filter with every sort, at the beginning and further down: the slowest of them, and all together."""
    for dialect in DIALECTS:
        few, many = (filled.store(dialect, groups) for groups in (FEW, MANY))
        worst: dict[bool, Finding] = {}
        # On PostgreSQL all indexes are alike to the planner, and a page takes a tenth of a second.
        sorts = Sort if dialect == "sqlite" else (Sort.LAST_SEEN,)
        for wanted, sort, later in product(_filters(), sorts, (False, True)):
            pairs = [(_list(many, wanted, sort, later), _list(few, wanted, sort, later)) for _ in range(ROUNDS)]
            named = " ".join(wanted.values()) or "everything"
            what = f"the slowest list{' with a text' * ('text' in wanted)}, {MANY:,} groups, {dialect}: {'second' if later else 'first'} page of {named} by {sort}"
            found = _flat(what, f"{FEW:,} groups", pairs, 3.0)
            if found.ratio > max(
                (known.ratio for texts, known in worst.items() if texts == ("text" in wanted)), default=0.0
            ):
                worst["text" in wanted] = found
        yield from worst.values()


def _filters() -> Sequence[dict[str, str]]:
    states = [{"state": str(state)} for state in State]
    return [
        {},
        {"project": "project3"},
        {"project": "nowhere"},
        {"release": "1.7"},
        {"text": "game-77"},
        {"text": "nowhere"},
        *states,
    ]


def _list(store: Store, wanted: dict[str, str], sort: Sort, later: bool) -> float:
    asked = Wanted(**wanted)  # type: ignore[arg-type]
    after = None
    if later:
        after = store.lists.groups(asked, sort, None, PAGE).next
    began = time.perf_counter()
    store.lists.groups(asked, sort, after, PAGE)
    return time.perf_counter() - began


def _each(once: Callable[[], None], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        once()
    return (time.perf_counter() - began) / times


def _flat(what: str, against: str, pairs: Sequence[tuple[float, float]], goal: float) -> Finding:
    many, few = (statistics.median(pair[which] for pair in pairs) * 1e6 for which in (0, 1))
    ratios = [many / few for many, few in pairs]
    return Finding(what=what, against=against, ratios=ratios, seen=f"{many:,.0f} and {few:,.0f} µs", at_most=goal)

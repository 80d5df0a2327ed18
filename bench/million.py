"""The cost of a million groups, compared with ten thousand: folding, claiming, and the lists of the console."""

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product

from bench import filled
from bench.filled import DUE, FEW, MANY, NOW, PROJECTS
from bench.finding import ROUNDS, Finding
from syncd.store import Store, outbox
from syncd.store.filters import STORED, Sort, State, Term, Wanted
from syncd.worker.absorb import absorb
from tests.store.filled import ToHere, accept

DIALECTS = ("sqlite", "postgresql")
BATCH, BATCHES = 200, 5
PAGE = 50


def fold() -> Iterator[Finding]:
    """Fold notifications of existing groups; a few groups are frequent and most are rare."""
    for dialect in DIALECTS:
        few, many = (filled.store(dialect, groups) for groups in (FEW, MANY))
        _fold(few, FEW, 0), _fold(many, MANY, 0)  # warm
        pairs = [(_fold(many, MANY, number), _fold(few, FEW, number)) for number in range(1, ROUNDS + 1)]
        yield _finding(f"folding one notification with {MANY:,} groups, {dialect}", f"with {FEW:,} groups", pairs, 1.5)


def _fold(store: Store, groups: int, number: int) -> float:
    """Seconds for each notification."""
    chosen = random.Random(number)
    seconds = 0.0
    for batch in range(BATCHES):
        notifications = [_notification(group, number * BATCHES + batch) for group in _zipf(chosen, groups)]
        accept(store, *notifications, at=float(NOW))
        start_time = time.perf_counter()
        absorb(store, ToHere(), float(NOW))
        seconds += time.perf_counter() - start_time
    return seconds / (BATCH * BATCHES)


def _zipf(chosen: random.Random, groups: int) -> list[int]:
    """BATCH distinct numbers from 1 to `groups`; smaller numbers are more likely. A repeated group would fold faster, and repetition is
    more frequent among few groups."""
    numbers: set[int] = set()
    while len(numbers) < BATCH:
        numbers.add(min(groups, int(groups ** chosen.random())))
    return list(numbers)


def _notification(number: int, more: int) -> dict[str, object]:
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
    """Claim the next due group, with no due groups and with a thousand."""
    for dialect, (subject, tracker) in product(DIALECTS, (("none", "later"), ("1,000", DUE))):
        few, many = (filled.store(dialect, groups) for groups in (FEW, MANY))
        _claim(few, tracker), _claim(many, tracker)  # warm
        pairs = [(_claim(many, tracker), _claim(few, tracker)) for _ in range(ROUNDS)]
        yield _finding(f"claiming from {MANY:,} groups with {subject} due, {dialect}", f"from {FEW:,}", pairs, 1.5)


def _claim(store: Store, tracker: str) -> float:
    def call() -> None:
        due = [call for call, at in store.read(partial(outbox.next_due, tracker=tracker)).items() if at <= NOW]
        if due:
            store.outbox.claim(tracker, f"bench/{time.monotonic_ns()}", float(NOW), due)

    return _each(call, 20)


def lists() -> Iterator[Finding]:
    """The slowest combination of filter, sort and page (first or second), with and without a text filter."""
    for dialect in DIALECTS:
        few, many = (filled.store(dialect, groups) for groups in (FEW, MANY))
        worst: dict[bool, Finding] = {}
        # On PostgreSQL the plan does not depend on the sort, and a page takes a tenth of a second.
        sorts = STORED if dialect == "sqlite" else (Sort.LAST_SEEN,)
        for wanted, sort, later in product(_filters(), sorts, (False, True)):
            pairs = [(_list(many, wanted, sort, later), _list(few, wanted, sort, later)) for _ in range(ROUNDS)]
            named = " ".join(wanted.values()) or "everything"
            subject = f"slowest list{' with a text filter' * ('text' in wanted)}, {MANY:,} groups, {dialect}: {'second' if later else 'first'} page of {named} by {sort}"
            finding = _finding(subject, f"with {FEW:,} groups", pairs, 3.0)
            if finding.ratio > max(
                (slowest.ratio for texts, slowest in worst.items() if texts == ("text" in wanted)), default=0.0
            ):
                worst["text" in wanted] = finding
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
    text, state = wanted.get("text"), wanted.get("state")
    query = Wanted(
        project=wanted.get("project"),
        release=wanted.get("release"),
        state=None if state is None else State(state),
        terms=() if text is None else (Term(text),),
    )
    after = None
    if later:
        after = store.lists.groups(query, sort, None, PAGE).next
    start_time = time.perf_counter()
    store.lists.groups(query, sort, after, PAGE)
    return time.perf_counter() - start_time


def _each(call: Callable[[], None], times: int) -> float:
    start_time = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start_time) / times


def _finding(subject: str, baseline: str, pairs: Sequence[tuple[float, float]], goal: float) -> Finding:
    many, few = (statistics.median(pair[which] for pair in pairs) * 1e6 for which in (0, 1))
    ratios = [many / few for many, few in pairs]
    return Finding(
        subject=subject, baseline=baseline, ratios=ratios, figures=f"{many:,.0f} and {few:,.0f} µs", at_most=goal
    )

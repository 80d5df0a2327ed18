"""Negative controls: syncd without one of its guards. The simulation must find each within a stated number of seeds; otherwise the guard is
needless, or the model has a hole."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from syncd.core import budget
from syncd.store import groups, inbox, issues, outbox, storms
from syncd.worker import update
from tests.simulation.tracker import Client


@dataclass(frozen=True, slots=True)
class Control:
    """A guard to take away: `target.name` is replaced by `weakened`, which gets the original as its first argument."""

    guard: str
    target: Any
    name: str
    weakened: Callable[..., Any]
    seeds: int

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Run without the guard."""
        original = getattr(self.target, self.name)

        def weak(*args: Any, **kwargs: Any) -> Any:
            return self.weakened(original, *args, **kwargs)

        setattr(self.target, self.name, weak)
        try:
            yield
        finally:
            setattr(self.target, self.name, original)


def _settle(original: Callable[..., Any], transaction: Any, claim: Any, revision: Any, *rest: Any) -> Any:
    return original(transaction, claim, 2**60 if revision is not None else None, *rest)


class _Ignoring:
    """A transaction in which one query does nothing."""

    def __init__(self, transaction: Any, query: str) -> None:
        self._transaction, self._query = transaction, query

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._transaction, name)
        return lambda query, *rest, **values: [] if query == self._query else method(query, *rest, **values)


def _forgetful(original: Callable[..., Any], transaction: Any, *rest: Any) -> Any:
    return original(_Ignoring(transaction, "renew_folded"), *rest)


def _newest_first(original: Callable[..., Any], store: Any, size: int, first: Any = ()) -> Any:
    return original(store, size, first)[-1:] if first else original(store, size)


def _taken_in_turn(original: Callable[..., Any], transaction: Any, allowances: Any, *rest: Any) -> Any:
    for allowance in allowances:
        result = original(transaction, [allowance], *rest)
        if result[1]:
            break
    return result


CONTROLS = (
    Control("a digest is remembered as long as its youngest delivery", inbox, "claim", _forgetful, 300),
    Control("a new group goes first with its older deliveries", inbox.Inbox, "waiting", _newest_first, 100),
    Control("a group that a storm released keeps its place", storms, "keep_place", lambda *_: None, 60),
    Control("a new group waits behind the groups of a storm", budget, "storm_ahead", lambda *_: 0, 60),
    Control("what met its thresholds once stays met", groups, "save_met", lambda *_: None, 100),
    Control("a write is taken from all budgets or from none", update, "take_all", _taken_in_turn, 150),
    Control("settle respects a revision that rose meanwhile", outbox, "settle", _settle, 100),
    Control("a comment in doubt is looked for before it is sent again", Client, "find_comment", lambda *_: None, 100),
    Control("an intent is on disk before the request", issues, "intend", lambda *_, **__: None, 100),
)

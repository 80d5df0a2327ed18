"""Negative controls: syncd without one of its guards. The simulation must find each within a stated number of seeds; otherwise the guard is
needless, or the model has a hole."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from msgspec.structs import replace as plan_replace

from syncd.core import budget, doubt, merges, plan, readings, regression
from syncd.core.doubt import Judgement, Outcome
from syncd.core.policy import Policy
from syncd.errors import StoreUnavailable
from syncd.model import Place
from syncd.store import due_times, groups, inbox, issues, limits, move, operator, outbox, storms
from syncd.worker import create, failures, reconcile, surveys, sync, update
from syncd.worker import storms as storming
from syncd.worker.context import SyncContext
from tests.simulation import database
from tests.simulation.tracker import Client


@dataclass(frozen=True, slots=True)
class Control:
    """A guard to take away: `target.name` is replaced by `weakened`, which gets the original as its first argument."""

    guard: str
    target: Any
    name: str
    weakened: Callable[..., Any]
    seeds: int
    profile: str = ""  # of the histories, if it is a rare one

    @property
    def present(self) -> object:
        """The guard as it is now."""
        return getattr(self.target, self.name)

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


@dataclass(frozen=True, slots=True)
class QueryControl:
    """A guard in the WHERE clause of a query: `part` of its text becomes `weakened`."""

    guard: str
    query: str
    part: str
    weakened: str
    seeds: int
    profile: str = ""  # of the histories, if it is a rare one

    @property
    def present(self) -> object:
        """The guard as it is now."""
        return database.texts()[self.query]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Run without the guard."""
        queries = database.texts()
        original = queries[self.query]
        if self.part not in original:
            raise ValueError(f"the query {self.query} has no {self.part!r}")
        queries[self.query] = original.replace(self.part, self.weakened)
        try:
            yield
        finally:
            queries[self.query] = original


def _absent(*_: Any) -> Judgement:
    return Judgement(outcome=Outcome.ABSENT, reason="no issue was looked for")


def _intend_at_once(original: Callable[..., Any], context: Any, intent: Any, newest: int | None) -> None:
    now = context.clock.wall()
    context.commit(lambda transaction: issues.intend(transaction, context.claim, intent, now))


def _take_over_all(original: Callable[..., Any], store: Any, is_dead: Any, now: float) -> Any:
    return original(store, lambda *_: lambda owner: True, now)


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


def _owed_once(original: Callable[..., Any], *rest: Any, **_: Any) -> Any:
    return original(*rest, again=False)


def _copies_prove(original: Callable[..., Any], client: Any, item: Any, issue: Any) -> bool:
    plain = item.is_live and item.readable and not item.hidden
    return not plain and bool(original(client, item, issue))


def _without_moments(original: Callable[..., Any], times: Any, transaction: Any, *rest: Any) -> Any:
    return original(times, _Ignoring(transaction, "shift_releases"), *rest)


def _target_alone(original: Callable[..., Any], transaction: Any, changed: Any) -> Any:
    represented = original(transaction, changed)
    return represented | {group_id: group for group_id, group in changed.items() if group_id in represented}


def _put_down(original: Callable[..., Any], transaction: Any, **values: Any) -> None:
    observations = values["survey"].observations
    for remote_id in values["remote_ids"]:
        for group_id, _ in issues.at_place(transaction, values["tracker"], remote_id):
            group, issue = outbox.load(transaction, group_id)
            if issue is not None and remote_id in observations:
                baseline = regression.next_baseline(group, issue, observations[remote_id].condition)
                issues.see(transaction, group_id, observations[remote_id], baseline, issue, values["now"])


def _save_or_not(original: Callable[..., Any], *rest: Any) -> Any:
    try:
        return original(*rest)
    except StoreUnavailable:
        return 0


def _conditions_only(original: Callable[..., Any], issue: Any, observation: Any) -> Any:
    place = Place(remote_id=issue.remote_id, key=issue.key, url=issue.url)
    return original(issue, replace(observation, place=place))


def _own_aliases_stay(original: Callable[..., Any], transaction: Any, *rest: Any) -> Any:
    return original(_Ignoring(transaction, "retarget_aliases"), *rest)


def _held_or_not(original: Callable[..., Any], group: Any, *rest: Any) -> Any:
    return original(plan_replace(group, on_hold=None), *rest)


def _without_lease(original: Callable[..., Any], context: Any, *rest: Any) -> Any:
    return replace(original(context, *rest), require_fresh=lambda: None)


CONTROLS: tuple[Control | QueryControl, ...] = (
    Control("a marker by an unknown author is no proof of absence", Client, "_may_be", _copies_prove, 100),
    Control("what people hid, ended or rewrote is no proof of absence", Client, "_may_be", lambda *_: False, 50),
    Control("a number that leads to nothing is no proof of absence", Client, "_is_gap", lambda *_: False, 150),
    Control("an issue that has the number of a lost one is another issue", doubt, "is_another", lambda *_: False, 150),
    Control("a number is in use whatever it leads to", Client, "_is_in_use", lambda _, client, item: item.is_live, 200),
    Control("a moved store refuses writes", move, "refuse_writes", lambda *_: None, 100),
    Control("when a release was noticed moves with the clock", due_times.DueTimes, "_move", _without_moments, 600),
    Control("a target is judged with its aliases by its own notifications", groups, "represent", _target_alone, 600),
    Control("a claim whose sync broke off is given back", sync, "give_back", lambda *_, **__: None, 60),
    Control("no two groups share an issue that a person linked", reconcile, "occupant", lambda *_: None, 150),
    Control("a digest is remembered as long as its youngest delivery", inbox, "claim", _forgetful, 1500, "repeats"),
    Control("a new group goes first with its older deliveries", inbox.Inbox, "waiting", _newest_first, 100),
    Control("a claimed group that is made due is due again", outbox, "owe", _owed_once, 300),
    Control("a group that a storm released keeps its place", storms, "keep_place", lambda *_: None, 60),
    Control("a new group waits behind the groups of a storm", budget, "storm_ahead", lambda *_: 0, 150),
    Control("what met its thresholds once stays met", groups, "save_met", lambda *_: None, 100),
    Control("a write is taken from all budgets or from none", update, "take", _taken_in_turn, 150),
    QueryControl(
        "settle respects a revision that rose meanwhile",
        "settle",
        ":revision = (SELECT revision",
        "0 < (SELECT revision",
        100,
    ),
    Control("a comment in doubt is looked for before it is sent again", Client, "find_comment", lambda *_: None, 100),
    Control("an intent is on disk before the request", issues, "intend", lambda *_, **__: None, 100),
    Control("absence is proven by reading", doubt, "judge", _absent, 20),
    Control("a decision to file is checked again where the intent is written", create, "intend", _intend_at_once, 50),
    Control("only the claims of the dead are taken over", outbox.Outbox, "take_over", _take_over_all, 50),
    Control(
        "a part of a limit is for groups with many users",
        Policy,
        "limits_of",
        lambda _, route, users: route.max_new_issues,
        200,
    ),
    Control("a storm is drained", storming, "drain", lambda *_: set(), 100),
    Control("a create takes from the budget of its tracker", create, "take", lambda *_: (None, 0.0), 50),
    Control("a silence is respected", budget, "in_force", lambda *_: False, 100),
    Control("numbers that were given once more prove nothing", doubt, "_gave_again", lambda *_: False, 50, "restored"),
    QueryControl("a claim waits for the end of another one's lease", "claim_group", "AND due_at <= :now", "", 50),
    QueryControl(
        "only an operator ends an operator's pause",
        "resume",
        "COALESCE(cause, '') NOT IN ('operator', 'copy') OR",
        "1 = 1 OR",
        400,
    ),
    QueryControl("a route files no more than max_new_issues", "issues_since", "COUNT(*) AS issues", "0 AS issues", 100),
    QueryControl("a route that resumes judges what it held", "held_by_rule", "decision = 'hold'", "1 = 0", 150),
    QueryControl(
        "an alias gives its own issue up", "retire_live", "state IN ('wanted', 'linked', 'parked')", "1 = 0", 100
    ),
    QueryControl("a claimed group stays in the outbox", "forget_waiting", " AND state <> 'claimed'", "", 500),
    QueryControl(
        "a comment's intent is on disk before the request", "save_status", "= :sent_at", "= comment_sent_at", 50
    ),
    QueryControl(
        "only the owner of a claim begins its lease anew", "renew", " AND owner = :owner", "", 50, "slow answers"
    ),
    Control("an owner that lost its claim writes nothing", outbox, "fence", lambda *_: None, 30, "slow answers"),
    QueryControl(
        "a create whose lease is over is in doubt", "doubt_expired", "'intended' AND", "'none' AND", 50, "slow answers"
    ),
    QueryControl(
        "one call tries a tracker that rests", "begin_trial", "until = :leased_until", "until = until", 50, "rests"
    ),
    Control("a survey writes nothing that it read", surveys, "_ask", _put_down, 100, "surveys"),
    Control("a survey keeps its place only with its findings", surveys, "save", _save_or_not, 100, "surveys"),
    Control("another address is news", readings, "is_news", _conditions_only, 30, "surveys"),
    QueryControl(
        "a look that a report asks for is owed",
        "ask_hooked",
        "looks_owed = issues.looks_owed + 1",
        "looks_owed = issues.looks_owed",
        50,
        "hooks",
    ),
    Control(
        "the aliases of a group that becomes an alias follow its target",
        operator,
        "add_alias",
        _own_aliases_stay,
        20,
        "chains",
    ),
    Control("an order to hold is respected by every plan", plan, "plan", _held_or_not, 20, "chains"),
    Control("a marker counts only by an own account", Client, "_is_own", lambda *_: True, 100, "copies"),
    Control("a lease is checked right before a request", SyncContext, "require_lease", lambda *_: None, 100, "frozen"),
    Control("a lease is checked right before a create leaves", create, "_draft", _without_lease, 100, "frozen"),
    Control(
        "what an owner that lost its claim wrote is written again",
        reconcile,
        "distrust",
        lambda *_, **__: None,
        50,
        "late edits",
    ),
    QueryControl(
        "a late answer to an edit changes nothing", "end_edit", " AND comment_sent_at = :sent_at", "", 50, "late edits"
    ),
    Control("the group that caused a rest is tried last", limits, "behind_rest", lambda *_: 0.0, 50, "rests"),
    Control("a merged group takes over the issue of its parts", merges, "parts", lambda *_: (), 100, "merges"),
    Control(
        "a merged group inherits what was known",
        merges,
        "inherited",
        lambda _, group, aliases, whole: whole,
        400,
        "merges",
    ),
    Control("refusals in a row are the project's", failures, "weigh", lambda *_: None, 50, "refused"),
    Control("an issue that was never read is not deleted", failures, "_doubts_deletion", lambda *_: "", 50, "refused"),
    QueryControl(
        "nothing is claimed for a tracker that rests",
        "claim_group",
        "trackers.state = 'paused'",
        "trackers.state = 'none'",
        200,
        "rests",
    ),
)

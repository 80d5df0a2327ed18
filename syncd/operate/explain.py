"""Explains a group: what syncd does about it now and why, what comes after that, and what a person can do. Calls no tracker."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from msgspec.structs import replace as replace_fields

from syncd.config import Config
from syncd.core import budget, counts, holds, plan, source_reports
from syncd.core.policy import hindrance
from syncd.core.quantities import utc
from syncd.model import Action, GroupView, Plan
from syncd.operate import shapes
from syncd.operate.needs import tracker_need
from syncd.store import Store, limits, outbox
from syncd.store.dead_letters import DeadLetter, Kind
from syncd.store.listing import Listed
from syncd.store.report import Past, TrackerStanding, left_behind
from syncd.worker import reconcile
from syncd.worker.routing import Routing
from syncd.worker.sync import SENDING

DECISIONS = frozenset(
    Action
)  # the actions of decisions in a history, which also has what people did and what they asked for

_NO_KEY = "00" * 32  # signs markers, and no marker is made here

# The rules of what holds up the call that a plan makes.
DEAD_LETTER, BACK_OFF, PUT_OFF, DRY_RUN, DETACHED, BUDGET, NOT_DUE = (
    "dead-letter",
    "back-off",
    "put-off",
    "dry-run",
    "detached",
    "budget",
    "not-due",
)

_WITHHELD = {outbox.DRY: DRY_RUN, outbox.DETACHED: DETACHED}

# By rule, the command that changes what the rule decided, and its effect.
_FILE = "`syncd file {fingerprint}` files it now, past thresholds and limits"
_RESUME = "`syncd resume {tracker}` ends that at once"
WAYS_OUT = {
    "threshold": _FILE,
    "unsymbolicated": _FILE,
    "zero-fingerprint": _FILE,
    "no-occurrence": _FILE,
    source_reports.RESOLVED: _FILE,
    holds.STORM: _FILE,
    holds.BY_HAND: "`syncd hold {fingerprint} --end` ends the hold",
    holds.ROUTE_PAUSED: "`syncd resume --route {route}` ends the pause",
    "unrouted": "a route that matches it files it; add one to the configuration and run `syncd check`",
    "alias": "`syncd alias remove {fingerprint}` lets it stand for itself again",
    "parked": "`syncd relink {fingerprint} ISSUE` links the right issue; `syncd dead retry {fingerprint}` looks again, with `--no-issue-exists` once you have searched the tracker",
    "dropped": "`syncd dead retry {fingerprint}` takes it up again",
    DEAD_LETTER: "`syncd dead retry {fingerprint}` sends it again as it is; `syncd dead discard {fingerprint}` gives it up",
    BACK_OFF: "`syncd sync {fingerprint}` tries at once",
    DRY_RUN: "start the daemon without --dry-run",
    DETACHED: "only the store that it was copied from files it",
    NOT_DUE: "`syncd sync {fingerprint}` makes it due",
    "tracker-paused": "`syncd resume {tracker}` ends the pause",
    "tracker-rests": f"remove the cause; {_RESUME}",
    "tracker-unreachable": _RESUME,
    "tracker-missing": "add [trackers.{tracker}] to the configuration again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What syncd does about a group and why. The first of `steps` is in force, `since` the time at which the history has it, in epoch seconds,
    None where nothing was decided yet; each further step comes after the one before it. `routes` has one sentence for each route, up to
    the one that takes the group; `counts` says what its count is made of; `way_out` is what a person can do about the first step, empty
    where nothing is to be done."""

    standing: GroupView
    history: Sequence[Past]
    routes: Sequence[str]
    counts: Sequence[str]
    steps: Sequence[Plan]
    since: float | None
    way_out: str


def rules(config: Config) -> Routing:
    """The rules for a command or a page, which file nothing."""
    return Routing(config=config, instance_key=_NO_KEY)


def explain(config: Config, store: Store, listed: Listed, history: Sequence[Past], now: float) -> Explanation:
    """Explain a group at `now`. Raises StoreUnavailable."""
    routing, standing = rules(config), listed.standing
    policy = routing.route(standing.group)
    issue = standing.issue
    tracker = issue.tracker if issue is not None else policy.tracker if policy is not None else None
    steps = _steps(config, store, listed, tracker, now)
    first = steps[0]
    names = {
        "fingerprint": standing.group.identity.fingerprint[:12],
        "route": "" if policy is None else policy.name,
        "tracker": tracker,
    }
    latest = next((past for past in history if past.action in DECISIONS), None)
    same = latest is not None and (latest.action, latest.rule or "") == (first.action, first.rule)
    return Explanation(
        standing=standing,
        history=history,
        routes=routes(config, standing),
        counts=_counts(config, store, standing),
        steps=steps,
        since=latest.at if latest is not None and same else None,
        way_out="" if first.action in SENDING else WAYS_OUT.get(first.rule, "").format(**names),
    )


def _steps(config: Config, store: Store, listed: Listed, tracker: str | None, now: float) -> list[Plan]:
    """What is in force, and what comes after it: first what a person keeps from happening, then what holds up the call, then the plan."""
    routing, group, issue = rules(config), listed.standing.group, listed.standing.issue
    policy = routing.route(group)
    configured = tracker if tracker in config.trackers else next(iter(config.trackers), None)
    context = plan.PlanContext(probe_after=[0.0])
    if configured is not None:
        context = store.read(
            lambda transaction: reconcile.plan_context(
                transaction, routing, listed.id, group, issue, policy, configured, now
            )
        )
    steps: list[Plan] = []
    planned = plan.plan(group, issue, policy, context, now)
    while planned.rule in (holds.BY_HAND, holds.ROUTE_PAUSED):
        steps.append(planned)
        if planned.rule == holds.BY_HAND:
            group = replace_fields(group, on_hold=None)
        else:
            context = replace(context, paused=None)
        planned = plan.plan(group, issue, policy, context, now)
    waits = list(_waits(config, store, listed, tracker, planned, now))
    if steps or planned.action is Action.HOLD:
        # No call is due: a dead letter and the state of the tracker matter later.
        waits = [wait for wait in waits if wait.rule == DEAD_LETTER or wait.rule.startswith("tracker-")]
    if planned.action in (Action.NOTHING, Action.PARK, Action.DROP):
        steps.append(planned)
    elif planned.action is Action.HOLD:
        steps += [planned, *waits]
    else:
        steps += [*waits, planned]
    if group.on_hold is not None:
        steps.append(holds.by_hand(group))
    return steps


def _waits(
    config: Config, store: Store, listed: Listed, tracker: str | None, planned: Plan, now: float
) -> Iterator[Plan]:
    """What holds up the planned call, in the order in which it ends."""
    letter, group = store.dead_letters.of(listed.id), listed.standing.group
    if letter is not None and letter.kind is Kind.DEAD:
        yield _dead(letter)
    elif planned.action is Action.CREATE and group.refused is not None and group.refused == plan.content(group):
        reason = f"tracker {tracker} refused these texts before; it is sent again once they change"
        yield Plan(action=Action.NOTHING, reason=reason, rule=DEAD_LETTER)
    if tracker is None:
        return
    opens_at = now
    standings = store.report.trackers(config.credentials, now)
    standings |= left_behind(store.report.owed(now), config.trackers)
    if tracker in config.trackers:
        allowance = rules(config).allowance(tracker)
        facts = store.read(partial(limits.standing, tracker=tracker, credential=allowance.credential))
        opens_at = budget.opens(facts, allowance, now)[planned.call]
    standing = standings.get(tracker, TrackerStanding(state="ok"))
    if standing.state not in ("ok", "slowed") or (standing.state == "slowed" and opens_at > now):
        need = tracker_need(tracker, shapes.tracker(standing), now)
        yield Plan(action=Action.WAIT, reason=need.what, rule=need.state.replace("_", "-"), until=standing.until)
    elif now < opens_at < float("inf"):
        reason = f"the writes of tracker {tracker} are spent; the next one is possible at {utc(opens_at)}"
        yield Plan(action=Action.WAIT, reason=reason, rule=BUDGET, until=opens_at)
    elif letter is None and planned.action is not Action.WAIT:
        if listed.owed_at is None:
            reason = "no call is due: the next notification, or the next survey of the tracker, makes one due"
            yield Plan(action=Action.WAIT, reason=reason, rule=NOT_DUE)
        elif listed.owed_at > now:
            tries = f"try {listed.attempts} failed: " if listed.attempts else ""
            why = f"{tries}{listed.owed_reason}; " if listed.owed_reason else ""
            reason = f"{why}the next try is at {utc(listed.owed_at)}"
            rule = _WITHHELD.get(listed.owed_reason or "", BACK_OFF if listed.attempts else PUT_OFF)
            yield Plan(action=Action.WAIT, reason=reason, rule=rule, until=listed.owed_at)


def _dead(letter: DeadLetter) -> Plan:
    """What becomes of a dead letter."""
    if letter.issue is None:
        what, next_ = "it", "it is sent again once its texts change"
    else:
        what, next_ = f"an update of {letter.issue.key}", "the next notification is tried again"
    reason = f"tracker {letter.tracker} refused {what} at {utc(letter.since)}: {letter.reason}; {next_}"
    return Plan(action=Action.NOTHING, reason=reason, rule=DEAD_LETTER)


_COUNTS = {
    "cumulative": 'occurrences are totals, as counts = "cumulative" states',
    "window": 'occurrences are added, as counts = "window" states',
    "event": 'each notification is one occurrence unless it says 0, as counts = "event" states',
}


def _counts(config: Config, store: Store, standing: GroupView) -> Sequence[str]:
    """What the count of the group is made of, and why its project is counted so."""
    identity = standing.group.identity
    if (source := rules(config).source(identity)) is not None and source.mode is not None:
        return [counts.meaning(standing.group), f"source {source.name}: {_COUNTS[source.settings.counts]}"]
    entry = store.report.countings().get((identity.universe, identity.project))
    if entry is None or entry.evidence == counts.Evidence():
        return [counts.meaning(standing.group)]
    counting = counts.decide(config.notifications.occurrence_mode, entry.evidence, entry.counting)
    return [counts.meaning(standing.group), f"project {identity.project}: {counts.why(counting, entry.evidence)}"]


def routes(config: Config, standing: GroupView) -> Sequence[str]:
    """One sentence per route, up to the route that takes the group: why it does or does not."""
    sentences: list[str] = []
    for route in config.all_routes:
        why_not = hindrance(standing.group, route.match)
        if why_not is None:
            return [*sentences, f"route {route.name} takes it, for tracker {route.tracker}"]
        sentences.append(f"route {route.name} does not take it: {why_not}")
    return sentences

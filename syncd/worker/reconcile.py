"""Groups that are judged again: after another configuration, a resumed route, an ended hold, while a storm drains. A function that
takes a transaction is part of its caller's."""

from collections.abc import Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from syncd.core import budget, frames, holds, markers, merges, plan, regression
from syncd.core.merges import Alike
from syncd.core.plan import DueCall, PlanContext
from syncd.core.policy import Policy
from syncd.model import Action, Call, Created, Group, GroupKind, Issue, IssueState, Place, Plan
from syncd.store import Store, comments, groups, handovers, instances, issues, limits, operator, outbox, storms
from syncd.store.connection import Transaction
from syncd.store.outbox import Claim
from syncd.worker.routing import Routing, qualify


def reroute(store: Store, routing: Routing, configuration: str, now: float, *, starts: bool = True) -> int:
    """Judge every group without an issue by the routes with this digest, unless they were judged by them last; how many groups.

    While a process with other routes runs, it judges what it absorbs and ends its claims by its own routes: only after its end do these
    routes count as those that the groups were judged by. Until then a process judges all groups when it starts, and once more when it
    finds itself without such a process. Afterwards it judges only those whose call waits for a tracker that it does not have.
    """
    before, shared = store.read(
        lambda transaction: (operator.judged(transaction), instances.judge_otherwise(transaction, configuration))
    )
    if shared and (not starts or before.routes == configuration):
        return 0
    if before.routes == configuration:
        elsewhere = store.read(partial(outbox.owed_elsewhere, trackers=routing.config.trackers))
        if not elsewhere:
            return 0
        return len(
            store.write(
                lambda transaction: _judge(
                    transaction,
                    routing,
                    {number: outbox.load(transaction, number)[0] for number in elsewhere},
                    now,
                    now,
                )
            )
        )
    store.write(partial(operator.set_judged, routes="", since=before.since))
    judged, after = 0, 0

    def judge(transaction: Transaction) -> list[int]:
        groups = dict(outbox.without_issue(transaction, after))
        return _judge(transaction, routing, groups, now if before.since is None else before.since, now)

    while ids := store.write(judge):
        judged, after = judged + len(ids), ids[-1]

    def finish(transaction: Transaction) -> None:
        # The clock may have been set meanwhile: then all are judged once more.
        if operator.judged(transaction).since == before.since and not instances.judge_otherwise(
            transaction, configuration
        ):
            operator.set_judged(transaction, configuration)

    store.write(finish)
    return judged


def _judge(
    transaction: Transaction, routing: Routing, groups: Mapping[int, Group], since: float, now: float
) -> list[int]:
    """Judge groups without an issue anew, and what they met at `since` or later; return their ids."""
    for group_id, group in qualify(transaction, routing, groups, since, now).items():
        due, policy = routing.next_call(replace(group, held_by=None), None, now), routing.route(group)
        if due.tracker is not None:
            outbox.owe(
                transaction, {group_id: DueCall(tracker=due.tracker, due_at=max(now, due.due_at), route=due.route)}
            )
        elif due.hold is not None:
            outbox.forget(transaction, group_id)
        if policy is not None:
            outbox.move(transaction, group_id, policy.tracker)
        if due.hold is not None:
            outbox.decide(transaction, group_id, due.hold, None, now, due.route)
        if group.place not in (None, due.route):
            storms.keep_place(transaction, group_id, None)
    return list(groups)


def reevaluate(
    transaction: Transaction, routing: Routing, group_id: int, reason: str, now: float, rule: str | None = None
) -> str | None:
    """Release a group from what held it, and make due what it owes: the tracker to call, None where nothing is due."""
    operator.release(transaction, group_id, reason, rule, now)
    return owe(transaction, routing, group_id, now)


def owe(transaction: Transaction, routing: Routing, group_id: int, now: float) -> str | None:
    """Make due what the group owes by what it is now, or write down what holds it: the tracker to call, None where nothing is due."""
    group, issue = outbox.load(transaction, group_id)
    group = qualify(transaction, routing, {group_id: group}, now, now)[group_id]
    due, policy = routing.next_call(group, issue, now), routing.route(group)
    if due.tracker is not None:
        outbox.owe(transaction, {group_id: due})
    if due.hold is not None:
        outbox.decide(transaction, group_id, due.hold, None, now, due.route)
    unfiled = issue is None or issue.state is IssueState.WANTED
    if due == DueCall(tracker=None) and policy is not None and unfiled and group.refused == plan.content(group):
        outbox.refuse_again(transaction, group_id, policy.tracker, now)
    return due.tracker


def make_due(
    transaction: Transaction, routing: Routing, group_id: int, reason: str, rule: str, now: float
) -> str | None:
    """Make due now what the group owes, with a fresh look at its issue, or judge the group again where it has none: the tracker to
    call, None where nothing is due."""
    operator.refresh(transaction, group_id, now)
    group, issue = outbox.load(transaction, group_id)
    if issue is None or issue.state is IssueState.WANTED:
        tracker = reevaluate(transaction, routing, group_id, reason, now, rule)
    else:
        due = routing.next_call(group, issue, now)
        tracker = None if group.follows is not None else due.tracker
        if tracker is not None:
            outbox.owe(transaction, {group_id: DueCall(tracker=tracker, due_at=now, call=due.call)})
    if tracker is not None:
        outbox.make_due(transaction, group_id, now)
    return tracker


def become_aliases(
    transaction: Transaction,
    routing: Routing,
    group_ids: Sequence[int],
    target_id: int,
    reason: str,
    now: float,
    *,
    actor: str | None = None,
) -> None:
    """Make groups the aliases of another one, or of the one that that one follows, which is judged with their occurrences from now on; their
    history names the `actor`. A target without an issue gets one of theirs: what holds the target may hold it for long. Raises ValueError for a
    group's own alias."""
    for group_id in group_ids:
        former = operator.target(transaction, group_id)
        if former is not None:
            end_alias(transaction, routing, group_id, former, now)
        target_id = follow(transaction, group_id, target_id, reason, now)
    _stand_for_aliases(transaction, routing, target_id, now)
    for group_id in group_ids:
        _decide_alias(transaction, group_id, target_id, reason, now, actor)
    owe(transaction, routing, target_id, now)


def _decide_alias(
    transaction: Transaction, group_id: int, target_id: int, reason: str, now: float, actor: str | None = None
) -> None:
    """Write down what the issue of the target and the group's own one are to an alias from now on."""
    group, target = outbox.load(transaction, group_id)[0], outbox.load(transaction, target_id)
    own = issues.retired(transaction, group_id)[1]
    outbox.decide(transaction, group_id, plan.follows(group, target, own, reason), None, now, actor=actor)


def _stand_for_aliases(transaction: Transaction, routing: Routing, target_id: int, now: float) -> None:
    """Hand the issue that an alias gave up to its target, if that has none: no crash loses its issue."""
    target, issue = outbox.load(transaction, target_id, lock=True)
    if issue is not None and issue.state is not IssueState.WANTED:
        return
    given = handovers.given_up(transaction, target_id)
    if not given:
        return
    own = merges.successor([given_up for _, given_up in given])
    alias_id = next(alias_id for alias_id, given_up in given if given_up is own)
    ledger = regression.ledger(target)
    if frames.merged(target.identity.fingerprint) and own.condition is not None and own.condition.closed:
        aliases = [alias for alias in operator.aliases(transaction, target_id) if alias != alias_id]
        ledger = merges.baseline(own, [outbox.load(transaction, alias)[0] for alias in aliases])
    issues.retire(transaction, target_id, "its alias has an issue", wanted_too=True)
    marker = markers.of_issue(routing.instance_key, own.tracker, target, issues.retired(transaction, target_id)[0])
    handovers.hand_over(transaction, alias_id, target_id, marker, ledger)
    outbox.forget(transaction, target_id)
    decision = Plan(action=Action.UPDATE, reason=f"{own.key} is the issue of its alias", rule="alias")
    outbox.decide(transaction, target_id, decision if target.on_hold is None else holds.by_hand(target), None, now)


def follow(transaction: Transaction, group_id: int, target_id: int, reason: str, now: float) -> int:
    """Let a group follow another one, or the one that that one follows, whose issue shows its occurrences from now on. Return the group
    that it follows. Raises ValueError for a group's own alias."""
    target_id = operator.target(transaction, target_id) or target_id
    if target_id == group_id:
        raise ValueError("a group cannot be an alias of itself")
    operator.add_alias(transaction, group_id, target_id, reason, now)
    issues.retire(transaction, group_id, reason, wanted_too=True)
    outbox.forget(transaction, group_id)
    show(transaction, target_id, now)
    return target_id


def end_alias(transaction: Transaction, routing: Routing, group_id: int, target_id: int, now: float) -> str | None:
    """Let an alias stand for itself again, with the issue that it gave up. Return the key of that, None if its route decides whether it
    gets another one. A target is taken for no merged group any more."""
    whole, target = outbox.load(transaction, target_id, lock=True)
    if frames.merged(whole.identity.fingerprint):
        operator.set_apart(transaction, target_id)
    alone, _ = outbox.load(transaction, group_id, lock=True)
    key = handovers.give_back(transaction, group_id, target_id, target, regression.ledger(alone))
    operator.remove_alias(transaction, group_id)
    _stand_for_aliases(transaction, routing, target_id, now)
    show(transaction, target_id, now)
    if target is not None and outbox.load(transaction, target_id)[1] is None:
        reevaluate(transaction, routing, target_id, f"{target.key} is the issue of its former alias again", now)
    else:
        owe(transaction, routing, target_id, now)
    reevaluate(transaction, routing, group_id, "it is no alias any more", now)
    if key is not None:
        outbox.make_due(transaction, group_id, now)
    return key


def occupant(transaction: Transaction, group_id: int, tracker: str, remote_id: str) -> int | None:
    """Return the other group whose live issue is at this place. People link issues by hand, also one that a create without an answer has
    made, or one that was moved."""
    return next((owner for owner, _ in issues.at_place(transaction, tracker, remote_id) if owner != group_id), None)


def distrust(transaction: Transaction, claim: Claim, now: float) -> None:
    """The owner of this claim lost it after a request had left: what the issue shows is older than its successor wrote, perhaps. The
    revision rises, so that a successor that is about to settle comes back."""
    if comments.distrust(transaction, claim.group_id, now):
        operator.bump(transaction, claim.group_id)
        outbox.owe(transaction, {claim.group_id: DueCall(tracker=claim.tracker, due_at=now, call=Call.UPDATE)})


def displace(transaction: Transaction, claim: Claim, created: Created, now: float) -> None:
    """The create of a claimed group made an issue whose place the tracker gave to another group's create before: it was restored from a
    backup, and that issue is lost. The next sync of the other group files another one, as its route says; a group that was dropped stays so."""
    owner_id = occupant(transaction, claim.group_id, claim.tracker, created.remote_id)
    issue = None if owner_id is None else outbox.load(transaction, owner_id)[1]
    if owner_id is None or issue is None or not issue.attempt or issue.followed:
        return  # people linked it
    reason = (
        f"the tracker gave {created.key} to another group, so that it was restored from a backup and has lost the issue"
    )
    if issue.state is IssueState.DROPPED:
        issues.lose_place(transaction, owner_id)
        return
    issues.retire(transaction, owner_id, reason)
    outbox.owe(transaction, {owner_id: DueCall(tracker=claim.tracker, due_at=now, call=Call.CREATE)})


def give_way(transaction: Transaction, claim: Claim, target_id: int, reason: str, now: float) -> None:
    """The issue of a claimed group stands for another group, which this one follows from now on. A storm is no crash and follows none: it
    gets another issue."""
    if outbox.load(transaction, claim.group_id)[0].kind is GroupKind.STORM:
        issues.retire(transaction, claim.group_id, reason)
        show(transaction, claim.group_id, now, create_on=claim.tracker)
    else:
        _decide_alias(
            transaction, claim.group_id, follow(transaction, claim.group_id, target_id, reason, now), reason, now
        )


def move(transaction: Transaction, claim: Claim, place: Place, now: float) -> None:
    """The tracker has moved the issue of a claimed group to this place. Where another group's issue is there, the group follows that."""
    target = occupant(transaction, claim.group_id, claim.tracker, place.remote_id)
    if target is None:
        issues.move(transaction, claim.group_id, place, now)
    else:
        give_way(transaction, claim, target, f"its issue is now {place.key}, which stands for that group", now)


def show(transaction: Transaction, group_id: int, now: float, *, create_on: str | None = None) -> str | None:
    """Bring the group's issue up to date, or create it on a tracker where it has none and `create_on` names one: the tracker to call."""
    operator.bump(transaction, group_id)
    _, issue = outbox.load(transaction, group_id)
    if issue is not None and issue.remote_id is not None:
        outbox.owe(transaction, {group_id: DueCall(tracker=issue.tracker, due_at=now, call=Call.UPDATE)})
        return issue.tracker
    if create_on is not None:
        outbox.owe(transaction, {group_id: DueCall(tracker=create_on, due_at=now, call=Call.CREATE)})
    return create_on


def plan_context(
    transaction: Transaction,
    routing: Routing,
    group_id: int,
    group: Group,
    issue: Issue | None,
    policy: Policy | None,
    tracker: str,
    now: float,
) -> PlanContext:
    """The facts beside a group and its issue that a plan depends on."""
    wait, ahead, place, due_in, gathers = 0.0, 0, 0, 0.0, False
    unfiled = group.kind is not GroupKind.STORM and (issue is None or issue.state is IssueState.WANTED)
    if policy is not None and policy.max_new_issues and unfiled:
        has_place = group.place == policy.name
        allowed = policy.max_new_issues if has_place else policy.limits_of(group.users)
        filed = storms.filed(transaction, policy.name, allowed, now)
        wait = budget.storm_wait(allowed, filed, now)
        if not has_place:
            held_back, released = storms.counts(transaction, policy.name)
            held_back -= group.held_by == holds.STORM
            ahead = budget.storm_ahead(allowed, filed, held_back, released, now)
            if not wait and policy.gather:
                left = budget.storm_places(policy.limits_of(None), filed, released, now)
                gathers = (
                    not storms.is_reported(transaction, policy.name)
                    if ahead
                    else storms.arrived(transaction, policy.name, now - policy.gather, now) > budget.portion(left)
                )
            if wait or ahead or gathers:
                place = storms.place_in_line(transaction, policy.name, group.identity) + released + 1
                due_in = budget.storm_due_in(allowed, filed, place, now)
                due_in = max(due_in, policy.gather) if gathers else due_in
    closed = issue is not None and issue.condition is not None and issue.condition.closed
    alike: tuple[Alike, ...] = ()
    if unfiled and policy is not None and policy.on_merge != "file" and frames.merged(group.identity.fingerprint):
        alike = _alike(transaction, group_id)
    target_id = None if group.follows is None else operator.target(transaction, group_id)
    return PlanContext(
        probe_after=routing.config.trackers[tracker].probe_after,
        paused=None if policy is None else limits.route_pause(transaction, policy.name),
        wait=wait,
        ahead=ahead,
        place=place,
        due_in=due_in,
        gathers=gathers,
        hold_zero=routing.hold_zero,
        project=groups.project_releases(transaction, group) if closed or alike else (),
        target=None if target_id is None else outbox.load(transaction, target_id),
        own=None if target_id is None else issues.retired(transaction, group_id)[1],
        alike=alike,
        closes=(source := routing.source(group.identity)) is not None and source.settings.on_resolved == "close",
    )


def _alike(transaction: Transaction, group_id: int) -> tuple[Alike, ...]:
    """The groups that a merged one may have been merged of; none if there are more than anybody merges."""
    numbers = operator.alike(transaction, group_id, merges.MOST + 1)
    if len(numbers) > merges.MOST:
        return ()
    return tuple(Alike(number, *outbox.load(transaction, number)) for number in numbers)


def facts(
    transaction: Transaction, routing: Routing, claim: Claim, now: float
) -> tuple[Group, Issue | None, Policy | None, PlanContext]:
    """All that the plan for a claimed group depends on, as this transaction reads it."""
    group, issue = outbox.load(transaction, claim.group_id)
    policy = routing.route(group)
    return (
        group,
        issue,
        policy,
        plan_context(transaction, routing, claim.group_id, group, issue, policy, claim.tracker, now),
    )


def plan_again(transaction: Transaction, routing: Routing, claim: Claim, now: float) -> Plan:
    """Plan a claimed group once more, by what this transaction reads. An operator or another thread may have changed what the first
    plan was made of: a route resumed, an alias added, an order to hold."""
    return plan.plan(*facts(transaction, routing, claim, now), now)

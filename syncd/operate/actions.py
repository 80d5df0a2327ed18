"""What an operator does to groups and routes, by the console or a command; the daemon goes on meanwhile. Each function is one
transaction."""

from syncd.core import filing, plan
from syncd.core.plan import NEVER_LINKED
from syncd.model import Action, IssueState, Place, Plan
from syncd.store import Store, aliases, history, issues, operator, outbox, routes
from syncd.store.connection import Transaction
from syncd.worker import reconcile
from syncd.worker.routing import Routing

OPERATOR = "operator"  # the rule of what an operator asked for
REASON = "an operator asked for it"


def sync_now(store: Store, routing: Routing, group_id: int, now: float) -> str | None:
    """Look at the group's issue and bring it up to date at once, or judge a group without an issue again: the tracker to call, None
    where nothing is due."""
    return store.write(lambda transaction: reconcile.make_due(transaction, routing, group_id, REASON, OPERATOR, now))


def hold(store: Store, group_id: int, reason: str, now: float) -> None:
    """File nothing for the group and write nothing to its issue until `end_hold`. A call under way is finished."""

    def write(transaction: Transaction) -> None:
        operator.lock(transaction, group_id)
        operator.hold(transaction, group_id, reason)
        outbox.forget(transaction, group_id)
        group, issue = outbox.load(transaction, group_id)
        history.decide(transaction, group_id, filing.by_hand(group), None, now)
        if issue is not None and issue.state in NEVER_LINKED:
            # A create that was sent and not answered goes on being looked for.
            due = plan.next_call(group, issue, [], hold_zero=False, now=now)
            outbox.owe(transaction, {group_id: due})

    store.write(write)


def end_hold(store: Store, routing: Routing, group_id: int, now: float) -> bool:
    """Judge the group by its route again; False where no operator held it."""

    def write(transaction: Transaction) -> bool:
        operator.lock(transaction, group_id)
        if outbox.load(transaction, group_id)[0].on_hold is None:
            return False
        operator.end_hold(transaction, group_id)
        reconcile.make_due(transaction, routing, group_id, REASON, OPERATOR, now)
        return True

    return store.write(write)


def relink(
    store: Store, routing: Routing, group_id: int, tracker: str, place: Place, instance_key: str, now: float
) -> str | None:
    """Let the issue at `place` stand for the group; returns the key of the one that did, which stays as it is in its tracker. Raises
    ValueError where the place is another group's, while a create is in doubt, and for an alias."""

    def write(transaction: Transaction) -> str | None:
        operator.lock(transaction, group_id)
        group, issue = outbox.load(transaction, group_id)
        if group.follows is not None:
            raise ValueError(f"it is an alias of {group.follows}; remove the alias first")
        _require_settled(issue.state if issue is not None else None)
        if issue is not None and (issue.tracker, issue.remote_id) == (tracker, place.remote_id):
            raise ValueError(f"{place.key} stands for it already")
        for _, fingerprint in issues.at_place(transaction, tracker, place.remote_id):
            raise ValueError(f"{place.key} stands for group {fingerprint}; make this one its alias")
        reason = f"an operator linked {place.key}"
        issues.retire(transaction, group_id, reason, wanted_too=True)
        generation, _ = issues.retired(transaction, group_id)
        marker = plan.marker(instance_key, tracker, group, generation)
        route = None if issue is None else issue.route
        issues.link_by_hand(transaction, group_id, tracker, marker, place, route)
        decision = Plan(action=Action.UPDATE, reason=reason, rule=OPERATOR)
        history.decide(transaction, group_id, decision, None, now)
        outbox.forget(transaction, group_id)
        reconcile.make_due(transaction, routing, group_id, REASON, OPERATOR, now)
        return None if issue is None else issue.key

    return store.write(write)


def add_alias(store: Store, group_id: int, target_id: int, reason: str, now: float) -> str | None:
    """Show a group's occurrences on the issue of another one from now on; returns the key of the issue it had, which is given up and
    stays as it is in the tracker. Raises ValueError for a group's own alias, and while a create of it is in doubt."""

    def write(transaction: Transaction) -> str | None:
        _, issue = outbox.load(transaction, group_id)
        _require_settled(issue.state if issue is not None else None)
        reconcile.become_alias(transaction, group_id, target_id, reason, now)
        return None if issue is None else issue.key

    return store.write(write)


def remove_alias(store: Store, routing: Routing, group_id: int, now: float) -> bool:
    """Let the group stand for itself again; False when it was no alias."""

    def write(transaction: Transaction) -> bool:
        target = aliases.target(transaction, group_id)
        if not aliases.remove(transaction, group_id):
            return False
        if target is not None:
            reconcile.show(transaction, target, now)
        reconcile.reevaluate(transaction, routing, group_id, "it stands for itself again", now)
        return True

    return store.write(write)


def resume_route(store: Store, routing: Routing, route: str, now: float) -> bool:
    """Judge again what the paused route held; False when it was not paused."""

    def write(transaction: Transaction) -> bool:
        if not routes.resume(transaction, route):
            return False
        for group_id in routes.held_by(transaction, filing.ROUTE_PAUSED, route):
            reconcile.reevaluate(transaction, routing, group_id, "the route was resumed", now)
        routes.wake(transaction, filing.ROUTE_PAUSED, now)
        return True

    return store.write(write)


def _require_settled(state: IssueState | None) -> None:
    if state in NEVER_LINKED:
        raise ValueError("a create for it was sent and is not answered yet; try again when it is settled")

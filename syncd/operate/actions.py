"""An operator's decisions about groups and routes, for the console and the commands, while the daemon runs. Each function writes in
one transaction, with its entry of the audit by `Store.actor`; where nothing changes there is no entry. Only `relink` calls a tracker."""

import time
from dataclasses import dataclass, replace

from syncd.config import Config
from syncd.config.values import no_tracker
from syncd.core import holds, plan
from syncd.core.plan import NEVER_LINKED
from syncd.core.quantities import counted, utc
from syncd.errors import ConfigError, Moved, SyncdError, TrackerError
from syncd.model import Action, Group, GroupKind, Issue, IssueState, Place, Plan
from syncd.operate import explain
from syncd.platform.clock import Clock
from syncd.store import Store, audit, inbox, issues, limits, operator, outbox
from syncd.store.audit import Kind, Subject
from syncd.store.connection import Transaction
from syncd.trackers import open_tracker
from syncd.trackers.references import named
from syncd.worker import adoptions, reconcile
from syncd.worker.routing import Routing

OPERATOR = "operator"  # the rule of an operator's decisions
REASON = "an operator asked for it"
_UNSETTLED = "a create for it has no answer yet; try again when syncd knows the outcome"


class NotLinked(SyncdError):
    """Nothing changed; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Relinked:
    """The issue of the group from now on, and the key of its previous issue."""

    place: Place
    before: str | None


def sync_now(store: Store, routing: Routing, group_id: int, now: float) -> str | None:
    """Make the group due now, or decide again about a group without an issue. Returns the tracker to call, None if nothing is due: a group
    that a storm holds keeps its place in line."""

    def write(transaction: Transaction) -> str | None:
        group, issue = outbox.load(transaction, group_id, lock=True)
        unfiled = issue is None or issue.state is IssueState.WANTED
        if unfiled and group.held_by == holds.STORM and group.ordered is None:
            return None
        outbox.note(transaction, group_id, "sync", REASON, store.actor, now)
        tracker = reconcile.make_due(transaction, routing, group_id, REASON, OPERATOR, now)
        after = "judged again, nothing is due" if tracker is None else f"due now, for {tracker}"
        audit.record(transaction, store.actor, "sync", _subject(group_id, group), f"{_issue(issue)} → {after}", now)
        return tracker

    return store.write(write)


def file_now(store: Store, routing: Routing, group_id: int, reason: str, now: float, *, dry_run: bool = False) -> str:
    """File the group now, past the thresholds and the limit of its route. Returns the tracker; a pause of it, or of the route, is still
    in force. Raises ValueError for a group that is not to be filed: one with an issue, an alias, one on hold, one without a route."""

    def write(transaction: Transaction) -> str:
        group, issue = outbox.load(transaction, group_id, lock=True)
        policy = routing.route(group)
        if group.kind is GroupKind.STORM:
            raise ValueError("it is a storm; name the group of a crash")
        if group.follows is not None:
            raise ValueError(f"it is an alias of {group.follows}, whose issue shows its occurrences")
        if issue is not None and issue.state is not IssueState.WANTED:
            raise ValueError(f"its issue is {issue.key}" if issue.key else _UNSETTLED)
        if group.on_hold is not None:
            raise ValueError("an operator holds it; end that with `syncd hold … --end`")
        if policy is None:
            raise ValueError("no route takes it; `syncd explain` names each route's reason")
        if not dry_run:
            operator.order(transaction, group_id, reason)
            decision = f"an operator files it past thresholds and limits: {reason}"
            waiting = Plan(action=Action.WAIT, reason=decision, rule=plan.ORDERED)
            outbox.decide(transaction, group_id, waiting, None, now, actor=store.actor)
            reconcile.make_due(transaction, routing, group_id, decision, plan.ORDERED, now)
            before = "not filed" if group.held_by is None else f"held ({group.held_by})"
            detail = f"{before} → filed next, in {policy.tracker}: {reason}"
            audit.record(transaction, store.actor, "file", _subject(group_id, group), detail, now)
        return policy.tracker

    return store.write(write)


def hold(store: Store, group_id: int, reason: str, now: float) -> None:
    """File nothing for the group and write nothing to its issue until `end_hold`. A call in progress is finished."""

    def write(transaction: Transaction) -> None:
        before = outbox.load(transaction, group_id, lock=True)[0].on_hold
        operator.hold(transaction, group_id, reason)
        outbox.forget(transaction, group_id)
        group, issue = outbox.load(transaction, group_id)
        outbox.decide(transaction, group_id, holds.by_hand(group), None, now, actor=store.actor)
        if issue is not None and issue.state in NEVER_LINKED:
            # syncd still looks for the issue of a create without an answer.
            due = plan.next_call(group, issue, [], hold_zero=False, now=now)
            outbox.owe(transaction, {group_id: due})
        detail = f"{_hold(before)} → {_hold(reason)}"
        audit.record(transaction, store.actor, "hold", _subject(group_id, group), detail, now)

    store.write(write)


def end_hold(store: Store, routing: Routing, group_id: int, now: float) -> bool:
    """Let the group's route decide again; False if no operator held the group."""

    def write(transaction: Transaction) -> bool:
        group = outbox.load(transaction, group_id, lock=True)[0]
        if group.on_hold is None:
            return False
        operator.hold(transaction, group_id, None)
        outbox.note(transaction, group_id, "end hold", "an operator ended the hold", store.actor, now)
        reconcile.make_due(transaction, routing, group_id, REASON, OPERATOR, now)
        detail = f"{_hold(group.on_hold)} → {_hold(None)}"
        audit.record(transaction, store.actor, "end hold", _subject(group_id, group), detail, now)
        return True

    return store.write(write)


def link(
    store: Store, routing: Routing, group_id: int, tracker: str, place: Place, instance_key: str, now: float
) -> str | None:
    """Link the group to the issue at `place`. Returns the key of its previous issue, which syncd leaves as it is in its tracker.

    Raises ValueError if the issue is linked to another group already, while a create is in doubt, and for an alias."""

    def write(transaction: Transaction) -> str | None:
        group, issue = outbox.load(transaction, group_id, lock=True)
        if group.follows is not None:
            raise ValueError(f"it is an alias of {group.follows}; remove the alias first")
        if issue is not None and issue.state in NEVER_LINKED:
            raise ValueError(_UNSETTLED)
        if issue is not None and (issue.tracker, issue.remote_id) == (tracker, place.remote_id):
            raise ValueError(f"{place.key} is linked to it already")
        for _, fingerprint in issues.at_place(transaction, tracker, place.remote_id):
            raise ValueError(f"{place.key} is linked to group {fingerprint}; make this group its alias")
        decision = Plan(action=Action.UPDATE, reason=f"an operator linked {place.key}", rule=OPERATOR)
        route = None if issue is None else issue.route
        adoptions.take(
            transaction, instance_key, group_id, group, tracker, place, decision, route, now, actor=store.actor
        )
        if group.on_hold is not None:
            outbox.decide(transaction, group_id, holds.by_hand(group), None, now)
        reconcile.make_due(transaction, routing, group_id, REASON, OPERATOR, now)
        detail = f"{_issue(issue)} → {place.key} in {tracker}"
        audit.record(transaction, store.actor, "relink", _subject(group_id, group), detail, now)
        return None if issue is None else issue.key

    return store.write(write)


def relink(
    config: Config, store: Store, group_id: int, tracker: str | None, text: str, now: float, *, dry_run: bool = False
) -> Relinked:
    """Read the issue that `text` names (number, key or URL) and link the group to it. `tracker` defaults to that of the group's
    issue, else of its route. Raises NotLinked, StoreUnavailable."""
    entry = store.lists.group(group_id)
    if entry is None:
        raise NotLinked("there is no such group")
    group, issue = entry[0].standing.group, entry[0].standing.issue
    routing = explain.rules(config)
    policy = routing.route(group)
    name = tracker or (issue.tracker if issue else None) or (policy.tracker if policy else None)
    if name is None:
        raise NotLinked("no route takes this group; give the issue's tracker as well")
    if name not in config.trackers:
        raise NotLinked(no_tracker(name, config.trackers))
    try:
        reference = named(name, config.trackers[name], text)
        client = open_tracker(name, config.trackers[name], store.notebook(name), clock=Clock(), sleep=time.sleep)
        try:
            place = client.look(reference).place
        except Moved as error:
            place = Place(remote_id=error.remote_id, key=error.key, url=error.url)
        finally:
            client.close()
        if dry_run:
            return Relinked(place, issue.key if issue else None)
        return Relinked(place, link(store, routing, group_id, name, place, store.instance_key(), now))
    except (ValueError, ConfigError, TrackerError) as error:
        raise NotLinked(str(error)) from None


@dataclass(frozen=True, slots=True)
class AliasChange:
    """The key of the group's own issue, None if it has none, and whether that issue shows the occurrences of the target too."""

    own: str | None
    shared: bool = False

    @property
    def sentence(self) -> str:
        """What becomes of the own issue of a new alias, for people; empty if it has none."""
        if self.own is None:
            return ""
        if self.shared:
            return f"The target had no issue: {self.own} shows the occurrences of both."
        return f"syncd no longer writes to its own issue {self.own}; close it by hand as a duplicate."


def add_alias(store: Store, routing: Routing, group_id: int, target_id: int, reason: str, now: float) -> AliasChange:
    """Show a group's occurrences on another group's issue from now on; a target without an issue gets the group's. Raises ValueError for
    an alias of itself, while a create is in doubt, and for a target whose issue syncd does not write to."""
    routing = replace(routing, instance_key=store.instance_key())

    def write(transaction: Transaction) -> AliasChange:
        group, issue = outbox.load(transaction, group_id, lock=True)
        target, after = outbox.load(transaction, operator.target(transaction, target_id) or target_id, lock=True)
        if issue is not None and issue.state in NEVER_LINKED:
            raise ValueError(_UNSETTLED)
        dropped = after is not None and (after.state is IssueState.DROPPED or after.remote_id is None)
        if issue is not None and issue.state is IssueState.LINKED and after is not None and dropped:
            if after.state is IssueState.DROPPED:
                raise ValueError(f"syncd writes no more to the target's issue; link the target to {issue.key} instead")
            if after.state is not IssueState.WANTED:
                raise ValueError("a create for the target has no answer yet; try again when syncd knows the outcome")
        reconcile.become_aliases(transaction, routing, [group_id], target_id, reason, now, actor=store.actor)
        detail = f"{_alias(group.follows)}, {_issue(issue)} → {_alias(target.identity.fingerprint)}: {reason}"
        audit.record(transaction, store.actor, "add alias", _subject(group_id, group), detail, now)
        own = None if issue is None else issue.key
        return AliasChange(own, own is not None and (after is None or after.state is IssueState.WANTED))

    return store.write(write)


def remove_alias(store: Store, routing: Routing, group_id: int, now: float) -> AliasChange | None:
    """Let the group stand for itself again, with the issue that it gave up; without one its route decides. Returns None if it was no
    alias."""

    def write(transaction: Transaction) -> AliasChange | None:
        target_id = operator.target(transaction, group_id)
        if target_id is None:
            return None
        group, _ = outbox.load(transaction, group_id, lock=True)
        outbox.note(transaction, group_id, "remove alias", "an operator removed the alias", store.actor, now)
        key = reconcile.end_alias(transaction, routing, group_id, target_id, now)
        detail = f"{_alias(group.follows)} → {_alias(None)}, {'no issue' if key is None else f'issue {key}'}"
        audit.record(transaction, store.actor, "remove alias", _subject(group_id, group), detail, now)
        return AliasChange(key)

    return store.write(write)


def resume_route(store: Store, routing: Routing, route: str, now: float) -> bool:
    """Resume a route, and decide again about the groups that it held; False if it was not paused."""

    def write(transaction: Transaction) -> bool:
        reason = limits.route_pause(transaction, route)
        held = limits.resume_route(transaction, route, holds.ROUTE_PAUSED, now)
        for group_id in held or ():
            reconcile.reevaluate(transaction, routing, group_id, "the route was resumed", now)
        if held is not None:
            subject = Subject(Kind.ROUTE, route)
            audit.record(transaction, store.actor, "resume", subject, f"paused: {reason} → ok", now)
        return held is not None

    return store.write(write)


def purge(store: Store, before: float, decided_before: float, now: float) -> int:
    """Remove what is older than these times, one batch in a transaction, so that the receiver never waits long. Returns how many rows that
    were."""
    rows: int = 0
    entry: int | None = None

    def write(transaction: Transaction) -> tuple[int, int | None]:
        purged = inbox.purge(transaction, before, decided_before)
        ages = f"deliveries from before {utc(before)}, decisions from before {utc(decided_before)}"
        detail = f"{counted(rows + purged, 'row')} → deleted: {ages}"
        if not purged:
            return rows, None
        if entry is None:
            return purged, audit.record(transaction, store.actor, "purge", audit.STORE, detail, now)
        audit.amend(transaction, entry, detail)
        return rows + purged, entry

    while (result := store.write(write))[1] is not None:
        rows, entry = result
    return rows


def _subject(group_id: int, group: Group) -> Subject:
    return Subject(Kind.GROUP, group.identity.fingerprint, group_id)


def _hold(reason: str | None) -> str:
    return "not held by an operator" if reason is None else f"held: {reason}"


def _alias(target: str | None) -> str:
    return "no alias" if target is None else f"alias of {target}"


def _issue(issue: Issue | None) -> str:
    return "no issue" if issue is None or issue.key is None else f"issue {issue.key}"

"""Creating the issue of a group exactly once: the intent, the one request, and the proof where its answer was lost."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import structlog

from syncd.core import doubt, holds, markers, merges, plan, policy, raising, regression
from syncd.core.doubt import Outcome
from syncd.core.plan import DueCall
from syncd.errors import LeaseLost, OutcomeUnknown, TrackerError
from syncd.model import Action, Call, Created, GroupKind, Issue, IssueState, Plan, ProjectRelease, Settings
from syncd.store import Store, issues, limits, outbox, strays
from syncd.store.connection import Transaction
from syncd.store.issues import Intent
from syncd.store.outbox import Claim
from syncd.trackers import Draft
from syncd.worker import reconcile, sweeps
from syncd.worker.context import FilingFacts, HeldBack, Operation, Parked, Retry, SyncContext, Synced, SyncResult
from syncd.worker.routing import take

T = TypeVar("T")

log = structlog.get_logger("syncd.worker")

# The greatest age of the highest number known: the older it is, the more a probe has to read and to explain.
FLOOR_SECONDS = 3600.0
# Issues that a group may have had and given up since a backup.
MOST_GENERATIONS = 8
# The same while other clients create issues there: so often what they create is read.
PASSED_SECONDS = 10.0

WENT_BACK = "number {} was given before it, so that the tracker was restored from a backup: issues that were filed after the backup may be lost"


def create(context: SyncContext, facts: FilingFacts) -> SyncResult:
    """Send the one request, after its intent is on disk. Raises TrackerError, LeaseLost, StoreUnavailable."""
    claim, group, now = context.claim, context.group, context.clock.wall()
    if context.policy is not None and context.policy.tracker != claim.tracker:
        # It was claimed for the tracker of its former issue, or of a route that has changed since.
        return Retry(f"route {context.policy.name} files in {context.policy.tracker}", now, Call.CREATE)
    # What is created from now on has a number above the highest one. An issue before this one may be gone because the tracker was restored.
    fresh = (
        facts.previous is None and facts.floor.read_at is not None and 0 <= now - facts.floor.read_at < FLOOR_SECONDS
    )
    newest = None if fresh or facts.floor.read_at is None else context.tracker.newest()
    if facts.floor.read_at is None or (newest is not None and newest > facts.floor.number):
        swept = sweeps.sweep(context, facts.floor)
        if isinstance(swept, Retry):
            return swept
        newest = swept
    marker = markers.of_issue(context.routing.instance_key, claim.tracker, group, facts.generation)
    project = () if context.policy is None else context.project_releases(context.policy.set)
    draft = _draft(context, marker, facts, project)
    intent = Intent(
        marker=marker,
        revision=group.revision,
        route=context.route,
        baseline=regression.ledger(group),
        previous=facts.previous,
        settings=Settings(
            priority=draft.priority,
            assignee=draft.assignee,
            milestone=draft.milestone,
            labels=draft.labels,
            components=draft.components,
        ),
        judged=raising.wanted(group, () if context.policy is None else context.policy.set, project, now),
    )
    if obstacle := intend(context, intent, newest):
        return obstacle
    try:
        created = context.tracker.create(draft)
    except TrackerError as error:
        state = IssueState.IN_DOUBT if isinstance(error, OutcomeUnknown) else IssueState.WANTED
        context.record(partial(issues.end_intent, claim=claim, state=state, note=error.reason))
        raise
    # Anything else that ends this thread leaves the intent on disk, and the next owner of the claim in doubt.
    return Synced(created.key, group.revision, created)


def adopt(context: SyncContext) -> SyncResult:
    """Take over the issue of the groups that this one was merged of, which become its aliases. Raises LeaseLost, StoreUnavailable."""
    claim, now = context.claim, context.clock.wall()

    def write(transaction: Transaction) -> SyncResult:
        group, issue, policy, facts = reconcile.facts(transaction, context.routing, claim, now)
        again = plan.plan(group, issue, policy, facts, now)
        if again.action is not Action.ADOPT or policy is None:
            return Retry(f"not taken over: {again.reason}", now, Call.CREATE)
        parts = [entry.group_id for entry in merges.parts(group, facts.alike)]
        reconcile.become_aliases(transaction, context.routing, parts, claim.group_id, again.reason, now)
        return Retry(again.reason, now, Call.UPDATE, done=True)

    return context.commit(write)


def intend(context: SyncContext, intent: Intent, newest: int | None) -> SyncResult | None:
    """Commit that the create is about to be sent: None. Where the route or the credential may not create now nothing is intended, and
    the result says what to do instead. Raises LeaseLost, StoreUnavailable."""
    claim, route, now = context.claim, context.policy, context.clock.wall()

    def write(transaction: Transaction) -> SyncResult | None:
        if route is not None and context.group.kind is not GroupKind.STORM and route.max_new_issues:
            # Another thread may be filing the last issue that the route may file.
            transaction.lock(f"route {route.name}")
        again = reconcile.plan_again(transaction, context.routing, claim, now)
        if again.action is Action.HOLD and again.rule == holds.STORM and route is not None:
            return HeldBack(again, route)
        if again.action is not Action.CREATE:
            return Retry(f"not filed: {again.reason}", now, Call.CREATE)
        _, wait = take(transaction, [context.routing.allowance(claim.tracker)], Call.CREATE, now)
        if newest is not None:
            limits.raise_floor(transaction, claim.tracker, newest, now, highest=True)
        if wait:
            return Retry("the writes of the tracker are spent", now + wait, Call.CREATE)
        if (key := _link_stray(transaction, context, intent, now)) is not None:
            reason = f"{key} has its marker: this store or a copy of it has filed it before"
            return Retry(reason, now, Call.UPDATE, done=True)
        issues.intend(transaction, claim, intent, now)
        return None

    return context.commit(write)


def _link_stray(transaction: Transaction, context: SyncContext, intent: Intent, now: float) -> str | None:
    """Link the latest issue of the group that the store did not know, and return its key; None where there is none. Issues that the group
    had before that one count as given up."""
    claim = context.claim
    generation, _ = issues.retired(transaction, claim.group_id)
    own = [
        markers.of_issue(context.routing.instance_key, claim.tracker, context.group, generation + number)
        for number in range(MOST_GENERATIONS)
    ]
    references = [context.tracker.reference(marker) for marker in own]
    several = strays.with_references(transaction, claim.tracker, references)
    if not several:
        return None
    last = max(map(references.index, several))
    latest = several[references[last]]
    note = f"given up for {latest[0].key}, before the store was restored from a backup"
    for marker, reference in zip(own[:last], references[:last], strict=True):
        issues.skip_generation(transaction, claim, marker, next(iter(several.get(reference, ())), None), note)
    issues.intend(transaction, claim, replace(intent, marker=own[last], revision=0, route=None), now)
    link_proved(transaction, claim, latest, now)
    issues.ask_look(transaction, claim.group_id)
    for linked in several.values():
        strays.remove(transaction, claim.tracker, linked)
    return latest[0].key


def link(store: Store, claim: Claim, created: Created, end: Operation[T], now: float, *, floor: int = 0) -> T | None:
    """Commit the answer, and with it the `end` of the claim, whose result is returned. Only the sender of this very intent can link
    its issue, however late: the lease does not count. Raises LeaseLost, with the issue on disk, where another owner has the group; an
    issue that can stand for it no more is kept as a double. `floor` is a number that the tracker had before it was asked for the issue.
    Raises StoreUnavailable."""
    group_id, went_back = claim.group_id, 0 < created.number <= floor
    if went_back:
        log.error("tracker_numbers_went_back", tracker=claim.tracker, issue=created.key, floor=floor)
        created = replace(created, notes=(*created.notes, WENT_BACK.format(floor)))

    def write(transaction: Transaction) -> tuple[bool, bool, T | None]:
        owned = outbox.renew(transaction, claim, now)  # it locks the group first
        linked, target = _link(transaction, claim, [created], claim.owner, now)
        if linked and created.existed:
            issues.ask_look(transaction, group_id, anew=True)  # it shows what an earlier create wrote
        if linked and not owned:
            # The new owner may have settled the group as in doubt: what came meanwhile is owed again.
            due = DueCall(tracker=claim.tracker, due_at=now, call=Call.UPDATE)
            outbox.owe(transaction, {group_id: due})
        ended = end(transaction) if linked and owned else None
        if target is not None:
            reconcile.give_way(transaction, claim, target, _TAKEN.format(created.key), now)
        if created.number > limits.floor(transaction, claim.tracker).number + 1:
            # Other clients take numbers, and one of them may be a copy of this store. The floor stays: what is between is not read yet.
            limits.numbers_passed(transaction, claim.tracker, now - FLOOR_SECONDS + PASSED_SECONDS)
        else:
            limits.raise_floor(transaction, claim.tracker, created.number, now)
        if went_back:
            limits.lower_floor(transaction, claim.tracker, created.number)
        return linked, owned, ended

    linked, owned, ended = store.write(write, exclusive=False)
    if not linked:
        log.error("create_answered_late", tracker=claim.tracker, issue=created.key, group=group_id)
        raise LeaseLost(f"group {group_id} was taken over before its issue {created.key} could be linked")
    if not owned:
        raise LeaseLost(f"group {group_id} was taken over while its issue {created.key} was created")
    return ended


def _draft(context: SyncContext, marker: str, facts: FilingFacts, project: Sequence[ProjectRelease]) -> Draft:
    """The new issue as the tracker gets it."""
    route, presented = context.policy, context.presented
    assignee, component = (None, None) if route is None else policy.owner(context.group, route.owners)
    chosen = policy.settings(context.group, () if route is None else route.set, project, context.clock.wall())
    labels = () if route is None else policy.labels(presented.group, route.labels)
    return Draft(
        marker=marker,
        title=presented.title(),
        body=presented.body(previous=facts.previous, alike=facts.look_alikes),
        group=presented.group,
        labels=tuple(dict.fromkeys((*labels, *chosen.labels))),
        assignee=chosen.assignee or assignee,
        components=tuple(dict.fromkeys(name for name in (chosen.component, component) if name)),
        priority=chosen.priority,
        issue_type=chosen.issue_type,
        milestone=chosen.milestone,
        fields=chosen.fields,
        require_fresh=context.require_lease,
    )


def probe(context: SyncContext, issue: Issue) -> SyncResult:
    """Look for the issue of a create in doubt. Raises TrackerError."""
    claim, group_id = context.claim, context.claim.group_id
    evidence = context.tracker.probe(issue)
    now = context.clock.wall()
    judgement = doubt.judge(issue, evidence, context.plan_context.probe_after, now)
    log.info("create_probed", tracker=claim.tracker, group=group_id, outcome=judgement.outcome, reason=judgement.reason)
    match judgement.outcome:
        case Outcome.EXISTS:
            if 0 < evidence.issues[0].number <= issue.floor:
                _lower_floor(context, issue, evidence.issues[0].number)
            if context.commit(partial(link_proved, claim=claim, proved=evidence.issues, now=now)):
                return Retry(judgement.reason, now, Call.UPDATE)
            if len(evidence.issues) > 1:
                keys = [created.key for created in evidence.issues]
                log.error("doubles_found", tracker=claim.tracker, group=group_id, issues=keys)
            return Synced(evidence.issues[0].key, issue.sent_revision)
        case Outcome.ABSENT:
            context.record(partial(issues.absent, group_id=group_id, note=judgement.reason))
            return Retry(judgement.reason, now, Call.CREATE)
        case Outcome.OPEN:
            if judgement.floor is not None:
                _lower_floor(context, issue, judgement.floor)
            context.record(
                partial(
                    issues.probed,
                    group_id=group_id,
                    probe_at=judgement.until,
                    tracker_clock=evidence.at,
                    clean=judgement.counts,
                )
            )
            return Retry(judgement.reason, judgement.until, Call.PROBE)
        case Outcome.UNPROVEN:
            return Parked(Plan(action=Action.PARK, reason=judgement.reason, rule="unproven"), "doubt")


def _lower_floor(context: SyncContext, issue: Issue, number: int) -> None:
    """The tracker was restored from a backup since the floor of the issue was read: numbers above `number` were given since, or that one
    itself to the issue."""
    claim = context.claim
    log.error("tracker_numbers_went_back", tracker=claim.tracker, number=number, floor=issue.floor)
    context.record(partial(limits.lower_floor, tracker=claim.tracker, number=number))
    context.record(partial(issues.lower_floor, group_id=claim.group_id, number=number))


def link_proved(transaction: Transaction, claim: Claim, proved: Sequence[Created], now: float) -> bool:
    """The oldest issue stands for the group, the others are its doubles. True where people have linked all of them to other groups: the
    group follows one of these. Raises LeaseLost where the group was decided upon since."""
    linked, target = _link(transaction, claim, proved, None, now)
    if not linked:
        raise LeaseLost(f"group {claim.group_id} was decided upon before its issue {proved[0].key} was linked")
    if target is not None:
        reconcile.give_way(transaction, claim, target, _TAKEN.format(proved[0].key), now)
    return target is not None


_TAKEN = "its create made {}, which a person has linked to that group"


def _link(
    transaction: Transaction, claim: Claim, created: Sequence[Created], sender: str | None, now: float
) -> tuple[bool, int | None]:
    """Link the first of these issues that stands for no other group. Return whether this create was still awaited, and the group to
    follow where all of them stand for other ones."""
    group_id = claim.group_id
    for issue in created:
        reconcile.displace(transaction, claim, issue, now)
    owners = {
        issue.remote_id: reconcile.occupant(transaction, group_id, claim.tracker, issue.remote_id) for issue in created
    }
    free = [issue for issue in created if owners[issue.remote_id] is None]
    if not free and issues.yield_place(transaction, group_id, created[0], sender, _TAKEN.format(created[0].key)):
        return True, owners[created[0].remote_id]
    linked = issues.link(transaction, group_id, free or created, sender, now)
    if linked:
        strays.remove(transaction, claim.tracker, (free or created)[:1])
    return linked, None

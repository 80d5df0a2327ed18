"""Reading what lies above the highest number known before anything is created: the store may be older than its issues, or not alone."""

from collections.abc import Sequence
from typing import NamedTuple

import structlog

from syncd.core import markers
from syncd.model import Call, IssueState
from syncd.store import issues, limits, strays
from syncd.store.connection import Transaction
from syncd.store.limits import Floor
from syncd.trackers import Marked
from syncd.worker.context import Retry, SyncContext

log = structlog.get_logger("syncd.worker")

SKEW_SECONDS = 60.0  # between the clocks of this machine and of the tracker

COPY = (
    "another syncd with a copy of this store files here: {} has a marker of this store, which did not create it; stop that syncd, "
    "then run `syncd resume {}`"
)


class _Intake(NamedTuple):
    strays: Sequence[str] = ()  # keys of issues that this store does not know
    doubles: Sequence[str] = ()  # keys of second issues of groups
    copy: str | None = None  # why a copy of the store must have created one of the strays


def sweep(context: SyncContext, floor: Floor) -> int | Retry:
    """Take in the issues of this store that it does not know, and return the highest number of the tracker. Before the first create after a
    start such an issue means that the store was restored from a backup. Later it means that a copy of the store files too: then the tracker
    rests until an operator resumes it. Raises TrackerError, StoreUnavailable."""
    tracker, now = context.claim.tracker, context.clock.wall()
    swept = context.tracker.sweep(floor.number, context.store.begun_at() - SKEW_SECONDS)
    name = markers.instance(context.routing.instance_key, tracker)
    is_whole = swept.upto >= swept.newest
    own = [marked for marked in swept.issues if marked.reference.startswith(name)]

    def write(transaction: Transaction) -> _Intake:
        intake = _take_in(transaction, context, own, floor, now)
        if intake.copy is not None:
            limits.pause(transaction, tracker, intake.copy, None, limits.COPY, 0)
        limits.raise_floor(transaction, tracker, swept.upto, now, highest=is_whole)
        return intake

    intake = context.store.write(write, exclusive=False)
    if intake.doubles:
        log.error("doubles_found", tracker=tracker, issues=intake.doubles)
    if intake.copy is not None:
        log.error("store_has_a_copy", tracker=tracker, issues=intake.strays)
        return Retry(intake.copy, now, Call.CREATE)
    if intake.strays:
        log.warning("issues_found_again", tracker=tracker, issues=len(intake.strays))
    if not is_whole:
        return Retry(f"the numbers from {swept.upto + 1} to {swept.newest} are read first", now, Call.CREATE)
    return swept.newest


def _take_in(
    transaction: Transaction, context: SyncContext, own: Sequence[Marked], floor: Floor, now: float
) -> _Intake:
    tracker = context.claim.tracker
    unknown = strays.unknown(transaction, tracker, [marked.issue.remote_id for marked in own])
    if not unknown:
        return _Intake()
    by_reference = {context.tracker.reference(entry.marker): entry for entry in strays.entries(transaction, tracker)}
    keys, doubles, is_of_copy = list[str](), list[str](), False
    for marked in own:
        reference, issue = marked.reference, marked.issue
        entry = by_reference.get(reference)
        if issue.remote_id not in unknown or (entry is not None and issue.remote_id in entry.places):
            continue
        if entry is None or entry.state == IssueState.WANTED:
            strays.add(transaction, tracker, reference, issue, now)
        if entry is None:
            keys.append(issue.key)
            # One that is older could not be read before.
            is_new = floor.read_at is not None and (issue.created_at or now) > floor.read_at - SKEW_SECONDS
            is_of_copy = is_of_copy or is_new
        elif entry.remote_id is not None and entry.state in (IssueState.LINKED, IssueState.PARKED):
            issues.add_double(transaction, entry.group_id, issue)
            doubles.append(issue.key)
    return _Intake(keys, doubles, COPY.format(keys[0], tracker) if is_of_copy else None)

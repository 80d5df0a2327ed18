"""Surveys: how people left all issues of a tracker, so that a closing is known before the next crash."""

from collections.abc import Mapping, Sequence
from functools import partial

import structlog

from syncd.core import budget, regression
from syncd.core.budget import HORIZON_SECONDS
from syncd.core.plan import DueCall
from syncd.errors import Throttled, TrackerError
from syncd.model import Call, Issue, Observation, Survey
from syncd.store import Store, issues, limits, outbox
from syncd.store.connection import Transaction
from syncd.trackers import Tracker
from syncd.worker.routing import Routing

log = structlog.get_logger("syncd.worker")

RETRY_SECONDS = 300.0  # after a survey that failed
BITE = 50  # issues written in one transaction


def survey(store: Store, tracker: Tracker, name: str, routing: Routing, now: float) -> float:
    """Survey the tracker if that is due, unless it rests; the seconds until the next time. Raises StoreUnavailable."""
    interval, notebook = routing.config.trackers[name].survey_interval, store.notebook(name)
    last = float(notebook.recall("surveyed_at") or 0.0)
    # A time in the future was written before the clock was set back.
    if last <= now < last + interval:
        return last + interval - now
    allowance = routing.allowance(name)
    opens_at = budget.opens(
        store.read(partial(limits.standing, tracker=name, credential=allowance.credential)), allowance, now
    )[Call.PROBE]
    if opens_at > now:
        return opens_at - now
    since = notebook.recall("survey_since")
    try:
        linked = _linked(store, name)
        if linked:
            answer = tracker.survey(linked, None if since is None else float(since))
            changed = save(store, name, answer, now)
            if answer.until is not None:
                notebook.note("survey_since", repr(answer.until))
            log.info("survey_finished", tracker=name, issues=len(linked), changed=changed, missing=len(answer.missing))
    except TrackerError as error:
        log.warning("survey_failed", tracker=name, failure=type(error).__name__, reason=error.reason)
        if isinstance(error, Throttled):
            part, until = Call.PROBE if error.narrow else None, now + min(error.seconds, HORIZON_SECONDS)
            reason, credential = error.reason, allowance.credential
            silence = partial(limits.silence, credential=credential, part=part, reason=reason, until=until, now=now)
            store.write(silence, exclusive=False)
        return RETRY_SECONDS
    owe_quiet(store, name, routing, now)
    notebook.note("surveyed_at", repr(now))
    return interval


def _linked(store: Store, tracker: str) -> list[Issue]:
    """All linked issues of the tracker, read in parts."""
    linked: list[Issue] = []
    after = 0
    while part := store.read(partial(issues.linked, tracker=tracker, after=after)):
        linked += [issue for _, issue in part]
        after = part[-1][0]
    return linked


def save(store: Store, tracker: str, survey: Survey, now: float) -> int:
    """Write how people left the issues. Those that changed, or are missing, are due for a sync; how many these are."""
    remote_ids = [*survey.observations, *survey.missing]
    return sum(
        store.write(
            partial(
                _save,
                tracker=tracker,
                remote_ids=remote_ids[start : start + BITE],
                observations=survey.observations,
                now=now,
            )
        )
        for start in range(0, len(remote_ids), BITE)
    )


def _save(
    transaction: Transaction,
    tracker: str,
    remote_ids: Sequence[str],
    observations: Mapping[str, Observation],
    now: float,
) -> int:
    changed = 0
    for remote_id in remote_ids:
        for group_id, _ in issues.at_place(transaction, tracker, remote_id):
            group, issue = outbox.load(transaction, group_id)
            if issue is None:
                continue
            observation = observations.get(remote_id)
            if observation is None:
                issues.look_again(transaction, group_id)
            elif observation.condition != issue.condition:
                baseline = regression.next_baseline(group, issue, observation.condition)
                issues.see(transaction, group_id, observation, baseline, issue.condition, now)
            else:
                continue
            outbox.owe(transaction, {group_id: DueCall(tracker=tracker, due_at=now, call=Call.UPDATE)})
            changed += 1
    return changed


def owe_quiet(store: Store, tracker: str, routing: Routing, now: float) -> None:
    """Make due the groups whose crash was not seen for as long as a route of the tracker waits for."""
    waits = [
        policy.quiet_after for policy in routing.config.all_routes if policy.tracker == tracker and policy.quiet_after
    ]
    if not waits:
        return

    def write(transaction: Transaction) -> None:
        quiet = issues.quiet(transaction, tracker, now - min(waits))
        due = DueCall(tracker=tracker, due_at=now, call=Call.UPDATE)
        outbox.owe(transaction, dict.fromkeys(quiet, due))

    store.write(write)

"""Learning how people left all issues of a tracker, so that a closing is known before the next crash."""

import time

import structlog

from syncd.errors import Throttled, TrackerError
from syncd.model import Call
from syncd.store import Store
from syncd.store.claims import HORIZON_SECONDS
from syncd.trackers import Notebook, Tracker
from syncd.worker.routing import Routing

log = structlog.get_logger("syncd.worker")

RETRY_SECONDS = 300.0  # after a survey that failed


def due_in(notebook: Notebook, interval: float, now: float) -> float:
    """Seconds until the next survey."""
    last = float(notebook.recall("surveyed_at") or 0.0)
    # One in the future was put down before the clock was set back.
    return max(0.0, last + interval - now) if last <= now else 0.0


def survey(store: Store, tracker: Tracker, name: str, rules: Routing) -> float:
    """Ask once, unless the tracker rests; the seconds until the next time. Raises StoreUnavailable."""
    now, interval, notebook = time.time(), rules.config.trackers[name].survey_interval, store.notebook(name)
    if wait := due_in(notebook, interval, now):
        return wait
    allowance = rules.allowance(name)
    opens = store.limits.opens(name, allowance, now)[Call.PROBE]
    if opens > now:
        return opens - now
    since = notebook.recall("survey_since")
    try:
        issues = store.surveys.linked(name)
        if issues:
            found = tracker.survey(issues, None if since is None else float(since))
            changed = store.surveys.surveyed(name, found, now)
            if found.until is not None:
                notebook.note("survey_since", repr(found.until))
            log.info("survey_finished", tracker=name, issues=len(issues), changed=changed, missing=len(found.missing))
    except TrackerError as error:
        log.warning("survey_failed", tracker=name, failure=type(error).__name__, reason=error.reason)
        if isinstance(error, Throttled):
            part = Call.PROBE if error.narrow else None
            store.limits.silence(allowance, part, error.reason, now + min(error.seconds, HORIZON_SECONDS), now)
        return RETRY_SECONDS
    _owe_quiet(store, name, rules, now)
    notebook.note("surveyed_at", repr(now))
    return interval


def _owe_quiet(store: Store, name: str, rules: Routing, now: float) -> None:
    """Let the groups be judged that were not seen for as long as a route of theirs waits for."""
    waits = [route.quiet_after for route in rules.config.all_routes if route.tracker == name and route.quiet_after]
    if waits:
        store.surveys.owe_quiet(name, now - min(waits), now)

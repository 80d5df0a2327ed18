"""The breaker of a tracker whose API does not answer: from the first failed call on, one read at a time finds out when it answers again, and no
group is claimed before.

A failed call says little: the cause may be its group. So each is followed by a read. While the read fails too, the tracker rests, each
time longer, and counts as unreachable. Where reads are answered and the calls of several groups are not, the tracker gets the call of one
group after each read.
"""

from functools import partial

import structlog

from syncd.core import budget, plan
from syncd.core.budget import FAILURES, LONGEST_SECONDS, Outage
from syncd.errors import Throttled, TrackerError
from syncd.model import Call
from syncd.platform.clock import Clock
from syncd.store import Store, limits
from syncd.store.connection import Transaction
from syncd.store.limits import FAILING, UNREACHABLE
from syncd.trackers import Tracker
from syncd.worker.routing import Routing, silence

log = structlog.get_logger("syncd.worker")

READ_SECONDS = 60.0  # from the beginning of a read until another thread may try, should this process have died


def trip(
    transaction: Transaction, tracker: str, reason: str, now: float, group_id: int | None = None, *, trial: bool = False
) -> Outage | None:
    """Let the tracker be read before any other call, since one failed: that of a group, `trial` if it was the only one made, or that of a
    survey. Return the outage; None where the tracker rests for another cause."""
    transaction.lock(f"tracker {tracker}")
    rest = limits.rest(transaction, tracker)
    if rest is not None and rest.cause not in (UNREACHABLE, FAILING) and (not trial or rest.cause in limits.BY_HAND):
        return None
    outage = (limits.outage(transaction, tracker) if rest is None else rest.outage).failed(group_id, now)
    until, cause, attempts = now, UNREACHABLE, 0
    if rest is not None and rest.cause == FAILING and trial:
        until, attempts = now + plan.read_pause(rest.attempts), rest.attempts + 1
    elif rest is not None and rest.cause in (UNREACHABLE, FAILING) and rest.until is not None:
        until, cause, attempts = rest.until, rest.cause, rest.attempts  # the call began before the rest
    limits.pause(transaction, tracker, reason, until, cause, attempts, outage)
    return outage


def step(store: Store, client: Tracker, name: str, routing: Routing, clock: Clock) -> float:
    """Read an unreachable tracker if that is due and no other thread does. Return the seconds until the next read, infinite where the
    tracker is not unreachable. Raises StoreUnavailable."""
    now, allowance = clock.wall(), routing.allowance(name)

    def begin(transaction: Transaction) -> float:
        rest = limits.rest(transaction, name)
        if rest is None or rest.cause != UNREACHABLE or rest.until is None:
            return float("inf")
        wait = rest.until - now if budget.in_force(rest.until, now) else 0.0
        standing = limits.standing(transaction, name, allowance.credential)
        return max(wait, budget.call_wait(standing, allowance, Call.PROBE, now))

    wait = store.read(begin)
    if wait:
        return wait
    lease = {"tracker": name, "leased_until": now + READ_SECONDS, "now": now, "horizon": now + budget.HORIZON_SECONDS}
    if not store.write(lambda transaction: transaction.run("begin_trial", **lease), exclusive=False):
        return 1.0
    failure = None
    try:
        client.ping()
    except TrackerError as error:
        failure = error
    end = partial(_end, tracker=name, failure=failure, now=clock.wall(), credential=allowance.credential)
    outage, until = store.write(end, exclusive=False)
    if outage is not None and outage.failures >= FAILURES:
        # The first of these lines says since when; the later ones that it lasts.
        facts = {"since": outage.since, "calls": outage.failures, "until": until}
        log.warning("tracker_unreachable", tracker=name, reason=failure.reason if failure else None, **facts)
    elif outage is None:
        log.info("tracker_reached", tracker=name)
    return max(0.0, until - clock.wall())


def _end(
    transaction: Transaction, tracker: str, failure: TrackerError | None, now: float, credential: str
) -> tuple[Outage | None, float]:
    """Write what the read says about the tracker: any answer of its own, also a refusal, ends the outage. Return what is left of the
    outage, and when the tracker may be called or read again."""
    transaction.lock(f"tracker {tracker}")
    rest = limits.rest(transaction, tracker)
    if rest is None or rest.cause != UNREACHABLE:
        return None, now  # a call has succeeded meanwhile, or an operator paused the tracker
    outage = rest.outage
    if failure is not None and failure.silent:
        after = getattr(failure, "retry_after", None) or 0.0
        until = now + min(max(plan.read_pause(rest.attempts), after), LONGEST_SECONDS)
        outage = outage.failed(None, now)
        limits.pause(transaction, tracker, failure.reason, until, UNREACHABLE, rest.attempts + 1, outage)
        return outage, until
    if isinstance(failure, Throttled):
        silence(transaction, credential, failure, Call.PROBE, now)
    if len(outage.groups) < FAILURES:
        limits.reach(transaction, tracker)
        return None, now
    limits.pause(transaction, tracker, rest.reason, now, FAILING, rest.attempts, outage)
    return outage, now


def probed(transaction: Transaction, tracker: str, now: float) -> None:
    """A probe was the only call that the tracker got, and was answered. The rest is over, unless the tracker answers reads and does not
    answer the calls of groups: then the next call is again the only one. A probe that finds its issue ends that rest, too."""
    transaction.lock(f"tracker {tracker}")
    rest = limits.rest(transaction, tracker)
    if rest is not None and rest.cause == FAILING:
        limits.end_trial(transaction, tracker, now)
    else:
        limits.resume(transaction, tracker)

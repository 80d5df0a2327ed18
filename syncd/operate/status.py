"""The state of the whole system, as `syncd status --json` and the console's overview show it."""

from functools import partial
from typing import Any

from syncd.config import Config
from syncd.core import budget
from syncd.core.budget import Allowance
from syncd.operate import shapes
from syncd.store import Store, limits
from syncd.store.instances import running


def status(config: Config, store: Store, now: float) -> dict[str, Any]:
    """The counts, the held groups, and the states of trackers, routes and processes. Raises StoreUnavailable."""
    # A tracker that the configuration no longer has still counts while groups wait for it.
    trackers = store.report.trackers(config.credentials, now) | store.report.left_behind(config.trackers)
    return shapes.status(store.report.counts(now), trackers, writes_left(config, store, now)) | {
        "held_by": [{"rule": rule, "route": route, "groups": count} for rule, route, count in store.report.held()],
        "storms": [{"route": storm.route, "held": storm.held, "since": storm.since} for storm in store.report.storms()],
        "paused_routes": [
            {"route": pause.route, "reason": pause.reason, "since": pause.at} for pause in store.limits.route_pauses()
        ],
        "instances": shapes.instances(running(store.connection), now),
    }


def writes_left(config: Config, store: Store, now: float) -> dict[str, int | None]:
    """By configured tracker, the writes that its budget still allows; None if nothing limits it."""
    remaining: dict[str, int | None] = {}
    for name, settings in config.trackers.items():
        allowance = Allowance(credential=config.credentials[name], limits=settings.writes)
        standing = store.read(partial(limits.standing, tracker=name, credential=allowance.credential))
        remaining[name] = budget.remaining(standing.buckets, allowance, now)
    return remaining

"""How everything stands, as `syncd status --json` and the console tell it."""

from typing import Any

from syncd.config import Config
from syncd.operate import shapes
from syncd.store import Store
from syncd.store.limits import Allowance
from syncd.store.report import TrackerStanding


def status(config: Config, store: Store, now: float) -> dict[str, Any]:
    """What waits, is held, or needs a person; trackers, routes and processes. Raises StoreUnavailable."""
    rest = shapes.holding(store.report.held(), store.report.storms(), store.routes.pauses())
    counts, trackers = store.report.counts(now), standings(config, store, now)
    left = writes_left(config, store, now)
    return shapes.status(counts, trackers, left) | rest | {"instances": shapes.instances(store.running(), now)}


def standings(config: Config, store: Store, now: float) -> dict[str, TrackerStanding]:
    """How each tracker is that was ever called or has to be silent, also those that are configured no more and waited for."""
    return store.report.trackers(config.credentials, now) | store.report.left_behind(config.trackers)


def writes_left(config: Config, store: Store, now: float) -> dict[str, int | None]:
    """What is left of each configured tracker's budget; None where nothing limits it."""
    return {
        name: store.limits.left(Allowance(credential=config.credentials[name], limits=settings.writes), now)
        for name, settings in config.trackers.items()
    }

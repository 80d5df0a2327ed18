"""What the metrics tell of the store and of the trackers, asked when they are read."""

import time
from collections import Counter

from syncd.config import Config
from syncd.errors import StoreUnavailable
from syncd.operate.shapes import SILENT_SECONDS
from syncd.operate.status import writes_left
from syncd.platform.metrics import Reading
from syncd.store import Store


def read(config: Config, store: Store) -> Reading:
    """Everything of `metrics.GAUGES`; only that the store is away where it is."""
    try:
        return {"syncd_store_up": 1.0} | _waiting(store) | _trackers(config, store)
    except StoreUnavailable:
        return {"syncd_store_up": 0.0}


def _waiting(store: Store) -> dict[str, float | dict[str, float]]:
    now = time.time()
    counts, oldest, room = store.report.counts(now), store.lists.oldest(now), store.room()
    alive = Counter(one.part for one in store.running() if now - one.beat_at <= SILENT_SECONDS)
    told: dict[str, float | dict[str, float]] = {
        "syncd_store_size_bytes": room.taken,
        "syncd_inbox_deliveries": counts.inbox_waiting,
        "syncd_inbox_oldest_age_seconds": _age(oldest.received_at, now),
        "syncd_outbox_groups": {"due": counts.outbox_due, "later": counts.outbox_waiting, "dead": counts.dead},
        "syncd_outbox_oldest_age_seconds": _age(oldest.due_at, now),
        "syncd_issues": {
            "linked": counts.linked,
            "in_doubt": counts.in_doubt,
            "parked": counts.parked,
            "dropped": counts.dropped,
            "doubles": counts.doubles,
        },
        "syncd_groups_held": counts.held,
        "syncd_quarantined_deliveries": counts.quarantined,
        "syncd_instances": {part: float(number) for part, number in alive.items()},
    }
    return told if room.free is None else told | {"syncd_store_free_bytes": room.free}


def _age(since: float | None, now: float) -> float:
    return 0.0 if since is None else max(0.0, now - since)


def _trackers(config: Config, store: Store) -> dict[str, float | dict[str, float]]:
    now = time.time()
    standings = store.report.trackers(config.credentials, now)
    left = writes_left(config, store, now)
    well = {name: float(name not in standings or standings[name].state == "ok") for name in config.trackers}
    limited = {name: float(number) for name, number in left.items() if number is not None}
    return {"syncd_tracker_open": well, "syncd_tracker_writes_left": limited}

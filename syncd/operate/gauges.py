"""Values of the gauges: reads the store and the budgets each time somebody reads the metrics."""

from collections import Counter

from syncd.config import Config
from syncd.errors import StoreUnavailable
from syncd.operate.shapes import SILENT_SECONDS
from syncd.operate.status import writes_left
from syncd.platform.metrics import Reading
from syncd.store import Store
from syncd.store.instances import running


def read(config: Config, store: Store, now: float) -> Reading:
    """All gauges of `metrics.GAUGES`, or only `syncd_store_up 0` if the store is unavailable."""
    try:
        counts, oldest, room = store.report.counts(now), store.lists.oldest(now), store.connection.room()
        processes = running(store.connection)
        trackers, left = store.report.trackers(config.credentials, now), writes_left(config, store, now)
    except StoreUnavailable:
        return {"syncd_store_up": 0.0}
    alive = Counter(process.part for process in processes if now - process.beat_at <= SILENT_SECONDS)
    inbox_age, outbox_age = (
        0.0 if since is None else max(0.0, now - since) for since in (oldest.received_at, oldest.owed_since)
    )
    unreachable = {
        name: max(0.0, now - (tracker.since or now))
        for name, tracker in trackers.items()
        if tracker.state == "unreachable"
    }
    gauges: dict[str, float | dict[str, float]] = {
        "syncd_store_up": 1.0,
        "syncd_store_size_bytes": room.taken,
        "syncd_inbox_deliveries": counts.inbox_waiting,
        "syncd_inbox_oldest_age_seconds": inbox_age,
        "syncd_outbox_groups": {"due": counts.outbox_due, "later": counts.outbox_waiting, "dead": counts.dead},
        "syncd_outbox_oldest_age_seconds": outbox_age,
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
        "syncd_tracker_open": {
            name: float(name not in trackers or trackers[name].state == "ok") for name in config.trackers
        },
        "syncd_tracker_unreachable": {name: float(name in unreachable) for name in config.trackers},
        "syncd_tracker_unreachable_since_seconds": {name: unreachable.get(name, 0.0) for name in config.trackers},
        "syncd_tracker_writes_left": {name: float(writes) for name, writes in left.items() if writes is not None},
    }
    return gauges if room.free is None else gauges | {"syncd_store_free_bytes": room.free}

"""Values of the gauges: reads the state of the whole system each time somebody reads the metrics."""

from collections import Counter

from syncd.config import Config
from syncd.errors import StoreUnavailable
from syncd.operate.needs import ALARMS, REMARKS, numbers
from syncd.operate.status import status
from syncd.platform.metrics import Reading
from syncd.store import Store


def read(config: Config, store: Store, now: float) -> Reading:
    """All gauges of `metrics.GAUGES`, or only those of an unavailable store."""
    states = dict.fromkeys((*ALARMS, *REMARKS), 0.0)
    try:
        shape = status(config, store, now)
    except StoreUnavailable:
        return {"syncd_store_up": 0.0, "syncd_needs": states | {"store_fault": 1.0}}
    inbox, outbox, trackers = shape["inbox"], shape["outbox"], shape["trackers"]
    alive = Counter(process["part"] for process in shape["instances"] if process["state"] == "alive")
    inbox_age, outbox_age = (
        0.0 if queue["oldest_at"] is None else max(0.0, now - queue["oldest_at"]) for queue in (inbox, outbox)
    )
    unreachable = {
        name: max(0.0, now - (tracker["since"] or now))
        for name, tracker in trackers.items()
        if tracker["state"] == "unreachable"
    }
    gauges: dict[str, float | dict[str, float]] = {
        "syncd_store_up": float(shape["store"]["fault"] is None),
        "syncd_needs": states | numbers(shape),
        "syncd_store_size_bytes": shape["store"]["taken"],
        "syncd_inbox_deliveries": inbox["waiting"],
        "syncd_inbox_oldest_age_seconds": inbox_age,
        "syncd_outbox_groups": {"due": outbox["due"], "later": outbox["waiting"], "dead": shape["dead"]},
        "syncd_outbox_oldest_age_seconds": outbox_age,
        "syncd_issues": shape["issues"],
        "syncd_groups_held": shape["held"],
        "syncd_quarantined_deliveries": shape["quarantined"],
        "syncd_instances": {part: float(number) for part, number in alive.items()},
        "syncd_tracker_open": {name: float(trackers[name]["state"] == "ok") for name in config.trackers},
        "syncd_tracker_writes_left": {
            name: float(trackers[name]["writes_left"])
            for name in config.trackers
            if trackers[name]["writes_left"] is not None
        },
        "syncd_tracker_token_expires_timestamp_seconds": {
            name: tracker["token_expires_at"]
            for name, tracker in trackers.items()
            if tracker["token_expires_at"] is not None
        },
        "syncd_hook_heard_timestamp_seconds": {
            hook["name"]: hook["heard_at"] for hook in shape["hooks"] if hook["heard_at"] is not None
        },
        "syncd_notices_waiting": {name: float(channel["waiting"]) for name, channel in shape["channels"].items()},
        "syncd_channel_open": {name: float(channel["state"] == "ok") for name, channel in shape["channels"].items()},
        "syncd_tracker_unreachable": {name: float(name in unreachable) for name in config.trackers},
        "syncd_tracker_unreachable_since_seconds": {name: unreachable.get(name, 0.0) for name in config.trackers},
    }
    free = shape["store"]["free"]
    return gauges if free is None else gauges | {"syncd_store_free_bytes": free}

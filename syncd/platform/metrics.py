"""Every metric of a process, with its help text. Labels are names of the configuration or constants: none grows with the input."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
BUILD = Info("syncd_build", "Version of the running program.", registry=REGISTRY)

DELIVERIES = Counter(
    "syncd_deliveries",
    "Answered deliveries by outcome: accepted, or the error code of the answer.",
    ["outcome"],
    registry=REGISTRY,
)
# `increase()` does not see the step from no series to 1.
for _outcome in ("accepted", "failed", "not_found", "store_unavailable", "unauthorized"):
    DELIVERIES.labels(_outcome)
ACCEPT_SECONDS = Histogram(
    "syncd_delivery_accept_seconds",
    "Seconds from a delivery's complete body to its commit on disk.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
    registry=REGISTRY,
)
HOOKS = Counter(
    "syncd_hooks",
    "Answered reports of each hook by outcome: noted, ignored, or the error code of the answer.",
    ["hook", "outcome"],
    registry=REGISTRY,
)
CALLS = Counter(
    "syncd_tracker_calls",
    "Tracker operations of this process by outcome: ok, or the class of the failure.",
    ["tracker", "operation", "outcome"],
    registry=REGISTRY,
)
CALL_SECONDS = Histogram(
    "syncd_tracker_call_seconds",
    "Seconds that a tracker operation took, whatever its outcome.",
    ["tracker", "operation"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
    registry=REGISTRY,
)
SYNCS = Counter(
    "syncd_issue_actions",
    "Issues that this process brought up to date, by action: create, update, reopen …",
    ["tracker", "action"],
    registry=REGISTRY,
)
NOTICES = Counter(
    "syncd_notices",
    "Notices by what became of them: sent (also as part of a summary), lost (no answer came), refused, or expired.",
    ["channel", "outcome"],
    registry=REGISTRY,
)

BACKTRACE_REQUESTS = Counter(
    "syncd_backtrace_requests",
    "Requests of this process to Backtrace's API by project and outcome: ok, refused, or failed where no answer came.",
    ["project", "outcome"],
    registry=REGISTRY,
)

# Gauges are read from the store at each scrape: name, help text, label.
GAUGES: Mapping[str, tuple[str, str | None]] = {
    "syncd_store_up": ("1 if the store takes notifications, else 0.", None),
    "syncd_needs": (
        "How many things of each state a person should know; docs/runbook.md has the states. `syncd status` has sentences.",
        "state",
    ),
    "syncd_store_size_bytes": ("Database size in bytes.", None),
    "syncd_store_free_bytes": ("Free bytes on the file system of the database file; absent for a server.", None),
    "syncd_inbox_deliveries": ("Deliveries not yet folded into their groups.", None),
    "syncd_inbox_oldest_age_seconds": ("Age of the oldest such delivery in seconds; 0 if there is none.", None),
    "syncd_outbox_groups": (
        "Groups that owe a tracker call: due, also after a failed try, later, or dead (refused for good).",
        "state",
    ),
    "syncd_outbox_oldest_age_seconds": (
        "Seconds since the group that waits longest first owed its call, however often that failed; 0 if none does.",
        None,
    ),
    "syncd_issues": (
        "Issues: linked, being_filed, in_doubt (an answer was lost), parked (a person must decide), dropped, or with doubles.",
        "state",
    ),
    "syncd_groups_held": ("Groups that are not filed, on purpose.", None),
    "syncd_quarantined_deliveries": ("Authentic bodies that cannot be read as a notification.", None),
    "syncd_tracker_open": (
        "1 if the tracker is called; 0 while it is unreachable, rests, is paused or asked for silence.",
        "tracker",
    ),
    "syncd_tracker_unreachable": ("1 if several calls in a row got no answer of the tracker's API, else 0.", "tracker"),
    "syncd_tracker_unreachable_since_seconds": (
        "Seconds for which the tracker has been unreachable; 0 while it is reachable.",
        "tracker",
    ),
    "syncd_tracker_token_expires_timestamp_seconds": (
        "The end of the tracker's token_expires, in UTC; absent without it.",
        "tracker",
    ),
    "syncd_hook_heard_timestamp_seconds": ("When the hook was heard last; absent if it never was.", "hook"),
    "syncd_tracker_writes_left": ("Writes that the tracker's budget allows now.", "tracker"),
    "syncd_notices_waiting": ("Notices that wait for their channel.", "channel"),
    "syncd_channel_open": ("1 if the channel takes messages; 0 while it rests after a failure.", "channel"),
    "syncd_instances": ("Live processes that share the store, by part.", "part"),
}

# By metric name, its value, or its value for each value of the label.
Reading = Mapping[str, float | Mapping[str, float]]


class Gauges(Collector):
    """Collects the gauges at each scrape. A gauge that `read` leaves out is absent."""

    def __init__(self, read: Callable[[], Reading]) -> None:
        self._read = read

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield each gauge that `read` returned."""
        for name, value in self._read().items():
            help_text, label = GAUGES[name]
            if isinstance(value, Mapping):
                family = GaugeMetricFamily(name, help_text, labels=[label or ""])
                for labelled, number in value.items():
                    family.add_metric([labelled], number)
                yield family
            else:
                yield GaugeMetricFamily(name, help_text, value=value)


def text(gauges: Gauges) -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(gauges)
    return generate_latest(REGISTRY) + generate_latest(registry)

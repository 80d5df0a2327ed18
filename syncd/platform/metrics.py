"""Every metric of a process, each with what it tells. Labels are names out of the configuration or constants: none grows with
what is sent."""

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
BUILD = Info("syncd_build", "The version that runs.", registry=REGISTRY)

DELIVERIES = Counter(
    "syncd_deliveries",
    "Answered deliveries by outcome: accepted, or the code that the sender was answered with.",
    ["outcome"],
    registry=REGISTRY,
)
ACCEPT_SECONDS = Histogram(
    "syncd_delivery_accept_seconds",
    "From a delivery whose body is there to its commit on disk.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
    registry=REGISTRY,
)
CALLS = Counter(
    "syncd_tracker_calls",
    "Operations of this process on a tracker by outcome: ok, or the class of the failure.",
    ["tracker", "operation", "outcome"],
    registry=REGISTRY,
)
CALL_SECONDS = Histogram(
    "syncd_tracker_call_seconds",
    "How long operations on a tracker took, whatever came of them.",
    ["tracker", "operation"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
    registry=REGISTRY,
)
SYNCS = Counter(
    "syncd_issue_actions",
    "What was done to issues by this process, by action: create, update, reopen …",
    ["tracker", "action"],
    registry=REGISTRY,
)

# What is asked of the store when the metrics are read: name, what it tells, label.
GAUGES: Mapping[str, tuple[str, str | None]] = {
    "syncd_store_up": ("1 where the store answers.", None),
    "syncd_store_size_bytes": ("What the database takes.", None),
    "syncd_store_free_bytes": ("What is free where the database file lies; absent for a server.", None),
    "syncd_inbox_deliveries": ("Deliveries that wait to be folded into their groups.", None),
    "syncd_inbox_oldest_age_seconds": ("How long the oldest of them has waited; 0 where none does.", None),
    "syncd_outbox_groups": ("Groups that owe their tracker a call: due, later, or dead (refused for good).", "state"),
    "syncd_outbox_oldest_age_seconds": ("For how long the group that is longest due has been; 0 where none is.", None),
    "syncd_issues": ("Issues: linked, in_doubt, parked (a person must decide), dropped, or with doubles.", "state"),
    "syncd_groups_held": ("Groups that are not filed, on purpose.", None),
    "syncd_quarantined_deliveries": ("Authentic bodies that were no notification.", None),
    "syncd_tracker_open": (
        "1 where the tracker is called, 0 where it rests, is paused or has to be silent.",
        "tracker",
    ),
    "syncd_tracker_writes_left": ("Writes that the tracker's budget allows at once now.", "tracker"),
    "syncd_instances": ("Processes that share the store and show that they live, by part.", "part"),
}

# By name, the value, or one for each value of the label.
Reading = Mapping[str, float | Mapping[str, float]]


class Gauges(Collector):
    """What `read` answers whenever the metrics are read; without what it does not know."""

    def __init__(self, read: Callable[[], Reading]) -> None:
        self._read = read

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: the store is not asked before somebody reads."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All of GAUGES that are known."""
        for name, value in self._read().items():
            told, label = GAUGES[name]
            if isinstance(value, Mapping):
                family = GaugeMetricFamily(name, told, labels=[label or ""])
                for labelled, number in value.items():
                    family.add_metric([labelled], number)
                yield family
            else:
                yield GaugeMetricFamily(name, told, value=value)


def text(gauges: Gauges) -> bytes:
    """All of it, as Prometheus reads it."""
    return generate_latest(REGISTRY) + generate_latest(_alone(gauges))


def _alone(gauges: Gauges) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(gauges)
    return registry

"""Metrics: declared in one place, listed in the documents, and accepted by Prometheus' own tools."""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from syncd.config import Config
from syncd.errors import Refused
from syncd.model import Issue, IssueState
from syncd.operate import gauges
from syncd.platform import metrics
from syncd.platform.clock import Clock
from syncd.store import Store
from syncd.trackers import InstrumentedTracker
from tests import documents
from tests.scene import Scene, Tracker
from tests.store.filled import accept, crash_notification

ROOT = Path(__file__).parents[2]
PROMTOOL = ROOT / ".tests/prometheus/usr/bin/promtool"
needs_promtool = pytest.mark.skipif(
    not PROMTOOL.exists(), reason="promtool is missing: `make tools` as root fetches it"
)
RULES = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((ROOT / "deploy/grafana.json").read_text())
PAGE = (ROOT / "docs/metrics.md").read_text()


def test_the_documents_list_every_metric_and_nothing_else() -> None:
    assert documents.measured(PAGE) == PAGE


def test_the_runbook_lists_what_every_place_shows_in_each_state() -> None:
    page = (ROOT / "docs/runbook.md").read_text()
    assert documents.signalled(page) == page, "`make docs` writes it anew"


def names() -> set[str]:
    """All series that there can be."""
    series = set(metrics.GAUGES)
    for metric in documents.counted():
        ends = {"counter": ("_total",), "info": ("_info",), "histogram": ("_bucket", "_sum", "_count")}[metric._type]
        series |= {metric._name + end for end in ends}
    return series


def expressions() -> list[str]:
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return panels + [rule["expr"] for rule in RULES]


@pytest.mark.parametrize("expression", expressions())
def test_rules_and_dashboard_ask_for_what_there_is(expression: str) -> None:
    series = set(re.findall(r"\bsyncd_[a-z_]+", expression))

    assert series <= names()
    assert series or "process_" in expression or "up{" in expression


def test_every_gauge_is_on_the_dashboard() -> None:
    expressions_ = " ".join(expressions())
    assert [name for name in metrics.GAUGES if name not in expressions_] == []


@pytest.fixture
def read(scene: Scene) -> str:
    """The metrics of a store with something in it."""
    scene.tell()
    scene.sync()
    accept(scene.store, crash_notification("f2"))
    return metrics.text(metrics.Gauges(lambda: gauges.read(scene.rules.config, scene.store, time.time()))).decode()


@needs_promtool
def test_prometheus_has_nothing_to_say_about_them(read: str) -> None:
    judged = subprocess.run([str(PROMTOOL), "check", "metrics"], input=read, capture_output=True, text=True)

    assert (judged.returncode, judged.stderr) == (0, ""), judged.stderr


def value(read: str, name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(read):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return float(sample.value)
    return None


def test_the_store_is_told_as_it_is(read: str) -> None:
    assert value(read, "syncd_store_up") == 1
    assert value(read, "syncd_inbox_deliveries") == 1
    assert (value(read, "syncd_issues", state="linked"), value(read, "syncd_issues", state="parked")) == (1, 0)
    assert value(read, "syncd_tracker_open", tracker="here") == 1
    assert (value(read, "syncd_store_size_bytes") or 0) > 10_000


def test_a_store_that_is_away_is_told_and_nothing_else(store: Store) -> None:
    store.close()
    if hasattr(store.connection, "path"):
        store.connection.path.unlink()

    reading: dict[str, Any] = dict(gauges.read(Config(), store, 0.0))
    assert reading.pop("syncd_needs")["store_fault"] == 1
    assert reading == {"syncd_store_up": 0.0}


def test_operations_on_trackers_are_counted_by_what_came_of_them() -> None:
    broken = InstrumentedTracker("watched", Tracker(fail_before={"reopen": Refused("no transition")}), Clock())
    issue = Issue(tracker="watched", state=IssueState.LINKED, marker="m", remote_id="1", key="K-1")
    broken.look(issue)
    with pytest.raises(Refused):
        broken.reopen(issue)

    read = generate_latest(metrics.REGISTRY).decode()
    calls = "syncd_tracker_calls_total"
    assert value(read, calls, tracker="watched", operation="look", outcome="ok") == 1
    assert value(read, calls, tracker="watched", operation="reopen", outcome="Refused") == 1
    assert value(read, "syncd_tracker_call_seconds_count", tracker="watched", operation="reopen") == 1

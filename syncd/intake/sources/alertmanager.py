"""Alerts of Prometheus' Alertmanager and of Grafana, whose bodies have the same shape. Pure.

A firing is one occurrence: the alert with one `startsAt`. Both repeat it each `repeat_interval`, which counts nothing. The shapes are those
of prometheus.io/docs/alerting/latest/configuration/#webhook_config and of Grafana's webhook notifier.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from syncd.intake.sources.mapping import LONGEST_KEY, Mapped
from syncd.intake.sources.rules import SourceRules
from syncd.intake.sources.split import Split

PLACES = {
    "fingerprint": "alerts[].fingerprint",
    "project": "the labels that project_labels names, then receiver",
    "title": "labels.alertname and annotations.summary",
    "detail": "annotations.description",
    "occurrences": "status: a firing is 1, its end is 0",
    "first": "alerts[].startsAt",
    "last": "alerts[].endsAt",
    "url": "alerts[].generatorURL",
    "classifiers": "labels.severity",
    "attributes": "labels",
    "state": "alerts[].status",
}


def split(value: Mapping[str, Any]) -> Split | str:
    """Return the alerts, or why there are none."""
    alerts = value.get("alerts")
    if not isinstance(alerts, list) or not alerts:
        return "it has no alerts"
    return Split(value, ("alerts",), alerts)


def note(value: Mapping[str, Any]) -> str | None:
    """Return what the sender left out of the body."""
    left_out = value.get("truncatedAlerts")
    if isinstance(left_out, int) and left_out > 0:
        return f"{left_out:,} alerts were left out by max_alerts of the sender"
    return None


def read(value: Mapping[str, Any], settings: SourceRules) -> Mapped:
    """Return the facts of a body with one alert."""
    alert = next((item for item in value.get("alerts") or [] if isinstance(item, dict)), {})
    labels, annotations = _object(alert.get("labels")), _object(alert.get("annotations"))
    grouped = settings.per == "group"
    # What names the project must not change with the alerts that happen to be in the group.
    named = _object(value.get("groupLabels")) if grouped else labels
    project = next((named[label] for label in settings.project_labels if named.get(label)), value.get("receiver"))
    fingerprint, firing = alert.get("fingerprint"), alert.get("status") != "resolved"
    name, summary = labels.get("alertname"), annotations.get("summary") or annotations.get("message")
    title = name or summary
    if isinstance(name, str) and isinstance(summary, str) and summary:
        title = summary if summary.startswith(name) else f"{name}: {summary}"
    # An alert of a group ends without the group.
    ended = value.get("status") == "resolved" if grouped else not firing
    return Mapped(
        fingerprint=_group_key(value.get("groupKey")) if grouped else fingerprint,
        project=project,
        title=title,
        detail=annotations.get("description"),
        occurrences=1 if firing else 0,
        first=alert.get("startsAt"),
        last=alert.get("startsAt") if firing else alert.get("endsAt"),
        url=alert.get("panelURL") or alert.get("dashboardURL") or alert.get("generatorURL"),
        classifiers=[labels["severity"]] if labels.get("severity") else None,
        attributes=labels,
        state="resolved" if ended else "open",
        key=[fingerprint, alert.get("startsAt"), firing, ended],
    )


def _group_key(value: object) -> object:
    if isinstance(value, str) and len(value) > LONGEST_KEY:
        return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()
    return value


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}

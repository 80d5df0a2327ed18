"""Each state that needs a person has one alert, which fires in that state and in no other. Prometheus' own promtool is the judge."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncd.operate.needs import ALARMS, REMARKS

ROOT = Path(__file__).parents[2]
PROMTOOL = ROOT / ".tests/prometheus/usr/bin/promtool"
RULES = {rule["alert"]: rule for rule in yaml.safe_load((ROOT / "deploy/alerts.yml").read_text())["groups"][0]["rules"]}
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
START, END = 30, 120  # minutes in which a state begins, and in which the samples end
OF_COUNTERS = {"SyncdRefusing", "SyncdUnauthorized", "SyncdHookRefused"}
Case = dict[str, Any]


def alert_of(state: str) -> str:
    """The name of a state's alert."""
    if state == "no_console":
        return "SyncdNoDaemon"  # the console has the metrics: only Prometheus' own `up` is left
    return f"Syncd{state.title().replace('_', '')}"


def test_each_alarm_has_an_alert_of_its_name_and_nothing_else_has() -> None:
    assert set(RULES) == {alert_of(state) for state in ALARMS} | OF_COUNTERS


@pytest.mark.parametrize("name", RULES)
def test_each_alert_has_its_section_in_the_runbook(name: str) -> None:
    assert RULES[name]["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
    assert f"## {name}\n" in RUNBOOK


def test_the_runbook_has_no_section_without_an_alert() -> None:
    assert set(re.findall(r"^## (Syncd\w+)$", RUNBOOK, re.MULTILINE)) == set(RULES)


def series(state: str | None, values: str = f"0x{START - 1} 1x{END}") -> dict[str, str]:
    """The series of one daemon. In `state` they have its `values`; None is a daemon that is well."""
    names = (*ALARMS, *REMARKS)
    counted = ("accepted", "failed", "store_unavailable", "unauthorized", "no_project", "not_json")
    down = state in ("no_daemon", "no_console")
    return {
        'up{job="syncd",instance="a"}': f"1x{START - 1} 0x{END}" if down else f"1x{END}",
        **{
            f'syncd_needs{{job="syncd",instance="a",state="{name}"}}': values
            if name == state and not down
            else f"0x{END}"
            for name in names
        },
        **{
            f'syncd_tracker_unreachable{{job="syncd",instance="a",tracker="{name}"}}': values
            if (state, name) == ("tracker_unreachable", "game")
            else f"0x{END}"
            for name in ("game", "mobile")
        },
        **{f'syncd_deliveries_total{{job="syncd",instance="a",outcome="{each}"}}': f"0x{END}" for each in counted},
        'syncd_deliveries_total{job="syncd",instance="a",outcome="accepted"}': f"0+100x{END}",
    }


def fired(name: str, labels: dict[str, str], value: str = "1") -> Case:
    """The alert as it fires, with the texts that it has for these labels."""
    texts = {f"{{{{ $labels.{label} }}}}": text for label, text in labels.items()}
    texts |= {"{{ $value }}": value, "{{ $value | humanize }}": value}
    annotations = dict(RULES[name]["annotations"])
    for placeholder, text in texts.items():
        annotations["summary"] = annotations["summary"].replace(placeholder, text)
    return {"exp_labels": labels | RULES[name]["labels"], "exp_annotations": annotations}


def case_of(name: str | None, alert: Case | None, inputs: dict[str, str]) -> Case:
    """A test of all rules: only the alert of this name fires, and not before its time."""
    last = [{"eval_time": f"{END - 5}m", "alertname": rule, "exp_alerts": []} for rule in RULES if rule != name]
    if name is not None:
        wait = int(RULES[name]["for"].removesuffix("m"))
        early = [START - 1, *([START + wait - 1] if wait else [])]
        last += [{"eval_time": f"{minute}m", "alertname": name, "exp_alerts": []} for minute in early]
        last += [{"eval_time": f"{START + wait + 8}m", "alertname": name, "exp_alerts": [alert]}]
    samples = [{"series": each, "values": values} for each, values in inputs.items()]
    return {"name": name or "well", "interval": "1m", "input_series": samples, "alert_rule_test": last}


def cases() -> Iterator[Case]:
    yield case_of(None, None, series(None))
    for state in REMARKS:
        yield case_of(None, None, series(state))
    for state in ALARMS:
        labels = {"instance": "a", "job": "syncd", "state": state}
        if state == "tracker_unreachable":
            labels["tracker"] = "game"
        name = alert_of(state)
        yield case_of(name, fired(name, labels), series(state))
    # Between two rests the tracker is tried: the state is away for one scrape in four.
    name, resting = "SyncdTrackerRests", " ".join(["1 1 1 0"] * 22)
    labels = {"instance": "a", "job": "syncd", "state": "tracker_rests"}
    yield case_of(name, fired(name, labels), series("tracker_rests", f"0x{START - 1} {resting}"))
    # A daemon that ends again and again answers one scrape in two; after a scrape that fails, its series are stale.
    name, crashing = "SyncdCrashLoop", f"0x{START - 1} " + " ".join(["1 stale"] * 45)
    labels = {"instance": "a", "job": "syncd", "state": "crash_loop"}
    up = {'up{job="syncd",instance="a"}': f"1x{START - 1} " + " ".join(["1 0"] * 45)}
    yield case_of(name, fired(name, labels), series("crash_loop", crashing) | up)
    yield case_of(
        "SyncdNoDaemon", fired("SyncdNoDaemon", {"job": "syncd"}), {'up{job="syncd"}': f"1x{START - 1} _x{END}"}
    )
    yield from of_counters()


def of_counters() -> Iterator[Case]:
    """Refused notifications, in the daemon and in its log."""
    of = 'syncd_deliveries_total{{job="syncd",instance="a",outcome="{}"}}'.format
    steady = f"0x{START - 1} 1+1x{END}"
    for outcome in ("failed", "store_unavailable"):
        yield case_of(
            "SyncdRefusing", fired("SyncdRefusing", {"instance": "a"}, "14"), series(None) | {of(outcome): steady}
        )
    # While the store takes nothing at all, and until that is forgotten, its own alert is enough.
    fault = series("store_fault", f"0x{START - 1} 1x20 0x{END}") | {
        of("store_unavailable"): f"0x{START - 1} 1+1x20 21x{END}"
    }
    alert = fired("SyncdStoreFault", {"instance": "a", "job": "syncd", "state": "store_fault"})
    quiet = [
        {"eval_time": f"{minute}m", "alertname": "SyncdRefusing", "exp_alerts": []} for minute in range(START, END, 4)
    ]
    checked = case_of("SyncdStoreFault", alert, fault)
    yield checked | {"alert_rule_test": checked["alert_rule_test"] + quiet}
    name = "SyncdUnauthorized"
    yield case_of(name, fired(name, {"instance": "a"}), series(None) | {of("unauthorized"): steady})
    # Two guesses of a scanner.
    yield case_of(None, None, series(None) | {of("unauthorized"): f"0x{END - 12} 1 2x12"})
    name = "SyncdHookRefused"
    of = 'syncd_hooks_total{{job="syncd",instance="a",hook="{}",outcome="{}"}}'.format
    labels = {"instance": "a", "hook": "game", "outcome": "unauthorized"}
    yield case_of(name, fired(name, labels), series(None) | {of("game", "unauthorized"): steady})
    # Reports that are noted, and requests of scanners, which name no hook.
    harmless = {of("game", "noted"): steady, of("game", "ignored"): steady, of("", "no_hook"): steady}
    yield case_of(None, None, series(None) | harmless)


@pytest.mark.skipif(not PROMTOOL.exists(), reason="promtool is missing: `make tools` as root fetches it")
def test_each_alert_fires_in_its_state_not_before_and_in_no_other(tmp_path: Path) -> None:
    path = tmp_path / "cases.yml"
    path.write_text(
        yaml.safe_dump(
            {"rule_files": [str(ROOT / "deploy/alerts.yml")], "evaluation_interval": "1m", "tests": list(cases())}
        )
    )

    judged = subprocess.run([str(PROMTOOL), "test", "rules", str(path)], capture_output=True, text=True)
    assert judged.returncode == 0, (judged.stdout + judged.stderr)[:4000]

"""Scenarios of teams and their releases on every kind of tracker: which closings stay, which crashes reopen, and what the issue says."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.story.life import Life, lived
from tests.system.kinds import KINDS

FRAME, NEIGHBOUR = "Renderer::draw", "Audio::open"
ONE_MILESTONE = "github"


@dataclass(frozen=True)
class Crash:
    """New occurrences by release, of the scenario's crash or of another one of the application."""

    new: dict[str, int] = field(default_factory=dict)
    frame: str = FRAME
    unreleased: int = 0


@dataclass(frozen=True)
class Close:
    """A person closes the issue."""

    fixed_in: tuple[str, ...] = ()
    why: str = "done"


@dataclass(frozen=True)
class Scenario:
    """Steps, some days apart. At the end the issue is open or not, and people can read `text` on it. `reopened` counts the answers."""

    name: str
    steps: tuple[Crash | Close, ...]
    is_open: bool
    text: str = ""
    reopened: int | None = None

    @property
    def application(self) -> str:
        return self.name.replace(" ", "-")


def neighbour(**releases: int) -> Crash:
    return Crash({name.replace("_", ".").removeprefix("v"): count for name, count in releases.items()}, NEIGHBOUR)


OLD = neighbour(v2_1_0=300, v2_2_0=600, v2_3_0=200, v2_4_0=90)

SCENARIOS = (
    Scenario(
        "staged rollout",
        (Crash({"2.3.0": 9}), Close(("2.4.0",)), Crash({"2.3.0": 40}), Crash({"2.3.1": 4}), Crash({"2.4.0": 1})),
        is_open=True,
        text="Came back in 2.4.0",
        reopened=1,
    ),
    Scenario(
        "only old clients of a named fix",
        (Crash({"2.3.0": 9}), Close(("2.4.0",)), Crash({"2.3.0": 40, "2.2.9": 7}), Crash({"2.3.1": 4})),
        is_open=False,
        text="2.3.1",
    ),
    Scenario(
        "two fixed lines",
        (Crash({"2.3.3": 9}), Close(("2.3.5", "2.4.0")), Crash({"2.3.4": 3}), Crash({"2.2.9": 6})),
        is_open=False,
    ),
    Scenario(
        "two fixed lines and a crash after the fix of one",
        (Crash({"2.3.3": 9}), Close(("2.3.5", "2.4.0")), Crash({"2.3.4": 3}), Crash({"2.3.6": 1})),
        is_open=True,
        text="Came back in 2.3.6",
    ),
    Scenario(
        "fixes that name their lines short",
        (Crash({"2.2.0": 9}), Close(("2.3", "2.4")), Crash({"2.2.8": 3}), Crash({"2.3.7": 1})),
        is_open=True,
        text="Came back in 2.3.7",
    ),
    Scenario(
        "closed without a fix and old clients go on",
        (Crash({"2.2.0": 10, "2.3.0": 10}), Close(), Crash({"2.2.0": 491}), Crash({"2.3.0": 695})),
        is_open=False,
        text="known at the closing",
    ),
    Scenario(
        "a rare crash in releases that were out",
        (OLD, Crash({"2.1.0": 2}), Close(), Crash({"2.2.0": 1}), Close(), Crash({"2.3.0": 1}), Crash({"2.4.0": 1})),
        is_open=False,
        reopened=0,
    ),
    Scenario(
        "a rare crash in a release that came after",
        (OLD, Crash({"2.1.0": 2}), Close(), Crash({"2.2.0": 1}), Crash({"2.5.0": 1}, NEIGHBOUR), Crash({"2.5.0": 1})),
        is_open=True,
        text="Came back in 2.5.0",
        reopened=1,
    ),
    Scenario(
        "nightly builds",
        (Crash({"2.4.0-nightly.20260301": 4}), Close(), Crash({"2.4.0-nightly.20260309": 1})),
        is_open=True,
    ),
    Scenario(
        "occurrences without a release",
        (Crash({"2.4.0": 5}), Close(), Crash(unreleased=50)),
        is_open=False,
        text="50 new occurrences without a release",
    ),
    Scenario(
        "one bogus release",
        (OLD, Crash({"2.3.0": 8}), Close(("2.4.0",)), Crash({"999.9.9": 1})),
        is_open=False,
        text="999.9.9",
        reopened=0,
    ),
    Scenario(
        "a bogus release twice",
        (OLD, Crash({"2.3.0": 8}), Close(("2.4.0",)), Crash({"9.0.0": 1}), Crash({"9.0.0": 2})),
        is_open=True,
        text="Came back in 9.0.0",
    ),
    Scenario(
        "a change to a calendar",
        (Crash({"1.9": 8}), Close(("2026.1",)), Crash({"1.9": 3}), Crash({"2026.1.1": 30})),
        is_open=True,
        text="Came back in 2026.1.1",
    ),
    Scenario(
        "TestFlight builds",
        (Crash({"5.1 (1234)": 8}), Close(), Crash({"5.1 (1234)": 3}), Crash({"5.1 (1250)": 500})),
        is_open=True,
        text="Came back in 5.1 (1250)",
    ),
    Scenario(
        "builds before the fix",
        (Crash({"1.2.3+40": 8}), Close(("1.2.3+46",)), Crash({"1.2.3+44": 3})),
        is_open=False,
    ),
    Scenario(
        "the fix with a build number",
        (Crash({"2.3.9-1200": 8}), Close(("2.4.0",)), Crash({"2.4.0-1234": 3})),
        is_open=True,
        text="Came back in 2.4.0-1234",
    ),
    Scenario(
        "pre-releases of the fix",
        (Crash({"2.3.0": 8}), Close(("2.4.0",)), Crash({"2.4.0-beta.5": 3}), Crash({"2.4.0-rc.1": 90})),
        is_open=False,
        text="came out after the closing",
        reopened=0,
    ),
    Scenario(
        "a milestone that names no release",
        (Crash({"2.3.0": 8}), Close(("2026-Q1",)), Crash({"2.3.0": 8}), Crash({"2.4.0": 2})),
        is_open=True,
        text="Came back in 2.4.0",
    ),
    Scenario(
        "a product name before the fix",
        (Crash({"2.3.0": 8}), Close(("Game 2.4",)), Crash({"2.3.9": 8}), Crash({"2.4.0": 2})),
        is_open=True,
        text="Came back in 2.4.0",
    ),
    Scenario(
        "the fix was rebuilt",
        (Crash({"2.4.0": 8}), Close(("2.4.0",)), Crash({"2.4.0": 795})),
        is_open=False,
        text="cannot tell builds apart",
    ),
    Scenario(
        "two platforms with lines of their own",
        (Crash({"iOS 5.1": 20, "Android 7.2": 20}), Close(("iOS 5.2.0", "Android 7.3.0")), Crash({"iOS 5.3.0": 500})),
        is_open=True,
        text="Came back in iOS 5.3.0",
    ),
    Scenario(
        "nobody wants to fix it",
        (Crash({"2.3.0": 8}), Close((), "rejected"), Crash({"2.4.0": 100}), Crash({"3.0.0": 100})),
        is_open=False,
        reopened=0,
    ),
    Scenario(
        "a person closes it again",
        (
            Crash({"1.0": 8}),
            Close(("1.1",)),
            Crash({"1.2": 4}),
            Crash({"1.4": 4}),
            Close(),
            Crash({"1.0": 30}),
            Crash({"1.4": 9}),
        ),
        is_open=False,
        reopened=1,
    ),
    Scenario(
        "a hash as a release",
        (Crash({"2.3.0": 8}), Close(("2.4.0",)), Crash({"12c4567": 3}), Crash({"29314046": 3})),
        is_open=False,
        text="cannot be compared",
        reopened=0,
    ),
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_scenario_ends_as_its_team_expects(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenarios = [scenario for scenario in SCENARIOS if kind != ONE_MILESTONE or not _several_fixes(scenario)]
    with lived(kind, tmp_path, monkeypatch, 'name = "main"\nmax_new_issues = []\n') as life:
        ledgers: dict[tuple[str, str], dict[str, int]] = {}
        unreleased: dict[tuple[str, str], int] = {}
        for number in range(max(len(scenario.steps) for scenario in scenarios)):
            for scenario in scenarios:
                for step in scenario.steps[number : number + 1]:
                    if isinstance(step, Close):
                        life.people.close(_title(scenario), step.why, step.fixed_in)
                        continue
                    key = scenario.name, step.frame
                    ledger = ledgers.setdefault(key, {})
                    for release, count in step.new.items():
                        ledger[release] = ledger.get(release, 0) + count
                    unreleased[key] = unreleased.get(key, 0) + step.unreleased
                    life.notify(step.frame, ledger, application=scenario.application, unreleased=unreleased[key])
            life.wait(2)
        wrong = {scenario.name: fault for scenario in scenarios if (fault := _fault(life, scenario))}
    assert wrong == {}


def _several_fixes(scenario: Scenario) -> bool:
    return any(isinstance(step, Close) and len(step.fixed_in) > 1 for step in scenario.steps)


def _title(scenario: Scenario) -> str:
    return f"Crash in {FRAME} ({scenario.application})"


def _fault(life: Life, scenario: Scenario) -> str:
    """What is wrong with the scenario's issue at the end."""
    issues = [issue for issue in life.people.issues() if issue.title == _title(scenario)]
    if len(issues) != 1:
        return f"{len(issues)} issues"
    text = re.sub(r"[`*{}\\]", "", "\n".join(issues[0].comments))
    reopened = text.count("Came back in")
    if issues[0].open is not scenario.is_open:
        return f"{'open' if issues[0].open else 'closed'}: {text}"
    if scenario.text not in text:
        return f"does not say {scenario.text!r}: {text}"
    if scenario.reopened is not None and reopened != scenario.reopened:
        return f"reopened {reopened} times: {text}"
    return ""

"""`syncd adopt` on one store and one folder of issues: what it says of each issue, and what it changes."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from syncd.config import StoreSettings
from syncd.model import IssueState
from syncd.store import open_store
from syncd.store.audit import Filter
from tests.cli.test_output import STORE, fill, printed_by, run
from tests.golden import golden
from tests.store.filled import absorb, accept, crash_notification

CONFIG = (
    '{store}[trackers.here]\nkind = "local"\nfolder = "{folder}/issues"\n'
    '[trackers.there]\nkind = "github"\nrepository = "acme/game"\napi_url = "http://127.0.0.1:9"\n'
    'token = {{ file = "{folder}/token" }}\n[[routes]]\ntracker = "here"\n'
)
A, B, C, D, E = (digit * 64 for digit in "abcde")
TRIAGE = "https://acme.sp.backtrace.io/p/game/triage?fingerprints="
ISSUES = {
    "by-hand": "A person wrote this.",
    "crash-a": TRIAGE + A,
    "closed-b": f"- Status: closed\n\n{TRIAGE}{B}",
    "open-b": TRIAGE + B.upper(),
    "another-open-b": TRIAGE + B,
    "crash-c": f"- Labels: Backtrace\n\n{TRIAGE}{C},{D}",
    "catch-all": TRIAGE + "0" * 64,
}
TITLES = {"crash-c": "[10cced] game: draw", "by-hand": "[abcdef] game: draw"}
FILE = f"""Fingerprint;Issue;Tracker;Owner
held;by-hand;;ada
{A};crash-a.md;here;
{B};closed-b;here;
{B};open-b;here;
{B};another-open-b;here;
10cced;crash-c;here;
de1e7ed;crash-c;here;
d0ub7;crash-c;here;
dead0;crash-c;here;
abcdef;crash-c;here;
{D};crash-a;here;
{E};../etc/passwd;here;
{E};crash-c;hre;
;crash-c;here;
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A configuration, a store with a group in each state, a folder of issues that others wrote, and a file that names them."""
    (tmp_path / "config.toml").write_text(CONFIG.format(folder=tmp_path, store=STORE.format(folder=tmp_path)))
    (tmp_path / "token").write_text("x")
    (tmp_path / "issues").mkdir()
    for number, (name, text) in enumerate(ISSUES.items()):
        path = tmp_path / "issues" / f"{name}.md"
        path.write_text(f"# {TITLES.get(name, name)}\n\n{text}\n")
        os.utime(path, (1_750_000_000 + number, 1_750_000_000 + number))
    (tmp_path / "tickets.csv").write_text(FILE, encoding="utf-8-sig")
    both = [
        {"fingerprint": E, "issue": 12, "tracker": "there"},
        {"fingerprint": E, "issue": "crash-c", "tracker": "here"},
    ]
    both.append({"fingerprint": "f" * 64, "issue": "crash-c", "tracker": "here"})
    (tmp_path / "both.jsonl").write_text("\n".join(map(json.dumps, both)))
    store = open_store(StoreSettings(url=f"sqlite:{tmp_path}/syncd.db"))
    fill(store)
    store.close()
    yield tmp_path
    structlog.reset_defaults()


COMMANDS = (
    "adopt", "adopt {folder}/tickets.csv --tracker here --dry-run", "adopt", "adopt {folder}/tickets.csv --tracker here",
    "adopt {folder}/tickets.csv --tracker here", "adopt", "adopt --search --tracker here --dry-run",
    "adopt --search --tracker here --label backtrace", "adopt --search --tracker here --query triage", "adopt --search",
    "adopt --search --tracker there", "adopt {folder}/tickets.csv --search", "adopt --label x", "adopt --search --tracker hre",
    "adopt {folder}/none.csv", "adopt {folder}/tickets.csv", "adopt {folder}/both.jsonl", "adopt --drop Open-B", "adopt --drop open-b",
    "adopt --drop open-b --search", "adopt",
)  # fmt: skip


@pytest.mark.slow  # a tracker that cannot be reached is tried again
def test_what_adopt_says(folder: Path) -> None:
    calls: dict[str, int] = {}
    for command in COMMANDS:
        calls[command] = calls.get(command, 0) + 1
        golden("adopt", command if calls[command] == 1 else f"{command} ({calls[command]})", run(command, folder))


def shapes(folder: Path, command: str) -> dict[str, str]:
    """What became of each issue, by the text that names it."""
    printed, _ = printed_by(f"{command} --json", folder)
    return {f"{row['source']} {row['issue']}".strip(): row["outcome"] for row in json.loads(printed)["issues"]}


def test_a_dry_run_changes_nothing_and_says_what_a_run_does(folder: Path) -> None:
    command = "adopt {folder}/tickets.csv --tracker here"
    before = (folder / "issues").stat().st_mtime_ns
    planned = shapes(folder, f"{command} --dry-run")

    assert shapes(folder, f"{command} --dry-run") == planned
    assert shapes(folder, command) == planned
    assert (folder / "issues").stat().st_mtime_ns == before
    again = shapes(folder, command)
    adopted = {name for name, outcome in planned.items() if outcome in ("linked", "waits")}
    assert {name for name, outcome in again.items() if outcome == "adopted before"} == adopted
    assert {name: outcome for name, outcome in again.items() if name not in adopted} == {
        name: outcome for name, outcome in planned.items() if name not in adopted
    }


def test_an_issue_that_is_not_there_is_left_out_with_the_trackers_reason(folder: Path) -> None:
    (folder / "one.csv").write_text(f"issue\tfingerprint\nmissing\t{C}\n")
    printed, code = printed_by("adopt {folder}/one.csv --tracker here --json", folder)

    (row,) = json.loads(printed)["issues"]
    assert (code, row["outcome"]) == (1, "left out")
    assert "missing.md is gone" in row["reason"]


def test_an_open_issue_is_chosen_and_the_other_open_ones_are_its_doubles(folder: Path) -> None:
    run("adopt --search --tracker here", folder)
    store = open_store(StoreSettings(url=f"sqlite:{folder}/syncd.db"))
    accept(store, crash_notification(B))
    absorb(store)
    (group,) = store.lists.by_fingerprint(B)
    store.close()

    issue = group.standing.issue
    assert issue is not None
    assert (issue.state, issue.key, issue.doubles) == (IssueState.LINKED, "open-b", "another-open-b")


def test_a_search_of_one_that_linked_them_finds_them_adopted(folder: Path) -> None:
    run("adopt --search --tracker here", folder)
    store = open_store(StoreSettings(url=f"sqlite:{folder}/syncd.db"))
    accept(store, crash_notification(A), crash_notification(B))
    absorb(store)
    store.close()

    outcomes = shapes(folder, "adopt --search --tracker here")
    assert (outcomes["crash-a crash-a"], outcomes["open-b open-b"]) == ("adopted before", "adopted before")
    assert set(outcomes.values()) == {"adopted before", "left out"}


def test_an_adopted_issue_that_is_dropped_is_not_linked_and_the_audit_names_it(folder: Path) -> None:
    run("adopt --search --tracker here", folder)
    run("adopt --drop open-b", folder)
    store = open_store(StoreSettings(url=f"sqlite:{folder}/syncd.db"))
    accept(store, crash_notification(B))
    absorb(store)
    (group,) = store.lists.by_fingerprint(B)
    latest = store.audit.entries(Filter(), 1)[0]
    store.close()

    assert group.standing.issue is None
    assert (latest.action, latest.subject) == ("adopt", B)
    assert latest.detail == "open-b in here waits for its first notification → no issue"

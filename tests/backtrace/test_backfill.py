"""`backfill` against the double: what it takes, holds, files and adopts, and how a run goes on where another was interrupted."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog

from syncd.config import StoreSettings, load
from syncd.model import IssueState
from syncd.store import Store, open_store, outbox, polls
from syncd.worker.absorb import absorb
from syncd.worker.routing import Routing
from tests.backtrace.test_poll import crash
from tests.cli.test_output import run
from tests.clock import START
from tests.fakes.backtrace import TOKEN, FakeBacktrace
from tests.fakes.server import Fault
from tests.operate import changes
from tests.store.filled import NOW, accept

CONFIG = """
[store]
url = "sqlite:{folder}/syncd.db"
[trackers.here]
kind = "local"
folder = "{folder}/issues"
[[routes]]
tracker = "here"
"""


def name(group: int) -> str:
    return format(group + 2**252, "064x")


@dataclass
class Project:
    """A project with a backlog, and the folder of a configuration."""

    fake: FakeBacktrace
    folder: Path

    def backfill(self, options: str = "", code: int = 0) -> str:
        text = run(f"backfill game {options}", self.folder)
        assert text.endswith(f"exit code {code}"), text
        return text.removesuffix(f"exit code {code}")

    def groups(self) -> dict[str, tuple[int, bool, str | None]]:
        """By fingerprint: occurrences, whether only a backfill brought it, and the issue, after everything is folded."""
        config = load(self.folder / "config.toml")
        store = open_store(config.store)
        routing = Routing(config=config, instance_key=store.instance_key())
        while absorb(store, routing, NOW)[0]:
            pass
        listed = {
            each.group.identity.fingerprint: (
                each.group.occurrences,
                each.group.backfilled,
                each.issue.key if each.issue and each.issue.state is IssueState.LINKED else None,
            )
            for each in store.report.groups()
        }
        store.close()
        return listed

    def store(self) -> Store:
        return open_store(load(self.folder / "config.toml").store)


@pytest.fixture
def project(fake: FakeBacktrace, tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "backtrace-token").write_text(TOKEN)
    (tmp_path / "issues").mkdir()
    section = fake.toml().replace('"backtrace-token"', f'"{tmp_path}/backtrace-token"')
    (tmp_path / "config.toml").write_text(CONFIG.format(folder=tmp_path) + section)
    fake.objects.add([crash(group, START - 1000 * group, object=None) for group in range(6) for _ in range(group + 1)])
    open_store(load(tmp_path / "config.toml").store).close()
    yield Project(fake, tmp_path)
    structlog.reset_defaults()


def test_without_file_groups_are_counted_and_held(project: Project) -> None:
    assert "6 groups read: 6 new to the store, counted and held" in project.backfill()
    assert project.groups() == {name(group): (group + 1, True, None) for group in range(6)}
    assert "(rule: backfill)" in run(f"explain {name(3)}", project.folder)
    assert "6 groups read: 0 new to the store" in project.backfill()
    assert project.groups() == {name(group): (group + 1, True, None) for group in range(6)}


def test_with_file_they_go_by_their_routes_also_those_that_were_held(project: Project) -> None:
    project.backfill()
    project.groups()
    project.backfill("--file")
    assert {held for _, held, _ in project.groups().values()} == {False}
    store = project.store()
    assert store.read(partial(outbox.next_due, tracker="here"))
    store.close()


def test_filters(project: Project) -> None:
    project.fake.objects.set_issue(name(5), state="resolved")
    project.fake.objects.set_issue(name(4), state="muted")
    text = project.backfill("--min-occurrences 4 --state open --state resolved")
    assert "2 new to the store" in text
    assert "4 left out" in text
    assert set(project.groups()) == {name(3), name(5)}
    assert "is no state" in run("backfill game --state shut", project.folder)
    assert "there are: acme/game" in run("backfill gaem", project.folder)


def stored(settings: StoreSettings) -> dict[str, object]:
    """The store, but for the requests that its budget has left."""
    return {table: rows for table, rows in changes.contents(settings).items() if table != "budgets"}


def test_a_dry_run_changes_nothing(project: Project) -> None:
    settings = load(project.folder / "config.toml").store
    contents = stored(settings)
    assert json.loads(project.backfill("--dry-run --json")) == {
        "dry_run": True, "read": 6, "new": 6, "present": 0, "left": 0, "issues": [],
    }  # fmt: skip
    assert stored(settings) == contents


def test_a_run_leaves_one_entry_in_the_audit(project: Project) -> None:
    project.backfill("--min-occurrences 2")
    ((_, action, kind, _, detail),) = changes.entries(load(project.folder / "config.toml").store)
    assert (action, kind) == ("backfill", "store")
    assert detail == "acme/game: at least 2 occurrences; counted and held"


def ticket(folder: Path, issue: str, bare: bool = False) -> str:
    (folder / "issues" / f"{issue}.md").write_text(f"# {issue}\n\nA person wrote this.\n")
    address = (folder / "issues").as_uri() + f"/{issue}.md"
    entries = [{"watcher": "_backtrace", "assignees": [{"id": 1}]}, {"watcher": "jira", "short": "X", "url": address}]
    return address if bare else json.dumps(entries)


@pytest.mark.parametrize("bare", [False, True])
def test_tickets_are_adopted_before_anything_is_filed(project: Project, bare: bool) -> None:
    project.fake.objects.set_issue(name(2), ticket=ticket(project.folder, "by-hand", bare))
    project.fake.objects.set_issue(name(3), ticket="https://jira.elsewhere.example/browse/X-1")
    assert "1 ticket: 1 adopted" in project.backfill("--file")
    groups = project.groups()
    assert groups[name(2)] == (3, False, "by-hand")
    assert groups[name(3)][2] is None
    assert "adopted" in project.backfill("--file")
    assert project.groups() == groups


def test_an_interrupted_run_goes_on_where_it_ended(project: Project) -> None:
    project.fake.most_rows = 2
    project.fake.between = [
        lambda: None,
        lambda: project.fake.inject(Fault(how="status", method="POST", status=503, times=9)),
    ]
    before = len(project.fake.requests)
    assert "run this again to go on" in project.backfill(code=75)
    project.fake._faults.clear()
    assert set(project.groups()) == {name(group) for group in range(4)}
    interrupted = len(project.fake.requests)
    project.fake.objects.add([crash(9, START)])
    assert "6 groups read" in project.backfill()
    offsets = [request.body["offset"] for request in list(project.fake.requests)[interrupted:]]
    assert min(offsets) == 4
    assert interrupted > before
    assert set(project.groups()) == {name(group) for group in range(6)}  # as of the commit of its first page
    store = project.store()
    assert store.read(partial(polls.backfill, project="acme/game")) is None
    store.close()
    project.backfill("--min-occurrences 1")
    assert name(9) in project.groups()


def test_a_group_that_crashes_on_is_not_held_any_more(project: Project) -> None:
    project.backfill()
    project.groups()
    project.fake.objects.add([crash(1, START, object=1)])
    body: dict[str, Any] = project.fake.webhook(name(1))
    store = project.store()
    accept(store, body)
    store.close()
    groups = project.groups()
    assert not groups[name(1)][1]
    assert groups[name(2)][1]

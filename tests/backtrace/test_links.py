"""Links back against the double: the issue is added to a group's tickets and nothing else changes, whoever else writes; what Backtrace does not keep
stops all links."""

import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import ValidationError

from syncd.backtrace.links import Linker, Result
from syncd.config import BacktraceProject, Secret, load
from syncd.errors import Misconfigured
from syncd.model import Issue, IssueState
from syncd.platform.clock import Clock
from syncd.store import Store, open_store, polls
from tests.backtrace.conftest import Configured
from tests.backtrace.test_backfill import CONFIG
from tests.backtrace.test_poll import Project, crash, make
from tests.cli.test_output import run
from tests.clock import START
from tests.fakes.backtrace import TOKEN, FakeBacktrace
from tests.fakes.backtrace.server import LINK_TOKEN
from tests.fakes.server import Fault
from tests.operate import changes
from tests.store.filled import absorb, accept, crash_notification
from tests.store.stuck import linked

ISSUE = Issue(
    tracker="here",
    state=IssueState.LINKED,
    marker="m",
    remote_id="12",
    key="MOB-12",
    url="https://jira.acme.example/browse/MOB-12",
)
OWN = {"watcher": "syncd", "short": "MOB-12", "url": ISSUE.url, "state": "open"}
FOREIGN: list[dict[str, Any]] = [
    {"watcher": "_backtrace", "assignees": [{"id": 1}]},
    {
        "watcher": "jira",
        "short": "X-1",
        "url": "https://jira.elsewhere.example/browse/X-1",
        "state": "closed",
        "more": {"b": [1.5, None], "a": "ü"},
    },
]
NAME = format(1 + 2**252, "064x")


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "link-token").write_text(LINK_TOKEN)
    return {"link": "tickets", "link_token": Secret(file=str(tmp_path / "link-token"))}


@pytest.fixture
def linker(fake: FakeBacktrace, configured: Configured, keys: dict[str, Any]) -> Iterator[Linker]:
    fake.objects.add([crash(1, START)])
    made = Linker(configured(**keys), Clock(), lambda _: None)
    yield made
    made.close()


def tickets(fake: FakeBacktrace, name: str = NAME) -> Any:
    issue = fake.objects.issue(name)
    return None if issue is None or issue["ticket"] is None else json.loads(issue["ticket"])


@pytest.mark.parametrize("before", [None, [], FOREIGN])
def test_the_issue_is_added_behind_all_others(fake: FakeBacktrace, linker: Linker, before: Any) -> None:
    fake.objects.set_issue(NAME, ticket=None if before is None else json.dumps(before), tags="a b", invariants="[]")
    assert linker.link(NAME, ISSUE).result is Result.WRITTEN
    assert tickets(fake) == [*(before or []), OWN]
    assert linker.link(NAME, ISSUE).result is Result.PRESENT
    writes = [request for request in fake.requests if request.path == "/api/issue"]
    assert len(writes) == 1
    assert set(writes[0].body) == {"project", "fingerprint", "ticket"}
    assert set(writes[0].body["ticket"]) == {"action", "value"}
    issue = fake.objects.issue(NAME)
    assert issue is not None
    assert (issue["tags"], issue["invariants"]) == ("a b", "[]")


@pytest.mark.parametrize("text", ["https://jira.elsewhere.example/browse/X-1", '{"url": "x"}', "[1]", '"x"'])
def test_tickets_that_are_no_list_are_left_alone(fake: FakeBacktrace, linker: Linker, text: str) -> None:
    fake.objects.set_issue(NAME, ticket=text)
    assert linker.link(NAME, ISSUE).result is Result.UNREADABLE
    assert all(request.path != "/api/issue" for request in fake.requests)


def test_a_group_that_backtrace_does_not_have(linker: Linker) -> None:
    assert linker.link("b" * 64, ISSUE).result is Result.ABSENT


def test_a_server_that_ignores_tickets_stops_all(fake: FakeBacktrace, linker: Linker) -> None:
    fake.ignores_tickets = True
    link = linker.link(NAME, ISSUE)
    assert (link.result, link.stops) == (Result.IGNORED, True)


def test_a_refusal_of_one_group_is_its_own(fake: FakeBacktrace, linker: Linker) -> None:
    fake.unwritable.add(NAME)
    link = linker.link(NAME, ISSUE)
    assert (link.result, link.stops, link.reason) == (Result.REFUSED, False, "no such issue")


def test_a_token_that_may_not_write_says_so(fake: FakeBacktrace, linker: Linker) -> None:
    fake.tokens[LINK_TOKEN]["game"] = {"query:post"}
    with pytest.raises(Misconfigured, match=r"may write issues: .*link_token"):
        linker.link(NAME, ISSUE)


def test_a_lost_answer_is_read_and_not_repeated(fake: FakeBacktrace, linker: Linker) -> None:
    fake.inject(Fault(how="reset_after", method="POST", path="/api/issue"))
    assert linker.link(NAME, ISSUE).result is Result.WRITTEN
    assert tickets(fake) == [OWN]


def replace_all(fake: FakeBacktrace) -> None:
    fake.objects.set_issue(NAME, ticket=json.dumps([FOREIGN[1]]))


def add_another(fake: FakeBacktrace) -> None:
    fake.objects.set_issue(NAME, ticket=json.dumps([*tickets(fake), {"watcher": "x", "url": "https://x.example"}]))


def restore(fake: FakeBacktrace) -> None:
    fake.objects.set_issue(NAME, ticket=json.dumps([*FOREIGN, {"watcher": "x", "url": "https://x.example"}]))


@pytest.mark.parametrize(
    ("write", "result"),
    [(replace_all, Result.DAMAGED), (add_another, Result.WRITTEN), (restore, Result.OVERWRITTEN)],
)
def test_another_writer_in_between_loses_nothing(
    fake: FakeBacktrace, linker: Linker, write: Callable[[FakeBacktrace], None], result: Result
) -> None:
    fake.objects.set_issue(NAME, ticket=json.dumps(FOREIGN))
    fake.written = lambda: write(fake)
    assert linker.link(NAME, ISSUE).result is result
    present = tickets(fake)
    assert all(entry in present for entry in FOREIGN)


@pytest.fixture
def project(fake: FakeBacktrace, configured: Configured, store: Store, keys: dict[str, Any]) -> Iterator[Project]:
    made = make(fake, configured, store, **keys)
    yield made
    made.poller.close()


def filed(project: Project, *numbers: int) -> None:
    """Groups with an issue each."""
    for number in numbers:
        linked(project.store, format(number + 2**252, "064x"), number)


def test_polls_link_each_group_once_whatever_fails_between(project: Project) -> None:
    fake, dice = project.fake, random.Random(3)
    filed(project, *range(60))
    fake.objects.add([crash(number, START) for number in range(60)])
    for number in range(0, 60, 3):
        fake.objects.set_issue(format(number + 2**252, "064x"), ticket=json.dumps(FOREIGN))
    fake.weather = lambda request: (
        Fault(how=dice.choice(["reset_before", "reset_after"]), method="POST")
        if request.path == "/api/issue" and dice.random() < 0.1
        else None
    )
    project.poll(0.0)
    for _ in range(20):
        project.poll(86400.0)
    for number in range(60):
        present = tickets(fake, format(number + 2**252, "064x"))
        before = FOREIGN if number % 3 == 0 else []
        assert present[: len(before)] == before
        assert [entry["short"] for entry in present[len(before) :]] == [f"K-{number}"]
    writes = sum(request.path == "/api/issue" for request in fake.requests)
    project.poll(86400.0)
    assert sum(request.path == "/api/issue" for request in fake.requests) == writes


def test_a_server_that_ignores_tickets_gets_one_write_and_the_counts_go_on(project: Project) -> None:
    filed(project, 1, 2, 3)
    project.fake.objects.add([crash(number, START) for number in (1, 2, 3) for _ in range(3)])
    project.fake.ignores_tickets = True
    for _ in range(4):
        project.poll(86400.0)
    assert sum(request.path == "/api/issue" for request in project.fake.requests) == 1
    assert "backtrace_unlinked" in project.states
    assert "does not have it" in project.standing.link_fault
    project.crash(1)
    project.poll()
    assert project.counts[NAME] == (4, False)


def test_a_refused_token_is_tried_once_in_each_poll(project: Project) -> None:
    filed(project, 1, 2, 3)
    project.fake.objects.add([crash(number, START) for number in (1, 2, 3) for _ in range(3)])
    del project.fake.tokens[LINK_TOKEN]
    for _ in range(3):
        project.poll(86400.0)
    assert sum(request.path == "/api/issue" for request in project.fake.requests) == 3
    assert "backtrace_unlinked" in project.states
    assert project.counts[NAME] == (3, False)


def test_check_tries_one_link_and_lets_polls_link_again(fake: FakeBacktrace, tmp_path: Path) -> None:
    (tmp_path / "backtrace-token").write_text(TOKEN)
    (tmp_path / "link-token").write_text(LINK_TOKEN)
    section = fake.toml(link="tickets") + 'link_token = { file = "link-token" }\n'
    for file in ("backtrace-token", "link-token"):
        section = section.replace(f'"{file}"', f'"{tmp_path}/{file}"')
    (tmp_path / "config.toml").write_text(CONFIG.format(folder=tmp_path) + section)
    fake.objects.add([crash(1, START)])
    fake.ignores_tickets = True
    settings = load(tmp_path / "config.toml").store
    store = open_store(settings)
    linked(store, NAME, 7)
    accept(store, crash_notification("held"))
    absorb(store)
    stopped = polls.PollStanding(link_fault="it is gone", polled_at=5.0)
    store.write(partial(polls.save, project="acme/game", after=stopped))
    store.close()

    assert "is not linked (ignored): Backtrace accepted the ticket" in run("check --try-link K-7", tmp_path)
    assert "has no issue" in run("check --try-link held", tmp_path)
    fake.ignores_tickets = False
    assert "K-7 is among the tickets of 100000000000 in Backtrace (written)." in run("check --try-link K-7", tmp_path)
    assert "(present)" in run("check --try-link K-7", tmp_path)
    store = open_store(settings)
    assert store.read(partial(polls.standing, project="acme/game")) == polls.PollStanding(polled_at=5.0)
    store.close()
    assert {(action, subject) for _, action, _, subject, _ in changes.entries(settings)} == {("link", NAME)}
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"link": "tickets"}, "link_token"),
        ({"link_token": {"file": "x"}}, 'counts only with link = "tickets"'),
        ({"link": "tickets", "link_token": {"file": "x"}, "poll": "off"}, "is written by polls"),
    ],
)
def test_what_a_link_needs(keys: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        BacktraceProject(**({"name": "game", "token": {"file": "x"}} | keys))

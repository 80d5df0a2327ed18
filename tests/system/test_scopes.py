"""A failure is charged to the narrowest thing: an issue, a project, an account. Whole daemons, and everything goes on by itself."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.github import FakeGitHub
from tests.fakes.jira import FakeJira
from tests.fakes.server import Fault, Recorded
from tests.prove import poisoned
from tests.prove.crashes import crash, fingerprint
from tests.system.daemon import Daemon
from tests.system.kinds import Kind, opened

NEW = 50
LINKED = 5
HURRIED = ("-m", "tests.system.hurried")


@contextmanager
def running(name: str, folder: Path, on_deleted: str = "drop") -> Iterator[tuple[Kind, Daemon]]:
    """A hurried daemon that files in a tracker of this kind."""
    with opened(name, folder) as kind, Daemon(folder, kind.toml("writes = []\n")) as daemon:
        daemon.stop()
        with daemon.config.open("a") as config:
            config.write(f'on_deleted = "{on_deleted}"\n')
        daemon.spawn(HURRIED)
        daemon.wait_for(daemon.listens, "the daemon to listen")
        yield kind, daemon


def state(daemon: Daemon) -> tuple[dict[str, int], int, str]:
    """Issues by state, dead letters, and the state of the tracker."""
    status = daemon.status()
    return status["issues"], status["dead"], status["trackers"]["here"]["state"]


def send(daemon: Daemon, numbers: range, total: int = 1) -> None:
    daemon.send_all([crash(number, total) for number in numbers])


def rests(daemon: Daemon) -> list[str]:
    """The reasons of the rests in the log."""
    return re.findall(r'"event":"tracker_paused"', daemon.log.read_text())


@pytest.mark.parametrize("refusal", poisoned.REFUSALS.values(), ids=poisoned.REFUSALS)
def test_an_issue_that_refuses_for_ever_holds_up_no_new_group(tmp_path: Path, refusal: tuple[int, Any]) -> None:
    filed = poisoned.file_beside(tmp_path, NEW, refusal)

    assert filed.exact, filed
    assert filed.issues == NEW
    assert filed.seconds < 30.0


def off_and_on(daemon: Daemon, switch: Callable[[bool], object], filed: Callable[[], int]) -> None:
    """The project takes nothing for a while, and everything again."""
    send(daemon, range(LINKED))
    daemon.drain()
    switch(True)
    send(daemon, range(2 * LINKED), total=7)
    daemon.wait_for(lambda: len(rests(daemon)) >= 2, "a rest, and a trial that ends like it")
    issues, dead, tracker = state(daemon)
    assert (issues["dropped"], issues["parked"], dead, tracker) == (0, 0, 0, "paused")
    assert filed() == LINKED
    switch(False)
    daemon.drain()

    issues, dead, tracker = state(daemon)
    assert (issues["linked"], issues["dropped"], dead, tracker) == (2 * LINKED, 0, 0, "ok")
    assert filed() == 2 * LINKED


@pytest.mark.parametrize("message", ["Issues has been disabled in this repository.", "unbekannt", None])
@pytest.mark.parametrize("on_deleted", ["drop", "recreate"])
def test_issues_that_are_switched_off_and_on_again_drop_nothing(
    tmp_path: Path, message: str | None, on_deleted: str
) -> None:
    with running("github", tmp_path, on_deleted) as (kind, daemon):
        fake = kind.fake
        assert isinstance(fake, FakeGitHub)

        def refuse(request: Recorded) -> Fault | None:
            if fake.repository.has_issues or "/issues" not in request.path:
                return None
            method: Any = request.method
            return Fault(how="status", method=method, status=410, body=message and {"message": message})

        def switch(off: bool) -> None:
            fake.repository.has_issues = not off

        fake.weather = refuse
        off_and_on(daemon, switch, lambda: len(fake.repository.issues))


def test_a_repository_that_is_archived_makes_no_dead_letter(tmp_path: Path) -> None:
    with running("github", tmp_path) as (kind, daemon):
        fake = kind.fake
        assert isinstance(fake, FakeGitHub)
        off_and_on(
            daemon,
            lambda off: setattr(fake.repository, "archived", off),
            lambda: len(fake.repository.issues),
        )


@pytest.mark.parametrize("name", ["jira-cloud", "jira-datacenter"])
@pytest.mark.parametrize("how", ["archived", "may not create", "unknown words"])
def test_a_project_that_takes_no_issues_makes_no_dead_letter(tmp_path: Path, name: str, how: str) -> None:
    with running(name, tmp_path) as (kind, daemon):
        fake = kind.fake
        assert isinstance(fake, FakeJira)

        def refuse(request: Recorded) -> Fault | None:
            writes = request.method in ("POST", "PUT") and not request.path.endswith(("/search", "/bulkfetch"))
            method: Any = request.method
            body = {"errorMessages": ["Heute nicht."], "errors": {}}
            return Fault(how="status", method=method, status=400, body=body) if writes else None

        def switch(off: bool) -> None:
            if how == "archived":
                fake.archived = off
            elif how == "may not create":
                (fake.permissions.discard if off else fake.permissions.add)("CREATE_ISSUES")
            else:
                fake.weather = refuse if off else None

        off_and_on(daemon, switch, lambda: len(fake.issues))


class _All(set[str]):
    """The ids of all issues, also of those that are filed later."""

    def __contains__(self, _: object) -> bool:
        return True


@pytest.mark.parametrize("name", ["jira-cloud", "jira-datacenter"])
@pytest.mark.parametrize("on_deleted", ["drop", "recreate"])
def test_issues_that_the_account_may_not_see_are_filed_once_and_wait_for_a_person(
    tmp_path: Path, name: str, on_deleted: str
) -> None:
    with running(name, tmp_path, on_deleted) as (kind, daemon):
        fake = kind.fake
        assert isinstance(fake, FakeJira)
        fake.hidden = _All()
        for total in range(1, 5):
            send(daemon, range(LINKED), total=total)
            daemon.drain()

        issues, dead, tracker = state(daemon)
        assert len(fake.issues) == LINKED
        assert (issues["parked"], issues["dropped"], dead, tracker) == (LINKED, 0, 0, "ok")
        assert re.search("hidden from the account|may not see it", str(daemon.groups()[fingerprint(0)]))

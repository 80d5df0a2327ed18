"""Real questions to GitHub before anything is filed."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Literal
from urllib.parse import quote

from syncd.config import GitHubSettings
from syncd.core.policy import Policy
from syncd.errors import Misconfigured, TrackerError
from syncd.platform.clock import Clock
from syncd.trackers import Finding, clock_finding, closings
from syncd.trackers.github.answers import Account, Listed, ListedMilestone, Repository, expect, failure
from syncd.trackers.github.connection import Connection
from syncd.trackers.github.control import lacks_scope, read_named
from syncd.trackers.transport import Answer, Sent

_PER_PAGE, _MOST_PAGES = 100, 5

_REMEDY = (
    "use a token that may read and write the issues of this repository: a fine-grained one with Issues: Read "
    "and write, or a classic one with the scope repo"
)
_APP_REMEDY = (
    "give the App the permission Issues: Read and write, install it with access to this repository, and use one of its private keys; "
    "docs/setup.md has the steps"
)
_AGAIN = "try again; check api_url and the network"


def check(connection: Connection, settings: GitHubSettings, recalled_id: str | None, clock: Clock) -> list[Finding]:
    """All findings, up to the first failure that makes further questions pointless. Creates nothing."""
    findings: list[Finding] = []
    remedy_of_login = _REMEDY if settings.app is None else _APP_REMEDY
    try:
        connection.open()
    except Misconfigured as error:
        remedy = "correct that key, or make its file readable" if settings.app is None else remedy_of_login
        return [Finding(ok=False, what=error.reason, remedy=remedy)]
    except TrackerError as error:
        return [Finding(ok=False, what=error.reason, remedy=_AGAIN)]
    try:
        findings += [Finding(ok=True, what=sentence) for sentence in connection.login.describe()]
        login = connection.send_idempotent("GET", connection.login.account_path)
        if login.status == 403 and isinstance(failure(login, Sent.AGAIN), Misconfigured):
            findings.append(Finding(ok=True, what="the token is that of an app"))
        elif settings.app is None:
            findings.append(Finding(ok=True, what=f"the token is that of {expect(login, Account).login}"))
        findings += clock_finding(login.date, clock.wall())
        repository, answer = read_named(connection, settings)
        findings += _of_repository(settings, repository, answer, recalled_id)
        if repository.has_issues:
            expect(connection.send_idempotent("GET", f"/repos/{settings.repository}/issues"), list[Listed])
    except Misconfigured as error:
        remedy = "correct api_url, or the proxy before it" if "api_url" in error.reason else remedy_of_login
        if "cannot be read" in error.reason and "api_url" not in error.reason:
            remedy = f'check the spelling of repository = "{settings.repository}"; else {remedy}'
        findings.append(Finding(ok=False, what=error.reason, remedy=remedy))
    except TrackerError as error:
        findings.append(Finding(ok=False, what=error.reason, remedy=_AGAIN))
    return findings


def check_routes(
    connection: Connection, settings: GitHubSettings, routes: Sequence[Policy], releases: Sequence[str]
) -> list[Finding]:
    """Which reasons of closing the routes recognise, and which milestones name a release. Creates nothing."""
    home = f"/repos/{settings.repository}"
    findings = closings.resolutions(dict.fromkeys(("completed", "not_planned", "duplicate"), ""), routes)
    try:
        listed = milestones(connection, home, "all", _MOST_PAGES)
        findings += _rules(connection, home, routes, {each.title.casefold() for each in listed if each.state == "open"})
        titles = [each.title for each in listed]
    except TrackerError as error:
        what = f"the milestones cannot be read: {error.reason}"
        return [*findings, Finding(ok=False, what=what, remedy="check again")]
    return findings + closings.fix_names("milestone", titles, routes, releases)


def _rules(connection: Connection, home: str, routes: Sequence[Policy], titles: set[str]) -> Iterator[Finding]:
    """What each rule of `set` sets, or why GitHub would not take it: one GET for each assignee. `titles` are those of open milestones, in
    lower case. Raises TrackerError."""
    for policy in routes:
        for number, rule in enumerate(policy.set):
            place, faults = f"route {policy.name}, set[{number}]", []
            if rule.milestone is not None and rule.milestone.casefold() not in titles:
                faults.append(f"the repository has no open milestone {rule.milestone!r}")
            if rule.assignee is not None:
                answer = connection.send_idempotent("GET", f"{home}/assignees/{quote(rule.assignee, safe='')}")
                if answer.status == 404:
                    faults.append(f"nobody can assign issues to {rule.assignee!r}")
            for fault in faults:
                yield Finding(ok=False, what=f"{place}: {fault}", remedy="correct its value in the rule")
            values = {"labels": ", ".join(rule.labels), "assignee": rule.assignee, "milestone": rule.milestone}
            texts = [f"{name} = {value}" for name, value in values.items() if value]
            if texts and not faults:
                yield Finding(ok=True, what=f"{place} sets {'; '.join(texts)}")


def milestones(
    connection: Connection, home: str, state: Literal["open", "all"], pages: int | None = None
) -> list[ListedMilestone]:
    """The milestones of a repository, whose path is `home`. One GET for each hundred. Raises TrackerError."""
    everything: list[ListedMilestone] = []
    for page in count(1):
        parameters: dict[str, str | int] = {"state": state, "per_page": _PER_PAGE, "page": page}
        answer = connection.send_idempotent("GET", f"{home}/milestones", parameters=parameters)
        listed = expect(answer, list[ListedMilestone])
        everything += listed
        if len(listed) < _PER_PAGE or page == pages:
            break
    return everything


def _of_repository(
    settings: GitHubSettings, repository: Repository, answer: Answer, recalled_id: str | None
) -> Iterator[Finding]:
    name, allowed = settings.repository, settings.allow_public
    if repository.private:
        yield Finding(ok=True, what=f"{name} is there and not public")
    else:
        what = f"{name} is there and public: everybody can read what its issues say of crashes"
        remedy = "" if allowed else "set allow_public = true for it, or file in a private one"
        yield Finding(ok=allowed, what=what, remedy=remedy)
    if recalled_id not in (None, str(repository.id)):
        yield Finding(
            ok=False,
            what=f"{name} is now another repository than the one that holds the issues so far",
            remedy="configure it as a tracker of another name",
        )
    if repository.archived:
        yield Finding(ok=False, what=f"{name} is archived", remedy="unarchive it, or configure another")
    if not repository.has_issues:
        yield Finding(ok=False, what=f"{name} takes no issues", remedy="turn on Issues in its settings")
    if repository.disabled:
        yield Finding(ok=False, what=f"GitHub has disabled {name}", remedy="ask GitHub's support, or configure another")
    if lacks_scope(answer, repository):
        yield Finding(ok=False, what="the token lacks the scope repo", remedy=_REMEDY)
    if settings.labels and repository.read_only:
        yield Finding(
            ok=False,
            what=f"the token may not set labels in {name}: GitHub would drop them in silence",
            remedy="give its account the role Triage or Write, or set labels = []",
        )

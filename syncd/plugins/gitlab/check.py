"""Real questions to GitLab before anything is filed."""

from collections.abc import Iterator, Sequence

from syncd.plugin import Clock, Finding, Misconfigured, Policy, TrackerError, clock_finding, closings
from syncd.plugins.gitlab.answers import PLANNER, Account, Milestone, Project, Token, expect
from syncd.plugins.gitlab.connection import GitLabConnection
from syncd.plugins.gitlab.issues import PER_PAGE, Reader
from syncd.plugins.gitlab.settings import GitLabSettings

_REMEDY = "use a token with the scope api, whose account has the role Planner or Reporter in this project"
_AGAIN = "try again; check url and the network"


def check(
    connection: GitLabConnection, reader: Reader, settings: GitLabSettings, recalled_id: str | None, clock: Clock
) -> Iterator[Finding]:
    """All findings, up to the first failure that makes further questions pointless. Creates nothing."""
    try:
        login = connection.send_idempotent("GET", "/user")
        yield Finding(ok=True, what=f"the token is that of {expect(login, Account).username}")
        yield from clock_finding(login.date, clock.wall())
        token = connection.send_idempotent("GET", "/personal_access_tokens/self").read(Token)
        if token is not None and token.scopes and "api" not in token.scopes:
            yield Finding(
                ok=False, what=f"the token has the scopes {', '.join(token.scopes)}, and not api", remedy=_REMEDY
            )
        if token is not None and token.expires_at and settings.token_expires is None:
            remedy = f"set token_expires = {token.expires_at}, and syncd reports it 30 days before"
            yield Finding(ok=True, what=f"the token ends on {token.expires_at}", remedy=remedy)
        project, _ = reader.named_project()
        yield from _of_project(settings, project, recalled_id)
    except Misconfigured as error:
        remedy = "correct url, or the proxy before it" if error.silent else _REMEDY
        if "cannot be read" in error.reason:
            remedy = f'check the spelling of project = "{settings.project}"; else {remedy}'
        yield Finding(ok=False, what=error.reason, remedy=remedy)
    except TrackerError as error:
        yield Finding(ok=False, what=error.reason, remedy=_AGAIN)


def check_routes(
    connection: GitLabConnection, home: str, routes: Sequence[Policy], releases: Sequence[str]
) -> list[Finding]:
    """Which reasons of closing the routes recognise, and which milestones name a release. Creates nothing."""
    findings = closings.resolutions(dict.fromkeys(("closed", "duplicate"), ""), routes)
    try:
        listed = milestones(connection, home)
    except TrackerError as error:
        what = f"the milestones cannot be read: {error.reason}"
        return [*findings, Finding(ok=False, what=what, remedy="check again")]
    open_ones = {each.title.casefold() for each in listed if each.state == "active"}
    for policy in routes:
        for number, rule in enumerate(policy.set):
            if rule.milestone is not None and rule.milestone.casefold() not in open_ones:
                what = f"route {policy.name}, set[{number}]: the project has no open milestone {rule.milestone!r}"
                findings.append(Finding(ok=False, what=what, remedy="correct its value in the rule"))
    return findings + closings.fix_names("milestone", [each.title for each in listed], routes, releases)


def milestones(connection: GitLabConnection, home: str) -> list[Milestone]:
    """The milestones of a project and of the groups above it. One GET for each hundred. Raises TrackerError."""
    everything: list[Milestone] = []
    while len(everything) % PER_PAGE == 0:
        parameters: dict[str, str | int] = {
            "include_ancestors": "true",
            "per_page": PER_PAGE,
            "page": len(everything) // PER_PAGE + 1,
        }
        answer = connection.send_idempotent("GET", f"{home}/milestones", parameters=parameters)
        listed = expect(answer, list[Milestone])
        everything += listed
        if not listed:
            break
    return everything


def _of_project(settings: GitLabSettings, project: Project, recalled_id: str | None) -> Iterator[Finding]:
    name = settings.project
    if project.visibility == "private":
        yield Finding(ok=True, what=f"{name} is there and private")
    elif settings.confidential:
        yield Finding(ok=True, what=f"{name} is there and {project.visibility}; its issues are confidential")
    else:
        what = f"{name} is there and {project.visibility}: others can read what its issues say of crashes"
        remedy = (
            ""
            if settings.allow_public
            else "set confidential = true or allow_public = true for it, or file in a private one"
        )
        yield Finding(ok=settings.allow_public, what=what, remedy=remedy)
    if recalled_id not in (None, str(project.id)):
        what = f"{name} is now another project than the one that holds the issues so far"
        yield Finding(ok=False, what=what, remedy="configure it as a tracker of another name")
    if project.archived:
        yield Finding(ok=False, what=f"{name} is archived", remedy="unarchive it, or configure another")
    if not project.issues_enabled or project.issues_access_level == "disabled":
        yield Finding(ok=False, what=f"{name} takes no issues", remedy="turn on Issues in its settings")
    if project.role is not None and project.role < PLANNER:
        what = (
            "the token's role is too low to set labels, to close issues, and to tell a deleted issue from a hidden one"
        )
        yield Finding(ok=False, what=what, remedy=_REMEDY)

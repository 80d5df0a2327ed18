"""Real questions to GitHub before anything is filed."""

from collections.abc import Iterator

from syncd.config import GitHubSettings
from syncd.errors import Misconfigured, TrackerError
from syncd.trackers import Finding
from syncd.trackers.answer import Answer, Sent
from syncd.trackers.clocks import compared
from syncd.trackers.github.answers import Account, Listed, Repository, clock, expect, failure
from syncd.trackers.github.connection import Connection

_REMEDY = (
    "use a token that may read and write the issues of this repository: a fine-grained one with Issues: Read "
    "and write, or a classic one with the scope repo"
)


def check(connection: Connection, settings: GitHubSettings, remembered_id: str | None) -> list[Finding]:
    """What was found, up to the failure that makes further questions pointless. Creates nothing."""
    try:
        connection.open()
    except Misconfigured as error:
        return [Finding(ok=False, what=error.reason, remedy="correct the configuration")]
    findings: list[Finding] = []
    try:
        login = connection.again("GET", "/user")
        findings.append(_login(login))
        findings += compared(clock(login))
        answer = connection.again("GET", f"/repos/{settings.repository}")
        repository = expect(answer, Repository)
        findings += _of_repository(settings.repository, repository, remembered_id, settings.allow_public)
        findings += _of_scopes(repository, answer)
        findings += _of_labels(settings, repository)
        if repository.has_issues:
            expect(connection.again("GET", f"/repos/{settings.repository}/issues"), list[Listed])
    except Misconfigured as error:
        findings.append(Finding(ok=False, what=error.reason, remedy=_REMEDY))
    except TrackerError as error:
        findings.append(Finding(ok=False, what=error.reason, remedy="try again; check api_url and the network"))
    return findings


def _login(answer: Answer) -> Finding:
    if answer.status == 403 and isinstance(failure(answer, Sent.AGAIN), Misconfigured):
        return Finding(ok=True, what="the token is that of an app")
    account = expect(answer, Account)
    return Finding(ok=True, what=f"the token is that of {account.login}")


def _of_repository(name: str, repository: Repository, remembered_id: str | None, allowed: bool) -> Iterator[Finding]:
    if repository.private:
        yield Finding(ok=True, what=f"{name} is there and not public")
    else:
        what = f"{name} is there and public: everybody can read what its issues say of crashes"
        remedy = "" if allowed else "set allow_public = true for it, or file in a private one"
        yield Finding(ok=allowed, what=what, remedy=remedy)
    if remembered_id not in (None, str(repository.id)):
        yield Finding(
            ok=False,
            what=f"{name} is now another repository than the one that holds the issues so far",
            remedy="configure it as a tracker of another name",
        )
    if repository.archived:
        yield Finding(ok=False, what=f"{name} is archived", remedy="unarchive it, or configure another")
    if not repository.has_issues:
        yield Finding(ok=False, what=f"{name} takes no issues", remedy="turn on Issues in its settings")


def _of_scopes(repository: Repository, answer: Answer) -> Iterator[Finding]:
    """Only classic tokens have scopes; GitHub names them in a header of every answer."""
    granted = answer.headers.get("x-oauth-scopes")
    if granted is None:
        return
    scopes = {scope.strip() for scope in granted.split(",")}
    if "repo" not in scopes and (repository.private or "public_repo" not in scopes):
        yield Finding(ok=False, what="the token lacks the scope repo", remedy=_REMEDY)


def _of_labels(settings: GitHubSettings, repository: Repository) -> Iterator[Finding]:
    may = repository.permissions
    if settings.labels and may is not None and not (may.push or may.triage):
        yield Finding(
            ok=False,
            what=f"the token may not set labels in {settings.repository}: GitHub would drop them in silence",
            remedy="give its account the role Triage or Write, or set labels = []",
        )

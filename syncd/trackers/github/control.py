"""The control question after a refusal: whether the repository is open to this token.

A refusal alone does not say whose it is: several causes share a status, and GitHub's words change. What the repository answers does.
"""

from typing import NamedTuple

from syncd.config import GitHubSettings
from syncd.errors import Misconfigured, OutOfReach, TrackerError
from syncd.trackers.github.answers import Repository, failure, redirected, refuses
from syncd.trackers.github.connection import Connection
from syncd.trackers.transport import Answer, Sent

PUBLIC = (
    "{} is public, and crash reports can carry what users did; set allow_public = true for it, or file in a private one"
)


class Address(NamedTuple):
    """An issue's `remote_id`: NUMBER in the tracker's own repository, REPOSITORY_ID/NUMBER in another one (`away`)."""

    repository_id: str
    number: str
    away: bool

    @property
    def home(self) -> str:
        """The path of its repository."""
        return f"/repositories/{self.repository_id}"

    @property
    def path(self) -> str:
        return f"{self.home}/issues/{self.number}"

    @property
    def remote_id(self) -> str:
        return f"{self.repository_id}/{self.number}" if self.away else self.number


def denial(connection: Connection, settings: GitHubSettings, answer: Answer, *, away: bool = False) -> TrackerError:
    """The meaning of an answer of a repository without the wanted result. A refusal in another one (`away`) says nothing about the tracker's own.
    Raises Misconfigured where the login can read why it has no access to that."""
    if refuses(answer) and not away:
        connection.login.require_access()
    error = failure(answer, Sent.READ)
    if away and refuses(answer):
        return OutOfReach(f"the issue was transferred to where the token may not do this: {error.reason}")
    if isinstance(error, Misconfigured) and refuses(answer):
        return Misconfigured(f"{settings.repository} cannot be read: {error.reason}")
    return error


def require_open(connection: Connection, settings: GitHubSettings, address: Address, *, writes: bool) -> Repository:
    """The repository of an issue, by one GET.

    Raises Misconfigured where it cannot be read, takes no issues, or, if the refused request `writes`, no writes of this token;
    OutOfReach where it is not the tracker's own.
    """
    answer = connection.send_idempotent("GET", address.home)
    repository = answer.read(Repository) if answer.ok else None
    if repository is None:
        raise denial(connection, settings, answer, away=address.away)
    name, fault = repository.full_name or settings.repository, ""
    if repository.disabled:
        fault = f"GitHub has disabled {name}: its owner has to ask GitHub's support"
    elif not repository.has_issues:
        fault = f"{name} takes no issues: turn on Issues in its settings"
    elif writes and repository.archived:
        fault = f"{name} is archived and takes no writes: unarchive it, or configure another"
    elif writes and lacks_scope(answer, repository):
        fault = f"the token lacks the scope repo, and {name} takes no writes of it"
    if fault and address.away:
        raise OutOfReach(f"the issue was transferred: {fault}")
    if fault:
        raise Misconfigured(fault)
    return repository


def lacks_scope(answer: Answer, repository: Repository) -> bool:
    """True if the token is a classic one without the scope to write issues. GitHub names the scopes of these, and of no other tokens, in a
    header of every answer."""
    granted = answer.headers.get("x-oauth-scopes")
    scopes = {scope.strip() for scope in (granted or "").split(",")}
    return granted is not None and "repo" not in scopes and (repository.private or "public_repo" not in scopes)


def read_named(connection: Connection, settings: GitHubSettings) -> tuple[Repository, Answer]:
    """The repository that has the configured name now, and its answer. Raises Misconfigured with the new name where it was renamed."""
    answer = connection.send_idempotent("GET", f"/repos/{settings.repository}")
    if answer.redirects:
        target = redirected(answer, settings.api_url)
        current = connection.send_idempotent("GET", target.home)
        renamed = current.read(Repository) if current.ok else None
        if renamed is not None and renamed.full_name:
            raise Misconfigured(
                f'{settings.repository} is now {renamed.full_name}; set repository = "{renamed.full_name}"'
            )
    repository = answer.read(Repository) if answer.ok else None
    if repository is None:
        raise denial(connection, settings, answer)
    return repository, answer

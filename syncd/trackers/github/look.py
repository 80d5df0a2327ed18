"""Where a linked issue is: in its repository, in another one, deleted, or out of our sight."""

from typing import NamedTuple

from syncd.config import GitHubSettings
from syncd.errors import Gone, Misconfigured, Moved, OutOfReach, TrackerError
from syncd.model import Issue
from syncd.trackers.answer import Answer, Sent
from syncd.trackers.github.answers import (
    Listed,
    Repository,
    expect,
    failure,
    read,
    redirected,
    takes_no_issues,
    unanswered,
)
from syncd.trackers.github.connection import Connection


class Address(NamedTuple):
    """An issue's `remote_id`: NUMBER in the tracker's own repository, REPOSITORY_ID/NUMBER in another one."""

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

    def failure(self, answer: Answer, sent: Sent) -> TrackerError:
        """What an answer to a write means."""
        return self._judged(failure(answer, sent), answer)

    def unanswered(self, answer: Answer) -> TrackerError:
        """What an answer to a question means that does not answer it."""
        return self._judged(unanswered(answer), answer)

    def _judged(self, error: TrackerError, answer: Answer) -> TrackerError:
        # What may not be done in another repository says nothing about our own, and must not stop it.
        if self.away and _shut(answer):
            return OutOfReach(f"the issue was transferred to where the token may not do this: {error.reason}")
        return error


def _shut(answer: Answer) -> bool:
    """Whether an answer is about one repository: the token is good, and no limit is reached."""
    return answer.status in (403, 404, 410, 451) and isinstance(unanswered(answer), Misconfigured)


def look(
    connection: Connection, settings: GitHubSettings, home_id: str, address: Address, issue: Issue
) -> tuple[Address, Answer]:
    """Where the issue is, and what is told of it: one GET, and one more where it was transferred. Raises Gone, OutOfReach, and
    Moved where the new place is not the last one."""
    answer = connection.again("GET", address.path)
    if answer.redirects:
        return _follow(connection, settings, home_id, answer, issue)
    if answer.status == 410 and not takes_no_issues(answer):
        raise Gone(f"issue {issue.key} was deleted")
    if answer.status == 404:
        _require_neighbours(connection, address)
        raise Gone(f"issue {issue.key} is not there, though its neighbours can be read: it was deleted")
    return address, answer


def _follow(
    connection: Connection, settings: GitHubSettings, home_id: str, redirect: Answer, issue: Issue
) -> tuple[Address, Answer]:
    """Where the issue was transferred to."""
    target = redirected(redirect, settings.api_url)
    hidden = OutOfReach(f"issue {issue.key} was transferred to a repository that the token may not read")
    repository_id = target.repository_id
    if not repository_id:
        answer = connection.again("GET", f"/repos/{target.repository}")
        if _shut(answer):
            raise hidden
        repository_id = str(expect(answer, Repository).id)
    address = Address(repository_id, str(target.number), repository_id != home_id)
    answer = connection.again("GET", address.path)
    if answer.redirects and address.remote_id != issue.remote_id:
        # Each look follows once; the next one goes on from here.
        reason = f"issue {issue.key} was transferred more than once"
        raise Moved(reason, address.remote_id, issue.key or "", issue.url or "")
    if answer.status == 410 and not takes_no_issues(answer):
        raise Gone(f"issue {issue.key} was transferred and then deleted")
    if _shut(answer):
        raise hidden
    return address, answer


def _require_neighbours(connection: Connection, address: Address) -> None:
    """Raise where a 404 says nothing about the issue. GitHub hides with it what a token may not see; and the repository can
    be seen by more than may see its issues."""
    answer = connection.again("GET", address.home)
    repository = read(answer, Repository) if answer.ok else None
    if repository is None:
        raise address.unanswered(answer)
    if not repository.has_issues:
        where = "the repository that the issue was transferred to" if address.away else "the repository"
        raise (OutOfReach if address.away else Misconfigured)(f"{where} takes no issues")
    answer = connection.again("GET", f"{address.home}/issues", parameters={"state": "all", "per_page": 1})
    if not answer.ok or read(answer, list[Listed]) is None:
        raise address.unanswered(answer)

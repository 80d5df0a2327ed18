"""Issues in one GitHub repository, on github.com or an Enterprise Server.

The repository is addressed by its numeric id, which survives renames and transfers. An issue is known again
by its marker, an HTML comment on the last line of its body; so is the status comment by its own.
"""

import time
from collections.abc import Callable, Iterator

from syncd.config import GitHubSettings
from syncd.errors import Misconfigured, Missing
from syncd.model import Created, Group, Issue
from syncd.render.document import Document
from syncd.render.markdown import write
from syncd.render.text import one_line
from syncd.trackers import Draft, Finding, Notebook
from syncd.trackers.answer import Answer, Sent
from syncd.trackers.github_answers import Account, Comment, Repository, created, expect, failure, read
from syncd.trackers.github_check import check
from syncd.trackers.github_connection import Connection

# GitHub takes 256 and 65,536 characters; it does not say of which kind.
_TITLE_LIMIT = 240
_BODY_LIMIT = 60_000

_COMMENTS_PER_PAGE = 100
_COMMENT_PAGES = 30  # an issue takes no more than 2,500 comments


class GitHub:
    """`kind = "github"`. `clock` counts seconds and never goes back; `sleep` passes those between tries."""

    def __init__(
        self,
        name: str,
        settings: GitHubSettings,
        notebook: Notebook,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._notebook = notebook
        self._repository_id: str | None = None
        self._connection = Connection(name, settings, clock, sleep)
        self._account: Account | None = None

    def create(self, draft: Draft) -> Created:
        """One POST, after one GET when the repository's id is not known yet.

        A second POST only after a redirect, which is GitHub's word that the first did nothing.
        """
        payload = {
            "title": one_line(draft.title, _TITLE_LIMIT),
            "body": write(draft.body, _BODY_LIMIT, tail=f"<!-- syncd:1:{draft.marker} -->"),
            "labels": self._settings.labels,
        }
        path = f"{self._home()}/issues"
        answer = self._connection.once("POST", path, payload)
        if answer.redirects or answer.status == 404:
            self._require_same_repository()
        if answer.redirects:
            answer = self._connection.once("POST", path, payload)
        return created(answer, self._settings.repository, self._settings.labels)

    def _home(self) -> str:
        """The path of the repository."""
        if self._repository_id is None:
            self._repository_id = self._settled_id()
        return f"/repositories/{self._repository_id}"

    def _settled_id(self) -> str:
        """The id of the one repository that this tracker's issues are in. The configuration may name it anew after it was
        renamed; naming another one would write into issues of strangers that have the same numbers."""
        server, repository = self._settings.api_url.rstrip("/"), self._settings.repository
        known, home = self._notebook.recall("repository_id"), self._notebook.recall("home")
        if known is not None and home == f"{server} {repository}":
            return known
        if home is not None and home.partition(" ")[0] != server:
            raise Misconfigured(
                f"the issues so far are on {home.partition(' ')[0]}; configure {server} as a tracker of another name"
            )
        present = str(self._present_id())
        if known is not None and known != present:
            raise self._elsewhere()
        self._notebook.note("repository_id", present)
        self._notebook.note("home", f"{server} {repository}")
        return present

    def _present_id(self) -> int:
        """The id of the repository that has the configured name now."""
        answer = self._connection.again("GET", f"/repos/{self._settings.repository}")
        return expect(answer, Repository).id

    def _require_same_repository(self) -> None:
        """Raise Misconfigured where another repository has the name now: our issues are in the old one."""
        if str(self._present_id()) != self._repository_id:
            raise self._elsewhere()

    def _elsewhere(self) -> Misconfigured:
        return Misconfigured(
            f"{self._settings.repository} is now another repository than the one that holds the issues so far; configure it as "
            "a tracker of another name"
        )

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        """One POST. Raises what `Tracker` names; `Missing` when the issue is gone."""
        path = f"{self._home()}/issues/{issue.remote_id}/comments"
        answer = self._connection.once("POST", path, _status(document, marker))
        self._require_issue(issue, answer)
        comment = read(answer, Comment) if answer.status == 201 else None
        if comment is None:
            raise failure(answer, Sent.ONCE)
        return str(comment.id)

    def _require_issue(self, issue: Issue, answer: Answer) -> None:
        """Raise Missing when `answer` means that the issue itself is deleted or in another repository."""
        if answer.redirects:
            raise Missing(f"issue {issue.key} was moved to another repository")
        if answer.status in (404, 410):
            # A repository that is gone, hidden from the token, or without issues answers the same.
            repository = expect(self._connection.again("GET", self._home()), Repository)
            if not repository.has_issues:
                raise failure(answer, Sent.AGAIN)
            raise Missing(f"issue {issue.key} is gone")

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        """One GET for each hundred comments, and at first one for who we are."""
        wanted = _marker_line(marker)
        for comment in self._comments(issue):
            lines = (comment.body or "").replace("\r\n", "\n").split("\n")
            if wanted in lines and self._is_ours(comment):
                return str(comment.id)
        return None

    def _comments(self, issue: Issue) -> Iterator[Comment]:
        """All comments, the oldest first."""
        path = f"{self._home()}/issues/{issue.remote_id}/comments"
        for page in range(1, _COMMENT_PAGES + 1):
            answer = self._connection.again("GET", path, parameters={"per_page": _COMMENTS_PER_PAGE, "page": page})
            self._require_issue(issue, answer)
            comments = expect(answer, list[Comment])
            yield from comments
            if len(comments) < _COMMENTS_PER_PAGE:
                return

    def _is_ours(self, comment: Comment) -> bool:
        """Whether we wrote it, as far as the token may know: apps are not told who they are."""
        if self._account is None:
            answer = self._connection.again("GET", "/user")
            if answer.status == 403:
                return True
            self._account = expect(answer, Account)
        return comment.user is not None and comment.user.id == self._account.id

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        """One PATCH. Raises `Missing` when the comment or the whole issue is gone."""
        path = f"{self._home()}/issues/comments/{comment_id}"
        answer = self._connection.again("PATCH", path, _status(document, marker))
        if answer.redirects or answer.status in (404, 410):
            self._require_issue(issue, self._connection.again("GET", f"{self._home()}/issues/{issue.remote_id}"))
            raise Missing(f"the status comment of {issue.key} is gone")
        if not answer.ok:
            raise failure(answer, Sent.AGAIN)

    def refresh(self, issue: Issue, group: Group) -> None:
        """Nothing: no fields are mapped on GitHub."""

    def check(self) -> list[Finding]:
        """Login, repository, permissions, and who can read it: three GETs."""
        return check(self._connection, self._settings, self._notebook.recall("repository_id"))

    def close(self) -> None:
        """Give back the connection; the next call opens it anew."""
        self._connection.close()


def _status(document: Document, marker: str) -> dict[str, object]:
    return {"body": write(document, _BODY_LIMIT, tail=_marker_line(marker))}


def _marker_line(marker: str) -> str:
    return f"<!-- syncd:status:1:{marker} -->"

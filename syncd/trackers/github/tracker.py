"""Issues in one GitHub repository, on github.com or an Enterprise Server.

The repository is addressed by its numeric id, which survives renames and transfers. An issue is known again
by its marker, an HTML comment on the last line of its body; so is the status comment by its own.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from syncd.config import GitHubSettings
from syncd.errors import Misconfigured, Missing, Moved, Refused
from syncd.model import Created, Evidence, Group, Issue, Observation, Survey
from syncd.render.document import Document
from syncd.render.markdown import write
from syncd.render.text import one_line
from syncd.trackers import Draft, Finding, Notebook
from syncd.trackers.answer import Answer, Sent
from syncd.trackers.github.answers import (
    Account,
    Comment,
    Listed,
    Repository,
    created,
    expect,
    read,
    refuses_assignee,
    unanswered,
    wrote,
)
from syncd.trackers.github.check import check
from syncd.trackers.github.condition import Kept, seen
from syncd.trackers.github.connection import Connection
from syncd.trackers.github.look import Address, look
from syncd.trackers.github.probe import NEWEST_FIRST, Probe, marker_line
from syncd.trackers.github.survey import Surveyor

# GitHub takes 256 and 65,536 characters; it does not say of which kind.
_TITLE_LIMIT = 240
_BODY_LIMIT = 60_000

_MOST_LABELS = 100
_LABEL_LIMIT = 50
_BELIEVED_SECONDS = 3600.0
_REFUSED_SECONDS = 3600.0

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
        self._clock = clock
        self._repository_id: str | None = None
        self._connection = Connection(name, settings, clock, sleep)
        self._account: Account | None = None
        self._surveyor = Surveyor(self._connection, settings)
        self._private_until = 0.0  # by `clock`: how long the repository is believed to be private
        self._refused: dict[str, float] = {}  # assignees, each until it is tried again

    def newest(self) -> int:
        """One GET. Numbers are shared by issues, pull requests and discussions; the last do not show."""
        answer = self._connection.again("GET", f"{self._home()}/issues", parameters={**NEWEST_FIRST, "per_page": 1})
        return max((entry.number for entry in expect(answer, list[Listed])), default=0)

    def create(self, draft: Draft) -> Created:
        """One POST, after one GET when the repository's id is not known yet.

        A second POST only after a redirect, which is GitHub's word that the first did nothing.
        """
        labels = _labels(self._settings.labels, draft.labels)
        payload: dict[str, object] = {
            "title": one_line(draft.title, _TITLE_LIMIT),
            "body": write(draft.body, _BODY_LIMIT, tail=marker_line(draft.marker)),
            "labels": labels,
        }
        assigned = draft.assignee is not None and self._refused.get(draft.assignee, 0.0) <= self._clock()
        if assigned:
            payload["assignees"] = [draft.assignee]
        answer = self._file(payload, draft)
        notes: tuple[str, ...] = ()
        if assigned and refuses_assignee(answer):
            # GitHub's word that nothing was made.
            self._refused[str(draft.assignee)] = self._clock() + _REFUSED_SECONDS
            del payload["assignees"]
            answer = self._file(payload, draft)
        if draft.assignee is not None and "assignees" not in payload:
            notes = (f"the assignee {draft.assignee} was left out: GitHub does not take it",)
        issue = created(answer, self._settings.repository, labels)
        return replace(issue, notes=(*issue.notes, *notes))

    def _file(self, payload: dict[str, object], draft: Draft) -> Answer:
        """The answer to the one POST; a second is sent only after a redirect."""
        path = f"{self._home()}/issues"
        self._require_allowed()
        draft.require_fresh()
        answer = self._connection.once("POST", path, payload)
        if answer.redirects or answer.status == 404:
            self._require_same_repository()
        if answer.redirects:
            draft.require_fresh()
            answer = self._connection.once("POST", path, payload)
        return answer

    def _require_allowed(self) -> None:
        """Raise Misconfigured where everybody could read what is written, and nobody said that they may. Asked once an hour."""
        if self._settings.allow_public or self._clock() < self._private_until:
            return
        answer = self._connection.again("GET", self._home())
        self._require_private(expect(answer, Repository))

    def _require_private(self, repository: Repository) -> None:
        if not repository.private and not self._settings.allow_public:
            raise Misconfigured(
                f"{self._settings.repository} is public, and crash reports can carry what users did; set allow_public = true for it, "
                "or file in a private one"
            )
        self._private_until = self._clock() + _BELIEVED_SECONDS

    def _home(self) -> str:
        """The path of the repository."""
        return f"/repositories/{self._home_id()}"

    def _home_id(self) -> str:
        if self._repository_id is None:
            self._repository_id = self._settled_id()
        return self._repository_id

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
        repository = expect(answer, Repository)
        self._private_until = self._clock() + _BELIEVED_SECONDS if repository.private else 0.0
        return repository.id

    def _require_same_repository(self) -> None:
        """Raise Misconfigured where another repository has the name now: our issues are in the old one."""
        if str(self._present_id()) != self._repository_id:
            raise self._elsewhere()

    def _elsewhere(self) -> Misconfigured:
        return Misconfigured(
            f"{self._settings.repository} is now another repository than the one that holds the issues so far; configure it as "
            "a tracker of another name"
        )

    def probe(self, issue: Issue) -> Evidence:
        """One GET and one GraphQL query where no more than some hundred numbers were given since; at most some forty, or two
        hundred GETs where there is no GraphQL."""
        probe = Probe(self._connection, self._settings, self._home_id(), issue.floor, self._clock)
        return probe.evidence(issue, self._is_ours)

    def _is_ours(self, author: Account | None) -> bool:
        """Whether we wrote it, as far as the token may know: apps are not told who they are."""
        if self._account is None:
            answer = self._connection.again("GET", "/user")
            if answer.status != 403 or not isinstance(unanswered(answer), Misconfigured):
                self._account = expect(answer, Account)
        return wrote(self._account, author)

    def look(self, issue: Issue) -> Observation:
        """One GET, up to three where the issue is no longer there, and a query where it was closed as a duplicate."""
        home_id = self._home_id()
        address, answer = look(self._connection, self._settings, home_id, self._address(issue), issue)
        kept = read(answer, Kept) if answer.ok else None
        if kept is None:
            raise address.unanswered(answer)
        return seen(self._connection, self._settings, address, home_id, kept)

    def survey(self, issues: Sequence[Issue], since: float | None) -> Survey:
        """One GET for each hundred issues that were changed since, and one for each issue in another repository."""
        return self._surveyor.survey(self._home_id(), issues, since)

    def reopen(self, issue: Issue) -> str:
        """One PATCH."""
        return self._change(issue, {"state": "open"}, "reopen it by hand")

    def close_issue(self, issue: Issue) -> str:
        """One PATCH."""
        return self._change(issue, {"state": "closed", "state_reason": "completed"}, "close it by hand")

    def _change(self, issue: Issue, payload: Mapping[str, object], remedy: str) -> str:
        """Empty where it was done; else GitHub's words for why this one issue cannot be changed."""
        self._require_allowed()
        address = self._address(issue)
        answer = self._connection.again("PATCH", address.path, payload)
        if answer.redirects or answer.status in (404, 410):
            self._require_there(issue)
        if answer.ok and read(answer, Kept) is not None:
            return ""
        error = address.failure(answer, Sent.AGAIN)
        if isinstance(error, Refused):
            return f"{error.reason}; {remedy}"
        raise error

    def _address(self, issue: Issue) -> Address:
        repository_id, _, number = (issue.remote_id or "").rpartition("/")
        return Address(repository_id or self._home_id(), number, bool(repository_id))

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        """One POST."""
        self._require_allowed()
        address = self._address(issue)
        answer = self._connection.once("POST", f"{address.path}/comments", _status(document, marker))
        if answer.redirects or answer.status in (404, 410):
            self._require_there(issue)
        comment = read(answer, Comment) if answer.status == 201 else None
        if comment is None:
            raise address.failure(answer, Sent.ONCE)
        return str(comment.id)

    def _require_there(self, issue: Issue) -> None:
        """Raise Moved, Gone or OutOfReach where the issue is not where it was. What belongs to an issue does not tell: of a
        transferred one it answers 404, or a redirect to nowhere."""
        place = self.look(issue).place
        if place.remote_id != issue.remote_id:
            reason = f"issue {issue.key} was transferred and is {place.key} now"
            raise Moved(reason, place.remote_id, place.key, place.url)

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        """One GET for each hundred comments, and at first one for who we are."""
        wanted = _status_line(marker)
        for comment in self._comments(issue):
            lines = (comment.body or "").replace("\r\n", "\n").split("\n")
            if wanted in lines and self._is_ours(comment.user):
                return str(comment.id)
        return None

    def _comments(self, issue: Issue) -> Iterator[Comment]:
        """All comments, the oldest first."""
        address = self._address(issue)
        for page in range(1, _COMMENT_PAGES + 1):
            parameters = {"per_page": _COMMENTS_PER_PAGE, "page": page}
            answer = self._connection.again("GET", f"{address.path}/comments", parameters=parameters)
            if answer.redirects or answer.status in (404, 410):
                self._require_there(issue)
            comments = read(answer, list[Comment]) if answer.ok else None
            if comments is None:
                raise address.unanswered(answer)
            yield from comments
            if len(comments) < _COMMENTS_PER_PAGE:
                return

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        """One PATCH."""
        self._require_allowed()
        address = self._address(issue)
        path = f"{address.home}/issues/comments/{comment_id}"
        answer = self._connection.again("PATCH", path, _status(document, marker))
        if answer.redirects or answer.status in (404, 410):
            self._require_there(issue)
            raise Missing(f"the status comment of {issue.key} is gone")
        if not answer.ok or read(answer, Comment) is None:
            raise address.failure(answer, Sent.AGAIN)

    def refresh(self, issue: Issue, group: Group) -> None:
        """Nothing: no fields are mapped on GitHub."""

    def check(self) -> list[Finding]:
        """Login, repository, permissions, and who can read it: three GETs."""
        return check(self._connection, self._settings, self._notebook.recall("repository_id"))

    def close(self) -> None:
        """Give back the connection; the next call opens it anew."""
        self._connection.close()


def _labels(settings: Sequence[str], more: Sequence[str]) -> list[str]:
    """Each once, as long as GitHub takes it; names have no case there."""
    named: dict[str, str] = {}
    for label in (*settings, *more):
        text = one_line(label, _LABEL_LIMIT, otherwise="")
        if text:
            named.setdefault(text.casefold(), text)
    return list(named.values())[:_MOST_LABELS]


def _status(document: Document, marker: str) -> dict[str, object]:
    return {"body": write(document, _BODY_LIMIT, tail=_status_line(marker))}


def _status_line(marker: str) -> str:
    return f"<!-- syncd:status:1:{marker} -->"

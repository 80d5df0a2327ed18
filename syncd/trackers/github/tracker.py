"""Issues in one GitHub repository, on github.com or an Enterprise Server.

The repository is addressed by its numeric id, which survives renames and transfers. The marker of an issue is an HTML comment
on the last line of its body; the status comment has a marker line of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from syncd.config import GitHubSettings
from syncd.core.doubt import Evidence
from syncd.core.hooks import SURVEY_DUE
from syncd.core.policy import Policy
from syncd.errors import Misconfigured, Missing, Refused
from syncd.model import Created, Group, Issue, Observation, PresentSettings, Settings
from syncd.platform.clock import Clock
from syncd.render.markdown import write
from syncd.render.markers import comment_line, issue_line
from syncd.render.text import Document, one_line
from syncd.trackers import Draft, Finding, IssueText, Notebook, Survey, Sweep
from syncd.trackers.github.answers import (
    Account,
    Comment,
    Filed,
    Listed,
    Repository,
    created,
    denies_token,
    expect,
    failure,
    message,
    refused_fields,
    refuses,
)
from syncd.trackers.github.app import login_of
from syncd.trackers.github.check import check, check_routes, milestones
from syncd.trackers.github.connection import Connection
from syncd.trackers.github.control import PUBLIC, Address, read_named, require_open
from syncd.trackers.github.look import Reader, Snapshot, address_of
from syncd.trackers.github.probe import NEWEST_FIRST, Probe
from syncd.trackers.github.search import search
from syncd.trackers.transport import Answer, Sent

# GitHub takes 256 and 65,536 characters; its documentation does not define "character".
_TITLE_LIMIT = 240
_BODY_LIMIT = 60_000
_MOST_LABELS = 100
_LABEL_LIMIT = 50
_RENAMED = (
    "{} is now another repository than the one that holds the issues so far; configure it as a tracker of another name"
)
_PRIVATE_SECONDS = 3600.0  # for so long an answer holds that the repository is private
_REFUSED_SECONDS = 3600.0
_COMMENTS_PER_PAGE = 100
_COMMENT_PAGES = 30  # an issue takes no more than 2,500 comments


class GitHub:
    """`kind = "github"`."""

    def __init__(
        self,
        name: str,
        settings: GitHubSettings,
        notebook: Notebook,
        *,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        self._settings = settings
        self._notebook = notebook
        self._clock = clock
        self._connection = Connection(name, settings, clock, sleep, login_of(name, settings, notebook, clock, sleep))
        self._reader = Reader(self._connection, settings)
        self._repository_id: str | None = None
        self._account: Account | None = None  # of the login with this number
        self._account_login = 0
        self._private: tuple[float, str | None] = 0.0, None  # until when, monotonic; and the latest report then
        self._refused_until: dict[str, float] = {}  # by assignee, monotonic

    def newest(self) -> int:
        """One GET. Issues, pull requests and discussions share their numbers; discussions do not show."""
        parameters = {**NEWEST_FIRST, "per_page": 1}
        answer = self._connection.send_idempotent(
            "GET", f"/repositories/{self._home_id()}/issues", parameters=parameters
        )
        return max((entry.number for entry in expect(answer, list[Listed])), default=0)

    def sweep(self, floor: int, since: float) -> Sweep:
        """As `probe`."""
        return Probe(self._connection, self._settings, self._home_id(), floor, self._clock).sweep(self._is_own, since)

    def reference(self, marker: str) -> str:
        """The marker."""
        return marker

    def ping(self) -> None:
        """One GET of the repository."""
        self._connection.ping(f"/repos/{self._settings.repository}", lambda answer: answer.read(Repository) is not None)

    def create(self, draft: Draft) -> Created:
        """One POST, after one GET when the repository's id is not known yet, one for the account of a new login, and one for a milestone; one
        GET after a refusal.

        Another POST follows only a redirect, a refused assignee or label, or a refused token of an App, all of which prove that the first one
        did nothing.
        """
        by_name: dict[str, str] = {}
        for name in (*self._settings.labels, *draft.labels):
            if text := one_line(name, _LABEL_LIMIT, otherwise=""):
                by_name.setdefault(text.casefold(), text)  # GitHub ignores case in names
        labels = list(by_name.values())[:_MOST_LABELS]
        payload: dict[str, object] = {
            "title": one_line(draft.title, _TITLE_LIMIT),
            "body": write(draft.body, _BODY_LIMIT, tail=issue_line(draft.marker)),
            "labels": labels,
        }
        milestone, lacks = (None, "") if draft.milestone is None else self._milestone(draft.milestone)
        if milestone is not None:
            payload["milestone"] = milestone
        assignee, now = draft.assignee, self._clock.monotonic()
        if assignee is not None and self._refused_until.get(assignee, 0.0) <= now:
            payload["assignees"] = [assignee]
        answer, notes = self._file(payload, draft), list[str]()
        while refused := refused_fields(answer) & payload.keys():
            for field in refused:
                del payload[field]
            if "labels" in refused:
                notes.append(f"the labels {', '.join(labels)} were left out: GitHub does not take them")
            if "assignees" in refused:
                self._refused_until[str(assignee)] = now + _REFUSED_SECONDS
            answer = self._file(payload, draft)
        issue = created(answer, self._settings.repository, labels if "labels" in payload else [])
        self._note_author(expect(answer, Filed).user)
        if assignee is not None and "assignees" not in payload:
            notes.append(f"the assignee {assignee} was left out: GitHub does not take it")
        if draft.milestone is not None and "milestone" not in payload:
            notes.append(f"the milestone {draft.milestone} was left out: {lacks or 'GitHub does not take it'}")
        return replace(issue, notes=(*issue.notes, *notes))

    def _milestone(self, title: str) -> tuple[int | None, str]:
        """The number of the open milestone with this title, in upper or lower case; without one, the reason. One GET for each hundred
        milestones."""
        try:
            listed = milestones(self._connection, f"/repositories/{self._home_id()}", "open")
        except Misconfigured as error:
            if error.login:
                raise
            return None, error.reason  # whether the repository itself is open, the answer to the create tells
        number = next((each.number for each in listed if each.title.casefold() == title.casefold()), None)
        return number, "" if number is not None else "there is none that is open"

    def _file(self, payload: dict[str, object], draft: Draft) -> Answer:
        """The answer to the POST that creates the issue. After a refusal that names no field which `payload` can do without, raises what
        the repository says of it."""
        home = Address(self._home_id(), "", away=False)
        self._require_private()
        self._own_account()
        answer = self._connection.send_write("POST", f"{home.home}/issues", payload, draft.require_fresh)
        if not refuses(answer) or refused_fields(answer) & payload.keys():
            return answer
        try:
            repository = require_open(self._connection, self._settings, home, writes=True)
        except Misconfigured:
            # Our issues are in the repository with this id. Another one may have its name by now.
            if answer.status == 404 and str(self._read_repository().id) != self._repository_id:
                raise Misconfigured(_RENAMED.format(self._settings.repository)) from None
            raise
        if answer.redirects:
            return self._connection.send_write("POST", f"{home.home}/issues", payload, draft.require_fresh)
        if denies_token(answer):
            self._connection.login.require_access()
        if denies_token(answer) or (answer.status in (403, 404) and repository.read_only):
            raise Misconfigured(f"GitHub does not let the token file issues ({answer.status}{message(answer)})")
        raise Refused(
            f"GitHub refused it ({answer.status}{message(answer)}), though the repository is open to the token"
        )

    def _require_private(self) -> None:
        """Raise Misconfigured where everybody could read the issues and `allow_public` is off. Reads the repository once an hour, and after a report."""
        private, reported = self._private, self._notebook.recall(SURVEY_DUE)
        if self._settings.allow_public or (self._clock.monotonic() < private[0] and reported == private[1]):
            return
        repository = expect(self._connection.send_idempotent("GET", f"/repositories/{self._home_id()}"), Repository)
        if not repository.private:
            raise Misconfigured(PUBLIC.format(self._settings.repository))
        self._private = self._clock.monotonic() + _PRIVATE_SECONDS, reported

    def _home_id(self) -> str:
        """The id of the one repository that holds this tracker's issues.

        The configuration may follow a rename. Raises Misconfigured where it names another repository: its issues have the same
        numbers and belong to strangers.
        """
        if self._repository_id is not None:
            return self._repository_id
        server, repository = self._settings.api_url.rstrip("/"), self._settings.repository
        recalled, home = self._notebook.recall("repository_id"), self._notebook.recall("home")
        if recalled is None or home != f"{server} {repository}":
            if home is not None and home.partition(" ")[0] != server:
                raise Misconfigured(
                    f"the issues so far are on {home.partition(' ')[0]}; configure {server} as a tracker of another name"
                )
            present = str(self._read_repository().id)
            if recalled not in (None, present):
                raise Misconfigured(_RENAMED.format(repository))
            self._notebook.note("repository_id", present)
            self._notebook.note("home", f"{server} {repository}")
            recalled = present
        self._repository_id = recalled
        return recalled

    def _read_repository(self) -> Repository:
        """The repository that has the configured name now."""
        repository, _ = read_named(self._connection, self._settings)
        until = self._clock.monotonic() + _PRIVATE_SECONDS if repository.private else 0.0
        self._private = until, self._notebook.recall(SURVEY_DUE)
        return repository

    def probe(self, issue: Issue) -> Evidence:
        """Two GETs and one GraphQL query where at most a hundred numbers were given since the floor, and a GET for each number whose
        issue is gone; without GraphQL some fifty GETs. At most some three hundred requests."""
        probe = Probe(self._connection, self._settings, self._home_id(), issue.floor, self._clock)
        return probe.evidence(issue_line(issue.marker), self._is_own, self._has_written)

    def _note_author(self, author: Account | None) -> None:
        """Remember the account that GitHub names as the author of what syncd wrote: another one may be behind the token tomorrow."""
        if author is not None and author.id and not self._has_written(author):
            self._notebook.note(f"account {author.id}", author.login)

    def _has_written(self, author: Account | None) -> bool:
        """True if an issue or a comment of syncd is known to have this author."""
        return author is not None and self._notebook.recall(f"account {author.id}") is not None

    def _is_own(self, author: Account | None) -> bool:
        """True if syncd is the author: an account that it wrote with before, or that of the token."""
        return self._has_written(author) or self._is_current(author)

    def _own_account(self) -> Account | None:
        """The account of the token or the App; None where a token may not read it, like one that an App got elsewhere. It is remembered before anything is written: where the
        answer to a write is lost, nothing else names the author once another token is configured."""
        if self._account_login == 0 or self._account_login != self._connection.logins:
            answer = self._connection.send_idempotent("GET", self._connection.login.account_path)
            hidden = answer.status == 403 and isinstance(failure(answer, Sent.READ), Misconfigured)
            name = self._connection.login.account_login
            if name and not answer.ok and refuses(answer):
                self._account = Account(id=0, login=name, type="Bot")  # an App knows its own name
            else:
                self._account = None if hidden else expect(answer, Account)
            self._account_login = self._connection.logins
            self._note_author(self._account)
        return self._account

    def _is_current(self, author: Account | None) -> bool:
        """True if the token's account is the author, as far as the token can tell."""
        account = self._own_account()
        if account is None or author is None:
            # For a token of an unknown App any bot may be the author, and no person.
            return account is None and (author is None or author.type in ("", "Bot"))
        if author.id and account.id:
            return author.id == account.id
        return author.login.lower().removesuffix("[bot]") == account.login.lower().removesuffix("[bot]")

    def look(self, issue: Issue) -> Observation:
        """One GET, up to three where the issue is no longer there, and a query where it was closed as a duplicate."""
        return self._reader.look(self._home_id(), issue)

    def survey(self, issues: Sequence[Issue], bookmark: str | None) -> Iterator[Survey]:
        """One GET for the repository, one for each hundred issues that changed since, up to a hundred, one query for each hundred that did
        not, and one GET for each of up to twenty issues in other repositories, or, without GraphQL, in this one."""
        return self._reader.survey(self._home_id(), issues, bookmark, self._clock.wall())

    def search(self, label: str | None, query: str | None) -> Iterator[Sequence[IssueText]]:
        """One GET for each hundred issues of the repository."""
        return search(self._connection, self._reader, self._home_id(), label, query)

    def reopen(self, issue: Issue) -> str:
        """One PATCH, and two GETs after a refusal."""
        return self._change(issue, {"state": "open"}, "reopen it by hand")

    def close_issue(self, issue: Issue) -> str:
        """One PATCH, and two GETs after a refusal."""
        return self._change(issue, {"state": "closed", "state_reason": "completed"}, "close it by hand")

    def _change(self, issue: Issue, payload: dict[str, object], remedy: str) -> str:
        """Empty after the change; else GitHub's reason why this one issue cannot be changed."""
        self._require_private()
        answer = self._connection.send_idempotent("PATCH", address_of(self._home_id(), issue).path, payload)
        if answer.ok and answer.read(Snapshot) is not None:
            return ""
        error = self._reader.charge(self._home_id(), issue, answer, Sent.AGAIN)
        # A role too low for this may be enough for everything else.
        if refuses(answer) and isinstance(error, Refused | Misconfigured):
            return f"{error.reason}; {remedy}"
        raise error

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        """One POST, after one GET for the account of a new login, and two GETs after a refusal."""
        self._require_private()
        address, body = address_of(self._home_id(), issue), write(document, _BODY_LIMIT, tail=comment_line(marker))
        self._own_account()
        answer = self._connection.send_write("POST", f"{address.path}/comments", {"body": body})
        comment = answer.read(Comment) if answer.status == 201 else None
        if comment is None:
            raise self._reader.charge(self._home_id(), issue, answer, Sent.ONCE)
        self._note_author(comment.user)
        return str(comment.id)

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        """One GET for each hundred comments, oldest first, and at first one for the token's account. A comment of an earlier account counts
        only where this one has none."""
        line, address, earlier = comment_line(marker), address_of(self._home_id(), issue), None
        for page in range(1, _COMMENT_PAGES + 1):
            parameters: dict[str, str | int] = {"per_page": _COMMENTS_PER_PAGE, "page": page}
            answer = self._connection.send_idempotent("GET", f"{address.path}/comments", parameters=parameters)
            comments = answer.read(list[Comment]) if answer.ok else None
            if comments is None:
                raise self._reader.charge(self._home_id(), issue, answer, Sent.READ)
            for comment in comments:
                lines = (comment.body or "").replace("\r\n", "\n").split("\n")
                if line in lines and self._is_current(comment.user):
                    return str(comment.id)
                if line in lines and self._has_written(comment.user):
                    earlier = earlier or str(comment.id)
            if len(comments) < _COMMENTS_PER_PAGE:
                break
        return earlier

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        """One PATCH, and three GETs after a refusal."""
        self._require_private()
        path = f"{address_of(self._home_id(), issue).home}/issues/comments/{comment_id}"
        body = write(document, _BODY_LIMIT, tail=comment_line(marker))
        answer = self._connection.send_idempotent("PATCH", path, {"body": body})
        if answer.ok and answer.read(Comment) is not None:
            return
        error = self._reader.charge(self._home_id(), issue, answer, Sent.AGAIN)
        if refuses(answer):
            current = self._connection.send_idempotent("GET", path)
            if current.redirects or current.status in (404, 410):
                raise Missing(f"the status comment of {issue.key} is gone")
            comment = current.read(Comment) if current.ok else None
            if comment is not None and not self._is_current(comment.user):
                reason = f"an earlier account wrote the status comment of {issue.key}, and this one may not change it"
                raise Missing(reason, foreign=True)
        raise error

    def refresh(self, issue: Issue, group: Group) -> None:
        """Nothing: no fields are mapped on GitHub."""

    def read_settings(self, issue: Issue) -> PresentSettings:
        """One GET."""
        answer = self._connection.send_idempotent("GET", address_of(self._home_id(), issue).path)
        if not answer.ok:
            raise self._reader.charge(self._home_id(), issue, answer, Sent.READ)
        snapshot = expect(answer, Snapshot)
        settings = Settings(
            assignee=snapshot.assignees[0].login if snapshot.assignees else None,
            milestone=None if snapshot.milestone is None else snapshot.milestone.title,
            labels=tuple(label if isinstance(label, str) else label.name for label in snapshot.labels),
        )
        return PresentSettings(settings=settings)

    def raise_settings(self, issue: Issue, changes: Settings) -> str:
        """One POST for labels, which are added, and one for an assignee; one PATCH for a milestone, and one GET for each hundred milestones."""
        self._require_private()
        path, notes = address_of(self._home_id(), issue).path, list[str]()
        requests: list[tuple[str, str, str, object]] = []
        if changes.labels:
            requests.append(
                ("POST", f"{path}/labels", "labels", [one_line(each, _LABEL_LIMIT) for each in changes.labels])
            )
        if changes.assignee is not None:
            requests.append(("POST", f"{path}/assignees", "assignees", [changes.assignee]))
        if changes.milestone is not None:
            number, lacks = self._milestone(changes.milestone)
            if number is None:
                notes.append(f"the milestone {changes.milestone} was left out: {lacks}")
            else:
                requests.append(("PATCH", path, "milestone", number))
        for method, place, name, value in requests:
            answer = self._connection.send_idempotent(method, place, {name: value})
            if answer.ok and answer.json is not None:
                continue
            error = self._reader.charge(self._home_id(), issue, answer, Sent.AGAIN)
            if not refuses(answer) or not isinstance(error, Refused | Misconfigured):
                raise error
            notes.append(f"GitHub does not take the {name}: {error.reason}")
        return "; ".join(notes)

    def check(self, routes: Sequence[Policy] = (), releases: Sequence[str] = ()) -> list[Finding]:
        """Login, repository, permissions, and who can read it: three GETs. Milestones: one GET for each hundred, up to five."""
        findings = check(self._connection, self._settings, self._notebook.recall("repository_id"), self._clock)
        if all(finding.ok for finding in findings) and routes:
            findings += check_routes(self._connection, self._settings, routes, releases)
        return findings

    def close(self) -> None:
        """Release the connection; the next call opens a new one."""
        self._connection.close()

"""`kind = "gitlab"`: files, updates and reads issues of one project.

The project is addressed by its numeric id, which survives renames and moves to other groups. The marker of an issue is an HTML comment
on the last line of its description; the status comment is a note with a marker line of its own.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from syncd.plugin import (
    Answer,
    Clock,
    Created,
    Document,
    Draft,
    Evidence,
    Finding,
    Issue,
    IssueText,
    Misconfigured,
    Missing,
    Notebook,
    Observation,
    Plugin,
    Policy,
    PresentSettings,
    Refused,
    Sent,
    Settings,
    Survey,
    Sweep,
    Tracker,
    comment_line,
    issue_line,
    one_line,
    write,
)
from syncd.plugins.gitlab import hook
from syncd.plugins.gitlab.actions import inert
from syncd.plugins.gitlab.answers import (
    Account,
    Entry,
    Milestone,
    Note,
    Project,
    entries_of,
    expect,
    failure,
    message,
    refuses,
)
from syncd.plugins.gitlab.check import check, check_routes
from syncd.plugins.gitlab.connection import GitLabConnection
from syncd.plugins.gitlab.issues import PER_PAGE, Address, Reader, place_of
from syncd.plugins.gitlab.probe import NEWEST_FIRST, Probe, created_at
from syncd.plugins.gitlab.settings import ISSUE_TYPES, GitLabSettings

# GitLab takes 255 and 1,048,576 characters.
_TITLE_LIMIT = 200
_LONGEST_TITLE = 255
_BODY_LIMIT = 100_000
_LABEL_LIMIT = 255
_COMMENT_PAGES = 30
_PRIVATE_SECONDS = 3600.0  # for so long an answer holds that others cannot read the issues
# GitLab tells people of their names in a title, which has no code spans.
_MENTION = re.compile(r"@(?=[A-Za-z0-9])")
_RENAMED = (
    "{} is now another project than the one that holds the issues so far; configure it as a tracker of another name"
)


class GitLab(Tracker):
    """`kind = "gitlab"`."""

    def __init__(
        self,
        name: str,
        settings: GitLabSettings,
        notebook: Notebook,
        *,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        self._settings = settings
        self._notebook = notebook
        self._clock = clock
        self._connection = GitLabConnection(name, settings, clock, sleep)
        self._reader = Reader(self._connection, settings)
        self._project_id: str | None = None
        self._account: Account | None = None  # of the login with this number
        self._account_login = 0
        self._private_until = 0.0  # monotonic

    def newest(self) -> int:
        """One GET."""
        parameters: dict[str, str | int] = {**NEWEST_FIRST, "per_page": 1}
        answer = self._connection.send_idempotent("GET", f"{self._home()}/issues", parameters=parameters)
        return max((entry.iid for entry in entries_of(answer)), default=0)

    def sweep(self, floor: int, since: float) -> Sweep:
        """As `probe`."""
        return self._probe(floor).sweep(self._is_own, since)

    def probe(self, issue: Issue) -> Evidence:
        """Three GETs where at most a hundred numbers were given since the floor, and a GET for each number that the list does not show; a query and
        a GET where the issue was moved. At most some two hundred requests."""
        return self._probe(issue.floor).evidence(issue, self._is_own, self._has_written)

    def _probe(self, floor: int) -> Probe:
        return Probe(self._connection, self._reader, self._home_id(), self._settings.project, floor, self._clock)

    def ping(self) -> None:
        """One GET of the version, which every account may read."""
        self._connection.ping("/version", lambda answer: isinstance(answer.json, dict))

    def create(self, draft: Draft) -> Created:
        """One POST, after one GET when the project's id is not known yet, one for the account of a new login, one for an assignee and one for a
        milestone; one GET after a refusal."""
        notes: list[str] = []
        labels = list(dict.fromkeys(_label(each) for each in (*self._settings.labels, *draft.labels)))
        issue_type = draft.issue_type or self._settings.issue_type
        if issue_type not in ISSUE_TYPES:
            notes.append(f"the issue type {issue_type} was left out: {', '.join(ISSUE_TYPES)} are those that there are")
            issue_type = self._settings.issue_type
        payload: dict[str, object] = {
            "title": _MENTION.sub("@\u200b", one_line(draft.title, _TITLE_LIMIT))[:_LONGEST_TITLE],
            "description": inert(write(draft.body, _BODY_LIMIT, tail=issue_line(draft.marker))),
            "labels": ",".join(labels),
            "issue_type": issue_type,
            "confidential": self._settings.confidential,
        }
        for key, value, find in (
            ("assignee_ids", draft.assignee, self._assignee),
            ("milestone_id", draft.milestone, self._milestone),
        ):
            if value is not None:
                number, lacks = find(value)
                if number is None:
                    notes.append(f"the {key.partition('_')[0]} {value} was left out: {lacks}")
                else:
                    payload[key] = [number] if key == "assignee_ids" else number
        self._require_hidden()
        self._own_account()
        home = Address(self._home_id(), "", away=False)
        draft.require_fresh()
        answer = self._connection.send_once("POST", f"{home.home}/issues", payload)
        entry = answer.read(Entry) if answer.ok else None
        if entry is None:
            raise self._refusal(answer, home)
        self._note_author(entry.author)
        lacking = set(labels) - set(entry.labels)
        if lacking:
            notes.append(f"the labels {', '.join(sorted(lacking))} were left out: the token's role may not set them")
        if "assignee_ids" in payload and not entry.assignees:
            notes.append(f"the assignee {draft.assignee} was left out: GitLab does not take it")
        address = Address(home.project_id, str(entry.iid), away=False)
        created = created_at(place_of(address, entry, self._settings.project), address, entry)
        return replace(created, notes=tuple(notes))

    def _refusal(self, answer: Answer, home: Address) -> Exception:
        """The meaning of an answer to a create without an issue. Raises what the project says of it."""
        error = failure(answer, Sent.ONCE)
        if not refuses(answer):
            return error
        self._reader.require_open(home, writes=True)
        reason = f"({answer.status}{message(answer)}), though the project is open to the token"
        if answer.status in (403, 404, 405):
            return Misconfigured(f"GitLab does not let the token file issues {reason}")
        return Refused(f"GitLab refused it {reason}") if isinstance(error, Refused) else error

    def _assignee(self, username: str) -> tuple[int | None, str]:
        """The id of the user with this name; without one, the reason. One GET."""
        answer = self._connection.send_idempotent("GET", "/users", parameters={"username": username.removeprefix("@")})
        users = expect(answer, list[Account])
        return (users[0].id, "") if users else (None, "GitLab has no such user")

    def _milestone(self, title: str) -> tuple[int | None, str]:
        """The id of the open milestone with this title, of the project or of a group above it; without one, the reason. One GET."""
        parameters: dict[str, str | int] = {"title": title, "state": "active", "include_ancestors": "true"}
        answer = self._connection.send_idempotent("GET", f"{self._home()}/milestones", parameters=parameters)
        listed = expect(answer, list[Milestone])
        return (listed[0].id, "") if listed else (None, "there is none that is open")

    def _require_hidden(self) -> None:
        """Raise Misconfigured where people outside the project could read the issues and `allow_public` is off. Reads the project once an hour."""
        if self._settings.allow_public or self._settings.confidential or self._clock.monotonic() < self._private_until:
            return
        project = self._reader.require_open(Address(self._home_id(), "", away=False), writes=False)
        if project.visibility != "private":
            raise Misconfigured(
                f"{self._settings.project} is {project.visibility}, and crash reports can carry what users did; set confidential = true or "
                "allow_public = true for it, or file in a private one"
            )
        self._private_until = self._clock.monotonic() + _PRIVATE_SECONDS

    def _home(self) -> str:
        return f"/projects/{self._home_id()}"

    def _home_id(self) -> str:
        """The id of the one project that holds this tracker's issues.

        The configuration may follow a rename. Raises Misconfigured where it names another project: its issues have the same numbers and
        belong to strangers.
        """
        if self._project_id is not None:
            return self._project_id
        server, path = self._settings.url.rstrip("/"), self._settings.project
        recalled, home = self._notebook.recall("project_id"), self._notebook.recall("home")
        if recalled is None or home != f"{server} {path}":
            if home is not None and home.partition(" ")[0] != server:
                raise Misconfigured(
                    f"the issues so far are on {home.partition(' ')[0]}; configure {server} as a tracker of another name"
                )
            project: Project = self._reader.named_project()[0]
            if recalled not in (None, str(project.id)):
                raise Misconfigured(_RENAMED.format(path))
            recalled = str(project.id)
            self._notebook.note("project_id", recalled)
            self._notebook.note("home", f"{server} {path}")
        self._project_id = recalled
        return recalled

    def _note_author(self, author: Account | None) -> None:
        """Remember the account that GitLab names as the author of what syncd wrote: another one may be behind the token tomorrow."""
        if author is not None and not self._has_written(author):
            self._notebook.note(f"account {author.id}", author.username)

    def _has_written(self, author: Account | None) -> bool:
        """True if an issue or a comment of syncd is known to have this author."""
        return author is not None and self._notebook.recall(f"account {author.id}") is not None

    def _is_own(self, author: Account | None) -> bool:
        """True if syncd is the author: an account that it wrote with before, or that of the token."""
        return self._has_written(author) or self._is_current(author)

    def _is_current(self, author: Account | None) -> bool:
        return author is not None and author.id == self._own_account().id

    def _own_account(self) -> Account:
        """The account of the token, also of a project's or a group's. It is remembered before anything is written: where the answer to a
        write is lost, nothing else names the author once another token is configured."""
        if self._account is None or self._account_login != self._connection.logins:
            self._account = expect(self._connection.send_idempotent("GET", "/user"), Account)
            self._account_login = self._connection.logins
            self._note_author(self._account)
        return self._account

    def look(self, issue: Issue) -> Observation:
        """One GET; a query and a GET for each move, two where the issue cannot be read, one where it is a duplicate."""
        return self._reader.look(self._home_id(), issue)

    def survey(self, issues: Sequence[Issue], bookmark: str | None) -> Iterator[Survey]:  # noqa: ARG002
        """One GET for the project, and one for each hundred issues of a project."""
        return self._reader.survey(self._home_id(), issues)

    def search(self, label: str | None, query: str | None) -> Iterator[Sequence[IssueText]]:
        """One GET for each hundred issues of the project."""
        return self._reader.search(self._home_id(), label, query)

    def reopen(self, issue: Issue) -> str:
        """One GET and one PUT; two GETs after a refusal."""
        return self._change(issue, {"state_event": "reopen"}, "reopen it by hand", unless="opened")

    def close_issue(self, issue: Issue) -> str:
        """One GET and one PUT; two GETs after a refusal."""
        return self._change(issue, {"state_event": "close"}, "close it by hand", unless="closed")

    def _change(self, issue: Issue, payload: dict[str, object], remedy: str, unless: str = "") -> str:
        """Empty after the change, or where the issue has the state `unless`; else GitLab's reason why this one issue cannot be changed."""
        address, entry = self._reader.at_place(self._home_id(), issue)
        if entry.state == unless:
            return ""
        answer = self._connection.send_idempotent("PUT", address.path, payload)
        if answer.ok and answer.read(Entry) is not None:
            return ""
        error = self._reader.charge(self._home_id(), issue, answer, Sent.AGAIN)
        # A role too low for this may be enough for everything else.
        if refuses(answer) and isinstance(error, Refused | Misconfigured):
            return f"{error.reason}; {remedy}"
        raise error

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        """One GET and one POST, after one GET for the account of a new login; two GETs after a refusal."""
        self._require_hidden()
        self._own_account()
        address, _ = self._reader.at_place(self._home_id(), issue)
        body = inert(write(document, _BODY_LIMIT, tail=comment_line(marker)))
        answer = self._connection.send_once("POST", f"{address.path}/notes", {"body": body})
        note = answer.read(Note) if answer.status == 201 else None
        if note is None:
            raise self._reader.charge(self._home_id(), issue, answer, Sent.ONCE)
        self._note_author(note.author)
        return str(note.id)

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        """One GET for the issue and one for each hundred comments, oldest first, and at first one for the token's account. A comment of an earlier
        account counts only where this one has none."""
        line, earlier = comment_line(marker), None
        address, _ = self._reader.at_place(self._home_id(), issue)
        for page in range(1, _COMMENT_PAGES + 1):
            parameters: dict[str, str | int] = {
                "order_by": "created_at",
                "sort": "asc",
                "per_page": PER_PAGE,
                "page": page,
            }
            answer = self._connection.send_idempotent("GET", f"{address.path}/notes", parameters=parameters)
            notes = answer.read(list[Note]) if answer.ok else None
            if notes is None:
                raise self._reader.charge(self._home_id(), issue, answer, Sent.READ)
            for note in notes:
                if not note.system and line in (note.body or "").replace("\r\n", "\n").split("\n"):
                    if self._is_current(note.author):
                        return str(note.id)
                    if self._has_written(note.author):
                        earlier = earlier or str(note.id)
            if len(notes) < PER_PAGE:
                break
        return earlier

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        """One GET and one PUT, which sends no mail; three GETs after a refusal."""
        self._require_hidden()
        address, _ = self._reader.at_place(self._home_id(), issue)
        path = f"{address.path}/notes/{comment_id}"
        body = inert(write(document, _BODY_LIMIT, tail=comment_line(marker)))
        answer = self._connection.send_idempotent("PUT", path, {"body": body})
        if answer.ok and answer.read(Note) is not None:
            return
        error = self._reader.charge(self._home_id(), issue, answer, Sent.AGAIN)
        if refuses(answer):
            current = self._connection.send_idempotent("GET", path)
            if current.status == 404:
                raise Missing(f"the status comment of {issue.key} is gone")
            note = current.read(Note) if current.ok else None
            if note is not None and not self._is_current(note.author):
                reason = f"an earlier account wrote the status comment of {issue.key}, and this one may not change it"
                raise Missing(reason, foreign=True)
        raise error

    def read_settings(self, issue: Issue) -> PresentSettings:
        """One GET."""
        _, entry = self._reader.at_place(self._home_id(), issue)
        settings = Settings(
            assignee=entry.assignees[0].username if entry.assignees else None,
            milestone=None if entry.milestone is None else entry.milestone.title,
            labels=tuple(entry.labels),
        )
        return PresentSettings(settings=settings)

    def raise_settings(self, issue: Issue, changes: Settings) -> str:
        """One GET and one PUT for each kind of setting, and one GET more for an assignee or a milestone. Labels are added."""
        notes = list[str]()
        if changes.labels:
            payload: dict[str, object] = {"add_labels": ",".join(map(_label, changes.labels))}
            notes.append(self._change(issue, payload, "add the labels by hand"))
        if changes.assignee is not None:
            user, lacks = self._assignee(changes.assignee)
            left_out = f"the assignee {changes.assignee} was left out: {lacks}"
            payload = {"assignee_ids": [user]}
            notes.append(left_out if user is None else self._change(issue, payload, "assign it by hand"))
        if changes.milestone is not None:
            milestone, lacks = self._milestone(changes.milestone)
            left_out = f"the milestone {changes.milestone} was left out: {lacks}"
            payload = {"milestone_id": milestone}
            notes.append(left_out if milestone is None else self._change(issue, payload, "set it by hand"))
        return "; ".join(filter(None, notes))

    def check(self, routes: Sequence[Policy] = (), releases: Sequence[str] = ()) -> list[Finding]:
        """Login, token, project, role, and who can read it: three GETs. Milestones: one GET for each hundred."""
        recalled = self._notebook.recall("project_id")
        findings = [*check(self._connection, self._reader, self._settings, recalled, self._clock)]
        if all(finding.ok for finding in findings) and routes:
            findings += check_routes(self._connection, self._home(), routes, releases)
        return findings

    def close(self) -> None:
        """Release the connection; the next call opens a new one."""
        self._connection.close()


def _label(name: str) -> str:
    """A label as GitLab takes it: a comma separates two."""
    return one_line(name.replace(",", " "), _LABEL_LIMIT)


PLUGIN = Plugin(api_version=1, settings=GitLabSettings, tracker=GitLab, hook=hook)

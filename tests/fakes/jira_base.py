"""The one project that both fakes of Jira keep, and the requests both deployments answer alike."""

import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from tests.fakes import reports
from tests.fakes.jira_project import JiraProject
from tests.fakes.jira_rules import (
    RESOLUTIONS,
    STATUSES,
    SYSTEM_FIELDS,
    FakeComment,
    FakeIssue,
    custom_problem,
    fault,
    field_schema,
    no_comment,
    no_issue,
    page_of,
    row_problem,
    status_of,
    summary_problem,
)
from tests.fakes.server import Answer, Denied, Recorded, Routes

TOKEN = "jira-token-for-tests"
EMAIL = "syncd@example.com"


class FakeJira(JiraProject):
    """The part that both deployments have in common. A test may read and change every public attribute."""

    api: str
    issue_types_name: str
    fields_name: str
    tells_hidden: bool  # whether it says of a hidden issue that it is hidden

    def __init__(self, project: str = "CRASH") -> None:
        super().__init__(project)
        self.token = TOKEN
        self.issue_types = ["Bug", "Task"]
        self.versions = ["1.0.0", "1.1.0"]
        self.statuses = dict(STATUSES)
        self.archived_versions: set[str] = set()
        self.translations: dict[str, str] = {}  # of names of resolutions, into the language of the account
        self.locale = "en_US"  # of the account
        self.resolutions = {"10000": "Done", "1": "Fixed", "2": "Won't Fix", "3": "Duplicate", "5": "Cannot Reproduce"}
        self.components = ["client", "server"]
        self.priorities = ["Highest", "High", "Medium", "Low"]
        self.default_priority: str | None = None
        self.shown_changes = 100  # of the history of an issue, in one answer
        self.custom_fields: dict[str, Any] = {}  # by id, the type, or a row of the create screen with its values
        self.sprints = {"Sprint 12": 37, "Sprint 13": 38}
        self.off_screen: set[str] = set()
        self.required: set[str] = {"project", "issuetype", "summary", "reporter"}
        self.page_size = 100
        self.people = ["ada", "grace"]  # whom issues can be assigned to
        self.ways: dict[str, list[str]] = {}  # by status, the transitions out of it; all others where none are named
        self.screens: dict[str, list[str]] = {}  # by transition, the fields that it asks for
        self.problems: list[str] = []

    def admit(self, request: Recorded) -> Answer | None:
        if not self.takes(request, request.headers.get("authorization", "")):
            return fault(401, "You are not authenticated.")
        reads = request.method == "GET" or request.path.endswith(("/search", "/bulkfetch"))
        if self.archived and not reads:
            return fault(400, "This project is archived. You can't make changes.")
        return None

    def takes(self, request: Recorded, authorization: str) -> bool:
        """Report whether a request logs in as the one account."""
        return authorization == self.login

    @property
    @abstractmethod
    def login(self) -> str:
        """The Authorization header of the one account that may log in."""

    def unknown(self, request: Recorded) -> Answer:
        return 404, {"Content-Type": "text/html"}, b"<html><body>dead link</body></html>"

    def routes(self) -> Routes:
        issue, meta = r"/issue/(?P<issue>[^/]+)", r"/issue/createmeta/(?P<project>[^/]+)/issuetypes"
        own: Routes = [
            ("GET", "/myself", lambda _: (200, {}, {**self.user(self.me), "locale": self.locale})),
            ("GET", r"/project/(?P<project>[^/]+)", self._get_project),
            ("GET", r"/project/(?P<project>[^/]+)/versions", self._get_versions),
            ("GET", r"/project/(?P<project>[^/]+)/statuses", self._get_statuses),
            ("GET", r"/project/(?P<project>[^/]+)/components", self._get_components),
            ("GET", "/resolution", self._get_resolutions),
            ("GET", "/priority", lambda _: (200, {}, [self.priority(name) for name in self.priorities])),
            ("GET", issue + "/changelog", self._get_changelog),
            ("GET", "/mypermissions", self._get_permissions),
            ("GET", meta, self._get_issue_types),
            ("GET", meta + r"/(?P<kind>\d+)", self._get_fields),
            ("POST", "/issue", self._post_issue),
            ("GET", issue, self._get_issue),
            ("PUT", issue, self._put_issue),
            ("GET", issue + "/comment", self._get_comments),
            ("POST", issue + "/comment", self._post_comment),
            ("GET", issue + r"/comment/(?P<comment>\d+)", self._get_comment),
            ("PUT", issue + r"/comment/(?P<comment>\d+)", self._put_comment),
            ("GET", issue + r"/properties/(?P<property>[^/]+)", self._get_property),
            ("PUT", issue + r"/properties/(?P<property>[^/]+)", self._put_property),
            ("GET", issue + "/transitions", self._get_transitions),
            ("POST", issue + "/transitions", self._post_transition),
            ("GET", "/user/search", self._get_users),
            *self.more_routes(),
        ]
        elsewhere: Routes = [
            ("GET", "/rest/greenhopper/1.0/sprint/picker", self._get_sprints),
            ("GET", "/rest/webhooks/1.0/webhook", lambda request: self._get_webhooks(request, counted=False)),
        ]
        if self.counts_deliveries:
            elsewhere.append(
                ("GET", "/rest/jira-webhook/1.0/webhooks", lambda request: self._get_webhooks(request, counted=True))
            )
        return [(method, self.api + pattern, answer) for method, pattern, answer in own] + elsewhere

    def _get_webhooks(self, request: Recorded, *, counted: bool) -> Answer:
        """For administrators of Jira alone."""
        if not self.administrator:
            return fault(403)
        return 200, {}, [] if self.hook is None else [reports.listed_in_jira(self.hook, counted=counted)]

    def described_path(self, request: Recorded) -> str | None:
        # These are left out of the descriptions at hand.
        left_out = request.path.endswith(
            (
                "/statuses",
                "/user/search",
                "/sprint/picker",
                "/resolution",
                "/priority",
                "/components",
                "/changelog",
                "/webhook",
                "/webhooks",
            )
        )
        return None if left_out else super().described_path(request)

    @abstractmethod
    def more_routes(self) -> Routes:
        """The routes of this deployment alone."""

    @abstractmethod
    def text_problem(self, text: Any) -> str | None:
        """Jira's objection to a description or a comment, or None."""

    def _get_project(self, request: Recorded) -> Answer:
        if not self._sees_project(request.groups["project"]):
            return fault(404, f"No project could be found with key '{request.groups['project']}'.")
        return 200, {}, {"id": "10000", "key": self.project, "name": "Crashes", "archived": self.archived}

    def _get_statuses(self, request: Recorded) -> Answer:
        if not self._sees_project(request.groups["project"]):
            return fault(404, f"No project could be found with key '{request.groups['project']}'.")
        rows = [
            {"id": number, "name": name, "self": f"{self.api}/status/{number}", "statusCategory": {"id": 1, "key": key}}
            for number, (name, key) in self.statuses.items()
        ]
        return 200, {}, [{"id": "10004", "name": "Bug", "self": "", "subtask": False, "statuses": rows}]

    def _get_versions(self, request: Recorded) -> Answer:
        if not self._sees_project(request.groups["project"]):
            return fault(404, f"No project could be found with key '{request.groups['project']}'.")
        rows = [
            {"id": str(number), "name": name, "archived": name in self.archived_versions}
            for number, name in enumerate(self.versions)
        ]
        return 200, {}, rows

    def _get_components(self, request: Recorded) -> Answer:
        return 200, {}, [{"id": str(number), "name": name} for number, name in enumerate(self.components)]

    def _get_resolutions(self, request: Recorded) -> Answer:
        rows = [
            {"id": number, "name": self.translated(name, request.headers), "self": f"{self.api}/resolution/{number}"}
            for number, name in self.resolutions.items()
        ]
        return 200, {}, rows

    def priority(self, name: str) -> dict[str, Any]:
        """A priority as an issue has it."""
        return {"id": str(self.priorities.index(name) + 1), "name": name}

    def _get_changelog(self, request: Recorded) -> Answer:
        issue = self._named(request)
        return no_issue() if issue is None else (200, {}, page_of(request, "values", issue.history, 100))

    def translated(self, name: str, headers: Mapping[str, str]) -> str:
        """The name in the account's language, or in English where this deployment can be asked for that."""
        return self.translations.get(name, name)

    def _get_permissions(self, request: Recorded) -> Answer:
        if not self._sees_project(request.query["projectKey"][0]):
            return fault(404, f"No project could be found with key '{request.query['projectKey'][0]}'.")
        names = self.permissions_asked(request)
        if not names:
            return fault(400, "The parameter 'permissions' is required.")
        held = {key: {"key": key, "havePermission": key in self.permissions} for key in sorted(names)}
        return 200, {}, {"permissions": held}

    @abstractmethod
    def permissions_asked(self, request: Recorded) -> set[str]:
        """Which permissions the answer speaks of."""

    def _get_issue_types(self, request: Recorded) -> Answer:
        if not self._sees_project(request.groups["project"]):
            return fault(400, f"Project '{request.groups['project']}' does not exist.")
        rows = [{"id": str(number), "name": name} for number, name in enumerate(self.issue_types, start=1)]
        return 200, {}, page_of(request, self.issue_types_name, rows, self.page_size)

    def _get_fields(self, request: Recorded) -> Answer:
        rows = [
            {
                "fieldId": name,
                "key": name,
                "name": name.title(),
                "operations": ["set"],
                "required": name in self.required,
                "hasDefaultValue": False,
                "schema": field_schema(kind),
            }
            if isinstance(kind, str)
            else {
                "fieldId": name,
                "key": name,
                "operations": ["set"],
                "hasDefaultValue": False,
                **kind,
                "required": name in self.required,
            }
            for name, kind in {**SYSTEM_FIELDS, **self.custom_fields}.items()
            if name not in self.off_screen
        ]
        return 200, {}, page_of(request, self.fields_name, rows, self.page_size)

    def _post_issue(self, request: Recorded) -> Answer:
        key = self._next_key(self.project)  # Jira gives numbers away before it validates: failed creates leave gaps
        errors = self._create_errors(request.body["fields"])
        if errors:
            return fault(400, **errors)
        properties = {each["key"]: each["value"] for each in request.body.get("properties", [])}
        fields = request.body["fields"]
        name = fields.get("priority", {}).get("name", self.default_priority)
        chosen = {} if name is None else {"priority": self.priority(name)}
        issue = self._file(key, {**fields, **chosen}, self.me, properties)
        return 201, {}, {"id": issue.id, "key": issue.key, "self": self._self(issue)}

    def _self(self, issue: FakeIssue) -> str:
        return f"{self.url}{self.api}/issue/{issue.id}"

    def _create_errors(self, fields: Mapping[str, Any]) -> dict[str, str]:
        if "CREATE_ISSUES" not in self.permissions:
            return {"project": "You cannot create issues in this project."}
        missing = {name for name in self.required - {"reporter"} if not fields.get(name)}
        return {**self._invalid(fields), **{name: f"{name.title()} is required." for name in missing}}

    def _invalid(self, fields: Mapping[str, Any]) -> dict[str, str]:
        problems = {name: self._field_problem(name, value) for name, value in fields.items()}
        return {name: problem for name, problem in problems.items() if problem is not None}

    def _field_problem(self, name: str, value: Any) -> str | None:
        kind = {**SYSTEM_FIELDS, **self.custom_fields}.get(name)
        if kind is None or name in self.off_screen:
            return f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
        match name:
            case "project":
                fits = value.keys() == {"key"} and value["key"] in {self.project, *self.former_keys}
                return None if fits else "valid project is required"
            case "issuetype":
                return None if value.get("name") in self.issue_types else "The issue type selected is invalid."
            case "summary":
                return summary_problem(value)
            case "description":
                return self.text_problem(value)
            case "labels":
                spaced = [label for label in value if re.search(r"\s", label)]
                return f"The label '{spaced[0]}' contains spaces which is invalid." if spaced else None
            case "versions" | "components":
                choices = self.versions if name == "versions" else self.components
                wrong = [each["name"] for each in value if each["name"] not in choices]
                return f"{name[:-1].title()} name '{wrong[0]}' is not valid" if wrong else None
            case "assignee":
                fits = any(value.items() <= self.user(name).items() for name in self.people)
                return None if fits else "The user does not exist or cannot be assigned."
            case "priority":
                fits = (
                    value in [self.priority(name) for name in self.priorities] or value.get("name") in self.priorities
                )
                fits = fits or value.get("id") in [self.priority(name)["id"] for name in self.priorities]
                return None if fits else "The priority selected is invalid."
        if isinstance(kind, str):
            return custom_problem(kind, value)
        people = [self.user(person) for person in self.people]
        return row_problem(kind, value, people=people, issues=self.issues, document_problem=self.text_problem)

    def _get_users(self, request: Recorded) -> Answer:
        sought = request.query.get("query", request.query.get("username", [""]))[0].casefold()
        rows = [
            self.user(name)
            for name in self.people
            if sought in (name, self.user(name)["displayName"].casefold(), f"{name}@example.com")
        ]
        return 200, {}, rows

    def _get_sprints(self, request: Recorded) -> Answer:
        sought = request.query["query"][0].casefold()
        rows = [
            {"name": name, "id": number, "stateKey": "ACTIVE"}
            for name, number in self.sprints.items()
            if sought in name.casefold()
        ]
        return 200, {}, {"suggestions": rows[:1], "allMatches": rows[1:]}

    def _named(self, request: Recorded) -> FakeIssue | None:
        """The issue by id, key or old key; None also where the account may not see it."""
        name = request.groups["issue"]
        issue = self.by_name(name)
        if issue is not None and issue.id in self.hidden and self.tells_hidden:
            raise Denied(fault(403, "You do not have the permission to see the specified issue."))
        return issue if issue is not None and self.sees(issue) else None

    def _get_issue(self, request: Recorded) -> Answer:
        issue = self._named(request)
        return no_issue() if issue is None else (200, {}, self.view(issue, request.query, request.headers))

    def view(
        self, issue: FakeIssue, query: Mapping[str, list[str]], headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """An issue with the fields and properties that were asked for."""
        wanted = [name for text in query.get("fields", ["*all"]) for name in text.split(",")]
        present = {"assignee": None, **issue.fields, "updated": issue.updated()}
        fields = {name: value for name, value in present.items() if name in wanted or "*all" in wanted}
        if fields.get("resolution"):
            name = self.translated(fields["resolution"]["name"], headers or {})
            fields["resolution"] = {**fields["resolution"], "name": name}
        answer = {
            "id": issue.id,
            "key": issue.key,
            "self": f"{self.url}{self.api}/issue/{issue.id}",
            "fields": fields,
        }
        if "changelog" in query.get("expand", []):
            latest = issue.history[-self.shown_changes :]
            answer["changelog"] = {
                "startAt": 0,
                "maxResults": len(latest),
                "total": len(issue.history),
                "histories": latest,
            }
        keys = [name for text in query.get("properties", []) for name in text.split(",")]
        if keys:
            answer["properties"] = {key: issue.properties[key] for key in keys if key in issue.properties}
        return answer

    def _put_issue(self, request: Recorded) -> Answer:
        issue = self._named(request)
        if issue is None:
            return no_issue()
        if not self._may(issue, "EDIT_ISSUES"):
            return fault(403, "You do not have permission to edit issues in this project.")
        fields = dict(request.body.get("fields", {}))
        for name, operations in request.body.get("update", {}).items():
            added = [each["add"] for each in operations if each["add"] not in issue.fields.get(name, [])]
            fields[name] = [*issue.fields.get(name, []), *added]
        errors = self._invalid(fields)
        if errors:
            return fault(400, **errors)
        if "priority" in fields:
            places = [self.priority(name) for name in self.priorities]
            fields["priority"] = next(each for each in places if fields["priority"].items() <= each.items())
        for name, value in fields.items():
            self.change(issue, name, value, self.me)
        self.changes += [(self.me, issue.key, name) for name in fields]
        return 204, {}, None

    def _get_comments(self, request: Recorded) -> Answer:
        issue = self._named(request)
        if issue is None:
            return no_issue()
        rows = [self._comment_shown(comment) for comment in issue.comments.values()]
        return 200, {}, page_of(request, "comments", rows, self.page_size)

    def _comment_shown(self, comment: FakeComment) -> dict[str, Any]:
        return {"id": comment.id, "author": self.user(comment.author), "body": comment.body}

    def _post_comment(self, request: Recorded) -> Answer:
        issue = self._named(request)
        if issue is None:
            return no_issue()
        if not self._may(issue, "ADD_COMMENTS"):
            return fault(403, "You do not have the permission to comment on this issue.")
        problem = self.text_problem(request.body["body"])
        if problem:
            return fault(400, comment=problem)
        return 201, {}, self._comment_shown(self.add_comment(issue.key, self.me, request.body["body"]))

    def _named_comment(self, request: Recorded) -> FakeComment | None:
        issue = self._named(request)
        return issue.comments.get(request.groups["comment"]) if issue else None

    def _get_comment(self, request: Recorded) -> Answer:
        comment = self._named_comment(request)
        return no_comment(request) if comment is None else (200, {}, self._comment_shown(comment))

    def _put_comment(self, request: Recorded) -> Answer:
        comment = self._named_comment(request)
        if comment is None:
            return no_comment(request)
        if comment.author != self.me or "EDIT_OWN_COMMENTS" not in self.permissions:
            return fault(403, "You do not have the permission to edit this comment.")
        problem = self.text_problem(request.body["body"])
        if problem:
            return fault(400, comment=problem)
        comment.body, comment.edits = request.body["body"], comment.edits + 1
        self.changes.append((self.me, request.groups["issue"], "comment"))
        if (issue := self._named(request)) is not None:
            # Data Center also reports the issue, as one whose comment was edited.
            self._report("comment_updated", issue, self.me, comment={"id": comment.id})
            self._report("jira:issue_updated", issue, self.me, issue_event_type_name="issue_comment_edited")
        return 200, {}, self._comment_shown(comment)

    def _get_property(self, request: Recorded) -> Answer:
        issue, key = self._named(request), request.groups["property"]
        if issue is None or key not in issue.properties:
            return fault(404, f"The property with key '{key}' does not exist.")
        return 200, {}, {"key": key, "value": issue.properties[key]}

    def _put_property(self, request: Recorded) -> Answer:
        issue, key = self._named(request), request.groups["property"]
        if issue is None:
            return no_issue()
        status = 200 if key in issue.properties else 201
        issue.properties[key] = request.body
        return status, {}, {}

    def _ways_out(self, issue: FakeIssue) -> list[str]:
        """The transitions that the account may take."""
        status = issue.fields["status"]["name"]
        transitions = [id_ for id_, (name, _) in STATUSES.items() if name != status]
        return self.ways.get(status, transitions) if self._may(issue, "TRANSITION_ISSUES") else []

    def _get_transitions(self, request: Recorded) -> Answer:
        issue = self._named(request)
        if issue is None:
            return no_issue()
        offered = [{"name": name} for name in RESOLUTIONS]
        rows = [
            {
                "id": id_,
                "name": f"To {STATUSES[id_][0]}",
                "to": status_of(id_),
                "fields": {
                    name: {"required": True, "hasDefaultValue": False, "allowedValues": offered}
                    for name in self.screens.get(id_, [])
                },
            }
            for id_ in self._ways_out(issue)
        ]
        return 200, {}, {"transitions": rows}

    def _post_transition(self, request: Recorded) -> Answer:
        issue, chosen = self._named(request), str(request.body["transition"]["id"])
        if issue is None:
            return no_issue()
        if chosen not in self._ways_out(issue):
            return fault(
                400,
                f"It seems that you have tried to perform a workflow operation ({chosen}) that is not valid.",
            )
        given = request.body.get("fields", {})
        missing = {name: f"{name.title()} is required." for name in self.screens.get(chosen, []) if name not in given}
        if missing:
            return fault(400, **missing)
        done = STATUSES[chosen][1] == "done"
        resolution = given.get("resolution", {}).get("name", "Done") if done else None
        self.enter(issue, chosen, resolution, self.me)
        return 204, {}, None

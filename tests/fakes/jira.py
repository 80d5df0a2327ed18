"""Stateful fakes of Jira Cloud (REST v3) and Jira Data Center (REST v2): one project, kept in memory.

Not covered by them: rendering, real index lag, mail, real rate limits, workflows with conditions.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from tests.fakes import adf
from tests.fakes.jira_base import EMAIL, TOKEN, FakeJira
from tests.fakes.jira_rules import PERMISSIONS, TEXT_LIMIT, fault, page_of
from tests.fakes.server import Answer, Recorded, Routes

__all__ = ["CLOUD_ID", "EMAIL", "TOKEN", "FakeJira", "FakeJiraCloud", "FakeJiraDataCenter", "FakeJiraGateway"]


CLOUD_ID = "11223344-a1b2-3b33-c444-def123456789"


class FakeJiraCloud(FakeJira):
    """Jira Cloud: e-mail and API token, Atlassian documents, `search/jql`, `bulkfetch`."""

    api = "/rest/api/3"
    description = "jira-cloud"
    issue_types_name = "issueTypes"
    fields_name = "fields"
    tells_hidden = False

    def __init__(self, project: str = "CRASH") -> None:
        super().__init__(project)
        self.unreadable: set[str] = set()  # keys that a bulk fetch fails to read

    @property
    def login(self) -> str:
        return "Basic " + base64.b64encode(f"{EMAIL}:{self.token}".encode()).decode()

    def more_routes(self) -> Routes:
        return [("GET", "/search/jql", self._search), ("POST", "/issue/bulkfetch", self._bulk_fetch)]

    def user(self, name: str) -> dict[str, Any]:
        return {
            "accountId": f"557058:{name}",
            "accountType": "atlassian",
            "active": True,
            "displayName": name.title(),
        }

    def permissions_asked(self, request: Recorded) -> set[str]:
        return set(request.query.get("permissions", [""])[0].split(",")) & PERMISSIONS

    def translated(self, name: str, headers: Mapping[str, str]) -> str:
        forced = headers.get("x-force-accept-language") == "true" and headers.get("accept-language") == "en"
        return name if forced else super().translated(name, headers)

    def text_problem(self, text: Any) -> str | None:
        if not isinstance(text, dict) or text.get("type") != "doc":
            return "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
        if problem := adf.problem(text):
            self.problems.append(f"not an Atlassian document: {problem}")
        if len(json.dumps(text, separators=(",", ":"))) > TEXT_LIMIT:
            return "CONTENT_LIMIT_EXCEEDED"
        return None

    def _search(self, request: Recorded) -> Answer:
        matches = self.indexed(request.query.get("jql", [""])[0])
        if matches is None:
            return fault(400, "Unbounded JQL queries are not allowed here.")
        start = int(request.query.get("nextPageToken", ["0"])[0])
        end = start + int(request.query.get("maxResults", ["50"])[0])
        query = {"fields": ["id"], **request.query}
        view = [self.view(issue, query, request.headers) for issue in matches[start:end]]
        if end >= len(matches):
            return 200, {}, {"issues": view, "isLast": True}
        return 200, {}, {"issues": view, "isLast": False, "nextPageToken": str(end)}

    def _bulk_fetch(self, request: Recorded) -> Answer:
        keys = request.body["issueIdsOrKeys"]
        if len(keys) > 100:
            return fault(400, "You can request at most 100 issues.")
        query = {name: request.body[name] for name in ("fields", "properties") if name in request.body}
        matches = [issue for issue in self.issues.values() if not issue.names.isdisjoint(keys)]
        failed = [issue for issue in matches if not issue.names.isdisjoint(self.unreadable)]
        visible = (issue for issue in matches if issue not in failed and self.sees(issue))
        view = sorted(visible, key=lambda issue: int(issue.id))
        # What is not there, or may not be seen, is in neither list, unless Jira fails before it knows.
        errors = [{"id": issue.id, "errorMessage": "The issue could not be read."} for issue in failed]
        return 200, {}, {"issues": [self.view(issue, query, request.headers) for issue in view], "issueErrors": errors}


class FakeJiraGateway(FakeJiraCloud):
    """Jira Cloud for a token with scopes: the gateway takes it, and the site refuses it."""

    api = f"/ex/jira/{CLOUD_ID}/rest/api/3"

    def __init__(self, project: str = "CRASH") -> None:
        super().__init__(project)
        self.scopes = True  # the token has those that a request needs

    def routes(self) -> Routes:
        site: Routes = [("GET", "/_edge/tenant_info", lambda _: (200, {}, {"cloudId": CLOUD_ID}))]
        return [*site, *super().routes()]

    def admit(self, request: Recorded) -> Answer | None:
        if request.path == "/_edge/tenant_info":
            return None
        if request.path.startswith("/rest/"):
            return 401, {}, {"message": "Client must be authenticated to access this resource."}
        if not self.scopes:
            return 401, {}, {"code": 401, "message": "Unauthorized; scope does not match"}
        return super().admit(request)

    def described_path(self, request: Recorded) -> str | None:
        if request.path == "/_edge/tenant_info":
            return None
        path = super().described_path(request)
        return path and path.removeprefix(f"/ex/jira/{CLOUD_ID}")


class FakeJiraDataCenter(FakeJira):
    """Jira Data Center: personal access token, wiki markup, `search`."""

    api = "/rest/api/2"
    description = "jira-dc"
    issue_types_name = "values"
    fields_name = "values"
    tells_hidden = True

    @property
    def login(self) -> str:
        return f"Bearer {self.token}"

    def more_routes(self) -> Routes:
        return [("GET", "/search", self._search), ("POST", "/search", self._post_search)]

    def user(self, name: str) -> dict[str, Any]:
        return {"key": f"JIRAUSER{name}", "name": name, "active": True, "displayName": name.title()}

    def permissions_asked(self, request: Recorded) -> set[str]:
        return PERMISSIONS

    def text_problem(self, text: Any) -> str | None:
        if not isinstance(text, str):
            return "Operation value must be a string"
        # Java counts UTF-16 units.
        if len(text.encode("utf-16-le", "surrogatepass")) // 2 > TEXT_LIMIT:
            return "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
        return None

    def _search(self, request: Recorded) -> Answer:
        matches = self.indexed(request.query.get("jql", [""])[0])
        if matches is None and request.query.get("validateQuery") != ["false"]:
            return fault(400, "Error in the JQL Query.")
        return (
            200,
            {},
            page_of(request, "issues", [self.view(issue, request.query, request.headers) for issue in matches or []]),
        )

    def _post_search(self, request: Recorded) -> Answer:
        matches = self.indexed(request.body.get("jql", ""))
        if matches is None:
            return fault(400, "Error in the JQL Query.")
        query = {"fields": request.body.get("fields", ["*all"])}
        most = request.body.get("maxResults", 50)
        view = [self.view(issue, query, request.headers) for issue in matches[:most]]
        return 200, {}, {"issues": view, "startAt": 0, "maxResults": most, "total": len(matches)}

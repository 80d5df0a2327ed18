"""Backtrace's HTTP: queries, tickets, the configuration of a project, and the webhook that it sends."""

import base64
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.fakes.backtrace.objects import UNSET, Objects, QueryError
from tests.fakes.server import Answer, Denied, Recorded, Routes, ServerBase

TOKEN = "backtrace-token-for-tests"
LINK_TOKEN = "backtrace-link-token-for-tests"
_ATTRIBUTES = ("version", "hostname", "guid", "uname.sysname")


class FakeBacktrace(ServerBase):
    """One universe with its projects. A test may read and change every public attribute.

    `tokens` are the scopes of each token by project. Errors come with the status 200 if `polite`, as some of Backtrace's do. The webhook counts all
    objects of a group, or with `windowed` those since its last one.
    """

    def __init__(self, universe: str = "acme", *projects: str) -> None:
        super().__init__()
        self.universe = universe
        self.projects = {name: Objects() for name in projects or ("game",)}
        self.tokens: dict[str, dict[str, set[str]]] = {
            TOKEN: {name: {"query:post", "workflows"} for name in self.projects},
            LINK_TOKEN: {name: {"query:post", "issue:post"} for name in self.projects},
        }
        self.polite = True
        self.windowed = False
        self.envelope: Literal["success", "bare"] = "success"
        self.workflows: str | None = "/workflows"  # the endpoint, which may be a whole address
        self.integrations: list[dict[str, Any]] = []
        self.alerts: list[dict[str, Any]] = []
        self.most_rows = 1_000_000  # of one answer, whatever limit a query has
        self.between: list[Any] = []  # called one by one, each after the answer to a query
        self.unwritable: set[str] = set()  # fingerprints whose tickets cannot be set
        self.ignores_tickets = False
        self.written: Callable[[], None] | None = None  # called once, after a ticket was set
        self.problems: list[str] = []  # what no client should send
        self._sent: dict[tuple[str, str], int] = {}

    @property
    def objects(self) -> Objects:
        """The first project's."""
        return next(iter(self.projects.values()))

    def toml(self, **keys: str) -> str:
        """A configuration of the first project, whose token is in the file `backtrace-token` of the working folder."""
        more = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
        name = next(iter(self.projects))
        return (
            f'\n[backtrace.acme]\nurl = "{self.url}"\nuniverse = "{self.universe}"\n'
            f'[[backtrace.acme.projects]]\nname = "{name}"\ntoken = {{ file = "backtrace-token" }}\n'
            f'reads = ["1000000/1s"]\n{more}'
        )

    def routes(self) -> Routes:
        place = rf"/universes/{self.universe}/projects/(?P<project>[^/]+)"
        return [
            ("POST", "/api/query", self._query),
            ("POST", "/api/issue", self._issue),
            ("GET", "/api/config", self._config),
            ("GET", f"/workflows{place}/integrations", lambda request: self._listed(request, self.integrations)),
            ("GET", f"/workflows{place}/alerts", lambda request: self._listed(request, self.alerts)),
        ]

    def unknown(self, request: Recorded) -> Answer:
        return 404, {"Content-Type": "text/html"}, b"<html><body>Not Found</body></html>"

    def _refusal(self, code: int, message: str, status: int = 403) -> Denied:
        return Denied((200 if self.polite else status, {}, {"error": {"code": code, "message": message}}))

    def _admit(self, request: Recorded, project: str, scope: str) -> Objects:
        """The project, if the token may do that. Raises Denied."""
        if "token" in request.query:
            self.problems.append("a token in the address, which logs and proxies keep")
        token = request.headers.get("x-coroner-token", "")
        if request.headers.get("x-coroner-location") != self.url:
            self.problems.append(f"X-Coroner-Location is {request.headers.get('x-coroner-location')}")
        if token not in self.tokens:
            raise self._refusal(5, "invalid token")
        universe = request.query.get("universe", [self.universe])[0]
        if universe != self.universe:
            raise self._refusal(3, f"no such universe '{universe}'", 404)
        if project not in self.projects:
            raise self._refusal(4, f"no such project '{project}'", 404)
        if scope not in self.tokens[token].get(project, set()):
            raise self._refusal(5, "insufficient permissions")
        return self.projects[project]

    def _query(self, request: Recorded) -> Answer:
        project = request.query.get("project", [""])[0]
        objects = self._admit(request, project, "query:post")
        body = request.body if isinstance(request.body, dict) else {}
        if isinstance(body.get("limit"), int):
            body = body | {"limit": min(body["limit"], self.most_rows)}
        try:
            response, tx = objects.query(body)
        except QueryError as error:
            raise self._refusal(1, str(error), 400) from None
        if self.between:
            self.between.pop(0)()
        notes = {"tx": tx, "universe": self.universe, "project": project, "user": "api", "latency": "1ms"}
        return 200, {}, {"response": response, "_": notes}

    def _config(self, request: Recorded) -> Answer:
        services = [{"name": "symbold", "endpoint": "/api/symbold"}]
        if self.workflows is not None:
            services.append({"name": "workflows", "endpoint": self.workflows})
        return 200, {}, {"services": services}

    def _listed(self, request: Recorded, several: list[dict[str, Any]]) -> Answer:
        try:
            self._admit(request, request.groups["project"], "workflows")
        except Denied as denied:
            _, _, body = denied.answer
            return 401, {}, {"error": body["error"]["message"], "errorData": None}
        return 200, {}, {"success": True, "body": several} if self.envelope == "success" else several

    def _issue(self, request: Recorded) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        objects = self._admit(request, str(body.get("project")), "issue:post")
        self.problems += [
            f"{name} of an issue is none of syncd's business"
            for name in ("tags", "state", "invariants", "assignee")
            if name in body or (name == "assignee" and name in body.get("ticket", {}))
        ]
        results = []
        for fingerprint in body.get("fingerprint", []):
            issue = objects.issue(fingerprint)
            if issue is None or fingerprint in self.unwritable:
                results.append({"fingerprint": fingerprint, "error": "no such issue"})
                continue
            ticket = body.get("ticket", {})
            if ticket.get("action") == "set" and not self.ignores_tickets:
                state = "in-progress" if issue["state"] == "open" else issue["state"]
                objects.set_issue(fingerprint, ticket=json.dumps(ticket["value"]), state=state)
            if self.written is not None:
                written, self.written = self.written, None
                written()
            results.append({"id": 1, "fingerprint": fingerprint, **(objects.issue(fingerprint) or {})})
        return 200, {}, {"results": results}

    def webhook(self, fingerprint: str, project: str | None = None) -> dict[str, Any]:
        """The body of the webhook for a group, as documented
        (https://docs.saucelabs.com/error-reporting/workflow-integrations/webhook/)."""
        project = project or next(iter(self.projects))
        objects = self.projects[project]
        place = project, fingerprint
        rows = objects.rows(fingerprint, self._sent.get(place, 0) if self.windowed else 0)
        self._sent[place] = objects.tx
        latest, times = rows[-1], [row["timestamp"] for row in rows]
        return {
            "universe": self.universe,
            "project": project,
            "application": latest["application"],
            "href": f"{self.url}/p/{project}/explore",
            "fingerprint": fingerprint,
            "callstack": json.loads(latest["callstack"])["frame"] if latest["callstack"] else [],
            "occurrences": len(rows),
            "object_id": format(latest["object"] or 0, "x"),
            "timestamp": [min(times), max(times)],
            "classifiers": (latest["classifiers"] or "").split(),
            "hosts": len({row["hostname"] for row in rows} - {None}),
            "guids": len({row["guid"] for row in rows} - {None}),
            "attributes": {
                name: [list(pair) for pair in Counter(row[name] or UNSET for row in rows).most_common()]
                for name in _ATTRIBUTES
            },
        }

    def send(self, target: str, fingerprint: str, login: tuple[str, str] | None = None, **how: Any) -> int:
        """POST the webhook for a group; return the status of the answer."""
        body = json.dumps(self.webhook(fingerprint, **how)).encode()
        headers: Mapping[str, str] = {"Content-Type": "application/json"}
        if login is not None:
            headers = {**headers, "Authorization": f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"}
        try:
            with urlopen(Request(target, body, dict(headers)), timeout=10) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code

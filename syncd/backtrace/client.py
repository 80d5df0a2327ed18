"""The requests of one project: one token, sent to the configured address only; every failure as a TrackerError that names the remedy."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from syncd import __version__
from syncd.backtrace import queries
from syncd.backtrace.queries import Page, Query, Reply
from syncd.config import BacktraceProject, BacktraceSettings, Secret
from syncd.errors import Misconfigured, OutcomeUnknown, Throttled, TrackerError, Unavailable
from syncd.platform import metrics
from syncd.platform.clock import Clock
from syncd.render.text import one_line
from syncd.trackers import transport
from syncd.trackers.transport import Answer, Parameters, Sent, bounded

CONNECT_SECONDS = 5.0
MOST_BYTES = 64 * 2**20  # of one answer
SILENT_SECONDS = 60.0  # where Backtrace asks for patience and names no time


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A configured project, and the keys under which the configuration has it."""

    name: str
    settings: BacktraceSettings
    project: BacktraceProject
    number: int = 0

    @property
    def title(self) -> str:
        """`acme/game-client`, as commands take it."""
        return f"{self.name}/{self.project.name}"

    @property
    def place(self) -> tuple[str, str]:
        """Universe and project, as notifications have them."""
        return self.settings.universe, self.project.name

    @property
    def key(self) -> str:
        """The key of the project's table."""
        return f"backtrace.{self.name}.projects[{self.number}]"

    @property
    def credential(self) -> str:
        """The key by which reads are counted."""
        return f"backtrace {self.settings.url.rstrip('/')} {self.project.token.place}"


def targets(settings: Mapping[str, BacktraceSettings]) -> list[Target]:
    """Every configured project."""
    return [
        Target(name=name, settings=each, project=project, number=number)
        for name, each in settings.items()
        for number, project in enumerate(each.projects)
    ]


class Client(transport.Connection):
    """Sends requests about one project with one of its tokens. `spend` waits for the budget before each. A redirect is never followed."""

    def __init__(
        self,
        target: Target,
        clock: Clock,
        sleep: Callable[[float], None],
        spend: Callable[[], None] = lambda: None,
        secret: tuple[str, Secret] | None = None,
    ) -> None:
        """`secret` is the key of another token than the one that reads, and that token."""
        super().__init__(target.settings.url, self._meaning, clock, sleep)
        self.target = target
        self._spend = spend
        self._key, self._secret = secret or ("token", target.project.token)
        self._session: requests.Session | None = None

    def __repr__(self) -> str:
        return f"Client({self.target.title})"

    def send_once(
        self,
        method: str,
        path: str,
        payload: object = None,
        parameters: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """As every connection does. `path` may be an address below the configured one; a whole address elsewhere raises Misconfigured."""
        settings, key = self.target.settings, f"{self.target.key}.{self._key}"
        address = _joined(self._base, path)
        if _origin(address) != _origin(self._base):
            raise Misconfigured(
                f"{one_line(path, 100)} is not below backtrace.{self.target.name}.url; no token is sent there"
            )
        token = transport.token(key, self._secret)
        verify = transport.trust(f"backtrace.{self.target.name}.ca_file", settings.ca_file)
        self._spend()
        own = {
            "X-Coroner-Token": token,
            "X-Coroner-Location": self._base,
            "User-Agent": f"syncd/{__version__}",
            "Accept": "application/json",
            **({} if payload is None else {"Content-Type": "application/json"}),
            **(headers or {}),
        }
        if self._session is None:
            self._session = requests.Session()
            self._session.auth = _no_login  # or else a login of ~/.netrc would be sent
        outcome = "failed"
        try:
            with transport.explained(self.address):
                response = self._session.request(
                    method,
                    address,
                    params=dict(parameters or {}),
                    data=None if payload is None else json.dumps(payload),
                    headers=own,
                    timeout=(CONNECT_SECONDS, settings.timeout),
                    allow_redirects=False,
                    verify=verify,
                    stream=True,
                )
                content = _content(response)
            outcome = "ok" if response.status_code < 400 else "refused"
        except ValueError:
            raise OutcomeUnknown(f"the answer of {self.address} could not be read") from None
        finally:
            metrics.BACKTRACE_REQUESTS.labels(self.target.title, outcome).inc()
        if transport.ends_connection(response.status_code):
            self.close()
        received = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, received, content, self._secret.renewal(key))

    def query(self, query: Query) -> Page:
        """One page. Raises Unavailable, Throttled, Misconfigured; ColumnsMissing for columns that the project does not have."""
        place = {"universe": self.target.settings.universe, "project": self.target.project.name}
        answer = self.send_idempotent("POST", "/api/query", query.body(), place)
        reply = answer.read(Reply)
        page = None if reply is None else queries.page(reply)
        if reply is not None and (text := reply.failure) is not None:
            if columns := queries.missing_columns(text, query.folds):
                raise ColumnsMissing(columns)
            raise self._refusal(text, answer)
        if not answer.ok or page is None:
            raise self._meaning(answer, Sent.READ)
        return page

    def pages(self, query: Query) -> Iterator[tuple[Query, Page]]:
        """Every page from the query's offset on, each with the query that it answers. All are answered as of one commit, so that objects that
        arrive meanwhile move no group from page to page. An answer may have fewer groups than were asked for."""
        while True:
            page = self.query(query)
            query = replace(query, tx=page.tx if query.tx is None else query.tx)
            if not page.rows:
                return
            yield query, page
            query = replace(query, offset=query.offset + len(page.rows))

    def read(self, path: str, parameters: Parameters | None = None) -> Any:
        """The JSON value of a GET. Raises like `query`."""
        return self._value(self.send_idempotent("GET", path, parameters=parameters))

    def checked(self, answer: Answer) -> Mapping[str, Any]:
        """The JSON object of an answer. Raises like `query`."""
        value = self._value(answer)
        return value if isinstance(value, dict) else {}

    def _value(self, answer: Answer) -> Any:
        value = answer.json
        if not answer.ok or value is None:
            raise self._meaning(answer, Sent.READ)
        if isinstance(value, dict) and value.get("error"):
            reply = answer.read(Reply)
            raise self._refusal((reply and reply.failure) or str(value["error"]), answer)
        return value

    def _refusal(self, text: str, answer: Answer) -> TrackerError:
        """The meaning of a failure that Backtrace puts into words."""
        key, universe = self.target.key, self.target.settings.universe
        purpose = "with the capability query:post" if self._key == "token" else "that may write issues"
        refusal = one_line(text, 200)
        if re.search(
            r"invalid token|permission|not authori[sz]ed|unauthori[sz]ed|forbidden|capabilit", text, re.IGNORECASE
        ):
            return Misconfigured(
                f"Backtrace refuses the token ({refusal}); in Backtrace open Project settings → API tokens of "
                f"{self.target.project.name}, and make one {purpose}: {answer.renewal}",
                login=True,
            )
        if "no such universe" in text:
            return Misconfigured(
                f"backtrace.{self.target.name}.universe: Backtrace has no universe {universe!r} ({refusal})"
            )
        if "no such project" in text:
            return Misconfigured(f"{key}.name: the universe has no project {self.target.project.name!r} ({refusal})")
        if answer.status >= 500:
            return Unavailable(f"{self.address} answers {answer.status}: {refusal}")
        return Misconfigured(f"Backtrace refuses the request: {refusal}")

    def _meaning(self, answer: Answer, _: Sent) -> TrackerError:
        """The meaning of an answer without a reply."""
        if answer.status == 429:
            seconds = answer.digits("retry-after")
            return Throttled(f"{self.address} asks for fewer requests", bounded(seconds or SILENT_SECONDS))
        if answer.redirects:
            target = _origin(_joined(self._base, answer.headers.get("location", "")))[1] or "somewhere else"
            return Misconfigured(
                f"{self.address} redirects to {target}, where no token is sent; correct backtrace.{self.target.name}.url"
            )
        if answer.status in (401, 403):
            reply = answer.read(Reply)
            return self._refusal((reply and reply.failure) or f"unauthorized, {answer.status}", answer)
        if answer.status >= 500 or answer.status in (408, 421, 425) or answer.status < 200:
            return Unavailable(f"{self.address} answers {answer.status}", answer.digits("retry-after"))
        if (reply := answer.read(Reply)) is not None and reply.failure:
            return self._refusal(reply.failure, answer)
        what = "with a page" if answer.is_page else "not as Backtrace's API does"
        return Misconfigured(
            f"{self.address} answers {what} ({answer.status}); backtrace.{self.target.name}.url must be the address of Backtrace",
            page=answer.is_page,
        )

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


class ColumnsMissing(TrackerError):
    """The project does not index these columns: they can be left out of a query."""

    def __init__(self, columns: list[str]) -> None:
        super().__init__(f"the project does not index {', '.join(columns)}")
        self.columns = columns


def _joined(base: str, path: str) -> str:
    """An address, relative to the base; empty if it is none."""
    try:
        return urljoin(f"{base}/", path)
    except ValueError:
        return ""


def _origin(address: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(address)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return "", None, None
    return parts.scheme, parts.hostname, port


def _no_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _content(response: requests.Response) -> bytes:
    """The body. Raises ValueError if it is too large to be an answer."""
    pieces, room = list[bytes](), MOST_BYTES
    with response:
        for piece in response.iter_content(2**16):
            pieces.append(piece)
            room -= len(piece)
            if room < 0:
                raise ValueError("the answer is too large")
    return b"".join(pieces)

"""Answers of a fake without HTTP: for proofs with more requests than libraries and sockets take in their time."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from syncd.trackers import transport
from syncd.trackers.github.connection import Connection as GitHubConnection
from syncd.trackers.jira.connection import Connection as JiraConnection
from syncd.trackers.transport import Answer, Parameters
from tests.fakes.server import Answer as Parts
from tests.fakes.server import Recorded, ServerBase


@contextmanager
def answered(
    fake: ServerBase, login: str, prefix: str, spoiled: Callable[[Recorded], Parts | None]
) -> Iterator[list[Recorded]]:
    """Every request of both adapters is answered by `spoiled`, or else by `fake`, which need not be started. `login` is the header that
    it gets, `prefix` stands before paths without a slash. Yields the requests so far."""
    sent: list[Recorded] = []

    def send_once(
        connection: GitHubConnection | JiraConnection,
        method: str,
        path: str,
        payload: object = None,
        parameters: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
        read_seconds: float | None = None,
    ) -> Answer:
        # As over HTTP: the secret is read at first, and after whatever ends a login.
        connection.open()
        place = urlsplit(path if path.startswith(("/", "http")) else prefix + path)
        query = {name: [str(value)] for name, value in (parameters or {}).items()} | parse_qs(place.query)
        own = {name.lower(): value for name, value in (headers or {}).items()} | {"authorization": login}
        raw = b"" if payload is None else json.dumps(payload).encode()
        body: Any = None if payload is None else json.loads(raw)
        request = Recorded(method=method, path=place.path, query=query, headers=own, body=body, raw=raw)
        sent.append(request)
        status, received, content = spoiled(request) or fake.carry_out(request)
        if transport.ends_connection(status):
            connection.close()
        written = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
        lowered = {name.lower(): value for name, value in received.items()}
        return Answer(status, {"content-type": "application/json", **lowered}, written)

    with patch.object(GitHubConnection, "send_once", send_once), patch.object(JiraConnection, "send_once", send_once):
        yield sent

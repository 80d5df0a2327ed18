"""Answers of a fake without a network: for proofs with more requests than a socket takes in their time."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from tests.fakes.server import Answer, Recorded, ServerBase, json_or_none


@contextmanager
def answered(fake: ServerBase, spoiled: Callable[[Recorded], Answer | None]) -> Iterator[list[Recorded]]:
    """Every request by the library requests is answered by `spoiled`, or else by `fake`, which need not be started. Yields the requests
    so far."""
    sent: list[Recorded] = []

    def send(adapter: HTTPAdapter, request: requests.PreparedRequest, **_options: Any) -> requests.Response:
        parts, body = urlsplit(request.url or ""), request.body or b""
        raw = body.encode() if isinstance(body, str) else bytes(body)
        recorded = Recorded(
            method=request.method or "",
            path=unquote(parts.path),
            query=parse_qs(parts.query, keep_blank_values=True),
            headers={name.lower(): str(value) for name, value in request.headers.items()},
            body=json_or_none(raw),
            raw=raw,
        )
        sent.append(recorded)
        status, headers, content = spoiled(recorded) or fake.carry_out(recorded)
        response = requests.Response()
        response.status_code, response.url, response.request = status, request.url or "", request
        response.headers = CaseInsensitiveDict({"Content-Type": "application/json; charset=utf-8", **headers})
        response.encoding = "utf-8"
        response._content = (
            content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
        )
        response._content_consumed = True  # type: ignore[attr-defined]
        return response

    with patch.object(HTTPAdapter, "send", send):
        yield sent

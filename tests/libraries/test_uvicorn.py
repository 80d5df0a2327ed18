"""uvicorn and httptools: the parts that platform/http_server.py overrides and reads."""

import inspect

import httptools
import pytest
import uvicorn
from anyio import to_thread
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from tests.libraries import changed

OVERRIDDEN = {
    "connection_made": ["self", "transport"],
    "connection_lost": ["self", "exc"],
    "data_received": ["self", "data"],
    "on_headers_complete": ["self"],
    "on_body": ["self", "body"],
    "on_message_complete": ["self"],
    "on_response_complete": ["self"],
    "send_400_response": ["self", "msg"],
}


@pytest.mark.parametrize("method", OVERRIDDEN)
def test_the_protocol_has_the_methods_that_the_guard_overrides(method: str) -> None:
    part = f"HttpToolsProtocol.{method}({', '.join(OVERRIDDEN[method][1:])})"

    assert hasattr(HttpToolsProtocol, method), changed("uvicorn", part)
    assert list(inspect.signature(getattr(HttpToolsProtocol, method)).parameters) == OVERRIDDEN[method], changed(
        "uvicorn", part
    )


def test_the_protocol_keeps_what_the_guard_reads() -> None:
    text = inspect.getsource(HttpToolsProtocol)

    for attribute in ("self.loop", "self.transport", "self.scope", "self.parser", "self.headers", "self.url"):
        assert attribute in text, changed("uvicorn", f"HttpToolsProtocol {attribute}")


@pytest.mark.parametrize("method", ["startup", "shutdown", "on_tick", "capture_signals"])
def test_the_server_has_the_methods_that_ours_overrides(method: str) -> None:
    assert callable(getattr(uvicorn.Server, method, None)), changed("uvicorn", f"Server.{method}")


def test_the_server_counts_its_connections() -> None:
    assert ServerState().connections == set(), changed("uvicorn", "Server.server_state.connections is a set")


def test_the_threads_that_answer_can_be_limited() -> None:
    assert callable(getattr(to_thread, "current_default_thread_limiter", None)), changed(
        "anyio", "to_thread.current_default_thread_limiter"
    )


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            id="two lengths",
        ),
        pytest.param(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", id="twice"),
        pytest.param(b"GET / HTTP/1.1\nHost: a\r\nX : b\r\n\r\n", id="a space before the colon"),
    ],
)
def test_the_parser_refuses_what_a_smuggler_sends(request_bytes: bytes) -> None:
    with pytest.raises(httptools.HttpParserError):
        httptools.HttpRequestParser(object()).feed_data(request_bytes)

"""requests, urllib3, PyGithub, jira: the errors below HTTP, and the private parts that requests to trackers go through."""

import inspect
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import urllib3.exceptions
from github import Auth, Github
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester
from jira import JIRA
from requests.exceptions import InvalidHeader, InvalidSchema, InvalidURL, MissingSchema
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from tests.fakes.server import Answer, Recorded, Routes, ServerBase
from tests.fakes.tls import certificate, tls
from tests.libraries import changed
from tests.ports import free_port


class Closed(ServerBase):
    """A proxy that opens no tunnel, and a server that redirects and is slow to finish."""

    def routes(self) -> Routes:
        return [("GET", "/moved", self._moved), ("POST", "/later", self._later)]

    def _moved(self, request: Recorded) -> Answer:
        return 302, {"location": "/elsewhere"}, {"moved": True}

    def _later(self, request: Recorded) -> Answer:
        return 201, {"x-test": "yes"}, {"ok": True}


@pytest.fixture
def server() -> Iterator[Closed]:
    with Closed() as running:
        yield running


def causes(error: object) -> Iterator[BaseException]:
    if isinstance(error, BaseException):
        yield error
        for inner in (*error.args, getattr(error, "reason", None)):
            yield from causes(inner)


def test_a_refused_connection_is_in_the_arguments_of_the_error() -> None:
    with pytest.raises(requests.ConnectionError) as caught:
        requests.get(f"http://127.0.0.1:{free_port()}/", timeout=5)

    assert any(isinstance(cause, NewConnectionError) for cause in causes(caught.value)), changed(
        "urllib3", "NewConnectionError in `args` or `reason` of what requests raises for a refused connection"
    )


def test_a_name_that_does_not_resolve_is_in_the_arguments_of_the_error() -> None:
    with pytest.raises(requests.ConnectionError) as caught:
        requests.get("http://nowhere.invalid/", timeout=5)

    assert any(isinstance(cause, NameResolutionError) for cause in causes(caught.value)), changed(
        "urllib3", "NameResolutionError in `args` or `reason` of what requests raises for an unknown name"
    )


def test_a_refused_certificate_is_in_the_arguments_of_the_error(tmp_path: Path) -> None:
    with tls(*certificate(tmp_path, "localhost")) as port, pytest.raises(requests.exceptions.SSLError) as caught:
        requests.get(f"https://localhost:{port}/", timeout=5)

    refusals = [cause for cause in causes(caught.value) if isinstance(cause, ssl.SSLCertVerificationError)]
    assert refusals, changed("urllib3", "ssl.SSLCertVerificationError in `args` or `reason`")
    assert refusals[0].verify_message, "Python's ssl: SSLCertVerificationError.verify_message"


def test_a_proxy_that_opens_no_tunnel_is_named_in_the_text_of_an_oserror(server: Closed) -> None:
    with pytest.raises(requests.exceptions.ProxyError) as caught:
        requests.get("https://tracker.example/", proxies={"https": server.url}, timeout=5)

    texts = [str(cause) for cause in causes(caught.value) if isinstance(cause, OSError)]
    assert any(text.startswith("Tunnel connection failed") for text in texts), changed(
        "urllib3", "an OSError that begins with 'Tunnel connection failed' (Python's http.client)"
    )


@pytest.mark.parametrize(
    ("address", "error"),
    [("http://", InvalidURL), ("//tracker.example/", MissingSchema), ("gopher://tracker.example/", InvalidSchema)],
)
def test_an_address_that_is_none_has_a_class_of_its_own(address: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        requests.get(address, timeout=5)


def test_a_header_with_a_line_feed_has_a_class_of_its_own() -> None:
    with pytest.raises(InvalidHeader):
        requests.Request("GET", "http://tracker.example/", headers={"x": "a\nb"}).prepare()


def test_the_errors_of_requests_and_urllib3_have_their_common_classes() -> None:
    assert issubclass(requests.Timeout, requests.RequestException), changed("requests", "Timeout")
    for error in (ConnectTimeoutError, NewConnectionError, urllib3.exceptions.LocationValueError):
        assert issubclass(error, HTTPError), changed("urllib3", f"{error.__name__} is an HTTPError")


def test_a_session_of_requests_prepares_and_sends_as_jiras_connection_calls_it(server: Closed) -> None:
    with requests.Session() as session:
        prepared = session.prepare_request(requests.Request("GET", server.url + "/moved"))
        way = session.merge_environment_settings(prepared.url or "", {}, None, None, None)
        response = session.send(prepared, timeout=(5, 5), allow_redirects=False, **way)

    assert set(way) == {"proxies", "stream", "verify", "cert"}, changed("requests", "merge_environment_settings")
    assert response.status_code == 302, changed("requests", "send(allow_redirects=False) follows no redirect")


def jira(url: str) -> JIRA:
    return JIRA(
        server=url,
        options={"rest_api_version": "2", "verify": True, "headers": {"User-Agent": "syncd/test"}},
        get_server_info=False,
        max_retries=0,
        logging=False,
        token_auth="secret",
    )


def test_jira_has_the_session_and_the_address_that_the_connection_uses(server: Closed) -> None:
    client = jira(server.url)

    assert isinstance(getattr(client, "_session", None), requests.Session), changed("jira", "JIRA._session")
    assert client._get_url("issue") == f"{server.url}/rest/api/2/issue", changed("jira", "JIRA._get_url")
    assert server.requests == [], changed("jira", "get_server_info=False asks nothing at first")
    client.close()  # type: ignore[no-untyped-call]


def test_the_session_of_jira_sends_one_request_and_adds_the_login(server: Closed) -> None:
    client = jira(server.url)
    prepared = client._session.prepare_request(requests.Request("POST", server.url + "/later", data="{}"))

    response = client._session.send(prepared, timeout=(5, 5), allow_redirects=False)

    assert type(client._session).send is requests.Session.send, changed("jira", "its session has no send of its own")
    assert prepared.headers["Authorization"] == "Bearer secret", changed("jira", "the session adds the login")
    assert prepared.headers["Content-Type"] == "application/json", changed("jira", "the session sends JSON")
    assert (response.status_code, len(server.requests)) == (201, 1), changed("jira", "one request for each send")
    client.close()  # type: ignore[no-untyped-call]


def test_pygithubs_requester_sends_one_request_with_the_connection_it_is_given(server: Closed) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    wire = HTTPRequestsConnectionClass(host, int(port), timeout=5, retry=None, pool_size=1, verify=True)
    client = Github(
        auth=Auth.Token("secret"),
        base_url=server.url,
        timeout=5,
        user_agent="syncd/test",
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
        pool_size=1,
        per_page=100,
        lazy=True,
    )

    status, headers, text = client.requester.requestJson("POST", "/later", {}, {"Accept": "x/y"}, {"a": 1}, wire)

    assert (status, headers["x-test"]) == (201, "yes"), changed(
        "PyGithub", "requestJson: status, headers in lower case"
    )
    assert json.loads(text) == {"ok": True}, changed("PyGithub", "requestJson: the text of the answer")
    assert len(server.requests) == 1, changed("PyGithub", "requestJson sends one request")
    assert isinstance(wire.session, requests.Session), changed("PyGithub", "HTTPRequestsConnectionClass.session")
    assert wire.host == host, changed("PyGithub", "HTTPRequestsConnectionClass.host")
    wire.close()
    client.close()


def test_pygithubs_private_parts_have_the_names_that_the_connection_uses() -> None:
    parameters = list(inspect.signature(Requester.requestJson).parameters)

    assert parameters[:7] == ["self", "verb", "url", "parameters", "headers", "input", "cnx"], changed(
        "PyGithub", "the order of requestJson's parameters"
    )
    for wire in (HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass):
        for part in ("host", "port", "timeout", "retry", "pool_size", "kwargs"):
            assert part in inspect.signature(wire.__init__).parameters, changed("PyGithub", f"{wire.__name__}({part})")
    assert isinstance(Requester.graphql_url, property), changed("PyGithub", "Requester.graphql_url")

"""A GitHub that somebody else wrote: the npm package `emulate`, behind a front that records and cuts traffic.

It keeps our own fake honest. It knows no limits, redirects or refusals; `tests.fakes.github` has those.
"""

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.fakes import npm
from tests.fakes.server import Answer, Recorded, Routes, ServerBase
from tests.ports import free_port

TOKEN = "test_token_admin"
REPOSITORY = "octocat/hello-world"

_PACKAGE = Path(__file__).parent / "emulator"
_SEED = {
    "tokens": {TOKEN: {"login": "admin", "scopes": ["repo"]}},
    "github": {
        "users": [{"login": "octocat"}],
        "repos": [{"owner": "octocat", "name": "hello-world", "auto_init": True}],
    },
}
_START_SECONDS = 30.0


class EmulatedGitHub(ServerBase):
    """The front. It names the repository, since the emulator has no paths below `/repositories/{id}`."""

    description = "github"

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def routes(self) -> Routes:
        return [(method, r"/.*", self._forward) for method in ("GET", "POST", "PATCH")]

    def described_path(self, request: Recorded) -> str | None:
        return None if request.path in ("/user", "/graphql") else _named(request.path)

    def issues(self) -> list[dict[str, Any]]:
        """Every issue the emulator has, asked of it directly."""
        _, _, content = self._ask("GET", f"/repos/{REPOSITORY}/issues?state=all&per_page=100", b"", TOKEN)
        assert isinstance(content, list)
        return content

    def comments(self, number: int) -> list[dict[str, Any]]:
        """Every comment of an issue, asked of the emulator directly."""
        _, _, content = self._ask("GET", f"/repos/{REPOSITORY}/issues/{number}/comments", b"", TOKEN)
        assert isinstance(content, list)
        return content

    def _forward(self, request: Recorded) -> Answer:
        path = quote(_named(request.path))
        target = f"{path}?{urlencode(request.query, doseq=True)}" if request.query else path
        return self._ask(request.method, target, request.raw, request.headers.get("authorization", "").split()[-1])

    def _ask(self, method: str, target: str, content: bytes, token: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
            connection.request(method, target, content, headers)
            response = connection.getresponse()
            answered = json.loads(response.read() or b"null")
            return response.status, _rate_headers(response.getheaders()), answered
        finally:
            connection.close()


def _named(path: str) -> str:
    return re.sub(r"^/repositories/\d+(?=/|$)", f"/repos/{REPOSITORY}", path)


def _rate_headers(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower().startswith("x-ratelimit")}


@contextmanager
def emulated_github(folder: Path) -> Iterator[EmulatedGitHub]:
    """A fresh emulator, its output in `folder`. Skips the test where Node or the package cannot be had."""
    node, program = _installed()
    port = free_port()
    seed = folder / "seed.json"
    seed.write_text(json.dumps(_SEED), encoding="utf-8")
    with EmulatedGitHub(port) as front, (folder / "emulator.log").open("wb") as log:
        command: list[str | Path] = [
            node,
            program,
            "start",
            "-s",
            "github",
            "-p",
            str(port),
            "--seed",
            seed,
            "--base-url",
            front.url,
        ]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
        try:
            _wait_until_open(port, process)
            yield front
        finally:
            process.terminate()
            process.wait(10)


def _installed() -> tuple[Path, Path]:
    """Node and the emulator's program, installed at first use."""
    try:
        return npm.node(), npm.installed(_PACKAGE) / "node_modules" / "emulate" / "dist" / "index.js"
    except npm.NotInstalled as error:
        pytest.skip(str(error))


def _wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise RuntimeError(f"the emulator did not start; it ended with {process.poll()}")

"""`send-test`, and sending notifications over HTTP as the crash reporter does."""

import base64
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import FAILED, LATER, ConfigOption, app, config_path, stop

if TYPE_CHECKING:
    from syncd.config import Config

WEBHOOK = "/webhooks/backtrace"
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver said."""

    status: int
    body: str


class Sender:
    """One kept-alive connection to a receiver."""

    def __init__(self, host: str, port: int, login: tuple[str, str] | None) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        self._headers = {"Content-Type": "application/json"}
        if login is not None:
            encoded = base64.b64encode(":".join(login).encode()).decode()
            self._headers["Authorization"] = f"Basic {encoded}"

    def send(self, notification: Mapping[str, object]) -> Answer:
        """POST it once. Raises OSError or http.client.HTTPException when no answer came."""
        self._connection.request("POST", WEBHOOK, json.dumps(notification), self._headers)
        answer = self._connection.getresponse()
        return Answer(answer.status, answer.read().decode("utf-8", "replace"))

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def sample(project: str, now: int) -> dict[str, object]:
    """A notification like those of Backtrace's documentation, that says it is a test."""
    return {
        "universe": "syncd",
        "project": project,
        "fingerprint": "7e57" * 16,
        "application": "syncd-send-test",
        "callstack": ["syncd::send_test", "main"],
        "occurrences": 1,
        "object_id": "1",
        "timestamp": [now, now],
        "classifiers": ["test"],
        "hosts": 1,
        "guids": 1,
        "attributes": {"version": [["1.0.0", 1]]},
    }


def login(config: "Config") -> tuple[str, str] | None:
    """User name and password of the receiver. Raises ConfigError when the secret cannot be read."""
    receiver = config.receiver
    if receiver.password is None or receiver.username is None:
        return None
    return receiver.username, receiver.password.read().get_secret_value()


@app.command("send-test")
def send_test(
    config: ConfigOption = None,
    project: Annotated[str, typer.Option(help="The project the test crash is said to come from.")] = "syncd-test",
) -> None:
    """Send one test notification to the running daemon. Sent again, it raises a count and opens no second issue."""
    from syncd import config as configuration

    loaded = configuration.load(config_path(config))
    host, port = loaded.receiver.address
    sender = Sender({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port, login(loaded))  # noqa: S104 - all means here too
    try:
        answer = sender.send(sample(project, int(time.time())))
    except (OSError, http.client.HTTPException) as error:
        stop(
            LATER,
            f"no daemon answers on {loaded.receiver.listen} ({type(error).__name__}); start one with `syncd run`",
        )
    finally:
        sender.close()
    print(f"{answer.status} {answer.body}")
    if answer.status != 200:
        stop(FAILED, "the daemon did not take it")

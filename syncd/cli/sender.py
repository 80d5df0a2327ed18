"""Sends notifications over HTTP as Backtrace does; for `send-test`, `demo` and tests."""

import base64
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass

WEBHOOK = "/webhooks/backtrace"
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The receiver's HTTP answer."""

    status: int
    body: str


class Sender:
    """One keep-alive connection to a receiver."""

    def __init__(self, host: str, port: int, login: tuple[str, str] | None) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        self._headers = {"Content-Type": "application/json"}
        if login is not None:
            encoded = base64.b64encode(":".join(login).encode()).decode()
            self._headers["Authorization"] = f"Basic {encoded}"

    def send(self, notification: Mapping[str, object]) -> Answer:
        """POST the notification once. Raises OSError or http.client.HTTPException if no answer comes."""
        self._connection.request("POST", WEBHOOK, json.dumps(notification), self._headers)
        answer = self._connection.getresponse()
        return Answer(answer.status, answer.read().decode("utf-8", "replace"))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

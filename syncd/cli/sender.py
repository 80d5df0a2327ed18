"""Sending notifications over HTTP as the crash reporter does."""

import base64
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass

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

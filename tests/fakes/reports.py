"""Webhooks of the fakes: what changes in one of them is reported, signed, to whoever listens; and reports that GitHub's own have.

A fake only queues a report, since it holds its lock then. A thread of `Sender` sends them in order, unless a test holds, loses, repeats or shuffles
them, as networks and trackers do.
"""

import hashlib
import hmac
import http.client
import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from tests.fakes import npm

_PACKAGE = Path(__file__).parent / "webhooks"


@dataclass
class Sent:
    """One report. `status` is the answer to it, 0 where there was none yet; `answer` is what it said."""

    event: str
    headers: dict[str, str]
    body: bytes
    status: int = 0
    answer: bytes = b""
    tries: int = 0


@dataclass
class Sender:
    """Reports to `url`. `style` is `github` or `jira`; without a secret nothing is signed. While `holds`, reports wait for `release`."""

    url: str
    secret: str
    style: str
    holds: bool = False
    sent: list[Sent] = field(default_factory=list)
    waiting: list[Sent] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)  # of the webhook, unlike those that it should have
    _closing: bool = False
    _wake: threading.Condition = field(default_factory=threading.Condition)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        self._thread.join()

    def report(self, event: str, payload: Mapping[str, Any]) -> Sent:
        """Queue a report."""
        sent = signed(self.style, self.secret, event, json.dumps(payload).encode())
        with self._wake:
            self.waiting.append(sent)
            self._wake.notify_all()
        return sent

    def release(self) -> None:
        """Send what waits, and hold nothing any more."""
        with self._wake:
            self.holds = False
            self._wake.notify_all()

    def drain(self, timeout: float = 10.0) -> None:
        """Return when everything was sent."""
        with self._wake:
            assert self._wake.wait_for(lambda: not self.waiting, timeout), "reports still wait"

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closing or (self.waiting and not self.holds))
                if self._closing:
                    return
                first = self.waiting[0]
            self.send(first)
            with self._wake:
                self.waiting.remove(first)
                self.sent.append(first)
                self._wake.notify_all()

    def send(self, sent: Sent) -> int:
        """Send a report now, whatever was sent before. Return the status of the answer, 0 without one."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        sent.tries += 1
        try:
            connection.request("POST", parts.path, sent.body, sent.headers)
            answer = connection.getresponse()
            sent.status, sent.answer = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.errors.append(error)
            sent.status = 0
        finally:
            connection.close()
        return sent.status


def listed_on_github(sender: Sender) -> dict[str, Any]:
    """The webhook as GitHub lists it: of its secret only that it has one."""
    target = {"url": sender.url, "content_type": "json", "insecure_ssl": "0"}
    target |= {"secret": "********"} if sender.secret else {}
    webhook = {"type": "Repository", "id": 1, "name": "web", "active": True, "events": ["issues"], "config": target}
    return webhook | sender.settings


def deliveries_on_github(sender: Sender) -> list[dict[str, Any]]:
    """What was sent, the newest first, as GitHub lists it: without a body."""
    return [
        {
            "id": number,
            "guid": sent.headers["X-GitHub-Delivery"],
            "delivered_at": f"2026-11-30T12:00:{number % 60:02}Z",
            "redelivery": sent.tries > 1,
            "duration": 0.03,
            "status": "OK"
            if sent.status == 200
            else f"Invalid HTTP Response: {sent.status}"
            if sent.status
            else "failed to connect to host",
            "status_code": sent.status,
            "event": sent.event,
            "action": json.loads(sent.body).get("action"),
        }
        for number, sent in reversed([*enumerate(sender.sent)])
    ]


def listed_in_jira(sender: Sender, *, counted: bool) -> dict[str, Any]:
    """The webhook as Jira lists it for an administrator; `counted` as Data Center does from version 10 on."""
    events = ["jira:issue_updated", "jira:issue_deleted"]
    failures = sum(sent.status >= 400 for sent in sender.sent)
    errors = sum(not sent.status for sent in sender.sent)
    counts = {"successes": len(sender.sent) - failures - errors, "failures": failures, "errors": errors}
    of_version: dict[str, Any] = {"active": True, "configuration": {}, "statistics": {"counts": counts}}
    if not counted:
        of_version = {"enabled": True, "excludeBody": False, "filters": {"issue-related-events-section": ""}}
    return {"id": 1, "name": "syncd", "url": sender.url, "events": events, **of_version} | sender.settings


def signed(style: str, secret: str, event: str, body: bytes, number: str = "") -> Sent:
    """A report as GitHub or Jira sends it. Without a secret it is not signed."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    number = number or str(uuid.uuid4())
    if style == "github":
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/0000000",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": number,
            "X-GitHub-Hook-ID": "1",
        }
        signature = "X-Hub-Signature-256"
    else:
        headers = {
            "Content-Type": "application/json; charset=UTF-8",
            "User-Agent": "Atlassian Webhook HTTP Client",
            "X-Atlassian-Webhook-Identifier": number,
            "X-Atlassian-Webhook-Retry": "0",
        }
        signature = "X-Hub-Signature"
    return Sent(event, headers | ({signature: f"sha256={digest}"} if secret else {}), body)


@cache
def examples() -> tuple[tuple[str, dict[str, Any]], ...]:
    """Every report that Octokit publishes, with its event. Raises NotInstalled."""
    folder = npm.installed(_PACKAGE) / "node_modules/@octokit/webhooks-examples/api.github.com"
    entries = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    return tuple((entry["name"], example) for entry in entries for example in entry["examples"])

"""The requests of one client to one GitLab: one login, one request for each call, every failure below HTTP as a TrackerError.

python-gitlab serves for login and transport only; its own repeating and waiting is off, and it follows no redirect.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

import gitlab
import requests
from gitlab.exceptions import GitlabError

from syncd.plugin import (
    IDLE_SECONDS,
    USER_AGENT,
    Answer,
    Clock,
    Connection,
    Misconfigured,
    OutcomeUnknown,
    Parameters,
    ends_connection,
    explained,
    token,
    trust,
)
from syncd.plugins.gitlab.answers import failure
from syncd.plugins.gitlab.settings import GitLabSettings

_HIDDEN = "syncd-"  # before the name of a header that the library must not read


class GitLabConnection(Connection):
    """Logs in at first use. Paths begin after `/api/v4`."""

    def __init__(self, name: str, settings: GitLabSettings, clock: Clock, sleep: Callable[[float], None]) -> None:
        self._site = settings.url.rstrip("/")
        super().__init__(f"{self._site}/api/v4", failure, clock, sleep)
        self._name = name
        self._settings = settings
        self._client: gitlab.Gitlab | None = None
        self._used_at = 0.0
        self._received: list[requests.Response] = []

    def query(self, text: str, variables: Mapping[str, object]) -> Answer:
        """Send a GraphQL query, which only reads, like `send_idempotent`."""
        return self.send_idempotent("POST", f"{self._site}/api/graphql", {"query": text, "variables": variables})

    def send_once(
        self,
        method: str,
        path: str,
        payload: object = None,
        parameters: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        client, body = self.open(), cast(Any, payload)
        self._received.clear()
        try:
            with explained(self.address):
                client.http_request(
                    method.lower(),
                    path,
                    query_data=dict(parameters or {}),
                    post_data=body,
                    obey_rate_limit=False,
                    retry_transient_errors=False,
                    max_retries=0,
                    extra_headers=dict(headers or {}),
                )
        except (GitlabError, ValueError) as error:
            # The library raises for every status but success, and leaves the headers out: the answer itself was kept.
            if not self._received and isinstance(error, ValueError):
                raise Misconfigured(f"trackers.{self._name}: no request can be made with this url") from None
        if not self._received:
            raise OutcomeUnknown(f"the answer of {self.address} could not be read")
        response = self._received[-1]
        if ends_connection(response.status_code):
            self.close()
        received = {name.lower().removeprefix(_HIDDEN): value for name, value in response.headers.items()}
        renewal = self._settings.token.renewal(f"trackers.{self._name}.token")
        return Answer(response.status_code, received, response.content, renewal)

    def open(self) -> gitlab.Gitlab:
        """The library's client, which sends nothing when it is made. Raises Misconfigured."""
        if self._client is None:
            self._client = gitlab.Gitlab(
                self._site,
                private_token=token(f"trackers.{self._name}.token", self._settings.token),
                ssl_verify=trust(f"trackers.{self._name}.ca_file", self._settings.ca_file),
                timeout=self._settings.timeout,
                user_agent=USER_AGENT,
                retry_transient_errors=False,
                keep_base_url=True,
            )
            self._client.session.hooks["response"] = [self._keep]
            self.logins += 1
        elif self._clock.monotonic() - self._used_at > IDLE_SECONDS:
            self._client.session.close()  # the next request opens it again
        self._used_at = self._clock.monotonic()
        return self._client

    def _keep(self, response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
        """Keep the answer, and hide from the library where it redirects to: requests would follow with the token."""
        self._received.append(response)
        location = response.headers.pop("location", None)
        if location is not None:
            response.headers[f"{_HIDDEN}location"] = location

    def close(self) -> None:
        if self._client is not None:
            self._client.session.close()
            self._client = None

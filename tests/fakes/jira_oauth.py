"""Jira for an OAuth client of a service account: it gives out tokens by the grant of client credentials, and takes nothing else."""

import secrets
from collections import Counter
from dataclasses import dataclass
from urllib.parse import parse_qs

from tests.fakes.jira import FakeJira, FakeJiraDataCenter, FakeJiraGateway
from tests.fakes.server import Answer, Recorded, Routes

CLIENT_ID = "o4uthCli3nt"


@dataclass
class Grant:
    """A token. `uses` is how many requests it may still make; None for no such limit."""

    ends: float
    uses: int | None


class OAuthSite(FakeJira):
    """`lasting_seconds` and `uses` are for the next tokens, which end by the clock `now`. `scopes` are those of the client."""

    token_path: str
    needs_scope: bool

    def __init__(self, project: str = "CRASH") -> None:
        super().__init__(project)
        self.client_secret = secrets.token_hex(16)
        self.granted = ("READ", "WRITE")
        self.lasting_seconds = 3600.0
        self.uses: int | None = None
        self.grants: dict[str, Grant] = {}
        self.refused = Counter[tuple[str, str, bytes]]()  # requests with a used-up token that have not come again

    @property
    def fetched(self) -> int:
        return len(self.grants)

    def expire(self) -> None:
        """End every token that was given out."""
        for grant in self.grants.values():
            grant.ends = 0.0

    def routes(self) -> Routes:
        return [("POST", self.token_path, self._give_token), *super().routes()]

    def admit(self, request: Recorded) -> Answer | None:
        return None if request.path == self.token_path else super().admit(request)

    def takes(self, request: Recorded, authorization: str) -> bool:
        """A token has its last use when all that its predecessor was refused has come again, and takes what comes again even then: none ends
        between its fetch and a thread's first use of it."""
        scheme, _, token = authorization.partition(" ")
        grant, sent = self.grants.get(token), (request.method, request.path, request.raw)
        if scheme != "Bearer" or grant is None or self.now() >= grant.ends:
            return False
        if grant.uses == 0 and not self.refused[sent]:
            self.refused[sent] += 1
            return False
        self.refused -= Counter([sent])
        if grant.uses and (grant.uses > 1 or not self.refused):
            grant.uses -= 1
        return True

    def described_path(self, request: Recorded) -> str | None:
        return None if request.path == self.token_path else super().described_path(request)

    def _give_token(self, request: Recorded) -> Answer:
        if request.headers.get("content-type") != "application/x-www-form-urlencoded":
            return 415, {}, {"error": "invalid_request"}
        form = {name: values[0] for name, values in parse_qs(request.raw.decode()).items()}
        if form.get("grant_type") != "client_credentials":
            return 400, {}, {"error": "unsupported_grant_type"}
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, self.client_secret):
            description = f"The secret {form.get('client_secret')} is not valid."
            return 401, {}, {"error": "invalid_client", "error_description": description}
        scopes = form.get("scope", "").split()
        if (self.needs_scope and not scopes) or not set(scopes) <= set(self.granted):
            return 400, {}, {"error": "invalid_scope", "error_description": "The requested scope is not granted."}
        token = secrets.token_urlsafe(32)
        self.grants[token] = Grant(self.now() + self.lasting_seconds, self.uses)
        return 200, {}, {"access_token": token, "token_type": "Bearer", "expires_in": int(self.lasting_seconds)}


class FakeJiraGatewayOAuth(OAuthSite, FakeJiraGateway):
    """Jira Cloud. Atlassian gives out the tokens at a host of its own, which is this one here."""

    token_path = "/oauth/token"
    needs_scope = False


class FakeJiraDataCenterOAuth(OAuthSite, FakeJiraDataCenter):
    """Jira Data Center, which wants the scopes that a token is for."""

    token_path = "/rest/oauth2/latest/token"
    needs_scope = True

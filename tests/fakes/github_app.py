"""A GitHub App of the fake GitHub: its keys, its installations, and the tokens that it gave out."""

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from tests.fakes.github_records import Account, FakeRepository
from tests.fakes.github_rules import invalid, refusal
from tests.fakes.server import Answer, Denied, Recorded

CLIENT_ID = "Iv23fakeclient"
_LEVELS = {"read": 1, "write": 2, "admin": 3}
_LONGEST_SECONDS = 600  # between `iat` and `exp` of a signature, and from now on


@cache
def private_key(number: int = 0) -> str:
    """The PEM of the key with this number, as GitHub gives it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


@cache
def _public_key(pem: str) -> rsa.RSAPublicKey:
    key = load_pem_private_key(pem.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.public_key()


@dataclass
class FakeInstallation:
    """An installation for one owner, in these repositories (their ids), or in all. `permissions` are those that the owner accepted."""

    id: int
    owner: str
    repositories: set[int] | None = None
    permissions: dict[str, str] = field(default_factory=lambda: {"issues": "write", "metadata": "read"})
    suspended: bool = False

    def has(self, repository: FakeRepository) -> bool:
        return repository.owner == self.owner and (self.repositories is None or repository.id in self.repositories)


@dataclass
class Grant:
    """A token of an installation. `uses` is how many requests it may still make; None for no such limit."""

    installation: FakeInstallation
    repositories: set[int]
    permissions: dict[str, str]
    ends: float
    uses: int | None


class FakeApp:
    """The App `syncd`, with one key and one installation. `lasting_seconds` and `uses` are for the next tokens, which end by the clock
    `now`."""

    def __init__(self, url: str, repository: FakeRepository, now: Callable[[], float]) -> None:
        self.url = url
        self.id, self.slug, self.account = 4711, "syncd", Account("syncd[bot]", 503, app=True)
        self.permissions = {"issues": "write", "metadata": "read"}
        self.keys = [private_key()]
        self.events: list[str] = []  # that its webhook reports
        self.installation = FakeInstallation(678, repository.owner, {repository.id})
        self.installations = [self.installation]
        self.lasting_seconds = 3600.0
        self.uses: int | None = None
        self.now = now
        self.grants: dict[str, Grant] = {}
        self.refused = Counter[tuple[str, str, bytes]]()  # requests with a used-up token that have not come again
        self.fetched = 0

    def expire(self) -> None:
        """End every token that was given out."""
        for grant in self.grants.values():
            grant.ends = 0.0

    def require_signature(self, request: Recorded) -> None:
        """Raise Denied for what is not signed by the App, now and for no longer than GitHub takes."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        now = self.now()
        for key in self.keys:
            try:
                claims = jwt.decode(
                    token, _public_key(key), algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False}
                )
            except jwt.PyJWTError:
                continue
            if scheme.lower() != "bearer" or str(claims.get("iss")) not in (str(self.id), CLIENT_ID):
                raise Denied(refusal(404, "Integration not found"))
            if claims["iat"] > now:
                message = (
                    "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
                )
                raise Denied(refusal(401, message))
            if not now < claims["exp"] <= now + _LONGEST_SECONDS:
                raise Denied(refusal(401, "'Expiration time' claim ('exp') is too far in the future or is past"))
            return
        raise Denied(refusal(401, "A JSON web token could not be decoded"))

    def admit(self, token: str, request: Recorded) -> Grant | None:
        """The grant of a token, after one use of it; None for a token of somebody else. Raises Denied for one that has ended. A token has its
        last use when all that its predecessor was refused has come again: none ends between its fetch and a thread's first use of it."""
        grant = self.grants.get(token)
        if grant is None:
            return None
        sent = request.method, request.path, request.raw
        # What was refused before is taken: no token ends between its fetch and a thread's first use of it.
        ended = grant.uses == 0 and not self.refused[sent]
        if ended:
            self.refused[sent] += 1
        if self.now() >= grant.ends or ended:
            raise Denied(refusal(401, "Bad credentials"))
        if grant.installation.suspended:
            raise Denied(refusal(403, "This installation has been suspended"))
        self.refused -= Counter([sent])
        if grant.uses and (grant.uses > 1 or not self.refused):
            grant.uses -= 1
        return grant

    def require(self, grant: Grant, repository: FakeRepository, permission: str, level: str) -> None:
        """Raise Denied where a token may not do this in a repository."""
        if repository.id not in grant.repositories or not grant.installation.has(repository):
            raise Denied(refusal(404, "Not Found"))
        for granted in (grant.permissions, grant.installation.permissions):
            if _LEVELS.get(granted.get(permission, ""), 0) < _LEVELS[level]:
                raise Denied(refusal(403, "Resource not accessible by integration"))

    def read(self) -> Answer:
        page = f"{self.url}/apps/{self.slug}"
        content = {
            "id": self.id, "client_id": CLIENT_ID, "slug": self.slug, "node_id": "A_1", "name": "Syncd", "html_url": page,
            "owner": {}, "description": None, "external_url": page, "created_at": "2024-01-01T00:00:00Z",
            "updated_at": "2024-01-01T00:00:00Z", "permissions": self.permissions, "events": self.events,
        }  # fmt: skip
        return 200, {}, content

    def find(self, fits: FakeInstallation | None) -> Answer:
        """An installation as GitHub shows it."""
        if fits is None:
            return refusal(404, "Not Found")
        page = f"{self.url}/organizations/{fits.owner}/settings/installations/{fits.id}"
        content = {
            "id": fits.id, "app_id": self.id, "app_slug": self.slug, "html_url": page, "permissions": fits.permissions,
            "repository_selection": "all" if fits.repositories is None else "selected",
            "suspended_at": "2024-01-01T00:00:00Z" if fits.suspended else None,
        }  # fmt: skip
        return 200, {}, content

    def grant(self, request: Recorded, repositories: list[FakeRepository]) -> Answer:
        """A token of an installation, with no more than the request asks for."""
        number, body = int(request.groups["installation"]), request.body or {}
        fits = next((each for each in self.installations if each.id == number), None)
        if fits is None:
            return refusal(404, "Not Found")
        if fits.suspended:
            return refusal(403, "This installation has been suspended")
        reachable = {each.id: each.name for each in repositories if fits.has(each)}
        chosen = set(reachable)
        if "repositories" in body or "repository_ids" in body:
            names, ids = body.get("repositories", []), set(body.get("repository_ids", []))
            chosen = {number for number, name in reachable.items() if number in ids or name in names}
            if len(chosen) != len(names) + len(ids):
                message = "There is at least one repository that does not exist or is not accessible to the parent installation."
                return invalid({"resource": "Installation", "code": "custom", "message": message})
        permissions = body.get("permissions", fits.permissions)
        if any(_LEVELS[level] > _LEVELS.get(fits.permissions.get(name, ""), 0) for name, level in permissions.items()):
            return refusal(422, "The permissions requested are not granted to this installation.")
        self.fetched += 1
        token, ends = f"ghs_{secrets.token_hex(18)}", self.now() + self.lasting_seconds
        self.grants[token] = Grant(fits, chosen, dict(permissions), ends, self.uses)
        until = datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        content: dict[str, Any] = {"token": token, "expires_at": until, "permissions": permissions}
        return 201, {}, {**content, "repository_selection": "selected"}

"""config.toml as frozen values. Every problem is reported at once, each with its key and a remedy."""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from syncd.errors import ConfigError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PLACEHOLDER = re.compile(r"\{\{\s*(.*?)\s*\}\}")

# What a mapped field may say of a group: `{{ group.NAME }}`.
GROUP_FACTS = (
    "universe", "project", "fingerprint", "application", "occurrences", "hosts", "users", "first_seen",
    "last_seen", "first_release", "last_release", "group_url", "object_id",
)  # fmt: skip


def _seconds(value: object) -> object:
    """15m, 30s, 2h, 1d or a number of seconds."""
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", value.strip())
        if match is None:
            raise ValueError(f"{value!r} is not a duration; write it like 30s, 15m, 2h or 7d")
        return float(match[1]) * _UNITS[match[2]]
    return value


Seconds = Annotated[float, BeforeValidator(_seconds), Field(ge=0, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Secret(_Section):
    """Where a secret is kept. Exactly one of `file`, `env`, `credential` (of systemd's LoadCredential=)."""

    file: str | None = None
    env: str | None = None
    credential: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _never_inline(cls, value: object) -> object:
        if isinstance(value, str):
            raise ValueError('secrets are never written here; use { file = "…" }, { env = "…" } or { credential = "…" }')
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> "Secret":
        if sum(place is not None for place in (self.file, self.env, self.credential)) != 1:
            raise ValueError("give exactly one of file, env, credential")
        return self

    def read(self) -> SecretStr:
        """The secret without its trailing newline. Raises ConfigError naming the place, never the value."""
        try:
            if self.env is not None:
                value = os.environ[self.env]
            else:
                value = self._path().read_text(encoding="utf-8")
        except KeyError as error:
            raise ConfigError([f"the environment variable {error.args[0]} is not set"]) from None
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ConfigError([f"the secret in {self._path()} cannot be read: {why}"]) from None
        value = value.rstrip("\r\n")
        if not value:
            raise ConfigError([f"the secret in {self.env or self._path()} is empty"])
        return SecretStr(value)

    def _path(self) -> Path:
        if self.file is not None:
            return Path(self.file)
        return Path(os.environ["CREDENTIALS_DIRECTORY"], str(self.credential))

    def open_to_others(self) -> bool:
        """True when a file with the secret can be read by other accounts."""
        return self.file is not None and Path(self.file).exists() and bool(Path(self.file).stat().st_mode & 0o077)


class Receiver(_Section):
    """`[receiver]`: where notifications come in."""

    listen: str = "127.0.0.1:8080"
    username: str | None = None
    password: Secret | None = None
    previous_password: Secret | None = None
    allow_unauthenticated: bool = False
    accept_unrecognised: bool = False
    max_body_bytes: Annotated[int, Field(ge=1024, le=64 * 2**20)] = 2**20
    max_connections: Annotated[int, Field(ge=1)] = 1000
    header_seconds: Annotated[Seconds, Field(gt=0)] = 10.0
    body_seconds: Annotated[Seconds, Field(gt=0)] = 15.0
    quarantine_size: Annotated[int, Field(ge=0)] = 1000

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if not (colon and host and port.isdigit() and int(port) < 65536):
            raise ValueError(f'{value!r} is not HOST:PORT; write it like "127.0.0.1:8080" or "[::1]:8080"')
        return value

    @model_validator(mode="after")
    def _credentials(self) -> "Receiver":
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together; give both or neither")
        if self.previous_password is not None and self.password is None:
            raise ValueError("previous_password is for rotation and needs password beside it")
        if self.password is None and not self.allow_unauthenticated and not _loopback(self.address[0]):
            raise ValueError(
                f"{self.listen} can be reached from other machines but nobody must log in; set username and password, "
                "listen on 127.0.0.1, or set allow_unauthenticated = true"
            )
        return self


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class StoreSettings(_Section):
    """`[store]`: where everything is kept."""

    url: str = "sqlite:///syncd.db"
    retention: Seconds = 30 * 86400.0

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        if not re.fullmatch(r"sqlite:///.+", value):
            raise ValueError(f'{value!r} is not a store; write it like "sqlite:///var/lib/syncd/syncd.db" (absolute: four slashes)')
        return value

    @property
    def path(self) -> Path:
        """The database file. As in the design's example, `sqlite:///var/lib/…` is absolute; relative paths have no folder
        that exists at the root."""
        return Path(self.url.removeprefix("sqlite:///"))


class Notifications(_Section):
    """`[notifications]`: how to read what the source says."""

    occurrence_mode: Literal["auto", "cumulative", "window"] = "auto"
    release_attributes: list[str] = ["version"]


class Links(_Section):
    """`[links]`: which hosts of the source may appear as links in issues."""

    hosts: list[str] = ["*.backtrace.io"]


class GitHubSettings(_Section):
    """`[trackers.NAME]` with `kind = "github"`."""

    kind: Literal["github"]
    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    token: Secret
    api_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+(/\S*)?$")] = "https://api.github.com"
    labels: Annotated[list[Annotated[str, Field(min_length=1, max_length=50)]], Field(max_length=20)] = ["crash"]
    ca_file: str | None = None
    timeout: Annotated[Seconds, Field(ge=1)] = 15.0
    concurrency: Annotated[int, Field(ge=1, le=32)] = 1


class JiraSettings(_Section):
    """`[trackers.NAME]` with `kind = "jira"`."""

    kind: Literal["jira"]
    deployment: Literal["cloud", "datacenter"]
    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+(/\S*)?$")]
    project: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
    token: Secret
    email: str | None = None
    issue_type: str = "Bug"
    labels: list[Annotated[str, Field(pattern=r"^\S{1,255}$")]] = ["crash"]
    components: list[str] = []
    priority: str | None = None
    fields: dict[str, str] = {}
    affects_versions: bool = True
    ca_file: str | None = None
    timeout: Annotated[Seconds, Field(ge=1)] = 30.0
    concurrency: Annotated[int, Field(ge=1, le=32)] = 4

    @field_validator("fields")
    @classmethod
    def _known_facts(cls, value: dict[str, str]) -> dict[str, str]:
        for field, template in value.items():
            for name in _PLACEHOLDER.findall(template):
                fact = name.removeprefix("group.")
                if not name.startswith("group.") or fact not in GROUP_FACTS:
                    raise ValueError(
                        f"{field} asks for {{{{ {name} }}}}, which does not exist{_did_you_mean(fact, GROUP_FACTS)}"
                    )
        return value

    @model_validator(mode="after")
    def _login(self) -> "JiraSettings":
        if self.deployment == "cloud" and self.email is None:
            raise ValueError("Jira Cloud logs in with email and API token; set email")
        if self.deployment == "datacenter" and self.email is not None:
            raise ValueError("Jira Data Center logs in with a personal access token alone; remove email")
        return self


class LocalSettings(_Section):
    """`[trackers.NAME]` with `kind = "local"`: one Markdown file per issue."""

    kind: Literal["local"]
    folder: str
    concurrency: Annotated[int, Field(ge=1, le=32)] = 1


class OtherSettings(BaseModel):
    """`[trackers.NAME]` of a kind that another package installs; it judges its own keys in `model_extra`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    concurrency: Annotated[int, Field(ge=1, le=32)] = 1


_BUILT_IN = ("github", "jira", "local")


def _kind(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if kind in _BUILT_IN else "other"


TrackerSettings = GitHubSettings | JiraSettings | LocalSettings | OtherSettings
_AnyTracker = Annotated[
    Annotated[GitHubSettings, Tag("github")]
    | Annotated[JiraSettings, Tag("jira")]
    | Annotated[LocalSettings, Tag("local")]
    | Annotated[OtherSettings, Tag("other")],
    Discriminator(_kind),
]

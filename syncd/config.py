"""config.toml as frozen values. Every problem is reported at once, each with its key and a remedy."""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    Tag,
    ValidationError,
    ValidationInfo,
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


def _address(value: str) -> str:
    """An http(s) URL of a host, maybe with port and path; a login in it would end up in issues as part of links."""
    if not re.fullmatch(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?(/[^\s?#]*)?", value):
        raise ValueError("is not an address; write it like https://HOST or https://HOST:PORT/path, without a login")
    return value


Address = Annotated[str, AfterValidator(_address)]
Seconds = Annotated[float, BeforeValidator(_seconds), Field(ge=0, allow_inf_nan=False)]


def _address(value: str) -> str:
    # Not shown: before an @ stands a password.
    if not re.fullmatch(r"https?://[^/\s@]+(/\S*)?", value):
        raise ValueError('is not an address; write it like "https://jira.example.com", without user name and password')
    return value


Address = Annotated[str, AfterValidator(_address)]


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
            raise ValueError(
                'secrets are never written here; use { file = "…" }, { env = "…" } or { credential = "…" }'
            )
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> "Secret":
        if sum(place is not None for place in (self.file, self.env, self.credential)) != 1:
            raise ValueError("give exactly one of file, env, credential")
        return self

    def read(self) -> SecretStr:
        """The secret without its trailing newline. Raises ConfigError naming the place, never the value."""
        try:
            value = self._path().read_text(encoding="utf-8") if self.env is None else os.environ[self.env]
            value.encode()  # an environment may hold bytes that are no text
        except KeyError as error:
            raise ConfigError([f"the environment variable {error.args[0]} is not set"]) from None
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ConfigError([f"the secret in {self.env or self._path()} cannot be read: {why}"]) from None
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
        try:
            return self.file is not None and bool(Path(self.file).stat().st_mode & 0o077)
        except OSError:
            return False  # what cannot be reached is told when it is read


class Receiver(_Section):
    """`[receiver]`: where notifications come in."""

    # In this order, since a field is judged beside those above it. Judged afterwards, all at once, a fault between
    # two fields would stay unsaid until the last fault in one was corrected.
    listen: str = "127.0.0.1:8080"
    allow_unauthenticated: bool = False
    username: str | None = None
    password: Annotated[Secret | None, Field(validate_default=True)] = None
    previous_password: Secret | None = None
    accept_unrecognised: bool = False
    max_body_bytes: Annotated[int, Field(ge=1024, le=64 * 2**20)] = 2**20
    max_connections: Annotated[int, Field(ge=1)] = 1000
    header_seconds: Annotated[Seconds, Field(gt=0)] = 10.0
    body_seconds: Annotated[Seconds, Field(gt=0)] = 15.0
    quarantine_size: Annotated[int, Field(ge=0)] = 1000

    @property
    def address(self) -> tuple[str, int]:
        return _host_and_port(self.listen)

    @field_validator("listen")
    @classmethod
    def _listen(cls, value: str) -> str:
        if not re.fullmatch(r".+:[0-9]{1,5}", value) or _host_and_port(value)[1] > 65535:
            raise ValueError(f'{value!r} is not HOST:PORT; write it like "127.0.0.1:8080" or "[::1]:8080"')
        return value

    @field_validator("password")
    @classmethod
    def _credentials(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        beside = info.data
        if "username" in beside and (beside["username"] is None) != (value is None):
            raise ValueError("username and password belong together; give both or neither")
        listen = beside.get("listen")
        if value is None and listen and not beside.get("allow_unauthenticated", True) and not _loopback(listen):
            raise ValueError(
                f"{listen} can be reached from other machines but nobody must log in; set username and "
                "password, listen on 127.0.0.1, or set allow_unauthenticated = true"
            )
        return value

    @field_validator("previous_password")
    @classmethod
    def _rotation(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        if value is not None and info.data.get("password", value) is None:
            raise ValueError("is for rotation and needs password beside it")
        return value


def _host_and_port(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def _loopback(listen: str) -> bool:
    host, _ = _host_and_port(listen)
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class StoreSettings(_Section):
    """`[store]`: where everything is kept."""

    url: str = "sqlite:syncd.db"
    retention: Annotated[Seconds, Field(ge=3600)] = 30 * 86400.0

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        if not re.fullmatch(r"sqlite:(/|////?)?[^/].*", value):
            raise ValueError(
                f'{value!r} is not a store; write "sqlite:///var/lib/syncd/syncd.db", or "sqlite:syncd.db" for a file in the '
                "working folder"
            )
        return value

    @property
    def path(self) -> Path:
        """The database file. `sqlite:///a/b.db` is absolute; `sqlite:b.db` and `sqlite:///b.db` lie in the working folder,
        since three slashes before a bare name are other programs' way to say so and nobody keeps a database in `/`."""
        path = self.url.removeprefix("sqlite:").removeprefix("//")
        absolute = re.fullmatch(r"/+([^/]+/.*)", path)
        return Path("/", absolute[1]) if absolute else Path(path.lstrip("/"))


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
    api_url: Address = "https://api.github.com"
    labels: Annotated[list[Annotated[str, Field(min_length=1, max_length=50)]], Field(max_length=20)] = ["crash"]
    ca_file: str | None = None
    timeout: Annotated[Seconds, Field(ge=1)] = 15.0
    concurrency: Annotated[int, Field(ge=1, le=32)] = 1


class JiraSettings(_Section):
    """`[trackers.NAME]` with `kind = "jira"`."""

    kind: Literal["jira"]
    deployment: Literal["cloud", "datacenter"]
    url: Address
    project: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
    token: Secret
    email: Annotated[str | None, Field(validate_default=True)] = None
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
        known = [f"group.{fact}" for fact in GROUP_FACTS]
        unknown = [
            f"{field} asks for {{{{ {name} }}}}, which does not exist{_did_you_mean(name, known)}"
            for field, template in value.items()
            for name in _PLACEHOLDER.findall(template)
            if name not in known
        ]
        if unknown:
            raise ValueError("; ".join(unknown))
        return value

    @field_validator("email")
    @classmethod
    def _login(cls, value: str | None, info: ValidationInfo) -> str | None:
        deployment = info.data.get("deployment")
        if deployment == "cloud" and value is None:
            raise ValueError("is missing; Jira Cloud logs in with email and API token")
        if deployment == "datacenter" and value is not None:
            raise ValueError("does not belong here; Jira Data Center logs in with a personal access token alone")
        return value


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


_SECTIONS: dict[str, type[BaseModel]] = {
    "github": GitHubSettings, "jira": JiraSettings, "local": LocalSettings, "other": OtherSettings,
}  # fmt: skip


def _kind(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) and kind in _SECTIONS else "other"


TrackerSettings = GitHubSettings | JiraSettings | LocalSettings | OtherSettings
_AnyTracker = Annotated[
    Annotated[GitHubSettings, Tag("github")]
    | Annotated[JiraSettings, Tag("jira")]
    | Annotated[LocalSettings, Tag("local")]
    | Annotated[OtherSettings, Tag("other")],
    Discriminator(_kind),
]


class Match(_Section):
    """Which groups a route takes: each given key must fit one of its patterns (`*` and `?` as in a shell)."""

    universe: list[str] = []
    project: list[str] = []
    application: list[str] = []

    @field_validator("*", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


class Route(_Section):
    """`[[routes]]`: which groups go to which tracker, under which policy. The first that matches wins."""

    match: Match = Match()
    tracker: str
    # The store puts nothing off for longer than a day: what is due later it takes for a clock that was set back.
    status_interval: Annotated[Seconds, Field(le=86400)] = 900.0


class Config(_Section):
    """The whole file."""

    receiver: Receiver = Receiver()
    store: StoreSettings = StoreSettings()
    notifications: Notifications = Notifications()
    links: Links = Links()
    trackers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")], _AnyTracker] = {}
    routes: list[Route] = []

    @cached_property
    def all_routes(self) -> list[Route]:
        """The routes; where none is written and there is one tracker, everything goes to it."""
        return self.routes or [Route(tracker=name) for name in self.trackers]


def load(path: Path) -> Config:
    """The configuration in `path`. Raises ConfigError with every problem at once."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: is not TOML: {error}"]) from None
    problems = list(_unroutable(document))
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        problems = [*_problems(error), *problems]
    if problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return config


def _unroutable(document: dict[str, Any]) -> Iterator[str]:
    """Routes that lead nowhere. Judged on the bare document, so that these are told together with all other faults."""
    trackers, routes = document.get("trackers", {}), document.get("routes", [])
    if not isinstance(trackers, dict) or not isinstance(routes, list):
        return
    for number, route in enumerate(routes):
        name = route.get("tracker") if isinstance(route, dict) else None
        if isinstance(name, str) and name not in trackers:
            yield f"routes[{number}].tracker: {name!r} is not configured{_did_you_mean(name, list(trackers))}"
    if len(trackers) > 1 and not routes:
        yield "routes: there are several trackers; say with [[routes]] which groups go where"


def _problems(error: ValidationError) -> Iterator[str]:
    # include_input=False: what was written in the wrong place may be a secret.
    for fault in error.errors(include_input=False, include_url=False):
        section, key = _place(fault["loc"])
        text = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            text = f"there is no such key{_did_you_mean(key.rpartition('.')[2], list(section.model_fields))}"
        elif fault["type"] == "missing":
            text = "is missing"
        yield f"{key}: {text}" if key else text


def _place(location: tuple[int | str, ...]) -> tuple[type[BaseModel], str]:
    """The section a fault lies in and its key as written in TOML, without pydantic's union tags."""
    section: type[BaseModel] = Config
    key = ""
    for depth, part in enumerate(location):
        if location[0] == "trackers" and depth == 2 and isinstance(part, str) and part in _SECTIONS:
            section = _SECTIONS[part]
            continue
        if part == "[key]":
            continue
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else part
        field = section.model_fields.get(str(part))
        section = _section_of(field.annotation if field else None) or section
    return section, key


def _section_of(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _section_of(inner))), None)


def _did_you_mean(word: str, known: list[str] | tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, known, 1)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (known: {', '.join(sorted(known))})" if known else ""


def warnings(config: Config) -> Iterator[str]:
    """What is allowed but unwise, each with its key."""
    secrets: list[tuple[str, Secret | None]] = [
        ("receiver.password", config.receiver.password),
        ("receiver.previous_password", config.receiver.previous_password),
    ]
    for name, tracker in config.trackers.items():
        secrets.append((f"trackers.{name}.token", getattr(tracker, "token", None)))
    for key, secret in secrets:
        if isinstance(secret, Secret) and secret.open_to_others():
            yield f"{key}: {secret.file} can be read by other accounts; chmod 600 it"

"""The sections of config.toml but the trackers'."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from syncd.config.values import Limit, Seconds, Secret, Section


def _listen(value: str) -> str:
    if not re.fullmatch(r".+:[0-9]{1,5}", value) or _host_and_port(value)[1] > 65535:
        raise ValueError(f'{value!r} is not HOST:PORT; write it like "127.0.0.1:8080" or "[::1]:8080"')
    return value


Listen = Annotated[str, AfterValidator(_listen)]


class Receiver(Section):
    """`[receiver]`: where notifications come in."""

    # In this order, since a field is judged beside those above it. Judged afterwards, all at once, a fault between
    # two fields would stay unsaid until the last fault in one was corrected.
    listen: Listen = "127.0.0.1:8080"
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


class ConsoleSettings(Section):
    """`[console]`: the operator's pages, the metrics, and health, on a listener of their own."""

    listen: Annotated[str, AfterValidator(lambda value: value if value == "off" else _listen(value))] = "127.0.0.1:8081"
    allow_unauthenticated: bool = False
    username: str = "operator"
    password: Annotated[Secret | None, Field(validate_default=True)] = None

    @property
    def address(self) -> tuple[str, int] | None:
        """Where it listens; None where it is off."""
        return None if self.listen == "off" else _host_and_port(self.listen)

    @field_validator("password")
    @classmethod
    def _protected(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        listen = info.data.get("listen", "off")
        if (
            value is None
            and listen != "off"
            and not info.data.get("allow_unauthenticated", True)
            and not _loopback(listen)
        ):
            raise ValueError(
                f"{listen} can be reached from other machines, and whoever sees the console may change things; set password, "
                "listen on 127.0.0.1, or set allow_unauthenticated = true"
            )
        return value


class StoreSettings(Section):
    """`[store]`: where everything is kept."""

    url: str = "sqlite:syncd.db"
    # Of the PostgreSQL user; never in the URL, which is printed.
    password: Secret | None = None
    retention: Annotated[Seconds, Field(ge=3600)] = 30 * 86400.0
    history: Annotated[Seconds, Field(ge=86400)] = 365 * 86400.0

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        scheme, _, rest = value.partition("://")
        if scheme in ("postgresql", "postgres"):
            return _without_password(scheme, rest)
        if not re.fullmatch(r"sqlite:(/|////?)?[^/].*", value):
            shown = f"{scheme}://…" if rest else value  # what follows may hold a password
            raise ValueError(
                f'{shown!r} is not a store; write "sqlite:///var/lib/syncd/syncd.db", "sqlite:syncd.db" for a file in the '
                'working folder, or "postgresql://user@host/database"'
            )
        return value

    @field_validator("password")
    @classmethod
    def _for_a_server(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        if value is not None and str(info.data.get("url", "postgresql:")).startswith("sqlite:"):
            raise ValueError("is for a PostgreSQL server; a file has none")
        return value

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """Which database it is."""
        return "sqlite" if self.url.startswith("sqlite:") else "postgresql"

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return str(self.path) if self.dialect == "sqlite" else self.url.partition("?")[0]

    @property
    def path(self) -> Path:
        """The database file. `sqlite:///a/b.db` is absolute; `sqlite:b.db` and `sqlite:///b.db` lie in the working folder,
        since three slashes before a bare name are other programs' way to say so and nobody keeps a database in `/`."""
        path = self.url.removeprefix("sqlite:").removeprefix("//")
        absolute = re.fullmatch(r"/+([^/]+/.*)", path)
        return Path("/", absolute[1]) if absolute else Path(path.lstrip("/"))


def _without_password(scheme: str, rest: str) -> str:
    """The URL as it is. Raises ValueError for one with a password: it would be seen wherever the URL is."""
    authority, _, query = rest.partition("?")
    user = authority.rpartition("@")[0]
    if ":" in user or re.search(r"(^|&)(ssl)?password=", query):
        raise ValueError(
            'a password does not belong into the URL; write store.password = { file = "/etc/syncd/postgresql-password" }'
        )
    return f"{scheme}://{rest}"


class Notifications(Section):
    """`[notifications]`: how to read what the source says."""

    occurrence_mode: Literal["auto", "cumulative", "window"] = "auto"
    release_attributes: list[str] = ["version"]
    # What in such an attribute is the release: the first group of the expression, or all that it matches.
    release_pattern: str | None = None
    ignore_releases: list[str] = []
    # What reports without a stack have in common is no crash: Backtrace gives all of them the fingerprint 000…0.
    zero_fingerprint: Literal["hold", "frames", "file"] = "hold"

    @field_validator("release_pattern")
    @classmethod
    def _expression(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"{value!r} is not a regular expression: {error}") from None
        return value


class Links(Section):
    """`[links]`: which hosts of the source may appear as links in issues."""

    hosts: list[str] = ["*.backtrace.io"]


class Privacy(Section):
    """`[privacy]`: which attributes may appear in issues, and what is taken out of every text."""

    attributes: list[str] = [
        "version", "uname.sysname", "uname.version", "os", "os.version", "os_version", "device.model", "environment",
    ]  # fmt: skip
    scrub_user_folders: bool = True
    scrub_emails: bool = True
    scrub_ips: bool = True
    scrub_tokens: bool = True


class Titles(Section):
    """`[titles]`: what a title names."""

    skip_frames: list[str] = []  # besides those that every stack has
    only_these: bool = False


def _one_or_many(value: object) -> object:
    if value == []:
        raise ValueError("an empty list would match nothing; leave the key out to match everything")
    return [value] if isinstance(value, str) else value


Patterns = Annotated[list[str], BeforeValidator(_one_or_many)]


class Conditions(Section):
    """Which groups are meant: each given key must fit one of its patterns (`*` and `?` as in a shell)."""

    universe: Patterns = []
    project: Patterns = []
    application: Patterns = []
    classifiers: Patterns = []
    releases: Patterns = []
    attributes: dict[str, Patterns] = {}


class Match(Conditions):
    """Which groups a route takes. `not` takes those out again that fit any one of its keys."""

    unless: Conditions = Field(default=Conditions(), alias="not")


class LabelRule(Section):
    """One label for the groups that have a classifier, or an attribute with a value. `{value}` in it is what matched."""

    classifier: str | None = None
    attribute: str | None = None
    value: str = "*"
    label: Annotated[str, Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _one_of_both(self) -> "LabelRule":
        if (self.classifier is None) == (self.attribute is None):
            raise ValueError("give exactly one of classifier, attribute")
        return self


class OwnerRule(Section):
    """Who gets the issue, or which component, when the first meaningful frames or its module fit."""

    frame: str | None = None
    module: str | None = None
    assignee: str | None = None
    component: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> "OwnerRule":
        if self.frame is None and self.module is None:
            raise ValueError("give frame or module, or both")
        if self.assignee is None and self.component is None:
            raise ValueError("give assignee or component, or both")
        return self


Count = Annotated[int, Field(ge=0)]


class Route(Section):
    """`[[routes]]`: which groups go to which tracker, under which policy. The first that matches wins."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")] = ""  # "" is filled by `Config.all_routes`
    match: Match = Match()
    tracker: str
    # The store puts nothing off for longer than a day: what is due later it takes for a clock that was set back.
    # Jira lets an issue be written 20 times in 2 seconds and 100 times in 30.
    status_interval: Annotated[Seconds, Field(ge=1, le=86400)] = 900.0
    # What becomes of a group whose issue somebody deleted in the tracker.
    on_deleted: Literal["drop", "recreate"] = "drop"
    # What a group must have before it is filed; `within` is the time in which it must have had it.
    min_occurrences: Count = 0
    min_users: Count = 0
    min_hosts: Count = 0
    min_age: Seconds = 0.0
    within: Annotated[Seconds, Field(ge=60, le=30 * 86400)] | None = None
    hold_unsymbolicated: bool = False
    # Above these, groups are held back and one issue tells of them all.
    max_new_issues: list[Limit] = [Limit(count=100, seconds=3600.0), Limit(count=500, seconds=86400.0)]
    max_updates: list[Limit] = [Limit(count=2000, seconds=3600.0)]
    on_regression: Literal["reopen", "comment", "new_issue"] = "reopen"
    reopen_window: Annotated[Seconds, Field(gt=0)] | None = None
    min_regression_occurrences: Annotated[int, Field(ge=1)] = 1
    hotfix_regressions: bool = False
    unknown_release: Literal["note", "regression"] = "note"
    wont_fix: list[str] = [
        "not_planned", "won*t fix", "wontfix", "won*t do", "cancel*", "invalid", "declined", "rejected", "cannot reproduce",
        "not a bug", "works as *", "abandoned", "obsolete",
    ]  # fmt: skip
    duplicate: list[str] = ["duplicate*"]
    ignore_label: str = "syncd:ignore"
    comment_new_release: bool = False
    comment_milestones: bool = False
    quiet_after: Annotated[Seconds, Field(ge=3600)] | None = None
    labels: list[LabelRule] = []
    owners: list[OwnerRule] = []
    templates: str | None = None

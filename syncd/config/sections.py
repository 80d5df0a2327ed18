"""The sections of config.toml but the trackers'."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from syncd.config.values import Seconds, Secret, Section


class Receiver(Section):
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


class StoreSettings(Section):
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


class Notifications(Section):
    """`[notifications]`: how to read what the source says."""

    occurrence_mode: Literal["auto", "cumulative", "window"] = "auto"
    release_attributes: list[str] = ["version"]


class Links(Section):
    """`[links]`: which hosts of the source may appear as links in issues."""

    hosts: list[str] = ["*.backtrace.io"]


class Match(Section):
    """Which groups a route takes: each given key must fit one of its patterns (`*` and `?` as in a shell)."""

    universe: list[str] = []
    project: list[str] = []
    application: list[str] = []

    @field_validator("*", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        if value == []:
            raise ValueError("an empty list would match nothing; leave the key out to match everything")
        return [value] if isinstance(value, str) else value


class Route(Section):
    """`[[routes]]`: which groups go to which tracker, under which policy. The first that matches wins."""

    match: Match = Match()
    tracker: str
    # The store puts nothing off for longer than a day: what is due later it takes for a clock that was set back.
    # Jira lets an issue be written 20 times in 2 seconds and 100 times in 30.
    status_interval: Annotated[Seconds, Field(ge=1, le=86400)] = 900.0
    # What becomes of a group whose issue somebody deleted in the tracker.
    on_deleted: Literal["drop", "recreate"] = "drop"

"""The sections of config.toml but the trackers'."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from syncd.config.values import Seconds, Secret, Section


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
    """`HOST:PORT`; port 0 lets the system choose, the log says which"""
    allow_unauthenticated: bool = False
    """listen on other addresses without a login all the same"""
    username: str | None = None
    """HTTP Basic, with `password`. Without them whatever comes is taken, and only loopback is listened on"""
    password: Annotated[Secret | None, Field(validate_default=True)] = None
    """a secret; belongs to `username`"""
    previous_password: Secret | None = None
    """valid beside `password` while the sender is given the new one"""
    accept_unrecognised: bool = False
    """answer 200, not 422, to authentic JSON that is no notification; it is kept in the quarantine either way"""
    max_body_bytes: Annotated[int, Field(ge=1024, le=64 * 2**20)] = 2**20
    """larger is 413"""
    max_connections: Annotated[int, Field(ge=1)] = 1000
    """more are answered 503"""
    header_seconds: Annotated[Seconds, Field(gt=0)] = 10.0
    """a connection whose header is not complete by then is closed"""
    body_seconds: Annotated[Seconds, Field(gt=0)] = 15.0
    """a body that is not complete by then is 408"""
    quarantine_size: Annotated[int, Field(ge=0)] = 1000
    """the newest so many are kept"""

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
    """where pages, metrics and health are: `HOST:PORT`, or `"off"`. A console that cannot listen is told in the log
    and keeps nothing else from running"""
    allow_unauthenticated: bool = False
    """listen on other addresses without a password all the same; whoever sees the console may change things"""
    username: str = "operator"
    """of the login, where there is a password"""
    password: Annotated[Secret | None, Field(validate_default=True)] = None
    """a secret; needed unless only loopback is listened on. Without one, only requests under a loopback name are
    answered"""

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
    """`sqlite:///var/lib/syncd/syncd.db` is absolute; `sqlite:NAME` lies in the working folder;
    `postgresql://user@host/database` is a server that several machines share
    ([operate](operate.md#more-than-one-machine))"""
    # Of the PostgreSQL user; never in the URL, which is printed.
    password: Secret | None = None
    """of the PostgreSQL user; it never stands in the URL. Without it libpq looks where it always does (`PGPASSFILE`,
    peer)"""
    retention: Annotated[Seconds, Field(ge=3600)] = 30 * 86400.0
    """how long raw deliveries are kept after they were folded, and for how long an exact redelivery is told"""
    history: Annotated[Seconds, Field(ge=86400)] = 365 * 86400.0
    """how long decisions (`explain`, `show`) are kept; the latest of each group always is"""

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
    """what `occurrences` counts; see below"""
    release_attributes: list[str] = ["version"]
    """the attribute that names the release: the first of these that a notification has"""
    # What in such an attribute is the release: the first group of the expression, or all that it matches.
    release_pattern: str | None = None
    """a regular expression; the release is its first group, or all that it matches: `"build ([0-9.]+)"` makes `1.2.3`
    of `build 1.2.3 (abc)`. A value that does not match is no release"""
    ignore_releases: list[str] = []
    """patterns of what is no release: `["999.*", "*-dev"]`. Its occurrences count in the group"""
    # What reports without a stack have in common is no crash: Backtrace gives all of them the fingerprint 000…0.
    zero_fingerprint: Literal["hold", "frames", "file"] = "hold"
    """the fingerprint `000…0`, which all reports without a stack have in common: `"hold"` keeps it visible and
    unfiled, `"frames"` tells such reports apart by application and top frames where they have any, `"file"` files
    it as one crash"""

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
    """hosts whose https addresses may be links in issues; others are shown as text. Nothing there is ever fetched"""


class Privacy(Section):
    """`[privacy]`: which attributes may appear in issues, and what is taken out of every text."""

    attributes: list[str] = [
        "version", "uname.sysname", "uname.version", "os", "os.version", "os_version", "device.model", "environment",
    ]  # fmt: skip
    """patterns of the attributes that may appear in issues; all others stay here"""
    scrub_user_folders: bool = True
    r"""`/home/alice`, `C:\Users\alice` become `/home/<user>`, … in every text that leaves"""
    scrub_emails: bool = True
    """e-mail addresses"""
    scrub_ips: bool = True
    """IP addresses"""
    scrub_tokens: bool = True
    """keys, tokens, passwords"""


class Titles(Section):
    """`[titles]`: what a title names."""

    skip_frames: list[str] = []  # besides those that every stack has
    """patterns of functions that say nothing about a crash and are not named in a title, besides those every program
    has (`abort`, `memcpy`, allocators, panic machinery)"""
    only_these: bool = False
    """the built-in ones are not skipped"""

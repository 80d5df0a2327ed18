"""The sections of config.toml except trackers and routes."""

import re
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from syncd.config.values import Expression, Globs, Seconds, Secret, Section, on_this_machine, public_address
from syncd.config.views import Views
from syncd.core.titles import Rules


def _listen(value: str) -> str:
    if not re.fullmatch(r".+:[0-9]{1,5}", value) or _host_and_port(value)[1] > 65535:
        raise ValueError(f'{value!r} is not HOST:PORT; write it like "127.0.0.1:8080" or "[::1]:8080"')
    return value


Listen = Annotated[str, AfterValidator(_listen)]


class Receiver(Section):
    """`[receiver]`: where the source sends notifications."""

    # The order matters: each field is validated together with the fields above it. A validator of the whole section would report
    # a contradiction between two fields only after every single field is valid.
    listen: Listen = "127.0.0.1:8080"
    """`HOST:PORT`; with port 0 the system chooses a port, which the log names"""
    allow_unauthenticated: bool = False
    """accept addresses beyond loopback without a login"""
    username: str | None = None
    """HTTP Basic, with `password`, in UTF-8, Latin-1 or Windows-1252. Without both, syncd accepts every sender and listens only on loopback"""
    password: Annotated[Secret | None, Field(validate_default=True)] = None
    """a secret; required with `username`"""
    previous_password: Secret | None = None
    """the old password, still accepted during rotation"""
    accept_unrecognised: bool = False
    """answer 200 instead of 400, 415 or 422 to an authenticated body that cannot be read as a notification; the quarantine keeps it in both cases"""
    max_body_bytes: Annotated[int, Field(ge=1024, le=64 * 2**20)] = 2**20
    """a larger body is answered 413"""
    max_connections: Annotated[int, Field(ge=1)] = 1000
    """syncd closes connections without a login, the oldest first, before it answers further ones 503"""
    header_seconds: Annotated[Seconds, Field(gt=0)] = 10.0
    """syncd closes a connection whose header takes longer"""
    body_seconds: Annotated[Seconds, Field(gt=0)] = 15.0
    """a body that takes longer is answered 408"""
    quarantine_size: Annotated[int, Field(ge=0)] = 1000
    """the number of deliveries that the quarantine keeps; the oldest leave first"""
    quarantine_bytes: Annotated[int, Field(ge=2**20)] = 64 * 2**20
    """the size of all these together, but for the newest"""

    @property
    def address(self) -> tuple[str, int]:
        return _host_and_port(self.listen)

    @field_validator("password")
    @classmethod
    def _credentials(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        data = info.data
        if "username" in data and (data["username"] is None) != (value is None):
            raise ValueError("username and password belong together; set both or neither")
        listen = data.get("listen")
        if value is None and listen and not data.get("allow_unauthenticated", True) and not is_loopback(listen):
            raise ValueError(
                f"other machines can reach {listen}, and no login is required; set username and "
                "password, listen on 127.0.0.1, or set allow_unauthenticated = true"
            )
        return value

    @field_validator("previous_password")
    @classmethod
    def _rotation(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        if value is not None and info.data.get("password", value) is None:
            raise ValueError("is for rotation, and needs password as well")
        return value


def _host_and_port(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def is_loopback(listen: str) -> bool:
    """True if only this machine can reach `HOST:PORT`."""
    return on_this_machine(_host_and_port(listen)[0])


# What an identity provider may call a user: letters and digits of any script, and what mail addresses and Windows' accounts have besides.
NAME = r"[\w.@+\-\\|~:/]{1,128}"
# Every browser sends these, whoever is logged in.
_OF_BROWSERS = frozenset(
    ("accept", "authorization", "connection", "content-type", "cookie", "host", "origin", "referer", "user-agent")
)


def _header_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", value):
        raise ValueError(f'{value!r} is no name of a header; write it like "X-Forwarded-User"')
    if value.lower() in _OF_BROWSERS or value.lower().startswith(("sec-", "accept-", "content-")):
        raise ValueError(
            f'browsers send {value} themselves; name a header that only the proxy sets, like "X-Forwarded-User"'
        )
    return value.lower()


def _network(value: str) -> str:
    try:
        network = ip_network(value)
    except ValueError:
        raise ValueError(f'{value!r} is no address or network; write it like "127.0.0.1" or "10.1.2.0/24"') from None
    if network.prefixlen == 0:
        raise ValueError(f"{value} is every address, and anybody could log in as anybody; name those of the proxy")
    return value


def _host_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]", value):
        raise ValueError(f'{value!r} is no host name; write it like "syncd.example.com", without scheme and port')
    return value.lower()


def _user_name(value: str) -> str:
    if not re.fullmatch(NAME, value):
        raise ValueError(f"{value!r} is no name that the header may have: 1 to 128 letters, digits and ._@+-\\|~:/")
    return value


def _group_name(value: str) -> str:
    if not value.strip() or value != value.strip() or "," in value:
        raise ValueError(f"{value!r} is no group; commas separate groups in the header")
    return value


HeaderName = Annotated[str, AfterValidator(_header_name)]
Network = Annotated[str, AfterValidator(_network)]
HostName = Annotated[str, AfterValidator(_host_name)]
UserName = Annotated[str, AfterValidator(_user_name)]
GroupName = Annotated[str, AfterValidator(_group_name)]


class ConsoleSettings(Section):
    """`[console]`: the operator's pages, metrics and health, on their own listener."""

    listen: Annotated[str, AfterValidator(lambda value: value if value == "off" else _listen(value))] = "127.0.0.1:8081"
    """`HOST:PORT` of pages, metrics and health, or `"off"`. If the console cannot listen, syncd logs that and runs
    without it"""
    url: Annotated[str, AfterValidator(public_address)] = ""
    """the address under which people reach the console, `https` only: `"https://syncd.example.com"`. With it issues link to the console"""
    allow_unauthenticated: bool = False
    """accept addresses beyond loopback without a password; everybody who sees the console may change things"""
    trusted_header: HeaderName | None = None
    """the header in which a proxy names the user that it logged in, such as `"X-Forwarded-User"` or `"Remote-User"`. Then every request needs this
    header or a password"""
    trusted_proxies: Annotated[list[Network], Field(validate_default=True)] = []
    """the addresses and networks from which `trusted_header` counts: `["127.0.0.1", "10.1.2.0/24"]`; required with it. From all others it is
    ignored"""
    hosts: list[HostName] = []
    """with `trusted_header`: the names under which browsers reach the proxy, if it passes on their Host: `["syncd.example.com"]`"""
    operators: list[UserName] = []
    """the names in `trusted_header` that may change things, letter for letter; all others read only"""
    groups_header: HeaderName | None = None
    """the header in which the proxy lists the user's groups, with commas: `"X-Forwarded-Groups"`"""
    operator_groups: list[GroupName] = []
    """the groups whose members may change things"""
    username: str = "operator"
    """the user name of the login"""
    password: Annotated[Secret | None, Field(validate_default=True)] = None
    """a secret; required beyond loopback without `trusted_header`. Without both the console answers only requests under a loopback name"""
    reader_username: str = "reader"
    """the user name of a second login, which reads every page and changes nothing"""
    reader_password: Secret | None = None
    """a secret; without it there is no such login"""
    views: Views = {}
    """saved views of the list of groups: a name, and what follows the ? in the address: `{ "Client, open" = "project=game&state=open" }`"""

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port; None if the console is off."""
        return None if self.listen == "off" else _host_and_port(self.listen)

    @cached_property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`trusted_proxies` as networks."""
        return tuple(ip_network(network) for network in self.trusted_proxies)

    @field_validator("trusted_header")
    @classmethod
    def _exclusive(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("allow_unauthenticated"):
            raise ValueError(
                "allow_unauthenticated = true lets everybody change things without this header; remove one of the two"
            )
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _named(cls, value: list[str], info: ValidationInfo) -> list[str]:
        if not value and info.data.get("trusted_header") is not None:
            raise ValueError(
                "anybody could send trusted_header; name the addresses of the proxy that sets it, such as "
                'trusted_proxies = ["127.0.0.1"]'
            )
        return value

    @field_validator("trusted_proxies", "hosts", "operators", "groups_header", "operator_groups")
    @classmethod
    def _of_a_proxy(cls, value: object, info: ValidationInfo) -> object:
        needed = "groups_header" if info.field_name == "operator_groups" else "trusted_header"
        if value and info.data.get(needed, "") is None:
            raise ValueError(f"counts only with {needed}; set that as well, or remove this key")
        if info.field_name == "groups_header" and value and value == info.data.get("trusted_header"):
            raise ValueError("is the header of the user's name already; name the header of the groups")
        return value

    @field_validator("password")
    @classmethod
    def _protected(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        listen = info.data.get("listen", "off")
        if (
            value is None
            and listen != "off"
            and not info.data.get("allow_unauthenticated", True)
            and info.data.get("trusted_header", "") is None
            and not is_loopback(listen)
        ):
            raise ValueError(
                f"other machines can reach {listen}, and everybody who sees the console may change things; set password, "
                "listen on 127.0.0.1, or set allow_unauthenticated = true"
            )
        return value

    @field_validator("reader_password")
    @classmethod
    def _beside_an_operator(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        data = info.data
        if value is not None and data.get("password", value) is None and data.get("trusted_header", "") is None:
            raise ValueError(
                "without password everybody may change things, whatever this login may do; set password as well"
            )
        if value is not None and data.get("reader_username") == data.get("username"):
            raise ValueError("both logins have the same user name; set another reader_username")
        return value


class StoreSettings(Section):
    """`[store]`: the database."""

    url: str = "sqlite:syncd.db"
    """`sqlite:///var/lib/syncd/syncd.db` is an absolute path; `sqlite:NAME` is a file in the working folder;
    `postgresql://user@host/database` is a server that several machines can share
    ([operate](operate.md#more-than-one-machine))"""
    # Not in the URL, which logs and commands print.
    password: Secret | None = None
    """the PostgreSQL user's password, a secret; not allowed in the URL. Without it libpq looks in its usual places
    (`PGPASSFILE`, peer)"""
    retention: Annotated[Seconds, Field(ge=3600)] = 30 * 86400.0
    """how long syncd keeps raw deliveries after folding them, and recognises exact redeliveries"""
    history: Annotated[Seconds, Field(ge=86400)] = 365 * 86400.0
    """how long syncd keeps decisions (`explain`, `show`) and the audit; it always keeps the latest decision of each group"""

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        scheme, _, rest = value.partition("://")
        if scheme in ("postgresql", "postgres"):
            return _without_password(scheme, rest)
        if not re.fullmatch(r"sqlite:(/|////?)?[^/].*", value):
            start = f"{scheme}://…" if rest else value  # the rest may hold a password
            raise ValueError(
                f'{start!r} is not a store; write "sqlite:///var/lib/syncd/syncd.db", "sqlite:syncd.db" for a file in the '
                'working folder, or "postgresql://user@host/database"'
            )
        return value

    @field_validator("password")
    @classmethod
    def _for_a_server(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        if value is not None and str(info.data.get("url", "postgresql:")).startswith("sqlite:"):
            raise ValueError("is only for PostgreSQL; a SQLite file has no password")
        return value

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """The kind of database."""
        return "sqlite" if self.url.startswith("sqlite:") else "postgresql"

    @property
    def place(self) -> str:
        """The file or the server, without options, for messages."""
        return str(self.path) if self.dialect == "sqlite" else self.url.partition("?")[0]

    @property
    def path(self) -> Path:
        """The database file. `sqlite:///a/b.db` is absolute; `sqlite:b.db` and `sqlite:///b.db` are in the working folder, since other
        programs write three slashes for a relative name, and nobody keeps a database in `/`."""
        path = self.url.removeprefix("sqlite:").removeprefix("//")
        absolute = re.fullmatch(r"/+([^/]+/.*)", path)
        return Path("/", absolute[1]) if absolute else Path(path.lstrip("/"))


def _without_password(scheme: str, rest: str) -> str:
    """The URL unchanged. Raises ValueError if it has a password, which would appear wherever the URL does."""
    authority, _, query = rest.partition("?")
    user = authority.rpartition("@")[0]
    if ":" in user or re.search(r"(^|&)(ssl)?password=", query):
        raise ValueError(
            'a password does not belong in the URL; write store.password = { file = "/etc/syncd/postgresql-password" }'
        )
    return f"{scheme}://{rest}"


class Notifications(Section):
    """`[notifications]`: how to read notifications."""

    occurrence_mode: Literal["auto", "cumulative", "window"] = "auto"
    """the meaning of `occurrences`; see below"""
    # Where Backtrace's SDKs put it. Electron writes its own version to `ver` and that of the application to `_version`.
    release_attributes: list[str] = ["application.version", "version", "application_version", "_version", "ver"]
    """attributes that name the release; the first that a notification has counts"""
    release_pattern: Expression | None = None
    """a regular expression; the release is its first group, or the whole match: `"build ([0-9.]+)"` makes `1.2.3` of
    `build 1.2.3 (abc)`. A value that does not match is no release. The syntax is that of
    [RE2](https://github.com/google/re2/wiki/Syntax), which reads any value quickly: it has no look-around and no back-references. A pattern that
    takes more than 2,000 steps for a character, such as `(?:.?){999}`, is refused. syncd reads 65,536 characters of values, the commonest first"""
    ignore_releases: Globs = []
    """patterns of values that are no releases: `["999.*", "*-dev"]`. The group still counts their occurrences"""
    # Backtrace gives the fingerprint 000…0 to reports without a stack, and to some that have one with symbols.
    zero_fingerprint: Literal["hold", "frames", "file"] = "frames"
    """what to do with the fingerprint `000…0`, which all reports share that Backtrace could not tell apart: `"frames"` separates them by
    application and top frames, and holds those whose stack has no names; `"hold"` holds all of them, shown and not filed; `"file"` files
    them as one crash"""


class Links(Section):
    """`[links]`: which hosts issues may link to."""

    hosts: list[str] = ["*.backtrace.io"]
    """hosts whose https addresses become links in issues; other addresses stay text. syncd never fetches them"""
    query: list[str] = ["aperture", "filters", "fingerprint", "similarity", "stats", "time"]
    """names of parameters that stay in these addresses, unless their value has something private; syncd cuts all other parameters, and
    what follows `#`. The default has those of Backtrace's own pages"""


class Privacy(Section):
    """`[privacy]`: which attributes may appear in issues, and what syncd redacts in every text."""

    # What developers ask for of what Backtrace's SDKs send: which build, system, device, driver, browser and process crashed.
    attributes: Globs = [
        "version", "application.version", "application_version", "_version", "ver", "application.build", "application.unity.version", "build.type", "environment", "channel",
        "error.type", "os", "os.version", "os_version", "uname.sysname", "uname.version", "uname.machine", "cpu.arch", "platform",
        "device.model", "device.manufacturer", "device.brand", "device.vendor", "device.type", "device.sdk", "device.osName", "device.osVersion", "device.os_version",
        "graphic.name", "graphic.driver.version", "scene.name", "scripting.backend", "EngineVersion",
        "browser.name", "browser.version", "process_type", "ptype", "electron.process", "backtrace.agent",
    ]  # fmt: skip
    """patterns of attributes that may appear in issues; all others stay in the store. Attributes that point to a person or a device
    (`guid`, `hostname`, `device.name`, users, sessions, mail, addresses, paths, pages, comments) never appear: `syncd check` lists them"""
    never: Globs = []
    """more patterns of attributes that never appear, whatever `attributes` allows. `deviceName`, `device_name` and `device.name` are the
    same name here"""
    scrub_user_folders: bool = True
    r"""`/home/alice`, `C:\Users\alice`, `USER=alice` become `/home/<user>`, … in every text that leaves syncd"""
    scrub_emails: bool = True
    """redact e-mail addresses"""
    scrub_ips: bool = True
    """redact IP addresses"""
    scrub_tokens: bool = True
    """redact keys, tokens and passwords"""
    scrub_devices: bool = True
    """redact hardware addresses, and the names and identifiers of devices"""


class Titles(Section):
    """`[titles]`: which function a title names, by patterns in addition to the built-in lists of each language and engine."""

    skip_frames: Globs = []
    """patterns of functions that no title names: they never explain a crash, as `abort`"""
    prefix_frames: Globs = []
    """patterns of functions that a title names only where nothing better follows, as `memcpy`"""
    library_frames: Globs = []
    """patterns of functions of libraries, which a title names only where no function of the program follows"""
    own_frames: Globs = []
    """patterns of functions of the program, whatever the built-in lists say of them"""
    only_these: bool = False
    """use only these patterns, and not the built-in lists"""

    def rules(self) -> Rules:
        """These patterns as the core's rules."""
        return Rules(
            skip_frames=tuple(self.skip_frames),
            prefix_frames=tuple(self.prefix_frames),
            library_frames=tuple(self.library_frames),
            own_frames=tuple(self.own_frames),
            only_these=self.only_these,
        )

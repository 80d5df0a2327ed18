"""Types of keys in all sections: durations, addresses, limits, secrets."""

import base64
import binascii
import difflib
import hashlib
import hmac
import math
import os
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import structlog
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    model_validator,
)

from syncd.core.budget import Limit
from syncd.core.patterns import check_expression, check_glob, check_globs
from syncd.core.quantities import duration
from syncd.errors import ConfigError
from syncd.platform import access

log = structlog.get_logger("syncd")

_LIMIT = re.compile(r"(\d{1,7})/(\d{1,4})\s*([smhd])")
RUNNING = "/run/credentials"  # the folder in which each running service has its copies
CREDENTIALS = "/etc/syncd/credentials"  # the folder whose files systemd loads as credentials
LOADED = "syncd"  # the name under which the package's unit loads that whole folder
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _seconds(value: object) -> object:
    """15m, 30s, 2h, 1d or a number of seconds."""
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", value.strip())
        if match is None:
            raise ValueError(f"{value!r} is not a duration; write it like 30s, 15m, 2h or 7d")
        return float(match[1]) * UNITS[match[2]]
    return value


def _seconds_or_off(value: object) -> object:
    """15m, or `off` for never."""
    return math.inf if value == "off" else _seconds(value)


def _address(value: str) -> str:
    """An http(s) URL with a host, and optionally a port and a path. A login in it would appear in links in issues."""
    # The message omits the value: it may hold a password before an @.
    if not re.fullmatch(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?(/[^\s?#]*)?", value):
        raise ValueError('is not an address; write it like "https://jira.example.com", without user name and password')
    return value


def _day(value: object) -> object:
    """2027-01-31, as TOML's date or as text."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError(f"{value!r} is not a day; write it like 2027-01-31") from None


def _repository(value: str) -> str:
    """owner/name."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", value):
        address = re.search(r"[/:]([\w.-]+/[\w.-]+?)(?:\.git)?/?$", value)
        raise ValueError(f'{value!r} is not a repository; write "{address[1] if address else "owner/name"}"')
    return value


def _glob(value: str) -> str:
    """game-*, [Gg]ame-?."""
    check_glob(value)
    return value


def _globs(values: list[str]) -> list[str]:
    check_globs(values)
    return values


def _expression(value: str) -> str:
    check_expression(value)
    return value


Glob = Annotated[str, AfterValidator(_glob)]
Globs = Annotated[list[Glob], AfterValidator(_globs)]
Day = Annotated[date, BeforeValidator(_day)]
Expression = Annotated[str, AfterValidator(_expression)]
Address = Annotated[str, AfterValidator(_address)]
RepositoryName = Annotated[str, AfterValidator(_repository)]
Seconds = Annotated[float, BeforeValidator(_seconds), Field(ge=0, allow_inf_nan=False)]
Interval = Annotated[float, BeforeValidator(_seconds_or_off), Field(ge=60)]  # infinite for "off"


class Section(BaseModel):
    """One section of config.toml. The text below a key is its description in docs/configure.md."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _limit(value: object) -> object:
    """75/1m, 480/1h."""
    if isinstance(value, Limit):
        return value
    match = _LIMIT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a limit; write it like 75/1m or 480/1h")
    limit = Limit(int(match[1]), float(match[2]) * UNITS[match[3]])
    if limit.count < 1 or not 0 < limit.seconds <= 86400:
        raise ValueError(f"{value!r} is not a limit; it must allow at least one write, in at most a day")
    return limit


WriteLimit = Annotated[Limit, BeforeValidator(_limit)]


class Secret(Section):
    """The place of a secret: exactly one of `file`, `env`, `credential` (systemd's LoadCredential=)."""

    file: str | None = None
    env: str | None = None
    credential: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _never_inline(cls, value: object) -> object:
        if isinstance(value, str):
            raise ValueError(
                'a secret does not belong in this file; use { file = "…" }, { env = "…" } or { credential = "…" }'
            )
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> "Secret":
        if sum(place is not None for place in (self.file, self.env, self.credential)) != 1:
            raise ValueError("set exactly one of file, env, credential")
        return self

    def read(self, key: str) -> SecretStr:
        """The secret without its trailing newline. Raises ConfigError naming the place and `key`, which has it in the configuration, never
        the value."""
        try:
            value = (
                self._path().read_text(encoding="utf-8").removeprefix("\ufeff")
                if self.env is None
                else os.environ[self.env]
            )
            value.encode()  # the environment may hold bytes that are no text
        except KeyError as error:
            raise ConfigError([f"{key}: the environment variable {error.args[0]} is not set"]) from None
        except (OSError, UnicodeError) as error:
            why = access.explain(error, named=True) if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ConfigError([f"{key}: the secret in {self.env or self._path()} cannot be read: {why}"]) from None
        value = value.rstrip("\r\n")
        if not value:
            raise ConfigError([f"{key}: the secret in {self.env or self._path()} is empty"])
        return SecretStr(value)

    @property
    def place(self) -> str:
        """The kind and name of the place, which identifies the secret."""
        kind = next(kind for kind in ("file", "env", "credential") if getattr(self, kind) is not None)
        return f"{kind} {getattr(self, kind)}"

    def renewal(self, key: str) -> str:
        """Where the secret of `key` comes from, and when a new one counts."""
        if self.file is not None:
            return f"{key} comes from the file {self.file}; syncd reads a new one there without a restart"
        if self.env is not None:
            return f"{key} comes from the environment variable {self.env}; after setting a new one, restart syncd"
        return (
            f"{key} is the systemd credential {self.credential}; write a new one into {CREDENTIALS}/{self.credential}, then "
            "`systemctl restart syncd`, since the service has a copy of its start"
        )

    def outdated(self) -> list[str]:
        """The running services whose copy of this credential is not the one in CREDENTIALS; none that this user may not compare."""
        services = []
        for name in (f"{LOADED}_{self.credential}", f"{self.credential}"):
            for copy in [] if self.credential is None else Path(RUNNING).glob(f"*/{name}"):
                with suppress(OSError):
                    if copy.read_bytes() != Path(CREDENTIALS, f"{self.credential}").read_bytes():
                        services.append(copy.parent.name)
        return services

    def version(self) -> object:
        """A value that changes when the file of the secret is written or replaced; None if it has no file or the file cannot be looked at."""
        try:
            status = None if self.env is not None else self._path().stat()
        except OSError:
            return None
        return status and (status.st_mtime_ns, status.st_ino, status.st_size)

    def _path(self) -> Path:
        if self.file is not None:
            return Path(self.file)
        name = str(self.credential)
        if (folder := os.environ.get("CREDENTIALS_DIRECTORY")) is None:
            return Path(CREDENTIALS, name)  # a command that root runs outside of the service
        # systemd.exec(5): a credential from a loaded folder has the folder's name as a prefix.
        prefixed = Path(folder, f"{LOADED}_{name}")
        return prefixed if os.path.exists(prefixed) else Path(folder, name)

    def open_to_others(self) -> bool:
        """True if other accounts can read the secret's file."""
        try:
            return self.file is not None and bool(Path(self.file).stat().st_mode & 0o077)
        except OSError:
            return False  # reading it reports the error


# RFC 7617 names no encoding but where the server announces UTF-8; senders without that use the one of their system.
ENCODINGS = ("utf-8", "latin-1", "cp1252")
LOOK_SECONDS = 1.0  # between two looks at the files of passwords


class RotatingSecrets:
    """Secrets whose files are read again when they change. A new one counts from the next request on, without a restart, and the one before
    for LOOK_SECONDS at most; as long as a file cannot be read, the one before counts."""

    def __init__(self, secrets: Mapping[str, Secret | None]) -> None:
        """`secrets` have the keys of the configuration. Raises ConfigError if one cannot be read."""
        self._secrets = {key: secret for key, secret in secrets.items() if secret is not None}
        self.required = bool(self._secrets)
        self._versions = self._look()
        self._values = self._read()
        self._look_at = -math.inf

    def values(self, now: float) -> list[bytes]:
        """Return the secrets of this moment; `now` in seconds of a steady clock."""
        self._look_at = now + LOOK_SECONDS
        self._renew()
        return self._values

    def _renew(self) -> None:
        if (versions := self._look()) == self._versions:
            return
        self._versions = versions
        try:
            self._values = self._read()
            log.info("password_changed", keys=list(self._secrets))
        except ConfigError as error:
            log.warning("password_unreadable", reason=str(error))

    def _look(self) -> list[object]:
        return [secret.version() for secret in self._secrets.values()]

    def _read(self) -> list[bytes]:
        """What of each secret a request is compared with."""
        return [secret.read(key).get_secret_value().encode() for key, secret in self._secrets.items()]


class Logins(RotatingSecrets):
    """The user name and the passwords that a listener accepts, in each of ENCODINGS."""

    def __init__(self, username: str | None, secrets: Mapping[str, Secret | None]) -> None:
        """`secrets` have the keys of the configuration; without any, every login is accepted. Raises ConfigError if one cannot be read."""
        self._username = username
        super().__init__(secrets)
        self._accepted: bytes | None = None  # the last header that was accepted: a sender repeats it with each request

    def accept(self, authorization: bytes, now: float) -> bool:
        """Whether this value of the header Authorization is one of the logins; `now` in seconds of a steady clock."""
        if now < self._look_at and self._accepted and hmac.compare_digest(authorization, self._accepted):
            return True
        scheme, _, encoded = authorization.partition(b" ")
        login = b""
        if scheme.lower() == b"basic":
            with suppress(binascii.Error):
                login = base64.b64decode(encoded.strip(), validate=True)
        digest = hashlib.sha256(login).digest()
        # To look at the files takes as long as to read a notification, so that a sender that repeats its header is spared it.
        # Digests have one length, and every login is compared: the time reveals neither how much of it matches nor which.
        matches = any([hmac.compare_digest(digest, expected) for expected in self.values(now)])
        if matches:
            self._accepted = authorization
        return matches or not self.required

    def _renew(self) -> None:
        before = self._versions
        super()._renew()
        if self._versions != before:
            self._accepted = None

    def _read(self) -> list[bytes]:
        digests = []
        for key, secret in self._secrets.items():
            login = f"{self._username}:{secret.read(key).get_secret_value()}"
            for encoding in ENCODINGS:
                with suppress(UnicodeEncodeError):
                    digests.append(hashlib.sha256(login.encode(encoding)).digest())
        return digests


def _rising(value: list[float]) -> list[float]:
    if value != sorted(set(value)):
        raise ValueError("each time must be later than the time before it")
    return value


def _provable(value: list[float], info: ValidationInfo) -> list[float]:
    """Delays that can prove something about a server, which may carry out a request for as long as its client waits and longer."""
    timeout = info.data.get("timeout", 0.0)
    remedy = f"set probe_after to at least two delays of which the first is longer than timeout ({duration(timeout)}), such as "
    remedy += f'["{timeout + 15:g}s", "{4 * timeout + 60:g}s", "{8 * timeout + 120:g}s"]'
    if len(value) < 2:
        raise ValueError(f"a single look proves nothing; {remedy}")
    return _settled(value, timeout, remedy)


def _decisive(value: list[float], info: ValidationInfo) -> list[float]:
    """Delays of which the first is enough: the tracker is asked for the one issue by its key."""
    timeout = info.data.get("timeout", 0.0)
    return _settled(value, timeout, f'set probe_after to a longer delay, such as ["{2 * timeout + 30:g}s"]')


def _settled(value: list[float], timeout: float, remedy: str) -> list[float]:
    if value[0] <= timeout:
        raise ValueError(
            f"the first delay ({duration(value[0])}) is not longer than timeout, so that the create may still take effect; {remedy}"
        )
    return value


# Delays of the probes after a create whose answer was lost. If all find nothing, the issue does not exist.
ProbeAfter = Annotated[
    list[Annotated[Seconds, Field(le=86400)]], Field(min_length=1, max_length=20), AfterValidator(_rising)
]
ServerProbes = Annotated[ProbeAfter, AfterValidator(_provable), Field(validate_default=True)]
SingleProbe = Annotated[ProbeAfter, AfterValidator(_decisive), Field(validate_default=True)]

# How often syncd reads the state of all issues.
SurveyInterval = Annotated[Seconds, Field(ge=1, le=86400)]


def did_you_mean(name: str, names: list[str] | tuple[str, ...]) -> str:
    """The nearest of the names that exist, else all of them, in brackets after a space."""
    begun = [
        each
        for each in names
        if len(min(name, each, key=len)) >= 3 and (each.startswith(name) or name.startswith(each))
    ]
    close = difflib.get_close_matches(name, names, 1) or begun
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (known: {', '.join(sorted(names))})" if names else ""


def on_this_machine(host: str) -> bool:
    """True for a name or an address of this machine, which no other machine is on the way to."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def public_address(value: str) -> str:
    """An address of a site that texts may link to, without a slash at its end. Raises ValueError."""
    if value and not re.fullmatch(
        r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?", value
    ):
        raise ValueError(f'{value!r} is no address that issues may link to; write it like "https://syncd.example.com"')
    return value.rstrip("/")


def no_tracker(name: str, names: Collection[str]) -> str:
    """The sentence about a tracker that is not configured, with the nearest of those that are."""
    return f"there is no tracker {name!r}{did_you_mean(name, sorted(names))}"

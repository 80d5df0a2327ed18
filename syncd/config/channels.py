"""`[channels.NAME]`: where notices go, and which."""

import re
from datetime import UTC, time, tzinfo
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, Discriminator, Field, Tag, ValidationInfo, field_validator

from syncd.config.values import Seconds, Secret, Section, WriteLimit, did_you_mean, on_this_machine
from syncd.core.budget import Limit
from syncd.core.notices import EXPIRY_SECONDS, Event, Schedule
from syncd.errors import ConfigError

Reported = Literal["filed", "regression", "parked", "storm", "rest"]
Timeout = Annotated[Seconds, Field(ge=1, le=60)]

_DIGEST = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9]) ([A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*)")
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC  # also on a machine without the database of time zones
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zones = available_timezones()
        if not zones:
            raise ValueError("this machine has no time zones; install the package tzdata, or write UTC") from None
        near = did_you_mean(name, sorted(zones))
        hint = near if "did you mean" in near else '; write it like "Europe/Paris"'
        raise ValueError(f"there is no time zone {name!r}{hint}") from None


def schedule(value: str) -> Schedule:
    """The schedule in a text such as `08:30 Europe/Paris`. Raises ValueError."""
    match = _DIGEST.fullmatch(value)
    if match is None:
        raise ValueError(f'{value!r} is no hour of a digest; write it like "08:30 Europe/Paris"')
    return Schedule(time(int(match[1]), int(match[2])), _zone(match[3]))


def _daily(value: str) -> str:
    schedule(value)
    return value


def _mailbox(value: str) -> str:
    if not _MAILBOX.fullmatch(value):
        raise ValueError(f'{value!r} is no mail address; write it like "crashes@example.com", without a name')
    return value


Daily = Annotated[str, AfterValidator(_daily)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]


class ChannelSettings(Section):
    """What every kind of channel has."""

    on: list[Reported] = ["filed", "regression", "parked", "storm", "rest"]
    """what a notice reports: `"filed"` (an issue for a new group), `"regression"` (a crash came back), `"parked"` (a group waits for a person: it is
    parked, or its tracker refused it for good), `"storm"` (a route is in a storm, and its end), `"rest"` (a tracker takes no calls, and its end)"""
    default: bool = True
    """also get the notices of routes that name no `channels`"""
    digest: Daily | None = None
    """the hour and the time zone of a daily digest: `"08:30 Europe/Paris"`"""
    max: WriteLimit = Limit(20, 3600.0)
    """the most messages about groups in a time, and as many about routes and trackers; the last of them sums up all that wait"""
    expire_after: Annotated[Seconds, Field(ge=60, le=7 * 86400)] = EXPIRY_SECONDS
    """a notice that could not be sent for so long is dropped and counted"""
    timeout: Timeout = 15.0
    """how long syncd waits for a connection, and for an answer"""
    ca_file: str | None = None
    """a file of certificates to trust instead of the system's"""

    @property
    def schedule(self) -> Schedule | None:
        """When the digest is due; None without one."""
        return None if self.digest is None else schedule(self.digest)


class SlackSettings(ChannelSettings):
    """`[channels.NAME]` with `kind = "slack"`: an incoming webhook."""

    SECRETS: ClassVar = ("url",)
    kind: Literal["slack"]
    """the kind of channel"""
    url: Secret
    """the address of the webhook, a secret: whoever knows it can post"""


class TeamsSettings(ChannelSettings):
    """`[channels.NAME]` with `kind = "teams"`: a webhook of Workflows."""

    SECRETS: ClassVar = ("url",)
    kind: Literal["teams"]
    """the kind of channel"""
    url: Secret
    """the address of the workflow, a secret: whoever knows it can post"""


class WebhookSettings(ChannelSettings):
    """`[channels.NAME]` with `kind = "webhook"`: a receiver of Standard Webhooks."""

    SECRETS: ClassVar = ("url", "secret")
    kind: Literal["webhook"]
    """the kind of channel"""
    url: Secret
    """the address of the receiver, a secret"""
    secret: Secret
    """the secret of the signatures: `whsec_` and 24 to 64 bytes in Base64"""


class MailSettings(ChannelSettings):
    """`[channels.NAME]` with `kind = "mail"`: e-mail by SMTP."""

    SECRETS: ClassVar = ("password",)
    kind: Literal["mail"]
    """the kind of channel"""
    host: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9.-]*|\[?[0-9A-Fa-f:]+\]?)$")]
    """the mail server"""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """its port. Default: 587, with `"tls"` 465, with `"none"` 25"""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`"starttls"` encrypts the connection before anything is sent, `"tls"` from its beginning, `"none"` never: only for a server on this machine"""
    username: str | None = None
    """the login, with `password`; without both there is none"""
    password: Annotated[Secret | None, Field(validate_default=True)] = None
    """a secret; required with `username`"""
    sender: Mailbox
    """the address that the mail comes from"""
    to: Annotated[list[Mailbox], Field(min_length=1, max_length=50)]
    """the addresses that get it"""

    @field_validator("security")
    @classmethod
    def _encrypted(cls, value: str, info: ValidationInfo) -> str:
        host = info.data.get("host")
        if value == "none" and host is not None and not on_this_machine(host.strip("[]")):
            raise ValueError(f'others on the way to {host} could read every mail; use "starttls" or "tls"')
        return value

    @field_validator("password")
    @classmethod
    def _login(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        if "username" in info.data and (info.data["username"] is None) != (value is None):
            raise ValueError("username and password belong together; set both or neither")
        return value

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host.strip("[]"), self.port or {"starttls": 587, "tls": 465, "none": 25}[self.security]


CHANNELS: dict[str, type[BaseModel]] = {
    "slack": SlackSettings, "teams": TeamsSettings, "webhook": WebhookSettings, "mail": MailSettings,
}  # fmt: skip

AnyChannel = SlackSettings | TeamsSettings | WebhookSettings | MailSettings


def _kind(value: Any) -> str | None:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) and kind in CHANNELS else None


TaggedChannel = Annotated[
    Annotated[SlackSettings, Tag("slack")]
    | Annotated[TeamsSettings, Tag("teams")]
    | Annotated[WebhookSettings, Tag("webhook")]
    | Annotated[MailSettings, Tag("mail")],
    Discriminator(
        _kind,
        custom_error_type="channel_kind",
        custom_error_message='kind must be "slack", "teams", "webhook" or "mail"',
    ),
]


def web_address(key: str, secret: Secret) -> str:
    """The address that a secret holds, which is fit to be called: https, or http on this machine, and without a login. Raises ConfigError that
    names the key and never the address."""
    value = secret.read(key).get_secret_value().strip()
    try:
        parts = urlsplit(value)
        host, port, login = parts.hostname, parts.port, "@" in parts.netloc
    except ValueError:
        host, port, login, parts = None, None, False, urlsplit("")
    if (
        not host
        or parts.scheme not in ("https", "http")
        or not value.isascii()
        or not value.isprintable()
        or " " in value
    ):
        raise ConfigError([f"{key}: the secret holds no address; it must begin with https://"])
    if login:
        raise ConfigError([f"{key}: the address has a user name or a password before an @; remove it"])
    if parts.scheme == "http" and not on_this_machine(host):
        raise ConfigError(
            [f"{key}: the address begins with http://, so that others on the way could read it; use https://"]
        )
    if port == 0 or parts.fragment:
        raise ConfigError([f"{key}: the address has a port 0 or a part after #; copy it again from where it was made"])
    return value


def events_of(settings: ChannelSettings) -> frozenset[Event]:
    """The events that the channel gets notices of."""
    return frozenset(Event(name) for name in settings.on)

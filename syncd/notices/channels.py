"""A channel as its sender uses it, and how the configuration becomes one.

An error is one of a tracker's: Unavailable, Throttled and Misconfigured if the message certainly did not arrive, Refused if it never will with this
content, OutcomeUnknown if nobody knows. No error holds an address that is a secret.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from syncd.config import AnyChannel, MailSettings, Secret, WebhookSettings
from syncd.config.channels import web_address
from syncd.core.quantities import listed
from syncd.errors import ConfigError, Misconfigured
from syncd.render.notices import Notice
from syncd.trackers.transport import trust

PREFIX = "whsec_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A notice to send: under an identifier that no other message of the store has, at a time in epoch seconds."""

    notice: Notice
    identifier: str
    at: float


class Channel(Protocol):
    """Where messages go. `repeats`: its receiver recognises a message that comes a second time, so that one whose answer was lost is
    sent again."""

    repeats: bool

    def send(self, message: Message) -> str:
        """Send a message once, and return the answer for people. Raises TrackerError."""


def open_channel(name: str, settings: AnyChannel) -> Channel:
    """The channel of a section. Reads no secret and calls nobody."""
    # A process loads only what its channels need.
    if isinstance(settings, MailSettings):
        from syncd.notices.mail import Mail

        return Mail(name, settings)
    from syncd.notices.web import Web

    return Web(name, settings)


def versions(settings: AnyChannel) -> tuple[object, ...]:
    """A value that changes when a secret of the channel is replaced."""
    secrets = (getattr(settings, key) for key in settings.SECRETS)
    return tuple(secret.version() for secret in secrets if isinstance(secret, Secret))


def signing_key(key: str, secret: Secret) -> bytes:
    """The bytes of the secret of Standard Webhooks (github.com/standard-webhooks/standard-webhooks, "Signature scheme"). Raises ConfigError."""
    value = secret.read(key).get_secret_value().strip().removeprefix(PREFIX)
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not 24 <= len(raw) <= 64:
        raise ConfigError(
            [
                f"{key}: the secret is not {PREFIX} and 24 to 64 bytes in Base64; make one: echo {PREFIX}$(openssl rand -base64 32)"
            ]
        )
    return raw


def ready(name: str, settings: AnyChannel) -> str:
    """Read the secrets of a channel, and return its server for people. Raises ConfigError that names the key of what cannot be used."""
    key = f"channels.{name}"
    if settings.ca_file is not None:
        try:
            trust(f"{key}.ca_file", settings.ca_file)
        except Misconfigured as error:
            raise ConfigError([error.reason]) from None
    if isinstance(settings, MailSettings):
        if settings.password is not None:
            settings.password.read(f"{key}.password")
        host, port = settings.address
        return f"{host}:{port}, to {listed(settings.to, 3)}"
    host = urlsplit(web_address(f"{key}.url", settings.url)).hostname or ""
    if isinstance(settings, WebhookSettings):
        signing_key(f"{key}.secret", settings.secret)
    return host

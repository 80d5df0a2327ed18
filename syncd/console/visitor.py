"""Who a request to the console is by, and whether that person may change anything."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from starlette.datastructures import Headers

from syncd.config import ConsoleSettings, Logins
from syncd.config.sections import NAME
from syncd.platform.admission import is_loopback

VISITOR = "syncd.visitor"  # key in the scope of the Visitor of a request


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person, by the name that the audit has; `operates`: with the right to change things."""

    actor: str
    operates: bool


NOBODY = Visitor("", operates=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused. `login`: another login may be accepted."""

    sentence: str
    login: bool = False


class Visitors:
    """Recognises who a request is by: the two logins with a password, and the trusted header of a proxy."""

    def __init__(self, settings: ConsoleSettings) -> None:
        """Raises ConfigError if a password cannot be read."""
        self._settings = settings
        self._operator = Logins(settings.username, {"console.password": settings.password})
        self._reader = Logins(settings.reader_username, {"console.reader_password": settings.reader_password})
        self._logins = self._operator.required or self._reader.required

    def recognise(self, peer: str, headers: Headers, now: float) -> Visitor | Refusal:
        """Return who sent a request from the address `peer`; `now` in seconds of a steady clock."""
        header = self._settings.trusted_header
        claims = [] if header is None else headers.getlist(header)
        if header is not None and claims and self._trusts(peer):
            return self._from_proxy(header, claims, headers)
        if not self._logins and header is None:
            return self._without_login(headers)
        authorization = headers.get("authorization", "").encode("latin-1")
        # Both are compared, whichever it is.
        operates = self._operator.accept(authorization, now) and self._operator.required
        reads = self._reader.accept(authorization, now) and self._reader.required
        if operates or reads:
            name = self._settings.username if operates else self._settings.reader_username
            return Visitor(f"console:{name}", operates)
        ignored = (
            f" The header {header} of {peer} does not count: it is not in console.trusted_proxies." if claims else ""
        )
        if self._logins:
            return Refusal(f"Log in with the user name and the password of [console].{ignored}", login=True)
        return Refusal(ignored.strip() or f"This console is open only by the proxy that logs in and sends {header}.")

    def _without_login(self, headers: Headers) -> Visitor | Refusal:
        loopback = all(is_loopback(host.encode("latin-1")) for host in headers.getlist("host") or [""])
        if not self._settings.allow_unauthenticated and not loopback:
            # DNS rebinding: a foreign page could give its own name this machine's address, and read the answers.
            return Refusal("This console has no password, so it answers only under a loopback name.")
        return Visitor("console:anonymous", operates=True)

    def _trusts(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:  # of a listener on [::]
            address = address.ipv4_mapped
        return any(address in network for network in self._settings.proxies)

    def _from_proxy(self, header: str, claims: Sequence[str], headers: Headers) -> Visitor | Refusal:
        """Read the name that a trusted proxy states. Anything odd is refused, also with a password: the proxy passes on what a client sent."""
        hosts = {_name(host) for host in headers.getlist("host")}
        if not all(is_loopback(host.encode()) or host in self._settings.hosts for host in hosts) or not hosts:
            # DNS rebinding: a page could give its own name the address of a proxy's machine, and send the header from a browser there.
            return Refusal("This console does not answer under this host name: add it to console.hosts.")
        names = [_text(claim) for claim in claims]
        if len(names) != 1 or not re.fullmatch(NAME, names[0]):
            return Refusal(f"The header {header} must have one name of 1 to 128 letters, digits and ._@+-\\|~: once.")
        groups: set[str] = set()
        if self._settings.groups_header is not None:
            listed = headers.getlist(self._settings.groups_header)
            if len(listed) > 1:
                return Refusal(f"The header {self._settings.groups_header} must come once.")
            groups = {group.strip(" \t") for line in listed for group in _text(line).split(",")}
        operates = names[0] in self._settings.operators or not groups.isdisjoint(self._settings.operator_groups)
        return Visitor(f"sso:{names[0]}", operates)


def _text(value: str) -> str:
    """A value as UTF-8, as which proxies send names; a value that is none stays as it is, and matches no name."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return "\0"


def _name(host: str) -> str:
    """The name of a Host header without its port, in lower case."""
    return re.sub(r":[0-9]{1,5}$", "", host).lower()

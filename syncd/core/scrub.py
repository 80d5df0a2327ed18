"""Private data is removed from texts and groups before they leave. Scrubbing twice has the same result as once."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from syncd.core.policy import fits
from syncd.model import Group

_FOLDERS = (
    re.compile(
        r"(?i)(?<![\w])([a-z]:[\\/]+(?:users|documents and settings)[\\/]+)(?!<user>)(?!(?:public|default|all users)\b)[^\\/\r\n\"'<>|]{1,64}"
    ),
    re.compile(r"(?<![\w.])(/(?:home|Users|var/home|export/home)/)(?!<user>)(?!Shared\b)[^/\s\"':;,()<>]{1,64}"),
    re.compile(r"(?i)(?<![\w.])(\\\\[\w.-]{1,64}\\(?:users|home)\\)(?!<user>)[^\\\r\n\"'<>|]{1,64}"),
)
_EMAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.){1,8}[A-Za-z]{2,24}(?![\w-])"
)
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
# Four numbers after a word for a version, or next to more numbers, are a version.
_IPV4 = re.compile(
    rf"(?i)(?<![\w.-])(?<!version )(?<!version=)(?<!version: )(?<!build )(?<!build=)(?<!release )(?<!v=)"
    rf"{_OCTET}(?:\.{_OCTET}){{3}}(?![\w-])(?!\.[0-9])"
)
# A short form has at least three groups and a digit: `a::b` is a name in C++.
_IPV6 = re.compile(
    r"(?i)(?<![\w:.])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}"
    r"|(?=[0-9a-f:]{0,40}[0-9])(?:(?:[0-9a-f]{1,4}:){2,6}(?::[0-9a-f]{1,4}){1,6}|[0-9a-f]{1,4}:(?::[0-9a-f]{1,4}){2,6})"
    r"|fe80:(?::[0-9a-f]{1,4}){1,4})(?:%[\w.]{1,16})?(?![\w:])"
)
_TOKENS = (
    re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[\w-]{16,64})"),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\bxox[abeprs]-[\w-]{10,255}"),
    re.compile(r"\beyJ[\w-]{8,4096}\.[\w-]{4,4096}\.[\w-]{0,4096}"),
    re.compile(r"\b(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{16,255}"),
    re.compile(r"\bAIza[\w-]{30,64}"),
    re.compile(r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[^-]{0,8192}(?:-----END [A-Z ]{0,32}PRIVATE KEY-----)?"),
)
_KEYED = (
    re.compile(r"(?i)\b(authorization\s{0,4}[:=]\s{0,4}(?:bearer|basic|token)\s{1,4})(?!<token>)[^\s\"',;]{1,4096}"),
    re.compile(r"(?i)\b(bearer\s{1,4})(?!<token>)[\w.~+/=-]{16,4096}"),
    re.compile(
        r"(?i)\b((?:[\w-]{0,32}[_-])?(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|client[_-]?secret|"
        r"session[_-]?id|sessionid)[\"']?\s{0,4}[=:]\s{0,4}[\"']?)(?!<token>)(?![:=])[^\s\"'&;,)}\]]{1,4096}"
    ),
    re.compile(r"(?i)(\b[a-z][a-z0-9+.-]{0,16}://[^\s/:@]{1,64}:)(?!<token>)[^\s/@]{1,255}(?=@)"),
)


@dataclass(frozen=True, slots=True)
class Scrubber:
    """The kinds of private data that are removed: names in users' folders, e-mail addresses, IP addresses, tokens and passwords."""

    user_folders: bool = True
    emails: bool = True
    ips: bool = True
    tokens: bool = True

    def text(self, text: str) -> str:
        """The text with a placeholder such as `<email>` for each private item."""
        if self.tokens:
            for pattern in _KEYED:
                text = pattern.sub(r"\1<token>", text)
            for pattern in _TOKENS:
                text = pattern.sub("<token>", text)
        if self.user_folders:
            for pattern in _FOLDERS:
                text = pattern.sub(r"\1<user>", text)
        if self.emails:
            text = _EMAIL.sub("<email>", text)
        if self.ips:
            text = _IPV6.sub("<ip>", _IPV4.sub("<ip>", text))
        return text


def redact(group: Group, allowed: Iterable[str], scrubber: Scrubber) -> Group:
    """The group as a tracker may see it: scrubbed, and with the attributes whose names fit a pattern in `allowed`."""
    patterns, storm = tuple(allowed), group.storm
    if storm is not None:
        largest = tuple((scrubber.text(name), users, occurrences) for name, users, occurrences in storm.largest)
        storm = replace(storm, largest=largest)
    return replace(
        group,
        application=None if group.application is None else scrubber.text(group.application),
        callstack=tuple(scrubber.text(frame) for frame in group.callstack),
        classifiers=tuple(scrubber.text(classifier) for classifier in group.classifiers),
        attributes=tuple(
            (name, tuple(scrubber.text(value) for value in values))
            for name, values in group.attributes
            if fits(name, patterns)
        ),
        storm=storm,
    )

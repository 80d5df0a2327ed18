"""Private data is removed from every text before it leaves. Scrubbing twice has the same result as once. Pure.

Every kind is an expression of `patterns`: linear in the text, and so without look-around. What stands around a private item is read by
the expression and stays; only its group `x` is replaced.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from syncd.core import patterns

# A text is read this far beyond what is shown of it: no item that is recognised by its end is longer.
_MARGIN = 640
_ENDS = " \t\r\n/"  # no item that is recognised by its end has them: where it may have been cut, the text ends before
LONGEST_VALUE = 255  # characters of a stored release, classifier, or name or value of an attribute

_WORD = r"\pL\pN_"
_SLASH, _BACKSLASH, _COLON, _AT = r"(?:/|%2f)", r"(?:\\|/|%5c|%2f)", "(?::|%3a)", "(?:@|%40)"
_IS = r"""["'\\]{0,4}\s{0,4}(?:[:=]|%3d|%3a)\s{0,4}["'\\]{0,4}"""  # between a name and its value
_KEY = (
    r"(?:password|passwd|passphrase|passcode|pwd|secret|token|credentials?|api[_.-]?key|access[_.-]?key|auth[_.-]?key|private[_.-]?key|"
    r"license[_.-]?key|account[_.-]?key|session[_.-]?(?:id|key)|[?&](?:sig|key|auth|code))"
)
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HEX = "[0-9a-f]{1,4}"

_TOKENS = (
    # In headers, after a name, and in addresses.
    rf"authorization{_IS}(?:(?:bearer|basic|token|digest|negotiate|ntlm|apikey|hawk|aws4-hmac-sha256)\s{{1,4}})?(?P<x>[^\s\"',;]+)",
    r"\bbearer\s{1,4}(?P<x>[\w.~+/=-]{16,})",
    r"\bcookie\s{0,4}:\s{0,4}(?P<x>[^\r\n\"']+)",
    rf"{_KEY}{_IS}(?P<x>[^\s\"'&;,)}}\]:=\\][^\s\"'&;,)}}\]]*)",
    r"\b[a-z][a-z0-9+.-]*://[^\s/:@]{0,64}:(?P<x>[^\s/]{1,255})@",
    r"\b[a-z][a-z0-9+.-]*://(?P<x>[^\s/:@<>]{12,255})@",
    # By their own look.
    r"(?-i:\b(?P<x>gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|(?:AKIA|ASIA)[A-Z0-9]{16}\b|xox[abeprs]-[\w-]{10,}|"
    r"eyJ[\w-]{10,}(?:\.[\w-]*)*|[spr]k_(?:live|test)_[A-Za-z0-9]{16,}|sk-[\w-]{24,}|AIza[\w-]{30,}|ya29\.[\w-]{20,}|npm_[A-Za-z0-9]{30,}|"
    r"pypi-[\w-]{32,}|hf_[A-Za-z0-9]{30,}|SG\.[\w-]{16,}\.[\w-]{16,}|ATATT3[\w=-]{20,}|whsec_[\w+/=]{16,}|dop_v1_[0-9a-f]{32,}))",
    r"(?P<x>-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,32}PRIVATE KEY-----)?)",
)
_NAME = r"(?:[^/\s%\"':;,()<>]|%(?:[013-46-9a-f][0-9a-f]|2[0-9a-e]|5[0-9abd-f])){1,64}"  # of a folder, with escapes as in an address
_FOLDERS = (
    rf"(?:\b|%[0-9a-f]{{2}})[a-z]{_COLON}{_BACKSLASH}+(?:users|documents(?: |%20)and(?: |%20)settings){_BACKSLASH}+(?P<x>[^\\/%\r\n\"'<>|]{{1,64}})",
    rf"(?:^|[^{_WORD}.]|%[0-9a-f]{{2}}){_SLASH}(?:(?:var|export|usr|mnt|nfs|net|srv|data|vol|volumes)(?:{_SLASH}[^/\s%<>]{{1,64}})?{_SLASH})?"
    rf"(?-i:home|Users){_SLASH}(?P<x>{_NAME})",
    r"\\\\[\w.-]{1,64}\\(?:users|home)\\(?P<x>[^\\\r\n\"'<>|]{1,64})",
)
_EMAIL = rf"(?P<x>[\pL\pN][{_WORD}.+-]*{_AT}[\pL\pN](?:[\pL\pN-]*\.)+(?:\pL\pL+|xn--[a-z0-9-]+))"
# Four numbers after a word for a version, or next to more numbers, are a version.
_IPV4 = rf"(?:^|[^{_WORD}.-])(?P<x>{_OCTET}(?:\.{_OCTET}){{3}})(?:$|[^{_WORD}.-]|\.(?:$|[^0-9]))"
_VERSION = re.compile(r"(?:^|[^a-z])(?:(?:version|build|release|ver)[:=]? ?|v[:=] ?)\Z", re.IGNORECASE)
# A short form has at least three groups and a digit: `a::b` is a name in C++.
_IPV6 = (
    rf"(?:^|[^{_WORD}:.])(?P<x>(?:(?:{_HEX}:){{7}}{_HEX}|(?:{_HEX}:){{2,6}}(?::{_HEX}){{1,6}}|{_HEX}:(?::{_HEX}){{2,6}}|fe80:(?::{_HEX}){{1,4}})"
    rf"(?:%[\w.]{{1,16}})?)(?:$|[^{_WORD}:])"
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of private item: the switch that removes it, its expression, and its placeholder."""

    switch: str
    pattern: str
    placeholder: str


_KINDS = (
    *(_Kind("tokens", f"(?i:{pattern})", "<token>") for pattern in _TOKENS),
    *(_Kind("user_folders", f"(?i:{pattern})", "<user>") for pattern in _FOLDERS),
    _Kind("emails", f"(?i:{_EMAIL})", "<email>"),
    _Kind("ips", _IPV4, "<ip>"),
    _Kind("ips", f"(?i:{_IPV6})", "<ip>"),
)
_MEMORY = 2**24  # bytes for the states of the expression of all kinds


@dataclass(frozen=True, slots=True)
class Scrubber:
    """The kinds of private data that are removed: names in users' folders, e-mail addresses, IP addresses, tokens and passwords."""

    user_folders: bool = True
    emails: bool = True
    ips: bool = True
    tokens: bool = True

    def text(self, text: str, spare: Collection[str] = ()) -> str:
        """The text with a placeholder such as `<email>` for each private item. `spare` are items that look like IP addresses and are none."""
        kinds, every = _chosen(self.user_folders, self.emails, self.ips, self.tokens)
        data = patterns.encoded(text)
        # Most texts have nothing private; one expression finds that out.
        if not kinds or not patterns.expression(every, _MEMORY).search(data):
            return text
        for kind in kinds:
            data = _replaced(data, kind, spare)
        return data.decode()

    def excerpt(self, text: str, limit: int, stored: int = 0, spare: Collection[str] = ()) -> str:
        """At most `limit` characters of the scrubbed text, and an ellipsis where there are more. Costs what is shown, whatever the length
        of the text. A text of `stored` characters was cut when it was stored. No half of an item remains at a cut."""
        scrubbed = self.text(text[: limit + _MARGIN], spare)
        if len(text) > limit + _MARGIN:
            scrubbed = scrubbed[:-_MARGIN]
        elif 0 < stored <= len(text):
            scrubbed = scrubbed[: max(0, *(scrubbed.rfind(end) for end in _ENDS))]
        elif len(scrubbed) <= limit:
            return scrubbed
        return f"{scrubbed[:limit].rstrip()}…"

    def release(self, name: str) -> str:
        """The scrubbed name of a release. Four numbers that begin it are a version."""
        return self.excerpt(name, LONGEST_VALUE, LONGEST_VALUE, version(name))


@lru_cache
def _chosen(user_folders: bool, emails: bool, ips: bool, tokens: bool) -> tuple[tuple[_Kind, ...], str]:
    """The kinds that are removed, and a pattern of any of them."""
    switches = {"user_folders": user_folders, "emails": emails, "ips": ips, "tokens": tokens}
    kinds = tuple(kind for kind in _KINDS if switches[kind.switch])
    return kinds, "|".join(kind.pattern.replace("(?P<x>", "(?:") for kind in kinds)


def _replaced(data: bytes, kind: _Kind, spare: Collection[str]) -> bytes:
    """The encoded text with a placeholder for each item of a kind. The search goes on right behind an item: what follows one may stand
    before the next."""
    expression, pieces, done, place = patterns.expression(kind.pattern), list[bytes](), 0, 0
    while match := expression.search(data, place):
        start, place = match.span(1)
        item, before = (
            part.decode("utf-8", "replace") for part in (data[start:place], data[max(0, start - 12) : start])
        )
        if item not in spare and not _only_looks_like_it(kind.switch, item, before):
            pieces += data[done:start], kind.placeholder.encode()
            done = place
    return b"".join((*pieces, data[done:]))


def _only_looks_like_it(switch: str, item: str, before: str) -> bool:
    """True for an item that is none after all, by its text and by what stands before it: a shared folder, a version, a name."""
    if switch == "user_folders":
        return item.casefold().startswith("all users") or item.casefold().split(" ")[0] in (
            "public",
            "default",
            "shared",
        )
    is_version = "." in item and _VERSION.search(before) is not None
    return switch == "ips" and (is_version or not any(sign.isdigit() for sign in item))


def version(release: str) -> tuple[str, ...]:
    """The four numbers that begin the name of a release, if they are a version: few versions reach 192, and many addresses begin so."""
    expression = patterns.expression(r"^(?:\pL[\pL\pN_.-]*[-_/@])?[vV]?([0-9]+(?:\.[0-9]+){3})(?:$|[^0-9.])")
    match = expression.search(patterns.encoded(release))
    numbers = "" if match is None else (match[1] or b"").decode()
    is_address = numbers.startswith(("127.0.0.", "169.254.")) or int(numbers.partition(".")[0] or 192) >= 192
    return () if is_address else (numbers,)

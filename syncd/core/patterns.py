"""Patterns that read foreign text, each in time proportional to the length of the text, whatever it says. Pure.

Regular expressions are those of RE2, which reads a text once and never tries again: https://github.com/google/re2/wiki/Syntax. Shell
patterns are `*`, `?`, `[…]` and `[!…]`, compared with the whole text; case matters. A pattern between slashes, as in `/^win.*(7|8)/`, or with
flags in front, as in `(?i)windows`, is a regular expression that is searched for in the text; `/windows/i` ignores case.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from re2 import _Regexp

LONGEST = 1000  # characters of a pattern
LARGEST = (
    20_000  # instructions of a compiled pattern: where RE2's memory is full, each character costs up to as many steps
)
MOST_WILDCARDS = 32  # in one shell pattern


def encoded(text: str) -> bytes:
    """The text as an expression reads it. A lone surrogate, which UTF-8 cannot express, becomes `?`."""
    return text.encode("utf-8", "replace")


@lru_cache(64)
def expression(pattern: str, memory: int = 2**23) -> "_Regexp[bytes]":
    """The regular expression, for texts that are `encoded`. `memory` bounds the bytes of its states; beyond them it becomes slower, and
    stays linear. Raises ValueError with the fault of the pattern."""
    import re2  # most commands read no foreign text

    options = re2.Options()
    options.log_errors, options.max_mem = False, memory
    try:
        compiled = re2.compile(encoded(pattern), options)
    except re2.error as error:
        fault = error.args[0]
        raise ValueError(fault.decode("utf-8", "replace") if isinstance(fault, bytes) else str(fault)) from None
    return compiled


def check_expression(pattern: str) -> None:
    """Raise ValueError, with a sentence, for a user's pattern that is no regular expression of RE2 or too large to be cheap."""
    try:
        size = len(pattern) if len(pattern) > LONGEST else expression(pattern).programsize
    except ValueError as error:
        raise ValueError(
            f"{pattern!r} is not a regular expression of RE2, which has no look-around, no back-references and `\\z` for `\\Z`: {error}"
        ) from None
    if len(pattern) > LONGEST:
        raise ValueError(f"a regular expression of {size:,} characters is too long; {LONGEST:,} are allowed")
    if size > LARGEST:
        raise ValueError(f"{pattern!r} is too large: lower the numbers of its repetitions such as {{1000}}")


_DELIMITED = re.compile(r"/(.+)/(i?)", re.DOTALL)


def searched(pattern: str) -> str | None:
    """The regular expression of a pattern that is one; None for a shell pattern."""
    if delimited := _DELIMITED.fullmatch(pattern):
        return f"(?i){delimited[1]}" if delimited[2] else delimited[1]
    return pattern if pattern.startswith("(?") else None


def check_glob(pattern: str) -> None:
    """Raise ValueError, with a sentence, for a user's pattern that is no regular expression, or too large to be cheap."""
    if (sought := searched(pattern)) is not None:
        check_expression(sought)
        return
    if len(pattern) > LONGEST:
        raise ValueError(f"a pattern of {len(pattern):,} characters is too long; {LONGEST:,} are allowed")
    if pattern.count("*") > MOST_WILDCARDS:
        raise ValueError(f"{pattern!r} has more than {MOST_WILDCARDS} `*`")


def fits(text: str, patterns: Iterable[str]) -> bool:
    """True if the text fits one of the shell patterns."""
    return matcher(tuple(patterns))(text)


@lru_cache(1024)
def matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """A test for texts that fit one of the shell patterns. Plain texts, beginnings and endings need no expression."""
    plain, starts, ends, rest = set[str](), list[str](), list[str](), list[str]()
    sought = [expression(each) for each in map(searched, patterns) if each is not None]
    for pattern in patterns:
        if searched(pattern) is not None:
            continue
        body = pattern.strip("*")
        if set(body) & set("*?["):
            rest.append(pattern)
        elif body == pattern:
            plain.add(pattern)
        elif pattern.endswith("*") and (not body or not pattern.startswith("*")):
            starts.append(body)
        elif not pattern.endswith("*"):
            ends.append(body)
        else:
            rest.append(pattern)
    beginnings, endings = tuple(starts), tuple(ends)
    if sought:
        shell = matcher(tuple(pattern for pattern in patterns if searched(pattern) is None))
        return lambda text: shell(text) or any(each.search(encoded(text)) for each in sought)
    if not rest:
        return lambda text: text in plain or text.startswith(beginnings) or text.endswith(endings)
    every = expression("(?s)(?:" + "|".join(map(_translated, rest)) + ")", 2**24)

    def test(text: str) -> bool:
        return (
            text in plain
            or text.startswith(beginnings)
            or text.endswith(endings)
            or every.fullmatch(encoded(text)) is not None
        )

    return test


def _translated(pattern: str) -> str:
    """The shell pattern as an expression, as `fnmatch.translate` reads it."""
    pieces, place = list[str](), 0
    while place < len(pattern):
        sign, place = pattern[place], place + 1
        if sign == "*":
            pieces.append(".*")
        elif sign == "?":
            pieces.append(".")
        elif sign == "[" and (end := pattern.find("]", place + (2 if pattern[place : place + 1] == "!" else 1))) > -1:
            pieces.append(_characters(pattern[place:end]))
            place = end + 1
        else:
            pieces.append(_literal(sign))
    return "".join(pieces)


def _characters(inside: str) -> str:
    """The characters between the brackets of a shell pattern, as an expression: single ones and ranges such as a-z."""
    excluded, inside = inside.startswith("!"), inside.removeprefix("!")
    pieces, place = list[str](), 0
    while place < len(inside):
        first, last = inside[place], inside[place : place + 3][2:]
        if inside[place + 1 : place + 2] == "-" and last:
            place += 3
            if first <= last:
                pieces.append(f"{_literal(first)}-{_literal(last)}")
        else:
            place += 1
            pieces.append(_literal(first))
    if not pieces:
        return "." if excluded else r"[^\x00-\x{10FFFF}]"  # an empty range: every character, or none
    return f"[{'^' if excluded else ''}{''.join(pieces)}]"


def _literal(sign: str) -> str:
    return sign if sign.isalnum() or ord(sign) > 127 else f"\\x{{{ord(sign):x}}}"

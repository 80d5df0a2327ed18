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
# Instructions of a compiled pattern. Where a text needs more states than RE2 keeps, each of its bytes takes up to as many steps, of a few
# nanoseconds, and each step copies the places of the groups.
LARGEST = 2_000
GROUPS_OF_A_STEP = 8  # groups that cost as much as a step itself
LARGEST_LIST = 10_000  # instructions of all patterns of one list
MOST_WILDCARDS = 32  # in one shell pattern
EXCERPT = 200  # characters of a pattern in a message


def encoded(text: str) -> bytes:
    """The text as an expression reads it. A lone surrogate, which UTF-8 cannot express, becomes `?`."""
    return text.encode("utf-8", "replace")


@lru_cache(1024)
def expression(pattern: str, memory: int = 2**23, *, groups: bool = True) -> "_Regexp[bytes]":
    """The regular expression, for texts that are `encoded`. `memory` bounds the bytes of its states; beyond them it becomes slower, and
    stays linear. Without `groups` it only says where it matches, which is cheaper. Raises ValueError with the fault of the pattern."""
    import re2  # most commands read no foreign text

    options = re2.Options()
    options.log_errors, options.max_mem, options.never_capture = False, memory, not groups
    try:
        compiled = re2.compile(encoded(pattern), options)
    except re2.error as error:
        fault = error.args[0]
        raise ValueError(fault.decode("utf-8", "replace") if isinstance(fault, bytes) else str(fault)) from None
    return compiled


def check_expression(pattern: str, *, groups: bool = True) -> int:
    """Return how many instructions a user's pattern takes for a byte at the most. Raises ValueError, with a sentence, if it is no regular
    expression of RE2 or too large to be cheap. Without `groups` it will be read for whether it matches, no matter where its groups are."""
    if len(pattern) > LONGEST:
        raise ValueError(
            f"{_beginning(pattern)} is too long a regular expression, with {len(pattern):,} characters; {LONGEST:,} are allowed"
        )
    try:
        compiled = expression(pattern, groups=groups)
    except ValueError as error:
        raise ValueError(
            f"{_beginning(pattern)} is not a regular expression of RE2, which has no look-around, no back-references and `\\z` for `\\Z`: {error}"
        ) from None
    size = compiled.programsize * (GROUPS_OF_A_STEP + compiled.groups) // GROUPS_OF_A_STEP
    if size > LARGEST:
        raise ValueError(
            f"{_beginning(pattern)} is too large: it takes up to {size:,} steps for each character that it reads, {LARGEST:,} are allowed; lower the "
            "numbers of its repetitions such as {1000}, write \\w or [a-z] for \\pL, and (?:…) for groups"
        )
    return size


def _beginning(pattern: str) -> str:
    return repr(pattern if len(pattern) <= EXCERPT else f"{pattern[:EXCERPT]}…")


_DELIMITED = re.compile(r"/(.+)/(i?)", re.DOTALL)


def searched(pattern: str) -> str | None:
    """The regular expression of a pattern that is one; None for a shell pattern."""
    if delimited := _DELIMITED.fullmatch(pattern):
        return f"(?i){delimited[1]}" if delimited[2] else delimited[1]
    return pattern if pattern.startswith("(?") else None


def check_glob(pattern: str) -> int:
    """Return how many instructions a user's pattern takes for a byte at the most. Raises ValueError, with a sentence, if it is no regular
    expression, or too large to be cheap."""
    if (sought := searched(pattern)) is not None:
        return check_expression(sought, groups=False)
    if len(pattern) > LONGEST:
        raise ValueError(
            f"{_beginning(pattern)} is too long a pattern, with {len(pattern):,} characters; {LONGEST:,} are allowed"
        )
    if pattern.count("*") > MOST_WILDCARDS:
        raise ValueError(f"{_beginning(pattern)} has more than {MOST_WILDCARDS} `*`")
    if not set(pattern.strip("*")) & set("*?["):
        return 0
    size = expression(f"(?s){_translated(pattern)}").programsize
    if size > LARGEST:
        raise ValueError(
            f"{_beginning(pattern)} is too large: it takes up to {size:,} steps for each character that it reads, {LARGEST:,} are allowed; write `*` "
            "for many `?` or `[…]`"
        )
    return size


def check_globs(patterns: Iterable[str]) -> None:
    """Raise ValueError, with a sentence, if a user's patterns are too large together. Each passes `check_glob`."""
    sizes = list(map(check_glob, patterns))
    if sum(sizes) > LARGEST_LIST:
        raise ValueError(
            f"these {len(sizes):,} patterns are too large together: they take up to {sum(sizes):,} steps for each character that they read, "
            f"{LARGEST_LIST:,} are allowed; write fewer, or names and beginnings such as game-*, which take none"
        )


def fits(text: str, patterns: Iterable[str]) -> bool:
    """True if the text fits one of the shell patterns."""
    return matcher(tuple(patterns))(text)


@lru_cache(1024)
def matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """A test for texts that fit one of the shell patterns. Plain texts, beginnings and endings need no expression."""
    plain, starts, ends, rest = set[str](), list[str](), list[str](), list[str]()
    sought = [expression(each, groups=False) for each in map(searched, patterns) if each is not None]
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

"""Parts of a notification, from the values of a body: texts, counts, times, releases. Pure. What cannot be understood is None."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from syncd.core import patterns

MAX_TEXT = 4096
MAX_VALUE = 255  # characters of a value, a release or a classifier
MAX_COUNT = 2**53  # every JSON reader represents it exactly, and a database a sum of many
UNSET = ("", "*")  # Backtrace's query language writes `*` for a value that is not there
_MILLISECONDS = 10**11  # as seconds, the year 5138
_FAR_FUTURE = 86400  # seconds; a crash dated later than this after its arrival has a wrong clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Settings of the parser. The first of `release_attributes` that is present names the release: the first group of
    `release_pattern` in it, or its whole match. A value that matches one of `ignore_releases` is no release. `zero_by_frames`
    gives reports without a fingerprint one that is made from their frames. `key` proves that a body is of a poll of syncd's own."""

    release_attributes: Sequence[str] = ("version",)
    release_pattern: str | None = None
    ignore_releases: Sequence[str] = ()
    zero_by_frames: bool = False
    key: str = field(default="", repr=False)


def release_of(value: str, reading: Reading) -> str | None:
    """Return the release in an attribute's value; None if the value names none, or an ignored one."""
    if reading.release_pattern is not None:
        expression = patterns.expression(reading.release_pattern)
        match = expression.search(patterns.encoded(value))
        if match is None:
            return None
        value = ((match[1] if expression.groups else match[0]) or b"").decode("utf-8", "replace").strip()
    return value if value and not patterns.fits(value, reading.ignore_releases) else None


def scalar(value: object) -> object:
    kind = type(value)
    return str(value) if kind is int or kind is float else value


def text_of(value: object) -> str | None:
    """Return text without U+0000, which PostgreSQL cannot store; None if nothing remains."""
    if not isinstance(value, str):
        return None
    text = (value.replace("\x00", "") if "\x00" in value else value).strip()
    if text in UNSET:
        return None
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT]


def count_of(value: object) -> int | None:
    """Return a number not below zero, also from text or with a fraction, at most MAX_COUNT; None for anything else."""
    if type(value) is int and 0 <= value <= MAX_COUNT:
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,18}(\.\d{0,18})?\s*", value, re.ASCII):
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return min(int(value), MAX_COUNT)


def span(value: object, received_at: float) -> tuple[int | None, int | None]:
    """Return the times of the first and the last occurrence. An impossible time counts as missing: a report from the year 2099 would
    otherwise keep every later one from being the latest."""
    items = value if isinstance(value, list) else [value]
    times = sorted(time for item in items[:2] if (time := moment(item)))
    latest = int(received_at) + _FAR_FUTURE
    if not times or times[0] > latest:
        return None, None
    # An impossible last time is replaced by the latest possible one: the arrival of the delivery.
    return times[0], times[-1] if times[-1] <= latest else max(times[0], int(received_at))


def moment(value: object) -> int | None:
    """Return a time in seconds, also from milliseconds or from text of ISO 8601; None if it is none."""
    time = count_of(value)
    if time is None and isinstance(value, str) and "T" in value[:MAX_VALUE]:
        with suppress(ValueError, OverflowError):
            instant = datetime.fromisoformat(value[:MAX_VALUE].strip())
            time = int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp())
    return time // 1000 if time is not None and time >= _MILLISECONDS else time

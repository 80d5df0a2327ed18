"""Saved views of the console's list of groups: names of addresses."""

from typing import Annotated
from urllib.parse import parse_qsl

from pydantic import AfterValidator

from syncd.config.values import did_you_mean

# What the address of the console's list of groups may have; tests compare it with what the list reads.
VIEW = (
    "project",
    "application",
    "release",
    "classifier",
    "owner",
    "state",
    "since",
    "first",
    "returned",
    "text",
    "sort",
)


def _view(value: str) -> str:
    """The part of an address behind its question mark, with a filter of the list of groups. Raises ValueError."""
    query = value.strip().rpartition("?")[2]
    try:
        names = [name for name, _ in parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=20)]
    except ValueError:
        names = []
    unknown = [name for name in names if name not in VIEW]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no filter of the list of groups{did_you_mean(unknown[0], VIEW)}")
    if not names:
        raise ValueError(
            f'{value!r} is no view; open the list of groups, and copy what follows the ? in its address: "project=game&state=open"'
        )
    return query


def _view_name(value: str) -> str:
    if not 0 < len(value.strip()) <= 60 or not value.isprintable():
        raise ValueError(f"{value!r} is no name of a view; write 1 to 60 printable characters")
    return value.strip()


Views = dict[Annotated[str, AfterValidator(_view_name)], Annotated[str, AfterValidator(_view)]]

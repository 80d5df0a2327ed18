"""What a configured source is, for those who read its bodies. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

PATH = "/sources/"  # begins the address of every source
UNIVERSE = (
    "source:"  # begins the universe of its groups; the universes of Backtrace are names of hosts, which have no colon
)


@dataclass(frozen=True, slots=True)
class Shape:
    """How the bodies of a kind are recognised: its `title` for people, the `expression` that they satisfy, and the paths of what is personal in
    them."""

    title: str
    expression: str
    drop: Sequence[str] = ()


Shapes = Mapping[str, Shape]  # by kind


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRules:
    """The keys of `[sources.NAME]` that decide how a body is read. `reader` is the module that reads it, `fields` the expression of each field
    for the generic one."""

    kind: str
    reader: str
    counts: Literal["cumulative", "window", "event"] = "event"
    on_resolved: Literal["note", "close", "ignore"] = "note"
    project: str | None = None
    project_labels: Sequence[str] = ()
    per: Literal["alert", "group"] = "alert"
    each: str | None = None
    only: str | None = None
    drop: Sequence[str] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    shapes: Shapes = field(default_factory=dict)

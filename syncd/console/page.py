"""One page of the console: what it is asked with, what it shows, and how that becomes HTML or JSON."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from syncd import __version__
from syncd.config import Config
from syncd.console import drawing
from syncd.core.quantities import duration
from syncd.model import GroupView
from syncd.render import report
from syncd.render.text import clean, one_line, utc
from syncd.store import Store
from syncd.store.listing import Key

FOLDER = Path(__file__).parent
PAGE = 50  # rows of a list


class NotThere(Exception):
    """What was asked for is not there; the message says what, for people."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page is made from."""

    config: Config
    store: Store


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page was asked for: parts of its path, its query, and when."""

    desk: Desk
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    now: float = field(default_factory=time.time)

    def get(self, name: str) -> str | None:
        """A part of the query; None where it is missing or empty."""
        return self.query.get(name, "").strip() or None


@dataclass(frozen=True, slots=True)
class Page:
    """What is shown: `shape` as JSON, and with `facts` besides in a template."""

    template: str
    title: str
    shape: Any
    facts: Mapping[str, Any] = field(default_factory=dict)


MakePage = Callable[[Asked], Page]


def as_json(page: Page) -> bytes:
    """The page for programs."""
    return json.dumps(page.shape, indent=2).encode()


def as_html(page: Page, path: str, query: Mapping[str, str], now: float, said: str | None) -> bytes:
    """The page for people. `said` is what became of what they just did."""
    known = {key: value for key, value in query.items() if key not in ("said", "live")}
    facts = {
        "title": page.title,
        "shape": page.shape,
        "path": path,
        "json_path": json_path(path) + (f"?{urlencode(known)}" if known else ""),
        "query": query,
        "now": now,
        "said": said,
        "version": __version__,
        **page.facts,
    }
    return _environment().get_template(page.template).render(facts).encode()


def json_path(path: str) -> str:
    """Where the same page is for programs."""
    return "/overview.json" if path == "/" else f"{path}.json"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "line": lambda text, limit=200: one_line(str(text), limit) if text not in (None, "") else "–",
        "clean": lambda text: clean(str(text)),
        "number": lambda value: "–" if value is None else f"{value:,}",
        "when": _when,
        "ago": _ago,
        "bytes": size,
        "duration": duration,
        "crash": crash,
        "path": lambda text: quote(str(text), safe=""),
    }
    environment.globals |= {"drawing": drawing, "link": link, "stands": stands}
    return environment


def _when(at: float | None) -> str:
    return "–" if at is None else utc(at)


def _ago(at: float | None, now: float) -> Markup:
    """How long ago, with the time itself for whoever asks."""
    if at is None:
        return Markup("–")
    passed = now - at
    words = "now" if abs(passed) < 1 else f"{_passed(passed)} ago" if passed > 0 else f"in {duration(-passed)}"
    return Markup('<time title="{}">{}</time>').format(utc(at), words)


def _passed(seconds: float) -> str:
    """In the largest unit of which there are at least two, what is left dropped: 5d is not yet 6d."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)}{unit}"
    return f"{int(seconds)}s"


def size(count: float) -> str:
    """12 B, 3.4 KB, 5.6 MB."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} B" if unit == "B" else f"{count:,.1f} {unit}"


def crash(standing: GroupView) -> str:
    """What people know the crash by."""
    return one_line(report.title(standing.group).removeprefix("Crash in "), 160)


def key_of(text: str | None) -> Key | None:
    """Where a page of a list begins; None for the first one. Raises NotThere."""
    if text is None:
        return None
    place, _, number = text.partition(".")
    if not (place.isdigit() and number.isdigit()) or len(text) > 40:
        raise NotThere("that page does not begin anywhere; go back to the first one")
    return Key(int(place), int(number))


def text_of(key: Key | None) -> str | None:
    """The same as it stands in an address; None where no page follows."""
    return None if key is None else f"{key.place}.{key.id}"


def link(path: str, **query: object) -> str:
    """The path with those parts of a query that are something."""
    known = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(known)}" if known else path


def stands(standing: GroupView) -> tuple[str, str]:
    """How a group stands: a word that is also its colour, and a sentence."""
    issue = standing.issue
    if standing.decision == "dead":
        return "dead", standing.reason
    if issue is not None and issue.state.value in ("parked", "dropped"):
        return issue.state.value, standing.reason
    if issue is not None and issue.state.value in ("intended", "in_doubt"):
        return "in doubt", standing.reason
    if standing.group.on_hold is not None:
        return "held", standing.reason
    if issue is not None and issue.key:
        condition = issue.condition
        return ("closed" if condition is not None and condition.closed else "open"), standing.reason
    if standing.decision == "hold":
        return "held", standing.reason
    return ("alias" if standing.group.follows else "waiting"), standing.reason

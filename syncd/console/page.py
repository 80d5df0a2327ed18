"""A page of the console: the request for it, its content, and how that becomes HTML or JSON."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.convertors import Convertor, register_url_convertor

from syncd import __version__
from syncd.config import Config
from syncd.console import drawing
from syncd.console.visitor import Visitor
from syncd.core.counts import meaning
from syncd.core.fold import OTHER_RELEASES
from syncd.core.quantities import counted, duration, figure
from syncd.core.releases import newest
from syncd.model import GroupView, Identity
from syncd.render import addresses, report
from syncd.render.text import clean, one_line, utc
from syncd.store import Store
from syncd.store.listing import Key

FOLDER = Path(__file__).parent
PAGE = 50  # rows of a list
LARGEST = 2**63 - 1  # number that a database holds
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


class NotFound(Exception):
    """The thing that was requested does not exist; the message names it."""


class Elsewhere(Exception):
    """The requested thing has its page at another path."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request for a page or an action: the parts of its path, its query, its form, and when it came."""

    config: Config
    store: Store
    now: float
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    base: str = ""  # the address of the console, without a slash at its end

    @property
    def reason(self) -> str:
        """The reason in the form."""
        return one_line(self.form.get("reason", ""), 500, "no reason given")

    @property
    def number(self) -> int:
        """The number in the path."""
        return cast(int, self.path["number"])

    @property
    def identity(self) -> Identity:
        """The group that the path names."""
        return Identity(self.path["universe"], self.path["project"], self.path["fingerprint"])

    @property
    def group(self) -> int:
        """The number of that group in the store. Raises NotFound."""
        number = self.store.lists.of_identity(self.identity)
        if number is None:
            raise NotFound(f"project {self.identity.project!r} has no group {self.identity.fingerprint!r}")
        return number

    def get(self, name: str) -> str | None:
        """A part of the query; None if it is missing or empty."""
        return self.query.get(name, "").strip() or None


@dataclass(frozen=True, slots=True)
class Page:
    """A page's content. `shape` is its JSON; the template has `shape` and `facts`."""

    template: str
    title: str
    shape: Any
    facts: Mapping[str, Any] = field(default_factory=dict)


View = Callable[[PageRequest], Page]


def as_json(page: Page) -> bytes:
    """The page for programs."""
    return json.dumps(page.shape, indent=2).encode()


def as_html(page: Page, path: str, query: Mapping[str, str], now: float, flash: str | None, visitor: Visitor) -> bytes:
    """The page for a person, without forms that change anything if that person only reads. `flash` is the result of the action that led here."""
    repeated = {key: value for key, value in query.items() if key not in ("flash", "live")}
    facts = {
        "title": page.title,
        "shape": page.shape,
        "path": quote(path),
        "json_path": json_path(quote(path)) + (f"?{urlencode(repeated)}" if repeated else ""),
        "query": query,
        "now": now,
        "flash": flash,
        "visitor": visitor,
        "version": __version__,
        **page.facts,
    }
    return _environment().get_template(page.template).render(facts).encode()


def json_path(path: str) -> str:
    """The path of the same page as JSON."""
    return "/today.json" if path == "/" else f"{path}.json"


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
        "short": short,
        "newest": lambda group: (
            newest([each.release for each in group.releases if each.release != OTHER_RELEASES]) or [""]
        )[0],
        "counted": lambda value, noun: f"– {noun}s" if value is None else counted(value, noun),
        "number": lambda value: "–" if value is None else f"{value:,}",
        "occurrences": lambda entry: figure(entry.occurrences, entry.approximate, entry.at_most),
        "meaning": meaning,
        "ago": moment,
        "when": partial(moment, exact=True),
        "bytes": size,
        "duration": duration,
        "crash": crash,
        "segment": addresses.segment,
        "page": lambda group: addresses.group_page(group.identity),
        "path": lambda text: quote(str(text), safe=""),
    }
    environment.globals |= {
        "drawing": drawing,
        "link": link,
        "state_of": state_of,
        "page_of": page_of,
    }
    return environment


def moment(at: float | None, now: float | None = None, *, exact: bool = False) -> Markup:
    """A time, as every page has it: how long ago it was, and the time of UTC on hover; `exact`: the other way round."""
    if at is None or (absolute := utc(at)) == utc(None):
        return Markup("–")
    relative = "" if now is None else distance(now - at)
    visible, title = (absolute, relative) if exact or now is None else (relative, absolute)
    machine = absolute.removesuffix(" UTC").replace(" ", "T") + "Z"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(machine, title or absolute, visible)


def distance(passed: float) -> str:
    """3h ago, in 5m: so many seconds in the largest unit of which they are nearly two, rounded to the nearest."""
    if abs(passed) < 1:
        return "now"
    unit, length = next(((unit, length) for unit, length in _UNITS if abs(passed) >= 1.75 * length), _UNITS[-1])
    amount = f"{round(abs(passed) / length)}{unit}"
    return f"{amount} ago" if passed > 0 else f"in {amount}"


def short(count: int) -> str:
    """12, 3.4k, 56k, 7.8M."""
    for unit, length in (("M", 10**6), ("k", 10**3)):
        if count >= length:
            return f"{count / length:.1f}{unit}" if count < 10 * length else f"{count // length:,}{unit}"
    return str(count)


def size(count: float) -> str:
    """12 B, 3.4 KB, 5.6 MB."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} B" if unit == "B" else f"{count:,.1f} {unit}"


def crash(standing: GroupView) -> str:
    """The crash's name in lists."""
    return one_line(report.title(standing.group).removeprefix("Crash in "), 160)


class Number(Convertor[int]):
    """A number in a path, as a database holds it. There is no page at the address of any other number."""

    regex = "[0-9]{1,18}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


class Segment(Convertor[str]):
    """A text in a path, as `addresses.segment` writes it."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return addresses.text_of(value)

    def to_string(self, value: str) -> str:
        return addresses.segment(value)


register_url_convertor("number", Number())
register_url_convertor("segment", Segment())


def page_of(universe: str, project: str, fingerprint: str) -> str:
    """The path of a group's page."""
    return addresses.group_page(Identity(universe, project, fingerprint))


def key_of(text: str | None) -> Key | None:
    """The key at which a page of a list begins, `PLACE.NUMBER`; None for the first page. Raises NotFound."""
    if text is None:
        return None
    parts = re.fullmatch(r"([0-9]{1,19})\.([0-9]{1,18})", text)
    if parts is None or int(parts[1]) > LARGEST:
        raise NotFound("the address of this page is damaged; go back to the first page")
    return Key(int(parts[1]), int(parts[2]))


def text_of(key: Key | None) -> str | None:
    """The key as `key_of` reads it; None if no page follows."""
    return None if key is None else f"{key.place}.{key.id}"


def link(path: str, **query: object) -> str:
    """The path with the parts of the query that are not empty."""
    parts = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(parts)}" if parts else path


def state_of(standing: GroupView) -> tuple[str, str]:
    """The state of a group: a word, which also selects the colour, and the reason."""
    group, issue, reason = standing.group, standing.issue, standing.reason
    state = None if issue is None else issue.state.value
    if standing.decision == "dead":
        return "dead", reason
    if state in ("parked", "dropped"):
        return state, reason
    if state in ("intended", "in_doubt"):
        return "being filed" if state == "intended" else "in doubt", reason
    if group.on_hold is not None:
        return "held", reason
    if issue is not None and issue.key:
        return ("closed" if issue.condition is not None and issue.condition.closed else "open"), reason
    if standing.decision == "hold":
        return "held", reason
    return ("alias" if group.follows else "waiting"), reason

"""Templates of a route, in Jinja2's sandbox: what an issue says in a team's own words, in one small markup for all trackers.

    ## A heading
    A paragraph, up to an empty line. What comes from a crash, {{ application }} say, is shown literally, whatever it holds.
    > A panel
    {{ blocks.callstack }}        alone on a line: a ready-made block

What `{{ … }}` prints never becomes markup: it travels between two signs of Unicode's private use, which are taken out of what
came with a crash, and becomes `Value` spans.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, TypeVar

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from syncd.render.document import Block, Document, Heading, Panel, Paragraph, Span, Value
from syncd.render.text import one_line

T = TypeVar("T")

Name = Literal["title", "body", "status", "comment"]
NAMES: tuple[Name, ...] = ("title", "body", "status", "comment")

_LONGEST = 200_000  # characters that a template may print
_MOST_ROUNDS = 20_000  # of all loops together
_LONGEST_TITLE = 240
_OPEN, _SHUT, _BLOCK = "\ue000", "\ue001", "\ue002"
_SIGNS = re.compile(f"[{_OPEN}{_SHUT}{_BLOCK}]")
_SPAN = re.compile(f"{_OPEN}([^{_SHUT}]*){_SHUT}")
_WHOLE_BLOCK = re.compile(f"{_OPEN}{_BLOCK}([a-z]{{1,30}}){_SHUT}")


class TemplateInvalid(Exception):
    """A template that cannot be read. `reason` names it, the line, and what is wrong."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _TooMuch(Exception):
    """A template prints too much, or goes round for too long."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A ready-made block, by its name."""

    name: str

    def __str__(self) -> str:
        return f"{_BLOCK}{self.name}"


class _Environment(ImmutableSandboxedEnvironment):
    """No attributes beyond those of the facts, no calls, no operators that make much of little."""

    intercepted_binops = frozenset(["**", "*", "%"])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        numbers = all(isinstance(one, int | float) and abs(one) < 1e9 for one in (left, right))
        if operator == "**" or not numbers:
            raise SecurityError(f"the operator {operator} is only for numbers here")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        # Methods of texts and lists are not needed: filters do what templates need.
        if isinstance(obj, LoopContext):
            return attr in ("index", "index0", "first", "last", "length")
        return isinstance(obj, Mapping) and not callable(value) and super().is_safe_attribute(obj, attr, value)


class Templates:
    """The templates of one route. `sources` are their texts, by name; what is left out is said in our words."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """Raises TemplateInvalid."""
        self._environment = _Environment(
            undefined=StrictUndefined, autoescape=False, finalize=_finalized, keep_trailing_newline=False
        )
        for filter_ in (
            "batch",
            "slice",
            "attr",
            "map",
            "xmlattr",
            "pprint",
            "center",
            "indent",
            "wordwrap",
            "format",
            "tojson",
            "random",
        ):
            self._environment.filters.pop(filter_, None)
        self._environment.globals.clear()
        self._templates = {}
        for name, source in sources.items():
            try:
                self._templates[name] = self._environment.from_string(source)
            except TemplateSyntaxError as error:
                raise TemplateInvalid(f"{name}.j2, line {error.lineno}: {error.message}") from None

    def title(self, facts: Mapping[str, object], otherwise: str) -> tuple[str, str]:
        """The title, and why it is not the template's: empty where it is."""

        def made(text: str) -> str:
            line = one_line(_SIGNS.sub("", text), _LONGEST_TITLE, otherwise="")
            if not line:
                raise _TooMuch("it prints nothing")
            return line

        return self._made("title", facts, {}, otherwise, made)

    def document(
        self, name: Name, facts: Mapping[str, object], blocks: Mapping[str, tuple[Block, ...]], otherwise: Document
    ) -> tuple[Document, str]:
        """The body, the status comment or another comment, and why it is not the template's: empty where it is."""

        def made(text: str) -> Document:
            document = tuple(_parsed(text, blocks))
            if not document:
                raise _TooMuch("it prints nothing")
            return document

        return self._made(name, facts, blocks, otherwise, made)

    def _made(
        self,
        name: Name,
        facts: Mapping[str, object],
        blocks: Mapping[str, tuple[Block, ...]],
        otherwise: T,
        made: Callable[[str], T],
    ) -> tuple[T, str]:
        template = self._templates.get(name)
        if template is None:
            return otherwise, ""
        ready = {key: _Ready(key) for key in blocks}
        rounds = _Rounds()
        try:
            shown = {key: _guarded(value, rounds) for key, value in facts.items()} | {"blocks": ready}
            pieces = template.generate(shown)
            return made("".join(_bounded(pieces))), ""
        except (TemplateError, _TooMuch, ArithmeticError, TypeError, ValueError, LookupError, RecursionError) as error:
            # Whatever a team wrote must not keep a crash from being filed.
            return (
                otherwise,
                f"the template {name}.j2 failed, and syncd's own words stand in: {one_line(str(error), 300)}",
            )


class _Rounds:
    """Counts the rounds of all loops of one rendering."""

    def __init__(self) -> None:
        self._left = _MOST_ROUNDS

    def over(self, items: list[Any]) -> Iterator[Any]:
        for item in items:
            self._left -= 1
            if self._left < 0:
                raise _TooMuch(f"its loops go round more than {_MOST_ROUNDS:,} times")
            yield item


class _Listed:
    """A list that counts how often it is gone through."""

    def __init__(self, items: list[Any], rounds: _Rounds) -> None:
        self._items = items
        self._rounds = rounds

    def __iter__(self) -> Iterator[Any]:
        return self._rounds.over(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]

    def __str__(self) -> str:
        return ", ".join(map(str, self._items))


def _guarded(value: Any, rounds: _Rounds) -> Any:
    """A fact without our signs in it, whose lists count their rounds."""
    if isinstance(value, str):
        return _SIGNS.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {_guarded(key, rounds): _guarded(item, rounds) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return _Listed([_guarded(item, rounds) for item in value], rounds)
    return value


def _finalized(value: Any) -> str:
    """What `{{ … }}` prints: between signs, so that it stays what it is."""
    if isinstance(value, _Ready):
        return f"{_OPEN}{value}{_SHUT}"
    return f"{_OPEN}{_SIGNS.sub('', str(value))}{_SHUT}"


def _bounded(pieces: Iterator[str]) -> Iterator[str]:
    left = _LONGEST
    for piece in islice(pieces, _MOST_ROUNDS * 10):
        left -= len(piece)
        if left < 0:
            raise _TooMuch(f"it prints more than {_LONGEST:,} characters")
        yield piece


def _parsed(text: str, blocks: Mapping[str, tuple[Block, ...]]) -> Iterator[Block]:
    # What came with a crash may have line ends; those of the template alone end lines.
    guarded = _SPAN.sub(lambda found: found[0].replace("\n", " ").replace("\r", " "), text)
    paragraph: list[str] = []
    for line in [*guarded.split("\n"), ""]:
        stripped = line.strip()
        ready = _WHOLE_BLOCK.fullmatch(stripped)
        starts = bool(ready) or stripped.startswith(("## ", "> ")) or not stripped
        if starts and paragraph:
            yield Paragraph(tuple(_spans(" ".join(paragraph))))
            paragraph = []
        if ready:
            yield from blocks[ready[1]]
        elif stripped.startswith("## "):
            yield Heading(_plain(stripped[3:]))
        elif stripped.startswith("> "):
            yield Panel(tuple(_spans(stripped[2:])))
        elif stripped:
            paragraph.append(stripped)


def _plain(text: str) -> str:
    """A heading: our own words only."""
    return " ".join(_SPAN.sub("", text).split()) or "…"


def _spans(text: str) -> Iterator[Span]:
    end = 0
    for found in _SPAN.finditer(text):
        if words := _inert(text[end : found.start()]):
            yield words
        if not found[1].startswith(_BLOCK):
            yield Value(found[1])
        end = found.end()
    if words := _inert(text[end:]):
        yield words


def _inert(text: str) -> str:
    return _SIGNS.sub("", text)

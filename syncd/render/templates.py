"""Templates of a route, in Jinja2's sandbox: a team's own texts for its issues, in one small markup for all trackers.

    ## A heading
    A paragraph, up to an empty line. Text from a crash, such as {{ application }}, is shown literally, whatever it holds.
    > A panel
    {{ blocks.callstack }}        alone on a line: a ready-made block

Text that `{{ … }}` prints never becomes markup: it travels between two signs of Unicode's private use area, which are removed
from all crash text, and becomes `Value` spans.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, Literal

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from syncd.core.releases import ordered
from syncd.model import Announcement, Group
from syncd.render.parts import ReportExtras
from syncd.render.text import Block, Document, Heading, Panel, Paragraph, Span, Value, one_line, utc

Name = Literal["title", "body", "status", "comment"]
NAMES: tuple[Name, ...] = ("title", "body", "status", "comment")
Blocks = Mapping[str, tuple[Block, ...]]

_MOST_CHARACTERS = 200_000  # that one template may print
_MOST_ROUNDS = 20_000  # of all loops of one rendering together
_LONGEST_TITLE = 240
_OPEN, _SHUT, _BLOCK = "\ue000", "\ue001", "\ue002"
_SIGNS = re.compile(f"[{_OPEN}{_SHUT}{_BLOCK}]")
_PRINTED = re.compile(f"{_OPEN}([^{_SHUT}]*){_SHUT}")
_BLOCK_LINE = re.compile(f"{_OPEN}{_BLOCK}([a-z]{{1,30}}){_SHUT}")
# Filters that call methods, or that make much text of little.
_FORBIDDEN_FILTERS = (
    "attr", "batch", "center", "format", "indent", "map", "pprint", "random", "slice", "tojson", "wordwrap", "xmlattr",
)  # fmt: skip


class TemplateInvalid(Exception):
    """A template that Jinja2 cannot parse. The message names the file, the line, and the fault."""


class TemplateFailed(Exception):
    """A template that failed for one group. The message is a sentence that names the file and the fault."""


class _LimitExceeded(Exception):
    """A template prints too much or nothing, or its loops run for too long."""


class _BlockName(str):
    """The name of a ready-made block; `{{ … }}` prints the block itself."""

    __slots__ = ()


class _CountedList:
    """A list that takes one from the rounds left for each item that a loop visits."""

    def __init__(self, items: list[Any], rounds: Iterator[int]) -> None:
        self._items = items
        self._rounds = rounds

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            if next(self._rounds, None) is None:
                raise _LimitExceeded(f"its loops run more than {_MOST_ROUNDS:,} times")
            yield item

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]

    def __str__(self) -> str:
        return ", ".join(map(str, self._items))


class _Environment(ImmutableSandboxedEnvironment):
    """No attributes beyond those of the facts, no calls, no operators that make large values of small ones."""

    intercepted_binops = frozenset(["**", "*", "%"])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        numbers = all(isinstance(operand, int | float) and abs(operand) < 1e9 for operand in (left, right))
        if operator == "**" or not numbers:
            raise SecurityError(f"the operator {operator} is only for numbers here")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        # Templates need no methods of texts and lists: filters do the same.
        if isinstance(obj, LoopContext):
            return attr in ("index", "index0", "first", "last", "length")
        return isinstance(obj, Mapping) and not callable(value) and super().is_safe_attribute(obj, attr, value)


class Templates:
    """The templates of one route. `sources` are their texts by name; a name without a source has no template."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """Raises TemplateInvalid."""
        environment = _Environment(undefined=StrictUndefined, autoescape=False, finalize=_printed)
        for name in _FORBIDDEN_FILTERS:
            environment.filters.pop(name, None)
        environment.globals.clear()
        self._templates = {}
        for name, source in sources.items():
            try:
                self._templates[name] = environment.from_string(source)
            except TemplateSyntaxError as error:
                raise TemplateInvalid(f"{name}.j2, line {error.lineno}: {error.message}") from None

    def __contains__(self, name: Name) -> bool:
        return name in self._templates

    def title(self, facts: Mapping[str, object]) -> str:
        """The title, one line of at most 240 code points. Raises TemplateFailed."""
        with _failures("title"):
            title = one_line(_SIGNS.sub("", self._print("title", facts, {})), _LONGEST_TITLE, otherwise="")
            if not title:
                raise _LimitExceeded("it prints nothing")
            return title

    def document(self, name: Name, facts: Mapping[str, object], blocks: Blocks) -> Document:
        """The body, the status comment or a further comment. Raises TemplateFailed."""
        with _failures(name):
            document = tuple(_parsed(self._print(name, facts, blocks), blocks))
            if not document:
                raise _LimitExceeded("it prints nothing")
            return document

    def _print(self, name: Name, facts: Mapping[str, object], blocks: Blocks) -> str:
        rounds = iter(range(_MOST_ROUNDS))
        names = {key: _guarded(value, rounds) for key, value in facts.items()}
        pieces: list[str] = []
        left = _MOST_CHARACTERS
        for piece in islice(
            self._templates[name].generate(names | {"blocks": {key: _BlockName(key) for key in blocks}}),
            _MOST_ROUNDS * 10,
        ):
            left -= len(piece)
            if left < 0:
                raise _LimitExceeded(f"it prints more than {_MOST_CHARACTERS:,} characters")
            pieces.append(piece)
        return "".join(pieces)


@contextmanager
def _failures(name: Name) -> Iterator[None]:
    """Turn whatever a template can raise into TemplateFailed."""
    try:
        yield
    except (
        TemplateError,
        _LimitExceeded,
        ArithmeticError,
        TypeError,
        ValueError,
        LookupError,
        RecursionError,
    ) as error:
        reason = f"{name}.j2 failed, and the default text is used instead: {one_line(str(error), 300)}"
        raise TemplateFailed(reason) from None


def _guarded(value: Any, rounds: Iterator[int]) -> Any:
    """A fact without our signs in it, whose lists count the rounds of loops."""
    if isinstance(value, str):
        return _SIGNS.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {_guarded(key, rounds): _guarded(item, rounds) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return _CountedList([_guarded(item, rounds) for item in value], rounds)
    return value


def _printed(value: Any) -> str:
    """The output of one `{{ … }}`, between signs."""
    return f"{_OPEN}{_BLOCK if isinstance(value, _BlockName) else ''}{_SIGNS.sub('', str(value))}{_SHUT}"


def _parsed(text: str, blocks: Blocks) -> Iterator[Block]:
    # Crash text may have line ends; only those of the template itself end a line.
    guarded = _PRINTED.sub(lambda printed: printed[0].replace("\n", " ").replace("\r", " "), text)
    paragraph: list[str] = []
    for line in [*guarded.split("\n"), ""]:
        stripped = line.strip()
        ready = _BLOCK_LINE.fullmatch(stripped)
        starts = bool(ready) or stripped.startswith(("## ", "> ")) or not stripped
        if starts and paragraph:
            yield Paragraph(tuple(_spans(" ".join(paragraph))))
            paragraph = []
        if ready:
            yield from blocks[ready[1]]
        elif stripped.startswith("## "):
            # A heading has no untrusted text.
            yield Heading(" ".join(_PRINTED.sub("", stripped[3:]).split()) or "…")
        elif stripped.startswith("> "):
            yield Panel(tuple(_spans(stripped[2:])))
        elif stripped:
            paragraph.append(stripped)


def _spans(text: str) -> Iterator[Span]:
    # Odd pieces are printed values, even ones the template's own text.
    for index, piece in enumerate(_PRINTED.split(text)):
        if index % 2 and not piece.startswith(_BLOCK):
            yield Value(piece)
        elif index % 2 == 0 and (trusted := _SIGNS.sub("", piece)):
            yield trusted


def facts(group: Group, extras: ReportExtras, announcement: Announcement | None = None) -> dict[str, object]:
    """The names that docs/templates.md lists. Values are texts, numbers, lists of these, and mappings."""
    named = extras.culprit(group)
    occurrences = Counter[str]()
    for entry in group.releases:
        occurrences[entry.release] += entry.occurrences  # names may be equal once they are scrubbed
    occasion: dict[str, object] = {}
    if announcement is not None:
        occasion = {"occasion": announcement.occasion.value, **announcement.facts}
    return {
        "universe": group.identity.universe,
        "project": group.identity.project,
        "fingerprint": group.identity.fingerprint,
        "application": group.application or "",
        "classifiers": list(group.classifiers),
        "message": group.message or "",
        "source_state": "" if group.source_state is None else group.source_state.name,
        "frames": list(group.callstack),
        "top_frame": "" if named is None else named.name,
        "occurrences": group.occurrences,
        "users": group.users or 0,
        "machines": group.hosts or 0,
        "first_seen": utc(group.first_seen),
        "last_seen": utc(group.last_seen),
        "attributes": {name: ", ".join(values) for name, values in group.attributes},
        "releases": [{"release": name, "occurrences": occurrences[name]} for name in ordered(occurrences)],
        "aliases": list(group.aliases),
        "url": group.group_url or "",
        "previous": "" if extras.previous is None else extras.previous.key,
        "note": extras.note,
        "announcement": occasion,
    }

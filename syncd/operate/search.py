"""The groups that a person names, and lists of groups by filters: the same for commands and console.

A name is an issue's key or address, a fingerprint, or its beginning. The first of these three that fits any group decides, so that an issue
key never means a fingerprint that begins like it."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from syncd.config import Config
from syncd.config.values import Seconds
from syncd.core import overview
from syncd.core.quantities import DAY
from syncd.model import Identity
from syncd.store import Store
from syncd.store.filters import STORED, Sort, State, Term, Wanted
from syncd.store.listing import IssueName, Key, Listed, Listing, Tally

T = TypeVar("T")
Choice = TypeVar("Choice", bound=StrEnum)

# The filters of a list by name, as addresses of the console, saved views, and words such as `release:2.4.0` in `text` have them.
FILTERS = ("project", "application", "release", "classifier", "owner", "state", "since", "first", "returned")
_SHORT = {"app": "application", "is": "state"}
FRESH_SECONDS = 7 * 86400.0  # since its first crash a group is new
MOST_TERMS = 20

MOST = 1000  # groups that are compared; more share no beginning that a person types
_NUMBER = re.compile(r"#\d{1,18}")
_KEY = re.compile(r"\w*-\d{1,18}|\S*#\d{1,18}")
# Boards and searches of Jira show an issue beside them, with its key in the address.
_SELECTED = re.compile(r"[?&]selectedissue=([a-z]\w*-\d+)")


def issue_name(text: str) -> IssueName:
    """What `text` is if it names an issue: GAME-12, acme/game#12, #12, or the address of a page about it."""
    name = text.strip().lower()
    scheme, separator, place = name.partition("://")
    if separator and scheme in ("http", "https", "file"):
        selected = _SELECTED.search(name)
        address = re.split(r"[?#]", place, maxsplit=1)[0].rstrip("/")
        return IssueName(key=selected[1] if selected else None, address=address)
    return IssueName(key=name.removesuffix(".md"), number=name if _NUMBER.fullmatch(name) else None)


def matches(store: Store, text: str) -> list[Listed]:
    """Return the groups that `text` fits: none, the only one, or several among which a person must choose."""
    name = text.strip()
    if not name:
        return []
    if listed := store.lists.by_issue(issue_name(name)):
        return listed
    # A fingerprint may contain a slash itself.
    tails = {name, *("/".join(name.split("/")[parts:]) for parts in (1, 2))}
    begun = {group.id: group for tail in tails if tail for group in store.lists.by_fingerprint(tail, MOST)}
    return fitting(((group.standing.group.identity, group) for group in begun.values()), name)


def fitting(candidates: Iterable[tuple[Identity, T]], name: str) -> list[T]:
    """Return those whose whole fingerprint is `name`, else those whose fingerprint begins with it, also after PROJECT/ or
    UNIVERSE/PROJECT/."""
    wanted = name.strip().lower()
    whole, begun = [], []
    for identity, candidate in candidates:
        project = f"{identity.project.lower()}/"
        prefixes = ("", project, f"{identity.universe.lower()}/{project}")
        names = [prefix + identity.fingerprint.lower() for prefix in prefixes]
        if wanted in names:
            whole.append(candidate)
        # A project alone names no group.
        if any(len(wanted) > len(prefixes[at]) and names[at].startswith(wanted) for at in range(3)):
            begun.append(candidate)
    return whole or begun


def absence(text: str) -> str:
    """The sentence for text that fits no group."""
    if "://" in text or _KEY.fullmatch(text.strip()):
        return f"no group has the issue {text!r}, and no fingerprint begins with it"
    return f"no group has a fingerprint that begins with {text!r}"


class BadFilter(ValueError):
    """A filter that cannot be read; the message names it, its value and the remedy."""


def choice(kind: type[Choice], text: str | None) -> Choice | None:
    """One of the values of `kind`; None for no text. Raises BadFilter."""
    try:
        return None if text is None else kind(text)
    except ValueError:
        raise BadFilter(f"there is no {kind.__name__.lower()} {text!r}; there are {', '.join(kind)}") from None


def wanted(config: Config, given: Mapping[str, str | None], now: float) -> Wanted:
    """The filter that the values by the names of FILTERS, and the words of `text`, describe together. Raises BadFilter."""
    filters = {name: value for name in FILTERS if (value := given.get(name))}
    terms = []
    for name, text in _terms(given.get("text") or ""):
        key = name and _SHORT.get(name.lower(), name.lower())
        if key is None or key not in FILTERS:
            terms.append(Term(text) if name is None else Term(f"{name}:{text}", name, text))
        elif filters.setdefault(key, text) != text:
            raise BadFilter(f"{key} is given twice, as {filters[key]!r} and as {text!r}; give one of them")
    if len(terms) > MOST_TERMS:
        raise BadFilter(
            f"text has {len(terms)} words; give at most {MOST_TERMS}, or quote words that follow each other"
        )
    state = choice(State, filters.get("state"))
    first = _since(filters, "first", now)
    if state is State.NEW:
        first = max(first or 0, fresh(now))
    returned = _since(filters, "returned", now)
    return Wanted(
        project=filters.get("project"),
        application=filters.get("application"),
        release=filters.get("release"),
        state=state,
        classifier=filters.get("classifier"),
        owner=filters.get("owner"),
        terms=tuple(terms),
        since=_since(filters, "since", now),
        first=first,
        returned=None if returned is None else float(returned),
        labels=tuple(sorted({route.ignore_label for route in config.all_routes if route.ignore_label})),
    )


def fresh(now: float) -> int:
    """The time since which a group has to have crashed first to be new."""
    return int(now - FRESH_SECONDS)


# NAME:VALUE or NAME:"VALUE" with a name that is neither a namespace nor the drive or scheme of an address; "two words"; a word.
_TERM = re.compile(r'(?:([A-Za-z][\w.-]+):(?![:/\\]))?(?:"([^"]*)"?|([^\s"]\S*))')


def _terms(text: str) -> list[tuple[str | None, str]]:
    """The terms of a search, each with the name before its colon."""
    terms = [(match[1], match[2] if match[3] is None else match[3]) for match in _TERM.finditer(text)]
    return [(name, term.strip()) for name, term in terms if term.strip()]


def _since(filters: Mapping[str, str], name: str, now: float) -> int | None:
    """The time so long ago as a filter says."""
    if (text := filters.get(name)) is None:
        return None
    try:
        return max(0, int(now - TypeAdapter(Seconds).validate_python(text)))
    except ValidationError:
        raise BadFilter(f"{name}: {text!r} is not a duration; write it like 30m, 2h or 7d") from None


def page(store: Store, wanted: Wanted, sort: Sort, after: Key | None, size: int, now: float) -> Listing:
    """A page of the groups that fit. The orders that no index has are those of the groups seen last; `Listing.cut` says if there are more."""
    if sort in STORED:
        return store.lists.groups(wanted, sort, after, size)
    trails, is_cut = store.lists.trails(wanted)
    keys = []
    for trail in trails:
        if sort is Sort.LAST_DAY:
            place = overview.added(trail.points, trail.first_seen, now - DAY)
        else:
            place = max(0, overview.acceleration(trail.points, trail.first_seen, now))
        keys.append((place, trail.id))
    if after is not None:
        keys = [key for key in keys if key < (after.place, after.id)]
    keys.sort(reverse=True)
    following = Key(*keys[size - 1]) if len(keys) > size else None
    return Listing(store.lists.of_numbers([number for _, number in keys[:size]]), following, cut=is_cut)


def tally(store: Store, wanted: Wanted, now: float) -> Tally:
    """How many groups fit whatever their state, and how many have each tab's."""
    return store.lists.tally(wanted, fresh(now))

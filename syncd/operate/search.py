"""The groups that a person names: by an issue's key or address, by a fingerprint, or by its beginning. The first of these three that fits
any group decides, so that an issue key never means a fingerprint that begins like it."""

import re
from collections.abc import Iterable
from typing import TypeVar

from syncd.model import Identity
from syncd.store import Store
from syncd.store.listing import IssueName, Listed

T = TypeVar("T")

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

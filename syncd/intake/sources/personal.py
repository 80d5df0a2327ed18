"""What of a body is personal: it is removed before anything is stored. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from syncd.core.redact import private

# Names of fields, in lower case without separators, whose texts, lists and objects go, wherever they are. Their numbers stay: `users` may be a count.
_NAMES = frozenset(
    (
        "user", "users", "username", "useremail", "userip", "affecteduser", "person", "actor", "author", "assignee", "assignees", "assignedto", "owner", "owners",
        "commenter", "email", "emails", "emailaddress", "phone", "ip", "ipaddress", "clientip", "remoteaddr", "remoteaddress", "xforwardedfor", "geo",
        "headers", "cookies", "cookie", "request", "session", "sessions", "querystring", "authorization", "password", "breadcrumbs", "vars",
    )
)  # fmt: skip
_SEPARATORS = re.compile(r"[^a-z0-9]")


def without(value: object, drop: Sequence[str]) -> object:
    """Return a copy of a JSON value without what is personal by its name, and without what the paths of `drop` name."""
    return _without(value, [_steps(path) for path in drop])


def _steps(path: str) -> list[str]:
    """The names of a path; `[]` in it stands for every item of a list, which needs no step of its own."""
    return [step.removesuffix("[]") for step in path.split(".")]


def _without(value: object, paths: Sequence[list[str]]) -> Any:
    if isinstance(value, list):
        return [_without(item, paths) for item in value if not _is_pair(item)]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, item in value.items():
        below = [steps[1:] for steps in paths if steps[0] == name]
        if any(not steps for steps in below) or (isinstance(item, dict | list | str) and _is_personal(name)):
            continue
        kept[name] = _without(item, below) if isinstance(item, dict | list) else item
    return kept


def _is_personal(name: object) -> bool:
    return isinstance(name, str) and _SEPARATORS.sub("", name.lower()) in _NAMES


def _is_pair(item: object) -> bool:
    """True for a personal name with its value, as lists of tags and headers have them."""
    if isinstance(item, dict):
        return len(item) <= 3 and any(_is_personal(item.get(key)) for key in ("key", "name", "title"))
    return isinstance(item, list) and len(item) == 2 and _is_personal(item[0])


def public(pairs: Iterable[tuple[object, object]]) -> dict[str, object]:
    """Return pairs of name and value without those whose name points to a person or a device."""
    return {name: value for name, value in pairs if isinstance(name, str) and not private(name)}

"""A body that the configuration maps, field by field, by expressions of JMESPath. Pure. Bugsink, Honeybadger and others are tables of it."""

from collections.abc import Container, Mapping
from typing import Any

from syncd.core import paths
from syncd.intake.sources.mapping import Mapped
from syncd.intake.sources.rules import SourceRules
from syncd.intake.sources.split import Split, whole, with_list


def split(value: Mapping[str, Any], settings: SourceRules) -> Split | str:
    """Return the notifications in a body, or why there are none."""
    if settings.each is None:
        return whole(value)
    items = _list(value, settings.each)
    return Split(value, settings.each.split("."), items) if items else f"{settings.each} has no items"


def read(value: Mapping[str, Any], settings: SourceRules, fields: Container[str] | None = None) -> Mapped:
    """Return the facts of a body with one notification, or these of them."""
    context: object = value
    if settings.each is not None:
        item = (_list(value, settings.each) or [None])[0]
        envelope = with_list(value, settings.each.split("."), [])
        context = {**item, "envelope": envelope} if isinstance(item, dict) else {"item": item, "envelope": envelope}
    wanted = {field: path for field, path in settings.fields.items() if fields is None or field in fields}
    return Mapped(**{field: paths.search(path, context) for field, path in wanted.items()})


def _list(value: object, path: str) -> list[object]:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, list) else []

"""The page about the configuration that is in force."""

from collections.abc import Mapping
from typing import Any

from syncd.config import Config, Secret
from syncd.console.page import Asked, Page


def configuration(asked: Asked) -> Page:
    """What is in force, key by key: what was written and what is default. Of a secret only where it is kept."""
    config = asked.desk.config
    rows = list(_keys("", config, Config()))
    shape = {"version": config.version, "keys": {key: value for key, value, _ in rows}}
    return Page("configuration.html", "Configuration", shape, {"rows": rows, "digest": config.version})


def _keys(prefix: str, value: Any, default: Any) -> list[tuple[str, Any, bool]]:
    """(key, value, whether it is the default) of everything below."""
    if isinstance(value, Secret):
        return [(prefix, f"•••••• ({value.place})", False)]
    fields: Mapping[str, Any] | None = None
    if hasattr(type(value), "model_fields") and not hasattr(value, "seconds"):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        plain = default if type(default) is type(value) else _plain(type(value))
    elif isinstance(value, dict) and value and all(hasattr(type(one), "model_fields") for one in value.values()):
        fields, plain = value, None
    elif (
        isinstance(value, list)
        and value
        and all(hasattr(type(one), "model_fields") for one in value)
        and prefix == "routes"
    ):
        fields, plain = {f"[{number}]": one for number, one in enumerate(value)}, None
    if fields is None:
        return [(prefix, _written(value), value == default)]
    rows = []
    for name, inner in fields.items():
        key = f"{prefix}{name}" if name.startswith("[") or not prefix else f"{prefix}.{name}"
        rows += _keys(key, inner, getattr(plain, name, None))
    return rows


def _plain(section: Any) -> Any:
    """What such a section is where nothing is written but what must be."""
    required = {name: None for name, one in section.model_fields.items() if one.is_required()}
    return section.model_construct(**required)


def _written(value: Any) -> Any:
    """As JSON has it."""
    if hasattr(value, "model_dump"):
        return value.model_dump()
    return [_written(one) for one in value] if isinstance(value, list) else value

"""Fields as the project's create screen types them: names, numbers and dates become the JSON that Jira takes. Pure but for `Lookup`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from syncd.config.values import did_you_mean
from syncd.render import adf
from syncd.render.text import Paragraph, one_line

LINE_LIMIT = 255  # UTF-16 units in a summary or a single-line text field
ADF_LIMIT = 30_000  # of JSON: how Cloud counts a document is not published, but its limit is 32,767

_ACCOUNT_ID = re.compile(r"[\w-]+:[\w-]+|[0-9a-f]{24}")
_DAYS = re.compile(r"\+(\d{1,4})d")
_SHOWN_CHOICES = 12

Row = Mapping[str, Any]  # Jira's description of one field
# The candidates for a name in a field of users or sprints, by the field's row. Raises TrackerError.
Lookup = Callable[[Row, str], list[dict[str, Any]]]


def no_candidates(_row: Row, _text: str) -> list[dict[str, Any]]:
    """A lookup that finds nobody."""
    return []


# The types of Jira's own fields, for screens that do not describe them.
_SYSTEM: dict[str, Row] = {
    name: {"schema": {"type": kind, "items": items, "system": name}}
    for name, kind, items in (
        ("parent", "issuelink", ""),
        ("security", "securitylevel", ""),
        ("priority", "priority", ""),
        ("assignee", "user", ""),
        ("reporter", "user", ""),
        ("duedate", "date", ""),
        ("environment", "string", ""),
        ("timetracking", "timetracking", ""),
        ("components", "array", "component"),
        ("versions", "array", "version"),
        ("fixVersions", "array", "version"),
    )
}


class Unfit(ValueError):
    """A value that the field does not take; the text is a clause for people."""


@dataclass(frozen=True, slots=True)
class Screen:
    """The create screen of one issue type: Jira's description of each field by id. A field without one is sent as it is configured, as all
    are where Jira does not describe the screen."""

    rows: Mapping[str, Row] = field(default_factory=dict)
    cloud: bool = False
    lookup: Lookup = no_candidates

    def field_id(self, name: str) -> str:
        """The id of the field that has this id or, in upper or lower case, this name. Raises Unfit where there is none, or several."""
        if name in self.rows or not self.rows:
            return name
        ids = [key for key, row in self.rows.items() if str(row.get("name", "")).casefold() == name.casefold().strip()]
        if len(ids) > 1:
            raise Unfit(f"several fields have the name {name!r}; use an id: {', '.join(ids)}")
        if not ids and name not in _SYSTEM and not re.fullmatch(r"customfield_\d+", name):
            names = [*self.rows, *(str(row["name"]) for row in self.rows.values() if row.get("name"))]
            raise Unfit(f"the create screen has no field {name!r}{did_you_mean(name, names)}")
        return ids[0] if ids else name

    def requires(self, field_id: str) -> bool:
        """True if Jira takes no issue without this field."""
        row = self.rows.get(field_id, {})
        return bool(row.get("required") and not row.get("hasDefaultValue"))

    def value(self, field_id: str, value: Any, now: float) -> Any:
        """`value` as the field takes it. Objects, and lists of objects, are sent as they are.

        `now` dates values such as `"+14d"`. Raises Unfit, and what the lookup raises.
        """
        row, system = self.rows.get(field_id), _SYSTEM.get(field_id)
        if row is None and system is None:
            return line(value) if isinstance(value, str) else value
        if row is None or (system is not None and not isinstance(row.get("schema"), dict)):
            row = {**(row or {}), **(system or {})}
        elif system is not None:
            row = {**row, "schema": {**system["schema"], **row["schema"]}}
        return _typed(row, value, self, now)


def line(text: str) -> str:
    """The text in one line, in as many characters as Jira's single-line fields take."""
    # Jira counts a character beyond U+FFFF twice.
    counted_twice = sum(character > "\uffff" for character in text[:LINE_LIMIT])
    return one_line(text, LINE_LIMIT - min(counted_twice, LINE_LIMIT // 2), otherwise="")


def _typed(row: Row, value: Any, screen: Screen, now: float) -> Any:
    """`value` as Jira's schema of the field types it."""
    schema = row["schema"] if isinstance(row.get("schema"), dict) else {}
    kind, custom = str(schema.get("type", "any")), str(schema.get("custom", ""))
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict) for each in value)):
        return value
    if custom.endswith(":gh-sprint"):
        # Jira describes a list and takes the number of a single sprint.
        return _sprint(row, value, screen.lookup)
    if kind == "array":
        of_each = {**schema, "type": str(schema.get("items", "string"))}
        values = value if isinstance(value, list) else [value]
        return [_typed({**row, "schema": of_each}, each, screen, now) for each in values]
    if kind == "option-with-child":
        return _cascade(row, value)
    if isinstance(value, list):
        raise Unfit(f"it takes a single {kind}, and no list")
    if kind == "number":
        return _number(value)
    text = str(value).lower() if isinstance(value, bool) else line(str(value))
    if kind == "string":
        return _text(schema, str(value), text, screen.cloud)
    if kind == "user":
        return _person(row, text, screen)
    named = _named(kind, row, text, now)
    return value if named == text and not isinstance(value, str) else named


def _named(kind: str, row: Row, text: str, now: float) -> Any:
    """A date, or an object with the key by which Jira names values of this type; the text itself for a type of an extension."""
    match kind:
        case "date" | "datetime":
            return _time(kind, text, now)
        case "option":
            return _choice(row.get("allowedValues"), text, "value")
        case "priority" | "resolution" | "issuetype" | "version" | "component" | "group" | "securitylevel":
            return _choice(row.get("allowedValues"), text, "name", by_id=kind == "securitylevel")
        case "project" | "issuelink" | "issuelinks":
            return {"id" if text.isdigit() else "key": text}
        case "timetracking":
            return {"originalEstimate": text}
    return text


def _text(schema: Row, value: str, text: str, cloud: bool) -> Any:
    """A label without blanks, a paragraph, which is a document on Cloud, or one line."""
    custom, system = str(schema.get("custom", "")), schema.get("system")
    if custom.endswith(":labels") or system == "labels":
        return "-".join(text.split())
    if custom.endswith(":textarea") or system == "environment":
        return adf.write((Paragraph((value,)),), ADF_LIMIT) if cloud else value
    return text


def _number(value: object) -> float | int:
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else float("nan")
    except (ValueError, OverflowError):
        number = float("nan")
    if not abs(number) < 1e15:
        raise Unfit(f"it takes a number, and {value!r} is none")
    return int(number) if number == int(number) else number


def _time(kind: str, text: str, now: float) -> str:
    """A date, or a time in the form of Jira's date-time fields, from ISO 8601 or from days after `now`."""
    try:
        if days := _DAYS.fullmatch(text):
            moment = datetime.fromtimestamp(now, UTC) + timedelta(days=int(days[1]))
        elif kind == "date":
            return date.fromisoformat(text[:10]).isoformat()
        else:
            moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unfit(f'it takes a {kind} such as "2027-01-31" or "+14d", and {text!r} is none') from None
    return moment.date().isoformat() if kind == "date" else moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _matches(choices: object, text: str) -> tuple[list[dict[str, Any]], list[str]]:
    """The allowed values that have this name, key or id, exactly or else in upper or lower case; and the names of all."""
    rows = [each for each in choices if isinstance(each, dict)] if isinstance(choices, list) else []
    keys = ("value", "name", "key", "id")
    exact = [each for each in rows if text in {str(each[key]) for key in keys if each.get(key) is not None}]
    alike = [
        each
        for each in rows
        if text.casefold() in {str(each[key]).casefold().strip() for key in keys if each.get(key) is not None}
    ]
    names = [str(each.get("value") or each.get("name") or each.get("key") or each.get("id")) for each in rows]
    return exact or alike, names


def _choice(choices: object, text: str, key: str, *, by_id: bool = False) -> dict[str, Any]:
    """The allowed value as an object with its `key`; with its id where that does not tell it from another value."""
    matches, names = _matches(choices, text)
    if not names:
        return {key: text}
    if not matches:
        listed = ", ".join(names[:_SHOWN_CHOICES]) + (", …" if len(names) > _SHOWN_CHOICES else "")
        raise Unfit(f"{text!r} is none of its values: {listed}")
    name, number = matches[0].get(key), matches[0].get("id")
    if number is not None and (by_id or name is None or names.count(str(name)) > 1):
        return {"id": str(number)}
    return {key: name if name is not None else text}


def _cascade(row: Row, value: Any) -> dict[str, Any]:
    """A choice of two levels: `["Engine", "Audio"]`, `"Engine > Audio"`, or the first level alone."""
    choices = row.get("allowedValues")
    steps = [line(str(step)) for step in value] if isinstance(value, list) else [line(str(value))]
    if len(steps) == 1 and not _matches(choices, steps[0])[0]:
        steps = [step.strip() for step in steps[0].split(">", 1)]
    if not 1 <= len(steps) <= 2:
        raise Unfit('it takes one choice in another, such as ["Engine", "Audio"]')
    parent = _choice(choices, steps[0], "value")
    if len(steps) == 1:
        return parent
    children = next((each.get("children") for each in _matches(choices, steps[0])[0]), None)
    return {**parent, "child": _choice(children, steps[1], "value")}


def _person(row: Row, text: str, screen: Screen) -> dict[str, str]:
    """Cloud names people by an opaque id, Data Center by their login; `text` may be either, a name or an e-mail address."""
    key = "accountId" if screen.cloud else "name"
    if screen.cloud and _ACCOUNT_ID.fullmatch(text):
        return {key: text}
    people = [each for each in screen.lookup(row, text) if isinstance(each.get(key), str)]
    names = ("accountId", "name", "key", "displayName", "emailAddress")
    same = [each for each in people if text.casefold() in {str(each.get(name, "")).casefold() for name in names}]
    if not same and "@" in text:
        same = people  # Jira finds people by an address that it does not show
    if len({each[key] for each in same}) != 1:
        raise Unfit(f"{text!r} is {'the name of several users' if same else 'no user'} for the account that syncd uses")
    return {key: same[0][key]}


def _sprint(row: Row, value: Any, lookup: Lookup) -> int:
    (text,) = map(str, value) if isinstance(value, list) and len(value) == 1 else (str(value),)
    if text.isascii() and text.isdigit():
        return int(text)
    same = [each for each in lookup(row, text) if str(each.get("name", "")).casefold() == text.casefold()]
    ids = {str(each.get("id")) for each in same}
    if len(ids) != 1 or not (number := ids.pop()).isdigit():
        raise Unfit(f"{text!r} is {'the name of several sprints' if same else 'no sprint'}; use its number")
    return int(number)

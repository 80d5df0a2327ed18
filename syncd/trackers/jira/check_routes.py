"""Findings of `check` on what routes ask of a Jira project: what they recognise in closed issues, and what their rules set."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from syncd.config import JiraSettings
from syncd.core.policy import Policy, SetRule
from syncd.errors import TrackerError
from syncd.platform.clock import Clock
from syncd.render.text import one_line
from syncd.trackers import Finding, closings
from syncd.trackers.jira.answers import rows
from syncd.trackers.jira.check import SAMPLE
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.control import permissions
from syncd.trackers.jira.fields import mapped, varying
from syncd.trackers.jira.look import ENGLISH, Translates, standard
from syncd.trackers.jira.screens import Screens, issue_types
from syncd.trackers.jira.typed import Screen, Unfit

_SHOWN_CHARACTERS = 300


def check_routes(
    connection: Connection,
    settings: JiraSettings,
    routes: Sequence[Policy],
    releases: Sequence[str],
    translates: Translates,
    clock: Clock,
) -> list[Finding]:
    """What the rules of the routes set, which resolutions they recognise, and which versions name a release. Creates nothing."""
    findings: list[Finding] = []
    try:
        findings += _rules(connection, settings, routes, clock)
        listed = rows(connection.send_idempotent("GET", "resolution", headers=ENGLISH))
        names = {str(row["name"]): standard(row, translates) for row in listed if row.get("name")}
        findings += closings.resolutions(names, routes)
        if settings.fixed_in_field == "fixVersions":
            versions = rows(connection.send_idempotent("GET", f"project/{settings.project}/versions"))
            titles = [str(row.get("name")) for row in versions if not row.get("archived")]
            findings += closings.fix_names("version", titles, routes, releases)
    except TrackerError as error:
        what = f"what {settings.project} has for the routes cannot be read: {error.reason}"
        findings.append(Finding(ok=False, what=what, remedy="check again"))
    return findings


def _rules(connection: Connection, settings: JiraSettings, routes: Sequence[Policy], clock: Clock) -> Iterator[Finding]:
    """What each rule of `set` sends, or why Jira would not take it. Raises TrackerError."""
    rules = [(policy, number, rule) for policy in routes for number, rule in enumerate(policy.set)]
    if not rules:
        return
    kinds, screens = issue_types(connection, settings), Screens(connection, settings, clock)
    lists = {
        "priority": rows(connection.send_idempotent("GET", "priority")),
        "components": rows(connection.send_idempotent("GET", f"project/{settings.project}/components")),
    }
    for policy, number, rule in rules:
        place, kind = f"route {policy.name}, set[{number}]", rule.issue_type or settings.issue_type
        if kind not in kinds:
            remedy = f"set issue_type to one of: {', '.join(sorted(kinds))}"
            yield Finding(ok=False, what=f"{place}: {settings.project} has no issue type {kind!r}", remedy=remedy)
            continue
        sent, faults = _values(rule, _described(screens.screen(kind), lists), clock.wall())
        for fault in faults:
            yield Finding(ok=False, what=f"{place}: {fault}", remedy="correct its value in the rule")
        if rule.labels:
            sent["labels"] = list(rule.labels)
        texts = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in sent.items()]
        if rule.issue_type:
            texts.insert(0, f"issues of type {kind}")
        if texts and not faults:
            yield Finding(ok=True, what=one_line(f"{place} sets {', '.join(texts)}", _SHOWN_CHARACTERS))
    if "EDIT_ISSUES" not in permissions(connection, settings):
        remedy = "grant it in the project's permission scheme; until then rules set what an issue has when it is filed, and raise nothing later"
        what = f"the account lacks EDIT_ISSUES in {settings.project}, which rules of set need for issues that exist"
        yield Finding(ok=True, what=what, remedy=remedy)


def _described(screen: Screen, lists: dict[str, list[dict[str, Any]]]) -> Screen:
    """The screen with the values of the site where it names none of its own."""
    rows_by_id = dict(screen.rows)
    for name, listed in lists.items():
        if name in rows_by_id and not rows_by_id[name].get("allowedValues"):
            rows_by_id[name] = {**rows_by_id[name], "allowedValues": listed}
    return Screen(rows_by_id, screen.cloud, screen.lookup)


def _values(rule: SetRule, screen: Screen, now: float) -> tuple[dict[str, Any], list[str]]:
    """What the rule sends by field, and a clause for each field that would not take its value. Raises TrackerError."""
    own = {"priority": rule.priority, "components": rule.component, "assignee": rule.assignee}
    templates = {**{name: value for name, value in own.items() if value}, **rule.fields}
    faults, off_screen = [], []
    for name in templates:
        try:
            if screen.rows and screen.field_id(name) not in screen.rows:
                off_screen.append(name)
                faults.append(f"{name} cannot be set on new issues; add it to the create screen")
        except Unfit:
            continue  # mapped below, with the same clause
    on_screen = {name: value for name, value in templates.items() if name not in off_screen}
    values, notes = mapped(on_screen, SAMPLE, screen, now)
    # Another group may have a value that fits.
    fixed = tuple(f"{name} was left out" for name, value in on_screen.items() if not varying(value))
    faults += [note.replace(" was left out", "", 1) for note in notes if note.startswith(fixed)]
    return values, faults

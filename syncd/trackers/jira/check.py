"""Real questions to a Jira, with a remedy for each bad answer; and what a refused create means."""

import json
from contextlib import suppress

from syncd.config import JiraSettings
from syncd.errors import Misconfigured, Refused, TrackerError
from syncd.model import Group, Identity, Release
from syncd.platform.clock import Clock
from syncd.render.text import one_line
from syncd.trackers import Draft, Finding, clock_finding
from syncd.trackers.jira.answers import message, refused_fields
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.control import NEEDED, permissions, read, require
from syncd.trackers.jira.fields import FIXED, mapped, varying, varying_names
from syncd.trackers.jira.screens import Screens, fields, issue_types
from syncd.trackers.jira.typed import Screen, Unfit
from syncd.trackers.transport import Answer

# Sent with every create, which Jira refuses where the create screen lacks a field of it.
_SENT = ("summary", "description", "labels")
# Always sent, or set by Jira itself: some versions report no default for the reporter, yet it has one.
_NEVER_MISSING = {*_SENT, "project", "issuetype", "reporter"}

_SHOWN_CHARACTERS = 300

# A group by which `check` displays what a field is set to.
SAMPLE = Group(
    identity=Identity("acme", "game", "ab" * 32),
    application="game",
    group_url="https://acme.sp.backtrace.io/p/game/triage",
    object_id="1a2b",
    occurrences=12,
    users=3,
    hosts=4,
    first_seen=1_750_000_000,
    last_seen=1_750_003_600,
    releases=(Release(release="2.4.0", occurrences=12, first_seen=1_750_000_000, last_seen=1_750_003_600),),
)


def check(connection: Connection, settings: JiraSettings, name: str, clock: Clock) -> list[Finding]:
    """All findings, up to the first failure that makes the others meaningless. Creates nothing."""
    findings: list[Finding] = []
    try:
        login = read(connection, "myself")
        findings.append(Finding(ok=True, what=f"logged in as {account(login.json)}"))
        findings += [Finding(ok=True, what=sentence) for sentence in connection.login.describe()]
        findings += clock_finding(login.date, clock.wall())
        require(connection, settings)
        findings.append(Finding(ok=True, what=f"project {settings.project} can be read, and is not archived"))
        needed = (*NEEDED, "EDIT_ISSUES") if settings.fields else NEEDED
        granted = permissions(connection, settings)
        if lacking := [permission for permission in needed if permission not in granted]:
            what = f"the account lacks {', '.join(lacking)} in {settings.project}"
            findings.append(Finding(ok=False, what=what, remedy="grant it in the project's permission scheme"))
        else:
            findings.append(Finding(ok=True, what=f"the account holds {', '.join(needed)}"))
        findings += _issue_type(connection, settings, clock)
        findings += _statuses(connection, settings, name)
    except TrackerError as error:
        remedy = f"see trackers.{name} in the configuration"
        if not isinstance(error, Misconfigured):
            remedy = f"look at what answers at {settings.url} from this machine, then check again"
        findings.append(Finding(ok=False, what=error.reason, remedy=remedy))
    return findings


def account(user: object) -> str | None:
    """The id that tells one account from another: Cloud gives only accountId, Data Center key and name."""
    if not isinstance(user, dict):
        return None
    name = user.get("accountId") or user.get("key") or user.get("name")
    return name if isinstance(name, str) else None


def language(user: object) -> str:
    """The language in which Jira answers the account, such as `de`; empty where Jira does not name it."""
    locale = user.get("locale") if isinstance(user, dict) else None
    return locale[:2].lower() if isinstance(locale, str) else ""


def create_refusal(
    connection: Connection, settings: JiraSettings, answer: Answer, draft: Draft, clock: Clock
) -> TrackerError:
    """The meaning of a refused create from which no further field can be left out.

    The group is to blame only where the project takes new issues of this type with the fields that syncd always sends, and where the
    refusal does not name a field that is the same for every group. An issue type that a rule sets concerns the rule's groups only.
    """
    reason = f"({answer.status}{message(answer)})"
    obstacles: list[tuple[str, str]] = []
    screen = Screen()
    try:
        require(connection, settings, "BROWSE_PROJECTS", "CREATE_ISSUES", refused=answer)
        # Data Center before 8.4 does not describe its create screens.
        with suppress(Misconfigured, Refused):
            screen, obstacles, _ = _create_screen(connection, settings, draft.issue_type or settings.issue_type, clock)
    except TrackerError as error:
        # Jira did nothing in any case, so that a lost control answer leaves nothing in doubt.
        return error
    if obstacles:
        what, remedy = obstacles[0]
        if draft.issue_type:
            return Refused(f"Jira refused it {reason}: {what}; {remedy}, or correct issue_type under set")
        return Misconfigured(f"Jira takes no new issue in {settings.project} {reason}: {what}; {remedy}")
    if refused_fields(answer).keys() - varying_names(settings, draft, screen):
        return Misconfigured(
            f"Jira takes no new issue in {settings.project} like this {reason}; correct project or issue_type, "
            "map the field under fields, or make it optional in Jira"
        )
    return Refused(f"Jira refused it {reason}")


def _create_screen(
    connection: Connection, settings: JiraSettings, issue_type: str, clock: Clock
) -> tuple[Screen, list[tuple[str, str]], list[Finding]]:
    """The create screen; whatever makes Jira refuse every create, each with its remedy; and what the optional fields are set to."""
    project, kinds = settings.project, issue_types(connection, settings)
    if issue_type not in kinds:
        remedy = f"set issue_type to one of: {', '.join(sorted(kinds)) or 'none can be seen'}"
        return Screen(), [(f"{project} has no issue type {issue_type!r} for the account that syncd uses", remedy)], []
    candidates = Screens(connection, settings, clock).candidates
    screen = Screen(fields(connection, settings, kinds[issue_type]), settings.deployment == "cloud", candidates)
    sent, mappings = _mappings(settings, screen, clock.wall())
    lacking = [name for name in _SENT if name not in screen.rows]
    missing = [
        f"{name} ({row.get('name')})"
        for name, row in screen.rows.items()
        if screen.requires(name) and name not in {*sent, *_NEVER_MISSING}
    ]
    obstacles = []
    if lacking:
        remedy = f"add {', '.join(lacking)} to the create screen of {project}"
        if "labels" in lacking:
            remedy += "; syncd knows its issues by a label"
        obstacles.append((f"{', '.join(lacking)} cannot be set on new issues of type {issue_type}", remedy))
    if missing:
        remedy = "map it under fields, or make it optional or give it a default in Jira"
        obstacles.append((f"new issues of type {issue_type} require {', '.join(missing)}", remedy))
    return screen, obstacles, mappings


def _mappings(settings: JiraSettings, screen: Screen, now: float) -> tuple[set[str], list[Finding]]:
    """The ids of the optional fields that a create can send, and for each field what is sent, or why Jira would not take it."""
    own = {"versions": settings.affects_versions, "components": settings.components, "priority": settings.priority}
    sent = {name for name, value in own.items() if value}
    off_screen = f"add it to the create screen of {settings.project}, or remove it from the tracker's section"
    findings = [
        Finding(ok=False, what=f"{name} cannot be set on new issues", remedy=off_screen)
        for name in own
        if name in sent - screen.rows.keys()
    ]
    fixed = {"priority": settings.priority, "components": settings.components}
    mapping = {name: value for name, value in fixed.items() if value and name in screen.rows} | settings.fields
    for name, template in mapping.items():
        try:
            field_id = screen.field_id(name)
        except Unfit as error:
            findings.append(Finding(ok=False, what=f"fields.{name}: {error}", remedy="correct the name"))
            continue
        row = screen.rows.get(field_id, {})
        schema = row["schema"] if isinstance(row.get("schema"), dict) else {}
        label = " ".join(dict.fromkeys((str(row.get("name", field_id)), f"({field_id})")))
        if field_id in FIXED:
            remedy = "remove it from fields; title, labels and issue type have keys of their own"
            findings.append(Finding(ok=False, what=f"{label} is filled by syncd itself", remedy=remedy))
            continue
        if not row:
            findings.append(Finding(ok=False, what=f"{field_id} cannot be set on new issues", remedy=off_screen))
            continue
        sent.add(field_id)
        values, notes = mapped({name: template}, SAMPLE, screen, now)
        is_open = varying(template) and bool(row.get("allowedValues"))  # another group may have a value that fits
        if notes and not is_open:
            what = f"{label} is of type {schema.get('type', 'any')}: {notes[0].partition(': ')[2]}"
            findings.append(Finding(ok=False, what=what, remedy="correct its value in the tracker's section"))
            continue
        value = (
            json.dumps(values[field_id], ensure_ascii=False) if field_id in values else "a value of each group's own"
        )
        sample = " for a sample group" if varying(template) and values else ""
        findings.append(Finding(ok=True, what=one_line(f"new issues get {label} = {value}{sample}", _SHOWN_CHARACTERS)))
    return sent, findings


def _issue_type(connection: Connection, settings: JiraSettings, clock: Clock) -> list[Finding]:
    """Findings about what keeps Jira from any create, and about optional fields that it would refuse in every create."""
    screen, obstacles, mappings = _create_screen(connection, settings, settings.issue_type, clock)
    findings = [Finding(ok=False, what=what, remedy=remedy) for what, remedy in obstacles]
    if screen.rows and not obstacles:
        what = f"issues of type {settings.issue_type} can be created with {', '.join(_SENT)}"
        findings.append(Finding(ok=True, what=what))
    return findings + mappings


def _statuses(connection: Connection, settings: JiraSettings, name: str) -> list[Finding]:
    """Findings about reopening closed issues, from the statuses alone: Jira lists transitions of a single issue only."""
    kind_name = settings.issue_type
    answer = connection.send_idempotent("GET", f"project/{settings.project}/statuses")
    content = answer.json if answer.ok else None
    kinds = [kind for kind in content if isinstance(kind, dict)] if isinstance(content, list) else []
    listed = next((kind.get("statuses") for kind in kinds if kind.get("name") == kind_name), None)
    statuses = [status for status in listed if isinstance(status, dict)] if isinstance(listed, list) else []
    names = [str(status.get("name")) for status in statuses]
    wrong = [
        Finding(
            ok=False,
            what=f"issues of type {kind_name} have no status {wanted!r}",
            remedy=f"set trackers.{name}.{key} to one of: {', '.join(names)}",
        )
        for key, wanted in (("reopen_status", settings.reopen_status), ("close_status", settings.close_status))
        if statuses and wanted is not None and wanted not in names
    ]
    if not statuses or wrong:
        return wrong
    categories = [status.get("statusCategory") for status in statuses]
    reopened = [
        status_name
        for status_name, category in zip(names, categories, strict=True)
        if not isinstance(category, dict) or category.get("key") != "done"
    ]
    if reopened:
        return [Finding(ok=True, what=f"a closed issue can be reopened to {', '.join(reopened)}")]
    what = f"no status of {kind_name} is open: nothing can be reopened"
    remedy = "add a status that is to do or in progress to its workflow; regressions are told in a comment until then"
    return [Finding(ok=False, what=what, remedy=remedy)]

"""What `syncd check` asks of a project: whether the token reads, and whether the alerts send what syncd needs. Reads only.

The workflows service and its shapes are those of morgue (lib/workflows, "Alert options" of its README). How the webhook's integration spells
its address is documented nowhere, so every text of its options is looked through.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from syncd.backtrace import queries
from syncd.backtrace.client import Client, ColumnsMissing
from syncd.backtrace.queries import Query
from syncd.core.quantities import counted, duration, listed
from syncd.errors import Misconfigured, TrackerError
from syncd.intake.receiver import takes
from syncd.render.text import one_line
from syncd.trackers import Finding

LONGEST_SECONDS = 3600.0  # between two notifications of one group
NEW_GROUPS = ("group",)
MORE_CRASHES = ("trace", "errorsPerFingerprint", "usersPerFingerprint")

# What is lost without a column.
_LOSSES = {
    "guid": "users are not counted",
    "hostname": "machines are not counted",
    "callstack": "groups that only a poll names have no stack",
    "application": "groups that only a poll names have no application",
    "classifiers": "groups that only a poll names have no kind of crash",
    queries.STATE: "syncd does not see which groups are resolved or muted",
    queries.TICKET: "tickets that groups have already are not adopted",
}


@dataclass(frozen=True, slots=True)
class Ask(Finding):
    """What this token may not read: somebody with an account can look."""


def findings(client: Client, release_attributes: tuple[str, ...], *, polled: bool) -> Iterator[Finding]:
    """What is well with the project, and what is not; each fault with the way to it in Backtrace."""
    project = client.target.project.name
    try:
        yield from _token(client, release_attributes, polled=polled)
    except TrackerError as error:
        yield Finding(ok=False, what="its groups cannot be read", remedy=error.reason)
        if not error.silent:
            return
    try:
        place = _workflows(client)
        integrations = _listed(client.read(f"{place}/integrations"))
        alerts = _listed(client.read(f"{place}/alerts"))
    except Misconfigured as error:
        look = f"somebody with an account looks at Project settings of {project} → Integrations and → Alerts: one webhook that leads here, "
        look += "one alert for new fingerprints, one for every error"
        yield Ask(
            ok=True, what=f"syncd cannot see what its alerts send ({error.reason.partition(';')[0]})", remedy=look
        )
    except TrackerError as error:
        yield Finding(ok=False, what="its integrations cannot be read", remedy=error.reason)
    else:
        yield from _webhooks(integrations, alerts, project, polled=polled)


def _token(client: Client, release_attributes: tuple[str, ...], *, polled: bool) -> Iterator[Finding]:
    dropped: list[str] = []
    while True:
        folds = queries.totals(release_attributes, dropped)
        try:
            page = client.query(Query(filter=queries.since(0), folds=folds, limit=1))
            break
        except ColumnsMissing as error:
            dropped += error.columns
    groups = "groups" if page.total is None else counted(page.total, "group")
    poll = f"syncd reads their counts every {duration(client.target.project.poll)}" if polled else "polls are off"
    yield Finding(ok=True, what=f"the token reads {groups}; {poll}")
    path = f"Project settings of {client.target.project.name} → Attributes"
    for column in dropped:
        if column in _LOSSES:
            yield Finding(
                ok=True, what=f"{column} is not indexed: {_LOSSES[column]}", remedy=f"add it in Backtrace: {path}"
            )
    if release_attributes and all(name in dropped for name in release_attributes):
        what = f"no attribute of a release is indexed ({listed(release_attributes, 3)})"
        yield Finding(
            ok=True, what=what, remedy=f"index one of them in Backtrace: {path}, or name another in release_attributes"
        )


def _workflows(client: Client) -> str:
    """The path of the project at the workflows service. Raises Misconfigured where there is none below the configured address."""
    value = client.read("/api/config")
    services = value.get("services") if isinstance(value, dict) else None
    for service in services if isinstance(services, list) else []:
        endpoint = service.get("endpoint") if isinstance(service, dict) and service.get("name") == "workflows" else None
        if isinstance(endpoint, str):
            target = client.target
            place = f"universes/{quote(target.settings.universe)}/projects/{quote(target.project.name)}"
            return f"{endpoint.rstrip('/')}/{place}"
    raise Misconfigured("this Backtrace names no workflows service")


def _listed(value: Any) -> list[Mapping[str, Any]]:
    """The entries of an answer, bare or in an envelope."""
    if isinstance(value, dict):
        value = value.get("body")
    if not isinstance(value, list):
        raise Misconfigured("the workflows service answers in an unknown shape")
    return [entry for entry in value if isinstance(entry, dict)]


def _webhooks(
    integrations: list[Mapping[str, Any]], alerts: list[Mapping[str, Any]], project: str, *, polled: bool
) -> Iterator[Finding]:
    settings = f"Project settings of {project}"
    leading = [entry for entry in integrations if any(map(_leads_here, _texts(entry.get("options"))))]
    if not leading:
        kinds = [one_line(str(entry.get("watcherName") or entry.get("pluginId")), 60) for entry in integrations]
        has = f"it has {listed(kinds, 3)}" if kinds else "it has no integration"
        yield Finding(
            ok=polled,
            what=f"no webhook of the project leads to syncd: {has}",
            remedy=f"in Backtrace: {settings} → Integrations → Add → Webhook, with https://YOUR-HOST/webhooks/backtrace",
        )
        return
    for entry in leading:
        name, state = _name(entry), str(entry.get("state", "enabled"))
        working = state == "enabled"
        remedy = "" if working else f"in Backtrace: {settings} → Integrations → {name} → Enable"
        yield Finding(ok=working, what=f"the webhook {name} is {state}", remedy=remedy)
    numbers = {str(entry.get("id")) for entry in leading}
    attached = [alert for alert in alerts if numbers & {_number(entry) for entry in alert.get("integrations") or []}]
    active = [alert for alert in attached if alert.get("state", "enabled") == "enabled"]
    for alert in attached:
        if alert not in active:
            remedy = f"in Backtrace: {settings} → Alerts → {_name(alert)} → Enable"
            yield Finding(
                ok=polled, what=f"the alert {_name(alert)} is {one_line(str(alert['state']), 40)}", remedy=remedy
            )
    add = f"in Backtrace: {settings} → Alerts → Add, with the webhook {_name(leading[0])}, and as its condition"
    if not (names := [_name(alert) for alert in active if _condition(alert) in NEW_GROUPS]):
        remedy = f"{add} a new fingerprint"
        yield Finding(ok=polled, what="no alert sends new groups to syncd: none is filed by the webhook", remedy=remedy)
    else:
        yield Finding(ok=True, what=f"new groups are sent by the alert {listed(names, 2)}")
    moving = [alert for alert in active if _condition(alert) in MORE_CRASHES]
    if not moving:
        remedy = "" if polled else f"{add} every error, with a frequency of 15 to 60 minutes; or set poll"
        stand = (
            "the counts come from polls"
            if polled
            else "the counts of an issue stand still after the first notification"
        )
        yield Finding(ok=polled, what=f"no alert sends further crashes of a group: {stand}", remedy=remedy)
    for alert in moving:
        seconds = alert.get("frequency", 0) / 1000 if isinstance(alert.get("frequency"), int | float) else 0.0
        slow = seconds > LONGEST_SECONDS
        remedy = f"in Backtrace: {settings} → Alerts → {_name(alert)} → Frequency, 15 to 60 minutes" if slow else ""
        what = f"the alert {_name(alert)} moves the counts, at most every {duration(seconds)}"
        yield Finding(ok=polled or not slow, what=what, remedy=remedy)


def _leads_here(text: str) -> bool:
    try:
        return takes(urlsplit(text).path)
    except ValueError:
        return False


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _name(entry: Mapping[str, Any]) -> str:
    name = entry.get("name") or entry.get("watcherName") or entry.get("id") or "without a name"
    return one_line(str(name), 80)


def _number(entry: Any) -> str:
    return str(entry.get("id")) if isinstance(entry, Mapping) else str(entry)


def _condition(alert: Mapping[str, Any]) -> str:
    condition = alert.get("condition")
    return str(condition.get("name")) if isinstance(condition, Mapping) else str(condition)

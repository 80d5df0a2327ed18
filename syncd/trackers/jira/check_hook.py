"""Whether Jira has a webhook that reports to syncd. Reads only.

Data Center from version 10 on has its webhooks, with counts of their deliveries, at another address than Cloud and older versions, which
count none.
"""

import re
from collections.abc import Callable, Iterator

import msgspec

from syncd.config import JiraSettings
from syncd.platform.clock import Clock
from syncd.trackers import Finding, Notebook, hooks
from syncd.trackers.jira.answers import failure
from syncd.trackers.jira.connection import Connection
from syncd.trackers.transport import Answer, Sent

_WEBHOOKS, _COUNTED_WEBHOOKS = "/rest/webhooks/1.0/webhook", "/rest/jira-webhook/1.0/webhooks"
_JQL = "issue-related-events-section"  # the filter for events of issues
# A filter that an issue still fits after every change but that of its project.
_HARMLESS = re.compile(r"\s*(project\s*(=\s*(\"[^\"]*\"|[\w-]+)|in\s*\([^()]*\))\s*)?", re.IGNORECASE)


class _Counts(msgspec.Struct, frozen=True):
    successes: int = 0
    failures: int = 0
    errors: int = 0


class _Statistics(msgspec.Struct, frozen=True):
    counts: _Counts = _Counts()


class _Webhook(msgspec.Struct, rename="camel"):
    """`active` is Data Center's word for `enabled`."""

    url: str = ""
    enabled: bool = True
    active: bool = True
    events: list[str] = []
    exclude_body: bool = False
    filters: dict[str, object] = {}
    statistics: _Statistics | None = None


def check_hook(
    name: str,
    settings: JiraSettings,
    notebook: Notebook,
    hook: str,
    *,
    clock: Clock,
    sleep: Callable[[float], None],
) -> list[Finding]:
    """Return what Jira has of the hook `hook` of this tracker, among the webhooks that its administrators made. One GET or two."""
    connection = Connection(name, settings, notebook, clock, sleep)
    return hooks.read_webhooks("Jira", connection, _findings(connection, settings, hook))


def _read(connection: Connection, settings: JiraSettings) -> Answer:
    if settings.deployment == "datacenter":
        answer = connection.send_idempotent("GET", _COUNTED_WEBHOOKS, parameters={"statistics": "true"})
        if answer.status != 404:
            return answer
    return connection.send_idempotent("GET", _WEBHOOKS)


def _findings(connection: Connection, settings: JiraSettings, hook: str) -> Iterator[Finding]:
    """Raises TrackerError."""
    answer = _read(connection, settings)
    if answer.status in (401, 403, 404):
        yield Finding(
            ok=True,
            what="only administrators can read Jira's webhooks, so that nothing says whether one leads here",
            remedy="let one look at them under System → WebHooks; docs/setup.md has the settings",
        )
        return
    listed = answer.read(list[_Webhook]) if answer.ok else None
    if listed is None:
        raise failure(answer, Sent.READ)
    webhooks = [each for each in listed if hooks.place_of(each.url, hook)]
    if not webhooks:
        yield Finding(
            ok=True,
            what=f"{settings.url} has no webhook that leads to /hooks/{hook}",
            remedy="let an administrator add one under System → WebHooks; docs/setup.md has its settings",
        )
    for each in webhooks:
        yield from _judge(each, hook)


def _judge(webhook: _Webhook, hook: str) -> Iterator[Finding]:
    """What Jira says of a webhook that leads here, and each setting of it that keeps reports away."""
    yield Finding(ok=True, what=f"Jira's webhook leads to {hooks.place_of(webhook.url, hook)}")
    jql = str(webhook.filters.get(_JQL) or "")
    faults = {
        "is switched off": ("enable it", not (webhook.enabled and webhook.active)),
        "leaves out the body": ("untick Exclude body", webhook.exclude_body),
        "does not report updates of issues": ("tick Issue: updated", "jira:issue_updated" not in webhook.events),
        "does not report deletions of issues": ("tick Issue: deleted", "jira:issue_deleted" not in webhook.events),
        f"reports only issues that fit {jql!r}": (
            "filter by the project or by nothing: the change after which an issue fits no longer is not reported",
            _HARMLESS.fullmatch(jql) is None,
        ),
    }
    for fault, (remedy, is_so) in faults.items():
        if is_so:
            yield Finding(ok=True, what=f"Jira's webhook {fault}", remedy=remedy)
    if webhook.statistics is None:
        yield Finding(ok=True, what="this Jira does not tell what its deliveries were answered")
        return
    counts = webhook.statistics.counts
    failed, total = counts.failures + counts.errors, counts.failures + counts.errors + counts.successes
    remedy = (
        "look at its deliveries under System → WebHooks: a refusal is a wrong secret, an error a way that is closed"
    )
    yield Finding(ok=True, what=f"of its last {total} deliveries {failed} failed", remedy=remedy if failed else "")

"""Whether GitHub has a webhook that reports to syncd, and what its last deliveries were. Reads only."""

from collections.abc import Callable, Iterator

import msgspec

from syncd.config import GitHubSettings
from syncd.platform.clock import Clock
from syncd.trackers import Finding, Notebook, hooks
from syncd.trackers.github.answers import expect
from syncd.trackers.github.app import AppLogin, login_of
from syncd.trackers.github.connection import Connection

_MOST = 100  # webhooks that are read; GitHub allows a repository 20 for each event
_LATEST = 20  # deliveries that are read


class _Target(msgspec.Struct, frozen=True):
    """Where a webhook sends. Of a secret GitHub returns asterisks."""

    url: str = ""
    content_type: str = ""
    secret: str = ""


class _Webhook(msgspec.Struct):
    id: int
    active: bool = True
    events: list[str] = []
    config: _Target = _Target()


class _App(msgspec.Struct):
    events: list[str] = []


class _Delivery(msgspec.Struct):
    delivered_at: str = ""
    event: str = ""
    status: str = ""
    status_code: int = 0


def check_hook(
    name: str,
    settings: GitHubSettings,
    notebook: Notebook,
    hook: str,
    *,
    clock: Clock,
    sleep: Callable[[float], None],
) -> list[Finding]:
    """Return what GitHub has of the hook `hook` of this tracker: the webhooks of its repository, or that of its App. Two GETs or three."""
    login = login_of(name, settings, notebook, clock, sleep)
    connection = Connection(name, settings, clock, sleep, login)
    findings = _of_app(login, hook) if isinstance(login, AppLogin) else _of_repository(connection, settings, hook)
    return hooks.read_webhooks("GitHub", connection, findings)


def _of_repository(connection: Connection, settings: GitHubSettings, hook: str) -> Iterator[Finding]:
    """Raises TrackerError."""
    path = f"/repos/{settings.repository}/hooks"
    answer = connection.send_idempotent("GET", path, parameters={"per_page": _MOST})
    if answer.status in (403, 404):
        yield Finding(
            ok=True,
            what=f"the token may not read the webhooks of {settings.repository}, so that nothing says whether one leads here",
            remedy="look at them under Settings → Webhooks, or let the token read them: Webhooks: Read-only, or the scope read:repo_hook",
        )
        return
    webhooks = [each for each in expect(answer, list[_Webhook]) if hooks.place_of(each.config.url, hook)]
    if not webhooks:
        yield Finding(
            ok=True,
            what=f"{settings.repository} has no webhook that leads to /hooks/{hook}; those of an organization or an App are not among them",
            remedy="add one under Settings → Webhooks; docs/setup.md has its settings",
        )
    for each in webhooks:
        yield from _judge(f"the webhook of {settings.repository}", each, hook)
        deliveries = connection.send_idempotent("GET", f"{path}/{each.id}/deliveries", parameters={"per_page": _LATEST})
        yield _latest(expect(deliveries, list[_Delivery]))


def _of_app(login: AppLogin, hook: str) -> Iterator[Finding]:
    """Raises TrackerError."""
    target = login.read("/app/hook/config").read(_Target)
    if target is None or not hooks.place_of(target.url, hook):
        yield Finding(
            ok=True,
            what=f"the App has no webhook that leads to /hooks/{hook}; those of repositories are not among them",
            remedy="set its address on the App's page, under Webhook; docs/setup.md has the settings",
        )
        return
    app = expect(login.read("/app"), _App)
    yield from _judge("the webhook of the App", _Webhook(0, events=app.events, config=target), hook)
    yield _latest(expect(login.read(f"/app/hook/deliveries?per_page={_LATEST}"), list[_Delivery]))


def _judge(what: str, webhook: _Webhook, hook: str) -> Iterator[Finding]:
    """What GitHub says of a webhook that leads here, and each setting of it that keeps reports away."""
    yield Finding(ok=True, what=f"{what} leads to {hooks.place_of(webhook.config.url, hook)}")
    faults = {
        "is switched off": ("tick Active in its settings", not webhook.active),
        "sends forms": ("choose the content type application/json", webhook.config.content_type != "json"),
        "does not sign": (f"enter hooks.{hook}.secret as its secret", not webhook.config.secret),
        "does not report issues": ("choose the event Issues", not {"issues", "*"} & {*webhook.events}),
    }
    for fault, (remedy, is_so) in faults.items():
        if is_so:
            yield Finding(ok=True, what=f"{what} {fault}", remedy=remedy)


def _latest(deliveries: list[_Delivery]) -> Finding:
    """What the last deliveries were answered; the newest is first."""
    if not deliveries:
        return Finding(ok=True, what="GitHub has delivered nothing by it in the last days")
    newest = deliveries[0]
    failed = sum(not 200 <= each.status_code < 300 for each in deliveries)
    what = f"of its last {len(deliveries)} deliveries {failed} failed; the latest was {newest.event} at {newest.delivered_at}"
    if 200 <= newest.status_code < 300:
        return Finding(ok=True, what=f"{what}, which was answered {newest.status_code}")
    remedy = hooks.REMEDIES.get(
        newest.status_code, "make sure that GitHub reaches the address, and look at the proxy before syncd"
    )
    return Finding(ok=True, what=f"{what}: {newest.status or newest.status_code}", remedy=remedy)

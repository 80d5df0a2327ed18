"""`check`: whether the configuration, the store and every tracker are ready."""

import http.client
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.text import Text

from syncd import config as configuration
from syncd.backtrace import doctor
from syncd.backtrace.client import Client, targets
from syncd.cli import BAD_CONFIG, FAILED, check_hooks, stop
from syncd.cli.arguments import ConfigOption, config_path
from syncd.cli.check_hooks import TransientNotebook
from syncd.cli.check_receiver import Advice, Obstacle, receiver_findings, source_findings
from syncd.cli.sample import show_sample
from syncd.cli.tables import console
from syncd.cli.try_link import TryLinkOption, try_one
from syncd.config import Config, secrets
from syncd.config.plugins import BUILT_IN, SHIPPED, PluginError, candidates, load_plugin
from syncd.config.values import CREDENTIALS, on_this_machine
from syncd.core.conditions import Conditions
from syncd.core.doubt import Proof
from syncd.core.policy import Match, may_take, unreachable
from syncd.core.quantities import counted, listed
from syncd.core.redact import NEVER, private
from syncd.errors import ConfigError, StoreError, StoreUnusable, TrackerError
from syncd.model import Announcement, Group, Identity, Occasion, Release
from syncd.notices.channels import ready
from syncd.operate.needs import EXPIRY_SECONDS
from syncd.operate.status import countings, unreleased
from syncd.platform import access
from syncd.platform.clock import Clock
from syncd.platform.http_server import bind, refusal
from syncd.store import probe, read_store
from syncd.store.sqlite.file import VERSION, inspect
from syncd.trackers import Finding, open_tracker
from syncd.worker.presentation import Presentation

app = typer.Typer(add_completion=False)

MOST_RELEASES = 5000
SPACE_BYTES = 512 * 2**20
SOUND_SQLITE = (3, 51, 3)


@app.command()
def check(
    config: ConfigOption = None,
    sample: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Show instead what a body in this file maps to; - reads standard input."),
    ] = None,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="The source that would get the body.")] = None,
    try_link: TryLinkOption = None,
) -> None:
    """Check the configuration, the store and every tracker.

    Checks each tracker's login, project, permissions and fields. Creates nothing. Exits with code 78 if `syncd run` would not start, with 1
    for any other problem. With --sample and --source it only shows how the source reads a body: each field, where it is in the body, and what to
    do about one that is missing.
    """
    if try_link is not None:
        try_one(config, try_link)
        return
    path = config_path(config)
    loaded = configuration.load(path)
    out = console()
    if sample is not None or source is not None:
        show_sample(loaded, sample, source, out)
        return
    out.print(Text("✓ ", style="green").append(f"configuration: {path}"), soft_wrap=True)
    for warning in configuration.warnings(loaded):
        out.print(Text("! ", style="yellow").append(warning), soft_wrap=True)
    faults, code = 0, FAILED
    for part, finding in findings(loaded):
        fine = Text("! ", style="yellow") if finding.remedy else Text("✓ ", style="green")
        fine = Text("- ", style="dim") if isinstance(finding, Advice | doctor.Ask) else fine
        mark = fine if finding.ok else Text("✗ ", style="red")
        out.print(mark.append(f"{part}: {finding.what}", style="default"), soft_wrap=True)
        if not finding.ok:
            faults += 1
            code = BAD_CONFIG if isinstance(finding, Obstacle) else code
        if finding.remedy:
            out.print(Text(f"  → {finding.remedy}"), soft_wrap=True)
    if faults:
        stop(code, f"{counted(faults, 'problem')} must be fixed before syncd can file crashes")


def findings(config: Config) -> Iterator[tuple[str, Finding]]:
    """(part, finding), in the order in which to fix the faults."""
    for part, check_part in (
        ("receiver", receiver_findings),
        ("sources", source_findings),
        ("console", _console),
        ("store", _store),
        ("secrets", _secrets),
        ("routes", _routes),
        ("templates", _templates),
        ("privacy", _privacy),
        ("plug-ins", _plugins),
    ):
        yield from ((part, finding) for finding in check_part(config))
    for name in config.channels:
        yield from ((f"channel {name}", finding) for finding in _channel(config, name))
    named = _named_releases(config)
    for name, settings in config.trackers.items():
        part = f"tracker {name}"
        routes = [route for route in config.all_routes if route.tracker == name]
        releases = [release for *place, release in named if any(may_take(route.match, *place) for route in routes)]
        try:
            client = open_tracker(name, settings, TransientNotebook(), clock=Clock(), sleep=time.sleep)
            yield from ((part, finding) for finding in client.check(routes, releases))
            client.close()
        except ConfigError as error:
            yield part, Obstacle(ok=False, what="its configuration is not usable", remedy="; ".join(error.problems))
        except TrackerError as error:
            yield part, Finding(ok=False, what="it does not answer as it should", remedy=error.reason)
    yield from check_hooks.findings(config)
    for target in targets(config.backtrace):
        with closing(Client(target, Clock(), time.sleep)) as reader:
            attributes = tuple(config.notifications.release_attributes)
            several = doctor.findings(reader, attributes, polled=isfinite(target.project.poll))
            yield from ((f"backtrace {target.title}", finding) for finding in several)


def _named_releases(config: Config) -> list[tuple[str, str, str, str]]:
    """The releases that the store has of each universe, project and application; none without a store that can be read."""
    if config.store.dialect == "sqlite" and not os.path.exists(config.store.path):
        return []
    with suppress(StoreError, ConfigError), closing(read_store(config.store)) as store:
        return store.report.releases(MOST_RELEASES)
    return []  # the check of the store says why


def _console(config: Config) -> Iterator[Finding]:
    console = config.console
    if console.address is None:
        yield Finding(ok=True, what='it is off (console.listen = "off"): no pages, no metrics')
        return
    if console.password is not None:
        try:
            console.password.read("console.password")
        except ConfigError as error:
            yield Finding(ok=False, what="syncd cannot read console.password", remedy="; ".join(error.problems))
    login = "with a password" if console.password else "without a password"
    try:
        bind(console.address).close()
    except (OSError, UnicodeError) as error:
        if not _is_syncd(console.address):
            remedy = f"console.listen: {refusal(console.address, error)}"
            yield Finding(ok=False, what=f"it cannot listen on {console.listen}", remedy=remedy)
            return
    yield Finding(ok=True, what=f"its pages are at http://{console.listen}/ {login}")


def _is_syncd(address: tuple[str, int]) -> bool:
    """True if a syncd answers at the address, such as the daemon of this configuration."""
    connection = http.client.HTTPConnection(*address, timeout=2)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().read() == b'{"live":true}'
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _store(config: Config) -> Iterator[Finding]:
    settings = config.store
    if settings.dialect == "sqlite" and not os.path.exists(settings.path):
        why = access.obstacle(settings.path, write=True)
        what = "cannot be created" if why else "does not exist yet; `syncd run` creates it"
        yield (Obstacle if why else Finding)(ok=why is None, what=f"{settings.place} {what}", remedy=why or "")
        return
    try:
        probe(settings)
        yield Finding(ok=True, what=f"syncd can read and write {settings.place}, and commits reach the disk")
        if settings.dialect == "sqlite":
            inspect(settings.path)
            yield Finding(ok=True, what="every page of it is intact")
        with closing(read_store(settings)) as store:
            if (sentence := unreleased(store)) is not None:
                remedy = "name the attribute that has the version in release_attributes: without releases no regression is noticed"
                yield Finding(ok=True, what=sentence, remedy=remedy)
            for counting in countings(config, store):
                remedy = 'set occurrence_mode = "auto"' if counting["contradiction"] else ""
                yield Finding(
                    ok=True, what=f"counts of project {counting['project']}: {counting['reason']}", remedy=remedy
                )
    except (StoreError, ConfigError) as error:
        kind = Obstacle if isinstance(error, (StoreUnusable, ConfigError)) else Finding
        yield kind(ok=False, what=f"syncd cannot use {settings.place}", remedy=str(error))
    if settings.dialect == "sqlite":
        for end in ("", "-wal", "-shm"):
            if (why := access.lockout(Path(f"{settings.path}{end}"))) is not None:
                yield Obstacle(ok=False, what="the service may not use the file that this user can use", remedy=why)
        free = shutil.disk_usage(settings.path.parent).free
        remedy = "free some space, or shorten store.retention: on a full disk syncd answers every notification with 503"
        yield Finding(
            ok=free >= SPACE_BYTES,
            what=f"its disk has {free / 2**20:,.0f} MB free",
            remedy="" if free >= SPACE_BYTES else remedy,
        )
        sound = VERSION >= SOUND_SQLITE
        remedy = "it can damage a database when it resets the log (fixed in 3.51.3): `pip install pysqlite3`"
        yield Finding(ok=sound, what=f"SQLite {'.'.join(map(str, VERSION))}", remedy="" if sound else remedy)


def _secrets(config: Config) -> Iterator[Finding]:
    """Compare the copies of running services with the credentials, and the days on which tokens expire with today."""
    for key, secret in secrets(config):
        for service in secret.outdated():
            yield Finding(
                ok=False,
                what=f"the running {service} has another {key} than {CREDENTIALS}/{secret.credential}",
                remedy=f"`systemctl restart {service}`: systemd hands over a copy of a credential when a service starts",
            )
    today = datetime.fromtimestamp(Clock().wall(), UTC).date()
    for name, settings in config.trackers.items():
        day = getattr(settings, "token_expires", None)
        if day is not None:
            soon = (day - today).days < EXPIRY_SECONDS / 86400
            remedy = f"make a new token, and set trackers.{name}.token_expires to its last day" if soon else ""
            verb = "expires" if day >= today else "expired"
            yield Finding(ok=not soon, what=f"trackers.{name}.token {verb} on {day}", remedy=remedy)


def _routes(config: Config) -> Iterator[Finding]:
    if not config.all_routes:
        yield Finding(
            ok=False,
            what="no tracker is configured, so syncd files nothing",
            remedy='add [trackers.NAME] with kind = "local", "github" or "jira"',
        )
    never = {policy.name: reason for policy, reason in unreachable(config.all_routes)}
    for route in config.all_routes:
        yield Finding(ok=True, what=f"{route.name}: {_match(route.match)} → {route.tracker}")
        if route.name in never:
            yield Finding(
                ok=False,
                what=f"{route.name} can never match: {never[route.name]}",
                remedy="move it before that route, or make that route narrower",
            )
    addresses = {
        f"trackers.{name}": getattr(settings, "url", None) or getattr(settings, "api_url", None)
        for name, settings in config.trackers.items()
    } | {f"backtrace.{name}": settings.url for name, settings in config.backtrace.items()}
    for section, url in addresses.items():
        address = urlsplit(url or "")
        if address.scheme == "http" and not on_this_machine(address.hostname or ""):
            what = f"{section} uses plain http: others on the way can read its token"
            yield Finding(
                ok=True, what=what, remedy="write https:// if the server has it, or keep it on a network of your own"
            )


def _channel(config: Config, name: str) -> Iterator[Finding]:
    """Whether a channel's secrets and address can be used. Calls nobody: `syncd notices test` does."""
    settings = config.channels[name]
    try:
        what = f"{settings.kind}: {ready(name, settings)}"
    except ConfigError as error:
        yield Finding(ok=False, what="it cannot be used", remedy="; ".join(error.problems))
        return
    routes = [route for route, names in config.listeners.items() if name in names]
    reports = listed([*settings.on, *(["a digest"] if settings.digest else [])], 9) or "nothing"
    yield Finding(ok=True, what=f"{what}; reports {reports} of {listed(routes, 5) or 'no route'}")
    if not routes:
        remedy = f"name it in routes[].channels, or set channels.{name}.default = true"
        yield Finding(ok=True, what="no route uses it, so that it gets nothing", remedy=remedy)
    yield Advice(ok=True, what=f"`syncd notices test {name}` sends a sample of each event")


def _match(match: Match) -> str:
    """The conditions of a route as a phrase."""

    def patterns(conditions: Conditions) -> list[str]:
        keys = ("universe", "project", "application", "classifiers", "error_type", "releases", "first_release")
        commonest = {f"mostly {name}": listed for name, listed in conditions.commonest.items()}
        shares = {f"share of {name}": listed for name, listed in conditions.shares.items()}
        plain = {key.replace("_", " "): getattr(conditions, key) for key in keys}
        by_key = plain | dict(conditions.attributes) | commonest | shares
        return [f"{key} {' or '.join(patterns)}" for key, patterns in by_key.items() if patterns]

    exceptions = patterns(match.unless)
    what = " and ".join(patterns(match)) or "every group"
    return f"{what}, but not {' or '.join(exceptions)}" if exceptions else what


# A crash as it comes, and a crash made to break out of what displays it.
_SAMPLES = {
    "a sample": Group(
        identity=Identity("acme", "game", "ab" * 32),
        application="game",
        callstack=("abort", "Renderer::draw(Frame const&)", "main"),
        classifiers=("segfault",),
        occurrences=12,
        users=3,
        hosts=4,
        first_seen=1_750_000_000,
        last_seen=1_750_003_600,
        releases=(Release(release="2.4.0", occurrences=12),),
        attributes=(("version", ("2.4.0",)),),
    ),
    "a hostile sample": Group(
        identity=Identity("\ue000", "{{ 1 }}", "```"),
        application="{noformat}\n## x",
        callstack=("\ue001{% raw %}", "</details>@everyone", "|" * 200),
        classifiers=("> ", ""),
        attributes=(("{{", ("}}",)),),
    ),
}


def _privacy(config: Config) -> Iterator[Finding]:
    """Attributes that no issue shows, and configured patterns that only fit such ones."""
    settings = config.privacy
    yield Advice(ok=True, what=f"no issue shows attributes named {', '.join((*NEVER, *settings.never))}")
    for name in settings.attributes:
        if not set(name) & set("*?[") and private(name, tuple(settings.never)):
            remedy = "remove it: such attributes point to a person or a device, or privacy.never names them"
            yield Finding(ok=False, what=f"privacy.attributes has {name}, which no issue shows", remedy=remedy)


def _plugins(config: Config) -> Iterator[Finding]:
    """The trackers of other packages. Why one that is configured cannot be used, its own part says."""
    used = {settings.kind for settings in config.trackers.values()}
    for kind, candidate in candidates().items():
        if kind in SHIPPED and kind not in used and len(candidate.packages) == 1:
            continue  # nobody asked for it, and what it needs may not be installed
        try:
            plugin = load_plugin(candidate)
        except PluginError as error:
            if kind in BUILT_IN or kind not in used:
                yield Finding(ok=True, what=error.reason, remedy=error.remedy)
            continue
        what = f"{kind} comes with {candidate.package}, for version {plugin.api_version} of syncd.plugin"
        if plugin.proof is Proof.NONE:
            what += "; it cannot prove that a create was not carried out, so that a create whose answer is lost waits for a person"
        yield Finding(ok=True, what=what)


def _templates(config: Config) -> Iterator[Finding]:
    """Render each template with each sample."""
    presentation = Presentation.from_config(config)
    announcement = Announcement(
        id=1,
        occasion=Occasion.REGRESSION,
        subject="",
        facts={"release": "2.5.0", "occurrences": 3, "fixed_in": "2.4.0"},
        marker="",
    )
    for route in config.all_routes:
        if route.templates is None:
            continue
        faults = [
            f"with {name}, {fault}"
            for name, group in _SAMPLES.items()
            for fault in presentation.present(group, route.name).template_faults(announcement)
        ]
        yield Finding(
            ok=not faults,
            what=f"{route.templates} of route {route.name}: {'; '.join(faults) or 'every template renders'}",
            remedy="fix it; docs/templates.md lists the names" if faults else "",
        )

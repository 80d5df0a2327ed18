"""What `check` looks at."""

import http.client
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from syncd.config import Config
from syncd.core.policy import Conditions, Match, unreachable
from syncd.errors import ConfigError, StoreError, TrackerError
from syncd.model import Announcement, Group, Identity, Occasion, Release
from syncd.platform.http_server import bind
from syncd.store import probe
from syncd.store.sqlite.file import VERSION, inspect
from syncd.trackers import Finding, open_tracker
from syncd.worker.presentation import Presentation

SPACE_BYTES = 512 * 2**20
SOUND_SQLITE = (3, 51, 3)


class _Forgetful:
    """A notebook for one check: the store may not exist yet."""

    def __init__(self) -> None:
        self._facts: dict[str, str] = {}

    def recall(self, fact: str) -> str | None:
        return self._facts.get(fact)

    def note(self, fact: str, value: str) -> None:
        self._facts[fact] = value


def findings(config: Config) -> Iterator[tuple[str, Finding]]:
    """(part, finding) for everything that must be well, in the order in which to mend it."""
    yield from (("receiver", finding) for finding in _receiver(config))
    yield from (("console", finding) for finding in _console(config))
    yield from (("store", finding) for finding in _store(config))
    yield from (("routes", finding) for finding in _routes(config))
    yield from (("templates", finding) for finding in _templates(config))
    for name, settings in config.trackers.items():
        part = f"tracker {name}"
        try:
            client = open_tracker(name, settings, _Forgetful())
            for finding in client.check():
                yield part, finding
            client.close()
        except ConfigError as error:
            yield (
                part,
                Finding(ok=False, what="its configuration cannot be used", remedy="; ".join(error.problems)),
            )
        except TrackerError as error:
            yield part, Finding(ok=False, what="it could not be asked", remedy=error.reason)


def _receiver(config: Config) -> Iterator[Finding]:
    receiver = config.receiver
    for key, secret in (("password", receiver.password), ("previous_password", receiver.previous_password)):
        if secret is None:
            continue
        try:
            secret.read()
        except ConfigError as error:
            yield Finding(ok=False, what=f"receiver.{key} cannot be read", remedy="; ".join(error.problems))
    login = "with user name and password" if receiver.password else "without a login"
    yield Finding(ok=True, what=f"listens on http://{receiver.listen}/webhooks/backtrace {login}")
    yield Finding(
        ok=True,
        what="in Backtrace two alerts must send there: one on new fingerprints, which files issues, and one on every error or error per "
        "fingerprint, without which no count ever moves",
    )


def _console(config: Config) -> Iterator[Finding]:
    console = config.console
    if console.address is None:
        yield Finding(ok=True, what='it is off (console.listen = "off"): no pages, no metrics')
        return
    if console.password is not None:
        try:
            console.password.read()
        except ConfigError as error:
            yield Finding(ok=False, what="console.password cannot be read", remedy="; ".join(error.problems))
    login = "with a password" if console.password else "without a password"
    try:
        bind(console.address).close()
    except (OSError, UnicodeError) as error:
        if not _is_ours(console.address):
            why = error.strerror if isinstance(error, OSError) else "it is no host name"
            remedy = "another program has it: set console.listen to another port"
            yield Finding(ok=False, what=f"it cannot listen on {console.listen}: {why}", remedy=remedy)
            return
    yield Finding(ok=True, what=f"shows itself on http://{console.listen}/ {login}")


def _is_ours(address: tuple[str, int]) -> bool:
    """Whether a syncd answers there already: the daemon that runs beside this command."""
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
    if settings.dialect == "sqlite" and not settings.path.exists():
        yield Finding(ok=True, what=f"{settings.place} does not exist yet; `syncd run` makes it")
        return
    try:
        probe(settings)
        yield Finding(ok=True, what=f"{settings.place} can be read and written, and what is committed is on disk")
        if settings.dialect == "sqlite":
            inspect(settings.path)
            yield Finding(ok=True, what="every page of it is whole")
    except (StoreError, ConfigError) as error:
        yield Finding(ok=False, what=f"{settings.place} cannot be used", remedy=str(error))
    if settings.dialect == "sqlite":
        yield _space(settings.path)
        yield _library(VERSION)


def _space(path: Path) -> Finding:
    left = shutil.disk_usage(path.parent).free
    return Finding(
        ok=left >= SPACE_BYTES,
        what=f"{left / 2**20:,.0f} MB are free where it lies",
        remedy=""
        if left >= SPACE_BYTES
        else "make room, or shorten store.retention: on a full disk every notification is answered 503",
    )


def _library(version: tuple[int, int, int]) -> Finding:
    sound = version >= SOUND_SQLITE
    return Finding(
        ok=sound,
        what=f"SQLite {'.'.join(map(str, version))}",
        remedy=""
        if sound
        else "it can damage a database whose log is reset (mended in 3.51.3): `pip install pysqlite3`",
    )


def _routes(config: Config) -> Iterator[Finding]:
    if not config.all_routes:
        yield Finding(
            ok=False,
            what="no tracker is configured, so nothing is ever filed",
            remedy='add [trackers.NAME] with kind = "local", "github" or "jira"',
        )
    never = {policy.name: reason for policy, reason in unreachable(config.all_routes)}
    for route in config.all_routes:
        yield Finding(ok=True, what=f"{route.name}: {_said(route.match)} → {route.tracker}")
        if route.name in never:
            yield Finding(
                ok=False,
                what=f"{route.name} can never match: {never[route.name]}",
                remedy="move it before that route, or narrow that one down",
            )
    for name, settings in config.trackers.items():
        url = getattr(settings, "url", None) or getattr(settings, "api_url", None)
        if url and urlsplit(url).scheme == "http":
            yield Finding(ok=True, what=f"trackers.{name} is reached by plain http: its token can be read on the way")


# A crash as it comes, and one made to break out of what it is shown in.
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
    "a hostile one": Group(
        identity=Identity("\ue000", "{{ 1 }}", "```"),
        application="{noformat}\n## x",
        callstack=("\ue001{% raw %}", "</details>@everyone", "|" * 200),
        classifiers=("> ", ""),
        attributes=(("{{", ("}}",)),),
    ),
}


def _templates(config: Config) -> Iterator[Finding]:
    """Each template with each of the samples."""
    presentation = Presentation.from_config(config)
    owed = Announcement(
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
            for fault in presentation.present(group, route.name).template_faults(owed)
        ]
        yield Finding(
            ok=not faults,
            what=f"{route.templates} of route {route.name}: {'; '.join(faults) or 'each was rendered'}",
            remedy="mend it; docs/templates.md has the names" if faults else "",
        )


def _said(match: Match) -> str:
    """What a route matches, for people."""
    wanted = _listed(match)
    unwanted = _listed(match.unless)
    return (" and ".join(wanted) or "every group") + (f", but not {' or '.join(unwanted)}" if unwanted else "")


def _listed(conditions: Conditions) -> list[str]:
    keys = ("universe", "project", "application", "classifiers", "releases")
    named = {key: getattr(conditions, key) for key in keys} | dict(conditions.attributes)
    return [f"{key} {' or '.join(patterns)}" for key, patterns in named.items() if patterns]

"""Trackers of other packages: found by entry points of the group `syncd.trackers`, each with a section of its own.

A package that cannot be used concerns its own trackers alone: they rest with the reason, and all others file.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import PydanticCustomError

from syncd.config.values import (
    Seconds,
    Secret,
    Section,
    ServerProbes,
    SingleProbe,
    SurveyInterval,
    WriteLimit,
    did_you_mean,
)
from syncd.core.doubt import Proof

GROUP = "syncd.trackers"
BUILT_IN = ("github", "jira", "local")
API_VERSION = 1  # of `syncd.plugin`
API_VERSIONS = (1,)  # those that this program still serves

# Plug-ins in syncd's own wheel, with the extra that installs what they import.
SHIPPED = {"gitlab": ("syncd.plugins.gitlab.tracker:PLUGIN", "syncd[gitlab]")}

_LONGEST_REASON = 300


class IssueName(NamedTuple):
    """An issue as a person names it: `remote_id` for programs, `key` for people."""

    remote_id: str
    key: str


class PluginSettings(Section):
    """`[trackers.NAME]` of a plug-in: the keys that every tracker has. A subclass adds its own.

    Every key that is a `Secret`, also within a table or a list, is a secret: `check`, the units and the renewal of tokens know it.
    """

    settable: ClassVar[frozenset[str] | None] = None
    """the settings of a route's `set` that the tracker has; None for all"""

    kind: str
    """the kind of tracker: the name of the plug-in's entry point"""
    timeout: Annotated[Seconds, Field(ge=1, le=60)] = 15.0
    """for one request; at most a minute"""
    concurrency: Annotated[int, Field(ge=1, le=32)] = 1
    """requests at the same time"""
    survey_interval: SurveyInterval = 3600.0
    """how often syncd reads the state of all issues: closed, reopened, labelled, moved. It also reads an issue before
    writing to it"""
    probe_after: ServerProbes = [75.0, 150.0, 300.0]
    """at least two delays after which syncd looks for the issue of a create whose answer was lost. The first must be
    longer than a request can still take effect, and than `timeout`; the last longer than the tracker's reads can lag.
    If all probes find nothing, the issue does not exist"""
    writes: list[WriteLimit] = []
    """maximum numbers of creates and updates per time; trackers with the same secret on the same server share them"""

    def secrets(self) -> Iterator[tuple[str, Secret]]:
        """Yield each secret with its key in this section."""
        for key in type(self).model_fields:
            yield from _secrets(key, getattr(self, key))

    @property
    def credential(self) -> str:
        """The key by which the server counts requests; trackers with the same key share limits. Empty for a tracker that shares none."""
        places = [secret.place for _, secret in self.secrets()]
        return " ".join([self.kind, str(getattr(self, "url", "")).rstrip("/"), *places]) if places else ""

    def name_issue(self, text: str) -> IssueName:
        """Return the issue that a person calls `text`: a key, a number, an address. Asks no tracker. Raises ValueError with a sentence
        that begins with the text and says how an issue is named."""
        raise ValueError(f"{text!r}: the issues of a tracker of kind {self.kind!r} cannot be named by hand")


class KeyedSettings(PluginSettings):
    """As `PluginSettings`, for a tracker with `Proof.KEY`: a single look decides."""

    probe_after: SingleProbe = [60.0]
    """the delay after which syncd asks for the issue of a create whose answer was lost, by the key that syncd chose for it. It must
    be longer than a request can still take effect, and than `timeout`"""


class UnusableSettings(PluginSettings):
    """The section of a tracker whose plug-in cannot be used. Nothing of what stands in it is kept."""

    reason: str
    remedy: str

    def name_issue(self, text: str) -> IssueName:
        raise ValueError(f"{text!r} cannot be looked up: {self.reason}; {self.remedy}")


class Plugin:
    """What the entry point of a plug-in names. `api_version` is the version of `syncd.plugin` that it was written for: a number, not
    `API_VERSION`, which follows the program.

    `tracker` is called as `OpenTracker`, once for each thread, and sends no request. `proof` says how its probes prove that a create was
    not carried out. `hook` reads the webhooks of the tracker, as `syncd.trackers.hooks.Reader`; a tracker with one has the key `url`.
    """

    def __init__(
        self,
        *,
        api_version: int,
        settings: type[PluginSettings] = PluginSettings,
        tracker: Callable[..., Any] | None = None,
        proof: Proof = Proof.NUMBERS,
        hook: object | None = None,
        **later: object,
    ) -> None:
        self.api_version = api_version
        self.settings = settings
        self.tracker = tracker
        self.proof = proof
        self.hook = hook
        # A plug-in for another version may say more; that version is the fault then, and is reported.
        if api_version in API_VERSIONS and (later or tracker is None):
            fault = f"an unknown keyword {next(iter(later))!r}" if later else "no tracker"
            raise TypeError(f"Plugin() of API version {api_version} got {fault}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The entry points of one kind. `packages` are the names and versions of the distributions that have one."""

    kind: str
    packages: tuple[str, ...]
    points: tuple[EntryPoint, ...] = ()

    @property
    def package(self) -> str:
        return self.packages[0]


class PluginError(Exception):
    """A plug-in cannot be used. `reason` names the package, `remedy` the way out."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def candidates() -> Mapping[str, Candidate]:
    """Return every kind that an installed package adds. Imports none of them."""
    points: dict[str, dict[tuple[str, str], EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        name = f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
        # A path that is searched twice shows a package twice.
        points.setdefault(point.name, {}).setdefault((name, point.value), point)
    packages = {kind: tuple(dict.fromkeys(name for name, _ in each)) for kind, each in points.items()}
    for kind, (_, extra) in SHIPPED.items():
        packages[kind] = (extra, *packages.get(kind, ()))
    return {
        kind: Candidate(kind=kind, packages=names, points=tuple(points.get(kind, {}).values()))
        for kind, names in packages.items()
    }


def load_plugin(candidate: Candidate) -> Plugin:
    """Import the plug-in of a kind. Raises PluginError."""
    kind, package = candidate.kind, candidate.package
    if kind in BUILT_IN:
        raise PluginError(
            f"{package} adds a tracker {kind!r}, which syncd has itself",
            f"uninstall {package.partition(' ')[0]}; syncd uses its own",
        )
    if len(candidate.packages) > 1 or len(candidate.points) > 1:
        several = " and ".join(candidate.packages) if len(candidate.packages) > 1 else f"several modules of {package}"
        raise PluginError(
            f"{several} add a tracker {kind!r}, and syncd cannot tell which one is meant",
            "uninstall all but one of them, then restart syncd",
        )
    update = f"install what it needs, or another version of it: `pip install --upgrade {package.partition(' ')[0]}`"
    if kind in SHIPPED:
        update = f"`pip install '{package}'`"
    target = SHIPPED[kind][0] if kind in SHIPPED else candidate.points[0].value
    module, _, attributes = target.partition(":")
    try:
        plugin: object = import_module(module)
        for attribute in attributes.split("."):
            plugin = getattr(plugin, attribute)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the code of another package raises concerns its own trackers alone
        why = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_REASON]
        raise PluginError(
            f"the plug-in {package} cannot be imported ({why})", f"{update}, then restart syncd"
        ) from None
    if not isinstance(plugin, Plugin):
        raise PluginError(
            f"{target} of the plug-in {package} is a {type(plugin).__name__} and no syncd.plugin.Plugin",
            "install a version of it that is made for this syncd; docs/extend.md says what a plug-in declares",
        )
    if plugin.api_version not in API_VERSIONS:
        newer = plugin.api_version > API_VERSION
        raise PluginError(
            f"the plug-in {package} is made for version {plugin.api_version} of syncd.plugin, and this syncd has version {API_VERSION}",
            f"{'update syncd, or install an older version of the plug-in' if newer else update}, then restart syncd",
        )
    return plugin


def faults(kinds: Collection[str]) -> Iterator[tuple[str, PluginError]]:
    """Yield each fault of a plug-in that a tracker of one of these kinds would use, or that has the name of a tracker of syncd's own."""
    for kind, candidate in candidates().items():
        if kind in kinds or kind in BUILT_IN:
            try:
                load_plugin(candidate)
            except PluginError as error:
                yield kind, error


def find_plugin(kind: str) -> Plugin:
    """Return the plug-in of a kind. Raises PluginError where it cannot be used, ValueError where no package has the kind."""
    installed = candidates()
    if kind not in installed:
        kinds = sorted({*BUILT_IN, *installed})
        raise ValueError(f"no tracker called {kind!r} is installed{did_you_mean(kind, kinds)}")
    return load_plugin(installed[kind])


def hook_server(kind: str) -> tuple[str, str] | None:
    """Return the key of the server of a tracker that reports changes, and its default; None for a kind that reports none, or that no package
    has. What a plug-in that cannot be used has is not known."""
    try:
        plugin = find_plugin(kind)
    except PluginError:
        return "url", ""
    except ValueError:
        return None
    return None if plugin.hook is None else ("url", str(plugin.settings.model_fields["url"].default))


def validate(value: Any, _handler: object) -> PluginSettings:
    """The section of a plug-in's tracker by its own schema. Raises ValueError, ValidationError."""
    if isinstance(value, PluginSettings):
        return value
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str):
        return PluginSettings.model_validate(value)  # which reports it
    try:
        plugin = find_plugin(kind)
    except PluginError as error:
        return UnusableSettings(kind=kind, reason=error.reason, remedy=error.remedy)
    except ValueError as error:
        fault = PydanticCustomError("kind", "{reason}", {"reason": str(error)})
        raise ValidationError.from_exception_data(kind, [{"type": fault, "loc": ("kind",), "input": None}]) from None
    return plugin.settings.model_validate(value)


def section(value: object) -> type[BaseModel]:
    """The schema of the section of a plug-in's tracker, for a message on its keys."""
    kind = value.get("kind") if isinstance(value, dict) else None
    try:
        return find_plugin(str(kind)).settings
    except (PluginError, ValueError):
        return PluginSettings


def _secrets(key: str, value: object) -> Iterator[tuple[str, Secret]]:
    if isinstance(value, Secret):
        yield key, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(f"{key}.{name}", getattr(value, name))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _secrets(f"{key}.{name}", inner)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _secrets(f"{key}[{number}]", inner)

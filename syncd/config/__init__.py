"""config.toml as frozen values. `load` reports all problems at once, each with its key and a remedy."""

import hashlib
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Field, ValidationError

from syncd.config import hooks as hooking
from syncd.config import toml
from syncd.config.backtrace import BacktraceProject, BacktraceSettings
from syncd.config.channels import (
    CHANNELS,
    AnyChannel,
    ChannelSettings,
    MailSettings,
    SlackSettings,
    TaggedChannel,
    TeamsSettings,
    WebhookSettings,
    events_of,
)
from syncd.config.hooks import HookSettings
from syncd.config.plugins import PluginSettings, section
from syncd.config.routes import Conditions, LabelRule, Match, OwnerRule, Route
from syncd.config.sections import (
    ConsoleSettings,
    Links,
    Notifications,
    Privacy,
    Receiver,
    StoreSettings,
    Titles,
    is_loopback,
)
from syncd.config.sources import Source, SourceMap
from syncd.config.trackers import (
    GROUP_FACTS,
    SECTIONS,
    AnyTracker,
    AppSettings,
    GitHubSettings,
    JiraSettings,
    LocalSettings,
    OAuthSettings,
    TrackerSettings,
)
from syncd.config.values import Logins, Seconds, Secret, Section, did_you_mean
from syncd.core.conditions import doubtful
from syncd.core.notices import Event
from syncd.core.policy import Policy
from syncd.errors import ConfigError
from syncd.platform import access

__all__ = [
    "GROUP_FACTS",
    "AnyChannel",
    "AppSettings",
    "BacktraceProject",
    "BacktraceSettings",
    "ChannelSettings",
    "Conditions",
    "Config",
    "ConsoleSettings",
    "GitHubSettings",
    "HookSettings",
    "JiraSettings",
    "LabelRule",
    "Links",
    "LocalSettings",
    "Logins",
    "MailSettings",
    "Match",
    "Notifications",
    "OAuthSettings",
    "OwnerRule",
    "PluginSettings",
    "Privacy",
    "Receiver",
    "Route",
    "Seconds",
    "Secret",
    "SlackSettings",
    "Source",
    "SourceMap",
    "StoreSettings",
    "TeamsSettings",
    "Titles",
    "TrackerSettings",
    "WebhookSettings",
    "channel_secrets",
    "did_you_mean",
    "hook_secrets",
    "load",
    "secrets",
    "tracker_secrets",
    "warnings",
]


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class Config(Section):
    """The whole file."""

    receiver: Receiver = Receiver()
    console: ConsoleSettings = ConsoleSettings()
    store: StoreSettings = StoreSettings()
    notifications: Notifications = Notifications()
    links: Links = Links()
    privacy: Privacy = Privacy()
    titles: Titles = Titles()
    backtrace: dict[Name, BacktraceSettings] = {}
    sources: dict[Name, Source] = {}
    trackers: dict[Name, AnyTracker] = {}
    hooks: dict[Name, HookSettings] = {}
    channels: dict[Name, TaggedChannel] = {}
    routes: list[Route] = []

    @cached_property
    def all_routes(self) -> list[Policy]:
        """All routes, each with a name. Without routes, everything goes to the only tracker."""
        routes = self.routes or [Route(tracker=name) for name in self.trackers]
        return [route.policy(route.name or f"route-{number}") for number, route in enumerate(routes, start=1)]

    @cached_property
    def listeners(self) -> dict[str, list[str]]:
        """By route, the names of the channels that get its notices."""
        default = [name for name, channel in self.channels.items() if channel.default]
        named = [default if route.channels is None else list(route.channels) for route in self.routes]
        named = named or [default] * len(self.all_routes)
        return {route.name: names for route, names in zip(self.all_routes, named, strict=True)}

    def listening(self, event: Event, route: str | None) -> list[str]:
        """The channels that get the notices of an event of a route."""
        names = self.listeners.get(route or "", [])
        return [name for name in names if event in events_of(self.channels[name])]

    @cached_property
    def version(self) -> str:
        """A digest of all values in force. Of secrets it contains only the places."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    @cached_property
    def credentials(self) -> dict[str, str]:
        """By tracker, the key by which its server counts requests."""
        return {
            name: getattr(tracker, "credential", "") or f"tracker {name}" for name, tracker in self.trackers.items()
        }


def load(path: Path) -> Config:
    """The configuration in `path`. Raises ConfigError with every problem at once."""
    try:
        # Some editors begin a file with a byte order mark.
        text = path.read_text(encoding="utf-8").removeprefix("\ufeff")
        document = tomllib.loads(text)
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {access.explain(error, named=True)}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: is not TOML: {toml.explain(text, error)}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not TOML: {error}"]) from None
    problems = [*_unroutable(document), *hooking.contradictions(document)]
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        problems = [*_problems(error, document), *problems]
    else:
        problems += _open_sources(config)
    if problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return config


def _unroutable(document: dict[str, Any]) -> Iterator[str]:
    """Problems of routes and trackers together. Reads the bare document, so that `load` reports them with all others."""
    trackers, routes = document.get("trackers", {}), document.get("routes", [])
    if not isinstance(trackers, dict) or not isinstance(routes, list):
        return
    for number, route in enumerate(routes):
        name = route.get("tracker") if isinstance(route, dict) else None
        if isinstance(name, str) and name not in trackers:
            yield f"routes[{number}].tracker: {name!r} is not configured{did_you_mean(name, list(trackers))}"
    channels = document.get("channels", {})
    for number, route in enumerate(routes):
        named = route.get("channels") if isinstance(route, dict) and isinstance(channels, dict) else None
        for name in named if isinstance(named, list) else []:
            if isinstance(name, str) and name not in channels:
                yield f"routes[{number}].channels: {name!r} is not configured{did_you_mean(name, list(channels))}"
    # `Config.all_routes` names a route without a name by its position.
    names = [
        (route.get("name") if isinstance(route, dict) else None) or f"route-{number}"
        for number, route in enumerate(routes, start=1)
    ]
    for number, name in enumerate(names):
        if name in names[:number]:
            yield f"routes[{number}].name: another route has the name {name!r}"
    if len(trackers) > 1 and not routes:
        yield "routes: there are several trackers; add [[routes]] to choose one for each group"


def _open_sources(config: Config) -> Iterator[str]:
    """Sources to which anybody could send."""
    receiver = config.receiver
    if receiver.allow_unauthenticated or is_loopback(receiver.listen):
        return
    for name, source in config.sources.items():
        if source.secret is None:
            yield (
                f"sources.{name}.secret: is missing; other machines can reach {receiver.listen}. Set it, listen on 127.0.0.1, or set "
                "receiver.allow_unauthenticated = true"
            )


def _problems(error: ValidationError, document: dict[str, Any]) -> Iterator[str]:
    # include_input=False: a value in the wrong place may be a secret.
    for fault in error.errors(include_input=False, include_url=False):
        owner, key = _place(fault["loc"], document)
        text = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            text = f"there is no such key{did_you_mean(key.rpartition('.')[2], list(owner.model_fields))}"
        elif fault["type"] == "missing":
            text = "is missing"
        elif fault["type"] in ("model_type", "dict_type"):
            text = "must be a table"
        elif fault["type"] == "list_type":
            text = f"must be a list; write {_list_of(owner, key)}"
        elif fault["type"] == "too_short" and fault["ctx"]["actual_length"] == 0:
            text = f"is empty; write {_list_of(owner, key)}"
        elif fault["type"] == "string_pattern_mismatch" and fault["loc"][-1] == "[key]":
            text = "a name has letters, digits, - and _ alone, and begins with a letter or a digit"
        else:
            text = text.replace("Input should be ", "must be ").replace("a valid ", "a ")
        yield f"{key}: {text}" if key else text


def _place(location: tuple[int | str, ...], document: dict[str, Any]) -> tuple[type[BaseModel], str]:
    """The section of a fault, and its key as TOML writes it, without pydantic's union tags."""
    owner: type[BaseModel] = Config
    key = ""
    for depth, part in enumerate(location):
        kinds = {"trackers": (*SECTIONS, "plugin"), "channels": CHANNELS}.get(str(location[0]), ())
        if depth == 2 and isinstance(part, str) and part in kinds:
            sections = SECTIONS | CHANNELS
            owner = sections[part] if part in sections else section(document["trackers"][location[1]])
            continue
        if part == "[key]":
            continue
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else part
        field = owner.model_fields.get(str(part))
        owner = _section_of(field.annotation if field else None) or owner
    return owner, key


def _list_of(owner: type[BaseModel], key: str) -> str:
    """How a file writes the list of this key. A list of sections has become the section of its key."""
    field = owner.model_fields.get(key.rpartition(".")[2])
    if field is None:
        return f"[[{key}]]"
    return '["100/1h"]' if "Limit" in repr(field.annotation) else '["…"], with brackets also around a single value'


def _section_of(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for inner in get_args(annotation) if (model := _section_of(inner))), None)


def secrets(config: Config) -> Iterator[tuple[str, Secret]]:
    """All secrets of the configuration, with their keys."""
    places: list[tuple[str, object]] = [
        ("receiver.password", config.receiver.password),
        ("receiver.previous_password", config.receiver.previous_password),
        ("console.password", config.console.password),
        ("console.reader_password", config.console.reader_password),
        ("store.password", config.store.password),
        *((f"sources.{name}.secret", source.secret) for name, source in config.sources.items()),
        *((f"sources.{name}.previous_secret", source.previous_secret) for name, source in config.sources.items()),
        *((f"trackers.{name}.{key}", secret) for name, (key, secret) in tracker_secrets(config)),
        *((key, secret) for name in config.hooks for key, secret in hook_secrets(config, name).items()),
        *((f"channels.{name}.{key}", secret) for name, (key, secret) in channel_secrets(config)),
    ]
    for name, settings in config.backtrace.items():
        places += [
            (f"backtrace.{name}.projects[{number}].{key}", getattr(project, key))
            for number, project in enumerate(settings.projects)
            for key in ("token", "link_token")
        ]
    return ((key, secret) for key, secret in places if isinstance(secret, Secret))


def hook_secrets(config: Config, name: str) -> dict[str, Secret | None]:
    """The secrets of a hook, with their keys."""
    hook = config.hooks[name]
    return {f"hooks.{name}.secret": hook.secret, f"hooks.{name}.previous_secret": hook.previous_secret}


def tracker_secrets(config: Config) -> Iterator[tuple[str, tuple[str, Secret]]]:
    """By tracker, the keys of its secrets in its section, and the secrets."""
    for name, tracker in config.trackers.items():
        if isinstance(tracker, PluginSettings):
            yield from ((name, each) for each in tracker.secrets())
        elif isinstance(tracker, GitHubSettings | JiraSettings):
            yield name, tracker.secret


def channel_secrets(config: Config) -> Iterator[tuple[str, tuple[str, Secret]]]:
    """By channel, the key of each of its secrets in its section, and the secret."""
    for name, channel in config.channels.items():
        for key in channel.SECRETS:
            if (secret := getattr(channel, key)) is not None:
                yield name, (key, secret)


def warnings(config: Config) -> Iterator[str]:
    """Settings that are allowed but unwise, each with its key."""
    for key, secret in secrets(config):
        if secret.open_to_others():
            yield f"{key}: other accounts can read {secret.file}; run chmod 600 on it"
    for number, route in enumerate(config.routes):
        yield from _doubtful_patterns(f"routes[{number}]", route)
        tracker = config.trackers.get(route.tracker)
        kind = getattr(tracker, "kind", None)
        for place, rule in enumerate(route.set):
            for setting in sorted(rule.model_fields_set - {"when"} - _settable(tracker, rule.model_fields_set)):
                yield f"routes[{number}].set[{place}].{setting}: a tracker of kind {kind} has no such setting"
    if config.store.dialect == "sqlite":
        path = config.store.path.absolute()
        with suppress(OSError):  # there is none yet, or opening it reports the error
            if path.stat().st_mode & 0o077 and path.parent.stat().st_mode & 0o011:
                yield f"store.url: other accounts can read {path}, with all crash data; run `chmod 600 {path}*`"


# The settings of `set` that each kind of tracker has.
_SETTABLE = {
    "github": {"labels", "assignee", "milestone"},
    "jira": {"priority", "issue_type", "labels", "component", "assignee", "fields"},
    "local": {"labels", "component", "assignee"},
}


def _settable(tracker: TrackerSettings | None, every: set[str]) -> set[str] | frozenset[str]:
    settable = (
        tracker.settable if isinstance(tracker, PluginSettings) else _SETTABLE.get(str(getattr(tracker, "kind", "")))
    )
    return every if settable is None else settable


def _doubtful_patterns(place: str, route: Route) -> Iterator[str]:
    """Patterns of a route that can hardly match anything, each with its key and the reason."""
    conditions: list[tuple[str, Conditions]] = [("match", route.match), ("match.not", route.match.unless)]
    for number, rule in enumerate(route.set):
        conditions += [(f"set[{number}].when", rule.when), (f"set[{number}].when.not", rule.when.unless)]
    patterns = [
        (f"{section}.{key}", key, pattern)
        for section, each in conditions
        for key, values in each.model_dump(exclude={"unless"}).items()
        if isinstance(values, list)
        for pattern in values
    ]
    patterns += [
        (f"{section}.{key}.{name}", key, pattern)
        for section, each in conditions
        for key, values in (("attributes", each.attributes), ("commonest", each.commonest), ("shares", each.shares))
        for name, listed in values.items()
        for pattern in listed
    ]
    for number, label in enumerate(route.labels):
        patterns.append((f"labels[{number}]", "label", label.classifier or label.value))
    for number, owner in enumerate(route.owners):
        patterns += [(f"owners[{number}]", "owner", pattern) for pattern in (owner.frame, owner.module) if pattern]
    for key, condition, pattern in patterns:
        if reason := doubtful(condition, pattern):
            yield f"{place}.{key}: {pattern!r} can hardly match anything: {reason}"

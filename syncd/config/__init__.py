"""config.toml as frozen values. Every problem is reported at once, each with its key and a remedy."""

import hashlib
import tomllib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Field, ValidationError

from syncd.config.routes import Conditions, LabelRule, Match, OwnerRule, Route
from syncd.config.sections import ConsoleSettings, Links, Notifications, Privacy, Receiver, StoreSettings, Titles
from syncd.config.trackers import (
    GROUP_FACTS,
    SECTIONS,
    AnyTracker,
    GitHubSettings,
    JiraSettings,
    LocalSettings,
    OtherSettings,
    TrackerSettings,
)
from syncd.config.values import Seconds, Secret, Section, did_you_mean
from syncd.core.policy import Policy
from syncd.errors import ConfigError

__all__ = [
    "GROUP_FACTS",
    "Conditions",
    "Config",
    "ConsoleSettings",
    "GitHubSettings",
    "JiraSettings",
    "LabelRule",
    "Links",
    "LocalSettings",
    "Match",
    "Notifications",
    "OtherSettings",
    "OwnerRule",
    "Privacy",
    "Receiver",
    "Route",
    "Seconds",
    "Secret",
    "StoreSettings",
    "Titles",
    "TrackerSettings",
    "load",
    "read_secrets",
    "secrets",
    "warnings",
]


class Config(Section):
    """The whole file."""

    receiver: Receiver = Receiver()
    console: ConsoleSettings = ConsoleSettings()
    store: StoreSettings = StoreSettings()
    notifications: Notifications = Notifications()
    links: Links = Links()
    privacy: Privacy = Privacy()
    titles: Titles = Titles()
    trackers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")], AnyTracker] = {}
    routes: list[Route] = []

    @cached_property
    def all_routes(self) -> list[Policy]:
        """The routes, each with a name; where none is written and there is one tracker, everything goes to it."""
        routes = self.routes or [Route(tracker=name) for name in self.trackers]
        return [route.policy(route.name or f"route-{number}") for number, route in enumerate(routes, start=1)]

    @cached_property
    def version(self) -> str:
        """Tells one configuration from another: a digest of all that is in force. Secrets are in it by their places only."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    @cached_property
    def credentials(self) -> dict[str, str]:
        """By tracker, what its server counts requests by."""
        return {name: getattr(tracker, "credential", f"tracker {name}") for name, tracker in self.trackers.items()}


def load(path: Path) -> Config:
    """The configuration in `path`. Raises ConfigError with every problem at once."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: is not TOML: {error}"]) from None
    problems = list(_unroutable(document))
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        problems = [*_problems(error), *problems]
    if problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return config


def _unroutable(document: dict[str, Any]) -> Iterator[str]:
    """Routes that lead nowhere. Judged on the bare document, so that these are told together with all other faults."""
    trackers, routes = document.get("trackers", {}), document.get("routes", [])
    if not isinstance(trackers, dict) or not isinstance(routes, list):
        return
    for number, route in enumerate(routes):
        name = route.get("tracker") if isinstance(route, dict) else None
        if isinstance(name, str) and name not in trackers:
            yield f"routes[{number}].tracker: {name!r} is not configured{did_you_mean(name, list(trackers))}"
    # One without a name gets one by its place.
    names = [
        (route.get("name") if isinstance(route, dict) else None) or f"route-{number}"
        for number, route in enumerate(routes, start=1)
    ]
    for number, name in enumerate(names):
        if name in names[:number]:
            yield f"routes[{number}].name: another route is called {name!r} too"
    if len(trackers) > 1 and not routes:
        yield "routes: there are several trackers; say with [[routes]] which groups go where"


def _problems(error: ValidationError) -> Iterator[str]:
    # include_input=False: what was written in the wrong place may be a secret.
    for fault in error.errors(include_input=False, include_url=False):
        section, key = _place(fault["loc"])
        text = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            text = f"there is no such key{did_you_mean(key.rpartition('.')[2], list(section.model_fields))}"
        elif fault["type"] == "missing":
            text = "is missing"
        yield f"{key}: {text}" if key else text


def _place(location: tuple[int | str, ...]) -> tuple[type[BaseModel], str]:
    """The section a fault lies in and its key as written in TOML, without pydantic's union tags."""
    section: type[BaseModel] = Config
    key = ""
    for depth, part in enumerate(location):
        if location[0] == "trackers" and depth == 2 and isinstance(part, str) and part in SECTIONS:
            section = SECTIONS[part]
            continue
        if part == "[key]":
            continue
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else part
        field = section.model_fields.get(str(part))
        section = _section_of(field.annotation if field else None) or section
    return section, key


def _section_of(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _section_of(inner))), None)


def secrets(config: Config) -> Iterator[tuple[str, Secret]]:
    """Every secret that it names, with its key."""
    places: list[tuple[str, object]] = [
        ("receiver.password", config.receiver.password),
        ("receiver.previous_password", config.receiver.previous_password),
        ("console.password", config.console.password),
        ("store.password", config.store.password),
        *((f"trackers.{name}.token", getattr(tracker, "token", None)) for name, tracker in config.trackers.items()),
    ]
    return ((key, secret) for key, secret in places if isinstance(secret, Secret))


def read_secrets(config: Config) -> None:
    """Raises ConfigError with every secret that cannot be read."""
    problems = []
    for key, secret in secrets(config):
        try:
            secret.read()
        except ConfigError as error:
            problems += [f"{key}: {problem}" for problem in error.problems]
    if problems:
        raise ConfigError(problems)


def warnings(config: Config) -> Iterator[str]:
    """What is allowed but unwise, each with its key."""
    for key, secret in secrets(config):
        if secret.open_to_others():
            yield f"{key}: {secret.file} can be read by other accounts; chmod 600 it"
    for name, tracker in config.trackers.items():
        if tracker.probe_after[0] < getattr(tracker, "timeout", 0.0):
            yield f"trackers.{name}.probe_after: the first time lies within timeout, when a create may still be carried out"

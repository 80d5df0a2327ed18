"""What the worker needs of a tracker, and how a configured one is opened."""

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Protocol, cast

from syncd.config import TrackerSettings
from syncd.errors import ConfigError
from syncd.model import Created, Group, Issue
from syncd.render.document import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An issue to be created: what every tracker needs to write it in its own markup."""

    marker: str
    title: str
    body: Document
    group: Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing `check` looked at. `remedy` is empty when it is well."""

    ok: bool
    what: str
    remedy: str = ""


class Tracker(Protocol):
    """One client of one configured tracker; used by one thread only.

    Every method raises `TrackerError` and nothing else. Constructing one sends no request.
    """

    def create(self, draft: Draft) -> Created:
        """Send the one request that creates the issue; never repeated here once it may have been carried out."""

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        """Add the status comment and return its id. One request, never repeated here."""

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        """The id of the comment that carries `marker`, read from the issue itself."""

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        """Replace the status comment. Raises `Missing` when a person deleted it."""

    def refresh(self, issue: Issue, group: Group) -> None:
        """Bring mapped fields up to date, where any are configured."""

    def check(self) -> list[Finding]:
        """Ask the tracker real questions: login, project, permissions, required fields. Creates nothing."""

    def close(self) -> None:
        """Give back connections."""


class Notebook(Protocol):
    """Facts a tracker's clients keep between restarts, such as a repository's numeric id."""

    def recall(self, fact: str) -> str | None: ...

    def note(self, fact: str, value: str) -> None: ...


class OpenTracker(Protocol):
    """What `kind` names: built in, or an entry point of the group `syncd.trackers`."""

    def __call__(self, name: str, settings: TrackerSettings, notebook: Notebook) -> Tracker: ...


# Imported only when configured: a GitHub-only site never loads jira, and the other way round.
BUILT_IN = {
    "github": "syncd.trackers.github:GitHub",
    "jira": "syncd.trackers.jira:Jira",
    "local": "syncd.trackers.local:Local",
}


def open_tracker(name: str, settings: TrackerSettings, notebook: Notebook) -> Tracker:
    """A client for one thread. Raises ConfigError when nothing installed knows the kind."""
    return _factory(name, settings.kind)(name, settings, notebook)


def _factory(name: str, kind: str) -> OpenTracker:
    if target := BUILT_IN.get(kind):
        module, _, attribute = target.partition(":")
        return cast(OpenTracker, getattr(import_module(module), attribute))
    installed = {entry.name: entry for entry in entry_points(group="syncd.trackers")}
    if kind in installed:
        return cast(OpenTracker, installed[kind].load())
    known = ", ".join(sorted({*BUILT_IN, *installed}))
    raise ConfigError([f"trackers.{name}.kind: no tracker called {kind!r} is installed (known: {known})"])

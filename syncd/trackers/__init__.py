"""What the worker needs of a tracker, and how a configured one is opened."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Protocol, cast

from syncd.config import TrackerSettings
from syncd.errors import ConfigError, Unavailable
from syncd.model import Created, Evidence, Group, Issue, Observation, Survey
from syncd.render.document import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An issue to be created: what every tracker needs to write it in its own markup.

    `expires` is when, on the monotonic clock, it is too late to send it: somebody else may then be proving that it was not.
    """

    marker: str
    title: str
    body: Document
    group: Group
    # Set at creation only, beside what the tracker's settings say. What a tracker does not take of these is left out.
    labels: tuple[str, ...] = ()
    assignee: str | None = None
    components: tuple[str, ...] = ()
    expires: float = math.inf

    def require_fresh(self) -> None:
        """To be called right before the request. Raises Unavailable when the process slept through its time."""
        if time.monotonic() > self.expires:
            raise Unavailable("it took too long to begin; nothing was sent")


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

    def newest(self) -> int:
        """The highest issue number so far, 0 where there is none: one read. Lower than the truth does no harm."""

    def create(self, draft: Draft) -> Created:
        """Send the one request that creates the issue; never repeated here once it may have been carried out.

        Calls `draft.require_fresh` right before it.
        """

    def probe(self, issue: Issue) -> Evidence:
        """Look for what became of a create: `issue.marker` among our issues above `issue.floor`. Reads only."""

    def look(self, issue: Issue) -> Observation:
        """Where a linked issue is now, and how people left it. Raises Gone or OutOfReach when it is nowhere for us; a 404 alone
        is no proof."""

    def survey(self, issues: Sequence[Issue], since: float | None) -> Survey:
        """How people left many linked issues, in as few reads as the tracker allows; `since` is the last survey's `until`."""

    def reopen(self, issue: Issue) -> str:
        """Open a closed issue again; nothing where it is open. A note for people, empty where all is well: what could not be
        done by the tracker's own rules is said there, and is not tried again until people change something."""

    def close_issue(self, issue: Issue) -> str:
        """Close an issue as done; nothing where it is closed. A note as for `reopen`."""

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        """Add a comment that carries `marker`, and return its id. One request, never repeated here.

        Like every operation on a linked issue, raises Moved, Gone or OutOfReach where the issue is no longer there.
        """

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        """The id of the comment that carries `marker`, read from the issue itself."""

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        """Replace a comment of ours, mailing nobody where that can be asked for. Raises Missing when a person deleted it."""

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

    def __call__(
        self, name: str, settings: TrackerSettings, notebook: Notebook, *, sleep: Callable[[float], None]
    ) -> Tracker: ...


# Imported only when configured: a GitHub-only site never loads jira, and the other way round.
BUILT_IN = {
    "github": "syncd.trackers.github.tracker:GitHub",
    "jira": "syncd.trackers.jira.tracker:Jira",
    "local": "syncd.trackers.local.tracker:Local",
}


def open_tracker(
    name: str, settings: TrackerSettings, notebook: Notebook, sleep: Callable[[float], None] = time.sleep
) -> Tracker:
    """A client for one thread; `sleep` passes the seconds between its tries. Raises ConfigError when nothing installed
    knows the kind."""
    return _factory(name, settings.kind)(name, settings, notebook, sleep=sleep)


def _factory(name: str, kind: str) -> OpenTracker:
    if target := BUILT_IN.get(kind):
        module, _, attribute = target.partition(":")
        return cast(OpenTracker, getattr(import_module(module), attribute))
    installed = {entry.name: entry for entry in entry_points(group="syncd.trackers")}
    if kind in installed:
        return cast(OpenTracker, installed[kind].load())
    known = ", ".join(sorted({*BUILT_IN, *installed}))
    raise ConfigError([f"trackers.{name}.kind: no tracker called {kind!r} is installed (known: {known})"])

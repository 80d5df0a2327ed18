"""The contract between the worker and a tracker, how a configured tracker is opened, and how its operations are measured.

A package for each kind: github, jira, local. The HTTP below them is in `transport`. No module here reads the store or decides when
a tracker is called.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Protocol, cast

import structlog

from syncd.config import TrackerSettings
from syncd.config.plugins import PluginError, find_plugin
from syncd.core.doubt import Evidence
from syncd.core.policy import Policy
from syncd.errors import ConfigError, Misconfigured, TrackerError
from syncd.model import Created, Group, Issue, Observation, PresentSettings, Settings
from syncd.platform import metrics
from syncd.platform.clock import Clock
from syncd.render.text import Document

log = structlog.get_logger("syncd.tracker")

_CLOCK_SECONDS = 30.0  # a server sends its time in whole seconds, and some answers take seconds to arrive


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The findings of one request of a survey.

    `observations` are keyed by `remote_id`. The tracker did not return the `missing` ones although it answered for others;
    the caller looks at each of them. `bookmark` says where the next survey goes on, in the tracker's own form; only the last part of
    a survey has one.
    """

    observations: Mapping[str, Observation]
    missing: tuple[str, ...] = ()
    bookmark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """An issue of an account of syncd's with the marker of some group, in the form of `Tracker.reference`."""

    reference: str
    issue: Created


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What has the numbers above a floor. Every number up to `upto` was read; more are in use where that is below `newest`."""

    newest: int
    upto: int
    issues: Sequence[Marked] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueText:
    """An issue as a search reads it, with everything that people and programs wrote into its title and its body, the targets of links
    included."""

    observation: Observation
    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An issue to create, in a form that every tracker can write in its own markup.

    Call `require_fresh` right before the request: it raises Unavailable or LeaseLost where another process may be proving by now that
    the request was never sent. A tracker leaves out any of the settings from `labels` on that it does not take or does not have. Labels and
    components are in addition to those of the tracker's settings, the others replace them; `fields` are as in `JiraSettings.fields`.
    """

    marker: str
    title: str
    body: Document
    group: Group
    labels: tuple[str, ...] = ()
    assignee: str | None = None
    components: tuple[str, ...] = ()
    priority: str | None = None
    issue_type: str | None = None
    milestone: str | None = None
    fields: Mapping[str, object] = field(default_factory=dict)
    require_fresh: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One result of `check`. `remedy` is empty where `ok`."""

    ok: bool
    what: str
    remedy: str = ""


class Tracker(Protocol):
    """One client of one configured tracker; used by one thread only.

    Every method raises `TrackerError` and nothing else. Constructing a client sends no request.
    """

    def newest(self) -> int:
        """Return the highest issue number so far, 0 where there is none, by one read. A lower number does no harm."""

    def sweep(self, floor: int, since: float) -> Sweep:
        """Read every number above `floor`, by number and not from an index that may lag, for issues of syncd's accounts that carry a marker; none
        below the highest number of an issue that was created before `since`, in the tracker's time. What cannot be read under a number is left
        out while others can. Raises Unavailable where nothing could be read. Nothing for a tracker whose issues have no numbers: then `create` must not create a second issue with the same marker."""

    def reference(self, marker: str) -> str:
        """Return the part of a marker that a sweep reads, or a digest of it. It begins with the first INSTANCE_DIGITS of the marker
        (`core.plan`)."""

    def ping(self) -> None:
        """Send one cheap read, once. Raises Unavailable where nothing answers, or what does is not the tracker's API: a proxy, a login
        page. Any other error counts as an answer: what it says about login, rights or project is for the next call to find out."""

    def create(self, draft: Draft) -> Created:
        """Send the one request that creates the issue; never send it again once the tracker may have carried it out.

        Calls `draft.require_fresh` right before the request.
        """

    def probe(self, issue: Issue) -> Evidence:
        """Find out whether a create was carried out: search for `issue.marker` among our issues from `issue.floor` on. Reads only."""

    def look(self, issue: Issue) -> Observation:
        """Return where a linked issue is now, and how people left it.

        Raises Gone or OutOfReach when the account cannot read it anywhere. A 404 alone proves neither.
        """

    def survey(self, issues: Sequence[Issue], bookmark: str | None) -> Iterator[Survey]:
        """Look at many linked issues in as few reads as the tracker allows, one request for each part.

        `bookmark` is that of the last survey all of whose findings were stored; None for the first one. A client keeps nothing else from
        one survey to the next. Issues that are closed and silent for long may be left to a later survey.
        """

    def search(self, label: str | None, query: str | None) -> Iterator[Sequence[IssueText]]:
        """Read the issues of the project, repository or folder, whoever filed them and whether they are open, one request for each part: all of
        them, or those with a `label` and those that fit a `query`. That is in the tracker's own language where it has one that can be searched
        completely, else a text of the title or the body, in any case. By a list that does not lag, where there is one. Reads only."""

    def reopen(self, issue: Issue) -> str:
        """Open a closed issue again; do nothing to an open one. Returns a note for people, empty after success: why the tracker's
        own rules forbid it. The worker does not try again until people change something."""

    def close_issue(self, issue: Issue) -> str:
        """Close an issue as done; do nothing to a closed one. Returns a note as `reopen` does."""

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        """Add a comment that carries `marker`, and return its id. One request, never sent again here.

        Like every operation on a linked issue, raises Moved, Gone or OutOfReach where the issue is no longer at its place.
        """

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        """Return the id of our comment that carries `marker`, read from the issue itself."""

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        """Replace one of our comments, without mail where the tracker can be asked for that. Raises Missing when a person deleted
        it, or when an earlier account wrote it and this one may not change it."""

    def refresh(self, issue: Issue, group: Group) -> None:
        """Update the mapped fields, where any are configured."""

    def read_settings(self, issue: Issue) -> PresentSettings:
        """Return what rules may raise: what the issue has now. One read, or a few."""

    def raise_settings(self, issue: Issue, changes: Settings) -> str:
        """Set these properties and leave all others; labels and components are added. May be repeated without harm. Returns a note as
        `reopen` does: what the tracker's own rules forbid."""

    def check(self, routes: Sequence[Policy] = (), releases: Sequence[str] = ()) -> list[Finding]:
        """Test login, project, permissions and required fields by real reads, and what `routes`, which file here, set and recognise.
        `releases` are those of the crashes that they take. Creates nothing."""

    def close(self) -> None:
        """Release the connections."""


class InstrumentedTracker:
    """A client that counts, times and logs every operation of another client, `tracker`."""

    def __init__(self, name: str, tracker: Tracker, clock: Clock) -> None:
        self._name = name
        self._tracker = tracker
        self._clock = clock

    def newest(self) -> int:
        with self._measure("newest"):
            return self._tracker.newest()

    def sweep(self, floor: int, since: float) -> Sweep:
        with self._measure("sweep"):
            return self._tracker.sweep(floor, since)

    def reference(self, marker: str) -> str:
        return self._tracker.reference(marker)

    def ping(self) -> None:
        with self._measure("ping"):
            self._tracker.ping()

    def create(self, draft: Draft) -> Created:
        with self._measure("create") as facts:
            created = self._tracker.create(draft)
            facts["issue"] = created.key
            return created

    def probe(self, issue: Issue) -> Evidence:
        with self._measure("probe", issue):
            return self._tracker.probe(issue)

    def look(self, issue: Issue) -> Observation:
        with self._measure("look", issue):
            return self._tracker.look(issue)

    def survey(self, issues: Sequence[Issue], bookmark: str | None) -> Iterator[Survey]:
        parts = self._tracker.survey(issues, bookmark)
        while True:
            with self._measure("survey"):
                part = next(parts, None)
            if part is None:
                return
            yield part

    def search(self, label: str | None, query: str | None) -> Iterator[Sequence[IssueText]]:
        parts = self._tracker.search(label, query)
        while True:
            with self._measure("search"):
                part = next(parts, None)
            if part is None:
                return
            yield part

    def reopen(self, issue: Issue) -> str:
        with self._measure("reopen", issue):
            return self._tracker.reopen(issue)

    def close_issue(self, issue: Issue) -> str:
        with self._measure("close_issue", issue):
            return self._tracker.close_issue(issue)

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        with self._measure("comment", issue):
            return self._tracker.comment(issue, document, marker)

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        with self._measure("find_comment", issue):
            return self._tracker.find_comment(issue, marker)

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        with self._measure("edit_comment", issue):
            self._tracker.edit_comment(issue, comment_id, document, marker)

    def refresh(self, issue: Issue, group: Group) -> None:
        with self._measure("refresh", issue):
            self._tracker.refresh(issue, group)

    def read_settings(self, issue: Issue) -> PresentSettings:
        with self._measure("read_settings", issue):
            return self._tracker.read_settings(issue)

    def raise_settings(self, issue: Issue, changes: Settings) -> str:
        with self._measure("raise_settings", issue):
            return self._tracker.raise_settings(issue, changes)

    def check(self, routes: Sequence[Policy] = (), releases: Sequence[str] = ()) -> list[Finding]:
        return self._tracker.check(routes, releases)

    def close(self) -> None:
        self._tracker.close()

    @contextmanager
    def _measure(self, operation: str, issue: Issue | None = None) -> Iterator[dict[str, object]]:
        """Count, time and log one call. The worker has bound delivery, group and fingerprint to the log."""
        facts: dict[str, object] = {"issue": issue.key} if issue is not None and issue.key else {}
        began, outcome, emit = self._clock.monotonic(), "ok", log.info
        try:
            yield facts
        except TrackerError as error:
            outcome, emit = type(error).__name__, log.warning
            facts["reason"] = error.reason
            raise
        finally:
            seconds = self._clock.monotonic() - began
            metrics.CALLS.labels(self._name, operation, outcome).inc()
            metrics.CALL_SECONDS.labels(self._name, operation).observe(seconds)
            ms = round(seconds * 1000, 1)
            emit("tracker_call", tracker=self._name, operation=operation, outcome=outcome, ms=ms, **facts)


class Notebook(Protocol):
    """Facts that a tracker's clients keep across restarts, such as a repository's numeric id."""

    def recall(self, fact: str) -> str | None: ...

    def note(self, fact: str, value: str) -> None: ...


class OpenTracker(Protocol):
    """The target of a `kind`: a built-in class, or an entry point of the group `syncd.trackers`.

    `clock` is the only source of time, and `sleep` the only way to wait: it returns early when the daemon stops.
    """

    def __call__(
        self,
        name: str,
        settings: TrackerSettings,
        notebook: Notebook,
        *,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> Tracker: ...


# Imported only when configured: a site with GitHub alone never loads jira, and the reverse.
BUILT_IN = {
    "github": "syncd.trackers.github.tracker:GitHub",
    "jira": "syncd.trackers.jira.tracker:Jira",
    "local": "syncd.trackers.local.tracker:Local",
}


class UnusableTracker:
    """A tracker whose plug-in cannot be used: every call says why, so that its groups wait and no others do."""

    def __init__(self, reason: str, remedy: str) -> None:
        self.reason = reason
        self.remedy = remedy

    def __getattr__(self, operation: str) -> Callable[..., object]:
        if operation.startswith("_"):
            raise AttributeError(operation)

        def refuse(*_: object, **__: object) -> object:
            raise Misconfigured(f"{self.reason}; {self.remedy}")

        return refuse

    def reference(self, marker: str) -> str:
        return marker

    def check(self, *_: object) -> list[Finding]:
        return [Finding(ok=False, what=self.reason, remedy=self.remedy)]

    def close(self) -> None:
        """Nothing is open."""


def open_tracker(
    name: str, settings: TrackerSettings, notebook: Notebook, *, clock: Clock, sleep: Callable[[float], None]
) -> Tracker:
    """Return a client for one thread. Where a plug-in cannot be used, that is an `UnusableTracker`. Raises ConfigError where no installed
    package has the kind."""
    kind = settings.kind
    if target := BUILT_IN.get(kind):
        module, _, attribute = target.partition(":")
        factory = cast(OpenTracker, getattr(import_module(module), attribute))
        return factory(name, settings, notebook, clock=clock, sleep=sleep)
    try:
        plugin = find_plugin(kind)
    except PluginError as error:
        return cast(Tracker, UnusableTracker(error.reason, error.remedy))
    except ValueError as error:
        raise ConfigError([f"trackers.{name}.kind: {error}"]) from None
    try:
        return cast(OpenTracker, plugin.tracker)(name, settings, notebook, clock=clock, sleep=sleep)
    except Exception as error:  # noqa: BLE001 - a fault in the code of another package concerns its own trackers alone
        # The text of the error may hold anything, also a secret.
        reason = f"the plug-in of kind {kind!r} cannot open {name} ({type(error).__name__})"
        return cast(Tracker, UnusableTracker(reason, "report it to the author of the plug-in"))


def is_wanted(issue: IssueText, label: str | None, query: str | None) -> bool:
    """True if an issue that a whole list has is one that a search asks for."""
    labels = {name.casefold() for name in issue.observation.condition.labels}
    text = f"{issue.title}\n{issue.body}".casefold()
    return (label is None or label.casefold() in labels) and (query is None or query.casefold() in text)


def clock_finding(server_time: float | None, now: float) -> list[Finding]:
    """Compare this machine's time with the server's, both in epoch seconds; no finding where the server sent none."""
    if server_time is None:
        return []
    off = now - server_time
    if abs(off) <= _CLOCK_SECONDS:
        return [Finding(ok=True, what="its clock and this machine's tell the same time")]
    remedy = "run a time service on this machine (`timedatectl set-ntp true`): due times and proofs are times of both"
    return [Finding(ok=False, what=f"this machine's clock is {off:+,.0f} seconds off the tracker's", remedy=remedy)]

"""A tracker with its people and its weather, as the conformance suite orders them about.

A world belongs to one kind of tracker: it starts the fake server (or makes the folder), opens adapters on it, does what people
do there, and makes the next call fail. It asserts nothing.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Literal, Self

import pytest

from syncd.config import TrackerSettings
from syncd.config.plugins import PluginSettings, find_plugin
from syncd.core.doubt import Proof
from syncd.model import Issue, Observation
from syncd.plugin.conformance.clock import MovableClock
from syncd.plugin.conformance.notebook import Memory
from syncd.trackers import Draft, Survey, Tracker, open_tracker

Event = Literal[
    "create lost before",
    "create lost after",
    "comment lost before",
    "comment lost after",
    "copy",
    "lag",
    "move",
    "move away",
    "delete comment",
    "throttle",
    "refuse",
    "revoke",
    "shut",
    "bar reopening",
    "bar closing",
    "reference",
    "priorities",
    "assign",
]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One issue as people see it. `body` is its text in the tracker's own markup, `comments` the text of each."""

    remote_id: str
    title: str
    body: str
    closed: bool
    comments: tuple[str, ...]
    labels: tuple[str, ...] = ()
    priority: str = ""


class World(ABC):
    """Use it as a context manager. `folder` is an empty folder of its own.

    A subclass names in `impossible` each event that its tracker cannot have, with the reason; the suite skips the cases that
    need one, and shows the reason. Methods of such events need not be overridden.
    """

    impossible: ClassVar[Mapping[Event, str]] = {}

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.memory = Memory()
        self.clock = MovableClock(time.time())  # the servers' time
        self.stack = ExitStack()  # closed with the world

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.close()

    def require(self, *events: Event) -> None:
        """Skip the running test when this world cannot have one of the events."""
        for event in events:
            if event in self.impossible:
                pytest.skip(f"{event}: {self.impossible[event]}")

    @property
    @abstractmethod
    def settings(self) -> TrackerSettings:
        """The section `[trackers.NAME]` that leads here."""

    @property
    def proof(self) -> Proof:
        """How the tracker proves that a create was not carried out, as its plug-in declares."""
        settings = self.settings
        return find_plugin(settings.kind).proof if isinstance(settings, PluginSettings) else Proof.NUMBERS

    def open(self) -> Tracker:
        """A new client, as after a restart; it shares the notebook with all clients before it."""
        tracker = open_tracker("crashes", self.settings, self.memory, clock=self.clock, sleep=self.sleep)
        self.stack.callback(tracker.close)
        return tracker

    def sleep(self, seconds: float) -> None:
        """Let time pass without waiting for it."""
        self.clock.advance(seconds)

    # What stands in the tracker.

    @abstractmethod
    def items(self) -> list[Item]:
        """Every issue that was not deleted, also those that were moved."""

    @abstractmethod
    def imitation(self, marker: str) -> str:
        """The text by which this tracker's issues show `marker`, for somebody who wants to forge it."""

    # What people do.

    @abstractmethod
    def file(self, title: str) -> str:
        """A person files an issue. Returns its remote id."""

    def copy(self, remote_id: str) -> None:
        """A person copies an issue with everything in it that can be copied."""
        raise NotImplementedError

    @abstractmethod
    def edit(self, remote_id: str, text: str) -> None:
        """A person writes `text` into an issue's body, and leaves what was there."""

    @abstractmethod
    def close(self, remote_id: str) -> None:
        """A person closes an issue as fixed."""

    @abstractmethod
    def reopen(self, remote_id: str) -> None:
        """A person opens an issue again."""

    @abstractmethod
    def delete(self, remote_id: str) -> None:
        """A person deletes an issue for good."""

    def move(self, remote_id: str) -> None:
        """A person moves an issue to where the account of the tracker may do everything."""
        raise NotImplementedError

    def move_away(self, remote_id: str) -> None:
        """A person moves an issue to where the account of the tracker may not write."""
        raise NotImplementedError

    @abstractmethod
    def unlabel(self, remote_id: str, label: str) -> None:
        """A person removes a label."""

    def assign(self, remote_id: str, name: str | None) -> None:
        """A person assigns an issue to `name`, or to nobody."""
        raise NotImplementedError

    def prioritise(self, remote_id: str, priority: str) -> None:
        """A person gives an issue another priority."""
        raise NotImplementedError

    @abstractmethod
    def comment(self, remote_id: str, text: str) -> None:
        """A person adds a comment."""

    def delete_comment(self, remote_id: str, comment_id: str) -> None:
        """A person deletes a comment."""
        raise NotImplementedError

    def bar_reopening(self, remote_id: str) -> None:
        """From now on nobody can reopen the closed issue."""
        raise NotImplementedError

    def bar_closing(self, remote_id: str) -> None:
        """From now on nobody can close the open issue."""
        raise NotImplementedError

    # Weather.

    def lose(self, call: Literal["create", "comment"], when: Literal["before", "after"]) -> None:
        """The answer to the next such request is lost, before or after the tracker carried it out."""
        raise NotImplementedError

    def lag(self) -> None:
        """From now on lists and searches do not show what is new."""
        raise NotImplementedError

    def throttle(self) -> None:
        """The tracker answers the next create with its limit on requests."""
        raise NotImplementedError

    def refuse(self, draft: Draft) -> None:
        """The tracker refuses to create an issue of this draft, for its content."""
        raise NotImplementedError

    def revoke(self) -> None:
        """From now on the tracker does not let its account in."""
        raise NotImplementedError

    def shut(self) -> None:
        """From now on the tracker cannot be reached."""
        raise NotImplementedError


def whole_survey(tracker: Tracker, issues: Sequence[Issue], bookmark: str | None) -> Survey:
    """All parts of a survey in one."""
    observations: dict[str, Observation] = {}
    missing: tuple[str, ...] = ()
    after = None
    for part in tracker.survey(issues, bookmark):
        observations |= part.observations
        missing += part.missing
        after = part.bookmark or after
    return Survey(observations=observations, missing=missing, bookmark=after)

"""The worlds of the conformance suite: each event is possible, or its absence has a reason and is counted."""

from typing import get_args

import pytest

from syncd.plugin.conformance.world import Event, World
from tests.trackers.github.world import GitHubAppWorld, GitHubWorld
from tests.trackers.jira.world import CloudWorld, DataCenterWorld
from tests.trackers.local.world import LocalWorld
from tests.trackers.sample.world import DeskWorld, KeyedDeskWorld

# How many events each tracker cannot have. A new one means fewer cases for that tracker.
IMPOSSIBLE: dict[type[World], int] = {
    GitHubWorld: 1, GitHubAppWorld: 2, CloudWorld: 0, DataCenterWorld: 0, LocalWorld: 8, DeskWorld: 1,
    KeyedDeskWorld: 1,
}  # fmt: skip
METHODS: dict[Event, str] = {
    "create lost before": "lose",
    "create lost after": "lose",
    "comment lost before": "lose",
    "comment lost after": "lose",
    "copy": "copy",
    "lag": "lag",
    "move": "move",
    "move away": "move_away",
    "delete comment": "delete_comment",
    "throttle": "throttle",
    "refuse": "refuse",
    "revoke": "revoke",
    "shut": "shut",
    "bar reopening": "bar_reopening",
    "bar closing": "bar_closing",
    "priorities": "prioritise",
    "assign": "assign",
}


@pytest.mark.parametrize("world", IMPOSSIBLE, ids=lambda world: world.__name__)
def test_every_event_is_possible_or_has_a_reason(world: type[World]) -> None:
    missing = {event for event, method in METHODS.items() if getattr(world, method) is getattr(World, method)}

    assert missing <= world.impossible.keys()
    assert len(world.impossible) == IMPOSSIBLE[world]
    assert all(len(reason.split()) > 3 for reason in world.impossible.values())


def test_every_event_has_its_method() -> None:
    assert {*METHODS, "reference"} == {*get_args(Event)}

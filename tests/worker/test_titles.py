"""The title of a new issue follows the patterns of its route, and has nothing private of the frame that it names."""

from typing import Any

import pytest

from syncd.config import Config
from syncd.worker.presentation import Presentation
from tests.factories import make_group

STACK = ("abort", "Engine::assertValid(int)", "Hud::paint(int) [/home/alice/hud.cpp:3]", "main")


def config(**keys: Any) -> Config:
    return Config.model_validate(
        {
            "trackers": {"here": {"kind": "local", "folder": "issues"}},
            "titles": {"library_frames": ["Engine::*"]},
            "routes": [
                {"name": "game", "match": {"project": "game"}, "tracker": "here", **keys},
                {"name": "rest", "tracker": "here"},
            ],
        }
    )


@pytest.mark.parametrize(
    ("keys", "route", "line"),
    [
        ({}, "game", "Crash in Hud::paint (game)"),
        ({"titles": {"own_frames": ["Engine::assert*"]}}, "game", "Crash in Engine::assertValid (game)"),
        ({"titles": {"own_frames": ["Engine::assert*"]}}, "rest", "Crash in Hud::paint (game)"),
        ({"titles": {"skip_frames": ["/^Hud/"]}}, "game", "Crash in Engine::assertValid (game)"),
        ({"titles": {"prefix_frames": ["Hud::*", "Engine::*"]}}, "game", "Crash in main (game)"),
    ],
)
def test_a_route_has_patterns_of_its_own(keys: dict[str, Any], route: str, line: str) -> None:
    presented = Presentation.from_config(config(**keys)).present(make_group(application="game", callstack=STACK), route)
    assert presented.title() == line


@pytest.mark.parametrize(
    ("frame", "secret"),
    [
        ("Authorization: Bearer abcdefgh12345678", "abcdefgh12345678"),
        ("password = hunter2secret", "hunter2secret"),
        ("mail to alice@acme.example", "alice"),
        ("/home/alice/game/run", "alice"),
        ("TypeError: alice@acme.example is no function", "alice"),
    ],
)
def test_what_a_scrubber_recognises_in_a_frame_is_in_no_title(frame: str, secret: str) -> None:
    for stack in ((frame,), (frame, "Hud::paint"), ("invoke", frame)):
        assert secret not in Presentation().present(make_group(callstack=stack), None).title()

"""The fingerprint `000…0`, which reports share that Backtrace could not tell apart: one issue for each named stack, none for nameless ones."""

from dataclasses import replace
from typing import Any

import pytest

from syncd.config.sections import Notifications
from tests.scene import Scene
from tests.worker.test_keeping import routed, work_off

ZERO = "0" * 64
STACKS: tuple[dict[str, Any], ...] = (
    {"callstack": ["abort", "Foo.Bar`1[A].Baz", "main"]},
    {"callstack": ["0x7ff6a1b2c3d4 in raise ()", "Foo.Bar`1[A].Baz(Int32 x)", "main()"]},  # the same crash
    {"callstack": ["abort", "Foo.Bar`1[B].Baz", "main"]},
    {"callstack": ["abort", "game.exe+0x12345", "RtlUserThreadStart"]},
    {"callstack": ["<unknown>", "libil2cpp.0x1fe64c"]},
    {"callstack": []},
)


@pytest.mark.parametrize(
    ("mode", "issues", "held"), [("frames", 2, "zero-fingerprint"), ("hold", 0, "zero-fingerprint"), ("file", 1, None)]
)
def test_reports_without_a_fingerprint_of_their_own(scene: Scene, mode: str, issues: int, held: str | None) -> None:
    routed(scene)
    settings = Notifications.model_validate({"zero_fingerprint": mode} if mode != "frames" else {})
    scene.rules = replace(scene.rules, config=scene.rules.config.model_copy(update={"notifications": settings}))
    for stack in STACKS:
        scene.tell(ZERO, **stack)
        work_off(scene)

    assert len(scene.tracker.issues) == issues
    (shared,) = [view for view in scene.store.report.groups() if view.group.identity.fingerprint == ZERO]
    assert shared.group.held_by == held

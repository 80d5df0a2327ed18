"""The rules that every tracker keeps, as tests: for pytest, which `syncd[plugin]` installs.

Subclass `Conformance` with a fixture `world` that gives an empty `World`, and make it green. `ServerBase` is a server on loopback
that loses answers, hangs and answers with garbage when a test orders it to, for the fake of a tracker that speaks HTTP. A rule of
one product (its status codes, its numbers of requests) belongs to that product's own tests.
"""

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in ("creating", "writing", "standing")))

from syncd.plugin.conformance.clock import MovableClock  # noqa: E402 - after it, or failures would show no values
from syncd.plugin.conformance.creating import Creating  # noqa: E402
from syncd.plugin.conformance.notebook import Memory  # noqa: E402
from syncd.plugin.conformance.server import Answer, Denied, Fault, Recorded, Routes, ServerBase  # noqa: E402
from syncd.plugin.conformance.standing import Standing  # noqa: E402
from syncd.plugin.conformance.world import Event, Item, World, whole_survey  # noqa: E402
from syncd.plugin.conformance.writing import Writing  # noqa: E402

__all__ = [
    "Answer",
    "Conformance",
    "Denied",
    "Event",
    "Fault",
    "Item",
    "Memory",
    "MovableClock",
    "Recorded",
    "Routes",
    "ServerBase",
    "World",
    "whole_survey",
]


class Conformance(Creating, Writing, Standing):
    """One test for each rule. The fixture `world` gives an empty world."""

"""A sample of each event, for `syncd notices test`: a crash as it comes, and nothing of the store."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC

from syncd.config import Config
from syncd.core.notices import Event
from syncd.model import Group, GroupKind, Identity, Release, Storm
from syncd.notices import digest
from syncd.notices.compose import of_group
from syncd.render import notices as render
from syncd.render.notices import Notice
from syncd.worker.presentation import Presentation

_HOUR = 3600

Fact = dict[str, str | int | float]


def every(
    presentation: Presentation, config: Config, now: float, wanted: Sequence[Event]
) -> Iterator[tuple[Event, Notice]]:
    """The samples of the wanted events."""
    group, route = crash(int(now)), config.all_routes[0].name if config.all_routes else "sample"
    tracker = next(iter(config.trackers), "sample")
    issue: Fact = {"key": "SAMPLE-1", "url": "https://example.com/SAMPLE-1", "tracker": tracker, "route": route}
    console = config.console.url
    for event in wanted:
        match event:
            case Event.FILED:
                yield event, of_group(presentation, event, group, issue | {"rule": "new"})
            case Event.REGRESSION:
                closed_at = int(now) - 9 * 24 * _HOUR
                regression: Fact = {"release": "2.5.0", "occurrences": 41, "fixed_in": "2.4.0", "closed_at": closed_at}
                yield event, of_group(presentation, event, group, issue | regression | {"answer": "reopen"})
            case Event.PARKED:
                reason = "SAMPLE-1 cannot be read any more: the account may not see it, or it was deleted"
                yield (
                    event,
                    of_group(presentation, event, group, issue | {"reason": reason, "cause": "out of reach"}),
                )
            case Event.STORM:
                yield event, of_group(presentation, event, storm(route, int(now)), issue)
            case Event.REST:
                facts: Fact = {
                    "tracker": tracker,
                    "reason": "it does not accept the token (401)",
                    "since": now - 600,
                    "at": now,
                }
                yield event, render.rest(facts, console)
                yield event, render.rest(facts | {"over": 1}, console)
            case Event.DIGEST:
                yield event, digest.notice(_digest(now), console)


def crash(now: int) -> Group:
    """A crash of a renderer."""
    return Group(
        identity=Identity("acme", "game-client", "7e57" * 16),
        application="game",
        callstack=("abort", "Renderer::draw(Frame const&)", "Game::loop()", "main"),
        classifiers=("segfault",),
        occurrences=11976,
        users=4120,
        hosts=3985,
        first_seen=now - 12 * 24 * _HOUR,
        last_seen=now - 60,
        releases=(
            Release(release="2.4.0", occurrences=6600, first_seen=now - 12 * 24 * _HOUR, last_seen=now - _HOUR),
            Release(release="2.5.0", occurrences=5376, first_seen=now - _HOUR, last_seen=now - 60),
        ),
        attributes=(("version", ("2.4.0", "2.5.0")),),
    )


def storm(route: str, now: int) -> Group:
    """A storm of a route."""
    largest = (
        ("Crash in Renderer::draw (game)", "7e577e577e57", 4120, 11976),
        ("Hang in Audio::mix (game)", "ab12ab12ab12", 310, 402),
    )
    return Group(
        identity=Identity("syncd", route, "storm"),
        kind=GroupKind.STORM,
        storm=Storm(held=310, since=now - 600, largest=largest, cap="100 in 1h", ends_in=3 * _HOUR),
    )


def _digest(now: float) -> dict[str, str | int | float]:
    row = {"title": "Crash in Renderer::draw (game)", "key": "SAMPLE-1", "url": "https://example.com/SAMPLE-1"}
    sections = [
        {"name": "new", "total": 7, "rows": [row | {"detail": "4,120 users · 11,976 occurrences"}]},
        {
            "name": "came_back",
            "total": 1,
            "rows": [row | {"detail": "in 2.5.0 · 12 users · 41 more", "title": "Hang in Audio::mix (game)"}],
        },
        {"name": "growing", "total": 0, "rows": []},
        {"name": "worst", "total": 9, "rows": [row | {"detail": "4,120 users · 11,976 more"}]},
        {"name": "closed", "total": 0, "rows": []},
    ]
    return {
        "day": digest.day(now, UTC),
        "since": now - 24 * _HOUR,
        "now": now,
        "active": 120,
        "sections": json.dumps(sections),
        "needs": json.dumps(["2 dead letters: the tracker refused them for good"]),
    }

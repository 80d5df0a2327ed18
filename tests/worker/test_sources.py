"""A crash of a source from its first notification to its end, through the store, the worker and a tracker."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from syncd.config import Source
from syncd.intake.opening import open_sources
from syncd.model import Condition
from syncd.operate import explain
from syncd.worker.absorb import absorb
from syncd.worker.routing import Routing
from tests.intake.source_bodies import MAKERS, config, section
from tests.scene import Scene

KIND = "alertmanager"


def with_source(scene: Scene, kind: str = KIND, **keys: Any) -> None:
    """Let the scene have one source, named by its kind."""
    sources = {kind: Source.model_validate(section(kind, **keys))}
    config = scene.rules.config.model_copy(update={"sources": sources})
    scene.rules = Routing(config=config, instance_key=scene.rules.instance_key)


def deliver(scene: Scene, body: object, kind: str = KIND) -> None:
    scene.clock.advance(2000)
    parts = open_sources(scene.rules.config)[kind].prepare(json.dumps(body).encode()).parts
    asyncio.run(scene.store.inbox.accept_all(parts, scene.clock.wall(), kind))
    absorb(scene.store, scene.rules, scene.clock.wall())


def report(scene: Scene, number: int = 1, kind: str = KIND, **keys: Any) -> None:
    """One more notification of the crash, and all that is due afterwards."""
    deliver(scene, MAKERS[kind](number=number, **keys), kind)
    while scene.sync():
        pass


def text(scene: Scene) -> str:
    return "".join(map(repr, scene.tracker.comments.values()))


def history(scene: Scene) -> list[str]:
    return [past.reason for past in scene.store.lists.group(1)[1]]  # type: ignore[index]


def is_closed(scene: Scene) -> bool:
    return scene.tracker.conditions.get("K-1", Condition()).closed


def test_an_end_is_shown_and_closes_nothing(scene: Scene) -> None:
    with_source(scene)
    report(scene)
    report(scene, resolved=True)

    assert "Its source reports it as resolved since" in text(scene)
    assert not is_closed(scene)
    (draft,) = scene.tracker.issues
    assert draft.title == "HighErrorRate: 5 % of requests fail"
    assert any('on_resolved = "note"' in reason for reason in history(scene))


def test_an_end_closes_the_issue_where_that_is_asked_for_and_a_person_keeps_it_open(scene: Scene) -> None:
    with_source(scene, on_resolved="close")
    report(scene)
    report(scene, resolved=True)
    assert is_closed(scene)

    scene.tracker.conditions.pop("K-1")  # a person reopens it
    scene.survey()
    report(scene, resolved=True)
    scene.clock.advance(10_000)
    scene.survey()
    while scene.sync():
        pass
    assert not is_closed(scene)
    report(scene, number=2)
    report(scene, number=2, resolved=True)
    assert is_closed(scene)


def test_an_end_that_is_ignored_is_neither_shown_nor_told(scene: Scene) -> None:
    with_source(scene, on_resolved="ignore")
    report(scene)
    report(scene, resolved=True)

    assert "reports it" not in text(scene) + "".join(history(scene))


@pytest.mark.parametrize(("on_resolved", "issues"), [("note", 1), ("close", 0)])
def test_a_crash_that_is_over_before_it_was_filed(on_resolved: str, issues: int, scene: Scene) -> None:
    with_source(scene, on_resolved=on_resolved)
    deliver(scene, MAKERS[KIND]())
    report(scene, resolved=True)
    assert len(scene.tracker.issues) == issues
    report(scene, number=2)
    assert len(scene.tracker.issues) == 1


def test_an_end_without_a_beginning_files_nothing(scene: Scene) -> None:
    with_source(scene)
    report(scene, resolved=True)

    assert scene.tracker.issues == []
    assert scene.rule == "no-occurrence"
    report(scene)
    assert len(scene.tracker.issues) == 1


def test_explain_says_what_the_counts_of_the_source_mean(scene: Scene) -> None:
    with_source(scene, "bugsink")
    report(scene, 7, "bugsink")

    listed, past = scene.store.lists.group(1)  # type: ignore[misc]
    counts = explain.explain(scene.rules.config, scene.store, listed, past, scene.clock.wall()).counts
    assert counts[-1] == 'source bugsink: occurrences are totals, as counts = "cumulative" states'


def test_a_source_that_left_the_configuration_leaves_what_it_counted(scene: Scene) -> None:
    with_source(scene)
    report(scene)
    scene.rules = replace(scene.rules, config=scene.rules.config.model_copy(update={"sources": {}}))
    parts = open_sources(config(KIND))[KIND].prepare(json.dumps(MAKERS[KIND](number=2)).encode()).parts
    asyncio.run(scene.store.inbox.accept_all(parts, scene.clock.wall(), KIND))
    absorb(scene.store, scene.rules, scene.clock.wall())

    (entry,) = scene.store.report.quarantine()
    assert (entry.code, entry.source) == ("unknown_source", KIND)
    (group,) = scene.store.report.groups()
    assert group.group.occurrences == 1
    assert scene.store.lists.group(1) is not None

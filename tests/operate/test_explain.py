"""What explain, the history, the list of groups, the status and the comments of the issue say about one group, side by side."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest

from syncd.cli import explain as command
from syncd.config import Config, LocalSettings, Route, StoreSettings
from syncd.operate import explain
from syncd.operate.status import status
from syncd.render import markdown
from syncd.store import open_store
from syncd.worker.routing import Routing
from tests.clock import MovableClock
from tests.golden import golden
from tests.operate.situations import SITUATIONS
from tests.scene import PROBES, Scene, Tracker


@pytest.fixture
def scene(tmp_path: Path, migrated: Path) -> Iterator[Scene]:
    copyfile(migrated, tmp_path / "syncd.db")
    settings = StoreSettings(url=f"sqlite:{tmp_path}/syncd.db")
    store = open_store(settings)
    config = Config(
        store=settings,
        trackers={"here": LocalSettings(kind="local", folder="unused", probe_after=PROBES)},
        routes=[Route(name="main", tracker="here", status_interval=1.0)],
    )
    clock = MovableClock()
    yield Scene(store, Routing(config=config, instance_key=store.instance_key()), Tracker(wall=clock), settings, clock)
    store.close()


def voices(scene: Scene, fingerprint: str) -> str:
    """All that people are given to read about the group."""
    config, store, now = scene.rules.config, scene.store, scene.clock.wall()
    (listed,) = store.lists.by_fingerprint(fingerprint)
    standing = listed.standing
    explained = list(command.lines(explain.explain(config, store, listed, store.report.history(listed.id), now)))
    shape = status(config, store, now)
    needs = [need["what"] for need in shape["needs"] if need["state"] != "no_daemon"]
    comments = []
    for document in scene.tracker.comments.values():
        text = markdown.write(document, 10_000)
        notes = [line for line in text.split("\n") if "Note:" in line or line.startswith("Seen ")]
        comments += notes if "So far" in text else [text]
    return "\n".join(
        [
            *explained[2:],
            "",
            f"Groups  {standing.decision}: {standing.reason}",
            *(f"Status  {what}" for what in needs),
            *(f"Comment {line}" for text in comments for line in text.split("\n") if line.strip("> ")),
        ]
    )


@pytest.mark.parametrize("name", SITUATIONS)
def test_all_voices_agree(scene: Scene, name: str) -> None:
    SITUATIONS[name](scene)
    fingerprint = {"all zeros": "0" * 64, "a storm": "storm", "a storm is over": "storm"}.get(name, "f1")
    golden("explain", name, voices(scene, fingerprint))

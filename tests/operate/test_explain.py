"""What explain, the history, the list of groups, the console, the status and the comments of the issue say about one group, side by side."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from shutil import copyfile

import pytest

from syncd.cli import explain as command
from syncd.config import Config, LocalSettings, Route, StoreSettings
from syncd.console import groups
from syncd.console.page import PageRequest
from syncd.operate import explain
from syncd.operate.explain import Explanation
from syncd.operate.status import status
from syncd.render import markdown
from syncd.store import open_store
from syncd.worker.routing import Routing
from tests.clock import MovableClock
from tests.golden import FOLDER, golden, read
from tests.operate.situations import SITUATIONS
from tests.scene import PROBES, Scene, Tracker

# What no sentence for people contains: a value that is not known, a wrong plural, an unfinished text.
NOUN = "(?:new |live )?(?:group|occurrence|user|machine|frame|call|probe|issue|time|thing)"
UNFIT = re.compile(rf"None|not known|\b1 {NOUN}s\b|\b1 {NOUN} (?:are|have|wait|go|came)\b|[{{}}]|;;|: ;|\.\.|\(\)")


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
    yield Scene(
        store.acting("cli:alice"),
        Routing(config=config, instance_key=store.instance_key()),
        Tracker(wall=clock),
        settings,
        clock,
    )
    store.close()


def explained(scene: Scene, fingerprint: str) -> Explanation:
    (listed,) = scene.store.lists.by_fingerprint(fingerprint)
    history = scene.store.report.history(listed.id)
    return explain.explain(scene.rules.config, scene.store, listed, history, scene.clock.wall())


def comments(scene: Scene) -> list[str]:
    """The lines of the issue's comments, without the tables of the status comment."""
    lines = []
    for document in scene.tracker.comments.values():
        text = markdown.write(document, 10_000).split("\n")
        if any(line.startswith("syncd keeps these numbers") for line in text):
            text = [line for line in text if "Note:" in line or line.startswith("Seen ")]
        lines += [line for line in text if line.strip("> ")]
    return lines


@pytest.mark.parametrize("name", SITUATIONS)
@pytest.mark.slow
def test_all_voices_agree(scene: Scene, name: str) -> None:
    SITUATIONS[name].bring_about(scene)
    fingerprint = {"all zeros": "0" * 64, "a storm": "storm", "a storm is over": "storm"}.get(name, "f1")
    config, store, now = scene.rules.config, scene.store, scene.clock.wall()
    explanation = explained(scene, fingerprint)
    needs = {
        need["state"]: need["what"] for need in status(config, store, now)["needs"] if need["state"] != "no_daemon"
    }

    # The status names what keeps the group, the console says what the command does, and the note in the tracker is the plan's.
    rules = tuple(step.rule for step in explanation.steps)
    assert rules == SITUATIONS[name].rules
    for step in explanation.steps:
        if step.rule.startswith("tracker-"):
            assert step.reason == needs[step.rule.replace("-", "_")]
    assert "dead-letter" in rules or "dead_letters" not in needs
    assert rules[0] != "dead-letter" or "dead_letters" in needs
    assert ("parked" in rules) == ("parked" in needs)
    identity = asdict(store.lists.by_fingerprint(fingerprint)[0].standing.group.identity)
    page = groups.group(PageRequest(config, store, now, path=identity)).shape
    assert [page["now"]["reason"], *(step["reason"] for step in page["then"])] == [
        step.reason for step in explanation.steps
    ]
    notes = [line.partition("Note: ")[2].strip("`") for line in comments(scene) if "Note:" in line]
    for note in notes:
        assert note in explanation.steps[-1].reason

    standing = explanation.standing
    voices = "\n".join(
        [
            *list(command.lines(explanation))[2:],
            "",
            f"Groups  {standing.decision}: {standing.reason}",
            *(f"Status  {what}" for what in needs.values()),
            *(f"Comment {line}" for line in comments(scene)),
        ]
    )
    assert [line for line in voices.split("\n") if UNFIT.search(line.strip())] == []
    golden("explain", name, voices)


def test_every_way_out_is_a_command_with_its_options() -> None:
    helps = read(FOLDER / "help.txt")
    for text in explain.WAYS_OUT.values():
        for command_line in re.findall(r"`syncd ([^`]*)`", text):
            parts = command_line.split()
            path = next(name for name in (" ".join(parts[:2]), parts[0]) if name in helps)
            for option in re.findall(r"--[\w-]+", text if command_line.startswith("dead") else command_line):
                assert option in helps[path], (path, option)

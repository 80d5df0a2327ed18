"""`releases`, `explain`, `alias`, `pause --route` and `check` on a store that the daemon's stages have filled."""

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from syncd import config as configuration
from syncd.cli import app
from syncd.store import open_store
from syncd.trackers import open_tracker
from syncd.worker.absorb import absorb
from syncd.worker.presentation import Presentation
from syncd.worker.routing import Routing
from syncd.worker.sync import sync
from tests.clock import MovableClock
from tests.store.filled import accept, crash_notification

HEX = ["0x7ff6a1b2c3d4"]
CONFIG = """
[store]
url = "sqlite:{folder}/syncd.db"
[trackers.here]
kind = "local"
folder = "{folder}/issues"
[[routes]]
name = "web"
match = {{ project = "web-*" }}
tracker = "here"
[[routes]]
name = "game"
match = {{ project = "game" }}
tracker = "here"
status_interval = "1s"
hold_unsymbolicated = true
"""


class Room:
    """A store beside a configuration, filled by the daemon's two stages, and the commands on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "config.toml"
        self.clock = MovableClock(time.time() - 3500)
        self.path.write_text(CONFIG.format(folder=folder))
        self.config = configuration.load(self.path)

    def fill(self, *notifications: dict[str, object]) -> None:
        store = open_store(self.config.store)
        rules = Routing(
            config=self.config, instance_key=store.instance_key(), presentation=Presentation.from_config(self.config)
        )
        tracker = open_tracker(
            "here", self.config.trackers["here"], store.notebook("here"), clock=self.clock, sleep=time.sleep
        )
        for notification in notifications:
            now = self.clock.advance(1000)
            accept(store, notification, at=now)
            absorb(store, rules, now)
            number = 0
            while claim := store.outbox.claim("here", f"room/{number}", now):
                sync(store, tracker, claim, rules, self.clock)
                number += 1
        store.close()

    def syncd(self, *arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, [*arguments, "--config", str(self.path)])
        # Without a daemon `status` is never well.
        assert result.exit_code == (3 if arguments[0] == "status" else code), result.output
        return result.output


def crash(frame: str, releases: dict[str, int], **more: object) -> dict[str, object]:
    return crash_notification(
        f"fingerprint-{frame}",
        callstack=[frame, "main"],
        occurrences=sum(releases.values()),
        timestamp=[1000, int(time.time()) + 30],
        attributes={"version": [[release, count] for release, count in releases.items()]},
        **more,
    )


@pytest.fixture
def room(tmp_path: Path) -> Room:
    room = Room(tmp_path)
    room.fill(
        crash("draw", {"1.0": 5}),
        crash("load", {"1.0": 2, "1.1": 3}),
        crash_notification("hex", callstack=HEX, attributes={}),
    )
    return room


def test_releases_lists_new_remaining_and_gone_crashes(room: Room) -> None:
    room.fill(crash("fresh", {"1.1": 7}))

    printed = room.syncd("releases", "game")
    assert "New in 1.1: 1" in printed
    assert "Still seen in 1.1: 1" in printed
    assert "Gone since 1.0: 1" in printed
    shape = json.loads(room.syncd("releases", "game", "1.1", "--json"))
    assert [entry["fingerprint"] for entry in shape["new"]] == ["fingerprint-fresh"]
    assert shape["new"][0]["issue"]["key"].startswith("crash-in-fresh")
    assert (shape["release"], shape["before"]) == ("1.1", "1.0")


def test_releases_says_when_it_is_too_early_to_say_what_is_gone(room: Room) -> None:
    now = int(time.time())
    room.fill(crash("fresh", {"2.0": 7}) | {"timestamp": [now - 600, now - 60]})

    assert "Gone since 1.1: too early to say" in room.syncd("releases", "game", "2.0")
    shape = json.loads(room.syncd("releases", "game", "2.0", "--json"))
    assert (shape["too_early"], shape["gone"]) == (True, [])


def test_releases_prints_markdown_for_release_notes(room: Room) -> None:
    printed = room.syncd("releases", "game", "1.1", "--markdown")

    assert printed.startswith(
        "## Crashes of `game` in `1.1`\n\n### Still seen in `1.1`\n\n- `Crash in load (game)` ([crash-in-load-game-"
    )
    assert ": 3 occurrences, 2 users" in printed


def test_an_unknown_project_or_release_is_exit_code_4(room: Room) -> None:
    room.syncd("releases", "gmae", code=4)
    room.syncd("releases", "game", "7.7", code=4)


def test_explain_has_the_history_and_the_plan(room: Room) -> None:
    (path,) = room.folder.glob("issues/crash-in-draw*.md")
    path.write_text(path.read_text().replace("- Status: open", "- Status: closed\n- Fixed in: 1.2"))
    room.fill(crash("draw", {"1.0": 17}))

    printed = room.syncd("explain", "fingerprint-draw")
    assert "route web does not take it: its project fits none of web-*" in printed
    assert "route game takes it, for tracker here" in printed
    assert "create: the group has no issue, and route game matches it" in printed
    assert "was fixed in 1.2; 12 new occurrences in 1.0, older than that (rule: fixed-in)" in " ".join(printed.split())
    explanation = json.loads(room.syncd("explain", "fingerprint-draw", "--json"))
    assert explanation["now"]["rule"] == "fixed-in"
    assert explanation["history"][0]["inputs"]["fixed_in"] == "1.2"


def test_explain_has_the_reason_of_a_hold(room: Room) -> None:
    printed = room.syncd("explain", "hex")

    assert "hold: its stack of 1 frame has addresses or modules instead of names" in printed
    assert "(rule: unsymbolicated)" in printed
    assert "its stack of 1 frame" in room.syncd("groups", "--held")
    status = json.loads(room.syncd("status", "--json"))
    assert status["held_by"] == [{"rule": "unsymbolicated", "route": "game", "groups": 1}]


def test_show_has_releases_shares_and_growth(room: Room) -> None:
    room.fill(crash("load", {"1.0": 2, "1.1": 9}))

    printed = room.syncd("show", "fingerprint-load")
    assert "82%" in printed
    assert "growth" in printed
    ledger = [line[:3] for line in printed.splitlines() if line.startswith(("1.0 ", "1.1 "))]
    assert ledger == ["1.1", "1.0"]


def test_an_alias_joins_two_groups_until_it_is_removed(room: Room) -> None:
    dry = room.syncd("alias", "add", "fingerprint-load", "fingerprint-draw", "--dry-run")
    assert "would follow" in dry
    assert "No alias" in room.syncd("alias", "list")

    printed = room.syncd("alias", "add", "fingerprint-load", "fingerprint-draw", "--reason", "the same bug")
    assert "crash-in-load" in printed
    assert "the same bug" in room.syncd("alias", "list")
    group = json.loads(room.syncd("show", "fingerprint-draw", "--json"))
    assert (group["occurrences"], group["aliases"]) == (10, ["fingerprint-load"])
    assert "an alias of fingerprint-draw" in room.syncd("explain", "fingerprint-load")

    assert room.syncd("alias", "remove", "fingerprint-load")
    assert "No alias" in room.syncd("alias", "list")
    room.syncd("alias", "remove", "fingerprint-load", code=4)
    room.syncd("alias", "add", "fingerprint-draw", "fingerprint-draw", code=2)
    room.syncd("alias", "add", "fingerprint-", "fingerprint-draw", code=2)
    room.syncd("alias", "add", "nothing", "fingerprint-draw", code=4)


def test_a_route_is_paused_and_resumed(room: Room) -> None:
    assert "would be paused" in room.syncd("pause", "--route", "game", "--dry-run")
    assert "route game is paused: a release day" in room.syncd("pause", "--route", "game", "--reason", "a release day")
    room.fill(crash("fresh", {"1.1": 7}))
    assert "route game is paused: a release day" in room.syncd("explain", "fingerprint-fresh")
    assert json.loads(room.syncd("status", "--json"))["paused_routes"][0]["route"] == "game"
    assert "a release day" in room.syncd("status")

    assert "→ resumed" in room.syncd("resume", "--route", "game")
    assert "was not paused" in room.syncd("resume", "--route", "game")
    room.fill(crash("fresh", {"1.1": 8}))
    assert "crash-in-fresh" in room.syncd("show", "fingerprint-fresh")
    room.syncd("pause", "--route", "nothing", code=4)
    room.syncd("pause", code=2)
    room.syncd("pause", "here", "--route", "game", code=2)


def test_check_reports_routes_that_never_match_and_templates_that_fail(room: Room) -> None:
    folder = room.folder / "templates"
    folder.mkdir()
    (folder / "body.j2").write_text("{{ nothing }}")
    more = f'[[routes]]\nname = "never"\nmatch = {{ project = "game", application = "x" }}\ntracker = "here"\ntemplates = "{folder}"\n'
    room.path.write_text(room.path.read_text() + more)

    printed = room.syncd("check", code=1)
    output = " ".join(printed.split())
    assert "never can never match: the route game before it matches every group that it matches" in output
    assert "'nothing' is undefined" in output

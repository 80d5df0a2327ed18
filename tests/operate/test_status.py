"""The state of the whole system as it is read from a store, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.config import Config, GitHubSettings, Secret
from syncd.operate import explain
from syncd.operate.status import status
from syncd.store.instances import CRASHES_SECONDS, Registration
from syncd.store.issues import Intent
from tests.scene import Scene
from tests.store import steps
from tests.store.filled import accept, crash_notification


@pytest.fixture
def daemon(scene: Scene) -> Iterator[Registration]:
    """A process that is registered; it beats when a test says so."""
    registration = scene.store.join("all", scene.clock.wall())
    yield registration
    registration.close()


def shape(scene: Scene) -> dict[str, Any]:
    return status(scene.rules.config, scene.store, scene.clock.wall())


def states(scene: Scene) -> list[str]:
    return [need["state"] for need in shape(scene)["needs"]]


def test_the_console_of_a_store_is_missing_if_no_living_process_serves_it(scene: Scene, daemon: Registration) -> None:
    assert "no_console" not in states(scene), "it is off"
    daemon.note_console("it is in use")
    assert "no_console" in states(scene)
    second = scene.store.join("all", scene.clock.wall())
    second.note_console("")
    assert "no_console" not in states(scene)
    second.close()
    assert "no_console" in states(scene)
    daemon.close()
    assert states(scene) == ["no_daemon"]


def pass_time(scene: Scene, daemon: Registration, seconds: float, folds: float = 0.0) -> None:
    """Time passes, and the daemon has just sent a heartbeat."""
    scene.clock.advance(seconds)
    daemon.beat(scene.clock.wall(), folds)


@pytest.mark.parametrize(
    ("days", "what"),
    [(0, "expires in"), (1, "expires in"), (29, "expires in"), (31, None), (-1, "has expired"), (-400, "has expired")],
)
def test_a_token_is_good_until_the_end_of_its_last_day(
    scene: Scene, daemon: Registration, days: int, what: str | None
) -> None:
    today = datetime.fromtimestamp(scene.clock.wall(), UTC).date()
    token = Secret(env="TOKEN")
    settings = GitHubSettings(
        kind="github", repository="acme/game", token=token, token_expires=today + timedelta(days=days)
    )
    config = scene.rules.config.model_copy(update={"trackers": {"here": settings}})
    needs = [
        need for need in status(config, scene.store, scene.clock.wall())["needs"] if need["state"] != "no_receiver"
    ]

    assert [need["state"] for need in needs] == ([] if what is None else ["token_expires"])
    for need in needs:
        assert f"trackers.here.token {what}" in need["what"]
        assert f"({today + timedelta(days=days)})" in need["what"]


def test_a_create_on_its_way_is_being_filed_until_its_sender_is_dead(scene: Scene) -> None:
    daemon = scene.store.join("all", scene.clock.wall())
    scene.tell()
    claim = scene.store.outbox.claim("here", f"{daemon.owner}/here-0", scene.clock.wall())
    assert claim is not None
    steps.intend(scene.store, claim, Intent(marker="m", revision=1), scene.clock.wall())

    issues = shape(scene)["issues"]
    assert (issues["being_filed"], issues["in_doubt"], states(scene)) == (1, 0, [])
    daemon.close(stopped=False)
    issues = shape(scene)["issues"]
    assert (issues["being_filed"], issues["in_doubt"], states(scene)) == (0, 1, ["no_daemon", "in_doubt"])


def test_a_backlog_has_an_age_a_rate_and_an_estimate(scene: Scene, daemon: Registration) -> None:
    accept(scene.store, *(crash_notification(f"f{number}") for number in range(50)), at=scene.clock.wall())
    pass_time(scene, daemon, 120, folds=2.5)

    inbox = shape(scene)["inbox"]
    assert inbox == {"waiting": 50, "oldest_at": scene.clock.wall() - 120, "rate": 2.5, "seconds_left": 20.0}
    assert states(scene) == []
    pass_time(scene, daemon, 200)
    assert states(scene) == ["inbox_stuck"]
    assert shape(scene)["inbox"]["seconds_left"] is None


def test_what_is_filed_gives_the_rate_of_the_outbox(scene: Scene, daemon: Registration) -> None:
    for number in range(6):
        scene.tell(f"f{number}")
    pass_time(scene, daemon, 50)
    for _ in range(3):
        scene.sync()

    outbox = shape(scene)["outbox"]
    assert outbox["due"] == 3
    assert outbox["rate"] == pytest.approx(3 / 60, rel=0.2)
    assert outbox["seconds_left"] == pytest.approx(outbox["due"] / outbox["rate"])


def test_a_tracker_that_is_never_called_is_an_alarm_unless_somebody_wants_it(
    scene: Scene, daemon: Registration
) -> None:
    scene.tell()
    pass_time(scene, daemon, 1790)
    assert states(scene) == []
    pass_time(scene, daemon, 20)
    assert states(scene) == ["outbox_stuck"]

    scene.store.limits.pause_by_hand("here", "moving", scene.clock.wall())
    assert states(scene) == ["tracker_paused"]
    without = status(Config(store=scene.settings), scene.store, scene.clock.wall())
    assert [need["state"] for need in without["needs"]] == ["tracker_missing"]


def test_an_explanation_says_why_the_tracker_takes_no_call(scene: Scene) -> None:
    scene.tell()

    def rules(config: Config) -> list[str]:
        (listed,) = scene.store.lists.by_fingerprint("f1")
        explanation = explain.explain(config, scene.store, listed, [], scene.clock.wall())
        assert bool(explanation.way_out) == (explanation.steps[0].rule != "new")
        return [step.rule for step in explanation.steps]

    assert rules(scene.rules.config) == ["new"]

    scene.store.limits.pause_by_hand("here", "moving", scene.clock.wall())
    assert rules(scene.rules.config) == ["tracker-paused", "new"]
    assert rules(Config(store=scene.settings)) == ["unrouted"]


def test_starts_that_nobody_stopped_are_a_crash_loop_for_ten_minutes(scene: Scene) -> None:
    for _ in range(3):
        scene.store.join("all", scene.clock.wall()).close(stopped=False)
    for _ in range(3):
        scene.store.join("all", scene.clock.wall()).close()
    assert states(scene) == ["no_daemon", "crash_loop"]
    assert shape(scene)["crashes"] == 3

    daemon = scene.store.join("all", scene.clock.wall())
    assert states(scene) == ["crash_loop"]
    pass_time(scene, daemon, CRASHES_SECONDS + 1)
    assert states(scene) == []
    daemon.close()


def test_a_process_that_lives_and_sends_no_heartbeat_is_silent(scene: Scene, daemon: Registration) -> None:
    scene.clock.advance(31)
    assert states(scene) == ["silent"]
    daemon.beat(scene.clock.wall())
    assert states(scene) == []


def test_the_part_that_no_process_has_is_missing(scene: Scene) -> None:
    receiver = scene.store.join("receiver", scene.clock.wall())
    assert states(scene) == ["no_worker"]
    worker = scene.store.join("worker", scene.clock.wall())
    assert states(scene) == []
    receiver.close()
    assert states(scene) == ["no_receiver"]
    worker.close()


def test_notifications_without_a_release_are_reported_with_what_they_carry(scene: Scene) -> None:
    assert shape(scene)["unreleased"] is None  # there is no group
    scene.tell("f1", attributes={"game.build": [["2.4.0", 1]], "uname.sysname": [["Linux", 1]]})
    scene.tell("f2", attributes={"uname.sysname": [["Linux", 1]]})
    assert (
        shape(scene)["unreleased"]
        == "no notification of 2 new groups names a release (release_attributes); they carry uname.sysname, game.build"
    )

    scene.tell("f3", attributes={"version": [["2.4.0", 1]]})
    assert shape(scene)["unreleased"] is None
    for number in range(20):
        scene.tell(f"other{number}", attributes={f"a{number}": [["x", 1]]})
    assert shape(scene)["unreleased"].endswith(
        "they carry a0, a1, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19 and 8 more"
    )
    scene.tell("f1", attributes={"version": [["2.4.1", 1]]})
    assert shape(scene)["unreleased"] is not None  # only the newest groups count

"""Adopting beside whatever the store has, on both databases, and with trackers that ask for patience."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from syncd.config import Config, GitHubSettings, LocalSettings, Route, Secret, TrackerSettings
from syncd.core.adoption import Entry
from syncd.errors import OutcomeUnknown
from syncd.model import Condition
from syncd.operate import actions
from syncd.operate.adopt import Adopter, Interrupted
from syncd.operate.candidates import Outcome, Row, from_file, from_texts
from syncd.store import adoptions
from syncd.trackers import is_wanted
from tests.fakes.github import PERSON, TOKEN, FakeGitHub
from tests.fakes.server import Fault
from tests.scene import Scene
from tests.worker.test_aliases import ids, key
from tests.worker.test_keeping import routed, seen_again, work_off

A, B = "a" * 64, "b" * 64


@dataclass
class Desk:
    """A scene whose tracker has files that people wrote, and the times that an adopter waited."""

    scene: Scene
    config: Config
    folder: Path
    waits: list[float] = field(default_factory=list)

    def file(self, name: str, text: str = "") -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / f"{name}.md").write_text(f"# {name}\n\n{text}\n")

    def adopter(self) -> Adopter:
        return Adopter(self.config, self.scene.store, lambda *_: None, clock=self.scene.clock, sleep=self.waits.append)

    def adopt(self, *pairs: tuple[str, str], tracker: str = "here", project: str = "") -> list[Row]:
        """The rows of a file with these fingerprints and issues."""
        lines = [
            Entry(line=number, fingerprint=fingerprint, issue=issue, project=project)
            for number, (fingerprint, issue) in enumerate(pairs, start=2)
        ]
        candidates, rows = from_file(self.config, lines, tracker)
        with self.adopter() as adopter:
            return [*rows, *adopter.adopt(candidates)]

    def outcomes(self, *pairs: tuple[str, str], project: str = "") -> list[Outcome]:
        return [row.outcome for row in self.adopt(*pairs, project=project)]


@pytest.fixture
def desk(scene: Scene, tmp_path: Path) -> Desk:
    routed(scene)
    folder = tmp_path / "issues"
    trackers: dict[str, TrackerSettings] = {"here": LocalSettings(kind="local", folder=str(folder))}
    return Desk(scene, Config(store=scene.settings, trackers=trackers, routes=[Route(tracker="here")]), folder)


def test_a_second_run_changes_nothing_before_and_after_the_crash_is_met(desk: Desk) -> None:
    desk.file("one")
    desk.file("two")
    assert desk.outcomes((A, "one"), (B, "two")) == [Outcome.WAITS, Outcome.WAITS]
    before = desk.scene.store.read(adoptions.every)
    assert desk.outcomes((A, "one"), (B, "two")) == [Outcome.BEFORE, Outcome.BEFORE]
    assert desk.scene.store.read(adoptions.every) == before
    seen_again(desk.scene, {"1.0": 5}, A)
    assert desk.outcomes((A.upper(), "one.md"), (B, "two")) == [Outcome.BEFORE, Outcome.BEFORE]
    assert [entry.place.key for entry in desk.scene.store.read(adoptions.every)] == ["two"]


def test_a_group_without_an_issue_is_linked_and_owes_nothing_until_its_numbers_change(desk: Desk) -> None:
    routed(desk.scene, min_occurrences=100)
    seen_again(desk.scene, {"1.0": 5}, A)
    work_off(desk.scene)
    desk.file("one")
    assert desk.outcomes((A, "one")) == [Outcome.LINKED]
    work_off(desk.scene)
    (view,) = desk.scene.store.report.groups()
    assert view.issue is not None
    assert (view.issue.key, view.rule) == ("one", "adopted")
    assert not desk.scene.tracker.comments
    desk.scene.tracker.conditions["one"] = Condition(labels=("seen-by-a-person",))
    desk.scene.clock.advance(100_000)
    desk.scene.survey()
    work_off(desk.scene)
    assert "look" in desk.scene.tracker.calls
    assert not desk.scene.tracker.comments


def test_a_group_that_a_storm_holds_is_linked_and_leaves_the_storm(desk: Desk) -> None:
    routed(desk.scene, max_new_issues=["1/1h"])
    for fingerprint in (A, B):
        seen_again(desk.scene, {"1.0": 5}, fingerprint)
        work_off(desk.scene)
    desk.file("one")
    held = next(view for view in desk.scene.store.report.groups() if view.rule == "storm" and view.issue is None)
    assert desk.outcomes((held.group.identity.fingerprint, "one")) == [Outcome.LINKED]
    work_off(desk.scene)
    assert held.group.identity.fingerprint not in {
        view.group.identity.fingerprint for view in desk.scene.store.report.groups() if view.rule == "storm"
    }


def test_a_group_with_an_issue_an_alias_or_a_create_in_doubt_gets_none(desk: Desk) -> None:
    for fingerprint in ("f1", "f2"):
        seen_again(desk.scene, {"1.0": 5}, fingerprint)
        work_off(desk.scene)
    numbers = ids(desk.scene)
    actions.add_alias(desk.scene.store, desk.scene.rules, numbers["f2"], numbers["f1"], "", desk.scene.clock.wall())
    work_off(desk.scene)
    seen_again(desk.scene, {"1.0": 5}, "f3")
    desk.scene.fail("create", OutcomeUnknown("no answer"))
    desk.scene.sync()
    for name in ("one", "two", "three"):
        desk.file(name)

    rows = desk.adopt(("f1", "one"), ("f2", "two"), ("f3", "three"))
    assert [row.outcome for row in rows] == [Outcome.LEFT] * 3
    assert [row.reason for row in rows] == [
        "its crash has K-1 already; `syncd relink` links another one",
        "its crash is an alias of f1, whose issue shows its occurrences",
        "a create for its crash has no answer yet; run this again when syncd knows the outcome",
    ]
    assert (key(desk.scene, "f1"), desk.scene.store.read(adoptions.every)) == ("K-1", [])


def test_the_project_tells_groups_with_one_fingerprint_apart(desk: Desk) -> None:
    routed(desk.scene, min_occurrences=100)
    for project in ("game", "web"):
        desk.scene.tell(A, project=project)
    desk.file("one")
    assert [row.reason for row in desk.adopt((A, "one"))] == [
        "2 groups have its fingerprint; name the project in a file"
    ]
    assert desk.outcomes((A, "one"), project="WEB") == [Outcome.LINKED]
    linked = [view.group.identity.project for view in desk.scene.store.report.groups() if view.issue is not None]
    assert linked == ["web"]


def test_an_issue_that_was_named_twice_counts_once(desk: Desk) -> None:
    desk.file("one")
    assert desk.outcomes((A, "one"), (A, "one.md")) == [Outcome.WAITS, Outcome.BEFORE]


@pytest.fixture
def github(desk: Desk, tmp_path: Path) -> Iterator[FakeGitHub]:
    """A second tracker `there`."""
    (tmp_path / "token").write_text(TOKEN)
    with FakeGitHub() as fake:
        settings = GitHubSettings(
            kind="github", repository="acme/game", token=Secret(file=str(tmp_path / "token")), api_url=fake.url
        )
        desk.config = desk.config.model_copy(update={"trackers": {**desk.config.trackers, "there": settings}})
        yield fake


def test_an_issue_of_another_tracker_with_the_same_key_is_another_one(desk: Desk, tmp_path: Path) -> None:
    elsewhere = LocalSettings(kind="local", folder=str(tmp_path / "more"))
    desk.config = desk.config.model_copy(update={"trackers": {**desk.config.trackers, "more": elsewhere}})
    desk.file("one")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "one.md").write_text("# one\n")
    assert desk.outcomes((A, "one")) == [Outcome.WAITS]

    assert [row.outcome for row in desk.adopt((A, "one"), tracker="more")] == [Outcome.LEFT]
    assert [row.outcome for row in desk.adopt((B, "one"), tracker="more")] == [Outcome.WAITS]


def test_a_limit_is_waited_for_and_the_run_goes_on(desk: Desk, github: FakeGitHub) -> None:
    github.file(github.repository, "It crashes", "", PERSON, [])
    github.inject(Fault(how="status", method="GET", path="/issues/1$", status=429, headers={"Retry-After": "17"}))

    assert [row.outcome for row in desk.adopt((A, "#1"), tracker="there")] == [Outcome.WAITS]
    assert desk.waits == [17.0]


def test_a_long_limit_interrupts_and_keeps_what_was_adopted(desk: Desk, github: FakeGitHub) -> None:
    for _ in range(2):
        github.file(github.repository, "It crashes", "", PERSON, [])
    desk.file("one")
    github.inject(Fault(how="status", method="GET", path="/issues/2$", status=429, headers={"Retry-After": "3000"}))
    rows, candidates = [], from_file(desk.config, [Entry(2, A, "#1"), Entry(3, B, "#2")], "there")[0]
    candidates += from_file(desk.config, [Entry(4, "c" * 64, "one")], "here")[0]

    def run() -> None:
        with desk.adopter() as adopter:
            for row in adopter.adopt(candidates):
                rows.append(row.outcome)

    with pytest.raises(Interrupted) as error:
        run()
    assert error.value.later
    assert rows == [Outcome.WAITS, Outcome.LEFT, Outcome.WAITS]
    assert len(desk.scene.store.read(adoptions.every)) == 2
    rows.clear()
    run()
    assert rows == [Outcome.BEFORE, Outcome.WAITS, Outcome.BEFORE]


def test_a_login_that_is_refused_is_not_waited_for(desk: Desk, github: FakeGitHub) -> None:
    github.accounts.clear()

    with pytest.raises(Interrupted) as error:
        desk.adopt((A, "#1"), tracker="there")
    assert not error.value.later
    assert not desk.waits


def test_a_filtered_list_that_lags_hides_no_issue(desk: Desk, github: FakeGitHub) -> None:
    github.filtered_lag_seconds = 3600.0
    issue = github.file(github.repository, "It crashes", f"fingerprint={A}", PERSON, ["Backtrace"])
    with desk.adopter() as adopter:
        texts = adopter.search("there", "backtrace", None)

    assert [text.observation.place.remote_id for text in texts] == [str(issue.number)]
    assert all(is_wanted(text, "BACKTRACE", "CRASHES") for text in texts)
    candidates, rows, nameless = from_texts("there", texts, narrowed=True)
    assert ([candidate.fingerprint for candidate in candidates], rows, nameless) == ([A], [], 0)

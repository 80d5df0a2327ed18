"""Adopted issues: linked when their crash is first met, with a baseline that old clients cannot break and a real regression can."""

import pytest

from syncd.model import Condition, Identity, Issue, IssueState, Place
from syncd.operate import actions
from syncd.store import adoptions, strays
from syncd.store.adoptions import Adoption
from syncd.worker import adoptions as linking
from tests.scene import Scene, made
from tests.worker.test_aliases import ids, issue, key
from tests.worker.test_keeping import comments, routed, seen_again, work_off

DAY = 86400.0
PLACE = Place(remote_id="70", key="K-70", url="https://example.com/70")


def adopt(
    scene: Scene,
    fingerprint: str = "f1",
    place: Place = PLACE,
    *,
    universe: str = "",
    project: str = "",
    doubles: tuple[tuple[str, str], ...] = (),
) -> None:
    """An issue waits for the group."""
    entry = Adoption(
        fingerprint_key=fingerprint, tracker="here", place=place, universe=universe, project=project, doubles=doubles
    )
    scene.store.write(lambda transaction: adoptions.add(transaction, entry, scene.clock.wall()))


def waiting(scene: Scene) -> list[str]:
    return [entry.place.key for entry in scene.store.read(adoptions.every)]


def live(scene: Scene) -> Issue:
    current = issue(scene, "f1")
    assert current is not None
    return current


def closed(scene: Scene, at: float, *fixed_in: str, key: str = "K-70") -> None:
    """A person closed the issue at a time, for a release with the fix."""
    scene.tracker.conditions[key] = Condition(closed=True, resolution="completed", closed_at=at, fixed_in=fixed_in)


@pytest.fixture
def start(scene: Scene) -> Scene:
    routed(scene)
    return scene


def test_the_first_notification_updates_the_adopted_issue_and_files_none(start: Scene) -> None:
    adopt(start)
    seen_again(start, {"1.0": 5})
    assert start.rule == "adopted"
    work_off(start)

    assert key(start, "f1") == "K-70"
    assert not start.tracker.issues
    assert ["Seen 5 times" in text for text in comments(start)] == [True]
    assert not waiting(start)
    assert live(start).state is IssueState.LINKED
    (listed,) = start.store.lists.by_fingerprint("f1")
    assert start.store.report.history(listed.id)[-1].reason.startswith("K-70 existed before")


def test_only_the_status_comment_is_written_to_an_adopted_issue(start: Scene) -> None:
    routed(start, set=[{"priority": "High", "when": {"min_occurrences": 1}}])
    adopt(start)
    for count in (5, 500, 5000):
        seen_again(start, {"1.0": count})
        work_off(start)

    assert start.tracker.refreshed == 0
    assert not start.tracker.raised
    writes = {call for call in start.tracker.calls if call not in ("look", "find_comment", "read_settings")}
    assert writes == {"comment", "edit_comment"}


def test_an_issue_of_a_group_that_has_numbers_shows_them_when_they_change(start: Scene) -> None:
    routed(start, min_occurrences=100)
    seen_again(start, {"1.0": 5})
    work_off(start)

    def link(transaction: object) -> None:
        (group_id,) = ids(start).values()
        group = next(view.group for view in start.store.report.groups())
        entry = Adoption(fingerprint_key="f1", tracker="here", place=PLACE)
        linking.link(transaction, "00" * 32, group_id, group, entry, start.clock.wall(), group.revision)  # type: ignore[arg-type]

    start.store.write(link)
    work_off(start)
    assert not start.tracker.comments
    seen_again(start, {"1.0": 6})
    work_off(start)
    assert ["Seen 6 times" in text for text in comments(start)] == [True]
    assert not start.tracker.issues


@pytest.mark.parametrize(
    "route", [{"min_occurrences": 100}, {"min_users": 50}, {"max_new_issues": ["1/1h"], "gather": "1h"}]
)
def test_thresholds_and_limits_are_for_issues_that_syncd_files(start: Scene, route: dict[str, object]) -> None:
    routed(start, **route)
    for number in range(4):
        adopt(start, f"f{number}", Place(remote_id=f"7{number}", key=f"K-7{number}", url=""))
        seen_again(start, {"1.0": 1}, f"f{number}")
    work_off(start)

    assert [key(start, f"f{number}") for number in range(4)] == ["K-70", "K-71", "K-72", "K-73"]
    assert len(start.tracker.comments) == 4


@pytest.mark.parametrize(
    ("names", "fits"),
    [
        ({}, True),
        ({"project": "GAME"}, True),
        ({"universe": "acme", "project": "game"}, True),
        ({"project": "web"}, False),
        ({"universe": "other"}, False),
    ],
)
def test_an_issue_waits_for_the_group_that_it_names(start: Scene, names: dict[str, str], fits: bool) -> None:
    adopt(start, universe=names.get("universe", ""), project=names.get("project", ""))
    seen_again(start, {"1.0": 5})
    work_off(start)

    assert (key(start, "f1"), waiting(start)) == (("K-70", []) if fits else ("K-1", ["K-70"]))


def test_the_issue_that_names_the_project_comes_before_that_of_any(start: Scene) -> None:
    adopt(start)
    adopt(start, place=Place(remote_id="71", key="K-71", url=""), project="game")
    seen_again(start, {"1.0": 5})
    work_off(start)

    assert (key(start, "f1"), waiting(start)) == ("K-71", ["K-70"])


def test_an_issue_that_a_person_links_waits_no_more(start: Scene) -> None:
    adopt(start, "f2")
    seen_again(start, {"1.0": 5})
    work_off(start)
    (number,) = ids(start).values()
    actions.link(start.store, start.rules, number, "here", PLACE, start.rules.instance_key, start.clock.wall())
    seen_again(start, {"1.0": 5}, "f2")
    work_off(start)

    assert not waiting(start)
    assert (key(start, "f1"), key(start, "f2")) == ("K-70", "K-2")


def test_further_open_issues_of_the_crash_are_visible(start: Scene) -> None:
    adopt(start, doubles=(("71", "K-71"), ("72", "K-72")))
    seen_again(start, {"1.0": 5})

    assert live(start).doubles == "K-71, K-72"


def test_a_stray_that_is_adopted_is_no_stray(start: Scene) -> None:
    stray = made(70)
    start.store.write(lambda transaction: strays.add(transaction, "here", "ref", stray, 1.0))
    adopt(start, place=Place(remote_id=stray.remote_id, key=stray.key, url=stray.url))
    seen_again(start, {"1.0": 5})

    assert not start.store.read(lambda transaction: strays.with_references(transaction, "here", ["ref"]))


# Closings


def again(scene: Scene, releases: dict[str, int]) -> None:
    seen_again(scene, releases)
    work_off(scene)


def is_open(scene: Scene) -> bool:
    return not scene.tracker.conditions.get("K-70", Condition()).closed


def test_one_that_names_its_fix_stays_closed_for_older_releases_and_reopens_for_the_fix(start: Scene) -> None:
    adopt(start)
    closed(start, start.clock.wall() - 100 * DAY, "2.4")
    again(start, {"2.3": 900})
    assert not is_open(start)
    assert start.rule == "adopted"
    again(start, {"2.3": 950})
    assert not is_open(start)
    assert start.rule == "fixed-in"
    again(start, {"2.3": 960, "2.5": 1})
    assert is_open(start)


def test_one_that_names_its_fix_reopens_if_the_first_notification_has_the_fix(start: Scene) -> None:
    adopt(start)
    closed(start, start.clock.wall() - 100 * DAY, "2.4")
    again(start, {"2.3": 900, "2.5": 3})

    assert is_open(start)
    assert any("3 new occurrences in 2.5" in text for text in comments(start)) or "2.5" in start.reason


def test_one_without_a_fix_takes_what_is_out_at_the_adoption_for_known(start: Scene) -> None:
    adopt(start)
    closed(start, start.clock.wall() - 100 * DAY)
    again(start, {"2.3": 900})
    assert not is_open(start)
    assert start.rule == "adopted"
    again(start, {"2.3": 950})
    assert start.rule == "adopted"
    again(start, {"2.2": 1, "2.3": 950, "2.4": 3})  # another old client, in the first day
    assert not is_open(start)
    assert start.reason.endswith(
        "not reopened: K-70 was closed before syncd adopted it, and 2.4 is taken for the newest release known by then; 54 new occurrences "
        "in 2.4 (3), 2.3 (50) and 2.2 (1), taken for known by then"
    )
    start.clock.advance(DAY)
    again(start, {"2.2": 2, "2.3": 960, "2.4": 30})
    assert not is_open(start)
    again(start, {"2.2": 2, "2.3": 960, "2.4": 30, "2.5": 2})
    assert is_open(start)


def test_a_release_that_others_named_before_the_adoption_is_known(start: Scene) -> None:
    closed(start, start.clock.wall() - 100 * DAY)
    for release in ("2.3", "2.4"):
        seen_again(start, {release: 5}, "f2")
        start.clock.advance(5 * DAY)
    adopt(start)
    again(start, {"2.3": 5})
    again(start, {"2.3": 5, "2.4": 3})
    assert not is_open(start)
    again(start, {"2.3": 5, "2.4": 3, "2.5": 1})
    assert is_open(start)


def test_one_that_was_closed_while_its_project_was_known_is_judged_by_that(start: Scene) -> None:
    seen_again(start, {"2.3": 5}, "f2")
    start.clock.advance(10 * DAY)
    closed(start, start.clock.wall())
    start.clock.advance(DAY)
    adopt(start)
    again(start, {"2.3": 5})
    assert not is_open(start)
    again(start, {"2.3": 5, "2.4": 2})
    assert is_open(start)


def test_one_that_is_closed_again_is_judged_as_any_other(start: Scene) -> None:
    adopt(start)
    closed(start, start.clock.wall() - 100 * DAY, "2.4")
    again(start, {"2.3": 900, "2.5": 3})
    assert is_open(start)
    start.clock.advance(DAY)
    closed(start, start.clock.wall())
    again(start, {"2.3": 900, "2.5": 9})
    assert not is_open(start)
    again(start, {"2.3": 900, "2.5": 9, "2.6": 1})
    assert is_open(start)


def test_an_open_one_is_closed_and_judged_as_any_other(start: Scene) -> None:
    adopt(start)
    again(start, {"2.3": 900})
    start.clock.advance(2 * DAY)
    closed(start, start.clock.wall())
    again(start, {"2.3": 950})
    assert not is_open(start)
    again(start, {"2.3": 950, "2.4": 1})
    assert is_open(start)


def test_an_issue_that_stands_for_another_group_by_now_is_not_given_to_a_second_one(start: Scene) -> None:
    seen_again(start, {"1.0": 5})
    work_off(start)
    adopt(start, "f2", Place(remote_id=str(live(start).remote_id), key="K-1", url=""))
    seen_again(start, {"1.0": 5}, "f2")
    work_off(start)

    assert (key(start, "f1"), key(start, "f2")) == ("K-1", "K-2")
    assert not waiting(start)
    assert Identity("acme", "game", "f2") in {view.group.identity for view in start.store.report.groups()}

"""What becomes of a linked issue: people close, label and delete; crashes come back; routes pause; storms rise and fall."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from syncd.config import Route
from syncd.core.redact import Redactor
from syncd.errors import Missing, OutcomeUnknown, Refused, Throttled, Unavailable
from syncd.model import Action, Call, Condition, Issue, Place, Plan
from syncd.operate import actions
from syncd.operate.status import status
from syncd.render import markdown
from syncd.store.filters import Sort, State, Wanted
from syncd.store.listing import Listed
from syncd.store.outbox import DRY
from syncd.trackers import Survey
from syncd.worker import create, reconcile, storms, surveys
from syncd.worker.absorb import absorb
from syncd.worker.sync import UPKEEP, finish, load
from tests.scene import Scene, Tracker
from tests.store.filled import accept, crash_notification


def routed(scene: Scene, **keys: object) -> None:
    """Give the scene's one route more keys."""
    route = Route.model_validate({"name": "main", "tracker": "here", "status_interval": 1.0, "gather": 0} | keys)
    scene.rules = replace(scene.rules, config=scene.rules.config.model_copy(update={"routes": [route]}))
    # What was derived from the routes before is kept in the copy.
    scene.rules.config.__dict__.pop("all_routes", None)


def seen_again(scene: Scene, releases: dict[str, int], fingerprint: str = "f1") -> None:
    """A notification with this ledger, of crashes up to now, at a time when the issue may be looked at."""
    scene.clock.advance(1000)
    total = sum(releases.values())
    scene.tell(
        fingerprint,
        occurrences=total,
        timestamp=[1000, int(scene.clock.wall()) + 60],
        attributes={"version": [[release, count] for release, count in releases.items()]},
    )


def closed(scene: Scene, resolution: str = "completed", **facts: object) -> None:
    """A person closes the issue now."""
    condition = Condition(closed=True, resolution=resolution, closed_at=scene.clock.wall())
    scene.tracker.conditions["K-1"] = replace(condition, **facts)  # type: ignore[arg-type]


def work_off(scene: Scene) -> None:
    """Sync until nothing is due."""
    for _ in range(20):
        if not scene.sync():
            return
    raise AssertionError("there is always something due")


def comments(scene: Scene) -> list[str]:
    return [markdown.write(document, 10_000) for document in scene.tracker.comments.values()]


def history(scene: Scene) -> list[tuple[str, str | None]]:
    (listed,) = scene.store.lists.by_fingerprint("f1")
    past = scene.store.report.history(listed.id)
    return [(entry.action, entry.rule) for entry in reversed(past)]


def done(scene: Scene) -> dict[str, int]:
    """How often the tracker accepted each action, as the console's chart counts it."""
    return {action: sum(times) for action, times in scene.store.lists.done(0.0, 1e6, 1).items()}


def needs(scene: Scene) -> list[dict[str, Any]]:
    """What a person should know, but for the daemon that no test of the worker runs."""
    shape = status(scene.rules.config, scene.store, scene.clock.wall())
    return [need for need in shape["needs"] if need["state"] != "no_daemon"]


def left_to_people(scene: Scene) -> list[Listed]:
    return list(scene.store.lists.groups(Wanted(state=State.BY_HAND), Sort.LAST_SEEN, None, 9).groups)


def filed(scene: Scene) -> None:
    seen_again(scene, {"1.0": 3})
    work_off(scene)
    scene.tracker.calls.clear()


def refused_to_reopen(scene: Scene) -> None:
    """The crash of a closed issue comes back, and the workflow has no way to reopen the issue."""
    filed(scene)
    closed(scene)
    condition = scene.tracker.conditions["K-1"]
    scene.tracker.unable = "its workflow has no way back"
    seen_again(scene, {"1.0": 3, "2.0": 4})
    scene.sync()
    scene.tracker.conditions["K-1"] = condition
    work_off(scene)


def test_a_crash_that_comes_back_reopens_its_issue_and_says_so_once(scene: Scene) -> None:
    filed(scene)
    closed(scene, fixed_in=("2.0",))

    seen_again(scene, {"1.0": 3, "2.0": 4})
    work_off(scene)

    assert scene.tracker.calls.count("reopen") == 1
    assert "K-1" not in scene.tracker.conditions
    told_of = [text for text in comments(scene) if "**Came back**" in text]
    assert len(told_of) == 1
    assert "**Came back** in `2.0`: 4 new occurrences since this issue was closed" in told_of[0]
    assert ("reopen", "fixed-in") in history(scene)
    assert done(scene)["reopen"] == 1
    assert needs(scene) == []

    seen_again(scene, {"1.0": 3, "2.0": 9})
    work_off(scene)
    assert scene.tracker.calls.count("reopen") == 1
    assert len([text for text in comments(scene) if "**Came back**" in text]) == 1


def test_it_is_reopened_again_after_it_was_closed_again(scene: Scene) -> None:
    filed(scene)
    closed(scene)
    seen_again(scene, {"1.0": 3, "2.0": 4})
    work_off(scene)
    closed(scene)

    seen_again(scene, {"1.0": 3, "2.0": 8})
    work_off(scene)
    assert scene.tracker.calls.count("reopen") == 1

    seen_again(scene, {"1.0": 3, "2.0": 8, "3.0": 1})
    work_off(scene)
    assert scene.tracker.calls.count("reopen") == 2
    assert len([text for text in comments(scene) if "**Came back**" in text]) == 2


def test_an_old_client_reopens_nothing_and_the_status_comment_says_why(scene: Scene) -> None:
    filed(scene)
    closed(scene, fixed_in=("2.0",))

    seen_again(scene, {"1.0": 15})
    work_off(scene)

    assert "reopen" not in scene.tracker.calls
    (status,) = comments(scene)
    assert scene.rule == "fixed-in"
    assert scene.reason in status


def test_a_rare_crash_is_not_reopened_by_releases_that_were_out_at_its_closing(scene: Scene) -> None:
    routed(scene)
    seen_again(scene, {"2.1.0": 2})
    work_off(scene)
    seen_again(scene, {"2.1.0": 300, "2.2.0": 600, "2.3.0": 5, "2.4.0": 7}, "f2")
    work_off(scene)
    closed(scene)
    counts = {"2.1.0": 2}
    for release in ("2.2.0", "2.3.0", "2.4.0"):
        counts[release] = 1
        seen_again(scene, counts)
        work_off(scene)
        assert "reopen" not in scene.tracker.calls
    seen_again(scene, counts | {"2.5.0": 1})
    work_off(scene)

    assert scene.tracker.calls.count("reopen") == 1
    assert "known-at-closing" in [rule for _, rule in history(scene)]


def test_a_second_closing_with_the_date_of_the_first_is_not_undone_by_old_crashes(scene: Scene) -> None:
    routed(scene)
    seen_again(scene, {"1.0": 2})
    work_off(scene)
    closed(scene)
    first = scene.tracker.conditions["K-1"]
    seen_again(scene, {"1.0": 2, "2.0": 1})
    work_off(scene)
    assert scene.tracker.calls.count("reopen") == 1
    seen_again(scene, {"1.0": 2, "2.0": 3, "2.1": 9})
    work_off(scene)
    scene.tracker.conditions["K-1"] = first
    for count in (1, 2, 3):
        seen_again(scene, {"1.0": 2 + count, "2.0": 3 + count, "2.1": 9 + count})
        work_off(scene)
    assert scene.tracker.calls.count("reopen") == 1
    seen_again(scene, {"1.0": 5, "2.0": 6, "2.1": 12, "2.2": 1})
    work_off(scene)
    assert scene.tracker.calls.count("reopen") == 2


def test_what_nobody_can_know_is_one_comment_for_each_closing(scene: Scene) -> None:
    routed(scene)
    seen_again(scene, {"2.3.0": 2})
    work_off(scene)
    closed(scene, fixed_in=("2.4.0",))
    for number in (1, 2, 3):
        seen_again(scene, {"2.3.0": 2, f"2.4.0-beta.{number}": 5})
        work_off(scene)

    assert "reopen" not in scene.tracker.calls
    assert sum("stays closed" in text for text in comments(scene)) == 1
    seen_again(scene, {"2.3.0": 2, "2.4.0": 1})
    work_off(scene)
    assert scene.tracker.calls.count("reopen") == 1


def test_an_issue_that_cannot_be_reopened_says_so_and_is_not_tried_again(scene: Scene) -> None:
    refused_to_reopen(scene)

    assert scene.tracker.calls.count("reopen") == 1
    assert ("reopen", "known-releases") in history(scene)
    assert "reopen" not in done(scene)
    (report,) = [text for text in comments(scene) if "**Came back**" in text]
    assert scene.tracker.unable in report

    seen_again(scene, {"1.0": 3, "2.0": 5})
    work_off(scene)
    assert scene.tracker.calls.count("reopen") == 1
    assert [(need["state"], need["what"]) for need in needs(scene)] == [
        ("by_hand", "1 issue is left to people, K-1 of here: its crash came back: its workflow has no way back")
    ]
    assert len(left_to_people(scene)) == 1


@pytest.mark.parametrize(
    "answer", [None, {"labels": ("wontfix",)}, {"resolution": "wontfix"}], ids=["reopened", "label", "resolution"]
)
def test_whatever_people_change_on_an_issue_that_was_left_to_them_is_their_answer(
    scene: Scene, answer: dict[str, Any] | None
) -> None:
    refused_to_reopen(scene)
    assert len(left_to_people(scene)) == 1

    condition = scene.tracker.conditions.pop("K-1")
    if answer is not None:
        scene.tracker.conditions["K-1"] = replace(condition, **answer)
    seen_again(scene, {"1.0": 3, "2.0": 5})
    work_off(scene)

    assert needs(scene) == []
    assert left_to_people(scene) == []


def test_a_route_that_only_comments_leaves_it_closed(scene: Scene) -> None:
    routed(scene, on_regression="comment")
    filed(scene)
    closed(scene)

    for count in (4, 5, 6):
        seen_again(scene, {"1.0": 3, "2.0": count})
        work_off(scene)

    assert "reopen" not in scene.tracker.calls
    (told_of,) = [text for text in comments(scene) if "**Came back**" in text]
    assert "The issue stays closed" in told_of


def test_a_route_that_files_anew_links_back_and_gives_the_old_issue_up(scene: Scene) -> None:
    routed(scene, on_regression="new_issue")
    filed(scene)
    closed(scene)

    seen_again(scene, {"1.0": 3, "2.0": 4})
    work_off(scene)

    assert len(scene.tracker.issues) == 2
    assert scene.tracker.issues[0].marker != scene.tracker.issues[1].marker
    body = markdown.write(scene.tracker.issues[1].body, 60_000)
    assert "This crash came back. Its previous issue: [K-1](https://example.com/K-1)" in body
    issue = scene.store.report.groups()[0].issue
    assert issue is not None
    assert issue.key == "K-2"
    seen_again(scene, {"1.0": 3, "2.0": 5})
    work_off(scene)
    assert len(scene.tracker.issues) == 2


def test_a_regression_that_was_put_down_before_a_crash_of_syncd_is_carried_out_after_it(scene: Scene) -> None:
    filed(scene)
    closed(scene)
    scene.fail("reopen", Unavailable("syncd is stopping"))
    seen_again(scene, {"1.0": 3, "2.0": 4})
    scene.sync()
    assert "K-1" in scene.tracker.conditions

    scene.wait()
    work_off(scene)

    assert "K-1" not in scene.tracker.conditions
    assert len([text for text in comments(scene) if "**Came back**" in text]) == 1


def test_a_comment_on_a_regression_whose_answer_was_lost_is_looked_for_and_not_written_twice(scene: Scene) -> None:
    filed(scene)
    seen_again(scene, {"1.0": 4})
    work_off(scene)
    closed(scene)
    seen_again(scene, {"1.0": 4, "2.0": 4})
    scene.fail("comment", OutcomeUnknown("no answer"), after=True)
    scene.sync()
    scene.sync()

    for _ in range(4):
        scene.clock.advance(1000)
        work_off(scene)

    assert scene.tracker.calls.count("comment") == 2  # the status comment, and this one
    assert "find_comment" in scene.tracker.calls
    assert len([text for text in comments(scene) if "**Came back**" in text]) == 1


@pytest.mark.parametrize("resolution", ["Won't Fix", "not_planned", "Duplicate", "Cancelled"])
def test_what_people_rejected_stays_closed_and_its_counts_are_kept(scene: Scene, resolution: str) -> None:
    filed(scene)
    closed(scene, resolution)

    seen_again(scene, {"1.0": 3, "2.0": 40})
    work_off(scene)

    assert "reopen" not in scene.tracker.calls
    assert scene.store.report.groups()[0].group.occurrences == 43


def test_an_issue_with_the_label_that_asks_for_silence_is_not_written_to(scene: Scene) -> None:
    filed(scene)
    scene.tracker.conditions["K-1"] = Condition(labels=("syncd:ignore",))
    seen_again(scene, {"1.0": 9})
    work_off(scene)
    assert scene.tracker.calls == ["look"]

    scene.tracker.conditions.clear()
    seen_again(scene, {"1.0": 10})
    work_off(scene)
    assert scene.tracker.calls == ["look", "look", "comment"]


def test_a_status_comment_that_people_deleted_is_added_once_more_and_then_never_again(scene: Scene) -> None:
    filed(scene)
    for count in (4, 5, 6, 7, 8):
        seen_again(scene, {"1.0": count})
        work_off(scene)
        scene.tracker.comments.clear()

    assert scene.tracker.calls.count("comment") == 2
    assert scene.state == "linked"


def test_each_account_that_may_not_change_the_status_comment_adds_its_own(scene: Scene) -> None:
    filed(scene)
    for count in (4, 5, 6, 7):
        scene.fail("edit_comment", Missing("an earlier account wrote it", foreign=True))
        seen_again(scene, {"1.0": count})
        work_off(scene)

    assert scene.tracker.calls.count("comment") == 4
    assert "7" in comments(scene)[-1]


def test_a_status_comment_is_left_alone_while_its_text_is_the_same(scene: Scene) -> None:
    filed(scene)
    same: dict[str, Any] = {"occurrences": 4, "timestamp": [1000, int(scene.clock.wall()) + 90]}
    scene.tell(attributes={"version": [["1.0", 4]]}, **same)
    work_off(scene)
    scene.tracker.calls.clear()
    scene.clock.advance(1000)
    scene.tell(attributes={"version": [["1.0", 4]], "os": [["Linux", 4]]}, **same)
    work_off(scene)

    assert scene.tracker.calls == ["look"]


def test_a_group_whose_issue_is_a_duplicate_of_another_groups_shows_its_numbers_there(scene: Scene) -> None:
    filed(scene)
    seen_again(scene, {"1.0": 5}, "f2")
    work_off(scene)
    scene.tracker.conditions["K-2"] = Condition(
        closed=True,
        resolution="duplicate",
        closed_at=scene.clock.wall(),
        duplicate_of=Place(remote_id="1", key="K-1", url="u"),
    )
    seen_again(scene, {"1.0": 50}, "f2")
    work_off(scene)
    scene.clock.advance(10)
    work_off(scene)

    (alias,) = scene.store.report.aliases()
    assert (alias.fingerprint, alias.target) == ("f2", "f1")
    assert any("Seen 53 times" in text and "1 more fingerprint: `f2`" in text for text in comments(scene))
    assert len(scene.tracker.issues) == 2

    seen_again(scene, {"1.0": 60}, "f2")
    work_off(scene)
    assert any("Seen 63 times" in text for text in comments(scene))


def test_a_group_whose_issue_is_a_duplicate_of_a_persons_follows_that_one(scene: Scene) -> None:
    filed(scene)
    target = Place(remote_id="77", key="K-77", url="https://example.com/77")
    closed(scene, "duplicate", duplicate_of=target)
    seen_again(scene, {"1.0": 9})
    work_off(scene)

    issue = scene.store.report.groups()[0].issue
    assert issue is not None
    assert (issue.key, issue.state) == ("K-77", "linked")
    # One that is a duplicate of the first again is not followed in a circle.
    scene.tracker.conditions["K-77"] = replace(
        scene.tracker.conditions["K-1"], duplicate_of=Place(remote_id="1", key="K-1", url="u")
    )
    seen_again(scene, {"1.0": 10})
    work_off(scene)
    assert scene.store.report.groups()[0].issue == issue or scene.state == "linked"
    assert len(scene.tracker.issues) == 1


def test_an_alias_can_be_taken_back(scene: Scene) -> None:
    seen_again(scene, {"1.0": 3})
    seen_again(scene, {"1.0": 5}, "f2")
    first, second = (listed.id for listed in scene.store.lists.by_fingerprint("f"))
    actions.add_alias(scene.store, scene.rules, second, first, "the same", scene.clock.wall())
    work_off(scene)
    assert len(scene.tracker.issues) == 1

    assert actions.remove_alias(scene.store, scene.rules, second, scene.clock.wall())
    work_off(scene)
    assert len(scene.tracker.issues) == 2
    assert not actions.remove_alias(scene.store, scene.rules, second, scene.clock.wall())


def test_a_group_that_looks_like_one_already_filed_says_so_and_nothing_merges(scene: Scene) -> None:
    filed(scene)
    seen_again(scene, {"1.0": 5}, "f2")
    work_off(scene)

    body = markdown.write(scene.tracker.issues[1].body, 60_000)
    assert "Possible duplicate of [K-1](https://example.com/1)" in body
    assert len(scene.tracker.issues) == 2


def test_a_group_below_its_threshold_is_held_with_what_is_missing_and_filed_when_it_has_it(scene: Scene) -> None:
    routed(scene, min_occurrences=5)
    seen_again(scene, {"1.0": 4})
    assert not scene.sync()
    assert scene.rule == "threshold"
    assert scene.store.report.counts(scene.clock.wall()).held == 1

    seen_again(scene, {"1.0": 5})
    work_off(scene)
    assert scene.state == "linked"


def test_a_group_too_young_is_filed_by_itself(scene: Scene) -> None:
    routed(scene, min_age=100.0)
    seen_again(scene, {"1.0": 4})
    assert not scene.sync()
    assert scene.due_in == pytest.approx(100, abs=5)

    scene.wait()
    work_off(scene)
    assert scene.state == "linked"


def test_groups_are_judged_anew_under_another_configuration(scene: Scene) -> None:
    routed(scene, min_occurrences=50)
    seen_again(scene, {"1.0": 4})
    routed(scene, min_occurrences=2)

    assert reconcile.reroute(scene.store, scene.rules, "another one", scene.clock.wall()) == 1
    work_off(scene)
    assert scene.state == "linked"


def test_a_refused_group_is_not_sent_again_by_another_configuration(scene: Scene) -> None:
    seen_again(scene, {"1.0": 4})
    scene.fail("create", Refused("the title is too long"))
    assert scene.sync()

    reconcile.reroute(scene.store, scene.rules, "another one", scene.clock.wall())
    assert not scene.sync()


def test_a_paused_route_files_nothing_and_goes_on_when_it_is_resumed(scene: Scene) -> None:
    routed(scene)
    scene.store.limits.pause_route("main", "a release day", scene.clock.wall())
    seen_again(scene, {"1.0": 4})
    work_off(scene)
    assert scene.tracker.calls == []
    assert scene.rule == "route-paused"
    assert "a release day" in scene.reason
    seen_again(scene, {"1.0": 5})
    assert not scene.sync()

    assert actions.resume_route(scene.store, scene.rules, "main", scene.clock.wall())
    work_off(scene)
    assert scene.state == "linked"
    assert not actions.resume_route(scene.store, scene.rules, "main", scene.clock.wall())


def test_a_dry_run_plans_and_sends_nothing_and_the_next_start_catches_up(scene: Scene) -> None:
    wet, scene.rules = scene.rules, replace(scene.rules, dry=True)
    seen_again(scene, {"1.0": 4})
    work_off(scene)
    assert scene.tracker.calls == []
    (listed,) = scene.store.lists.by_fingerprint("f1")
    past = scene.store.report.history(listed.id)
    assert (past[0].action, past[0].outcome) == ("create", DRY)

    scene.rules = wet
    scene.store.outbox.recover(scene.clock.wall())
    work_off(scene)
    assert scene.tracker.calls == ["create"]


def storm(scene: Scene, groups: int, limit: str = "2/1h") -> None:
    routed(scene, max_new_issues=[limit])
    for number in range(groups):
        accept(
            scene.store,
            crash_notification(f"f{number}", occurrences=10 + number, guids=number, callstack=[f"frame{number}"]),
        )
    absorb(scene.store, scene.rules, scene.clock.wall())
    work_off(scene)


def titles(scene: Scene) -> list[str]:
    return [draft.title for draft in scene.tracker.issues]


def test_above_its_cap_a_route_files_one_issue_for_all_that_it_holds_back(scene: Scene) -> None:
    storm(scene, 6)

    assert len(scene.tracker.issues) == 3
    assert titles(scene)[-1] == "Crash storm: groups held back by route main"
    body = markdown.write(scene.tracker.issues[-1].body, 60_000)
    assert "| `frame5` | `f5` | 5 | 15 |" in body
    counts = scene.store.report.counts(scene.clock.wall())
    assert (counts.held, counts.storms) == (4, 1)
    held = [standing for standing in scene.store.report.groups() if standing.decision == "hold"]
    assert {standing.rule for standing in held} == {"storm"}


def test_a_storm_drains_by_itself_the_most_users_first_and_closes_its_issue(scene: Scene) -> None:
    storm(scene, 6)
    assert storms.drain(scene.store, scene.rules, scene.clock.wall()) == set()

    scene.clock.advance(3700)
    assert storms.drain(scene.store, scene.rules, scene.clock.wall()) == {"here"}
    # What was let through and is not filed yet has its place.
    assert storms.drain(scene.store, scene.rules, scene.clock.wall()) == set()
    work_off(scene)
    assert titles(scene)[3:] == ["Crash in frame5 (game)", "Crash in frame4 (game)"]
    scene.clock.advance(3700)
    storms.drain(scene.store, scene.rules, scene.clock.wall())
    work_off(scene)
    assert len(scene.tracker.issues) == 7
    assert "shut" not in scene.tracker.calls

    scene.clock.advance(4000)
    scene.clock.advance(10)
    storms.drain(scene.store, scene.rules, scene.clock.wall())
    work_off(scene)
    assert scene.tracker.calls.count("shut") == 1
    assert any("The storm is over" in text for text in comments(scene))
    assert scene.store.report.counts(scene.clock.wall()).storms == 0
    assert not scene.sync()


CREATE = Plan(action=Action.CREATE, reason="the group has no issue yet", call=Call.CREATE)


def test_a_group_that_comes_second_for_the_last_place_is_held_by_the_storm(scene: Scene) -> None:
    routed(scene, max_new_issues=["1/1h"])
    scene.tell("f1")
    scene.tell("f2", callstack=["other"])
    first = scene.store.outbox.claim("here", "one", scene.clock.wall())
    second = scene.store.outbox.claim("here", "two", scene.clock.wall())
    assert first is not None
    assert second is not None
    contexts = [load(scene.store, scene.tracker, claim, scene.rules, scene.clock) for claim in (first, second)]

    # Both saw a free place when they were loaded.
    for context in contexts:
        assert context.filing is not None
        finish(context, CREATE, create.create(context, context.filing))
    assert scene.store.report.counts(scene.clock.wall()).storms == 1
    (held,) = scene.store.report.groups(held=True)
    assert held.rule == "storm"
    assert len(scene.tracker.issues) == 1


def test_a_group_held_back_by_a_storm_is_not_looked_at_with_every_notification(scene: Scene) -> None:
    storm(scene, 4, "1/1h")
    calls = len(scene.tracker.calls)
    for number in range(4):
        accept(scene.store, crash_notification(f"f{number}", occurrences=100, callstack=[f"frame{number}"]))
    absorb(scene.store, scene.rules, scene.clock.wall())
    work_off(scene)

    assert len(scene.tracker.calls) - calls <= 3  # the one that is filed, and the storm's own
    assert len(scene.tracker.issues) == 2


def test_updates_of_a_route_are_capped_too(scene: Scene) -> None:
    routed(scene, max_updates=["1/1h"])
    filed(scene)
    for count in (4, 5):
        seen_again(scene, {"1.0": count})
        work_off(scene)

    assert scene.tracker.calls.count("comment") + scene.tracker.calls.count("edit_comment") == 1
    (listed,) = scene.store.lists.by_fingerprint("f1")
    assert "max_updates of route main are spent" in str(scene.store.report.history(listed.id)[0].outcome)


def test_a_survey_learns_of_a_closing_before_the_next_crash(scene: Scene) -> None:
    filed(scene)
    closed(scene, fixed_in=("2.0",))
    scene.survey()
    work_off(scene)
    issue = scene.store.report.groups()[0].issue
    assert issue is not None
    assert issue.condition is not None
    assert issue.condition.fixed_in == ("2.0",)
    assert issue.baseline == {"": 3, "1.0": 3}

    assert scene.survey() > 3000
    assert scene.tracker.calls.count("survey") == 1


def test_a_survey_that_fails_is_tried_again_and_a_silence_is_kept(scene: Scene) -> None:
    filed(scene)
    scene.fail("survey", Unavailable("no route to host"))
    assert scene.survey() == 300
    assert scene.survey() == 3600


def test_a_quiet_issue_is_told_so_once_and_stays_open(scene: Scene) -> None:
    routed(scene, quiet_after="1h")
    filed(scene)
    seen_again(scene, {"1.0": 4})
    work_off(scene)
    scene.clock.advance(3700)
    for _ in range(2):
        scene.clock.advance(10)
        surveys.owe_quiet(scene.store, "here", scene.rules, scene.clock.wall())
        work_off(scene)

    assert len([text for text in comments(scene) if "Not seen since" in text]) == 1
    assert "shut" not in scene.tracker.calls


def test_what_is_private_does_not_leave(scene: Scene) -> None:
    presentation = replace(scene.rules.presentation, redactor=Redactor(allowed=["version"]))
    scene.rules = replace(scene.rules, presentation=presentation)
    scene.tell(
        attributes={"version": [["1.0", 3]], "hostname": [["alices-laptop", 3]]}, callstack=["/home/alice/game!draw"]
    )
    work_off(scene)

    draft = scene.tracker.issues[0]
    text = draft.title + markdown.write(draft.body, 60_000) + repr(draft.group)
    assert "alice" not in text


def test_labels_and_owners_are_given_at_creation(scene: Scene) -> None:
    routed(
        scene,
        labels=[
            {"classifier": "segfault", "label": "memory"},
            {"attribute": "os", "value": "Win*", "label": "os:{value}"},
        ],
        owners=[{"frame": "main", "assignee": "bob"}, {"frame": "draw", "assignee": "alice", "component": "Audio"}],
    )
    scene.tell(classifiers=["segfault", "x"], attributes={"os": [["Windows", 3]]}, callstack=["draw", "loop"])
    presentation = replace(scene.rules.presentation, redactor=Redactor(allowed=["os"]))
    scene.rules = replace(scene.rules, presentation=presentation)
    work_off(scene)

    draft = scene.tracker.issues[0]
    assert (draft.labels, draft.assignee, draft.components) == (("memory", "os:Windows"), "alice", ("Audio",))


def test_rules_set_what_a_new_issue_gets(scene: Scene) -> None:
    routed(
        scene,
        labels=[{"classifier": "*", "label": "crash"}],
        owners=[{"frame": "*", "assignee": "bob", "component": "Client"}],
        set=[
            {"when": {"min_users": 3}, "priority": "High", "labels": ["many"], "assignee": "alice"},
            {"when": {"classifiers": "/^seg/"}, "issue_type": "Task", "milestone": "Triage", "fields": {"Team": "A"}},
            {"priority": "Low", "component": "Audio"},
        ],
    )
    scene.tell("f1", classifiers=["segfault"], guids=3, callstack=["draw"])
    scene.tell("f2", classifiers=["hang"], guids=2, callstack=["draw"])
    work_off(scene)

    many, few = scene.tracker.issues
    assert (many.priority, many.issue_type, many.milestone, many.fields) == ("High", "Task", "Triage", {"Team": "A"})
    assert (many.labels, many.assignee, many.components) == (("crash", "many"), "alice", ("Audio", "Client"))
    assert (few.priority, few.issue_type, few.labels, few.assignee) == ("Low", None, ("crash",), "bob")


def test_every_action_is_carried_out_by_somebody() -> None:
    named = {
        Action.CREATE,
        Action.HOLD,
        Action.WAIT,
        Action.PROBE,
        Action.NOTHING,
        Action.PARK,
        Action.DROP,
        Action.ADOPT,
    }
    assert named | UPKEEP.keys() == set(Action)


def test_a_closing_alone_is_nothing_to_write_about(scene: Scene) -> None:
    filed(scene)
    closed(scene)
    scene.survey()
    scene.tracker.calls.clear()
    scene.clock.advance(10)
    work_off(scene)

    assert scene.tracker.calls == ["look"]
    assert not scene.sync()


def test_what_came_while_an_issue_was_muted_is_shown_once_it_is_not(scene: Scene) -> None:
    filed(scene)
    seen_again(scene, {"1.0": 4})
    work_off(scene)
    scene.tracker.conditions["K-1"] = Condition(labels=("syncd:ignore",))
    seen_again(scene, {"1.0": 9})
    work_off(scene)
    assert not any("Seen 9 times" in text for text in comments(scene))

    scene.tracker.conditions.clear()
    scene.clock.advance(10)
    scene.survey()
    work_off(scene)
    assert any("Seen 9 times" in text for text in comments(scene))


@dataclass
class SlowTracker(Tracker):
    """A tracker that answers a survey after `seconds`, with a refusal."""

    scene: Scene | None = None
    seconds: float = 20.0

    def survey(self, issues: Sequence[Issue], bookmark: str | None) -> Iterator[Survey]:
        assert self.scene is not None
        self.scene.clock.advance(self.seconds)
        raise Throttled("too many requests", seconds=30.0)


def test_the_pause_that_a_survey_is_asked_for_begins_with_the_answer(scene: Scene) -> None:
    filed(scene)
    scene.tracker = SlowTracker(scene=scene)
    scene.survey()

    assert scene.opens_in(Call.PROBE) == pytest.approx(30.0)

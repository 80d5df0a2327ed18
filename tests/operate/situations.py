"""States of a group that a person may meet, each brought about in a real store by deliveries, the tracker's answers, and the actions of
operators, under a clock that is passed in."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from syncd.errors import Gone, Misconfigured, OutcomeUnknown, OutOfReach, Refused, Throttled, Unavailable
from syncd.model import Condition, Place
from syncd.operate import actions
from syncd.worker import reconcile, storms
from tests.scene import Scene
from tests.worker.test_keeping import closed, filed, routed, seen_again, work_off

DAY, HOUR, MINUTE = 86400.0, 3600.0, 60.0


@dataclass(frozen=True, slots=True)
class Situation:
    """How a state comes about, and the rules of what syncd does then, the first in force."""

    bring_about: Callable[[Scene], None]
    rules: tuple[str, ...]


SITUATIONS: dict[str, Situation] = {}


def situation(name: str, *rules: str) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """Register how a state comes about."""

    def register(bring_about: Callable[[Scene], None]) -> Callable[[Scene], None]:
        assert name not in SITUATIONS, name
        SITUATIONS[name] = Situation(bring_about, rules)
        return bring_about

    return register


def number(scene: Scene, fingerprint: str = "f1") -> int:
    """The id of a group."""
    (listed,) = (each for each in scene.store.lists.by_fingerprint(fingerprint))
    return listed.id


def add_alias(scene: Scene, alias: str, target: str) -> None:
    """An operator makes a group the alias of another one."""
    actions.add_alias(
        scene.store, scene.rules, number(scene, alias), number(scene, target), "one cause", scene.clock.wall()
    )


def live(scene: Scene, seconds: float, step: float = HOUR) -> None:
    """Time passes; once in `step` the tracker is surveyed and all that is due is done."""
    end = scene.clock.wall() + seconds
    while scene.clock.wall() < end:
        scene.clock.advance(min(step, end - scene.clock.wall()))
        scene.survey()
        storms.drain(scene.store, scene.rules, scene.clock.wall())
        work_off(scene)


def again(scene: Scene, *ledgers: dict[str, int], unreleased: int = 0) -> None:
    """Notifications with these ledgers, and what syncd does about each."""
    for ledger in ledgers:
        seen_again(scene, ledger)
        if unreleased:
            scene.tell(
                "f1",
                occurrences=sum(ledger.values()) + unreleased,
                timestamp=[1000, int(scene.clock.wall()) + 60],
                attributes={"version": [[release, count] for release, count in ledger.items()]},
            )
        work_off(scene)


def pause_tracker(scene: Scene, reason: str = "audit week") -> None:
    scene.store.limits.pause_by_hand("here", reason, scene.clock.wall())


def pause_route(scene: Scene, reason: str = "release freeze") -> None:
    scene.store.limits.pause_route("main", reason, scene.clock.wall())


def refuse(scene: Scene, operation: str, tries: int = 20) -> None:
    """The tracker refuses this content for good, after it took another one."""
    for _ in range(tries):
        scene.fail(operation, Refused("Field 'Team' is required"))
        if not scene.sync():
            break
        scene.wait()
    scene.tracker.fail_before.pop(operation, None)


def rest(scene: Scene, reason: str = "the token was not accepted (401)") -> None:
    scene.fail("create", Misconfigured(reason))
    scene.fail("look", Misconfigured(reason))
    scene.sync()
    scene.tracker.fail_before.clear()


def unreachable(scene: Scene, seconds: float = DAY) -> None:
    """Every call and every read fails for so long."""
    end = scene.clock.wall() + seconds
    while scene.clock.wall() < end:
        for operation in ("create", "look", "ping", "probe"):
            scene.fail(operation, Unavailable("502 Bad Gateway"))
        scene.sync()
        scene.clock.advance(min(15 * MINUTE, end - scene.clock.wall()))
    scene.fail("ping", Unavailable("502 Bad Gateway"))
    scene.read()
    scene.tracker.fail_before.clear()


# Without an issue


@situation("filed", "current")
def _(scene: Scene) -> None:
    filed(scene)


@situation("too young", "threshold")
def _(scene: Scene) -> None:
    routed(scene, min_age="3h")
    scene.tell()
    scene.clock.advance(HOUR)
    work_off(scene)


@situation("unsymbolicated", "unsymbolicated")
def _(scene: Scene) -> None:
    routed(scene, hold_unsymbolicated=True)
    scene.tell(callstack=["0x7fff5fbff8c0", "0x0000000100003f50"])


@situation("unsymbolicated, one frame", "unsymbolicated")
def _(scene: Scene) -> None:
    routed(scene, hold_unsymbolicated=True)
    scene.tell(callstack=["0x7fff5fbff8c0"])


@situation("all zeros", "zero-fingerprint")
def _(scene: Scene) -> None:
    routed(scene)
    scene.tell("0" * 64, callstack=[])


@situation("unrouted", "unrouted")
def _(scene: Scene) -> None:
    routed(scene, match={"project": "other"})
    scene.tell()


@situation("route paused, without an issue", "route-paused", "new")
def _(scene: Scene) -> None:
    routed(scene)
    pause_route(scene)
    scene.tell()
    work_off(scene)


@situation("below a threshold", "threshold")
def _(scene: Scene) -> None:
    routed(scene, min_occurrences=50)
    scene.tell()


@situation("below a threshold of one", "threshold")
def _(scene: Scene) -> None:
    routed(scene, min_users=1)
    scene.tell(guids=0)


@situation("below several thresholds", "threshold")
def _(scene: Scene) -> None:
    routed(scene, min_occurrences=50, min_users=5, min_age="2h")
    scene.tell()


@situation("below a threshold within a day, two days later", "threshold")
def _(scene: Scene) -> None:
    routed(scene, min_occurrences=50, min_users=5, within="1d")
    scene.tell(occurrences=10)
    live(scene, 2 * DAY)


@situation("held by an operator", "on-hold", "new")
def _(scene: Scene) -> None:
    routed(scene)
    scene.tell()
    actions.hold(scene.store, number(scene), "the vendor looks into it", scene.clock.wall())
    live(scene, DAY)


@situation("ordered by an operator, tracker paused", "tracker-paused", "ordered")
def _(scene: Scene) -> None:
    routed(scene, min_occurrences=50)
    scene.tell()
    pause_tracker(scene)
    actions.file_now(scene.store, scene.rules, number(scene), "the studio head saw it", scene.clock.wall())
    work_off(scene)


# What the tracker does


@situation("dead letter, two days later", "dead-letter", "new")
def _(scene: Scene) -> None:
    routed(scene)
    scene.tell("f0")
    work_off(scene)
    scene.tell()
    refuse(scene, "create")
    live(scene, 2 * DAY)


@situation("dead letter, noticed again", "dead-letter", "new")
def _(scene: Scene) -> None:
    SITUATIONS["dead letter, two days later"].bring_about(scene)
    scene.tell(occurrences=9)
    work_off(scene)


@situation("dead letter, other content", "current")
def _(scene: Scene) -> None:
    SITUATIONS["dead letter, two days later"].bring_about(scene)
    seen_again(scene, {"1.0": 9})
    work_off(scene)


@situation("tracker paused", "tracker-paused", "new")
def _(scene: Scene) -> None:
    routed(scene)
    pause_tracker(scene)
    scene.tell()
    work_off(scene)


@situation("tracker misconfigured", "tracker-rests", "new")
def _(scene: Scene) -> None:
    routed(scene)
    scene.tell()
    rest(scene)


@situation("tracker misconfigured, another group", "tracker-rests", "new")
def _(scene: Scene) -> None:
    routed(scene)
    scene.tell("f0")
    rest(scene)
    scene.tell()


@situation("tracker throttled", "tracker-waits", "new")
def _(scene: Scene) -> None:
    routed(scene)
    scene.tell()
    scene.fail("create", Throttled("secondary rate limit", 600.0))
    scene.sync()


@situation("tracker throttles creates only, update due", "older-state")
def _(scene: Scene) -> None:
    filed(scene)
    scene.tell("f2")
    scene.fail("create", Throttled("too much content", 600.0, narrow=True))
    scene.sync()
    seen_again(scene, {"1.0": 4})


@situation("tracker unreachable for a day", "tracker-unreachable", "new")
def _(scene: Scene) -> None:
    routed(scene)
    scene.tell()
    unreachable(scene)


@situation("one call failed", "back-off", "new")
def _(scene: Scene) -> None:
    routed(scene)
    scene.tell()
    scene.fail("create", Unavailable("502 Bad Gateway"))
    scene.sync()


@situation("tracker unreachable, nothing due", "current")
def _(scene: Scene) -> None:
    filed(scene)
    scene.tell("f2")
    unreachable(scene)


@situation("budget of the tracker spent", "budget", "new")
def _(scene: Scene) -> None:
    config = scene.rules.config
    limited = type(config).model_validate(
        {
            "trackers": {
                "here": {"kind": "local", "folder": "unused", "writes": ["1/1h"], "probe_after": ["20s", "60s", "180s"]}
            },
            "routes": [{"name": "main", "tracker": "here", "status_interval": 1.0}],
        }
    )
    scene.rules = replace(scene.rules, config=limited.model_copy(update={"store": config.store}))
    scene.tell("f0")
    work_off(scene)
    scene.tell()
    work_off(scene)


@situation("in doubt", "in-doubt")
def _(scene: Scene) -> None:
    routed(scene)
    scene.tell()
    scene.fail("create", OutcomeUnknown("no answer within 15 s"))
    scene.sync()


@situation("in doubt, after a probe", "in-doubt")
def _(scene: Scene) -> None:
    routed(scene)
    scene.doubt()
    scene.probe()


@situation("in doubt, tracker unreachable", "tracker-unreachable", "in-doubt")
def _(scene: Scene) -> None:
    routed(scene)
    scene.doubt()
    unreachable(scene, 6 * HOUR)


@situation("in doubt, held by an operator", "in-doubt", "on-hold")
def _(scene: Scene) -> None:
    routed(scene)
    scene.doubt()
    actions.hold(scene.store, number(scene), "wait for legal", scene.clock.wall())


@situation("parked after all probes", "parked")
def _(scene: Scene) -> None:
    routed(scene)
    scene.park()


@situation("out of reach", "parked")
def _(scene: Scene) -> None:
    filed(scene)
    scene.tracker.unreadable["K-1"] = OutOfReach("K-1 is in a project that this account may not read")
    again(scene, {"1.0": 4})


@situation("deleted", "dropped")
def _(scene: Scene) -> None:
    filed(scene)
    live(scene, DAY, 6 * HOUR)
    scene.tracker.unreadable["K-1"] = Gone("issue K-1 was deleted in the tracker")
    again(scene, {"1.0": 4})
    live(scene, DAY, 6 * HOUR)


@situation("deleted, filed anew", "current")
def _(scene: Scene) -> None:
    routed(scene, on_deleted="recreate")
    seen_again(scene, {"1.0": 3})
    work_off(scene)
    live(scene, DAY, 6 * HOUR)
    scene.tracker.unreadable["K-1"] = Gone("issue K-1 was deleted in the tracker")
    again(scene, {"1.0": 4})


# Storms


def storm(scene: Scene, groups: int, cap: str = "2/1d") -> None:
    routed(scene, max_new_issues=[cap])
    for index in range(groups):
        scene.tell(f"s{index}", guids=100 - index, callstack=[f"frame{index}", "main"])
    scene.tell("f1", guids=1)
    work_off(scene)


@situation("in a storm, next in line", "storm")
def _(scene: Scene) -> None:
    storm(scene, 2)


@situation("in a storm, far back in line", "storm")
def _(scene: Scene) -> None:
    storm(scene, 9)


@situation("in a storm, tracker paused", "storm", "tracker-paused")
def _(scene: Scene) -> None:
    storm(scene, 4)
    pause_tracker(scene)


@situation("in a storm, route paused", "route-paused", "storm")
def _(scene: Scene) -> None:
    storm(scene, 4)
    pause_route(scene)


@situation("alias of a group in a storm", "alias")
def _(scene: Scene) -> None:
    routed(scene, max_new_issues=["1/1d"])
    for fingerprint in ("s0", "s1", "f1"):
        scene.tell(fingerprint, guids=50, callstack=[f"frame of {fingerprint}", "main"])
    work_off(scene)
    add_alias(scene, "f1", "s1")
    work_off(scene)


# Aliases


@situation("alias", "alias")
def _(scene: Scene) -> None:
    routed(scene)
    for fingerprint in ("f2", "f1"):
        scene.tell(fingerprint)
    work_off(scene)
    add_alias(scene, "f1", "f2")
    work_off(scene)
    live(scene, DAY, 6 * HOUR)


@situation("alias of a held group", "alias")
def _(scene: Scene) -> None:
    routed(scene, min_occurrences=15)
    scene.tell("f2", occurrences=3)
    scene.tell("f1", occurrences=4)
    add_alias(scene, "f1", "f2")
    work_off(scene)


@situation("target of an alias", "status-interval")
def _(scene: Scene) -> None:
    routed(scene)
    for fingerprint in ("f1", "f2"):
        scene.tell(fingerprint)
    work_off(scene)
    add_alias(scene, "f2", "f1")
    work_off(scene)


@situation("alias removed", "current")
def _(scene: Scene) -> None:
    SITUATIONS["alias"].bring_about(scene)
    actions.remove_alias(scene.store, scene.rules, number(scene), scene.clock.wall())
    work_off(scene)


@situation("alias of a dead letter", "alias")
def _(scene: Scene) -> None:
    routed(scene)
    scene.tell("f2")
    refuse(scene, "create")
    scene.tell()
    work_off(scene)
    add_alias(scene, "f1", "f2")
    work_off(scene)


@situation("closed as a duplicate", "current")
def _(scene: Scene) -> None:
    filed(scene)
    place = Place(remote_id="9", key="K-9", url="https://example.com/K-9")
    closed(scene, "duplicate", duplicate_of=place)
    again(scene, {"1.0": 4})


@situation("closed as a duplicate of another group's issue", "alias")
def _(scene: Scene) -> None:
    filed(scene)
    scene.tell("f2")
    work_off(scene)
    place = Place(remote_id="2", key="K-2", url="https://example.com/2")
    closed(scene, "duplicate", duplicate_of=place)
    again(scene, {"1.0": 4})


# What people do in the tracker


@situation("muted by a label", "muted")
def _(scene: Scene) -> None:
    filed(scene)
    scene.tracker.conditions["K-1"] = Condition(labels=("syncd:ignore",))
    again(scene, {"1.0": 4})


@situation("locked", "muted")
def _(scene: Scene) -> None:
    filed(scene)
    scene.tracker.conditions["K-1"] = Condition(locked=True)
    again(scene, {"1.0": 4})


@situation("a person closed it", "nothing-new")
def _(scene: Scene) -> None:
    filed(scene)
    closed(scene, "done", fixed_in=("2.0",))
    live(scene, DAY, 6 * HOUR)


@situation("closed by a person, old clients crash", "fixed-in")
def _(scene: Scene) -> None:
    filed(scene)
    closed(scene, "done", fixed_in=("2.0",))
    again(scene, {"1.0": 4}, {"1.0": 7})


@situation("a person reopened it", "current")
def _(scene: Scene) -> None:
    filed(scene)
    closed(scene, "done", fixed_in=("2.0",))
    live(scene, DAY, 6 * HOUR)
    scene.tracker.conditions["K-1"] = Condition()
    live(scene, DAY, 6 * HOUR)


@situation("closed as won't fix", "wont-fix")
def _(scene: Scene) -> None:
    filed(scene)
    closed(scene, "not_planned")
    again(scene, {"1.0": 3, "2.0": 4})


@situation("closed and quiet", "nothing-new")
def _(scene: Scene) -> None:
    filed(scene)
    closed(scene)
    again(scene, {"1.0": 3})


def came_back(scene: Scene, before: dict[str, int], *after: dict[str, int], **facts: object) -> None:
    """Seen in `before`, closed, and seen again."""
    seen_again(scene, before)
    work_off(scene)
    closed(scene, "done", **facts)
    live(scene, HOUR)
    again(scene, *after)


@situation("new occurrences without a release", "unknown-release")
def _(scene: Scene) -> None:
    routed(scene)
    came_back(scene, {"1.0": 5})
    again(scene, {"1.0": 5}, unreleased=50)


@situation("one new occurrence without a release", "unknown-release")
def _(scene: Scene) -> None:
    routed(scene)
    came_back(scene, {"1.0": 5})
    again(scene, {"1.0": 5}, unreleased=1)


@situation("new occurrences in several old releases", "known-at-closing")
def _(scene: Scene) -> None:
    routed(scene)
    came_back(scene, {"2.2.0": 100, "2.3.0": 200}, {"2.2.0": 591, "2.3.0": 895})


@situation("one new occurrence in an old release", "known-at-closing")
def _(scene: Scene) -> None:
    routed(scene)
    came_back(scene, {"2.3.0": 200}, {"2.3.0": 201})


@situation("one new occurrence that cannot be compared", "incomparable")
def _(scene: Scene) -> None:
    routed(scene)
    came_back(scene, {"2.3.0": 200}, {"2.3.0": 200, "nightly-cafe": 1})


@situation("a build that cannot be told from the known one", "same-release")
def _(scene: Scene) -> None:
    routed(scene)
    came_back(scene, {"5.1 (1234)": 5}, {"5.1 (1234)": 5, "5.1": 500})


@situation("a newer build", "current")
def _(scene: Scene) -> None:
    routed(scene)
    came_back(scene, {"5.1 (1234)": 5}, {"5.1 (1234)": 5, "5.1 (1250)": 500})


@situation("another platform", "other-line")
def _(scene: Scene) -> None:
    routed(scene)
    came_back(scene, {"5.1.0": 5, "7.2.0": 9}, {"5.1.0": 5, "7.2.0": 9, "5.2.0": 500})


@situation("a milestone that is no version", "known-at-closing")
def _(scene: Scene) -> None:
    routed(scene)
    came_back(scene, {"2.3.0": 5}, {"2.3.0": 12}, fixed_in=("2026-Q1",))


@situation("the build of the fix, rebuilt", "rebuilt")
def _(scene: Scene) -> None:
    routed(scene)
    came_back(scene, {"2.3.0": 5, "2.4.0": 1}, {"2.3.0": 5, "2.4.0": 2}, fixed_in=("2.4.0",))


@situation("too few for a regression", "min-regression-occurrences")
def _(scene: Scene) -> None:
    routed(scene, min_regression_occurrences=3)
    came_back(scene, {"2.3.0": 5}, {"2.3.0": 5, "2.4.0": 1})


@situation("beyond the reopen window", "known-releases")
def _(scene: Scene) -> None:
    routed(scene, reopen_window="1d")
    came_back(scene, {"2.3.0": 5})
    live(scene, 5 * DAY, DAY)
    seen_again(scene, {"2.3.0": 5, "2.4.0": 3})


@situation("beyond the reopen window, filed anew", "current")
def _(scene: Scene) -> None:
    SITUATIONS["beyond the reopen window"].bring_about(scene)
    work_off(scene)


@situation("another issue for each regression", "known-releases")
def _(scene: Scene) -> None:
    routed(scene, on_regression="new_issue")
    came_back(scene, {"2.3.0": 5})
    seen_again(scene, {"2.3.0": 5, "2.4.0": 3})


@situation("a comment for each regression", "known-releases")
def _(scene: Scene) -> None:
    routed(scene, on_regression="comment")
    came_back(scene, {"2.3.0": 5})
    seen_again(scene, {"2.3.0": 5, "2.4.0": 1})


@situation("a comment for each regression, answered", "answered")
def _(scene: Scene) -> None:
    SITUATIONS["a comment for each regression"].bring_about(scene)
    work_off(scene)
    again(scene, {"2.3.0": 5, "2.4.0": 7})


@situation("a regression is due", "known-releases")
def _(scene: Scene) -> None:
    routed(scene)
    came_back(scene, {"2.3.0": 5})
    seen_again(scene, {"2.3.0": 5, "2.4.0": 1})


@situation("reopened by syncd", "current")
def _(scene: Scene) -> None:
    routed(scene)
    came_back(scene, {"2.3.0": 5}, {"2.3.0": 5, "2.4.0": 3})
    live(scene, DAY, 6 * HOUR)


@situation("the workflow lets nobody reopen it", "answered")
def _(scene: Scene) -> None:
    routed(scene)
    scene.tracker.unable = "its workflow has no way back"
    seen_again(scene, {"1.0": 3})
    work_off(scene)
    closed(scene)
    condition = scene.tracker.conditions["K-1"]
    seen_again(scene, {"1.0": 3, "2.0": 4})
    scene.sync()
    scene.tracker.conditions["K-1"] = condition
    work_off(scene)


# The ordinary life of an issue


@situation("route paused, with an issue", "route-paused", "older-state")
def _(scene: Scene) -> None:
    filed(scene)
    routed(scene)
    pause_route(scene)
    seen_again(scene, {"1.0": 4})
    work_off(scene)


@situation("an update is due", "older-state")
def _(scene: Scene) -> None:
    filed(scene)
    seen_again(scene, {"1.0": 4})


@situation("updated just now", "status-interval")
def _(scene: Scene) -> None:
    routed(scene, status_interval="15m")
    seen_again(scene, {"1.0": 3})
    work_off(scene)
    again(scene, {"1.0": 4})
    scene.tell(occurrences=5)
    work_off(scene)


@situation("quiet for a week", "not-due", "quiet")
def _(scene: Scene) -> None:
    routed(scene, quiet_after="7d")
    seen_again(scene, {"1.0": 3})
    work_off(scene)
    scene.clock.advance(8 * DAY)


@situation("quiet for a week, and the issue says so", "current")
def _(scene: Scene) -> None:
    SITUATIONS["quiet for a week"].bring_about(scene)
    live(scene, HOUR)


@situation("a milestone and a new release", "older-state")
def _(scene: Scene) -> None:
    routed(scene, comment_milestones=True, comment_new_release=True)
    seen_again(scene, {"1.0": 3})
    work_off(scene)
    seen_again(scene, {"1.0": 3, "1.1": 120})


# Several states at once


@situation("tracker rests, then is paused", "tracker-paused", "new")
def _(scene: Scene) -> None:
    routed(scene)
    scene.tell()
    rest(scene)
    pause_tracker(scene)


@situation("route paused and tracker paused", "route-paused", "tracker-paused", "new")
def _(scene: Scene) -> None:
    routed(scene)
    pause_route(scene)
    pause_tracker(scene)
    scene.tell()
    work_off(scene)


@situation("held by an operator, tracker paused", "on-hold", "tracker-paused", "new")
def _(scene: Scene) -> None:
    routed(scene)
    scene.tell()
    pause_tracker(scene)
    actions.hold(scene.store, number(scene), "the vendor looks into it", scene.clock.wall())


@situation("dead letter, tracker paused", "dead-letter", "tracker-paused", "new")
def _(scene: Scene) -> None:
    SITUATIONS["dead letter, two days later"].bring_about(scene)
    pause_tracker(scene)


@situation("update refused, closed issue", "dead-letter", "known-at-closing")
def _(scene: Scene) -> None:
    filed(scene)
    closed(scene, "done")
    seen_again(scene, {"1.0": 9})
    refuse(scene, "comment")


@situation("regression, tracker misconfigured", "tracker-rests", "known-releases")
def _(scene: Scene) -> None:
    filed(scene)
    closed(scene)
    live(scene, HOUR)
    seen_again(scene, {"1.0": 3, "2.0": 4})
    rest(scene)


@situation("linked by an operator", "current")
def _(scene: Scene) -> None:
    filed(scene)
    place = Place(remote_id="9", key="K-9", url="https://example.com/K-9")
    actions.link(scene.store, scene.rules, number(scene), "here", place, scene.rules.instance_key, scene.clock.wall())
    work_off(scene)


@situation("people deleted the status comment twice", "current")
def _(scene: Scene) -> None:
    filed(scene)
    for occurrences in (4, 5, 6):
        again(scene, {"1.0": occurrences})
        scene.tracker.comments.clear()
    again(scene, {"1.0": 7})


@situation("two live issues", "current")
def _(scene: Scene) -> None:
    routed(scene)
    scene.doubt(after=True)
    scene.tracker.issues.append(scene.tracker.issues[0])
    scene.probe()
    work_off(scene)


@situation("a dry run", "dry-run", "new")
def _(scene: Scene) -> None:
    routed(scene)
    scene.rules = replace(scene.rules, dry=True)
    scene.tell()
    work_off(scene)


@situation("the tracker is not configured any more", "tracker-missing", "older-state")
def _(scene: Scene) -> None:
    filed(scene)
    seen_again(scene, {"1.0": 4})
    config = scene.rules.config
    elsewhere = {"there": config.trackers["here"]}
    routes = [route.model_copy(update={"tracker": "there"}) for route in config.routes]
    scene.rules = replace(scene.rules, config=config.model_copy(update={"trackers": elsewhere, "routes": routes}))
    for derived in ("all_routes", "credentials"):
        scene.rules.config.__dict__.pop(derived, None)


@situation("a storm", "current")
def _(scene: Scene) -> None:
    storm(scene, 4)


@situation("a storm is over", "storm-over")
def _(scene: Scene) -> None:
    storm(scene, 3, "2/1h")
    live(scene, 12 * HOUR)


@situation("dead letter, then an alias", "alias")
def _(scene: Scene) -> None:
    SITUATIONS["dead letter, two days later"].bring_about(scene)
    add_alias(scene, "f1", "f0")
    work_off(scene)


@situation("dead letter, held by an operator", "on-hold", "dead-letter", "new")
def _(scene: Scene) -> None:
    SITUATIONS["dead letter, two days later"].bring_about(scene)
    actions.hold(scene.store, number(scene), "the vendor looks into it", scene.clock.wall())


@situation("dead letter, tracker unreachable", "dead-letter", "tracker-unreachable", "new")
def _(scene: Scene) -> None:
    SITUATIONS["dead letter, two days later"].bring_about(scene)
    scene.tell("f2")
    unreachable(scene, 6 * HOUR)


@situation("dead letter, no route takes it any more", "unrouted", "dead-letter")
def _(scene: Scene) -> None:
    SITUATIONS["dead letter, two days later"].bring_about(scene)
    routed(scene, match={"project": "other"})
    reconcile.reroute(scene.store, scene.rules, "other routes", scene.clock.wall())


@situation("alias of a group whose issue was deleted", "alias")
def _(scene: Scene) -> None:
    routed(scene)
    for fingerprint in ("f2", "f1"):
        scene.tell(fingerprint)
    work_off(scene)
    add_alias(scene, "f1", "f2")
    work_off(scene)
    live(scene, DAY, 6 * HOUR)
    scene.tracker.unreadable["K-1"] = Gone("issue K-1 was deleted in the tracker")
    seen_again(scene, {"1.0": 9}, "f2")
    work_off(scene)


@situation("alias of an alias", "alias")
def _(scene: Scene) -> None:
    routed(scene)
    for fingerprint in ("f3", "f2", "f1"):
        scene.tell(fingerprint)
    work_off(scene)
    for alias, target in (("f2", "f3"), ("f1", "f2")):
        add_alias(scene, alias, target)
        work_off(scene)


@situation("alias of a group that an operator holds", "alias")
def _(scene: Scene) -> None:
    routed(scene)
    for fingerprint in ("f2", "f1"):
        scene.tell(fingerprint)
    actions.hold(scene.store, number(scene, "f2"), "wait for legal", scene.clock.wall())
    work_off(scene)
    add_alias(scene, "f1", "f2")
    work_off(scene)


@situation("a regression is due, held by an operator", "on-hold", "known-releases")
def _(scene: Scene) -> None:
    SITUATIONS["a regression is due"].bring_about(scene)
    actions.hold(scene.store, number(scene), "wait for legal", scene.clock.wall())


@situation("a regression is due, route paused", "route-paused", "known-releases")
def _(scene: Scene) -> None:
    SITUATIONS["a regression is due"].bring_about(scene)
    pause_route(scene)
    work_off(scene)


@situation("in doubt, tracker paused", "tracker-paused", "in-doubt")
def _(scene: Scene) -> None:
    routed(scene)
    scene.doubt()
    pause_tracker(scene)


@situation("muted, tracker paused", "muted")
def _(scene: Scene) -> None:
    SITUATIONS["muted by a label"].bring_about(scene)
    pause_tracker(scene)
    seen_again(scene, {"1.0": 9})


@situation("parked, held by an operator", "parked", "on-hold")
def _(scene: Scene) -> None:
    SITUATIONS["out of reach"].bring_about(scene)
    actions.hold(scene.store, number(scene), "wait for legal", scene.clock.wall())


@situation("the updates of the route are spent", "put-off", "older-state")
def _(scene: Scene) -> None:
    routed(scene, max_updates=["1/1h"])
    seen_again(scene, {"1.0": 3})
    work_off(scene)
    again(scene, {"1.0": 4}, {"1.0": 5})

"""Decisions and their rules: a specification in rows. `#14` is a complaint of users of similar tools.

What a tracker takes of title and body (#24) is in tests/render/, what is private (#29) in tests/core/test_scrub.py.
"""

import dataclasses
from typing import Any

import pytest
from msgspec.structs import replace

from syncd.core import plan, regression
from syncd.core.plan import PlanContext
from syncd.model import (
    Action,
    Announcement,
    Call,
    Condition,
    Group,
    GroupKind,
    Issue,
    IssueState,
    Occasion,
    Place,
    Plan,
    Point,
    Release,
    SourceState,
    Storm,
)
from tests.factories import make_group, make_issue, make_policy
from tests.golden import golden

NOW = 1_800_000_000.0
HOUR, DAY = 3600.0, 86400.0
CLOSED_AT = NOW - 10 * DAY  # when people closed the issue
BEFORE, AFTER = CLOSED_AT - DAY, CLOSED_AT + DAY
PROBES = (20.0, 60.0, 180.0)
UNSEEN = Condition(closed=False)
ORIGINAL = Place(remote_id="9", key="K-9", url="https://tracker.example/9")


def entry(
    release: str, count: int, noticed: float = BEFORE, grown: float | None = None, last: float | None = None
) -> Release:
    """A line of the ledger: noticed at a time, grown since or not."""
    grown = noticed if grown is None else grown
    return Release(
        release=release,
        occurrences=count,
        noticed_at=noticed,
        grown_at=grown,
        first_seen=int(noticed),
        last_seen=int(grown if last is None else last),
    )


def old(release: str, count: int = 5, since: int = 0) -> tuple[Release, int]:
    """A release known when the issue was closed, with `since` occurrences that came afterwards."""
    return entry(release, count + since, BEFORE, AFTER if since else BEFORE), count


def new(release: str, count: int = 3) -> tuple[Release, int]:
    """A release first reported after the closing."""
    return entry(release, count, AFTER), 0


def came_back(*lines: tuple[Release, int], issue: dict[str, Any] | None = None, **closing: Any) -> tuple[Group, Issue]:
    """A group and its issue, closed as done ten days ago, with these lines in the ledger."""
    releases = tuple(line for line, _ in lines)
    counts = {line.release: count for line, count in lines if count}
    total = sum(line.occurrences for line in releases)
    group = make_group(
        occurrences=total,
        releases=releases,
        revision=9,
        last_seen=int(AFTER),
        trail=(Point(at=AFTER, occurrences=total),),
    )
    closed: dict[str, Any] = {"closed": True, "resolution": "completed", "closed_at": CLOSED_AT} | closing
    condition = Condition(**closed)
    baseline = {regression.TOTAL: sum(counts.values())} | counts
    facts = {"key": "K-1", "synced_revision": 8, "synced_at": NOW - DAY, "condition": condition, "baseline": baseline}
    return group, make_issue(**facts | (issue or {}))


def several(pair: tuple[Group, Issue]) -> tuple[Group, Issue]:
    """The same group and issue, with aliases whose occurrences are in the numbers."""
    return replace(pair[0], aliases=("f2", "f3")), pair[1]


def decide(group: Group, issue: Issue | None, route: dict[str, Any] | None = None, **around: Any) -> Plan:
    policy = make_policy(**(route or {}))
    decision = plan.plan(group, issue, policy, PlanContext(probe_after=PROBES, **around), NOW)
    # Complaint 31: whatever is decided can be explained.
    assert decision.rule
    assert decision.reason
    return decision


def fresh(**facts: Any) -> Group:
    """A group without an issue, first reported an hour ago."""
    points = facts.pop("points", [(NOW - HOUR, facts.get("occurrences", 1))])
    trail = tuple(
        Point(at=at, occurrences=count, users=facts.get("users") or 0, hosts=facts.get("hosts") or 0)
        for at, count in points
    )
    return make_group(**{"trail": trail} | facts)


RESOLVED = SourceState("resolved", NOW - HOUR, 2)
HEX = ("0x7ff6a1b2c3d4", "game.exe+0x1234", "??")
ZERO = "0" * 64

# Before a group has an issue.
UNFILED: list[tuple[str, Group, dict[str, Any], dict[str, Any], Action, str]] = [
    # what happens, the group, the route's keys, the circumstances, what is decided, by which rule
    ("a group is filed at once", fresh(), {}, {}, Action.CREATE, "new"),
    ("#13 too few occurrences", fresh(occurrences=9), {"min_occurrences": 10}, {}, Action.HOLD, "threshold"),
    ("#13 just enough occurrences", fresh(occurrences=10), {"min_occurrences": 10}, {}, Action.CREATE, "new"),
    ("#13 too few users", fresh(users=1), {"min_users": 2}, {}, Action.HOLD, "threshold"),
    ("#13 just enough users", fresh(users=2), {"min_users": 2}, {}, Action.CREATE, "new"),
    ("#13 nobody said how many users", fresh(users=None), {"min_users": 1}, {}, Action.HOLD, "threshold"),
    ("#13 too few machines", fresh(hosts=4), {"min_hosts": 5}, {}, Action.HOLD, "threshold"),
    ("#13 just enough machines", fresh(hosts=5), {"min_hosts": 5}, {}, Action.CREATE, "new"),
    ("#13 nobody said how many machines", fresh(hosts=None), {"min_hosts": 1}, {}, Action.HOLD, "threshold"),
    ("older than what is remembered of it", fresh(points=[], first_seen=int(NOW - 3 * HOUR)), {"min_age": "2h"}, {}, Action.CREATE, "new"),
    ("younger, by the crash's own time", fresh(points=[], first_seen=int(NOW - HOUR)), {"min_age": "2h"}, {}, Action.HOLD, "threshold"),
    ("nobody knows how old", fresh(points=[], first_seen=None), {"min_age": "2h"}, {}, Action.CREATE, "new"),
    ("#12 all that is missing is said", fresh(occurrences=1, users=1), {"min_occurrences": 2, "min_users": 3}, {}, Action.HOLD, "threshold"),
    ("one looping install is not many users", fresh(occurrences=9000, users=1), {"min_users": 2}, {}, Action.HOLD, "threshold"),
    ("too young", fresh(), {"min_age": "2h"}, {}, Action.HOLD, "threshold"),
    ("just old enough", fresh(), {"min_age": "1h"}, {}, Action.CREATE, "new"),
    ("a second too young", fresh(), {"min_age": 3601}, {}, Action.HOLD, "threshold"),
    ("enough, but long ago", fresh(occurrences=12, points=[(NOW - 3 * DAY, 11), (NOW - HOUR, 12)]), {"min_occurrences": 10, "within": "1d"}, {}, Action.HOLD, "threshold"),
    ("enough within the window", fresh(occurrences=12, points=[(NOW - 3 * DAY, 2), (NOW - HOUR, 12)]), {"min_occurrences": 10, "within": "1d"}, {}, Action.CREATE, "new"),
    ("what came at the window's very edge is outside", fresh(occurrences=12, points=[(NOW - DAY, 12)]), {"min_occurrences": 10, "within": "1d"}, {}, Action.HOLD, "threshold"),
    ("users within the window", replace(fresh(users=9, occurrences=2), trail=(Point(at=NOW - 3 * DAY, occurrences=1, users=9), Point(at=NOW - 1, occurrences=2, users=1))), {"min_users": 2, "within": "1d"}, {}, Action.HOLD, "threshold"),
    ("machines within the window", replace(fresh(hosts=9, occurrences=3), trail=(Point(at=NOW - 1, occurrences=3, hosts=3),)), {"min_hosts": 3, "within": "1d"}, {}, Action.CREATE, "new"),
    ("fewer machines within the window", replace(fresh(hosts=9, occurrences=2), trail=(Point(at=NOW - 3 * DAY, occurrences=1, hosts=9), Point(at=NOW - 1, occurrences=2, hosts=1))), {"min_hosts": 2, "within": "1d"}, {}, Action.HOLD, "threshold"),
    ("a count of all users is not that of the window", replace(fresh(users=20, occurrences=40), trail=(Point(at=NOW - 3 * DAY, occurrences=39, users=19), Point(at=NOW - 1, occurrences=40, users=20))), {"min_users": 20, "within": "1d"}, {}, Action.HOLD, "threshold"),
    ("machines whenever, without a window", replace(fresh(hosts=5), trail=(Point(at=NOW - 1, occurrences=1),)), {"min_hosts": 5}, {}, Action.CREATE, "new"),
    ("its age is that of its first notification", fresh(occurrences=2, points=[(NOW - 3 * HOUR, 1), (NOW - HOUR, 2)]), {"min_age": "2h"}, {}, Action.CREATE, "new"),
    ("no symbols, and nobody minds", fresh(callstack=HEX), {}, {}, Action.CREATE, "new"),
    ("no symbols, held", fresh(callstack=HEX), {"hold_unsymbolicated": True}, {}, Action.HOLD, "unsymbolicated"),
    ("symbols have come", fresh(callstack=("draw", "0x7ff6a1b2c3d4")), {"hold_unsymbolicated": True}, {}, Action.CREATE, "new"),
    ("no stack at all is not missing symbols", fresh(callstack=()), {"hold_unsymbolicated": True}, {}, Action.CREATE, "new"),
    ("thresholds come before symbols", fresh(callstack=HEX), {"hold_unsymbolicated": True, "min_occurrences": 5}, {}, Action.HOLD, "threshold"),
    ("the fingerprint of no stack", fresh(fingerprint=ZERO), {}, {}, Action.HOLD, "zero-fingerprint"),
    ("the fingerprint of no stack, filed by choice", fresh(fingerprint=ZERO), {}, {"hold_zero": False}, Action.CREATE, "new"),
    ("a merged fingerprint is a crash", fresh(fingerprint="0" * 40 + "a" * 24), {}, {}, Action.CREATE, "new"),
    ("its end came before any occurrence", fresh(occurrences=0, source_state=RESOLVED), {}, {}, Action.HOLD, "no-occurrence"),
    ("its source calls it resolved", fresh(source_state=RESOLVED), {}, {}, Action.CREATE, "new"),
    ("its source calls it resolved, which closes issues", fresh(source_state=RESOLVED), {}, {"closes": True}, Action.HOLD, "source-resolved"),
    ("its source calls it regressed", fresh(source_state=replace(RESOLVED, name="regressed")), {}, {"closes": True}, Action.CREATE, "new"),
    ("#11 the route is paused", fresh(), {}, {"paused": "a release day"}, Action.HOLD, "route-paused"),
    ("#11 the route has filed enough", fresh(), {}, {"wait": 600.0}, Action.HOLD, "storm"),
    ("#11 the route may file again in half a second", fresh(), {}, {"wait": 0.5}, Action.HOLD, "storm"),
    ("#11 the route files its storm first", fresh(), {}, {"ahead": 3}, Action.HOLD, "storm"),
    ("#11 many new groups come at once", fresh(), {}, {"gathers": True, "place": 3, "due_in": 60.0}, Action.HOLD, "storm"),
    ("#11 a group with many users waits behind larger ones of a storm", fresh(users=5000), {}, {"ahead": 3, "place": 3, "due_in": 0.0}, Action.HOLD, "storm"),
    ("#12 below the threshold there is no storm", fresh(), {"min_occurrences": 5}, {"wait": 600.0}, Action.HOLD, "threshold"),
    ("a pause is named before a storm", fresh(), {}, {"wait": 600.0, "paused": "quiet"}, Action.HOLD, "route-paused"),
    ("#32 an alias files nothing", fresh(follows="abc"), {}, {}, Action.NOTHING, "alias"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "group", "route", "context", "action", "rule"), [pytest.param(*row, id=row[0]) for row in UNFILED]
)
def test_a_group_without_an_issue(
    case: str, group: Group, route: dict[str, Any], context: dict[str, Any], action: Action, rule: str
) -> None:
    decision = decide(group, None, route, **context)

    assert (decision.action, decision.rule) == (action, rule)
    golden("decisions", f"without an issue: {case}", decision.reason)


# After people have closed the issue: lines of the ledger, the closing, the route's keys.
CLOSED: list[tuple[str, tuple[Group, Issue], dict[str, Any], Action, str]] = [
    ("nothing new", came_back(old("2.3.1")), {}, Action.UPDATE, "nothing-new"),
    ("#14 an old client goes on crashing", came_back(old("2.3.1", since=12), fixed_in=("2.4.0",)), {}, Action.UPDATE, "fixed-in"),
    ("#14 an old client is heard of for the first time", came_back(old("2.3.1"), new("2.2.0"), fixed_in=("2.4.0",)), {}, Action.UPDATE, "fixed-in"),
    ("it came back in the release with the fix", came_back(old("2.3.1"), new("2.4.0"), fixed_in=("2.4.0",)), {}, Action.REOPEN, "fixed-in"),
    ("it came back in a later release", came_back(old("2.3.1"), new("2.5.0"), fixed_in=("2.4.0",)), {}, Action.REOPEN, "fixed-in"),
    ("it came back in a pre-release of the fix", came_back(old("2.3.1"), new("2.4.0-rc.1"), fixed_in=("2.4.0",)), {}, Action.UPDATE, "early-build"),
    ("#14 10.18.7 comes after 10.24.0", came_back(old("10.24.0"), new("10.18.7")), {}, Action.UPDATE, "known-releases"),
    ("#15 parts of any length", came_back(old("145.1.87.42"), new("145.1.88.0")), {}, Action.REOPEN, "known-releases"),
    ("#15 2.10 is newer than 2.9", came_back(old("2.9"), new("2.10")), {}, Action.REOPEN, "known-releases"),
    ("#17 closed before the fix shipped", came_back(old("2.3.1", since=40)), {}, Action.UPDATE, "known-at-closing"),
    ("#17 closed before the fix shipped, named all the same", came_back(old("2.4.0", since=4), fixed_in=("2.4.0",)), {}, Action.UPDATE, "rebuilt"),
    ("nobody named a release: a newer one counts", came_back(old("2.3.1"), new("2.3.2")), {}, Action.REOPEN, "known-releases"),
    ("nobody named a release: the newest known one counts, not the last", came_back(old("2.4.0"), old("2.3.1"), new("2.3.9")), {}, Action.UPDATE, "known-releases"),
    ("#14 a later patch of an older line", came_back(old("2.3.1"), new("2.3.2"), fixed_in=("2.4.0",)), {}, Action.UPDATE, "fixed-in"),
    ("#14 a later patch of an older line, where the route says so", came_back(old("2.3.1"), new("2.3.2"), fixed_in=("2.4.0",)), {"hotfix_regressions": True}, Action.REOPEN, "hotfix-line"),
    ("an older patch of an older line, even so", came_back(old("2.3.1"), new("2.3.0"), fixed_in=("2.4.0",)), {"hotfix_regressions": True}, Action.UPDATE, "fixed-in"),
    ("a line nobody knew, even so", came_back(old("2.3.1"), new("2.2.9"), fixed_in=("2.4.0",)), {"hotfix_regressions": True}, Action.UPDATE, "fixed-in"),
    ("fixed in two lines: the older line's own fix holds", came_back(old("2.3.1"), new("2.3.6"), fixed_in=("2.4.0", "2.3.5")), {}, Action.REOPEN, "fixed-in"),
    ("fixed in two lines: before the older line's own fix", came_back(old("2.3.1"), new("2.3.4"), fixed_in=("2.4.0", "2.3.5")), {}, Action.UPDATE, "fixed-in"),
    ("fixed in two lines: a line without a fix", came_back(old("2.2.0"), new("2.2.9"), fixed_in=("2.4.0", "2.3.5")), {}, Action.UPDATE, "fixed-in"),
    ("#15 a release that cannot be compared", came_back(old("2.3.1"), new("deadbeef"), fixed_in=("2.4.0",)), {}, Action.UPDATE, "incomparable"),
    ("#15 a release that cannot be compared, where the route says so", came_back(old("2.3.1"), new("deadbeef"), fixed_in=("2.4.0",)), {"unknown_release": "regression"}, Action.REOPEN, "unknown-release"),
    ("a release that cannot be compared beside one that can", came_back(old("2.3.1"), new("deadbeef"), new("2.4.0"), fixed_in=("2.4.0",)), {}, Action.REOPEN, "fixed-in"),
    ("the milestone is no release", came_back(old("2.3.1"), new("2.4.0"), fixed_in=("Sprint forty",)), {}, Action.REOPEN, "known-releases"),
    ("nothing was known to compare with", came_back(new("2.4.0"), issue={"baseline": {regression.TOTAL: 4}}), {}, Action.UPDATE, "incomparable"),
    ("no release at all", came_back(issue={"baseline": {regression.TOTAL: 0}}), {}, Action.UPDATE, "nothing-new"),
    ("#16 too few of a bogus release", came_back(old("2.3.1"), new("999.9.9", 2)), {"min_regression_occurrences": 3}, Action.UPDATE, "min-regression-occurrences"),
    ("#16 just enough", came_back(old("2.3.1"), new("2.4.0", 3)), {"min_regression_occurrences": 3}, Action.REOPEN, "known-releases"),
    ("#16 enough in several releases together", came_back(old("2.3.1"), new("2.4.0", 2), new("2.5.0", 1)), {"min_regression_occurrences": 3}, Action.REOPEN, "known-releases"),
    ("too few that cannot be compared", came_back(old("2.3.1"), new("nightly", 1)), {"min_regression_occurrences": 3, "unknown_release": "regression"}, Action.UPDATE, "min-regression-occurrences"),
    ("#20 #21 won't fix", came_back(old("2.3.1"), new("2.5.0"), resolution="Won't Fix"), {}, Action.UPDATE, "wont-fix"),
    ("#21 won't fix, with a typographic apostrophe", came_back(old("2.3.1"), new("2.5.0"), resolution="Won\u2019t Fix"), {}, Action.UPDATE, "wont-fix"),
    ("#21 not planned", came_back(old("2.3.1"), new("2.5.0"), resolution="not_planned"), {}, Action.UPDATE, "wont-fix"),
    ("#21 cancelled", came_back(old("2.3.1"), new("2.5.0"), resolution="CANCELLED"), {}, Action.UPDATE, "wont-fix"),
    ("#21 a resolution of the team's own", came_back(old("2.3.1"), new("2.5.0"), resolution="Shelved"), {"wont_fix": ["shelved"]}, Action.UPDATE, "wont-fix"),
    ("#20 a resolution that nobody listed is done", came_back(old("2.3.1"), new("2.5.0"), resolution="Shelved"), {}, Action.REOPEN, "known-releases"),
    ("#20 no resolution at all is done", came_back(old("2.3.1"), new("2.5.0"), resolution=""), {}, Action.REOPEN, "known-releases"),
    ("#21 a duplicate of something unknown", came_back(old("2.3.1"), new("2.5.0"), resolution="Duplicate"), {}, Action.UPDATE, "duplicate"),
    ("#21 a duplicate of another issue", came_back(old("2.3.1"), new("2.5.0"), resolution="duplicate", duplicate_of=ORIGINAL), {}, Action.FOLLOW, "duplicate"),
    ("#21 a duplicate of an issue followed before", came_back(old("2.3.1"), resolution="duplicate", duplicate_of=ORIGINAL, issue={"followed": ("9",)}), {}, Action.UPDATE, "duplicate"),
    ("#21 a duplicate of itself", came_back(old("2.3.1"), resolution="duplicate", duplicate_of=dataclasses.replace(ORIGINAL, remote_id="7001")), {}, Action.UPDATE, "duplicate"),
    ("linked to another issue, but closed as done", came_back(old("2.3.1"), new("2.5.0"), duplicate_of=ORIGINAL), {}, Action.REOPEN, "known-releases"),
    ("#9 the label that asks for silence", came_back(old("2.3.1"), new("2.5.0"), labels=("syncd:ignore",)), {}, Action.NOTHING, "muted"),
    ("#9 another label", came_back(old("2.3.1"), new("2.5.0"), labels=("crash",)), {}, Action.REOPEN, "known-releases"),
    ("#9 a label of the team's own", came_back(old("2.3.1"), new("2.5.0"), labels=("hush",)), {"ignore_label": "hush"}, Action.NOTHING, "muted"),
    ("#9 a locked conversation", came_back(old("2.3.1"), new("2.5.0"), locked=True), {}, Action.NOTHING, "muted"),
    ("#18 the route comments only", came_back(old("2.3.1"), new("2.5.0")), {"on_regression": "comment"}, Action.COMMENT, "known-releases"),
    ("#18 the route files anew", came_back(old("2.3.1"), new("2.5.0")), {"on_regression": "new_issue"}, Action.RENEW, "known-releases"),
    ("#18 #19 closed within the window", came_back(old("2.3.1"), new("2.5.0")), {"reopen_window": "10d"}, Action.REOPEN, "known-releases"),
    ("#18 #19 closed well within the window", came_back(old("2.3.1"), new("2.5.0")), {"reopen_window": "11d"}, Action.REOPEN, "known-releases"),
    ("#18 #19 closed too long ago", came_back(old("2.3.1"), new("2.5.0")), {"reopen_window": 10 * DAY - 1}, Action.RENEW, "known-releases"),
    ("#19 a window is nothing to who comments only", came_back(old("2.3.1"), new("2.5.0")), {"reopen_window": "1d", "on_regression": "comment"}, Action.COMMENT, "known-releases"),
    ("#19 nobody knows when it was closed", came_back(old("2.3.1"), new("2.5.0"), closed_at=None), {"reopen_window": "1d"}, Action.REOPEN, "known-releases"),
    ("#22 it was answered and could not be reopened", came_back(old("2.3.1"), new("2.5.0"), issue={"answered": ("2.5.0",)}), {}, Action.UPDATE, "answered"),
    ("it comes back in one release more", came_back(old("2.3.1"), new("2.5.0"), new("2.6.0"), issue={"answered": ("2.5.0",)}), {}, Action.REOPEN, "known-releases"),
    ("a crash of before that is told of late", came_back((entry("2.5.0", 3, AFTER, last=BEFORE), 0), old("2.3.1")), {}, Action.UPDATE, "nothing-new"),
    ("a crash in the second of the closing", came_back((entry("2.5.0", 3, AFTER, last=CLOSED_AT), 0), old("2.3.1")), {}, Action.UPDATE, "nothing-new"),
    ("a release noticed in the second of the closing is known", came_back(old("2.3.1"), (entry("2.5.0", 3, CLOSED_AT, AFTER), 1)), {}, Action.UPDATE, "known-at-closing"),
    ("the bucket of too many releases has no order", came_back(old("2.3.1"), (entry("(other releases)", 3, AFTER), 0)), {}, Action.UPDATE, "unknown-release"),
    ("#23 one of several fingerprints of an issue came back", several(came_back(old("2.3.1"), new("2.5.0"))), {}, Action.REOPEN, "known-releases"),
    ("#23 all of several fingerprints are old clients", several(came_back(old("2.3.1", since=9))), {}, Action.UPDATE, "known-at-closing"),
    ("#30 it is never closed by syncd", came_back(old("2.3.1"), closed=False, closed_at=None, resolution=""), {}, Action.UPDATE, "older-state"),
    ("#18 a person reopened it", came_back(old("2.3.1"), new("2.5.0"), closed=False, closed_at=None, resolution="reopened"), {}, Action.UPDATE, "older-state"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "pair", "route", "action", "rule"), [pytest.param(*row, id=row[0]) for row in CLOSED])
def test_an_issue_that_people_closed(
    case: str, pair: tuple[Group, Issue], route: dict[str, Any], action: Action, rule: str
) -> None:
    decision = decide(*pair, route)

    assert (decision.action, decision.rule) == (action, rule)
    golden("decisions", f"closed: {case}", decision.reason)


def linked(**facts: Any) -> Issue:
    """An issue that shows an older state, synced long ago."""
    baseline = {regression.TOTAL: 9, "2.3.1": 9}
    defaults = {"synced_revision": 1, "synced_at": NOW - DAY, "condition": UNSEEN, "baseline": baseline}
    return make_issue(**defaults | facts)


def grown(
    occurrences: int = 10, releases: tuple[str, ...] = ("2.3.1",), at: float = NOW - 1, revision: int = 2
) -> Group:
    trail = (Point(at=at, occurrences=occurrences),)
    lines = tuple(entry(release, occurrences) for release in releases)
    return make_group(occurrences=occurrences, releases=lines, trail=trail, revision=revision)


# What a source reports of a crash with an issue: the report, the issue, whether that closes issues.
REPORTED: list[tuple[str, SourceState, Issue, bool, Action, str]] = [
    ("resolved", RESOLVED, linked(), True, Action.CLOSE, "source-resolved"),
    ("resolved, and nobody asked to close issues", RESOLVED, linked(), False, Action.UPDATE, "older-state"),
    ("regressed", replace(RESOLVED, name="regressed"), linked(), True, Action.UPDATE, "older-state"),
    ("resolved before the issue showed a later state", RESOLVED, linked(synced_revision=2), True, Action.UPDATE, "older-state"),
    ("resolved while the last call was under way", RESOLVED, linked(synced_at=NOW - 1), True, Action.CLOSE, "source-resolved"),
    ("resolved, in an issue that a person closed", RESOLVED, linked(condition=Condition(closed=True, resolution="done", closed_at=NOW - DAY)), True, Action.UPDATE, "nothing-new"),
    ("resolved, in an issue with the label that asks for silence", RESOLVED, linked(condition=Condition(closed=False, labels=("syncd:ignore",))), True, Action.NOTHING, "muted"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "state", "issue", "closes", "action", "rule"), [pytest.param(*row, id=row[0]) for row in REPORTED]
)
def test_what_a_source_reports_closes_an_issue_once_and_only_where_that_is_asked_for(
    case: str, state: SourceState, issue: Issue, closes: bool, action: Action, rule: str
) -> None:
    decision = decide(replace(grown(9, revision=3), source_state=state), issue, closes=closes)

    assert (decision.action, decision.rule) == (action, rule)
    golden("decisions", f"reported: {case}", decision.reason)


MILESTONES, NEW_RELEASE = {"comment_milestones": True}, {"comment_new_release": True}

# What an update tells beside the numbers: the group, the issue, the route's keys, the announcements as (occasion, subject).
ANNOUNCED: list[tuple[str, Group, Issue, dict[str, Any], list[tuple[Occasion, str]]]] = [
    ("#10 nothing, by default", grown(1000, ("2.3.1", "2.4.0")), linked(), {}, []),
    ("#10 ten occurrences", grown(10), linked(), MILESTONES, [(Occasion.MILESTONE, "10")]),
    ("#10 not nine", grown(9), linked(baseline={regression.TOTAL: 8}), MILESTONES, []),
    ("#10 several milestones at once are one", grown(1234), linked(), MILESTONES, [(Occasion.MILESTONE, "1000")]),
    ("#10 a milestone that was shown before", grown(12), linked(baseline={regression.TOTAL: 10}), MILESTONES, []),
    ("#10 a milestone that was told before", grown(12), linked(announced=("milestone 10",)), MILESTONES, []),
    ("#10 nothing before it is known what was shown", grown(1000), linked(baseline={}), MILESTONES, []),
    ("#10 a new release", grown(10, ("2.3.1", "2.4.0")), linked(), NEW_RELEASE, [(Occasion.RELEASE, "2.4.0")]),
    ("#10 an older release is no new one", grown(10, ("2.3.1", "2.2.0")), linked(), NEW_RELEASE, []),
    ("#10 a release nobody can order is no new one", grown(10, ("2.3.1", "nightly")), linked(), NEW_RELEASE, []),
    ("#10 of two new releases the newer one", grown(10, ("2.3.1", "2.4.0", "2.5.0")), linked(), NEW_RELEASE, [(Occasion.RELEASE, "2.5.0")]),
    ("#10 of two names of a new release one", grown(10, ("2.3.1", "2.4.0", "v2.4.0")), linked(), NEW_RELEASE, [(Occasion.RELEASE, "2.4.0")]),
    ("#10 a new release that was told before", grown(10, ("2.3.1", "2.4.0")), linked(announced=("release 2.4.0",)), NEW_RELEASE, []),
    ("#10 nothing on a closed issue", grown(10, ("2.3.1", "2.4.0")), linked(condition=Condition(closed=True, resolution="won't fix")), MILESTONES | NEW_RELEASE, []),
    ("#30 quiet for long enough", grown(9, at=NOW - 90 * DAY, revision=1), linked(), {"quiet_after": "90d"}, [(Occasion.QUIET, str(int(NOW - 90 * DAY)))]),
    ("#30 quiet for much longer", grown(9, at=NOW - 200 * DAY), linked(), {"quiet_after": "90d"}, [(Occasion.QUIET, str(int(NOW - 200 * DAY)))]),
    ("#30 quiet once, and then not", replace(grown(9), trail=(Point(at=NOW - 200 * DAY, occurrences=1), Point(at=NOW - 1, occurrences=9))), linked(), {"quiet_after": "90d"}, []),
    ("#30 a long way, and quiet since", replace(grown(9), trail=(Point(at=NOW - 300 * DAY, occurrences=1), Point(at=NOW - 100 * DAY, occurrences=9))), linked(), {"quiet_after": "90d"}, [(Occasion.QUIET, str(int(NOW - 100 * DAY)))]),
    ("#10 nothing below ten, even at the very first", grown(9), linked(baseline={regression.TOTAL: 0, "2.3.1": 0}), MILESTONES, []),
    ("#30 quiet, but a second too short", grown(9, at=NOW - 90 * DAY + 1), linked(), {"quiet_after": "90d"}, []),
    ("#30 quiet, and told before", grown(9, at=NOW - 90 * DAY), linked(announced=(f"quiet {int(NOW - 90 * DAY)}",)), {"quiet_after": "90d"}, []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("group", "issue", "route", "expected"), [pytest.param(*row[1:], id=row[0]) for row in ANNOUNCED]
)
def test_announcements_of_an_update(
    group: Group, issue: Issue, route: dict[str, Any], expected: list[tuple[Occasion, str]]
) -> None:
    decision = decide(group, issue, route)

    assert decision.action is Action.UPDATE
    assert [(occasion, subject) for occasion, subject, _ in decision.remarks] == expected
    for occasion, subject in expected:
        assert (f"it was seen in {subject} for the first time" in decision.reason) is (occasion is Occasion.RELEASE)


OWED = Announcement(id=1, occasion=Occasion.MILESTONE, subject="10", facts={}, marker="m")

# Everything else about a linked issue: the group, the issue, the circumstances, what is decided, by which rule.
LINKED: list[tuple[str, Group, Issue, dict[str, Any], Action, str]] = [
    ("it shows an older state", grown(), linked(), {}, Action.UPDATE, "older-state"),
    ("it shows the latest state", grown(), linked(synced_revision=2), {}, Action.NOTHING, "current"),
    ("#26 it was updated just now", grown(), linked(synced_at=NOW - 1), {}, Action.WAIT, "status-interval"),
    ("a comment is owed, interval or not", grown(), linked(synced_at=NOW - 1, announcements=(OWED,)), {}, Action.UPDATE, "announcement"),
    ("a comment is owed though nothing changed", grown(), linked(synced_revision=2, announcements=(OWED,)), {}, Action.UPDATE, "announcement"),
    ("nobody has looked at it yet", grown(), linked(condition=None), {}, Action.UPDATE, "older-state"),
    ("the route is paused", grown(), linked(), {"paused": "quiet"}, Action.WAIT, "route-paused"),
    ("a storm of new groups holds up no update", grown(), linked(), {"wait": 600.0}, Action.UPDATE, "older-state"),
    ("#32 it became an alias", replace(grown(), follows="abc"), linked(), {}, Action.NOTHING, "alias"),
    ("#9 an open issue with the label that asks for silence", grown(), linked(condition=Condition(labels=("syncd:ignore",))), {}, Action.NOTHING, "muted"),
    ("#2 a create is under way", grown(), linked(state=IssueState.INTENDED), {}, Action.HOLD, "under-way"),
    ("#2 a create is in doubt", grown(), linked(state=IssueState.IN_DOUBT, sent_at=NOW - 20), {}, Action.PROBE, "in-doubt"),
    ("#2 a create is in doubt, and it is too early to look", grown(), linked(state=IssueState.IN_DOUBT, sent_at=NOW - 19), {}, Action.WAIT, "in-doubt"),
    ("a person must decide", grown(), linked(state=IssueState.PARKED), {}, Action.PARK, "parked"),
    ("it was deleted", grown(), linked(state=IssueState.DROPPED), {}, Action.DROP, "dropped"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "group", "issue", "context", "action", "rule"), [pytest.param(*row, id=row[0]) for row in LINKED]
)
def test_a_group_with_an_issue(
    case: str, group: Group, issue: Issue, context: dict[str, Any], action: Action, rule: str
) -> None:
    decision = decide(group, issue, **context)

    assert (decision.action, decision.rule) == (action, rule)
    golden("decisions", f"linked: {case}", decision.reason)


@pytest.mark.parametrize(
    ("losses", "state"),
    [
        (0, "shows the latest state"),
        (1, "shows the latest state"),
        (2, "has no status comment: people deleted it more than once"),
    ],
)
def test_a_status_comment_that_people_deleted_twice_is_not_added_again(losses: int, state: str) -> None:
    assert f" {state}" in decide(grown(), linked(synced_revision=2, comment_losses=losses)).reason


@pytest.mark.parametrize(
    ("context", "end"),
    [
        ({"ahead": 1}, "1 group of its storm goes first, those with the most users before all"),
        ({"ahead": 2}, "2 groups of its storm go first, those with the most users before all"),
        ({"ahead": 0, "gathers": True}, "0 groups of its storm go first, those with the most users before all"),
        ({"ahead": 1, "place": 2, "due_in": 0.9}, "it is number 2 in line, those with the most users first, and its turn is now"),
        ({"ahead": 1, "place": 2, "due_in": 1.0}, "and its turn is at about 2027-01-15 08:00 UTC"),
    ],
)  # fmt: skip
def test_a_group_that_waits_in_a_storm_has_a_place_and_a_time(context: dict[str, Any], end: str) -> None:
    assert decide(fresh(), None, **context).reason.endswith(end)


@pytest.mark.parametrize(
    ("announced", "condition", "clause"),
    [
        ((), UNSEEN, ""),
        (("release 2.4.0",), UNSEEN, ""),
        (("regression 1700000000 2.5.0 beta 1",), UNSEEN, "; its crash came back in 2.5.0 beta 1 after it was closed at 2023-11-14 22:13 UTC"),
        (("regression 1700000000 2.5.0",), None, "; its crash came back in 2.5.0 after it was closed at 2023-11-14 22:13 UTC"),
        (("regression 1700000000 ",), UNSEEN, "; its crash came back after it was closed at 2023-11-14 22:13 UTC"),
        (("regression 1700000000 2.5.0", "regression 1600000000 2.6.0"), UNSEEN, "; its crash came back in 2.5.0 after it was closed at 2023-11-14 22:13 UTC"),
        (("regression 0 2.5.0",), UNSEEN, "; its crash came back in 2.5.0 after it was closed"),
    ],
)  # fmt: skip
def test_an_issue_that_shows_the_latest_state_names_the_last_regression(
    announced: tuple[str, ...], condition: Condition | None, clause: str
) -> None:
    decision = decide(grown(), linked(synced_revision=2, announced=announced, condition=condition))

    assert decision.reason == f"#1 shows the latest state{clause}"


def test_a_closed_issue_names_no_regression_of_before() -> None:
    group, issue = came_back(old("2.3.1"), issue={"synced_revision": 9, "announced": ("regression 1700000000 2.2.0",)})

    assert "came back" not in decide(group, issue).reason


def test_what_nobody_can_tell_about_a_closed_issue_is_announced_once() -> None:
    group, issue = came_back(old("2.3.1"), new("deadbeef"))
    (remark,) = decide(group, issue).remarks
    announced = f"{remark[0]} {remark[1]}"

    assert announced == f"{Occasion.UNCLEAR} {int(CLOSED_AT)} incomparable"
    assert decide(group, dataclasses.replace(issue, announced=(announced,))).remarks == ()


WRITTEN, NO_ISSUE = "whose issue #1 (https://tracker.example/issues/1) shows its occurrences", "which has no issue yet"
NOT_WRITTEN = "to whose issue #1 (https://tracker.example/issues/1) syncd does not write: it was deleted"


@pytest.mark.parametrize(
    ("issue", "clause"),
    [
        (None, NO_ISSUE),
        (make_issue(state=IssueState.INTENDED, key=None), NO_ISSUE),
        (make_issue(), WRITTEN),
        (make_issue(state=IssueState.PARKED, note="it was deleted"), NOT_WRITTEN),
        (make_issue(state=IssueState.DROPPED, note="it was deleted"), NOT_WRITTEN),
    ],
)
@pytest.mark.parametrize("on_hold", [None, "a release day"])
def test_an_alias_names_the_issue_of_its_group_and_who_holds_it(
    issue: Issue | None, clause: str, on_hold: str | None
) -> None:
    reason = decide(fresh(follows="abc"), None, target=(make_group(on_hold=on_hold), issue)).reason

    assert f"it is an alias of abc, {clause}" in reason
    assert ("; an operator holds that group: a release day" in reason) is (on_hold is not None)


def stormy(held: int, over: bool = False) -> Group:
    storm = Storm(held=held, since=NOW - HOUR, over=over)
    return make_group(
        universe="syncd", project="main", fingerprint="storm main 1", kind=GroupKind.STORM, storm=storm, revision=2
    )


# The one issue of a storm: the group that stands for it, its issue.
STORMS: list[tuple[str, Group, Issue | None, Action, str]] = [
    ("#11 groups are held back", stormy(3), None, Action.CREATE, "storm"),
    ("#11 it is over before it was told of", stormy(0, over=True), None, Action.DROP, "storm-over"),
    ("#12 its numbers change", stormy(3), linked(), Action.UPDATE, "older-state"),
    ("#12 none is held back, but it may go on", stormy(0), linked(), Action.UPDATE, "older-state"),
    ("#12 it is over", stormy(0, over=True), linked(), Action.CLOSE, "storm-over"),
    ("#12 it is over, and nobody has looked yet", stormy(0, over=True), linked(condition=None), Action.CLOSE, "storm-over"),
    ("#12 it is over, and a person closed it", stormy(0, over=True), linked(condition=Condition(closed=True)), Action.DROP, "storm-over"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "group", "issue", "action", "rule"), [pytest.param(*row, id=row[0]) for row in STORMS]
)
def test_a_storm(case: str, group: Group, issue: Issue | None, action: Action, rule: str) -> None:
    decision = decide(group, issue)

    assert (decision.action, decision.rule) == (action, rule)
    golden("decisions", f"storm: {case}", decision.reason)


def test_a_group_too_young_is_judged_again_when_it_is_old_enough_and_not_when_more_is_missing() -> None:
    alone = decide(fresh(), None, {"min_age": "2h"})
    both = decide(fresh(), None, {"min_age": "2h", "min_users": 2})

    old_enough = decide(fresh(), None, {"min_age": "1h", "min_users": 2})

    assert (alone.until, alone.call) == (NOW + HOUR, Call.CREATE)
    assert old_enough.until is None
    assert decide(fresh(), None, {"min_age": "30m", "min_users": 2}).until is None
    assert both.until is None


def test_a_paused_route_is_asked_again_in_a_quarter_of_an_hour() -> None:
    assert decide(grown(), linked(), paused="quiet").until == NOW + 900


def test_a_group_born_in_the_future_was_received_before_the_clock_was_set_back() -> None:
    decision = decide(fresh(points=[(NOW + 50 * DAY, 1)]), None, {"min_age": "2h"})

    assert decision.until == NOW + 2 * HOUR


def test_a_regression_has_the_facts_of_its_comment() -> None:
    decision = decide(*came_back(old("2.3.1"), new("2.5.0", 4), fixed_in=("2.4.0",)))

    assert decision.regression is not None
    answer = decision.regression
    assert (answer.release, answer.occurrences, answer.fixed_in, answer.closed_at) == (
        "2.5.0",
        4,
        "2.4.0",
        CLOSED_AT,
    )
    assert decision.inputs == {"new": 4, "release": "2.5.0", "releases": "2.5.0", "fixed_in": "2.4.0"}


def test_the_reason_not_to_reopen_is_the_note_of_the_status_comment() -> None:
    older = decide(*came_back(old("2.3.1", since=1), fixed_in=("2.4.0",)))
    unclear = decide(*came_back(old("2.3.1"), new("deadbeef")))
    rejected = decide(*came_back(old("2.3.1"), new("2.5.0"), resolution="won't fix"))

    assert older.note == older.reason
    assert unclear.note == unclear.reason
    assert rejected.note == ""


def test_new_occurrences_without_a_release_are_noted_or_a_regression_as_the_route_decides() -> None:
    group, issue = came_back()
    group = replace(group, occurrences=7)

    noted = decide(group, issue)
    assert (noted.action, noted.rule) == (Action.UPDATE, "unknown-release")
    assert noted.note == noted.reason
    golden("decisions", "closed: new occurrences without a release", noted.reason)
    assert decide(group, issue, {"unknown_release": "regression"}).action is Action.REOPEN
    assert decide(replace(group, last_seen=int(CLOSED_AT)), issue).rule == "nothing-new"

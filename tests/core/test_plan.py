"""The next action of an issue: every state under every policy."""

import dataclasses
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from syncd.core import holds, markers, plan, policy
from syncd.core.plan import DueCall, PlanContext
from syncd.core.policy import Policy
from syncd.model import Action, Call, Group, GroupKind, Identity, Issue, IssueState, Occasion, Plan, Point
from tests.factories import FINGERPRINT, make_group, make_issue, make_policy
from tests.golden import golden

NOW = 1_800_000_000.0
KEY = "00" * 32


AROUND = PlanContext(probe_after=[20.0, 60.0, 180.0])


def a_route(tracker: str = "crashes", **keys: Any) -> Policy:
    return make_policy(tracker=tracker, **keys)


POLICY = a_route()


def every(interval: float) -> Policy:
    """A route with an interval that no configuration may have."""
    return dataclasses.replace(POLICY, status_interval=interval)


def decide(group: Group, issue: Issue | None, policy: Policy | None, now: float) -> Plan:
    return plan.plan(group, issue, policy, AROUND, now)


def owes(group: Group, issue: Issue | None, routes: Sequence[Policy], now: float) -> DueCall:
    return plan.next_call(group, issue, routes, True, now)


UNLINKED = (IssueState.WANTED, IssueState.INTENDED, IssueState.IN_DOUBT, IssueState.PARKED, IssueState.DROPPED)


def stale_issue(synced_at: float | None) -> Issue:
    return make_issue(synced_revision=4, synced_at=synced_at)


def group_at(revision: int) -> Group:
    return make_group(revision=revision)


# The one thing to do.


@pytest.mark.parametrize("issue", [None, make_issue(state=IssueState.WANTED, remote_id=None, key=None, url=None)])
def test_a_group_without_an_issue_gets_one(issue: Issue | None) -> None:
    decision = decide(make_group(), issue, POLICY, NOW)

    assert (decision.action, decision.until) == (Action.CREATE, None)


@pytest.mark.parametrize("issue", [None, make_issue(state=IssueState.WANTED)])
def test_a_group_that_no_route_takes_is_held(issue: Issue | None) -> None:
    decision = decide(make_group(), issue, None, NOW)

    assert (decision.action, decision.reason) == (Action.HOLD, holds.UNROUTED)


@pytest.mark.parametrize("policy", [POLICY, None])
@pytest.mark.parametrize(
    ("state", "action"),
    [
        (IssueState.INTENDED, Action.HOLD),
        (IssueState.PARKED, Action.PARK),
        (IssueState.DROPPED, Action.DROP),
    ],
)
@pytest.mark.parametrize("note", [None, "the answer was lost on the way"])
def test_an_issue_under_way_or_parked_gets_no_update(
    state: IssueState, action: Action, note: str | None, policy: Policy | None
) -> None:
    issue = make_issue(state=state, note=note, synced_revision=0, probe_at=0.0)
    decision = decide(group_at(99), issue, policy, NOW)

    assert (decision.action, decision.until) == (action, None)


@pytest.mark.parametrize(
    ("probe_at", "sent_at", "action", "until"),
    [
        pytest.param(None, NOW - 19, Action.WAIT, NOW + 1, id="it could still be committing"),
        pytest.param(None, NOW - 20, Action.PROBE, None, id="it is over by now"),
        pytest.param(NOW + 5, NOW - 500, Action.WAIT, NOW + 5, id="between two probes"),
        pytest.param(NOW, NOW - 500, Action.PROBE, None, id="the next probe is due"),
        pytest.param(NOW + 100, NOW - 500, Action.WAIT, NOW + 100, id="a later probe is due later"),
        pytest.param(NOW + 180, NOW - 500, Action.WAIT, NOW + 180, id="the last probe is due as late as any"),
        pytest.param(NOW + 181, NOW - 500, Action.PROBE, None, id="the clock was set back"),
        pytest.param(None, None, Action.PROBE, None, id="nobody knows when it was sent"),
    ],
)
def test_a_create_in_doubt_is_probed_when_its_tracker_can_tell(
    probe_at: float | None, sent_at: float | None, action: Action, until: float | None
) -> None:
    doubtful = make_issue(state=IssueState.IN_DOUBT, remote_id=None, probe_at=probe_at, sent_at=sent_at)
    decision = decide(group_at(99), doubtful, POLICY, NOW)

    assert (decision.action, decision.until, decision.call) == (action, until, Call.PROBE)
    assert decision.reason.startswith("in doubt: ")


@pytest.mark.parametrize("policy", [POLICY, None])
@pytest.mark.parametrize("revision", [3, 4])
def test_an_issue_that_shows_the_latest_state_needs_nothing(revision: int, policy: Policy | None) -> None:
    decision = decide(group_at(revision), stale_issue(synced_at=0.0), policy, NOW)

    assert decision.action is Action.NOTHING


@pytest.mark.parametrize(
    ("synced_at", "interval", "action", "until"),
    [
        pytest.param(NOW - 901, 900, Action.UPDATE, None, id="long ago"),
        pytest.param(NOW - 900, 900, Action.UPDATE, None, id="just long enough ago"),
        pytest.param(NOW - 899, 900, Action.WAIT, NOW + 1, id="a second too early"),
        pytest.param(NOW, 900, Action.WAIT, NOW + 900, id="just now"),
        pytest.param(NOW, 0, Action.UPDATE, None, id="no interval"),
        pytest.param(None, 900, Action.UPDATE, None, id="never"),
        pytest.param(NOW + 1, 900, Action.UPDATE, None, id="the clock was set back"),
        pytest.param(NOW + 1e9, 900, Action.UPDATE, None, id="the clock was set back by years"),
        pytest.param(NOW + 1, 0, Action.UPDATE, None, id="the clock was set back, no interval"),
    ],
)
def test_an_issue_that_shows_an_older_state_is_updated_at_most_once_in_an_interval(
    synced_at: float | None, interval: float, action: Action, until: float | None
) -> None:
    decision = decide(group_at(5), stale_issue(synced_at), every(interval), NOW)

    assert (decision.action, decision.until) == (action, until)


def test_an_issue_whose_group_no_route_takes_any_more_is_kept_up_to_date_all_the_same() -> None:
    assert decide(group_at(5), stale_issue(NOW - 901), None, NOW).action is Action.UPDATE
    assert decide(group_at(5), stale_issue(NOW - 100), None, NOW).until == NOW + plan.STATUS_INTERVAL - 100


@pytest.mark.parametrize("state", [None, *IssueState])
@pytest.mark.parametrize("policy", [POLICY, None])
@pytest.mark.parametrize("revision", [4, 5])
def test_every_decision_has_a_reason(state: IssueState | None, policy: Policy | None, revision: int) -> None:
    issue = make_issue(state=state, synced_revision=4, synced_at=NOW) if state else None

    assert decide(group_at(revision), issue, policy, NOW).reason.strip()


# What is owed.


def test_a_new_group_owes_its_route_s_tracker_a_call_at_once() -> None:
    routes = [a_route("mobile", match={"project": ["app"]}), a_route("crashes")]

    assert owes(make_group(), None, routes, NOW) == DueCall(tracker="crashes", due_at=NOW, route="main")
    assert owes(make_group(project="app"), None, routes, NOW) == DueCall(tracker="mobile", due_at=NOW, route="main")


def test_content_that_was_refused_is_not_owed_again_until_it_says_something_else() -> None:
    refused = make_group(application="client", occurrences=1)
    refused = replace(refused, refused=plan.content(refused))

    assert owes(replace(refused, occurrences=99, revision=7), None, [POLICY], NOW).tracker is None
    assert owes(replace(refused, application="server"), None, [POLICY], NOW).tracker == "crashes"
    assert owes(replace(refused, callstack=("other",)), None, [POLICY], NOW).tracker == "crashes"


def test_a_parked_or_dropped_issue_has_no_due_call_and_its_decision_stays() -> None:
    for state in (IssueState.PARKED, IssueState.DROPPED):
        assert owes(make_group(), make_issue(state=state), [POLICY], NOW) == DueCall(tracker=None)


ON_HOLD = make_group(revision=9, on_hold="wait for the release")


@pytest.mark.parametrize("state", [None, IssueState.WANTED, IssueState.LINKED])
def test_a_group_on_hold_has_no_due_call_and_nothing_is_written(state: IssueState | None) -> None:
    issue = None if state is None else make_issue(state=state)

    due = owes(ON_HOLD, issue, [POLICY], NOW)
    assert (due.tracker, due.route) == (None, "main")
    assert due.hold is not None
    assert due.hold.rule == holds.BY_HAND
    assert owes(ON_HOLD, issue, [], NOW).route is None
    decision = decide(ON_HOLD, issue, POLICY, NOW)
    assert (decision.action, decision.rule) == (Action.HOLD, holds.BY_HAND)
    golden("decisions", "on hold", decision.reason)


@pytest.mark.parametrize("state", [IssueState.INTENDED, IssueState.IN_DOUBT])
def test_a_create_in_doubt_is_probed_even_if_its_group_is_on_hold(state: IssueState) -> None:
    assert owes(ON_HOLD, make_issue(state=state), [POLICY], NOW).call is Call.PROBE
    assert decide(ON_HOLD, make_issue(state=state), POLICY, NOW).rule != holds.BY_HAND


def test_a_change_does_not_bring_a_probe_forward() -> None:
    doubtful = make_issue(state=IssueState.IN_DOUBT, probe_at=NOW + 40)

    owed = owes(make_group(), doubtful, [POLICY], NOW)
    assert (owed.due_at, owed.call) == (NOW + 40, Call.PROBE)


def test_a_group_that_no_route_takes_owes_nothing_and_says_why() -> None:
    owed = owes(make_group(), None, [], NOW)
    assert (owed.tracker, owed.hold and owed.hold.reason) == (None, holds.UNROUTED)
    assert owes(make_group(), make_issue(state=IssueState.WANTED), [], NOW).tracker is None


def test_a_wanted_issue_goes_where_the_routes_lead_now() -> None:
    wanted = make_issue(state=IssueState.WANTED, tracker="before")

    assert owes(make_group(), wanted, [a_route("now")], NOW).tracker == "now"


@pytest.mark.parametrize("state", [IssueState.LINKED, IssueState.INTENDED, IssueState.IN_DOUBT])
@pytest.mark.parametrize("routes", [[], [a_route("elsewhere")]])
def test_an_issue_stays_in_its_tracker_whatever_the_routes_say_now(state: IssueState, routes: list[Policy]) -> None:
    assert owes(make_group(), make_issue(state=state, tracker="crashes"), routes, NOW).tracker == "crashes"


@pytest.mark.parametrize(
    ("synced_at", "due_at"),
    [
        pytest.param(NOW - 10, NOW + 890, id="just updated"),
        pytest.param(NOW - 5000, NOW, id="long ago"),
        pytest.param(None, NOW, id="never"),
        pytest.param(NOW + 5000, NOW, id="the clock was set back"),
    ],
)
def test_an_update_is_owed_when_it_may_be_made(synced_at: float | None, due_at: float) -> None:
    assert owes(make_group(), stale_issue(synced_at), [POLICY], NOW).due_at == due_at


moments = st.floats(0, 4e9)


@settings(max_examples=200)
@given(moments, moments | st.none(), st.floats(0, 86_400), st.integers(0, 3))
def test_nothing_waits_longer_than_an_interval_nor_is_due_before_its_plan_is(
    now: float, synced_at: float | None, interval: float, revision: int
) -> None:
    route = every(interval)
    issue, group = make_issue(synced_revision=1, synced_at=synced_at), group_at(revision)

    owed = owes(group, issue, [route], now)
    assert now <= owed.due_at <= now + interval
    if owed.due_at == now:
        assert decide(group, issue, route, now).action is not Action.WAIT
    decision = decide(group, issue, route, now)
    assert decision.until is None or decision.until == owed.due_at


# Routes.


def test_the_first_route_that_matches_wins() -> None:
    routes = [a_route("first", match={"project": ["game-*"]}), a_route("second", match={"project": ["game-server"]})]

    taken = policy.route(make_group(project="game-server"), [*routes, a_route("rest")])
    assert taken == routes[0]
    assert policy.route(make_group(project="web"), routes) is None
    assert policy.route(make_group(project="web"), []) is None


@pytest.mark.parametrize(
    ("patterns", "takes"),
    [
        ({}, True),
        ({"project": ["game"]}, True),
        ({"project": ["g*"]}, True),
        ({"project": ["g?me"]}, True),
        ({"project": ["game?"]}, False),
        ({"project": ["GAME"]}, False),
        ({"project": ["am"]}, False),
        ({"project": ["web", "game"]}, True),
        ({"project": ["web", "shop"]}, False),
        ({"universe": ["acme"], "project": ["game"], "application": ["client"]}, True),
        ({"universe": ["acme"], "project": ["game"], "application": ["server"]}, False),
        ({"universe": ["other"], "project": ["game"], "application": ["client"]}, False),
    ],
)
def test_a_route_takes_a_group_when_each_key_fits_one_of_its_patterns(patterns: dict[str, object], takes: bool) -> None:
    group = make_group(universe="acme", project="game", application="client")

    assert (policy.route(group, [a_route(match=patterns)]) is not None) is takes


@pytest.mark.parametrize(("pattern", "takes"), [("*", True), ("", True), ("?*", False), ("client", False)])
def test_a_group_without_an_application_fits_only_patterns_that_fit_an_empty_text(pattern: str, takes: bool) -> None:
    route = a_route(match={"application": [pattern]})

    assert (policy.route(make_group(), [route]) is not None) is takes


# Back-off.


def test_each_try_waits_twice_as_long_up_to_an_hour() -> None:
    waits = [plan.backoff(attempts) for attempts in range(1, 15)]

    assert waits[:5] == [2, 4, 8, 16, 32]
    assert waits == sorted(waits)
    assert waits[-1] == 3600


@given(st.integers(1, 10**9))
def test_a_wait_is_never_shorter_than_two_seconds_nor_longer_than_an_hour(attempts: int) -> None:
    assert 2 <= plan.backoff(attempts) <= 3600


def test_a_misconfigured_tracker_rests_longer_and_longer_up_to_a_quarter_of_an_hour() -> None:
    assert [plan.pause(attempts) for attempts in range(6)] == [60, 120, 240, 480, 900, 900]
    assert plan.pause(10**6) == 900


# What is held owes nothing, or something later.


def test_a_group_that_lacks_something_owes_nothing_and_one_that_only_is_too_young_owes_it_later() -> None:
    held = a_route(min_users=5)
    young = a_route(min_age="1h")
    group = make_group(trail=(Point(at=NOW - 600, occurrences=1),))

    lacking, waiting = owes(group, None, [held], NOW), owes(group, None, [young], NOW)
    assert (lacking.tracker, lacking.route) == (None, "main")
    assert lacking.hold is not None
    assert lacking.hold.rule == "threshold"
    assert (waiting.tracker, waiting.due_at, waiting.route) == ("crashes", NOW + 3000, "main")
    assert waiting.hold is not None
    assert owes(group, None, [], NOW).route is None


def test_a_group_that_a_storm_or_a_paused_route_holds_waits_for_who_lets_it_go() -> None:
    for rule in ("storm", "route-paused"):
        assert owes(make_group(held_by=rule), None, [POLICY], NOW) == DueCall(tracker=None)
    assert owes(make_group(held_by="threshold"), None, [POLICY], NOW).tracker == "crashes"


def test_a_storm_is_held_by_no_threshold() -> None:
    storm = make_group(universe="syncd", project="main", kind=GroupKind.STORM)

    assert owes(storm, None, [a_route(min_users=5)], NOW).tracker == "crashes"
    assert owes(storm, None, [], NOW).tracker is None


def test_a_create_in_doubt_without_a_time_is_due_now() -> None:
    doubtful = make_issue(state=IssueState.IN_DOUBT, probe_at=None)

    assert owes(make_group(), doubtful, [POLICY], 0.5).due_at == 0.5


def test_contents_and_remarks_are_identified_by_32_hex_digits() -> None:
    assert len(plan.content(make_group())) == 32
    left = markers.of_comment(KEY, "m", Occasion.RELEASE, "2.0")
    assert len(left) == 32
    assert left != markers.of_comment(KEY, "m", Occasion.RELEASE, "2.1")
    assert left != markers.of_comment(KEY, "n", Occasion.RELEASE, "2.0")
    assert left != markers.of_comment(KEY, "m", Occasion.REGRESSION, "2.0")


def test_the_reason_of_a_doubt_is_the_error_of_its_create() -> None:
    def reason(note: str | None) -> str:
        return decide(make_group(), make_issue(state=IssueState.IN_DOUBT, note=note), POLICY, NOW).reason

    assert "its answer was lost (no answer within 15 s);" in reason("no answer within 15 s")
    assert "its answer was lost;" in reason(None)


# The marker.

# What an identity may hold: no control characters. `payload` refuses them.
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
short = st.text("ab-", min_size=1, max_size=3)
trackers = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,8}", fullmatch=True)


def marker(tracker: str, *identity: str, key: str = KEY) -> str:
    return markers.of_issue(key, tracker, Group(identity=Identity(*identity)))


@settings(max_examples=200)
@given(trackers, names, names, names)
def test_a_marker_is_32_hex_digits_and_always_the_same(
    tracker: str, universe: str, project: str, fingerprint: str
) -> None:
    text = marker(tracker, universe, project, fingerprint)

    assert len(text) == 32
    assert set(text) <= set("0123456789abcdef")
    assert marker(tracker, universe, project, fingerprint) == text


@settings(max_examples=200)
@given(st.tuples(short, short, short, short), st.tuples(short, short, short, short))
def test_two_groups_or_trackers_never_share_a_marker(left: tuple[str, ...], right: tuple[str, ...]) -> None:
    assert (marker(*left) == marker(*right)) is (left == right)


@settings(max_examples=200)
@given(st.text("ab", min_size=4, max_size=8), st.data())
def test_characters_moved_from_one_field_to_the_next_make_another_marker(text: str, data: st.DataObject) -> None:
    places = st.sets(st.integers(1, len(text) - 1), min_size=3, max_size=3).map(sorted)

    def cut(places: list[int]) -> list[str]:
        bounds = [0, *places, len(text)]
        return [text[start:end] for start, end in pairwise(bounds)]

    left, right = cut(data.draw(places)), cut(data.draw(places))
    assert (marker(*left) == marker(*right)) is (left == right)


def test_a_marker_is_the_same_for_a_sha256_in_upper_and_lower_case_and_for_nothing_else() -> None:
    assert marker("t", "u", "p", FINGERPRINT.upper()) == marker("t", "u", "p", FINGERPRINT)
    assert marker("t", "u", "p", "ABC") != marker("t", "u", "p", "abc")
    assert marker("t", "u", "P", FINGERPRINT) != marker("t", "u", "p", FINGERPRINT)


def test_a_marker_needs_the_key_of_the_instance() -> None:
    assert marker("t", "u", "p", "f", key="ff" * 32) != marker("t", "u", "p", "f")


def test_the_facts_of_a_group_do_not_change_its_marker() -> None:
    grown = make_group(occurrences=99, application="b", callstack=("g",), revision=7)

    assert markers.of_issue(KEY, "t", grown) == markers.of_issue(KEY, "t", make_group())


def test_a_retired_issue_and_its_successor_have_different_markers() -> None:
    own = {markers.of_issue(KEY, "t", make_group(), generation) for generation in range(4)}

    assert len(own) == 4


@pytest.mark.parametrize("state", UNLINKED)
def test_nothing_but_a_linked_issue_is_ever_updated(state: IssueState) -> None:
    issue = make_issue(state=state, synced_revision=0, synced_at=None)

    assert decide(group_at(9), issue, POLICY, NOW).action is not Action.UPDATE

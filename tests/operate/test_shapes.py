"""The JSON of `groups`, `show`, `status` and `dead list`: a contract with whoever reads it. Extended, never broken."""

import json
from dataclasses import dataclass

import pytest

from syncd.model import Group, GroupView, Identity, Issue, IssueState, Release
from syncd.operate import shapes
from tests.factories import make_group, make_issue


@dataclass(frozen=True)
class Counts:
    inbox_waiting: int = 1
    outbox_due: int = 2
    outbox_waiting: int = 3
    linked: int = 4
    in_doubt: int = 5
    parked: int = 6
    dropped: int = 10
    doubles: int = 11
    held: int = 7
    dead: int = 8
    quarantined: int = 9


@dataclass(frozen=True)
class TrackerStanding:
    state: str
    reason: str | None = None
    until: float | None = None
    cause: str | None = None


@dataclass(frozen=True)
class Letter:
    universe: str = "acme"
    project: str = "game"
    fingerprint: str = "f1"
    kind: str = "parked"
    tracker: str = "crashes"
    reason: str = "3 probes found no issue"
    since: float = 1_800_000_000.5
    cause: str | None = "doubt"
    issue: Issue | None = None


@dataclass(frozen=True)
class Past:
    at: float
    action: str
    reason: str
    outcome: str | None
    rule: str | None = None
    inputs: str | None = None


GROUP = make_group(
    universe="acme",
    project="game",
    fingerprint="AB" * 32,
    application="client",
    group_url="https://acme.sp.backtrace.io/g",
    callstack=("draw", "main"),
    object_id="2e6",
    classifiers=("segfault",),
    occurrences=12,
    approximate=True,
    notifications=3,
    hosts=2,
    users=0,
    first_seen=100,
    last_seen=300,
    revision=3,
    releases=(
        Release(release="1.2", occurrences=12, approximate=True, first_seen=100, last_seen=300, since=100, until=300),
    ),
)


def standing(group: Group = GROUP, issue: Issue | None = None) -> GroupView:
    return GroupView(group=group, issue=issue, decision="hold", reason="no route matches this group", rule="unrouted")


def test_a_group_has_exactly_the_promised_keys_and_approximate_releases() -> None:
    issue = make_issue(tracker="crashes", key="#7", url="https://tracker.example/7", doubles="#9, #12")

    assert shapes.group(standing(issue=issue)) == {
        "universe": "acme",
        "project": "game",
        "fingerprint": "AB" * 32,
        "application": "client",
        "occurrences": 12,
        "approximate": True,
        "notifications": 3,
        "hosts": 2,
        "users": 0,
        "first_seen": 100,
        "last_seen": 300,
        "releases": [{"release": "1.2", "occurrences": 12, "approximate": True, "first_seen": 100, "last_seen": 300}],
        "issue": {
            "tracker": "crashes",
            "key": "#7",
            "url": "https://tracker.example/7",
            "state": "linked",
            "doubles": "#9, #12",
            "condition": None,
        },
        "aliases": [],
        "follows": None,
        "decision": {"action": "hold", "reason": "no route matches this group", "rule": "unrouted"},
    }


def test_what_is_not_known_is_null_and_never_left_out() -> None:
    bare = Group(identity=Identity("u", "p", "f"), releases=(Release(release="1", occurrences=1),))

    told = json.loads(json.dumps(shapes.group(standing(bare))))
    assert set(told) == set(shapes.group(standing()))
    unknown = ("application", "hosts", "users", "first_seen", "last_seen", "issue")
    assert [told[name] for name in unknown] == [None] * len(unknown)
    assert told["releases"] == [
        {"release": "1", "occurrences": 1, "approximate": False, "first_seen": None, "last_seen": None}
    ]


def test_a_group_without_releases_has_an_empty_list_of_them() -> None:
    assert shapes.group(standing(make_group()))["releases"] == []


@pytest.mark.parametrize(
    ("state", "told"),
    [
        pytest.param(IssueState.LINKED, "linked", id="linked"),
        pytest.param(IssueState.IN_DOUBT, "in_doubt", id="in doubt"),
        pytest.param(IssueState.INTENDED, "in_doubt", id="being created: undecided to everyone else"),
        pytest.param(IssueState.PARKED, "parked", id="parked"),
        pytest.param(IssueState.DROPPED, "dropped", id="dropped"),
    ],
)
def test_an_issue_is_linked_in_doubt_parked_or_dropped(state: IssueState, told: str) -> None:
    issue = make_issue(state=state, key=None, url=None)

    assert shapes.group(standing(issue=issue))["issue"] == {
        "tracker": "crashes",
        "key": None,
        "url": None,
        "state": told,
        "doubles": None,
        "condition": None,
    }


def test_a_shown_group_is_that_of_the_list_and_more() -> None:
    past = Past(at=1.5, action="create", reason="the group has no issue yet", outcome="#7")

    issue = make_issue(probes=2, probe_at=1_800_000_060.5, sent_at=1_800_000_000.5, doubles="#9")

    whole = shapes.whole(standing(issue=issue), [past])
    assert whole == shapes.group(standing(issue=issue)) | {
        "issue": {
            "tracker": "crashes",
            "key": "#1",
            "url": "https://tracker.example/issues/1",
            "state": "linked",
            "doubles": "#9",
            "condition": None,
            "marker": "0123456789abcdef0123456789abcdef",
            "sent_at": 1_800_000_000.5,
            "probes": 2,
            "probe_at": 1_800_000_060.5,
        },
        "group_url": "https://acme.sp.backtrace.io/g",
        "object_id": "2e6",
        "classifiers": ["segfault"],
        "callstack": ["draw", "main"],
        "attributes": {},
        "trail": [],
        "history": [
            {
                "at": 1.5,
                "action": "create",
                "reason": "the group has no issue yet",
                "outcome": "#7",
                "rule": None,
                "inputs": {},
            }
        ],
    }
    assert json.loads(json.dumps(whole)) == whole
    assert shapes.whole(standing(), [])["issue"] is None


def test_a_status_has_exactly_the_promised_keys() -> None:
    paused = TrackerStanding("paused", "the token was refused", 1_800_000_000.5, "misconfigured")

    status = shapes.status(Counts(), {"crashes": paused}, {"crashes": 12})
    assert status == {
        "inbox": {"waiting": 1},
        "outbox": {"due": 2, "waiting": 3},
        "issues": {"linked": 4, "in_doubt": 5, "parked": 6, "dropped": 10, "doubles": 11},
        "held": 7,
        "dead": 8,
        "quarantined": 9,
        "trackers": {
            "crashes": {
                "state": "paused",
                "reason": "the token was refused",
                "until": 1_800_000_000.5,
                "cause": "misconfigured",
                "writes_left": 12,
            },
        },
    }
    assert json.loads(json.dumps(status)) == status


def test_every_tracker_is_told_in_order_of_name_whether_configured_called_or_both() -> None:
    called = {
        "removed": TrackerStanding("ok"),
        "both": TrackerStanding("paused", "it asked for silence", 5.0, "throttled"),
    }

    trackers = shapes.status(Counts(), called, {"never called": 0, "both": None})["trackers"]
    calm = {"state": "ok", "reason": None, "until": None, "cause": None}
    assert trackers == {
        "both": {
            "state": "paused",
            "reason": "it asked for silence",
            "until": 5.0,
            "cause": "throttled",
            "writes_left": None,
        },
        "never called": calm | {"writes_left": 0},
        "removed": calm | {"writes_left": None},
    }
    assert isinstance(trackers, dict)
    assert list(trackers) == ["both", "never called", "removed"]


def test_a_letter_has_exactly_the_promised_keys() -> None:
    told = shapes.letter(Letter())

    assert told == {
        "universe": "acme",
        "project": "game",
        "fingerprint": "f1",
        "kind": "parked",
        "tracker": "crashes",
        "since": 1_800_000_000.5,
        "reason": "3 probes found no issue",
        "cause": "doubt",
        "issue": None,
    }
    assert json.loads(json.dumps(told)) == told


def test_a_letter_about_an_issue_tells_which() -> None:
    issue = make_issue(key="#7", state=IssueState.PARKED)

    assert shapes.letter(Letter(issue=issue))["issue"] == shapes.group(standing(issue=issue))["issue"]

"""The JSON of `groups`, `show`, `status` and `dead list` is a contract with programs: it is extended, never broken."""

import json
from dataclasses import replace

import pytest

from syncd.model import Group, GroupView, Identity, Issue, IssueState, Release
from syncd.operate import shapes
from syncd.store.dead_letters import DeadLetter, Kind
from syncd.store.report import Counts, Owed, Past, TrackerStanding
from tests.factories import make_group, make_issue

COUNTS = Counts(
    inbox_waiting=1, outbox_due=2, outbox_waiting=3, linked=4, intended=3, in_doubt=5, parked=6, dropped=10, doubles=11, by_hand=13, held=7,
    storms=12, dead=8, quarantined=9,
)  # fmt: skip
LETTER = DeadLetter(
    group_id=1, universe="acme", project="game", fingerprint="f1", kind=Kind.PARKED, tracker="crashes",
    reason="3 probes found no issue", since=1_800_000_000.5, cause="doubt", issue=None,
)  # fmt: skip
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
    issue = make_issue(tracker="crashes", key="#7", url="https://tracker.example/7", doubles="#9, #12", owners=("ada",))

    assert shapes.group(standing(issue=issue)) == {
        "universe": "acme",
        "project": "game",
        "fingerprint": "AB" * 32,
        "application": "client",
        "occurrences": 12,
        "approximate": True,
        "at_most": None,
        "reading": "between",
        "notifications": 3,
        "hosts": 2,
        "users": 0,
        "first_seen": 100,
        "last_seen": 300,
        "releases": [
            {
                "release": "1.2",
                "occurrences": 12,
                "approximate": True,
                "at_most": None,
                "first_seen": 100,
                "last_seen": 300,
            }
        ],
        "issue": {
            "tracker": "crashes",
            "key": "#7",
            "url": "https://tracker.example/7",
            "state": "linked",
            "doubles": "#9, #12",
            "by_hand": None,
            "owners": ["ada"],
            "condition": None,
        },
        "aliases": [],
        "follows": None,
        "decision": {"action": "hold", "reason": "no route matches this group", "rule": "unrouted"},
    }


def test_an_unknown_value_is_null_and_never_omitted() -> None:
    bare = Group(identity=Identity("u", "p", "f"), releases=(Release(release="1", occurrences=1),))

    shape = json.loads(json.dumps(shapes.group(standing(bare))))
    assert set(shape) == set(shapes.group(standing()))
    unknown = ("application", "hosts", "users", "first_seen", "last_seen", "issue")
    assert [shape[name] for name in unknown] == [None] * len(unknown)
    assert shape["releases"] == [
        {"release": "1", "occurrences": 1, "approximate": False, "at_most": None, "first_seen": None, "last_seen": None}
    ]


def test_a_group_without_releases_has_an_empty_list_of_them() -> None:
    assert shapes.group(standing(make_group()))["releases"] == []


@pytest.mark.parametrize(
    ("state", "json_state"),
    [
        pytest.param(IssueState.LINKED, "linked", id="linked"),
        pytest.param(IssueState.IN_DOUBT, "in_doubt", id="in doubt"),
        pytest.param(IssueState.INTENDED, "being_filed", id="being filed"),
        pytest.param(IssueState.PARKED, "parked", id="parked"),
        pytest.param(IssueState.DROPPED, "dropped", id="dropped"),
    ],
)
def test_an_issue_is_linked_in_doubt_parked_or_dropped(state: IssueState, json_state: str) -> None:
    issue = make_issue(state=state, key=None, url=None)

    assert shapes.group(standing(issue=issue))["issue"] == {
        "tracker": "crashes",
        "key": None,
        "url": None,
        "state": json_state,
        "doubles": None,
        "by_hand": None,
        "owners": None,
        "condition": None,
    }


def test_show_extends_the_element_of_groups() -> None:
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
            "by_hand": None,
            "owners": None,
            "condition": None,
            "marker": "0123456789abcdef0123456789abcdef",
            "sent_at": 1_800_000_000.5,
            "probes": 2,
            "probe_at": 1_800_000_060.5,
        },
        "group_url": "https://acme.sp.backtrace.io/g",
        "page": None,
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
                "actor": None,
            }
        ],
    }
    assert json.loads(json.dumps(whole)) == whole
    assert shapes.whole(standing(), [])["issue"] is None


def test_a_status_has_exactly_the_promised_keys() -> None:
    paused = TrackerStanding(
        state="paused", reason="the token was refused", until=1_800_000_000.5, cause="misconfigured"
    )

    owed = {"crashes": Owed(groups=5, due=2, oldest_at=1_700_000_000.5)}
    status = shapes.status(COUNTS, {"crashes": paused}, owed, {"crashes": 12}, being_filed=2)
    assert status == {
        "inbox": {"waiting": 1},
        "outbox": {"due": 2, "waiting": 3},
        "issues": {
            "linked": 4,
            "being_filed": 2,
            "in_doubt": 6,
            "parked": 6,
            "dropped": 10,
            "doubles": 11,
            "by_hand": 13,
        },
        "held": 7,
        "dead": 8,
        "quarantined": 9,
        "trackers": {
            "crashes": {
                "state": "paused",
                "reason": "the token was refused",
                "until": 1_800_000_000.5,
                "cause": "misconfigured",
                "since": None,
                "calls": 0,
                "writes_left": 12,
                "groups": 5,
                "due": 2,
                "oldest_at": 1_700_000_000.5,
            },
        },
    }
    assert json.loads(json.dumps(status)) == status


def test_status_lists_configured_and_called_trackers_by_name() -> None:
    called = {
        "removed": TrackerStanding(state="ok"),
        "both": TrackerStanding(
            state="unreachable", reason="refused", until=5.0, cause="unreachable", since=1.0, calls=3
        ),
    }

    trackers = shapes.status(COUNTS, called, {}, {"never called": 0, "both": None}, being_filed=0)["trackers"]
    nothing = {"groups": 0, "due": 0, "oldest_at": None}
    calm = {"state": "ok", "reason": None, "until": None, "cause": None, "since": None, "calls": 0} | nothing
    assert trackers == {
        "both": {
            "state": "unreachable",
            "reason": "refused",
            "until": 5.0,
            "cause": "unreachable",
            "since": 1.0,
            "calls": 3,
            "writes_left": None,
            **nothing,
        },
        "never called": calm | {"writes_left": 0},
        "removed": calm | {"writes_left": None},
    }
    assert isinstance(trackers, dict)
    assert list(trackers) == ["both", "never called", "removed"]


def test_a_letter_has_exactly_the_promised_keys() -> None:
    shape = shapes.letter(LETTER)

    assert shape == {
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
    assert json.loads(json.dumps(shape)) == shape


def test_a_letter_about_an_issue_names_it() -> None:
    issue = make_issue(key="#7", state=IssueState.PARKED)

    assert shapes.letter(replace(LETTER, issue=issue))["issue"] == shapes.group(standing(issue=issue))["issue"]

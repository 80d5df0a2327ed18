"""A status as `operate.status` returns it, and what of it differs in each state that a person should know. Times are fixed."""

import errno
from collections.abc import Mapping
from typing import Any

from syncd.platform.http_server import refusal
from syncd.worker.sweeps import COPY

NOW = 1_800_000_000.0
MINUTE = 60.0


def process(part: str = "all", state: str = "alive") -> dict[str, Any]:
    return {"instance": "vm-17-ab", "part": part, "state": state, "beat_at": NOW - 14 * MINUTE}


def tracker(**overrides: Any) -> dict[str, Any]:
    calm = {
        "state": "ok",
        "reason": None,
        "until": None,
        "cause": None,
        "since": None,
        "calls": 0,
        "writes_left": None,
        "token_expires_at": None,
    }
    return calm | {"groups": 0, "due": 0, "oldest_at": None} | overrides


def channel(**overrides: Any) -> dict[str, Any]:
    calm = {"kind": "slack", "state": "ok", "reason": None, "since": None, "until": None, "attempts": 0}
    counts = {"waiting": 0, "oldest_at": None, "digest": None, "sent": 12, "lost": 0, "refused": 0, "expired": 0}
    return calm | counts | overrides


def status(**overrides: Any) -> dict[str, Any]:
    """The status of a daemon that is well, but for `overrides` at the top."""
    idle = {"oldest_at": None, "rate": 0.0, "seconds_left": None}
    return {
        "inbox": {"waiting": 0} | idle,
        "outbox": {"due": 0, "waiting": 0} | idle,
        "issues": {"linked": 7, "being_filed": 0, "in_doubt": 0, "parked": 0, "dropped": 0, "doubles": 0, "by_hand": 0},
        "held": 0,
        "dead": 0,
        "quarantined": 0,
        "trackers": {"game": tracker()},
        "held_by": [],
        "by_hand": [],
        "strays": [],
        "unreleased": None,
        "countings": [],
        "polls": [],
        "paused_routes": [],
        "storms": [],
        "instances": [process()],
        "channels": {"team": channel()},
        "console": {"listen": "127.0.0.1:8081", "faults": {"vm-17-ab": ""}},
        "hooks": [],
        "crashes": 0,
        "store": {"place": "/var/lib/syncd/syncd.db", "fault": None, "taken": 9e6, "free": 5e9, "detached_at": None},
    } | overrides


def issues(**counts: int) -> dict[str, int]:
    return {**status()["issues"], **counts}


def waiting(count: int, minutes: float, **rate: float) -> dict[str, Any]:
    return {**status()["inbox"], "waiting": count, "oldest_at": NOW - minutes * MINUTE, **rate}


# By what has happened: the state, and the status.
CASES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "the disk is full, or the store is locked or read-only": (
        "store_fault",
        status(store={"fault": "the database /var/lib/syncd/syncd.db cannot be used: the disk is full (SQLITE_FULL)", "free": 0, "detached_at": None}),
    ),
    "the daemon was stopped, or never started": ("no_daemon", status(instances=[], inbox=waiting(73, 3))),
    "the daemon was killed or crashed": ("no_daemon", status(instances=[process(state="dead")], inbox=waiting(951, 14))),
    "the daemon crashes again and again": ("crash_loop", status(crashes=4)),
    "only a receiver runs": (
        "no_worker",
        status(instances=[process("receiver")], inbox=waiting(20_000, 2)),
    ),
    "only a worker runs": ("no_receiver", status(instances=[process("worker")])),
    "another program uses the port of the console": (
        "no_console",
        status(
            console={
                "listen": "127.0.0.1:8081",
                "faults": {"vm-17-ab": refusal(("127.0.0.1", 8081), OSError(errno.EADDRINUSE, "Address already in use"))},
            }
        ),
    ),
    "a process is suspended, hangs, or lost its network": ("silent", status(instances=[process(), process("worker", "silent")])),
    "folding makes no progress, or less than arrives": (
        "inbox_stuck",
        status(inbox=waiting(20_000, 12, rate=25.0, seconds_left=800.0)),
    ),
    "a tracker cannot be reached": (
        "tracker_unreachable",
        status(trackers={"game": tracker(
                state="unreachable", cause="unreachable", reason="no connection to jira.example.com:443: refused",
                since=NOW - 40 * MINUTE, calls=37, until=NOW + MINUTE,
            )}),
    ),
    "a tracker refuses login, project or permission": (
        "tracker_rests",
        status(
            trackers={
                "game": tracker(state="paused", cause="misconfigured", reason="401 Bad credentials", until=NOW + 15 * MINUTE)
            }
        ),
    ),
    "a copy of the store files in the same tracker": (
        "store_copied",
        status(trackers={"game": tracker(state="paused", cause="copy", reason=COPY.format("acme/game#12", "game"))}),
    ),
    "a tracker is no longer configured, and groups wait for it": (
        "tracker_missing",
        status(trackers={"old": tracker(state="missing", reason="not configured any more, and 3 groups wait for it")}),
    ),
    "due groups are not sent, or more are due than the budget allows": (
        "outbox_stuck",
        status(trackers={"game": tracker(groups=420, due=400, oldest_at=NOW - 90 * MINUTE, writes_left=0)}),
    ),
    "a tracker refused the content of a group": ("dead_letters", status(dead=1)),
    "reading cannot prove whether an issue exists, or it is out of reach": ("parked", status(issues=issues(parked=2))),
    "a crash has two live issues": ("doubles", status(issues=issues(doubles=1))),
    "the workflow of a tracker does not let syncd reopen an issue whose crash came back": (
        "by_hand",
        status(
            issues=issues(by_hand=2),
            by_hand=[{"tracker": "game", "key": "GAME-7", "reason": "its crash came back: no transition leads to an open status; reopen it by hand"}],
        ),
    ),
    "a sender sent what is no notification": ("quarantined", status(quarantined=1200)),
    "the counts of a project cannot be read from Backtrace": (
        "backtrace_unread",
        status(polls=[{
                "project": "acme/game-client", "fresh": False, "polled_at": NOW - 300 * MINUTE, "whole_at": NOW - 300 * MINUTE, "begun_at": 1.0,
                "groups": 40, "older": 0, "reason": "no connection to acme.sp.backtrace.io:443: refused", "failing_since": NOW - 250 * MINUTE,
                "failures": 9, "until": NOW + 30 * MINUTE, "refused": False, "link_fault": "", "link_reason": "",
            }]),
    ),
    "Backtrace does not keep the tickets that syncd writes": (
        "backtrace_unlinked",
        status(polls=[{
                "project": "acme/game-client", "fresh": True, "polled_at": NOW, "whole_at": NOW, "begun_at": 1.0, "groups": 40, "older": 0, "reason": "",
                "failing_since": 0.0, "failures": 0, "until": 0.0, "refused": False,
                "link_fault": "3f9ac2d81e07: Backtrace accepted the ticket, and does not have it", "link_reason": "",
            }]),
    ),
    "the disk of the store is nearly full": ("disk_full", status(store=status()["store"] | {"free": 3e8})),
    "the token of a tracker expires soon": (
        "token_expires",
        status(trackers={"game": tracker(token_expires_at=NOW + 12 * 86400)}),
    ),
    "a channel takes no messages": (
        "channel_rests",
        status(channels={"team": channel(
                state="rests", reason="hooks.slack.com answers 404: no_service", since=NOW - 40 * MINUTE, attempts=7, waiting=3,
            )}),
    ),
    "a message to a channel was lost, refused or too old": ("notices_lost", status(channels={"team": channel(lost=1, expired=2)})),
    "an operator paused a tracker": (
        "tracker_paused",
        status(trackers={"game": tracker(state="paused", cause="operator", reason="moving")}),
    ),
    "a tracker asked for silence": (
        "tracker_waits",
        status(trackers={"game": tracker(state="slowed", cause="throttled", reason="429", until=NOW + MINUTE)}),
    ),
    "the answer to a create was lost": ("in_doubt", status(issues=issues(in_doubt=4))),
    "a restored store met issues that are newer than its backup": (
        "found_again",
        status(strays=[{"tracker": "game", "issues": 12, "found_at": NOW - 60 * MINUTE}]),
    ),
    "the store is a detached copy": ("detached", status(store=status()["store"] | {"detached_at": NOW - 60 * MINUTE})),
    "an operator paused a route": ("route_paused", status(paused_routes=[{"route": "all", "reason": "a release day"}])),
    "a route is in a storm": ("storm", status(storms=[{"route": "all", "held": 7}])),
}  # fmt: skip

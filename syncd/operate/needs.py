"""Derives from a status what a person should know, the worst first, and the sentence that sums it up. Pure.

`status`, the console's first page, /readyz and the metrics show what this module returns, and nothing else decides whether all is well.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from syncd.core.quantities import counted, duration, listed
from syncd.render.text import one_line, utc

INBOX_SECONDS = 300.0  # a delivery that waits longer shows that nothing folds
OUTBOX_SECONDS = 1800.0  # a call that is due longer shows that nothing calls its tracker
CRASHES = 3  # processes that ended without being stopped, within ten minutes
FREE_BYTES = 512 * 2**20
NEWS_SECONDS = 7 * 86400.0  # for so long what passes by itself, perhaps never, is listed
EXPIRY_SECONDS = 30 * 86400.0  # before a token expires
ATTEMPTS = 2  # failures in a row until a channel counts as one that takes no messages

# Every state that `needs` may name, in the order in which it lists them; the alarms come first.
ALARMS = (
    "store_fault", "no_daemon", "crash_loop", "no_worker", "no_receiver", "no_console", "silent", "inbox_stuck", "tracker_unreachable",
    "tracker_rests", "store_copied", "tracker_missing", "outbox_stuck", "dead_letters", "parked", "doubles", "by_hand", "quarantined",
    "backtrace_unread", "backtrace_unlinked", "disk_full", "token_expires", "channel_rests",
)  # fmt: skip
REMARKS = (
    "detached", "found_again", "tracker_paused", "tracker_waits", "in_doubt", "route_paused", "storm", "notices_lost",
)  # fmt: skip

PARTS = {"all": "receiver and worker", "receiver": "receiver", "worker": "worker"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing that a person should know: its state, the sentence, and the command and the console page that show it. An `alarm` needs a
    person; anything else is wanted by somebody or passes by itself. `count` is how many things of that kind there are."""

    state: str
    what: str
    count: int = 1
    command: str = ""
    page: str = ""

    @property
    def alarm(self) -> bool:
        """True if somebody has to act."""
        return self.state in ALARMS


# State, path in the status, singular, plural, command, page.
_COUNTED = (
    ("dead_letters", ("dead",), "dead letter: the tracker refused it for good", "dead letters: the tracker refused them for good",
     "dead list", "/dead"),
    ("parked", ("issues", "parked"), "group is parked: a person must decide", "groups are parked: a person must decide",
     "dead list", "/dead"),
    ("doubles", ("issues", "doubles"), "group has more than one live issue", "groups have more than one live issue",
     "groups --json", "/groups"),
    ("quarantined", ("quarantined",), "delivery is in quarantine", "deliveries are in quarantine", "quarantine list", "/quarantine"),
    ("in_doubt", ("issues", "in_doubt"), "create is in doubt: its answer was lost, and syncd is looking for the issue",
     "creates are in doubt: their answers were lost, and syncd is looking for the issues", "", "/groups?state=doubt"),
)  # fmt: skip


def needs(status: Mapping[str, Any], now: float) -> list[Need]:
    """What a person should know about a status (`operate.status`), the worst first."""
    unsorted = [*_of_machine(status, now), *_of_trackers(status, now), *_of_polls(status, now), *_of_channels(status)]
    for state, path, singular, plural, command, page in _COUNTED:
        count: Any = status
        for key in path:
            count = count[key]
        if count:
            what = f"{count:,} {singular if count == 1 else plural}"
            unsorted.append(Need(state=state, what=what, count=count, command=command, page=page))
    for issue in status["by_hand"][:1]:
        count = status["issues"]["by_hand"]
        several = f"{count:,} issues are left to people, the newest" if count > 1 else "1 issue is left to people,"
        what = f"{several} {issue['key']} of {issue['tracker']}: {one_line(issue['reason'], 300)}"
        unsorted.append(Need(state="by_hand", what=what, count=count, page="/groups?state=by_hand"))
    for stray in status["strays"]:
        if now - stray["found_at"] < NEWS_SECONDS:
            what = f"{counted(stray['issues'], 'issue')} of {stray['tracker']} that this store did not know of were found again at {utc(stray['found_at'])}: "
            what += "it is older than they are, as after a restored backup; each is linked when its crash occurs again"
            unsorted.append(Need(state="found_again", what=what, count=stray["issues"], page="/trackers"))
    for pause in status["paused_routes"]:
        what = f"route {pause['route']} is paused: {one_line(pause['reason'], 300)}"
        unsorted.append(Need(state="route_paused", what=what, page="/trackers"))
    for storm in status["storms"]:
        what = f"route {storm['route']} is in a storm and holds back {counted(storm['held'], 'group')}"
        unsorted.append(Need(state="storm", what=what, page="/groups?state=held&sort=users"))
    return sorted(unsorted, key=lambda need: (*ALARMS, *REMARKS).index(need.state))


def numbers(shape: Mapping[str, Any]) -> dict[str, int]:
    """Return how many things of each state a status has."""
    totals: dict[str, int] = {}
    for need in shape["needs"]:
        totals[need["state"]] = totals.get(need["state"], 0) + need["count"]
    return totals


def sentence(items: Sequence[Need]) -> tuple[bool, str]:
    """Return whether all is well, and the sentence that sums up the needs."""
    alarms = [item for item in items if item.alarm]
    if alarms:
        return False, f"{counted(len(alarms), 'thing')} {'needs' if len(alarms) == 1 else 'need'} attention."
    if items:
        return True, f"All is well; {listed([item.what.split(': ')[0] for item in items], 2)}."
    return True, "All is well."


def _of_machine(status: Mapping[str, Any], now: float) -> Iterator[Need]:
    """The needs of the store and of the processes that share it."""
    store, processes = status["store"], status["instances"]
    if store["fault"] is not None:
        yield Need(state="store_fault", what=f"notifications cannot be stored: {store['fault']}", command="check")
    elif store["free"] is not None and store["free"] < FREE_BYTES:
        what = f"the disk of the store has only {store['free'] / 2**20:,.0f} MB free"
        yield Need(state="disk_full", what=what, command="check")
    if store["detached_at"] is not None:
        what = f"this store is a detached copy: since {utc(store['detached_at'])} syncd writes to no tracker from it"
        yield Need(state="detached", what=what, page="/trackers")
    alive = [process for process in processes if process["state"] != "dead"]
    waits = _waits(status, now)
    if not alive:
        what = f"no daemon runs on this store{_ends(processes)}{f'; {waits}' if waits else ''}"
        yield Need(state="no_daemon", what=what, page="/trackers")
    for part, lacks in (
        ("worker", "nobody folds notifications or calls trackers"),
        ("receiver", "senders are refused"),
    ):
        if alive and not any(process["part"] in (part, "all") for process in alive):
            tail = f"; {waits}" if waits and part == "worker" else ""
            what = f"no {part} runs, so that {lacks}{_ends(processes)}{tail}"
            yield Need(state=f"no_{part}", what=what, page="/trackers")
    faults = status["console"]["faults"]
    # Of several processes with the same address one serves it.
    if faults and all(faults.values()):
        fault = f"{status['console']['listen']} cannot be used: {next(iter(faults.values()))}; then restart syncd"
        what = f"no console runs, so that nobody sees its pages and metrics: {one_line(fault, 300)}"
        yield Need(state="no_console", what=what, command="check")
    if status["crashes"] >= CRASHES:
        what = f"syncd has ended {status['crashes']} times within ten minutes without being stopped; its log has the reason"
        yield Need(state="crash_loop", what=what, page="/trackers")
    for process in alive:
        # Without a store nobody can send a heartbeat.
        if process["state"] == "silent" and store["fault"] is None:
            what = f"{process['instance']} ({PARTS[process['part']]}) has sent no heartbeat since {utc(process['beat_at'])}"
            yield Need(state="silent", what=what, page="/trackers")
    oldest = status["inbox"]["oldest_at"]
    if alive and oldest is not None and now - oldest > INBOX_SECONDS:
        yield Need(state="inbox_stuck", what=f"notifications wait too long to be folded: {waits}", page="/deliveries")


def _waits(status: Mapping[str, Any], now: float) -> str:
    """What waits in the inbox, since when, and how long it may take; empty if nothing waits."""
    inbox = status["inbox"]
    return pile(inbox, inbox["waiting"], "waiting in the inbox", now) if inbox["waiting"] else ""


def pile(queue: Mapping[str, Any], count: int, state: str, now: float) -> str:
    """`count` things in a state in a queue of a status, since when, and for how long at the present rate."""
    text = f"{count:,} {state}"
    if queue["oldest_at"] is not None:
        text += f", the oldest for {duration(max(0.0, now - queue['oldest_at']))}"
    if queue["seconds_left"] is not None:
        text += f", {queue['rate']:,.3g} a second, about {duration(queue['seconds_left'])} left"
    return text


def _ends(processes: Iterable[Mapping[str, Any]]) -> str:
    """How the registered processes ended that are dead; empty if each was stopped."""
    dead = [process for process in processes if process["state"] == "dead"]
    texts = [f"{each['instance']} ({PARTS[each['part']]}), last heartbeat {utc(each['beat_at'])}" for each in dead]
    return f"; killed or crashed: {listed(texts, 2)}" if texts else ""


_TRACKER_STATES = {"unreachable": "tracker_unreachable", "missing": "tracker_missing"}
_CAUSES = {"operator": "tracker_paused", "throttled": "tracker_waits", "copy": "store_copied"}


def _of_trackers(status: Mapping[str, Any], now: float) -> Iterator[Need]:
    """The needs of trackers that are not called, or not as often as groups are due."""
    for name, tracker in status["trackers"].items():
        if tracker["state"] != "ok":
            yield tracker_need(name, tracker, now)
        elif tracker["oldest_at"] is not None and now - tracker["oldest_at"] > OUTBOX_SECONDS:
            age = duration(now - tracker["oldest_at"])
            what = f"tracker {name} is called too seldom: {counted(tracker['due'], 'group')} due, the oldest for {age}"
            if tracker["writes_left"] == 0:
                what += "; its budget of writes is spent"
            yield Need(state="outbox_stuck", what=what, page="/trackers")
        expires_at = tracker["token_expires_at"]
        if expires_at is not None and expires_at - now < EXPIRY_SECONDS:
            when = f"expires in {duration(expires_at - now)}" if expires_at > now else "has expired"
            what = f"trackers.{name}.token {when} ({utc(expires_at - 1.0)[:10]}); make a new one, and set token_expires to its last day"
            yield Need(state="token_expires", what=what, command="check")


def _of_polls(status: Mapping[str, Any], now: float) -> Iterator[Need]:
    """The needs of projects whose counts cannot be read from Backtrace."""
    for poll in status["polls"]:
        if poll["failures"] and (poll["refused"] or not poll["fresh"]):
            tries = f"in {duration(poll['until'] - now)}" if poll["until"] > now else "now"
            counts = "the counts are those of its last poll" if poll["fresh"] else "notifications count instead"
            what = f"the counts of {poll['project']} are not read from Backtrace since {utc(poll['failing_since'])}, {counts}; the next try is {tries}"
            yield Need(state="backtrace_unread", what=f"{what}: {one_line(poll['reason'], 300)}", command="check")
        if reason := poll["link_fault"] or poll["link_reason"]:
            how = "no ticket any more" if poll["link_fault"] else "no ticket"
            what = f"syncd writes {how} into Backtrace's project {poll['project']}: {one_line(reason, 300)}"
            yield Need(state="backtrace_unlinked", what=what, command="check --try-link GROUP")


def _of_channels(status: Mapping[str, Any]) -> Iterator[Need]:
    """The needs of channels that take no messages, and of notices that nobody got in the last day."""
    for name, channel in status["channels"].items():
        waiting = f"; {counted(channel['waiting'], 'notice')} {'waits' if channel['waiting'] == 1 else 'wait'}"
        if channel["attempts"] >= ATTEMPTS:
            what = f"channel {name} takes no messages since {utc(channel['since'])}: {one_line(channel['reason'], 300)}{waiting}"
            yield Need(state="channel_rests", what=what, command=f"notices test {name}")
        gone = {state: channel[state] for state in ("lost", "refused", "expired") if channel[state]}
        if gone:
            number = sum(gone.values())
            parts = listed([f"{count:,} {state}" for state, count in gone.items()])
            what = f"channel {name} did not get {counted(number, 'notice')} of the last day: {parts}"
            yield Need(state="notices_lost", what=what, count=number, command=f"notices test {name}")


def tracker_need(name: str, tracker: Mapping[str, Any], now: float) -> Need:
    """The need of a tracker that does not take every call now."""
    state = _TRACKER_STATES.get(tracker["state"]) or _CAUSES.get(tracker["cause"], "tracker_rests")
    return Need(state=state, what=f"tracker {name} {tracker_state(tracker, now)}", page="/trackers")


def tracker_state(tracker: Mapping[str, Any], now: float) -> str:
    """Why a tracker of a status does not take every call now: the sentence after its name."""
    states = {
        "operator": "is paused by an operator",
        "copy": "rests",
        "misconfigured": "rests after a refusal",
        "throttled": "asked syncd to wait",
        "unreachable": "is unreachable",
    }
    state = states.get(tracker["cause"], f"is {tracker['state']}")
    if tracker["state"] == "slowed":
        state = "takes no calls of one kind"
    if tracker["state"] == "unreachable":
        calls = f", {counted(tracker['calls'], 'call')} in a row failed" if tracker["calls"] > 1 else ""
        tries = f"in {duration(tracker['until'] - now)}" if tracker["until"] > now else "now"
        state += f" since {utc(tracker['since'])}{calls}; the next try is {tries}"
    elif tracker["until"] is not None:
        due = tracker["until"] <= now
        state += "; syncd is trying it again now" if due else f" until {utc(tracker['until'])}"
    return f"{state}: {one_line(tracker['reason'], 300)}" if tracker["reason"] else state

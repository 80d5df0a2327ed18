"""The issue of a group, from the intent to create it to the day it is given up. Functions over a transaction of the caller's.

An intent is committed before the one request. The answer or a later probe says what became of it; only the sender of this
very intent, or whoever has proved it, may write that down.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import cast

from syncd.errors import LeaseLost
from syncd.model import Condition, Created, Issue, IssueState, Observation, Place, Settings
from syncd.store.connection import Transaction
from syncd.store.outbox import Claim
from syncd.store.records import issue_of, text_of

BITE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A create that is about to be sent: its marker, and the revision and ledger it shows. `route` counts it against its
    max_new_issues; None counts it nowhere. `previous` is the issue that the group had before, `settings` are what the create sets and
    `judged` what the rules ask for."""

    marker: str
    revision: int
    route: str | None = None
    baseline: Mapping[str, int] = field(default_factory=dict)
    previous: Place | None = None
    settings: Settings = field(default_factory=Settings)
    judged: Settings = field(default_factory=Settings)


def retired(transaction: Transaction, group_id: int) -> tuple[int, Place | None]:
    """Return the number of issues of the group that were given up, and the place of the last."""
    count = cast(int, transaction.rows("retired", group_id=group_id)[0]["issues"])
    rows = transaction.rows("last_retired", group_id=group_id) if count else []
    return count, _place(rows[0]) if rows else None


def look_alikes(transaction: Transaction, group_id: int, tracker: str, size: int = 3) -> Sequence[Place]:
    """Issues of other groups with the same application and frames."""
    return [_place(row) for row in transaction.rows("look_alikes", group_id=group_id, tracker=tracker, size=size)]


def at_place(transaction: Transaction, tracker: str, remote_id: str) -> Sequence[tuple[int, str]]:
    """The ids and fingerprints of the groups whose live issue is there: at most one, unless an older program wrote two."""
    rows = transaction.rows("issue_at", tracker=tracker, remote_id=remote_id)
    return [(cast(int, row["id"]), str(row["fingerprint"])) for row in rows]


def linked(transaction: Transaction, tracker: str, after: int) -> Sequence[tuple[int, Issue]]:
    """Up to BITE issues of a tracker that are linked or out of reach, with their numbers, which are above `after`."""
    rows = transaction.rows("linked_issues", tracker=tracker, after=after, size=BITE)
    return [(cast(int, row["id"]), issue_of(row)) for row in rows]


def quiet(transaction: Transaction, tracker: str, before: float) -> Sequence[int]:
    """The ids of up to BITE groups whose crash was not seen since a time and whose issue does not say so yet."""
    rows = transaction.rows("quiet_groups", tracker=tracker, before=int(before), size=BITE)
    return [cast(int, row["id"]) for row in rows]


def doubled(transaction: Transaction, tracker: str) -> Sequence[int]:
    """The ids of up to BITE groups whose issue has doubles."""
    return [cast(int, row["id"]) for row in transaction.rows("doubled_groups", tracker=tracker, size=BITE)]


def keep_doubles(transaction: Transaction, group_id: int, before: str, live: Sequence[str]) -> None:
    """Of the doubles `before`, only these keys are still live. Changes nothing where a double was added meanwhile."""
    transaction.run("keep_doubles", group_id=group_id, before=before, live=", ".join(live) or None)


def intend(transaction: Transaction, claim: Claim, intent: Intent, now: float) -> None:
    """Write down that a create is about to be sent. Raises LeaseLost where the group has an issue, or one in doubt."""
    transaction.run(
        "want_issue",
        group_id=claim.group_id,
        tracker=claim.tracker,
        marker=intent.marker,
        previous=None
        if intent.previous is None
        else json.dumps(asdict(intent.previous), ensure_ascii=False, sort_keys=True),
    )
    intended = transaction.run(
        "intend",
        group_id=claim.group_id,
        tracker=claim.tracker,
        marker=intent.marker,
        revision=intent.revision,
        route=intent.route,
        baseline=json.dumps(intent.baseline),
        settings=_settings_text(intent.settings, intent.judged),
        owner=claim.owner,
        now=now,
    )
    if not intended:
        raise LeaseLost(f"group {claim.group_id} already has an issue, or one in doubt")


def end_intent(transaction: Transaction, claim: Claim, state: IssueState, note: str) -> None:
    """The create of this claim's owner certainly failed (WANTED), or nobody knows (IN_DOUBT); no other state is meant."""
    transaction.run("end_intent", group_id=claim.group_id, owner=claim.owner, state=state, note=note)


def link(transaction: Transaction, group_id: int, issues: Sequence[Created], sender: str | None, now: float) -> bool:
    """The create of `sender`, by default of whoever sent the last one, led to the first of these issues; the others are its doubles.
    False where the group was decided upon meanwhile: then all of them are doubles."""
    linked = transaction.run(
        "link",
        group_id=group_id,
        sender=sender,
        remote_id=issues[0].remote_id,
        key=issues[0].key,
        url=issues[0].url,
        note="; ".join(issues[0].notes) or None,
        # When it was created tells it from an issue that gets its number once more.
        condition=None
        if issues[0].created_at is None
        else json.dumps(asdict(Condition(created_at=issues[0].created_at))),
        now=now,
    )
    for double in issues[1 if linked else 0 :]:
        add_double(transaction, group_id, double)
    return linked > 0


def add_double(transaction: Transaction, group_id: int, double: Created) -> None:
    """The tracker has a second live issue of the group."""
    transaction.run("add_double", group_id=group_id, key=double.key, remote_id=double.remote_id)


def skip_generation(transaction: Transaction, claim: Claim, marker: str, issue: Created | None, note: str) -> None:
    """The group had an issue with this marker before, where one is known, and gave it up."""
    place = None if issue is None else (issue.remote_id, issue.key, issue.url)
    remote_id, key, url = place or (None, None, None)
    transaction.run(
        "add_retired",
        group_id=claim.group_id,
        tracker=claim.tracker,
        marker=marker,
        remote_id=remote_id,
        key=key,
        url=url,
        note=note,
    )


def yield_place(transaction: Transaction, group_id: int, issue: Created, sender: str | None, note: str) -> bool:
    """The create of `sender`, as for `link`, led to an issue that stands for another group, and is retired; False where the group was
    decided upon meanwhile."""
    return (
        transaction.run(
            "yield_place",
            group_id=group_id,
            sender=sender,
            remote_id=issue.remote_id,
            key=issue.key,
            url=issue.url,
            note=note,
        )
        > 0
    )


def probed(
    transaction: Transaction, group_id: int, probe_at: float, *, tracker_clock: float | None = None, clean: bool = False
) -> None:
    """A create in doubt is probed again at `probe_at`; a `clean` probe, which found nothing, counts as evidence."""
    values = {"group_id": group_id, "probe_at": probe_at}
    if clean:
        transaction.run("probed", tracker_clock=tracker_clock, **values)
    else:
        transaction.run("probe_later", **values)


def lower_floor(transaction: Transaction, group_id: int, number: int) -> None:
    """The create in doubt may have led to any number above this one: the tracker was restored from a backup."""
    transaction.run("lower_issue_floor", group_id=group_id, number=number)


def absent(transaction: Transaction, group_id: int, note: str) -> None:
    """The create is proven not to have happened; the group wants an issue again."""
    transaction.run("absent", group_id=group_id, note=note)


def park(transaction: Transaction, group_id: int, note: str, cause: str) -> bool:
    """Nothing more is sent until a person decides; for the cause `deleted`, nothing ever. Return whether that is new."""
    return transaction.run("park", group_id=group_id, note=note, cause=cause) > 0


def retire(
    transaction: Transaction, group_id: int, note: str, *, wanted_too: bool = False, deleted: bool = False
) -> None:
    """Give the linked or parked issue up for another one; `wanted_too`: also one that is not created yet; `deleted`: because on_deleted says
    so."""
    if wanted_too:
        transaction.run("retire_live", group_id=group_id, note=note)
    else:
        transaction.run("retire", group_id=group_id, note=note, cause="deleted" if deleted else None)


def is_recreated(transaction: Transaction, group_id: int) -> bool:
    """True if the group's issue was filed because the one before it was deleted."""
    rows = transaction.rows("last_retired", group_id=group_id)
    return bool(rows) and rows[0]["cause"] == "deleted"


def read(transaction: Transaction, tracker: str, remote_ids: Sequence[str]) -> None:
    """A survey met these issues in their tracker."""
    transaction.batch("read_issues", [(tracker, remote_id) for remote_id in remote_ids])


def assign(transaction: Transaction, tracker: str, readings: Mapping[str, Observation]) -> None:
    """A survey read the owners of these issues, by their remote ids."""
    rows = [
        (tracker, remote_id, text_of(observation.owners), observation.changed_at)
        for remote_id, observation in readings.items()
    ]
    transaction.batch("assign", rows)


def reach_again(transaction: Transaction, group_id: int) -> None:
    """A survey met the parked issue, which was out of reach."""
    transaction.run("unpark_linked", group_id=group_id)


def lose_place(transaction: Transaction, group_id: int) -> None:
    """The place of a dropped issue holds another one by now; the group stays dropped."""
    transaction.run("lose_place", group_id=group_id)


def move(transaction: Transaction, group_id: int, place: Place, now: float) -> None:
    """The tracker has moved the issue to this place."""
    transaction.run("move_issue", group_id=group_id, now=now, remote_id=place.remote_id, key=place.key, url=place.url)


def see(
    transaction: Transaction,
    group_id: int,
    observation: Observation,
    baseline: Mapping[str, int],
    before: Issue,
    now: float,
) -> None:
    """Write the place and the condition of the issue, read by a look that began at `now`; `before` is the issue as it was loaded."""
    place, condition, latest = observation.place, observation.condition, before.condition
    # A label or a lock that asked for silence may be gone. Whoever changes anything has noticed what was left to people.
    opened = latest is not None and (latest.labels, latest.locked) != (condition.labels, condition.locked)
    transaction.run(
        "see_issue",
        group_id=group_id,
        now=now,
        remote_id=place.remote_id,
        key=place.key,
        url=place.url,
        condition=json.dumps(asdict(condition), ensure_ascii=False, sort_keys=True),
        baseline=json.dumps(dict(baseline), ensure_ascii=False),
        opened=int(opened),
        changed=int(latest is not None and latest != condition),
        looks=before.looks_owed,
        changed_at=observation.changed_at,
        owners=None if observation.owners is None else text_of(observation.owners),
        news_at=before.news_at,
    )


def leave_by_hand(transaction: Transaction, group_id: int, reason: str) -> None:
    """People have to do what the tracker did not let syncd do. That ends with the first look that finds the issue changed."""
    transaction.run("leave_by_hand", group_id=group_id, reason=reason)


def ask_look(transaction: Transaction, group_id: int, *, anew: bool = False) -> None:
    """The next sync looks at the issue before anything else; `anew`: it also writes again what the issue shows."""
    transaction.run("ask_look", group_id=group_id, anew=int(anew))


def save_settings(transaction: Transaction, group_id: int, settings: Settings, judged: Settings) -> None:
    """Write what syncd set on the linked issue so far, and what the rules asked for when that was compared with the issue."""
    transaction.run("save_settings", group_id=group_id, settings=_settings_text(settings, judged))


def _settings_text(settings: Settings, judged: Settings) -> str:
    return json.dumps({"set": asdict(settings), "judged": asdict(judged)}, ensure_ascii=False, sort_keys=True)


def follow(transaction: Transaction, group_id: int, issue: Issue, target: Place, note: str) -> None:
    """The issue at `target`, which stands for no group yet, stands for this one from now on."""
    transaction.run(
        "follow_issue",
        group_id=group_id,
        followed=json.dumps([*issue.followed, issue.remote_id]),
        note=note,
        remote_id=target.remote_id,
        key=target.key,
        url=target.url,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """What an issue that others filed had not to show when it began to stand for its group: the ledger and the revision of that time."""

    at: float
    revision: int
    ledger: Mapping[str, int]


def link_by_hand(
    transaction: Transaction,
    group_id: int,
    tracker: str,
    marker: str,
    place: Place,
    route: str | None,
    adopted: Adopted | None = None,
) -> None:
    """The issue that an operator names stands for the group; what the tracker refused before counts no more."""
    transaction.run(
        "link_by_hand",
        group_id=group_id,
        tracker=tracker,
        marker=marker,
        remote_id=place.remote_id,
        key=place.key,
        url=place.url,
        route=route,
        note="linked by an operator" if adopted is None else "adopted",
        revision=0 if adopted is None else adopted.revision,
        baseline=None if adopted is None else json.dumps(dict(adopted.ledger), ensure_ascii=False),
        adopted_at=None if adopted is None else adopted.at,
    )
    transaction.run("refuse", group_id=group_id, content=None)


def synced(
    transaction: Transaction,
    group_id: int,
    revision: int,
    baseline: Mapping[str, int] | None = None,
    now: float | None = None,
) -> None:
    """The issue shows `revision`, written at `now`; None where nothing of it is to be shown. `baseline` is the ledger it shows while it is
    open; None where it is closed."""
    if now is None:
        transaction.run("shows", group_id=group_id, revision=revision)
    else:
        text = None if baseline is None else json.dumps(baseline)
        transaction.run("synced", group_id=group_id, revision=revision, baseline=text, now=now)


def _place(row: Mapping[str, object]) -> Place:
    return Place(remote_id=str(row["remote_id"]), key=str(row["key"]), url=str(row["url"]))

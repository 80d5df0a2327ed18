"""The decisions about a create whose answer was lost: when to probe, and what the evidence proves. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from syncd.core.quantities import counted, utc
from syncd.model import Action, Call, Created, Issue, Observation, Plan

SECOND = 1.0  # the tracker's times have whole seconds
SECONDS_OF_BOTH = 2.0  # by so many two of them may be off
# By so many numbers the floor is lowered where the number of the floor was given once more.
BACK = 100


class Proof(StrEnum):
    """How a tracker's probes prove that a create was not carried out."""

    NUMBERS = "numbers"  # issues have rising numbers, and every number since the create is read
    KEY = "key"  # syncd chooses a key that the tracker takes only once, and asks for the issue with that key
    NONE = "none"  # nothing that can be read proves it: a person decides


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The result of one probe for one create.

    `issues` are our issues with the marker, oldest first. `covered` means that the probe read every number from the intent's floor to
    beyond the newest one, one by one and not from an index that may lag; and that none of those numbers may be the issue. A deleted,
    moved, hidden or rewritten issue may be it, and so may an issue with the marker and an unfamiliar author. With `Proof.KEY` it means that the
    tracker answered for the one issue with the key of the create, by a read that does not lag, and that it has none and never had.

    `newest` is the highest number in use, 0 for a tracker without numbers. `newest_at` is its time of creation, `floor_at` that of the
    issue with the number of the floor, and `at` the present time, all by the tracker's clock; None where the tracker has no times.
    `summary` states for people what the probe read.
    """

    issues: tuple[Created, ...] = ()
    covered: bool
    newest: int = 0
    newest_at: float | None = None
    floor_at: float | None = None
    at: float | None = None
    summary: str = ""
    proof: Proof = Proof.NUMBERS


class Outcome(StrEnum):
    """The verdict of all evidence so far about a create in doubt."""

    EXISTS = "found"
    ABSENT = "absent"  # proven: the issue may be created again
    OPEN = "open"  # probe again
    UNPROVEN = "unproven"  # no further probe can decide: a person must look


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """An outcome, and its reason in a sentence for people. `until` is the time of the next probe; the latest one `counts` as
    evidence. The tracker was restored from a backup where there is a `floor`: the next probe reads the numbers above it."""

    outcome: Outcome
    reason: str
    until: float = 0.0
    counts: bool = True
    floor: int | None = None


def doubtful(issue: Issue, probe_after: Sequence[float], now: float) -> Plan:
    """Probe now, or wait until the next probe is due."""
    why = f" ({issue.note})" if issue.note else ""
    doubt = f"in doubt: a create was sent at {utc(issue.sent_at)}, and its answer was lost{why}"
    if issue.probes:
        doubt += f"; {counted(issue.probes, 'probe')} found no issue"
    due = issue.probe_at
    if due is None:
        due = (issue.sent_at or 0.0) + probe_after[0]
    # If this is later than the longest wait from now, the clock was set back. An early probe does no harm: the tracker's clock
    # measures the time between the probes.
    if now < due <= now + probe_after[-1]:
        reason = (
            f"{doubt}; syncd looks for it at {utc(due)}, and sends nothing again without proof that it does not exist"
        )
        return Plan(action=Action.WAIT, reason=reason, rule="in-doubt", until=due, call=Call.PROBE)
    reason = f"{doubt}; syncd looks for it now, and sends nothing again without proof that it does not exist"
    return Plan(action=Action.PROBE, reason=reason, rule="in-doubt", call=Call.PROBE)


def judge(issue: Issue, evidence: Evidence, probe_after: Sequence[float], now: float) -> Judgement:
    """Judge a create in doubt by the newest evidence and by the complete probes before it that found no issue. A probe counts only
    from the time on at which the request cannot take effect any more."""
    if evidence.issues:
        return Judgement(outcome=Outcome.EXISTS, reason=f"found as {evidence.issues[0].key}: {evidence.summary}")
    if _gave_again(issue, evidence, now):
        return Judgement(
            outcome=Outcome.OPEN,
            reason=f"in doubt: numbers up to {issue.floor} were given once more since it was sent, and it may have a lower one: "
            f"{evidence.summary}",
            until=now + probe_after[0],
            counts=False,
            floor=max(0, issue.floor - BACK),
        )
    # Where the newest number is below the floor, its own number may be, too. It may also not be there yet: the next probe counts such a
    # gap as unclear.
    floor = evidence.newest if evidence.newest < issue.floor else None
    begins_at = (issue.sent_at or 0.0) + probe_after[0]
    # If it is later than the longest wait from now, the clock was set back; see `doubtful`.
    if now < begins_at <= now + probe_after[-1]:
        reason = f"in doubt: not found, and it may still appear: {evidence.summary}"
        return Judgement(outcome=Outcome.OPEN, reason=reason, until=begins_at, counts=False, floor=floor)
    if evidence.covered and evidence.proof is Proof.KEY:
        # The request cannot take effect any more, and if it did, the tracker would refuse the second issue with its key.
        return Judgement(
            outcome=Outcome.ABSENT, reason=f"proven not created: no issue has the key of its create: {evidence.summary}"
        )
    if evidence.covered and _outlived(issue, evidence, probe_after):
        return Judgement(
            outcome=Outcome.ABSENT,
            reason=f"proven not created: the tracker has a later issue, and no earlier one has the marker: {evidence.summary}",
        )
    clean = issue.probes + 1
    if clean < len(probe_after):
        wait = probe_after[clean] - probe_after[clean - 1]
        reason = f"in doubt: not found by probe {clean}: {evidence.summary}"
        return Judgement(outcome=Outcome.OPEN, reason=reason, until=now + wait, floor=floor)
    # The tracker's clock measures the time between the probes: ours may have jumped.
    span = float("inf")  # a tracker that reports no time leaves nothing to wait for
    if evidence.at is not None:
        span = evidence.at - (evidence.at if issue.probed_since is None else issue.probed_since)
    lacking = probe_after[-1] - probe_after[0] - span
    if lacking > SECOND:
        # If the tracker's clock was set back, `lacking` may be as large as that jump.
        until = now + min(lacking, probe_after[-1])
        reason = f"in doubt: not found by probe {clean}: {evidence.summary}"
        return Judgement(outcome=Outcome.OPEN, reason=reason, until=until, floor=floor)
    if evidence.covered:
        return Judgement(
            outcome=Outcome.ABSENT, reason=f"proven not created by {clean} probes, the last of them: {evidence.summary}"
        )
    return Judgement(
        outcome=Outcome.UNPROVEN,
        reason=f"{clean} probes found no issue, and do not prove that there is none: {evidence.summary}; "
        "a person who looks there can link the issue, or say that there is none",
    )


def is_another(issue: Issue, observation: Observation) -> bool:
    """True if the place of a linked issue holds another one by now: a tracker that was restored from a backup gives numbers once more."""
    created_at, before = observation.condition.created_at, issue.condition
    if created_at is None or before is None or before.created_at is None:
        return False
    return observation.place.remote_id == issue.remote_id and abs(created_at - before.created_at) > SECOND


def _gave_again(issue: Issue, evidence: Evidence, now: float) -> bool:
    """True if the number of the floor was given after it was known, or perhaps after the create was sent: the tracker was restored from a
    backup in between, and ours may have a lower number. Each clock measures by itself how long ago that was."""
    if issue.sent_at is None or evidence.floor_at is None or evidence.at is None:
        return False
    age = evidence.at - evidence.floor_at
    if issue.floor_since is not None:
        return age < now - issue.floor_since - SECONDS_OF_BOTH
    return age < now - issue.sent_at + SECONDS_OF_BOTH


def _outlived(issue: Issue, evidence: Evidence, probe_after: Sequence[float]) -> bool:
    """True if the tracker numbered another issue so late that our issue would have a lower number.

    The time counts from the first probe without a match, by the tracker's clock; only our clock knows the time of sending.
    """
    if issue.probed_since is None or evidence.newest_at is None or evidence.newest <= issue.floor:
        return False
    if evidence.at is None or evidence.newest_at > evidence.at:
        return False  # the tracker's clock was wrong at that time or is wrong now
    return evidence.newest_at > issue.probed_since + probe_after[0]

"""What evidence says about a create whose answer was lost. Pure."""

from collections.abc import Sequence

from syncd.model import Action, Call, Evidence, Issue, Judgement, Outcome, Plan


def doubtful(issue: Issue, probe_after: Sequence[float], now: float) -> Plan:
    """Whether to look for it now."""
    doubt = f"in doubt: {issue.note or 'a create was sent and its answer was lost'}"
    due = issue.probe_at
    if due is None:
        due = (issue.sent_at or 0.0) + probe_after[0]
    # Further away than the longest wait, it was written by a clock that was set back since. To probe early does no harm:
    # what counts is the time that passes between the probes by the tracker's clock.
    if now < due <= now + probe_after[-1]:
        return Plan(action=Action.WAIT, reason=doubt, rule="in-doubt", until=due, call=Call.PROBE)
    return Plan(action=Action.PROBE, reason=doubt, rule="in-doubt", call=Call.PROBE)


def judge(issue: Issue, evidence: Evidence, probe_after: Sequence[float], now: float) -> Judgement:
    """What the newest evidence, and the clean negative probes before it, say about a create in doubt."""
    if evidence.issues:
        return Judgement(outcome=Outcome.EXISTS, reason=f"found as {evidence.issues[0].key}: {evidence.summary}")
    if evidence.covered and _outlived(issue, evidence, probe_after):
        return Judgement(
            outcome=Outcome.ABSENT,
            reason=f"proven not created: an issue that was made later is there, and no earlier one is ours: {evidence.summary}",
        )
    clean = issue.probes + 1
    if clean < len(probe_after):
        wait = probe_after[clean] - probe_after[clean - 1]
        return Judgement(
            outcome=Outcome.OPEN, reason=f"in doubt: not found by probe {clean}: {evidence.summary}", until=now + wait
        )
    # The tracker's clock decides whether the probes lie far enough apart: ours may have jumped between them.
    lacking = probe_after[-1] - probe_after[0] - _span(issue, evidence)
    if lacking > 1.0:  # its Date has whole seconds
        # Where its clock was set back, as much may be lacking as by how much it was.
        until = now + min(lacking, probe_after[-1])
        return Judgement(
            outcome=Outcome.OPEN, reason=f"in doubt: not found by probe {clean}: {evidence.summary}", until=until
        )
    if evidence.covered:
        return Judgement(
            outcome=Outcome.ABSENT, reason=f"proven not created by {clean} probes, the last of them: {evidence.summary}"
        )
    return Judgement(
        outcome=Outcome.UNPROVEN,
        reason=f"{clean} probes found no issue, but not every number could be read: {evidence.summary}",
    )


def _outlived(issue: Issue, evidence: Evidence, probe_after: Sequence[float]) -> bool:
    """Whether the tracker numbered another issue so late that ours would have had a lower number. Not counted from when it
    was sent, which only our clock knows, but from the first negative probe."""
    if issue.probed_since is None or evidence.newest_at is None or evidence.newest <= issue.floor:
        return False
    if evidence.at is None or evidence.newest_at > evidence.at:
        return False  # made by a clock that was wrong then or is wrong now
    return evidence.newest_at > issue.probed_since + probe_after[0]


def _span(issue: Issue, evidence: Evidence) -> float:
    """Seconds since the first negative probe, by the tracker's clock. A tracker without one is its own witness."""
    if evidence.at is None:
        return float("inf")
    return evidence.at - (evidence.at if issue.probed_since is None else issue.probed_since)

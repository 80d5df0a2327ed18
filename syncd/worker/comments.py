"""Comments on a linked issue: the one that is edited in place, and further ones, each written at most once."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from syncd.errors import Missing, OutcomeUnknown, TrackerError
from syncd.model import Announcement, Call, Issue, Plan
from syncd.render.document import Document
from syncd.trackers import Tracker
from syncd.worker.context import Retry, SyncContext

MOST_LOSSES = 1  # a status comment that people deleted more often is not wanted


def write_status(context: SyncContext, decision: Plan, issue: Issue) -> Retry | None:
    """Edit the status comment where it says something else by now, or add it where there is none; Later where it may still appear.
    One that people deleted is added once more, and then never again. Raises TrackerError, LeaseLost, StoreUnavailable."""
    store, claim = context.store, context.claim
    document = context.presented.status(decision.note)
    text = hashlib.sha256(repr(document).encode()).hexdigest()[:32]
    if issue.comment_id is not None:
        if text == issue.comment_text:
            return None
        try:
            context.tracker.edit_comment(issue, issue.comment_id, document, issue.marker)
        except Missing:
            store.issues.lose_comment(claim, time.time())
            losses = issue.comment_losses + 1
            issue = replace(issue, comment_id=None, comment_sent_at=None, comment_losses=losses)
        else:
            store.issues.said(claim, text, time.time())
            return None
    if issue.comment_losses > MOST_LOSSES:
        return None
    sending = _Sending(
        marker=issue.marker,
        sent_at=issue.comment_sent_at,
        probes=issue.comment_probes,
        intend=lambda: store.issues.intend_comment(claim, time.time()),
        probed=lambda: store.issues.comment_probed(claim, time.time()),
        settled=lambda found: store.issues.link_comment(claim, found, time.time()),
    )
    written = _write(context.tracker, issue, document, sending, context.rules.probe_after(claim.tracker))
    if isinstance(written, Retry):
        return written
    if written.found:
        # It says what it said when it was sent.
        context.tracker.edit_comment(issue, written.comment_id, document, issue.marker)
    store.issues.said(claim, text, time.time())
    return None


def announce(context: SyncContext, owed: Announcement, issue: Issue) -> Retry | None:
    """Write one further comment; Later where it may still appear. Raises TrackerError, LeaseLost, StoreUnavailable."""
    issues, claim = context.store.issues, context.claim
    document = context.presented.announcement(owed)

    def settled(found: str | None) -> None:
        if found is None:
            issues.not_announced(claim, owed, time.time())
        else:
            issues.announced(claim, owed, found, time.time())

    sending = _Sending(
        marker=owed.marker,
        sent_at=owed.sent_at,
        probes=owed.probes,
        intend=lambda: issues.intend_announcement(claim, owed, time.time()),
        probed=lambda: issues.announcement_probed(claim, owed, time.time()),
        settled=settled,
    )
    written = _write(context.tracker, issue, document, sending, context.rules.probe_after(claim.tracker))
    return written if isinstance(written, Retry) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sending:
    """A comment that is there at most once: by what it is known, when it was sent and not answered, how often it was looked for since,
    and where each step is put down before the next."""

    marker: str
    sent_at: float | None
    probes: int
    intend: Callable[[], None]
    probed: Callable[[], None]
    settled: Callable[[str | None], None]


@dataclass(frozen=True, slots=True)
class _Written:
    """A comment that is there: written now, or `found`."""

    comment_id: str
    found: bool


def _write(
    tracker: Tracker, issue: Issue, document: Document, sending: _Sending, probe_after: Sequence[float]
) -> _Written | Retry:
    """See to it that the comment is there, looking for it where it may have been written before; Later where it may still appear."""
    if sending.sent_at is not None:
        found = _look_for(tracker, issue, sending, sending.sent_at, probe_after)
        if found is not None:
            return found if isinstance(found, Retry) else _Written(found, found=True)
    sending.intend()
    try:
        added = tracker.comment(issue, document, sending.marker)
    except OutcomeUnknown:
        raise  # the intent stays on disk: the next sync looks for it
    except TrackerError:
        sending.settled(None)
        raise
    sending.settled(added)
    return _Written(added, found=False)


def _look_for(
    tracker: Tracker, issue: Issue, sending: _Sending, sent_at: float, probe_after: Sequence[float]
) -> str | Retry | None:
    """The id of a comment whose adding was sent and never answered, read from the issue itself; None once it has been looked for as
    often, and as late, as a create would be."""
    now = time.time()
    tried = min(sending.probes, len(probe_after) - 1)
    due = sent_at + probe_after[tried]
    reason = "a comment was sent and its answer was lost; it may still appear"
    if now < due <= now + probe_after[-1]:
        return Retry(reason, due, Call.UPDATE)
    comment_id = tracker.find_comment(issue, sending.marker)
    if comment_id is None and tried + 1 < len(probe_after):
        sending.probed()
        return Retry(reason, now + probe_after[tried + 1] - probe_after[tried], Call.UPDATE)
    sending.settled(comment_id)
    return comment_id

"""Comments on a linked issue: the status comment, which is edited in place, and announcements. Each exists at most once."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from syncd.core.plan import MOST_LOSSES
from syncd.errors import Missing, OutcomeUnknown, TrackerError, Unavailable
from syncd.model import Announcement, Call, Issue, Plan
from syncd.render.text import Document
from syncd.store import comments as saved
from syncd.store.comments import Sending
from syncd.worker.context import Operation, Retry, SyncContext

Save = Callable[[Sending], Operation[None]]


@dataclass(frozen=True, slots=True)
class _Written:
    """A comment that is there: written now, or `existing` since an earlier try whose answer was lost."""

    comment_id: str
    existing: bool


def write_status(context: SyncContext, decision: Plan, issue: Issue) -> Retry | None:
    """Edit the status comment if its text has changed, or add it where there is none; Retry while an unanswered one may still appear.
    One that people deleted is added once more, and then never again; one that an earlier account wrote stays where this one may not
    change it, and another is added. Raises TrackerError, LeaseLost, StoreUnavailable."""
    fixed_in = () if issue.condition is None else issue.condition.fixed_in
    document = context.presented.status(decision.note, fixed_in)
    text = hashlib.sha256(repr(document).encode()).hexdigest()[:32]
    sending = Sending(sent_at=issue.comment_sent_at, probes=issue.comment_probes, comment_id=issue.comment_id)

    def save(sending: Sending, issue: Issue) -> Operation[None]:
        return partial(saved.save_status, group_id=context.claim.group_id, issue=issue, sending=sending)

    if issue.comment_id is not None:
        if text == issue.comment_text:
            return None
        try:
            return _edit(context, issue, issue.comment_id, document, text)
        except Missing as error:
            losses = issue.comment_losses + (0 if error.foreign else 1)
            issue = replace(issue, comment_text=None, comment_losses=losses)
            sending = Sending(probes=issue.comment_probes)
            context.record(save(sending, issue))
    if issue.comment_losses > MOST_LOSSES:
        return None
    written = _write(context, issue, document, issue.marker, sending, lambda sending: save(sending, issue))
    if isinstance(written, Retry):
        return written
    # An existing one has the text of the time it was sent.
    written_text = None if written.existing else text
    context.record(save(Sending(comment_id=written.comment_id), replace(issue, comment_text=written_text)))
    if not written.existing:
        return None
    return _edit(context, replace(issue, comment_sent_at=None), written.comment_id, document, text)


def _edit(context: SyncContext, issue: Issue, comment_id: str, document: Document, text: str) -> Retry | None:
    """Edit the status comment; Retry where an earlier edit without an answer may still arrive after this one and has to be overwritten
    then. That an edit is sent is on disk before the request: its answer may be lost, or come after the lease. Raises TrackerError,
    LeaseLost, StoreUnavailable."""
    earlier, sent_at = issue.comment_sent_at, context.clock.wall()
    group_id, marker = context.claim.group_id, issue.marker
    end = partial(saved.end_edit, group_id=group_id, marker=marker, sent_at=sent_at)
    context.commit(partial(saved.begin_edit, group_id=group_id, marker=marker, sent_at=sent_at))
    try:
        context.require_lease()
        context.tracker.edit_comment(issue, comment_id, document, marker)
    except (OutcomeUnknown, Unavailable):
        raise  # it stays on disk: adapters that try an edit several times report the last failure only
    except TrackerError:
        context.record(partial(end, text=issue.comment_text, doubt=earlier))
        raise
    now, latest = context.clock.wall(), context.plan_context.probe_after[-1]
    if earlier is not None and now < earlier + latest <= now + latest:
        context.record(partial(end, text=None, doubt=earlier))
        reason = "an earlier edit of the status comment got no answer; it may still arrive and is overwritten then"
        return Retry(reason, earlier + latest, Call.UPDATE)
    context.record(partial(end, text=text, doubt=None))
    return None


def announce(context: SyncContext, announcement: Announcement, issue: Issue) -> Retry | None:
    """Write one announcement; Retry while an unanswered one may still appear. Raises TrackerError, LeaseLost, StoreUnavailable."""
    document = context.presented.announcement(announcement)
    sending = Sending(sent_at=announcement.sent_at, probes=announcement.probes)
    written = _write(
        context,
        issue,
        document,
        announcement.marker,
        sending,
        lambda sending: partial(saved.save_announcement, announcement=announcement, sending=sending),
    )
    return written if isinstance(written, Retry) else None


def _write(
    context: SyncContext, issue: Issue, document: Document, marker: str, sending: Sending, save: Save
) -> _Written | Retry:
    """Make sure that the comment with this marker exists, looking for it first where an earlier try was not answered. The intent is on
    disk before the request; the answer follows with the next commit, and until then a restart looks for the comment."""
    if sending.sent_at is not None:
        earlier = _look_for(context, issue, marker, sending, sending.sent_at, save)
        if isinstance(earlier, Retry):
            return earlier
        if earlier is not None:
            return _Written(earlier, existing=True)
    context.commit(save(Sending(sent_at=context.clock.wall())))
    try:
        context.require_lease()
        comment_id = context.tracker.comment(issue, document, marker)
    except OutcomeUnknown:
        raise  # the intent stays on disk: the next sync looks for the comment
    except TrackerError:
        context.record(save(Sending()))
        raise
    context.record(save(Sending(comment_id=comment_id)))
    return _Written(comment_id, existing=False)


def _look_for(
    context: SyncContext, issue: Issue, marker: str, sending: Sending, sent_at: float, save: Save
) -> str | Retry | None:
    """The id of a comment that was sent and never answered, read from the issue itself; None once it has been looked for as often,
    and as late, as a create would be."""
    now, probe_after = context.clock.wall(), context.plan_context.probe_after
    tried = min(sending.probes, len(probe_after) - 1)
    due = sent_at + probe_after[tried]
    reason = "a comment was sent and its answer was lost; it may still appear"
    if now < due <= now + probe_after[-1]:
        return Retry(reason, due, Call.UPDATE)
    comment_id = context.tracker.find_comment(issue, marker)
    if comment_id is None and tried + 1 < len(probe_after):
        context.record(save(replace(sending, probes=sending.probes + 1)))
        return Retry(reason, now + probe_after[tried + 1] - probe_after[tried], Call.UPDATE)
    context.record(save(Sending(comment_id=comment_id)))
    return comment_id

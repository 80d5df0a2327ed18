"""The comments on an issue: the status comment, announcements, and answers to regressions. Functions over a
transaction of the caller's."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from syncd.model import Announcement, Facts, Issue, Occasion, Regression
from syncd.store.connection import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """The progress of sending a comment: not begun, sent at a time and not answered, looked for `probes` times since, or written with
    the id `comment_id`."""

    sent_at: float | None = None
    probes: int = 0
    comment_id: str | None = None


def save_status(transaction: Transaction, group_id: int, issue: Issue, sending: Sending) -> None:
    """Write down how far the status comment of the group's linked issue got, with its digest and how often people deleted it."""
    transaction.run(
        "save_status",
        group_id=group_id,
        marker=issue.marker,
        comment_id=sending.comment_id,
        sent_at=sending.sent_at,
        probes=sending.probes,
        text=issue.comment_text,
        losses=issue.comment_losses,
    )


def begin_edit(transaction: Transaction, group_id: int, marker: str, sent_at: float) -> None:
    """The status comment is about to be edited, at `sent_at`."""
    transaction.run("begin_edit", group_id=group_id, marker=marker, sent_at=sent_at)


def end_edit(
    transaction: Transaction, group_id: int, marker: str, sent_at: float, text: str | None, doubt: float | None
) -> None:
    """The edit that began at `sent_at` left this digest; None, with the time of an earlier edit, while that one may still arrive. Nothing
    changes where an owner that lost its lease has written meanwhile."""
    transaction.run("end_edit", group_id=group_id, marker=marker, sent_at=sent_at, text=text, doubt=doubt)


def distrust(transaction: Transaction, group_id: int, now: float) -> bool:
    """An owner that lost its lease has written to the group's issue. Return whether it has a status comment, whose text nobody knows now."""
    return transaction.run("distrust_status", group_id=group_id, now=now) > 0


def save_announcement(transaction: Transaction, announcement: Announcement, sending: Sending) -> None:
    """Write down how far an announcement got."""
    state = "written" if sending.comment_id is not None else "wanted" if sending.sent_at is None else "sent"
    transaction.run(
        "save_announcement",
        id=announcement.id,
        state=state,
        sent_at=sending.sent_at,
        probes=sending.probes,
        comment_id=sending.comment_id,
    )


def announce(
    transaction: Transaction, group_id: int, occasion: Occasion, subject: str, facts: Facts, marker: str
) -> None:
    """An announcement is owed, once for each occasion and subject of an issue."""
    transaction.run(
        "announce",
        group_id=group_id,
        occasion=occasion,
        subject=subject,
        facts=json.dumps(dict(facts), ensure_ascii=False),
        marker=marker,
    )


def answered(transaction: Transaction, group_id: int, closed_at: float) -> Sequence[str]:
    """The releases of regressions since this closing that were answered."""
    rows = transaction.rows("answered", group_id=group_id, closed_at=closed_at)
    return [cast(str, row["release"]) for row in rows]


def regress(
    transaction: Transaction, group_id: int, issue: Issue, regressed: Regression, answer: str, now: float
) -> bool:
    """Write down that the crash came back after the issue was closed, and how that is answered; once for each closing and release. Return
    whether that is new."""
    added = transaction.run(
        "regress",
        group_id=group_id,
        issue_key=issue.key,
        release=regressed.release,
        fixed_in=regressed.fixed_in,
        closed_at=regressed.closed_at or 0.0,
        occurrences=regressed.occurrences,
        answer=answer,
        now=now,
    )
    return added > 0


def answer(
    transaction: Transaction,
    group_id: int,
    closed_at: float | None,
    text: str,
    announced: tuple[str, Facts] | None = None,
) -> None:
    """Write down what became of a pending answer. `announced` is the subject of its announcement, which is still owed, and its new
    facts."""
    transaction.run("answer", group_id=group_id, answer=text, closed_at=closed_at or 0.0)
    if announced is not None:
        subject, facts = announced
        text = json.dumps(dict(facts), ensure_ascii=False)
        transaction.run(
            "announce_otherwise", group_id=group_id, occasion=Occasion.REGRESSION, subject=subject, facts=text
        )

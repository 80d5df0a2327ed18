"""The issue of a group, from the intent to create it to the day it is given up.

An intent is committed before the one request. What became of it is told by the answer, or proved by later looks; only the
sender of this very intent, or whoever has proved it, may say so.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from syncd.core import regression
from syncd.core.budget import Limit
from syncd.errors import LeaseLost
from syncd.model import Action, Announcement, Call, Condition, Created, Facts, Issue, Observation, Occasion, Place, Plan
from syncd.store import aliases, limits, storms
from syncd.store.claims import Claim, owned, renew
from syncd.store.connection import Connection, Transaction
from syncd.store.limits import Allowance
from syncd.store.records import place_text, seen_values


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is about to be created: under which marker, showing which revision and ledger. `route` may file no more than its
    `new_issues`; None is not counted. `previous` is the issue of the same group before."""

    marker: str
    revision: int
    route: str | None = None
    new_issues: Sequence[Limit] = ()
    baseline: Mapping[str, int] = field(default_factory=dict)
    previous: Place | None = None


class Issues:
    """Operations on the issues of claimed groups; for any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def retired(self, claim: Claim) -> int:
        """How many issues of the group were given up before."""
        rows = self._connection.read(lambda transaction: transaction.rows("retired", group_id=claim.group_id))
        return int(str(rows[0]["issues"]))

    def intend(self, claim: Claim, intent: Intent, allowance: Allowance, now: float) -> float:
        """Put on disk that a create is about to be sent: 0. Where it may not be sent yet nothing is written, and the seconds to
        wait are returned. Raises LeaseLost."""

        def write(transaction: Transaction) -> float:
            if intent.route is not None and intent.new_issues:
                transaction.lock(f"route {intent.route}")
                if wait := storms.wait(transaction, intent.route, intent.new_issues, now):
                    return wait
            if wait := limits.take(transaction, allowance, Call.CREATE, now):
                return wait
            transaction.run(
                "want_issue",
                group_id=claim.group_id,
                tracker=claim.tracker,
                marker=intent.marker,
                previous=place_text(intent.previous),
            )
            intended = transaction.run(
                "intend",
                group_id=claim.group_id,
                tracker=claim.tracker,
                marker=intent.marker,
                revision=intent.revision,
                route=intent.route,
                baseline=json.dumps(intent.baseline),
                owner=claim.owner,
                now=now,
            )
            if not intended:
                raise LeaseLost(f"group {claim.group_id} already has an issue, or one in doubt")
            return 0.0

        return owned(self._connection, claim, now, write)

    def link(self, claim: Claim, created: Created, now: float) -> None:
        """The answer came: the issue exists and shows what it was sent with.

        Raises LeaseLost where another worker has decided otherwise since. Had that one linked another issue, this one is kept
        beside it as its double.
        """

        def write(transaction: Transaction) -> str | None:
            transaction.rows("lock_group", group_id=claim.group_id)
            transaction.run("raise_floor", tracker=claim.tracker, number=created.number)
            if not _link(transaction, claim, created, claim.owner, now):
                _add_double(transaction, claim, created)
                return f"group {claim.group_id} was taken over before its issue {created.key} could be linked"
            if not renew(transaction, claim, now):
                # Whoever took over may have settled the group as in doubt: what came meanwhile is owed again.
                transaction.batch("owe", [(claim.group_id, claim.tracker, now, Call.UPDATE)])
            return None

        # Not bound to the lease: only the sender of this very intent can link it, however late.
        if lost := self._connection.write(write, exclusive=False):
            raise LeaseLost(lost)

    def not_created(self, claim: Claim, note: str) -> None:
        """The create was certainly not carried out."""
        self._connection.write(
            lambda transaction: transaction.run("not_created", group_id=claim.group_id, owner=claim.owner, note=note),
            exclusive=False,
        )

    def doubt(self, claim: Claim, note: str) -> None:
        """Nobody knows whether the create was carried out; it is not sent again without proof."""
        self._connection.write(
            lambda transaction: transaction.run("doubt", group_id=claim.group_id, owner=claim.owner, note=note),
            exclusive=False,
        )

    def probe_later(self, claim: Claim, at: float, now: float) -> None:
        """When a create in doubt is looked for."""
        self._run(claim, now, "probe_later", probe_at=at)

    def probed(self, claim: Claim, tracker_clock: float | None, again_at: float, now: float) -> None:
        """One more clean probe found nothing."""
        self._run(claim, now, "probed", tracker_clock=tracker_clock, probe_at=again_at)

    def absent(self, claim: Claim, note: str, now: float) -> None:
        """The create is proven not to have happened."""
        self._run(claim, now, "absent", note=note)

    def found(self, claim: Claim, found: Sequence[Created], now: float) -> None:
        """The create is proven to have happened: the oldest issue is the one, any others are its doubles."""

        def write(transaction: Transaction) -> None:
            (issue,) = transaction.rows("live_issue", group_id=claim.group_id)
            if not _link(transaction, claim, found[0], str(issue["sent_by"]), now):
                raise LeaseLost(f"group {claim.group_id} was decided upon before its issue {found[0].key} was linked")
            for double in found[1:]:
                _add_double(transaction, claim, double)

        owned(self._connection, claim, now, write)

    def moved(self, claim: Claim, place: Place, now: float) -> None:
        """The issue is at this place."""
        self._run(claim, now, "move_issue", remote_id=place.remote_id, key=place.key, url=place.url)

    def seen(
        self, claim: Claim, seen: Observation, baseline: Mapping[str, int], before: Condition | None, now: float
    ) -> None:
        """Where the issue is, and how people left it now and before."""
        self._run(claim, now, "see_issue", **seen_values(seen, baseline, before))

    def follow(self, claim: Claim, issue: Issue, target: Place, note: str, now: float) -> str | None:
        """The group follows the issue that its own was closed as a duplicate of. Where that stands for another group, this one
        becomes its alias: that group's fingerprint is returned, and None otherwise."""

        def write(transaction: Transaction) -> str | None:
            theirs = transaction.rows("issue_at", tracker=claim.tracker, remote_id=target.remote_id)
            if theirs:
                target_id = cast(int, theirs[0]["id"])
                aliases.add(transaction, claim.group_id, target_id, note, now)
                return str(theirs[0]["fingerprint"])
            followed = json.dumps([*issue.followed, issue.remote_id])
            place = {"remote_id": target.remote_id, "key": target.key, "url": target.url}
            transaction.run("follow_issue", group_id=claim.group_id, followed=followed, note=note, **place)
            return None

        return owned(self._connection, claim, now, write, exclusive=True)

    def regress(self, claim: Claim, issue: Issue, plan: Plan, marker: str, answer: str, now: float) -> None:
        """Put on disk that the crash came back and what is about to be said of it, so that a comment is owed for it; and, where it is
        answered with another issue, give this one up."""

        def write(transaction: Transaction) -> None:
            found = plan.regression
            if found is None:
                raise ValueError("there is no regression to put down")
            transaction.run(
                "regress",
                group_id=claim.group_id,
                issue_key=issue.key,
                release=found.release,
                fixed_in=found.fixed_in,
                closed_at=found.closed_at or 0.0,
                occurrences=found.occurrences,
                answer=answer,
                now=now,
            )
            if plan.action is Action.RENEW:
                transaction.run("retire", group_id=claim.group_id, note=plan.reason)
            else:
                remark = (Occasion.REGRESSION, regression.subject(found), regression.facts(found, plan.action))
                _announce(transaction, claim.group_id, remark, marker)

        owned(self._connection, claim, now, write)

    def look_again(self, claim: Claim, now: float) -> None:
        """It was changed by us: it is to be looked at before anything else."""
        self._run(claim, now, "forget_look")

    def answered(self, claim: Claim, closed_at: float | None, answer: str, now: float) -> None:
        """What became of a regression's answer."""
        self._run(claim, now, "answer", answer=answer, closed_at=closed_at or 0.0)

    def announce(self, claim: Claim, remark: tuple[Occasion, str, Facts], marker: str, now: float) -> None:
        """A comment is owed, once for each occasion and subject."""
        owned(self._connection, claim, now, lambda transaction: _announce(transaction, claim.group_id, remark, marker))

    def intend_announcement(self, claim: Claim, announcement: Announcement, now: float) -> None:
        """Put on disk that it is about to be sent."""
        self._about(claim, "intend_announcement", announcement, now, now=now)

    def announcement_probed(self, claim: Claim, announcement: Announcement, now: float) -> None:
        """It was looked for in vain."""
        self._about(claim, "announcement_probed", announcement, now)

    def not_announced(self, claim: Claim, announcement: Announcement, now: float) -> None:
        """It was certainly not written."""
        self._about(claim, "announcement_again", announcement, now)

    def announced(self, claim: Claim, announcement: Announcement, comment_id: str, now: float) -> None:
        """It is there."""
        self._about(claim, "announced", announcement, now, comment_id=comment_id)

    def _about(self, claim: Claim, query: str, announcement: Announcement, at: float, **parameters: object) -> None:
        owned(self._connection, claim, at, lambda transaction: transaction.run(query, id=announcement.id, **parameters))

    def look_alikes(self, claim: Claim, size: int = 3) -> list[Place]:
        """Issues of other groups with the same application and frames."""
        rows = self._connection.read(
            lambda transaction: transaction.rows(
                "look_alikes", group_id=claim.group_id, tracker=claim.tracker, size=size
            )
        )
        return [_place(row) for row in rows]

    def last_retired(self, claim: Claim) -> Place | None:
        """The issue that the group had before."""
        rows = self._connection.read(lambda transaction: transaction.rows("last_retired", group_id=claim.group_id))
        return _place(rows[0]) if rows else None

    def retire(self, claim: Claim, note: str, now: float) -> None:
        """The issue is given up; the group wants another one."""
        self._run(claim, now, "retire", note=note)

    def intend_comment(self, claim: Claim, now: float) -> None:
        """Put on disk that the status comment is about to be sent."""
        self._run(claim, now, "intend_comment")

    def comment_probed(self, claim: Claim, now: float) -> None:
        """The comment was looked for in vain."""
        self._run(claim, now, "comment_probed")

    def link_comment(self, claim: Claim, comment_id: str | None, now: float) -> None:
        """The status comment has this id; None when there certainly is none."""
        self._run(claim, now, "link_comment", comment_id=comment_id)

    def lose_comment(self, claim: Claim, now: float) -> None:
        """A person deleted the status comment."""
        self._run(claim, now, "lose_comment")

    def said(self, claim: Claim, text: str, now: float) -> None:
        """A digest of what the status comment says now."""
        self._run(claim, now, "said", text=text)

    def synced(self, claim: Claim, revision: int, baseline: Mapping[str, int] | None, now: float) -> None:
        """The issue shows `revision`. `baseline` is what it shows while it is open; None where it is closed."""
        text = None if baseline is None else json.dumps(baseline)
        self._run(claim, now, "synced", revision=revision, baseline=text)

    def shows(self, claim: Claim, revision: int, now: float) -> None:
        """Nothing of `revision` is to be shown."""
        self._run(claim, now, "shows", revision=revision)

    def _run(self, claim: Claim, now: float, query: str, **parameters: object) -> None:
        owned(
            self._connection,
            claim,
            now,
            lambda transaction: transaction.run(query, group_id=claim.group_id, now=now, **parameters),
        )


def _link(transaction: Transaction, claim: Claim, created: Created, sender: str, now: float) -> bool:
    return bool(
        transaction.run(
            "link",
            group_id=claim.group_id,
            sender=sender,
            remote_id=created.remote_id,
            key=created.key,
            url=created.url,
            note="; ".join(created.notes) or None,
            now=now,
        )
    )


def _announce(transaction: Transaction, group_id: int, remark: tuple[Occasion, str, Facts], marker: str) -> None:
    occasion, subject, facts = remark
    transaction.run(
        "announce",
        group_id=group_id,
        occasion=occasion,
        subject=subject,
        facts=json.dumps(dict(facts), ensure_ascii=False),
        marker=marker,
    )


def _place(row: Mapping[str, object]) -> Place:
    return Place(remote_id=str(row["remote_id"]), key=str(row["key"]), url=str(row["url"]))


def _add_double(transaction: Transaction, claim: Claim, double: Created) -> None:
    transaction.run("add_double", group_id=claim.group_id, key=double.key, remote_id=double.remote_id)

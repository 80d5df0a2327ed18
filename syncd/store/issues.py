"""The issue of a group, from the intent to create it to the day it is given up.

An intent is committed before the one request. What became of it is told by the answer, or proved by later looks; only the
sender of this very intent, or whoever has proved it, may say so.
"""

from collections.abc import Sequence

from syncd.errors import LeaseLost
from syncd.model import Call, Created, Place
from syncd.store import limits
from syncd.store.claims import Claim, owned, renew
from syncd.store.connection import Connection, Transaction
from syncd.store.limits import Allowance


class Issues:
    """Operations on the issues of claimed groups; for any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def retired(self, claim: Claim) -> int:
        """How many issues of the group were given up before."""
        rows = self._connection.read(lambda transaction: transaction.rows("retired", group_id=claim.group_id))
        return int(str(rows[0]["issues"]))

    def intend(self, claim: Claim, marker: str, revision: int, allowance: Allowance, now: float) -> float:
        """Put on disk that a create that shows `revision` is about to be sent: 0. Where it may not be sent yet nothing is
        written, and the seconds to wait are returned. Raises LeaseLost."""

        def write(transaction: Transaction) -> float:
            if wait := limits.take(transaction, allowance, Call.CREATE, now):
                return wait
            transaction.run("want_issue", group_id=claim.group_id, tracker=claim.tracker, marker=marker)
            intended = transaction.run(
                "intend",
                group_id=claim.group_id,
                tracker=claim.tracker,
                marker=marker,
                revision=revision,
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
            transaction.run("raise_floor", tracker=claim.tracker, number=created.number)
            if not _link(transaction, claim, created, claim.owner, now):
                _add_double(transaction, claim, created)
                return f"group {claim.group_id} was taken over before its issue {created.key} could be linked"
            if not renew(transaction, claim, now):
                # Whoever took over may have settled the group as in doubt: what came meanwhile is owed again.
                transaction.batch("owe", [(claim.group_id, claim.tracker, now, Call.UPDATE)])
            return None

        # Not bound to the lease: only the sender of this very intent can link it, however late.
        if lost := self._connection.write(write):
            raise LeaseLost(lost)

    def not_created(self, claim: Claim, note: str) -> None:
        """The create was certainly not carried out."""
        self._connection.write(
            lambda transaction: transaction.run("not_created", group_id=claim.group_id, owner=claim.owner, note=note)
        )

    def doubt(self, claim: Claim, note: str) -> None:
        """Nobody knows whether the create was carried out; it is not sent again without proof."""
        self._connection.write(
            lambda transaction: transaction.run("doubt", group_id=claim.group_id, owner=claim.owner, note=note)
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

    def synced(self, claim: Claim, revision: int, now: float) -> None:
        """The issue shows `revision`."""
        self._run(claim, now, "synced", revision=revision)

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


def _add_double(transaction: Transaction, claim: Claim, double: Created) -> None:
    transaction.run("add_double", group_id=claim.group_id, key=double.key, remote_id=double.remote_id)

"""Changes of one group by an operator, and its release for another evaluation. Functions over a transaction of the caller's."""

from syncd.store.connection import Transaction


def hold(transaction: Transaction, group_id: int, reason: str | None) -> None:
    """Hold the group for a reason, or no longer. Its revision rises, so that a worker that has claimed it does not settle what is
    decided here."""
    transaction.run("hold_manually", group_id=group_id, reason=reason)
    transaction.run("bump", group_id=group_id)


def lock(transaction: Transaction, group_id: int) -> None:
    """Lock the group until the transaction ends; its claim and its issue are about to be changed."""
    transaction.rows("lock_group", group_id=group_id)


def release(transaction: Transaction, group_id: int, reason: str, rule: str | None, now: float) -> None:
    """Whatever held the group holds it no longer; it is about to be judged again."""
    transaction.run("let_through", group_id=group_id, reason=reason, rule=rule, now=now)


def bump(transaction: Transaction, group_id: int) -> None:
    """The group's issue has something else to show."""
    transaction.run("bump", group_id=group_id)


def refresh(transaction: Transaction, group_id: int, now: float) -> None:
    """The group's linked issue is looked at and updated at once; a create in doubt is probed at once."""
    transaction.run("refresh", group_id=group_id, now=now)

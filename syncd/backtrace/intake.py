"""Groups of Backtrace on their way into the inbox: the same durability, the same fold and the same promises as for notifications."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import structlog

from syncd.backtrace import queries
from syncd.backtrace.client import Target
from syncd.backtrace.links import linkable
from syncd.backtrace.queries import Row
from syncd.core import frames, polls
from syncd.errors import RejectedDelivery
from syncd.intake.sources import backtrace
from syncd.model import Identity, Issue
from syncd.store import Store, groups
from syncd.store.connection import Transaction
from syncd.worker.routing import Routing

log = structlog.get_logger("syncd.backtrace")

Arrived = Callable[[Identity], None]


class Intake:
    """Puts groups of one project into the inbox. `arrived` is called for each after its commit."""

    def __init__(self, target: Target, store: Store, routing: Routing, arrived: Arrived) -> None:
        self._target, self._store, self._routing, self._arrived = target, store, routing, arrived

    def identity(self, fingerprint: str) -> Identity:
        """The group with this fingerprint."""
        return Identity(self._target.settings.universe, self._target.project.name, fingerprint)

    def existing(self, rows: Iterable[Row]) -> set[str]:
        """The fingerprints of these groups that the store has. Raises StoreUnavailable."""
        keys = {groups.key(self.identity(row.key)): row.key for row in rows}
        present = self._store.read(partial(groups.existing, keys=list(keys)))
        return {keys[key] for key in present}

    def issues(self, rows: Iterable[Row]) -> dict[str, Issue]:
        """The issues of these groups that exist, by fingerprint. Raises StoreUnavailable."""
        keys = {groups.key(self.identity(row.key)): row.key for row in rows}

        def read(transaction: Transaction) -> dict[str, Issue]:
            ids = groups.existing(transaction, keys)
            live = groups.live_issues(transaction, list(ids.values()))
            return {keys[key]: live[number] for key, number in ids.items() if linkable(live.get(number))}

        return self._store.read(read)

    def deliver(self, rows: Sequence[Row], now: float, backfill: bool | None = None) -> int:
        """Store the totals of the groups of which they are news; return how many that were. Raises StoreUnavailable."""
        names = self._routing.config.notifications.release_attributes
        url, key = self._target.settings.url, self._routing.instance_key
        messages = []
        for row in rows:
            # The objects of all zeros are of many crashes, and only a notification has the frames that tell them apart.
            if not row.count or row.key in ("", queries.UNSET) or frames.all_zero(row.key):
                continue
            identity = self.identity(row.key)
            body = queries.notification(key, identity, url, row, names, now, backfill)
            try:
                messages.append((identity, body, backtrace.parse(body, now, self._routing.reading)))
            except RejectedDelivery as error:
                log.warning("group_unreadable", project=self._target.title, fingerprint=row.key, reason=error.message)

        def write(transaction: Transaction) -> list[Identity]:
            ids = groups.existing(transaction, (groups.key(identity) for identity, _, _ in messages))
            present = groups.of_ids(transaction, ids.values())
            new = [
                (identity, body)
                for identity, body, message in messages
                if (number := ids.get(groups.key(identity))) is None or polls.is_news(present[number], message)
            ]
            if new:
                self._store.bodies.accept(
                    transaction, [(now, body, identity.number, None, None) for identity, body in new]
                )
            return [identity for identity, _ in new]

        delivered = self._store.write(write, exclusive=False) if messages else []
        for identity in delivered:
            self._arrived(identity)
        return len(delivered)

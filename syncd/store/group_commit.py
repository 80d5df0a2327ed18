"""Accepting deliveries: many requests of one event loop share one fsync. Speed is the only reason for this module."""

import asyncio
from concurrent.futures import Future

from syncd.store.bodies import Arrived, Bodies
from syncd.store.connection import Connection, Transaction
from syncd.store.queries import MAX_ROWS

GATHERING_TURNS = 12  # an idle event loop needs 0.1 ms for them, a tenth of a commit


class GroupCommit:
    """Collects the bodies that arrive while a commit is under way, and commits them together. Belongs to one event loop."""

    def __init__(self, connection: Connection, bodies: Bodies) -> None:
        self._connection = connection
        self._bodies = bodies
        self._arrived: list[tuple[Arrived, asyncio.Future[int]]] = []
        self._committing = False
        self._expected = 1  # how many are likely to arrive together: as many as the last commit answered

    async def add(self, delivery: Arrived) -> int:
        """Return the delivery's number once it is on disk. Raises StoreUnavailable if it is not and never will be."""
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[int] = loop.create_future()
        self._arrived.append((delivery, stored))
        if not self._committing:
            self._gather(loop)
        return await stored

    async def add_all(self, deliveries: list[Arrived]) -> list[int]:
        """Return the numbers of several deliveries once the commit that they share is on disk. Raises StoreUnavailable if none is and none ever
        will be."""
        loop = asyncio.get_running_loop()
        entries = [(delivery, loop.create_future()) for delivery in deliveries]
        self._arrived += entries  # before anything runs that may begin a commit
        if not self._committing:
            self._gather(loop)
        await asyncio.gather(*(stored for _, stored in entries), return_exceptions=True)
        return [stored.result() for _, stored in entries]

    def _gather(self, loop: asyncio.AbstractEventLoop, turns: int = GATHERING_TURNS) -> None:
        """Commit after a few turns of the event loop: clients answered by one commit tend to post again together, and an fsync for a
        part of them would keep the rest waiting."""
        self._committing = True
        if turns and len(self._arrived) < self._expected:
            loop.call_soon(self._gather, loop, turns - 1)
        else:
            self._commit(loop)

    def _commit(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._arrived = self._arrived, []

        def insert(transaction: Transaction) -> list[int]:
            return self._bodies.accept(transaction, [delivery for delivery, _ in batch])

        future = self._connection.submit(insert, atomic=len(batch) <= MAX_ROWS)
        # One wake-up of the loop per commit, not per request.
        future.add_done_callback(lambda done: loop.call_soon_threadsafe(self._answer, loop, batch, done))

    def _answer(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[tuple[Arrived, asyncio.Future[int]]],
        done: Future[list[int]],
    ) -> None:
        self._committing = False
        self._expected = len(batch) + len(self._arrived)
        if self._arrived:
            self._gather(loop)
        error = done.exception()
        for place, (_, stored) in enumerate(batch):
            if stored.cancelled():
                continue  # the sender went away; its delivery stays in the inbox all the same
            if error is not None:
                stored.set_exception(error)
            else:
                stored.set_result(done.result()[place])

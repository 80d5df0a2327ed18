"""Stored bodies: compressed by zstd, with a dictionary that is trained on the store's own bodies. A commit writes a quarter of their bytes,
and the disk holds a quarter. Decision 0018 has the figures, and why the dictionary stays."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import zstandard

from syncd.platform.clock import Clock
from syncd.store.connection import Connection, Operations, Transaction

LEVEL = 3
LEARN_FROM = 2000  # the latest bodies
LEARN_BYTES = 32 * 2**20  # of them; all are in memory, twice, while the dictionary is trained
LEARN_LARGEST = 64 * 1024  # bytes; a larger body has more of its own than in common with others
LEARN_AT = 1000  # deliveries; fewer have too little in common
# The contents of bodies drift.
RELEARN_SECONDS = 7 * 86400.0
DICTIONARY_BYTES = 16 * 1024
NUMBERS = range(32768, 2**31)  # RFC 8878, 5: the numbers outside are reserved for a public registry
REFRESH_SECONDS = 60.0  # another process may have trained a newer dictionary
HEAD_BYTES = 18  # RFC 8878, 3.1.1: the longest magic number and frame header

_MAGIC = b"\x28\xb5\x2f\xfd"  # no JSON begins with it

# When a delivery was received, its body, the number of its group's identity, the note on what of the body could not be read, and the name of
# the source that sent it, None for the sender at /webhooks/backtrace.
Arrived = tuple[float, bytes, int | None, str | None, str | None]


class Bodies:
    """Packs and unpacks bodies inside the transactions of the inbox; for any thread."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._dictionaries: dict[int, zstandard.ZstdCompressionDict] = {}
        self._newest: int | None = None
        self._refresh_at = 0.0

    def pack(self, transaction: Transaction, bodies: Sequence[bytes]) -> list[tuple[bytes, int | None]]:
        """Return each body compressed, with the number of the dictionary that it needs. A dictionary exists as long as a delivery refers to
        it. No body may be empty."""
        if self._clock.monotonic() >= self._refresh_at:
            rows = transaction.rows("newest_dictionary")
            self._newest = cast(int, rows[0]["id"]) if rows else None
            self._refresh_at = self._clock.monotonic() + REFRESH_SECONDS
        # Read once: another thread may replace it, and the row must name the dictionary of its frame.
        newest = self._newest
        dictionary = None if newest is None else self._dictionary(transaction, newest)
        number = None if dictionary is None else newest
        level = (
            1 if dictionary is None else LEVEL
        )  # without a dictionary a higher level costs more and saves hardly anything
        compressor = zstandard.ZstdCompressor(level=level, dict_data=dictionary)
        # One call for all: each call releases the interpreter's lock and waits to get it back.
        packed = compressor.multi_compress_to_buffer(list(bodies))
        return [(packed[place].tobytes(), number) for place in range(len(packed))]

    def accept(self, transaction: Transaction, deliveries: Sequence[Arrived]) -> list[int]:
        """Put deliveries into the inbox, and return their numbers, which rise in this order."""

        def add() -> list[int]:
            packed = self.pack(transaction, [body for _, body, _, _, _ in deliveries])
            rows = [
                (received_at, *frame, identity, note, source)
                for (received_at, _, identity, note, source), frame in zip(deliveries, packed, strict=True)
            ]
            return transaction.add("accept", rows)

        numbers = add()
        if len(numbers) < len(deliveries):
            # The store lacks the dictionary: a backup was put in its place.
            self._refresh_at = 0.0
            numbers = add()
        return numbers

    def unpack(self, transaction: Transaction, packed: Sequence[bytes]) -> list[bytes]:
        """Return each body as it was received. A frame that cannot be decompressed is returned unchanged; parsing it then moves it to the
        quarantine."""
        decompressors: dict[int, zstandard.ZstdDecompressor] = {}
        bodies = []
        for frame in map(bytes, packed):
            body = frame
            if frame.startswith(_MAGIC):  # an older program stored bodies uncompressed
                with suppress(zstandard.ZstdError):
                    number = zstandard.get_frame_parameters(frame).dict_id
                    if number not in decompressors:
                        dictionary = self._dictionary(transaction, number) if number else None
                        decompressors[number] = zstandard.ZstdDecompressor(dict_data=dictionary)
                    body = decompressors[number].decompress(frame)
            bodies.append(body)
        return bodies

    def _dictionary(self, transaction: Transaction, number: int) -> zstandard.ZstdCompressionDict | None:
        if number not in self._dictionaries:
            for row in transaction.rows("dictionary", id=number):
                made = zstandard.ZstdCompressionDict(bytes(cast(bytes, row["content"])))
                made.precompute_compress(level=LEVEL)
                self._dictionaries[number] = made
        return self._dictionaries.get(number)

    def learn(self, now: float) -> bool:
        """Train a dictionary on the latest bodies if there is none yet or the newest is old. Return whether that was done."""

        def latest(transaction: Transaction) -> list[bytes]:
            newest = transaction.rows("newest_dictionary")
            if newest and now - cast(float, newest[0]["made_at"]) < RELEARN_SECONDS:
                return []
            frames, room = [], LEARN_BYTES
            for row in transaction.rows("latest_bodies", size=LEARN_FROM, largest=LEARN_LARGEST):
                frame = bytes(cast(bytes, row["body"]))
                if (unpacked := size(frame[:HEAD_BYTES], len(frame))) <= min(room, LEARN_LARGEST):
                    frames.append(frame)
                    room -= unpacked
            return self.unpack(transaction, frames)

        bodies = self._connection.read(latest)
        if len(bodies) < LEARN_AT:
            return False
        # No number stands for two contents, not even in a backup that a process put in place of the store after it had learned more.
        number = NUMBERS[secrets.randbelow(len(NUMBERS))]
        try:
            # The training releases the interpreter's lock.
            content = zstandard.train_dictionary(DICTIONARY_BYTES, [*bodies], dict_id=number, level=LEVEL).as_bytes()
        except zstandard.ZstdError:
            return False  # they have too little in common
        self._connection.execute("keep_dictionary", id=number, content=content, made_at=now)
        self._refresh_at = 0.0
        return True

    def forget(self, now: float) -> int:
        """Remove the dictionaries that no delivery refers to, and return how many those were. A dictionary that was replaced lately stays:
        another process may still pack with it."""
        before = now - RELEARN_SECONDS / 2
        rows = self._connection.select("unneeded_dictionaries", before=before)

        def remove(transaction: Transaction) -> int:
            return sum(transaction.run("forget_dictionary", id=row["id"]) for row in rows)

        return self._connection.write(remove) if rows else 0


@dataclass(eq=False)
class BodyOperations(Operations):
    """A class of operations on one connection that read or write bodies."""

    _bodies: Bodies


def size(head: bytes, stored: int) -> int:
    """Return the size of a body from its first HEAD_BYTES and its `stored` size."""
    return zstandard.frame_content_size(head) if head.startswith(_MAGIC) else stored

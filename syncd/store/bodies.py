"""Bodies as they are kept: compressed by zstd, with a dictionary of what the store's own bodies have in common. A commit has a quarter to
write, and the disk a quarter to hold."""

from collections.abc import Sequence
from typing import cast

import zstandard

from syncd.platform.clock import Clock
from syncd.store.connection import Connection, Transaction

LEVEL = 3
LEARN_FROM = 2000  # bodies, the latest
LEARN_AT = 1000  # deliveries; fewer say too little
# What bodies have in common drifts, and none of them is remembered for much longer than it is kept.
AGAIN_SECONDS = 7 * 86400.0
DICTIONARY_BYTES = 16 * 1024
FIRST = 32768  # RFC 8878, 5: lower numbers are for a public registry
REFRESH_SECONDS = 60.0  # another process may have learned a new one
HEAD_BYTES = 18  # RFC 8878, 3.1.1: magic number and header of a frame, at most

_MAGIC = b"\x28\xb5\x2f\xfd"  # which no JSON begins with


class Bodies:
    """Packs and unpacks inside the transactions of those who keep bodies; for any thread."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._dictionaries: dict[int, zstandard.ZstdCompressionDict] = {}
        self._newest: int | None = None
        self._refresh_at = 0.0

    def pack(self, transaction: Transaction, bodies: Sequence[bytes]) -> list[tuple[bytes, int | None]]:
        """Each compressed, and which dictionary it needs; it is there as long as a delivery says so. None may be empty."""
        if self._clock.monotonic() >= self._refresh_at:
            row = transaction.rows("newest_dictionary")[0]
            self._newest = cast("int | None", row["id"])
            self._refresh_at = self._clock.monotonic() + REFRESH_SECONDS
        # Looked at once: another thread may learn of a newer one meanwhile, and the row must name what the frame needs.
        newest = self._newest
        dictionary = None if newest is None else self._dictionary(transaction, newest)
        number = None if dictionary is None else newest
        level = 1 if dictionary is None else LEVEL  # without one, a higher level leaves hardly less and costs more
        compressor = zstandard.ZstdCompressor(level=level, dict_data=dictionary)
        # All in one call: each call lets go of the interpreter, and has to wait to get it back.
        packed = compressor.multi_compress_to_buffer(list(bodies))
        return [(packed[place].tobytes(), number) for place in range(len(packed))]

    def unpack(self, transaction: Transaction, kept: Sequence[bytes]) -> list[bytes]:
        """Each as it came. One that is damaged stays as it is: it is no JSON, and goes where such bodies go."""
        known: dict[int, zstandard.ZstdDecompressor] = {}
        return [self._unpacked(transaction, bytes(one), known) for one in kept]

    def _unpacked(self, transaction: Transaction, kept: bytes, known: dict[int, zstandard.ZstdDecompressor]) -> bytes:
        if not kept.startswith(_MAGIC):
            return kept  # by a program that did not compress
        try:
            number = zstandard.get_frame_parameters(kept).dict_id
            if number not in known:
                dictionary = self._dictionary(transaction, number) if number else None
                known[number] = zstandard.ZstdDecompressor(dict_data=dictionary)
            return known[number].decompress(kept)
        except zstandard.ZstdError:
            return kept

    def _dictionary(self, transaction: Transaction, number: int) -> zstandard.ZstdCompressionDict | None:
        if number not in self._dictionaries:
            for row in transaction.rows("dictionary", id=number):
                made = zstandard.ZstdCompressionDict(bytes(cast(bytes, row["content"])))
                made.precompute_compress(level=LEVEL)
                self._dictionaries[number] = made
        return self._dictionaries.get(number)

    def learn(self, now: float) -> bool:
        """Make a dictionary of the latest bodies where there is none, or none that is new enough; whether one was made."""

        def latest(transaction: Transaction) -> tuple[int, list[bytes]]:
            newest = transaction.rows("newest_dictionary")[0]
            number, made_at = cast("int | None", newest["id"]), cast("float | None", newest["made_at"])
            if made_at is not None and now - made_at < AGAIN_SECONDS:
                return 0, []
            rows = transaction.rows("latest_bodies", size=LEARN_FROM)
            following = FIRST if number is None else number + 1
            return following, self.unpack(transaction, [cast(bytes, row["body"]) for row in rows])

        number, bodies = self._connection.read(latest)
        if len(bodies) < LEARN_AT:
            return False
        try:
            # It lets go of the interpreter while it looks for what is common.
            content = zstandard.train_dictionary(DICTIONARY_BYTES, [*bodies], dict_id=number, level=LEVEL).as_bytes()
        except zstandard.ZstdError:
            return False  # they have too little in common
        self._connection.write(
            lambda transaction: transaction.run("keep_dictionary", id=number, content=content, made_at=now)
        )
        self._refresh_at = 0.0
        return True

    def forget(self, now: float) -> int:
        """Remove the dictionaries that no delivery needs any more; how many that were. Those that were replaced lately stay: another
        process may not know of it yet."""
        before = now - AGAIN_SECONDS / 2
        rows = self._connection.read(lambda transaction: transaction.rows("unneeded_dictionaries", before=before))

        def remove(transaction: Transaction) -> int:
            return sum(transaction.run("forget_dictionary", id=row["id"]) for row in rows)

        return self._connection.write(remove) if rows else 0


def size(head: bytes, kept: int) -> int:
    """The bytes of a body, told by the HEAD_BYTES first of its `kept` ones."""
    return zstandard.frame_content_size(head) if head.startswith(_MAGIC) else kept

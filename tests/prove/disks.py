"""A model of a disk: the writes of a program, and the possible contents after a power cut."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.prove.recording import FOLDER, Call, Ended, Remove, Sync, Write

SECTOR = 512
PAGE = 4096  # page of the kernel's cache; the kernel writes whole pages

Image = dict[str, bytes]  # by name; missing files have no entry


@dataclass(eq=False, slots=True)
class _File:
    """One file from creation to removal. `failed` has writes whose fsync failed: the kernel marks their pages clean, and no later fsync
    writes them."""

    there: bool = True
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Write] = field(default_factory=list)
    failed: list[Write] = field(default_factory=list)


class Disk:
    """The durable and the possibly durable contents of a folder."""

    def __init__(self) -> None:
        # By name, oldest first: all versions that the folder may name after a cut, since its last fsync.
        self._files: dict[str, list[_File]] = {}
        self._covered: dict[Sync, list[tuple[_File, list[Write]]]] = {}

    def begin(self, call: Call) -> None:
        """A call begins."""
        match call:
            case Write(name=name):
                file = self._current(name)
                _redirty(file, call)
                file.pending.append(call)
            case Remove(name=name) if name in self._files:
                self._files[name].append(_File(there=False))
            case Sync(name=name):
                # An fsync promises only writes and files from before its start.
                synced = [files[-1] for files in self._files.values()] if name == FOLDER else [self._current(name)]
                self._covered[call] = [(file, [write for write in file.pending if write.returned]) for file in synced]

    def _current(self, name: str) -> _File:
        files = self._files.setdefault(name, [_File(there=False)])
        if not files[-1].there:
            files.append(_File())
        return files[-1]

    def end(self, ended: Ended) -> None:
        """A call returns."""
        match ended.call:
            case Write(name=name) as write:
                if ended.result < 0:
                    self._current(name).pending.remove(write)
                elif write.content is not None:
                    write.content = write.content[: ended.result]
                write.returned = True
            case Sync(name=name) as sync:
                covered = self._covered.pop(sync)
                if name == FOLDER and ended.result == 0:
                    self._enter([file for file, _ in covered])
                elif name != FOLDER:
                    _settle(*covered[0], ended.result)

    def _enter(self, synced: list[_File]) -> None:
        for files in self._files.values():
            durable = [file for file in files if file in synced]
            if durable:
                del files[: files.index(durable[0])]

    def as_written(self) -> Image:
        """The contents without a cut, as a program sees them."""
        return self._rebuilt(lambda files: files[-1], lambda writes: writes)

    def after_cut(self, chance: random.Random) -> Image:
        """Possible contents after a power cut at this moment."""
        return self._rebuilt(chance.choice, lambda writes: _survivors(writes, chance))

    def _rebuilt(self, choose: Callable[[list[_File]], _File], survive: Callable[[list[Write]], list[Write]]) -> Image:
        image: Image = {}
        for name, files in self._files.items():
            file = choose(files)
            if file.there:
                content = bytearray(file.durable)
                for write in survive(file.failed + file.pending):
                    _apply(content, write)
                image[name] = bytes(content)
        return image


def _settle(file: _File, writes: list[Write], result: int) -> None:
    for write in writes:
        if write not in file.pending:
            continue  # another fsync covered it first
        file.pending.remove(write)
        if result == 0:
            _apply(file.durable, write)
        else:
            file.failed += _cut_up(write, PAGE)


def _redirty(file: _File, write: Write) -> None:
    """A new write to a page makes the whole page dirty again, including earlier failed writes."""
    if not file.failed or write.content is None:
        return
    pages = range(write.offset // PAGE, (write.offset + max(len(write.content), 1) - 1) // PAGE + 1)
    again = [old for old in file.failed if old.content is None or old.offset // PAGE in pages]
    file.failed = [old for old in file.failed if old not in again]
    file.pending[:0] = again


def _survivors(writes: list[Write], chance: random.Random) -> list[Write]:
    """The unsynced writes that reach the disk, in their order."""
    match chance.choice(("none", "all", "some", "reordered", "torn", "sectors")):
        case "none":
            return []
        case "some":
            return [write for write in writes if chance.random() < 0.5]
        case "reordered":
            return chance.sample(writes, sum(chance.random() < 0.7 for _ in writes))
        case "torn":
            whole = writes[: chance.randrange(len(writes) + 1)]
            torn = [piece for write in writes[len(whole) : len(whole) + 1] for piece in _cut_up(write, SECTOR)]
            return whole + torn[: chance.randrange(len(torn) + 1)]
        case "sectors":
            pieces = [piece for write in writes for piece in _cut_up(write, SECTOR)]
            return [piece for piece in pieces if chance.random() < 0.5]
    return list(writes)


def _cut_up(write: Write, size: int) -> list[Write]:
    """Split the write at multiples of `size` bytes in the file."""
    if write.content is None:
        return [write]
    pieces, start, end = [], write.offset, write.offset + len(write.content)
    while start < end:
        stop = min(end, start // size * size + size)
        content = write.content[start - write.offset : stop - write.offset]
        pieces.append(Write(write.name, start, content, write.returned))
        start = stop
    return pieces


def _apply(content: bytearray, write: Write) -> None:
    missing = write.offset - len(content)
    if missing > 0:
        content.extend(bytes(missing))
    if write.content is None:
        del content[write.offset :]
    else:
        content[write.offset : write.offset + len(write.content)] = write.content

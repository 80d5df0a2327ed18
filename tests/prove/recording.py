"""The recorded life of a daemon: its writes to the database, its fsyncs and its responses, read from the output of strace."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = ""  # the name for an fsync of the folder, which covers created and removed files


@dataclass(eq=False, slots=True)
class Write:
    """Bytes at an offset of a file. `content` None means truncation to the length `offset`."""

    name: str
    offset: int
    content: bytes | None
    returned: bool = False


@dataclass(eq=False, slots=True)
class Remove:
    """The removal of a file."""

    name: str


@dataclass(eq=False, slots=True)
class Sync:
    """An fsync of a file or of FOLDER."""

    name: str


Call = Write | Remove | Sync


@dataclass(frozen=True, slots=True)
class Begun:
    """The start of a call. From now on it may be done, or done in part."""

    call: Call


@dataclass(frozen=True, slots=True)
class Ended:
    """The return of a call. A negative `result` is a failure."""

    call: Call
    result: int


@dataclass(slots=True)
class Acknowledged:
    """A sender may have received the 200 for this delivery."""

    delivery: int


@dataclass(frozen=True, slots=True)
class CreateSent:
    """The tracker may have received a create with this marker."""

    marker: str


Event = Begun | Ended | Acknowledged | CreateSent

_LINE = re.compile(r"(\d+) +(.*)")
_CALL = re.compile(r"(\w+)\((.*)")
_ON_FILE = re.compile(r'\d+<([^>]*)>(?:, "([^"]*)")?(?:, (\d+))?(?:, (\d+))?')
_TEXT = re.compile(r'"([^"]*)"')
_RESULT = re.compile(r"\) += (-?\d+)")
_OK = b"HTTP/1.1 200 "
_DELIVERY = re.compile(rb'"delivery":\s*"(\d+)"')
_CREATE = re.compile(rb"POST \S+/issues HTTP")
_MARKER = re.compile(rb"<!-- syncd:1:([0-9a-f]{32}) -->")
_SENDING = {"write", "writev", "sendto", "sendmsg"}


def read(trace: Path, database: Path) -> list[Event]:
    """All calls on the database and all promises, in the order of the kernel.

    strace stops a thread before and after a call. The line of a call therefore precedes its effects and follows everything it waited for.
    """
    return list(_Reader(database).events(trace))


class _Reader:
    def __init__(self, database: Path) -> None:
        self._database = database
        self._open: dict[str, Call] = {}  # by thread
        self._answers: dict[str, Acknowledged] = {}  # by socket: responses without their body so far
        self._creates: dict[str, bytes] = {}  # by socket

    def events(self, trace: Path) -> Iterator[Event]:
        with trace.open(encoding="ascii") as lines:
            for line in lines:
                match = _LINE.match(line)
                assert match, line[:200]
                yield from self._line_events(match[1], match[2])

    def _line_events(self, thread: str, text: str) -> Iterator[Event]:
        if text.startswith("<... "):
            if thread in self._open:
                yield _ended(self._open.pop(thread), text)
            return
        match = _CALL.match(text)
        if match is None:
            return  # a signal or an exit
        name, arguments = match[1], match[2]
        if name in _SENDING:
            yield from self._sent(arguments)
        call = self._call(name, arguments)
        if call is None:
            return
        yield Begun(call)
        if text.endswith("<unfinished ...>"):
            self._open[thread] = call
        else:
            yield _ended(call, text)

    def _sent(self, arguments: str) -> Iterator[Event]:
        """Promises. A response counts from its first byte, a create from the call with the marker."""
        socket = arguments.partition(",")[0]
        sent = b"".join(map(_bytes, _TEXT.findall(arguments)))
        if sent.startswith(_OK):
            self._answers[socket] = Acknowledged(0)
            yield self._answers[socket]
        if socket in self._answers and (delivery := _DELIVERY.search(sent)):
            self._answers.pop(socket).delivery = int(delivery[1])
        if _CREATE.match(sent):
            self._creates[socket] = b""
        if socket in self._creates:
            self._creates[socket] += sent
            if marker := _MARKER.search(self._creates[socket]):
                del self._creates[socket]
                yield CreateSent(marker[1].decode())

    def _call(self, name: str, arguments: str) -> Call | None:
        """A call on the files of the database, else None. Raises AssertionError for an unexpected call on them."""
        on = _ON_FILE.match(arguments)
        if on is None:
            return self._named(name, arguments)
        path = _bytes(on[1]).decode("utf-8", "replace")
        if path == str(self._database.parent) and name in ("fsync", "fdatasync"):
            return Sync(FOLDER)
        file = self._file(path)
        match name:
            case _ if file is None:
                return None
            case "fsync" | "fdatasync":
                return Sync(file)
            case "ftruncate":
                return Write(file, int(on[3]), None)
            case "pwrite64":
                content = _bytes(on[2])
                assert len(content) == int(on[3]), f"a write on {file} is incomplete in the trace"
                return Write(file, int(on[4]), content)
        raise AssertionError(f"{name} on {file}")

    def _named(self, name: str, arguments: str) -> Call | None:
        named = [self._file(_bytes(path).decode("utf-8", "replace")) for path in _TEXT.findall(arguments)]
        file = next(filter(None, named), None)
        if file is None:
            return None
        assert name in ("unlink", "unlinkat"), f"{name} on {file}"
        return Remove(file)

    def _file(self, path: str) -> str | None:
        """The name of a file of the database. None for other files and for the -shm file, which SQLite rebuilds after a cut."""
        names = [self._database.name + ending for ending in ("", "-wal", "-journal")]
        return next((name for name in names if path == str(self._database.with_name(name))), None)


def _bytes(hexadecimal: str) -> bytes:
    return bytes.fromhex(hexadecimal.replace("\\x", ""))


def _ended(call: Call, text: str) -> Ended:
    result = _RESULT.search(text[-300:])
    assert result, text[-300:]
    return Ended(call, int(result[1]))

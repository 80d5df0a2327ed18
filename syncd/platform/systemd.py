"""What systemd is told, and what it hands over: sd_notify(3), sd_listen_fds(3), and the journal's stream (systemd.exec(5))."""

import os
import socket
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger("syncd")

_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")
OWN = "syncd-own"
FIRST = 3  # the first descriptor that is handed over (SD_LISTEN_FDS_START)


class Manager:
    """The service manager, if there is one. Its variables are taken out of the environment: they are for this process alone."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        self._taken = {name: environment[name] for name in _VARIABLES if name in environment}
        self._address = environment.pop("NOTIFY_SOCKET", None)
        mine = environment.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environment.pop("WATCHDOG_USEC", None)
        self.watchdog_seconds = int(microseconds) / 1e6 if self._address and microseconds and mine else None

    @property
    def present(self) -> bool:
        """Whether anybody listens."""
        return self._address is not None

    def give_back(
        self, environment: MutableMapping[str, str], listening: socket.socket | None, *, by_manager: bool
    ) -> None:
        """Prepare for another program in place of this one, in the same process: it is told what this one was told, and handed the
        socket, if there is one, as the manager does it. `by_manager`: it is the manager's own."""
        environment.update(self._taken)
        if listening is not None:
            os.dup2(listening.fileno(), FIRST, inheritable=True)
            environment.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="" if by_manager else OWN)

    def tell(self, **facts: str) -> None:
        """Send facts such as READY="1", STATUS="…". That the manager does not take them is told in the log: nothing else can be done."""
        if self._address is None:
            return
        said = "\n".join(f"{name}={' '.join(value.split())}" for name, value in facts.items())
        # A leading @ is the abstract namespace.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.sendto(said.encode(), address)
        except OSError as error:
            log.warning("manager_not_told", reason=error.strerror)


@dataclass(frozen=True, slots=True)
class Handed:
    """Listening sockets that were handed over: `by_manager`, or by the program that was here before a reload."""

    sockets: Sequence[socket.socket] = ()
    by_manager: bool = False


NOTHING = Handed()


def inherited(environment: MutableMapping[str, str]) -> Handed:
    """The listening sockets that were handed over to this process."""
    mine = environment.pop("LISTEN_PID", "") == str(os.getpid())
    count = int(environment.pop("LISTEN_FDS", "0"))
    names = environment.pop("LISTEN_FDNAMES", "")
    if not mine:
        return NOTHING
    sockets = []
    for number in range(FIRST, FIRST + count):
        os.set_inheritable(number, False)
        sockets.append(socket.socket(fileno=number))  # its family is read off it
    return Handed(sockets, by_manager=bool(sockets) and names != OWN)


def to_journal(environment: Mapping[str, str]) -> bool:
    """Whether stderr leads straight to the journal, which takes a line's priority from a prefix such as <4>."""
    device, _, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return (device, inode) == (str(found.st_dev), str(found.st_ino))

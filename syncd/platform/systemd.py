"""systemd's side of a service: notifications (sd_notify(3)), passed sockets (sd_listen_fds(3)), the journal's stream (systemd.exec(5))."""

import os
import socket
import sys
from collections.abc import Mapping, MutableMapping

import structlog

log = structlog.get_logger("syncd")

FIRST_DESCRIPTOR = 3  # SD_LISTEN_FDS_START


class Manager:
    """The service manager; `present` is true if one listens. Its variables are removed from the environment: they are for this process alone."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        self._address = environment.pop("NOTIFY_SOCKET", None)
        self.present = self._address is not None
        mine = environment.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environment.pop("WATCHDOG_USEC", None)
        self.watchdog_seconds = int(microseconds) / 1e6 if self._address and microseconds and mine else None

    def notify(self, **facts: str) -> None:
        """Send facts such as READY="1" and STATUS="…"; without a manager, do nothing. A failure is logged: the service goes on without."""
        if self._address is None:
            return
        message = "\n".join(f"{name}={' '.join(value.split())}" for name, value in facts.items())
        # A leading @ is the abstract namespace.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.sendto(message.encode(), address)
        except OSError as error:
            log.warning("notify_failed", reason=error.strerror)


def passed_sockets(environment: MutableMapping[str, str]) -> list[socket.socket]:
    """The listening sockets that the service manager passed to this process."""
    process = environment.pop("LISTEN_PID", "")
    count = int(environment.pop("LISTEN_FDS", "0"))
    environment.pop("LISTEN_FDNAMES", None)
    if process != str(os.getpid()):
        return []
    for number in range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + count):
        os.set_inheritable(number, False)
    return [socket.socket(fileno=number) for number in range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + count)]


def to_journal(environment: Mapping[str, str]) -> bool:
    """True if stderr is the journal's stream, where a line's priority is a prefix such as <4>."""
    device, _, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    try:
        stream = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return (device, inode) == (str(stream.st_dev), str(stream.st_ino))

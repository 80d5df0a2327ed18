"""Limits that the process sets for itself, whatever the shell or the service manager that started it."""

import os
import resource
from contextlib import suppress

_PR_SET_DUMPABLE = 4  # linux/prctl.h
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h of glibc
_LARGE_BYTES = 256 * 1024  # a body
_ARENAS = 2


def make_private() -> None:
    """Let no other user read a file or a folder that this process makes, and no core dump hold its memory with passwords and crash data."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def harden() -> None:
    """For the daemon: make_private(); no program of the same user may read its memory, nor a handler of core dumps, to which RLIMIT_CORE does
    not apply (core(5)); as many connections as the system allows; and large blocks of memory go back to the system as soon as they are free:
    with its first free block of a megabyte glibc's malloc begins to keep blocks of that size, in an arena for each thread (mallopt(3))."""
    import ctypes  # commands do without it

    make_private()
    with suppress(OSError, AttributeError):  # a system without prctl
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    with suppress(OSError, AttributeError):  # a system without glibc
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def return_memory() -> None:
    """Return to the system what the allocator keeps of freed memory: after bursts, glibc's malloc keeps tens of megabytes that are in no use.
    It takes a few milliseconds, in which other threads run. Other allocators keep what they keep."""
    import ctypes

    with suppress(OSError, AttributeError):  # a system without glibc (malloc_trim(3))
        ctypes.CDLL(None).malloc_trim(0)

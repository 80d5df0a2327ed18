"""Writing files so that a power cut leaves the old or the new one, and saying what the system says against it."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncd.errors import Misconfigured, Unavailable
from syncd.platform.fsync import sync

# What does not go away by itself. Anything else, a full disk above all, may.
_FOR_PEOPLE = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ELOOP,
    errno.ENAMETOOLONG,
}


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Raise what the system says against the use of the folder as Misconfigured, or Unavailable where it may go away by itself."""
    try:
        yield
    except OSError as error:
        reason = f"the folder {folder} cannot be used: {error.strerror}"
        raise (Misconfigured if error.errno in _FOR_PEOPLE else Unavailable)(reason) from None


def make(folder: Path) -> None:
    """Make the folder and those above it, on disk."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        sync(made.parent)


def replace(path: Path, old: bytes, new: bytes) -> None:
    """Replace what the file holds, its mode kept. Raises Unavailable when it holds something else than `old` by now."""
    if new == old:
        return
    with temporary(path.parent, new, mode=stat.S_IMODE(path.stat().st_mode)) as partial:
        if path.read_bytes() != old:
            raise Unavailable(f"{path} is being edited")
        partial.replace(path)
    sync(path.parent)


@contextmanager
def temporary(folder: Path, content: bytes, mode: int | None = None) -> Iterator[Path]:
    """A file with `content` that is on disk, and gone afterwards under this name, which no issue has."""
    path = folder / f".{secrets.token_hex(8)}.partial"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with open(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        yield path
    finally:
        path.unlink(missing_ok=True)

"""Files that a power cut leaves whole, old or new; and errors of the operating system as TrackerErrors."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncd.errors import Deferred, Misconfigured, Unavailable
from syncd.platform import access
from syncd.platform.fsync import sync

# These need a person. Anything else, such as a full disk, may pass.
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
    """Replace an OSError by Misconfigured, or by Unavailable where the cause may pass."""
    try:
        yield
    except OSError as error:
        reason = f"the folder {folder} cannot be used: {access.explain(error, named=True)}"
        raise (Misconfigured if error.errno in _FOR_PEOPLE else Unavailable)(reason) from None


def make(folder: Path) -> None:
    """Make the folder and its parents durably. Nobody else may enter it until people change its mode: it is full of crash data."""
    if folder.is_dir():
        return
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(0o700, parents=True, exist_ok=True)
    for created in missing:
        sync(created.parent)


def rewrite(path: Path, old: bytes, new: bytes) -> None:
    """Replace the file's content `old`, and keep its mode. Raises Unavailable when the content is another one by now. The caller flushes
    the folder."""
    with temporary(path.parent, new, mode=stat.S_IMODE(path.stat().st_mode)) as partial:
        if path.read_bytes() != old:
            raise Deferred(f"{path} is being edited")
        partial.replace(path)


@contextmanager
def temporary(folder: Path, content: bytes, mode: int | None = None) -> Iterator[Path]:
    """Write `content` durably to a file of a name that no issue has; remove that name at the end."""
    path = folder / f".{secrets.token_hex(8)}.partial"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
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

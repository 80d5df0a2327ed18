"""File systems of our own, small and breakable; only root may make them."""

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@functools.cache
def missing() -> str | None:
    """Why no file system can be mounted here; None where one can."""
    if os.geteuid() != 0:
        return "only root may mount a file system"
    with tempfile.TemporaryDirectory() as folder:
        said = _said("mount", "-t", "tmpfs", "tmpfs", folder)
        if said is None:
            _run("umount", folder)
    return None if said is None else f"no file system may be mounted here: {said}"


@functools.cache
def missing_ext4() -> str | None:
    """The same for one with a journal, in a file."""
    if (why := missing()) is not None:
        return why
    if shutil.which("mkfs.ext4") is None:
        return "mkfs.ext4 is missing (Debian package e2fsprogs)"
    with tempfile.TemporaryDirectory() as folder:
        image = make_ext4(Path(folder))
        place = Path(folder) / "place"
        place.mkdir()
        said = _said("mount", "-o", "loop", str(image), str(place))
        if said is None:
            _run("umount", str(place))
    return None if said is None else f"no file can be mounted here: {said}"


@contextmanager
def tmpfs(place: Path, size: str) -> Iterator[Path]:
    """Memory as a disk of this size."""
    place.mkdir(parents=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place))
    try:
        yield place
    finally:
        leave(place)


def make_ext4(folder: Path) -> Path:
    """A file with an empty file system in it."""
    image = folder / "disk"
    with image.open("wb") as file:
        file.truncate(32 * 2**20)
    _run("mkfs.ext4", "-q", str(image))
    return image


@contextmanager
def ext4(place: Path) -> Iterator[Path]:
    """A disk of which `break_down` makes what the kernel makes of one that fails."""
    place.mkdir(parents=True)
    mount_image(make_ext4(place.parent), place)
    try:
        yield place
    finally:
        leave(place)


def mount_image(image: Path, place: Path) -> None:
    """Mount the file."""
    _run("mount", "-o", "loop", str(image), str(place))


def break_down(place: Path) -> None:
    """From now on it is read-only, whoever has files open on it; that is what ext4 does after an error of its disk."""
    _run("mount", "-o", "remount,abort", str(place))


def leave(place: Path) -> None:
    """Unmount, even while somebody has files open there."""
    _run("umount", "-l", str(place))


def _said(*command: str) -> str | None:
    """What went wrong, or None."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if ran.returncode == 0 else " ".join(ran.stderr.split())[:200]


def _run(*command: str) -> None:
    said = _said(*command)
    assert said is None, f"{' '.join(command)}: {said}"

"""Small file systems that can be made to fail; only root can create them."""

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
    """The reason why this machine cannot mount a file system, or None if it can."""
    if os.geteuid() != 0:
        return "only root may mount a file system: run `make test` as root"
    with tempfile.TemporaryDirectory() as folder:
        error = _error_of("mount", "-t", "tmpfs", "tmpfs", folder)
        if error is None:
            _run("umount", folder)
    return None if error is None else f"this machine cannot mount a file system: {error}"


@functools.cache
def missing_ext4() -> str | None:
    """The same for an ext4 file system in a file."""
    if (why := missing()) is not None:
        return why
    if shutil.which("mkfs.ext4") is None:
        return "mkfs.ext4 is missing: `make tools` as root installs it"
    with tempfile.TemporaryDirectory() as folder:
        image = make_ext4(Path(folder))
        place = Path(folder) / "place"
        place.mkdir()
        error = _error_of("mount", "-o", "loop", str(image), str(place))
        if error is None:
            _run("umount", str(place))
    return None if error is None else f"this machine cannot mount a file: {error}"


@contextmanager
def tmpfs(place: Path, size: str) -> Iterator[Path]:
    """A disk of this size in memory."""
    place.mkdir(parents=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place))
    try:
        yield place
    finally:
        leave(place)


def make_ext4(folder: Path) -> Path:
    """Create a file with an empty ext4 file system."""
    image = folder / "disk"
    with image.open("wb") as file:
        file.truncate(32 * 2**20)
    _run("mkfs.ext4", "-q", str(image))
    return image


@contextmanager
def ext4(place: Path) -> Iterator[Path]:
    """An ext4 disk that `break_down` can turn into a failed one."""
    place.mkdir(parents=True)
    mount_image(make_ext4(place.parent), place)
    try:
        yield place
    finally:
        leave(place)


def mount_image(image: Path, place: Path) -> None:
    """Mount an image file at `place`."""
    _run("mount", "-o", "loop", str(image), str(place))


def break_down(place: Path) -> None:
    """Make the file system read-only, including open files, as ext4 does after a disk error."""
    _run("mount", "-o", "remount,abort", str(place))


def leave(place: Path) -> None:
    """Unmount, even if files are open."""
    _run("umount", "-l", str(place))


def _error_of(*command: str) -> str | None:
    """Run a command; its error output if it failed, else None."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if ran.returncode == 0 else " ".join(ran.stderr.split())[:200]


def _run(*command: str) -> None:
    error = _error_of(*command)
    assert error is None, f"{' '.join(command)}: {error}"

"""Why a process may not use a file."""

import errno
import os
from pathlib import Path

import pytest

from syncd.platform import access


def test_a_mode_that_allows_it_is_not_blamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ACL, SELinux or a sandbox forbids what the mode allows: `chown` would not help."""
    (tmp_path / "file").touch(0o644)
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: Path(path).name != "file" and real(path, mode))

    line = access.obstacle(tmp_path / "file")
    assert line is not None
    assert "the mode is not the cause" in line
    assert "chown" not in line


def test_a_file_that_is_not_there_is_an_obstacle_to_neither(tmp_path: Path) -> None:
    for path in (tmp_path / "file", tmp_path / "folder" / "file"):
        assert (access.obstacle(path), access.obstacle(path, write=True)) == (None, None)


@pytest.mark.parametrize(
    "number", [errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EADDRINUSE]
)
def test_what_a_person_must_change_lasts(number: int) -> None:
    assert access.lasts(OSError(number, "", "file"))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EINTR, errno.EMFILE, errno.ENOMEM])
def test_what_may_pass_does_not_last(number: int) -> None:
    assert not access.lasts(OSError(number, "", "file"))


def test_an_error_without_a_file_keeps_the_systems_words() -> None:
    assert access.explain(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) == "No space left on device"
    assert access.explain(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/dev/full")).startswith(
        "/dev/full: No space"
    )

"""Why a process may not use a file."""

import errno
import os
import pwd
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def acting_as(user: int) -> Iterator[None]:
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("mode", [0o000, 0o444, 0o700])
@pytest.mark.parametrize("name", ["store", "my store", "it's; $HOME & `id`", "-rf"])
def test_the_command_of_a_remedy_mends_the_file_that_it_names(name: str, mode: int) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    with tempfile.TemporaryDirectory() as above:
        os.chmod(above, 0o755)
        folder, commands = Path(above, name), 0
        folder.mkdir()
        (folder / "syncd.db").touch()
        (folder / "syncd.db").chmod(0o600)
        os.chown(folder, nobody if mode != 0o700 else 0, -1)
        folder.chmod(mode)
        while True:
            with acting_as(nobody):
                line = access.obstacle(folder / "syncd.db", write=True)
            if line is None:
                break
            command = re.search(
                r"run `((?:chmod|chown) .*)`(?: as root| or|, or|$)", line.partition(", or `setfacl")[0]
            )
            assert command is not None, line
            subprocess.run(["sh", "-c", command[1]], check=True, cwd=above)
            commands += 1
        assert 1 <= commands <= 4


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

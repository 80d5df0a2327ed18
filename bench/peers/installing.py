"""The peers' folder: `.bench/` in the checkout, from Debian, PyPI and npm. What does not install is not measured."""

import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.system.daemon import ROOT

HOME = ROOT / ".bench"
PACKAGES = (
    "huey",
    "persist-queue",
    "procrastinate",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "psycopg[binary,pool]",
)
NODES = ("node-red", "node-red-node-sqlite")


class NotInstalled(Exception):
    """Why a peer is not there."""


@cache
def python() -> Path:
    """An interpreter that has the Python peers. Raises NotInstalled."""
    home = HOME / "python"
    program = home / "bin" / "python"

    def install() -> None:
        venv.create(home, with_pip=True)
        _run(str(program), "-m", "pip", "install", "--quiet", *PACKAGES)

    return _once(program, home / "ok", install)


@cache
def node_red() -> Path:
    """Node-RED's program. Raises NotInstalled."""
    home = HOME / "node"
    npm = shutil.which("npm") or str(Path(sys.executable).with_name("npm"))

    def install() -> None:
        home.mkdir(parents=True, exist_ok=True)
        _run(npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(home), *NODES)

    return _once(home / "node_modules" / "node-red" / "red.js", home / "ok", install)


@cache
def webhook() -> Path:
    """Debian's `webhook`, unpacked. Raises NotInstalled."""
    home = HOME / "webhook"

    def install() -> None:
        home.mkdir(parents=True, exist_ok=True)
        _run("apt-get", "download", "-qq", "webhook", cwd=home)
        _run("dpkg", "-x", str(next(home.glob("webhook_*.deb"))), str(home))

    return _once(home / "usr" / "bin" / "webhook", home / "ok", install)


def version(package: str) -> str:
    """Of a Python peer."""
    asked = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([python(), "-c", asked], capture_output=True, text=True, check=True).stdout.strip()


def _once(program: Path, done: Path, install: Callable[[], None]) -> Path:
    if not done.exists():
        print(f"installing {program.name} for comparison …", file=sys.stderr, flush=True)
        install()
        done.touch()
    return program


def _run(*command: str, cwd: Path | None = None) -> None:
    try:
        subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()
        raise NotInstalled(f"{Path(command[0]).name} failed: {said[-1] if said else error}") from None

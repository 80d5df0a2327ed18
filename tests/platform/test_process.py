"""What a process lets others see, whatever the shell that started it allows."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from tests.system import reference
from tests.system.daemon import Daemon
from tests.system.kinds import ROUTE

LOOSE = "import os, resource; os.umask(0); resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2); "
GET_DUMPABLE = 3  # linux/prctl.h


def test_the_daemon_leaves_no_core_dump() -> None:
    report = f"import ctypes; print(resource.getrlimit(resource.RLIMIT_CORE)[0], ctypes.CDLL(None).prctl({GET_DUMPABLE}), oct(os.umask(0)))"

    def state(code: str) -> list[str]:
        """The limit of core dumps, whether the process can be dumped, and the umask."""
        program = [sys.executable, "-c", f"{LOOSE}{code}{report}"]
        return subprocess.run(program, capture_output=True, text=True, check=True).stdout.split()

    assert state("from syncd.platform import process; process.harden(); ") == ["0", "0", "0o77"]
    assert state("")[1:] == ["1", "0o0"]


def test_freed_memory_between_blocks_in_use_is_returned() -> None:
    # Below the size from which malloc(3) uses a mapping of its own; the last block keeps the heap as long as it is.
    code = """
from pathlib import Path
from syncd.platform.process import return_memory

def resident():
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0])

blocks = [b"x" * 100_000 for _ in range(500)]
del blocks[:-1]
before = resident()
return_memory()
print(before - resident())
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert int(ran.stdout) > 30_000


def test_the_daemon_keeps_no_large_block_that_is_free() -> None:
    # A block that is freed raises the size from which malloc(3) uses mappings, unless it is set; the last block keeps the heap as long as it is.
    code = """
import sys
from pathlib import Path
from syncd.platform import process

def resident():
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0])

if sys.argv[1:]:
    process.harden()
for _ in range(3):
    b"x" * 2**21
blocks = [b"x" * 900_000 for _ in range(50)]
before = resident()
del blocks[:-1]
print(before - resident())
"""

    def freed(*arguments: str) -> int:
        ran = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
        return int(ran.stdout)

    assert freed("hardened") > 30_000 > freed()


def test_no_other_user_reads_what_a_daemon_and_a_command_write(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    trackers = f'[trackers.here]\nkind = "local"\nfolder = "{home}/a/issues"\n{ROUTE}'
    before = os.umask(0)
    try:
        with Daemon(home, trackers, store=f"sqlite:{home}/b/syncd.db") as daemon:
            theirs = {path: path.stat().st_mode for path in home.rglob("*")}
            daemon.send(reference.story(groups=1, size=11, seed=3)[0])
            daemon.wait_for(lambda: list((home / "a" / "issues").glob("*.md")), "the issue")
            limits = Path(f"/proc/{daemon.pid}/limits").read_text()
            daemon.syncd("backup", f"{home}/copy.db")
            made = {
                path: path.stat().st_mode
                for path in (home / "b", *home.rglob("*"))
                if path not in theirs or path.is_relative_to(home / "b")
            }
    finally:
        os.umask(before)

    names = {path.relative_to(home).as_posix() for path in made}
    assert {
        "a",
        "a/issues",
        "b",
        "b/syncd.db",
        "b/syncd.db-wal",
        "b/syncd.db-shm",
        "b/syncd.db-instances",
        "copy.db",
    } <= names
    assert any(name.endswith(".md") for name in names)
    loose = {str(path): oct(mode) for path, mode in made.items() if stat.S_IMODE(mode) & 0o077}
    assert loose == {}
    assert next(line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file size")) == [
        "0",
        "0",
    ]

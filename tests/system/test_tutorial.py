"""The tutorial is a story that happens: each of its commands runs, in its order, and prints what the page says."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.system import processes
from tests.system.daemon import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs/tutorial.md").read_text(), re.DOTALL)
READS = ("cat ", "grep ", "syncd explain", "syncd groups", "syncd status")  # may be repeated until the daemon is done


class Reader:
    """Who follows the tutorial in a terminal, and leaves the daemon running in another one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._daemon: processes.Process | None = None
        self._environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def write(self, text: str) -> None:
        """Write the configuration, on ports that nobody else uses here."""
        ports = f'\n[receiver]\nlisten = "127.0.0.1:{free_port()}"\n[console]\nlisten = "127.0.0.1:{free_port()}"\n'
        (self.folder / "config.toml").write_text(text + ports)

    def run_daemon(self) -> None:
        log = self.folder / "daemon.log"
        self._daemon = processes.start(("-m", "syncd"), ["run"], self.folder, self._environment, log, log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while '"event":"listening"' not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)

    def run(self, command: str, expected: str) -> None:
        """Run a command, and one that only reads until it prints what the page says."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            ran = subprocess.run(
                ["bash", "-c", command], cwd=self.folder, env=self._environment, capture_output=True, text=True
            )
            printed = ran.stdout + ran.stderr
            if fits(printed, expected) and ran.returncode == 0:
                return
            if not command.startswith(READS) or time.monotonic() > deadline:
                assert ran.returncode == 0, printed
                assert printed == expected
            time.sleep(0.1)

    def interrupt_daemon(self) -> int:
        """Press Ctrl-C. Return the exit code."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGINT)
        code, self._daemon = self._daemon.wait(PATIENCE_SECONDS), None
        return code

    def close(self) -> None:
        if self._daemon is not None:
            self._daemon.send_signal(signal.SIGKILL)
            self._daemon.wait(PATIENCE_SECONDS)


def fits(printed: str, expected: str) -> bool:
    """True if the output is what the page says, where `…` stands for any text and lines between are left out after it."""
    lines = [re.escape(line).replace("…", ".*") for line in expected.splitlines()]
    pattern = "\n".join("(?s:.*)" if line == ".*" else line for line in lines).replace("\n(?s:.*)\n", "(?s:.*)")
    pattern = pattern.removeprefix("(?s:.*)\n").removesuffix("\n(?s:.*)")
    return re.search(pattern if expected else "", printed) is not None


def next_second() -> None:
    """Wait for the next second of the clock: a notification of the second in which an issue was closed is none after the closing."""
    second = int(time.time())
    while int(time.time()) == second:
        time.sleep(0.05)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path)
    yield reader
    reader.close()


def test_each_command_of_the_tutorial_does_what_the_page_says(reader: Reader) -> None:
    for number, (kind, text) in enumerate(BLOCKS):
        following = BLOCKS[number + 1] if number + 1 < len(BLOCKS) else ("", "")
        expected = following[1] if following[0] == "text" else ""
        if kind == "toml":
            reader.write(text)
        elif kind == "sh" and text == "syncd run\n":
            reader.run_daemon()
        elif kind == "sh" and not text.startswith("export "):
            next_second()
            reader.run(text.strip(), expected)

    assert reader.interrupt_daemon() == 0


@pytest.mark.parametrize(
    ("printed", "expected", "is_fit"),
    [
        ("a 1\nb\nc\n", "a …\n…\nc\n", True),
        ("a 1\nb\nc\n", "a …\nc\n", False),
        ("x\na 1\n", "…\na 1\n", True),
        ("a 1\nx\n", "a 1\n…\n", True),
        ("b\n", "a\n", False),
    ],
)
def test_an_ellipsis_stands_for_any_text(printed: str, expected: str, is_fit: bool) -> None:
    assert fits(printed, expected) is is_fit

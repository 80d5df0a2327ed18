import os
import pty
import subprocess
import sys

import pytest

PROGRAM = """
from syncd import log
import structlog
log.configure("info")
def fail(token):
    raise ValueError("what happened")
try:
    fail("a-secret-" + "token")
except ValueError:
    structlog.get_logger("syncd").exception("bug")
"""


@pytest.mark.parametrize("terminal", [False, True], ids=["to a file", "in a terminal"])
def test_a_traceback_never_shows_what_a_variable_held(terminal: bool) -> None:
    reading, writing = pty.openpty() if terminal else os.pipe()
    subprocess.run([sys.executable, "-c", PROGRAM], stderr=writing, check=True)
    written = os.read(reading, 65536).decode()
    os.close(reading)
    os.close(writing)

    assert "what happened" in written
    assert "a-secret-token" not in written

import json
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


FORGED = """
from syncd import log
import structlog
log.configure("info", as_json=True)
structlog.get_logger("syncd").info("delivery_accepted", fingerprint='f1"}\\n{"event": "forged\\r\\x1b[2J')
"""


def test_no_line_of_a_log_can_be_forged() -> None:
    ran = subprocess.run([sys.executable, "-c", FORGED], capture_output=True, text=True, check=True)

    (line,) = ran.stderr.splitlines()
    assert json.loads(line)["event"] == "delivery_accepted"
    assert "\x1b" not in line

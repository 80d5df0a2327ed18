import json
import os
import pty
import subprocess
import sys

import pytest

PROGRAM = """
from syncd.platform import log
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
from syncd.platform import log
import structlog
log.configure("info", as_json=True)
structlog.get_logger("syncd").info("delivery_accepted", fingerprint='f1"}\\n{"event": "forged\\r\\x1b[2J')
"""


def test_no_line_of_a_log_can_be_forged() -> None:
    ran = subprocess.run([sys.executable, "-c", FORGED], capture_output=True, text=True, check=True)

    (line,) = ran.stderr.splitlines()
    assert json.loads(line)["event"] == "delivery_accepted"
    assert "\x1b" not in line


TOGETHER = r"""
import sys
from syncd.platform import log
import structlog
log.configure("info", as_json=True)
logger = structlog.get_logger("syncd")
facts = [{"fingerprint": "f1", "delivery": 7}, {"fingerprint": "\u00fc \n<1>", "delivery": 8}]
for one in facts:
    logger.info("delivery_accepted", **one)
log.write_all(logger, "delivery_accepted", facts)
log.configure("warning", as_json=True)
log.write_all(logger, "delivery_accepted", facts)
"""


@pytest.mark.parametrize("journal", [False, True], ids=["to a file", "to the journal"])
def test_lines_written_together_are_those_that_the_logger_writes(journal: bool) -> None:
    reading, writing = os.pipe()
    stream = os.fstat(writing)
    of_the_journal = {"JOURNAL_STREAM": f"{stream.st_dev}:{stream.st_ino}"} if journal else {}
    subprocess.run(
        [sys.executable, "-c", TOGETHER],
        stderr=writing,
        env=os.environ | {"PYTHONUTF8": "0"} | of_the_journal,
        check=True,
    )
    os.close(writing)
    with os.fdopen(reading, encoding="ascii") as written:
        lines = written.read().splitlines()

    prefix = "<6>" if journal else ""
    assert all(line.startswith(f"{prefix}{{") for line in lines)
    told = [json.loads(line.removeprefix(prefix)) for line in lines]
    assert all(one.pop("timestamp") for one in told)
    assert len(told) == 4
    assert told[:2] == told[2:]
    assert told[1] == {
        "fingerprint": "\u00fc \n<1>",
        "delivery": 8,
        "event": "delivery_accepted",
        "level": "info",
    }


def test_a_log_that_nobody_reads_any_more_ends_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [sys.executable, "-c", f"{TOGETHER}\nprint('on')"], stderr=writing, stdout=subprocess.PIPE, check=True
    )
    os.close(writing)

    assert ran.stdout == b"on\n"

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
    structlog.get_logger("syncd").exception("unexpected_error")
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


LINES = r"""
import logging
from syncd.platform import log
import structlog
log.configure("info", as_json=True)
logger = structlog.get_logger("syncd")
logger.info("delivery_accepted", fingerprint="\u00fc \n<1>", delivery=8)
logger.debug("too_quiet")
logger.warning("survey_failed", reason=ValueError("no"))
logging.getLogger("some.library").error("of a library")
logging.getLogger("jira").warning("too quiet")
"""


@pytest.mark.parametrize("journal", [False, True], ids=["to a file", "to the journal"])
def test_lines_are_ascii_json_with_their_priority_in_the_journal(journal: bool) -> None:
    reading, writing = os.pipe()
    stream = os.fstat(writing)
    environment = {"JOURNAL_STREAM": f"{stream.st_dev}:{stream.st_ino}"} if journal else {}
    subprocess.run(
        [sys.executable, "-c", LINES], stderr=writing, env=os.environ | {"PYTHONUTF8": "0"} | environment, check=True
    )
    os.close(writing)
    with os.fdopen(reading, encoding="ascii") as log:
        lines = log.read().splitlines()

    assert [line.partition("{")[0] for line in lines] == (["<6>", "<4>", "<3>"] if journal else ["", "", ""])
    events = [json.loads(line[line.index("{") :]) for line in lines]
    assert all(event.pop("timestamp").endswith("Z") for event in events)
    assert events == [
        {"event": "delivery_accepted", "level": "info", "fingerprint": "\u00fc \n<1>", "delivery": 8},
        {"event": "survey_failed", "level": "warning", "reason": "ValueError('no')"},
        {"event": "of a library", "level": "error"},
    ]


def test_a_log_that_nobody_reads_any_more_ends_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [sys.executable, "-c", f"{LINES}\nprint('on')"], stderr=writing, stdout=subprocess.PIPE, check=True
    )
    os.close(writing)

    assert ran.stdout == b"on\n"

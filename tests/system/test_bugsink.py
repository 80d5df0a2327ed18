"""Bugsink, which Sentry's own client sends errors to, and which tells syncd of new issues and of regressions."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.system.daemon import ROOT, Daemon
from tests.system.test_alertmanager import program

BIN = ROOT / ".tests/bugsink/bin"
SECRET = "5b2d6c1f-of-bugsink-in-tests"
pytestmark = pytest.mark.skipif(not (BIN / "gunicorn").exists(), reason="Bugsink is missing: `make test` installs it")

SYNCD = """
[sources.errors]
kind = "bugsink"
secret = { file = "FOLDER/secret" }

[trackers.here]
kind = "local"
folder = "FOLDER/issues"
[[routes]]
tracker = "here"
status_interval = 1
"""
SETTINGS = """
from bugsink.settings.default import *
SECRET_KEY = "of tests alone, and long enough that nothing warns of it, which is all that counts"
SENTRY_DSN = None
SNAPPEA = {"TASK_ALWAYS_EAGER": True}
EMAIL_BACKEND = "bugsink.email_backends.QuietConsoleEmailBackend"
BUGSINK = {"BASE_URL": "http://127.0.0.1:PORT", "SINGLE_USER": True, "SINGLE_TEAM": True, "PHONEHOME": False, "ALERTS_WEBHOOK_DENY_NON_GLOBAL": False}
DATABASES["default"]["NAME"] = "FOLDER/bugsink.db"
DATABASES["snappea"]["NAME"] = "FOLDER/snappea.db"
"""
PROJECT = """
import json
from alerts.models import MessagingServiceConfig
from projects.models import Project
project = Project.objects.create(name="shop", alert_on_new_issue=True, alert_on_regression=True)
MessagingServiceConfig.objects.create(project=project, display_name="syncd", kind="custom", config=json.dumps({"webhook_url": "URL"}))
print(project.sentry_key.hex, project.id)
"""
RESOLVE = "from issues.models import Issue; Issue.objects.update(is_resolved=True, is_resolved_unconditionally=True)"
CRASHING = """
import sys
import sentry_sdk
sentry_sdk.init(sys.argv[1], release=f"shop@{sys.argv[2]}+77", send_default_pii=True)
sentry_sdk.set_user({"email": "alice@example.com"})
for kind in (ZeroDivisionError, KeyError):
    for _ in range(3):
        try:
            raise kind("in the cart")
        except kind as error:
            sentry_sdk.capture_exception(error)
sentry_sdk.flush(120)
"""


def run(folder: Path, *command: str) -> str:
    """What a program of Bugsink's environment prints."""
    environment = {"DJANGO_SETTINGS_MODULE": "bugsink_conf", "PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@contextmanager
def bugsink(folder: Path, address: str) -> Iterator[str]:
    """Bugsink with one project, which posts to `address`; the address for clients."""
    port = free_port()
    (folder / "bugsink_conf.py").write_text(SETTINGS.replace("PORT", str(port)).replace("FOLDER", str(folder)))
    run(folder, "bugsink-manage", "migrate", "-v", "0")
    run(folder, "bugsink-manage", "migrate", "-v", "0", "snappea", "--database=snappea")
    key, number = run(folder, "bugsink-manage", "shell", "-v", "0", "-c", PROJECT.replace("URL", address)).split()[-2:]
    setting = ("env", "DJANGO_SETTINGS_MODULE=bugsink_conf", f"PYTHONPATH={folder}")
    with program(folder, "bugsink", *setting, str(BIN / "gunicorn"), "-b", f"127.0.0.1:{port}", "bugsink.wsgi"):
        yield f"http://{key}@127.0.0.1:{port}/{number}"


def test_new_errors_become_issues_and_a_regression_becomes_a_count(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "crash.py").write_text(CRASHING)
    with Daemon(tmp_path, SYNCD.replace("FOLDER", str(tmp_path))) as daemon:
        host, port = daemon.address
        with bugsink(tmp_path, f"http://{host}:{port}/sources/errors/{SECRET}") as clients:
            daemon.wait_for(lambda: "Booting worker" in (tmp_path / "bugsink.log").read_text(), "Bugsink")
            run(tmp_path, "python", "crash.py", clients, "2.4.0")
            daemon.wait_for(lambda: len(daemon.groups()) == 2, "two new issues")
            run(tmp_path, "bugsink-manage", "shell", "-v", "0", "-c", RESOLVE)
            run(tmp_path, "python", "crash.py", clients, "2.5.0")
            daemon.wait_for(lambda: {group["occurrences"] for group in daemon.groups().values()} == {4}, "regressions")
        daemon.drain()
        log = daemon.log.read_text()
    issues = [path.read_text() for path in (tmp_path / "issues").glob("*.md")]
    assert sorted("ZeroDivisionError: in the cart" in text for text in issues) == [False, True]
    assert all("Its source reports it as regressed" in text and "2.5.0" in text for text in issues)
    assert SECRET not in log
    assert b"alice@example.com" not in (tmp_path / "syncd.db").read_bytes()

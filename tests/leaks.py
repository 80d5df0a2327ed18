"""Every secret that a test uses, and where one may have leaked to: what was printed or logged while the suite ran."""

from base64 import b64encode
from pathlib import Path

from tests.fakes import emulator, github, jira_base
from tests.system import daemon

PASSWORDS = (daemon.PASSWORD, "open sesame")
TOKENS = (github.TOKEN, jira_base.TOKEN, emulator.TOKEN, "ghp_verysecret", "a-secret-token", "wrong-and-secret")
LOGINS = tuple(
    b64encode(f"{name}:{password}".encode()).decode() for name in ("backtrace", "operator") for password in PASSWORDS
)
# What the emulator, an independent program, prints of itself is not ours.
SECRETS = (*PASSWORDS, *(token for token in TOKENS if token != emulator.TOKEN), *LOGINS)


def leaked(text: str) -> list[str]:
    """The secrets that are in a text."""
    return [secret for secret in SECRETS if secret in text]


def in_logs(folder: Path) -> list[str]:
    """The logs of daemons below a folder that have a secret in them, each with it."""
    return [
        f"{log}: {secret}"
        for log in sorted(folder.rglob("*.log"))
        for secret in leaked(log.read_text(errors="replace"))
    ]

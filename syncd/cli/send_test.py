"""`send-test`: one notification, to see the whole chain work."""

import http.client
from typing import Annotated

import typer

from syncd import config as configuration
from syncd.cli import FAILED, LATER, stop
from syncd.cli.arguments import ConfigOption, config_path
from syncd.cli.sender import Sender
from syncd.platform.clock import Clock

app = typer.Typer(add_completion=False)


def sample(project: str, now: int) -> dict[str, object]:
    """A notification in the form of Backtrace's documentation that calls itself a test."""
    return {
        "universe": "syncd",
        "project": project,
        "fingerprint": "7e57" * 16,
        "application": "syncd-send-test",
        "callstack": ["syncd::send_test", "main"],
        "occurrences": 1,
        "object_id": "1",
        "timestamp": [now, now],
        "classifiers": ["test"],
        "hosts": 1,
        "guids": 1,
        "attributes": {"version": [["1.0.0", 1]]},
    }


@app.command("send-test")
def send_test(
    config: ConfigOption = None,
    project: Annotated[str, typer.Option(help="The project of the test crash.")] = "syncd-test",
) -> None:
    """Send one test notification to the running daemon.

    Sending it again raises the count and opens no second issue.
    """
    receiver = configuration.load(config_path(config)).receiver
    login = None
    if receiver.password is not None and receiver.username is not None:
        login = receiver.username, receiver.password.read("receiver.password").get_secret_value()
    host, port = receiver.address
    # A receiver on all addresses is reached on loopback.
    sender = Sender({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port, login)  # noqa: S104
    try:
        answer = sender.send(sample(project, int(Clock().wall())))
    except (OSError, http.client.HTTPException) as error:
        stop(LATER, f"no daemon answers on {receiver.listen} ({type(error).__name__}); start one with `syncd run`")
    finally:
        sender.close()
    print(f"{answer.status} {answer.body}")
    if answer.status != 200:
        stop(FAILED, "the daemon refused the notification")

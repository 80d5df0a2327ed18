"""`send-test`: one notification, to see whether all that is configured works."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import FAILED, LATER, ConfigOption, app, config_path, stop

if TYPE_CHECKING:
    from syncd.config import Config


def sample(project: str, now: int) -> dict[str, object]:
    """A notification like those of Backtrace's documentation, that says it is a test."""
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


def login(config: "Config") -> tuple[str, str] | None:
    """User name and password of the receiver. Raises ConfigError when the secret cannot be read."""
    receiver = config.receiver
    if receiver.password is None or receiver.username is None:
        return None
    return receiver.username, receiver.password.read().get_secret_value()


@app.command("send-test")
def send_test(
    config: ConfigOption = None,
    project: Annotated[str, typer.Option(help="The project the test crash is said to come from.")] = "syncd-test",
) -> None:
    """Send one test notification to the running daemon. Sent again, it raises a count and opens no second issue."""
    import http.client

    from syncd import config as configuration
    from syncd.cli.sender import Sender

    loaded = configuration.load(config_path(config))
    host, port = loaded.receiver.address
    sender = Sender({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port, login(loaded))  # noqa: S104 - all means here too
    try:
        answer = sender.send(sample(project, int(time.time())))
    except (OSError, http.client.HTTPException) as error:
        stop(
            LATER,
            f"no daemon answers on {loaded.receiver.listen} ({type(error).__name__}); start one with `syncd run`",
        )
    finally:
        sender.close()
    print(f"{answer.status} {answer.body}")
    if answer.status != 200:
        stop(FAILED, "the daemon did not take it")

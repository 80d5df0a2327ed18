"""`send-test`: one notification, to see the whole chain work."""

import hashlib
import http.client
import json
import time
from typing import Annotated

import typer

from syncd import config as configuration
from syncd.cli import FAILED, LATER, stop
from syncd.cli.arguments import ConfigOption, config_path, duration_option, open_store
from syncd.cli.sender import Sender
from syncd.errors import SyncdError
from syncd.model import Action, GroupView, IssueState
from syncd.platform.clock import Clock
from syncd.render.text import one_line
from syncd.store import Store

app = typer.Typer(add_completion=False)

UNIVERSE, FINGERPRINT, FRAME = "syncd", "7e57" * 16, "syncd::send_test"
WAIT_SECONDS, POLL_SECONDS = 20.0, 0.2


def sample(project: str, now: float, crash: str = FRAME, release: str = "1.0.0") -> dict[str, object]:
    """A notification in the form of Backtrace's documentation that calls itself a test, of a `crash` by the name of its frame."""
    second = int(now)
    return {
        "universe": UNIVERSE,
        "project": project,
        "fingerprint": fingerprint(crash),
        "application": "syncd-send-test",
        "callstack": [crash, "main"],
        "occurrences": 1,
        "object_id": f"{int(now * 1000):x}",  # each is another crash
        "timestamp": [second, second],
        "classifiers": ["test"],
        "hosts": 1,
        "guids": 1,
        "attributes": {"version": [[release, 1]]},
    }


def fingerprint(crash: str) -> str:
    """The fingerprint of a test crash."""
    return FINGERPRINT if crash == FRAME else hashlib.sha256(crash.encode()).hexdigest()


@app.command("send-test")
def send_test(
    config: ConfigOption = None,
    project: Annotated[str, typer.Option(metavar="NAME", help="The project of the test crash.")] = "syncd-test",
    crash: Annotated[
        str, typer.Option(metavar="FRAME", help="The function that crashes; each function is a group of its own.")
    ] = FRAME,
    release: Annotated[str, typer.Option(metavar="RELEASE", help="The release that crashes.")] = "1.0.0",
    wait: Annotated[
        float | None,
        duration_option(help="How long to wait for the issue; 0s does not wait. \\[default: 20s]"),
    ] = None,
) -> None:
    """Send one test notification to the running daemon, and wait for its issue.

    Sending it again raises the count and opens no second issue. With --crash and --release you try routes, regressions and limits. Prints the group and the issue that came of it, and how to remove them.
    Exits with 75 if no daemon answers, or if there is no issue in time.
    """
    receiver = configuration.load(config_path(config)).receiver
    login = None
    if receiver.password is not None and receiver.username is not None:
        login = receiver.username, receiver.password.read("receiver.password").get_secret_value()
    host, port = receiver.address
    # A receiver on all addresses is reached on loopback.
    sender = Sender({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port, login)  # noqa: S104
    try:
        answer = sender.send(sample(project, Clock().wall(), crash, release))
    except (OSError, http.client.HTTPException) as error:
        stop(LATER, f"no daemon answers on {receiver.listen} ({type(error).__name__}); start one with `syncd run`")
    finally:
        sender.close()
    print(f"{answer.status} {answer.body}", flush=True)
    if answer.status != 200:
        stop(FAILED, "the daemon refused the notification")
    name = f"{one_line(project, 100)}/{fingerprint(crash)[:12]}"
    patience = WAIT_SECONDS if wait is None else wait
    if patience <= 0:
        print(f"group:  {name} (`syncd show {name}`)")
        return
    print(f"group:  {name}; waiting for its issue, {patience:.0f}s at most …", flush=True)
    try:
        with open_store(config) as (_, store):
            standing = _wait(store, project, fingerprint(crash), _delivery(answer.body), time.monotonic() + patience)
    except SyncdError as error:
        print(f"This command cannot look for the issue: {error}")
        return
    _print(standing, name, patience)


def _delivery(body: str) -> int:
    """The number of the delivery in the receiver's answer; 0 if it has none."""
    try:
        return int(json.loads(body)["delivery"])
    except (ValueError, KeyError, TypeError):
        return 0


def _wait(store: Store, project: str, name: str, delivery: int, deadline: float) -> GroupView | None:
    """The group once the delivery is folded and the group has an issue or is held, or as it is at `deadline`; None if it is not folded."""
    while True:
        stored = store.lists.delivery(delivery)
        # A delivery that is folded may be purged at once.
        if stored is None or stored.group_id is not None:
            for listed in store.lists.by_fingerprint(name, 1000):
                standing = listed.standing
                if (standing.group.identity.universe, standing.group.identity.project) != (UNIVERSE, project):
                    continue
                is_linked = standing.issue is not None and standing.issue.state is IssueState.LINKED
                if is_linked or standing.decision == Action.HOLD or time.monotonic() >= deadline:
                    return standing
        if time.monotonic() >= deadline:
            return None
        time.sleep(POLL_SECONDS)


def _print(standing: GroupView | None, name: str, patience: float) -> None:
    if standing is None:
        stop(LATER, f"no worker folded the notification within {patience:.0f}s; `syncd status` says why")
    issue = standing.issue
    if issue is not None and issue.state is IssueState.LINKED:
        print(f"issue:  {one_line(issue.key or '', 200)}  {one_line(issue.url or '', 500)}")
        print("To remove it, delete or close the issue in its tracker: syncd files none again for this crash.")
        print(f"The group stays in the store, with its counts; `syncd hold {name}` stops writing to its issue.")
        return
    decision = one_line(f"{standing.decision}: {standing.reason}", 400)
    if standing.decision == Action.HOLD:
        print(f"issue:  none, on purpose: {decision}; `syncd explain {name}` says more")
        return
    stop(LATER, f"there is no issue after {patience:.0f}s ({decision}); `syncd explain {name}` says what it waits for")

"""`syncd notices test`: what it sends, prints and answers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.cli.test_output import printed_by
from tests.fakes.channels import SECRET, Chats, mails
from tests.fakes.server import Fault
from tests.golden import golden

CONFIG = """
[trackers.files]
kind = "local"
folder = "{folder}/issues"
[channels.team]
kind = "slack"
url = {{ file = "{folder}/slack" }}
digest = "08:30 Europe/Paris"
timeout = "1s"
[channels.desk]
kind = "teams"
url = {{ file = "{folder}/teams" }}
on = ["filed", "storm"]
[channels.hook]
kind = "webhook"
url = {{ file = "{folder}/hook" }}
secret = {{ file = "{folder}/secret" }}
[channels.mail]
kind = "mail"
host = "127.0.0.1"
port = {port}
security = "none"
sender = "syncd@example.com"
to = ["lead@example.com"]
"""


@pytest.fixture
def folder(tmp_path: Path, chats: Chats) -> Iterator[Path]:
    paths = {"slack": "/services/T0/B0/slacksecret", "teams": "/workflows/abc?sig=teamssecret", "hook": "/hook"}
    for name, path in paths.items():
        (tmp_path / name).write_text(chats.url + path)
    (tmp_path / "secret").write_text(SECRET)
    with mails() as server:
        (tmp_path / "config.toml").write_text(CONFIG.format(folder=tmp_path, port=server.port))
        yield tmp_path
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("team", ["filed", "regression", "parked", "storm", "rest", "rest", "digest"]),
        ("desk", ["filed", "storm"]),
        ("hook", ["filed", "regression", "parked", "storm", "rest", "rest"]),
        ("mail", ["filed", "regression", "parked", "storm", "rest", "rest"]),
    ],
)
def test_a_sample_of_each_event_that_the_channel_reports_arrives(name: str, events: list[str], folder: Path) -> None:
    printed, code = printed_by(f"notices test {name} --json", folder)

    assert code == 0
    outcomes = json.loads(printed)
    assert [outcome["event"] for outcome in outcomes] == events
    assert all(outcome["sent"] and outcome["title"].startswith("Test: ") for outcome in outcomes)


def test_what_is_printed_of_a_channel_that_takes_everything_and_of_one_that_does_not(
    folder: Path, chats: Chats
) -> None:
    assert printed_by("notices test team --event filed --event digest", folder)[1] == 0
    chats.inject(Fault(how="status", status=404, times=9, body=b"no_service"))
    printed, code = printed_by("notices test team --event filed --event rest", folder)

    assert code == 1
    assert "slacksecret" not in printed
    golden("notices", "a channel that was revoked", printed.replace(str(folder), "<folder>"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("notices test taem", "there is no channel 'taem' (did you mean 'team'?)"),
        ("notices test team --event fild", "there is no event 'fild' (did you mean 'filed'?)"),
    ],
)
def test_a_name_that_is_none_is_answered_with_the_nearest(arguments: str, sentence: str, folder: Path) -> None:
    printed, code = printed_by(arguments, folder)

    assert code == 4
    assert sentence in printed


def test_a_secret_that_cannot_be_read_is_named_with_its_key(folder: Path) -> None:
    (folder / "slack").unlink()
    printed, code = printed_by("notices test team --event filed", folder)

    assert code == 1
    assert "channels.team.url" in printed

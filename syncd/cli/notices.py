"""`notices test`: one message of each kind to a channel, to see what arrives."""

import json
import secrets
from dataclasses import replace
from typing import Annotated

import typer

from syncd import config as configuration
from syncd.cli import FAILED, NOT_FOUND, stop
from syncd.cli.arguments import ConfigOption, JsonOption, config_path
from syncd.config.channels import events_of
from syncd.config.values import did_you_mean
from syncd.core.notices import Event
from syncd.core.quantities import counted
from syncd.errors import TrackerError
from syncd.notices import samples
from syncd.notices.channels import Message, open_channel
from syncd.platform.clock import Clock
from syncd.render.text import one_line
from syncd.worker.presentation import Presentation

app = typer.Typer(add_completion=False, help="Send samples to a channel.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Send samples to a channel."""


@app.command("test")
def send_samples(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A channel's name in the configuration.")],
    config: ConfigOption = None,
    event: Annotated[
        list[str] | None,
        typer.Option(metavar="EVENT", help="Only this event, such as filed; may be repeated.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Send a sample of each event to a channel, and print each answer.

    Needs no daemon, and sends what the channel's `on` names, and a digest if it has one. Look at the channel itself: Teams answers 202 also for a
    message that its workflow then throws away. Exits with 1 if a message was not taken.
    """
    loaded = configuration.load(config_path(config))
    if name not in loaded.channels:
        stop(NOT_FOUND, f"there is no channel {name!r}{did_you_mean(name, list(loaded.channels))}")
    settings, clock = loaded.channels[name], Clock()
    wanted = [each for each in Event if each in events_of(settings) or (each is Event.DIGEST and settings.digest)]
    if event:
        names = [each.value for each in Event]
        if unknown := [each for each in event if each not in names]:
            stop(NOT_FOUND, f"there is no event {unknown[0]!r}{did_you_mean(unknown[0], names)}")
        wanted = [Event(each) for each in event]
    channel, run, outcomes = open_channel(name, settings), secrets.token_hex(4), []
    presentation = Presentation.from_config(loaded)
    for number, (kind, notice) in enumerate(samples.every(presentation, loaded, clock.wall(), wanted)):
        notice = replace(notice, label=f"Test: {notice.label}")
        try:
            answer, sent = (
                channel.send(Message(notice=notice, identifier=f"test-{run}.{number}", at=clock.wall())),
                True,
            )
        except TrackerError as error:
            answer, sent = error.reason, False
        outcomes.append({"event": str(kind), "title": notice.title, "sent": sent, "answer": one_line(answer, 300)})
        if not as_json:
            print(f"{'✓' if sent else '✗'} {notice.label}: {outcomes[-1]['answer']}")
    if as_json:
        print(json.dumps(outcomes, ensure_ascii=False))
    if failed := [outcome for outcome in outcomes if not outcome["sent"]]:
        stop(FAILED, f"channel {name} did not take {len(failed)} of {counted(len(outcomes), 'message')}")

"""`python -m tests.fakes.backtrace`: the double with a story, to try syncd's side of Backtrace without an account.

It prints the section for a configuration, has a backlog of three groups, and lets a game crash: new groups, more crashes of old ones, a group
that somebody mutes. With --webhook it also sends notifications, as Backtrace's alerts do.
"""

import argparse
import random
import time
from collections.abc import Callable

from tests.fakes.backtrace.objects import callstack
from tests.fakes.backtrace.server import LINK_TOKEN, TOKEN, FakeBacktrace

STACKS = (
    ("Renderer::draw", "Scene::render", "main"),
    ("Audio::mix", "Audio::thread"),
    ("Save::write", "Save::autosave", "main"),
    ("Net::receive", "Net::thread"),
    ("Physics::step", "Scene::update", "main"),
)
DAY = 86400.0


class Story:
    """A game that crashes. Each step is one thing that happens."""

    def __init__(self, fake: FakeBacktrace, now: Callable[[], float], seed: int = 1) -> None:
        self._fake, self._now, self._dice = fake, now, random.Random(seed)
        self._number = 0
        self.live: list[int] = []
        for group in range(3):
            for days in range(30, 60, 5):
                self._crash(group, now() - days * DAY, "1.0")

    def step(self) -> str:
        """Let something happen; return the fingerprint whose group crashed."""
        if len(self.live) < len(STACKS) and (not self.live or self._dice.random() < 0.3):
            self.live.append(len(self.live))
        group = self._dice.choice(self.live)
        for _ in range(self._dice.randint(1, 4)):
            self._crash(group, self._now(), self._dice.choice(("1.0", "1.1", "1.1")))
        if self._number > 60:
            self._fake.objects.set_issue(fingerprint(self.live[0]), state="muted")
        return fingerprint(group)

    def _crash(self, group: int, at: float, version: str) -> None:
        self._number += 1
        crash = {
            "fingerprint": fingerprint(group),
            "timestamp": int(at),
            "version": version,
            "object": self._number,
            "application": "game",
            "callstack": callstack(*STACKS[group]),
            "classifiers": "segv" if group % 2 else "exception",
            "guid": f"player-{self._dice.randint(1, 40)}",
            "hostname": f"pc-{self._dice.randint(1, 20)}",
            "uname.sysname": self._dice.choice(("Windows", "Linux")),
        }
        self._fake.objects.add([crash])


def fingerprint(group: int) -> str:
    """The fingerprint of a group of the story."""
    return format((group + 10) << 248, "064x")


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.backtrace", description=__doc__)
    parser.add_argument(
        "--webhook", metavar="URL", help="send notifications there, as http://127.0.0.1:8080/webhooks/backtrace"
    )
    parser.add_argument("--login", metavar="NAME:PASSWORD", help="the login of the webhook")
    parser.add_argument("--windowed", action="store_true", help="a notification counts the crashes since the last one")
    parser.add_argument("--every", type=float, default=3.0, metavar="SECONDS", help="between two steps of the story")
    options = parser.parse_args()
    login = tuple(options.login.split(":", 1)) if options.login else None
    with FakeBacktrace("acme", "game-client") as fake:
        fake.windowed = options.windowed
        story = Story(fake, time.time)
        print(f"Backtrace is at {fake.url}. Write {TOKEN} into the file backtrace-token, and add to config.toml:")
        print(fake.toml(poll="1m"))
        print(f"A token that may write tickets is {LINK_TOKEN}. Ctrl-C ends this.", flush=True)
        try:
            while True:
                name = story.step()
                print(f"{name[:12]} crashed: {fake.objects.count(name)} in all", flush=True)
                if options.webhook:
                    try:
                        print(f"  its notification was answered {fake.send(options.webhook, name, login)}", flush=True)
                    except OSError as error:
                        print(f"  its notification was not answered: {error}", flush=True)
                time.sleep(options.every)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()

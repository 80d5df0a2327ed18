"""A scene whose groups are reported to channels, and a server that takes what is sent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from syncd.config import Config, LocalSettings
from syncd.notices.sender import Sender, open_senders
from syncd.worker.presentation import Presentation
from tests.fakes.channels import SECRET, Chats
from tests.scene import Scene

PATHS = {"slack": "/services/T0/B0/slacksecret", "teams": "/workflows/abc?sig=teamssecret", "webhook": "/hook"}


@pytest.fixture
def chats() -> Iterator[Chats]:
    with Chats() as server:
        yield server
        assert not server.errors


@dataclass
class Office:
    """A scene with channels, and the thread of each, stepped by hand."""

    scene: Scene
    chats: Chats
    senders: dict[str, Sender] = field(default_factory=dict)

    def configure(self, channels: Mapping[str, Mapping[str, Any]], *routes: Mapping[str, Any]) -> None:
        """Give the scene channels, of the kind `webhook` unless they name another, and routes."""
        config = Config.model_validate(
            {
                "trackers": {"here": LocalSettings(kind="local", folder="unused")},
                "channels": {name: self._section(facts) for name, facts in channels.items()},
                "routes": [
                    {"tracker": "here", "status_interval": 1.0, "gather": 0.0, **route} for route in routes or ({},)
                ],
            }
        )
        self.scene.rules = replace(self.scene.rules, config=config, presentation=Presentation.from_config(config))
        self.senders = self.opened()

    def opened(self) -> dict[str, Sender]:
        """The threads of one more process, not started."""
        rules, scene = self.scene.rules, self.scene
        senders = open_senders(rules.config, scene.store, rules.presentation, scene.clock)
        return dict(zip(rules.config.channels, senders, strict=True))

    def _section(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        kind = facts.get("kind", "webhook")
        section = {"kind": kind, "url": {"env": f"URL_{kind}"}, "timeout": 1.0}
        return {**section, **({"secret": {"env": "KEY"}} if kind == "webhook" else {}), **facts}

    def deliver(self, *names: str) -> int:
        """Let each channel send what it may. Return how many messages were sent or failed."""
        count = 0
        for name in names or self.senders:
            # A look at the trackers and the digest is due.
            self.scene.clock.advance(10)
            while self.senders[name].step():
                count += 1
        return count

    @property
    def titles(self) -> list[str]:
        """The titles of the messages that webhooks took."""
        return [body["data"]["title"] for body in self.chats.taken]


@pytest.fixture
def office(scene: Scene, chats: Chats, monkeypatch: pytest.MonkeyPatch) -> Office:
    for kind, path in PATHS.items():
        monkeypatch.setenv(f"URL_{kind}", chats.url + path)
    monkeypatch.setenv("KEY", SECRET)
    chats.now = scene.clock.wall
    return Office(scene, chats)

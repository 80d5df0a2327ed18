"""`check` of `[hooks.NAME]`: the secrets, when each hook was heard last, and what the trackers have of it."""

import os
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field

from syncd.cli.check_receiver import Obstacle
from syncd.config import Config
from syncd.core.quantities import duration
from syncd.errors import ConfigError, StoreError
from syncd.intake.hooks import open_hook
from syncd.platform.clock import Clock
from syncd.store import hooks as saved
from syncd.store import read_store
from syncd.trackers import Finding, hooks


@dataclass(frozen=True, slots=True)
class TransientNotebook:
    """A tracker's notebook in memory: the store may not exist yet."""

    facts: dict[str, str] = field(default_factory=dict)

    def recall(self, fact: str) -> str | None:
        return self.facts.get(fact)

    def note(self, fact: str, value: str) -> None:
        self.facts[fact] = value


def findings(config: Config) -> Iterator[tuple[str, Finding]]:
    """(part, finding) of each hook."""
    clock, heard = Clock(), _heard(config)
    for name, settings in config.hooks.items():
        part = f"hook {name}"
        try:
            open_hook(config, name)
        except ConfigError as error:
            yield part, Obstacle(ok=False, what="its secrets cannot be used", remedy="; ".join(error.problems))
            continue
        ending = "" if settings.signed else "/SECRET"
        ago = "was never heard" if name not in heard else f"was last heard {duration(clock.wall() - heard[name])} ago"
        yield (
            part,
            Finding(ok=True, what=f"it listens on http://{config.receiver.listen}/hooks/{name}{ending}, and {ago}"),
        )
        for tracker in settings.tracker:
            check_hook, sleep = hooks.check_hook_of(config.trackers[tracker].kind), time.sleep
            answered = check_hook(
                tracker, config.trackers[tracker], TransientNotebook(), name, clock=clock, sleep=sleep
            )
            yield from ((f"{part}, tracker {tracker}", finding) for finding in answered)


def _heard(config: Config) -> dict[str, float]:
    """When each hook was heard last; empty without a store that can be read, of which the check of the store says why."""
    if config.store.dialect == "sqlite" and not os.path.exists(config.store.path):
        return {}
    with suppress(StoreError, ConfigError), closing(read_store(config.store)) as store:
        heard: dict[str, float] = {}
        for each in saved.heard(store.connection):
            heard[each.name] = max(each.heard_at, heard.get(each.name, 0.0))
        return heard
    return {}

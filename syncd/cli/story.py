"""A made-up week of crashes: bursts, redeliveries, late arrivals, several releases, two projects, hostile text."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass

DAY = 86400
HOUR = 3600

HOSTILE = (
    "```\n</details><script>alert(1)</script> @everyone fixes #1\x1b[31m",
    "{noformat}{code}!https://example.invalid/x.png! [~admin]",
    "std::map<int, \u202egnp.exe\u202c>::at(`|`)",
)


@dataclass(frozen=True, slots=True)
class Crash:
    """A cause of crashes, with its stack, its releases and its occurrences per day."""

    project: str
    application: str
    classifiers: tuple[str, ...]
    frames: tuple[str, ...]
    releases: tuple[str, ...]
    daily: int


CRASHES = (
    Crash("game-client", "game", ("segfault",), ("Renderer::draw_shadow(Light const&)", "Renderer::frame()", "Game::loop()", "main"), ("2.3.0", "2.3.1", "2.4.0"), 160),
    Crash("game-client", "game", ("abort",), ("abort", "__cxa_throw", "Inventory::at(unsigned long)", "Hud::paint()", "main"), ("2.3.1", "2.4.0"), 60),
    Crash("game-client", "game", ("segfault", "startup"), ("Audio::open_device()", "Audio::start()", "main"), ("2.4.0",), 35),
    Crash("game-client", "game", ("oom",), ("operator new(unsigned long)", "TextureCache::load(std::string)", "Level::enter()"), ("2.3.0",), 12),
    Crash("game-client", "launcher", ("exception",), ("System.NullReferenceException at Updater.Check()", "Program.Main()"), ("1.9.2",), 25),
    Crash("game-client", "game", ("segfault",), (*HOSTILE, "Chat::receive(Packet)", "main"), ("2.4.0",), 8),
    Crash("game-server", "matchmaker", ("panic",), ("rust_begin_unwind", "matchmaker::queue::pop", "matchmaker::main"), ("145.1.87.42", "145.1.88.0"), 45),
    Crash("game-server", "matchmaker", ("timeout",), ("matchmaker::db::acquire", "matchmaker::handler::join"), ("145.1.87.42",), 15),
    Crash("game-server", "worldd", ("segfault",), ("Pathfinder::step(Agent&, float)", "World::tick()", "main"), ("0.9.0-beta", "0.9.0"), 90),
    Crash("game-server", "worldd", ("hang",), (), (), 3),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Story:
    """The notifications of each day in order, how many of them are redeliveries, and the final count by fingerprint."""

    days: tuple[tuple[dict[str, object], ...], ...]
    redelivered: int
    occurrences: dict[str, int]

    @property
    def size(self) -> int:
        """The number of notifications."""
        return sum(len(day) for day in self.days)


def tell(now: int, seed: int = 20240229, days: int = 5) -> Story:
    """The days before `now`. Counts are totals since a group's first crash; one notification in ten is sent twice."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    start = now - days * DAY - HOUR
    sent = [event for crash in CRASHES for event in _days(crash, start, days, chance)]
    final = {str(body["fingerprint"]): int(str(body["occurrences"])) for _, body in sent}
    again = [(min(at + chance.uniform(0, 2 * HOUR), now), body) for at, body in sent if chance.random() < 0.1]
    chapters: list[list[dict[str, object]]] = [[] for _ in range(days)]
    for at, body in sorted([*sent, *again], key=lambda pair: pair[0]):
        chapters[min(int((at - start) // DAY), days - 1)].append(body)
    return Story(tuple(tuple(chapter) for chapter in chapters), len(again), final)


def _days(crash: Crash, start: int, days: int, chance: random.Random) -> Iterator[tuple[float, dict[str, object]]]:
    fingerprint = hashlib.sha256(repr(crash).encode()).hexdigest()
    first, total, ledger = start + chance.randrange(HOUR), 0, dict[str, int]()
    for day in range(days):
        released = crash.releases[: 1 + day * len(crash.releases) // days]
        bursts = sorted(chance.randrange(1, DAY) for _ in range(chance.randint(6, 14)))
        for moment in bursts:
            grown = max(1, round(crash.daily / len(bursts) * chance.uniform(0.5, 1.5)))
            total += grown
            for _ in range(grown if released else 0):
                release = chance.choice(released)
                ledger[release] = ledger.get(release, 0) + 1
            last = first + day * DAY + moment
            yield (
                last,
                {
                    "universe": "acme",
                    "project": crash.project,
                    "fingerprint": fingerprint,
                    "application": crash.application,
                    "href": "https://acme.sp.backtrace.io",
                    "group_url": f"https://acme.sp.backtrace.io/p/{crash.project}/triage?fingerprints={fingerprint}",
                    "callstack": list(crash.frames) or None,
                    "occurrences": total,
                    "object_id": format(last, "x"),
                    "timestamp": [first, last],
                    "classifiers": list(crash.classifiers),
                    "hosts": max(1, total // 3),
                    "guids": max(1, total // 4),
                    "attributes": {"version": [[release, count] for release, count in ledger.items()]},
                },
            )

"""Groups by webhook and by poll, in both readings of the webhook's counts, while the daemon is killed: every count equals that of Backtrace."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

from tests.fakes.backtrace import TOKEN, FakeBacktrace, callstack
from tests.prove.report import Row
from tests.system.daemon import Daemon
from tests.system.kinds import opened

KILLS = 5
BATCHES = 20
_PATIENCE_SECONDS = 3600.0


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row for each reading of the webhook; `size` is how many groups there are."""
    for windowed in (False, True):
        where = folder / ("windows" if windowed else "totals")
        where.mkdir()
        wrong, kills, notified = crashed(where, seed, size, windowed=windowed, poll="1m")
        control = folder / f"control-{where.name}"
        control.mkdir()
        unpolled, _, _ = crashed(control, seed, min(size, 300), windowed=windowed, poll="off")
        yield Row(
            action=f"groups crash while the daemon is killed; a half is notified, and a notification counts {where.name}; polls read all",
            scale=f"{size:,} groups, {notified:,} notifications, {kills} kills",
            result=f"{wrong:,} groups whose occurrences differ from Backtrace's",
            control=f"without polls {unpolled:,} of {min(size, 300):,} groups differ",
            ok=not wrong and kills == KILLS and unpolled > 0,
        )


def crashed(folder: Path, seed: int, size: int, *, windowed: bool, poll: str) -> tuple[int, int, int]:
    """Let groups crash. Return how many differ from the double in the end, the kills, and the notifications."""
    dice, kills, notified, number = random.Random(seed), 0, 0, 0
    (folder / "backtrace-token").write_text(TOKEN)
    with FakeBacktrace() as fake, opened("local", folder) as kind:
        fake.windowed = windowed
        fake.remember(1)
        daemon = Daemon(folder, kind.toml() + fake.toml(poll=poll))
        daemon.start()
        try:
            batches = [range(start, size, BATCHES) for start in range(BATCHES)]
            fatal = set(dice.sample(range(len(batches)), KILLS))
            if poll != "off":
                daemon.wait_for(lambda: daemon.status()["polls"][0]["begun_at"], "the first poll")
            for place, batch in enumerate(batches):
                for _ in range(2):
                    crashes = []
                    for group in batch:
                        for _ in range(dice.randint(1, 4)):
                            number += 1
                            crashes.append(_crash(group, number, dice.choice(("1.0", "1.1", "2.0"))))
                    fake.objects.add(crashes)
                    for group in batch:
                        if group % 2 == 0:
                            daemon.send(fake.webhook(_name(group)))
                            notified += 1
                if place in fatal:
                    time.sleep(dice.random())
                    daemon.kill()
                    kills += 1
                    daemon.start()
            over = time.time()
            if poll != "off":
                _wait(daemon, over)
            daemon.drain()
            groups = daemon.groups()
            return sum(_differs(fake, name, groups.get(name)) for name in fake.objects.groups()), kills, notified
        finally:
            if daemon.alive:
                daemon.kill()


def _wait(daemon: Daemon, over: float) -> None:
    """Wait for a whole poll that began after a time."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while daemon.status()["polls"][0]["polled_at"] < over:
        assert time.monotonic() < deadline, daemon.status()["polls"]
        time.sleep(2.0)


def _name(group: int) -> str:
    return format(group + 2**252, "064x")


def _crash(group: int, number: int, version: str) -> dict[str, object]:
    return {
        "fingerprint": _name(group),
        "timestamp": int(time.time()),
        "version": version,
        "object": number,
        "callstack": callstack(f"draw{group}", "main"),
        "guid": f"u{number % 97}",
        "hostname": f"h{number % 31}",
    }


def _differs(fake: FakeBacktrace, name: str, group: dict[str, object] | None) -> bool:
    return group is None or group["occurrences"] != fake.objects.count(name) or bool(group["approximate"])

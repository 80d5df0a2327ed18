"""Senders of notifications, as they are and as they may be, and the truth that they do not tell: which crashes each notification counts.

A crash happens at one time and is uploaded at another; what a tracker of crashes knows, it knows from uploads. A sender sends what it counts
at a moment, and a way (an outage, two alerts, a clock) changes what arrives of it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from tests.factories import notification_json

BEGIN = 1_790_000_000  # a whole second at which nothing special happens
MINUTE, HOUR, DAY = 60, 3600, 86400
RESET = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class Crash:
    """One crash: when it happened by the clock of its machine, and when it was uploaded."""

    number: int
    time: int
    uploaded: float
    release: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A notification on its way: when it arrives, and which crashes it counts."""

    at: float
    fields: dict[str, Any]
    crashes: frozenset[int] = frozenset()

    @property
    def body(self) -> bytes:
        """What is posted."""
        return json.dumps(notification_json(**self.fields)).encode()


@dataclass(frozen=True)
class Weather:
    """What chance gives one group: its crashes, and the numbers of its senders."""

    chance: Random
    group: str
    rate: float  # crashes in an hour
    hours: float
    late: float = 0.0  # share of crashes that are uploaded late
    delay: tuple[float, float] = (60.0, 600.0)
    burst: int = 1  # crashes in the same second
    reset: float = 0.0  # share of crashes on machines whose clocks were reset
    every: float = 15 * MINUTE
    crashes: list[Crash] = field(default_factory=list)

    def __post_init__(self) -> None:
        at, end = float(BEGIN + self.chance.randrange(HOUR)), BEGIN + self.hours * HOUR
        while at < end or not self.crashes:
            for _ in range(self.chance.randint(1, self.burst)):
                delay = self.chance.uniform(*self.delay) if self.chance.random() < self.late else 0.5
                release = self.chance.choice(("2.4.0", "2.4.0", "2.4.1"))
                is_reset = self.reset and self.chance.random() < self.reset
                time = RESET + self.chance.randint(1, 90) if is_reset else int(at)
                self.crashes.append(Crash(len(self.crashes), time, at + delay, release))
            at += self.chance.expovariate(self.rate * 2 / (1 + self.burst) / HOUR)
        self.crashes.sort(key=lambda crash: crash.uploaded)

    def sent(self, at: float, counted: Sequence[Crash], *, one_time: bool = False, **changes: Any) -> Sent:
        """Return the notification that counts these crashes, the last of which was uploaded last."""
        times = [crash.time for crash in counted]
        releases = dict[str, int]()
        for crash in counted:
            releases[crash.release] = releases.get(crash.release, 0) + 1
        fields = {
            "fingerprint": self.group,
            "occurrences": len(counted),
            "object_id": format(counted[-1].number + 1, "x"),
            "timestamp": [times[-1], times[-1]] if one_time else [min(times), max(times)],
            "hosts": len({crash.number % 7 for crash in counted}),
            "attributes": {"version": [[name, count] for name, count in releases.items()]},
        }
        return Sent(at, fields | changes, frozenset(crash.number for crash in counted))

    def ticks(self) -> Iterator[float]:
        """Yield the times at which an alert looks: off the second, as schedulers do."""
        at = BEGIN + self.chance.uniform(0, self.every)
        end = max(crash.uploaded for crash in self.crashes) + self.every
        while at < end + self.every:
            yield at
            at += self.every


Sender = Callable[[Weather], Iterable[Sent]]


def totals(weather: Weather, *, one_time: bool = False) -> Iterator[Sent]:
    """All crashes so far, at each look that finds a new one."""
    place = 0
    for at in weather.ticks():
        before = place
        while place < len(weather.crashes) and weather.crashes[place].uploaded <= at:
            place += 1
        if place > before:
            yield weather.sent(at, weather.crashes[:place], one_time=one_time)


def totals_at_each_crash(weather: Weather, *, one_time: bool = False) -> Iterator[Sent]:
    """All crashes so far, with each crash."""
    for place, crash in enumerate(weather.crashes, 1):
        yield weather.sent(crash.uploaded + 1, weather.crashes[:place], one_time=one_time)


def retained(weather: Weather, *, days: float = 7.0, one_time: bool = False) -> Iterator[Sent]:
    """All crashes of the last days: older ones are deleted."""
    before = None
    for at in weather.ticks():
        kept = [crash for crash in weather.crashes if at - days * DAY < crash.uploaded <= at]
        if kept and kept[-1] is not before:
            before = kept[-1]
            yield weather.sent(at, kept, one_time=one_time)


def windows(weather: Weather, *, length: float | None = None, whole: bool = False) -> Iterator[Sent]:
    """The crashes of the last `length` seconds, at each look: separate windows, or sliding ones. `whole`: on whole seconds."""
    for at in weather.ticks():
        at = float(int(at)) if whole else at
        counted = [
            c
            for c in weather.crashes
            if at - (length or weather.every) < (c.uploaded // 1 if whole else c.uploaded) <= at
        ]
        if counted:
            yield weather.sent(at, counted)


def each(weather: Weather) -> Iterator[Sent]:
    """One notification for each crash."""
    for crash in weather.crashes:
        yield weather.sent(crash.uploaded + 0.2, [crash])


def first(weather: Weather) -> Iterator[Sent]:
    """One notification for the first crash of the group."""
    yield weather.sent(weather.crashes[0].uploaded + 0.2, weather.crashes[:1], hosts=0)


def merged(weather: Weather) -> Iterator[Sent]:
    """Totals of a group into which another one is merged in the middle: its crashes were there before."""
    sent, old = [*totals(weather)], weather.chance.randint(1, 200)
    earlier = [Crash(100_000 + number, BEGIN - DAY + number, BEGIN - DAY, "2.3.9") for number in range(old)]
    for number, entry in enumerate(sent):
        counted = [crash for crash in weather.crashes if crash.number in entry.crashes]
        yield weather.sent(entry.at, [*earlier, *counted]) if number >= len(sent) // 2 else entry


def both(*senders: Sender) -> Sender:
    """Several alerts on one integration."""
    return lambda weather: (sent for sender in senders for sent in sender(weather))


def outage(sender: Sender) -> Sender:
    """What is sent in an outage arrives after it, in any order, and some of it twice."""

    def arriving(weather: Weather) -> Iterator[Sent]:
        begin = BEGIN + weather.chance.uniform(0.2, 0.5) * weather.hours * HOUR
        end = begin + weather.chance.uniform(0.05, 0.1) * weather.hours * HOUR
        for sent in sender(weather):
            if begin < sent.at < end:
                yield replace(sent, at=end + weather.chance.uniform(0, 300))
                if weather.chance.random() < 0.3:
                    yield replace(sent, at=end + weather.chance.uniform(0, 300))
            else:
                yield sent

    return arriving


def shuffled(sender: Sender, seconds: float = 5.0) -> Sender:
    """Arrives some seconds out of order."""
    return lambda weather: (replace(sent, at=sent.at + weather.chance.uniform(0, seconds)) for sent in sender(weather))


def changed(sender: Sender, change: Callable[[dict[str, Any], Random], dict[str, Any]], share: float = 1.0) -> Sender:
    """A share of the notifications has other fields."""
    return lambda weather: (
        replace(sent, fields=sent.fields | change(sent.fields, weather.chance))
        if weather.chance.random() < share
        else sent
        for sent in sender(weather)
    )


def reset_clock(year: int) -> Callable[[dict[str, Any], Random], dict[str, Any]]:
    """One of the machines has a clock that was reset."""
    then = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())

    def change(fields: dict[str, Any], chance: Random) -> dict[str, Any]:
        last = fields["timestamp"][1]
        wrong = then + chance.randint(1, 90)
        return {"timestamp": [wrong, last if fields["occurrences"] > 1 else wrong]}

    return change


def clock_ahead(fields: dict[str, Any], chance: Random) -> dict[str, Any]:
    """One of the machines has a clock some years ahead."""
    first, last = fields["timestamp"]
    ahead = 3 * 365 * DAY
    return {"timestamp": [first + (ahead if first == last else 0), last + ahead]}


def without(*names: str) -> Callable[[dict[str, Any], Random], dict[str, Any]]:
    """Fields that are null."""
    return lambda fields, chance: dict.fromkeys(names)


def in_text(fields: dict[str, Any], chance: Random) -> dict[str, Any]:
    """Times as text of ISO 8601."""
    return {"timestamp": [datetime.fromtimestamp(time, UTC).isoformat() for time in fields["timestamp"]]}


def in_milliseconds(fields: dict[str, Any], chance: Random) -> dict[str, Any]:
    """Times in milliseconds."""
    return {"timestamp": [1000 * time for time in fields["timestamp"]]}


def swapped(fields: dict[str, Any], chance: Random) -> dict[str, Any]:
    """The last time before the first."""
    return {"timestamp": fields["timestamp"][::-1]}


def totals_of_one_time(weather: Weather) -> Iterator[Sent]:
    """All crashes so far, with the time of the latest upload only."""
    return totals(weather, one_time=True)


def sliding(length: float) -> Sender:
    """Windows that overlap."""
    return lambda weather: windows(weather, length=length)


LATE = {"late": 0.3}
NEXT_LAUNCH = {"late": 0.5, "delay": (HOUR, 2.0 * DAY)}

# By name: the sender, and how its weather differs from that of `weathers`.
SENDERS: dict[str, tuple[Sender, dict[str, Any]]] = {
    "totals": (totals, {}),
    "totals at each crash": (totals_at_each_crash, {"rate": 4.0}),
    "totals with one time": (totals_of_one_time, {}),
    "totals with one time at each crash": (lambda w: totals_at_each_crash(w, one_time=True), {"rate": 4.0}),
    "totals, late uploads": (totals, LATE),
    "totals with one time, late uploads": (totals_of_one_time, LATE),
    "totals, uploads at the next launch": (totals, NEXT_LAUNCH),
    "windows off the second": (windows, {}),
    "windows on the second": (lambda w: windows(w, whole=True), {}),
    "windows of a minute, many crashes": (windows, {"every": MINUTE, "rate": 5000.0, "hours": 1.0}),
    "windows, few crashes": (windows, {"rate": 1.0}),
    "windows of bursts in one second": (windows, {"rate": 20.0, "burst": 8}),
    "windows, late uploads": (windows, LATE),
    "windows, uploads at the next launch": (windows, NEXT_LAUNCH),
    "sliding windows": (sliding(HOUR), {}),
    "sliding windows, few crashes": (sliding(HOUR), {"rate": 1.0}),
    "sliding windows of a day": (sliding(DAY), {"every": HOUR}),
    "sliding windows, late uploads": (sliding(HOUR), LATE),
    "one POST per error": (each, {}),
    "one POST per error, many": (each, {"rate": 5000.0, "hours": 0.5}),
    "one POST per error, out of order": (shuffled(each), {"rate": 1000.0, "hours": 1.0}),
    "one POST per error, late uploads": (each, LATE),
    "one POST per error, uploads at the next launch": (each, NEXT_LAUNCH),
    "two alerts: first and windows": (both(first, windows), {}),
    "two alerts: first and windows, few crashes": (both(first, windows), {"rate": 0.5}),
    "two alerts: each and windows": (both(each, windows), {}),
    "two alerts: each and totals": (both(each, totals), {}),
    "two alerts: windows of two lengths": (both(windows, sliding(HOUR)), {}),
    "reset clock in some windows": (changed(windows, reset_clock(2000), 0.05), {}),
    "reset clock in many windows": (changed(windows, reset_clock(2015), 0.3), {}),
    "reset clock in all windows": (changed(windows, reset_clock(2000)), {}),
    "reset clock in totals": (changed(totals, reset_clock(2000), 0.3), {}),
    "reset clock, one POST per error": (changed(each, reset_clock(2018), 0.1), {}),
    "clock ahead in windows": (changed(windows, clock_ahead, 0.2), {}),
    "clock ahead in totals": (changed(totals, clock_ahead, 0.2), {}),
    "retention": (retained, {"rate": 0.6, "hours": 20 * 24.0, "every": 6 * HOUR}),
    "retention with one time": (
        lambda w: retained(w, one_time=True), {"rate": 0.6, "hours": 20 * 24.0, "every": 6 * HOUR},
    ),
    "merge": (merged, {}),
    "outage, windows": (outage(windows), {}),
    "outage, totals": (outage(totals), {}),
    "outage, totals with one time": (outage(totals_of_one_time), {}),
    "outage, one POST per error": (outage(each), {}),
    "null times, totals": (changed(totals, without("timestamp")), {}),
    "null times, windows": (changed(windows, without("timestamp")), {}),
    "null times, one POST per error": (changed(each, without("timestamp")), {}),
    "null times and objects, one POST per error": (changed(each, without("timestamp", "object_id")), {"rate": 10.0}),
    "ISO times, windows": (changed(windows, in_text), {}),
    "times in milliseconds, windows": (changed(windows, in_milliseconds), {}),
    "last time first, windows": (changed(windows, swapped), {}),
    "no count": (changed(windows, without("occurrences")), {}),
}  # fmt: skip


def arrivals(name: str, seed: int, groups: int = 3) -> list[Sent]:
    """Return what arrives of some groups of one project, in order."""
    sender, differing = SENDERS[name]
    return _arrivals(f"{name} {seed}", sender, differing, groups)


def _arrivals(seed: str, sender: Sender, differing: dict[str, Any], groups: int) -> list[Sent]:
    arriving: list[Sent] = []
    for number in range(groups):
        chance = Random(f"{seed} {number}")
        numbers: dict[str, Any] = {"rate": chance.choice((3.0, 12.0, 60.0)), "hours": chance.uniform(6.0, 24.0)}
        weather = Weather(chance, f"{number + 1:x}" * 64, **(numbers | differing))
        arriving += sender(weather)
    return sorted(arriving, key=lambda sent: sent.at)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sender with parameters by chance, and the weather of each of its groups. `limit` is why nobody can know an upper bound at times: the
    notifications are those of another sender, too."""

    name: str
    sender: Sender
    weather: dict[str, Any]
    limit: str = ""

    def arrivals(self, seed: int, groups: int = 2) -> list[Sent]:
        """Return what arrives of some groups of one project, in order."""
        return _arrivals(f"{self.name} {seed}", self.sender, self.weather, groups)


def drawn(seed: int) -> Drawn:
    """Return the sender of a seed: what it counts, how late crashes are uploaded, and what becomes of its notifications on the way."""
    chance = Random(f"sender {seed}")
    every = chance.choice((2, 5, 15, 60, 360)) * float(MINUTE)
    looks = chance.randint(20, 60)
    weather: dict[str, Any] = {
        "every": every,
        "hours": looks * every / HOUR,
        "rate": chance.choice((0.3, 1.0, 3.0, 8.0)) * HOUR / every,  # crashes in the time between two looks
        "burst": chance.choice((1, 1, 1, 4)),
    }
    if chance.random() < 0.5:
        longest = chance.choice((0.5, 2.0, 10.0)) * every
        weather |= {"late": chance.choice((0.1, 0.3, 0.6)), "delay": (1.0, longest)}
    if chance.random() < 0.1:
        weather["reset"] = chance.choice((0.02, 0.2))
    one_time, length = chance.random() < 0.4, chance.uniform(1.5, 20.0) * every
    days = max(1.2, chance.uniform(2.0, 30.0) * every / DAY)
    kinds: dict[str, Sender] = {
        "totals": lambda w: totals(w, one_time=one_time),
        "totals at each crash": lambda w: totals_at_each_crash(w, one_time=one_time),
        "retained": lambda w: retained(w, days=days, one_time=one_time),
        "windows": windows,
        "windows on the second": lambda w: windows(w, whole=True),
        "sliding": lambda w: windows(w, length=length),
        "each": each,
        "merged": merged,
    }
    name = chance.choice([*kinds])
    sender, parts = kinds[name], [name]
    is_windows = name not in ("totals", "totals at each crash", "each", "merged")
    if one_time and name in ("totals", "totals at each crash", "retained"):
        parts.append("one time")
    if chance.random() < 0.15:
        # Two alerts with windows that do not overlap share some crashes, which nothing shows.
        second = chance.choice(("each",) if is_windows else ("windows", "each", "sliding"))
        sender, is_windows = both(sender, kinds[second]), is_windows or second != "each"
        parts.append(f"and {second}")
    ways: dict[str, Callable[[Sender], Sender]] = {
        "outage": outage,
        "out of order": shuffled,
        "clocks ahead": lambda s: changed(s, clock_ahead, 0.2),
        "no times": lambda s: changed(s, without("timestamp")),
        "milliseconds": lambda s: changed(s, in_milliseconds),
    }
    if chance.random() < 0.4:
        way = chance.choice([*ways])
        sender = ways[way](sender)
        parts.append(way)
    limit = ""
    if is_windows and {"late", "reset"} & {*weather}:
        limit = "the oldest crash of a window, by its clock, was uploaded after others: it is like a total"
    elif is_windows and parts[-1] == "no times":
        limit = "windows without times that grow are like totals"
    elif parts[-1] in ("outage", "out of order") and len(parts) > 2:
        limit = "notifications of two alerts overtake each other"
    numbers = ", ".join(f"{key} {value}" for key, value in weather.items())
    detail = {"retained": f", days {days:.1f}", "sliding": f", length {length:.0f}"}.get(name, "")
    return Drawn(f"{' '.join(parts)} ({numbers}{detail})", sender, weather, limit)

"""A storm of refusals: the tracker asks for silence, at random and again and again. Nothing may be sent before it is over, and
nothing more than needed at all.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.server import Fault, Moment, Recorded, ServerBase
from tests.prove.crashes import crash, fingerprint, tally
from tests.prove.report import Row
from tests.system.daemon import Daemon
from tests.system.kinds import Kind, opened

PATIENCE_SECONDS = 1800.0
# What several threads have on the wire when one of them is told to be silent: sent before any could know.
WIRE_SECONDS = 0.5
EXCESS = 0.05
_SHARE = 0.12
_STEPS = 3  # of each crash: created, told of by a new comment, and by that comment edited
_MORE = 'probe_after = ["1s", "2s", "3s"]\nwrites = ["6000/1m"]\n'
# A kill is in the middle of a pause when the refusal is known and a start still fits in.
_KNOWN_SECONDS = 0.5
_START_SECONDS = 3.0


@dataclass(kw_only=True)
class Pause:
    """What one refusal asked for, in epoch seconds: from when it was written until it is over."""

    begins: float
    ends: float


class Storm:
    """A tracker that asks for silence, for so many `seconds`, from and to: `share` of the requests begin a spell, in which each
    of one to three in a row is refused. Where it is `thorough`, the first of each kind of request is refused as well.

    `late` are requests, with the seconds since the silence was asked for, that came within WIRE_SECONDS of it; `inside` those
    that came later and before it was over.
    """

    def __init__(self, seed: int, kind: str, share: float, seconds: tuple[int, int], thorough: bool) -> None:
        self.refused: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.late: list[tuple[float, str]] = []
        self.inside: list[tuple[float, str]] = []
        self.paused_seconds = 0.0
        self._chance = random.Random(seed)
        self._kind = kind
        self._share = share
        self._seconds = seconds
        self._thorough = thorough
        self._spell = 0
        self._refused: set[str] = set()
        self._asked: dict[int, Pause] = {}
        self._pauses: list[Pause] = []

    def strike(self, fake: ServerBase) -> None:
        """Be the weather of a tracker, and see its requests come and its answers go."""
        fake.weather, fake.watch = self._weather, self._watch
        fake._record = self._judged(fake._record)  # type: ignore[method-assign, assignment]

    def _judged(self, record: Callable[[Recorded], None]) -> Callable[[Recorded], None]:
        def judged(request: Recorded) -> None:
            self._judge(request, time.time())
            record(request)

        return judged

    def _judge(self, request: Recorded, now: float) -> None:
        for pause in self._pauses:
            if pause.begins < now < pause.ends:
                met = (now - pause.begins, _name(request))
                (self.late if met[0] <= WIRE_SECONDS else self.inside).append(met)
                return

    def _weather(self, request: Recorded) -> Fault | None:
        now, name = time.time(), _name(request)
        first = self._thorough and name not in self._refused
        if not self._spell and self._chance.random() < self._share:
            self._spell = self._chance.randint(1, 3)
        if not self._spell and not first:
            self.requests[name] += 1
            return None
        self._spell = max(0, self._spell - 1)
        self._refused.add(name)
        fault, seconds = self._refusal(now)
        self._asked[id(request)] = Pause(begins=now, ends=now + seconds)
        return fault

    def _refusal(self, now: float) -> tuple[Fault, float]:
        """One of those that the kind of tracker knows, and for how many seconds it means it."""
        seconds = self._chance.randint(*self._seconds)
        used_up = self._kind == "github" and self._chance.random() < 0.3
        if used_up:
            reset = int(now) + seconds
            self.refused["primary limit, told by its reset"] += 1
            headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
            body = {"message": "API rate limit exceeded for user ID 501."}
            return Fault(how="status", status=403, headers=headers, body=body), reset - now
        self.refused["429 with Retry-After"] += 1
        headers = {"Retry-After": str(seconds)}
        body = {"message": "You have exceeded a secondary rate limit."}
        return Fault(how="status", status=429, headers=headers, body=body), float(seconds)

    def _watch(self, moment: Moment, request: Recorded) -> None:
        # The pause begins when its refusal is written, and ends so long after it was decided on.
        pause = self._asked.pop(id(request), None) if moment == "answered" else None
        if pause is not None:
            pause.begins = time.time()
            self.paused_seconds += max(0.0, pause.ends - pause.begins)
            self._pauses.append(pause)

    @property
    def pause(self) -> Pause | None:
        """The latest."""
        return self._pauses[-1] if self._pauses else None


def _name(request: Recorded) -> str:
    """What a request is for, for counting."""
    last = request.path.rstrip("/").rpartition("/")[2]
    return f"{request.method} {last if not any(letter.isdigit() for letter in last) else 'one'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One daemon in a storm. Where it is `killed`, that is -9 in the middle of as many pauses as come."""

    kind: str
    concurrency: int = 1
    killed: bool = False

    def __str__(self) -> str:
        killed = ", killed -9 in the middle of pauses" if self.killed else ""
        return f"{self.kind}, {self.concurrency} at a time{killed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weathered:
    """What came of a case. `needed` counts what nobody could do without, `silent` the starts that came before the end of the
    pause in which their forerunner was killed."""

    exact: bool
    needed: int
    sent: int
    kills: int
    silent: int
    storm: Storm

    def wrong(self, case: Case) -> list[str]:
        """What must not be."""
        storm = self.storm
        allowed = (case.concurrency - 1) * storm.refused.total()
        return [
            *([] if self.exact else ["not every crash has one issue with its count"]),
            *([f"{len(storm.inside)} requests inside a pause: {storm.inside[:5]}"] if storm.inside else []),
            *([f"{len(storm.late)} requests late: {storm.late[:5]}"] if len(storm.late) > allowed else []),
            *([] if self.sent <= self.needed * (1 + EXCESS) else [f"{self.sent} requests, {self.needed} needed"]),
            *([] if storm.refused else ["there was no storm"]),
            *([] if self.silent or not case.killed else ["no start came before the end of a pause"]),
        ]


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """A line for each case. `size` is how many crashes."""
    cases = [Case(kind=kind, concurrency=number) for kind in ("github", "jira-cloud") for number in (1, 4)]
    cases += [Case(kind=kind, killed=True) for kind in ("github", "jira-cloud")]
    # They spend their time in silence: three at once do not disturb each other.
    with ThreadPoolExecutor(3) as pool:
        yield from pool.map(lambda pair: _row(folder / str(pair[0]), seed + pair[0], pair[1], size), enumerate(cases))


def _row(folder: Path, seed: int, case: Case, size: int) -> Row:
    weathered = weather(folder, seed, case, size)
    storm, wrong = weathered.storm, weathered.wrong(case)
    refused = ", ".join(f"{count} x {how}" for how, count in sorted(storm.refused.items()))
    excess = (weathered.sent / weathered.needed - 1) * 100
    came = f"no request inside a pause; {weathered.sent} requests, {weathered.needed} needed ({excess:+.1f} %)"
    if case.concurrency > 1:
        worst = max((after for after, _ in storm.late), default=0.0)
        came += (
            f"; {len(storm.late)} were on the wire before the refusal was read, the last {worst * 1000:.0f} ms after it"
        )
    if case.killed:
        came += f"; {weathered.kills} kills, {weathered.silent} starts before the end of the pause, silent until then"
    return Row(
        done=f"a tracker that refuses at random and in spells: {case}",
        many=f"{size} crashes, {size * (_STEPS - 1)} updates, {refused}, {storm.paused_seconds:.0f} s of silence asked for",
        came="; ".join(wrong) or came,
        ok=not wrong,
    )


def weather(folder: Path, seed: int, case: Case, size: int, patience: float = PATIENCE_SECONDS) -> Weathered:
    """File `size` crashes and tell of each twice more, in a storm. Raises AssertionError where a step takes too long."""
    folder.mkdir(parents=True, exist_ok=True)
    storm = Storm(seed, case.kind, _SHARE, (4, 7) if case.killed else (1, 3), thorough=not case.killed)
    with opened(case.kind, folder) as tracker:
        assert tracker.fake is not None
        storm.strike(tracker.fake)
        with Daemon(folder, tracker.toml(f"{_MORE}concurrency = {case.concurrency}\n")) as daemon:
            kills, silent = _tell(daemon, tracker, storm, case, size, patience)
            assert daemon.stop() == 0
        exact = tally([fingerprint(number) for number in range(size)], tracker.texts()).exact
        # At a start each client asks where its repository is, or what versions its project has, and for the newest issue.
        asked = sum(count for name, count in storm.requests.items() if name.startswith("GET"))
        once = 2 * (1 + kills) * case.concurrency
        # An issue is looked at before it is written to, unless that was a minute ago; and each start surveys all of them once.
        looks = size * (_STEPS - 1)
        fetched = sum(count for name, count in storm.requests.items() if "bulkfetch" in name)
        return Weathered(
            exact=exact and _shown(tracker, _STEPS, size),
            needed=size * _STEPS + min(asked, once + looks) + min(fetched, 1 + kills) + storm.refused.total(),
            sent=tracker.fake.arrivals,
            kills=kills,
            silent=silent,
            storm=storm,
        )


def _tell(daemon: Daemon, tracker: Kind, storm: Storm, case: Case, size: int, patience: float) -> tuple[int, int]:
    """Send all there is to tell, each step after the one before is shown. How many kills, and starts within a pause."""
    kills = silent = 0
    met: Pause | None = None
    for step in range(1, _STEPS + 1):
        daemon.send_all([crash(number, step * 1000 + number) for number in range(size)])
        deadline = time.monotonic() + patience
        while not _shown(tracker, step, size):
            assert time.monotonic() < deadline, f"step {step} is not shown"
            time.sleep(0.05)
            pause = storm.pause
            if case.killed and pause is not None and pause is not met and _in_the_middle(pause):
                met = pause
                kills += 1
                daemon.kill()
                daemon.start()
                silent += time.time() < pause.ends
    return kills, silent


def _in_the_middle(pause: Pause) -> bool:
    now = time.time()
    return pause.begins + _KNOWN_SECONDS < now < pause.ends - _START_SECONDS


def _shown(tracker: Kind, step: int, size: int) -> bool:
    texts = tracker.texts()
    return all(any(f"{step * 1000 + number:,}" in text for text in texts) for number in range(size))

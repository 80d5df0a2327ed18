"""Rate limits: a tracker refuses requests at random and asks for pauses. The daemon must not send within a pause, and must not send more
requests than necessary.
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
# Requests of other threads that were in transit when the refusal arrived.
WIRE_SECONDS = 0.5
EXCESS = 0.05
_SHARE = 0.12
_STEPS = 3  # per crash: create, new comment, edited comment
_MORE = 'timeout = "2s"\nprobe_after = ["3s", "4s", "5s"]\nwrites = ["6000/1m"]\n'
# A kill is within a pause if the daemon has read the refusal and a restart still fits in.
_READ_SECONDS = 0.5
_START_SECONDS = 3.0


@dataclass(kw_only=True)
class Pause:
    """The pause that one refusal requests, in epoch seconds: from the response to the end of the pause."""

    begins: float
    ends: float


class Storm:
    """A tracker that requests pauses of `seconds` (minimum, maximum). `share` of the requests begin a series of one to three refusals.
    If `thorough`, the tracker also refuses the first request of each kind.

    Requests within a pause are in `late` if they arrive within WIRE_SECONDS after the refusal, else in `inside`, each with the seconds
    since the refusal.
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
        self._requested: dict[int, Pause] = {}
        self._pauses: list[Pause] = []

    def strike(self, fake: ServerBase) -> None:
        """Install the storm in a fake tracker, and observe its requests and responses."""
        fake.weather, fake.watch = self._weather, self._watch
        fake._record = self._observing(fake._record)  # type: ignore[method-assign, assignment]

    def _observing(self, record: Callable[[Recorded], None]) -> Callable[[Recorded], None]:
        def observe(request: Recorded) -> None:
            self._judge(request, time.time())
            record(request)

        return observe

    def _judge(self, request: Recorded, now: float) -> None:
        for pause in self._pauses:
            if pause.begins < now < pause.ends:
                request_event = (now - pause.begins, _name(request))
                (self.late if request_event[0] <= WIRE_SECONDS else self.inside).append(request_event)
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
        self._requested[id(request)] = Pause(begins=now, ends=now + seconds)
        return fault

    def _refusal(self, now: float) -> tuple[Fault, float]:
        """A refusal of this kind of tracker, and the length of its pause in seconds."""
        seconds = self._chance.randint(*self._seconds)
        used_up = self._kind == "github" and self._chance.random() < 0.3
        if used_up:
            reset = int(now) + seconds
            self.refused["primary limit with its reset time"] += 1
            headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
            body = {"message": "API rate limit exceeded for user ID 501."}
            return Fault(how="status", status=403, headers=headers, body=body), reset - now
        self.refused["429 with Retry-After"] += 1
        headers = {"Retry-After": str(seconds)}
        body = {"message": "You have exceeded a secondary rate limit."}
        return Fault(how="status", status=429, headers=headers, body=body), float(seconds)

    def _watch(self, moment: Moment, request: Recorded) -> None:
        # The pause begins with the response; its end is relative to the decision.
        pause = self._requested.pop(id(request), None) if moment == "answered" else None
        if pause is not None:
            pause.begins = time.time()
            self.paused_seconds += max(0.0, pause.ends - pause.begins)
            self._pauses.append(pause)

    @property
    def pause(self) -> Pause | None:
        """The latest pause."""
        return self._pauses[-1] if self._pauses else None


def _name(request: Recorded) -> str:
    """The kind of a request, for counting."""
    last = request.path.rstrip("/").rpartition("/")[2]
    return f"{request.method} {last if not any(letter.isdigit() for letter in last) else 'one'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One daemon in a storm. If `killed`, the proof kills it with -9 within every pause."""

    kind: str
    concurrency: int = 1
    killed: bool = False

    def __str__(self) -> str:
        killed = ", kill -9 within pauses" if self.killed else ""
        return f"{self.kind}, {self.concurrency} at a time{killed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a case. `needed` is the minimal number of requests, `silent` the number of restarts before the end of the pause in
    which the previous daemon was killed."""

    exact: bool
    needed: int
    sent: int
    kills: int
    silent: int
    storm: Storm

    def wrong(self, case: Case) -> list[str]:
        """The violations."""
        storm = self.storm
        allowed = (case.concurrency - 1) * storm.refused.total()
        return [
            *([] if self.exact else ["not every crash has one issue with its count"]),
            *([f"{len(storm.inside)} requests inside a pause: {storm.inside[:5]}"] if storm.inside else []),
            *([f"{len(storm.late)} requests late: {storm.late[:5]}"] if len(storm.late) > allowed else []),
            *([] if self.sent <= self.needed * (1 + EXCESS) else [f"{self.sent} requests, {self.needed} needed"]),
            *([] if storm.refused else ["no request was refused"]),
            *([] if self.silent or not case.killed else ["no restart before the end of a pause"]),
        ]


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row per case. `size` is the number of crashes."""
    cases = [Case(kind=kind, concurrency=number) for kind in ("github", "jira-cloud") for number in (1, 4)]
    cases += [Case(kind=kind, killed=True) for kind in ("github", "jira-cloud")]
    # The cases mostly wait, so that three in parallel do not disturb each other.
    with ThreadPoolExecutor(3) as pool:
        yield from pool.map(lambda pair: _row(folder / str(pair[0]), seed + pair[0], pair[1], size), enumerate(cases))


def _row(folder: Path, seed: int, case: Case, size: int) -> Row:
    outcome = run_case(folder, seed, case, size)
    storm, wrong = outcome.storm, outcome.wrong(case)
    refused = ", ".join(f"{count} x {how}" for how, count in sorted(storm.refused.items()))
    excess = (outcome.sent / outcome.needed - 1) * 100
    result = f"no request inside a pause; {outcome.sent} requests, {outcome.needed} needed ({excess:+.1f} %)"
    if case.concurrency > 1:
        worst = max((after for after, _ in storm.late), default=0.0)
        result += f"; {len(storm.late)} were in transit before the daemon read the refusal, the last {worst * 1000:.0f} ms after it"
    if case.killed:
        result += f"; {outcome.kills} kills, {outcome.silent} restarts before the end of the pause, without requests until then"
    return Row(
        action=f"a tracker that refuses at random and in series: {case}",
        scale=f"{size} crashes, {size * (_STEPS - 1)} updates, {refused}, {storm.paused_seconds:.0f} s of requested pauses",
        result="; ".join(wrong) or result,
        ok=not wrong,
    )


def run_case(folder: Path, seed: int, case: Case, size: int, patience: float = PATIENCE_SECONDS) -> Result:
    """File `size` crashes and update each twice during a storm. Raises AssertionError if a step exceeds `patience` seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    storm = Storm(seed, case.kind, _SHARE, (4, 7) if case.killed else (1, 3), thorough=not case.killed)
    with opened(case.kind, folder) as tracker:
        assert tracker.fake is not None
        storm.strike(tracker.fake)
        with Daemon(folder, tracker.toml(f"{_MORE}concurrency = {case.concurrency}\n")) as daemon:
            kills, silent = _send_steps(daemon, tracker, storm, case, size, patience)
            assert daemon.stop() == 0
        exact = tally([fingerprint(number) for number in range(size)], tracker.texts()).exact
        # At a start each client reads its repository or the versions of its project, and what lies above the newest issue that it knows: the
        # newest one, one that is older than the store, and the numbers, where a refusal begins that anew.
        reads = sum(count for name, count in storm.requests.items() if name.startswith("GET"))
        once = 5 * (1 + kills) * case.concurrency + storm.refused.total()
        # The worker reads an issue before it shows new numbers, and again before it repeats a refused write; each start surveys all issues
        # once.
        looks = size * (_STEPS - 1) + storm.refused.total()
        fetched = sum(storm.requests[name] for name in ("POST bulkfetch", "POST graphql"))
        return Result(
            exact=exact and _is_visible(tracker, _STEPS, size),
            needed=size * _STEPS
            + min(reads, once + looks)
            + min(fetched, (1 + kills) * (1 + case.concurrency))
            + storm.refused.total(),
            sent=tracker.fake.arrivals,
            kills=kills,
            silent=silent,
            storm=storm,
        )


def _send_steps(daemon: Daemon, tracker: Kind, storm: Storm, case: Case, size: int, patience: float) -> tuple[int, int]:
    """Send all steps; each waits until the previous one is visible. Return the numbers of kills and of restarts within a pause."""
    kills = silent = 0
    last_pause: Pause | None = None
    for step in range(1, _STEPS + 1):
        daemon.send_all([crash(number, step * 1000 + number) for number in range(size)])
        deadline = time.monotonic() + patience
        while not _is_visible(tracker, step, size):
            assert time.monotonic() < deadline, f"step {step} is not visible"
            time.sleep(0.05)
            pause = storm.pause
            if case.killed and pause is not None and pause is not last_pause and _in_the_middle(pause):
                last_pause = pause
                kills += 1
                daemon.kill()
                daemon.start()
                silent += time.time() < pause.ends
    return kills, silent


def _in_the_middle(pause: Pause) -> bool:
    now = time.time()
    return pause.begins + _READ_SECONDS < now < pause.ends - _START_SECONDS


def _is_visible(tracker: Kind, step: int, size: int) -> bool:
    texts = tracker.texts()
    return all(any(f"{step * 1000 + number:,}" in text for text in texts) for number in range(size))

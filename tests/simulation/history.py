"""What happens to a simulated installation: a list of operations, each at a time, made from a seed and shrunk to a story.

A history is data. The same history under the same schedule seed gives the same run, so a violation can be shrunk by leaving operations
out one at a time.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from syncd.core.counts import Mode

Value = str | int | float


@dataclass(frozen=True, slots=True)
class Operation:
    """One act of a sender, a person, an operator, or the weather, `at` seconds after the start."""

    at: float
    actor: str
    act: str
    values: tuple[tuple[str, Value], ...] = ()

    def __getitem__(self, name: str) -> Value:
        return dict(self.values)[name]

    def __str__(self) -> str:
        details = " ".join(f"{name}={value}" for name, value in self.values)
        return f"{self.at:9.1f} s  {self.actor} {self.act} {details}".rstrip()


def operation(at: float, actor: str, act: str, **values: Value) -> Operation:
    """Build an operation."""
    return Operation(at, actor, act, tuple(sorted(values.items())))


@dataclass(frozen=True, slots=True)
class Setup:
    """How the installation is configured."""

    processes: int = 1
    syncers: int = 1
    route: tuple[tuple[str, Value], ...] = ()
    surveys: bool = False
    hooks: bool = False  # the tracker reports what people do
    survey_interval: float = 3600.0
    tells_closing: bool = True  # the tracker tells when an issue was closed
    lists_changes: bool = False  # the tracker lists what changed since the last survey
    mode: Mode = "auto"  # how occurrences are counted
    batch: int = 200  # deliveries that are folded together


@dataclass(frozen=True, slots=True)
class History:
    """A setup, its operations in order of time, and the seed of the schedule."""

    seed: int
    setup: Setup
    operations: tuple[Operation, ...]

    def __str__(self) -> str:
        lines = [f"schedule seed {self.seed}, {self.setup}"]
        return "\n".join([*lines, *(str(entry) for entry in self.operations)])


@dataclass
class Crash:
    """What the generator remembers of one fingerprint: totals only rise."""

    fingerprint: str
    total: int = 0
    ledger: dict[str, int] = field(default_factory=dict)


LATEST_AGAIN = 0.3  # of a history's span
RELEASES = ("1.0", "1.1", "1.2", "2.0")


def generate(seed: int, profile: str = "") -> History:
    """Make a history from a seed: a few groups, a few deliveries of each, and acts of people, operators and the weather among them. A share
    of the seeds have a profile, and all with `profile` have that one."""
    chance = random.Random(seed)
    span = chance.choice((3.0, 10.0, 60.0, 600.0, 4_000.0))
    setup = Setup(
        processes=chance.choice((1, 1, 2)),
        syncers=chance.choice((1, 2)),
        surveys=chance.random() < 0.4,
        tells_closing=chance.random() < 0.7,
        lists_changes=chance.random() < 0.5,
        route=_gathering(random.Random(f"gathering {seed}"), _route(chance)),
        mode=chance.choice(("auto", "auto", "window")),
        batch=chance.choice((1, 2, 200)),
    )
    crashes = [Crash(f"f{number}") for number in range(chance.randint(1, 3))]
    operations: list[Operation] = []
    for _ in range(chance.randint(2, 7)):
        # Some come all at once: a backlog.
        at = chance.uniform(0, span) if chance.random() < 0.7 else span / 2 + chance.random()
        operations.append(_notify(chance, at, span, chance.choice(crashes)))
    rare = random.Random(f"rare {seed}")  # of its own: what is rare does not change all other histories
    merge = len(crashes) > 1 and rare.random() < 0.1
    if merge:
        # Two groups are merged that miss a threshold, and meet it together.
        setup = replace(setup, route=(("min_occurrences", 40), ("status_interval", 60.0)))
        for share, crash, more in ((0.1, crashes[0], 19), (0.1, crashes[1], 19), (0.6, crashes[0], 10)):
            entry = _notify(rare, share * span, span, crash)
            operations.append(replace(entry, values=(*entry.values, ("more", more))))
    glitch = span >= 600.0 and rare.random() < 0.15
    if glitch:
        # A release is noticed while the clock is ahead, and crashes again after the clock was set right and a person closed the issue.
        for share, release in ((0.02, "1.0"), (0.3, "2.0"), (0.8, "2.0")):
            operations.append(_notify(rare, share * span, span, crashes[0], release))
    operations.sort(key=lambda entry: entry.at)
    operations = _with_totals(operations, crashes)
    if merge:
        operations.append(operation(0.3 * span, "operator", "adds alias", fingerprint="f1", target="f0"))
    if glitch:
        operations += [
            operation(0.2 * span, "machine", "sets the clocks", seconds=rare.choice((3600.0, 18_000.0))),
            operation(rare.uniform(0.4, 0.5) * span, "machine", "sets the clocks", seconds=0.0),
            operation(0.55 * span, "person", "closes", issue=len(crashes), release="1.0"),
        ]
    for make, share in ACTS:
        if chance.random() < share:
            operations += make(chance, span, [crash.fingerprint for crash in crashes], setup)
    operations = _while_claimed(random.Random(f"claimed {seed}"), operations)
    directed = random.Random(f"profile {seed}")
    if profile := profile or _profile(seed, directed):
        setup, profiled = PROFILES[profile](directed, span, [crash.fingerprint for crash in crashes], setup)
        operations += profiled
    return History(seed, setup, tuple(sorted(operations, key=lambda entry: entry.at)))


def generate_short(seed: int) -> History:
    """Make a short history from a seed: two deliveries within seconds, and what a single actor does meanwhile."""
    chance = random.Random(f"short {seed}")
    span = chance.choice((2.0, 8.0))
    setup = Setup(
        processes=chance.choice((1, 1, 1, 2)),
        tells_closing=chance.random() < 0.7,
        lists_changes=chance.random() < 0.5,
        route=(("status_interval", 1.0),),
        mode=chance.choice(("auto", "auto", "window")),
        batch=chance.choice((1, 200)),
    )
    crashes = [Crash(f"f{number}") for number in range(chance.randint(1, 2))]
    notified = [_notify(chance, chance.uniform(0, span), span, chance.choice(crashes)) for _ in range(2)]
    operations = _with_totals(sorted(notified, key=lambda entry: entry.at), crashes)
    make = chance.choice([make for make, _ in ACTS if make is not _floods])  # a flood needs a limit of new issues
    operations += make(chance, span, [crash.fingerprint for crash in crashes], setup)
    return History(seed, setup, tuple(sorted(operations, key=lambda entry: entry.at)))


def _profile(seed: int, directed: random.Random) -> str:
    """The profile of a seed, empty for most of them."""
    if directed.random() < PROFILED:
        return directed.choice(sorted(PROFILES.keys() - {MERGES, HOOKS}))
    return MERGES if random.Random(f"merges {seed}").random() < PROFILED / 2 else ""


def _while_claimed(chance: random.Random, operations: Sequence[Operation]) -> list[Operation]:
    """Move most suspensions to where a claim is held: soon after a notification, and for longer than a lease."""
    notified = [entry.at for entry in operations if entry.act == "notifies"]
    moved = []
    for entry in operations:
        if entry.act == "suspends" and chance.random() < 0.7:
            values = dict(entry.values) | {"seconds": 400.0}
            entry = operation(chance.choice(notified) + chance.uniform(0.0, 2.5), entry.actor, entry.act, **values)
        moved.append(entry)
    return moved


def _route(chance: random.Random) -> dict[str, Value]:
    route: dict[str, Value] = {"status_interval": chance.choice((1.0, 60.0, 900.0))}
    if chance.random() < 0.2:
        route |= {"min_occurrences": chance.choice((5, 20)), "within": chance.choice((120.0, 3600.0))}
    if chance.random() < 0.2:
        route |= {"cap": chance.choice((1, 2)), "cap_seconds": 3600.0}
    if chance.random() < 0.15:
        route |= {"writes": chance.choice((1, 3)), "writes_seconds": chance.choice((30.0, 600.0))}
    if chance.random() < 0.1:
        route |= {"updates": chance.choice((1, 3)), "updates_seconds": chance.choice((30.0, 600.0))}
    if chance.random() < 0.2:
        route |= {"on_deleted": "recreate"}
    return route


def _gathering(chance: random.Random, route: dict[str, Value]) -> tuple[tuple[str, Value], ...]:
    """A limit of new issues is spent in portions, or not, and a part of it is for groups with many users, or not."""
    if "cap" in route:
        route["gather"], route["reserve_percent"] = chance.choice((0.0, 60.0, 600.0)), chance.choice((0, 0, 50))
        route["reserve_min_users"] = 5
    return tuple(sorted(route.items()))


def _notify(chance: random.Random, at: float, span: float, crash: Crash, release: str | None = None) -> Operation:
    return operation(
        at,
        "sender",
        "notifies",
        fingerprint=crash.fingerprint,
        more=chance.choice((1, 1, 3, 10)),
        release=release or chance.choice(RELEASES),
        # Sent once more after so many seconds, which are fewer than any purge leaves.
        again=chance.uniform(0.0, LATEST_AGAIN * span) if chance.random() < 0.3 else -1.0,
    )


def _with_totals(operations: Sequence[Operation], crashes: Sequence[Crash]) -> list[Operation]:
    """Give each notification the group's total so far, and that of its release."""
    by_name = {crash.fingerprint: crash for crash in crashes}
    totals = []
    for entry in operations:
        crash, release, more = by_name[str(entry["fingerprint"])], str(entry["release"]), int(entry["more"])
        crash.total += more
        crash.ledger[release] = crash.ledger.get(release, 0) + more
        values = dict(entry.values) | {"total": crash.total, "of_release": crash.ledger[release]}
        totals.append(operation(entry.at, entry.actor, entry.act, **values))
    return totals


Acts = Callable[[random.Random, float, Sequence[str], Setup], Iterator[Operation]]


def _people(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> Iterator[Operation]:
    for _ in range(chance.randint(1, 3)):
        act = chance.choice(
            (
                "closes",
                "closes",
                "closes",
                "reopens",
                "deletes",
                "locks",
                "labels",
                "marks duplicate",
                "deletes comment",
                "renames",
            )
        )
        yield operation(
            chance.uniform(0, span * 1.2), "person", act, issue=chance.randint(1, 3), release=chance.choice(RELEASES)
        )


def _strangers(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> Iterator[Operation]:
    for _ in range(chance.randint(1, 3)):
        yield operation(chance.uniform(0, span), "person", "files an issue of their own")


def _operators(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> Iterator[Operation]:
    for _ in range(chance.randint(1, 3)):
        at, name = chance.uniform(0, span), chance.choice(names)
        match chance.choice(("hold", "route", "tracker", "sync", "alias", "alias", "relink", "retry")):
            case "hold":
                yield operation(at, "operator", "holds", fingerprint=name)
                yield operation(at + chance.uniform(1, span), "operator", "ends hold", fingerprint=name)
            case "route":
                yield operation(at, "operator", "pauses route")
                yield operation(at + chance.uniform(0.1, span / 2), "operator", "resumes route")
            case "tracker":
                yield operation(at, "operator", "pauses tracker")
                yield operation(at + chance.uniform(0.1, span / 2), "operator", "resumes tracker")
            case "sync":
                yield operation(at, "operator", "syncs", fingerprint=name)
            case "alias" if len(names) > 1:
                target = chance.choice([entry for entry in names if entry != name])
                yield operation(at, "operator", "adds alias", fingerprint=name, target=target)
                if chance.random() < 0.5:
                    yield operation(at + chance.uniform(1, span), "operator", "removes alias", fingerprint=name)
            case "relink":
                yield operation(at, "operator", "relinks", fingerprint=name, issue=chance.randint(1, 4))
            case "retry":
                yield operation(at + span, "operator", "retries dead letters")


def _weather(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> Iterator[Operation]:
    for _ in range(chance.randint(1, 2)):
        at = chance.uniform(0, span)
        act = chance.choice(
            (
                "loses a request",
                "loses an answer",
                "loses an answer",
                "carries out late",
                "is away",
                "throttles",
                "refuses the login",
                "lags",
            )
        )
        yield operation(at, "tracker", act, seconds=chance.choice((5.0, 120.0, 1800.0)))


def _doubts(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> Iterator[Operation]:
    """A create or a comment whose outcome nobody knows, and what may hide it until syncd looks."""
    at = chance.uniform(0, span / 2)
    lost = chance.choice(
        ("loses an answer", "loses an answer", "loses a request", "carries out late", "gives a number early")
    )
    if chance.random() < 0.3:
        yield operation(max(0.0, at - chance.uniform(0, span / 2)), "tracker", "is backed up", seconds=0.0)
        restored = at + chance.uniform(0, 300)
        yield operation(restored, "tracker", "is restored", seconds=0.0)
        yield operation(restored + chance.uniform(1, 30), "person", "files an issue of their own")
    if chance.random() < 0.4:
        yield operation(max(0.0, at - 1), "tracker", "shows old lists", seconds=600.0)
        act = chance.choice(("opens discussions", "files and deletes"))
        yield operation(at - chance.uniform(0, 1), "person", act, count=chance.randint(2, 5))
    yield operation(at, "tracker", lost, seconds=0.0)
    for _ in range(chance.randint(0, 2)):
        touched = at + chance.uniform(0, chance.choice((20.0, 200.0)))
        match chance.choice(("account", "account", "file", "people", "people", "people", "sync")):
            case "account":
                yield operation(touched, "tracker", "has another account", seconds=0.0)
            case "file":
                yield operation(touched, "person", "files an issue of their own")
            case "sync":
                yield operation(touched, "operator", "syncs", fingerprint=chance.choice(names))
            case _:
                act = chance.choice(("deletes", "transfers", "hides", "converts", "rewrites"))
                yield operation(touched, "person", act, issue=chance.randint(0, 2), release="1.0")


def _deaths(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> Iterator[Operation]:
    for _ in range(chance.randint(1, 2)):
        process = chance.randint(1, setup.processes)
        if chance.random() < 0.7:
            yield operation(chance.uniform(0, span), "machine", "kills", process=process, after=chance.randint(0, 40))
        else:
            yield operation(
                chance.uniform(0, span), "machine", "suspends", process=process, seconds=chance.choice((30.0, 400.0))
            )


def _store_faults(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> Iterator[Operation]:
    for _ in range(chance.randint(1, 3)):
        act = chance.choice(("loses a commit", "reports a commit failed", "is away"))
        yield operation(chance.uniform(0, span), "store", act, seconds=chance.choice((2.0, 60.0)))


def _clocks(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> Iterator[Operation]:
    at, ahead = chance.uniform(0, span / 2), chance.choice((-3600.0, -30.0, 30.0, 3600.0))
    yield operation(at, "machine", "sets the clocks", seconds=ahead)
    if chance.random() < 0.7:
        yield operation(at + chance.uniform(1, span), "machine", "sets the clocks", seconds=0.0)


def _replays(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> Iterator[Operation]:
    for _ in range(chance.randint(1, 3)):
        older = span * chance.uniform(LATEST_AGAIN + 0.1, 0.9)
        at = chance.uniform(older, older + span)
        if chance.random() < 0.7:
            yield operation(at, "operator", "purges", seconds=older, rounds=chance.choice((1, 10)))
        for name in names:
            yield operation(at + chance.uniform(0, span / 5), "operator", "replays", fingerprint=name)


def _floods(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> Iterator[Operation]:
    """More new groups than the route may file at once, or one that meets its thresholds at once, and an outage when they are due."""
    route = dict(setup.route)
    begin = chance.uniform(0, span)
    if "cap" in route:
        for number in range(chance.randint(3, 5)):
            yield _news(chance, begin + chance.uniform(0, 60), f"g{number}", chance.randint(1, 30))
        due = begin + float(route["cap_seconds"])
        for number in range(chance.randint(0, 2)):
            yield _news(chance, due + chance.uniform(0, 1800), f"h{number}", chance.randint(1, 30))
        yield operation(due - chance.uniform(0, 60), "tracker", "is away", seconds=chance.choice((60.0, 1800.0)))
    elif "within" in route:
        seconds = float(route["within"]) * chance.choice((0.5, 2.0))
        yield _news(chance, begin, "g0", int(route["min_occurrences"]) + chance.randint(0, 3))
        yield operation(max(0.0, begin - 1.0), "tracker", "is away", seconds=seconds)


def _news(chance: random.Random, at: float, name: str, total: int, release: str = "") -> Operation:
    """A notification of a group that has no release beside."""
    release = release or chance.choice(RELEASES)
    facts: dict[str, Value] = {"more": total, "total": total, "of_release": total, "release": release, "again": -1.0}
    return operation(at, "sender", "notifies", fingerprint=name, **facts)


def _in_hand(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> Iterator[Operation]:
    """An operator acts on a group while a worker has it in hand: one that is linked, or one that can only be parked."""
    at, name = chance.uniform(0, span), chance.choice(names)
    if chance.random() < 0.3 or "cap" in dict(setup.route):
        yield operation(at, "operator", "holds", fingerprint=name)
        yield operation(at + 1.0, "operator", "ends hold", fingerprint=name, in_hand="linked")
        yield operation(at + 1.0, "operator", "syncs", fingerprint=name, in_hand="linked")
        yield operation(0.0, "operator", "syncs", fingerprint=name, in_hand="none")
        return
    for _ in range(2):
        yield operation(at, "tracker", "loses an answer", seconds=0.0)
    yield _news(chance, at + 0.1, "p0", 30)
    yield operation(at + 18.0, "person", "deletes", issue=-1, release="")
    for total in range(31, 43):
        later = _news(chance, at + 18.0 + total / 10, "p0", total)
        yield operation(later.at, later.actor, later.act, **dict(later.values), in_hand="in_doubt")
    yield operation(at + 30.0, "operator", "retries dead letters", in_hand="parked")


def _owners(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> Iterator[Operation]:
    """A machine that stands still right before a request, an edit that outlives its lease, an issue that a person links before syncd does."""
    at, process = chance.uniform(0, span), chance.randint(1, setup.processes)
    match chance.choice(("stands still", "edits slowly", "relinks doubtful")):
        case "stands still" if setup.processes > 1:
            # The clocks of a frozen machine are set right a while later: only the store shows that its lease is over.
            clocks, before = chance.choice(
                (
                    ("slept", "held: read"),
                    ("paused", "held: read"),
                    ("slept", "create: before"),
                    ("frozen", "create: before"),
                    ("frozen", "create: before"),
                    ("paused", "Outbox.claim: after"),
                )
            )
            seconds = chance.choice((400.0, 2000.0))
            yield operation(
                at / 10, "machine", "stands still", process=process, seconds=seconds, clocks=clocks, before=before
            )
        case "edits slowly":
            yield operation(at, "tracker", "edits slowly", seconds=chance.choice((20.0, 250.0, 400.0)))
        case "relinks doubtful" if len(names) > 1:
            yield operation(at / 10, "tracker", "loses an answer", seconds=0.0)
            for name in names:
                yield operation(at + chance.uniform(0, 30.0), "operator", "relinks doubtful", fingerprint=name)


def _moves(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> Iterator[Operation]:
    """The store moves elsewhere, and its daemons go on with the old file for a while, with orders to them."""
    at = chance.uniform(0, span)
    yield operation(at, "operator", "moves the store", seconds=chance.choice((5.0, 60.0, 600.0)))
    for _ in range(chance.randint(0, 2)):
        when, name = at + chance.uniform(0.5, 10.0), chance.choice(names)
        yield operation(when, "operator", "holds", fingerprint=name)
        if chance.random() < 0.5:
            yield operation(when + chance.uniform(300.0, span + 400.0), "operator", "ends hold", fingerprint=name)


ACTS: tuple[tuple[Acts, float], ...] = (
    (_replays, 0.3),
    (_people, 0.5),
    (_strangers, 0.4),
    (_operators, 0.4),
    (_weather, 0.5),
    (_doubts, 0.35),
    (_deaths, 0.35),
    (_store_faults, 0.15),
    (_clocks, 0.1),
    (_floods, 0.5),
    (_owners, 0.25),
    (_in_hand, 0.25),
    (_moves, 0.08),
)


Profile = Callable[[random.Random, float, Sequence[str], Setup], tuple[Setup, list[Operation]]]


def _slow_answers(
    chance: random.Random, span: float, names: Sequence[str], setup: Setup
) -> tuple[Setup, list[Operation]]:
    """Calls that take as long as a lease or longer, some of them without an answer, while the groups go on crashing."""
    begin, calls = chance.uniform(0, span), ("create", "look", "probe", "comment", "edit comment")
    operations = []
    for number in range(chance.randint(1, 2)):
        at, name = begin + number, f"s{number}"
        for total in range(1, chance.randint(3, 6)):
            operations.append(_news(chance, at, name, total, "1.0"))
            at += chance.choice((1.0, 70.0, 200.0, 300.0))
    for _ in range(chance.randint(1, 4)):
        at, seconds, lost = (
            begin + chance.choice((0.0, 60.0, 300.0)),
            chance.choice((100.0, 250.0, 400.0)),
            chance.random() < 0.4,
        )
        call = chance.choice(calls)
        operations.append(operation(at, "tracker", "answers slowly", call=call, seconds=seconds, lost=int(lost)))
    route = tuple(sorted((dict(setup.route) | {"status_interval": 1.0}).items()))
    return replace(setup, processes=2, syncers=chance.choice((1, 2)), route=route), operations


def _rests(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> tuple[Setup, list[Operation]]:
    """A tracker that refuses a login, or that an operator pauses, while many groups are due and its answers are slow."""
    begin = chance.uniform(0, span)
    operations = [_news(chance, begin + chance.uniform(0, 3.0), f"r{number}", 30, "1.0") for number in range(8)]
    if chance.random() < 0.5:
        operations.append(operation(begin, "tracker", "refuses the login", seconds=chance.choice((100.0, 1800.0))))
    else:
        for number in range(4):
            operations.append(operation(begin + number + chance.random(), "operator", "pauses tracker"))
            operations.append(operation(begin + number + chance.uniform(1.0, 9.0), "operator", "resumes tracker"))
    return replace(setup, processes=2, syncers=2), operations


def _surveyed(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> tuple[Setup, list[Operation]]:
    """Surveys that are made often, meet what people did, and lose what they met."""
    operations = []
    for _ in range(chance.randint(2, 5)):
        act = chance.choice(("closes", "reopens", "labels", "renames", "transfers"))
        at, number, release = chance.uniform(0, span + 1200.0), chance.randint(0, 3), chance.choice(RELEASES)
        operations.append(operation(at, "person", act, issue=number, release=release))
        if chance.random() < 0.4:
            operations.append(operation(at + chance.uniform(0.0, 60.0), "store", "loses a finding", seconds=0.0))
        if chance.random() < 0.4:
            call, seconds = chance.choice(("look", "survey")), chance.choice((20.0, 100.0))
            operations.append(operation(at, "tracker", "answers slowly", call=call, seconds=seconds, lost=0))
        if chance.random() < 0.3:
            operations.append(operation(at, "tracker", "lags", seconds=chance.choice((120.0, 600.0))))
    return replace(setup, surveys=True, survey_interval=chance.choice((60.0, 300.0))), operations


def _hooked(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> tuple[Setup, list[Operation]]:
    """People act one after the other while a look is made, and each act is reported: late, twice, in the wrong order, or never."""
    operations = []
    for _ in range(chance.randint(2, 5)):
        at, number, release = chance.uniform(0, span + 300.0), chance.randint(0, 3), chance.choice(RELEASES)
        if chance.random() < 0.5:
            seconds = chance.choice((3.0, 20.0))
            operations.append(operation(at, "tracker", "answers slowly", call="look", seconds=seconds, lost=0))
        for _ in range(chance.randint(1, 3)):
            act = chance.choice(("closes", "reopens", "labels", "renames", "transfers"))
            operations.append(operation(at, "person", act, issue=number, release=release))
            at += chance.uniform(0.0, 10.0)
    return replace(setup, hooks=True, surveys=chance.random() < 0.25), operations


def _chains(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> tuple[Setup, list[Operation]]:
    """Groups that are merged one after the other, and held while they are in hand."""
    begin = chance.uniform(0, span)
    operations = [_news(chance, begin + chance.uniform(0, 3.0), f"a{number}", 30, "1.0") for number in range(3)]
    pairs = [("a0", "a1"), ("a1", "a2")]
    for number, (name, target) in enumerate(pairs if chance.random() < 0.7 else reversed(pairs)):
        at = begin + (number + 1) * chance.choice((1.0, 60.0))
        operations.append(operation(at, "operator", "adds alias", fingerprint=name, target=target))
    operations.append(_news(chance, begin + 300.0, "a0", 40, "1.0"))
    held = begin + chance.uniform(0, 5.0)
    operations.append(operation(held, "operator", "holds", fingerprint="a2"))
    operations.append(_news(chance, held + chance.uniform(0, 100.0), "a2", 40, "1.0"))
    if chance.random() < 0.5:
        operations.append(operation(held + 200.0, "operator", "ends hold", fingerprint="a2"))
    return setup, operations


def _copies(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> tuple[Setup, list[Operation]]:
    """People copy issues, also one whose create got no answer, and delete what they copied."""
    at = chance.uniform(0, span)
    operations = [operation(at, "tracker", "loses an answer", seconds=0.0), _news(chance, at + 0.1, "c0", 30, "1.0")]
    copied = at + chance.uniform(1.0, 15.0)
    operations.append(operation(copied, "person", "copies", issue=-1))
    operations.append(operation(copied + chance.uniform(0, 5.0), "person", "deletes", issue=-1, release=""))
    return setup, operations


def _frozen(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> tuple[Setup, list[Operation]]:
    """A machine that stands still right before a create, for longer than another one needs to prove that there is none."""
    at = chance.uniform(0, span)
    # Nothing shows a process whose clocks all stood still that it did, once it has read the store.
    before, clocks = chance.choice(
        (
            ("held: read", "slept"),
            ("held: read", "paused"),
            ("create: before", "slept"),
            ("create: before", "paused"),
            ("create: before", "frozen"),
        )
    )
    standing: dict[str, Value] = {
        "process": chance.randint(0, 1),
        "seconds": 2000.0,
        "clocks": clocks,
        "before": before,
    }
    operations = [operation(at, "machine", "stands still", **standing)]
    operations += [_news(chance, at + 0.1, f"z{number}", 30, "1.0") for number in range(2)]
    operations.append(_news(chance, at + 2500.0, "z0", 40, "1.0"))
    return replace(setup, processes=2, syncers=1), operations


def _late_edits(
    chance: random.Random, span: float, names: Sequence[str], setup: Setup
) -> tuple[Setup, list[Operation]]:
    """An edit of the status comment that arrives after the one of its sender's successor, perhaps while that one waits for its answer."""
    at = chance.uniform(0, span)
    operations = [_news(chance, at + 20.0 * number, "e0", 30 + number, "1.0") for number in range(4)]
    operations.append(operation(at + 35.0, "tracker", "edits slowly", seconds=300.0))
    if chance.random() < 0.5:
        slow = operation(at + 36.0, "tracker", "answers slowly", call="edit comment", seconds=150.0, lost=0)
        operations.append(slow)
    return replace(setup, processes=2, syncers=1, route=(("status_interval", 1.0),)), operations


def _refused(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> tuple[Setup, list[Operation]]:
    """A project that takes nothing for a while, hides what is filed, or has an issue that is full."""
    begin, seconds = chance.uniform(0, span), chance.choice((100.0, 1800.0))
    operations = [_news(chance, begin + 1.0 + chance.uniform(0, 3.0), f"n{number}", 30, "1.0") for number in range(6)]
    act = chance.choice(("refuses every create", "switches issues off", "hides new issues", "fills"))
    if act == "fills":
        operations += [operation(begin + 10.0, "person", "fills", issue=chance.randint(0, 5), release="")]
        operations += [_news(chance, begin + 20.0 + 10.0 * total, "n0", 30 + total, "1.0") for total in range(1, 4)]
    else:
        operations.append(operation(begin, "tracker", act, seconds=seconds))
        later = begin + seconds + chance.uniform(0.0, 100.0)
        operations += [_news(chance, later + number, f"n{number % 6}", 40 + number, "1.0") for number in range(8)]
    route: dict[str, Value] = {"status_interval": 1.0}
    if chance.random() < 0.5:
        route["on_deleted"] = "recreate"
    several = chance.choice((1, 2)) if act != "refuses every create" else 1
    return replace(setup, processes=several, syncers=several, route=tuple(sorted(route.items()))), operations


def _restored(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> tuple[Setup, list[Operation]]:
    """A tracker that is restored soon after issues were filed, and gives their numbers once more: to creates whose answers are lost, and to
    people."""
    begin, filed = chance.uniform(0, span), chance.randint(2, 4)
    operations = [operation(begin, "tracker", "is backed up", seconds=0.0)]
    operations += [_news(chance, begin + 1.0 + number, f"b{number}", 3, "1.0") for number in range(filed)]
    restored = begin + chance.uniform(200.0, 600.0)
    operations.append(operation(restored, "tracker", "is restored", seconds=0.0))
    lost = chance.choice(("gives a number early", "gives a number early", "loses an answer"))
    at = restored + chance.uniform(1.0, 100.0)
    operations += [operation(at, "tracker", lost, seconds=0.0), _news(chance, at + 1.0, "late", 3, "1.0")]
    for _ in range(chance.randint(filed, filed + 2)):
        operations.append(operation(at + chance.uniform(3.0, 60.0), "person", "files an issue of their own"))
    return setup, operations


def _merges(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> tuple[Setup, list[Operation]]:
    """Groups of one crash that Backtrace merges, after people closed the issues of all, of some or of none; the merged group goes on in old
    releases or in new ones. An operator may separate them again."""
    begin, apart = chance.uniform(0, span), chance.choice((60.0, 3600.0))
    totals = [chance.randint(20, 30) for _ in range(chance.randint(1, 3))]
    operations = [_of_merge(begin + number, f"m{number}", total, "1.0") for number, total in enumerate(totals)]
    closed = chance.choice((0, 1, len(totals), len(totals)))
    for number in range(closed):
        at = begin + 120.0 + chance.uniform(0.0, 60.0)
        values: dict[str, Value] = {"title": f"m{number}", "issue": 0, "release": "2.0"}
        operations.append(operation(at, "person", "closes", **values))
    at, total, release = begin + 200.0 + apart, sum(totals), chance.choice(("1.0", "1.0", "2.0"))
    for number in range(chance.randint(1, 3)):
        total += chance.randint(0, 3)
        operations.append(_of_merge(at, MERGED, total, "1.0" if number == 0 else release))
        at += chance.choice((1.0, 100.0, 90_000.0))
    if chance.random() < 0.3:
        operations.append(operation(at, "operator", "removes alias", fingerprint="m0"))
        operations.append(_of_merge(at + chance.uniform(0.0, 100.0), MERGED, total + 5, "1.0"))
    route: dict[str, Value] = {"status_interval": 1.0, "on_merge": chance.choice(("hold", "adopt", "adopt", "file"))}
    return replace(setup, route=tuple(sorted(route.items())), surveys=True, survey_interval=300.0), operations


def _of_merge(at: float, name: str, total: int, release: str) -> Operation:
    """A notification of a group that is merged, or of the merged one."""
    facts: dict[str, Value] = {"more": total, "total": total, "of_release": total, "release": release, "again": -1.0}
    return operation(at, "sender", "notifies", fingerprint=name, frames="m", **facts)


def _repeats(chance: random.Random, span: float, names: Sequence[str], setup: Setup) -> tuple[Setup, list[Operation]]:
    """Deliveries that are sent twice; the first one is purged, and the second one, which is kept, is replayed."""
    operations = []
    for number in range(3):
        at, name, again = chance.uniform(0, span / 4), f"d{number}", chance.uniform(0.5, 1.0) * LATEST_AGAIN * span
        facts: dict[str, Value] = {"more": 3, "total": 3, "of_release": 3, "release": "1.0", "again": again}
        operations.append(operation(at, "sender", "notifies", fingerprint=name, **facts))
        operations.append(_news(chance, at + again * chance.random(), name, 5, chance.choice(("1.0", "2.0"))))
        older = span * (LATEST_AGAIN + 0.1)
        purged_at = at + older + chance.uniform(0.1, 0.9) * again
        operations.append(operation(purged_at, "operator", "purges", seconds=older, rounds=10))
        operations.append(operation(purged_at + chance.uniform(1.0, 60.0), "operator", "replays", fingerprint=name))
    return replace(setup, mode="window"), operations


MERGES, HOOKS = "merges", "hooks"
MERGED = "0" * 24 + "f" * 40  # the fingerprint of a group that Backtrace merged
PROFILED = 0.15  # the share of seeds with a profile
PROFILES: dict[str, Profile] = {
    "slow answers": _slow_answers,
    "rests": _rests,
    "surveys": _surveyed,
    HOOKS: _hooked,
    "chains": _chains,
    "copies": _copies,
    "frozen": _frozen,
    "late edits": _late_edits,
    "refused": _refused,
    "restored": _restored,
    "repeats": _repeats,
    MERGES: _merges,
}


def shrink(history: History, violates: Callable[[History], bool], schedules: int = 25) -> History:
    """Leave out operations as long as some schedule of what is left still violates."""
    smaller = True
    while smaller:
        smaller = False
        for index in range(len(history.operations) - 1, -1, -1):
            rest = history.operations[:index] + history.operations[index + 1 :]
            for seed in (history.seed, *range(schedules)):
                candidate = replace(history, operations=rest, seed=seed)
                if violates(candidate):
                    history, smaller = candidate, True
                    break
    return history

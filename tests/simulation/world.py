"""One run of a history: an installation with its processes, its tracker and its people, and what must be true after every step."""

import functools
import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from syncd.config import Config, HookSettings, LocalSettings, Route, Secret
from syncd.config.sections import Notifications
from syncd.core.budget import Limit
from syncd.errors import StoreUnavailable
from syncd.intake.reports import Delivery, marks
from syncd.intake.sources import backtrace
from syncd.model import Identity
from syncd.store import Store
from syncd.store.connection import Transaction
from syncd.trackers.hooks import Report
from syncd.worker.routing import Routing
from tests.simulation import fairness, invariants, operators
from tests.simulation.database import Database
from tests.simulation.fairness import Fairness
from tests.simulation.history import History, Operation, Setup, operation
from tests.simulation.operators import ROUTE, TRACKER
from tests.simulation.postgresql import Server, ServerDatabase
from tests.simulation.process import HEARTBEAT_SECONDS, IDLE_SECONDS, Process
from tests.simulation.reference import Accepted, Reference
from tests.simulation.scheduler import START, Owner, Scheduler, Step, Task
from tests.simulation.tracker import Item, Site

PROBE_AFTER = [20.0, 60.0, 180.0]
RESTART_SECONDS = 3.0
CORRECTION_SECONDS = 5.0  # until a time service sets the clock of a machine that was frozen
STORM_SECONDS = 600.0  # between two looks at what a storm may release; the daemon looks every few seconds
SKEW_SECONDS = 25.0  # between machines
REST_SECONDS = 3 * 86400.0  # after the last operation everything must come to rest within this time


@dataclass
class Violation:
    """A broken invariant, and the run that broke it."""

    invariant: str
    detail: str
    history: History
    steps: list[Step]

    def __str__(self) -> str:
        lines = [f"VIOLATION {self.invariant}: {self.detail}", "", str(self.history), ""]
        lines += [f"{step.at - START:10.2f} s  {step.actor:18} {step.event}" for step in self.steps]
        return "\n".join(lines)


@dataclass
class Truth:
    """What was sent and done, kept beside the program: the reference of the invariants."""

    reference: Reference
    fairness: Fairness = field(default_factory=Fairness)
    excused: set[str] = field(default_factory=set)  # groups that may have no issue of their own, by an operator's act
    ended: set[str] = field(default_factory=set)  # groups whose issue a person has ended for good
    may_repeat: set[str] = field(default_factory=set)  # groups that may have had several issues
    crashes: list[tuple[float, str, str]] = field(
        default_factory=list
    )  # when which group was notified to have crashed in which release
    claims: list[tuple[float, str]] = field(default_factory=list)  # when which task claimed a group
    held: dict[str, tuple[int, str]] = field(default_factory=dict)  # the last claim of each task
    paused: bool = False  # an operator has paused the tracker
    refused: set[int] = field(default_factory=set)  # groups refused in a row
    charged: set[int] = field(default_factory=set)  # those of so many in a row that the project is charged
    rested: tuple[int, float] = (0, 0.0)  # the group that caused the latest rest, and its end
    silent_since: float | None = None  # the first claim inside the silence that is in force
    writes: int = 0  # writes of the tracker that were checked
    reopened: int = 0  # reopened issues that were checked
    clock_set_at: float = 0.0
    intended: list[int] = field(default_factory=list)  # issues whose intent was on disk after the last commit
    leases: dict[int, tuple[str, float]] = field(default_factory=dict)  # who has claimed a group, and until when
    acted: dict[int, float] = field(default_factory=dict)  # when a person changed an issue last
    heard: dict[int, float] = field(
        default_factory=dict
    )  # when a person made the latest change of an issue that a hook has reported
    trials: dict[str, float] = field(
        default_factory=dict
    )  # the claims that try a tracker that rests, and until when alone


class World:
    """Everything of one run."""

    def __init__(self, history: History, folder: Path, server: Server | None = None) -> None:
        """The store is a file with its template in `folder`, or the database of a PostgreSQL server."""
        self.history = history
        self.scheduler = Scheduler(history.seed)
        self.counts: Counter[str] = Counter()
        self.database = (
            ServerDatabase(self.scheduler, server, self.counts) if server else Database(self.scheduler, folder)
        )
        self.database.after_commit = self._committed
        self.site = Site(self.scheduler, TRACKER, self.counts)
        self.truth = Truth(Reference(history.setup.mode))
        self.processes: list[Process] = []
        self.people = Owner("people")
        self._names = itertools.count(1)
        self.configure(history.setup)
        self.site.tells_closing, self.site.lists_changes = history.setup.tells_closing, history.setup.lists_changes
        self._healed_at: float | None = None
        self.instance_key = "00" * 32
        self.clock_offset = 0.0
        self._acting = 0
        self._aimed: list[Operation] = []  # acts that wait until a worker has a certain group in hand
        self.sending = 0  # deliveries that are not answered yet
        self._left: list[Database] = []  # that the store was moved from

    def run(self) -> Violation | None:
        """Run the history to its rest. Return the first violation."""
        random.seed(self.history.seed)  # back-offs have a jitter
        self.begin()
        last = max((entry.at for entry in self.history.operations), default=0.0)
        self.scheduler.run(START + last + 1.0, self._watch)
        self._heal()
        self.scheduler.run(self.scheduler.now + REST_SECONDS, self._watch, self._is_at_rest)
        return self._verdict()

    def _is_at_rest(self) -> bool:
        """Report whether nothing waits in the inbox, nobody owes a call and every group has been judged."""
        if self._has_storm() or self._acting or not self._is_surveyed():
            return False
        return not any(
            map(
                self.database.exists,
                (
                    "SELECT 1 FROM outbox WHERE state <> 'dead'",
                    "SELECT 1 FROM deliveries WHERE state = 'waiting'",
                    "SELECT 1 FROM settings WHERE name = 'routes' AND value = ''",
                ),
            )
        )

    def _is_surveyed(self) -> bool:
        """Report whether a survey began and ended after all people had acted and everything was well."""
        if not self.history.setup.surveys or self.has("machine", "sets the clocks"):
            return True
        at = (self._healed_at or 0.0) + self.clock_offset
        rows = self.database.rows("SELECT value FROM tracker_facts WHERE fact = 'surveyed_at'")
        return any(at < float(str(row["value"])) for row in rows)

    def begin(self) -> None:
        """Start the processes and schedule every operation."""
        for _ in range(self.history.setup.processes):
            self._start()
        for entry in self.history.operations:
            self.scheduler.spawn(self.people, entry.actor, lambda entry=entry: self._act(entry), START + entry.at)  # type: ignore[misc]
        self.scheduler.spawn(self.people, "heartbeats", self._heartbeats)

    def _start(self) -> None:
        process = Process(
            self.scheduler,
            self.database,
            self.site,
            self.routing,
            name=f"p{next(self._names)}",
            syncers=self.history.setup.syncers,
            surveys=self.history.setup.surveys,
            batch=self.history.setup.batch,
            offset=self.clock_offset,
        )
        if self.has("machine", "stands still"):
            process.store.connection.first = lambda: None  # as of several machines
        self.processes.append(process)
        process.start(self.is_dead, self._restart)

    def _restart(self, process: Process) -> None:
        """The service manager starts a process that ended."""
        self.scheduler.kill(process)
        self.scheduler.spawn(self.people, "service manager", self._start, self.scheduler.now + RESTART_SECONDS)

    def configure(self, setup: Setup) -> None:
        """Give the processes that start from now on this configuration."""
        self._config = _config(setup)

    def routing(self, store: Store) -> Routing:
        """Return the rules of one process."""
        return Routing(config=self._config, instance_key=self.instance_key)

    def is_dead(self, owner: str) -> bool:
        """Report whether the process of a claim's owner has died."""
        name = owner.partition("/")[0]
        return any(
            process.name == name and (process.is_dead or process.database is not self.database)
            for process in self.processes
        )

    def _heartbeats(self) -> None:
        while True:
            pause = HEARTBEAT_SECONDS if self._left_behind() else STORM_SECONDS if self._has_storm() else IDLE_SECONDS
            self.scheduler.sleep(pause, "heartbeat")
            for process in self.living[:1]:
                if self._left_behind():
                    process.take_over(self.is_dead)
                if self._has_storm():
                    process.wake({"storms"})

    def _has_storm(self) -> bool:
        return self.database.exists("SELECT 1 FROM storms")

    def _left_behind(self) -> bool:
        """Report whether a dead process still has claims."""
        rows = self.database.session.execute("SELECT owner FROM outbox WHERE owner IS NOT NULL").fetchall()
        return any(self.is_dead(str(row[0])) for row in rows)

    def _committed(self, changes: Counter[str], tables: set[str]) -> None:
        self.counts["commits"] += 1
        invariants.after_commit(self, changes)
        fairness.after_commit(self, changes)
        if self._aimed and "claim_group" in changes:
            self._strike_claims()
        for process in self.living:
            process.wake(tables)

    def _strike_claims(self) -> None:
        """Begin the next act that waits for a worker to have a group with an issue in this state in hand."""
        claimed = self.database.rows(
            "SELECT COALESCE(issues.state, 'none') AS state FROM outbox LEFT JOIN issues ON issues.group_id = outbox.group_id AND issues.state <> 'retired'"
            " WHERE outbox.state = 'claimed'"
        )
        states = {str(row["state"]) for row in claimed}
        for entry in self._aimed:
            if entry["in_hand"] in states:
                self._aimed.remove(entry)
                self.scheduler.spawn(self.people, entry.actor, lambda entry=entry: self._act_soon(entry))  # type: ignore[misc]
                return

    def _act_soon(self, entry: Operation) -> None:
        for _ in range(self.scheduler.random.randint(0, 3)):
            self.scheduler.point("aims")
        values = {name: value for name, value in entry.values if name != "in_hand"}
        self._act(operation(entry.at, entry.actor, entry.act, **values))

    def _watch(self) -> None:
        self.site.keep_past()
        invariants.after_step(self)

    def _heal(self) -> None:
        weather = self.site.weather
        weather.away = weather.login_refused = False
        weather.refuses_all = weather.switched_off = weather.veils = False
        weather.throttled_until = weather.read_lag = 0.0
        weather.lose_before = weather.lose_after = weather.late = weather.early = 0
        weather.list_lag = 0.0
        self.database.away = False
        self.database.fail_before = self.database.fail_after = 0
        self.database.fail_at = ""
        self.scheduler.traps.clear()
        weather.slow.clear()
        weather.drowsy.clear()
        for process in self.processes:
            process.suspended_until = 0.0
        self._healed_at = self.scheduler.now
        self.scheduler.record("everything is well again", actor="world")

    def _verdict(self) -> Violation | None:
        if self.scheduler.failure is not None:
            failure = self.scheduler.failure
            if isinstance(failure, invariants.Broken):
                return Violation(failure.invariant, failure.detail, self.history, self.scheduler.steps)
            return Violation("no task fails", repr(failure), self.history, self.scheduler.steps)
        try:
            invariants.at_rest(self)
            fairness.at_rest(self)
        except invariants.Broken as broken:
            return Violation(broken.invariant, broken.detail, self.history, self.scheduler.steps)
        return None

    @property
    def living(self) -> list[Process]:
        """The processes that run, also the suspended ones."""
        return [process for process in self.processes if not process.is_dead]

    def _act(self, entry: Operation) -> None:
        if "in_hand" in dict(entry.values):
            self._aimed.append(entry)
            return
        self.counts[f"{entry.actor} {entry.act}"] += 1
        self.scheduler.record(entry.act, " ".join(f"{name}={value}" for name, value in entry.values))
        self._acting += 1
        ACTS[entry.actor, entry.act](self, entry)
        self._acting -= 1

    # Senders

    def _notify(self, entry: Operation) -> None:
        fingerprint, total, release = str(entry["fingerprint"]), int(entry["total"]), str(entry["release"])
        of_release, first = int(entry["of_release"]), int(START)
        if self.history.setup.mode == "window":
            total = of_release = int(entry["more"])
            first = int(START + entry.at)  # no window begins in the second of another and ends later
        body = json.dumps(
            {
                "universe": "acme",
                "project": "game",
                "fingerprint": fingerprint,
                "application": "game",
                "callstack": [f"{dict(entry.values).get('frames', fingerprint)}::draw", "main"],
                "occurrences": total,
                "timestamp": [first, int(START + entry.at)],
                "hosts": 1,
                "guids": min(total, 5),
                "attributes": {"version": [[release, of_release]]},
            }
        ).encode()
        self.truth.crashes.append((START + entry.at, fingerprint, release))
        delays = [0.0] if float(entry["again"]) < 0 else [0.0, float(entry["again"])]
        for delay in delays:
            self.scheduler.sleep(delay, "sender waits")
            number = self.deliver(body)
            self.truth.reference.accepted.append(
                Accepted(self.scheduler.now, number, fingerprint, release, total, of_release, body)
            )

    def deliver(self, body: bytes) -> int:
        """Send until it is answered 200, as Backtrace does not but a patient sender would. Return the number of the delivery."""
        self.sending += 1
        while True:
            for process in self.living[:1]:
                try:
                    identity = backtrace.identify(backtrace.decode(body))
                    number = _accept(process.store, body, process.clock.wall(), identity)
                except Exception as error:  # noqa: BLE001 - the sender's boundary: 503, it sends again
                    self.scheduler.record("refused", str(error))
                else:
                    process.absorber.arrivals.add(identity)
                    self.sending -= 1
                    return number
            self.scheduler.sleep(5.0, "sender waits")

    # People

    def item(self, entry: Operation) -> Item | None:
        """Return the issue of ours that an act is about."""
        filed = [item for item in self.site.items if item.author != "person" and item.is_live]
        if "title" in dict(entry.values):
            filed = [item for item in filed if item.title == entry["title"]]
            return filed[0] if filed else None
        return filed[int(entry["issue"]) % len(filed)] if filed else None

    def _person(self, entry: Operation) -> None:
        item, now = self.item(entry), self.site.now
        if item is None:
            return
        item.changed_at = now
        if entry.act == "transfers":
            item.moved_to = f"M-{item.number}"
        for name, value in TOUCHES.get(entry.act, {}).items():
            setattr(item, name, value)
        match entry.act:
            case "closes":
                if not item.closed:
                    item.closed, item.closed_at, item.resolution, item.closed_by_person = (
                        True,
                        now,
                        "completed",
                        self.scheduler.now,
                    )
                    item.fixed_in = (str(entry["release"]),)
            case "reopens":
                item.closed, item.closed_at, item.resolution, item.closed_by_person = False, None, "", None
            case "deletes" | "converts":
                item.deleted, item.converted = entry.act == "deletes", entry.act == "converts"
                recreates = self.config.all_routes[0].on_deleted == "recreate"
                (self.truth.may_repeat if recreates else self.truth.ended).add(item.title)
            case "marks duplicate":
                targets = [entry for entry in self.site.items if entry is not item and not entry.deleted]
                if targets:
                    item.closed, item.closed_at, item.resolution = True, now, "duplicate"
                    item.closed_by_person = self.scheduler.now
                    item.duplicate_of = targets[0].number
                    self.truth.may_repeat.add(item.title)
            case "deletes comment":
                item.comments = item.comments[:-1]
            case "renames":
                item.renamed_to = f"RENAMED-{item.number}"
        self._report(item)

    def _report(self, item: Item) -> None:
        """A tracker with a hook reports what a person did: once, twice, or never."""
        if not self.history.setup.hooks:
            return
        acted_at = self.truth.acted[item.number] = self.scheduler.now
        body = f"{item.number} {acted_at} {next(self._names)}".encode()
        report = Report(issues=item.remote_ids, changed_at=item.changed_at)
        delivery = Delivery(name="hook", trackers=(TRACKER,), home="", report=report, marks=marks("hook", body, b""))
        for _ in range(self.scheduler.random.choice((0, 1, 1, 2))):
            at = self.scheduler.now + self.scheduler.random.uniform(0.0, 20.0)
            self._acting += 1
            self.scheduler.spawn(self.people, "hook", partial(self._deliver, delivery, item.number, acted_at), at)

    def _deliver(self, delivery: Delivery, number: int, acted_at: float) -> None:
        """A report that is not answered 200 is lost, as GitHub's are."""
        for process in self.living[:1]:
            with suppress(StoreUnavailable):
                if process.hear(delivery) and not process.is_dead:
                    self.truth.heard[number] = max(acted_at, self.truth.heard.get(number, 0.0))
                    self.counts["reports"] += 1
        self._acting -= 1

    def _file_stranger(self, entry: Operation) -> None:
        self.site.add("", "a person's issue", "person")

    def _post(self, entry: Operation) -> None:
        """A person posts several times at once what takes numbers, and what no list shows."""
        for _ in range(int(entry["count"])):
            item = self.site.add("", "a person's post", "person")
            item.converted, item.deleted = entry.act == "opens discussions", entry.act == "files and deletes"

    # Operators

    def _operator(self, entry: Operation) -> None:
        for process in self.living[:1]:
            operators.act(self, process, entry)

    def _move_store(self, entry: Operation) -> None:
        """Move the store at once, and start the daemons on the new one, each after some time with the old one."""
        if isinstance(self.database, ServerDatabase):
            return
        self._left.append(self.database)
        self.database = self.database.move()
        for process in self.living:
            restart = partial(self._restart_living, process)
            at = self.scheduler.now + self.scheduler.random.uniform(0.0, float(entry["seconds"]))
            self.scheduler.spawn(self.people, "operator restarts", restart, at)

    def _restart_living(self, process: Process) -> None:
        if not process.is_dead:
            self._restart(process)

    # Weather and machines

    def _tracker_weather(self, entry: Operation) -> None:
        weather, seconds = self.site.weather, float(entry["seconds"])
        match entry.act:
            case "loses a request":
                weather.lose_before += 1
            case "loses an answer":
                weather.lose_after += 1
            case "carries out late":
                weather.late += 1
            case "is away":
                weather.away = True
                self.scheduler.sleep(seconds, "outage")
                weather.away = False
            case "refuses the login":
                weather.login_refused = True
                self.scheduler.sleep(seconds, "outage")
                weather.login_refused = False
            case "throttles":
                weather.throttled_until = self.site.now + seconds
            case "gives a number early":
                weather.early += 1
            case "shows old lists":
                weather.list_lag = seconds
            case "is backed up":
                self.site.back_up()
            case "is restored":
                self.site.restore()
            case "has another account":
                self.site.account = f"{self.site.account}'"

    def _switch(self, entry: Operation) -> None:
        """Have a fault of the whole project for some time."""
        setattr(self.site.weather, SWITCHES[entry.act], True)
        self.scheduler.sleep(float(entry["seconds"]), "outage")
        setattr(self.site.weather, SWITCHES[entry.act], False)

    def _lag(self, entry: Operation) -> None:
        seconds = float(entry["seconds"])
        self.site.weather.read_lag = seconds / 4
        self.scheduler.sleep(seconds, "lag")
        self.site.weather.read_lag = 0.0

    def _edit_slowly(self, entry: Operation) -> None:
        self.site.weather.slow.append(float(entry["seconds"]))

    def _answer_slowly(self, entry: Operation) -> None:
        self.site.weather.drowsy.append((str(entry["call"]), float(entry["seconds"])))
        self.site.weather.lose_after += int(entry["lost"])

    def _copy(self, entry: Operation) -> None:
        """A person copies an issue with all of its text."""
        item = self.item(entry)
        if item is not None:
            self.site.add(item.marker, "a person's copy", "person")

    def _store_weather(self, entry: Operation) -> None:
        match entry.act:
            case "loses a commit":
                self.database.fail_before += 1
            case "loses a finding":
                self.database.fail_at = "ask_look"
            case "reports a commit failed":
                self.database.fail_after += 1
            case "is away":
                self.database.away = True
                self.scheduler.sleep(float(entry["seconds"]), "outage")
                self.database.away = False

    def _set_clocks(self, entry: Operation) -> None:
        seconds = float(entry["seconds"])
        shared = self.database.shared or self.has("machine", "stands still")
        self.truth.clock_set_at = self.scheduler.now
        # Machines that share a store have a time service; what is left of a larger step stops a process.
        self.clock_offset = max(-SKEW_SECONDS, min(SKEW_SECONDS, seconds)) if shared else seconds
        for process in self.processes:
            process.clock.offset = self.clock_offset
        for process in self.living:
            process.wake({"settings"})  # an absorber looks at its clock every second

    def _strike(self, entry: Operation) -> None:
        living = self.living
        if not living:
            return
        process = living[int(entry["process"]) % len(living)]
        if entry.act == "suspends":
            process.suspended_until = self.scheduler.now + float(entry["seconds"])
            return
        for _ in range(int(entry["after"])):
            self.scheduler.point("aims")
        self._restart(process)

    def _stand_still(self, entry: Operation) -> None:
        """A machine sleeps, or a virtual machine is paused, once a task of its process has reached a point: clocks of it stand."""
        process = self.living[int(entry["process"]) % len(self.living)] if self.living else None

        def trap(task: Task) -> None:
            if task.owner is process and task.point == entry["before"] and self.scheduler.traps:
                self.scheduler.traps.remove(trap)
                seconds, clock = float(entry["seconds"]), process.clock
                process.suspended_until = self.scheduler.now + seconds
                if entry["clocks"] == "slept":
                    clock.slept += seconds
                else:
                    clock.paused += seconds
                if entry["clocks"] == "frozen":
                    clock.behind = seconds
                    at = self.scheduler.now + seconds + CORRECTION_SECONDS
                    self.scheduler.spawn(self.people, "time service", lambda: setattr(clock, "behind", 0.0), at)
                self.counts["machines that stood still before a request"] += 1
                self.scheduler.record("stands still", f"{seconds:.0f} s", actor=process.name)

        self.scheduler.traps.append(trap)

    def has(self, actor: str, *acts: str) -> bool:
        """Report whether the history has one of these acts, any act of the actor where none is named."""
        return any(entry.actor == actor and (not acts or entry.act in acts) for entry in self.history.operations)

    @property
    def config(self) -> Config:
        """The configuration of the processes that start now."""
        return self._config

    def close(self) -> None:
        """Count what happened, and free the memory."""
        self.counts.update({f"query {name}": rows for name, rows in self.database.changes.items()})
        for database in (*self._left, self.database):
            database.close()


def _accept(store: Store, body: bytes, now: float, identity: Identity) -> int:
    def write(transaction: Transaction) -> int:
        return store.bodies.accept(transaction, [(now, body, identity.number, None, None)])[0]

    return store.write(write)


@functools.cache
def _config(setup: Setup) -> Config:
    values: dict[str, Any] = dict(setup.route)
    limits: dict[str, list[Limit]] = {}
    for name in ("cap", "updates", "writes"):
        count, seconds = values.pop(name, None), values.pop(f"{name}_seconds", None)
        limits[name] = [] if count is None else [Limit(count=int(count), seconds=float(seconds))]
    values |= {
        key: limits[name] for key, name in (("max_new_issues", "cap"), ("max_updates", "updates")) if limits[name]
    }
    here = LocalSettings(
        kind="local",
        folder="unused",
        probe_after=PROBE_AFTER,
        writes=limits["writes"],
        survey_interval=setup.survey_interval,
    )
    return Config(
        notifications=Notifications(occurrence_mode=setup.mode),
        trackers={TRACKER: here},
        hooks={"hook": HookSettings(tracker=[TRACKER], secret=Secret(env="HOOK"))} if setup.hooks else {},
        routes=[Route(name=ROUTE, tracker=TRACKER, **values)],
    )


# What people do to an issue by one change of its state.
TOUCHES: Mapping[str, Mapping[str, object]] = {
    "locks": {"locked": True},
    "labels": {"labels": ("needs-triage",), "owners": ("ada",)},
    "hides": {"hidden": True},
    "rewrites": {"readable": False},
    "fills": {"full": True},
}
# Faults of the whole project, by the field of the weather.
SWITCHES = {
    "refuses every create": "refuses_all",
    "switches issues off": "switched_off",
    "hides new issues": "veils",
}

Act = Callable[[World, Operation], None]
ACTS: dict[tuple[str, str], Act] = {
    ("sender", "notifies"): World._notify,
    ("person", "files an issue of their own"): World._file_stranger,
    **{
        ("person", act): World._person
        for act in (
            "closes", "reopens", "deletes", "locks", "labels", "marks duplicate", "deletes comment", "transfers", "hides", "converts",
            "rewrites", "renames", "fills",
        )
    },
    ("person", "opens discussions"): World._post,
    ("tracker", "lags"): World._lag,
    **{("tracker", act): World._switch for act in SWITCHES},
    ("person", "files and deletes"): World._post,
    **{("operator", name): World._operator for name in operators.ACTS},
    ("operator", "moves the store"): World._move_store,
    **{
        ("tracker", act): World._tracker_weather
        for act in (
            "loses a request", "loses an answer", "carries out late", "is away", "throttles", "refuses the login",
            "gives a number early", "shows old lists", "is backed up", "is restored", "has another account",
        )
    },
    **{("store", act): World._store_weather for act in ("loses a commit", "reports a commit failed", "is away", "loses a finding")},
    ("machine", "sets the clocks"): World._set_clocks,
    **{("machine", act): World._strike for act in ("kills", "suspends")},
    ("machine", "stands still"): World._stand_still,
    ("tracker", "edits slowly"): World._edit_slowly,
    ("tracker", "answers slowly"): World._answer_slowly,
    ("person", "copies"): World._copy,
}  # fmt: skip

"""Backfill: the groups that crashed before syncd heard of them are counted, and on request filed. Groups with a ticket in Backtrace are adopted first."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from syncd.backtrace import queries
from syncd.backtrace.client import Target
from syncd.backtrace.intake import Intake
from syncd.backtrace.poll import Reader
from syncd.backtrace.queries import Page, Query, Row
from syncd.config import Config
from syncd.core import frames
from syncd.core.quantities import counted, duration
from syncd.operate import candidates
from syncd.operate.adopt import Adopter, Progress
from syncd.operate.candidates import Candidate
from syncd.platform.clock import Clock
from syncd.store import Store, audit, polls
from syncd.store.audit import STORE
from syncd.store.connection import Transaction
from syncd.store.hints import INBOX
from syncd.store.polls import BackfillStanding
from syncd.trackers.references import named
from syncd.worker.routing import Routing


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The groups that a backfill takes: those that crashed at `since` or later, have so many occurrences, and are in one of the `states` of the triage, if
    there are any. With `file` they are filed as if they crashed today, else counted and held."""

    since: float = 0.0
    min_occurrences: int = 1
    states: Sequence[str] = ()
    file: bool = False

    def takes(self, row: Row) -> bool:
        """Whether the group fits. One whose objects are of many crashes never does."""
        return (
            row.span is not None
            and row.span[1] >= self.since
            and row.count >= self.min_occurrences
            and (not self.states or row.head(queries.STATE) in self.states)
            and row.key not in ("", queries.UNSET)
            and not frames.all_zero(row.key)
        )

    def sentence(self, now: float) -> str:
        """What is taken, for people."""
        parts = [f"crashed within {duration(now - self.since)}"] if self.since else []
        parts += [f"at least {counted(self.min_occurrences, 'occurrence')}"] if self.min_occurrences > 1 else []
        parts += [f"state {' or '.join(self.states)}"] if self.states else []
        return f"{', '.join(parts) or 'every group'}; {'filed' if self.file else 'counted and held'}"


@dataclass(slots=True)
class Tally:
    """How many groups a run has read, and what became of them."""

    read: int = 0
    left: int = 0  # do not fit
    new: int = 0
    present: int = 0  # the store had them
    adoptions: list[candidates.Row] = field(default_factory=list)


class Backfill:
    """Reads all groups of a project, and writes to the store only; with `dry_run` not even there. Another run goes on where this one was
    interrupted: by TrackerError, StoreUnavailable, Interrupted."""

    def __init__(
        self,
        target: Target,
        config: Config,
        store: Store,
        progress: Progress,
        clock: Clock,
        sleep: Callable[[float], None],
        *,
        dry_run: bool = False,
    ) -> None:
        self._target, self._config, self._store, self._progress = target, config, store, progress
        self._clock, self._dry_run = clock, dry_run
        routing = Routing(config=config, instance_key=store.instance_key())
        self._intake = Intake(target, store, routing, lambda _: None)
        self._reader = Reader(target, store, routing, clock, sleep)

    def run(self, wanted: Wanted, adopter: Adopter, call: str, tally: Tally) -> None:
        """Read page by page, and add to the tally. A run with another `call` than the one that was interrupted begins anew."""
        project = self._target.title
        begun = self._store.read(partial(polls.backfill, project=project))
        if begun is None or begun.call != call or self._dry_run:
            begun = BackfillStanding(call=call)
            self._write(partial(self._begin, begun=begun, wanted=wanted))
        tally.read = begun.offset
        start = Query(filter=queries.since(0), tx=begun.tx, offset=begun.offset)
        for query, page in self._reader.pages(start):
            self._take(wanted, page, adopter, tally)
            after = BackfillStanding(call=call, tx=query.tx, offset=query.offset + len(page.rows))
            self._write(partial(polls.save_backfill, project=project, after=after))
            self._store.hints.send(INBOX)
            self._progress(f"reading {project}", tally.read, page.total)
        self._write(partial(polls.save_backfill, project=project, after=None))

    def _take(self, wanted: Wanted, page: Page, adopter: Adopter, tally: Tally) -> None:
        rows = [row for row in page.rows if wanted.takes(row)]
        existing = self._intake.existing(rows)
        # Before the group is in the inbox: an adopted issue waits for it, and nothing else is filed.
        tally.adoptions += adopter.adopt(
            [candidate for row in rows for candidate in tickets(self._target, self._config, row)]
        )
        if not self._dry_run:
            self._intake.deliver(rows, self._clock.wall(), backfill=not wanted.file)
        tally.read += len(page.rows)
        tally.left += len(page.rows) - len(rows)
        tally.present += len(existing)
        tally.new += len(rows) - len(existing)

    def _begin(self, transaction: Transaction, begun: BackfillStanding, wanted: Wanted) -> None:
        now = self._clock.wall()
        polls.save_backfill(transaction, self._target.title, begun)
        detail = f"{self._target.title}: {wanted.sentence(now)}"
        audit.record(transaction, self._store.actor, "backfill", STORE, detail, now)

    def _write(self, change: Callable[[Transaction], None]) -> None:
        if not self._dry_run:
            self._store.write(change, exclusive=False)

    def close(self) -> None:
        """Close the connection."""
        self._reader.client.close()


def tickets(target: Target, config: Config, row: Row) -> list[Candidate]:
    """The issues of configured trackers in a group's list of tickets. That is a list as JSON text, or one address."""
    text = row.head(queries.TICKET)
    if text is None:
        return []
    try:
        entries = json.loads(text)
    except ValueError:
        entries = [{"url": text}]
    addresses = [
        entry["url"]
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("url"), str)
    ]
    universe, project = target.place
    several = []
    for address in dict.fromkeys(addresses):
        for name, settings in config.trackers.items():
            try:
                issue = named(name, settings, address)
            except ValueError:
                continue  # another tracker's
            several.append(
                Candidate(
                    source=address,
                    tracker=name,
                    issue=issue,
                    fingerprint=row.key,
                    universe=universe,
                    project=project,
                )
            )
            break
    return several

"""The state of the whole system, as `syncd status`, the console's first page, /readyz and the metrics show it."""

from dataclasses import asdict
from datetime import UTC, datetime, time
from functools import partial
from math import isfinite
from typing import Any

import msgspec

from syncd.config import Config
from syncd.core import budget, counts
from syncd.core import hooks as rarity
from syncd.core.budget import Allowance
from syncd.core.polls import is_fresh
from syncd.core.quantities import counted
from syncd.operate import needs, shapes
from syncd.store import Store, limits, notices, polls
from syncd.store import hooks as saved
from syncd.store.instances import consoles, crashes, running
from syncd.store.report import left_behind

# Over so many seconds the rate of tracker calls is measured, or since the oldest group has waited.
RATE_SECONDS, MIN_RATE_SECONDS = 600.0, 60.0
NEWEST_GROUPS, NAMED_ATTRIBUTES = 20, 12
DAY_SECONDS = 86400.0


def status(config: Config, store: Store, now: float) -> dict[str, Any]:
    """The counts, the held groups, the states of store, trackers, routes and processes, and what of all that a person should know: `needs`,
    `well` and `sentence`. Commits something, to learn whether that is possible. Raises StoreUnavailable if the store cannot be read."""
    fault = store.fault()
    processes = running(store.connection, now)
    living = {process.owner for process in processes if process.lives}
    intents = store.report.intents()
    being_filed = sum(creates for owner, creates in intents.items() if owner.partition("/")[0] in living)
    owed = store.report.owed(now)
    # A tracker that the configuration no longer has still counts while groups wait for it.
    trackers = store.report.trackers(config.credentials, now) | left_behind(owed, config.trackers)
    totals, oldest, room = store.report.counts(now), store.lists.oldest(now), store.connection.room()
    shape = shapes.status(totals, trackers, owed, writes_left(config, store, now), being_filed)
    folds = sum((process.folds for process in processes if process.lives), 0.0)
    shape["inbox"] |= _progress(totals.inbox_waiting, oldest.received_at, folds)
    filed = 0.0
    if oldest.owed_since is not None:
        span = min(RATE_SECONDS, max(MIN_RATE_SECONDS, now - oldest.owed_since))
        filed = sum(times for (times,) in store.lists.done(now - span, span, 1).values()) / span
    shape["outbox"] |= _progress(totals.outbox_due, oldest.owed_since, filed)
    shape |= {
        "held_by": [{"rule": rule, "route": route, "groups": count} for rule, route, count in store.report.held()],
        "storms": [{"route": storm.route, "held": storm.held, "since": storm.since} for storm in store.report.storms()],
        "paused_routes": [
            {"route": pause.route, "reason": pause.reason, "since": pause.at} for pause in store.limits.route_pauses()
        ],
        "unreleased": unreleased(store),
        "countings": countings(config, store),
        "strays": store.report.strays(),
        "polls": standings_of_polls(config, store, now),
        "by_hand": [asdict(issue) for issue in store.report.by_hand(3)],
        "instances": shapes.instances(processes, now),
        "channels": _channels(config, store, now),
        "console": {"listen": config.console.listen, "faults": consoles(store.connection, living)},
        "hooks": hooks(config, store, now),
        "crashes": crashes(store.connection, living, now),
        "store": {
            "place": store.connection.place,
            "fault": fault,
            "taken": room.taken,
            "free": room.free,
            "detached_at": store.detached_at(),
        },
    }
    for name, tracker in shape["trackers"].items():
        day = getattr(config.trackers.get(name), "token_expires", None)
        # The end of its last day.
        tracker["token_expires_at"] = day and datetime.combine(day, time(), UTC).timestamp() + DAY_SECONDS
    items = needs.needs(shape, now)
    well, sentence = needs.sentence(items)
    return {
        "well": well,
        "sentence": sentence,
        "needs": [asdict(item) | {"alarm": item.alarm} for item in items],
    } | shape


def hooks(config: Config, store: Store, now: float) -> list[dict[str, Any]]:
    """When each configured hook was heard last, None if it never was; and by tracker the seconds between its surveys, and when one last met changes
    that no hook had reported, if that is why they are not rarer."""
    heard = saved.heard(store.connection)
    entries: list[dict[str, Any]] = []
    for name, settings in config.hooks.items():
        surveys: dict[str, dict[str, float | None]] = {}
        for tracker in settings.tracker:
            interval = config.trackers[tracker].survey_interval
            reported_at = max(
                (each.reported_at for each in heard if each.tracker == tracker and each.reported_at), default=None
            )
            note = store.notebook(tracker).recall(saved.MISSED)
            missed_at = float(note) if note else None
            rarer = rarity.survey_interval(interval, reported_at, None, now)
            present = rarity.survey_interval(interval, reported_at, missed_at, now)
            surveys[tracker] = {"interval": present, "missed_at": missed_at if present < rarer else None}
        heard_at = max((each.heard_at for each in heard if each.name == name), default=None)
        entries.append({"name": name, "heard_at": heard_at, "surveys": surveys})
    return entries


def countings(config: Config, store: Store) -> list[dict[str, Any]]:
    """How the counts of each project are read, and why; `contradiction` is what speaks against the configured mode, None if nothing does."""
    mode = config.notifications.occurrence_mode
    entries: list[dict[str, Any]] = []
    for (universe, project), standing in store.report.countings().items():
        if standing.evidence == counts.Evidence() and not standing.counting.polled:
            continue
        counting = counts.decide(mode, standing.evidence, standing.counting)
        contradiction = counts.contradiction(counting, standing.evidence)
        sentence = counts.why(counting, standing.evidence)
        entry = {"universe": universe, "project": project, "mode": mode, "reason": sentence}
        entries.append(entry | {"contradiction": contradiction})
    return entries


def standings_of_polls(config: Config, store: Store, now: float) -> list[dict[str, Any]]:
    """The polls of each project of Backtrace: when they last succeeded, and why they do not."""
    entries: list[dict[str, Any]] = []
    for name, settings in config.backtrace.items():
        for project in settings.projects:
            if isfinite(project.poll):
                title = f"{name}/{project.name}"
                standing = store.read(partial(polls.standing, project=title))
                fresh = is_fresh(standing.polled_at, project.poll, now)
                entries.append({"project": title, "fresh": fresh} | msgspec.structs.asdict(standing))
    return entries


def unreleased(store: Store) -> str | None:
    """What the newest groups carry if none of them names a release: nothing tells then whether a crash came back. None if all is well."""
    newest = store.report.unreleased(NEWEST_GROUPS)
    if newest is None:
        return None
    count, names = newest
    carried = ", ".join(names[:NAMED_ATTRIBUTES]) or "no attributes"
    more = f" and {len(names) - NAMED_ATTRIBUTES:,} more" if len(names) > NAMED_ATTRIBUTES else ""
    return f"no notification of {counted(count, 'new group')} names a release (release_attributes); they carry {carried}{more}"


def _progress(waiting: int, oldest_at: float | None, rate: float) -> dict[str, object]:
    """Since when a queue has waited, how many things leave it in a second, and in how many seconds it is empty at that rate."""
    left = waiting / rate if waiting and rate else None
    return {"oldest_at": oldest_at, "rate": rate, "seconds_left": left}


def _channels(config: Config, store: Store, now: float) -> dict[str, Any]:
    """By channel its state, what waits for it, and what became of the notices of the last day. One that is not configured any more counts as
    long as something waits for it."""
    counts = store.read(partial(notices.counts, since=now - DAY_SECONDS))
    left = [name for name, count in counts.items() if count.waiting and name not in config.channels]
    shape: dict[str, Any] = {}
    for name in [*config.channels, *sorted(left)]:
        standing = store.read(partial(notices.standing, channel=name))
        count = counts.get(name) or notices.ChannelCounts(waiting=0, oldest_at=None, ended={})
        state = "missing" if name in left else "ok" if standing.failing_since is None else "rests"
        shape[name] = {
            "kind": config.channels[name].kind if name in config.channels else None,
            "state": state,
            "reason": standing.reason,
            "since": standing.failing_since,
            "until": standing.until,
            "attempts": standing.attempts,
            "waiting": count.waiting,
            "oldest_at": count.oldest_at,
            "digest": None if standing.digest is None else standing.digest[0].isoformat(),
        } | {name: count.ended.get(name, 0) for name in ("sent", "lost", "refused", "expired")}
    return shape


def writes_left(config: Config, store: Store, now: float) -> dict[str, int | None]:
    """By configured tracker, the writes that its budget still allows; None if nothing limits it."""
    remaining: dict[str, int | None] = {}
    for name, settings in config.trackers.items():
        allowance = Allowance(credential=config.credentials[name], limits=settings.writes)
        standing = store.read(partial(limits.standing, tracker=name, credential=allowance.credential))
        remaining[name] = budget.remaining(standing.buckets, allowance, now)
    return remaining

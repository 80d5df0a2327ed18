"""What must be true of an installation after every step, and once it has come to rest."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from syncd.core.budget import HORIZON_SECONDS, REFUSED_IN_A_ROW, Limit
from syncd.core.counts import PRECISION
from syncd.model import Action, Issue, IssueState, Plan
from syncd.store.outbox import LEASE_SECONDS, Claim
from syncd.store.records import issue_of
from syncd.worker.reconcile import plan_again
from syncd.worker.routing import Routing
from tests.simulation.history import MERGED
from tests.simulation.operators import TRACKER
from tests.simulation.tracker import Item

if TYPE_CHECKING:
    from tests.simulation.world import World


SLACK_SECONDS = 10.0  # between the commit that takes a place in a window and the request
SETTLED_SECONDS = 30.0  # after which nobody acts by what was read before a silence began
# What only the owner of a claim writes. An answer of a create is linked however late it is.
OWNED = frozenset({
    "renew", "see_issue", "synced", "shows", "settle", "release_claim", "drop_claim", "bury", "park", "absent", "probed", "probe_later",
    "save_status", "begin_edit", "end_edit", "save_announcement", "end_intent", "intend",
})  # fmt: skip
MERGED_OF = ("m0", "m1", "m2")  # the groups that the merged one was merged of
UNSEEN_SECONDS = 120.0  # between a look at an issue and what is done because of it; see update.LOOK_SECONDS


class Broken(Exception):
    """An invariant does not hold."""

    def __init__(self, invariant: str, detail: str) -> None:
        super().__init__(f"{invariant}: {detail}")
        self.invariant = invariant
        self.detail = detail


def after_step(world: "World") -> None:
    """Check what may never be false, however briefly."""
    site = world.site
    if len(site.writes) == world.truth.writes:
        return
    world.truth.writes = len(site.writes)
    live: dict[str, list[int]] = {}
    for item in site.items:
        if item.author == "person" or not item.is_live:
            continue
        live.setdefault(item.title, []).append(item.number)
        markers = [note.marker for note in item.comments]
        if len(markers) != len(set(markers)):
            _fail(world, "no comment twice", f"#{item.number} has a comment twice")
    # A person linked a group to the issue of a storm, which then needs another one.
    lost = world.has("operator", "relinks", "relinks doubtful")
    may_repeat = world.truth.may_repeat | {title for title in live if lost and title.startswith("storm ")}
    for title, numbers in live.items():
        if len(numbers) > 1 and title not in may_repeat:
            _fail(world, "one live issue per group", f"{title} has the issues {numbers}")
    ended = Counter(item.title for item in site.items if item.title in world.truth.ended)
    for title, count in ended.items():
        if count > 1 and title not in may_repeat and not world.has("operator", "retries dead letters"):
            _fail(world, "what a person has ended stays so", f"{title} was filed again")
    if site.strays:
        _fail(world, "nothing is written to another issue", site.strays[0])
    _limits(world)
    _reopened(world)


def _fail(world: "World", invariant: str, detail: str) -> None:
    world.scheduler.failure = world.scheduler.failure or Broken(invariant, detail)


def _limits(world: "World") -> None:
    """A route files no more issues than it may, and no budget is exceeded, by the true times of the requests."""
    if world.has("machine", "sets the clocks", "suspends", "stands still"):
        return
    filed = [
        item.sent_at
        for item in world.site.items
        if item.marker and not item.deleted and not item.title.startswith("storm ")
    ]
    for limit in world.config.all_routes[0].max_new_issues:
        _require_limit(world, "no limit of new issues is exceeded", filed, limit)
    if world.config.trackers[TRACKER].writes:
        begun: dict[tuple[str, float], float] = {}  # a sync takes one write from the budget, whatever it sends
        for at, actor in world.site.sent:
            claimed_at = max(
                (claim for claim, owner in world.truth.claims if owner == actor and claim <= at), default=0.0
            )
            begun.setdefault((actor, claimed_at), at)
        for limit in world.config.trackers[TRACKER].writes:
            _require_limit(world, "no budget is exceeded", list(begun.values()), limit)


def _require_limit(world: "World", invariant: str, times: list[float], limit: Limit) -> None:
    for begin in times:
        window = [at for at in times if begin <= at < begin + limit.seconds - SLACK_SECONDS]
        if len(window) > limit.count:
            _fail(world, invariant, f"{len(window)} of {limit.count} in {limit.seconds:.0f} s")


def _reopened(world: "World") -> None:
    """A person's closing is undone only by a crash of a release that should have the fix, notified after the closing."""
    while world.truth.reopened < len(world.site.reopened):
        reopened = world.site.reopened[world.truth.reopened]
        world.truth.reopened += 1
        # What people do between a look and the request cannot be known.
        if reopened.sent_at - reopened.closed_at < UNSEEN_SECONDS:
            continue
        # While a clock is wrong nobody knows that; once it is right again, its errors are moved away.
        if world.clock_offset or reopened.sent_at - world.truth.clock_set_at < UNSEEN_SECONDS:
            continue
        merged = (
            world.has("operator", "adds alias", "relinks", "relinks doubtful")
            or world.has("person", "marks duplicate")
            or any(name == MERGED for _, name, _ in world.truth.crashes)
        )
        names = {entry.fingerprint for entry in world.truth.reference.accepted} if merged else {reopened.item.title}
        # Where no tracker tells when an issue was closed, what it did not show yet counts as new.
        dated = world.history.setup.tells_closing and not world.has("store", "reports a commit failed")
        if dated and not any(world.truth.reference.came_back(name, reopened.closed_at) for name in names):
            detail = f"#{reopened.item.number} was reopened, and every release that crashed since was known"
            _fail(world, "only a regression undoes a closing", detail)
        fixed_in = max((version(release) for release in reopened.fixed_in), default=())
        crashes = [(at, release) for at, _, release in world.truth.crashes]
        if not world.site.tells_closing:
            # Without a time of closing, a crash counts that came in after the issue was last read open.
            crashes += [(entry.at, entry.release) for entry in world.truth.reference.accepted]
        after = reopened.closed_at if world.site.tells_closing else reopened.open_at
        if not any(at >= after and version(release) >= fixed_in for at, release in crashes):
            _fail(world, "only a regression undoes a closing", f"#{reopened.item.number} was reopened without any")


def version(release: str) -> tuple[int, ...]:
    """Return a release as numbers that compare."""
    return tuple(int(part) for part in release.split("."))


def after_commit(world: "World", changes: Counter[str]) -> None:
    """Check what no transaction may write, whatever ran between it and the one before."""
    now = world.scheduler.now + world.clock_offset
    for process in world.processes:
        for owner in process.strays:
            _fail(world, "nothing is held by nobody", f"{owner} has gone on, and its claim stands")
    if not changes.keys().isdisjoint(("intend", "hold_manually")):
        _intents(world)
    if world.scheduler.actor == "operator" and ("pause" in changes or "resume" in changes):
        world.truth.paused = "pause" in changes
    _rests(world, changes)
    _refused(world, changes)
    if "claim_group" in changes:
        _claims(world, now)
    if "claim_deliveries" in changes:
        _order(world)
    if not changes.keys().isdisjoint(OWNED) and "claim_group" not in changes:
        _owned(world)
    if not changes.keys().isdisjoint(("claim_group", "renew", "shift_outbox", "free_claims", "heal_due")):
        rows = world.database.rows("SELECT group_id, owner, due_at FROM outbox WHERE state = 'claimed'")
        before = world.truth.leases
        world.truth.leases = {row["group_id"]: (row["owner"], row["due_at"]) for row in rows}  # type: ignore[misc]
        for group_id, (holder, until) in before.items() if "free_claims" in changes else ():
            if group_id not in world.truth.leases and not world.is_dead(holder):
                _fail(
                    world,
                    "a lease is respected",
                    f"{holder} lost a group that it holds for another {until - now:.0f} s",
                )


def _owned(world: "World") -> None:
    """Only the owner of a claim writes what came of its sync."""
    group_id, owner = world.truth.held.get(world.scheduler.actor, (0, ""))
    holder = world.truth.leases.get(group_id, (owner, 0.0))[0]
    if holder != owner:
        _fail(world, "a claim ends with its lease", f"{owner} writes what {holder} has claimed")


def _order(world: "World") -> None:
    """The deliveries of a group are folded in the order in which they were accepted."""
    rows = world.database.rows("SELECT id, state FROM deliveries WHERE replayed_at IS NULL")
    waiting = {row["id"] for row in rows if row["state"] == "waiting"}
    for numbers in world.truth.reference.order(int(str(row["id"])) for row in rows) if waiting else ():
        folded = [number for number in numbers if number not in waiting]
        if folded and any(number in waiting and number < folded[-1] for number in numbers):
            _fail(world, "deliveries of a group are folded in order", f"{folded[-1]} is folded, and an older one waits")


def _intents(world: "World") -> None:
    """Nothing is filed against an order that is on disk."""
    # The order of the commits counts: a command may print its success after the next one has begun.
    rows = world.database.rows("SELECT fingerprint FROM groups WHERE on_hold IS NOT NULL")
    world.truth.excused = {str(row["fingerprint"]) for row in rows}
    against = world.database.rows(
        "SELECT issues.id, groups.fingerprint, groups.on_hold, aliases.target_id, route_pauses.reason FROM issues"
        " JOIN groups ON groups.id = issues.group_id LEFT JOIN aliases ON aliases.group_id = groups.id"
        " LEFT JOIN route_pauses ON route_pauses.route = issues.route"
        " WHERE issues.state = 'intended' AND groups.kind = 'crash'"
        " AND (groups.on_hold IS NOT NULL OR aliases.target_id IS NOT NULL OR route_pauses.reason IS NOT NULL)",
    )
    for row in against:
        if row["id"] not in world.truth.intended:
            _fail(world, "nothing is filed against an order", str(row))
    rows = world.database.rows("SELECT id FROM issues WHERE state = 'intended'")
    world.truth.intended = [int(str(row["id"])) for row in rows]


def _claims(world: "World", now: float) -> None:
    """A claim respects leases of living processes, pauses, and the one trial of a tracker that rests."""
    before = world.truth.leases
    world.truth.claims.append((world.scheduler.now, world.scheduler.actor))
    if world.truth.paused:
        _fail(world, "nothing is called inside a pause", "a group of a tracker that an operator paused was claimed")
    silenced = world.database.exists(
        f"SELECT 1 FROM silences WHERE part = 'all' AND until > {now} AND until < {now + HORIZON_SECONDS}"
    )
    if not silenced:
        world.truth.silent_since = None
    elif world.truth.silent_since is None:
        world.truth.silent_since = now
    elif now - world.truth.silent_since > SETTLED_SECONDS and not world.has("machine", "sets the clocks", "suspends"):
        _fail(
            world,
            "nothing is called inside a silence",
            f"a claim {now - world.truth.silent_since:.0f} s after it began",
        )
    for row in world.database.rows("SELECT group_id, tracker, owner FROM outbox WHERE state = 'claimed'"):
        group_id, owner = int(str(row["group_id"])), str(row["owner"])
        holder, until = before.get(group_id, ("", 0.0))
        if owner == holder:
            continue
        world.truth.held[world.scheduler.actor] = (group_id, owner)
        if holder and until > now and not world.is_dead(holder) and not world.has("machine", "sets the clocks"):
            _fail(world, "a lease is respected", f"{owner} claimed what {holder} holds for another {until - now:.0f} s")
        if world.database.rows("SELECT 1 FROM trackers WHERE name = ? AND state = 'paused'", row["tracker"]):
            trials = [
                entry
                for entry, trial_ends in world.truth.trials.items()
                if any(entry == name and min(end, trial_ends) > now for name, end in before.values())
            ]
            if trials and not world.has("machine", "sets the clocks", "stands still"):
                _fail(world, "one call tries a tracker that rests", f"{owner} beside {trials}")
            world.truth.trials[owner] = now + LEASE_SECONDS - SLACK_SECONDS
            _tried(world, group_id)


def _rests(world: "World", changes: Counter[str]) -> None:
    """Keep which group made the tracker rest, and for how long. A rest after a read of the tracker has no such group."""
    group_id, owner = world.truth.held.get(world.scheduler.actor, (0, ""))
    if "pause" in changes and world.truth.leases.get(group_id, ("", 0.0))[0] == owner:
        (tracker,) = world.database.rows("SELECT until FROM trackers WHERE name = ?", TRACKER)
        world.truth.rested = group_id, float(str(tracker["until"] or 0.0))
    if not changes.keys().isdisjoint(("retry_rested", "end_trial", "resume")):
        world.truth.trials.clear()
        world.truth.rested = 0, 0.0


def _tried(world: "World", group_id: int) -> None:
    """The group that caused a rest is not the trial that ends it, where another one was due for the same kind of call."""
    offender, until = world.truth.rested
    if group_id != offender or world.has("operator") or world.has("machine"):
        return
    query = (
        "SELECT group_id FROM outbox WHERE state = 'waiting' AND due_at < ?"
        " AND rank = (SELECT rank FROM outbox WHERE group_id = ?)"
    )
    if waiting := world.database.rows(query, until, group_id):
        _fail(world, "the offender is tried last", f"group {group_id} is the trial, and {waiting} wait")


def _refused(world: "World", changes: Counter[str]) -> None:
    """Keep which groups were refused in a row, as far as their workers have committed it: a worker that does not get the answer knows of no
    refusal."""
    truth = world.truth
    if "link" in changes:
        truth.refused.clear()
    elif "bury" in changes and world.scheduler.actor in truth.held:
        truth.refused.add(truth.held[world.scheduler.actor][0])
        # The last of them may be committed by a worker that dies before it weighs them.
        truth.charged |= truth.refused if len(truth.refused) >= 2 * REFUSED_IN_A_ROW else set()


def _project_refused(world: "World") -> None:
    """Groups that were refused in a row, without one that was taken between them, are no dead letters once the project takes issues."""
    for group in world.database.rows(
        "SELECT groups.id, fingerprint FROM groups JOIN outbox ON outbox.group_id = groups.id WHERE outbox.state = 'dead'"
        " AND NOT EXISTS (SELECT 1 FROM issues WHERE issues.group_id = groups.id AND issues.state = 'linked')"
    ):
        if group["id"] in world.truth.charged:
            raise Broken("refusals in a row are the project's", f"{group['fingerprint']} is a dead letter")


def at_rest(world: "World") -> None:
    """Check what must be true once nothing happens any more."""
    for row in world.database.rows("SELECT reason FROM history WHERE reason LIKE 'a bug in syncd%' LIMIT 1"):
        raise Broken("no sync ends by a bug", str(row["reason"]))
    _project_refused(world)
    database = world.database.session
    waiting = database.execute("SELECT count(*) FROM deliveries WHERE state = 'waiting'").fetchone()[0]
    if waiting:
        raise Broken("every delivery is absorbed", f"{waiting} wait in the inbox")
    recorded = {row[0] for row in database.execute("SELECT remote_id FROM issues WHERE remote_id IS NOT NULL")}
    doubles = " ".join(str(row[0]) for row in database.execute("SELECT doubles FROM issues WHERE doubles IS NOT NULL"))
    for row in database.execute("SELECT followed FROM issues WHERE followed IS NOT NULL"):
        recorded.update(json.loads(row[0]))
    sought = {row[0] for row in database.execute("SELECT marker FROM issues WHERE state IN ('intended', 'in_doubt')")}
    for item in world.site.items:
        if (
            item.author != "person"
            and item.marker not in sought
            and recorded.isdisjoint((str(item.number), item.moved_to))
            and not any(key in doubles for key in (f"K-{item.number}", item.moved_to) if key)
            and item.is_live
            and item.number not in world.site.moved_back
            and not _is_parked(world, item.title)
        ):
            raise Broken("every issue of ours is recorded", f"#{item.number} for {item.title}")
    for row in world.database.rows(
        "SELECT groups.fingerprint FROM aliases JOIN groups ON groups.id = aliases.group_id WHERE target_id IN (SELECT group_id FROM aliases)"
        " OR group_id IN (SELECT group_id FROM issues WHERE state <> 'retired')"
    ):
        raise Broken(
            "an alias is part of its target", f"{row['fingerprint']} follows an alias, or has an issue of its own"
        )
    for group in world.database.rows("SELECT * FROM groups"):
        _group_at_rest(world, group)
    _merged_at_rest(world)
    paused = world.database.exists("SELECT 1 FROM trackers WHERE cause = 'operator' UNION SELECT 1 FROM route_pauses")
    readable = {str(item.number): item for item in world.site.items if not item.deleted and not item.hidden}
    for issue in () if paused else map(issue_of, world.database.rows("SELECT * FROM issues WHERE state = 'linked'")):
        if issue.remote_id in readable:
            _surveyed(world, issue, readable[issue.remote_id])
            _reported(world, issue, readable[issue.remote_id])


def _merged_at_rest(world: "World") -> None:
    """A merged group takes over the issue of those that it was merged of, where the route says so, and inherits their closing."""
    route, begun = world.config.all_routes[0], [at for at, name, _ in world.truth.crashes if name == MERGED]
    unsure = world.has("operator") or world.has("store") or world.has("tracker") or world.has("machine")
    # A create that came too late leaves a part without an issue when it is merged.
    parts = [item for item in world.site.items if item.title in MERGED_OF and item.sent_at < min(begun, default=0.0)]
    if not parts or not all(item.is_live for item in parts) or unsure or route.on_merge == "file":
        return
    own = [item for item in world.site.items if item.title == MERGED]
    if own and route.on_merge == "adopt":
        raise Broken("a merged group has the issue of its parts", f"#{own[0].number} is filed beside {parts[0].title}")
    newest = max(version(release) for _, name, release in world.truth.crashes if name == MERGED)
    closed = [item for item in parts if item.closed_by_person is not None and item.closed_by_person < min(begun)]
    if own and len(closed) == len(parts) and all(newest < version(item.fixed_in[0]) for item in closed):
        raise Broken(
            "a merged group inherits a closing", f"#{own[0].number} is filed, and all of it came in old releases"
        )
    if not own and len(closed) < len(parts) and route.on_merge == "hold":
        raise Broken("no crash stays without an issue", f"{MERGED} is held, and {parts[0].title} is open")


def _surveyed(world: "World", issue: Issue, item: Item) -> None:
    """After a survey, or a report of what was done last, the store has the address of an issue, and how people left it."""
    acted_at = world.truth.acted.get(item.number)
    is_heard = (
        acted_at is not None and acted_at == world.truth.heard.get(item.number) and not world.has("tracker", "lags")
    )
    if not (world.history.setup.surveys or is_heard) or world.has("machine", "sets the clocks"):
        return
    place = world.site.place(item)
    if issue.key != place.key:
        raise Broken("a survey learns of every change", f"#{item.number} is {place.key}, and shown as {issue.key}")
    if (issue.owners or ()) != item.owners:
        raise Broken(
            "a survey learns of every change", f"#{item.number} is {item.owners}'s, and shown as {issue.owners}'s"
        )
    if issue.condition is None and not item.closed:
        return  # the first look comes with the next notification
    if item.closed and item.closed_by_person is None:
        return  # the store learns with the next look what syncd has closed itself
    condition = world.site.condition(item)
    if condition.closed_at is None and issue.condition is not None:
        condition = replace(condition, closed_at=issue.condition.closed_at)  # syncd dates what the tracker does not
    if issue.condition != condition:
        raise Broken(
            "a survey learns of every change", f"#{item.number} is {condition}, and in the store {issue.condition}"
        )


def _reported(world: "World", issue: Issue, item: Item) -> None:
    """A crash of a release that first came after a person's closing, and is later than the fix, is reported."""
    closed_at, name = item.closed_by_person, item.title
    if closed_at is None or not item.fixed_in or item.locked or not world.history.setup.surveys:
        return
    if item.duplicate_of is not None or world.has("operator", "relinks", "adds alias", "holds"):
        return
    if world.has("tracker", "is restored"):
        return  # with the reopening, which the next notification repeats
    # A tracker that neither tells when an issue was closed nor shows it at once leaves it open what came first.
    if world.has("machine", "sets the clocks") or (world.has("tracker", "lags") and not world.site.tells_closing):
        return
    fixed_in = max(version(release) for release in item.fixed_in)
    first: dict[str, float] = {}
    for at, fingerprint, release in world.truth.crashes:
        if fingerprint == name:
            first.setdefault(release, at)
    # Times of crashes are whole seconds.
    back = [release for release, at in first.items() if at > closed_at + 1.0 and version(release) > fixed_in]
    if back:
        raise Broken("a regression is reported", f"#{item.number} stays closed although {name} came in {back}")


def _counts_at_rest(world: "World", group: dict[str, object]) -> None:
    reference, name = world.truth.reference, str(group["fingerprint"])
    rows = world.database.rows(
        "SELECT release, occurrences, approximate, at_most FROM releases WHERE group_id = ?", group["id"]
    )
    ledger = {str(row["release"]): row for row in rows}
    truths = reference.ledger(name)
    if ledger.keys() != truths.keys():
        raise Broken("counts are those that were sent", f"{name} has {sorted(ledger)}, and had {sorted(truths)}")
    entries = [(group, reference.total(name)), *((ledger[release], truths[release]) for release in truths)]
    for row, truth in entries:
        low, high = int(str(row["occurrences"])), row["at_most"]
        if row["approximate"]:
            holds = low <= truth and (high is None or truth <= int(str(high)))
        else:
            holds = abs(truth - low) * PRECISION <= truth
        if not holds:
            text = f"{name} {row.get('release', '')} counts {low}, approximate {row['approximate']}, at most {high}, of {truth}"
            raise Broken("counts are those that were sent", text)


def _is_parked(world: "World", fingerprint: str) -> bool:
    """Report whether a group waits for a person who can tell whether its issue is there."""
    query = "SELECT 1 FROM issues JOIN groups ON groups.id = group_id WHERE state = 'parked' AND cause = 'doubt' AND fingerprint = ?"
    return bool(world.database.rows(query, fingerprint))


def _group_at_rest(world: "World", group: dict[str, object]) -> None:
    name = str(group["fingerprint"])
    rows = world.database.rows("SELECT * FROM issues WHERE group_id = ? AND state != 'retired'", group["id"])
    issue: Issue | None = issue_of(rows[0]) if rows else None
    owed = world.database.rows("SELECT state, due_at FROM outbox WHERE group_id = ?", group["id"])
    if group["kind"] != "storm":
        _counts_at_rest(world, group)
    if name in world.truth.excused and group["on_hold"] is None:
        raise Broken("an order that was acknowledged stands", f"{name} is not on hold")
    dead = bool(owed) and owed[0]["state"] == "dead"
    if owed and not dead:
        if not 0 <= float(str(owed[0]["due_at"])) <= world.scheduler.now + world.clock_offset + HORIZON_SECONDS:
            raise Broken("whatever is owed has a time", f"{name} is due at {owed[0]['due_at']}")
        return
    if not group["decision_reason"]:
        raise Broken("every state is explained", f"{name} has no reason")
    plan = _plan(world, int(str(group["id"])), str(issue.tracker) if issue else TRACKER)
    explained = f"{name} is {plan.action}/{plan.rule}: {plan.reason}"
    refused = group["refused"] is not None or dead
    # The store learns only with its next look what it has closed itself.
    closed = issue is not None and any(item.closed for item in world.site.items if issue.remote_id in item.remote_ids)
    # What an issue shows already waits for no pause to end.
    paused = plan.rule == "route-paused" and issue is not None and issue.synced_revision >= int(str(group["revision"]))
    if plan.action not in STILL and not refused and not paused and not (plan.action is Action.CLOSE and closed):
        raise Broken("nobody is forgotten", f"{explained}; no call is owed")
    if plan.action is Action.HOLD and not refused:
        # A storm does not drain while an operator pauses its tracker.
        paused = world.database.exists("SELECT 1 FROM trackers WHERE cause = 'operator'")
        if plan.rule not in HELD and not (plan.rule == "storm" and paused):
            raise Broken("every state is explained", f"{explained}; at rest nothing is held by that")
        # What a storm holds keeps that reason while its route is paused, and `explain` names the pause.
        stormy = plan.rule == "route-paused" and group["decision_rule"] == "storm"
        if plan.rule != group["decision_rule"] and not stormy:
            raise Broken("every state is explained", f"{explained}; its group says {group['decision_reason']}")
    if issue is not None and issue.state is IssueState.LINKED and plan.action is Action.NOTHING:
        _require_newest(world, group, issue, plan)


# At rest nothing is left to do by these plans, and nothing is held by another rule than these.
STILL = (Action.NOTHING, Action.HOLD, Action.PARK, Action.DROP)
HELD = ("threshold", "on-hold", "route-paused", "storm-over", "gathering", "merged-closed")


def _plan(world: "World", group_id: int, tracker: str) -> Plan:
    """Plan a group as its next sync would, by what the store has now."""
    claim = Claim(group_id=group_id, tracker=tracker, owner="an invariant", attempts=0)
    routing = Routing(config=world.config, instance_key=world.instance_key)
    return plan_again(world.database.cursor, routing, claim, world.scheduler.now + world.clock_offset)


def _require_newest(world: "World", group: dict[str, object], issue: Issue, plan: Plan) -> None:
    """The issue shows the newest revision, and its status comment has the text that the store believes it has."""
    if plan.rule == "muted":
        return
    if issue.synced_revision < int(str(group["revision"])):
        detail = f"{group['fingerprint']} shows {issue.synced_revision} of {group['revision']}: {plan.reason}"
        raise Broken("the newest revision is shown", detail)
    item = next((entry for entry in world.site.items if issue.remote_id in entry.remote_ids), None)
    note = next((note for note in item.comments if note.id == issue.comment_id), None) if item is not None else None
    if issue.comment_text is None and world.has("machine", "sets the clocks"):
        return  # the time that identifies an edit was moved while it was sent: the next update writes the text anew
    if world.has("tracker", "edits slowly") and world.has("store", "loses a commit"):
        return  # an edit that outlives all probes is distrusted by its sender alone, whose commit was lost
    if world.has("tracker", "is restored"):
        return  # an edit after the backup is lost, and only the next update writes the text anew
    if note is not None and hashlib.sha256(note.text.encode()).hexdigest()[:32] != issue.comment_text:
        raise Broken(
            "the newest revision is shown", f"#{issue.remote_id} has an older status comment than the store says"
        )

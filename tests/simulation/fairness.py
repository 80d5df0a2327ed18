"""Invariants of what a group has earned: its turn in a storm, a threshold it met, a write that was not used."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncd.core import holds, plan
from syncd.core.budget import kept_free
from syncd.store.outbox import LEASE_SECONDS
from tests.simulation.database import written
from tests.simulation.invariants import Broken
from tests.simulation.operators import TRACKER

if TYPE_CHECKING:
    from tests.simulation.world import World

STORMY = frozenset({"groups", "issues", "storms"})  # the tables that a storm is judged by
ALIAS = "alias"  # the rule of a group that follows another one
MARGIN_SECONDS = 5.0  # between a sender's 200 and the time that the receiver has written down
Size = tuple[int, int]  # users, occurrences


@dataclass
class Fairness:
    """What these invariants remember from one commit to the next."""

    held: dict[int, Size] = field(default_factory=dict)  # groups that the storm holds back
    released: set[int] = field(default_factory=set)  # those that it released, until it holds them back again
    intended: set[int] = field(default_factory=set)
    orders: dict[int, str] = field(default_factory=dict)  # groups ordered while claimed, and who has claimed them
    budgets: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)


def after_commit(world: "World", changes: Counter[str]) -> None:
    """Check what one transaction has written."""
    if world.config.all_routes[0].max_new_issues and not STORMY.isdisjoint(written(changes)):
        _storms(world, changes)
    if "spend" in changes:
        _budgets(world)
    if not world.has("machine", "sets the clocks"):
        _orders(world, changes)


def _fail(world: "World", invariant: str, detail: str) -> None:
    world.scheduler.failure = world.scheduler.failure or Broken(invariant, detail)


def _storms(world: "World", changes: Counter[str]) -> None:
    """A storm files the largest groups first and before new ones, as many as the limit allows, and ends after the last of them."""
    fairness = world.truth.fairness
    rows = world.database.rows("SELECT id, users, occurrences, decision_rule FROM groups WHERE kind = 'crash'")
    sizes: dict[int, Size] = {
        int(str(row["id"])): (int(str(row["users"] or 0)), int(str(row["occurrences"]))) for row in rows
    }
    rules = {int(str(row["id"])): row["decision_rule"] for row in rows}
    held = {group_id: sizes[group_id] for group_id, rule in rules.items() if rule == holds.STORM}
    released = {group_id for group_id in fairness.held if rules[group_id] == plan.RELEASED}
    if released and held and max(held.values()) > min(sizes[group_id] for group_id in released):
        _fail(world, "a storm files the largest first", f"{released} of {sizes}, {held} are left")
    intended = {
        int(str(row["group_id"])) for row in world.database.rows("SELECT group_id FROM issues WHERE state = 'intended'")
    }
    for group_id in (intended - fairness.intended) & sizes.keys():
        if group_id not in fairness.released and held.keys() - {group_id}:
            _fail(world, "a storm files its groups before new ones", f"{group_id} is filed, {held} are held back")
    fairness.held, fairness.intended = held, intended
    fairness.released = (fairness.released | released) - held.keys()
    due = world.database.rows(
        "SELECT group_id FROM outbox WHERE state <> 'dead'"
        " AND NOT EXISTS (SELECT 1 FROM issues WHERE issues.group_id = outbox.group_id AND issues.state NOT IN ('wanted', 'retired'))",
    )
    owed = [row for row in due if row["group_id"] in fairness.released]
    # A machine that stood still has a wrong clock for a while; several machines share only a PostgreSQL, which refuses such a clock.
    if released and not world.has("machine", "sets the clocks", "stands still"):
        route = world.config.all_routes[0]
        small = any(sizes[group_id][0] < route.reserve_min_users for group_id in released)
        for limit in kept_free(route.max_new_issues, route.reserve_percent) if small else route.max_new_issues:
            filed = world.database.rows(
                "SELECT COUNT(*) AS issues FROM issues JOIN groups ON groups.id = issues.group_id"
                " WHERE groups.kind = 'crash' AND issues.route IS NOT NULL AND issues.state <> 'wanted' AND sent_at > ?",
                world.scheduler.now - limit.seconds,
            )
            number = int(str(filed[0]["issues"])) + len(owed)
            if number > limit.count:
                _fail(world, "a storm releases no more than the limit allows", f"{number} of {limit.count}")
    if "end_storm" in changes and (held or owed):
        _fail(world, "a storm ends after its last group", f"{held} are held back, {owed} are not filed")


def _orders(world: "World", changes: Counter[str]) -> None:
    """What an operator orders while a worker has the group in hand is due after that worker's claim, unless a storm holds the group back or
    it became an alias: both are decided in the transaction that ends the claim, and the storm or the target goes on with the group."""
    orders = world.truth.fairness.orders
    for group_id, owner in list(orders.items()):
        rows = world.database.rows("SELECT owner FROM outbox WHERE group_id = ?", group_id)
        moved_on = "SELECT 1 FROM groups WHERE id = ? AND decision_rule IN (?, ?)"
        if not rows and not world.database.rows(moved_on, group_id, holds.STORM, ALIAS):
            _fail(world, "an operator's order is carried out", f"group {group_id} owes nothing after {owner}")
        if not rows or rows[0]["owner"] != owner:
            del orders[group_id]
    if "owe" in changes and world.scheduler.actor == "operator":
        for row in world.database.rows(
            "SELECT group_id, owner FROM outbox JOIN groups ON groups.id = outbox.group_id WHERE outbox.state = 'claimed'"
            " AND groups.decision_rule = 'operator' AND groups.decided_at > outbox.due_at - ?",
            LEASE_SECONDS,
        ):
            orders[int(str(row["group_id"]))] = str(row["owner"])


def _budgets(world: "World") -> None:
    """A write that one limit refuses is taken from none of the others."""
    fairness = world.truth.fairness
    rows = world.database.rows("SELECT credential, allowance, tokens, at FROM budgets")
    budgets = {
        (str(row["credential"]), str(row["allowance"])): (float(str(row["tokens"])), float(str(row["at"])))
        for row in rows
    }
    spent = {name for name, bucket in budgets.items() if fairness.budgets.get(name) != bucket}
    fairness.budgets = budgets
    of_routes = {credential.startswith("route ") for credential, _ in spent}
    if of_routes == {True} and world.config.trackers[TRACKER].writes:
        _fail(world, "a write that is not made is taken from no budget", f"only {spent} changed")


def at_rest(world: "World") -> None:
    """Check what every group has earned by the end."""
    _thresholds(world)
    if not world.has("machine", "sets the clocks"):
        _noticed(world)


def _noticed(world: "World") -> None:
    """What people did before the last survey is in the store."""
    rows = world.database.rows("SELECT value FROM tracker_facts WHERE fact = 'surveyed_at'")
    surveyed_at = max((float(str(row["value"])) for row in rows), default=0.0)
    for row in world.database.rows(
        "SELECT issues.remote_id, issues.condition, groups.fingerprint FROM issues JOIN groups ON groups.id = issues.group_id"
        " WHERE issues.state = 'linked' AND groups.kind = 'crash' AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.group_id = groups.id)"
    ):
        item = next((entry for entry in world.site.items if str(entry.number) == row["remote_id"]), None)
        if item is None or item.changed_at >= surveyed_at or not item.is_live or item.hidden:
            continue
        condition = json.loads(str(row["condition"] or "{}"))
        if bool(condition.get("closed")) != item.closed or bool(condition.get("locked")) != item.locked:
            raise Broken("what people did is noticed", f"#{item.number} of {row['fingerprint']}: {condition}")


def _thresholds(world: "World") -> None:
    """No group is held by thresholds that it met once."""
    route = world.config.all_routes[0]
    within = route.within
    unsure = world.has("machine", "sets the clocks") or world.has("store", "reports a commit failed")
    if within is None or unsure or world.history.setup.mode == "window":
        return
    for row in world.database.rows(
        "SELECT fingerprint FROM groups WHERE decision_rule = 'threshold' AND decision = 'hold'"
        " AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.group_id = groups.id)"
    ):
        name = str(row["fingerprint"])
        accepted = [
            (entry.at, entry.occurrences) for entry in world.truth.reference.accepted if entry.fingerprint == name
        ]
        for number, (at, _) in enumerate(accepted):
            until = max(total for _, total in accepted[: number + 1])
            before = [total for moment, total in accepted[:number] if moment <= at - within + MARGIN_SECONDS]
            if until - max(before, default=0) >= route.min_occurrences:
                raise Broken("what met its thresholds once is filed", f"{name} is held: {accepted}")

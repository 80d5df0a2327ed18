"""What must be true of an installation after every step, and once it has come to rest."""

import json
from typing import TYPE_CHECKING

from syncd.model import Issue, IssueState
from syncd.store.records import issue_of

if TYPE_CHECKING:
    from tests.simulation.world import World


class Broken(Exception):
    """An invariant does not hold."""

    def __init__(self, invariant: str, detail: str) -> None:
        super().__init__(f"{invariant}: {detail}")
        self.invariant = invariant
        self.detail = detail


def after_step(world: "World") -> None:
    """Check what may never be false, however briefly."""
    site = world.site
    if len(site.writes) == world.counts["writes checked"]:
        return
    world.counts["writes checked"] = len(site.writes)
    live: dict[str, list[int]] = {}
    for item in site.items:
        if item.author == "person" or item.deleted:
            continue
        live.setdefault(item.title, []).append(item.number)
        markers = [note.marker for note in item.comments]
        if len(markers) != len(set(markers)):
            _fail(world, "no comment twice", f"#{item.number} has a comment twice")
    for title, numbers in live.items():
        if len(numbers) > 1 and title not in world.truth.may_repeat:
            _fail(world, "one live issue per group", f"{title} has the issues {numbers}")


def _fail(world: "World", invariant: str, detail: str) -> None:
    world.scheduler.failure = Broken(invariant, detail)


def at_rest(world: "World") -> None:
    """Check what must be true once nothing happens any more."""
    database = world.database.session
    waiting = database.execute("SELECT count(*) FROM deliveries WHERE state = 'waiting'").fetchone()[0]
    if waiting:
        raise Broken("every delivery is absorbed", f"{waiting} wait in the inbox")
    recorded = {row[0] for row in database.execute("SELECT remote_id FROM issues WHERE remote_id IS NOT NULL")}
    doubles = " ".join(str(row[0]) for row in database.execute("SELECT doubles FROM issues WHERE doubles IS NOT NULL"))
    for row in database.execute("SELECT followed FROM issues WHERE followed IS NOT NULL"):
        recorded.update(json.loads(row[0]))
    for item in world.site.items:
        if (
            item.author != "person"
            and str(item.number) not in recorded
            and f"K-{item.number}" not in doubles
            and not item.deleted
        ):
            raise Broken("every issue of ours is recorded", f"#{item.number} for {item.title}")
    for group in world.database.rows("SELECT * FROM groups"):
        _group_at_rest(world, group)


def _group_at_rest(world: "World", group: dict[str, object]) -> None:
    database, name = world.database.session, str(group["fingerprint"])
    rows = world.database.rows("SELECT * FROM issues WHERE group_id = ? AND state != 'retired'", group["id"])
    issue: Issue | None = issue_of(rows[0]) if rows else None
    owed = database.execute("SELECT tracker, due_at, owner FROM outbox WHERE group_id = ?", (group["id"],)).fetchall()
    if group["kind"] != "storm":
        total = world.truth.totals.get(name, 0)
        if group["occurrences"] != total and not group["approximate"]:
            raise Broken("counts are those that were sent", f"{name} counts {group['occurrences']} of {total}")
    follows = database.execute("SELECT 1 FROM aliases WHERE group_id = ?", (group["id"],)).fetchone()
    if follows or name in world.truth.excused or owed:
        return
    if not group["decision_reason"]:
        raise Broken("every state is explained", f"{name} has no reason")
    if issue is None or issue.state is IssueState.WANTED:
        held = str(group["decision_rule"] or "")
        if held == "route-paused" and database.execute("SELECT 1 FROM route_pauses").fetchone():
            return
        if held not in ("threshold", "refused", "storm-over", "on-hold") and group["decision"] != "dead":
            raise Broken(
                "nobody is forgotten",
                f"{name} has no issue and owes nothing: {group['decision']}/{held}: {group['decision_reason']}",
            )
        return
    if issue.state in (IssueState.INTENDED, IssueState.IN_DOUBT):
        raise Broken("nobody is forgotten", f"{name} is {issue.state} and owes nothing")
    if (
        issue.state is IssueState.LINKED
        and issue.synced_revision < int(str(group["revision"]))
        and not (issue.condition and issue.condition.locked)
    ):
        raise Broken(
            "the newest revision is shown",
            f"{name} shows {issue.synced_revision} of {group['revision']}: {group['decision_reason']}",
        )

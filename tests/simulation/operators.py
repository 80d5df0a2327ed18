"""What an operator does by command or console, one function for each act. Each acts on one process's store, as a command beside it does."""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from syncd.operate import actions
from tests.simulation.history import Operation
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.world import World

TRACKER = "here"
ROUTE = "all"


def group_id(world: "World", fingerprint: object) -> int | None:
    """Return the number of a group, None before its first delivery is folded."""
    rows = world.database.cursor.batch("groups_by_identity", [("acme", "game", str(fingerprint))])
    return cast(int, rows[0]["id"]) if rows else None


def act(world: "World", process: Process, entry: Operation) -> None:
    """Carry out one act. A command that fails prints why, and changes nothing."""
    number = 0
    if "fingerprint" in dict(entry.values):
        group = group_id(world, entry["fingerprint"])
        if group is None:
            return
        number = group
    try:
        ACTS[entry.act](world, process, number, entry)
    except ValueError as error:
        world.scheduler.record("is refused", str(error))
    except Exception as error:  # noqa: BLE001 - the operator's boundary: the command fails and says why
        world.scheduler.record("fails", f"{type(error).__name__}: {error}")


def _hold(world: "World", process: Process, number: int, entry: Operation) -> None:
    actions.hold(process.store, number, "an operator holds it", process.clock.wall())


def _end_hold(world: "World", process: Process, number: int, entry: Operation) -> None:
    actions.end_hold(process.store, process.routing, number, process.clock.wall())


def _sync(world: "World", process: Process, number: int, entry: Operation) -> None:
    actions.sync_now(process.store, process.routing, number, process.clock.wall())


def _add_alias(world: "World", process: Process, number: int, entry: Operation) -> None:
    target = group_id(world, entry["target"])
    if target is not None:
        # Before: a commit that is reported failed may have been made.
        world.truth.may_repeat.add(str(entry["fingerprint"]))
        actions.add_alias(
            process.store, process.routing, number, target, "an operator merges them", process.clock.wall()
        )


def _remove_alias(world: "World", process: Process, number: int, entry: Operation) -> None:
    actions.remove_alias(process.store, process.routing, number, process.clock.wall())


def _relink(world: "World", process: Process, number: int, entry: Operation) -> None:
    item = world.item(entry)
    if item is not None:
        place = world.site.place(item)
        world.truth.may_repeat.add(str(entry["fingerprint"]))
        actions.link(process.store, process.routing, number, TRACKER, place, world.instance_key, process.clock.wall())


def _relink_doubtful(world: "World", process: Process, number: int, entry: Operation) -> None:
    """A person finds an issue that syncd does not know yet, and links another group to it."""
    recorded = {row["remote_id"] for row in world.database.rows("SELECT remote_id FROM issues")}
    doubtful = [item for item in world.site.items if item.author != "person" and str(item.number) not in recorded]
    for item in doubtful:
        if item.title != entry["fingerprint"] and not item.deleted:
            place = world.site.place(item)
            now = process.clock.wall()
            actions.link(process.store, process.routing, number, TRACKER, place, world.instance_key, now)
            world.truth.may_repeat |= {str(entry["fingerprint"]), item.title}
            return


def _pause_route(world: "World", process: Process, number: int, entry: Operation) -> None:
    process.store.limits.pause_route(ROUTE, "an operator pauses it", process.clock.wall())


def _resume_route(world: "World", process: Process, number: int, entry: Operation) -> None:
    actions.resume_route(process.store, process.routing, ROUTE, process.clock.wall())


def _pause_tracker(world: "World", process: Process, number: int, entry: Operation) -> None:
    process.store.limits.pause_by_hand(TRACKER, "an operator pauses it", process.clock.wall())


def _resume_tracker(world: "World", process: Process, number: int, entry: Operation) -> None:
    process.store.limits.resume_by_hand(TRACKER, process.routing.config.credentials[TRACKER], process.clock.wall())


def _retry(world: "World", process: Process, number: int, entry: Operation) -> None:
    for letter in process.store.dead_letters.all():
        process.store.dead_letters.retry(letter, process.clock.wall())


def _replay(world: "World", process: Process, number: int, entry: Operation) -> None:
    kept = process.store.dead_letters.replayable(0, 0.0, number)
    process.store.dead_letters.replay([delivery.id for delivery in kept], process.clock.wall())


def _purge(world: "World", process: Process, number: int, entry: Operation) -> None:
    if process.clock.offset:
        return  # a wrong clock shortens the retention
    if world.sending or world.database.exists("SELECT 1 FROM deliveries WHERE state = 'waiting'"):
        return  # a retention is longer than any delivery waits for its answer or in the inbox
    before = process.clock.wall() - float(entry["seconds"])
    for _ in range(int(entry["rounds"])):
        process.store.inbox.purge(before, before, size=2)


ACTS: dict[str, Callable[["World", Process, int, Operation], None]] = {
    "holds": _hold,
    "ends hold": _end_hold,
    "syncs": _sync,
    "adds alias": _add_alias,
    "removes alias": _remove_alias,
    "relinks": _relink,
    "relinks doubtful": _relink_doubtful,
    "pauses route": _pause_route,
    "resumes route": _resume_route,
    "pauses tracker": _pause_tracker,
    "resumes tracker": _resume_tracker,
    "retries dead letters": _retry,
    "replays": _replay,
    "purges": _purge,
}

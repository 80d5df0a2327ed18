"""A delivery that ends the process goes to the quarantine; no other one does, and none waits for ever."""

import json
from dataclasses import dataclass

import pytest

from syncd.errors import RejectedDelivery
from syncd.model import Notification
from syncd.store import Store
from syncd.store.inbox import Delivery, Part, suspect
from syncd.worker.absorb import absorb
from syncd.worker.routing import Routing
from tests.store.filled import NOW, ToHere, accept, crash_notification


class Death(BaseException):
    """The process ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mortal(ToHere):
    """Rules of a process that dies of some fingerprints."""

    deadly: tuple[str, ...] = ()

    def parse(self, delivery: Delivery, *, texts: bool = True) -> Notification | RejectedDelivery:
        """The notification, unless it kills."""
        if json.loads(delivery.body)["fingerprint"] in self.deadly:
            raise Death
        return Routing.parse(self, delivery, texts=texts)


def life(store: Store, *deadly: str) -> int:
    """Absorb until nothing waits or the process dies, as one that starts after it; return how often it died."""
    for deaths in range(20):
        store.inbox.owner = f"process {deaths}"
        try:
            while absorb(store, Mortal(deadly=deadly), NOW)[0]:
                pass
        except Death:
            store.connection.write(lambda transaction: suspect(transaction, [store.inbox.owner], 200))
        else:
            return deaths
    raise AssertionError("it dies for ever")


def folded(store: Store) -> set[str]:
    return {view.group.identity.fingerprint for view in store.report.groups(100)}


def test_one_that_waits_alone_kills_twice(store: Store) -> None:
    accept(store, crash_notification("poison"))

    assert life(store, "poison") == 2
    (kept,) = store.report.quarantine(10)
    assert (kept.code, json.loads(kept.body)["fingerprint"]) == ("deadly", "poison")
    assert store.inbox.waiting(10) == []


def test_of_many_only_the_deadly_ones_go(store: Store) -> None:
    names = [f"f{number}" for number in range(12)]
    accept(store, *map(crash_notification, names))

    assert life(store, "f0", "f5", "f11") <= 1 + 3 * 2
    assert sorted(json.loads(kept.body)["fingerprint"] for kept in store.report.quarantine(10)) == ["f0", "f11", "f5"]
    assert folded(store) == set(names) - {"f0", "f5", "f11"}


def test_a_process_that_dies_of_something_else_loses_nothing(store: Store) -> None:
    """It is killed after each delivery, whichever that was."""
    names = [f"f{number}" for number in range(8)]
    accept(store, *map(crash_notification, names))

    for number in range(30):
        store.inbox.owner = f"process {number}"
        absorb(store, ToHere(), NOW)
        store.connection.write(lambda transaction: suspect(transaction, [store.inbox.owner], 200))
    assert store.report.quarantine(10) == []
    assert folded(store) == set(names)


def test_the_deliveries_of_a_group_keep_their_order_while_they_are_suspected(store: Store) -> None:
    accept(store, *(crash_notification("f", occurrences=count) for count in (1, 2, 3)))
    store.connection.write(lambda transaction: suspect(transaction, ["dead"], 2))
    accept(store, crash_notification("g"))

    taken = []
    while waiting := store.inbox.waiting(10):
        absorb(store, ToHere(), NOW)
        taken.append([delivery.id for delivery in waiting])
    assert [len(batch) for batch in taken] == [1, 1, 2]
    assert [number for batch in taken for number in batch] == sorted(number for batch in taken for number in batch)


def test_a_delivery_in_the_hand_of_a_process_that_lives_is_not_blamed(store: Store) -> None:
    accept(store, crash_notification("f"), crash_notification("g"))
    store.connection.write(lambda transaction: suspect(transaction, ["dead"], 200))
    (first,) = store.inbox.waiting(10)
    store.inbox.owner = "alive"
    store.inbox.take_in_hand(first)

    store.connection.write(lambda transaction: suspect(transaction, ["another"], 200))
    assert [(delivery.id, delivery.deaths) for delivery in store.inbox.waiting(10)] == [(first.id, 0)]


@pytest.mark.parametrize(("part", "batches"), [(Part.RECEIVER, [3]), (Part.WORKER, [1, 1, 1]), (Part.ALL, [1, 1, 1])])
def test_only_after_the_death_of_a_process_that_absorbs_a_delivery_is_absorbed_alone(
    store: Store, part: Part, batches: list[int]
) -> None:
    dead = store.join(part, NOW)
    accept(store, *map(crash_notification, "fgh"))
    store.outbox.take_over(lambda _: lambda owner: owner == dead.owner, NOW)
    dead.close(stopped=False)

    store.inbox.owner = "another"
    assert [absorb(store, ToHere(), NOW)[0] for _ in batches] == batches
    assert absorb(store, ToHere(), NOW)[0] == 0


@pytest.mark.parametrize(("part", "deaths"), [(Part.RECEIVER, 0), (Part.WORKER, 1), (Part.ALL, 1)])
def test_a_delivery_that_waits_alone_was_in_no_hand_of_a_receiver(store: Store, part: Part, deaths: int) -> None:
    dead = store.join(part, NOW)
    accept(store, crash_notification("f"))

    store.outbox.take_over(lambda _: lambda owner: owner == dead.owner, NOW)
    dead.close(stopped=False)
    assert [delivery.deaths for delivery in store.inbox.waiting(10)] == [deaths]


def test_one_that_is_released_from_the_quarantine_is_suspected_of_nothing(store: Store) -> None:
    accept(store, crash_notification("poison"))
    life(store, "poison")
    (kept,) = store.report.quarantine(10)

    assert store.quarantine.release(kept.id, NOW)
    assert life(store) == 0
    assert folded(store) == {"poison"}


def test_a_process_blames_itself_by_its_registration(store: Store) -> None:
    registration = store.join("all", NOW)

    assert store.inbox.owner == registration.owner
    registration.close()

import asyncio
import json
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from msgspec.structs import replace

from syncd.errors import RejectedDelivery, StoreUnavailable
from syncd.model import Action, Group, Identity, Plan
from syncd.store import Store, groups
from syncd.store.connection import Transaction
from syncd.store.quarantine import Bound
from syncd.worker.absorb import absorb as absorb_batch
from syncd.worker.absorb import fold_batch, recount
from tests.store import steps
from tests.store.filled import ANY_GROUP, NOW, ToHere, absorb, accept, claimed, crash_notification, owed


def test_an_accepted_body_is_kept_byte_for_byte(store: Store) -> None:
    (number,) = accept(store, crash_notification())

    (delivery,) = store.inbox.waiting(10)
    assert delivery.id == number
    assert json.loads(delivery.body) == crash_notification()
    assert delivery.received_at == NOW


def test_whatever_arrives_during_a_commit_shares_the_next_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = 0
    submit = store.connection.submit

    def counted(operation: Callable[[Transaction], object], *, atomic: bool) -> object:
        nonlocal commits
        commits += 1
        return submit(operation, atomic=atomic)

    monkeypatch.setattr(store.connection, "submit", counted)
    numbers = accept(store, *(crash_notification(str(number)) for number in range(100)))

    assert len(set(numbers)) == 100
    assert commits == 2


def test_one_sender_that_goes_away_does_not_disturb_the_others(store: Store) -> None:
    async def leave() -> int:
        leaving = asyncio.create_task(store.inbox.accept(b"{}", NOW, ANY_GROUP))
        staying = asyncio.create_task(store.inbox.accept(b"{}", NOW, ANY_GROUP))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert asyncio.run(leave()) > 0
    assert len(store.inbox.waiting(10)) == 2


def test_nothing_is_accepted_by_a_closed_store(store: Store) -> None:
    accept(store, crash_notification())
    store.close()

    with pytest.raises(StoreUnavailable):
        accept(store, crash_notification())


def test_a_delivery_is_folded_once_even_if_two_absorb_it(store: Store) -> None:
    accept(store, crash_notification())
    parsed = [(delivery, ToHere().parse(delivery)) for delivery in store.inbox.waiting(10)]
    threads = [threading.Thread(target=fold_batch, args=(store, ToHere(), parsed, NOW)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (standing,) = store.report.groups()
    assert (standing.group.notifications, standing.group.occurrences) == (1, 3)


def test_a_redelivery_raises_the_number_of_notifications_and_owes_nothing(store: Store) -> None:
    accept(store, crash_notification())
    assert absorb(store) == {"here"}
    before = store.report.counts(NOW)

    accept(store, crash_notification())

    assert absorb(store) == set()
    (standing,) = store.report.groups()
    assert (standing.group.notifications, standing.group.occurrences) == (2, 3)
    assert store.report.counts(NOW) == before


def test_a_redelivery_is_recognised_in_the_same_batch(store: Store) -> None:
    accept(
        store,
        crash_notification(),
        crash_notification(),
        crash_notification(occurrences=5, timestamp=[3000, 4000]),
        crash_notification(),
    )
    absorb(store)

    (standing,) = store.report.groups()
    assert (standing.group.notifications, standing.group.occurrences) == (4, 8)
    assert not standing.group.approximate


def test_a_group_is_one_whatever_the_case_of_its_sha256_and_shown_as_it_first_came(store: Store) -> None:
    accept(
        store,
        crash_notification("AB" * 32),
        crash_notification("ab" * 32, occurrences=9),
        crash_notification("Abc"),
        crash_notification("abc"),
    )
    absorb(store)

    occurrences = {
        standing.group.identity.fingerprint: standing.group.occurrences for standing in store.report.groups()
    }
    assert occurrences == {"AB" * 32: 9, "Abc": 3, "abc": 3}


def test_groups_differ_by_universe_project_and_fingerprint(store: Store) -> None:
    accept(
        store,
        crash_notification("f"),
        crash_notification("f", project="other"),
        crash_notification("f", universe="other"),
        crash_notification("g"),
    )
    absorb(store)

    assert len(store.report.groups()) == 4


def test_a_group_without_a_route_is_held_and_visible(store: Store) -> None:
    accept(store, crash_notification(project="unrouted"))

    assert absorb(store) == set()
    (standing,) = store.report.groups()
    assert (standing.decision, standing.reason) == ("hold", "nobody takes it")
    assert store.report.counts(NOW).held == 1


def test_everything_a_group_knows_survives_the_store(store: Store) -> None:
    accept(
        store,
        crash_notification(
            group_url="https://acme.sp.backtrace.io/x",
            object_id="af3",
            classifiers=["segfault", "null"],
            application="Ünïcode \U0001f4a5",
        ),
    )
    absorb(store)

    group = store.report.groups()[0].group
    assert group.application == "Ünïcode \U0001f4a5"
    assert group.callstack == ("draw", "main")
    assert group.classifiers == ("segfault", "null")
    assert (group.hosts, group.users, group.first_seen, group.last_seen) == (1, 2, 1000, 2000)
    assert {(entry.release, entry.occurrences) for entry in group.releases} == {("1.0", 2), ("1.1", 1)}


def test_an_accepted_body_that_cannot_be_read_any_more_goes_to_the_quarantine(store: Store) -> None:
    accept(store, crash_notification())
    (delivery,) = store.inbox.waiting(10)
    why = RejectedDelivery(422, "no_project", "The field project is missing.", "project")

    fold_batch(store, ToHere(), [(delivery, why)], NOW)

    (kept,) = store.report.quarantine()
    assert (kept.code, kept.field, kept.body) == ("no_project", "project", delivery.body)
    assert store.inbox.waiting(10) == []


@pytest.mark.parametrize(
    ("bound", "kept"),
    [
        pytest.param(Bound(10, 2**20), [3, 2, 1, 0], id="room for all"),
        pytest.param(Bound(2, 2**20), [3, 2], id="two deliveries"),
        pytest.param(Bound(10, 250), [3, 2], id="two and a half by their bytes"),
        pytest.param(Bound(10, 300), [3, 2, 1], id="three by their bytes"),
        pytest.param(Bound(1, 300), [3], id="the narrower bound"),
        pytest.param(Bound(10, 1), [3], id="the newest, whatever its size"),
        pytest.param(Bound(0, 2**20), [], id="none"),
    ],
)
def test_the_quarantine_is_bounded_by_number_and_by_bytes(store: Store, bound: Bound, kept: list[int]) -> None:
    why = RejectedDelivery(400, "not_json", "The body is not JSON.")
    for number in range(4):
        store.quarantine.add(b"%d" % number + b"x" * 99, NOW, why, bound).result()

    assert [int(entry.body[:1]) for entry in store.report.quarantine()] == kept


def test_a_list_of_the_quarantine_reads_the_beginning_of_a_body(store: Store) -> None:
    body = bytes(range(256)) * 4000
    number = store.quarantine.add(body, NOW, RejectedDelivery(400, "not_json", "No JSON."), Bound(9, 2**20)).result()

    (entry,) = store.report.quarantine()
    assert (entry.body, entry.size) == (body[:4000], len(body))
    assert store.quarantine.body(number) == body
    assert store.quarantine.body(number + 1) is None


def test_a_delivery_has_a_note_on_what_could_not_be_read_also_after_a_release(store: Store) -> None:
    identity, body = Identity("acme", "game", "f1"), json.dumps(crash_notification()).encode()
    asyncio.run(store.inbox.accept(body, NOW, identity, "hosts: a value was dropped"))
    number = store.quarantine.add(body, NOW, RejectedDelivery(400, "old", "Old."), Bound(9, 2**20)).result()
    assert store.quarantine.release(number, NOW, "guids: a value was dropped")
    accept(store, crash_notification())

    notes = [delivery.note for delivery in store.lists.deliveries(None, 9)]
    assert notes == [None, "guids: a value was dropped", "hosts: a value was dropped"]


def test_the_purge_removes_only_old_absorbed_deliveries(store: Store) -> None:
    accept(store, crash_notification("old"), at=NOW - 100)
    accept(store, crash_notification("new"))
    absorb(store, at=NOW)
    accept(store, crash_notification("waiting"), at=NOW - 100)

    assert store.inbox.purge(before=NOW - 50, decided_before=0.0) == 1
    assert store.inbox.purge(before=NOW - 50, decided_before=0.0) == 0
    assert len(store.inbox.waiting(10)) == 1
    assert len(store.report.groups()) == 2


def test_the_purge_forgets_old_decisions_but_for_the_latest_of_each_group(store: Store) -> None:
    owed(store, "f1", "f2")
    for number in range(5):
        claim = claimed(store, f"one/{number}", NOW + number)
        wait = Plan(action=Action.WAIT, reason=f"reason {number}")
        steps.postpone(store, claim, wait, "later", NOW + number, 0, NOW + number)

    assert store.inbox.purge(before=0.0, decided_before=NOW + 3, size=2) == 2
    assert store.inbox.purge(before=0.0, decided_before=NOW + 1000) == 1
    assert store.inbox.purge(before=0.0, decided_before=NOW + 1000) == 0
    kept = {
        listed.id: [past.reason for past in store.report.history(listed.id)]
        for listed in store.lists.by_fingerprint("f")
    }
    assert sorted(map(len, kept.values())) == [1, 1]
    assert "reason 4" in {reasons[0] for reasons in kept.values()}


def test_a_sender_that_goes_away_during_its_commit_does_not_end_the_writer(store: Store) -> None:
    async def leave() -> "Future[int]":
        why = RejectedDelivery(422, "no_project", "The field project is missing.", "project")
        stored = store.quarantine.add(b"{}", NOW, why, Bound(10, 2**20))
        asyncio.wrap_future(stored).cancel()
        await asyncio.sleep(0)
        return stored

    assert asyncio.run(leave()).result(timeout=10.0)

    assert accept(store, crash_notification())
    assert len(store.report.quarantine()) == 1


def test_new_groups_are_folded_before_a_backlog_with_all_their_deliveries_in_order(store: Store) -> None:
    owed(store, "f1")
    (old,) = accept(store, crash_notification("f1", occurrences=4))
    new = accept(
        store,
        crash_notification("f2", occurrences=5),
        crash_notification("f1", occurrences=5),
        crash_notification("f2", occurrences=6),
        crash_notification("f3"),
    )
    first = [Identity("acme", "game", name) for name in ("f3", "f1", "f2")]
    assert [view.id for view in store.inbox.waiting(10, first)] == [new[0], new[2], new[3]]
    assert [view.id for view in store.inbox.waiting(1, first)] == [new[0]], "no later one of its group before it"
    assert absorb_batch(store, ToHere(), NOW, first) == (3, {"here"})
    assert [view.id for view in store.inbox.waiting(10, first)] == [old, new[1]], "the store has these groups by now"


def test_a_delivery_whose_group_is_not_known_is_overtaken_by_none(store: Store) -> None:
    why = RejectedDelivery(422, "no_project", "The field project is missing.", "project")
    number = store.quarantine.add(json.dumps(crash_notification("f2")).encode(), NOW, why, Bound(10, 2**20)).result()
    accept(store, crash_notification("f1"))
    assert store.quarantine.release(number, NOW)
    (later,) = accept(store, crash_notification("f2", occurrences=9))

    (released, second) = store.inbox.waiting(10, [Identity("acme", "game", "f2")])
    assert released.id < second.id == later


def _various(chosen: random.Random) -> dict[str, Any]:
    """A notification of one of a few groups, early or late, with or without each text."""
    last = chosen.randint(1000, 3000)
    fields: dict[str, list[Any]] = {
        "fingerprint": ["f1", "f2", "F" * 64],
        "occurrences": [1, 2, 3, None],
        "timestamp": [[1000, last], [last, last], None],
        "callstack": [["draw", "main"], ["walk"], [], None],
        "classifiers": [["hang"], []],
        "attributes": [{"version": [[f"1.{last % 3}", 2]], "os": [["Linux", 1], ["Windows", 2]]}, {}],
        "hosts": [1, 2, None],
    }
    return crash_notification(**{name: chosen.choice(values) for name, values in fields.items()})


@pytest.mark.parametrize("seed", range(3))
def test_groups_that_are_folded_in_batches_equal_groups_that_are_folded_one_by_one(seed: int, store: Store) -> None:
    chosen = random.Random(seed)
    for step in range(3):
        deliveries = [_various(chosen) for _ in range(20)]
        accept(store, *deliveries, at=NOW + step)
        absorb(store, NOW + step)
        accept(store, *({**delivery, "universe": "apart"} for delivery in deliveries), at=NOW + step)
        while absorb_batch(store, ToHere(), NOW + step, size=1)[0]:
            store.recent = groups.Recent()  # every group is read anew
        while recount(store, ToHere(), NOW + step)[0]:
            pass

        batched, single = dict[str, Group](), dict[str, Group]()
        for view in store.report.groups():
            of_universe = batched if view.group.identity.universe == "acme" else single
            of_universe[view.group.identity.fingerprint] = replace(
                # The points of the trail depend on when the reading of the project was decided.
                view.group,
                identity=Identity("", "", ""),
                revision=0,
                trail=(),
            )
        assert batched == single


def test_large_bodies_are_read_a_few_at_a_time(store: Store) -> None:
    large = [crash_notification(str(number), comment="x" * 1_000_000) for number in range(6)]
    accept(store, *large, crash_notification("small"))

    assert len(store.inbox.waiting(1000)) == 4
    assert absorb(store) == {"here"}
    assert len(store.report.groups()) == 7

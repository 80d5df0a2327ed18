"""Bodies that are kept compressed come back as they came, whatever happened to the store meanwhile."""

import functools
import json
import random

import pytest
import zstandard
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bench.load import notification
from syncd.config import StoreSettings
from syncd.store import Store, bodies, open_store
from syncd.store.bodies import LEARN_AT, NUMBERS, RELEARN_SECONDS
from tests.store.filled import NOW, absorb, accept, crash_notification
from tests.store.raw import ask, change

WEEK = RELEARN_SECONDS


def _bodies(many: int) -> list[dict[str, object]]:
    return _all_bodies()[:many]


@functools.cache
def _all_bodies() -> list[dict[str, object]]:
    chosen = random.Random(1)
    return [json.loads(notification(number, chosen)) for number in range(LEARN_AT * 2)]


def _kept(store: Store) -> list[bytes]:
    return [body.body for body in store.inbox.waiting(10_000)]


def _dictionaries(settings: StoreSettings) -> list[int]:
    return [number for (number,) in ask(settings, "SELECT id FROM dictionaries ORDER BY id")]


@pytest.mark.slow
def test_bodies_come_back_as_they_came_with_a_dictionary_and_without(store: Store, settings: StoreSettings) -> None:
    sent = _bodies(LEARN_AT + 50)
    accept(store, *sent[:LEARN_AT])
    assert store.bodies.learn(NOW)
    accept(store, *sent[LEARN_AT:])
    assert _kept(store) == [json.dumps(body).encode() for body in sent]
    used = {number for (number,) in ask(settings, "SELECT DISTINCT dictionary FROM deliveries")}
    assert used == {None, *_dictionaries(settings)}
    assert all(number in NUMBERS for number in used - {None})
    again = open_store(settings)  # another process, which has to find the dictionary
    assert _kept(again) == _kept(store)
    again.close()


@pytest.mark.slow
def test_a_learned_dictionary_leaves_a_third(store: Store, settings: StoreSettings) -> None:
    sent = _bodies(LEARN_AT * 2)
    accept(store, *sent[:LEARN_AT])
    store.bodies.learn(NOW)
    accept(store, *sent[LEARN_AT:])
    ((kept,),) = ask(settings, "SELECT SUM(length(body)) FROM deliveries WHERE dictionary IS NOT NULL")
    assert kept < 0.35 * sum(len(json.dumps(body)) for body in sent[LEARN_AT:])


@pytest.mark.slow
def test_few_bodies_teach_nothing_and_a_dictionary_is_good_for_a_week(store: Store, settings: StoreSettings) -> None:
    accept(store, *_bodies(LEARN_AT - 1))
    assert not store.bodies.learn(NOW)
    accept(store, crash_notification())
    assert store.bodies.learn(NOW)
    assert not store.bodies.learn(NOW + WEEK - 1)
    assert store.bodies.learn(NOW + WEEK)
    assert len(_dictionaries(settings)) == 2


@pytest.mark.slow
def test_learning_reads_a_bounded_sample_into_memory(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = _bodies(LEARN_AT)
    accept(store, *sent[: LEARN_AT // 2], *({"notes": " " * 2 * bodies.LEARN_LARGEST} for _ in range(LEARN_AT // 2)))
    assert not store.bodies.learn(NOW), "half of them are large"
    accept(store, *sent[LEARN_AT // 2 :])
    monkeypatch.setattr(bodies, "LEARN_BYTES", sum(len(json.dumps(body)) for body in sent) - 1)
    assert not store.bodies.learn(NOW), "the last one has no room"
    monkeypatch.undo()
    assert store.bodies.learn(NOW)


def test_bodies_that_have_nothing_in_common_are_no_failure(store: Store) -> None:
    accept(store, *({"universe": "u"} for _ in range(LEARN_AT)))
    store.bodies.learn(NOW)
    assert _kept(store) == [b'{"universe": "u"}'] * LEARN_AT


@pytest.mark.slow
def test_a_dictionary_goes_when_no_delivery_needs_it_any_more(store: Store, settings: StoreSettings) -> None:
    accept(store, *_bodies(LEARN_AT))
    store.bodies.learn(NOW)
    first = _dictionaries(settings)
    accept(store, crash_notification("f1"))
    store.bodies.learn(NOW + WEEK)
    assert store.bodies.forget(NOW + 3 * WEEK) == 0, "a delivery needs it"
    while absorb(store):
        pass
    while store.inbox.purge(NOW + 1, 0.0):
        pass
    assert store.bodies.forget(NOW + WEEK + 1) == 0, "another process may not know yet that it was replaced"
    assert store.bodies.forget(NOW + 3 * WEEK) == 1
    assert len(_dictionaries(settings)) == 1
    assert _dictionaries(settings) != first


def test_bodies_are_read_after_the_store_has_lost_the_dictionary_that_a_process_packs_with(
    store: Store, settings: StoreSettings
) -> None:
    accept(store, *_bodies(LEARN_AT))
    store.bodies.learn(NOW)
    accept(store, crash_notification("f1"))
    change(settings, "DELETE FROM deliveries")  # as in a backup that was made before
    change(settings, "DELETE FROM dictionaries")
    sent = _bodies(30)
    accept(store, *sent)

    again = open_store(settings)
    assert _kept(again) == [json.dumps(body).encode() for body in sent]
    again.close()


def test_two_stores_that_were_one_give_no_number_to_two_dictionaries(store: Store, settings: StoreSettings) -> None:
    accept(store, *_bodies(LEARN_AT))
    store.bodies.learn(NOW)
    first = _dictionaries(settings)
    change(settings, "DELETE FROM dictionaries")
    store.bodies.learn(NOW)

    assert _dictionaries(settings) != first


def test_an_uncompressed_body_of_an_older_program_is_read(store: Store, settings: StoreSettings) -> None:
    accept(store, crash_notification("f1"))
    change(settings, "UPDATE deliveries SET body = ?", json.dumps(crash_notification("f2")).encode())
    assert _kept(store) == [json.dumps(crash_notification("f2")).encode()]
    absorb(store)
    (listed,) = store.lists.deliveries(None, 10)
    assert listed.size == len(json.dumps(crash_notification("f2")))


def test_a_damaged_frame_is_returned_unchanged(store: Store, settings: StoreSettings) -> None:
    accept(store, crash_notification("f1"), crash_notification("f2"))
    damaged = zstandard.compress(json.dumps(crash_notification("f1")).encode())[:-9]
    change(settings, "UPDATE deliveries SET body = ? WHERE id = 1", damaged)
    assert _kept(store) == [damaged, json.dumps(crash_notification("f2")).encode()]


def test_the_size_of_a_delivery_is_that_of_its_uncompressed_body(store: Store) -> None:
    accept(store, crash_notification("f1", padding="x" * 100_000))
    (listed,) = store.lists.deliveries(None, 10)
    whole = store.lists.delivery(listed.id)
    assert whole is not None
    assert listed.size == whole.size == len(whole.body) > 100_000


@given(st.lists(st.binary(min_size=1, max_size=2000), min_size=1, max_size=8))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_any_bytes_come_back(store: Store, content: list[bytes]) -> None:
    def there_and_back(transaction: object) -> list[bytes]:
        packed = store.bodies.pack(transaction, content)  # type: ignore[arg-type]
        assert [bodies.size(body[: bodies.HEAD_BYTES], len(body)) for body, _ in packed] == [
            len(body) for body in content
        ]
        return store.bodies.unpack(transaction, [body for body, _ in packed])  # type: ignore[arg-type]

    assert store.connection.read(there_and_back) == content

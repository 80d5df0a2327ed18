"""The audit in the store: it is bounded by age, and an entry is undone with its change."""

import pytest

from syncd.store import Store, audit
from syncd.store.audit import STORE, Filter, Kind, Subject
from syncd.store.connection import Transaction
from tests.store.filled import NOW


def test_entries_are_purged_like_decisions(store: Store) -> None:
    operated = store.acting("cli:alice")
    for at in range(3):
        operated.limits.pause_by_hand("here", f"round {at}", NOW + at)
    assert store.inbox.purgeable(0.0, NOW + 2).entries == 2
    assert store.inbox.purge(before=0.0, decided_before=NOW + 2, size=1) == 1
    assert store.inbox.purge(before=0.0, decided_before=NOW + 2) == 1
    assert [entry.at for entry in store.audit.entries(Filter(), 10)] == [NOW + 2]


def test_an_entry_is_undone_with_its_change(store: Store) -> None:
    def write(transaction: Transaction) -> None:
        audit.record(transaction, "cli:alice", "pause", Subject(Kind.ROUTE, "all"), "ok → paused", NOW)
        raise ValueError("it fails after the entry")

    with pytest.raises(ValueError, match="after the entry"):
        store.write(write)
    assert store.audit.entries(Filter(), 10) == []


def test_a_detail_is_one_line_of_bounded_length(store: Store) -> None:
    store.write(lambda transaction: audit.record(transaction, "a", "b", STORE, "x\n\x1b[2J" + "y" * 5000, NOW))
    (entry,) = store.audit.entries(Filter(), 10)
    assert len(entry.detail) == audit.LONGEST
    assert entry.detail.isprintable()

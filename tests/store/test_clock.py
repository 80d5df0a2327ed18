"""The clock of the one machine that a SQLite file is on."""

import time
from pathlib import Path

import pytest

from syncd.config import StoreSettings
from syncd.core.budget import Limit
from syncd.model import Action, Call, Plan
from syncd.store import Store
from syncd.store.limits import Allowance
from tests.store.filled import FREE, NOW, claimed, owed

CREATE = Plan(action=Action.CREATE, reason="the group has no issue yet")


@pytest.fixture
def settings(tmp_path: Path) -> StoreSettings:
    return StoreSettings(url=f"sqlite:{tmp_path}/syncd.db")


def test_what_waits_is_moved_along_with_a_clock_that_was_set_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed(store)
    store.outbox.postpone(claimed(store), CREATE, "later", NOW + 60, 1, NOW)
    store.limits.silence(FREE, None, "slow down", NOW + 30, NOW)
    monkeypatch.setattr(time, "time", lambda: NOW)
    assert store.clock.follow() == 0.0

    monkeypatch.setattr(time, "time", lambda: NOW - 3600)
    assert store.clock.follow() == pytest.approx(3600, abs=1)
    assert store.clock.follow() == 0.0

    assert min(store.outbox.next_due("here").values()) == pytest.approx(NOW - 3540, abs=1)
    assert min(store.limits.opens("here", FREE, NOW - 3600).values()) == pytest.approx(NOW - 3570, abs=1)


def test_a_clock_that_was_set_forward_moves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    owed(store)
    monkeypatch.setattr(time, "time", lambda: NOW)
    store.clock.follow()
    monkeypatch.setattr(time, "time", lambda: NOW + 86400)

    assert store.clock.follow() == 0.0
    assert min(store.outbox.next_due("here").values()) == NOW


def test_a_budget_is_not_frozen_by_a_clock_that_was_set_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = Allowance(credential="here", limits=[Limit(count=10, seconds=60.0)])
    owed(store)
    claim = claimed(store)
    monkeypatch.setattr(time, "time", lambda: NOW)
    store.clock.follow()
    for _ in range(2):
        assert store.limits.take(claim, limited, Call.UPDATE, NOW) == 0.0
    monkeypatch.setattr(time, "time", lambda: NOW - 3600)
    store.clock.follow()

    assert store.limits.opens("here", limited, NOW - 3600 + 60)[Call.UPDATE] <= NOW - 3600 + 60

"""Token buckets: no window has more writes than the limit, and allowed writes do not wait."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core import budget
from syncd.core.budget import Bucket, Limit

NOW = 1_800_000_000.0


def spend(limit: Limit, pauses: list[float]) -> list[float]:
    """The times of writes, each requested after a pause and delayed as the bucket demands."""
    now, bucket, made = NOW, budget.full(limit, NOW), []
    for pause in pauses:
        now += pause
        now += budget.wait(bucket, limit, now)
        assert budget.wait(bucket, limit, now) == 0.0
        bucket = budget.taken(bucket, limit, now)
        made.append(now)
    return made


@settings(max_examples=200, deadline=None)
@given(
    st.builds(Limit, st.integers(1, 60), st.floats(0.5, 7200)),
    st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.1, 3.0, 100.0, 5000.0]), min_size=1, max_size=200),
)
def test_no_window_of_a_limit_s_length_sees_more_than_it_allows(limit: Limit, pauses: list[float]) -> None:
    made = spend(limit, pauses)

    for start in made:
        assert sum(start <= at < start + limit.seconds for at in made) <= limit.count


@pytest.mark.parametrize(("count", "seconds"), [(75, 60.0), (480, 3600.0), (40, 1.0)])
def test_a_credential_that_is_never_idle_gets_most_of_the_limit(count: int, seconds: float) -> None:
    made = spend(Limit(count, seconds), [0.0] * count * 10)

    assert len(made) / (made[-1] - NOW) * seconds >= 0.8 * count


def test_a_burst_is_let_through_at_once_and_the_next_one_waits() -> None:
    limit = Limit(10, 60.0)
    made = spend(limit, [0.0] * 3)

    assert made[0] == made[1] == NOW
    assert made[2] > NOW + 5


def test_a_clock_that_was_set_back_neither_gives_nor_takes() -> None:
    limit = Limit(10, 60.0)
    bucket = Bucket(1.5, NOW)

    assert budget.refilled(bucket, limit, NOW - 86400) == Bucket(1.5, NOW - 86400)


@settings(max_examples=100, deadline=None)
@given(
    st.builds(Limit, st.integers(5, 60), st.floats(60.0, 7200)),
    st.lists(st.floats(-30, 30), min_size=2, max_size=4),
    st.randoms(use_true_random=False),
)
def test_machines_whose_clocks_differ_share_one_limit(limit: Limit, ahead: list[float], chance: random.Random) -> None:
    """Each machine writes whenever the bucket allows. The lead of a clock refills the bucket once, not at every change of machine."""
    now, bucket, made = NOW, budget.full(limit, NOW + ahead[0]), 0
    while now < NOW + 20 * limit.seconds and made < 1000:
        machine = chance.choice(ahead)
        if wait := budget.wait(bucket, limit, now + machine):
            now += wait
        else:
            bucket = budget.taken(bucket, limit, now + machine)
            made += 1

    gained = 60.0 / limit.seconds * limit.count
    assert made <= (now - NOW) / limit.seconds * limit.count + limit.count + gained


def test_a_bucket_never_holds_more_than_a_burst() -> None:
    limit = Limit(10, 60.0)

    assert budget.refilled(Bucket(0.0, NOW), limit, NOW + 1e9).tokens == budget.burst(limit) == 2

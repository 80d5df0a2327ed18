"""One of the threads that wait is woken, and it wakes the next if there is more to do."""

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from syncd.daemon.threads import Bell

PATIENCE_SECONDS = 30.0


def test_a_bell_wakes_one_of_those_who_wait() -> None:
    bell = Bell()
    with ThreadPoolExecutor(3) as pool:
        waits = {pool.submit(bell.wait, PATIENCE_SECONDS) for _ in range(3)}
        for left in (2, 1, 0):
            bell.set()
            woken, waits = wait(waits, PATIENCE_SECONDS, FIRST_COMPLETED)
            assert [each.result() for each in woken] == [True]
            assert len(waits) == left


def test_a_bell_that_rings_before_anybody_waits_wakes_the_first_and_only_once() -> None:
    bell = Bell()
    bell.set()
    bell.set()
    assert bell.wait(0.0)
    assert not bell.wait(0.0)


def test_who_looks_by_himself_needs_no_bell() -> None:
    bell = Bell()
    bell.set()
    bell.clear()
    bell.clear()
    assert not bell.wait(0.0)

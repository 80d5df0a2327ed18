"""`status --watch`."""

from collections.abc import Callable, Iterator

import pytest

from syncd.cli import stop
from syncd.cli.status import _watched
from syncd.errors import ConfigError


def states(*each: int | Exception) -> Callable[[], int]:
    """One state after the other; 75 is that of a store that cannot be read."""
    left = iter(each)

    def show() -> int:
        state = next(left)
        if isinstance(state, Exception):
            raise state
        if state == 75:
            stop(75, "cannot tell whether all is well")
        return state

    return show


def until(times: int) -> Callable[[float], object]:
    """Ctrl-C in the wait of that number."""
    left: Iterator[int] = iter(range(times - 1))

    def wait(seconds: float) -> None:
        assert seconds > 0
        if next(left, None) is None:
            raise KeyboardInterrupt

    return wait


@pytest.mark.parametrize("last", [0, 3, 75])
def test_the_last_state_decides_and_a_store_that_cannot_be_read_ends_nothing(last: int) -> None:
    assert _watched(states(0, 75, 3, last), until(4)) == last


def test_a_configuration_that_cannot_be_used_ends_it() -> None:
    with pytest.raises(ConfigError):
        _watched(states(0, ConfigError(["x: is missing"])), until(9))

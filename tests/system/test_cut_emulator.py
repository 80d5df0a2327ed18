"""Every first answer to a create is cut off: one issue for each crash all the same, and more than one for whoever just repeats."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.prove import emulator
from tests.prove.crashes import Tally, crash, fingerprint, tally
from tests.prove.emulator import Cuts
from tests.system.kinds import GITHUB_EMULATOR

CRASHES = 10
SEED = 20261125

Filed = dict[str, "Future[tuple[Tally, Cuts]]"]


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filed]:
    """The issues that each of the four clients files. They run at the same time, because they mostly wait."""

    def folder(name: str) -> Path:
        return tmp_path_factory.mktemp(name)

    with ThreadPoolExecutor(4) as pool:
        yield {
            "syncd": pool.submit(emulator.file_with_syncd, folder("syncd"), GITHUB_EMULATOR, SEED, CRASHES),
            "pygithub": pool.submit(emulator.file_with_pygithub, folder("pygithub"), SEED, CRASHES),
            "lagging": pool.submit(emulator.file_with_syncd, folder("lagging"), "github", SEED, CRASHES),
            "search": pool.submit(emulator.search_then_create, folder("search"), SEED, CRASHES),
        }


@pytest.mark.parametrize("name", ["syncd", "lagging"])
def test_each_crash_has_exactly_one_issue_though_every_first_answer_was_cut_off(name: str, filed: Filed) -> None:
    verdict, cuts = filed[name].result()

    assert verdict == Tally(issues=CRASHES, missing=0, doubles=0)
    assert cuts.cut.total() >= CRASHES
    assert set(cuts.cut) == {"reset_before", "reset_after", "half_after", "empty_after", "garbage_after"}


def test_left_to_repeat_by_itself_pygithub_makes_duplicates_of_the_same_cuts(filed: Filed) -> None:
    verdict, _ = filed["pygithub"].result()

    assert verdict.doubles > 0


def test_whoever_searches_before_creating_makes_duplicates_where_lists_lag(filed: Filed) -> None:
    verdict, _ = filed["search"].result()

    assert verdict.doubles > 0


def test_a_tally_tells_what_is_missing_from_what_is_there_twice() -> None:
    texts = [crash(number)["fingerprint"] for number in (0, 1, 1)]

    assert tally([fingerprint(number) for number in range(3)], texts) == Tally(issues=3, missing=1, doubles=1)

"""A tracker that asks for silence, again and again, is not spoken to before it is over, nor more often than needed."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.prove import storm
from tests.prove.storm import Case, Result

CRASHES = 3
PATIENCE_SECONDS = 60.0
# With seeds under which it does not take long.
CASES = {
    Case(kind="github"): 5,
    Case(kind="github", concurrency=4): 5,
    Case(kind="github", killed=True): 2,
    Case(kind="jira-cloud"): 6,
    Case(kind="jira-cloud", concurrency=4): 5,
    Case(kind="jira-cloud", killed=True): 2,
}


@pytest.fixture(scope="module")
def weathered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Case, "Future[Result]"]]:
    """The result of each case. They run at the same time, because they mostly wait."""
    with ThreadPoolExecutor(len(CASES)) as pool:
        yield {
            case: pool.submit(storm.run_case, tmp_path_factory.mktemp("storm"), seed, case, CRASHES, PATIENCE_SECONDS)
            for case, seed in CASES.items()
        }


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_request_comes_inside_a_pause_and_none_that_is_not_needed(
    case: Case, weathered: dict[Case, "Future[Result]"]
) -> None:
    verdict = weathered[case].result()

    assert verdict.wrong(case) == []

"""Issues of another integration are taken over, whatever kills the command; `make prove` does the same with a thousand of them."""

from pathlib import Path

import pytest

from tests.prove.adopted import Adopted, take_over

SEED = 31
SIZE = 40


@pytest.mark.parametrize("kind", ["local", "github", "jira-cloud"])
def test_adopted_issues_get_no_second_issue_and_keep_their_closings(tmp_path: Path, kind: str) -> None:
    adopted = take_over(kind, tmp_path, SIZE, 3, SEED)

    assert adopted == Adopted(tickets=SIZE, kills=3)


def test_without_adoption_every_crash_gets_a_second_issue(tmp_path: Path) -> None:
    assert take_over("github", tmp_path, 20, 0, SEED, adopts=False).second == 20

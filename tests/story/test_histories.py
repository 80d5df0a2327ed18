"""A person's closing stays, unless the crash occurs in a release that should have the fix; then the issue is open again."""

from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, given, settings

from tests.story.histories import History, faults, lives


@pytest.mark.parametrize("kind", ["local", "jira-cloud"])
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lives(8))
def test_an_issue_is_open_exactly_if_its_crash_came_back(
    kind: str, memory_folder: Path, applications: list[list[History]]
) -> None:
    assert faults(kind, Path(mkdtemp(dir=memory_folder)), applications) == []

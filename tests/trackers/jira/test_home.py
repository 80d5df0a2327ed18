"""A tracker's issues stay where they are, whatever the configuration says later."""

import pytest

from syncd.errors import Misconfigured
from tests.fakes.jira import FakeJira
from tests.trackers.jira.parts import Open, a_draft


def test_another_site_under_the_same_name_is_refused_without_being_asked(opened: Open, fake: FakeJira) -> None:
    opened().create(a_draft())
    with type(fake)() as stranger, pytest.raises(Misconfigured, match="the issues so far are on"):
        opened(url=stranger.url).create(a_draft())
    assert stranger.requests == []

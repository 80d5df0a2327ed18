"""Jira Cloud and Jira Data Center do what every tracker must do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.plugin.conformance import Conformance
from tests.trackers.jira.world import (
    CloudOAuthWorld,
    CloudWorld,
    DataCenterOAuthWorld,
    DataCenterWorld,
    GatewayWorld,
    JiraWorld,
)


class _Jira(Conformance):
    deployment: type[JiraWorld]

    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[JiraWorld]:
        with self.deployment(tmp_path) as world:
            yield world
        assert world.fake.problems == []


class TestJiraCloud(_Jira):
    deployment = CloudWorld


class TestJiraGateway(_Jira):
    deployment = GatewayWorld


class TestJiraDataCenter(_Jira):
    deployment = DataCenterWorld


class TestJiraCloudOAuth(_Jira):
    deployment = CloudOAuthWorld


class TestJiraDataCenterOAuth(_Jira):
    deployment = DataCenterOAuthWorld

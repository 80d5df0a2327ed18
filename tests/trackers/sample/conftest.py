"""The sample as it is in this checkout counts as an installed package."""

import sys
from collections.abc import Iterator

import pytest

POINTS = """[syncd.trackers]
desk = tests.trackers.sample.syncd_desk:PLUGIN
keyed-desk = tests.trackers.sample.syncd_desk:KEYED_PLUGIN
"""


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("site")
    metadata = folder / "syncd_desk-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: syncd-desk\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(POINTS)
    sys.path.append(str(folder))
    yield
    sys.path.remove(str(folder))

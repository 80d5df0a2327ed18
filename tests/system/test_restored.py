"""A restored store files nothing twice; `make prove` does the same more often, for each kind of tracker and on PostgreSQL."""

from pathlib import Path

import pytest

from tests.prove.restored import GROUPS, Restored, restore_often

SEED = 22


@pytest.mark.parametrize(("kind", "shared"), [("github", False), ("jira-cloud", True)])
def test_a_backup_in_the_place_of_its_store_files_nothing_twice(tmp_path: Path, kind: str, shared: bool) -> None:
    restored = restore_often(kind, tmp_path, 1, SEED, shared=shared)

    assert restored == Restored(restores=1, issues=GROUPS)

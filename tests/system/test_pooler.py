"""Daemons behind pgbouncer, in small; `make prove` stops the server more often, with a control that loses notifications."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.pooler import needs_pooler
from tests.prove import pooler as proof
from tests.prove.pooled import UNCHECKED
from tests.system.daemon import PROGRAM

SEED = 20261130


@needs_pooler
@pytest.mark.parametrize(("mode", "program"), [("session", PROGRAM), ("transaction", UNCHECKED)])
def test_stops_of_the_server_lose_nothing_and_change_no_session_of_the_pool(
    mode: str, program: Sequence[str], tmp_path: Path
) -> None:
    outcome = proof.trial(tmp_path / mode, mode, stops=2, seed=SEED, program=program)

    assert outcome.wrong == []
    assert outcome.acknowledged >= 3 * proof.ANSWERS


@needs_pooler
def test_a_pooler_in_transaction_mode_is_refused_with_the_way_out(tmp_path: Path) -> None:
    assert proof.refusals(tmp_path / "refused") == []

"""What the way of a notification to its issue costs, however many groups and issues there are: no query of it reads a whole table."""

from collections.abc import Sequence
from typing import Any

import pytest

from syncd.store.sqlite import connection as sqlite
from tests.scene import Scene
from tests.store.raw import ask

# The kinds of calls, 200 groups that look alike, a few dictionaries, and the deliveries of one batch.
SMALL = (
    "SCAN ranks",
    "SCAN CONSTANT ROW",
    "SCAN alike",
    "SCAN dictionaries",
    "SCAN deliveries USING INDEX deliveries_waiting",
)


class _Queries:
    """The statements that ran, by name, each once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ran: dict[str, tuple[str, dict[str, object]]] = {}
        for method in ("rows", "run"):
            monkeypatch.setattr(sqlite.Cursor, method, self._recorded(getattr(sqlite.Cursor, method)))

    def _recorded(self, method: Any) -> Any:
        def recorded(cursor: sqlite.Cursor, query: str, **parameters: object) -> object:
            self.ran.setdefault(query, (cursor.texts[query], parameters))
            return method(cursor, query, **parameters)

        return recorded


def _scans(scene: Scene, text: str, parameters: dict[str, object]) -> Sequence[str]:
    """The steps of the plan that read a table or all rows of one state."""
    for name in sorted(parameters, key=len, reverse=True):
        value = parameters[name]
        text = text.replace(f":{name}", "NULL" if value is None else "'" + str(value).replace("'", "''") + "'")
    steps = [str(row[3]) for row in ask(scene.settings, f"EXPLAIN QUERY PLAN {text}")]
    return [step for step in steps if ("SCAN" in step or "INDEX issues_state " in step) and step not in SMALL]


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_no_query_on_the_way_to_an_issue_reads_all_groups_or_issues(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = _Queries(monkeypatch)
    for fingerprint in ("f1", "f2"):
        scene.tell(fingerprint)
        assert scene.sync()
    scene.tell("f1", occurrences=9)
    assert scene.sync()
    assert scene.tracker.calls.count("create") == 2
    assert "comment" in scene.tracker.calls

    assert {"look_alikes", "claim_group", "intend", "link", "settle"} <= queries.ran.keys()
    read = {name: steps for name, (text, given) in queries.ran.items() if (steps := _scans(scene, text, given))}
    assert read == {}

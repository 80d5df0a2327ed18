"""docs/states.md draws the state machines that the queries implement: no arrow more, none less."""

import re
from pathlib import Path

from syncd.model import IssueState
from syncd.store import queries

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/states.md").read_text()
RETIRED = "retired"  # an issue that was given up: no longer the group's live issue
BY_PARAMETER = {"end_intent": {"wanted", "in_doubt"}, "give_back": {"linked", "parked"}}  # the caller names the state

Arrow = tuple[str, str, str]  # from, to, query


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def table(title: str) -> set[Arrow]:
    return set(re.findall(r"^\| (\w+|—) \| (\w+|—) \| `(\w+)` \|", section(title), re.MULTILINE))


def drawn(title: str) -> set[tuple[str, str]]:
    (diagram,) = re.findall(r"```mermaid\n(.*?)```", section(title), re.DOTALL)
    arrows = re.findall(r"^ +(\[\*\]|\w+) --> (\[\*\]|\w+)", diagram, re.MULTILINE)
    return {(start.replace("[*]", "—"), end.replace("[*]", "—")) for start, end in arrows}


def written(query: str) -> set[tuple[str, str]]:
    """The arrows of one query over issues: from each state that its WHERE admits to the one that it sets."""
    if insert := re.search(r"INSERT INTO issues .*?'(\w+)'", query, re.DOTALL):
        return {("—", insert[1])}
    if not (update := re.search(r"UPDATE issues SET state = ('\w+'|:state)", query)):
        return set()
    guard = query.partition("WHERE")[2]
    sources = set(re.findall(r"\bstate = '(\w+)'", guard))
    for several in re.findall(r"\bstate IN \((.*?)\)", guard):
        sources |= set(re.findall(r"'(\w+)'", several))
    targets = {update[1].strip("'")}
    return {(source, target) for source in sources for target in targets}


def test_the_table_of_issues_has_every_arrow_of_the_queries() -> None:
    arrows: set[Arrow] = set()
    for name, query in queries.load("sqlite").items():
        for source, target in written(query):
            arrows |= {(source, end, name) for end in BY_PARAMETER.get(name, {target})}

    assert table("An issue") == arrows


def test_the_drawing_of_issues_has_every_state_and_every_arrow_of_the_table() -> None:
    """A dropped issue is a parked one with the cause `deleted` or `discarded`."""
    arrows = drawn("An issue")
    states = {state for arrow in arrows for state in arrow} - {"—"}

    assert states == {*IssueState, RETIRED}
    as_stored = {
        (start.replace("dropped", "parked"), end.replace("dropped", "parked"))
        for start, end in arrows
        if (start, end) != ("parked", "dropped")
    }
    assert as_stored == {(start, end) for start, end, _ in table("An issue")}


def test_the_table_of_trackers_names_every_query_that_changes_how_a_tracker_stands() -> None:
    changing = {
        name
        for name, query in queries.load("sqlite").items()
        if re.search(
            r"UPDATE trackers SET (state|until)|INSERT INTO trackers .*'paused'|(INTO|FROM) silences", query, re.DOTALL
        )
        and not query.startswith("SELECT")
    }

    # Of the times that follow a clock that was set back, no state changes.
    assert {name for _, _, name in table("A tracker")} == {name for name in changing if not name.startswith("shift_")}


def test_the_drawing_of_trackers_has_every_arrow_of_its_table() -> None:
    assert drawn("A tracker") == {(start, end) for start, end, _ in table("A tracker")}

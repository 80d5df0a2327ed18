"""People change titles, texts, labels, assignees, close, and delete our comment, between any two steps: nothing of theirs is ever
changed, and no crash gets a second issue."""

from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.story.life import Life, lived
from tests.story.people import STATUS

FRAMES = ("Audio::open", "Renderer::draw")
TITLES = {frame: f"Crash in {frame} (game)" for frame in FRAMES}

edits = st.tuples(
    st.just("edit"),
    st.sampled_from(FRAMES),
    st.sampled_from(["title", "body", "labels", "assignee"]),
    st.sampled_from(["grace", "bob words", "2.0"]),
)
steps = st.lists(
    edits
    | st.tuples(st.just("tell"), st.sampled_from(FRAMES), st.sampled_from(["1.0", "1.1", "2.0"]), st.integers(1, 9))
    | st.tuples(st.just("close"), st.sampled_from(FRAMES), st.sampled_from(["done", "rejected"]), st.just(0))
    | st.tuples(st.just("erase"), st.sampled_from(FRAMES), st.just(""), st.just(0))
    | st.tuples(st.just("wait"), st.just(""), st.just(""), st.integers(1, 3)),
    min_size=3,
    max_size=12,
)


def theirs(life: Life) -> list[tuple[object, ...]]:
    """All that is people's to change."""
    return sorted((issue.theirs for issue in life.people.issues()), key=repr)


def carry_out(life: Life, ledgers: dict[str, dict[str, int]], step: tuple[str, str, str, object]) -> None:
    what, frame, subject, value = step
    match what:
        case "edit":
            life.people.edit(TITLES[frame], subject, f"{value}" if subject == "assignee" else f"A person's {value}")
        case "close":
            life.people.close(TITLES[frame], subject)
        case "erase":
            life.people.erase_status(TITLES[frame])
        case "wait":
            pass
        case _:
            ledgers[frame][subject] = ledgers[frame].get(subject, 0) + int(str(value))


@pytest.mark.parametrize("kind", ["github", "jira-cloud"])
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_nothing_of_theirs_is_ever_changed(
    kind: str, memory_folder: Path, steps: list[tuple[str, str, str, object]]
) -> None:
    folder: Path = Path(mkdtemp(dir=memory_folder))
    with pytest.MonkeyPatch.context() as patch, lived(kind, folder, patch, 'name = "main"\n') as life:
        ledgers = {frame: {"1.0": 3} for frame in FRAMES}
        for frame in FRAMES:
            life.notify(frame, ledgers[frame])
            life.people.erase_status(TITLES[frame])  # so that the fake knows it by its first title
        # Whatever they did, at the end it is closed, and its crash comes back.
        ending = [
            ("close", FRAMES[0], "done", 0),
            ("wait", "", "", 0),
            ("tell", FRAMES[0], "3.0", 2),
            ("wait", "", "", 0),
        ]
        for step in [*steps, *ending]:
            carry_out(life, ledgers, step)
            before = theirs(life)
            life.clock.advance(3600 * 5)
            if step[0] == "tell":
                life.notify(step[1], ledgers[step[1]])
            life.work()
            assert theirs(life) == before
        assert len(life.people.issues()) == len(FRAMES)
        for issue in life.people.issues():
            status = [text for text in issue.comments if STATUS in text]
            assert len(status) <= 1

"""Whom a failed request concerns: each status and body, for each operation, in each state of the project and of the issue.

The weather spoils the answer to the operation's own request and to no other, so that the control questions meet the state.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from syncd.errors import (
    Deferred,
    Misconfigured,
    OutcomeUnknown,
    Refused,
    Throttled,
    TrackerError,
    Unavailable,
)
from syncd.model import Issue
from syncd.trackers.jira.answers import failure, refuses
from syncd.trackers.jira.tracker import Jira
from syncd.trackers.transport import Answer, Sent
from tests.fakes.jira import FakeJira
from tests.fakes.server import Fault, Recorded
from tests.trackers.jira.parts import MARKER, Open, linked, status
from tests.trackers.jira.scopes import BARE, BODIES, ISSUES, OPERATIONS, PROJECTS, STATUSES, concerned, is_done

pytestmark = pytest.mark.slow  # every status with every body


@pytest.fixture
def place(fake: FakeJira, opened: Open) -> Iterator[tuple[Jira, Issue]]:
    """An adapter, and its issue CRASH-2 with a comment, after a neighbour."""
    fake.file("a neighbour")
    fake.custom_fields = {"customfield_1": "number"}
    adapter = opened(fields={"customfield_1": "{{ group.occurrences }}"}, affects_versions=False)
    issue = linked(adapter)
    assert issue.remote_id == "10002"
    assert adapter.comment(issue, status("1"), MARKER) == "10003"
    adapter.find_comment(issue, MARKER)
    yield adapter, issue
    fake.problems.clear()


@pytest.mark.parametrize("state", [*PROJECTS, *ISSUES])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_answer_concerns_what_the_control_questions_say(
    fake: FakeJira, place: tuple[Jira, Issue], operation: str, state: Callable[[FakeJira], None]
) -> None:
    adapter, issue = place
    state(fake)
    call, method, path, _ = OPERATIONS[operation]
    order: dict[str, Any] = {}

    def spoil(request: Recorded) -> Fault | None:
        fault = Fault(how="status", method=method, path=path, **order)
        return fault if fault.fits(request) else None

    fake.weather = spoil
    bodies = list(BODIES.values())
    wrong = []
    # Half of them, and of each a different body: over the operations and states every body meets every kind of status.
    offset = len(operation) + len(state.__name__)
    for number, code in list(enumerate(STATUSES))[offset % 2 :: 2]:
        body = bodies[(number + 5 * offset) % len(bodies)]
        if code == 204 and operation in ("refresh", "transition"):
            continue  # the answer to what succeeded
        order.update(status=code, body=None if code in BARE else body)
        fake.remember(200)
        result: object = None
        try:
            result = call(adapter, issue)
        except TrackerError as error:
            result = Unavailable if isinstance(error, Deferred) else type(error)  # either puts off the group
        # A workflow that refuses a transition is told to people, in a note.
        result = Refused if isinstance(result, str) and result and operation == "transition" else result
        expected = concerned(operation, state, code)
        if result not in expected and not (result in (None, "") and is_done(operation, code, body)):
            wrong.append((code, body, result, expected))
    assert wrong == []


@pytest.mark.parametrize("body", BODIES)
def test_a_status_alone_decides_which_answers_need_a_control_question(body: str) -> None:
    for code in range(100, 600):
        answer = Answer(code, {}, BODIES[body])
        assert refuses(answer) is (400 <= code < 500 and code not in (401, 407, 408, 409, 421, 425, 429))
        once, again = failure(answer, Sent.ONCE), failure(answer, Sent.AGAIN)
        assert isinstance(once, OutcomeUnknown) is (code < 300 or code >= 500 or code == 408)
        assert type(once) is type(again) or (isinstance(once, OutcomeUnknown) and isinstance(again, Unavailable))
        assert isinstance(failure(answer, Sent.READ), Unavailable | Misconfigured | Throttled)
        assert "<" not in once.reason

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
from tests.fakes.jira_rules import PERMISSIONS
from tests.fakes.server import Fault, Recorded
from tests.trackers.jira.parts import MARKER, Open, a_draft, linked, status
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
    spoiled: list[bool] = []

    def spoil(request: Recorded) -> Fault | None:
        fault = Fault(how="status", method=method, path=path, **order)
        spoiled.append(fault.fits(request))
        return fault if spoiled[-1] else None

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
        spoiled.clear()
        result: object = None
        try:
            result = call(adapter, issue)
        except TrackerError as error:
            result = Unavailable if isinstance(error, Deferred) else type(error)  # either puts off the group
        # A workflow that refuses a transition is told to people, in a note.
        result = Refused if isinstance(result, str) and result and operation == "transition" else result
        expected = concerned(operation, state, code)
        if not any(spoiled) and operation in PROJECTS.get(state, ()):
            expected = {Misconfigured}  # the reads before it meet the project
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


def test_a_new_client_charges_a_project_that_it_may_not_see_before_it_files(fake: FakeJira, opened: Open) -> None:
    """Data Center and Cloud answer 400 to the reads of its create screen, as to a mistake in one request."""
    fake.custom_fields = {"customfield_1": {"schema": {"type": "option"}, "allowedValues": [{"id": "1", "value": "a"}]}}
    adapter = opened(patience=60.0, fields={"customfield_1": "a"}, affects_versions=False)
    fake.permissions.clear()
    for _ in range(2):
        with pytest.raises(Misconfigured):
            adapter.create(a_draft())
    assert fake.sent("POST", "/issue$") == []

    fake.permissions |= PERMISSIONS
    adapter.create(a_draft())
    (issue,) = fake.issues.values()
    assert issue.fields["customfield_1"] == {"value": "a"}


def test_a_create_screen_is_read_again_after_a_refused_create(fake: FakeJira, opened: Open) -> None:
    """An account that may not file gets no issue types; the empty screen must not outlive that."""
    fake.custom_fields = {"customfield_1": {"schema": {"type": "option"}, "allowedValues": [{"id": "1", "value": "a"}]}}
    adapter = opened(patience=60.0, fields={"customfield_1": "a"}, affects_versions=False)
    types, fake.issue_types = fake.issue_types, []
    fake.permissions.remove("CREATE_ISSUES")
    with pytest.raises(Misconfigured):
        adapter.create(a_draft())

    fake.issue_types = types
    fake.permissions |= PERMISSIONS
    adapter.create(a_draft())
    (issue,) = fake.issues.values()
    assert issue.fields["customfield_1"] == {"value": "a"}

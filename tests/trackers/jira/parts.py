"""Values and builders that several tests of the Jira adapter use."""

from collections.abc import Callable
from typing import Any

from syncd.model import Group, Identity, Issue, IssueState
from syncd.render.text import Code, Document, Heading, Paragraph, Value
from syncd.trackers import Draft
from syncd.trackers.jira.tracker import Jira
from tests.fakes.server import How

MARKER = "5eed0a3f1c9b7d2e4a6f8b0c1d3e5f70"
TAG = "syncd-5eed0ae4ec0095542aaff5"

# Ends of a request after which nobody knows what became of it.
LOST: list[How] = ["reset_before", "reset_after", "half_after", "garbage_after", "empty_after", "early"]


Open = Callable[..., Jira]


def a_group(**facts: Any) -> Group:
    return Group(identity=Identity("acme", "game", "ab" * 32), **facts)


def a_draft(group: Group | None = None, **parts: Any) -> Draft:
    body = (Heading("Callstack"), Code(("main", "crash")))
    return Draft(**{"marker": MARKER, "title": "SIGSEGV in crash", "body": body, "group": group or a_group(), **parts})


def linked(adapter: Jira) -> Issue:
    made = adapter.create(a_draft())
    return Issue(
        tracker="mobile",
        state=IssueState.LINKED,
        marker=MARKER,
        remote_id=made.remote_id,
        key=made.key,
        url=made.url,
    )


def status(text: str) -> Document:
    return (Paragraph(("Occurrences: ", Value(text))),)


def doubtful(floor: int = 0, marker: str = MARKER) -> Issue:
    return Issue(tracker="mobile", state=IssueState.IN_DOUBT, marker=marker, attempt=1, floor=floor)

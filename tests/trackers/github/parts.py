"""Values and builders that several tests of the GitHub adapter use."""

from collections.abc import Callable

from syncd.model import Created, Group, Identity, Issue, IssueState
from syncd.render.markers import issue_line
from syncd.render.text import Document, Paragraph, Value
from syncd.trackers import Draft
from syncd.trackers.github.tracker import GitHub
from tests.fakes.github import FakeGitHub
from tests.fakes.github_records import Account, FakeIssue
from tests.fakes.server import How

MARKER = "5eed0a3f1c9b7d2e4a6f8b0c1d3e5f70"
GROUP = Group(identity=Identity("acme", "game", "f" * 64))
DRAFT = Draft(marker=MARKER, title="Crash in render()", body=(Paragraph(("It broke.",)),), group=GROUP)
STATUS: Document = (Paragraph(("Seen ", Value("5"), " times.")),)

# Ends of a request that was carried out, after which nobody knows so.
LOST: list[How] = ["reset_after", "half_after", "garbage_after", "empty_after", "early"]

# An issue as we write it, somebody who is not us, and a lag that no test outlives.
BODY = f"It broke.\n\n{issue_line(MARKER)}"
SOMEBODY = Account("somebody", 7)
HOUR = 3600.0

Open = Callable[..., GitHub]


def linked(created: Created) -> Issue:
    return Issue(
        tracker="crashes",
        state=IssueState.LINKED,
        marker=MARKER,
        remote_id=created.remote_id,
        key=created.key,
        url=created.url,
    )


def calls(fake: FakeGitHub) -> list[str]:
    return [f"{each.method} {each.path}" for each in fake.requests]


def doubtful(floor: int = 0) -> Issue:
    return Issue(tracker="crashes", state=IssueState.IN_DOUBT, marker=MARKER, floor=floor, attempt=1, sent_at=1.0)


def persons_issues(fake: FakeGitHub, number: int = 1) -> list[FakeIssue]:
    return [fake.file(fake.repository, "A person's issue", "words", SOMEBODY, []) for _ in range(number)]


def own_issue(fake: FakeGitHub) -> FakeIssue:
    return fake.file(fake.repository, "Crash in render()", BODY, fake.account, ["crash"])

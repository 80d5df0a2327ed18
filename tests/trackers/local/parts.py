"""Values and builders that several tests of files as a tracker use."""

from collections.abc import Callable
from pathlib import Path

from syncd.config import LocalSettings
from syncd.model import Created, Group, Identity, Issue, IssueState
from syncd.render.text import Code, Document, Heading, Paragraph
from syncd.trackers import Draft, Tracker, open_tracker
from tests.fakes.notebook import Memory
from tests.trackers.clock import AdapterClock

MARKER = "syncd:3f2a9c1b3f2a9c1b"
COMMENT_MARKER = "syncd:status:77aa"
BODY: Document = (Heading("What crashed"), Code(("draw", "<!-- syncd:3f2a9c1b3f2a9c1b -->")))
FIRST: Document = (Paragraph(("Seen 1 time.",)),)
SECOND: Document = (Paragraph(("Seen 2 times.",)),)
GROUP = Group(identity=Identity("acme", "game", "f"))


def tracker(folder: Path, notebook: Memory | None = None) -> Tracker:
    settings, clock = LocalSettings(kind="local", folder=str(folder)), AdapterClock()
    return open_tracker("notes", settings, notebook or Memory(), clock=clock, sleep=clock.sleep)


def draft(title: str = "Crash in Renderer::draw (renderer)", marker: str = MARKER) -> Draft:
    return Draft(marker=marker, title=title, body=BODY, group=GROUP)


def issue(created: Created) -> Issue:
    return Issue(tracker="notes", state=IssueState.LINKED, marker=MARKER, remote_id=created.remote_id)


def doubtful() -> Issue:
    return Issue(tracker="notes", state=IssueState.IN_DOUBT, marker=MARKER, attempt=1)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def uses(notes: Tracker, created: Created) -> list[Callable[[], object]]:
    return [
        lambda: notes.look(issue(created)),
        lambda: notes.comment(issue(created), FIRST, COMMENT_MARKER),
        lambda: notes.find_comment(issue(created), COMMENT_MARKER),
        lambda: notes.edit_comment(issue(created), "status", FIRST, COMMENT_MARKER),
    ]

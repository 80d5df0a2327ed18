"""What the suite files, and the states in which the store has it."""

from collections.abc import Callable
from dataclasses import replace

from syncd.model import Created, Group, Identity, Issue, IssueState, Place, Settings
from syncd.plugin.conformance.world import Item, World, whole_survey
from syncd.render import report
from syncd.render.parts import ReportExtras
from syncd.render.text import Code, Document, Heading, Paragraph, Value
from syncd.trackers import Draft, Tracker

MARKER = "5eed0a3f1c9b7d2e4a6f8b0c1d3e5f70"
SECOND_MARKER = "5eed0a9c1c9b7d2e4a6f8b0c1d3e5f70"
GROUP = Group(identity=Identity("acme", "game", "f" * 64))
DRAFT = Draft(
    marker=MARKER,
    title="Crash in render",
    body=(Heading("Call stack"), Code(("main", "drawnothing"))),
    group=GROUP,
)
WHOLE = Group(
    identity=Identity("acme|inc", "ga`me %41", "a1" * 32),
    application="Universe | x",
    callstack=("b2" * 32,),
    attributes=(("sha", ("c3" * 32,)),),
    group_url=f"https://backtrace.example.com/p/other/triage?fingerprint={'a1' * 32}",
)
BODY = report.body(WHOLE, ReportExtras())
FIVE: Document = (Paragraph(("Occurrences so far: ", Value("fivehundred"))),)
SIX: Document = (Paragraph(("Occurrences so far: ", Value("sixhundred"))),)
HOSTILE = (
    "@everyone [~admin] </details> --> ``` {noformat} {code} *bold* | # 1\r\n<script>alert(1)</script>",
    "\u202eright to left\u0000\u0007 \ud800 \U0001f4a5 %n ${jndi:ldap://x}",
)


def linked(created: Created | Place, marker: str = MARKER) -> Issue:
    """The issue as the store has it after a create or a look."""
    return Issue(
        tracker="crashes",
        state=IssueState.LINKED,
        marker=marker,
        remote_id=created.remote_id,
        key=created.key,
        url=created.url,
    )


def doubtful(floor: int = 0, marker: str = MARKER) -> Issue:
    """The issue as the store has it after a create whose outcome nobody knows."""
    return Issue(tracker="crashes", state=IssueState.IN_DOUBT, marker=marker, attempt=1, sent_at=1.0, floor=floor)


def only(world: World) -> Item:
    """The one issue that there is."""
    (item,) = world.items()
    return item


def item_of(world: World, remote_id: str) -> Item:
    return next(item for item in world.items() if item.remote_id == remote_id)


def operations(tracker: Tracker, issue: Issue) -> dict[str, Callable[[], object]]:
    """Every call that needs the tracker's answer."""
    return {
        "create": lambda: tracker.create(replace(DRAFT, marker=SECOND_MARKER)),
        "probe": lambda: tracker.probe(doubtful(marker=SECOND_MARKER)),
        "look": lambda: tracker.look(issue),
        "survey": lambda: whole_survey(tracker, [issue], None),
        "search": lambda: list(tracker.search(None, None)),
        "reopen": lambda: tracker.reopen(issue),
        "close_issue": lambda: tracker.close_issue(issue),
        "comment": lambda: tracker.comment(issue, FIVE, MARKER),
        "find_comment": lambda: tracker.find_comment(issue, MARKER),
        "edit_comment": lambda: tracker.edit_comment(issue, "1", FIVE, MARKER),
        "read_settings": lambda: tracker.read_settings(issue),
        "raise_settings": lambda: tracker.raise_settings(issue, Settings(labels=("many",))),
    }

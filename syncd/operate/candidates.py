"""Issues that may stand for a crash: the lines of a file, or what a search of a tracker reads. Reads neither."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from syncd.config import Config
from syncd.config.values import no_tracker
from syncd.core import adoption
from syncd.core.adoption import Entry
from syncd.model import Issue, IssueState, Observation
from syncd.trackers import IssueText
from syncd.trackers.references import named


class Outcome(StrEnum):
    """What became of an issue."""

    LINKED = "linked"  # its group is in the store
    WAITS = "waits"  # it is linked when the first notification of its crash is read
    BEFORE = "adopted before"
    LEFT = "left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An issue that may stand for a crash. `source` is where it comes from, for people; `observation` is None where it is not read yet."""

    source: str
    tracker: str
    issue: Issue
    fingerprint: str
    universe: str = ""
    project: str = ""
    observation: Observation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of one issue, and why."""

    source: str
    fingerprint: str
    tracker: str
    issue: str
    outcome: Outcome
    reason: str = ""
    url: str = ""
    project: str = ""  # empty: any


def from_file(config: Config, entries: Iterable[Entry], tracker: str | None) -> tuple[list[Candidate], list[Row]]:
    """The issues that a file names. A line without a tracker is about `tracker`."""
    candidates, rows = list[Candidate](), list[Row]()
    for entry in entries:
        name = entry.tracker or tracker
        source = f"line {entry.line}"
        try:
            if name is None:
                raise ValueError("it names no tracker; add a column for it, or give --tracker")
            if name not in config.trackers:
                raise ValueError(no_tracker(name, config.trackers))
            issue = named(name, config.trackers[name], entry.issue)
        except ValueError as error:
            row = Row(
                source=source,
                fingerprint=entry.fingerprint,
                tracker=name or "",
                issue=entry.issue,
                outcome=Outcome.LEFT,
                reason=str(error),
                project=entry.project,
            )
            rows.append(row)
            continue
        candidates.append(
            Candidate(
                source=source,
                tracker=name,
                issue=issue,
                fingerprint=entry.fingerprint,
                universe=entry.universe,
                project=entry.project,
            )
        )
    return candidates, rows


def from_texts(tracker: str, texts: Iterable[IssueText], *, narrowed: bool) -> tuple[list[Candidate], list[Row], int]:
    """The issues of a search that name one fingerprint, those that cannot be used, and how many name none. The latter are among those that cannot
    be used if a label or a query `narrowed` the search."""
    candidates, rows, nameless = list[Candidate](), list[Row](), 0
    for text in texts:
        mention, place = adoption.mention(text.title, text.body), text.observation.place
        several = mention.fingerprints or tuple(filter(None, [mention.beginning]))
        reason = ""
        if not several:
            nameless += 1
            reason = "it names no fingerprint; name it in a file"
            if not narrowed:
                continue
        elif len(several) > 1:
            reason = f"it names {len(several)} fingerprints; name the one that it stands for in a file"
        elif not several[0].strip("0"):
            reason = "its fingerprint is all zeros, which many crashes share; name it in a file if it stands for them"
        fingerprint = several[0] if several else ""
        if reason:
            rows.append(
                Row(
                    source=place.key,
                    fingerprint=fingerprint,
                    tracker=tracker,
                    issue=place.key,
                    outcome=Outcome.LEFT,
                    reason=reason,
                    url=place.url,
                    project=mention.project,
                )
            )
            continue
        issue = Issue(
            tracker=tracker, state=IssueState.LINKED, marker="", remote_id=place.remote_id, key=place.key, url=place.url
        )
        candidates.append(
            Candidate(
                source=place.key,
                tracker=tracker,
                issue=issue,
                fingerprint=fingerprint,
                universe=mention.universe,
                project=mention.project,
                observation=text.observation,
            )
        )
    return candidates, rows, nameless

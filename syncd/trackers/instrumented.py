"""A tracker client that counts, times and logs every operation of another client."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from syncd.errors import TrackerError
from syncd.model import Created, Evidence, Group, Issue, Observation, Survey
from syncd.platform import metrics
from syncd.platform.clock import Clock
from syncd.render.document import Document
from syncd.trackers import Draft, Finding, Tracker

log = structlog.get_logger("syncd.tracker")


class InstrumentedTracker:
    """A `Tracker` that passes every operation on to `tracker`."""

    def __init__(self, name: str, tracker: Tracker, clock: Clock) -> None:
        self._name = name
        self._tracker = tracker
        self._clock = clock

    def newest(self) -> int:
        with self._measure("newest", {}):
            return self._tracker.newest()

    def create(self, draft: Draft) -> Created:
        facts: dict[str, object] = {}
        with self._measure("create", facts):
            created = self._tracker.create(draft)
            facts["issue"] = created.key
            return created

    def probe(self, issue: Issue) -> Evidence:
        with self._measure("probe", _facts(issue)):
            return self._tracker.probe(issue)

    def look(self, issue: Issue) -> Observation:
        with self._measure("look", _facts(issue)):
            return self._tracker.look(issue)

    def survey(self, issues: Sequence[Issue], since: float | None) -> Survey:
        with self._measure("survey", {}):
            return self._tracker.survey(issues, since)

    def reopen(self, issue: Issue) -> str:
        with self._measure("reopen", _facts(issue)):
            return self._tracker.reopen(issue)

    def close_issue(self, issue: Issue) -> str:
        with self._measure("close_issue", _facts(issue)):
            return self._tracker.close_issue(issue)

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        with self._measure("comment", _facts(issue)):
            return self._tracker.comment(issue, document, marker)

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        with self._measure("find_comment", _facts(issue)):
            return self._tracker.find_comment(issue, marker)

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        with self._measure("edit_comment", _facts(issue)):
            self._tracker.edit_comment(issue, comment_id, document, marker)

    def refresh(self, issue: Issue, group: Group) -> None:
        with self._measure("refresh", _facts(issue)):
            self._tracker.refresh(issue, group)

    def check(self) -> list[Finding]:
        return self._tracker.check()

    def close(self) -> None:
        self._tracker.close()

    @contextmanager
    def _measure(self, operation: str, facts: dict[str, object]) -> Iterator[None]:
        """Count, time and log one call. The worker has bound delivery, group and fingerprint to the log."""
        began, outcome, emit = self._clock.monotonic(), "ok", log.info
        try:
            yield
        except TrackerError as error:
            outcome, emit = type(error).__name__, log.warning
            facts["reason"] = error.reason
            raise
        finally:
            seconds = self._clock.monotonic() - began
            metrics.CALLS.labels(self._name, operation, outcome).inc()
            metrics.CALL_SECONDS.labels(self._name, operation).observe(seconds)
            ms = round(seconds * 1000, 1)
            emit("tracker_call", tracker=self._name, operation=operation, outcome=outcome, ms=ms, **facts)


def _facts(issue: Issue) -> dict[str, object]:
    return {"issue": issue.key} if issue.key else {}

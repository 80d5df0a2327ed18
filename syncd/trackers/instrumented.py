"""A client of a tracker whose every operation is counted, timed and logged."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from syncd.errors import TrackerError
from syncd.model import Created, Evidence, Group, Issue, Observation, Survey
from syncd.platform import metrics
from syncd.render.document import Document
from syncd.trackers import Draft, Finding, Tracker

T = TypeVar("T")

log = structlog.get_logger("syncd.tracker")


class InstrumentedTracker:
    """`Tracker` that does what another one does, and tells of it."""

    def __init__(self, name: str, tracker: Tracker) -> None:
        self._name = name
        self._tracker = tracker

    def newest(self) -> int:
        return self._told("newest", self._tracker.newest)

    def create(self, draft: Draft) -> Created:
        return self._told("create", lambda: self._tracker.create(draft), key=lambda created: created.key)

    def probe(self, issue: Issue) -> Evidence:
        return self._told("probe", lambda: self._tracker.probe(issue), issue)

    def look(self, issue: Issue) -> Observation:
        return self._told("look", lambda: self._tracker.look(issue), issue)

    def survey(self, issues: Sequence[Issue], since: float | None) -> Survey:
        return self._told("survey", lambda: self._tracker.survey(issues, since))

    def reopen(self, issue: Issue) -> str:
        return self._told("reopen", lambda: self._tracker.reopen(issue), issue)

    def close_issue(self, issue: Issue) -> str:
        return self._told("shut", lambda: self._tracker.close_issue(issue), issue)

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        return self._told("comment", lambda: self._tracker.comment(issue, document, marker), issue)

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        return self._told("find_comment", lambda: self._tracker.find_comment(issue, marker), issue)

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        self._told("edit_comment", lambda: self._tracker.edit_comment(issue, comment_id, document, marker), issue)

    def refresh(self, issue: Issue, group: Group) -> None:
        self._told("refresh", lambda: self._tracker.refresh(issue, group), issue)

    def check(self) -> list[Finding]:
        return self._tracker.check()

    def close(self) -> None:
        self._tracker.close()

    def _told(
        self, operation: str, call: Callable[[], T], issue: Issue | None = None, key: Callable[[T], str] | None = None
    ) -> T:
        """The answer of `call`, which is told of. What is logged besides (delivery, group, fingerprint) is bound by the worker."""
        began, failure = time.monotonic(), None
        shown = None if issue is None else issue.key
        try:
            answer = call()
            shown = key(answer) if key is not None else shown
            return answer
        except TrackerError as error:
            failure = error
            raise
        finally:
            seconds = time.monotonic() - began
            outcome = "ok" if failure is None else type(failure).__name__
            metrics.CALLS.labels(self._name, operation, outcome).inc()
            metrics.CALL_SECONDS.labels(self._name, operation).observe(seconds)
            tell = log.info if failure is None else log.warning
            facts = {"issue": shown} if shown else {}
            facts |= {} if failure is None else {"reason": failure.reason}
            tell(
                "tracker_call",
                tracker=self._name,
                operation=operation,
                outcome=outcome,
                ms=round(seconds * 1000, 1),
                **facts,
            )

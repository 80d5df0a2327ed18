"""The class that a plug-in's tracker derives from. What not every tracker has, has a default."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from syncd.core.doubt import Evidence
from syncd.core.policy import Policy
from syncd.errors import Gone, Misconfigured, TrackerError
from syncd.model import Created, Group, Issue, Observation, PresentSettings, Settings
from syncd.render.text import Document
from syncd.trackers import Draft, Finding, IssueText, Survey, Sweep


def key_of(marker: str) -> str:
    """The marker in the form of a version 4 UUID, for a tracker that takes such a key with a create."""
    return str(uuid.UUID(hex=marker, version=4))


class Tracker(ABC):
    """One client of one configured tracker; used by one thread only. `syncd.trackers.Tracker` has the whole contract.

    Every method raises `TrackerError` and nothing else. The constructor sends no request. With `Proof.KEY` a create whose key is taken
    returns the issue that has it, with `existed`, so that `newest` and `sweep` keep their defaults.
    """

    def newest(self) -> int:
        """Return the highest issue number so far. 0: the issues have no numbers that rise."""
        return 0

    def sweep(self, floor: int, since: float) -> Sweep:  # noqa: ARG002
        """Return the issues of syncd with a number above `floor`. None: the issues have no numbers that rise."""
        return Sweep(newest=floor, upto=floor)

    def reference(self, marker: str) -> str:
        """Return the part of a marker that a sweep reads."""
        return marker

    @abstractmethod
    def ping(self) -> None:
        """Send one cheap read, once. Raises Unavailable where nothing answers, or what does is not the tracker's API."""

    @abstractmethod
    def create(self, draft: Draft) -> Created:
        """Call `draft.require_fresh`, then send the one request that creates the issue."""

    @abstractmethod
    def probe(self, issue: Issue) -> Evidence:
        """Find out whether a create was carried out. Reads only."""

    @abstractmethod
    def look(self, issue: Issue) -> Observation:
        """Return where a linked issue is now, and how people left it. Raises Gone, OutOfReach."""

    def survey(self, issues: Sequence[Issue], bookmark: str | None) -> Iterator[Survey]:  # noqa: ARG002
        """Look at many linked issues. One look for each of them: a tracker with a list needs fewer requests."""
        for issue in issues:
            name = str(issue.remote_id)
            try:
                yield Survey(observations={name: self.look(issue)})
            except Gone:
                yield Survey(observations={}, missing=(name,))

    def search(self, label: str | None, query: str | None) -> Iterator[Sequence[IssueText]]:  # noqa: ARG002
        """Read all issues, or those with a label or that fit a query, one request for each part. `syncd adopt` needs it."""
        raise Misconfigured("the plug-in of this tracker cannot list issues: give `syncd adopt` a file with their keys")

    @abstractmethod
    def reopen(self, issue: Issue) -> str:
        """Open a closed issue again. Returns a note for people, empty after success."""

    @abstractmethod
    def close_issue(self, issue: Issue) -> str:
        """Close an issue as done. Returns a note as `reopen` does."""

    @abstractmethod
    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        """Add a comment that carries `marker`, and return its id. One request, never sent again."""

    @abstractmethod
    def find_comment(self, issue: Issue, marker: str) -> str | None:
        """Return the id of our comment that carries `marker`, read from the issue itself."""

    @abstractmethod
    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        """Replace one of our comments. Raises Missing where a person deleted it."""

    def refresh(self, issue: Issue, group: Group) -> None:  # noqa: B027
        """Update mapped fields. Nothing: no field is mapped."""

    @abstractmethod
    def read_settings(self, issue: Issue) -> PresentSettings:
        """Return what rules may raise: what the issue has now."""

    @abstractmethod
    def raise_settings(self, issue: Issue, changes: Settings) -> str:
        """Set these properties and leave all others. Returns a note as `reopen` does."""

    def check(self, routes: Sequence[Policy] = (), releases: Sequence[str] = ()) -> list[Finding]:  # noqa: ARG002
        """Test login, project and permissions by real reads. Creates nothing."""
        try:
            self.ping()
        except TrackerError as error:
            return [Finding(ok=False, what=error.reason, remedy="correct the keys of its section, or try again")]
        return [Finding(ok=True, what="it answers")]

    def close(self) -> None:  # noqa: B027
        """Release the connections. Nothing is open."""

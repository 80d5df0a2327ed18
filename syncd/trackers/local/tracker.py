"""A folder of Markdown files as a tracker. A file is an issue; one of its lines is the marker.

People may change everything in it. syncd replaces only the text between the two lines of the status section, and the status.
"""

import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from syncd.config import LocalSettings
from syncd.core.doubt import Evidence
from syncd.core.policy import Policy
from syncd.errors import Gone, Misconfigured, Missing, Moved, OutcomeUnknown, Refused, TrackerError
from syncd.model import Condition, Created, Group, Issue, IssueState, Observation, Place, PresentSettings, Settings
from syncd.platform.clock import Clock
from syncd.render import markdown
from syncd.render.text import Document, one_line
from syncd.trackers import Draft, Finding, IssueText, Notebook, Survey, Sweep, is_wanted
from syncd.trackers.assignees import owners
from syncd.trackers.local import head as head_lines
from syncd.trackers.local.file import explained, make, rewrite, temporary
from syncd.trackers.local.folder import shared

_LONGEST_FILE = 1_000_000  # code points: more than any report has
_LONGEST_TITLE = 240
_LONGEST_SLUG = 60
_COMMENT_ID = "status"
_PART = 100  # files of a survey


class Local:
    """`kind = "local"`. Every call may be repeated: the folder shows the effect of earlier ones."""

    def __init__(
        self,
        name: str,  # noqa: ARG002 - the signature of every tracker
        settings: LocalSettings,
        notebook: Notebook,
        *,
        clock: Clock,
        sleep: Callable[[float], None],  # noqa: ARG002
    ) -> None:
        self._clock = clock
        self._folder = Path(settings.folder).absolute()
        self._shared = shared(self._folder)
        self._notebook = notebook

    def newest(self) -> int:
        """0: files have no numbers."""
        return 0

    def sweep(self, floor: int, since: float) -> Sweep:  # noqa: ARG002
        """Nothing: `create` returns the file that has the marker."""
        return Sweep(newest=floor, upto=floor)

    def reference(self, marker: str) -> str:
        """The marker."""
        return marker

    def ping(self) -> None:
        """Opens the folder, if it was made."""
        with explained(self._folder):
            if self._folder.exists():
                os.close(os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY))

    def create(self, draft: Draft) -> Created:
        """Write the issue's file, or return the existing one unchanged. Raises Refused when a file of another issue has its name."""
        with explained(self._folder):
            self._require_not_lost()
            make(self._folder)
            if self._notebook.recall("folder") != str(self._folder):
                # Before the folder holds a file: from now on an empty folder is a lost one.
                self._notebook.note("mounted", "yes" if os.path.ismount(self._folder) else "no")
                self._notebook.note("folder", str(self._folder))
            is_new = not self._shared.may_have(_digest(draft.marker), self._clock)
            path = (None if is_new else self._find(draft.marker)) or self._add(draft)
        return Created(remote_id=path.name, key=path.stem, url=path.as_uri())

    def _add(self, draft: Draft) -> Path:
        ascii_title = unicodedata.normalize("NFKD", draft.title).encode("ascii", "ignore").decode().lower()
        slug = re.sub(r"[^a-z0-9]+", "-", ascii_title).strip("-")[:_LONGEST_SLUG].rstrip("-") or "crash"
        path = self._folder / f"{slug}-{_digest(draft.marker)}.md"
        title = markdown.literal(one_line(draft.title, _LONGEST_TITLE))
        head = head_lines.lines(draft.labels, draft.assignee, draft.components)
        body = markdown.write(draft.body, _LONGEST_FILE, tail=_marker_line(draft.marker).decode())
        try:
            with temporary(self._folder, f"# {title}\n\n{head}\n\n{body}\n".encode()) as partial:
                self._shared.announce(_digest(draft.marker))
                draft.require_fresh()
                try:
                    # Unlike a rename, a link never replaces an existing file.
                    os.link(partial, path)
                except FileExistsError:
                    if self._find(draft.marker) != path:
                        reason = f"{path} is not the file of this issue but has its name; move it away"
                        raise Refused(reason) from None
            self._shared.flush()
        except OSError as error:
            if not path.exists():
                raise
            # After any other error the next attempt would take this file for one that shows the group of that time.
            raise OutcomeUnknown(f"{path} was written, but may be lost by a power cut: {error.strerror}") from None
        return path

    def _require_not_lost(self) -> None:
        """Raise Misconfigured where the earlier files cannot be seen: an unmounted disk must not look like an empty folder."""
        if self._shared.has_files() or (home := self._notebook.recall("folder")) is None:
            return
        if home != str(self._folder):
            raise Misconfigured(
                f"the issues so far are in {home}; move them, or configure {self._folder} as a tracker of another name"
            )
        if not self._folder.exists():
            raise Misconfigured(f"the folder {self._folder} is gone; mount its disk, or make it anew")
        if self._notebook.recall("mounted") == "yes" and not os.path.ismount(self._folder):
            raise Misconfigured(f"nothing is mounted at {self._folder}, where the issues were")

    def probe(self, issue: Issue) -> Evidence:
        """Read the folder, which shows a file at once. The file may have any name by now."""
        with explained(self._folder):
            path = self._find(issue.marker, renamed=True)
        if path is None:
            return Evidence(covered=True, summary=f"no file in {self._folder} has its marker")
        created = Created(remote_id=path.name, key=path.stem, url=path.as_uri())
        return Evidence(issues=(created,), covered=True, summary=f"{path.name} has its marker")

    def _find(self, marker: str, *, renamed: bool = False) -> Path | None:
        """The first file, by name, with the marker on a line of its own; if `renamed`, also under a name that people gave it, after
        those with syncd's own name."""
        # Only the end of the name is fixed: the title of a group can change between two attempts.
        paths = self._shared.files(_digest(marker))
        paths += self._shared.files() if renamed else []
        line = _marker_line(marker)
        for path in paths:
            if not path.is_dir() and line in map(bytes.strip, path.read_bytes().splitlines()):
                return path
        if renamed:
            self._require_not_lost()
        return None

    def look(self, issue: Issue) -> Observation:
        """The file's present name, and the lines that people wrote below its title."""
        with explained(self._folder):
            path = self._path(issue)
            head, fact = head_lines.read(path.read_bytes()), f"closed {path.name}"
            noted, people = self._notebook.recall(fact), owners([[head.assignee]] if head.assignee else [])
            if not head.closed:
                if noted:
                    self._notebook.note(fact, "")
                condition = Condition(fixed_in=head.fixed_in, labels=head.labels)
                return Observation(place=_place(path), condition=condition, owners=people)
            closed_at = head.closed_at
            if closed_at is None:
                # A file has no time for each line, and syncd's own writing changes the time of the whole.
                closed_at = float(noted) if noted else path.stat().st_mtime
                if not noted:
                    self._notebook.note(fact, repr(closed_at))
            original = self._folder / f"{head.duplicate_of.removesuffix('.md')}.md"
            is_there = bool(head.duplicate_of) and original.parent == self._folder and original.is_file()
        condition = Condition(
            closed=True,
            resolution=head.resolution,
            closed_at=closed_at,
            fixed_in=head.fixed_in,
            labels=head.labels,
            duplicate_of=_place(original) if is_there else None,
        )
        return Observation(place=_place(path), condition=condition, owners=people)

    def survey(self, issues: Sequence[Issue], bookmark: str | None) -> Iterator[Survey]:  # noqa: ARG002 - files are cheap to read
        """Read every file, _PART at a time: whoever surveys also files."""
        for start in range(0, len(issues), _PART):
            observations: dict[str, Observation] = {}
            missing: list[str] = []
            for issue in issues[start : start + _PART]:
                try:
                    observations[str(issue.remote_id)] = self.look(issue)
                except Gone:
                    missing.append(str(issue.remote_id))
            yield Survey(observations=observations, missing=tuple(missing))

    def search(self, label: str | None, query: str | None) -> Iterator[Sequence[IssueText]]:
        """Read every file, _PART at a time."""
        with explained(self._folder):
            paths = self._shared.files()
        for start in range(0, len(paths), _PART):
            texts: list[IssueText] = []
            for path in paths[start : start + _PART]:
                with explained(self._folder), suppress(FileNotFoundError, IsADirectoryError):
                    place, text = _place(path), path.read_bytes().decode("utf-8", "replace")
                    issue = Issue(tracker="", state=IssueState.LINKED, marker="", remote_id=path.name, key=path.stem)
                    title, _, body = text.removeprefix("\ufeff").partition("\n")
                    observation = replace(self.look(issue), place=place)
                    condition = replace(observation.condition, created_at=path.stat().st_mtime)
                    observation = replace(observation, condition=condition)
                    texts.append(IssueText(observation=observation, title=title.strip("# `\r"), body=body))
            yield [text for text in texts if is_wanted(text, label, query)]

    def reopen(self, issue: Issue) -> str:
        """Replace the status below the title."""
        return self._set_status(issue, "open", closed=False)

    def close_issue(self, issue: Issue) -> str:
        """Replace the status below the title."""
        return self._set_status(issue, "closed", closed=True)

    def _set_status(self, issue: Issue, status: str, *, closed: bool) -> str:
        with explained(self._folder):
            path, content = self._read(issue)
            if head_lines.read(content).closed is closed:
                return ""
            changed = head_lines.with_status(content, status)
            if changed is None:
                return f"{path.name} has no line for its status any more; write `- Status: {status}` below its title"
            self._replace(path, content, changed)
        return ""

    def _replace(self, path: Path, old: bytes, new: bytes) -> None:
        if new != old:
            rewrite(path, old, new)
            self._shared.flush()

    def _path(self, issue: Issue) -> Path:
        path = self._folder / str(issue.remote_id)
        if path.is_file():
            return path
        if not self._folder.exists():
            raise Misconfigured(f"the folder {self._folder} is gone; mount its disk, or make it anew")
        renamed = self._find(issue.marker, renamed=True)
        if renamed is None:
            raise Gone(f"{path} is gone, and no other file there has its marker")
        return renamed

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        """Add the status section at the end of the file, or replace an existing one."""
        with explained(self._folder):
            path, content = self._read(issue)
            ending = b"" if content.endswith(b"\n") or not content else b"\n"
            before, after = _around_section(content, marker) or (content + ending + b"\n", b"")
            self._replace(path, content, before + _section(document, marker) + after)
        return _COMMENT_ID

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        """The id of the status section, if the file has one."""
        with explained(self._folder):
            _, content = self._read(issue)
        return _COMMENT_ID if _around_section(content, marker) else None

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        """Replace the status section. Raises Missing when it is gone."""
        with explained(self._folder):
            path, content = self._read(issue)
            around = _around_section(content, marker)
            if around is None:
                raise Missing(f"section {comment_id!r} is no longer in {path}")
            before, after = around
            self._replace(path, content, before + _section(document, marker) + after)

    def _read(self, issue: Issue) -> tuple[Path, bytes]:
        path = self._path(issue)
        if path.name != issue.remote_id:
            raise Moved(f"{issue.remote_id} is called {path.name} now", path.name, path.stem, path.as_uri())
        return path, path.read_bytes()

    def refresh(self, issue: Issue, group: Group) -> None:
        """A file has no fields."""

    def read_settings(self, issue: Issue) -> PresentSettings:
        """The lines below the title of the file."""
        with explained(self._folder):
            head = head_lines.read(self._read(issue)[1])
        return PresentSettings(
            settings=Settings(assignee=head.assignee or None, labels=head.labels, components=head.components)
        )

    def raise_settings(self, issue: Issue, changes: Settings) -> str:
        """Add to the lines below the title of the file."""
        with explained(self._folder):
            path, content = self._read(issue)
            changed = head_lines.with_more(content, changes.labels, changes.assignee, changes.components)
            if changed is None:
                return f"{path.name} has no line for its status any more; write `- Status: open` below its title"
            self._replace(path, content, changed)
        return ""

    def check(self, routes: Sequence[Policy] = (), releases: Sequence[str] = ()) -> list[Finding]:  # noqa: ARG002 - files take any value
        """Try to write to the folder, or to the nearest folder above it. Leaves no file."""
        try:
            with explained(self._folder):
                nearest = next(path for path in (self._folder, *self._folder.parents) if path.exists())
                with temporary(nearest, b""):
                    verb = "written to" if nearest == self._folder else "made"
        except TrackerError as error:
            return [Finding(ok=False, what=error.reason, remedy="name a folder that syncd may write to")]
        return [Finding(ok=True, what=f"{self._folder} can be {verb}")]

    def close(self) -> None:
        """Nothing is open."""


def _place(path: Path) -> Place:
    return Place(remote_id=path.name, key=path.stem, url=path.as_uri())


def _digest(marker: str) -> str:
    return sha256(_bare(marker).encode()).hexdigest()[:8]


def _marker_line(marker: str) -> bytes:
    return f"<!-- {_bare(marker)} -->".encode()


def _bare(marker: str) -> str:
    return marker.removeprefix("<!--").removesuffix("-->").strip()


def _section(document: Document, marker: str) -> bytes:
    first, last = _section_lines(marker)
    return b"%b\n\n%b\n\n%b\n" % (first, markdown.write(document, _LONGEST_FILE).encode(), last)


def _section_lines(marker: str) -> tuple[bytes, bytes]:
    return _marker_line(f"status of {_bare(marker)}"), _marker_line(f"end of status of {_bare(marker)}")


def _around_section(content: bytes, marker: str) -> tuple[bytes, bytes] | None:
    """The bytes before and after the status section; None where one of its two lines is gone."""
    lines = content.splitlines(keepends=True)
    bare = [line.strip() for line in lines]
    first, last = _section_lines(marker)
    if first not in bare:
        return None
    # Further up may be a first line whose last line was deleted.
    start = len(bare) - 1 - bare[::-1].index(first)
    if last not in bare[start:]:
        return None
    end = bare.index(last, start)
    return b"".join(lines[:start]), b"".join(lines[end + 1 :])

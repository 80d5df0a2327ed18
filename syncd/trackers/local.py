"""A folder of Markdown files as a tracker. A file is an issue, known again by the marker on one of its lines.

People may change everything in it; only what stands between the two lines of the status section is replaced.
"""

import errno
import os
import re
import secrets
import stat
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from syncd.config import LocalSettings
from syncd.errors import Gone, Misconfigured, Missing, Moved, OutcomeUnknown, Refused, TrackerError, Unavailable
from syncd.model import Created, Evidence, Group, Issue, Place
from syncd.render import markdown
from syncd.render.document import Document
from syncd.render.text import one_line
from syncd.trackers import Draft, Finding, Notebook

_LONGEST_FILE = 1_000_000  # code points: more than any report has
_LONGEST_TITLE = 240
_LONGEST_SLUG = 60
_COMMENT_ID = "status"

# What does not go away by itself. Anything else, a full disk above all, may.
_FOR_PEOPLE = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ELOOP,
    errno.ENAMETOOLONG,
}


class Local:
    """The tracker of kind `local`. Any call may be repeated: the folder itself says what was done before."""

    def __init__(
        self,
        name: str,  # noqa: ARG002 - as all trackers
        settings: LocalSettings,
        notebook: Notebook,
        *,
        sleep: Callable[[float], None],  # noqa: ARG002
    ) -> None:
        self._folder = Path(settings.folder).absolute()
        self._notebook = notebook

    def newest(self) -> int:
        """Always 0: files have no numbers."""
        return 0

    def create(self, draft: Draft) -> Created:
        """Write the issue's file, or return the one that is already there, left as it is.

        Raises Refused when another file has its name.
        """
        with _explained(self._folder):
            self._settle()
            path = self._find(draft.marker) or self._add(draft)
        return Created(remote_id=path.name, key=path.stem, url=path.as_uri())

    def _settle(self) -> None:
        """Make the folder the first time, and remember it before there is any file in it."""
        self._require_not_lost()
        _make(self._folder)
        if self._notebook.recall("folder") != str(self._folder):
            self._notebook.note("mounted", "yes" if os.path.ismount(self._folder) else "no")
            self._notebook.note("folder", str(self._folder))

    def _require_not_lost(self) -> None:
        """Raise Misconfigured where the files of before cannot be seen: a disk that is not mounted must not look as if nothing
        had been written, or everything deleted."""
        home = self._notebook.recall("folder")
        if home is None or any(self._folder.glob("*.md")):
            return
        if home != str(self._folder):
            raise Misconfigured(
                f"the issues so far are in {home}; move them, or configure {self._folder} as a tracker of another name"
            )
        if not self._folder.exists():
            raise Misconfigured(f"the folder {self._folder} is gone; mount its disk, or make it anew")
        if self._notebook.recall("mounted") == "yes" and not os.path.ismount(self._folder):
            raise Misconfigured(f"nothing is mounted at {self._folder}, where the issues were")

    def _find(self, marker: str) -> Path | None:
        # The name may begin otherwise than before: the title of a group can change between two attempts.
        return _carrier(self._folder, f"*-{_digest(marker)}.md", marker)

    def _add(self, draft: Draft) -> Path:
        path = self._folder / f"{_slug(draft.title)}-{_digest(draft.marker)}.md"
        try:
            with _temporary(self._folder, _content(draft)) as temporary:
                draft.require_fresh()
                self._name(temporary, path, draft)
            _sync(self._folder)
        except OSError as error:
            if not path.exists():
                raise
            # Were it said not to have happened, the next try would take the file for one that shows the group as it is by then.
            raise OutcomeUnknown(f"{path} was written, but may be lost by a power cut: {error.strerror}") from None
        return path

    def _name(self, temporary: Path, path: Path, draft: Draft) -> None:
        try:
            # Unlike a rename, a link never replaces what is there.
            os.link(temporary, path)
        except FileExistsError:
            if self._find(draft.marker) != path:
                reason = f"{path} is not the file of this issue but has its name; move it away"
                raise Refused(reason) from None

    def probe(self, issue: Issue) -> Evidence:
        """Read the folder: it shows at once what was written, under whatever name."""
        with _explained(self._folder):
            path = self._find_anywhere(issue.marker)
        if path is None:
            return Evidence(covered=True, words=f"no file in {self._folder} has its marker")
        created = Created(remote_id=path.name, key=path.stem, url=path.as_uri())
        return Evidence(found=(created,), covered=True, words=f"{path.name} has its marker")

    def _find_anywhere(self, marker: str) -> Path | None:
        """The issue's file, also where people gave it another name. Of copies, the one named as we name it comes first."""
        found = self._find(marker) or _carrier(self._folder, "*.md", marker)
        if found is None:
            self._require_not_lost()
        return found

    def look(self, issue: Issue) -> Place:
        """Where the file is now, under whatever name."""
        with _explained(self._folder):
            path = self._path(issue)
        return Place(remote_id=path.name, key=path.stem, url=path.as_uri())

    def _path(self, issue: Issue) -> Path:
        path = self._folder / str(issue.remote_id)
        if path.is_file():
            return path
        if not self._folder.exists():
            raise Misconfigured(f"the folder {self._folder} is gone; mount its disk, or make it anew")
        found = self._find_anywhere(issue.marker)
        if found is None:
            raise Gone(f"{path} is gone, and no other file there has its marker")
        return found

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        """Add the status section at the end of the file, or replace the one that is there."""
        with _explained(self._folder):
            path, content = self._read(issue)
            before, after = _around_section(content, marker) or (_ended(content) + b"\n", b"")
            _replace(path, content, before + _section(document, marker) + after)
        return _COMMENT_ID

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        """The id of the status section, if the file has it."""
        with _explained(self._folder):
            _, content = self._read(issue)
        return _COMMENT_ID if _around_section(content, marker) else None

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        """Replace the status section. Raises Missing when it is gone."""
        with _explained(self._folder):
            path, content = self._read(issue)
            around = _around_section(content, marker)
            if around is None:
                raise Missing(f"section {comment_id!r} is no longer in {path}")
            before, after = around
            _replace(path, content, before + _section(document, marker) + after)

    def _read(self, issue: Issue) -> tuple[Path, bytes]:
        path = self._path(issue)
        if path.name != issue.remote_id:
            raise Moved(f"{issue.remote_id} is called {path.name} now", path.name, path.stem, path.as_uri())
        return path, path.read_bytes()

    def refresh(self, issue: Issue, group: Group) -> None:
        """A file has no fields."""

    def check(self) -> list[Finding]:
        """Whether files can be written to the folder, or to where it will be made. Leaves nothing behind."""
        try:
            with _explained(self._folder):
                nearest = next(path for path in (self._folder, *self._folder.parents) if path.exists())
                with _temporary(nearest, b""):
                    verb = "written to" if nearest == self._folder else "made"
        except TrackerError as error:
            return [Finding(ok=False, what=error.reason, remedy="name a folder that syncd may write to")]
        return [Finding(ok=True, what=f"{self._folder} can be {verb}")]

    def close(self) -> None:
        """Nothing is held open."""


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = f"the folder {folder} cannot be used: {error.strerror}"
        raise (Misconfigured if error.errno in _FOR_PEOPLE else Unavailable)(reason) from None


def _carrier(folder: Path, pattern: str, marker: str) -> Path | None:
    """The first file by name that has the marker on one of its lines."""
    line = _marker_line(marker)
    for path in sorted(folder.glob(pattern)):
        if not path.is_dir() and line in map(bytes.strip, path.read_bytes().splitlines()):
            return path
    return None


def _make(folder: Path) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        _sync(made.parent)


def _content(draft: Draft) -> bytes:
    title = markdown.literal(one_line(draft.title, _LONGEST_TITLE))
    body = markdown.write(draft.body, _LONGEST_FILE, tail=_marker_line(draft.marker).decode())
    return f"# {title}\n\n{body}\n".encode()


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_SLUG].rstrip("-") or "crash"


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
    """What stands before and after the status section, byte for byte; None where one of its lines is gone."""
    lines = content.splitlines(keepends=True)
    bare = [line.strip() for line in lines]
    first, last = _section_lines(marker)
    if first not in bare:
        return None
    # A first line whose last one was deleted may stand further up.
    start = len(bare) - 1 - bare[::-1].index(first)
    if last not in bare[start:]:
        return None
    end = bare.index(last, start)
    return b"".join(lines[:start]), b"".join(lines[end + 1 :])


def _ended(content: bytes) -> bytes:
    return content if content.endswith(b"\n") or not content else content + b"\n"


def _replace(path: Path, old: bytes, new: bytes) -> None:
    if new == old:
        return
    with _temporary(path.parent, new, mode=stat.S_IMODE(path.stat().st_mode)) as temporary:
        if path.read_bytes() != old:
            raise Unavailable(f"{path} is being edited")
        temporary.replace(path)
    _sync(path.parent)


@contextmanager
def _temporary(folder: Path, content: bytes, mode: int | None = None) -> Iterator[Path]:
    """A file with `content` that is on disk, and gone afterwards under this name, which no issue has."""
    path = folder / f".{secrets.token_hex(8)}.partial"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with open(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Put on disk which names the folder has."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

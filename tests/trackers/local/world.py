"""A folder of files, as the conformance suite orders it about."""

import errno
import os
import re
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import pytest

from syncd.config import LocalSettings
from syncd.plugin.conformance.world import Event, Item, World
from syncd.trackers import Draft, open_tracker
from tests.fakes.notebook import Memory


class LocalWorld(World):
    """The folder `issues`. A comment is the status section of a file."""

    impossible: ClassVar[Mapping[Event, str]] = {
        "create lost before": "a system call that fails says so",
        "comment lost before": "a system call that fails says so",
        "comment lost after": "writing the one status section again does no harm, so it is never in doubt",
        "lag": "a folder shows at once what was written",
        "throttle": "a file system limits no requests",
        "bar reopening": "a file without a status line counts as open",
        "priorities": "the lines of a file have no priority",
        "move away": "a folder has no place where files can be read but not written",
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.issues = folder / "issues"
        self.patch = pytest.MonkeyPatch()
        self.stack.callback(self.patch.undo)

    @property
    def settings(self) -> LocalSettings:
        return LocalSettings(kind="local", folder=str(self.issues))

    def items(self) -> list[Item]:
        self.patch.undo()
        return [_item(path) for path in sorted(self.issues.glob("*.md"))]

    def imitation(self, marker: str) -> str:
        return f"<!-- {marker} -->"

    def file(self, title: str) -> str:
        self.issues.mkdir(parents=True, exist_ok=True)
        path = self.issues / f"{title.lower().replace(' ', '-')}.md"
        path.write_text(f"# {title}\n\n- Status: open\n")
        return path.name

    def copy(self, remote_id: str) -> None:
        shutil.copy(self.issues / remote_id, self.issues / remote_id.replace(".md", " (copy).md"))

    def edit(self, remote_id: str, text: str) -> None:
        path = self.issues / remote_id
        path.write_text(path.read_text().replace("\n## ", f"\n{text}\n\n## ", 1) + f"\n{text}\n")

    def close(self, remote_id: str) -> None:
        self._replace(remote_id, "- Status: open\n", "- Status: closed (fixed)\n")

    def reopen(self, remote_id: str) -> None:
        self._replace(remote_id, "- Status: closed (fixed)\n", "- Status: open\n")

    def delete(self, remote_id: str) -> None:
        (self.issues / remote_id).unlink()

    def move(self, remote_id: str) -> None:
        (self.issues / remote_id).rename(self.issues / "renamed by people.md")

    def unlabel(self, remote_id: str, label: str) -> None:
        path = self.issues / remote_id
        path.write_text(re.sub(rf"(- Labels:.*?)(?:, )?\b{label}\b", r"\1", path.read_text()))

    def assign(self, remote_id: str, name: str | None) -> None:
        path = self.issues / remote_id
        text = re.sub(r"- Assignee:.*\n", "", path.read_text())
        line = "" if name is None else f"- Assignee: {name}\n"
        path.write_text(text.replace("- Status: open\n", f"- Status: open\n{line}"))

    def comment(self, remote_id: str, text: str) -> None:
        path = self.issues / remote_id
        path.write_text(f"{path.read_text()}\n{text}\n")

    def delete_comment(self, remote_id: str, comment_id: str) -> None:
        path = self.issues / remote_id
        path.write_text(path.read_text().partition("<!-- status of")[0])

    def bar_closing(self, remote_id: str) -> None:
        self._replace(remote_id, "- Status: open\n", "Nobody needs a status line.\n")

    def lose(self, call: Literal["create", "comment"], when: Literal["before", "after"]) -> None:
        real = os.fsync

        def fail_for_folders(descriptor: int) -> None:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            real(descriptor)

        self.issues.mkdir(exist_ok=True)
        self.patch.setattr(os, "fsync", fail_for_folders)

    def refuse(self, draft: Draft) -> None:
        scratch = LocalSettings(kind="local", folder=str(self.folder / "scratch"))
        name = open_tracker("scratch", scratch, Memory(), clock=self.clock, sleep=self.sleep).create(draft).remote_id
        self.issues.mkdir()
        (self.issues / name).write_text("# A person's file of the same name\n")

    def revoke(self) -> None:
        self._fail(errno.EACCES)

    def shut(self) -> None:
        self._fail(errno.EIO)

    def _fail(self, number: int) -> None:
        def fail(*args: object, **keywords: object) -> bytes:
            raise OSError(number, os.strerror(number))

        self.patch.setattr(os, "open", fail)
        self.patch.setattr(Path, "read_bytes", fail)

    def _replace(self, remote_id: str, old: str, new: str) -> None:
        path = self.issues / remote_id
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))


def _item(path: Path) -> Item:
    text = path.read_text()
    return Item(
        remote_id=path.name,
        title=text.splitlines()[0],
        body=text,
        closed="- Status: closed" in text,
        labels=tuple(part.strip() for line in re.findall("- Labels: (.*)", text) for part in line.split(",")),
        comments=tuple(re.findall(r"<!-- status of(.*?)<!-- end of status", text, re.DOTALL)),
    )

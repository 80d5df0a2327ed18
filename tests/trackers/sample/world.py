"""The help desk, as the conformance suite orders it about."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from syncd.config import OtherSettings
from syncd.trackers import Draft
from tests.trackers.sample.desk import DESKS, Desk, DeskError, Ticket
from tests.trackers.world import Event, Item, World

_CALLS = {"create": "create", "comment": "remark"}


class DeskWorld(World):
    """The board `crashes`; tickets move to `triage`, or to `secret`, where the account may only read."""

    impossible: ClassVar[Mapping[Event, str]] = {
        "assign": "the desk assigns no tickets",
        "reference": "the issues of a tracker of another package cannot be linked by hand",
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.desk = Desk(f"desk://{folder}")
        self.stack.callback(DESKS.pop, self.desk.url)
        install(folder)
        self.stack.callback(sys.path.remove, str(folder))

    @property
    def settings(self) -> OtherSettings:
        keys = {"kind": "desk", "url": self.desk.url, "desk_token": "desk-token"}
        return OtherSettings.model_validate(keys)

    def items(self) -> list[Item]:
        return [
            Item(
                remote_id=str(ticket.number),
                title=ticket.title,
                body=ticket.text,
                closed=bool(ticket.resolution),
                comments=tuple(remark.text for remark in ticket.remarks),
                labels=tuple(ticket.tags),
                priority=ticket.priority,
            )
            for ticket in self.desk.tickets.values()
            if ticket is not None
        ]

    def _ticket(self, remote_id: str) -> Ticket:
        return self.desk.do_read(int(remote_id))

    def imitation(self, marker: str) -> str:
        return marker

    def file(self, title: str) -> str:
        return str(self.desk.do_create(title, "It broke.", author="ada").number)

    def copy(self, remote_id: str) -> None:
        ticket = self._ticket(remote_id)
        self.desk.do_create(ticket.title, ticket.text, ticket.reference, author="ada")

    def edit(self, remote_id: str, text: str) -> None:
        self._ticket(remote_id).text += f"\n{text}\n"

    def close(self, remote_id: str) -> None:
        self._ticket(remote_id).resolution = "fixed"

    def reopen(self, remote_id: str) -> None:
        self._ticket(remote_id).resolution = ""

    def delete(self, remote_id: str) -> None:
        self.desk.tickets[int(remote_id)] = None

    def move(self, remote_id: str) -> None:
        self._ticket(remote_id).board = "triage"

    def move_away(self, remote_id: str) -> None:
        self._ticket(remote_id).board = "secret"

    def unlabel(self, remote_id: str, label: str) -> None:
        self._ticket(remote_id).tags.remove(label)

    def prioritise(self, remote_id: str, priority: str) -> None:
        self._ticket(remote_id).priority = priority

    def comment(self, remote_id: str, text: str) -> None:
        self.desk.do_remark(int(remote_id), text, author="ada")

    def delete_comment(self, remote_id: str, comment_id: str) -> None:
        ticket = self._ticket(remote_id)
        ticket.remarks = [remark for remark in ticket.remarks if str(remark.id) != comment_id]

    def bar_reopening(self, remote_id: str) -> None:
        self.desk.barred.add(int(remote_id))

    bar_closing = bar_reopening

    def lose(self, call: Literal["create", "comment"], when: Literal["before", "after"]) -> None:
        self.desk.lost[_CALLS[call]] = when

    def lag(self) -> None:
        self.desk.lags = True

    def throttle(self) -> None:
        self.desk.answers["create"] = DeskError(429, 17.0)

    def refuse(self, draft: Draft) -> None:
        self.desk.answers["create"] = DeskError(422)

    def revoke(self) -> None:
        self.desk.token = "another-token"

    def shut(self) -> None:
        self.desk.down = True


def install(folder: Path) -> None:
    """Put the metadata of a package with this tracker on the path, as `pip install` does."""
    metadata = folder / "syncd_desk-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: syncd-desk\nVersion: 1.0\n")
    points = "[syncd.trackers]\ndesk = tests.trackers.sample.tracker:DeskTracker\n"
    (metadata / "entry_points.txt").write_text(points)
    sys.path.append(str(folder))

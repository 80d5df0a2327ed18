"""The help desk, as the conformance suite orders it about."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from syncd.plugin import Draft, PluginSettings, Secret, key_of
from syncd.plugin.conformance import Event, Fault, Item, World
from tests.trackers.sample.desk import TOKEN, Desk, Ticket
from tests.trackers.sample.syncd_desk import DeskSettings, KeyedDeskSettings

_PATHS = {"create": "/tickets$", "comment": "/remarks$"}


class DeskWorld(World):
    """The board `crashes`; tickets move to `triage`, or to `secret`, where the account may only read."""

    impossible: ClassVar[Mapping[Event, str]] = {"assign": "the desk assigns no tickets"}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.desk = self.stack.enter_context(Desk())
        (folder / "token").write_text(TOKEN)

    @property
    def settings(self) -> PluginSettings:
        return DeskSettings(kind="desk", url=self.desk.url, token=Secret(file=str(self.folder / "token")))

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
        return self.desk.ticket(int(remote_id))

    def imitation(self, marker: str) -> str:
        return marker

    def file(self, title: str) -> str:
        return str(self.desk.file(title, "It broke.").number)

    def copy(self, remote_id: str) -> None:
        ticket = self._ticket(remote_id)
        self.desk.file(ticket.title, ticket.text, ticket.reference)

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
        self.desk.remark(int(remote_id), text)

    def delete_comment(self, remote_id: str, comment_id: str) -> None:
        ticket = self._ticket(remote_id)
        ticket.remarks = [remark for remark in ticket.remarks if str(remark.id) != comment_id]

    def bar_reopening(self, remote_id: str) -> None:
        self.desk.barred.add(int(remote_id))

    bar_closing = bar_reopening

    def lose(self, call: Literal["create", "comment"], when: Literal["before", "after"]) -> None:
        self.desk.inject(Fault(how="reset_before" if when == "before" else "reset_after", path=_PATHS[call]))

    def lag(self) -> None:
        self.desk.lags = True

    def throttle(self) -> None:
        self.desk.inject(Fault(how="status", path=_PATHS["create"], status=429, headers={"Retry-After": "17"}))

    def refuse(self, draft: Draft) -> None:
        self.desk.inject(Fault(how="status", path=_PATHS["create"], status=422))

    def revoke(self) -> None:
        self.desk.token = "another-token"

    def shut(self) -> None:
        self.desk.close()


class KeyedDeskWorld(DeskWorld):
    """The same desk, with keys that syncd chooses."""

    @property
    def settings(self) -> PluginSettings:
        return KeyedDeskSettings(kind="keyed-desk", url=self.desk.url, token=Secret(file=str(self.folder / "token")))

    def imitation(self, marker: str) -> str:
        return key_of(marker)

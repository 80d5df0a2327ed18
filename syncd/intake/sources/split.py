"""The notifications in a body. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

MOST_ITEMS = 2000  # notifications of one body
MOST_BYTES = 16 * 2**20  # of what they share: it is stored with each of them


@dataclass(frozen=True, slots=True)
class Split:
    """A body, the names on the way to the list in it, and the items of that list. Without a list the body is the one notification."""

    body: Mapping[str, Any]
    way: Sequence[str]
    items: Sequence[object]

    @property
    def is_bounded(self) -> bool:
        """True if the body of each notification may have what they share."""
        count = len(self.items)
        return count <= MOST_ITEMS and count * len(msgspec.json.encode(self.having([]))) <= MOST_BYTES

    def having(self, items: Sequence[object]) -> dict[str, Any]:
        """Return the body with these items alone in its list."""
        return with_list(self.body, self.way, items) if self.way else dict(self.body)


def whole(body: Mapping[str, Any]) -> Split:
    """Return a body that is one notification."""
    return Split(body, (), [body])


def with_list(value: Mapping[str, Any], way: Sequence[str], items: Sequence[object]) -> dict[str, Any]:
    """Return a body with another list at the end of a way that it has."""
    below: Any = list(items) if len(way) == 1 else with_list(value[way[0]], way[1:], items)
    return {**value, way[0]: below}

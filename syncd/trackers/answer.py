"""What came back for one request to a tracker, before anybody says what it means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer. Names of headers are in lower case; neither they nor the body show in a repr."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def redirects(self) -> bool:
        return self.status in (301, 302, 303, 307, 308)

    @property
    def passes(self) -> bool:
        """Whether the same request may be answered otherwise a moment later."""
        return self.status >= 500 or self.status in (408, 409, 421, 425)


class Sent(StrEnum):
    """What a second sending of the same request would do."""

    ONCE = "once"  # another issue or comment
    AGAIN = "again"  # nothing

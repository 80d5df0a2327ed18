"""`[backtrace.NAME]`: one Backtrace server, and the projects that syncd may read there."""

from typing import Annotated

from pydantic import Field, field_validator

from syncd.config.values import Address, Interval, Seconds, Secret, Section, WriteLimit
from syncd.core.budget import Limit


class BacktraceProject(Section):
    """`[[backtrace.NAME.projects]]`: one project, with a token of its own."""

    name: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^/\s]+$")]
    """the project's name, as notifications have it"""
    token: Secret
    """a secret: an API token of the project with the capability `query:post`. syncd sends it to `url` only"""
    poll: Interval = 900.0
    """how often syncd reads the counts of the groups that crashed; a notification makes it read within a minute. `"off"`: never"""
    reads: Annotated[list[WriteLimit], Field(min_length=1)] = [Limit(count=30, seconds=60.0)]
    """maximum numbers of requests per time"""


class BacktraceSettings(Section):
    """`[backtrace.NAME]`: a universe on a Backtrace server."""

    url: Address
    """the address of Backtrace: `"https://acme.sp.backtrace.io"`. syncd sends requests nowhere else, whatever a notification names"""
    universe: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^/\s]+$")]
    """the universe, as notifications have it"""
    timeout: Annotated[Seconds, Field(ge=1, le=120)] = 60.0
    """for one request"""
    ca_file: str | None = None
    """a file with CA certificates to trust"""
    projects: Annotated[list[BacktraceProject], Field(min_length=1)]
    """`[[backtrace.NAME.projects]]`, one for each project; see below"""

    @field_validator("projects")
    @classmethod
    def _distinct(cls, value: list[BacktraceProject]) -> list[BacktraceProject]:
        names = [project.name for project in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two of them have the name {name!r}; leave one")
        return value

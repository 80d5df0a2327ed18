"""`[backtrace.NAME]`: one Backtrace server, and the projects that syncd may read there."""

import math
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

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
    link: Literal["off", "tickets"] = "off"
    """`"tickets"`: write the issue of each group that polls read into the group's list of tickets in Backtrace, which moves an open group to *In Progress*"""
    link_token: Annotated[Secret | None, Field(validate_default=True)] = None
    """a secret: the token that writes tickets; required with `link = "tickets"`"""

    @field_validator("link")
    @classmethod
    def _polls(cls, value: str, info: ValidationInfo) -> str:
        if value == "tickets" and info.data.get("poll") == math.inf:
            raise ValueError('is written by polls; remove poll = "off"')
        return value

    @field_validator("link_token")
    @classmethod
    def _writes(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        link = info.data.get("link")
        if link == "tickets" and value is None:
            raise ValueError('is missing; link = "tickets" writes with a token of its own')
        if link == "off" and value is not None:
            raise ValueError('counts only with link = "tickets"; set that as well, or remove this key')
        return value


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

"""`[trackers.NAME]` with `kind = "gitlab"`."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from syncd.plugin import Address, Day, IssueName, Limit, PluginSettings, Secret, WriteLimit


def _project(value: str) -> str:
    """group/project, group/subgroup/project."""
    if not re.fullmatch(r"[\w.-]+(?:/[\w.-]+)+", value):
        address = re.fullmatch(r"(?:https?://[^/]+/|git@[^:]+:)([\w./-]+?)(?:\.git|/-/.*)?/?", value)
        raise ValueError(f'{value!r} is not a project; write "{address[1] if address else "group/project"}"')
    return value


ISSUE_TYPES = ("issue", "incident", "task")


class GitLabSettings(PluginSettings):
    """`[trackers.NAME]` with `kind = "gitlab"`."""

    settable = frozenset({"labels", "assignee", "milestone", "issue_type"})

    kind: Literal["gitlab"]
    """the kind of tracker"""
    project: Annotated[str, AfterValidator(_project)]
    """`"group/project"`; syncd follows the project when it is renamed or moved to another group"""
    token: Secret
    """a secret: the token of a project, a group or a person, with the scope `api` and at least the role Planner or Reporter"""
    token_expires: Day | None = None
    """the last day of the token, `2027-01-31`; from 30 days before on, status, `check` and an alert report it"""
    url: Address = "https://gitlab.com"
    """the address of a server of your own"""
    issue_type: Literal["issue", "incident", "task"] = "issue"
    """the type of the work item that syncd files"""
    confidential: bool = False
    """file confidential issues, which only members from the role Planner on and their author can read"""
    labels: Annotated[list[Annotated[str, Field(pattern=r"^[^,]{1,255}$")]], Field(max_length=20)] = ["crash"]
    """labels that syncd adds at creation and never removes"""
    allow_public: bool = False
    """file issues that are not confidential in a project that is not private; crash reports can reveal what users did"""
    ca_file: str | None = None
    """a file with CA certificates to trust"""
    # gitlab.com takes 60 notes a minute of a user; a server of one's own takes 300 (docs.gitlab.com, "Rate limits").
    writes: list[WriteLimit] = [Limit(count=50, seconds=60.0)]
    """maximum numbers of creates and updates per time; trackers with the same secret on the same server share them"""

    @field_validator("url")
    @classmethod
    def _require_site(cls, value: str) -> str:
        inside = re.match(r"(https?://[^/]+(?:/.*?)?)/+(?:api|-)(?:/|$)", value)
        if inside:
            raise ValueError(f'is a place inside the site; write the address of the site, "{inside[1]}"')
        return value

    def name_issue(self, text: str) -> IssueName:
        """#12, 12, group/project#12, https://gitlab.com/group/project/-/issues/12."""
        name, site = text, self.url.rstrip("/") + "/"
        if name.startswith(("http://", "https://")):
            address = re.fullmatch(
                r"(.+?)(?:/-)?/(?:issues|work_items)/(\d{1,18})(?:[/?#].*)?", name.removeprefix(site)
            )
            if not name.startswith(site) or address is None:
                raise ValueError(f"{text!r} names no issue at {self.url}; write it like #12, or its address")
            name = f"{address[1]}#{address[2]}"
        match = re.fullmatch(r"([\w./-]+(?=#))?#?(\d{1,18})", name)
        if match is None:
            raise ValueError(f"{text!r} names no issue; write it like #12, or its address")
        # A number alone means a different issue in every project.
        if match[1] is not None and match[1].lower() != self.project.lower():
            raise ValueError(f"{text!r} is in {match[1]}, and not in {self.project}")
        return IssueName(match[2], f"{self.project}#{match[2]}")

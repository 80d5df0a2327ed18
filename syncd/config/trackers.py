"""`[trackers.NAME]`, for each kind."""

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
)

from syncd.config.values import Address, Limit, Seconds, Secret, Section, did_you_mean

_PLACEHOLDER = re.compile(r"\{\{\s*(.*?)\s*\}\}")

# What a mapped field may say of a group: `{{ group.NAME }}`.
GROUP_FACTS = (
    "universe", "project", "fingerprint", "application", "occurrences", "hosts", "users", "first_seen",
    "last_seen", "first_release", "last_release", "group_url", "object_id",
)  # fmt: skip


def _rising(value: list[float]) -> list[float]:
    if value != sorted(set(value)):
        raise ValueError("each must be later than the one before it")
    return value


# When, after a create whose answer was lost, the tracker is asked what became of it: so many clean answers of "not here" prove it.
ProbeAfter = Annotated[
    list[Annotated[Seconds, Field(le=86400)]], Field(min_length=1, max_length=20), AfterValidator(_rising)
]

# How often all issues are asked how people left them.
SurveyInterval = Annotated[Seconds, Field(ge=1, le=86400)]


class GitHubSettings(Section):
    """`[trackers.NAME]` with `kind = "github"`."""

    kind: Literal["github"]
    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    token: Secret
    api_url: Address = "https://api.github.com"
    labels: Annotated[list[Annotated[str, Field(min_length=1, max_length=50)]], Field(max_length=20)] = ["crash"]
    ca_file: str | None = None
    timeout: Annotated[Seconds, Field(ge=1, le=60)] = 15.0
    concurrency: Annotated[int, Field(ge=1, le=32)] = 1
    survey_interval: SurveyInterval = 3600.0
    # Crash reports carry what their users did; whoever publishes them has to say so.
    allow_public: bool = False
    # GitHub ends its own requests after 10 seconds; its lists lag by seconds to minutes.
    probe_after: ProbeAfter = [20.0, 60.0, 180.0]
    # Below GitHub's 80 content creations a minute and 500 an hour.
    writes: list[Limit] = [Limit(count=75, seconds=60.0), Limit(count=480, seconds=3600.0)]

    @property
    def credential(self) -> str:
        """What the server counts requests by; trackers that have it in common share its limits."""
        return f"{self.api_url.rstrip('/')} {self.token.place}"


class JiraSettings(Section):
    """`[trackers.NAME]` with `kind = "jira"`."""

    kind: Literal["jira"]
    deployment: Literal["cloud", "datacenter"]
    url: Address
    project: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
    token: Secret
    email: Annotated[str | None, Field(validate_default=True)] = None
    issue_type: str = "Bug"
    labels: list[Annotated[str, Field(pattern=r"^\S{1,255}$")]] = ["crash"]
    components: list[str] = []
    priority: str | None = None
    fields: dict[str, str] = {}
    affects_versions: bool = True
    ca_file: str | None = None
    timeout: Annotated[Seconds, Field(ge=1, le=60)] = 30.0
    concurrency: Annotated[int, Field(ge=1, le=32)] = 4
    survey_interval: SurveyInterval = 3600.0
    # Which field tells the release that has the fix; a field of versions, or of text.
    fixed_in_field: str = "fixVersions"
    # The status to reopen to and to close with, where the workflow leaves a choice.
    reopen_status: str | None = None
    close_status: str | None = None
    # A create behind a gateway that gives up after a minute can still be committed.
    probe_after: ProbeAfter = [75.0, 150.0, 300.0]
    # Cloud takes bursts of 50 PUT a second.
    writes: list[Limit] = [Limit(count=40, seconds=1.0)]

    @property
    def credential(self) -> str:
        """What the site counts requests by; trackers that have it in common share its limits."""
        return f"{self.url.rstrip('/')} {self.token.place}"

    @field_validator("fields")
    @classmethod
    def _known_facts(cls, value: dict[str, str]) -> dict[str, str]:
        known = [f"group.{fact}" for fact in GROUP_FACTS]
        unknown = [
            f"{field} asks for {{{{ {name} }}}}, which does not exist{did_you_mean(name, known)}"
            for field, template in value.items()
            for name in _PLACEHOLDER.findall(template)
            if name not in known
        ]
        if unknown:
            raise ValueError("; ".join(unknown))
        return value

    @field_validator("email")
    @classmethod
    def _login(cls, value: str | None, info: ValidationInfo) -> str | None:
        deployment = info.data.get("deployment")
        if deployment == "cloud" and value is None:
            raise ValueError("is missing; Jira Cloud logs in with email and API token")
        if deployment == "datacenter" and value is not None:
            raise ValueError("does not belong here; Jira Data Center logs in with a personal access token alone")
        return value


class LocalSettings(Section):
    """`[trackers.NAME]` with `kind = "local"`: one Markdown file per issue."""

    kind: Literal["local"]
    folder: str
    concurrency: Annotated[int, Field(ge=1, le=32)] = 1
    survey_interval: SurveyInterval = 3600.0
    probe_after: ProbeAfter = [0.0]
    writes: list[Limit] = []


class OtherSettings(BaseModel):
    """`[trackers.NAME]` of a kind that another package installs; it judges its own keys in `model_extra`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    concurrency: Annotated[int, Field(ge=1, le=32)] = 1
    survey_interval: SurveyInterval = 3600.0
    probe_after: ProbeAfter = [75.0, 150.0, 300.0]
    writes: list[Limit] = []


SECTIONS: dict[str, type[BaseModel]] = {
    "github": GitHubSettings, "jira": JiraSettings, "local": LocalSettings, "other": OtherSettings,
}  # fmt: skip


def _kind(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) and kind in SECTIONS else "other"


TrackerSettings = GitHubSettings | JiraSettings | LocalSettings | OtherSettings
AnyTracker = Annotated[
    Annotated[GitHubSettings, Tag("github")]
    | Annotated[JiraSettings, Tag("jira")]
    | Annotated[LocalSettings, Tag("local")]
    | Annotated[OtherSettings, Tag("other")],
    Discriminator(_kind),
]

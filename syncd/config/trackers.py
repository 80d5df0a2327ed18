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

from syncd.config.values import Address, Seconds, Secret, Section, WriteLimit, did_you_mean
from syncd.core.budget import Limit

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
    """what kind of tracker it is"""
    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    """`"owner/name"`; followed by its id when it is renamed"""
    token: Secret
    """a secret"""
    api_url: Address = "https://api.github.com"
    """Enterprise Server: `"https://HOST/api/v3"`"""
    labels: Annotated[list[Annotated[str, Field(min_length=1, max_length=50)]], Field(max_length=20)] = ["crash"]
    """given at creation, never removed; GitHub ignores them without push permission"""
    ca_file: str | None = None
    """certificates to trust"""
    timeout: Annotated[Seconds, Field(ge=1, le=60)] = 15.0
    """for one request, at most a minute"""
    concurrency: Annotated[int, Field(ge=1, le=32)] = 1
    """threads, and so requests at once; GitHub asks for one after the other"""
    survey_interval: SurveyInterval = 3600.0
    """how often all issues are asked how people left them: closed, reopened, labelled, moved. An issue is also looked
    at before it is written to"""
    # Crash reports carry what their users did; whoever publishes them has to say so.
    allow_public: bool = False
    """without it nothing is filed in a public repository: crash reports can carry what users did"""
    # GitHub ends its own requests after 10 seconds; its lists lag by seconds to minutes.
    probe_after: ProbeAfter = [20.0, 60.0, 180.0]
    """when, after a create whose answer was lost, the tracker is asked what became of it. The first must lie beyond
    the time in which it could still be carried out; the last, beyond the time by which its reads may lag. So many
    clean answers prove that nothing was made"""
    # Below GitHub's 80 content creations a minute and 500 an hour.
    writes: list[WriteLimit] = [Limit(count=75, seconds=60.0), Limit(count=480, seconds=3600.0)]
    """how many creates and updates may be made in any such time; trackers with the same secret on the same server
    share it"""

    @property
    def credential(self) -> str:
        """What the server counts requests by; trackers that have it in common share its limits."""
        return f"{self.api_url.rstrip('/')} {self.token.place}"


class JiraSettings(Section):
    """`[trackers.NAME]` with `kind = "jira"`."""

    kind: Literal["jira"]
    """what kind of tracker it is"""
    deployment: Literal["cloud", "datacenter"]
    """`"cloud"` (REST v3, `email` and an API token) or `"datacenter"` (REST v2, a personal access token)"""
    url: Address
    """`"https://acme.atlassian.net"`"""
    project: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
    """the project's key"""
    token: Secret
    """a secret"""
    email: Annotated[str | None, Field(validate_default=True)] = None
    """whose API token it is; only with `deployment = "cloud"`"""
    issue_type: str = "Bug"
    """the name of an issue type"""
    labels: list[Annotated[str, Field(pattern=r"^\S{1,255}$")]] = ["crash"]
    """one more, by which syncd knows its issue again, is always added"""
    components: list[str] = []
    """names of components, given at creation"""
    priority: str | None = None
    """the name of a priority, given at creation"""
    fields: dict[str, str] = {}
    """other fields: `{ customfield_10050 = "{{ group.occurrences }}" }`, kept up to date"""
    affects_versions: bool = True
    """releases of the crash go to Affects Version where the project has them"""
    ca_file: str | None = None
    """certificates to trust"""
    timeout: Annotated[Seconds, Field(ge=1, le=60)] = 30.0
    """for one request, at most a minute"""
    concurrency: Annotated[int, Field(ge=1, le=32)] = 4
    """threads, and so requests at once"""
    survey_interval: SurveyInterval = 3600.0
    """how often all issues are asked how people left them: closed, reopened, labelled, moved. An issue is also looked
    at before it is written to"""
    # Which field tells the release that has the fix; a field of versions, or of text.
    fixed_in_field: str = "fixVersions"
    """the field that names the release with the fix: versions, an option, or text"""
    # The status to reopen to and to close with, where the workflow leaves a choice.
    reopen_status: str | None = None
    """the status to reopen to, where the workflow leaves a choice; else any that is to do, else one in progress"""
    close_status: str | None = None
    """the status to close the issue of a storm with, where the workflow leaves a choice"""
    # A create behind a gateway that gives up after a minute can still be committed.
    probe_after: ProbeAfter = [75.0, 150.0, 300.0]
    """when, after a create whose answer was lost, the tracker is asked what became of it. The first must lie beyond
    the time in which it could still be carried out; the last, beyond the time by which its reads may lag. So many
    clean answers prove that nothing was made"""
    # Cloud takes bursts of 50 PUT a second.
    writes: list[WriteLimit] = [Limit(count=40, seconds=1.0)]
    """how many creates and updates may be made in any such time; trackers with the same secret on the same server
    share it"""

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
    """what kind of tracker it is"""
    folder: str
    """made when the first issue is filed; if it is lost later, the tracker pauses rather than make it anew"""
    concurrency: Annotated[int, Field(ge=1, le=32)] = 1
    """threads, and so requests at once"""
    survey_interval: SurveyInterval = 3600.0
    """how often all issues are asked how people left them: closed, reopened, labelled, moved. An issue is also looked
    at before it is written to"""
    probe_after: ProbeAfter = [0.0]
    """when, after a create whose end was not seen, the folder is looked at"""
    writes: list[WriteLimit] = []
    """how many creates and updates may be made in any such time; trackers with the same secret on the same server
    share it"""


class OtherSettings(BaseModel):
    """`[trackers.NAME]` of a kind that another package installs; it judges its own keys in `model_extra`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    concurrency: Annotated[int, Field(ge=1, le=32)] = 1
    survey_interval: SurveyInterval = 3600.0
    probe_after: ProbeAfter = [75.0, 150.0, 300.0]
    writes: list[WriteLimit] = []


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

"""`[trackers.NAME]`, for each kind."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationInfo, field_validator

from syncd.config.values import Address, Seconds, Secret, Section, did_you_mean

_PLACEHOLDER = re.compile(r"\{\{\s*(.*?)\s*\}\}")

# What a mapped field may say of a group: `{{ group.NAME }}`.
GROUP_FACTS = (
    "universe", "project", "fingerprint", "application", "occurrences", "hosts", "users", "first_seen",
    "last_seen", "first_release", "last_release", "group_url", "object_id",
)  # fmt: skip


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


class OtherSettings(BaseModel):
    """`[trackers.NAME]` of a kind that another package installs; it judges its own keys in `model_extra`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    concurrency: Annotated[int, Field(ge=1, le=32)] = 1


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

"""`[trackers.NAME]`, for each kind of tracker."""

import json
import re
from typing import Annotated, Any, Literal, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    SerializeAsAny,
    Tag,
    ValidationInfo,
    WrapValidator,
    field_validator,
)

from syncd.config.plugins import PluginSettings, validate
from syncd.config.values import (
    Address,
    Day,
    ProbeAfter,
    RepositoryName,
    Seconds,
    Secret,
    Section,
    ServerProbes,
    SurveyInterval,
    WriteLimit,
    did_you_mean,
)
from syncd.core.budget import Limit

_PLACEHOLDER = re.compile(r"\{\{\s*(.*?)\s*\}\}")

# The facts of a group that a mapped field may contain as `{{ group.NAME }}`.
GROUP_FACTS = (
    "universe", "project", "fingerprint", "application", "occurrences", "hosts", "users", "first_seen",
    "last_seen", "first_release", "last_release", "group_url", "object_id",
)  # fmt: skip


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """The table as JSON has it. TOML has dates, JSON does not."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False, default=lambda each: each.isoformat()))
    except (AttributeError, TypeError, ValueError):
        raise ValueError("holds a value that JSON does not have, such as nan; write it as text") from None
    return plain


def _of_facts(value: dict[str, Any]) -> dict[str, Any]:
    facts = [f"group.{fact}" for fact in GROUP_FACTS]
    unknown = [
        f"{field} contains {{{{ {name} }}}}, which does not exist{did_you_mean(name, facts)}"
        for field, template in value.items()
        for name in _PLACEHOLDER.findall(json.dumps(template, ensure_ascii=False))
        if name not in facts and not re.fullmatch(r"group\.attributes\.[^{}\s]+", name)
    ]
    if unknown:
        raise ValueError("; ".join(unknown))
    return value


Json = Annotated[dict[str, Any], AfterValidator(_plain)]
# Values of a Jira issue's fields, by id or name.
FieldMapping = Annotated[Json, AfterValidator(_of_facts)]


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def either(token: Secret | None, info: ValidationInfo, key: str, client: str) -> Secret | None:
    """The token, if there is one or the login under `key`, and not both."""
    if key not in info.data:
        return token  # its own fault is reported
    if token is None and info.data[key] is None:
        raise ValueError(f"is missing; set it, or {key} for {client}")
    if token is not None and info.data[key] is not None:
        raise ValueError(f"does not belong beside {key}; remove one of the two")
    return token


def of_token(day: Day | None, info: ValidationInfo, key: str, tokens: str) -> Day | None:
    """The last day of the token, if there is no login under `key`."""
    if day is not None and info.data.get(key) is not None:
        raise ValueError(
            f"does not belong beside {key}; syncd renews {tokens} itself, and its own secret has no last day"
        )
    return day


class AppSettings(Section):
    """`app` of a GitHub tracker: a GitHub App, instead of a token."""

    id: Annotated[str, BeforeValidator(_text), Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
    """the App's client id (`"Iv23…"`) or its App id (`12345`)"""
    key: Secret
    """a private key of the App, as GitHub's PEM file has it: a secret"""
    installation: Annotated[int, Field(ge=1)] | None = None
    """the id of the installation; without it syncd finds the one that has the repository"""


class GitHubSettings(Section):
    """`[trackers.NAME]` with `kind = "github"`."""

    kind: Literal["github"]
    """the kind of tracker"""
    repository: RepositoryName
    """`"owner/name"`; syncd follows the repository when it is renamed"""
    app: AppSettings | None = None
    """a GitHub App instead of a token: `{ id = "Iv23…", key = { credential = "github-app.pem" } }`; see below"""
    token: Annotated[Secret | None, Field(validate_default=True)] = None
    """a secret; required without `app`"""
    token_expires: Day | None = None
    """the last day of the token, `2027-01-31`; from 30 days before on, status, `check` and an alert report it"""
    api_url: Address = "https://api.github.com"
    """Enterprise Server: `"https://HOST/api/v3"`"""
    labels: Annotated[list[Annotated[str, Field(min_length=1, max_length=50)]], Field(max_length=20)] = ["crash"]
    """labels that syncd adds at creation and never removes; GitHub ignores them without push permission"""
    ca_file: str | None = None
    """a file with CA certificates to trust"""
    timeout: Annotated[Seconds, Field(ge=1, le=60)] = 15.0
    """for one request; at most a minute"""
    concurrency: Annotated[int, Field(ge=1, le=32)] = 1
    """requests at the same time; GitHub asks for one after the other"""
    survey_interval: SurveyInterval = 3600.0
    """how often syncd reads the state of all issues: closed, reopened, labelled, moved. It also reads an issue before
    writing to it"""
    allow_public: bool = False
    """file in a public repository; crash reports can reveal what users did"""
    # GitHub aborts requests after 10 seconds; its lists lag by seconds to minutes.
    probe_after: ServerProbes = [20.0, 60.0, 180.0]
    """at least two delays after which syncd looks for the issue of a create whose answer was lost. The first must be
    longer than a request can still take effect, and than `timeout`; the last longer than the tracker's reads can lag.
    If all probes find nothing, the issue does not exist"""
    # Below GitHub's 80 content creations a minute and 500 an hour.
    writes: list[WriteLimit] = [Limit(count=75, seconds=60.0), Limit(count=480, seconds=3600.0)]
    """maximum numbers of creates and updates per time; trackers with the same secret on the same server share them"""

    @property
    def credential(self) -> str:
        """The key by which the server counts requests; trackers with the same key share limits."""
        server, (_, secret) = self.api_url.rstrip("/"), self.secret
        if self.app is None:
            return f"{server} {secret.place}"
        # An App has one installation for an owner, and GitHub counts by installation.
        return f"{server} app {self.app.id} {self.repository.partition('/')[0].lower()}"

    @property
    def secret(self) -> tuple[str, Secret]:
        """The key of the secret in this section, and the secret."""
        if self.app is not None:
            return "app.key", self.app.key
        return "token", cast(Secret, self.token)  # `_either` requires it

    @field_validator("token")
    @classmethod
    def _either(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        return either(value, info, "app", "a GitHub App")

    @field_validator("token_expires")
    @classmethod
    def _of_token(cls, value: Day | None, info: ValidationInfo) -> Day | None:
        return of_token(value, info, "app", "the tokens of an App")


class OAuthSettings(Section):
    """`oauth` of a Jira tracker: an OAuth client of a service account, instead of a token."""

    id: Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
    """the client's id"""
    secret: Secret
    """the client's secret: a secret"""
    scope: Annotated[str, Field(pattern=r"^[!-~]+( [!-~]+)*$", max_length=1000)] | None = None
    """the scopes to ask for, separated by spaces; Data Center: `"WRITE"` without it. A client of Cloud has its scopes already"""
    url: Address | None = None
    """the address that gives out tokens; without it Atlassian's for Cloud, and `URL/rest/oauth2/latest/token` for Data Center"""


class JiraSettings(Section):
    """`[trackers.NAME]` with `kind = "jira"`."""

    kind: Literal["jira"]
    """the kind of tracker"""
    deployment: Literal["cloud", "datacenter"]
    """`"cloud"` (REST v3, `email` and an API token) or `"datacenter"` (REST v2, a personal access token)"""
    url: Address
    """`"https://acme.atlassian.net"`"""
    project: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
    """the project's key"""
    oauth: OAuthSettings | None = None
    """an OAuth client of a service account instead of a token: `{ id = "…", secret = { credential = "jira-oauth" } }`; see below"""
    token: Annotated[Secret | None, Field(validate_default=True)] = None
    """a secret; required without `oauth`"""
    token_expires: Day | None = None
    """the last day of the token, `2027-01-31`; from 30 days before on, status, `check` and an alert report it"""
    email: Annotated[str | None, Field(validate_default=True)] = None
    """the account of the API token; only with `deployment = "cloud"`, and not with `oauth`"""
    cloud_id: Annotated[str | None, Field(pattern=r"^(auto|[0-9A-Za-z-]{8,64})$", validate_default=True)] = None
    """for tokens with scopes, and all tokens of service accounts, which Atlassian takes at its gateway only; with `deployment = "cloud"`: `"auto"`
    asks the site for its id once, or the id. `url` stays the site's, as do the links; `"auto"` with `oauth`"""
    gateway: Address = "https://api.atlassian.com"
    """the address of that gateway"""
    issue_type: str = "Bug"
    """the name of an issue type"""
    labels: list[Annotated[str, Field(pattern=r"^\S{1,255}$")]] = ["crash"]
    """labels that syncd adds at creation, together with a label that identifies the issue"""
    components: list[str] = []
    """names of components, set at creation"""
    priority: str | None = None
    """the name of a priority, set at creation"""
    fields: FieldMapping = {}
    """other fields by id or by name, as the project's create screen types them: `{ Team = "Engine", "Story Points" = 3,
    customfield_10050 = "{{ group.occurrences }}" }`; see below"""
    affects_versions: bool = True
    """set Affects Version to the releases of the crash that the project has"""
    ca_file: str | None = None
    """a file with CA certificates to trust"""
    timeout: Annotated[Seconds, Field(ge=1, le=60)] = 30.0
    """for one request; at most a minute"""
    concurrency: Annotated[int, Field(ge=1, le=32)] = 4
    """requests at the same time"""
    survey_interval: SurveyInterval = 3600.0
    """how often syncd reads the state of all issues: closed, reopened, labelled, moved. It also reads an issue before
    writing to it"""
    fixed_in_field: str = "fixVersions"
    """the field with the release that has the fix: a field of versions, an option, or text"""
    reopen_status: str | None = None
    """the status to reopen to if the workflow has several; without it a status to do, else a status in progress"""
    close_status: str | None = None
    """the status to close a storm's issue with if the workflow has several"""
    transition_fields: Json = {}
    """values for fields that the screen of a transition asks for, as Jira's API takes them; syncd sends those that the screen has:
    `{ customfield_10200 = { value = "Crash" } }`"""
    # Jira can still commit a create after a gateway has given up on it, after a minute.
    probe_after: ServerProbes = [75.0, 150.0, 300.0]
    """at least two delays after which syncd looks for the issue of a create whose answer was lost. The first must be
    longer than a request can still take effect, and than `timeout`; the last longer than the tracker's reads can lag.
    If all probes find nothing, the issue does not exist"""
    # Cloud takes bursts of 50 PUT a second.
    writes: list[WriteLimit] = [Limit(count=40, seconds=1.0)]
    """maximum numbers of creates and updates per time; trackers with the same secret on the same server share them"""

    @property
    def credential(self) -> str:
        """The key by which the site counts requests; trackers with the same key share limits."""
        login = self.secret[1].place if self.oauth is None else f"oauth {self.oauth.id}"
        return f"{self.url.rstrip('/')} {login}"

    @property
    def secret(self) -> tuple[str, Secret]:
        """The key of the secret in this section, and the secret."""
        if self.oauth is not None:
            return "oauth.secret", self.oauth.secret
        return "token", cast(Secret, self.token)  # `_either` requires it

    @property
    def token_url(self) -> str:
        """The address that gives tokens to the OAuth client."""
        given = None if self.oauth is None else self.oauth.url
        if self.deployment == "cloud":
            return given or "https://auth.atlassian.com/oauth/token"
        return given or f"{self.url.rstrip('/')}/rest/oauth2/latest/token"

    @property
    def oauth_scope(self) -> str | None:
        """The scopes that the OAuth client asks for."""
        given = None if self.oauth is None else self.oauth.scope
        return given or ("WRITE" if self.deployment == "datacenter" else None)

    @field_validator("token")
    @classmethod
    def _either(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        return either(value, info, "oauth", "an OAuth client")

    @field_validator("token_expires")
    @classmethod
    def _of_token(cls, value: Day | None, info: ValidationInfo) -> Day | None:
        return of_token(value, info, "oauth", "the tokens of an OAuth client")

    @field_validator("url")
    @classmethod
    def _require_site(cls, value: str) -> str:
        inside = re.match(r"(https?://[^/]+(?:/.*?)?)/+(?:rest|browse|projects|secure)(?:/|$)", value)
        if inside:
            raise ValueError(f'is a place inside the site; write the address of the site, "{inside[1]}"')
        return value

    @field_validator("cloud_id")
    @classmethod
    def _at_gateway(cls, value: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("deployment") == "cloud":
            return "auto" if value is None and info.data.get("oauth") is not None else value
        if value is not None and info.data.get("deployment") == "datacenter":
            raise ValueError("does not belong here; only Jira Cloud has a gateway")
        return value

    @field_validator("email")
    @classmethod
    def _login(cls, value: str | None, info: ValidationInfo) -> str | None:
        deployment = info.data.get("deployment")
        if info.data.get("oauth") is not None:
            if value is not None:
                raise ValueError("does not belong beside oauth; the OAuth client is the login; remove one of the two")
            return value
        if deployment == "cloud" and value is None:
            raise ValueError("is missing; Jira Cloud needs the email of the API token")
        if deployment == "datacenter" and value is not None:
            raise ValueError("does not belong here; Jira Data Center needs only a personal access token")
        return value


class LocalSettings(Section):
    """`[trackers.NAME]` with `kind = "local"`: one Markdown file per issue."""

    kind: Literal["local"]
    """the kind of tracker"""
    folder: str
    """the folder of the files; syncd creates it for the first issue. If it disappears later, the tracker pauses"""
    concurrency: Annotated[int, Field(ge=1, le=32)] = 16
    """issues written at the same time; those that are share syncs of the disk"""
    survey_interval: SurveyInterval = 3600.0
    """how often syncd reads the state of all issues: closed, reopened, labelled, moved. It also reads an issue before
    writing to it"""
    probe_after: ProbeAfter = [0.0]
    """delays after which syncd looks in the folder for a create that did not finish"""
    writes: list[WriteLimit] = []
    """maximum numbers of creates and updates per time; trackers with the same secret on the same server share them"""


SECTIONS: dict[str, type[BaseModel]] = {
    "github": GitHubSettings, "jira": JiraSettings, "local": LocalSettings,
}  # fmt: skip


def _kind(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) and kind in SECTIONS else "plugin"


TrackerSettings = GitHubSettings | JiraSettings | LocalSettings | PluginSettings
AnyTracker = Annotated[
    Annotated[GitHubSettings, Tag("github")]
    | Annotated[JiraSettings, Tag("jira")]
    | Annotated[LocalSettings, Tag("local")]
    | Annotated[SerializeAsAny[PluginSettings], WrapValidator(validate), Tag("plugin")],
    Discriminator(_kind),
]

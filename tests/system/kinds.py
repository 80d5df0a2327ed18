"""The four kinds of tracker, each as the daemon meets it and as a test counts what arrived there."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes import specs
from tests.fakes.emulator import REPOSITORY, EmulatedGitHub, emulated_github
from tests.fakes.emulator import TOKEN as EMULATOR_TOKEN
from tests.fakes.github import TOKEN as GITHUB_TOKEN
from tests.fakes.github import FakeGitHub
from tests.fakes.github_app import CLIENT_ID, private_key
from tests.fakes.gitlab import TOKEN as GITLAB_TOKEN
from tests.fakes.gitlab import FakeGitLab
from tests.fakes.jira import EMAIL, FakeJira, FakeJiraCloud, FakeJiraDataCenter, FakeJiraGateway
from tests.fakes.jira import TOKEN as JIRA_TOKEN
from tests.fakes.server import ServerBase

KINDS = ("local", "github", "jira-cloud", "jira-datacenter")
GITHUB_EMULATOR = "github-emulator"
GITLAB = "gitlab"
GITHUB_APP, JIRA_GATEWAY = "github-app", "jira-gateway"  # other logins
# Floods are what these tests send: no cap holds them back.
ROUTE = '[[routes]]\ntracker = "here"\nstatus_interval = "1s"\nmax_new_issues = []\nmax_updates = []\n'


class Kind(ABC):
    """A tracker that a daemon files in."""

    fake: ServerBase | None = None

    @abstractmethod
    def toml(self, more: str = "") -> str:
        """Its configuration, with a route for everything; `more` are further keys of its section."""

    @abstractmethod
    def texts(self) -> list[str]:
        """Of each issue, everything that can be read on it, comments included."""

    @abstractmethod
    def comments(self) -> list[int]:
        """Of each issue, the number of comments."""


class _Local(Kind):
    def __init__(self, folder: Path) -> None:
        self._folder = folder / "issues"

    def toml(self, more: str = "") -> str:
        return f'[trackers.here]\nkind = "local"\nfolder = "{self._folder}"\n{more}{ROUTE}'

    def texts(self) -> list[str]:
        return [path.read_text() for path in sorted(self._folder.glob("*.md"))]

    def comments(self) -> list[int]:
        return [text.count("<!-- status of ") for text in self.texts()]


class _GitHub(Kind):
    fake: FakeGitHub

    def __init__(self, fake: FakeGitHub, folder: Path) -> None:
        self.fake = fake
        self._token = folder / "github-token"
        self._token.write_text(GITHUB_TOKEN)

    def toml(self, more: str = "") -> str:
        return (
            f'[trackers.here]\nkind = "github"\nrepository = "acme/game"\napi_url = "{self.fake.url}"\n'
            f'token = {{ file = "{self._token}" }}\n{more}{ROUTE}'
        )

    def texts(self) -> list[str]:
        with self.fake.lock:  # a daemon may be filing
            issues = self.fake.repository.issues.values()
            return [
                "\n".join([issue.body or "", *(comment.body for comment in issue.comments.values())])
                for issue in issues
            ]

    def comments(self) -> list[int]:
        return [len(issue.comments) for issue in self.fake.repository.issues.values()]


class _GitHubApp(_GitHub):
    def __init__(self, fake: FakeGitHub, folder: Path) -> None:
        super().__init__(fake, folder)
        self._token.write_text(private_key())

    def toml(self, more: str = "") -> str:
        app = f'app = {{ id = "{CLIENT_ID}", key = {{ file = "{self._token}" }} }}'
        return super().toml(more).replace(f'token = {{ file = "{self._token}" }}', app)


class _GitLab(Kind):
    fake: FakeGitLab

    def __init__(self, fake: FakeGitLab, folder: Path) -> None:
        self.fake = fake
        self._token = folder / "gitlab-token"
        self._token.write_text(GITLAB_TOKEN)

    def toml(self, more: str = "") -> str:
        return (
            f'[trackers.here]\nkind = "gitlab"\nproject = "{self.fake.project.path}"\nurl = "{self.fake.url}"\n'
            f'token = {{ file = "{self._token}" }}\n{more}{ROUTE}'
        )

    def texts(self) -> list[str]:
        with self.fake.lock:  # a daemon may be filing
            return [
                "\n".join([issue.description, *(note.body for note in issue.notes)])
                for issue in self.fake.project.issues.values()
            ]

    def comments(self) -> list[int]:
        return [len(issue.notes) for issue in self.fake.project.issues.values()]


class _Emulator(Kind):
    """The GitHub that somebody else wrote."""

    fake: EmulatedGitHub

    def __init__(self, fake: EmulatedGitHub, folder: Path) -> None:
        self.fake = fake
        self._token = folder / "emulator-token"
        self._token.write_text(EMULATOR_TOKEN)

    def toml(self, more: str = "") -> str:
        return (
            f'[trackers.here]\nkind = "github"\nrepository = "{REPOSITORY}"\nallow_public = true\napi_url = "{self.fake.url}"\n'
            f'token = {{ file = "{self._token}" }}\n{more}{ROUTE}'
        )

    def texts(self) -> list[str]:
        issues = [(issue["body"], self.fake.comments(issue["number"])) for issue in self.fake.issues()]
        return ["\n".join([body, *(comment["body"] for comment in comments)]) for body, comments in issues]

    def comments(self) -> list[int]:
        return [len(self.fake.comments(issue["number"])) for issue in self.fake.issues()]


class _Jira(Kind):
    fake: FakeJira

    def __init__(self, fake: FakeJira, deployment: str, folder: Path) -> None:
        self.fake = fake
        self._login = f'email = "{EMAIL}"\n' if deployment == "cloud" else ""
        if isinstance(fake, FakeJiraGateway):
            self._login += f'cloud_id = "auto"\ngateway = "{fake.url}"\n'
        self._deployment = deployment
        self._token = folder / "jira-token"
        self._token.write_text(JIRA_TOKEN)

    def toml(self, more: str = "") -> str:
        return (
            f'[trackers.here]\nkind = "jira"\ndeployment = "{self._deployment}"\nurl = "{self.fake.url}"\n{self._login}'
            f'project = "{self.fake.project}"\ntoken = {{ file = "{self._token}" }}\n{more}{ROUTE}'
        )

    def texts(self) -> list[str]:
        with self.fake.lock:  # a daemon may be filing
            issues = self.fake.issues.values()
            return [
                "\n".join(
                    [
                        str(issue.fields["description"]),
                        *(str(comment.body) for comment in issue.comments.values()),
                    ]
                )
                for issue in issues
            ]

    def comments(self) -> list[int]:
        return [len(issue.comments) for issue in self.fake.issues.values()]


@contextmanager
def opened(name: str, folder: Path) -> Iterator[Kind]:
    """The kind `name`, its fake served as long as the context lasts; at its end all traffic is judged by the published API
    description."""
    if name == "local":
        yield _Local(folder)
    elif name in ("github", GITHUB_APP):
        with FakeGitHub() as github:
            yield (_GitHub if name == "github" else _GitHubApp)(github, folder)
            specs.check_traffic(github)
    elif name == GITLAB:
        with FakeGitLab() as gitlab:  # it judges its traffic itself: no registry has a description of its API
            yield _GitLab(gitlab, folder)
    elif name == GITHUB_EMULATOR:
        with emulated_github(folder) as emulator:
            yield _Emulator(emulator, folder)
            specs.check_traffic(emulator)
    else:
        deployment = "datacenter" if name == "jira-datacenter" else "cloud"
        fakes: dict[str, Callable[[], FakeJira]] = {
            "jira-cloud": FakeJiraCloud,
            "jira-datacenter": FakeJiraDataCenter,
            JIRA_GATEWAY: FakeJiraGateway,
        }
        with fakes[name]() as jira:
            yield _Jira(jira, deployment, folder)
            assert jira.problems == []
            specs.check_traffic(jira)

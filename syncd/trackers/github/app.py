"""A GitHub App: its installation, and the tokens of it, which last an hour.

A token is fetched by requests of its own before the call that needs it: where one of them fails, nothing else was sent, and no create is in
doubt for it.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated
from weakref import WeakValueDictionary

import msgspec
from github import Auth

from syncd.config import AppSettings, GitHubSettings
from syncd.errors import Deferred, Misconfigured, TrackerError, Unavailable
from syncd.platform.clock import Clock
from syncd.trackers import Notebook
from syncd.trackers.github.answers import Number, expect, failure, message, redirected, refuses, web
from syncd.trackers.github.connection import Connection
from syncd.trackers.github.login import KeyLogin, Login, TokenLogin
from syncd.trackers.tokens import HOUR, Fetched, Tokens, without_token
from syncd.trackers.transport import Answer, Sent

# What syncd needs in a repository, and all that its tokens may do.
PERMISSIONS = {"issues": "write", "metadata": "read"}

_CLOCK_SECONDS = 30.0  # a server sends its time in whole seconds


class App(msgspec.Struct):
    """The App as GitHub describes it. `permissions` are those that it asks for."""

    slug: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]+$")]
    name: str = ""
    html_url: str = ""
    permissions: dict[str, str] = {}


class Installation(msgspec.Struct):
    """An installation of the App for one owner. `permissions` are those that the owner has accepted."""

    id: Number
    html_url: str = ""
    permissions: dict[str, str] = {}
    suspended_at: object = None

    def place(self, owner: str) -> str:
        """Where an owner changes it."""
        return web(self.html_url) or f"the settings of {owner}, under GitHub Apps"


class _Fetched(msgspec.Struct):
    token: Annotated[str, msgspec.Meta(pattern=r"^[!-~]+$")]
    expires_at: datetime

    def __repr__(self) -> str:
        return f"_Fetched(expires_at={self.expires_at})"


class AppLogin(Login):
    """A GitHub App in one repository; one for all clients of a tracker, whose threads share its token.

    `Tokens` fetches a token early, so that none ends during a call, and at once after GitHub refused the present one. Raises Unavailable, Throttled or Misconfigured; in no case was anything sent but the request for a token.
    """

    renews = True

    def __init__(
        self,
        name: str,
        settings: GitHubSettings,
        app: AppSettings,
        notebook: Notebook,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        key = f"trackers.{name}.app.key"
        super().__init__(key, app.key)
        self._name, self._settings, self._app_settings = name, settings, app
        self._notebook, self._clock = notebook, clock
        self._signer = KeyLogin(key, app.key, app.id, clock)
        self._connection = Connection(name, settings, clock, sleep, self._signer)
        self._tokens = Tokens(clock, self._fetch, self._connection.close)
        self._ends_at: datetime | None = None  # of the last token
        self._app: App | None = None
        self._slug = ""
        self._installation_id = app.installation

    def prepare(self) -> None:
        self._tokens.get(once=True)

    def auth(self) -> Auth.Auth:
        return self._tokens.get()

    def refuse(self, auth: Auth.Auth) -> None:
        self._tokens.refuse(auth)

    def release(self) -> None:
        """Nothing: the token stays good for the next connection."""

    def require_access(self) -> None:
        with self._tokens.lock:
            try:
                self._installation()
            except Misconfigured:
                self._tokens.drop()  # whatever is mended, a new token has it
                raise
            finally:
                self._connection.close()

    @property
    def account_path(self) -> str:
        """The path of the account that issues of the App have as their author."""
        self.auth()
        return f"/users/{self._slug}%5Bbot%5D"

    @property
    def account_login(self) -> str:
        """The name of that account."""
        return f"{self._slug}[bot]"

    @property
    def renewal(self) -> str:
        return f"syncd had fetched it for the App {self._app_settings.id}; {self._signer.renewal}"

    def describe(self) -> Sequence[str]:
        """Sentences on the App, its installation and its token, each of which was read now."""
        self.auth()
        with self._tokens.lock:
            try:
                app, installation = self._read_app(), self._installation()
            finally:
                self._connection.close()
        owner, name = self._settings.repository.partition("/")[0], self._settings.repository
        sentences = [
            f"the App {app.name or app.slug} files issues as {self.account_login}",
            f"its installation {installation.id} for {owner} has the permissions {_listed(sorted(installation.permissions.items()))}",
        ]
        if self._ends_at is not None:
            until = self._ends_at.astimezone(UTC).strftime("%H:%M")
            sentences.append(f"its token is for {name} alone, with {_listed(PERMISSIONS.items())}, until {until} UTC")
        return sentences

    def read(self, path: str) -> Answer:
        """Return the answer to a GET that the App itself signs. Raises TrackerError."""
        with self._tokens.lock:
            try:
                return self._send("GET", path)
            finally:
                self._connection.close()

    def _fetch(self) -> Fetched[Auth.Auth]:
        """One POST; at first also one GET for the App, and one for the installation. After a refusal the GETs that tell its cause."""
        if self._app is None:
            self._app = self._read_app()
        if self._installation_id is None:
            self._installation_id = self._installation().id
        reading = self._clock.reading()
        answer = self._post()
        if refuses(answer):
            self._follow(self._installation(), answer)
            reading = self._clock.reading()
            answer = self._post()
        if refuses(answer):
            raise self._meaning(answer)
        fetched = answer.read(_Fetched) if answer.status == 201 else None
        if fetched is None:
            raise self._meaning(answer)
        now = answer.date
        seconds = fetched.expires_at.timestamp() - (self._clock.wall() + self._signer.offset if now is None else now)
        # Without GitHub's time, or with a wrong one, the documented time of a token holds.
        seconds = seconds if 0 < seconds <= HOUR else HOUR
        self._ends_at = fetched.expires_at
        return Fetched(Auth.Token(fetched.token), reading, seconds)

    def _post(self) -> Answer:
        """Ask for a token that may do nothing but what syncd needs, in the one repository: by its id where that is known, since names change."""
        server, repository = self._settings.api_url.rstrip("/"), self._settings.repository
        is_home = self._notebook.recall("home") == f"{server} {repository}"
        recalled = self._notebook.recall("repository_id") if is_home else None
        place: dict[str, object] = {"repositories": [repository.partition("/")[2]]}
        if recalled is not None:
            place = {"repository_ids": [int(recalled)]}
        path = f"/app/installations/{self._installation_id}/access_tokens"
        return self._send("POST", path, {**place, "permissions": PERMISSIONS})

    def _follow(self, installation: Installation, refusal: Answer) -> None:
        """Use the installation that has the repository after the App was refused a token of another one. Raises Misconfigured."""
        given, name = self._app_settings.installation, self._settings.repository
        if given is not None and installation.id != given:
            remedy = f"set {installation.id}, or leave it out"
            raise Misconfigured(
                f"trackers.{self._name}.app.installation: {given} is not the App's installation that has {name}; {remedy}",
                login=True,
            )
        if installation.id == self._installation_id:
            raise self._meaning(refusal)
        self._installation_id = installation.id

    def _read_app(self) -> App:
        answer = self._send("GET", "/app")
        if answer.status == 404 and answer.json is not None:
            key = f"trackers.{self._name}.app.id"
            raise Misconfigured(f"{key}: GitHub has no App {self._app_settings.id} (404{message(answer)})", login=True)
        if not answer.ok:
            raise self._meaning(answer)
        app = expect(answer, App)
        self._slug = app.slug
        return app

    def _installation(self) -> Installation:
        """The installation that has the repository, by one GET, or two where it was renamed. Raises Misconfigured with what is missing, and where a
        person adds it."""
        name, slug = self._settings.repository, self._slug or self._app_settings.id
        owner = name.partition("/")[0]
        answer = self._send("GET", f"/repos/{name}/installation")
        if answer.redirects:
            answer = self._send("GET", f"{redirected(answer, self._settings.api_url).home}/installation")
        if answer.status == 404 and answer.json is not None:
            raise Misconfigured(self._absence(owner, name, slug), login=True)
        if not answer.ok:
            raise self._meaning(answer)
        installation = expect(answer, Installation)
        place = installation.place(owner)
        if installation.suspended_at is not None:
            reason = f"the installation of the App {slug} for {owner} is suspended: unsuspend it at {place}"
            raise Misconfigured(reason, login=True)
        if lacks := _lacks(installation.permissions):
            reason = f"the App {slug} asks for {lacks}, which {owner} has not accepted yet: an owner does so at {place}"
            if _lacks(self._read_app().permissions):
                remedy = f"set it on the App's page, under Permissions & events, and accept it at {place}"
                reason = f"the App {slug} does not have {lacks}: {remedy}"
            raise Misconfigured(reason, login=True)
        return installation

    def _absence(self, owner: str, name: str, slug: str) -> str:
        """Why the App has no installation with the repository, by up to two GETs."""
        for kind in ("orgs", "users"):
            answer = self._send("GET", f"/{kind}/{owner}/installation")
            installation = answer.read(Installation) if answer.ok else None
            if installation is not None:
                remedy = f"add it under Repository access at {installation.place(owner)}"
                return f"the App {slug} is installed for {owner}, but not in {name}: {remedy}"
        page = web(self._app.html_url) if self._app is not None else ""
        place = f" at {page}/installations/new" if page else ""
        return (
            f"the App {slug} is not installed in {name}: install it{place}; or correct trackers.{self._name}.repository"
        )

    def _send(self, method: str, path: str, payload: object = None) -> Answer:
        """The answer to a request that the App signs, which does no harm twice. A signature that is refused is made once more by GitHub's clock,
        where that differs from this machine's."""
        try:
            answer = self._connection.send_idempotent(method, path, payload)
            ahead = None if answer.date is None else answer.date - self._clock.wall()
            if answer.status == 401 and ahead is not None and abs(ahead - self._signer.offset) > _CLOCK_SECONDS:
                self._signer.offset = ahead
                answer = self._connection.send_idempotent(method, path, payload)
        except Deferred:
            raise
        except Unavailable as error:
            raise without_token(error, "the App") from None
        if answer.status == 401:
            raise Misconfigured(self._disbelief(answer), login=True)
        return answer

    def _disbelief(self, answer: Answer) -> str:
        """Why GitHub does not believe the signature."""
        place = f"trackers.{self._name}.app"
        clock = "" if answer.date is not None else "; or this machine's clock is off by more than a minute"
        return (
            f"GitHub does not accept the App's key (401{message(answer)}): {place}.key is not a key of the App {place}.id = "
            f'"{self._app_settings.id}", or it was deleted on the App\'s page{clock}; {self._signer.renewal}'
        )

    def _meaning(self, answer: Answer) -> TrackerError:
        """The meaning of an answer without the wanted result."""
        return without_token(failure(answer, Sent.READ), "the App")


def _listed(permissions: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name}: {right}" for name, right in permissions)


def _lacks(permissions: Mapping[str, str]) -> str:
    """The permissions that syncd needs and that are not among these, as GitHub's pages call them."""
    rights = {"read": ("read", "write", "admin"), "write": ("write", "admin")}
    titles = {"issues": "Issues: Read and write", "metadata": "Metadata: Read-only"}
    return " and ".join(
        titles[name] for name, right in PERMISSIONS.items() if permissions.get(name) not in rights[right]
    )


# A token is fetched once for all threads of a tracker, each of which has a client of its own.
_shared: WeakValueDictionary[tuple[object, ...], AppLogin] = WeakValueDictionary()
_shared_lock = threading.Lock()


def login_of(
    name: str, settings: GitHubSettings, notebook: Notebook, clock: Clock, sleep: Callable[[float], None]
) -> Login:
    """The login of a client: its own for a token; for an App that of all clients with the same clock, which are those of one process."""
    app = settings.app
    if app is None:
        key, secret = settings.secret
        return TokenLogin(f"trackers.{name}.{key}", secret)
    place = (id(clock), name, settings.api_url, settings.repository, app.model_dump_json())
    with _shared_lock:
        login = _shared.get(place)
        if login is None:
            login = _shared[place] = AppLogin(name, settings, app, notebook, clock, sleep)
        return login

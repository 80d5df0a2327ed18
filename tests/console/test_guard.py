"""Who may see the console, and from where changes may come."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd import config as configuration
from syncd.config import ConsoleSettings, Secret, StoreSettings
from syncd.errors import ConfigError
from syncd.platform.http_server import Admission
from syncd.store import Store, open_store
from tests.console import site as sites
from tests.console.site import HOME, Site

PASSWORD = "open sesame"


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits of refused logins, which this replaces by nothing."""
    waited: list[float] = []

    async def note(_: Admission, seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(Admission, "delay", note)
    return waited


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(StoreSettings(url=f"sqlite:{tmp_path}/syncd.db"))
    yield opened
    opened.close()


def made(tmp_path: Path, store: Store, console: ConsoleSettings) -> configuration.Config:
    return sites.configuration(tmp_path, StoreSettings(url=f"sqlite:{tmp_path}/syncd.db"), console)


@pytest.fixture
def open_site(tmp_path: Path, store: Store) -> Iterator[Site]:
    with sites.served(made(tmp_path, store, ConsoleSettings()), store) as site:
        yield site


@pytest.fixture
def locked(tmp_path: Path, store: Store) -> Iterator[Site]:
    (tmp_path / "console-password").write_text(PASSWORD)
    console = ConsoleSettings(password=Secret(file=f"{tmp_path}/console-password"))
    with sites.served(made(tmp_path, store, console), store) as site:
        yield site


PATHS = (
    "/",
    "/overview.json",
    "/groups",
    "/groups/1",
    "/metrics",
    "/configuration",
    "/deliveries/1",
    "/console.css",
    "/nowhere",
)


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_visible_without_the_password(locked: Site, path: str) -> None:
    answer = locked.get(path)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Basic realm="syncd console", charset="UTF-8"')
    locked.login = f"operator:{PASSWORD}"
    assert locked.get(path).status in (200, 404)


@pytest.mark.parametrize("login", ["operator:wrong", "someone:open sesame", "operator:", ":", "operator:open sesame "])
def test_another_login_is_refused(locked: Site, login: str) -> None:
    locked.login = login
    assert locked.get("/").status == 401


@pytest.mark.parametrize("header", ["Basic !!!", "Bearer abc", "Basic", "Basic " + "A" * 5000, "basic b3BlcmF0b3I="])
def test_a_header_that_is_no_login_is_refused(locked: Site, header: str) -> None:
    assert locked.get("/", Authorization=header).status == 401


def test_guessing_is_slow_and_a_browser_that_asks_first_is_not(locked: Site, waits: list[float]) -> None:
    locked.get("/")
    assert waits == []
    locked.login = "operator:guess"
    locked.get("/")
    locked.get("/")
    assert [round(seconds) for seconds in waits] == [1, 2]


def test_health_needs_no_password(locked: Site) -> None:
    assert locked.get("/livez").status == 200
    assert locked.get("/readyz").json["ready"] is True


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8081", "127.0.0.1.evil.example", "10.0.0.1", "", "evil@127.0.0.1", "127.0.0.1/evil"],
)
def test_without_a_password_only_a_loopback_name_is_answered(open_site: Site, host: str) -> None:
    assert open_site.get("/", Host=host).status == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:9", "127.0.0.1:8081", "[::1]:8081"])
def test_a_loopback_name_is_answered(open_site: Site, host: str) -> None:
    assert open_site.get("/", Host=host).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": "cross-site", "Origin": "http://127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"X_Nothing": "1"},
    ],
)
def test_a_change_that_does_not_come_from_its_own_pages_is_refused(open_site: Site, headers: dict[str, str]) -> None:
    answer = open_site.post("/trackers/files/pause", {"reason": "x"}, **headers)
    assert answer.status == 403
    assert open_site.store.report.trackers({}, 0.0) == {}


def test_a_browser_without_fetch_metadata_is_checked_by_its_origin(open_site: Site) -> None:
    host = f"{open_site.address[0]}:{open_site.address[1]}"
    assert open_site.post("/trackers/files/pause", Origin=f"http://{host}", Host=host).status == 303


def test_a_change_needs_a_post(open_site: Site) -> None:
    assert open_site.get("/trackers/files/pause").status == 405
    assert open_site.store.report.trackers({}, 0.0) == {}


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/groups/999", "/overview.json", "/console.css", "/metrics", "/livez"]
)
def test_every_answer_has_the_security_headers(open_site: Site, path: str) -> None:
    headers = open_site.get(path).headers
    policy = headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert headers["cache-control"] in ("no-store", "no-cache")
    assert "server" not in headers


def test_a_refusal_has_these_headers_too(locked: Site) -> None:
    assert "default-src 'none'" in locked.get("/").headers["content-security-policy"]


def test_a_body_larger_than_any_form_is_refused(open_site: Site) -> None:
    assert open_site.post("/trackers/files/pause", {"reason": "x" * 20_000}, **HOME).status == 413
    assert open_site.store.report.trackers({}, 0.0) == {}


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/\\evil.example", "evil"])
def test_a_form_redirects_only_within_the_console(open_site: Site, back: str) -> None:
    answer = open_site.post("/trackers/files/pause", {"back": back})
    assert answer.headers["location"].startswith("/?flash=")


def test_a_console_beyond_loopback_needs_a_password(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[console]\nlisten = "0.0.0.0:8081"\n')
    with pytest.raises(ConfigError, match=r"console\.password: .*0\.0\.0\.0:8081"):
        configuration.load(path)
    path.write_text('[console]\nlisten = "0.0.0.0:8081"\nallow_unauthenticated = true\n')
    assert configuration.load(path).console.address == ("0.0.0.0", 8081)
    path.write_text('[console]\nlisten = "off"\n')
    assert configuration.load(path).console.address is None
    path.write_text('[console]\nlisten = "nowhere"\n')
    with pytest.raises(ConfigError, match="is not HOST:PORT"):
        configuration.load(path)


def test_a_password_that_cannot_be_read_ends_the_start(tmp_path: Path, store: Store) -> None:
    console = ConsoleSettings(password=Secret(file=f"{tmp_path}/none"))
    with pytest.raises(ConfigError, match="cannot be read"), sites.served(made(tmp_path, store, console), store):
        pass

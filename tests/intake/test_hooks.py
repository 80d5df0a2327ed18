"""`POST /hooks/NAME` over HTTP: which reports are authentic, what each is answered, and what is left of the others."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from syncd.config import GitHubSettings, HookSettings, JiraSettings, Secret
from syncd.config import Receiver as Settings
from syncd.errors import ConfigError
from syncd.intake.hooks import Hooks
from tests.fakes.reports import Sent, signed
from tests.intake.receiving import Address, serving
from tests.scene import Scene

SECRETS = {
    "game": "s3cret-of-game",
    "web": "s3cret-of-web",
    "cloud": "s3cret-of-cloud",
    "center": "0123456789abcdef0123",
}
CLOSED = json.dumps({"action": "closed", "issue": {"number": 1}, "repository": {"id": 12}}).encode()
UPDATED = json.dumps({"webhookEvent": "jira:issue_updated", "issue": {"id": "1"}}).encode()


@dataclass
class Entrance:
    """Hooks that listen, and the trackers that they woke."""

    address: Address
    folder: Path
    woken: list[str] = field(default_factory=list)

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST"
    ) -> tuple[int, dict[str, object]]:
        """The status and the content of the answer."""
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def report(self, sent: Sent, path: str = "/hooks/game", **headers: str) -> tuple[int, str]:
        """The status of the answer, and what it says came of the report, or the code of the refusal."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        status, content = self.post(path, sent.body, sent.headers | more)
        error = content.get("error")
        return status, str(error["code"] if isinstance(error, dict) else content["status"])


def closed(secret: str = SECRETS["game"], body: bytes = CLOSED, event: str = "issues") -> Sent:
    return signed("github", secret, event, body)


@contextmanager
def entered(scene: Scene, folder: Path, settings: Settings | None = None) -> Iterator[Entrance]:
    """A hook of each kind, whose trackers have the issue 1 of the scene."""
    for name, secret in SECRETS.items():
        (folder / name).write_text(secret)
    token = Secret(env="TOKEN")
    github = GitHubSettings(kind="github", repository="acme/game", token=token)
    jira = JiraSettings(kind="jira", deployment="datacenter", url="https://jira.example", token=token, project="GAME")
    hooks = {
        name: HookSettings(
            tracker=["there" if name == "web" else "mobile" if name in ("cloud", "center") else "here"],
            secret=Secret(file=f"{folder}/{name}"),
            signed=name != "center",
        )
        for name in SECRETS
    }
    changes = {
        "receiver": settings or Settings(),
        "trackers": {"here": github, "there": github, "mobile": jira},
        "hooks": hooks,
    }
    config = scene.rules.config.model_copy(update=changes)
    woken: list[str] = []
    with serving(Hooks(config, scene.store, woken.append, scene.clock), config.receiver) as address:
        yield Entrance(address, folder, woken)


@pytest.fixture
def filed(scene: Scene) -> Scene:
    """A scene whose only issue, number 1 of repository 12, was just looked at."""
    scene.tell()
    while scene.sync():
        scene.wait()
    scene.store.notebook("here").note("repository_id", "12")
    scene.tracker.calls.clear()
    return scene


@pytest.fixture
def entrance(filed: Scene, tmp_path: Path) -> Iterator[Entrance]:
    with entered(filed, tmp_path) as opened:
        yield opened


def test_an_authentic_report_leads_to_a_look(filed: Scene, entrance: Entrance) -> None:
    assert entrance.report(closed()) == (200, "noted")
    assert entrance.woken == ["here"]
    assert filed.sync()
    assert filed.tracker.calls == ["look"]


def test_a_report_of_jira_is_signed_by_another_header(entrance: Entrance) -> None:
    """The issue is another tracker's."""
    sent = signed("jira", SECRETS["cloud"], "jira:issue_updated", UPDATED)
    assert entrance.report(sent, "/hooks/cloud") == (200, "ignored")
    github = closed(SECRETS["cloud"], UPDATED)
    assert entrance.report(github, "/hooks/cloud") == (401, "unauthorized")


def altered(sent: Sent, **headers: str) -> Sent:
    """Other headers; one of them left out where it is empty."""
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = {name: value for name, value in (sent.headers | changed).items() if value}
    return Sent(sent.event, kept, sent.body)


SIGNATURE = closed().headers["X-Hub-Signature-256"]
FORGED = {
    "without a signature": altered(closed(), X_Hub_Signature_256=""),
    "with a SHA-1 only": altered(closed(), X_Hub_Signature_256="", X_Hub_Signature="sha1=" + SIGNATURE[7:47]),
    "with a SHA-256 in the old header": altered(closed(), X_Hub_Signature_256="", X_Hub_Signature=SIGNATURE),
    "signed by somebody": closed("another secret"),
    "signed by the secret of another hook": closed(SECRETS["web"]),
    "signed before it was changed": Sent("issues", closed().headers, CLOSED.replace(b"closed", b"locked")),
    "cut off": Sent("issues", closed().headers, CLOSED[:-1]),
    "signed, and cut off there": altered(closed(), X_Hub_Signature_256=SIGNATURE[:-2]),
}


@pytest.mark.parametrize("sent", FORGED.values(), ids=FORGED)
def test_a_report_that_is_not_authentic_leaves_nothing(sent: Sent, filed: Scene, entrance: Entrance) -> None:
    assert entrance.report(sent) == (401, "unauthorized")
    assert not filed.store.connection.select("heard_hooks")
    assert not filed.sync()
    assert not entrance.woken


def test_a_signature_counts_for_its_own_hook_only(filed: Scene, entrance: Entrance) -> None:
    assert entrance.report(closed(), "/hooks/web") == (401, "unauthorized")
    assert entrance.report(closed(SECRETS["web"]), "/hooks/web") == (200, "ignored")
    assert not filed.sync(), "the other tracker has no such issue"


def test_a_ping_is_answered_only_if_it_is_signed(entrance: Entrance) -> None:
    ping = closed(body=b'{"zen":"Keep it logically awesome.","hook_id":1}', event="ping")
    assert entrance.report(altered(ping, X_Hub_Signature_256="")) == (401, "unauthorized")
    assert entrance.report(ping) == (200, "ignored")


def test_a_form_is_refused_with_the_setting_that_causes_it(filed: Scene, entrance: Entrance) -> None:
    form = altered(closed(body=b"payload=%7B%7D"), Content_Type="application/x-www-form-urlencoded")
    status, content = entrance.post("/hooks/game", form.body, form.headers)
    assert (status, content["error"]) == (
        415,
        {
            "code": "form_body",
            "message": 'The body is a form; choose "application/json" as the content type in the settings of the hook.',
        },
    )
    assert entrance.report(altered(form, X_Hub_Signature_256="")) == (401, "unauthorized"), "whoever sends it"
    assert not filed.sync()


def test_what_is_no_report_is_answered_what_it_lacks(entrance: Entrance) -> None:
    assert entrance.report(closed(body=b"closed")) == (400, "not_json")
    assert entrance.report(closed(body=b"")) == (400, "not_json")
    assert entrance.report(closed(), Content_Encoding="gzip") == (415, "encoded_body")
    status, content = entrance.post("/hooks/" + "x" * 40, CLOSED, closed().headers)
    assert status == 404
    assert "xxxx" not in json.dumps(content)
    assert entrance.post("/hooks/game", b"", {}, "GET")[0] == 405


def test_a_body_beyond_the_limit_is_refused(filed: Scene, tmp_path: Path) -> None:
    with entered(filed, tmp_path, Settings(max_body_bytes=1024)) as entrance:
        assert entrance.report(closed(body=b"[" + b"0," * 600 + b"0]")) == (413, "too_large")
        assert entrance.report(closed()) == (200, "noted")


def test_the_secret_of_a_jira_that_cannot_sign_ends_the_address(
    filed: Scene, entrance: Entrance, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, unsigned = SECRETS["center"], signed("jira", "", "jira:issue_updated", UPDATED)
    assert entrance.report(unsigned, f"/hooks/center/{secret}") == (200, "ignored")
    assert entrance.report(unsigned, f"/hooks/center/{secret}/") == (200, "ignored")
    for path in (
        "center",
        "center/",
        f"center/{secret[:-1]}",
        f"center/{secret}x",
        f"center/x/{secret}",
        f"game/{secret}",
    ):
        assert entrance.report(unsigned, f"/hooks/{path}") == (401, "unauthorized"), path
    assert entrance.report(closed(), f"/hooks/game/{SECRETS['game']}") == (401, "unauthorized"), "this one signs"
    assert secret not in capsys.readouterr().out


@pytest.mark.parametrize("secret", ["short", "0123456789 0123456789", "0123456789/0123456789", "ä" * 20])
def test_a_secret_that_ends_an_address_must_be_able_to(secret: str, scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "hook").write_text(secret)
    hook = HookSettings(tracker=["here"], secret=Secret(file=f"{tmp_path}/hook"), signed=False)
    config = scene.rules.config.model_copy(update={"hooks": {"center": hook}})
    with pytest.raises(ConfigError, match=r"hooks\.center\.secret: .* 20 or more letters") as raised:
        Hooks(config, scene.store, lambda _: None, scene.clock)
    assert secret not in str(raised.value)


def test_a_new_secret_in_the_file_counts_without_a_restart(entrance: Entrance) -> None:
    assert entrance.report(closed()) == (200, "noted")
    (entrance.folder / "game").write_text("a new secret")
    assert entrance.report(closed("a new secret", CLOSED + b" ")) == (200, "noted")
    assert entrance.report(closed(body=CLOSED + b"  ")) == (401, "unauthorized")


def test_a_report_is_answered_503_while_the_store_is_away(filed: Scene, entrance: Entrance) -> None:
    filed.store.close()
    assert entrance.report(closed())[0] == 503

"""`[hooks.NAME]`: which trackers can call back, by which secrets."""

import pytest

from syncd.config import secrets
from tests.config.conftest import CLOUD, DATACENTER, EVERYTHING, GITHUB, LOCAL, Faults, Load, keys

SECRET = 'secret = { credential = "hook" }\n'
WEB = GITHUB.replace("crashes", "web")


def hook(tracker: str, more: str = "") -> str:
    """A hook for a tracker, or for a list of them, as TOML has it."""
    return f"[hooks.game]\ntracker = {tracker}\n{SECRET}{more}"


def test_a_hook_has_one_tracker_or_several(load: Load) -> None:
    assert load(GITHUB + hook('"crashes"')).hooks["game"].tracker == ["crashes"]
    both = load(GITHUB + WEB + EVERYTHING + '"web"\n' + hook('["crashes", "web"]'))
    assert both.hooks["game"].tracker == ["crashes", "web"]
    assert both.hooks["game"].signed
    public = GITHUB + 'api_url = "https://api.github.com/"\n' + WEB
    assert load(public + EVERYTHING + '"web"\n' + hook('["crashes", "web"]')), "the same server, named and by default"


def test_its_secrets_are_listed_with_their_keys(load: Load) -> None:
    loaded = load(GITHUB + hook('"crashes"', 'previous_secret = { env = "OLD" }\n'))
    assert {key for key, _ in secrets(loaded)} >= {"hooks.game.secret", "hooks.game.previous_secret"}


def test_a_jira_that_cannot_sign_has_the_secret_in_the_address(load: Load) -> None:
    assert not load(DATACENTER + hook('"mobile"', "signed = false\n")).hooks["game"].signed


@pytest.mark.parametrize(
    ("text", "key", "remedy"),
    [
        pytest.param(GITHUB + hook('"crash"'), "hooks.game.tracker", "did you mean 'crashes'", id="an unknown tracker"),
        pytest.param(LOCAL + hook('"files"'), "hooks.game.tracker", "remove the hook", id="files report nothing"),
        pytest.param(
            GITHUB + hook('"crashes"', "signed = false\n"), "hooks.game.signed", "remove this key", id="GitHub signs"
        ),
        pytest.param(
            GITHUB + hook('["crashes", "crashes"]'), "hooks.game.tracker", "remove one of the two", id="one twice"
        ),
        pytest.param(GITHUB + hook("[]"), "hooks.game.tracker", "hooks.game.tracker: ", id="none"),
        pytest.param(
            GITHUB + CLOUD + EVERYTHING + '"mobile"\n' + hook('["crashes", "mobile"]'),
            "hooks.game.tracker",
            "write a hook for each",
            id="two servers",
        ),
        pytest.param(
            GITHUB
            + WEB
            + 'api_url = "https://github.example/api/v3"\n'
            + EVERYTHING
            + '"web"\n'
            + hook('["crashes", "web"]'),
            "hooks.game.tracker",
            "write a hook for each",
            id="two GitHubs",
        ),
        pytest.param(GITHUB + '[hooks.game]\ntracker = "crashes"\n', "hooks.game.secret", "missing", id="no secret"),
        pytest.param(
            GITHUB + hook('"crashes"').replace('{ credential = "hook" }', '"open sesame"'),
            "hooks.game.secret",
            "file",
            id="a secret in plain text",
        ),
        pytest.param(
            GITHUB + hook('"crashes"').replace("hooks.game", '"hooks"."a/b"'),
            "hooks.a/b",
            "hooks.a/b: ",
            id="a name that is a path",
        ),
        pytest.param(GITHUB + hook('"crashes"', "sign = true\n"), "hooks.game.sign", "signed", id="a mistyped key"),
    ],
)
def test_an_impossible_hook_is_refused_with_its_key_and_a_remedy(
    faults: Faults, text: str, key: str, remedy: str
) -> None:
    problems = faults(text)
    assert key in keys(problems)
    assert remedy in " ".join(problems)
    assert "open sesame" not in " ".join(problems)

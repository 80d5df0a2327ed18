"""Secrets: three places, never in the file itself, never in a message."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from syncd import config
from syncd.config import Config, Secret, values
from syncd.errors import ConfigError
from tests.config.conftest import CLOUD, DATACENTER, GITHUB, PASSWORD, Faults, Load, keys


@pytest.mark.parametrize(
    "text",
    [
        f'[receiver]\nusername = "u"\npassword = "{PASSWORD}"\n',
        f'[receiver]\nusername = "u"\npassword = ["{PASSWORD}"]\n',
        f'[receiver]\nusername = "u"\npassword = {{ value = "{PASSWORD}" }}\n',
        f'[receiver]\nusername = "u"\npassword = {{ env = "A", file = "{PASSWORD}" }}\n',
        f'[receiver]\nusername = "u"\npassword = {{ env = ["{PASSWORD}"] }}\n',
        f'[receiver]\nusername = "u"\npassword = {{ env = "A" }}\nprevious_password = "{PASSWORD}"\n',
        f'[receiver]\npasswort = "{PASSWORD}"\n',
        f'[trackers.a]\nkind = "github"\nrepository = "a/b"\ntoken = "{PASSWORD}"\n',
        f'[trackers.a]\nkind = "github"\nrepository = "a/b"\ntoken = {{ env = "A" }}\npassword = "{PASSWORD}"\n',
        DATACENTER.replace('{ env = "TOKEN" }', f'"{PASSWORD}"'),
        f'[receiver]\nusername = "u"\npassword = "{PASSWORD}',
    ],
)
def test_a_secret_written_in_the_file_is_refused_and_never_repeated(faults: Faults, text: str) -> None:
    problems = faults(text)

    assert PASSWORD not in "".join(problems)
    assert problems


def test_a_secret_written_in_the_file_is_refused_with_the_remedy(faults: Faults) -> None:
    (problem,) = faults(f'[receiver]\nusername = "u"\npassword = "{PASSWORD}"\n')

    assert problem.startswith("receiver.password: ")
    assert [place in problem for place in ("file", "env", "credential")] == [True] * 3


@pytest.mark.parametrize("places", ["{}", '{ env = "A", file = "b" }', '{ env = "A", file = "b", credential = "c" }'])
def test_a_secret_is_kept_in_exactly_one_place(faults: Faults, places: str) -> None:
    (problem,) = faults(f'[receiver]\nusername = "u"\npassword = {places}\n')

    assert problem.startswith("receiver.password: ")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes], Secret]:
    """Keeps a value in one of the three places."""

    def keep(place: str, value: bytes) -> Secret:
        if place == "env":
            monkeypatch.setitem(os.environb, b"SYNCD_TEST_SECRET", value)
            return Secret(env="SYNCD_TEST_SECRET")
        (tmp_path / "secret").write_bytes(value)
        if place == "file":
            return Secret(file=str(tmp_path / "secret"))
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        return Secret(credential="secret")

    return keep


Keep = Callable[[str, bytes], Secret]
PLACES = ["file", "env", "credential"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("value", "read"),
    [
        (b"correct horse", "correct horse"),
        (b"correct horse\n", "correct horse"),
        (b"correct horse\r\n", "correct horse"),
        (b" correct\thorse ", " correct\thorse "),
        ("pässword".encode(), "pässword"),
    ],
)
def test_a_secret_is_read_from_its_place_without_the_line_end(kept: Keep, place: str, value: bytes, read: str) -> None:
    secret = kept(place, value).read("tracker.token")

    assert secret.get_secret_value() == read
    assert read not in repr(secret) + str(secret)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("value", "reason"), [(b"", "is empty"), (b"\n", "is empty"), (b"ab\xffcd", "not UTF-8")])
def test_an_empty_or_binary_secret_is_refused_with_its_place(kept: Keep, place: str, value: bytes, reason: str) -> None:
    secret = kept(place, value)

    with pytest.raises(ConfigError, match=reason) as caught:
        secret.read("tracker.token")
    assert ("SYNCD_TEST_SECRET" if place == "env" else "/secret") in str(caught.value)
    assert "cd" not in str(caught.value).replace("syncd", "")


def test_a_missing_secret_is_refused_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    with pytest.raises(ConfigError, match="the environment variable SYNCD_TEST_ABSENT is not set"):
        Secret(env="SYNCD_TEST_ABSENT").read("tracker.token")
    with pytest.raises(
        ConfigError, match="the secret in /etc/syncd/credentials/password-that-is-not-there cannot be read"
    ):
        Secret(credential="password-that-is-not-there").read("tracker.token")
    with pytest.raises(ConfigError, match=r"absent cannot be read: No such file"):
        Secret(file=str(tmp_path / "absent")).read("tracker.token")
    with pytest.raises(ConfigError, match="is a folder; name a file"):
        Secret(file=str(tmp_path)).read("tracker.token")


def with_secrets(load: Load, file: Path) -> Config:
    place = f'{{ file = "{file}" }}'
    return load(
        f'[receiver]\nusername = "u"\npassword = {place}\nprevious_password = {place}\n'
        + GITHUB.replace('{ env = "TOKEN" }', place)
    )


@pytest.mark.parametrize(("mode", "open_to_others"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_secret_that_other_accounts_can_read_causes_a_warning(
    load: Load, tmp_path: Path, mode: int, open_to_others: bool
) -> None:
    file = tmp_path / "secret"
    file.write_text(PASSWORD)
    file.chmod(mode)

    warnings = list(config.warnings(with_secrets(load, file)))
    assert keys(warnings) == (
        ["receiver.password", "receiver.previous_password", "trackers.crashes.token"] if open_to_others else []
    )
    assert PASSWORD not in "".join(warnings)
    assert all("chmod 600" in warning for warning in warnings)


@pytest.mark.parametrize("name", ["absent", "secret/below-a-file", "x" * 300])
def test_an_unreachable_secret_causes_no_warning(load: Load, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text(PASSWORD)

    assert list(config.warnings(with_secrets(load, tmp_path / name))) == []


def test_secrets_outside_of_files_cause_no_warning(load: Load) -> None:
    assert list(config.warnings(load(CLOUD))) == []


def test_a_credential_is_found_where_a_whole_folder_was_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "syncd_token").write_text("of the folder\n")
    assert Secret(credential="token").read("tracker.token").get_secret_value() == "of the folder"

    (tmp_path / "other").write_text("by its own name")
    assert Secret(credential="other").read("tracker.token").get_secret_value() == "by its own name"


@pytest.mark.parametrize(
    ("secret", "parts"),
    [
        pytest.param(Secret(file="/run/tok"), ("the file /run/tok", "without a restart"), id="file"),
        pytest.param(Secret(env="TOKEN"), ("the environment variable TOKEN", "restart syncd"), id="env"),
        pytest.param(
            Secret(credential="tok"),
            ("systemd credential tok", "/etc/syncd/credentials/tok", "systemctl restart syncd"),
            id="credential",
        ),
    ],
)
def test_where_a_secret_comes_from_and_when_a_new_one_counts(secret: Secret, parts: tuple[str, ...]) -> None:
    sentence = secret.renewal("trackers.game.token")
    assert sentence.startswith("trackers.game.token ")
    assert all(part in sentence for part in parts)


def test_a_service_with_another_copy_than_the_credential_is_outdated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "CREDENTIALS", str(tmp_path / "etc"))
    monkeypatch.setattr(values, "RUNNING", str(tmp_path / "run"))
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "tok").write_text("new")
    for service, name, content in (
        ("syncd.service", "syncd_tok", "old"),
        ("crashes.service", "tok", "old"),
        ("syncd-worker.service", "tok", "new"),
        ("another.service", "syncd_other", "old"),
    ):
        (tmp_path / "run" / service).mkdir(parents=True)
        (tmp_path / "run" / service / name).write_text(content)

    assert sorted(Secret(credential="tok").outdated()) == ["crashes.service", "syncd.service"]
    assert Secret(credential="absent").outdated() == []
    assert Secret(file=str(tmp_path / "etc" / "tok")).outdated() == []


@pytest.mark.parametrize(
    ("mode", "folder", "open_to_others"),
    [(0o600, 0o755, False), (0o644, 0o700, False), (0o644, 0o755, True), (0o640, 0o710, True)],
)
def test_a_store_that_other_accounts_can_read_is_reported(
    load: Load, tmp_path: Path, mode: int, folder: int, open_to_others: bool
) -> None:
    (tmp_path / "state").mkdir()
    store = tmp_path / "state" / "syncd.db"
    store.touch()
    store.chmod(mode)
    (tmp_path / "state").chmod(folder)

    reported = [
        warning for warning in config.warnings(load(f'[store]\nurl = "sqlite:{store}"\n')) if "store.url" in warning
    ]

    assert len(reported) == open_to_others

"""Logins of a listener: which are accepted, and when a rotated password counts."""

import base64
from pathlib import Path

import pytest

from syncd.config import Logins, Secret
from syncd.config.values import LOOK_SECONDS
from syncd.errors import ConfigError

NOW = 100.0


def header(password: str, username: str = "backtrace") -> bytes:
    return b"Basic " + base64.b64encode(f"{username}:{password}".encode())


def rotate(file: Path, password: str) -> None:
    """Replace a file as a careful administrator does."""
    new = file.with_name("new")
    new.write_text(password)
    new.replace(file)


@pytest.mark.parametrize(
    ("username", "password", "encodings"),
    [
        ("backtrace", "secret", {"utf-8", "latin-1", "cp1252"}),
        ("backtrace", "pässwörd:mit:ß", {"utf-8", "latin-1", "cp1252"}),
        ("jürgen", "pässwörd:mit:€", {"utf-8", "cp1252"}),
        ("backtrace", "пароль", {"utf-8"}),
    ],
)
def test_a_login_counts_in_every_encoding_that_has_its_characters(
    tmp_path: Path, username: str, password: str, encodings: set[str]
) -> None:
    (tmp_path / "password").write_text(password, encoding="utf-8")
    logins = Logins(username, {"receiver.password": Secret(file=str(tmp_path / "password"))})

    for encoding in ("utf-8", "latin-1", "cp1252", "utf-16"):
        login = f"{username}:{password}".encode(encoding, "replace")
        assert logins.accept(b"Basic " + base64.b64encode(login), NOW) is (encoding in encodings), encoding


def test_a_rotated_password_counts_from_the_next_request_on(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("first")
    logins = Logins("backtrace", {"receiver.password": Secret(file=str(file)), "receiver.previous_password": None})
    assert logins.required
    assert logins.accept(header("first"), NOW)

    rotate(file, "second")
    assert logins.accept(header("second"), NOW)
    assert not logins.accept(header("first"), NOW)


def test_a_request_without_a_login_is_refused_whatever_came_before_it(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("first")
    logins = Logins("backtrace", {"receiver.password": Secret(file=str(file))})
    assert not logins.accept(b"", NOW)
    assert not logins.accept(b"", NOW)
    assert logins.accept(header("first"), NOW)
    rotate(file, "second")
    assert not logins.accept(header("first"), NOW + LOOK_SECONDS), "the cached login is forgotten"
    assert not logins.accept(b"", NOW + LOOK_SECONDS)


def test_a_rotated_password_is_refused_a_second_later_though_nobody_uses_the_new(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("first")
    logins = Logins("backtrace", {"receiver.password": Secret(file=str(file))})
    assert logins.accept(header("first"), NOW)

    rotate(file, "second")
    assert logins.accept(header("first"), NOW + LOOK_SECONDS / 2), "its file was looked at less than a second ago"
    assert not logins.accept(header("first"), NOW + LOOK_SECONDS)


@pytest.mark.parametrize("content", [None, b"", b"\xff"])
def test_the_password_before_counts_as_long_as_its_file_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "password"
    file.write_text("first")
    logins = Logins("backtrace", {"receiver.password": Secret(file=str(file))})
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    assert logins.accept(header("first"), NOW)
    assert not logins.accept(header(""), NOW)

    rotate(file, "second")
    assert (logins.accept(header("second"), NOW), logins.accept(header("first"), NOW)) == (True, False)


def test_each_of_two_passwords_is_accepted_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("new")
    (tmp_path / "old").write_text("old")
    secrets = {"a": Secret(file=str(tmp_path / "new")), "b": Secret(file=str(tmp_path / "old"))}
    logins = Logins("backtrace", secrets)

    assert logins.accept(header("new"), NOW)
    assert logins.accept(header("old"), NOW)
    for refused in (header("neither"), header("new", "another"), b"", b"Basic !", b"Bearer new", b"Basic " + b"\xff"):
        assert not logins.accept(refused, NOW)


def test_without_a_password_every_login_is_accepted() -> None:
    logins = Logins(None, {"receiver.password": None})
    assert (logins.required, logins.accept(b"", NOW), logins.accept(b"Basic x", NOW)) == (False, True, True)


def test_a_password_that_cannot_be_read_at_the_start_is_refused_with_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^receiver\.password: "):
        Logins("backtrace", {"receiver.password": Secret(file=str(tmp_path / "absent"))})

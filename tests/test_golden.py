"""Golden files hold every text exactly, and a changed text fails with a diff."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import golden as module
from tests.golden import FOLDER, golden, read


def _write(monkeypatch: pytest.MonkeyPatch, folder: Path, entries: dict[str, str]) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("SYNCD_GOLDEN", "write")
        patch.delenv("PYTEST_XDIST_WORKER", raising=False)
        for name, text in entries.items():
            golden("letters", name, text, folder)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SYNCD_GOLDEN", raising=False)
    _write(monkeypatch, tmp_path, {"b": "two\nlines", "a": "one line"})
    return tmp_path


def test_the_same_text_passes_and_entries_are_sorted_by_name(folder: Path) -> None:
    golden("letters", "a", "one line", folder)
    golden("letters", "b", "two\nlines", folder)
    assert (folder / "letters.txt").read_text() == "a\n| one line\n\nb\n| two\n| lines\n"


def test_another_text_fails_with_a_diff(folder: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"(?s)letters.txt, b.*-lines.*\+words"):
        golden("letters", "b", "two\nwords", folder)


def test_a_text_without_an_entry_fails_and_is_printed(folder: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"(?s)no entry 'c'.*hello"):
        golden("letters", "c", "hello", folder)


def test_writing_keeps_the_entries_of_other_tests(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(monkeypatch, folder, {"c": "three"})
    assert read(folder / "letters.txt") == {"a": "one line", "b": "two\nlines", "c": "three"}


def test_two_texts_for_one_name_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pytest.fail.Exception, match="two tests"):
        _write(monkeypatch, folder, {"a": "something else"})


def test_only_one_process_writes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCD_GOLDEN", "write")
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    with pytest.raises(RuntimeError, match="without -n"):
        golden("letters", "a", "one line", folder)


@pytest.mark.parametrize("name", ["", " a", "a ", "a\nb", "| a"])
def test_a_name_is_one_line_that_no_text_line_looks_like(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a name"):
        golden("letters", name, "", tmp_path)


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_is_read_back_as_it_was_written(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("golden")
    with pytest.MonkeyPatch.context() as monkeypatch:
        _write(monkeypatch, folder, {"before": "", "text": text, "z": ""})
    assert read(folder / "letters.txt") == {"before": "", "text": text, "z": ""}


def test_every_golden_file_is_in_the_form_that_is_written() -> None:
    for path in FOLDER.glob("*.txt"):
        entries = read(path)
        assert list(entries) == sorted(entries), path.name
        assert module.render(entries) == path.read_bytes().decode("utf-8"), path.name

"""Golden files: the sentences and pages for people, one file for each surface, `tests/golden/<surface>.txt`.

A test asserts rules and facts itself and hands the text over to `golden`. A reworded sentence is then a diff of one file:
`make golden` writes all files anew, `SYNCD_GOLDEN=write pytest …` only the entries of the tests that run.
"""

import difflib
import os
import re
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).with_name("golden")
_NAME = re.compile(r"\S(?:.*\S)?")
_MARGIN = "|"  # before each line of a text, so that names, empty lines and trailing blanks are unmistakable
_written: dict[Path, dict[str, str]] = {}  # by this process


def golden(surface: str, name: str, text: str, folder: Path = FOLDER) -> None:
    """Fail unless `text` is the entry `name` in the golden file of `surface`. With SYNCD_GOLDEN=write, write it there.

    Tests that share a name, those of two databases say, must have the same text.
    """
    if _NAME.fullmatch(name) is None or name.startswith("|"):
        raise ValueError(f"not a name for a golden entry: {name!r}")
    path = folder / f"{surface}.txt"
    if os.environ.get("SYNCD_GOLDEN") == "write":
        _write(path, name, text)
        return
    expected = _entries(path).get(name)
    if expected is None:
        pytest.fail(f"{path.name} has no entry {name!r}; `make golden` writes it. The text is:\n{text}", pytrace=False)
    if expected != text:
        diff = "\n".join(
            difflib.unified_diff(expected.split("\n"), text.split("\n"), "expected", "actual", lineterm="")
        )
        pytest.fail(f"{path.name}, {name}: the text differs; `make golden` accepts it.\n{diff}", pytrace=False)


def _write(path: Path, name: str, text: str) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        raise RuntimeError("golden files are written by one process: run pytest without -n")
    written = _written.setdefault(path, {})
    if written.setdefault(name, text) != text:
        pytest.fail(f"{path.name}, {name}: two tests have different texts for it", pytrace=False)
    entries = read(path) | {name: text}
    path.parent.mkdir(exist_ok=True)
    path.write_text(render(entries), encoding="utf-8", newline="")


def render(entries: dict[str, str]) -> str:
    """The golden file of these entries, sorted by name."""
    blocks = (
        "\n".join([name, *(f"{_MARGIN} {line}" if line else _MARGIN for line in entries[name].split("\n"))])
        for name in sorted(entries)
    )
    return "\n\n".join(blocks) + "\n"


def read(path: Path) -> dict[str, str]:
    """The entries of a golden file, by name; none if the file does not exist."""
    if not path.exists():
        return {}
    entries: dict[str, list[str]] = {}
    name = ""
    for line in path.read_bytes().decode("utf-8").split("\n"):
        if line.startswith(_MARGIN):
            entries[name].append(line.removeprefix(_MARGIN).removeprefix(" "))
        elif line:
            name = line
            entries[name] = []
    return {key: "\n".join(lines) for key, lines in entries.items()}


_entries = cache(read)

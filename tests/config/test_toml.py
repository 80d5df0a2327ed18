"""The bracket or quotation mark that a document does not close, against documents that Python's parser takes."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.config import toml

KEYS = st.sampled_from(["a", "b", "'x.[y'", '"q]"'])
TEXTS = st.sampled_from(['"["', "'{'", '""', "''", '"""\n[\n"""', "'''\n}''''", '"\\\\"', '"\\"]"', '""""x"""'])
VALUES = st.recursive(
    TEXTS | st.sampled_from(["1", "true"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda values: "[" + ",\n".join(values) + "] ")
        | inner.map(lambda value: "{ a = " + value + " }")
    ),
    max_leaves=6,
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Valid documents, with comments that have brackets and marks."""
    lines = [f'k{number} = {value}  # [ {{ "' for number, value in enumerate(draw(st.lists(VALUES, max_size=4)))]
    return "\n".join([*lines, "[t.'[']", "x = 1", ""])


@given(documents())
def test_a_valid_document_has_nothing_open(document: str) -> None:
    tomllib.loads(document)
    assert toml._open(document) == ("", 0)


@given(documents(), st.sampled_from(["[", "{ a = ", '"""', "'''"]), documents())
def test_what_is_opened_and_never_closed_is_named_with_its_line(before: str, mark: str, after: str) -> None:
    # Whole documents of brackets follow, and so does no mark that would close a text.
    rest = after if mark in ("[", "{ a = ") else "x = [1]"
    document = f"{before}broken = {mark}\n{rest}"
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(document)
    assert toml._open(document) == (mark.split()[0], before.count("\n") + 1)

"""Addresses of groups: made of the identity, and harmless to every program on their way."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.model import Identity
from syncd.render.addresses import group_page, segment, text_of

TEXTS = st.one_of(
    st.text(min_size=0, max_size=30),
    st.text(alphabet="./~%\\?#;&+ a\0\ud800", min_size=0, max_size=8),
    st.sampled_from(["", ".", "..", "a.json", ".json", "~", "~2e", "%2e%2e", "a" * 500, "é", "e\u0301", "\u202e"]),
)


@given(TEXTS)
def test_a_segment_is_read_back_after_percent_signs_are_decoded(text: str) -> None:
    assert text_of(unquote(segment(text))) == text


@given(TEXTS)
def test_a_segment_survives_browsers_and_proxies(text: str) -> None:
    written = segment(text)
    decoded = unquote(written)
    assert written.isascii()
    assert decoded not in ("", ".", "..")
    assert not set(decoded) & set("/\\?#%;&+<>\"'\0\r\n")
    assert not decoded.endswith(".json")
    assert urlsplit(f"https://console.example/groups/{written}").path == f"/groups/{written}"


@given(st.tuples(TEXTS, TEXTS, TEXTS), st.tuples(TEXTS, TEXTS, TEXTS))
def test_two_groups_have_two_addresses(left: tuple[str, str, str], right: tuple[str, str, str]) -> None:
    assert (group_page(Identity(*left)) == group_page(Identity(*right))) == (left == right)


@pytest.mark.parametrize(
    ("identity", "page"),
    [
        (("acme", "game-client", "71b74582"), "/groups/acme/game-client/71b74582"),
        (("acme", "My Game", "f1"), "/groups/acme/My%20Game/f1"),
        (("acme", "a/b", ".."), "/groups/acme/~612f62/~2e2e"),
    ],
)
def test_an_address_can_be_read_where_that_does_no_harm(identity: tuple[str, str, str], page: str) -> None:
    assert group_page(Identity(*identity)) == page


def test_a_segment_that_no_address_has_stands_for_itself() -> None:
    assert [text_of(each) for each in ("~zz", "~ff", "~2E", "~2")] == ["~zz", "~ff", "~2E", "~2"]

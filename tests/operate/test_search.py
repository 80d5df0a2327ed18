"""The group that a person names by an issue or a fingerprint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.model import Created, Identity
from syncd.operate import search
from syncd.store import Store
from syncd.store.issues import Intent
from tests.store import steps
from tests.store.filled import NOW, absorb, accept, crash_notification
from tests.store.stuck import claimed, parked


def file(store: Store, fingerprint: str, key: str, url: str) -> None:
    claim = claimed(store, fingerprint)
    steps.intend(store, claim, Intent(marker="m" * 32, revision=1), NOW)
    steps.link(store, claim, Created(remote_id=key, key=key, url=url, number=1), NOW)


@pytest.fixture
def filed(store: Store) -> Store:
    file(store, "aa01", "acme/game#12", "https://github.com/acme/game/issues/12")
    file(store, "aa02", "acme/tools#12", "https://github.com/acme/tools/issues/12")
    file(store, "aa03", "acme/game#112", "https://github.com/acme/game/issues/112")
    file(store, "bb01", "GAME-12", "https://jira.example.com/browse/GAME-12")
    file(store, "bb02", "crash-in-draw-01", "file:///srv/issues/crash-in-draw-01.md")
    # Fingerprints that look like keys, or begin like another one.
    accept(store, *(crash_notification(name) for name in ("game-1", "game-123", "cc", "cc01", "#112")))
    absorb(store)
    return store


def named(store: Store, text: str) -> list[str]:
    return sorted(listed.standing.group.identity.fingerprint for listed in search.matches(store, text))


@pytest.mark.parametrize(
    ("text", "fingerprints"),
    [
        ("acme/game#12", ["aa01"]),
        ("ACME/Game#12", ["aa01"]),
        (" acme/game#12 ", ["aa01"]),
        ("#12", ["aa01", "aa02"]),
        pytest.param("#112", ["aa03"], id="an issue comes before a fingerprint"),
        ("#1", ["#112"]),
        ("https://github.com/acme/game/issues/12", ["aa01"]),
        ("http://GitHub.com/acme/game/issues/12/", ["aa01"]),
        ("https://github.com/acme/game/issues/12#issuecomment-77", ["aa01"]),
        ("https://github.com/acme/game/issues/1", []),
        ("game-12", ["bb01"]),
        ("https://jira.example.com/browse/GAME-12?focusedId=3", ["bb01"]),
        ("https://jira.example.com/jira/boards/1?selectedIssue=GAME-12", ["bb01"]),
        ("crash-in-draw-01.md", ["bb02"]),
        ("file:///srv/issues/crash-in-draw-01.md", ["bb02"]),
        pytest.param("game-1", ["game-1"], id="a whole fingerprint comes before its beginnings"),
        ("game-123", ["game-123"]),
        ("cc", ["cc"]),
        ("CC0", ["cc01"]),
        ("game/cc01", ["cc01"]),
        ("acme/game/cc", ["cc"]),
        ("aa", ["aa01", "aa02", "aa03"]),
        ("game/", []),
        ("%12", []),
        ("12", []),
        ("", []),
        ("  ", []),
    ],
)
def test_the_groups_that_a_text_fits(filed: Store, text: str, fingerprints: list[str]) -> None:
    assert named(filed, text) == fingerprints


def test_an_issue_that_its_group_gave_up_names_no_group(store: Store) -> None:
    claim = claimed(store, "dd01")
    steps.intend(store, claim, Intent(marker="m" * 32, revision=1), NOW)
    steps.link(store, claim, Created(remote_id="7", key="K-7", url="https://example.com/7", number=7), NOW)
    parked(store, claim, "deleted", "K-7 was deleted")
    assert named(store, "K-7") == ["dd01"]

    (letter,) = store.dead_letters.all()
    assert store.dead_letters.retry(letter, NOW)

    assert named(store, "K-7") == []


names = st.text(st.sampled_from("ab/#-1"), min_size=1, max_size=6)


@given(fingerprints=st.lists(names, min_size=1, max_size=8, unique=True), data=st.data())
def test_a_whole_fingerprint_is_never_ambiguous_and_a_beginning_fits_all_that_begin_so(
    fingerprints: list[str], data: st.DataObject
) -> None:
    text = data.draw(st.sampled_from([name[:length] for name in fingerprints for length in range(1, len(name) + 1)]))
    candidates = [(Identity("universe", "project", name), name) for name in fingerprints]
    fits = search.fitting(candidates, text)
    if text in fingerprints:
        assert fits == [text]
    else:
        assert fits == [name for name in fingerprints if name.startswith(text)]


@pytest.mark.parametrize("text", ["acme/game#99", "GAME-99", "https://example.com/99"])
def test_text_that_looks_like_an_issue_is_called_one(text: str) -> None:
    assert "the issue" in search.absence(text)
    assert "the issue" not in search.absence("ab12")

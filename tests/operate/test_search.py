"""The group that a person names by an issue or a fingerprint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.config import Config, LocalSettings, Route
from syncd.model import Created, Identity
from syncd.operate import search
from syncd.store import Store
from syncd.store.filters import Sort, State, Term, Wanted
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


CONFIG = Config(
    trackers={"here": LocalSettings(kind="local", folder="issues")},
    routes=[
        Route(name="first", match={"project": "game"}, tracker="here", ignore_label="mute"),  # type: ignore[arg-type]
        Route(name="second", tracker="here", ignore_label=""),
    ],
)


def terms(text: str) -> tuple[Term, ...]:
    return search.wanted(CONFIG, {"text": text}, NOW).terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("update(float)  game-client", [Term("update(float)"), Term("game-client")]),
        ('"two words" third', [Term("two words"), Term("third")]),
        ("Renderer::draw std::map", [Term("Renderer::draw"), Term("std::map")]),
        ("os.version:10.0", [Term("os.version:10.0", "os.version", "10.0")]),
        ('os.name:"Windows 11" x', [Term("os.name:Windows 11", "os.name", "Windows 11"), Term("x")]),
        ("https://example.com/x C:\\game.exe", [Term("https://example.com/x"), Term("C:\\game.exe")]),
        ("acme/game#12 key: :x", [Term("acme/game#12"), Term("key:"), Term(":x")]),
        ('"state:open"', [Term("state:open")]),
        ('"unclosed text', [Term("unclosed text")]),
        ('"" " "', []),
    ],
)
def test_the_words_of_a_search(text: str, expected: list[Term]) -> None:
    assert list(terms(text)) == expected


def test_named_words_are_filters_and_all_filters_narrow_together() -> None:
    given = {
        "project": "game",
        "text": 'draw is:closed release:"2.4 beta" app:worldd since:2h first:1d returned:30m project:game',
    }
    assert search.wanted(CONFIG, given, NOW) == Wanted(
        project="game",
        application="worldd",
        release="2.4 beta",
        state=State.CLOSED,
        terms=(Term("draw"),),
        since=int(NOW) - 7200,
        first=int(NOW) - 86400,
        returned=NOW - 1800,
        labels=("mute",),
    )
    assert search.wanted(CONFIG, {"state": "new"}, NOW).first == search.fresh(NOW)
    assert search.wanted(CONFIG, {"state": "new", "first": "1d"}, NOW).first == NOW - 86400
    assert search.wanted(CONFIG, {"state": "new", "first": "90d"}, NOW).first == search.fresh(NOW)
    assert search.wanted(CONFIG, {"state": "", "text": None}, NOW).everything


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"state": "x"}, "there is no state 'x'; there are open, "),
        ({"text": "is:x"}, "there is no state 'x'"),
        ({"since": "yesterday"}, "since: 'yesterday' is not a duration; write it like 30m, 2h or 7d"),
        ({"since": "inf"}, "since: 'inf' is not a duration"),
        ({"project": "a", "text": "project:b"}, "project is given twice, as 'a' and as 'b'; give one of them"),
        ({"text": "a " * 21}, "text has 21 words; give at most 20"),
    ],
)
def test_a_filter_that_cannot_be_read_is_named_with_its_value_and_a_remedy(given: dict[str, str], message: str) -> None:
    with pytest.raises(search.BadFilter) as error:
        search.wanted(CONFIG, given, NOW)
    assert str(error.value).startswith(message)


@given(st.fixed_dictionaries({}, optional={name: st.text(max_size=30) for name in ("text", *search.FILTERS)}))
def test_any_filter_is_read_or_refused(given_filters: dict[str, str]) -> None:
    try:
        wanted = search.wanted(CONFIG, given_filters, NOW)
    except search.BadFilter:
        return
    assert all(word.text.strip() for word in wanted.terms)
    assert min(wanted.since or 0, wanted.first or 0, wanted.returned or 0) >= 0


@given(st.lists(st.text("abc#(_%!'\\é", min_size=1, max_size=8), max_size=10))
def test_plain_words_stay_as_they_are(plain: list[str]) -> None:
    assert [word.text for word in terms(" ".join(plain))] == plain


def test_orders_that_no_index_has_are_computed_page_by_page(store: Store) -> None:
    day = 86400
    for name, counts in (
        ("slow", (10, 11, 12)),
        ("fast", (5, 6, 60)),
        ("tired", (1, 80, 90)),
        ("idle", (900, 900, 900)),
    ):
        for back, count in zip((3.0, 1.5, 0.5), counts, strict=True):
            accept(store, crash_notification(name, occurrences=count, timestamp=[1000, 2000]), at=NOW - back * day)
    absorb(store, NOW)

    def order(sort: Sort) -> list[str]:
        names: list[str] = []
        after = None
        while True:
            page = search.page(store, Wanted(), sort, after, 1, NOW)
            names += [entry.standing.group.identity.fingerprint for entry in page.groups]
            if (after := page.next) is None:
                return names

    assert order(Sort.LAST_DAY) == ["fast", "tired", "slow", "idle"]
    assert order(Sort.GROWTH)[0] == "fast"
    assert sorted(order(Sort.GROWTH)) == ["fast", "idle", "slow", "tired"]
    assert search.tally(store, Wanted(), NOW).everything == 4

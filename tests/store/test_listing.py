"""What the console lists, on both databases."""

from dataclasses import replace
from functools import partial

import pytest

from syncd.model import Condition
from syncd.operate import actions
from syncd.store import Store, issues, listing
from syncd.store.filters import STORED, TABS, UNASSIGNED, Sort, State, Term, Wanted
from syncd.store.listing import Key
from tests.scene import Scene, made
from tests.store.filled import NOW, ToHere, absorb, accept, crash_notification


def fingerprints(store: Store, wanted: Wanted | None = None, sort: Sort = Sort.LAST_SEEN, size: int = 100) -> list[str]:
    listed = store.lists.groups(wanted or Wanted(), sort, None, size).groups
    return [entry.standing.group.identity.fingerprint for entry in listed]


def fill(store: Store) -> None:
    accept(
        store,
        crash_notification("a1", occurrences=5, timestamp=[1000, 9000], guids=1, callstack=["Renderer::draw", "main"]),
        crash_notification(
            "b2", occurrences=50, timestamp=[3000, 4000], guids=7, project="server", application="worldd"
        ),
        crash_notification(
            "c3", occurrences=500, timestamp=[2000, 5000], guids=3, attributes={"version": [["2.0", 500]]}
        ),
        crash_notification("d4", occurrences=1, timestamp=None, guids=None, project="unrouted"),
    )
    absorb(store)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (Sort.LAST_SEEN, ["a1", "c3", "b2", "d4"]),
        (Sort.FIRST_SEEN, ["b2", "c3", "a1", "d4"]),
        (Sort.OCCURRENCES, ["c3", "b2", "a1", "d4"]),
        (Sort.USERS, ["b2", "c3", "a1", "d4"]),
    ],
)
def test_groups_are_sorted_and_each_is_on_one_page(store: Store, sort: Sort, order: list[str]) -> None:
    fill(store)
    assert fingerprints(store, sort=sort) == order

    on_pages: list[str] = []
    after: Key | None = None
    while True:
        page = store.lists.groups(Wanted(), sort, after, 1)
        on_pages += [entry.standing.group.identity.fingerprint for entry in page.groups]
        if (after := page.next) is None:
            break
    assert on_pages == order


def test_groups_with_equal_sort_keys_are_ordered_by_number(store: Store) -> None:
    accept(store, *(crash_notification(f"same{number}", occurrences=3) for number in range(7)))
    absorb(store)
    first = store.lists.groups(Wanted(), Sort.OCCURRENCES, None, 3)
    assert first.next is not None
    second = store.lists.groups(Wanted(), Sort.OCCURRENCES, first.next, 10)

    both = [entry.id for entry in (*first.groups, *second.groups)]
    assert len(set(both)) == len(both) == 7


@pytest.mark.parametrize(
    ("wanted", "listed"),
    [
        (Wanted(project="server"), {"b2"}),
        (Wanted(release="2.0"), {"c3"}),
        (Wanted(release="2"), set()),
        (Wanted(terms=(Term("RENDERER::D"),)), {"a1"}),
        (Wanted(terms=(Term("worldd"),)), {"b2"}),
        (Wanted(terms=(Term("b2"),)), {"b2"}),
        (Wanted(terms=(Term("100%"),)), set()),
        (Wanted(terms=(Term("_2"),)), set()),
        (Wanted(terms=(Term("!"),)), set()),
        (Wanted(state=State.HELD), {"d4"}),
        (Wanted(state=State.UNFILED), {"a1", "b2", "c3", "d4"}),
        (Wanted(state=State.FILED), set()),
        (Wanted(state=State.DEAD), set()),
        (Wanted(project="server", terms=(Term("draw"),)), {"b2"}),
    ],
)
def test_groups_are_narrowed_down(store: Store, wanted: Wanted, listed: set[str]) -> None:
    fill(store)
    assert set(fingerprints(store, wanted)) == listed


@pytest.mark.parametrize(
    ("owners", "fits", "fits_not"),
    [
        (None, [], ["ada", UNASSIGNED, "a"]),
        ((), [UNASSIGNED, "Unassigned"], ["ada", "]"]),
        (("Ada Lovelace", "bob"), ["ada", "LOVELACE", "bob", "a l"], [UNASSIGNED, "adab", '"', "%", "_", "e,"]),
        (('say "hi"', "50%"), ['"HI"', "0%"], [UNASSIGNED, "\\", "5__"]),
    ],
)
def test_groups_are_narrowed_down_by_whom_their_issue_is_assigned_to(
    scene: Scene, owners: tuple[str, ...] | None, fits: list[str], fits_not: list[str]
) -> None:
    scene.tell()
    scene.sync()
    (listed,) = scene.store.lists.by_fingerprint("f1")
    issue = listed.standing.issue
    assert issue is not None
    read = scene.tracker.look(issue)
    if owners is not None:
        readings = {str(issue.remote_id): replace(read, owners=owners)}
        scene.store.write(partial(issues.assign, tracker="here", readings=readings))

    assert scene.store.lists.by_fingerprint("f1")[0].standing.issue == replace(issue, owners=owners)
    for name in fits:
        assert fingerprints(scene.store, Wanted(owner=name)) == ["f1"], name
    for name in fits_not:
        assert fingerprints(scene.store, Wanted(owner=name)) == [], name


def test_states_follow_the_issue(scene: Scene) -> None:
    scene.tell()
    scene.sync()
    assert fingerprints(scene.store, Wanted(state=State.FILED)) == ["f1"]
    assert fingerprints(scene.store, Wanted(terms=(Term("k-1"),))) == ["f1"]
    assert fingerprints(scene.store, Wanted(state=State.UNFILED)) == []


def test_a_group_in_doubt_and_then_parked_is_found_as_such(scene: Scene) -> None:
    scene.doubt()
    assert fingerprints(scene.store, Wanted(state=State.DOUBT)) == ["f1"]
    scene.tracker.covered = False
    scene.probe_often()
    assert fingerprints(scene.store, Wanted(state=State.PARKED)) == ["f1"]


def test_deliveries_are_listed_with_and_without_a_group(store: Store) -> None:
    first, second = accept(store, crash_notification("a1"), crash_notification("b2"))
    absorb(store)
    (third,) = accept(store, crash_notification("c3"))

    every = store.lists.deliveries(None, 10)
    assert [entry.id for entry in every] == [third, second, first]
    assert (every[0].state, every[0].group_id, every[0].fingerprint) == ("waiting", None, None)
    assert store.lists.deliveries(second, 10) == [every[2]]
    group = store.lists.by_fingerprint("a1")[0].id
    assert [entry.id for entry in store.lists.deliveries(None, 10, group)] == [first]
    kept = store.lists.delivery(first)
    assert kept is not None
    assert (kept.size, b'"a1"' in kept.body) == (len(kept.body), True)
    assert store.lists.delivery(first + 1000) is None


def test_releases_of_a_project_are_added_up(store: Store) -> None:
    fill(store)
    listed = {entry.release: entry for entry in store.lists.releases("game")}

    assert (listed["2.0"].groups, listed["2.0"].occurrences) == (1, 500)
    assert listed["1.0"].groups == 1
    assert [entry.standing.group.identity.fingerprint for entry in store.lists.seen_in("game", ["2.0", "1.0"])] == [
        "c3",
        "a1",
    ]


def test_the_oldest_waiting_work_is_reported(store: Store) -> None:
    assert store.lists.oldest(NOW).received_at is None
    accept(store, crash_notification("a1"), at=NOW - 90)
    accept(store, crash_notification("b2"), at=NOW)
    assert store.lists.oldest(NOW).received_at == NOW - 90
    absorb(store)
    oldest = store.lists.oldest(NOW + 5)
    assert (oldest.received_at, oldest.owed_since) == (None, NOW)


def test_only_accepted_actions_are_counted_as_done(scene: Scene) -> None:
    scene.doubt()
    now = scene.clock.wall()
    assert scene.store.lists.done(now - 3600, 600.0, 6) == {}
    scene.tell("f2")
    scene.sync()
    done = scene.store.lists.done(now - 3600, 600.0, 6)
    assert {action: sum(times) for action, times in done.items()} == {"create": 1}
    assert done["create"][-1] == 1


def test_the_size_of_a_store_is_reported(store: Store) -> None:
    room = store.connection.room()
    assert room.taken > 10_000
    assert room.free is None or room.free > 0


@pytest.mark.parametrize("sort", STORED)
def test_a_page_looks_through_no_more_than_so_many_groups_and_the_next_one_goes_on_there(
    store: Store, sort: Sort, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LOOKED", 4)
    sought = {3, 4, 11, 19}
    accept(
        store,
        *(
            crash_notification(
                f"g{number}", occurrences=number // 3, application="sought" if number in sought else "game"
            )
            for number in range(20)
        ),
    )
    absorb(store)
    pages: list[list[str]] = []
    after: Key | None = None
    while True:
        page = store.lists.groups(Wanted(terms=(Term("SOUGHT"),)), sort, after, 3)
        pages.append([entry.standing.group.identity.fingerprint for entry in page.groups])
        assert page.cut == (page.next is not None)
        if (after := page.next) is None:
            break
    assert len(pages) == 5
    assert sorted(name for page in pages for name in page) == sorted(f"g{number}" for number in sought)


@pytest.mark.parametrize("sort", STORED)
def test_few_groups_of_a_project_are_found_among_however_many(
    store: Store, sort: Sort, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LOOKED", 4)
    accept(store, *(crash_notification(f"g{number}", project="rare" if number < 3 else "game") for number in range(20)))
    absorb(store)
    first = store.lists.groups(Wanted(project="rare"), sort, None, 2)
    second = store.lists.groups(Wanted(project="rare"), sort, first.next, 2)
    assert (len(first.groups), first.cut, len(second.groups), second.next) == (2, False, 1, None)
    assert len({entry.id for entry in (*first.groups, *second.groups)}) == 3


def test_groups_are_narrowed_down_by_application_classifier_and_time(store: Store) -> None:
    fill(store)
    accept(
        store,
        crash_notification("e5", application="Game", classifiers=['say "oom"', "50%"], timestamp=[9500, 9500]),
        crash_notification("f6", application="game", classifiers=["oom", "startup"], timestamp=[9400, 9400]),
        crash_notification("g7", application="game", classifiers=['x","oom'], timestamp=[9300, 9300]),
    )
    absorb(store)

    assert fingerprints(store, Wanted(application="Game")) == ["e5"]
    assert fingerprints(store, Wanted(classifier="OOM")) == ["f6"]
    assert fingerprints(store, Wanted(classifier="startup")) == ["f6"]
    assert fingerprints(store, Wanted(classifier="start")) == []
    assert fingerprints(store, Wanted(classifier="50%")) == ["e5"]
    assert fingerprints(store, Wanted(classifier="5__")) == []
    assert fingerprints(store, Wanted(classifier='Say "OOM"')) == ["e5"]
    assert fingerprints(store, Wanted(since=9400)) == ["e5", "f6"]
    assert fingerprints(store, Wanted(since=9401, application="game")) == []


@pytest.mark.parametrize(
    ("terms", "listed"),
    [
        ([Term("main"), Term("renderer")], {"a1"}),
        ([Term("renderer"), Term("worldd")], set()),
        ([Term("server"), Term("draw"), Term("WORLDD")], {"b2"}),
        pytest.param([Term("version:2.0", "version", "2.0")], {"c3"}, id="an attribute"),
        pytest.param([Term("VERSION:2", "VERSION", "2.")], {"c3"}, id="a part of its value, in any case"),
        pytest.param([Term("os:2.0", "os", "2.0")], set(), id="another attribute"),
        pytest.param([Term("version:%", "version", "%")], set(), id="no pattern"),
        pytest.param([Term("hud.cpp:12", "hud.cpp", "12")], {"f6"}, id="a place in a file, which is no attribute"),
        ([Term("oom")], {"f6"}),
        ([Term('"'), Term("\\")], set()),
    ],
)
def test_all_words_are_in_a_group_in_any_order(store: Store, terms: list[Term], listed: set[str]) -> None:
    fill(store)
    accept(store, crash_notification("f6", callstack=["Hud::at [hud.cpp:12]"], classifiers=["oom"], attributes={}))
    absorb(store)
    assert set(fingerprints(store, Wanted(terms=tuple(terms)))) == listed


def tabs(store: Store, wanted: Wanted | None = None, fresh: int = 9000) -> dict[str, int]:
    tally = store.lists.tally(wanted or Wanted(labels=("syncd:ignore",)), fresh)
    return {"all": tally.everything} | {str(tab): count for tab, count in tally.tabs.items() if count}


def hold(scene: Scene) -> None:
    """A new group that an operator holds."""
    scene.tell("held", project="server", timestamp=[9500, 9600])
    (listed,) = scene.store.lists.by_fingerprint("held")
    actions.hold(scene.store, listed.id, "later", scene.clock.wall())


def test_each_tab_has_its_groups_and_its_count(scene: Scene) -> None:
    """One issue is open, one closed, one came back, one is muted by its label, and one is still held."""
    for number, name in enumerate(("open", "closed", "back", "muted", "locked"), start=1):
        scene.tell(name, timestamp=[1000 * number, 2000 * number], attributes={"version": [["1.0", 3]]})
        assert scene.sync()
        assert scene.store.lists.by_issue(listing.IssueName(key=made(number).key.lower()))
    hold(scene)
    conditions = scene.tracker.conditions
    conditions["K-2"] = Condition(closed=True, resolution='say "closed": true', closed_at=scene.clock.wall())
    conditions["K-3"] = Condition(closed=True, resolution="completed", closed_at=scene.clock.wall(), fixed_in=("2.0",))
    conditions["K-4"] = Condition(labels=("syncd", "syncd:ignore"))
    conditions["K-5"] = Condition(locked=True)
    before = scene.clock.wall()
    for name in ("closed", "back", "muted", "locked"):
        scene.clock.advance(1000)
        ledger = [["1.0", 3], ["2.0", 5]] if name == "back" else [["1.0", 4]]
        now = int(scene.clock.wall()) + 60
        scene.tell(name, timestamp=[1000, now], occurrences=8, attributes={"version": ledger})
        while scene.sync():
            pass

    labels = ("syncd:ignore",)
    expected = {
        State.OPEN: {"open", "back", "muted", "locked"},
        State.NEW: {"held"},
        State.REGRESSED: {"back"},
        State.HELD: {"held"},
        State.CLOSED: {"closed"},
        State.MUTED: {"muted", "locked"},
    }
    store = scene.store
    for tab in TABS:
        wanted = Wanted(state=tab, labels=labels, first=9000 if tab is State.NEW else None)
        assert set(fingerprints(store, wanted)) == expected[tab], tab
        assert store.lists.tally(wanted, 9000).tabs[tab] == len(expected[tab]), tab
    assert tabs(store) == {"all": 6} | {str(tab): len(names) for tab, names in expected.items()}
    assert tabs(store, Wanted(terms=(Term("back"),))) == {"all": 1, "open": 1, "regressed": 1}
    assert set(fingerprints(store, Wanted(returned=before))) == {"back"}
    assert set(fingerprints(store, Wanted(returned=scene.clock.wall() + 1))) == set()
    assert [(each.release, each.issue_key) for each in store.report.comebacks(before, 9)] == [("2.0", "K-3")]


def test_counts_of_all_groups_are_exact_however_many_there_are(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 7):
        scene.tell(f"g{number}", timestamp=[number, number])
        scene.sync()
    hold(scene)
    scene.tracker.conditions["K-2"] = Condition(closed=True, closed_at=scene.clock.wall())
    scene.clock.advance(1000)
    scene.tell("g2", occurrences=9)
    while scene.sync():
        pass
    store, whole = scene.store, scene.store.lists.tally(Wanted(), 9000)
    assert tabs(store, Wanted()) == {"all": 7, "open": 5, "new": 1, "held": 1, "closed": 1}

    monkeypatch.setattr(listing, "LOOKED", 3)
    assert store.lists.tally(Wanted(), 9000) == listing.Tally(7, whole.tabs, lower_muted=True)
    narrowed = store.lists.tally(Wanted(terms=(Term("draw"),)), 9000)
    assert (narrowed.lower, narrowed.everything) == (True, 3)
    assert store.lists.tally(Wanted(project="server"), 9000).lower is False


def test_trails_are_those_of_the_groups_seen_last(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    trails, is_cut = store.lists.trails(Wanted())
    numbers = {store.lists.by_fingerprint(name)[0].id: name for name in ("a1", "b2", "c3", "d4")}
    assert {numbers[trail.id]: trail.points[-1].occurrences for trail in trails} == {
        "a1": 5,
        "b2": 50,
        "c3": 500,
        "d4": 1,
    }
    assert is_cut is False
    monkeypatch.setattr(listing, "LOOKED", 2)
    trails, is_cut = store.lists.trails(Wanted())
    assert ({numbers[trail.id] for trail in trails}, is_cut) == ({"a1", "c3"}, True)
    trails, is_cut = store.lists.trails(Wanted(terms=(Term("worldd"),)))
    assert is_cut is True
    assert [entry.id for entry in store.lists.of_numbers([*numbers, 10**6])] == list(numbers)


def test_only_releases_that_more_than_one_crash_reports_are_noticed(store: Store) -> None:
    fill(store)
    accept(store, crash_notification("e5", occurrences=1, attributes={"version": [["9.9", 1]]}))
    absorb(store)
    assert store.report.noticed("game") == {"2.0": NOW, "1.0": NOW}


def test_groups_are_counted_by_the_releases_they_occurred_in_and_an_alias_with_its_target(store: Store) -> None:
    single, both = {"version": [["1.0", 3]]}, {"version": [["1.0", 2], ["1.1", 1]]}
    accept(
        store,
        *(crash_notification(fingerprint, attributes=single) for fingerprint in ("a1", "a2")),
        crash_notification("b1", attributes=both),
        crash_notification("c1", attributes={"version": [["2.0", 3]]}),
        crash_notification("d1", attributes=both, project="another"),
    )
    absorb(store)
    assert sorted(store.lists.histories("game"), key=str) == sorted(
        [(frozenset({"1.0"}), 2), (frozenset({"1.0", "1.1"}), 1), (frozenset({"2.0"}), 1)], key=str
    )
    ids = {listed.standing.group.identity.fingerprint: listed.id for listed in store.lists.by_fingerprint("")}
    actions.add_alias(store, ToHere(), ids["c1"], ids["b1"], "", NOW)
    assert set(store.lists.histories("game")) == {(frozenset({"1.0"}), 2), (frozenset({"1.0", "1.1", "2.0"}), 1)}
    assert store.lists.histories("nowhere") == []

"""The list of groups: tabs, filters, saved views, actions on several groups, the CSV file and the Atom feed."""

import csv
import io
import re
import time
from pathlib import Path
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.config import ConsoleSettings, StoreSettings
from syncd.config.values import Secret
from syncd.config.views import VIEW
from syncd.console import bulk, exports
from syncd.console.page import NotFound, PageRequest
from syncd.operate import search
from syncd.store import Store
from syncd.store.audit import Filter
from syncd.store.filters import TABS
from tests.console import site as sites
from tests.console.site import Site
from tests.store.filled import crash_notification

ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = "=cmd|'/C calc'!A0\x00\x1b[31m\x0b<script>alert(1)</script>&\ud7ff\ufffe"


def counts(site: Site, query: str = "") -> dict[str, str]:
    """The count of each tab."""
    return dict(re.findall(r'>(\w+) <span class="count">([^<]+)</span></a>', site.get(f"/groups{query}").text))


def test_each_tab_has_its_count_and_counts_follow_the_filter(either: Site) -> None:
    held = either.number("11" * 32)
    shape = either.get("/groups.json").json
    assert shape["total"] == 11
    assert shape["tabs"] == {"open": 10, "new": 10, "regressed": 0, "held": 1, "closed": 0, "muted": 0}
    assert counts(either) == {
        "All": "11", "Open": "10", "New": "10", "Regressed": "0", "Held": "1", "Closed": "0", "Muted": "0",
    }  # fmt: skip
    assert counts(either, "?project=game-server&state=held") == {
        "All": "4", "Open": "4", "New": "4", "Regressed": "0", "Held": "0", "Closed": "0", "Muted": "0",
    }  # fmt: skip
    for tab in TABS:
        listed = either.get(f"/groups.json?state={tab}").json["groups"]
        assert len(listed) == shape["tabs"][tab], tab
    assert [entry["id"] for entry in either.get("/groups.json?state=held").json["groups"]] == [held]


@pytest.mark.parametrize(
    ("query", "crashes"),
    [
        ("text=agent+world::tick", {"worldd"}),
        ("text=project:game-server+is:open+segfault", {"worldd"}),
        ("text=version:0.9.0-b", {"worldd"}),
        ("text=release:0.9.0", {"worldd"}),
        ("text=version:9.9.9", set()),
        ("text=%22frame()%20Game%22", set()),
        ("classifier=hang", {"worldd"}),
        ("application=launcher&first=30d", {"launcher"}),
        ("application=launcher&returned=30d", set()),
        ("application=launcher&since=0s", set()),
    ],
)
def test_filters_narrow_the_list(either: Site, query: str, crashes: set[str]) -> None:
    listed = either.get(f"/groups.json?{query}").json["groups"]
    assert {entry["application"] for entry in listed} == crashes


def test_a_filter_without_a_control_is_kept_and_can_be_removed(site: Site) -> None:
    page = site.get("/groups?first=30d&project=game-server").text
    assert '<input type="hidden" name="first" value="30d">' in page
    assert re.search(r'<a href="/groups\?project=game-server">first 30d', page)


def test_the_orders_of_the_last_day_and_of_growth_have_all_groups(either: Site) -> None:
    for order in ("last_day", "growth"):
        shape = either.get(f"/groups.json?sort={order}").json
        assert len(shape["groups"]) == 11
    days = [entry["last_day"] for entry in either.get("/groups.json?sort=last_day").json["groups"]]
    assert days == sorted(days, reverse=True)
    assert days[0] > 0
    assert all(len(entry["days"]) == 14 for entry in shape["groups"])


def test_saved_views_are_links_to_their_addresses(tmp_path: Path, store: Store, settings: StoreSettings) -> None:
    view = "project=game&state=open&sort=users"
    console = ConsoleSettings(listen="127.0.0.1:0", views={"<Open>": f"/groups?{view}"})
    with sites.served(sites.configuration(tmp_path, settings, console), store) as site:
        assert (
            '<a href="/groups?project=game&amp;state=open&amp;sort=users">&lt;Open&gt;</a>' in site.get("/groups").text
        )
        assert 'sort=users" aria-current="true">&lt;Open&gt;' in site.get(f"/groups?{view}").text


def test_a_view_has_what_the_list_reads() -> None:
    assert set(VIEW) == {*search.FILTERS, "text", "sort"}


def ticked(site: Site, *numbers: int) -> dict[str, str]:
    """The boxes of these groups."""
    groups = {listed.id: bulk.choice_of(listed) for listed in site.store.lists.of_numbers(numbers)}
    return {f"group-{groups[number]}": "on" for number in numbers}


def audited(site: Site) -> list[tuple[str, str]]:
    return [(entry.action, entry.subject) for entry in reversed(site.store.audit.entries(Filter(), 100))]


def test_an_action_on_several_groups_has_an_entry_of_the_audit_for_each(either: Site) -> None:
    pages = [f"{either.page(number)}.json" for number in (1, 2, 3, 4)]
    fingerprints = [either.get(page).json["fingerprint"] for page in pages]
    form = {"do": "hold", "reason": "wait"} | ticked(either, 1, 2)
    assert either.act("/groups", form) == "2 groups are held."
    assert audited(either) == [("hold", fingerprints[0]), ("hold", fingerprints[1])]
    assert [either.get(page).json["on_hold"] for page in pages[:3]] == ["wait", "wait", None]

    form = {"do": "alias"} | ticked(either, 3)
    assert either.act("/groups", form | {"target": fingerprints[2]}).startswith("Nothing changed; 1 not: ")
    assert either.store.report.aliases() == []
    assert either.act("/groups", form | {"target": fingerprints[3]}).startswith("1 group is shown on the issue of ")
    assert either.get(pages[2]).json["follows"] is not None


def test_what_is_not_done_is_said_with_its_reason(site: Site) -> None:
    held = site.number("11" * 32)
    (name,) = (name.partition("-")[2] for name in ticked(site, held))
    for form, sentence in (
        ({"do": "hold"}, "Nothing changed: choose groups first."),
        ({"do": "burn"} | ticked(site, 1), "Nothing changed: choose one of hold, file, retry, alias."),
        ({"do": "retry"} | ticked(site, 1, 2), "Nothing changed; 2 not: it is not stuck."),
        ({"do": "alias"} | ticked(site, 1), "Nothing changed: name the group whose issue shows the occurrences."),
        (
            {"do": "alias", "target": "zz"} | ticked(site, 1),
            "Nothing changed: no group has a fingerprint that begins with &#39;zz&#39;.",
        ),
        (
            {"do": "file", "all": f"{name},99999.1,1,x,².1"},
            "Nothing changed; 1 not: no route takes it; `syncd explain` names each route&#39;s reason.",
        ),
        (
            {"do": "hold", "group-1.77": "on"},
            "Nothing changed; 1 not: the store has been restored, and it is another group; reload the list.",
        ),
    ):
        assert site.act("/groups", form) == sentence, form
    assert audited(site) == []


def test_the_list_comes_back_as_it_was(site: Site) -> None:
    answer = site.post("/groups", {"do": "hold", "back": "/groups?project=game-server&path=x&flash=y"})
    location = answer.headers["location"]
    place, _, query = location.partition("?")
    assert (place, [name for name, _ in parse_qsl(query)]) == ("/groups", ["project", "path", "flash"])
    assert dict(parse_qsl(query))["flash"] != "y"
    assert (
        site.post("/groups", {"do": "hold", "back": "//evil.example/?a=b"}).headers["location"].startswith("/?flash=")
    )


def tell_hostile(site: Site) -> None:
    frames = [HOSTILE, "main"]
    site.tell(
        crash_notification(
            "=SUM(1)<script>",  # a fingerprint has no control characters
            callstack=frames,
            project="+project",
            application="@SUM(1)",
            classifiers=["=1"],
            timestamp=[int(time.time()) - 60] * 2,
        )
    )


def test_the_file_has_every_group_that_fits_and_no_formula(either: Site) -> None:
    tell_hostile(either)
    answer = either.get("/groups.csv?sort=users")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    assert len(rows) == 13
    assert list(rows[0]) == list(exports.COLUMNS)
    for row in rows:
        assert not any(value.startswith(tuple("=+-@\t\r|%")) for value in row.values()), row
    assert {row["project"] for row in rows} >= {"game-client", "'+project"}
    listed = either.get("/groups.json?sort=users").json["groups"]
    assert [int(row["occurrences"]) for row in rows] == [entry["occurrences"] for entry in listed]
    assert "link" not in answer.headers
    few = list(csv.DictReader(io.StringIO(either.get("/groups.csv?project=game-server").text, newline="")))
    assert len(few) == 4


def test_a_file_that_is_cut_names_the_address_of_the_rest(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "LOOKED", 4)
    monkeypatch.setattr(exports, "BATCH", 2)
    path, numbers = "/groups.csv?sort=users&project=game-client", list[str]()
    while path:
        answer = site.get(path)
        numbers += [row["fingerprint"] for row in csv.DictReader(io.StringIO(answer.text, newline=""))]
        rest = re.fullmatch(rf"<{re.escape(site.url)}(/[^>]+)>; rel=\"next\"", answer.headers.get("link", ""))
        path = rest[1] if rest else ""
    assert len(numbers) == len(set(numbers)) == 6


@given(st.text(max_size=40) | st.integers() | st.none())
def test_no_cell_is_a_formula(value: object) -> None:
    cell = exports._cell(value)
    assert isinstance(cell, int) or cell is None or not str(cell).startswith(tuple("=+-@\t\r|%＝＋－＠"))


def entries(site: Site, query: str = "") -> list[ElementTree.Element]:
    """The entries of the feed, which is valid."""
    answer = site.get(f"/groups.atom{query}")
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    root = ElementTree.fromstring(answer.body)
    require_valid(root)
    assert root.find(f"{ATOM}link[@rel='self']").attrib["href"] == f"{site.url}/groups.atom{query}"  # type: ignore[union-attr]
    return root.findall(f"{ATOM}entry")


def require_valid(root: ElementTree.Element) -> None:
    """What RFC 4287 requires of a feed (4.1.1) and of its entries (4.1.2)."""
    assert root.tag == f"{ATOM}feed"
    for element in (root, *root.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            (child,) = element.findall(f"{ATOM}{name}")
            assert child.text, name
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", element.findtext(f"{ATOM}id") or "")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", element.findtext(f"{ATOM}updated") or "")
        links = element.findall(f"{ATOM}link[@rel='alternate']")
        assert [link.attrib["href"][:7] for link in links] == ["http://"]
    assert root.find(f"{ATOM}author/{ATOM}name") is not None
    numbers = [entry.findtext(f"{ATOM}id") for entry in root.findall(f"{ATOM}entry")]
    assert len(numbers) == len(set(numbers))


def test_the_feed_has_new_groups_the_latest_first(either: Site) -> None:
    tell_hostile(either)
    listed = entries(either)
    moments = [entry.findtext(f"{ATOM}updated") or "" for entry in listed]
    assert len(listed) == 11  # the group of the epoch is not new
    assert moments == sorted(moments, reverse=True)
    assert {entry.find(f"{ATOM}category").attrib["term"] for entry in listed} == {"new"}  # type: ignore[union-attr]
    first = listed[0]
    assert "<script>" in (first.findtext(f"{ATOM}title") or "")
    assert "\x1b" not in (first.findtext(f"{ATOM}title") or "")
    assert either.get((first.find(f"{ATOM}link").attrib["href"]).removeprefix(either.url)).status == 200  # type: ignore[union-attr]
    assert len(entries(either, "?project=game-server")) == 4
    assert entries(either, "?project=nowhere") == []


def test_ids_in_the_feed_stay_when_a_group_changes(site: Site) -> None:
    before = {entry.findtext(f"{ATOM}id") for entry in entries(site)}
    for listed in site.get("/groups.json").json["groups"][:3]:
        site.tell(crash_notification(listed["fingerprint"], project=listed["project"], occurrences=10**6))
    assert {entry.findtext(f"{ATOM}id") for entry in entries(site)} == before


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30), st.text(min_size=1, max_size=30))
def test_any_text_leaves_the_feed_well_formed(site: Site, text: str, name: str) -> None:
    query = {"text": text.replace("\0", "")}
    request = PageRequest(site.config, site.store, time.time(), query=query, base="http://127.0.0.1:1")
    try:
        content = exports.feed(request).content
    except NotFound:
        return
    require_valid(ElementTree.fromstring(content))
    element = ElementTree.Element("entry")
    exports._add(element, "title", name)
    ElementTree.fromstring(ElementTree.tostring(element))


def test_files_and_actions_need_the_login(tmp_path: Path, store: Store, settings: StoreSettings) -> None:
    passwords = {}
    for name in ("operator", "reader"):
        (tmp_path / name).write_text(f"secret of {name}")
        passwords[name] = Secret(file=str(tmp_path / name))
    console = ConsoleSettings(listen="127.0.0.1:0", password=passwords["operator"], reader_password=passwords["reader"])
    with sites.served(sites.configuration(tmp_path, settings, console), store) as site:
        for path in ("/groups.csv", "/groups.atom"):
            assert site.get(path).status == 401
        site.login = "reader:secret of reader"
        site.tell(crash_notification())
        for path in ("/groups.csv", "/groups.atom"):
            assert site.get(path).status == 200
        assert 'type="checkbox"' not in site.get("/groups").text
        assert site.post("/groups", {"do": "hold"} | ticked(site, 1)).status == 403
        site.login = "operator:secret of operator"
        assert 'type="checkbox"' in site.get("/groups").text
        assert site.act("/groups", {"do": "hold"} | ticked(site, 1)) == "1 group is held."
        assert site.store.audit.entries(Filter(), 9)[0].actor == "console:operator"

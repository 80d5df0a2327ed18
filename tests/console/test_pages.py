"""The pages, as HTML and as JSON, and their actions, on both databases."""

import asyncio
import html
import json
import re
import time
from functools import partial
from typing import Any

import pytest

from syncd import __version__
from syncd.console.page import distance, moment
from syncd.console.site import ACTIONS, GROUP, PAGES
from syncd.errors import RejectedDelivery
from syncd.intake.sources import backtrace
from syncd.model import Condition, Identity, Observation, Place
from syncd.operate import today
from syncd.store import issues
from syncd.store.filters import Sort, Term, Wanted
from syncd.store.quarantine import Bound
from tests.console.site import Site
from tests.golden import golden
from tests.intake.source_bodies import bugsink
from tests.store.filled import NOW, accept, crash_notification
from tests.store.raw import ask

DAY = 86400
HELD, WAITING = "11" * 32, "22" * 32
HOSTILE = "<script>alert(1)</script>"


def every_path(site: Site) -> list[str]:
    """A path of each page, and of each page that a page leads to."""
    visited, queue = (
        set[str](),
        ["/", "/overview?days=7", "/groups?state=held&sort=users", "/releases?project=game-client&release=2.4.0"],
    )
    while queue:
        path = queue.pop()
        if path in visited or len(visited) > 120:
            continue
        visited.add(path)
        answer = site.get(path)
        assert answer.status in (200, 303), (path, answer.text)
        links = re.findall(r'href="(/[^"]*)"', answer.text) if "html" in answer.headers.get("content-type", "") else []
        queue += [html.unescape(entry) for entry in links if "live=" not in entry]
    return sorted(visited)


def test_every_link_leads_to_a_page_and_links_reach_every_page(either: Site) -> None:
    reached = every_path(either)

    for path in PAGES:
        pattern = re.sub(r"\{\w+:segment\}", "[^/]+", re.sub(r"\{\w+:number\}", r"\\d+", path))
        assert any(re.fullmatch(pattern, entry.partition("?")[0]) for entry in reached), path


def test_every_page_exists_as_json(either: Site) -> None:
    for path in PAGES:
        path = path.replace(GROUP, either.page(1)).replace("{number:number}", "1")
        answer = either.get(("/today" if path == "/" else path) + ".json")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json"), path
        assert answer.json is not None


def test_the_overview_shows_alarms_first(either: Site) -> None:
    registration = either.store.join("all", time.time())
    page = either.get("/overview").text
    assert either.get("/overview.json").json["well"] is True
    assert "✓" in page

    either.store.quarantine.add(
        b"{}", time.time(), RejectedDelivery(422, "no_project", "no project"), Bound(10, 2**20)
    ).result()
    either.store.limits.pause_by_hand("files", "moving house", time.time())
    page = either.get("/overview").text
    shape = either.get("/overview.json").json
    assert shape["well"] is False
    assert page.index('href="/quarantine">1 ') < page.index("moving house") < page.index("Inbox")
    assert shape["inbox"]["waiting"] == 1
    assert shape["inbox"]["oldest_at"] == pytest.approx(time.time(), abs=120)
    assert sum(shape["done"]["filed"]) == 10
    assert shape["groups"] == 11
    registration.beat(time.time(), folds=0.01)
    assert "0.01 a second, about 100s left" in either.get("/overview").text
    registration.close()
    assert "no daemon runs on this store" in either.get("/overview").text


def test_the_first_page_has_what_needs_a_person_and_then_the_questions_of_a_lead(either: Site) -> None:
    either.store.limits.pause_by_hand("files", "moving house", time.time())
    page, shape = either.get("/").text, either.get("/today.json").json
    needs = either.get("/overview.json").json["needs"]
    assert [need["state"] for need in shape["needs"]] == [need["state"] for need in needs]
    assert page.index(shape["sentence"]) < page.index("moving house") < page.index("Worst by users")
    counts = {section["name"]: section["groups_in_all"] for section in shape["sections"]}
    assert list(counts) == list(today.SECTIONS)
    assert (counts["new"], counts["worst by users"]) == (0, 10)
    assert [len(section["groups"]) for section in shape["sections"] if section["name"] == "worst by users"] == [5]
    for section in either.get("/today.json?since=7d&project=game-server").json["sections"]:
        assert {group["project"] for group in section["groups"]} <= {"game-server"}


def test_the_first_page_begins_with_the_newest_release_of_a_project(site: Site) -> None:
    shape = site.get("/today.json?project=game-client&since=release").json
    (newest,) = shape["releases"]
    assert (newest["release"], shape["since"]) == ("2.4.0", pytest.approx(newest["noticed_at"]))
    assert '<option value="release" selected>2.4.0' in site.get("/?project=game-client&since=release").text
    assert 'value="release"' not in site.get("/").text


def test_all_crash_text_is_text(site: Site) -> None:
    (number,) = [
        entry.id for entry in site.store.lists.groups(Wanted(terms=(Term("alert(1)"),)), Sort.LAST_SEEN, None, 9).groups
    ]
    for path in ("/", "/groups", site.page(number), "/releases?project=game-client", "/deliveries"):
        page = site.get(path).text
        assert re.findall("<script[^>]*>", page) == ['<script src="/console.js" defer>']
        assert "\x1b" not in page
        assert "\u202e" not in page
    assert html.escape(HOSTILE) in site.get(site.page(number)).text


@pytest.mark.parametrize("path", ["/groups/999999", "/deliveries/999999", "/groups?sort=color", "/groups?state=x",
                                  "/groups?after=1;2", "/releases?project=none", "/releases?project=game-client&release=77", "/x"])  # fmt: skip
def test_a_page_that_does_not_exist_is_404(site: Site, path: str) -> None:
    answer = site.get(path)
    assert answer.status == 404
    assert "<h1>Not found</h1>" in answer.text
    json_path = path.replace("?", ".json?") if "?" in path else f"{path}.json"
    assert site.get(json_path).json["error"]["status"] == 404


def test_the_messages_of_errors(site: Site) -> None:
    paths = ("/x", "/groups/99", "/deliveries/99999", "/groups?sort=color", "/groups?state=x", "/groups?after=x", "/?project=x", "/?since=x", "/?since=release", "/releases?project=x",
             "/releases?project=game-client&release=77", "/trackers/files/pause")  # fmt: skip
    lines = []
    for path in paths:
        page = html.unescape(site.get(path).text)
        lines.append(f"{path}: {' '.join(re.findall('<(?:h1|p)>(.*?)</(?:h1|p)>', page)[:2])}")
    golden("console", "error pages", "\n".join(lines))
    refusals = [site.get("/", Host="evil.example").text, site.post("/trackers/files/pause", X="1").text]
    golden("console", "refusals", "".join(refusals).rstrip())


def test_a_list_continues_by_key_until_its_end(either: Site) -> None:
    either.tell(*(crash_notification(f"{number:064x}", project="many") for number in range(1, 121)))
    path, visited = "/groups.json?project=many", list[str]()
    while path:
        shape = either.get(path).json
        visited += [entry["fingerprint"] for entry in shape["groups"]]
        path = f"/groups.json?project=many&after={shape['next']}" if shape["next"] else ""
    assert len(visited) == len(set(visited)) == 120
    assert "next page" in either.get("/groups?project=many").text


def test_a_crash_is_found_by_its_fingerprint_its_issue_or_a_frame(either: Site) -> None:
    entry = either.store.lists.groups(Wanted(project="game-server"), Sort.USERS, None, 1).groups[0]
    fingerprint = entry.standing.group.identity.fingerprint
    assert either.get(f"/find?text={fingerprint[:10]}").headers["location"] == either.page(entry.id)
    assert entry.standing.issue is not None
    assert either.get(f"/find?text={entry.standing.issue.key}").headers["location"] == either.page(entry.id)
    assert either.get("/find?text=Pathfinder").headers["location"] == "/groups?text=Pathfinder"
    assert "Pathfinder::step" in either.get("/groups?text=pathfinder").text


def test_a_group_shows_everything(either: Site) -> None:
    number = either.store.lists.groups(Wanted(terms=(Term("draw_shadow"),)), Sort.USERS, None, 1).groups[0].id
    page, shape = either.get(either.page(number)).text, either.get(f"{either.page(number)}.json").json

    assert shape["now"]["rule"] == "current"
    assert shape["issue"]["key"] in page
    assert [entry["release"] for entry in shape["releases"]] == sorted(entry["release"] for entry in shape["releases"])
    assert 0 < sum(shape["histograms"]["version"].values()) <= shape["occurrences"]
    assert len(shape["deliveries"]) == 20
    assert {"create", "update"} >= {entry["action"] for entry in shape["history"]}
    for text in (
        "Renderer::frame()",
        "Sync now",
        "Hold",
        "Alias",
        "Re-link",
        "History",
        "notification",
        "route all takes it",
    ):
        assert text in page


def test_a_group_begins_with_what_people_read_and_ends_with_what_operators_do(either: Site) -> None:
    number = either.store.lists.groups(Wanted(terms=(Term("draw_shadow"),)), Sort.USERS, None, 1).groups[0].id
    page = either.get(either.page(number)).text.partition("<main")[2]
    places = [
        page.index(text)
        for text in (
            "<h1>Crash in Renderer::draw_shadow", '<span class="badge open"', "Open in Backtrace", "<dt>Users", "<dt>Occurrences",
            "<dt>First seen", "<dt>Last seen", "When it crashed", ">Stack<", ">Releases<", ">Attributes<", ">History<",
            "What syncd does now", "Sync now", "Replay deliveries",
        )
    ]  # fmt: skip
    assert places == sorted(places)
    assert "<form" not in page[: page.index("What syncd does now")]


def test_a_group_shows_when_it_crashed_whenever_that_was_received(either: Site) -> None:
    now = int(time.time())
    crashes = crash_notification("33" * 32, project="late", guids=3, timestamp=[now - 5 * DAY, now - 4 * DAY])
    either.tell(crashes)

    path = either.page(either.number("33"))
    trend = either.get(f"{path}.json").json["trend"]
    assert sum(trend["occurrences"]) == either.get(f"{path}.json").json["occurrences"]
    assert trend["since"] <= now - 5 * DAY < trend["since"] + trend["span"]
    assert trend["occurrences"][-12:] == [0] * 12, "nothing of the last three days"
    assert "Numbers" in either.get(path).text


@pytest.mark.parametrize(
    ("owners", "link"),
    [
        ((), '<a href="/groups?owner=unassigned">unassigned</a>'),
        (("Ada <b>", "bob"), '<a href="/groups?owner=Ada+%3Cb%3E">Ada &lt;b&gt;</a>'),
    ],
)
def test_a_group_names_whom_its_issue_is_assigned_to(site: Site, owners: tuple[str, ...], link: str) -> None:
    number = site.store.lists.groups(Wanted(terms=(Term("draw_shadow"),)), Sort.USERS, None, 1).groups[0].id
    entry = site.store.lists.group(number)
    assert entry is not None
    issue = entry[0].standing.issue
    assert issue is not None
    read = Observation(
        place=Place(remote_id=str(issue.remote_id), key="k", url="u"), condition=Condition(closed=False), owners=owners
    )
    site.store.write(partial(issues.assign, tracker="files", readings={str(issue.remote_id): read}))

    assert site.get(f"{site.page(number)}.json").json["issue"]["owners"] == list(owners)
    assert link in site.get(site.page(number)).text


def test_what_is_routine_is_one_line_of_the_history(site: Site) -> None:
    number = site.store.lists.groups(Wanted(terms=(Term("draw_shadow"),)), Sort.USERS, None, 1).groups[0].id
    history = site.get(site.page(number)).text.partition(">History<")[2].partition("</section>")[0]
    assert re.search(r"\d+ notifications", history)
    assert history.count("<details>") >= 1
    whole = re.sub("<details>.*?</details>", "", history, flags=re.DOTALL)
    assert "<b>create</b>" in whole
    assert whole.count("<li") < 6


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (0, "now"), (1, "1s ago"), (89, "89s ago"), (105, "2m ago"), (5580, "93m ago"), (2 * 3600, "2h ago"), (-7200, "in 2h"),
        (41 * 3600, "41h ago"), (42 * 3600, "2d ago"), (7.4 * DAY, "7d ago"), (400 * DAY, "400d ago"),
    ],
)  # fmt: skip
def test_the_time_since(passed: float, text: str) -> None:
    assert distance(passed) == text


def test_a_time_is_relative_with_the_absolute_in_its_zone() -> None:
    assert moment(1_800_000_000, 1_800_007_200) == (
        '<time datetime="2027-01-15T08:00Z" title="2027-01-15 08:00 UTC">2h ago</time>'
    )
    assert moment(1_800_000_000, 1_800_007_200, exact=True) == (
        '<time datetime="2027-01-15T08:00Z" title="2h ago">2027-01-15 08:00 UTC</time>'
    )
    assert moment(None) == moment(1e30, 5.0) == "–"


def test_a_release_shows_new_and_gone_crashes(either: Site) -> None:
    shape = either.get("/releases.json?project=game-client&release=2.4.0").json
    assert {entry["application"] for entry in shape["new"]} == {"game"}
    matrix = either.get("/releases.json?project=game-client").json
    assert [entry["release"] for entry in matrix["releases"]] == ["2.4.0", "2.3.1", "2.3.0", "1.9.2"]
    cells = {name: cell["is"] for entry in matrix["groups"] for name, cell in entry["releases"].items()}
    assert set(cells.values()) <= {"new", "still", "gone", "regressed"}
    assert "new" in cells.values()


def test_releases_are_listed_newest_first_with_what_each_brought(either: Site) -> None:
    page, shape = (either.get(f"/releases{end}?project=game-client") for end in ("", ".json"))
    rows = {row["release"]: row for row in shape.json["releases"]}

    assert list(rows) == ["2.4.0", "2.3.1", "2.3.0", "1.9.2"]
    for name, row in rows.items():
        whole = either.get(f"/releases.json?project=game-client&release={name}").json
        assert (row["new"], row["regressed"]) == (len(whole["new"]), len(whole["regressed"])), name
        assert row["gone"] == (None if whole["too_early"] else len(whole["gone"])), name
        assert row["too_early"] == whole["too_early"]
    listed = page.text.partition('id="lines"')[2].partition("</table>")[0]
    assert re.findall(r'<th scope="row"><a [^>]*>([^<]*)<', listed) == list(rows)
    assert f'#new">{rows["2.4.0"]["new"]}</a>' in listed


def test_it_is_too_early_to_say_what_is_gone_in_a_release_of_today(either: Site) -> None:
    now = time.time()
    old = crash_notification("44" * 32, project="young", guids=3, timestamp=[now - 9 * DAY, now - 8 * DAY])
    new = crash_notification("55" * 32, project="young", guids=3, timestamp=[now - 300, now - 60])
    either.tell(old | {"attributes": {"version": [["1.0", 3]]}}, new | {"attributes": {"version": [["2.0", 3]]}})

    shape = either.get("/releases.json?project=young&release=2.0").json
    assert (shape["too_early"], shape["gone"], len(shape["new"])) == (True, [], 1)
    assert "Too early to say" in either.get("/releases?project=young&release=2.0").text
    matrix = either.get("/releases.json?project=young").json
    assert [(row["release"], row["gone"], row["too_early"]) for row in matrix["releases"]] == [
        ("2.0", None, True),
        ("1.0", 0, False),
    ]
    cells = {entry["fingerprint"]: entry["releases"] for entry in matrix["groups"]}
    assert cells["44" * 32]["2.0"]["is"] == "early"
    assert "too early to say" in either.get("/releases?project=young").text


def test_every_project_is_listed_with_its_newest_release(either: Site) -> None:
    shape = either.get("/releases.json").json
    assert set(shape["newest"]) == set(shape["projects"])
    assert shape["newest"]["game-client"] == "2.4.0"
    rows = either.get("/releases").text.partition("<tbody>")[2]
    assert (
        'href="/releases?project=game-client">game-client</a></th>\n<td><a href="/releases?project=game-client&amp;release=2.4.0">2.4.0'
        in rows
    )


def test_a_delivery_is_shown_in_the_original_and_redacted(site: Site) -> None:
    (number,) = accept(
        site.store, crash_notification("33" * 32, callstack=["C:\\Users\\alice\\game.exe"], mail="bob@acme.example")
    )
    raw, scrubbed = site.get(f"/deliveries/{number}").text, site.get(f"/deliveries/{number}?scrubbed=1").text
    assert "bob@acme.example" in raw
    assert "alice" in raw
    assert "bob@" not in scrubbed
    assert "alice" not in scrubbed
    assert site.get(f"/deliveries/{number}.json").json["state"] == "waiting"


def test_a_delivery_of_a_source_is_shown_field_by_field(site: Site) -> None:
    body = json.dumps(
        bugsink("<b>c1", 7) | {"transaction": "/mail/bob@acme.example", "url": "https://elsewhere.example/"}
    )
    identity = Identity("source:web", "shop", "<b>c1")
    (number,) = asyncio.run(site.store.inbox.accept_all([(body.encode(), identity)], NOW, "web"))

    shape = site.get(f"/deliveries/{number}.json").json
    fields = {field["name"]: (field["value"], field["place"]) for field in shape["fields"]}
    assert shape["source"] == "web"
    assert fields["fingerprint"] == ("<b>c1", "id")
    assert fields["occurrences"] == ("7 in all", "digested_event_count")
    raw, scrubbed = site.get(f"/deliveries/{number}").text, site.get(f"/deliveries/{number}?scrubbed=1").text
    assert "add its host to links.hosts" in raw
    assert "<b>c1" not in raw
    assert "bob@acme.example" in raw
    assert "bob@" not in scrubbed


def test_a_delivery_of_a_source_that_is_gone_is_shown_without_fields(site: Site) -> None:
    (number,) = asyncio.run(site.store.inbox.accept_all([(b'{"id": 1}', Identity("source:x", "p", "1"))], NOW, "x"))

    shape = site.get(f"/deliveries/{number}.json").json
    assert (shape["source"], shape["fields"]) == ("x", [])


def test_a_delivery_of_a_source_in_the_quarantine_is_read_by_its_source(site: Site) -> None:
    error, bound = RejectedDelivery(422, "no_project", "The field project is missing."), Bound(10, 10**6)
    bodies = (json.dumps(bugsink()).encode(), b'{"id": "c1"}')
    good, bad = (site.store.quarantine.add(body, NOW, error, bound, "web").result() for body in bodies)

    assert "source web" in site.get("/quarantine").text
    assert "is still no notification" in site.act(f"/quarantine/{bad}/replay")
    assert "returned to the inbox" in site.act(f"/quarantine/{good}/replay")
    assert site.store.inbox.waiting(10)[-1].source == "web"


def test_a_delivery_in_another_encoding_is_redacted_too_and_says_what_was_not_read(site: Site) -> None:
    body = json.dumps(crash_notification("44" * 32, mail="bob@acme.example"))[:-1] + ', "more": NaN}'
    note = backtrace.decode(body.encode("utf-16")).note
    number = asyncio.run(site.store.inbox.accept(body.encode("utf-16"), NOW, Identity("acme", "game", "44" * 32), note))

    raw, scrubbed = site.get(f"/deliveries/{number}").text, site.get(f"/deliveries/{number}?scrubbed=1").text
    assert "bob@acme.example" in raw
    assert "acme.example" not in scrubbed
    assert "more: a value was dropped" in raw
    assert site.get(f"/deliveries/{number}.json").json["note"] == note
    assert "partly read" in site.get("/deliveries").text


def test_the_configuration_shows_the_place_of_a_secret_and_never_the_secret(
    site: Site, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path_factory.mktemp("secrets") / "token"
    secret.write_text("ghp_verysecret")
    login = {"username": "backtrace", "password": {"file": str(secret)}}
    given = type(site.config).model_validate({"receiver": login}).receiver
    for name in login:  # all configurations without a login share one of these sections
        monkeypatch.setitem(site.config.receiver.__dict__, name, getattr(given, name))
    page, shape = site.get("/configuration").text, site.get("/configuration.json").json

    assert "ghp_verysecret" not in page
    assert shape["keys"]["receiver.password"] == f"•••••• (file {secret})"
    assert shape["keys"]["routes[0].name"] == "all"
    assert shape["keys"]["trackers.files.kind"] == "local"
    assert re.search(r'<tr class="written"><td><code>routes\[0\]\.status_interval', page)
    assert re.search(r"<tr><td><code>receiver\.header_seconds", page)


def test_hold_and_end_hold(site: Site) -> None:
    site.act(f"{site.page(1)}/hold", {"reason": "wait for 2.5"})
    assert site.get(f"{site.page(1)}.json").json["on_hold"] == "wait for 2.5"
    assert "wait for 2.5" in site.get(site.page(1)).text
    site.act(f"{site.page(1)}/end-hold")
    assert site.get(f"{site.page(1)}.json").json["on_hold"] is None


def test_sync_now(site: Site) -> None:
    site.act(f"{site.page(1)}/sync")
    assert site.get(f"{site.page(1)}.json").json["owed_at"] == pytest.approx(time.time(), abs=60)
    held = site.number(HELD)
    site.act(f"{site.page(held)}/sync")
    assert site.get(f"{site.page(held)}.json").json["owed_at"] is None


def test_alias_and_back(site: Site) -> None:
    target = site.get(f"{site.page(2)}.json").json["fingerprint"]
    site.act(f"{site.page(1)}/alias", {"target": "zz"})
    site.act(f"{site.page(2)}/alias", {"target": target})
    assert site.store.report.aliases() == []
    site.act(f"{site.page(1)}/alias", {"target": target, "reason": "same cause"})
    assert site.get(f"{site.page(1)}.json").json["follows"] == target
    site.act(f"{site.page(1)}/end-alias")
    assert site.get(f"{site.page(1)}.json").json["follows"] is None


def test_relink_to_an_issue_that_people_made(site: Site) -> None:
    folder = site.config.trackers["files"].folder  # type: ignore[union-attr]
    with open(f"{folder}/made-by-hand.md", "w") as file:
        file.write("# Made by hand\n\nPeople wrote this.\n")
    before = site.get(f"{site.page(1)}.json").json["issue"]["key"]
    site.act(f"{site.page(1)}/relink", {"issue": "../x"})
    assert site.get(f"{site.page(1)}.json").json["issue"]["key"] == before
    assert before in site.act(f"{site.page(1)}/relink", {"issue": "made-by-hand"})
    assert site.get(f"{site.page(1)}.json").json["issue"]["key"] == "made-by-hand"
    site.sync()
    with open(f"{folder}/made-by-hand.md") as file:
        text = file.read()
    assert "People wrote this." in text
    assert "ccurrences" in text, "syncd keeps the numbers in the new issue from now on"


def test_trackers_and_routes_are_paused_and_resumed(either: Site) -> None:
    def trackers() -> Any:
        return either.get("/trackers.json").json

    either.act("/trackers/files/pause", {"reason": "moving"})
    assert trackers()["trackers"]["files"]["cause"] == "operator"
    assert "moving" in either.get("/trackers").text
    either.act("/trackers/files/resume")
    assert trackers()["trackers"]["files"]["state"] == "ok"
    either.act("/routes/all/pause")
    assert trackers()["routes"][0]["paused"]["reason"] == "no reason given"
    either.act("/routes/all/resume")
    assert trackers()["routes"][0]["paused"] is None
    assert either.post("/trackers/none/pause").status == 404


def test_quarantined_deliveries_are_replayed_or_discarded(site: Site) -> None:
    bad, good = quarantined(site)
    assert "&lt;b&gt;" in site.get("/quarantine").text
    site.act(f"/quarantine/{bad}/replay")
    site.act(f"/quarantine/{good}/replay")
    assert [delivery["id"] for delivery in site.get("/quarantine.json").json] == [bad]
    site.act(f"/quarantine/{bad}/discard")
    assert site.get("/quarantine.json").json == []


def quarantined(site: Site) -> list[int]:
    """A body that is no notification, and a body that is."""
    reason = RejectedDelivery(422, "no_project", "The field project is missing", "project")
    return [
        site.store.quarantine.add(body, time.time(), reason, Bound(10, 2**20)).result()
        for body in (b'{"a": "<b>"}', b'{"universe": "u", "project": "p", "fingerprint": "f"}')
    ]


def test_replayed_deliveries_that_say_the_same_change_nothing(site: Site) -> None:
    count = site.get(f"{site.page(1)}.json").json["occurrences"]
    site.act("/deliveries/1/replay")
    assert site.get("/deliveries/1.json").json["state"] == "waiting"
    site.act(f"{site.page(1)}/replay")
    site.tell()
    assert site.get(f"{site.page(1)}.json").json["occurrences"] == count


def test_the_sentences_of_all_actions(site: Site) -> None:
    target = site.get(f"{site.page(2)}.json").json["fingerprint"]
    bad, good = quarantined(site)
    held = site.number(HELD)
    lines = []
    for path, form in (
        (f"{site.page(1)}/sync", {}), (f"{site.page(held)}/sync", {}), (f"{site.page(1)}/file", {"reason": "now"}),
        (f"{site.page(1)}/hold", {"reason": "wait for 2.5"}),
        (f"{site.page(1)}/end-hold", {}), (f"{site.page(1)}/end-hold", {}), (f"{site.page(1)}/alias", {"target": "zz"}),
        (f"{site.page(2)}/alias", {"target": target}), (f"{site.page(1)}/alias", {"target": target}), (f"{site.page(1)}/end-alias", {}),
        (f"{site.page(1)}/end-alias", {}), (f"{site.page(1)}/relink", {"issue": "nowhere"}), (f"{site.page(1)}/relink", {"issue": "nowhere", "tracker": "x"}),
        ("/deliveries/1/replay", {}), (f"{site.page(1)}/replay", {}), ("/dead/retry-all", {}),
        (f"/quarantine/{bad}/replay", {}), (f"/quarantine/{good}/replay", {}), (f"/quarantine/{good}/replay", {}),
        (f"/quarantine/{bad}/discard", {}), (f"/quarantine/{bad}/discard", {}), ("/trackers/files/pause", {"reason": "moving"}),
        ("/trackers/files/resume", {}), ("/trackers/files/resume", {}), ("/routes/all/pause", {}), ("/routes/all/resume", {}),
        ("/routes/all/resume", {}),
    ):  # fmt: skip
        path_of_kind = re.sub(r"[0-9]+", "N", re.sub("/groups/[^/]+/[^/]+/[^/]+", "/groups/N", path))
        lines.append(f"{path_of_kind} {form or ''}: {html.unescape(site.act(path, form))}")
    text = "\n".join(lines).replace(target, "<fingerprint>").replace(target[:15], "<fingerprint>")
    text = re.sub(r"/\S*/issues", "/folder/issues", re.sub(r"\d+ deliveries", "N deliveries", text))
    golden("console", "the results of actions", re.sub(r"(?:crash|hang|out-of-memory)-in-[\w-]+", "<issue>", text))


def test_the_group_that_stands_for_a_storm_has_a_page_too(site: Site) -> None:
    site.tell(*(crash_notification(f"{number:064x}", project="flood") for number in range(1, 130)))
    site.sync()
    storms = [entry for entry in site.store.report.storms() if entry.held]
    assert storms
    (number,) = (row[0] for row in ask(site.config.store, "SELECT group_id FROM storms"))

    page = site.get(site.page(number))
    assert page.status == 200
    assert "storm" in page.text
    assert site.get("/overview.json").json["storms"]
    held = site.get("/groups.json?state=held&project=flood").json["groups"]
    assert {entry["decision"]["rule"] for entry in held} == {"storm"}


def test_a_result_is_shown_once_and_only_of_what_was_done(site: Site) -> None:
    assert 'class="flash"' not in site.get("/?flash=%3Cb%3EYou+have+won").text
    done = site.post(f"{site.page(1)}/sync")
    assert 'class="flash"' in site.get(done.headers["location"]).text
    assert 'class="flash"' not in site.get(done.headers["location"]).text, "a reload shows it no more"


def test_a_page_refreshes_only_on_demand(site: Site) -> None:
    assert "refresh" not in site.get("/").headers
    assert site.get("/?live=1").headers["refresh"] == "10"


def test_an_unavailable_store_is_503_and_a_metric(either: Site) -> None:
    either.store.close()
    if either.config.store.dialect == "sqlite":
        either.config.store.path.unlink()
    answer = either.get("/")
    assert answer.status == 503
    assert "cannot be used" in answer.text or "deleted" in answer.text or "closed" in answer.text
    assert "syncd_store_up 0.0" in either.get("/metrics").text


def test_every_action_answers_for_an_object_that_does_not_exist(either: Site) -> None:
    for path in ACTIONS:
        path = path.replace(GROUP, "/groups/acme/none/f1").replace("{number:number}", "987654")
        answer = either.post(path.replace("{name}", "none"))
        assert answer.status in (303, 404), (path, answer.text)


def test_the_version_is_on_every_page(site: Site) -> None:
    assert f"syncd {__version__}" in site.get("/groups").text

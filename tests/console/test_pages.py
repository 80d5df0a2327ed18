"""What the pages show, as HTML and as JSON, and what their buttons do; on both databases."""

import html
import re
import time

import pytest

from syncd import __version__
from syncd.console.site import ACTIONS, PAGES
from syncd.errors import RejectedDelivery
from syncd.store.listing import Sort, Wanted
from tests.console.site import Site
from tests.store.filled import accept, told
from tests.store.raw import ask

HELD, WAITING = "11" * 32, "22" * 32
HOSTILE = "<script>alert(1)</script>"


def every_path(site: Site) -> list[str]:
    """A path of each page, and of each page that a page leads to."""
    seen, queue = (
        set[str](),
        ["/", "/?days=7", "/groups?state=held&sort=users", "/releases?project=game-client&release=2.4.0"],
    )
    while queue:
        path = queue.pop()
        if path in seen or len(seen) > 120:
            continue
        seen.add(path)
        answer = site.get(path)
        assert answer.status in (200, 303), (path, answer.text)
        found = re.findall(r'href="(/[^"]*)"', answer.text) if "html" in answer.headers.get("content-type", "") else []
        queue += [html.unescape(one) for one in found if "live=" not in one]
    return sorted(seen)


def test_no_link_leads_nowhere_and_every_page_is_reached(either: Site) -> None:
    reached = every_path(either)

    for path in PAGES:
        pattern = re.sub(r"\{\w+:int\}", r"\\d+", path)
        assert any(re.fullmatch(pattern, one.partition("?")[0]) for one in reached), path


def test_every_page_is_there_for_programs(either: Site) -> None:
    for path in PAGES:
        answer = either.get(("/overview" if path == "/" else path.replace("{number:int}", "1")) + ".json")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json"), path
        assert answer.json is not None


def test_the_overview_says_what_needs_a_person_first(either: Site) -> None:
    page = either.get("/").text
    assert "All is well" in page

    either.store.quarantine.add(b"{}", time.time(), RejectedDelivery(422, "no_project", "no project"), 10).result()
    either.store.limits.pause_by_hand("files", "moving house")
    page = either.get("/").text
    shape = either.get("/overview.json").json
    assert (shape["well"], shape["sentence"]) == (False, "1 thing needs a person.")
    assert page.index("1 in quarantine") < page.index("tracker files is paused: moving house") < page.index("Inbox")
    assert shape["inbox"] == {"waiting": 1}
    assert shape["oldest"]["received_at"] == pytest.approx(time.time(), abs=120)
    assert sum(shape["done"]["filed"]) == 10
    assert shape["groups"] == 11


def test_all_crash_text_is_text(site: Site) -> None:
    (number,) = [one.id for one in site.store.lists.groups(Wanted(text="alert(1)"), Sort.LAST_SEEN, None, 9).groups]
    for path in ("/", "/groups", f"/groups/{number}", "/releases?project=game-client", "/deliveries"):
        page = site.get(path).text
        assert "<script" not in page
        assert "\x1b" not in page
        assert "\u202e" not in page
    assert html.escape(HOSTILE) in site.get(f"/groups/{number}").text


@pytest.mark.parametrize("path", ["/groups/999999", "/deliveries/999999", "/groups?sort=color", "/groups?state=x",
                                  "/groups?after=1;2", "/releases?project=none", "/releases?project=game-client&release=77", "/x"])  # fmt: skip
def test_what_is_not_there_is_told_as_such(site: Site, path: str) -> None:
    answer = site.get(path)
    assert answer.status == 404
    assert "<h1>Not there</h1>" in answer.text
    json_path = path.replace("?", ".json?") if "?" in path else f"{path}.json"
    assert site.get(json_path).json["error"]["status"] == 404


def test_lists_go_on_by_key_until_the_end(either: Site) -> None:
    either.tell(*(told(f"{number:064x}", project="many") for number in range(1, 121)))
    path, seen = "/groups.json?project=many", list[str]()
    while path:
        shape = either.get(path).json
        seen += [one["fingerprint"] for one in shape["groups"]]
        path = f"/groups.json?project=many&after={shape['next']}" if shape["next"] else ""
    assert len(seen) == len(set(seen)) == 120
    assert "next page" in either.get("/groups?project=many").text


def test_a_crash_is_found_by_what_people_have(either: Site) -> None:
    one = either.store.lists.groups(Wanted(project="game-server"), Sort.USERS, None, 1).groups[0]
    fingerprint = one.standing.group.identity.fingerprint
    assert either.get(f"/find?text={fingerprint[:10]}").headers["location"] == f"/groups/{one.id}"
    assert either.get("/find?text=Pathfinder").headers["location"] == "/groups?text=Pathfinder"
    assert "Pathfinder::step" in either.get("/groups?text=pathfinder").text


def test_a_group_shows_everything(either: Site) -> None:
    number = either.store.lists.groups(Wanted(text="draw_shadow"), Sort.USERS, None, 1).groups[0].id
    page, shape = either.get(f"/groups/{number}").text, either.get(f"/groups/{number}.json").json

    assert shape["now"]["rule"] == "current"
    assert shape["issue"]["key"] in page
    assert [one["release"] for one in shape["releases"]] == sorted(one["release"] for one in shape["releases"])
    assert 0 < sum(shape["histograms"]["version"].values()) <= shape["occurrences"]
    assert len(shape["deliveries"]) == 20
    assert {"create", "update"} >= {one["action"] for one in shape["history"]}
    for words in (
        "Renderer::frame()",
        "Sync now",
        "Hold",
        "Alias",
        "Re-link",
        "Timeline",
        "notification",
        "route all takes it",
    ):
        assert words in page


def test_a_release_says_what_is_new_and_gone(either: Site) -> None:
    shape = either.get("/releases.json?project=game-client&release=2.4.0").json
    assert {one["application"] for one in shape["new"]} == {"game"}
    matrix = either.get("/releases.json?project=game-client").json
    assert [one["release"] for one in matrix["releases"]] == ["2.4.0", "2.3.1", "2.3.0", "1.9.2"]
    cells = {name: cell["is"] for one in matrix["groups"] for name, cell in one["releases"].items()}
    assert set(cells.values()) <= {"new", "still", "gone", "regressed"}
    assert "new" in cells.values()


def test_a_delivery_is_shown_as_it_came_and_scrubbed(site: Site) -> None:
    (number,) = accept(site.store, told("33" * 32, callstack=["C:\\Users\\alice\\game.exe"], mail="bob@acme.example"))
    raw, scrubbed = site.get(f"/deliveries/{number}").text, site.get(f"/deliveries/{number}?scrubbed=1").text
    assert "bob@acme.example" in raw
    assert "alice" in raw
    assert "bob@" not in scrubbed
    assert "alice" not in scrubbed
    assert site.get(f"/deliveries/{number}.json").json["state"] == "waiting"


def test_the_configuration_shows_where_secrets_are_and_never_what(
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
    number = site.number("17a41c0d") if site.store.lists.by_fingerprint("17a41c0d") else 1
    assert "It is held" in site.said(f"/groups/{number}/hold", {"reason": "wait for 2.5"})
    assert "an operator holds it: wait for 2.5" in site.get(f"/groups/{number}").text
    assert "no longer" in site.said(f"/groups/{number}/end-hold")
    assert "No operator" in site.said(f"/groups/{number}/end-hold")


def test_sync_now(site: Site) -> None:
    assert "due now, for files" in site.said("/groups/1/sync")
    held = site.number(HELD)
    assert "Nothing is to be done" in site.said(f"/groups/{held}/sync")


def test_alias_and_back(site: Site) -> None:
    other = site.get("/groups/2.json").json["fingerprint"]
    assert "0 groups" in site.said("/groups/1/alias", {"target": "zz"})
    assert "alias of itself" in site.said("/groups/2/alias", {"target": other})
    assert "shown on the issue" in site.said("/groups/1/alias", {"target": other, "reason": "same cause"})
    assert site.get("/groups/1.json").json["follows"] == other
    assert "already" not in site.said("/groups/1/end-alias")
    assert "was no alias" in site.said("/groups/1/end-alias")


def test_relink_to_an_issue_that_people_made(site: Site) -> None:
    folder = site.config.trackers["files"].folder  # type: ignore[union-attr]
    with open(f"{folder}/made-by-hand.md", "w") as file:
        file.write("# Made by hand\n\nPeople wrote this.\n")
    assert "names no file" in html.unescape(site.said("/groups/1/relink", {"issue": "../x"}))
    said = site.said("/groups/1/relink", {"issue": "made-by-hand"})
    assert "made-by-hand stands for it" in said
    assert "close it by hand" in said
    site.sync()
    with open(f"{folder}/made-by-hand.md") as file:
        text = file.read()
    assert "People wrote this." in text
    assert "ccurrences" in text, "its numbers are kept there from now on"


def test_trackers_and_routes_are_paused_and_resumed(either: Site) -> None:
    assert "files is paused" in either.said("/trackers/files/pause", {"reason": "moving"})
    assert either.get("/trackers.json").json["trackers"]["files"]["cause"] == "operator"
    assert "moving" in either.get("/trackers").text
    assert "is called again" in either.said("/trackers/files/resume")
    assert "Route all is paused" in either.said("/routes/all/pause")
    assert either.get("/trackers.json").json["routes"][0]["paused"]["reason"] == "no reason given"
    assert "Route all is resumed" in either.said("/routes/all/resume")
    assert either.post("/trackers/none/pause").status == 404


def test_what_is_quarantined_is_tried_again_or_discarded(site: Site) -> None:
    refused = RejectedDelivery(422, "no_project", "The field project is missing", "project")
    kept = [
        site.store.quarantine.add(body, time.time(), refused, 10).result()
        for body in (b'{"a": "<b>"}', b'{"universe": "u", "project": "p", "fingerprint": "f"}')
    ]
    page = site.get("/quarantine").text
    assert "&lt;b&gt;" in page
    assert "still no notification" in site.said(f"/quarantine/{kept[0]}/replay")
    assert "went back" in site.said(f"/quarantine/{kept[1]}/replay")
    assert "removed" in site.said(f"/quarantine/{kept[0]}/discard")
    assert "gone already" in site.said(f"/quarantine/{kept[0]}/discard")
    assert site.get("/quarantine.json").json == []


def test_deliveries_are_read_once_more(site: Site) -> None:
    count = site.get("/groups/1.json").json["occurrences"]
    assert "1 delivery is read" in site.said("/deliveries/1/replay")
    assert "deliveries are read" in site.said("/groups/1/replay")
    site.tell()
    assert site.get("/groups/1.json").json["occurrences"] == count


def test_the_group_that_stands_for_a_storm_has_a_page_too(site: Site) -> None:
    site.tell(*(told(f"{number:064x}", project="flood") for number in range(1, 130)))
    site.sync()
    storms = [one for one in site.store.report.storms() if one.held]
    assert storms
    (number,) = (row[0] for row in ask(site.config.store, "SELECT group_id FROM storms"))

    page = site.get(f"/groups/{number}")
    assert page.status == 200
    assert "storm" in page.text
    assert "is in a storm and holds" in site.get("/").text
    held = site.get("/groups.json?state=held&project=flood").json["groups"]
    assert {one["decision"]["rule"] for one in held} == {"storm"}


def test_nothing_is_said_that_was_not_done(site: Site) -> None:
    assert 'class="said"' not in site.get("/?said=%3Cb%3EYou+have+won").text
    done = site.post("/groups/1/sync")
    assert "due now" in site.get(done.headers["location"]).text
    assert 'class="said"' not in site.get(done.headers["location"]).text, "a second look shows it no more"


def test_a_page_refreshes_only_where_that_is_asked_for(site: Site) -> None:
    assert "refresh" not in site.get("/").headers
    assert site.get("/?live=1").headers["refresh"] == "10"


def test_a_store_that_is_away_is_told(either: Site) -> None:
    either.store.close()
    if either.config.store.dialect == "sqlite":
        either.config.store.path.unlink()
    answer = either.get("/")
    assert answer.status == 503
    assert "cannot be used" in answer.text or "deleted" in answer.text or "closed" in answer.text
    assert "syncd_store_up 0.0" in either.get("/metrics").text


def test_every_action_answers_for_a_group_that_is_not_there(either: Site) -> None:
    for path in ACTIONS:
        answer = either.post(path.replace("{number:int}", "987654").replace("{name}", "none"))
        assert answer.status in (303, 404), (path, answer.text)


def test_the_version_is_on_every_page(site: Site) -> None:
    assert f"syncd {__version__}" in site.get("/groups").text

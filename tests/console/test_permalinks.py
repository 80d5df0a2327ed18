"""The address of a group: what it leads to, from which shorter names, and whatever the store's row numbers are."""

import html
import re

import pytest

from syncd.config import StoreSettings
from syncd.model import Identity
from syncd.render.addresses import group_page
from syncd.store import open_store
from tests.console.site import Site, configuration, served
from tests.store.filled import crash_notification

TWIN = "7c" * 32
HOSTILE = (
    ("..", "game", "f1"),
    ("acme", "a/b", "f2"),
    ("acme", "a", "b/f2"),
    ("acme", "x.json", "f3.json"),
    ("acme", "<b>&\"'", "?#%2f"),
    ("~", "~7e", "f\u202e"),
)


def tell(site: Site, universe: str, project: str, fingerprint: str) -> None:
    site.tell(crash_notification(fingerprint, universe=universe, project=project, callstack=[f"{project}::frame"]))


def test_two_projects_with_one_fingerprint_have_a_page_each(either: Site) -> None:
    tell(either, "acme", "twin-a", TWIN)
    tell(either, "acme", "twin-b", TWIN)
    for project in ("twin-a", "twin-b"):
        page = f"/groups/acme/{project}/{TWIN}"
        assert either.get(f"{page}.json").json["project"] == project
        assert f"{project}::frame" in either.get(page).text
        assert either.get(f"/groups/{project}/{TWIN}").headers["location"] == page

    both = either.get(f"/groups/{TWIN[:12]}")
    assert both.status == 200
    assert f'href="/groups/acme/twin-a/{TWIN}"' in both.text
    assert f'href="/groups/acme/twin-b/{TWIN}"' in both.text
    assert [each["project"] for each in either.get(f"/groups/{TWIN[:12]}.json").json["groups"]] == ["twin-a", "twin-b"]


def test_the_beginning_of_a_fingerprint_leads_to_the_only_group(either: Site) -> None:
    tell(either, "acme", "twin-a", TWIN)
    page = f"/groups/acme/twin-a/{TWIN}"
    for name in (TWIN[:12], TWIN.upper(), f"twin-a/{TWIN[:6]}", f"acme/twin-a/{TWIN[:6]}"):
        assert either.get(f"/groups/{name}").headers["location"] == page, name
        assert either.get(f"/groups/{name}.json").headers["location"] == f"{page}.json", name
    assert either.get(f"/groups/acme/twin-a/{TWIN.upper()}").status == 200, "a fingerprint has no case"
    assert either.get("/groups/7d7d").status == 404
    assert either.get(f"/groups/twin-b/{TWIN}").status == 404


def test_an_issue_key_leads_to_its_group(either: Site) -> None:
    tell(either, "acme", "twin-a", TWIN)
    either.sync()
    (listed,) = either.store.lists.by_fingerprint(TWIN)
    assert listed.standing.issue is not None
    assert either.get(f"/groups/{listed.standing.issue.key}").headers["location"] == either.page(listed.id)


@pytest.mark.parametrize("identity", HOSTILE, ids=lambda identity: group_page(Identity(*identity)))
def test_a_group_of_any_name_has_a_page_with_its_forms_and_its_json(
    either: Site, identity: tuple[str, str, str]
) -> None:
    tell(either, *identity)
    page = group_page(Identity(*identity))
    answer = either.get(page)
    assert answer.status == 200
    assert either.get(f"{page}.json").json["fingerprint"] == identity[2]
    assert f'href="{page}"' in either.get("/groups").text
    links = [html.unescape(each) for each in re.findall(r'(?:href|action)="(/groups/[^"]*)"', answer.text)]
    assert f"{page}.json" in links
    assert either.act(f"{page}/hold", {"reason": "later"})
    assert either.get(f"{page}.json").json["on_hold"] == "later"


def test_an_address_and_a_form_survive_a_store_with_other_row_numbers(
    site: Site, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As after `migrate-store`, after a restore, and where the deliveries since a backup were sent again in another order."""
    folder = tmp_path_factory.mktemp("restored")
    settings = StoreSettings(url=f"sqlite:{folder}/syncd.db")
    tell(site, "acme", "one", "1a" * 32)
    tell(site, "acme", "two", "2b" * 32)
    store = open_store(settings)
    with served(configuration(folder, settings), store) as restored:
        tell(restored, "acme", "two", "2b" * 32)
        tell(restored, "acme", "one", "1a" * 32)
        assert site.number("1a") != restored.number("1a")
        page = site.page(site.number("1a"))
        assert restored.get(f"{page}.json").json["project"] == "one"
        restored.act(f"{page}/hold", {"reason": "an old page"})
        assert restored.get(f"{page}.json").json["on_hold"] == "an old page"
        assert restored.get(f"/groups/acme/two/{'2b' * 32}.json").json["on_hold"] is None
    store.close()

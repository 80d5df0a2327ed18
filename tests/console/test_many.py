"""A hundred thousand groups: a list reads only what it shows."""

import re

import pytest

from syncd.config import StoreSettings
from syncd.store import open_store, queries
from syncd.store.filters import STORED, Sort
from tests.console import site as sites
from tests.console.browser import DESKTOP, MonitoredPage, chromium, needs_chromium
from tests.store.raw import ask, change

MANY = 100_000

GROUPS = f"""
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {MANY})
INSERT INTO groups (universe, project, fingerprint, fingerprint_key, application, callstack, classifiers, occurrences, approximate,
    notifications, users, hosts, first_seen, last_seen, revision, decision)
SELECT 'acme', 'game-' || (n % 7), printf('%064x', n), printf('%064x', n), 'game', '["frame' || n || '"]', '[]', (n * 7919) % 100003, 0,
    1, (n * 31) % 997, 1, 1700000000 + n, 1700000000 + (n * 104729) % 1000003, 1, 'hold' FROM numbers
"""
RELEASES = """
INSERT INTO releases (group_id, release, occurrences, approximate) SELECT id, '1.' || (id % 20), occurrences, 0 FROM groups
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> StoreSettings:
    made = StoreSettings(url=f"sqlite:{tmp_path_factory.mktemp('many')}/syncd.db")
    open_store(made).close()
    change(made, GROUPS)
    change(made, RELEASES)
    return made


@pytest.mark.parametrize("sort", STORED)
def test_an_index_finds_each_page(settings: StoreSettings, sort: Sort) -> None:
    given = {"place": "5", "after": "5", "size": "50", "floor": "1", "beyond": "1", "looked": "5000"}
    given |= dict.fromkeys(
        (
            "project",
            "application",
            "classifier",
            "owner",
            "release",
            "state",
            "terms",
            "since",
            "first",
            "returned",
            "labels",
        ),
        "NULL",
    )
    for query in ("groups_by", "edge_by"):
        text = queries.load("sqlite")[f"{query}_{sort}"]
        for name, value in given.items():
            text = text.replace(f":{name}", value)
        steps = " ".join(str(row) for row in ask(settings, f"EXPLAIN QUERY PLAN {text}"))
        assert f"INDEX groups_{sort} " in steps
        assert "SCAN groups" not in steps
        assert "TEMP B-TREE" not in steps


def test_counts_and_small_sets_need_an_index_alone(settings: StoreSettings) -> None:
    def steps(name: str) -> list[str]:
        text = re.sub(r":[a-z_]+", "5", queries.load("sqlite")[name])
        return [str(row[3]) for row in ask(settings, f"EXPLAIN QUERY PLAN {text}")]

    # Only storms are read row by row.
    assert {step for step in steps("tally_whole") if "SCAN groups USING INDEX" in step} == {
        "SCAN groups USING INDEX groups_storms"
    }
    among = steps("how_many_among")
    assert [step for step in among if "SCAN fresh" in step or "SCAN active" in step] == []
    assert any("groups_first_seen" in step for step in among)


@needs_chromium
def test_pages_show_their_part_of_the_groups(settings: StoreSettings) -> None:
    store = open_store(settings)
    try:
        with sites.served(sites.configuration(settings.path.parent, settings), store) as site, chromium() as browser:
            monitored = MonitoredPage(browser.new_context(viewport=DESKTOP), site.url)  # type: ignore[arg-type]
            page = monitored.open("/groups?sort=occurrences")
            assert page.locator(".tabs [aria-current=true]").inner_text() == "All 100,000"
            for _ in range(3):
                assert page.locator("table.groups tbody tr").count() == 50
                page.get_by_role("link", name="next page").click()
            monitored.open("/groups?text=frame99999&project=game-4")
            assert page.locator("table.groups tbody tr").count() == 1
            monitored.open("/releases?project=game-3")
            assert page.locator("table.matrix tbody tr").count() == 50
            for path in (
                "/",
                f"/groups/acme/game-{77777 % 7}/{77777:064x}",
                "/releases?project=game-3&release=1.3",
                "/groups?state=held&sort=users",
            ):
                monitored.open(path)
            monitored.require_quiet()
    finally:
        store.close()

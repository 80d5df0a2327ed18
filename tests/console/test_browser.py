"""The console in a real browser: every page and action, without JavaScript, on a phone, in dark mode, by keyboard."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from syncd.config import StoreSettings
from syncd.errors import OutcomeUnknown, Refused, RejectedDelivery
from syncd.operate import actions
from syncd.platform.clock import Clock
from syncd.store import Store, open_store
from syncd.store.quarantine import Bound
from syncd.worker import breaker
from syncd.worker.sync import sync
from tests.console import site as sites
from tests.console.browser import DESKTOP, PHONE, MonitoredPage, chromium, needs_chromium
from tests.console.site import Site
from tests.scene import Tracker
from tests.store.filled import crash_notification

pytestmark = needs_chromium

DEAD, DOUBT = "d0" * 32, "e0" * 32
PATHS = (
    "/", "/?since=7d&project=game-client", "/overview", "/overview?days=7", "/groups", "/groups?state=held", "/groups?sort=growth&first=30d&text=hang",
    "/groups?text=no+such+crash", "/groups/2", "/groups/22c8", "/groups/1111", "/releases",
    "/releases?project=game-client", "/releases?project=game-client&release=2.4.0", "/deliveries", "/deliveries/1",
    "/quarantine", "/dead", "/trackers", "/configuration",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(StoreSettings(url=f"sqlite:{tmp_path_factory.mktemp('store')}/syncd.db"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def site(store: Store) -> Iterator[Site]:
    """A week of crashes, and one of everything that needs attention."""
    folder = Path(store.connection.place).parent
    with sites.served(
        sites.configuration(folder, StoreSettings(url=f"sqlite:{store.connection.place}")), store
    ) as made:
        sites.live(made)
        add_stuck(made)
        yield made


def add_stuck(site: Site) -> None:
    """A dead letter, a create that is parked in doubt, and two bodies in quarantine."""
    site.tell()
    site.sync()
    for fingerprint, error in ((DEAD, Refused("the field is not on the screen")), (DOUBT, OutcomeUnknown("no answer"))):
        site.tell(crash_notification(fingerprint))
        broken = Tracker(fail_before={"create": error}, covered=False)
        claim = site.store.outbox.claim("files", f"stuck/{fingerprint}", time.time())
        assert claim is not None
        sync(site.store, broken, claim, site.rules, Clock())
    number = site.number(DOUBT)
    for _ in range(8):
        breaker.step(site.store, broken, "files", site.rules, Clock())  # the tracker is read before it is called again
        actions.sync_now(site.store, site.rules, number, time.time())
        claim = site.store.outbox.claim("files", f"stuck/{time.monotonic()}", time.time())
        if claim is not None:
            sync(site.store, broken, claim, site.rules, Clock())
    for body in (b'{"hello": "<world>"}', b'{"universe": "u", "project": "p", "fingerprint": "f"}'):
        refused = RejectedDelivery(422, "no_project", "The field project is missing", "project")
        site.store.quarantine.add(body, time.time(), refused, Bound(10, 2**20)).result()


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_page_is_quiet_and_accessible(site: Site, browser: Browser, colours: str) -> None:
    # The test injects axe into the page, which the console's policy rightly refuses.
    with browser.new_context(viewport=DESKTOP, color_scheme=colours, bypass_csp=True) as context:  # type: ignore[arg-type]
        monitored = MonitoredPage(context, site.url)
        for path in PATHS:
            page = monitored.open(path)
            page.evaluate("document.querySelectorAll('details').forEach(element => element.open = true)")
            result = Axe().run(page)
            assert result.violations_count == 0, (path, result.generate_report())
        monitored.require_quiet()


def test_every_page_fits_a_phone(site: Site, browser: Browser) -> None:
    with browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True) as context:  # type: ignore[arg-type]
        monitored = MonitoredPage(context, site.url)
        for path in PATHS:
            page = monitored.open(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
        monitored.require_quiet()


def test_the_numbers_of_a_list_are_in_sight_on_a_phone(site: Site, browser: Browser) -> None:
    with browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True) as context:  # type: ignore[arg-type]
        page = MonitoredPage(context, site.url).open("/groups?sort=users")
        for label in ("users", "times", "in 24 h"):
            boxes = [cell.bounding_box() for cell in page.locator(f"td[data-label='{label}']").all()]
            assert len(boxes) > 5
            for box in boxes:
                assert box is not None
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= PHONE["width"]
        assert page.locator(".groups svg.spark").first.is_visible()


def test_the_policy_stops_a_script_that_was_injected_into_a_page(site: Site, browser: Browser) -> None:
    with browser.new_context(viewport=DESKTOP) as context:  # type: ignore[arg-type]
        monitored = MonitoredPage(context, site.url)
        page = monitored.open("/")
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=/x.png onerror=\"document.title=1\">')")
        page.wait_for_timeout(200)
        assert page.title() != "1"
        assert any("Content Security Policy" in complaint for complaint in monitored.complaints)


def test_the_keyboard_reaches_every_control(site: Site, browser: Browser) -> None:
    with browser.new_context(viewport=DESKTOP) as context:  # type: ignore[arg-type]
        page = MonitoredPage(context, site.url).open(site.page(2))
        focusable = page.evaluate(
            "[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary')]"
            ".filter(element => element.checkVisibility()).length"
        )
        reached = set()
        for _ in range(focusable + 20):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate(
                    "[...document.querySelectorAll('*')].indexOf(document.activeElement)"
                    " + ' ' + document.activeElement.tagName"
                )
            )
        controls = [
            element for element in reached if element.split()[1] in ("A", "BUTTON", "INPUT", "SELECT", "SUMMARY")
        ]
        assert len(controls) == focusable


def test_the_fingerprint_and_the_stack_are_copied(site: Site, browser: Browser) -> None:
    with browser.new_context(viewport=DESKTOP, permissions=["clipboard-read", "clipboard-write"]) as context:  # type: ignore[arg-type]
        monitored = MonitoredPage(context, site.url)
        page = monitored.open(site.page(2))
        shape = site.get(f"{site.page(2)}.json").json
        page.get_by_role("button", name="Copy the fingerprint").click()
        page.get_by_role("button", name="Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == shape["fingerprint"]
        page.get_by_role("button", name="Copy the stack").press("Enter")
        page.get_by_role("button", name="Copied").nth(1).wait_for()
        assert page.evaluate("navigator.clipboard.readText()").splitlines() == shape["callstack"]
        page.get_by_role("button", name="Copy the stack").wait_for()
        monitored.require_quiet()


def test_the_stack_is_copied_where_the_browser_has_no_clipboard_for_the_page(site: Site, browser: Browser) -> None:
    with browser.new_context(viewport=DESKTOP) as context:  # type: ignore[arg-type]
        context.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        monitored = MonitoredPage(context, site.url)
        page = monitored.open(site.page(2))
        page.get_by_role("button", name="Copy the stack").click()
        page.get_by_role("button", name="Copied").wait_for()
        page.get_by_role("searchbox").focus()
        page.keyboard.press("Control+V")
        assert site.get(f"{site.page(2)}.json").json["callstack"][0] in page.get_by_role("searchbox").input_value()
        monitored.require_quiet()


def test_a_time_has_the_readers_own_zone_too(site: Site, browser: Browser) -> None:
    with browser.new_context(viewport=DESKTOP, timezone_id="Asia/Kolkata", locale="en-GB") as context:  # type: ignore[arg-type]
        page = MonitoredPage(context, site.url).open(site.page(2))
        title = page.locator("main time").first.get_attribute("title") or ""
        assert re.fullmatch(r"20..-..-.. ..:.. UTC; here \d+ \w+ 20.., ..:.. GMT\+5:30", title)


def test_a_group_has_no_button_that_does_nothing_without_javascript(site: Site, page: Page) -> None:
    page.goto(site.url + site.page(2))
    assert page.locator("button[data-copy]").count() == 2
    assert not any(button.is_visible() for button in page.locator("button[data-copy]").all())


def test_a_phone_shows_numbers_of_releases_beside_a_first_column_that_stays(site: Site, browser: Browser) -> None:
    with browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True) as context:  # type: ignore[arg-type]
        monitored = MonitoredPage(context, site.url)
        for path in ("/releases?project=game-client", "/releases?project=game-client&release=2.4.0", "/releases"):
            page = monitored.open(path)
            for region in page.get_by_role("region", name=re.compile("^Table: ")).all():
                first, number = region.locator("tbody th").first, region.locator("tbody td").first
                assert number.bounding_box()["x"] + number.bounding_box()["width"] <= PHONE["width"], path  # type: ignore[index]
                before = first.bounding_box()
                region.evaluate("element => { element.scrollLeft = 60 }")
                assert first.bounding_box() == before, path
        monitored.require_quiet()


@pytest.fixture
def page(site: Site, browser: Browser) -> Iterator[Page]:
    """A page without JavaScript."""
    with browser.new_context(viewport=DESKTOP, java_script_enabled=False) as context:  # type: ignore[arg-type]
        monitored = MonitoredPage(context, site.url)
        yield monitored.open("/overview")
        monitored.require_quiet()


def flash(page: Page) -> str:
    """The sentence about the result of the action."""
    return page.locator(".flash").inner_text()


def test_a_crash_is_looked_up_synced_held_and_replayed(site: Site, page: Page) -> None:
    fingerprint = site.get(f"{site.page(2)}.json").json["fingerprint"]
    page.get_by_role("searchbox").fill(fingerprint[:12])
    page.get_by_role("searchbox").press("Enter")
    assert page.url.endswith(site.page(2))

    page.get_by_role("button", name="Sync now").click()
    assert flash(page)
    page.locator("summary", has_text="Hold").click()
    page.get_by_label("Reason").first.fill("until 2.5 is out")
    page.get_by_role("button", name="Hold this group").click()
    assert flash(page)
    assert "until 2.5 is out" in page.locator(".now").inner_text()
    page.get_by_role("button", name="End hold").click()
    assert "until 2.5 is out" not in page.locator(".now").inner_text()
    page.get_by_role("button", name="Replay deliveries").click()
    assert flash(page)


def test_an_alias_is_added_and_removed(site: Site, page: Page) -> None:
    target = site.get(f"{site.page(4)}.json").json["fingerprint"]
    page.goto(site.url + site.page(3))
    page.locator("summary", has_text="Alias").click()
    page.get_by_label("Fingerprint of the group").fill(target)
    page.get_by_role("button", name="Add alias").click()
    assert target[:12] in flash(page)
    page.get_by_role("button", name="Remove alias").click()
    assert page.locator("summary", has_text="Alias").count() == 1


def test_an_issue_is_linked_by_hand(site: Site, page: Page) -> None:
    folder = Path(site.config.trackers["files"].folder)  # type: ignore[union-attr]
    (folder / "by-hand.md").write_text("# By hand\n\nWritten by people.\n")
    page.goto(site.url + site.page(5))
    page.locator("summary", has_text="Re-link").click()
    page.get_by_label("Number, key or URL").fill("by-hand")
    page.get_by_role("button", name="Link issue").click()
    assert "by-hand" in flash(page)
    assert "by-hand" in page.locator(".where").inner_text()


def test_a_dead_letter_and_a_create_in_doubt_are_retried(site: Site, page: Page) -> None:
    assert page.locator(".needs li.alarm").count() >= 2
    page.get_by_role("link", name=re.compile("dead letters?: ")).click()
    page.locator(".card", has_text=DEAD[:12]).get_by_role("button", name="Retry").click()
    assert flash(page)
    assert page.locator(".card", has_text=DEAD[:12]).count() == 0
    doubted = page.locator(".card", has_text=DOUBT[:12])
    doubted.locator("summary", has_text="Create anew").click()
    doubted.get_by_role("button", name="Confirm").first.click()
    assert flash(page)
    assert page.locator(".card").count() == 0


def test_a_tracker_and_a_route_are_paused_and_resumed(site: Site, page: Page) -> None:
    page.get_by_role("link", name="Trackers").click()
    card = page.locator(".card")
    card.locator("summary", has_text="Pause").click()
    card.get_by_label("Reason").fill("moving house")
    card.get_by_role("button", name="Pause tracker").click()
    assert "moving house" in page.locator(".card").inner_text()
    page.locator(".card").get_by_role("button", name="Resume").click()
    assert "moving house" not in page.locator(".card").inner_text()
    row = page.locator("tr", has_text="all")
    row.locator("summary").click()
    row.get_by_role("button", name="Pause route").click()
    assert "paused" in page.locator("tr", has_text="all").inner_text()
    page.locator("tr", has_text="all").get_by_role("button", name="Resume").click()
    assert "paused" not in page.locator("tr", has_text="all").inner_text()


def test_the_quarantine_is_emptied(site: Site, page: Page) -> None:
    page.get_by_role("link", name="Quarantine", exact=True).click()
    page.locator(".card").first.get_by_role("button", name="Replay").click()
    assert page.locator(".card").count() == 1
    page.locator(".card").first.locator("summary", has_text="Discard").click()
    page.locator(".card").first.get_by_role("button", name="Confirm").click()
    assert page.locator(".card").count() == 0


def test_chosen_groups_are_held_together_and_the_list_stays_as_it_was(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/groups?project=game-server&sort=users")
    for box in page.locator(".groups input[type=checkbox]").all()[:2]:
        box.check()
    page.get_by_label("Reason").fill("two of them")
    page.get_by_role("button", name="Apply").click()
    assert flash(page) == "2 groups are held."
    assert "project=game-server&sort=users" in page.url
    page.get_by_role("navigation", name="States").get_by_role("link", name="Held").click()
    assert page.locator("tbody tr", has_text="two of them").count() == 2
    assert page.locator("[aria-current=true]", has_text="Held").inner_text() == "Held 2"


def test_a_number_of_the_first_page_leads_to_a_list_with_as_many_groups(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/")
    assert page.get_by_role("navigation", name="Operations").count() == 0
    page.get_by_label("Since").select_option("the last 7 days")
    page.get_by_label("Project").select_option("game-server")
    page.get_by_role("button", name="Show").click()
    assert page.get_by_role("heading", level=1).inner_text() == "game-server"
    tile = page.locator(".tiles > div", has_text="New")
    number = int(tile.locator("a").inner_text())
    tile.locator("a").click()
    assert page.locator("table.groups tbody tr").count() == number > 0


def test_the_list_is_two_tabs_from_the_top(site: Site, browser: Browser) -> None:
    with browser.new_context(viewport=DESKTOP) as context:  # type: ignore[arg-type]
        page = MonitoredPage(context, site.url).open("/groups")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the list"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('#list') !== null")


def test_a_delivery_is_redacted_and_replayed(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/deliveries/1")
    page.get_by_role("link", name="Show redacted").click()
    page.get_by_role("link", name="Show original").click()
    page.get_by_role("button", name="Replay").click()
    assert "waiting" in page.locator("main").inner_text()


def test_groups_are_filtered_and_sorted(site: Site, page: Page) -> None:
    page.get_by_role("link", name="Groups", exact=True).click()
    page.get_by_label("Project").select_option("game-server")
    page.get_by_role("button", name="Show").click()
    assert page.locator("tbody tr").count() == 4
    page.get_by_role("link", name="Times").click()
    counts = [
        int(count.replace(",", "").removeprefix("≥"))
        for count in page.locator("tbody td[data-label=times]").all_inner_texts()
    ]
    assert counts == sorted(counts, reverse=True)
    assert page.locator("th[aria-sort=descending]").inner_text() == "Times"

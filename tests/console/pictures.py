"""`make screenshots`: pictures of the console with a simulated week, in docs/pictures, with few colours to save bytes."""

import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from syncd.cli import story
from syncd.config import LocalSettings, Route, StoreSettings
from syncd.errors import OutcomeUnknown
from syncd.platform.clock import Clock
from syncd.store import open_store
from syncd.store.filters import Sort, Term, Wanted
from syncd.worker.sync import sync
from tests.console import site as sites
from tests.console.browser import chromium
from tests.console.site import Site
from tests.scene import Tracker
from tests.store.filled import crash_notification
from tests.store.raw import change

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pictures"
COLOURS = 64
DAY = 86400


def main() -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        settings = StoreSettings(url=f"sqlite:{folder}/syncd.db")
        store = open_store(settings)
        config = sites.configuration(folder, settings).model_copy(
            update={
                "trackers": {"files": LocalSettings(kind="local", folder=str(folder / "issues"))},
                "routes": [Route(name="game", tracker="files", status_interval=1.0, min_users=2)],
            }
        )
        with sites.served(config, store) as site:
            _live(site, settings)
            number = site.store.lists.groups(Wanted(terms=(Term("draw_shadow"),)), Sort.USERS, None, 1).groups[0].id
            with chromium() as browser:
                take(browser, site.url, "/?since=7d", "today", 1180, 900)
                take(browser, site.url, "/overview?days=7", "overview", 1180, 860)
                take(browser, site.url, "/groups?sort=users", "groups", 1180, 700)
                take(browser, site.url, site.page(number), "group", 1180, 900)
                take(browser, site.url, site.page(number), "group-dark-phone", 390, 780, "dark")
                take(browser, site.url, "/releases?project=game-client", "releases", 1180, 420)
        store.close()


def _live(site: Site, settings: StoreSettings) -> None:
    """Fold a week day by day, and add one held group and one create in doubt."""
    now = time.time()
    days = story.tell(int(now), days=7).days
    for back, day in zip(range(len(days) - 1, -1, -1), days, strict=True):
        third = len(day) // 3 + 1
        for part, hours in ((day[:third], 16), (day[third : 2 * third], 8), (day[2 * third :], 0)):
            site.tell(*part, at=now - back * DAY - hours * 3600)
            site.sync()
            change(settings, "UPDATE issues SET synced_at = synced_at - 10, looked_at = looked_at - 100")
            if back or hours:
                past = back * DAY + hours * 3600 + 1800.0
                change(settings, "UPDATE history SET at = at - ? WHERE at > ?", past, now - 1200)
    site.tell(
        crash_notification(
            "5e" * 32,
            project="game-client",
            callstack=["Shop::refresh()", "Hud::paint()", "main"],
            guids=1,
            timestamp=[now - 900, now - 60],
        )
    )
    site.tell(
        crash_notification(
            "6f" * 32,
            project="game-server",
            callstack=["Lobby::join(Player&)", "main"],
            guids=9,
            timestamp=[now - 700, now - 40],
        )
    )
    claim = site.store.outbox.claim("files", "pictures", time.time())
    assert claim is not None
    sync(
        site.store,
        Tracker(fail_before={"create": OutcomeUnknown("the connection broke before its answer was whole")}),
        claim,
        site.rules,
        Clock(),
    )


def take(browser: Browser, url: str, path: str, name: str, width: int, height: int, colours: str = "light") -> None:
    """Take one picture of a page."""
    with browser.new_context(viewport={"width": width, "height": height}, color_scheme=colours) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(url + path)
        place = FOLDER / f"{name}.png"
        page.screenshot(path=place)
    with Image.open(place) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(place, optimize=True)
    print(f"{place.relative_to(ROOT)}: {place.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()

"""A real Chromium, and its complaints."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing: `make tools` as root installs it")
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser."""
    with sync_playwright() as playwright:
        # Chromium's sandbox refuses root, and these pages are the project's own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class MonitoredPage:
    """A page that records complaints: console messages (a violated CSP is one), errors, failed requests, requests to other hosts."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self._url = url
        self.page.on("console", self._log)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", self._check)

    def _log(self, message: ConsoleMessage) -> None:
        self.complaints.append(f"{message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the browser left the page before the answer came
            self.complaints.append(f"failed: {request.url} ({request.failure})")

    def _check(self, request: Request) -> None:
        if not request.url.startswith((f"{self._url}/", "data:")):
            self.complaints.append(f"requested {request.url}")

    def open(self, path: str) -> Page:
        """Open the page at a path, which must exist."""
        answer = self.page.goto(self._url + path)
        assert answer is not None
        assert answer.status == 200, path
        return self.page

    def require_quiet(self) -> None:
        """Fail if there is a complaint."""
        assert not self.complaints, self.complaints

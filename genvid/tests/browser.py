"""A headless Chromium of this machine, and somebody who looks at its one page."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from django.db import connections
from playwright.sync_api import Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "/usr/bin/chromium")
PATIENCE_MS = 300_000
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-proxy-server"]


def chromium() -> str | None:
    """Where this machine has one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One window. Playwright clicks only on what somebody could reach, and waits until it can be."""

    page: Page

    def __init__(self, *flags: str) -> None:
        """`flags`: of Chromium, beside ours."""
        self.flags = flags
        self.complaints: list[str] = []

    def __enter__(self) -> Self:
        self._driver = sync_playwright().start()
        expect.set_options(timeout=PATIENCE_MS)
        args = [*FLAGS, *self.flags]
        self._chromium = self._driver.chromium.launch(executable_path=chromium(), args=args, timeout=PATIENCE_MS)
        self.context = self._chromium.new_context(viewport={"width": 1280, "height": 1000})
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.tab()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._chromium.close()
        self._driver.stop()

    def tab(self) -> Page:
        """Another tab of the window: it shares cookies and storage with the first."""
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.set_default_navigation_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        return page

    def see(self, selector: str, words: str) -> None:
        """Wait until it says so."""
        expect(self.page.locator(selector).first).to_contain_text(words, timeout=PATIENCE_MS)

    def click(self, selector: str) -> None:
        self.page.locator(selector).first.click()

    def write(self, selector: str, words: str) -> None:
        """Instead of what stands there."""
        self.page.locator(selector).first.fill(words)


def rows(step: Callable[..., Any], *args: Any, **given: Any) -> Any:
    """Read or write rows in a thread of its own: the browser's driver runs a loop in this one."""

    def stepped() -> Any:
        try:
            return step(*args, **given)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(stepped).result()

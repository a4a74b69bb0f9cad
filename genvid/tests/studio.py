"""Somebody who uses the studio in a real browser."""

import time
from collections.abc import Callable
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from genvid.tests.browser import PATIENCE_MS, Browser
from genvid.tests.factories import Person


def until(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {PATIENCE_MS} ms"
        time.sleep(0.2)
    return found


def open_studio(browser: Browser, browser_site: str, customer: Person, address: str = "/") -> Page:
    """Signed in by hand, on the address that was opened first."""
    browser.page.goto(browser_site + address)
    sign_in(browser, customer)
    return browser.page


def sign_in(browser: Browser, customer: Person) -> None:
    browser.click("#sign-in .tabs span:text-is('Sign in')")
    browser.write("#sign-in [name=email]", customer.user.email)
    browser.write("#sign-in [name=password]", customer.password)
    browser.click("#sign-in-button")
    browser.see("#who", customer.user.email)
    browser.page.locator("#history li").first.wait_for()


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.id || document.activeElement.tagName")


def broken_scripts(browser: Browser) -> list[str]:
    """Errors in the browser's console, except for files that the factories do not make."""
    return [text for text in browser.complaints if not text.startswith("Failed to load resource")]


def findings(page: Page, part: str | None = None) -> list[tuple[str, list[str]]]:
    violations = Axe().run(page, context=part).response["violations"]
    return [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in violations]

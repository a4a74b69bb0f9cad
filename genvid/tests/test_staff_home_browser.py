"""The staff's home page and the margin page in a real browser: charts, refreshing, search, narrow and dark."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import audit_log
from accounts.enums import AuditAct
from accounts.models import User
from genvid.tests.browser import PATIENCE_MS, Browser, chromium, rows
from genvid.tests.factories import PASSWORD, Person, make_payment, make_video, set_balance
from videos import operator_alarms
from videos.models import ProviderState, Video
from videos.provider import provider_gate

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium on this machine"),
]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 1000}
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
CHARTS = "[...document.querySelectorAll('canvas.chart')].map((each) => Boolean(Chart.getChart(each)))"
RECENT = timedelta(minutes=10)


@pytest.fixture
def customer(browser_site: str, owner: Person, avatar: Any) -> Person:
    """A customer with something to see in every panel."""
    now = timezone.now()
    set_balance(owner, 500)
    for minutes in (2, 4, 6):
        done = now - timedelta(hours=minutes)
        make_video(owner, "completed", avatar=avatar, queued_at=done - timedelta(minutes=minutes), completed_at=done)
    make_video(owner, "failed", avatar=avatar, completed_at=now - RECENT)
    make_video(owner, "rendering", avatar=avatar)
    make_video(owner, avatar=avatar, set_aside_at=now)
    make_payment(owner)
    operator_alarms.raise_alarm("order_set_aside", "1", "HeyGen refuses an order.")
    audit_log.record_staff_action(AuditAct.ORDERS_PAUSED, staff_id=None, account_id=owner.account.pk, by="sam")
    ProviderState.objects.create(
        name=provider_gate.NAME,
        code="insufficient_credit",
        message="Your wallet is empty.",
        needs_staff=True,
        needs_staff_since=now - RECENT,
        closed_until=now + RECENT,
        looked_at=now,
        balance_seen="12.5",
    )
    return owner


@pytest.fixture
def session(customer: Person) -> str:
    """Of a superuser, signed in elsewhere: signing in has tests of its own."""
    client = Client()
    client.force_login(User.objects.create_superuser("sam@example.com", PASSWORD))
    return client.cookies[django_settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def browser(browser_site: str, session: str) -> Iterator[Browser]:
    with Browser() as window:
        cookie = {"name": django_settings.SESSION_COOKIE_NAME, "value": session, "url": browser_site}
        window.context.add_cookies([cookie])  # type: ignore[list-item]
        yield window


def opened(browser: Browser, address: str) -> Page:
    browser.page.goto(address)
    browser.page.wait_for_function(f"{CHARTS}.length > 0 && {CHARTS}.every(Boolean)")
    return browser.page


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}).response["violations"]
    return [f"{each['id']}: {node['html'][:200]} {node['any'][:1]}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("path", ["/admin/", "/admin/margin/"])
def test_the_staffs_pages_fit_a_phone_and_are_accessible_in_the_light_and_in_the_dark(browser, browser_site, path):
    seen = []
    for scheme in ("light", "dark"):
        browser.page.emulate_media(color_scheme=scheme)
        for size in (DESK, PHONE):
            browser.page.set_viewport_size(size)
            page = opened(browser, browser_site + path)
            assert page.evaluate("document.documentElement.classList.contains('dark')") == (scheme == "dark")
            seen.append((violations(page), page.evaluate(SIDEWAYS)))
    assert (seen, browser.complaints) == ([([], False)] * 4, [])


def test_the_home_page_answers_what_staff_ask_and_leads_on(browser, browser_site, customer):
    page = opened(browser, f"{browser_site}/admin/")
    browser.see("[data-panel=gate]", "insufficient_credit: Your wallet is empty.")
    browser.see("[data-panel=money]", "12.00 USD")
    browser.see("[data-panel=acts]", "Orders Paused")
    page.get_by_role("link", name="Reopen the gate").click()
    page.get_by_role("button", name="Reopen the gate").click()
    page.get_by_text("Reopen the gate: done.").wait_for()
    page.goto(f"{browser_site}/admin/")
    browser.see("[data-panel=gate]", "open")
    browser.write("#find", customer.user.email)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/admin/accounts/account/{customer.account.pk}/change/")


def test_the_home_page_refreshes_itself_while_somebody_looks_at_it(browser, browser_site):
    page = browser.page
    page.clock.install()
    opened(browser, f"{browser_site}/admin/")
    canvas = page.locator("[data-chart=depths] canvas").element_handle()
    rows(ProviderState.objects.update, code="", needs_staff=False, closed_until=None)
    page.clock.run_for(16_000)
    browser.see("[data-panel=gate]", "open")
    browser.see("#home-seen", "As of")
    kept = page.locator("[data-chart=depths] canvas").element_handle()
    assert (page.evaluate("([a, b]) => a === b", [canvas, kept]), browser.complaints) == (True, [])
    assert page.evaluate(f"{CHARTS}.every(Boolean)")


def test_a_hidden_home_page_asks_nothing_until_it_is_seen_again(browser, browser_site):
    page, asked = browser.page, []
    page.clock.install()
    opened(browser, f"{browser_site}/admin/")
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(
        "() => { Object.defineProperty(document, 'hidden', { get: () => window.isAway, configurable: true });"
        " window.isAway = true; document.dispatchEvent(new Event('visibilitychange')); }"
    )
    page.clock.run_for(120_000)
    assert asked == []
    with page.expect_response("**/admin/home/"):
        page.evaluate("() => { window.isAway = false; document.dispatchEvent(new Event('visibilitychange')); }")


def test_who_uses_a_panel_is_not_disturbed_by_its_refresh(browser, browser_site):
    page = browser.page
    page.clock.install()
    opened(browser, f"{browser_site}/admin/")
    button = page.get_by_role("link", name="Reopen the gate")
    button.focus()
    page.clock.run_for(16_000)
    browser.see("#home-seen", "As of")
    expect(button).to_be_focused(timeout=PATIENCE_MS)


def test_a_home_page_whose_session_ended_says_so(browser, browser_site):
    page = browser.page
    page.clock.install()
    opened(browser, f"{browser_site}/admin/")
    browser.context.clear_cookies()
    page.clock.run_for(16_000)
    browser.see("#home-state", "You are signed out.")
    assert rows(Video.objects.count) == 6

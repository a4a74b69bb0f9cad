"""Customer and video pages of the admin in a real browser: narrow, dark, for screen readers, and clicked through."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from djstripe.models import Charge
from playwright.sync_api import Page

from accounts.models import User
from billing.models import Customer, LedgerEntry, Payment
from billing.tests.stripe_objects import make_copy
from genvid.heartbeats.models import Heartbeat
from genvid.tests.browser import Browser, chromium, rows
from genvid.tests.factories import PASSWORD, Person, grant, make_key, make_payment, make_video
from videos import operator_alarms
from videos.models import OperatorAlarm

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium on this machine"),
]
SHOTS = os.environ.get("STAFF_PAGE_SHOTS")
"""A folder for pictures, for whoever wants to look."""


@pytest.fixture
def video(owner: Person, avatar: Any) -> Any:
    payment = make_payment(owner)
    grant(owner, 100, payment_id=payment.pk)
    make_key(owner)
    Customer.objects.create(account=owner.account, stripe_customer_id="cus_0123456789abcdef")
    make_copy("Charge", customer=make_copy("Customer", "cus_0123456789abcdef"))
    operator_alarms.raise_alarm("storing_fails", "", "Finished videos cannot be stored.")
    Heartbeat.objects.record("beat")
    return make_video(owner, "completed", avatar=avatar, title="Spring sale")


@pytest.fixture
def browser(browser_site: str, video: Any) -> Iterator[Browser]:
    """Signed in as staff who may do everything."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss@example.com", PASSWORD))
    session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    with Browser() as window:
        cookie = {"name": django_settings.SESSION_COOKIE_NAME, "value": session, "url": browser_site}
        window.context.add_cookies([cookie])  # type: ignore[list-item]
        yield window


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def problems(page: Page) -> list[str]:
    """What axe finds in our panels and forms, and how far the page is wider than its window."""
    found = Axe().run(page, context="#content").response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    targets = [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]
    return [*targets, *([f"{wide} px too wide"] if wide > 0 else [])]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_customer_and_video_pages_are_clean_at_any_width_and_in_the_dark(
    browser, browser_site, owner, video, width, scheme
):
    page = browser.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    found = {}
    addresses = {
        "customer": reverse("admin:accounts_account_change", args=[owner.account.pk]),
        "video": reverse("admin:videos_video_change", args=[video.pk]),
        "copies": reverse("admin:djstripe_charge_changelist"),
        "copy": reverse("admin:djstripe_charge_change", args=[rows(Charge.objects.get).pk]),
        "give": reverse("admin:billing_wallet_act_adjust", args=[owner.account.pk]),
        "refund": reverse("admin:billing_payment_act_refund", args=[rows(Payment.objects.get).pk]),
        "end sessions": reverse("admin:accounts_account_act_end_sessions", args=[owner.account.pk]),
        "alarms": reverse("admin:videos_operatoralarm_changelist"),
        "alarm": reverse("admin:videos_operatoralarm_change", args=[rows(OperatorAlarm.objects.get).pk]),
        "parts": reverse("admin:heartbeats_heartbeat_changelist"),
    }
    for name, address in addresses.items():
        page.goto(browser_site + address)
        page.evaluate("document.fonts.ready.then(() => true)")
        shoot(page, f"{name}-{width}-{scheme}")
        found[name] = problems(page)
    assert found == {name: [] for name in addresses}


def test_staff_give_credits_from_the_customers_page_in_two_clicks(browser, browser_site, owner):
    page = browser.page
    page.goto(browser_site + reverse("admin:accounts_account_change", args=[owner.account.pk]))
    browser.click("text=Give or take credits")
    browser.write("[name=credits]", "50")
    browser.write("[name=reason]", "Sorry for the wait.")
    browser.click("button:has-text('Give or take credits')")
    browser.see("body", "+50 credits: done.")
    given = rows(lambda: list(LedgerEntry.objects.filter(kind="adjustment").values_list("credits", "description")))
    assert given == [(50, "Sorry for the wait.")]


def test_why_a_video_cost_that_is_one_click_from_its_customer(browser, browser_site, owner):
    browser.page.goto(browser_site + reverse("admin:accounts_account_change", args=[owner.account.pk]))
    browser.click("section:has(h2:text-is('Videos')) tbody a")
    browser.see("section:has(h2:text-is('Why this price'))", "3 credits")

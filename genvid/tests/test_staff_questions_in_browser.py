"""What staff ask most, each answered in a real browser within two clicks from the home page."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import audit_log
from accounts.enums import AuditAct
from accounts.models import User
from billing.models import LedgerEntry, Refund
from billing.tests.shop import Shop, balance_of, payment_of
from genvid.heartbeats.models import Heartbeat
from genvid.tests.browser import Browser, chromium, rows
from genvid.tests.factories import PASSWORD, Person, grant, make_payment, make_video
from videos import operator_alarms
from videos.models import ProviderBalance, ProviderState
from videos.provider import provider_gate

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("sam@example.com", PASSWORD)


@pytest.fixture
def session(staff: User) -> str:
    """Signed in elsewhere: signing in has tests of its own."""
    client = Client()
    client.force_login(staff)
    return client.cookies[django_settings.SESSION_COOKIE_NAME].value


class Employee(Browser):
    """Begins at the home page, and counts what they click."""

    def begin(self, site: str) -> None:
        self.site, self.clicks = site, 0
        self.page.goto(f"{site}/admin/")

    def follow(self, selector: str) -> None:
        self.click(selector)
        self.clicks += 1

    def find(self, term: str) -> None:
        self.write("#find", term)
        self.follow("form[role=search] button")

    def arrive(self, name: str, key: Any) -> None:
        self.page.wait_for_url(f"{self.site}{reverse(f'admin:{name}', args=[key])}**")


@pytest.fixture
def answers(browser_site: str, session: str, request: pytest.FixtureRequest) -> Iterator[Employee]:
    """Opened last, so that the test's rows can be made in this thread: whatever else it asks for, comes first."""
    for name in set(request.fixturenames) - {"answers", "request"}:
        request.getfixturevalue(name)
    with Employee() as employee:
        cookie = {"name": django_settings.SESSION_COOKIE_NAME, "value": session, "url": browser_site}
        employee.context.add_cookies([cookie])  # type: ignore[list-item]
        employee.begin(browser_site)
        yield employee
    assert employee.clicks <= 2


@pytest.fixture
def finished(owner: Person, avatar: Any) -> Any:
    """A video that was paid for with bought credits."""
    grant(owner, 100, payment_id=make_payment(owner).pk)
    return make_video(owner, "completed", avatar=avatar, title="Spring sale")


def test_why_did_this_video_cost_that(finished, owner, answers):
    answers.find(owner.user.email)
    answers.follow("section:has(h2:text-is('Videos')) tbody a")
    answers.arrive("videos_video_change", finished.pk)
    price = "section:has(h2:text-is('Why this price'))"
    for step in ("Rate", "Real length", "Rounded up", "Charged", "HeyGen's cost", "Margin"):
        answers.see(price, step)
    answers.see(price, f"{finished.credits_charged} credits")


@pytest.fixture
def set_aside(owner: Person, avatar: Any) -> Any:
    reason = "HeyGen answered insufficient_credit"
    return make_video(owner, avatar=avatar, title="Stuck", set_aside_at=timezone.now(), waiting_reason=reason)


def test_why_is_it_stuck(set_aside, answers):
    answers.follow("[data-panel=work] a:has-text('Videos set aside for staff')")
    answers.see("#result_list", "Set aside for staff")
    answers.follow(f"#result_list a[href*='{set_aside.pk}']")
    answers.arrive("videos_video_change", set_aside.pk)
    for word in ("Set aside for staff", set_aside.waiting_reason):
        answers.see("#content", word)


@pytest.fixture
def stuck(owner: Person, avatar: Any) -> Any:
    return make_video(owner, "rendering", avatar=avatar, title="Late", stuck_at=timezone.now())


def test_why_does_it_render_for_so_long(stuck, answers):
    answers.find(str(stuck.pk))
    answers.arrive("videos_video_change", stuck.pk)
    answers.see("#content", "Stuck: HeyGen renders it since")


@pytest.fixture
def silent_queue(owner: Person) -> None:
    Heartbeat.objects.create(name="orders", asked_at=timezone.now() - timedelta(hours=1))
    operator_alarms.raise_alarm("queue_silent", "orders", "No thread has served Celery's queue “orders”.")


def test_why_does_nothing_go_out(silent_queue, answers):
    answers.follow("[data-panel=work] a:has-text('Open alarms')")
    answers.see("#result_list", "Restart the worker of the queue")


@pytest.fixture
def shop(sandbox: Any, owner: Person) -> Shop:
    """Where the owner has bought a pack."""
    shop = Shop(sandbox)
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    return shop


@pytest.fixture
def paid(shop: Shop, owner: Person) -> Any:
    return payment_of(owner)


def test_refund_this(shop, paid, owner, answers):
    answers.find(paid.stripe_payment_intent_id)
    answers.follow("a:has-text('Refund money')")
    answers.arrive("billing_payment_act_refund", paid.pk)
    answers.write("[name=amount]", "3.00")
    answers.write("[name=reason]", "The sound was missing.")
    answers.click("button:has-text('Refund money')")
    answers.see("body", "3.00 USD go back through Stripe")
    rows(shop.deliver_events)
    assert rows(lambda: (Refund.objects.get().amount, balance_of(owner))) == (300, 105)


def test_give_fifty_credits(owner, answers):
    answers.find(owner.user.email)
    answers.follow("text=Give or take credits")
    answers.write("[name=credits]", "50")
    answers.write("[name=reason]", "Sorry for the wait.")
    answers.click("button:has-text('Give or take credits')")
    answers.see("body", "+50 credits: done.")
    given = rows(lambda: list(LedgerEntry.objects.filter(kind="adjustment").values_list("credits", "description")))
    assert given == [(50, "Sorry for the wait.")]


@pytest.fixture
def act(owner: Person, staff: User) -> Any:
    given = {"credits": "50", "reason": "Sorry for the wait."}
    return audit_log.record_staff_action(
        AuditAct.STAFF_CREDITS_ADJUSTED, staff_id=staff.pk, account_id=owner.account.pk, **given
    )


def test_who_did_that(act, staff, answers):
    answers.see("[data-panel=acts]", staff.email)
    answers.follow("[data-panel=acts] th a")
    answers.arrive("accounts_staffact_change", act.pk)
    for word in (staff.email, "Olive Films", "Sorry for the wait."):
        answers.see("#content", word)


@pytest.fixture
def balances(owner: Person) -> None:
    """Four dollars a day are spent, and ten are left."""
    now = timezone.now()
    for days in (2, 1, 0):
        ProviderBalance.objects.create(read_at=now - timedelta(days=days), remaining=10 + 4 * days, currency="usd")
    ProviderState.objects.create(name=provider_gate.NAME, balance_seen="10")
    make_payment(owner)


def test_are_we_broke(balances, answers):
    for fact, words in {"Left": "10", "Lasts": "2.5 days"}.items():
        answers.see(f"[data-panel=balance] dt:text-is('{fact}') + dd", words)
    answers.see("[data-panel=money]", "12.00 USD")
    answers.follow("text=Margin by day, tier, product and engine")
    answers.page.wait_for_url("**/admin/margin/")
    answers.see("#content", "12.00 USD")

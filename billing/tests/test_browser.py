"""Purchases through the studio and the pay page, in a real browser against `make run`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from genvid.tests.browser import Browser, chromium
from genvid.tests.factories import PASSWORD
from genvid.tests.site import EmbeddedSite

pytestmark = [
    pytest.mark.browser,
    pytest.mark.embedded,
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium on this machine"),
]

PACK = "#packs .card button[aria-label='Buy 100 credits']"
PRO = "#subscriptions .card button[aria-label='Subscribe to Pro']"
ANY_CARD, DECLINED, WITH_3D_SECURE = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0025 0000 3155"


class Buyer(Browser):
    """A new user on the price list."""

    def __init__(self, site: EmbeddedSite) -> None:
        super().__init__()
        self.site = site

    def register(self, email: str) -> None:
        self.page.goto(self.site.url)
        self.write("#sign-in [name=email]", email)
        self.write("#sign-in [name=password]", PASSWORD)
        self.click("#sign-in-button")
        self.see("#wallet", "30 credits")

    def buy(self, button: str, number: str) -> None:
        self.click(button)
        self.write("[name=number]", number)
        self.write("[name=expiry]", "12 / 34")
        self.write("[name=cvc]", "123")
        self.click("button.pay")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSite]:
    """Shared by all tests: a start takes longer than a purchase."""
    with EmbeddedSite.prepared(tmp_path_factory.mktemp("shop") / "var") as shop:
        yield shop.start()


@pytest.fixture
def buyer(site: EmbeddedSite, tmp_path: Path) -> Iterator[Buyer]:
    with Buyer(site) as person:
        person.register(f"{tmp_path.name}@example.com")
        person.click("#wallet")
        yield person


def test_the_buyer_of_a_pack_returns_to_the_studio_and_its_credits(buyer):
    buyer.buy(PACK, ANY_CARD)

    buyer.see("#purchase", "+100 credits")
    buyer.see("#wallet", "130 credits")
    buyer.see("#ledger-rows", "+100")
    buyer.see("#payments-rows", "$12.00")
    assert buyer.page.url.endswith("/?billing")
    assert buyer.complaints == []


def test_a_declined_card_buys_nothing_and_another_one_does(buyer):
    buyer.buy(PACK, DECLINED)
    buyer.see("[role=alert]", "Your card was declined.")
    buyer.click("a.back")
    buyer.see("#purchase", "Nothing was charged.")
    buyer.see("#wallet", "30 credits")
    buyer.see("#payments-rows", "Nothing has been paid yet.")

    buyer.buy(PACK, ANY_CARD)
    buyer.see("#wallet", "130 credits")


def test_a_payment_with_3d_secure_waits_for_its_owner(buyer):
    buyer.buy(PACK, WITH_3D_SECURE)
    buyer.see("h1", "3-D Secure")
    buyer.click("form[action$=complete] button")

    buyer.see("#purchase", "+100 credits")
    buyer.see("#wallet", "130 credits")


def test_a_new_subscription_is_shown_and_managed_in_the_portal(buyer):
    buyer.buy(PRO, ANY_CARD)
    buyer.see("#purchase", "+480 credits")
    buyer.see("#plan", "It renews on")

    buyer.click("#plan button")
    buyer.click("form[action$=cancel] button")
    buyer.see("body", "Your plan ends on")
    buyer.click("a.back")
    buyer.see("#plan", "Nothing more is charged.")

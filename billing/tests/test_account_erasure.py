"""Erasure of an account: at Stripe, and in our rows."""

import pytest
from djstripe.models import Customer as MirroredCustomer
from djstripe.models import Event as MirroredEvent

from billing.checkout import account_erasure
from billing.models import Checkout, Invoice, LedgerEntry, Letter, Payment, TopUp, TopUpRule
from billing.purchases import auto_top_up
from billing.stripe import stripe_client
from billing.tests.shop import balance_of, plan
from genvid.tests.asserts import the_ledger_proves

pytestmark = pytest.mark.django_db


@pytest.fixture
def leaving(shop, owner):
    """An owner with a subscription, a saved card and an automatic purchase rule."""
    shop.subscribe(owner, "pro-month")
    rule = {"enabled": True, "threshold": 50, "plan_id": str(plan("pack-100").pk), "monthly_limit": 5_000}
    owner.client.put("/api/v1/billing/auto-top-up", rule)
    return owner


def test_erasure_cancels_the_subscription_at_stripe(shop, leaving):
    assert account_erasure.close_at_stripe(leaving.account.pk) == ""
    (subscription,) = shop.stripe.records()["subscriptions"]
    assert (subscription["status"], TopUpRule.objects.count()) == ("canceled", 0)


def test_erasure_deletes_the_customer_at_stripe(shop, leaving):
    customer_id = leaving.account.customer.stripe_customer_id
    account_erasure.close_at_stripe(leaving.account.pk)
    assert stripe_client.get(f"customers/{customer_id}").get("deleted") is True


def test_erasure_deletes_links_and_mails_that_show_a_name(shop, leaving):
    Letter.objects.create(account=leaving.account, kind="receipt", reference="in_1")
    account_erasure.close_at_stripe(leaving.account.pk)
    assert set(Invoice.objects.values_list("hosted_url", "pdf_url")) == {("", "")}
    assert set(Payment.objects.values_list("receipt_url")) == {("",)}
    assert (Letter.objects.count(), Checkout.objects.get().user) == (0, None)
    assert (MirroredCustomer.objects.count(), MirroredEvent.objects.filter(type__startswith="invoice").count()) == (
        0,
        0,
    )


def test_erasure_keeps_the_ledger(shop, leaving):
    before = list(LedgerEntry.objects.values())
    account_erasure.close_at_stripe(leaving.account.pk)
    assert (list(LedgerEntry.objects.values()), the_ledger_proves()) == (before, True)


def test_erasure_can_be_repeated(shop, leaving):
    assert [account_erasure.close_at_stripe(leaving.account.pk) for _ in range(3)] == [""] * 3


def test_erasure_is_retried_while_stripe_does_not_answer(shop, leaving, sandbox, monkeypatch):
    monkeypatch.setattr(stripe_client, "RETRIES", 0)
    stripe_client._client.cache_clear()
    sandbox.fault(path="/v1/customers/*", method="DELETE", status=500)
    left = account_erasure.close_at_stripe(leaving.account.pk)
    assert (left, account_erasure.close_at_stripe(leaving.account.pk)) == (
        "Stripe has not deleted the customer yet (provider_error)",
        "",
    )
    stripe_client._client.cache_clear()


def test_erasure_closes_open_pay_pages(shop, owner):
    page = shop.open_checkout(owner, "pack-100")
    account_erasure.close_at_stripe(owner.account.pk)
    (session,) = [each for each in shop.stripe.records()["sessions"] if each["id"] == page]
    assert (session["status"], Checkout.objects.get().status) == ("expired", "expired")


def test_erasure_stops_automatic_purchases(shop, leaving):
    price = plan("pack-100").prices.get()
    begun = TopUp.objects.create(account=leaving.account, price=price, amount=price.amount)
    account_erasure.close_at_stripe(leaving.account.pk)
    assert (auto_top_up.run_top_up(begun.pk), len(shop.stripe.records()["charges"])) == (False, 1)


def test_events_after_an_erasure_do_no_harm(shop, leaving):
    account_erasure.close_at_stripe(leaving.account.pk)
    shop.deliver_events()
    assert balance_of(leaving) == 510


def test_erasure_of_an_account_without_purchases_calls_no_stripe(owner):
    assert account_erasure.close_at_stripe(owner.account.pk) == ""

"""Nightly reconciliation with Stripe: missed changes are repaired, the rest is reported."""

from datetime import timedelta
from io import StringIO
from unittest import mock
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing.models import Checkout, Customer, FormerCustomer, Payment, PlanPrice, StripeSync, Subscription
from billing.stripe import commands, queries, scans, stripe_client
from billing.stripe.stripe_errors import BillingError
from billing.stripe_sync.reconciliation import reconcile
from billing.tests.shop import balance_of, charge_of, failed_syncs, price_id
from genvid.tests.mail import alarms

pytestmark = pytest.mark.django_db


def missed(shop) -> None:
    """Discards the events."""
    shop.new_events()


def test_reconciliation_finds_a_purchase_without_a_webhook(shop, owner):
    shop.buy(owner, "pack-100")
    missed(shop)
    report = reconcile()
    assert (balance_of(owner), len(report.repaired) > 0, report.unresolved) == (130, True, [])


def test_reconciliation_finds_a_renewal_without_a_webhook(shop, owner):
    shop.stripe.renew(shop.subscribe(owner))
    missed(shop)
    reconcile()
    assert balance_of(owner) == 30 + 170 * 2


def test_reconciliation_finds_a_refund_without_a_webhook(shop, owner):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    shop.stripe.refund(charge_of(owner))
    missed(shop)
    report = reconcile()
    assert (balance_of(owner), report.repaired != []) == (30, True)


def test_reconciliation_finds_a_cancellation_without_a_webhook(shop, owner):
    shop.stripe.cancel(shop.subscribe(owner, "pro-month"))
    missed(shop)
    reconcile()
    assert owner.wallet.tier is None


def test_reconciliation_finds_an_expired_pay_page(shop, owner):
    shop.stripe.expire(shop.open_checkout(owner, "pack-100"))
    missed(shop)
    Checkout.objects.update(created_at=timezone.now() - timedelta(hours=25))
    reconcile()
    assert Checkout.objects.get().status == "expired"


def test_reconciliation_of_matching_rows_repairs_nothing(shop, owner):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    reconcile()
    report = reconcile()
    assert (report.checked > 0, report.repaired, report.unresolved) == (True, [], [])


def test_reconciliation_does_not_read_charges_that_equal_our_rows(shop, owner, monkeypatch):
    for _ in range(3):
        shop.buy(owner, "pack-100")
    shop.deliver_events()
    shop.stripe.refund(charge_of(owner), amount=300)
    missed(shop)
    read = mock.Mock(wraps=queries.charge)
    monkeypatch.setattr(scans, "undelivered_events", lambda *_: [])
    monkeypatch.setattr(queries, "charge", read)
    reconcile()
    assert (read.call_args_list, balance_of(owner)) == ([mock.call(charge_of(owner))], 30 + 275)


def test_reconciliation_finds_a_dispute_and_a_fraud_warning_without_a_webhook(shop, owner, monkeypatch):
    for _ in range(2):
        shop.buy(owner, "pack-100")
    shop.deliver_events()
    first, second = Payment.objects.values_list("stripe_charge_id", flat=True)
    shop.stripe.dispute(first)
    shop.stripe.fraud_warning(second)
    missed(shop)
    monkeypatch.setattr(scans, "undelivered_events", lambda *_: [])
    reconcile()
    assert (balance_of(owner), Payment.objects.filter(fraud_warned_at__isnull=False).count()) == (130, 1)


def test_reconciliation_retries_a_sync_that_was_given_up(shop, owner):
    shop.buy(owner, "pack-100")
    right = price_id("pack-100")
    PlanPrice.objects.filter(credits=100).update(stripe_price_id="price_of_before")
    shop.deliver_events()
    given_up = len(failed_syncs())
    PlanPrice.objects.filter(credits=100).update(stripe_price_id=right)
    reconcile()
    assert (given_up > 0, failed_syncs(), balance_of(owner)) == (True, [], 130)


def test_a_first_purchase_after_the_backup_is_repaired_by_our_metadata(shop, owner):
    """A restored database has neither the customer nor the checkout."""
    shop.buy(owner, "pack-100")
    shop.buy(owner, "pro-month")
    missed(shop)
    Customer.objects.all().delete()
    Checkout.objects.all().delete()
    report = reconcile()
    assert (report.unresolved, balance_of(owner), owner.wallet.tier_id) == ([], 30 + 100 + 480, "pro")
    assert (Customer.objects.get().account, FormerCustomer.objects.count()) == (owner.account, 0)


def test_an_adopted_customer_of_an_account_with_another_is_a_former_one(shop, owner):
    shop.buy(owner, "pack-100")
    missed(shop)
    lost = Customer.objects.get().stripe_customer_id
    Customer.objects.update(stripe_customer_id="cus_of_today")
    reconcile()
    assert (balance_of(owner), FormerCustomer.objects.get().pk) == (130, lost)


def test_payments_with_our_metadata_and_no_account_are_reported_to_staff(shop, owner):
    shop.buy(owner, "pack-100")
    missed(shop)
    nobody_knows(owner)
    report = reconcile()
    assert {line.rpartition(": ")[0].rpartition(": ")[2] for line in report.unresolved} == {"unknown_customer"}
    assert (balance_of(owner), len(alarms("billing"))) == (30, 1)


def nobody_knows(person) -> None:
    """As in a database restored from before the account was made."""
    known = Customer.objects.get(account=person.account).stripe_customer_id
    stripe_client.post(f"customers/{known}", key="another", metadata={"account_id": str(uuid4())})
    Customer.objects.all().delete()


def another_business(shop) -> None:
    """A customer of its own with a payment and a subscription, and a guest who paid."""
    customer = stripe_client.post("customers", key="theirs", email="them@example.com")["id"]
    card = stripe_client.post("payment_methods/pm_card_visa/attach", key="card", customer=customer)["id"]
    stripe_client.post(f"customers/{customer}", key="set", invoice_settings={"default_payment_method": card})
    terms = {"amount": 700, "currency": "usd", "confirm": True}
    paid = stripe_client.post("payment_intents", key="paid", customer=customer, payment_method=card, **terms)["id"]
    stripe_client.post("payment_intents", key="guest", payment_method="pm_card_visa", **terms)
    product = stripe_client.post("products", key="product", name="Bread")["id"]
    monthly = {"currency": "usd", "recurring": {"interval": "month"}}
    price = stripe_client.post("prices", key="price", product=product, unit_amount=500, **monthly)["id"]
    subscription = stripe_client.post("subscriptions", key="sub", customer=customer, items=[{"price": price}])["id"]
    shop.stripe.renew(subscription)
    stripe_client.post("refunds", key="refund", payment_intent=paid, amount=100)
    shop.stripe.fraud_warning(paid)


def test_reconciliation_ignores_another_business_on_the_stripe_account(shop, owner):
    another_business(shop)
    missed(shop)
    report = reconcile()
    assert (report.unresolved, report.repaired, len(alarms("billing")), Payment.objects.count()) == ([], [], 0, 0)


def test_events_of_another_business_on_the_stripe_account_are_ignored(shop, owner):
    another_business(shop)
    shop.deliver_events()
    assert (failed_syncs(), Payment.objects.count(), Subscription.objects.count(), balance_of(owner)) == ([], 0, 0, 30)


def test_reconciliation_reads_a_foreign_customer_once_a_night(shop, owner, monkeypatch):
    another_business(shop)
    missed(shop)
    monkeypatch.setattr(scans, "undelivered_events", lambda *_: [])
    monkeypatch.setattr(scans, "warned_charges", lambda *_: [])
    asked = mock.Mock(wraps=commands.account_id_in_metadata)
    monkeypatch.setattr(commands, "account_id_in_metadata", asked)
    assert (reconcile().checked, asked.call_count) == (0, 1)


def test_reconciliation_reports_an_unknown_price(shop, owner):
    shop.buy(owner, "pack-100")
    missed(shop)
    PlanPrice.objects.filter(credits=100).update(stripe_price_id="price_of_before")
    assert any("unknown_price" in line for line in reconcile().unresolved)


def test_reconciliation_resolves_a_failed_sync(shop, owner):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    StripeSync.objects.filter(kind="charge").update(error="provider_error", due_at=None)
    reconcile()
    assert failed_syncs() == []


def test_reconciliation_reports_a_sync_that_still_fails(shop, owner):
    shop.buy(owner, "pack-100")
    PlanPrice.objects.filter(credits=100).update(stripe_price_id="price_of_before")
    shop.deliver_events()
    session = StripeSync.objects.filter(kind="session").values_list("object_id", flat=True).get()
    assert any(session in line for line in reconcile().unresolved)


def test_reconciliation_ends_the_sync_of_an_object_deleted_at_stripe(shop, owner):
    StripeSync.objects.create(kind="session", object_id="cs_gone", error="not_found: gone", due_at=None)
    assert (reconcile().unresolved, failed_syncs()) == ([], [])


def test_reconcile_stripe_prints_its_report(shop, owner):
    shop.buy(owner, "pack-100")
    missed(shop)
    out = StringIO()
    call_command("reconcile_stripe", days=3, stdout=out)
    assert "0 unresolved." in out.getvalue()
    assert (balance_of(owner), Payment.objects.count()) == (130, 1)


def test_reconcile_stripe_fails_where_something_is_unresolved(shop, owner):
    shop.buy(owner, "pack-100")
    missed(shop)
    nobody_knows(owner)
    with pytest.raises(CommandError, match="unknown_customer"):
        call_command("reconcile_stripe")


def test_reconcile_stripe_fails_while_stripe_does_not_answer(settings):
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(CommandError, match="not_configured"):
        call_command("reconcile_stripe")


def test_a_long_reconciliation_report_is_cut_for_the_mail(shop, monkeypatch):
    for number in range(60):
        StripeSync.objects.create(kind="session", object_id=f"cs_{number}", error="unknown_price", due_at=None)
    refuse = mock.Mock(side_effect=BillingError("unknown_price", retryable=False))
    monkeypatch.setattr(queries, "session", refuse)
    report = reconcile()
    (text,) = alarms("billing").values()
    assert (len(report.unresolved), text.count("unresolved: "), "and 10 more" in text) == (60, 50, True)

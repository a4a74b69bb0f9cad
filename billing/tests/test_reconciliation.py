"""The nightly look at Stripe's books: what was missed is mended, what cannot be is reported."""

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
from billing.tests.shop import balance_of, charge_of, price_id, stuck
from genvid.tests.mail import alarms

pytestmark = pytest.mark.django_db


def missed(shop) -> None:
    """Nobody ever tells us."""
    shop.new_events()


def test_a_purchase_of_which_no_webhook_told_is_found(shop, owner):
    shop.buy(owner, "pack-100")
    missed(shop)
    report = reconcile()
    assert (balance_of(owner), len(report.repaired) > 0, report.unresolved) == (130, True, [])


def test_a_renewal_of_which_no_webhook_told_is_found(shop, owner):
    shop.stripe.renew(shop.subscribe(owner))
    missed(shop)
    reconcile()
    assert balance_of(owner) == 30 + 170 * 2


def test_a_refund_of_which_no_webhook_told_is_found(shop, owner):
    shop.buy(owner, "pack-100")
    shop.tell()
    shop.stripe.refund(charge_of(owner))
    missed(shop)
    report = reconcile()
    assert (balance_of(owner), report.repaired != []) == (30, True)


def test_a_cancellation_of_which_no_webhook_told_is_found(shop, owner):
    shop.stripe.cancel(shop.subscribe(owner, "pro-month"))
    missed(shop)
    reconcile()
    assert owner.wallet.tier is None


def test_a_pay_page_that_nobody_used_is_found_expired(shop, owner):
    shop.stripe.expire(shop.begin(owner, "pack-100"))
    missed(shop)
    Checkout.objects.update(created_at=timezone.now() - timedelta(hours=25))
    reconcile()
    assert Checkout.objects.get().status == "expired"


def test_where_all_is_right_nothing_is_repaired(shop, owner):
    shop.buy(owner, "pack-100")
    shop.tell()
    reconcile()
    report = reconcile()
    assert (report.looked_at > 0, report.repaired, report.unresolved) == (True, [], [])


def test_what_stripes_list_shows_as_we_have_it_is_not_read_again(shop, owner, monkeypatch):
    for _ in range(3):
        shop.buy(owner, "pack-100")
    shop.tell()
    shop.stripe.refund(charge_of(owner), amount=300)
    missed(shop)
    read = mock.Mock(wraps=queries.charge)
    monkeypatch.setattr(scans, "undelivered_events", lambda *_: [])
    monkeypatch.setattr(queries, "charge", read)
    reconcile()
    assert (read.call_args_list, balance_of(owner)) == ([mock.call(charge_of(owner))], 30 + 275)


def test_a_dispute_and_a_warning_of_which_no_webhook_told_are_found(shop, owner, monkeypatch):
    for _ in range(2):
        shop.buy(owner, "pack-100")
    shop.tell()
    first, second = Payment.objects.values_list("stripe_charge_id", flat=True)
    shop.stripe.dispute(first)
    shop.stripe.fraud_warning(second)
    missed(shop)
    monkeypatch.setattr(scans, "undelivered_events", lambda *_: [])
    reconcile()
    assert (balance_of(owner), Payment.objects.filter(fraud_warned_at__isnull=False).count()) == (130, 1)


def test_a_look_that_was_given_up_is_tried_again(shop, owner):
    shop.buy(owner, "pack-100")
    right = price_id("pack-100")
    PlanPrice.objects.filter(credits=100).update(stripe_price_id="price_of_before")
    shop.tell()
    given_up = len(stuck())
    PlanPrice.objects.filter(credits=100).update(stripe_price_id=right)
    reconcile()
    assert (given_up > 0, stuck(), balance_of(owner)) == (True, [], 130)


def test_a_first_purchase_after_the_backup_is_repaired_by_what_we_wrote_at_stripe(shop, owner):
    """The database is from before: it has neither the customer nor the checkout."""
    shop.buy(owner, "pack-100")
    shop.buy(owner, "pro-month")
    missed(shop)
    Customer.objects.all().delete()
    Checkout.objects.all().delete()
    report = reconcile()
    assert (report.unresolved, balance_of(owner), owner.wallet.tier_id) == ([], 30 + 100 + 480, "pro")
    assert (Customer.objects.get().account, FormerCustomer.objects.count()) == (owner.account, 0)


def test_a_customer_beside_whom_the_account_has_another_by_now_is_a_former_one(shop, owner):
    shop.buy(owner, "pack-100")
    missed(shop)
    lost = Customer.objects.get().stripe_customer_id
    Customer.objects.update(stripe_customer_id="cus_of_today")
    reconcile()
    assert (balance_of(owner), FormerCustomer.objects.get().pk) == (130, lost)


def test_money_that_looks_ours_and_is_of_nobody_here_is_reported_and_staff_are_told(shop, owner):
    shop.buy(owner, "pack-100")
    missed(shop)
    nobody_knows(owner)
    report = reconcile()
    assert {line.rpartition(": ")[0].rpartition(": ")[2] for line in report.unresolved} == {"unknown_customer"}
    assert (balance_of(owner), len(alarms("billing"))) == (30, 1)


def nobody_knows(person) -> None:
    """As after a backup from before the account was made."""
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


def test_another_business_on_the_same_stripe_account_is_passed_over_at_night(shop, owner):
    another_business(shop)
    missed(shop)
    report = reconcile()
    assert (report.unresolved, report.repaired, len(alarms("billing")), Payment.objects.count()) == ([], [], 0, 0)


def test_another_business_on_the_same_stripe_account_is_passed_over_when_its_news_come(shop, owner):
    another_business(shop)
    shop.tell()
    assert (stuck(), Payment.objects.count(), Subscription.objects.count(), balance_of(owner)) == ([], 0, 0, 30)


def test_a_stranger_is_asked_about_once_a_night(shop, owner, monkeypatch):
    another_business(shop)
    missed(shop)
    monkeypatch.setattr(scans, "undelivered_events", lambda *_: [])
    monkeypatch.setattr(scans, "warned_charges", lambda *_: [])
    asked = mock.Mock(wraps=commands.account_named_by)
    monkeypatch.setattr(commands, "account_named_by", asked)
    assert (reconcile().looked_at, asked.call_count) == (0, 1)


def test_a_price_that_we_never_made_is_reported(shop, owner):
    shop.buy(owner, "pack-100")
    missed(shop)
    PlanPrice.objects.filter(credits=100).update(stripe_price_id="price_of_before")
    assert any("unknown_price" in line for line in reconcile().unresolved)


def test_a_look_that_was_stuck_is_no_more_once_it_works_out(shop, owner):
    shop.buy(owner, "pack-100")
    shop.tell()
    StripeSync.objects.filter(kind="charge").update(error="provider_error", due_at=None)
    reconcile()
    assert stuck() == []


def test_a_look_that_stays_stuck_is_reported(shop, owner):
    shop.buy(owner, "pack-100")
    PlanPrice.objects.filter(credits=100).update(stripe_price_id="price_of_before")
    shop.tell()
    session = StripeSync.objects.filter(kind="session").values_list("object_id", flat=True).get()
    assert any(session in line for line in reconcile().unresolved)


def test_a_look_at_what_is_gone_at_stripe_is_over(shop, owner):
    StripeSync.objects.create(kind="session", object_id="cs_gone", error="not_found: gone", due_at=None)
    assert (reconcile().unresolved, stuck()) == ([], [])


def test_the_command_prints_what_it_did(shop, owner):
    shop.buy(owner, "pack-100")
    missed(shop)
    out = StringIO()
    call_command("reconcile_stripe", days=3, stdout=out)
    assert "0 unresolved." in out.getvalue()
    assert (balance_of(owner), Payment.objects.count()) == (130, 1)


def test_the_command_fails_where_something_is_unresolved(shop, owner):
    shop.buy(owner, "pack-100")
    missed(shop)
    nobody_knows(owner)
    with pytest.raises(CommandError, match="unknown_customer"):
        call_command("reconcile_stripe")


def test_without_a_stripe_the_command_says_so(settings):
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(CommandError, match="not_configured"):
        call_command("reconcile_stripe")


def test_a_long_report_is_cut_for_the_mail(shop, monkeypatch):
    for number in range(60):
        StripeSync.objects.create(kind="session", object_id=f"cs_{number}", error="unknown_price", due_at=None)
    refuse = mock.Mock(side_effect=BillingError("unknown_price", retryable=False))
    monkeypatch.setattr(queries, "session", refuse)
    report = reconcile()
    (text,) = alarms("billing").values()
    assert (len(report.unresolved), text.count("unresolved: "), "and 10 more" in text) == (60, 50, True)

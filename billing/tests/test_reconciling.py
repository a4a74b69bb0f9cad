"""The nightly look at Stripe's books: what was missed is mended, what cannot be is reported."""

from datetime import timedelta
from io import StringIO
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing.gateway import books, reading
from billing.models import Checkout, Customer, Letter, Nudge, Payment, PlanPrice
from billing.services.reconciling import reconcile
from billing.tests.shop import balance_of, charge_of, price_id, stuck

pytestmark = pytest.mark.django_db


def missed(shop) -> None:
    """Nobody ever tells us."""
    shop.news()


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
    read = mock.Mock(wraps=reading.charge)
    monkeypatch.setattr(books, "undelivered_events", lambda *_: [])
    monkeypatch.setattr(reading, "charge", read)
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
    monkeypatch.setattr(books, "undelivered_events", lambda *_: [])
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


def test_money_of_a_stranger_is_reported_and_staff_are_told(shop, owner):
    shop.buy(owner, "pack-100")
    missed(shop)
    Customer.objects.all().delete()
    report = reconcile()
    assert {line.rpartition(": ")[0].rpartition(": ")[2] for line in report.unresolved} == {"unknown_customer"}
    assert (balance_of(owner), Letter.objects.filter(kind="staff_alarm").count()) == (30, 1)


def test_a_price_that_we_never_made_is_reported(shop, owner):
    shop.buy(owner, "pack-100")
    missed(shop)
    PlanPrice.objects.filter(credits=100).update(stripe_price_id="price_of_before")
    assert any("unknown_price" in line for line in reconcile().unresolved)


def test_a_look_that_was_stuck_is_no_more_once_it_works_out(shop, owner):
    shop.buy(owner, "pack-100")
    shop.tell()
    Nudge.objects.filter(kind="charge").update(error="provider_error", due_at=None)
    reconcile()
    assert stuck() == []


def test_a_look_that_stays_stuck_is_reported(shop, owner):
    Nudge.objects.create(kind="session", object_id="cs_gone", error="not_found: gone", due_at=None)
    assert any("cs_gone" in line for line in reconcile().unresolved)


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
    Customer.objects.all().delete()
    with pytest.raises(CommandError, match="unknown_customer"):
        call_command("reconcile_stripe")


def test_without_a_stripe_the_command_says_so(settings):
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(CommandError, match="not_configured"):
        call_command("reconcile_stripe")


def test_a_long_report_is_cut_for_the_mail(shop):
    for number in range(60):
        Nudge.objects.create(kind="session", object_id=f"cs_{number}", error="not_found: gone", due_at=None)
    report = reconcile()
    text = Letter.objects.get(kind="staff_alarm").words["text"]
    assert (len(report.unresolved), text.count("unresolved: "), "and 10 more" in text) == (60, 50, True)

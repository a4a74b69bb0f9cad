"""Packs: from the pay page to the credits."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from billing.enums import CheckoutStatus, PaymentKind
from billing.models import Checkout, CreditLot, Customer, Invoice, Payment
from billing.purchases import payments
from billing.stripe import queries
from billing.stripe.stripe_errors import BillingError
from billing.tests.shop import balance_of, charge_of, failed_syncs, payment_of, spend
from genvid.tests.asserts import nothing_changes

pytestmark = pytest.mark.django_db


def test_a_paid_pack_gives_its_credits(shop, owner):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    assert (balance_of(owner), failed_syncs()) == (130, [])


def test_an_unpaid_pack_gives_no_credits(shop, owner):
    shop.open_checkout(owner, "pack-100")
    shop.deliver_events()
    assert (balance_of(owner), Payment.objects.count()) == (30, 0)


def test_the_payment_shows_what_was_paid(shop, owner):
    session = shop.buy(owner, "pack-500")
    shop.deliver_events()
    payment = payment_of(owner)
    assert (payment.kind, payment.source_id, payment.amount, payment.currency) == (
        PaymentKind.PACK,
        session["id"],
        5500,
        "usd",
    )
    assert payment.stripe_charge_id.startswith("ch_")


def test_a_session_recorded_for_another_account_is_left_for_staff(shop, owner, outsider):
    paid = queries.session(shop.buy(owner, "pack-100")["id"])
    shop.buy(outsider, "pack-100")
    shop.deliver_events()
    theirs = Customer.objects.get(account=outsider.account).stripe_customer_id
    with nothing_changes(), pytest.raises(BillingError) as refusal:
        payments.record_pack_payment(replace(paid, customer_id=theirs))
    assert (refusal.value.code, refusal.value.retryable) == ("other_account", False)


def test_credits_of_a_pack_expire_after_a_year(shop, owner):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    left = CreditLot.objects.get(payment=payment_of(owner)).expires_at - timezone.now()
    assert timedelta(days=364) < left < timedelta(days=367)


def test_a_buyer_is_one_customer_at_stripe(shop, owner):
    for _ in range(2):
        shop.buy(owner, "pack-100")
    shop.deliver_events()
    assert (Customer.objects.count(), balance_of(owner)) == (1, 230)


def test_a_paid_checkout_is_complete(shop, owner):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    assert Checkout.objects.get().status == CheckoutStatus.COMPLETE


def test_a_pack_has_an_invoice_with_a_pdf(shop, owner):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.amount_paid, bool(invoice.pdf_url)) == ("paid", 1200, True)


@pytest.mark.parametrize("card", ["4000000000000002", "4000000000009995"])
def test_a_declined_card_buys_nothing(shop, owner, card):
    shop.buy(owner, "pack-100", card=card)
    shop.deliver_events()
    assert (balance_of(owner), Payment.objects.count(), failed_syncs()) == (30, 0, [])


def test_a_card_that_the_bank_confirms_buys(shop, owner):
    shop.buy(owner, "pack-100", card="4000002500003155", authenticate=True)
    shop.deliver_events()
    assert balance_of(owner) == 130


def test_a_card_that_the_bank_does_not_confirm_buys_nothing(shop, owner):
    shop.buy(owner, "pack-100", card="4000002500003155", authenticate=False)
    shop.deliver_events()
    assert (balance_of(owner), Payment.objects.count()) == (30, 0)


def test_a_bank_debit_gives_nothing_until_its_money_is_there(shop, owner):
    session = shop.buy(owner, "pack-100", method="bank")
    shop.deliver_events()
    before = balance_of(owner)
    shop.stripe.settle_bank(session["payment_intent"])
    shop.deliver_events()
    assert (before, balance_of(owner), failed_syncs()) == (30, 130, [])


def test_a_bank_debit_that_fails_gives_nothing(shop, owner):
    session = shop.buy(owner, "pack-100", method="bank")
    shop.stripe.settle_bank(session["payment_intent"], succeeds=False)
    shop.deliver_events()
    assert (balance_of(owner), Payment.objects.count()) == (30, 0)


def test_a_settled_bank_debit_credits_once_however_often_its_event_comes(shop, owner):
    shop.buy(owner, "pack-100", method="bank")
    shop.deliver_events()
    shop.stripe.advance_clock(5 * 24 * 3600)
    sent = shop.new_events()

    assert "checkout.session.async_payment_succeeded" in [event["type"] for event in sent]
    shop.deliver_events(sent * 3)

    assert (balance_of(owner), Payment.objects.count(), failed_syncs()) == (130, 1, [])


def test_a_pay_page_that_nobody_used_expires(shop, owner):
    shop.stripe.expire(shop.open_checkout(owner, "pack-100"))
    shop.deliver_events()
    assert (Checkout.objects.get().status, balance_of(owner)) == (CheckoutStatus.EXPIRED, 30)


def test_a_new_pack_pays_a_negative_balance_first(shop, owner):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    spend(owner, 130)
    shop.stripe.refund(charge_of(owner))
    shop.deliver_events()
    owed = balance_of(owner)
    shop.buy(owner, "pack-500")
    shop.deliver_events()
    assert (owed, balance_of(owner)) == (-100, 400)


def test_a_pack_of_a_customer_without_a_row_is_credited_by_the_metadata_at_stripe(shop, owner):
    shop.buy(owner, "pack-100")
    Customer.objects.all().delete()
    shop.deliver_events()
    assert (failed_syncs(), balance_of(owner), Payment.objects.count()) == ([], 130, 1)
    assert Customer.objects.get().account == owner.account

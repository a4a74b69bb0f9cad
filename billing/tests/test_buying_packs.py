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
from billing.tests.shop import balance_of, charge_of, payment_of, spend, stuck
from genvid.tests.asserts import nothing_changes

pytestmark = pytest.mark.django_db


def test_a_paid_pack_gives_its_credits(shop, owner):
    shop.buy(owner, "pack-100")
    shop.tell()
    assert (balance_of(owner), stuck()) == (130, [])


def test_nothing_is_given_before_it_is_paid(shop, owner):
    shop.begin(owner, "pack-100")
    shop.tell()
    assert (balance_of(owner), Payment.objects.count()) == (30, 0)


def test_the_payment_tells_what_was_paid(shop, owner):
    session = shop.buy(owner, "pack-500")
    shop.tell()
    payment = payment_of(owner)
    assert (payment.kind, payment.source_id, payment.amount, payment.currency) == (
        PaymentKind.PACK,
        session["id"],
        5500,
        "usd",
    )
    assert payment.stripe_charge_id.startswith("ch_")


def test_a_session_that_another_account_paid_by_now_is_left_for_staff(shop, owner, outsider):
    paid = queries.session(shop.buy(owner, "pack-100")["id"])
    shop.buy(outsider, "pack-100")
    shop.tell()
    theirs = Customer.objects.get(account=outsider.account).stripe_customer_id
    with nothing_changes(), pytest.raises(BillingError) as refusal:
        payments.record_pack_payment(replace(paid, customer_id=theirs))
    assert (refusal.value.code, refusal.value.retryable) == ("other_account", False)


def test_its_credits_are_good_for_a_year(shop, owner):
    shop.buy(owner, "pack-100")
    shop.tell()
    left = CreditLot.objects.get(payment=payment_of(owner)).expires_at - timezone.now()
    assert timedelta(days=364) < left < timedelta(days=367)


def test_a_buyer_is_one_customer_at_stripe(shop, owner):
    for _ in range(2):
        shop.buy(owner, "pack-100")
    shop.tell()
    assert (Customer.objects.count(), balance_of(owner)) == (1, 230)


def test_the_purchase_is_complete_afterwards(shop, owner):
    shop.buy(owner, "pack-100")
    shop.tell()
    assert Checkout.objects.get().status == CheckoutStatus.COMPLETE


def test_a_pack_has_an_invoice_with_a_pdf(shop, owner):
    shop.buy(owner, "pack-100")
    shop.tell()
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.amount_paid, bool(invoice.pdf_url)) == ("paid", 1200, True)


@pytest.mark.parametrize("card", ["4000000000000002", "4000000000009995"])
def test_a_declined_card_buys_nothing(shop, owner, card):
    shop.buy(owner, "pack-100", card=card)
    shop.tell()
    assert (balance_of(owner), Payment.objects.count(), stuck()) == (30, 0, [])


def test_a_card_that_the_bank_confirms_buys(shop, owner):
    shop.buy(owner, "pack-100", card="4000002500003155", authenticate=True)
    shop.tell()
    assert balance_of(owner) == 130


def test_a_card_that_the_bank_does_not_confirm_buys_nothing(shop, owner):
    shop.buy(owner, "pack-100", card="4000002500003155", authenticate=False)
    shop.tell()
    assert (balance_of(owner), Payment.objects.count()) == (30, 0)


def test_a_bank_debit_gives_nothing_until_its_money_is_there(shop, owner):
    session = shop.buy(owner, "pack-100", method="bank")
    shop.tell()
    before = balance_of(owner)
    shop.stripe.settle_bank(session["payment_intent"])
    shop.tell()
    assert (before, balance_of(owner), stuck()) == (30, 130, [])


def test_a_bank_debit_that_fails_gives_nothing(shop, owner):
    session = shop.buy(owner, "pack-100", method="bank")
    shop.stripe.settle_bank(session["payment_intent"], succeeds=False)
    shop.tell()
    assert (balance_of(owner), Payment.objects.count()) == (30, 0)


def test_a_bank_debit_that_settles_by_itself_credits_once_however_often_it_is_told(shop, owner):
    shop.buy(owner, "pack-100", method="bank")
    shop.tell()
    shop.stripe.advance_clock(5 * 24 * 3600)
    told = shop.new_events()

    assert "checkout.session.async_payment_succeeded" in [event["type"] for event in told]
    shop.tell(told * 3)

    assert (balance_of(owner), Payment.objects.count(), stuck()) == (130, 1, [])


def test_a_pay_page_that_nobody_used_expires(shop, owner):
    shop.stripe.expire(shop.begin(owner, "pack-100"))
    shop.tell()
    assert (Checkout.objects.get().status, balance_of(owner)) == (CheckoutStatus.EXPIRED, 30)


def test_what_is_owed_is_paid_from_a_new_pack_first(shop, owner):
    shop.buy(owner, "pack-100")
    shop.tell()
    spend(owner, 130)
    shop.stripe.refund(charge_of(owner))
    shop.tell()
    owed = balance_of(owner)
    shop.buy(owner, "pack-500")
    shop.tell()
    assert (owed, balance_of(owner)) == (-100, 400)


def test_a_pack_of_a_customer_whose_row_is_lost_is_credited_by_the_mark_at_stripe(shop, owner):
    shop.buy(owner, "pack-100")
    Customer.objects.all().delete()
    shop.tell()
    assert (stuck(), balance_of(owner), Payment.objects.count()) == ([], 130, 1)
    assert Customer.objects.get().account == owner.account

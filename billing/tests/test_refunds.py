"""Refunds and disputes take back credits, cumulatively, and return them when the money returns."""

import json
from dataclasses import replace
from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from accounts.models import OutgoingEvent
from billing.checkout import staff_refunds
from billing.credits import expire
from billing.enums import DisputeStatus, EntryKind
from billing.models import CreditLot, Dispute, LedgerEntry, Payment, Refund, StripeSync
from billing.purchases import refunds
from billing.stripe import commands, queries
from billing.stripe.stripe_errors import BillingError
from billing.tests.shop import balance_of, charge_of, failed_syncs, payment_of, plan, spend
from genvid.tests.asserts import data_of, nothing_changes, refusal_of
from genvid.tests.factories import make_avatar, make_endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer(shop, owner):
    """An owner who bought 100 credits for 12 dollars."""
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    assert balance_of(owner) == 130
    return owner


def clawbacks() -> list[int]:
    return list(
        LedgerEntry.objects.filter(kind=EntryKind.CLAWBACK).order_by("sequence").values_list("credits", flat=True)
    )


# ── Refunds


def test_a_full_refund_takes_all_its_credits(shop, buyer):
    shop.stripe.refund(charge_of(buyer))
    shop.deliver_events()
    assert (balance_of(buyer), clawbacks(), failed_syncs()) == (30, [-100], [])


def test_a_partial_refund_takes_its_part(shop, buyer):
    shop.stripe.refund(charge_of(buyer), amount=300)
    shop.deliver_events()
    assert (balance_of(buyer), payment_of(buyer).status) == (105, "partially_refunded")


def test_a_part_of_a_credit_is_taken_whole(shop, buyer):
    shop.stripe.refund(charge_of(buyer), amount=1)
    shop.deliver_events()
    assert balance_of(buyer) == 129


def test_several_refunds_add_up_to_the_whole(shop, buyer):
    for _ in range(3):
        shop.stripe.refund(charge_of(buyer), amount=400)
        shop.deliver_events()
    assert (balance_of(buyer), clawbacks()) == (30, [-34, -33, -33])


def test_several_refunds_in_one_sync_are_taken_at_once(shop, buyer):
    for _ in range(3):
        shop.stripe.refund(charge_of(buyer), amount=400)
    shop.deliver_events()
    assert (balance_of(buyer), clawbacks()) == (30, [-100])


def test_a_refund_that_fails_gives_its_credits_back(shop, buyer):
    refund = shop.stripe.refund(charge_of(buyer), status="pending")
    shop.deliver_events()
    taken = balance_of(buyer)
    shop.stripe.fail_refund(refund["id"])
    shop.deliver_events()
    assert (taken, balance_of(buyer), Refund.objects.get().status) == (30, 130, "failed")


def test_expired_credits_are_forgiven_once_over_several_refunds(shop, buyer):
    spend(buyer, 40)
    expire(timezone.now() + timedelta(days=400))
    for amount in (360, 840):
        shop.stripe.refund(charge_of(buyer), amount=amount)
        shop.deliver_events()
    payment = payment_of(buyer)
    assert (payment.credits_taken_back, payment.credits_forgiven, balance_of(buyer)) == (40, 60, 30 - 40)


def test_an_older_status_of_a_failed_refund_is_ignored(shop, buyer):
    refund = shop.stripe.refund(charge_of(buyer), status="pending")
    old = queries.charge(charge_of(buyer))
    shop.stripe.fail_refund(refund["id"])
    shop.deliver_events()
    with nothing_changes():
        refunds.record_charge_state(payment_of(buyer).pk, old)
    assert (balance_of(buyer), Refund.objects.get().status) == (130, "failed")


def test_returned_credits_last_as_long_as_those_that_were_bought(shop, buyer):
    bought = CreditLot.objects.get(payment=payment_of(buyer)).expires_at
    shop.stripe.fail_refund(shop.stripe.refund(charge_of(buyer), status="pending")["id"])
    shop.deliver_events()
    dates = set(CreditLot.objects.filter(remaining__gt=0, source__in=("pack", "returned")).values_list("expires_at"))
    assert dates == {(bought,)}


def test_spent_credits_leave_a_debt(shop, buyer):
    spend(buyer, 120)
    shop.stripe.refund(charge_of(buyer))
    shop.deliver_events()
    assert (balance_of(buyer), buyer.wallet.available) == (-90, -90)


def test_an_account_in_debt_starts_no_video(shop, buyer):
    spend(buyer, 130)
    shop.stripe.refund(charge_of(buyer))
    shop.deliver_events()
    body = {"script": "Hello.", "avatar_id": str(make_avatar().pk)}
    with nothing_changes():
        answer = buyer.client.post("/api/v1/videos", body)
    assert refusal_of(answer) == (402, "insufficient_credits")
    assert "-100 are available" in answer.json()["error"]["message"]


def test_the_refunded_packs_own_credits_go_first(shop, buyer):
    shop.buy(buyer, "pack-500")
    shop.deliver_events()
    # The first pack expires sooner: by that rule alone its credits would be taken first.
    second = Payment.objects.latest("created_at")
    shop.stripe.refund(second.stripe_charge_id)
    shop.deliver_events()
    left = dict(CreditLot.objects.filter(payment__isnull=False).values_list("granted", "remaining"))
    assert left == {100: 100, 500: 0}


def test_a_second_refund_of_another_payment_touches_only_that(shop, buyer):
    shop.buy(buyer, "pack-100")
    shop.deliver_events()
    for payment in Payment.objects.all():
        shop.stripe.refund(payment.stripe_charge_id, amount=600)
    shop.deliver_events()
    assert (balance_of(buyer), set(Payment.objects.values_list("credits_taken_back"))) == (130, {(50,)})


def test_a_refund_of_a_months_credits_takes_the_month(shop, owner):
    shop.subscribe(owner)
    shop.stripe.refund(charge_of(owner))
    shop.deliver_events()
    assert balance_of(owner) == 30


def test_after_half_a_year_is_refunded_each_month_gives_half(shop, owner):
    shop.subscribe(owner, "starter-year")
    shop.stripe.refund(charge_of(owner), amount=9_500)
    shop.deliver_events()
    first = balance_of(owner)
    shop.grant_allowances(until=timezone.now() + timedelta(days=31))
    assert (first, balance_of(owner)) == (30 + 85, 30 + 170)


def test_after_a_year_is_refunded_the_months_to_come_are_worth_nothing(shop, owner):
    shop.subscribe(owner, "starter-year")
    shop.stripe.refund(charge_of(owner))
    shop.deliver_events()
    shop.grant_allowances(until=timezone.now() + timedelta(days=31))
    assert balance_of(owner) == 30


def test_a_month_that_came_during_a_dispute_is_given_once_it_is_won(shop, owner, settings):
    settings.SUBSCRIPTION_AFTER_LOST_PAYMENT = "keep"
    shop.subscribe(owner, "starter-year")
    dispute = shop.stripe.dispute(charge_of(owner))
    shop.deliver_events()
    shop.grant_allowances(until=timezone.now() + timedelta(days=31))
    meanwhile = balance_of(owner)
    shop.stripe.close_dispute(dispute["id"], "won")
    shop.deliver_events()
    assert (meanwhile, balance_of(owner)) == (30, 30 + 2 * 170)


def test_a_refund_does_not_take_expired_credits(shop, buyer):
    spend(buyer, 60)
    expire(timezone.now() + timedelta(days=400))
    before = balance_of(buyer)
    shop.stripe.refund(charge_of(buyer))
    shop.deliver_events()
    payment = payment_of(buyer)
    # The pack's lot is the first to expire, so the sixty came from it.
    assert (before, balance_of(buyer)) == (30, -30)
    assert (payment.credits_taken_back, payment.credits_forgiven) == (60, 40)


def test_a_refund_does_not_take_credits_that_expired_after_their_return(shop, buyer):
    dispute = shop.stripe.dispute(charge_of(buyer))
    shop.deliver_events()
    shop.stripe.close_dispute(dispute["id"], "won")
    shop.deliver_events()
    expire(timezone.now() + timedelta(days=400))
    before = balance_of(buyer)
    shop.stripe.refund(charge_of(buyer))
    shop.deliver_events()
    assert (before, balance_of(buyer)) == (30, 30)


def test_staff_can_refund_again_after_a_failed_refund(shop, buyer):
    for _ in range(2):
        staff_refunds.refund_payment(payment_of(buyer), staff_id=None)
        shop.deliver_events()
        shop.stripe.fail_refund(Refund.objects.get(status="succeeded").pk)
        shop.deliver_events()
    assert (Refund.objects.count(), balance_of(buyer)) == (2, 130)


def test_a_refund_that_staff_click_twice_is_made_once(shop, buyer):
    payment = payment_of(buyer)
    for _ in range(2):
        staff_refunds.refund_payment(payment, amount=300, staff_id=None)
    shop.deliver_events()
    assert (Refund.objects.count(), balance_of(buyer)) == (1, 105)


# ── Disputes


def test_a_dispute_takes_the_credits_at_once(shop, buyer):
    shop.stripe.dispute(charge_of(buyer))
    shop.deliver_events()
    assert (balance_of(buyer), payment_of(buyer).status, failed_syncs()) == (30, "disputed", [])


def test_a_won_dispute_returns_the_credits(shop, buyer):
    dispute = shop.stripe.dispute(charge_of(buyer))
    shop.deliver_events()
    shop.stripe.close_dispute(dispute["id"], "won")
    shop.deliver_events()
    assert (balance_of(buyer), payment_of(buyer).status, clawbacks()) == (130, "paid", [-100, 100])


def test_an_older_status_of_a_won_dispute_is_ignored(shop, buyer):
    dispute = shop.stripe.dispute(charge_of(buyer))
    old = queries.charge(charge_of(buyer))
    shop.stripe.close_dispute(dispute["id"], "won")
    shop.deliver_events()
    with nothing_changes():
        refunds.record_charge_state(payment_of(buyer).pk, old)
    assert (balance_of(buyer), Dispute.objects.get().status) == (130, "won")


def test_a_lost_dispute_keeps_the_credits_taken(shop, buyer):
    dispute = shop.stripe.dispute(charge_of(buyer))
    shop.deliver_events()
    shop.stripe.close_dispute(dispute["id"], "lost")
    shop.deliver_events()
    assert (balance_of(buyer), Dispute.objects.get().status, clawbacks()) == (30, "lost", [-100])


@pytest.mark.parametrize("end", ["won", "lost"])
def test_a_closed_dispute_does_not_change_any_more(shop, buyer, end):
    dispute = shop.stripe.dispute(charge_of(buyer))
    shop.deliver_events()
    shop.stripe.close_dispute(dispute["id"], end)
    shop.deliver_events()
    facts = queries.charge(charge_of(buyer))
    (known,) = facts.disputes
    with nothing_changes():
        for status in DisputeStatus:
            refunds.record_charge_state(payment_of(buyer).pk, replace(facts, disputes=[replace(known, status=status)]))
    assert Dispute.objects.get().status == end


def test_an_inquiry_takes_no_credits(shop, buyer):
    shop.stripe.dispute(charge_of(buyer), warning=True)
    shop.deliver_events()
    assert (balance_of(buyer), Dispute.objects.get().status) == (130, "inquiry")


def test_a_dispute_after_a_partial_refund_takes_the_rest(shop, buyer):
    shop.stripe.refund(charge_of(buyer), amount=600)
    shop.stripe.dispute(charge_of(buyer), amount=600)
    shop.deliver_events()
    assert balance_of(buyer) == 30


def test_staff_are_alarmed_of_a_dispute_once(shop, buyer, settings, mailoutbox):
    settings.ALARM_EMAILS = ["staff@example.com"]
    dispute = shop.stripe.dispute(charge_of(buyer))
    shop.deliver_events()
    shop.stripe.close_dispute(dispute["id"], "lost")
    shop.deliver_events()
    shop.send_mails()
    assert [mail.to for mail in mailoutbox if "disputed" in mail.body] == [["staff@example.com"]]


# ── Fraud warnings


def test_a_fraud_warning_is_recorded_and_alarms_staff(shop, buyer, settings, mailoutbox):
    settings.ALARM_EMAILS = ["staff@example.com"]
    shop.stripe.fraud_warning(charge_of(buyer))
    shop.deliver_events()
    shop.send_mails()
    assert payment_of(buyer).fraud_warned_at is not None
    assert [mail.to for mail in mailoutbox if "fraud" in mail.body] == [["staff@example.com"]]
    assert balance_of(buyer) == 130


def test_a_payment_with_a_fraud_warning_is_refunded_by_the_setting(shop, buyer, settings):
    settings.STRIPE_REFUND_FRAUD_WARNINGS = True
    shop.stripe.fraud_warning(charge_of(buyer))
    shop.deliver_events()
    shop.deliver_events()
    assert (balance_of(buyer), payment_of(buyer).status) == (30, "refunded")


def test_an_unanswered_refund_after_a_fraud_warning_is_repeated(shop, buyer, settings, monkeypatch):
    settings.STRIPE_REFUND_FRAUD_WARNINGS = True
    shop.stripe.fraud_warning(charge_of(buyer))
    with monkeypatch.context() as away:
        away.setattr(commands, "create_refund", mock.Mock(side_effect=BillingError("unreachable", retryable=True)))
        shop.deliver_events()
    StripeSync.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
    shop.run_due_syncs()
    shop.deliver_events()
    assert (balance_of(buyer), failed_syncs()) == (30, [])


def test_a_fraud_warning_on_a_disputed_payment_requests_one_refund(shop, buyer, settings):
    settings.STRIPE_REFUND_FRAUD_WARNINGS = True
    shop.stripe.dispute(charge_of(buyer))
    shop.stripe.fraud_warning(charge_of(buyer))
    shop.deliver_events()
    assert (balance_of(buyer), payment_of(buyer).status, failed_syncs()) == (30, "disputed", [])


# ── Events and mails


def test_payments_and_refunds_publish_events(shop, owner):
    make_endpoint(owner)
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    shop.stripe.refund(charge_of(owner))
    shop.deliver_events()
    events = OutgoingEvent.objects.filter(type__startswith="payment.").order_by("sequence")
    assert list(events.values_list("type", flat=True)) == ["payment.succeeded", "payment.refunded"]


def test_payment_events_have_the_api_representation(shop, owner):
    make_endpoint(owner)
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    body = json.loads(OutgoingEvent.objects.get(type="payment.succeeded").body)
    shown = data_of(owner.client.get(f"/api/v1/billing/payments/{payment_of(owner).pk}"))
    assert body["data"] == shown | {"receipt_url": None}


def test_the_owner_gets_a_receipt_and_a_refund_mail(shop, buyer, mailoutbox):
    shop.stripe.refund(charge_of(buyer), amount=300)
    shop.deliver_events()
    shop.send_mails()
    assert [(mail.to, mail.subject) for mail in mailoutbox if mail.to != ["staff@example.com"]] == [
        (["owner@example.com"], "Receipt for 100 credits"),
        (["owner@example.com"], "Refund of 3.00 USD"),
    ]


def test_a_receipt_is_mailed_once(shop, buyer, mailoutbox):
    shop.send_mails()
    shop.send_mails()
    assert len([mail for mail in mailoutbox if "Receipt" in mail.subject]) == 1


def test_the_price_of_a_plan_does_not_change_what_was_bought(shop, buyer):
    changed = plan("pack-100")
    type(changed).objects.filter(pk=changed.pk).update(amount=9_999, credits=1)
    shop.stripe.refund(charge_of(buyer), amount=600)
    shop.deliver_events()
    assert balance_of(buyer) == 80

"""Subscriptions: credits and tier, through plan changes and failed payments."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
import time_machine
from django.utils import timezone

from billing.enums import CheckoutStatus, PaymentKind, RefundStatus, SyncKind
from billing.models import Allowance, Checkout, CreditLot, Payment, Subscription
from billing.purchases import payments, subscriptions
from billing.stripe import queries, stripe_client
from billing.stripe.stripe_types import RefundState
from billing.stripe_sync import handlers
from billing.tests.shop import balance_of, charge_of, failed_syncs, payment_of, plan, price_id
from genvid.tests.asserts import data_of
from genvid.tests.factories import grant
from genvid.tests.mail import alarms

pytestmark = pytest.mark.django_db
SUBSCRIPTION = "/api/v1/billing/subscription"


def seen(person) -> dict:
    return data_of(person.client.get(SUBSCRIPTION))


def tier_of(person) -> str | None:
    return person.wallet.tier_id


def last_lot() -> CreditLot:
    return CreditLot.objects.latest("id")


def test_an_account_without_a_subscription_has_the_free_tier(owner):
    shown = seen(owner)
    assert (shown["status"], shown["plan"], shown["tier"]) == ("none", None, "free")


def test_the_first_month_gives_its_credits_and_the_tier(shop, owner):
    shop.subscribe(owner, "pro-month")
    assert (balance_of(owner), tier_of(owner), failed_syncs()) == (510, "pro", [])


def test_the_api_shows_the_subscription(shop, owner):
    shop.subscribe(owner, "pro-month")
    shown = seen(owner)
    assert (shown["status"], shown["plan"]["code"], shown["tier"]) == ("active", "pro-month", "pro")
    assert (shown["cancel_at_period_end"], shown["grace_until"]) == (False, None)


def test_a_months_credits_end_with_the_month_and_three_days(shop, owner):
    shop.subscribe(owner)
    end = Subscription.objects.get().current_period_end
    assert last_lot().expires_at == end + timedelta(days=3)


def test_the_payment_of_a_subscription_is_its_invoices(shop, owner):
    shop.subscribe(owner)
    payment = payment_of(owner)
    assert (payment.kind, payment.amount, payment.source_id[:3]) == (PaymentKind.SUBSCRIPTION, 1900, "in_")


def test_each_renewal_gives_a_months_credits(shop, owner):
    subscription = shop.subscribe(owner)
    for _ in range(2):
        shop.stripe.renew(subscription)
        shop.deliver_events()
    assert (balance_of(owner), Payment.objects.count()) == (30 + 3 * 170, 3)


def test_a_second_subscription_is_refused(shop, owner):
    shop.subscribe(owner)
    answer = owner.client.post("/api/v1/billing/checkout", {"plan_id": str(plan("pro-month").pk)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")


def test_of_two_pay_pages_for_subscriptions_only_the_last_is_open(shop, owner):
    first = shop.open_checkout(owner, "starter-month")
    shop.open_checkout(owner, "pro-month")
    (page,) = [each for each in shop.stripe.records()["sessions"] if each["id"] == first]
    assert (page["status"], Checkout.objects.get(stripe_session_id=first).status) == ("expired", "expired")


def test_a_pack_can_be_paid_for_though_a_page_for_a_plan_was_opened_since(shop, owner):
    pack = shop.open_checkout(owner, "pack-100")
    shop.open_checkout(owner, "starter-month")
    assert Checkout.objects.get(stripe_session_id=pack).status == "open"
    shop.stripe.pay(pack)
    shop.deliver_events()
    assert balance_of(owner) == 130


def test_a_buyer_who_paid_at_the_first_page_gets_no_second_page(shop, owner):
    shop.buy(owner, "starter-month")
    answer = owner.client.post("/api/v1/billing/checkout", {"plan_id": str(plan("pro-month").pk)})
    assert (answer.status_code, seen(owner)["status"]) == (409, "active")


def test_packs_can_be_bought_at_several_pages(shop, owner):
    for session in [shop.open_checkout(owner, "pack-100"), shop.open_checkout(owner, "pack-500")]:
        shop.stripe.pay(session)
    shop.deliver_events()
    assert balance_of(owner) == 630


def test_staff_are_alarmed_of_two_parallel_subscriptions(shop, owner):
    first = shop.open_checkout(owner, "starter-month")
    # As the second finds it: nobody at Stripe has heard of the first page yet.
    Checkout.objects.update(status=CheckoutStatus.STARTING)
    pages = [first, shop.open_checkout(owner, "pro-month")]
    Checkout.objects.update(status=CheckoutStatus.OPEN)
    for page in pages:
        shop.stripe.pay(page)
    shop.deliver_events()
    sent = alarms("billing", "second:")
    assert (balance_of(owner), len(sent) > 0, failed_syncs()) == (30 + 170 + 480, True, [])


def test_a_subscription_moved_to_a_foreign_price_ends_like_every_other(shop, owner):
    subscription, product = shop.subscribe(owner, "pro-month"), plan("pro-month").stripe_product_id
    monthly = {"currency": "usd", "recurring": {"interval": "month"}}
    own = stripe_client.post("prices", key="own", product=product, unit_amount=1000, **monthly)
    shop.stripe.change_price(subscription, own["id"], at_fraction=0.0)
    shop.deliver_events()
    sent, kept = len(alarms("billing")), tier_of(owner)
    shop.stripe.cancel(subscription)
    shop.deliver_events()
    assert (sent, kept, tier_of(owner), failed_syncs()) == (1, "pro", None, [])


def test_a_subscription_with_an_additional_foreign_item_is_ours(shop, owner):
    subscription = shop.subscribe(owner, "pro-month")
    facts = replace(queries.subscription(subscription), price_ids=["price_of_theirs", price_id("pro-month")])
    subscriptions.record_subscription(facts, read_at=timezone.now())
    assert Subscription.objects.get().price.plan.code == "pro-month"


def test_a_second_charge_of_one_invoice_is_the_same_payment(shop, owner, monkeypatch):
    """Part of the invoice was paid by another payment intent, and is refunded."""
    shop.subscribe(owner)
    payment = payment_of(owner)
    refund = RefundState("re_2", 950, RefundStatus.SUCCEEDED, timezone.now())
    first = queries.charge(payment.stripe_charge_id)
    second = replace(first, id="ch_2", payment_intent_id="pi_2", amount=950, refunds=[refund])
    monkeypatch.setattr(queries, "charge", lambda _: second)
    monkeypatch.setattr(queries, "session_of_intent", lambda _: "")
    monkeypatch.setattr(queries, "invoice_of_intent", lambda _: payment.source_id)
    handlers.sync_object(SyncKind.CHARGE, "ch_2")
    assert (balance_of(owner), charge_of(owner)) == (30 + 85, first.id)


def test_a_yearly_plan_gives_its_first_month_at_once(shop, owner):
    shop.subscribe(owner, "starter-year")
    assert (balance_of(owner), Allowance.objects.count()) == (200, 12)


def test_a_yearly_plan_gives_month_by_month(shop, owner):
    shop.subscribe(owner, "starter-year")
    for months in (1, 2, 13):
        shop.grant_allowances(until=timezone.now() + timedelta(days=31 * months))
        if months < 13:
            assert balance_of(owner) == 30 + 170 * (months + 1)
    assert balance_of(owner) == 30 + 170 * 12


def test_a_yearly_months_credits_end_when_the_next_come(shop, owner):
    shop.subscribe(owner, "starter-year")
    first, second = Allowance.objects.order_by("due_at")[:2]
    assert first.expires_at == second.due_at + timedelta(days=3)


def test_a_yearly_plan_that_ended_gives_no_more(shop, owner):
    subscription = shop.subscribe(owner, "starter-year")
    shop.stripe.cancel(subscription)
    shop.deliver_events()
    Allowance.objects.filter(granted_at=None).update(due_at=timezone.now())
    shop.grant_allowances(until=timezone.now())
    assert (balance_of(owner), Allowance.objects.filter(void_at=None).count()) == (200, 1)


def test_a_month_that_was_due_before_the_end_is_given_though_it_comes_late(shop, owner):
    subscription = shop.subscribe(owner, "starter-year")
    due, to_come = Allowance.objects.filter(granted_at=None).order_by("due_at")[:2]
    Allowance.objects.filter(pk=due.pk).update(due_at=timezone.now() - timedelta(minutes=1))
    shop.stripe.cancel(subscription)
    shop.deliver_events()
    Allowance.objects.filter(pk=to_come.pk).update(due_at=timezone.now())
    assert (payments.grant_due_allowances(), balance_of(owner)) == (1, 200 + 170)
    due.refresh_from_db()
    to_come.refresh_from_db()
    assert (due.granted_at is None, to_come.granted_at is None, to_come.void_at is None) == (False, True, False)


# ── Trials


def with_trial(credits: int = 20) -> None:
    type(plan("pro-month")).objects.filter(code="pro-month").update(trial_days=14, trial_credits=credits)


def test_a_trial_gives_its_own_credits_and_the_tier(shop, owner):
    with_trial()
    shop.subscribe(owner, "pro-month")
    assert (balance_of(owner), tier_of(owner), seen(owner)["status"]) == (50, "pro", "trialing")


def test_a_trials_credits_end_with_it(shop, owner):
    with_trial()
    shop.subscribe(owner, "pro-month")
    assert last_lot().expires_at == Subscription.objects.get().trial_ends_at + timedelta(days=3)


def test_after_the_trial_the_month_is_paid_and_given(shop, owner):
    with_trial()
    subscription = shop.subscribe(owner, "pro-month")
    shop.stripe.end_trial(subscription)
    shop.deliver_events()
    assert (balance_of(owner), seen(owner)["status"]) == (530, "active")


def test_a_trial_without_credits_gives_none(shop, owner):
    with_trial(credits=0)
    shop.subscribe(owner, "pro-month")
    assert (balance_of(owner), Payment.objects.count(), failed_syncs()) == (30, 0, [])


def test_only_the_first_subscription_has_a_trial(shop, owner):
    with_trial()
    shop.stripe.cancel(shop.subscribe(owner, "pro-month"))
    shop.deliver_events()
    shop.subscribe(owner, "pro-month")
    assert (balance_of(owner), seen(owner)["status"]) == (50 + 480, "active")


# ── Changes of plan


def test_an_upgrade_gives_what_the_new_plan_has_more_for_the_rest_of_the_month(shop, owner):
    subscription = shop.subscribe(owner, "starter-month")
    shop.stripe.change_price(subscription, price_id("pro-month"), at_fraction=0.5)
    shop.deliver_events()
    assert (balance_of(owner), tier_of(owner)) == (200 + (480 - 170) // 2, "pro")


def test_the_renewal_after_an_upgrade_gives_the_new_plans_month(shop, owner):
    subscription = shop.subscribe(owner, "starter-month")
    shop.stripe.change_price(subscription, price_id("pro-month"), at_fraction=0.5)
    shop.stripe.renew(subscription)
    shop.deliver_events()
    assert balance_of(owner) == 200 + 155 + 480


def test_an_upgrade_that_is_billed_with_the_next_month_gives_both_then(shop, owner):
    subscription = shop.subscribe(owner, "starter-month")
    shop.stripe.change_price(subscription, price_id("pro-month"), behavior="create_prorations", at_fraction=0.5)
    shop.deliver_events()
    before = balance_of(owner)
    shop.stripe.renew(subscription)
    shop.deliver_events()
    assert (before, balance_of(owner)) == (200, 200 + 155 + 480)


def test_a_downgrade_takes_what_the_old_plan_had_more_for_the_rest_of_the_month(shop, owner):
    subscription = shop.subscribe(owner, "pro-month")
    shop.stripe.change_price(subscription, price_id("starter-month"), at_fraction=0.5)
    shop.deliver_events()
    assert (balance_of(owner), tier_of(owner), failed_syncs()) == (510 - (480 - 170) // 2, "starter", [])


def test_the_renewal_after_a_downgrade_gives_the_smaller_month(shop, owner):
    subscription = shop.subscribe(owner, "pro-month")
    shop.stripe.change_price(subscription, price_id("starter-month"), at_fraction=0.5)
    shop.stripe.renew(subscription)
    shop.deliver_events()
    assert balance_of(owner) == 510 - 155 + 170


@pytest.mark.parametrize("other", ["pro-month", "starter-year"])
def test_changing_plans_back_and_forth_creates_no_credits(shop, owner, other):
    """Stripe pays each change with the money that the previous one returned."""
    subscription = shop.subscribe(owner, "starter-month")
    for code in [other, "starter-month"] * 3:
        shop.stripe.change_price(subscription, price_id(code), at_fraction=0.0)
    shop.deliver_events()
    assert (balance_of(owner), failed_syncs()) == (200, [])


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_changes_of_one_second_are_told_apart_by_their_invoice_numbers(shop, owner, order):
    """Prorations may begin a second before their invoice, and the next change may share the invoice's second."""
    subscription = shop.subscribe(owner, "starter-month")
    for code in ["starter-year", "starter-month", "starter-year"]:
        shop.stripe.change_price(subscription, price_id(code), at_fraction=0.0)
    ids = [one["data"]["object"]["id"] for one in shop.new_events() if one["type"] == "invoice.paid"]
    found = sorted((queries.invoice(each) for each in ids), key=lambda each: each.sequence)[-3:]
    created = min(line.start for each in found for line in each.lines)
    second = created - timedelta(seconds=1)
    begun = [(second, created), (created, created), (created, created)]
    changes = [_moved(each, created, *starts) for each, starts in zip(found, begun, strict=True)]
    for index in order:
        payments.record_invoice_payment(changes[index])
    assert balance_of(owner) == 200


def _moved(facts, created, change_at, period_start):
    starts = {True: change_at, False: period_start}
    moves = [(line, starts[line.is_proration] - line.start) for line in facts.lines]
    lines = [replace(line, start=line.start + by, end=line.end + by) for line, by in moves]
    return replace(facts, created_at=created, lines=lines)


def test_a_downgrade_event_before_the_purchase_event_has_one_result(shop, owner):
    subscription = shop.buy(owner, "pro-month")["subscription"]
    shop.stripe.change_price(subscription, price_id("starter-month"), at_fraction=0.5)
    shop.deliver_events(shop.new_events()[::-1])
    assert (balance_of(owner), failed_syncs()) == (510 - 155, [])


def test_from_monthly_to_yearly_the_year_begins_at_once(shop, owner):
    subscription = shop.subscribe(owner, "starter-month")
    shop.stripe.change_price(subscription, price_id("starter-year"), at_fraction=0.5)
    shop.deliver_events()
    assert (balance_of(owner), Allowance.objects.filter(granted_at=None, void_at=None).count()) == (200 + 170 - 85, 11)


def test_a_yearly_upgrade_stops_the_old_plans_months(shop, owner):
    subscription = shop.subscribe(owner, "starter-year")
    shop.stripe.change_price(subscription, price_id("pro-year"), at_fraction=0.5)
    shop.deliver_events()
    owed = Allowance.objects.filter(granted_at=None, void_at=None)
    assert set(owed.values_list("price__plan__code", flat=True)) == {"pro-year"}


# ── Ends


def test_canceling_keeps_tier_and_credits_to_the_end_of_the_month(shop, owner):
    shop.stripe.cancel(shop.subscribe(owner, "pro-month"), at_period_end=True)
    shop.deliver_events()
    assert (balance_of(owner), tier_of(owner), seen(owner)["cancel_at_period_end"]) == (510, "pro", True)


def test_at_the_end_of_the_month_the_tier_is_free_again(shop, owner):
    subscription = shop.subscribe(owner, "pro-month")
    shop.stripe.cancel(subscription, at_period_end=True)
    shop.stripe.end_period(subscription)
    shop.deliver_events()
    assert (balance_of(owner), tier_of(owner), seen(owner)["status"]) == (510, None, "canceled")


def test_a_cancellation_mails_nothing_of_a_missing_payment(shop, owner):
    shop.stripe.cancel(shop.subscribe(owner, "pro-month"))
    shop.deliver_events()
    assert {kind for kind, _ in shop.send_mails()} == {"receipt"}


def test_an_account_that_canceled_can_subscribe_again(shop, owner):
    shop.stripe.cancel(shop.subscribe(owner))
    shop.deliver_events()
    shop.subscribe(owner, "business-month")
    assert (balance_of(owner), tier_of(owner)) == (200 + 1050, "business")


# ── Payments that fail


def test_a_failed_renewal_gives_no_credits_and_starts_the_grace_period(shop, owner):
    shop.stripe.renew(shop.subscribe(owner, "pro-month"), succeeds=False)
    shop.deliver_events()
    shown = seen(owner)
    assert (balance_of(owner), shown["status"], shown["tier"]) == (510, "past_due", "pro")
    left = datetime.fromisoformat(shown["grace_until"]) - timezone.now()
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)


def test_each_failed_payment_attempt_mails_the_owner(shop, owner):
    invoice = shop.stripe.renew(shop.subscribe(owner), succeeds=False)
    shop.deliver_events()
    shop.stripe.retry_invoice(invoice["id"], succeeds=False)
    shop.deliver_events()
    sent = [reference for kind, reference in shop.send_mails() if kind == "payment_failed"]
    assert sent == [f"{invoice['id']}:1", f"{invoice['id']}:2"]


def test_the_end_of_the_grace_period_frees_the_tier_and_mails_the_owner(shop, owner):
    shop.stripe.renew(shop.subscribe(owner, "pro-month"), succeeds=False)
    shop.deliver_events()
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=True):
        ended = subscriptions.end_grace()
    assert (ended, tier_of(owner)) == (1, None)
    assert "downgraded" in {kind for kind, _ in shop.send_mails()}


def test_the_grace_period_ends_once(shop, owner):
    shop.stripe.renew(shop.subscribe(owner, "pro-month"), succeeds=False)
    shop.deliver_events()
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=True):
        assert (subscriptions.end_grace(), subscriptions.end_grace()) == (1, 0)


def test_the_tier_stays_during_the_grace_period(shop, owner):
    shop.stripe.renew(shop.subscribe(owner, "pro-month"), succeeds=False)
    shop.deliver_events()
    with time_machine.travel(timezone.now() + timedelta(days=6), tick=True):
        assert (subscriptions.end_grace(), tier_of(owner)) == (0, "pro")


def test_a_late_payment_restores_tier_and_credits(shop, owner):
    invoice = shop.stripe.renew(shop.subscribe(owner, "pro-month"), succeeds=False)
    shop.deliver_events()
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=True):
        subscriptions.end_grace()
    shop.stripe.retry_invoice(invoice["id"], succeeds=True)
    shop.deliver_events()
    shown = seen(owner)
    assert (balance_of(owner), shown["status"], shown["tier"], shown["grace_until"]) == (990, "active", "pro", None)


def test_older_facts_of_a_subscription_are_ignored(shop, owner):
    subscription = shop.subscribe(owner, "pro-month")
    earlier, facts = timezone.now(), queries.subscription(subscription)
    shop.stripe.cancel(subscription)
    shop.deliver_events()
    subscriptions.record_subscription(facts, read_at=earlier)
    assert (seen(owner)["status"], tier_of(owner)) == ("canceled", None)


def test_the_periods_of_a_subscription_are_stripes(shop, owner):
    shop.subscribe(owner)
    (theirs,) = shop.stripe.records()["subscriptions"]
    ends = datetime.fromtimestamp(theirs["items"]["data"][0]["current_period_end"], UTC)
    assert datetime.fromisoformat(seen(owner)["current_period_end"]) == ends


def test_an_allowance_that_fails_does_not_block_others(shop, owner, outsider):
    shop.subscribe(owner, "starter-year")
    first, second = Allowance.objects.filter(granted_at=None)[:2]
    Allowance.objects.filter(pk__in=[first.pk, second.pk]).update(due_at=timezone.now())
    grant(outsider, 1, reference=first.reference)
    assert (payments.grant_due_allowances(), balance_of(owner)) == (1, 30 + 170 * 2)
    owed = Allowance.objects.filter(granted_at=None, due_at__lte=timezone.now())
    assert [allowance.pk for allowance in owed] == [first.pk]

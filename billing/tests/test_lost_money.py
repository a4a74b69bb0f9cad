"""Lost money is followed into plan changes, balance at Stripe, and months paid from that balance."""

from unittest import mock

import pytest

from billing.checkout import staff_refunds
from billing.models import Dispute, Funding, Payment, Subscription
from billing.purchases import funding_backfill, fundings
from billing.stripe import customer_balances, stripe_client
from billing.stripe_sync.reconciliation import reconcile
from billing.tests.shop import balance_of, failed_syncs, price_id
from billing.tests.stripe_model import customer_balance
from genvid.tests import mail
from genvid.tests.asserts import nothing_changes

pytestmark = pytest.mark.django_db
SIGNUP = 30


@pytest.fixture(autouse=True)
def subscriptions_go_on(settings):
    settings.SUBSCRIPTION_AFTER_LOST_PAYMENT = "keep"


@pytest.fixture
def switched(shop, owner):
    """A year of Business for $990, changed at once to Starter: $971 are in the customer's balance."""
    subscription = shop.subscribe(owner, "business-year")
    change(shop, subscription, "starter-month")
    shop.deliver_events()
    assert (balance_of(owner), customer_balance(shop.stripe.records())) == (SIGNUP + 170, 97_100)
    return subscription


def change(shop, subscription: str, code: str, at: float = 0.0) -> None:
    shop.stripe.change_price(subscription, price_id(code), at_fraction=at)


def first_charge(shop) -> str:
    return str(min(shop.stripe.records()["charges"], key=lambda each: each["amount"] != 99_000)["id"])


def alarms(prefix: str) -> list[str]:
    return [text.partition("\n\n")[0] for text in mail.alarms("billing", prefix).values()]


def state(shop, person) -> tuple[int, int]:
    """Credits, and the customer's balance at Stripe in cents."""
    return balance_of(person), customer_balance(shop.stripe.records())


def test_a_dispute_takes_the_balance_and_credits_bought_with_it(shop, owner, switched):
    shop.stripe.dispute(first_charge(shop))
    shop.deliver_events()
    assert (state(shop, owner), failed_syncs()) == ((SIGNUP, 0), [])


def test_a_dispute_takes_months_that_were_paid_from_the_balance(shop, owner, switched):
    for _ in range(3):
        shop.stripe.renew(switched)
    change(shop, switched, "business-month")
    for _ in range(4):
        shop.stripe.renew(switched)
    shop.deliver_events()
    had = balance_of(owner)
    shop.stripe.dispute(first_charge(shop))
    shop.deliver_events()
    assert (had, state(shop, owner)) == (SIGNUP + 4 * 170 + 880 + 4 * 1_050, (SIGNUP, 0))


def test_after_the_dispute_months_are_paid_with_money_again(shop, owner, switched):
    shop.stripe.dispute(first_charge(shop))
    shop.deliver_events()
    shop.stripe.renew(switched)
    shop.deliver_events()
    assert (state(shop, owner), shop.stripe.records()["charges"][-1]["amount"]) == ((SIGNUP + 170, 0), 1_900)


def test_a_won_dispute_restores_credits_and_balance(shop, owner, switched):
    shop.stripe.renew(switched)
    shop.deliver_events()
    before = state(shop, owner)
    dispute = shop.stripe.dispute(first_charge(shop))
    shop.deliver_events()
    taken = state(shop, owner)
    shop.stripe.close_dispute(dispute["id"], "won")
    shop.deliver_events()
    assert (before, taken, state(shop, owner)) == ((SIGNUP + 340, 95_200), (SIGNUP, 0), before)


def test_refunding_half_the_money_takes_half_of_credits_and_balance(shop, owner, switched):
    shop.stripe.refund(first_charge(shop), amount=49_500)
    shop.deliver_events()
    assert state(shop, owner) == (SIGNUP + 85, 97_100 - 48_550)


def test_refunds_in_parts_add_up_to_the_whole(shop, owner, switched):
    for amount in (33_000, 33_000, 33_000):
        shop.stripe.refund(first_charge(shop), amount=amount)
        shop.deliver_events()
    assert state(shop, owner) == (SIGNUP, 0)


def test_a_refund_by_staff_voids_the_balance(shop, owner, switched):
    staff_refunds.refund_payment(Payment.objects.get(amount=99_000), staff_id=None)
    shop.deliver_events()
    assert (state(shop, owner), Subscription.objects.get().status) == ((SIGNUP, 0), "active")


def test_a_failed_refund_restores_the_balance(shop, owner, switched):
    refund = shop.stripe.refund(first_charge(shop), status="pending")
    shop.deliver_events()
    taken = state(shop, owner)
    shop.stripe.fail_refund(refund["id"])
    shop.deliver_events()
    assert (taken, state(shop, owner)) == ((SIGNUP, 0), (SIGNUP + 170, 97_100))


def test_a_dispute_event_before_the_plan_change_event_has_one_result(shop, owner):
    subscription = shop.buy(owner, "business-year")["subscription"]
    change(shop, subscription, "starter-month")
    shop.stripe.dispute(first_charge(shop))
    shop.deliver_events(shop.new_events()[::-1])
    assert (state(shop, owner), failed_syncs()) == ((SIGNUP, 0), [])


def test_a_dispute_leaves_a_balance_that_staff_gave(shop, owner, switched):
    customer = owner.account.customer.stripe_customer_id
    stripe_client.post(f"customers/{customer}/balance_transactions", key="gift", amount=-3_000, currency="usd")
    shop.stripe.dispute(first_charge(shop))
    shop.deliver_events()
    assert state(shop, owner) == (SIGNUP, 3_000)


def test_a_dispute_leaves_the_credits_of_other_payments(shop, owner, switched):
    shop.buy(owner, "pack-100")
    shop.stripe.dispute(first_charge(shop))
    shop.deliver_events()
    assert state(shop, owner) == (SIGNUP + 100, 0)


def test_an_upgrade_that_is_refunded_leaves_what_the_plan_before_had_given(shop, owner):
    subscription = shop.subscribe(owner, "starter-month")
    change(shop, subscription, "pro-month", 0.5)
    shop.stripe.refund(shop.stripe.records()["charges"][-1]["id"])
    shop.deliver_events()
    assert balance_of(owner) == SIGNUP + 170


def test_a_refunded_month_takes_its_share_of_the_upgrade_it_paid(shop, owner):
    """Lost: half a month of Starter, and the share of half a month of Pro that Starter's rest paid, 9.50 of 24.50."""
    subscription = shop.subscribe(owner, "starter-month")
    change(shop, subscription, "pro-month", 0.5)
    shop.deliver_events()
    shop.stripe.refund(shop.stripe.records()["charges"][0]["id"])
    shop.deliver_events()
    assert balance_of(owner) == SIGNUP + 240 - 94


def test_settling_the_balance_again_moves_nothing(shop, owner, switched):
    shop.stripe.dispute(first_charge(shop))
    shop.deliver_events()
    with nothing_changes():
        fundings.settle_balance(owner.account.pk)
    assert state(shop, owner) == (SIGNUP, 0)


def test_a_void_followed_by_a_crash_is_not_repeated(shop, owner, switched):
    shop.stripe.dispute(first_charge(shop))
    shop.deliver_events()
    Funding.objects.update(balance_voided=0)
    customer = owner.account.customer.stripe_customer_id
    stripe_client.post(f"customers/{customer}/balance_transactions", key="gift", amount=-3_000, currency="usd")
    fundings.settle_balance(owner.account.pk)
    assert (state(shop, owner), Funding.objects.get(balance_brought__gt=0).balance_voided) == (
        (SIGNUP, 3_000),
        97_100,
    )


def test_no_balance_is_read_for_an_account_without_one(shop, owner, monkeypatch):
    asked = mock.Mock(wraps=customer_balances.read_voided)
    monkeypatch.setattr(customer_balances, "read_voided", asked)
    shop.subscribe(owner, "pro-month")
    shop.stripe.dispute(shop.stripe.records()["charges"][0]["id"])
    shop.deliver_events()
    assert (asked.call_count, balance_of(owner)) == (0, SIGNUP)


def test_payments_without_funding_are_backfilled_at_night(shop, owner, switched):
    shop.stripe.renew(switched)
    shop.deliver_events()
    Funding.objects.all().delete()
    shop.stripe.dispute(first_charge(shop))
    shop.deliver_events()
    before = state(shop, owner)
    report = reconcile()
    assert (before[1], state(shop, owner), report.unresolved) == (95_200, (SIGNUP, 0), [])
    assert (len(report.repaired) >= 3, Funding.objects.count(), reconcile().repaired) == (True, 3, [])


def test_payments_with_an_invoice_of_another_mode_are_backfilled_once(shop, owner):
    shop.subscribe(owner, "pro-month")
    Funding.objects.all().delete()
    Payment.objects.update(source_id="in_of_before")
    assert (len(funding_backfill.backfill_fundings()), funding_backfill.backfill_fundings()) == (1, [])
    assert (Funding.objects.get().balance_brought, balance_of(owner)) == (0, SIGNUP + 480)


# ── The subscription


@pytest.mark.parametrize(
    ("policy", "status", "tier", "word"),
    [
        ("cancel", "canceled", None, "canceled"),
        ("pause", "paused", None, "paused"),
        ("keep", "active", "pro", "goes on"),
    ],
)
def test_a_lost_payment_changes_the_subscription_as_the_setting_says(shop, owner, settings, policy, status, tier, word):
    settings.SUBSCRIPTION_AFTER_LOST_PAYMENT = policy
    shop.subscribe(owner, "pro-month")
    dispute = shop.stripe.dispute(shop.stripe.records()["charges"][0]["id"])
    shop.deliver_events()
    shop.deliver_events()
    (text,) = alarms("after-loss:")
    assert (Subscription.objects.get().status, owner.wallet.tier_id, word in text) == (status, tier, True)
    shop.stripe.close_dispute(dispute["id"], "won")
    shop.deliver_events()
    assert (len(alarms("won-after-loss:")), balance_of(owner)) == (int(policy != "keep"), SIGNUP + 480)


def test_a_resumed_subscription_is_not_stopped_again_by_one_dispute(shop, owner, settings):
    settings.SUBSCRIPTION_AFTER_LOST_PAYMENT = "pause"
    subscription = shop.subscribe(owner, "pro-month")
    dispute = shop.stripe.dispute(shop.stripe.records()["charges"][0]["id"])
    shop.deliver_events()
    stripe_client.post(f"subscriptions/{subscription}", key="resume", pause_collection="")
    shop.stripe.close_dispute(dispute["id"], "lost")
    shop.deliver_events()
    assert (Subscription.objects.get().status, len(alarms("after-loss:"))) == ("active", 1)


def test_a_paused_subscription_is_not_paused_again_for_another_dispute(shop, owner, settings):
    settings.SUBSCRIPTION_AFTER_LOST_PAYMENT = "pause"
    shop.stripe.renew(shop.subscribe(owner, "pro-month"))
    shop.deliver_events()
    for charge in shop.stripe.records()["charges"]:
        shop.stripe.dispute(charge["id"])
        shop.deliver_events()
    assert (Subscription.objects.get().status, len(alarms("after-loss:"))) == ("paused", 1)
    assert sorted(Dispute.objects.values_list("after_loss", flat=True)) == ["none", "paused"]


@pytest.mark.parametrize("warning", [True, False])
def test_an_inquiry_or_a_packs_dispute_stops_no_subscription(shop, owner, settings, warning):
    settings.SUBSCRIPTION_AFTER_LOST_PAYMENT = "cancel"
    shop.subscribe(owner, "pro-month")
    shop.buy(owner, "pack-100")
    amount = 4_900 if warning else 1_200
    charge = next(each["id"] for each in shop.stripe.records()["charges"] if each["amount"] == amount)
    shop.stripe.dispute(charge, warning=warning)
    shop.deliver_events()
    assert (Subscription.objects.get().status, alarms("after-loss:")) == ("active", [])
    assert Dispute.objects.get().after_loss == (None if warning else "none")


def test_a_refund_leaves_the_subscription_as_it_is(shop, owner, settings):
    settings.SUBSCRIPTION_AFTER_LOST_PAYMENT = "cancel"
    shop.subscribe(owner, "pro-month")
    shop.stripe.refund(shop.stripe.records()["charges"][0]["id"])
    shop.deliver_events()
    assert (Subscription.objects.get().status, balance_of(owner)) == ("active", SIGNUP)

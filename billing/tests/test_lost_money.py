"""Money that went back takes along what it became: time of other plans, balance at Stripe, months paid from that."""

from unittest import mock

import pytest

from billing.checkout import staff_refunds
from billing.models import Dispute, Funding, Payment, Subscription
from billing.purchases import funding_backfill, fundings
from billing.stripe import customer_balances, stripe_client
from billing.stripe_sync.reconciliation import reconcile
from billing.tests.shop import balance_of, price_id, stuck
from billing.tests.stripe_model import credit
from genvid.tests import mail
from genvid.tests.asserts import nothing_changes

pytestmark = pytest.mark.django_db
WELCOME = 30


@pytest.fixture(autouse=True)
def subscriptions_go_on(settings):
    settings.SUBSCRIPTION_AFTER_LOST_PAYMENT = "keep"


@pytest.fixture
def switched(shop, owner):
    """Bought a year of Business for $990 and changed at once to Starter: $971 are to their credit."""
    subscription = shop.subscribe(owner, "business-year")
    change(shop, subscription, "starter-month")
    shop.tell()
    assert (balance_of(owner), credit(shop.stripe.records())) == (WELCOME + 170, 97_100)
    return subscription


def change(shop, subscription: str, code: str, at: float = 0.0) -> None:
    shop.stripe.change_price(subscription, price_id(code), at_fraction=at)


def first_charge(shop) -> str:
    return str(min(shop.stripe.records()["charges"], key=lambda each: each["amount"] != 99_000)["id"])


def alarms(prefix: str) -> list[str]:
    return [text.partition("\n\n")[0] for text in mail.alarms("billing", prefix).values()]


def state(shop, person) -> tuple[int, int]:
    """Credits, and cents to their credit at Stripe."""
    return balance_of(person), credit(shop.stripe.records())


def test_a_dispute_takes_the_balance_and_what_was_bought_with_it(shop, owner, switched):
    shop.stripe.dispute(first_charge(shop))
    shop.tell()
    assert (state(shop, owner), stuck()) == ((WELCOME, 0), [])


def test_months_that_were_paid_from_the_balance_go_too(shop, owner, switched):
    for _ in range(3):
        shop.stripe.renew(switched)
    change(shop, switched, "business-month")
    for _ in range(4):
        shop.stripe.renew(switched)
    shop.tell()
    had = balance_of(owner)
    shop.stripe.dispute(first_charge(shop))
    shop.tell()
    assert (had, state(shop, owner)) == (WELCOME + 4 * 170 + 880 + 4 * 1_050, (WELCOME, 0))


def test_after_the_dispute_months_are_paid_with_money_again(shop, owner, switched):
    shop.stripe.dispute(first_charge(shop))
    shop.tell()
    shop.stripe.renew(switched)
    shop.tell()
    assert (state(shop, owner), shop.stripe.records()["charges"][-1]["amount"]) == ((WELCOME + 170, 0), 1_900)


def test_a_dispute_that_is_won_brings_everything_back(shop, owner, switched):
    shop.stripe.renew(switched)
    shop.tell()
    before = state(shop, owner)
    dispute = shop.stripe.dispute(first_charge(shop))
    shop.tell()
    taken = state(shop, owner)
    shop.stripe.close_dispute(dispute["id"], "won")
    shop.tell()
    assert (before, taken, state(shop, owner)) == ((WELCOME + 340, 95_200), (WELCOME, 0), before)


def test_half_of_the_money_takes_half_of_what_it_became(shop, owner, switched):
    shop.stripe.refund(first_charge(shop), amount=49_500)
    shop.tell()
    assert state(shop, owner) == (WELCOME + 85, 97_100 - 48_550)


def test_refunds_in_parts_add_up_to_the_whole(shop, owner, switched):
    for amount in (33_000, 33_000, 33_000):
        shop.stripe.refund(first_charge(shop), amount=amount)
        shop.tell()
    assert state(shop, owner) == (WELCOME, 0)


def test_what_staff_give_back_leaves_no_balance(shop, owner, switched):
    staff_refunds.refund_payment(Payment.objects.get(amount=99_000), staff_id=None)
    shop.tell()
    assert (state(shop, owner), Subscription.objects.get().status) == ((WELCOME, 0), "active")


def test_a_refund_that_fails_brings_the_balance_back(shop, owner, switched):
    refund = shop.stripe.refund(first_charge(shop), status="pending")
    shop.tell()
    taken = state(shop, owner)
    shop.stripe.fail_refund(refund["id"])
    shop.tell()
    assert (taken, state(shop, owner)) == ((WELCOME, 0), (WELCOME + 170, 97_100))


def test_a_dispute_that_is_told_of_before_the_change_ends_at_the_same(shop, owner):
    subscription = shop.buy(owner, "business-year")["subscription"]
    change(shop, subscription, "starter-month")
    shop.stripe.dispute(first_charge(shop))
    shop.tell(shop.new_events()[::-1])
    assert (state(shop, owner), stuck()) == ((WELCOME, 0), [])


def test_a_balance_that_staff_gave_stays(shop, owner, switched):
    customer = owner.account.customer.stripe_customer_id
    stripe_client.post(f"customers/{customer}/balance_transactions", key="gift", amount=-3_000, currency="usd")
    shop.stripe.dispute(first_charge(shop))
    shop.tell()
    assert state(shop, owner) == (WELCOME, 3_000)


def test_other_payments_keep_their_credits(shop, owner, switched):
    shop.buy(owner, "pack-100")
    shop.stripe.dispute(first_charge(shop))
    shop.tell()
    assert state(shop, owner) == (WELCOME + 100, 0)


def test_an_upgrade_that_is_refunded_leaves_what_the_plan_before_had_given(shop, owner):
    subscription = shop.subscribe(owner, "starter-month")
    change(shop, subscription, "pro-month", 0.5)
    shop.stripe.refund(shop.stripe.records()["charges"][-1]["id"])
    shop.tell()
    assert balance_of(owner) == WELCOME + 170


def test_a_month_whose_money_went_back_takes_its_part_of_the_upgrade_that_it_paid(shop, owner):
    """Half a month of Starter is gone, and of half a month of Pro the 9.50 of 24.50 that Starter's rest paid."""
    subscription = shop.subscribe(owner, "starter-month")
    change(shop, subscription, "pro-month", 0.5)
    shop.tell()
    shop.stripe.refund(shop.stripe.records()["charges"][0]["id"])
    shop.tell()
    assert balance_of(owner) == WELCOME + 240 - 94


def test_looking_again_moves_nothing(shop, owner, switched):
    shop.stripe.dispute(first_charge(shop))
    shop.tell()
    with nothing_changes():
        fundings.settle_balance(owner.account.pk)
    assert state(shop, owner) == (WELCOME, 0)


def test_a_void_that_we_died_after_is_not_made_twice(shop, owner, switched):
    shop.stripe.dispute(first_charge(shop))
    shop.tell()
    Funding.objects.update(balance_voided=0)
    customer = owner.account.customer.stripe_customer_id
    stripe_client.post(f"customers/{customer}/balance_transactions", key="gift", amount=-3_000, currency="usd")
    fundings.settle_balance(owner.account.pk)
    assert (state(shop, owner), Funding.objects.get(balance_brought__gt=0).balance_voided) == ((WELCOME, 3_000), 97_100)


def test_an_account_without_balance_is_not_asked_about(shop, owner, monkeypatch):
    asked = mock.Mock(wraps=customer_balances.read_voided)
    monkeypatch.setattr(customer_balances, "read_voided", asked)
    shop.subscribe(owner, "pro-month")
    shop.stripe.dispute(shop.stripe.records()["charges"][0]["id"])
    shop.tell()
    assert (asked.call_count, balance_of(owner)) == (0, WELCOME)


def test_payments_from_before_the_upgrade_are_looked_up_at_night(shop, owner, switched):
    shop.stripe.renew(switched)
    shop.tell()
    Funding.objects.all().delete()
    shop.stripe.dispute(first_charge(shop))
    shop.tell()
    before = state(shop, owner)
    report = reconcile()
    assert (before[1], state(shop, owner), report.unresolved) == (95_200, (WELCOME, 0), [])
    assert (len(report.repaired) >= 3, Funding.objects.count(), reconcile().repaired) == (True, 3, [])


def test_payments_whose_invoice_is_of_another_mode_are_looked_up_once(shop, owner):
    shop.subscribe(owner, "pro-month")
    Funding.objects.all().delete()
    Payment.objects.update(source_id="in_of_before")
    assert (len(funding_backfill.backfill_fundings()), funding_backfill.backfill_fundings()) == (1, [])
    assert (Funding.objects.get().balance_brought, balance_of(owner)) == (0, WELCOME + 480)


# ── The subscription


@pytest.mark.parametrize(
    ("policy", "status", "tier", "word"),
    [
        ("cancel", "canceled", None, "canceled"),
        ("pause", "paused", None, "paused"),
        ("keep", "active", "pro", "goes on"),
    ],
)
def test_the_subscription_becomes_what_the_operator_wants(shop, owner, settings, policy, status, tier, word):
    settings.SUBSCRIPTION_AFTER_LOST_PAYMENT = policy
    shop.subscribe(owner, "pro-month")
    dispute = shop.stripe.dispute(shop.stripe.records()["charges"][0]["id"])
    shop.tell()
    shop.tell()
    (text,) = alarms("after-loss:")
    assert (Subscription.objects.get().status, owner.wallet.tier_id, word in text) == (status, tier, True)
    shop.stripe.close_dispute(dispute["id"], "won")
    shop.tell()
    assert (len(alarms("won-after-loss:")), balance_of(owner)) == (int(policy != "keep"), WELCOME + 480)


def test_one_that_somebody_resumed_is_not_stopped_again_by_the_same_dispute(shop, owner, settings):
    settings.SUBSCRIPTION_AFTER_LOST_PAYMENT = "pause"
    subscription = shop.subscribe(owner, "pro-month")
    dispute = shop.stripe.dispute(shop.stripe.records()["charges"][0]["id"])
    shop.tell()
    stripe_client.post(f"subscriptions/{subscription}", key="resume", pause_collection="")
    shop.stripe.close_dispute(dispute["id"], "lost")
    shop.tell()
    assert (Subscription.objects.get().status, len(alarms("after-loss:"))) == ("active", 1)


def test_one_that_is_paused_already_is_not_paused_again_for_another_dispute(shop, owner, settings):
    settings.SUBSCRIPTION_AFTER_LOST_PAYMENT = "pause"
    shop.stripe.renew(shop.subscribe(owner, "pro-month"))
    shop.tell()
    for charge in shop.stripe.records()["charges"]:
        shop.stripe.dispute(charge["id"])
        shop.tell()
    assert (Subscription.objects.get().status, len(alarms("after-loss:"))) == ("paused", 1)
    assert sorted(Dispute.objects.values_list("after_loss", flat=True)) == ["none", "paused"]


@pytest.mark.parametrize("warning", [True, False])
def test_neither_a_question_of_the_bank_nor_a_packs_dispute_stops_a_subscription(shop, owner, settings, warning):
    settings.SUBSCRIPTION_AFTER_LOST_PAYMENT = "cancel"
    shop.subscribe(owner, "pro-month")
    shop.buy(owner, "pack-100")
    amount = 4_900 if warning else 1_200
    charge = next(each["id"] for each in shop.stripe.records()["charges"] if each["amount"] == amount)
    shop.stripe.dispute(charge, warning=warning)
    shop.tell()
    assert (Subscription.objects.get().status, alarms("after-loss:")) == ("active", [])
    assert Dispute.objects.get().after_loss == (None if warning else "none")


def test_a_refund_leaves_the_subscription_as_it_is(shop, owner, settings):
    settings.SUBSCRIPTION_AFTER_LOST_PAYMENT = "cancel"
    shop.subscribe(owner, "pro-month")
    shop.stripe.refund(shop.stripe.records()["charges"][0]["id"])
    shop.tell()
    assert (Subscription.objects.get().status, balance_of(owner)) == ("active", WELCOME)

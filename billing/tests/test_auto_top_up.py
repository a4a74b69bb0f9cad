"""Automatic purchases: when, how often, and after a refused card."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.enums import Role
from accounts.models import AuditEntry
from billing.credits import grant, hold
from billing.enums import LotSource, TopUpStatus
from billing.models import Customer, Payment, Plan, TopUp, TopUpRule
from billing.purchases import auto_top_up
from billing.stripe import stripe_client
from billing.tests.shop import balance_of, failed_syncs, plan, spend
from genvid.tests.asserts import data_of, lies_ahead, nothing_changes, refusal_of
from genvid.tests.factories import make_teammate

pytestmark = pytest.mark.django_db
RULE = "/api/v1/billing/auto-top-up"
NEVER_ASKED, ALWAYS_ASKED = "4242424242424242", "4000002760003184"


def rule(**more) -> dict:
    body = {"enabled": True, "threshold": 50, "plan_id": str(plan("pack-100").pk), "monthly_limit": 5_000}
    return body | more


def due() -> list:
    return list(TopUp.objects.filter(status=TopUpStatus.PENDING).values_list("pk", flat=True))


def sweep(shop) -> None:
    """Runs the sweep and its purchases, and delivers Stripe's events."""
    auto_top_up.sweep_top_ups()
    for pk in due():
        auto_top_up.run_top_up(pk)
    shop.deliver_events()


@pytest.fixture
def saver(shop, owner):
    """An owner with a saved card, 130 credits, and a rule that buys 100 below 50."""
    return saved(shop, owner, NEVER_ASKED)


def saved(shop, person, card: str):
    shop.buy(person, "pack-100", card=card)
    shop.deliver_events()
    data_of(person.client.put(RULE, rule()))
    return person


# ── The rule


def test_nothing_is_bought_unless_asked_for(owner):
    shown = data_of(owner.client.get(RULE))
    assert (shown["enabled"], shown["plan_id"], shown["spent_this_month"]) == (False, None, 0)


def test_the_rule_is_shown_as_it_was_set(owner):
    shown = data_of(owner.client.put(RULE, rule()))
    assert shown == rule() | {"spent_this_month": 0, "paused_until": None, "pause_reason": None}
    assert data_of(owner.client.get(RULE)) == shown


def test_setting_the_rule_is_in_the_audit_log(owner):
    owner.client.put(RULE, rule())
    assert AuditEntry.objects.filter(act="billing.auto_top_up_changed", account_id=owner.account.pk).count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("threshold", 0), ("threshold", "50"), ("threshold", None), ("monthly_limit", 1_199), ("monthly_limit", 0)],
        *[("enabled", "yes"), ("plan_id", "00000000-0000-4000-8000-000000000000")],
    ],
)
def test_an_invalid_rule_is_refused_on_its_field(owner, field, value):
    with nothing_changes():
        answer = owner.client.put(RULE, rule(**{field: value}))
    assert (refusal_of(answer), list(answer.json()["error"]["details"])) == ((400, "validation_error"), [field])


def test_a_rule_for_a_subscription_plan_is_refused(owner):
    with nothing_changes():
        answer = owner.client.put(RULE, rule(plan_id=str(plan("pro-month").pk)))
    assert refusal_of(answer) == (400, "validation_error")


def test_members_may_not_set_the_rule(owner):
    member = make_teammate(owner, Role.MEMBER)
    with nothing_changes():
        assert refusal_of(member.client.put(RULE, rule())) == (403, "permission_denied")


# ── Buying


def test_a_pack_is_bought_when_credits_run_low(shop, saver):
    spend(saver, 100)
    sweep(shop)
    assert (balance_of(saver), TopUp.objects.get().status, failed_syncs()) == (130, TopUpStatus.PAID, [])
    assert Payment.objects.get(kind="top_up").amount == 1200


def test_nothing_is_bought_above_the_threshold(shop, saver):
    spend(saver, 80)
    sweep(shop)
    assert (balance_of(saver), TopUp.objects.count()) == (50, 0)


def test_nothing_is_bought_for_an_account_without_a_customer(shop, owner):
    data_of(owner.client.put(RULE, rule()))
    spend(owner, 20)
    sweep(shop)
    assert (balance_of(owner), TopUp.objects.count()) == (10, 0)
    assert data_of(owner.client.get(RULE))["pause_reason"] is None


def test_held_credits_count_as_spent_for_the_threshold(shop, saver):
    hold(saver.account.pk, 100, reference="video:1")
    sweep(shop)
    assert saver.wallet.available == 130


def test_a_rule_that_is_off_buys_nothing(shop, saver):
    saver.client.put(RULE, rule(enabled=False))
    spend(saver, 100)
    sweep(shop)
    assert (balance_of(saver), TopUp.objects.count()) == (30, 0)


def test_a_second_automatic_purchase_waits_for_the_first(shop, saver):
    spend(saver, 130)
    for _ in range(3):
        auto_top_up.sweep_top_ups()
    assert TopUp.objects.count() == 1


def test_purchases_stop_at_the_monthly_limit(shop, saver):
    saver.client.put(RULE, rule(monthly_limit=2_400))
    for _ in range(3):
        spend(saver, balance_of(saver))
        sweep(shop)
    assert (Payment.objects.filter(kind="top_up").count(), balance_of(saver)) == (2, 0)
    assert TopUpRule.objects.get().pause_reason == "monthly_limit"


def test_the_monthly_limit_starts_anew_each_month(shop, saver):
    saver.client.put(RULE, rule(monthly_limit=1_200))
    for _ in range(2):
        spend(saver, balance_of(saver))
        sweep(shop)
    pause = TopUpRule.objects.get().paused_until
    assert pause == (
        timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)
    ).replace(day=1)
    with time_machine.travel(pause + timedelta(hours=1), tick=True):
        assert auto_top_up.spent_this_month(saver.account.pk) == 0


def test_two_workers_charge_one_purchase_once(shop, saver):
    spend(saver, 100)
    auto_top_up.sweep_top_ups()
    (pk,) = due()
    assert [auto_top_up.run_top_up(pk), auto_top_up.run_top_up(pk)] == [True, False]
    shop.deliver_events()
    assert len([each for each in shop.stripe.records()["charges"] if each["amount"] == 1200]) == 2


def test_a_lost_answer_of_stripe_does_not_charge_twice(shop, saver, sandbox):
    spend(saver, 100)
    auto_top_up.sweep_top_ups()
    (pk,) = due()
    sandbox.fault(kind="lost", path="/v1/payment_intents", method="POST", times=3)
    assert auto_top_up.run_top_up(pk) is False
    TopUp.objects.update(due_at=timezone.now())
    assert auto_top_up.run_top_up(pk) is True
    shop.deliver_events()
    assert (balance_of(saver), len(shop.stripe.records()["charges"])) == (130, 2)


def test_a_charge_is_looked_up_when_its_call_has_changed_since(shop, saver, sandbox):
    spend(saver, 100)
    auto_top_up.sweep_top_ups()
    (pk,) = due()
    sandbox.fault(kind="lost", path="/v1/payment_intents", method="POST", times=3)
    auto_top_up.run_top_up(pk)
    Plan.objects.filter(code="pack-100").update(name="A hundred")
    TopUp.objects.update(due_at=timezone.now())
    assert (auto_top_up.run_top_up(pk), TopUp.objects.get().status, balance_of(saver)) == (True, TopUpStatus.PAID, 130)


def test_a_rule_is_checked_again_under_the_lock(shop, saver):
    spend(saver, 100)
    (found,) = auto_top_up._due_rules()
    grant(saver.account.pk, 100, source=LotSource.STAFF, reference="meanwhile")
    auto_top_up._start_purchase(found)
    assert TopUp.objects.count() == 0


def test_a_charge_older_than_its_key_is_looked_up_at_stripe(shop, saver, sandbox):
    spend(saver, 100)
    auto_top_up.sweep_top_ups()
    (pk,) = due()
    sandbox.fault(kind="lost", path="/v1/payment_intents", method="POST", times=3)
    auto_top_up.run_top_up(pk)
    TopUp.objects.update(created_at=timezone.now() - timedelta(hours=24), due_at=timezone.now())
    assert auto_top_up.run_top_up(pk) is True
    assert (balance_of(saver), len(shop.stripe.records()["charges"])) == (130, 2)


def test_a_purchase_that_was_never_charged_is_given_up_after_a_day(shop, saver):
    spend(saver, 100)
    auto_top_up.sweep_top_ups()
    (pk,) = due()
    TopUp.objects.update(created_at=timezone.now() - timedelta(hours=24))
    assert auto_top_up.run_top_up(pk) is False
    assert (TopUp.objects.get().status, TopUp.objects.get().error) == (TopUpStatus.FAILED, "gave_up")


def test_a_refund_of_an_automatic_purchase_takes_its_credits(shop, saver):
    spend(saver, 100)
    sweep(shop)
    shop.stripe.refund(Payment.objects.get(kind="top_up").stripe_charge_id)
    shop.deliver_events()
    assert balance_of(saver) == 30


# ── Refused cards


def test_a_missing_card_pauses_the_rule_and_mails_the_owner(shop, saver, mailoutbox):
    remove_cards(saver)
    spend(saver, 100)
    sweep(shop)
    sweep(shop)
    shop.send_mails()
    assert (balance_of(saver), TopUp.objects.get().status) == (30, TopUpStatus.FAILED)
    assert data_of(saver.client.get(RULE))["pause_reason"] == "no_card"
    assert [mail.to for mail in mailoutbox if "automatic payment failed" in mail.subject] == [["owner@example.com"]]


def remove_cards(person) -> None:
    """As an owner may in the portal."""
    customer_id = Customer.objects.get(account=person.account).stripe_customer_id
    for method in stripe_client.list_all("payment_methods", customer=customer_id, type="card"):
        stripe_client.post(f"payment_methods/{method['id']}/detach", key=f"detach:{method['id']}")


def test_a_declined_card_pauses_the_rule(shop, saver):
    remove_cards(saver)
    customer_id = Customer.objects.get(account=saver.account).stripe_customer_id
    stripe_client.post("payment_methods/pm_card_chargeCustomerFail/attach", key="attach", customer=customer_id)
    spend(saver, 100)
    sweep(shop)
    assert (balance_of(saver), TopUp.objects.get().status) == (30, TopUpStatus.FAILED)
    assert data_of(saver.client.get(RULE))["pause_reason"] == "card_declined"


def test_a_charge_that_needs_confirmation_mails_the_owner_a_link_to_pay(shop, owner, mailoutbox):
    saved(shop, owner, ALWAYS_ASKED)
    spend(owner, 100)
    sweep(shop)
    shop.send_mails()
    (sent,) = [mail for mail in mailoutbox if "confirm a payment" in mail.subject]
    assert (balance_of(owner), TopUp.objects.get().status) == (30, TopUpStatus.NEEDS_ACTION)
    assert f"/?billing&buy={plan('pack-100').pk}" in sent.body


def test_a_pause_after_a_refusal_ends_after_a_day(shop, owner):
    saved(shop, owner, ALWAYS_ASKED)
    spend(owner, 100)
    sweep(shop)
    sweep(shop)
    assert TopUp.objects.count() == 1
    TopUpRule.objects.update(paused_until=timezone.now())
    sweep(shop)
    assert TopUp.objects.count() == 2


def test_each_further_refusal_doubles_the_pause(shop, saver):
    remove_cards(saver)
    spend(saver, 100)
    pauses = []
    for _ in range(7):
        TopUpRule.objects.update(paused_until=None)
        sweep(shop)
        pauses.append(round((TopUpRule.objects.get().paused_until - timezone.now()) / timedelta(days=1)))
    assert pauses == [1, 2, 4, 8, 16, 32, 32]


def test_a_successful_purchase_resets_the_length_of_the_pause(shop, saver):
    remove_cards(saver)
    spend(saver, 100)
    for _ in range(2):
        TopUpRule.objects.update(paused_until=None)
        sweep(shop)
    customer_id = Customer.objects.get(account=saver.account).stripe_customer_id
    stripe_client.post("payment_methods/pm_card_visa/attach", key="attach", customer=customer_id)
    TopUpRule.objects.update(paused_until=None)
    sweep(shop)
    assert balance_of(saver) == 130
    remove_cards(saver)
    spend(saver, 100)
    before = timezone.now()
    sweep(shop)
    statuses = TopUp.objects.order_by("created_at").values_list("status", flat=True)
    assert list(statuses) == [TopUpStatus.FAILED, TopUpStatus.FAILED, TopUpStatus.PAID, TopUpStatus.FAILED]
    assert lies_ahead(TopUpRule.objects.get().paused_until, timedelta(days=1).total_seconds(), since=before)


@pytest.mark.parametrize("objection", ["dispute", "fraud_warning"])
def test_a_dispute_switches_automatic_purchases_off(shop, saver, objection):
    getattr(shop.stripe, objection)(Payment.objects.get().stripe_charge_id)
    shop.deliver_events()
    spend(saver, max(0, balance_of(saver)))
    sweep(shop)
    shown = data_of(saver.client.get(RULE))
    assert (TopUp.objects.count(), shown["enabled"], shown["pause_reason"]) == (0, False, "disputed")
    saver.client.put(RULE, rule())
    sweep(shop)
    assert TopUp.objects.count() == 1


def test_setting_the_rule_again_ends_a_pause(owner):
    owner.client.put(RULE, rule())
    TopUpRule.objects.update(paused_until=datetime(2100, 1, 1, tzinfo=UTC), pause_reason="card_declined")
    shown = data_of(owner.client.put(RULE, rule()))
    assert (shown["paused_until"], shown["pause_reason"]) == (None, None)


def test_a_pack_that_is_not_for_sale_any_more_is_not_bought(shop, saver):
    Plan.objects.filter(code="pack-100").update(is_active=False)
    spend(saver, 100)
    sweep(shop)
    assert TopUp.objects.count() == 0

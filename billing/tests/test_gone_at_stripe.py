"""Objects that Stripe no longer knows, as after a change of mode or account, count as deleted."""

import pytest

from billing.enums import SyncKind
from billing.models import Checkout, Customer, FormerCustomer, Invoice, Plan, Shop, Subscription, TopUp, TopUpRule
from billing.purchases import auto_top_up
from billing.stripe import shop_setup as stripe_catalogue
from billing.stripe_sync import handlers
from billing.tests.shop import balance_of, failed_syncs, plan
from genvid.tests.asserts import data_of, nothing_changes, refusal_of

pytestmark = pytest.mark.django_db
CHECKOUT = "/api/v1/billing/checkout"
PORTAL = "/api/v1/billing/portal"


def everything_is_of_another_mode() -> None:
    """All ids that we hold are of a Stripe that another key was for."""
    Customer.objects.update(stripe_customer_id="cus_of_before")
    Subscription.objects.update(stripe_subscription_id="sub_of_before")
    Checkout.objects.filter(stripe_session_id__isnull=False).update(stripe_session_id="cs_of_before")
    Shop.objects.update(portal_configuration_id="bpc_of_before")
    for each in Plan.objects.all():
        Plan.objects.filter(pk=each.pk).update(stripe_product_id=f"prod_before_{each.code}")
        each.prices.filter(is_current=True).update(stripe_price_id=f"price_before_{each.code}")


def test_an_open_pay_page_does_not_prevent_a_subscription(shop, owner):
    shop.open_checkout(owner, "starter-month")
    Checkout.objects.update(stripe_session_id="cs_of_before")
    shop.subscribe(owner, "pro-month")
    assert (Checkout.objects.get(stripe_session_id="cs_of_before").status, balance_of(owner)) == ("expired", 510)


def test_after_a_change_of_mode_a_subscriber_can_subscribe_again(shop, owner):
    shop.subscribe(owner, "pro-month")
    everything_is_of_another_mode()
    shop.subscribe(owner, "starter-month")
    ended = Subscription.objects.get(pk="sub_of_before")
    assert (ended.status, owner.wallet.tier_id, failed_syncs()) == ("canceled", "starter", [])
    assert FormerCustomer.objects.get().pk == "cus_of_before"


def test_after_a_change_of_mode_packs_are_sold_at_new_prices(shop, owner):
    everything_is_of_another_mode()
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    price = plan("pack-100").prices.get(is_current=True)
    assert (balance_of(owner), stripe_catalogue.has_price(price.stripe_price_id)) == (130, True)
    assert Checkout.objects.get().price == price


def test_a_live_subscription_prevents_a_second_one(shop, owner):
    shop.subscribe(owner, "pro-month")
    answer = owner.client.post(CHECKOUT, {"plan_id": str(plan("starter-month").pk)})
    assert (refusal_of(answer), owner.wallet.tier_id) == ((409, "conflict"), "pro")


def test_a_subscriptions_row_counts_while_stripe_does_not_answer(shop, owner, sandbox):
    shop.subscribe(owner, "pro-month")
    sandbox.fault(path="/v1/subscriptions/*", times=9, status=500)
    answer = owner.client.post(CHECKOUT, {"plan_id": str(plan("starter-month").pk)})
    assert (refusal_of(answer), owner.wallet.tier_id) == ((409, "conflict"), "pro")


def test_a_portal_of_another_mode_is_created_again(shop, owner):
    shop.buy(owner, "pack-100")
    Shop.objects.update(portal_configuration_id="bpc_of_before")
    assert data_of(owner.client.post(PORTAL), 201)["portal_url"]
    assert Shop.objects.get().portal_configuration_id not in ("", "bpc_of_before")


def test_the_tier_of_a_subscription_of_another_mode_ends(shop, owner):
    shop.subscribe(owner, "pro-month")
    Subscription.objects.update(stripe_subscription_id="sub_of_before")
    handlers.sync_object(SyncKind.SUBSCRIPTION, "sub_of_before")
    assert (Subscription.objects.get().status, owner.wallet.tier_id) == ("canceled", None)


def test_a_subscription_that_had_ended_keeps_its_end(shop, owner):
    shop.stripe.cancel(shop.subscribe(owner, "pro-month"))
    shop.deliver_events()
    Subscription.objects.update(stripe_subscription_id="sub_of_before")
    with nothing_changes():
        handlers.sync_object(SyncKind.SUBSCRIPTION, "sub_of_before")
    assert Subscription.objects.get().status == "canceled"


def test_an_unpaid_invoice_of_another_mode_is_void(shop, owner):
    shop.stripe.renew(shop.subscribe(owner), succeeds=False)
    shop.deliver_events()
    Invoice.objects.filter(status="open").update(stripe_invoice_id="in_of_before")
    handlers.sync_object(SyncKind.INVOICE, "in_of_before")
    assert sorted(Invoice.objects.values_list("status", flat=True)) == ["paid", "void"]


@pytest.mark.parametrize("kind", [SyncKind.CHARGE, SyncKind.PAYMENT_INTENT, SyncKind.CUSTOMER])
def test_unknown_objects_without_a_row_are_ignored(shop, kind):
    handlers.sync_object(kind, "xx_of_before")
    assert failed_syncs() == []


def test_an_automatic_purchase_releases_a_deleted_customer(shop, owner):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    pack = plan("pack-100")
    TopUpRule.objects.create(account=owner.account, threshold=50, plan=pack, monthly_limit=9_000)
    price = pack.prices.get(is_current=True)
    begun = TopUp.objects.create(account=owner.account, price=price, amount=price.amount)
    Customer.objects.update(stripe_customer_id="cus_of_before")
    auto_top_up.run_top_up(begun.pk)
    begun.refresh_from_db()
    assert (begun.status, begun.error, TopUpRule.objects.get().pause_reason) == ("failed", "no_card", "no_card")
    assert (Customer.objects.count(), FormerCustomer.objects.get().pk) == (0, "cus_of_before")

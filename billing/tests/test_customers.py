"""Customers that Stripe no longer knows: deleted there, or of another key's mode."""

import pytest
from djstripe.models import Event as MirroredEvent

from billing.checkout import account_erasure
from billing.models import Customer, FormerCustomer, Plan
from billing.stripe import stripe_client
from billing.stripe_sync import stripe_setup
from billing.tests.shop import balance_of, failed_syncs, plan
from genvid.tests.asserts import refusal_of

pytestmark = pytest.mark.django_db
PORTAL = "/api/v1/billing/portal"


def delete_at_stripe(person) -> None:
    """As staff may in Stripe's dashboard."""
    stripe_client.delete(f"customers/{person.account.customer.stripe_customer_id}")


@pytest.fixture
def gone(shop, owner):
    """An owner whose customer was deleted, and with it the subscription."""
    shop.subscribe(owner, "pro-month")
    delete_at_stripe(owner)
    shop.deliver_events()
    return owner


def test_a_deleted_customer_has_no_tier(shop, gone):
    assert (gone.wallet.tier_id, FormerCustomer.objects.get().account, failed_syncs()) == (None, gone.account, [])


def test_an_account_with_a_deleted_customer_buys_as_a_new_one(shop, gone):
    shop.buy(gone, "pack-100")
    shop.deliver_events()
    assert (balance_of(gone), failed_syncs()) == (30 + 480 + 100, [])


def test_a_refund_of_a_former_customers_payment_takes_its_credits(shop, gone):
    shop.buy(gone, "pack-100")
    shop.stripe.refund(next(each["id"] for each in shop.stripe.records()["charges"] if each["amount"] == 4_900))
    shop.deliver_events()
    assert (balance_of(gone), failed_syncs()) == (30 + 100, [])


def test_a_deleted_customer_has_no_portal(shop, gone):
    assert refusal_of(gone.client.post(PORTAL)) == (409, "conflict")


def test_a_deletion_without_an_event_is_found_by_the_next_purchase(shop, owner):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    delete_at_stripe(owner)
    shop.new_events()
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    assert (balance_of(owner), Customer.objects.count(), FormerCustomer.objects.count()) == (230, 1, 1)


def test_a_customer_of_another_stripe_mode_is_replaced(shop, owner):
    Customer.objects.create(account=owner.account, stripe_customer_id="cus_of_test_mode")
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    assert balance_of(owner) == 130


def test_plans_of_another_stripe_mode_are_pushed_again(shop, owner):
    Plan.objects.filter(code="pack-100").update(stripe_product_id="prod_of_test_mode")
    plan("pack-100").prices.update(stripe_price_id="price_of_test_mode")
    stripe_setup.set_up_stripe()
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    assert (balance_of(owner), plan("pack-100").prices.filter(is_current=True).count()) == (130, 1)


# ── Erasure


def test_an_erasure_that_dies_after_the_deletion_is_completed_later(shop, owner):
    shop.subscribe(owner)
    delete_at_stripe(owner)
    assert account_erasure.close_at_stripe(owner.account.pk) == ""
    assert MirroredEvent.objects.filter(type__startswith="invoice").count() == 0


def test_the_event_of_an_erased_customers_deletion_stores_no_name(shop, owner):
    shop.subscribe(owner)
    account_erasure.close_at_stripe(owner.account.pk)
    shop.deliver_events()
    assert not [event for event in MirroredEvent.objects.all() if owner.user.email in str(event.data)]
    assert failed_syncs() == []


def test_a_former_customer_is_erased_too(shop, gone):
    assert (account_erasure.close_at_stripe(gone.account.pk), FormerCustomer.objects.get().is_erased) == ("", True)
    assert MirroredEvent.objects.filter(type="customer.deleted").count() == 0

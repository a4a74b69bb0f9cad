"""Who an account is at Stripe, once Stripe knows them no more: deleted there, or of the mode of another key."""

import pytest
from djstripe.models import Event as MirroredEvent

from billing.checkout import account_erasure
from billing.models import Customer, FormerCustomer, Plan
from billing.stripe import stripe_client
from billing.stripe_sync import stripe_setup
from billing.tests.shop import balance_of, plan, stuck
from genvid.tests.asserts import refusal_of

pytestmark = pytest.mark.django_db
PORTAL = "/api/v1/billing/portal"


def delete_at_stripe(person) -> None:
    """As staff may in Stripe's dashboard."""
    stripe_client.delete(f"customers/{person.account.customer.stripe_customer_id}")


@pytest.fixture
def gone(shop, owner):
    """Had a subscription, which ended with the customer."""
    shop.subscribe(owner, "pro-month")
    delete_at_stripe(owner)
    shop.tell()
    return owner


def test_who_is_gone_has_no_tier_any_more(shop, gone):
    assert (gone.wallet.tier_id, FormerCustomer.objects.get().account, stuck()) == (None, gone.account, [])


def test_who_is_gone_buys_again_as_somebody_new(shop, gone):
    shop.buy(gone, "pack-100")
    shop.tell()
    assert (balance_of(gone), stuck()) == (30 + 480 + 100, [])


def test_what_the_former_customer_paid_still_goes_back(shop, gone):
    shop.buy(gone, "pack-100")
    shop.stripe.refund(next(each["id"] for each in shop.stripe.records()["charges"] if each["amount"] == 4_900))
    shop.tell()
    assert (balance_of(gone), stuck()) == (30 + 100, [])


def test_who_is_gone_has_no_portal(shop, gone):
    assert refusal_of(gone.client.post(PORTAL)) == (409, "conflict")


def test_a_deletion_that_nobody_told_us_of_is_found_by_the_next_purchase(shop, owner):
    shop.buy(owner, "pack-100")
    shop.tell()
    delete_at_stripe(owner)
    shop.new_events()
    shop.buy(owner, "pack-100")
    shop.tell()
    assert (balance_of(owner), Customer.objects.count(), FormerCustomer.objects.count()) == (230, 1, 1)


def test_a_customer_of_another_mode_is_made_anew(shop, owner):
    Customer.objects.create(account=owner.account, stripe_customer_id="cus_of_test_mode")
    shop.buy(owner, "pack-100")
    shop.tell()
    assert balance_of(owner) == 130


def test_plans_of_another_mode_are_made_anew(shop, owner):
    Plan.objects.filter(code="pack-100").update(stripe_product_id="prod_of_test_mode")
    plan("pack-100").prices.update(stripe_price_id="price_of_test_mode")
    stripe_setup.set_up_stripe()
    shop.buy(owner, "pack-100")
    shop.tell()
    assert (balance_of(owner), plan("pack-100").prices.filter(is_current=True).count()) == (130, 1)


# ── Erased on their own wish


def test_whoever_dies_after_the_deletion_is_followed_by_somebody_who_forgets(shop, owner):
    shop.subscribe(owner)
    delete_at_stripe(owner)
    assert account_erasure.close_at_stripe(owner.account.pk) == ""
    assert MirroredEvent.objects.filter(type__startswith="invoice").count() == 0


def test_news_of_the_deletion_leaves_no_name_behind(shop, owner):
    shop.subscribe(owner)
    account_erasure.close_at_stripe(owner.account.pk)
    shop.tell()
    assert not [event for event in MirroredEvent.objects.all() if owner.user.email in str(event.data)]
    assert stuck() == []


def test_who_was_let_go_before_is_forgotten_too(shop, gone):
    assert (account_erasure.close_at_stripe(gone.account.pk), FormerCustomer.objects.get().is_erased) == ("", True)
    assert MirroredEvent.objects.filter(type="customer.deleted").count() == 0

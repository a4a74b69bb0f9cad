"""`manage.py check_stripe`: customers and running subscriptions, here and at Stripe. It repairs nothing."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from billing.models import Customer, Subscription
from billing.stripe import commands

pytestmark = pytest.mark.django_db


def differences() -> list[str]:
    with pytest.raises(CommandError) as refused:
        call_command("check_stripe", stdout=StringIO())
    first, *found = str(refused.value).splitlines()
    assert first == "Stripe differs:"
    return found


def test_what_is_as_at_stripe_passes(shop, owner):
    shop.subscribe(owner)
    out = StringIO()
    call_command("check_stripe", stdout=out)
    assert out.getvalue() == "Customers and subscriptions are as at Stripe.\n"


def test_a_subscription_of_another_status_is_named_and_stays(shop, owner):
    subscription_id = shop.subscribe(owner)
    Subscription.objects.filter(pk=subscription_id).update(status="past_due")
    assert differences() == [f"{subscription_id}: past_due here, active at Stripe"]
    assert Subscription.objects.get().status == "past_due"


def test_a_subscription_that_stripe_does_not_have_is_named(shop, owner):
    shop.subscribe(owner)
    Subscription.objects.update(stripe_subscription_id="sub_gone")
    assert differences() == ["sub_gone: active here, missing at Stripe"]


def test_a_customer_that_is_gone_at_stripe_is_named(shop, owner):
    shop.buy(owner, "pack-100")
    customer = Customer.objects.get()
    commands.delete_customer(customer.stripe_customer_id)
    said = f"{customer.stripe_customer_id}: of account {owner.account.pk} here, missing at Stripe"
    assert differences() == [said]


def test_a_silent_stripe_fails_the_check(owner):
    Customer.objects.create(account=owner.account, stripe_customer_id="cus_1")
    with pytest.raises(CommandError, match=r"^Stripe refused or did not answer: "):
        call_command("check_stripe", stdout=StringIO())

from typing import Any

import httpx
import pytest

from genvid.sandbox.tests.stripe_merchant import Merchant

FORM = {"number": "5555 5555 5555 4444", "expiry": "12/34", "cvc": "123", "name": "Bo"}


def features(merchant: Merchant) -> dict[str, Any]:
    return {
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price"],
            "proration_behavior": "always_invoice",
            "products": [{"product": merchant.product, "prices": [merchant.basic, merchant.pro]}],
        },
    }


def enter(merchant: Merchant, **changes: Any) -> str:
    """The address of a portal session."""
    configuration = merchant.api.billing_portal.configurations.create({"features": {**features(merchant), **changes}})
    params = {
        "customer": merchant.customer,
        "return_url": "http://shop.test/account",
        "configuration": configuration.id,
    }
    return str(merchant.api.billing_portal.sessions.create(params).url)


def test_the_portal_shows_plan_card_and_invoices(merchant: Merchant) -> None:
    merchant.subscribe()

    page = merchant.http.get(enter(merchant)).text

    words = (
        "$20.00 per month",
        "$50.00 per month",
        "Card ending in 4242",
        "Cancel plan",
        "PDF",
        "http://shop.test/account",
    )
    assert [word for word in words if word not in page] == []


def test_a_plan_is_changed_in_the_portal(merchant: Merchant) -> None:
    subscription = merchant.subscribe()

    answer = merchant.http.post(enter(merchant) + "/switch", data={"subscription": subscription, "price": merchant.pro})

    assert answer.status_code == 303
    assert merchant.subscription(subscription)["items"].data[0].price.id == merchant.pro
    assert merchant.latest_invoice(subscription).billing_reason == "subscription_update"


def test_a_plan_is_canceled_and_kept_in_the_portal(merchant: Merchant) -> None:
    subscription, portal = merchant.subscribe(), enter(merchant)

    merchant.http.post(portal + "/cancel", data={"subscription": subscription})
    assert merchant.subscription(subscription).cancel_at_period_end is True
    assert "Your plan ends on" in merchant.http.get(portal).text
    merchant.http.post(portal + "/resume", data={"subscription": subscription})

    assert merchant.subscription(subscription).cancel_at_period_end is False


def test_a_plan_is_canceled_at_once_if_the_portal_is_configured_so(merchant: Merchant) -> None:
    subscription = merchant.subscribe()
    portal = enter(merchant, subscription_cancel={"enabled": True, "mode": "immediately"})

    merchant.http.post(portal + "/cancel", data={"subscription": subscription})

    assert merchant.subscription(subscription).status == "canceled"


def test_a_card_is_replaced_in_the_portal(merchant: Merchant) -> None:
    subscription, portal = merchant.subscribe(), enter(merchant)

    refused = merchant.http.post(portal + "/card", data={**FORM, "number": "4000000000000002"})
    merchant.http.post(portal + "/card", data=FORM)

    chosen = merchant.api.customers.retrieve(merchant.customer).invoice_settings.default_payment_method
    assert (refused.status_code, "Your card was declined." in refused.text) == (402, True)
    assert merchant.api.payment_methods.retrieve(chosen).card.last4 == "4444"
    assert merchant.subscription(subscription).default_payment_method == chosen


def post(merchant: Merchant, portal: str, action: str, **data: str) -> httpx.Response:
    return merchant.http.post(f"{portal}/{action}", data=data)


@pytest.mark.parametrize("feature", ["subscription_update", "subscription_cancel", "payment_method_update"])
def test_a_disabled_portal_feature_is_refused(feature: str, merchant: Merchant) -> None:
    subscription, portal = merchant.subscribe(), enter(merchant, **{feature: {"enabled": False}})
    action = {"subscription_update": "switch", "subscription_cancel": "cancel", "payment_method_update": "card"}[
        feature
    ]
    before = merchant.subscription(subscription).to_dict()

    answer = post(merchant, portal, action, subscription=subscription, price=merchant.pro, **FORM)

    assert answer.status_code == 403
    assert merchant.subscription(subscription).to_dict() == before


def test_another_customers_subscription_is_refused_in_the_portal(merchant: Merchant) -> None:
    other = merchant.api.customers.create({"email": "other@example.com"}).id
    theirs = merchant.subscribe(customer=other)

    assert post(merchant, enter(merchant), "cancel", subscription=theirs).status_code == 403
    assert merchant.subscription(theirs).cancel_at_period_end is False


def test_a_price_that_the_portal_does_not_offer_is_refused(merchant: Merchant) -> None:
    subscription = merchant.subscribe()

    assert (
        post(merchant, enter(merchant), "switch", subscription=subscription, price=merchant.yearly).status_code == 403
    )


def test_a_portal_configuration_is_changed_and_listed(merchant: Merchant) -> None:
    made = merchant.api.billing_portal.configurations.create(
        {"features": features(merchant), "business_profile": {"headline": "A"}}
    )

    changed = merchant.api.billing_portal.configurations.update(
        made.id, {"features": {"invoice_history": {"enabled": False}}}
    )

    assert changed.features.invoice_history.enabled is False
    assert changed.features.subscription_cancel.enabled is True
    assert merchant.api.billing_portal.configurations.retrieve(made.id).business_profile.headline == "A"
    assert [one.id for one in merchant.api.billing_portal.configurations.list({"active": True}).data] == [made.id]


def test_a_portal_session_without_a_configuration_uses_the_default_one(merchant: Merchant) -> None:
    session = merchant.api.billing_portal.sessions.create(
        {"customer": merchant.customer, "return_url": "http://shop.test/"}
    )

    assert merchant.api.billing_portal.configurations.list({"is_default": True}).data[0].id == session.configuration
    assert "You have no subscription." in merchant.http.get(session.url).text

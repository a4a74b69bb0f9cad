from typing import Any

import httpx
import pytest

from genvid.sandbox.tests.stripe_shop import Shop

FORM = {"number": "5555 5555 5555 4444", "expiry": "12/34", "cvc": "123", "name": "Bo"}


def features(shop: Shop) -> dict[str, Any]:
    return {
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price"],
            "proration_behavior": "always_invoice",
            "products": [{"product": shop.product, "prices": [shop.basic, shop.pro]}],
        },
    }


def enter(shop: Shop, **changes: Any) -> str:
    """The address of a portal session."""
    configuration = shop.api.billing_portal.configurations.create({"features": {**features(shop), **changes}})
    params = {"customer": shop.customer, "return_url": "http://shop.test/account", "configuration": configuration.id}
    return str(shop.api.billing_portal.sessions.create(params).url)


def test_the_portal_shows_plan_card_and_invoices(shop: Shop) -> None:
    shop.subscribe()

    page = shop.http.get(enter(shop)).text

    words = (
        "$20.00 per month",
        "$50.00 per month",
        "Card ending in 4242",
        "Cancel plan",
        "PDF",
        "http://shop.test/account",
    )
    assert [word for word in words if word not in page] == []


def test_another_plan_is_chosen_there(shop: Shop) -> None:
    subscription = shop.subscribe()

    answer = shop.http.post(enter(shop) + "/switch", data={"subscription": subscription, "price": shop.pro})

    assert answer.status_code == 303
    assert shop.subscription(subscription)["items"].data[0].price.id == shop.pro
    assert shop.latest_invoice(subscription).billing_reason == "subscription_update"


def test_a_plan_is_canceled_and_kept_there(shop: Shop) -> None:
    subscription, portal = shop.subscribe(), enter(shop)

    shop.http.post(portal + "/cancel", data={"subscription": subscription})
    assert shop.subscription(subscription).cancel_at_period_end is True
    assert "Your plan ends on" in shop.http.get(portal).text
    shop.http.post(portal + "/resume", data={"subscription": subscription})

    assert shop.subscription(subscription).cancel_at_period_end is False


def test_a_plan_is_canceled_at_once_where_that_is_set(shop: Shop) -> None:
    subscription = shop.subscribe()
    portal = enter(shop, subscription_cancel={"enabled": True, "mode": "immediately"})

    shop.http.post(portal + "/cancel", data={"subscription": subscription})

    assert shop.subscription(subscription).status == "canceled"


def test_another_card_is_put_on_file_there(shop: Shop) -> None:
    subscription, portal = shop.subscribe(), enter(shop)

    refused = shop.http.post(portal + "/card", data={**FORM, "number": "4000000000000002"})
    shop.http.post(portal + "/card", data=FORM)

    chosen = shop.api.customers.retrieve(shop.customer).invoice_settings.default_payment_method
    assert (refused.status_code, "Your card was declined." in refused.text) == (402, True)
    assert shop.api.payment_methods.retrieve(chosen).card.last4 == "4444"
    assert shop.subscription(subscription).default_payment_method == chosen


def post(shop: Shop, portal: str, deed: str, **data: str) -> httpx.Response:
    return shop.http.post(f"{portal}/{deed}", data=data)


@pytest.mark.parametrize("feature", ["subscription_update", "subscription_cancel", "payment_method_update"])
def test_what_is_not_enabled_is_not_possible(feature: str, shop: Shop) -> None:
    subscription, portal = shop.subscribe(), enter(shop, **{feature: {"enabled": False}})
    deed = {"subscription_update": "switch", "subscription_cancel": "cancel", "payment_method_update": "card"}[feature]
    before = shop.subscription(subscription).to_dict()

    answer = post(shop, portal, deed, subscription=subscription, price=shop.pro, **FORM)

    assert answer.status_code == 403
    assert shop.subscription(subscription).to_dict() == before


def test_nobody_elses_subscription_is_touched(shop: Shop) -> None:
    other = shop.api.customers.create({"email": "other@example.com"}).id
    theirs = shop.subscribe(customer=other)

    assert post(shop, enter(shop), "cancel", subscription=theirs).status_code == 403
    assert shop.subscription(theirs).cancel_at_period_end is False


def test_a_price_that_is_not_offered_is_not_chosen(shop: Shop) -> None:
    subscription = shop.subscribe()

    assert post(shop, enter(shop), "switch", subscription=subscription, price=shop.yearly).status_code == 403


def test_a_configuration_is_changed_and_listed(shop: Shop) -> None:
    made = shop.api.billing_portal.configurations.create(
        {"features": features(shop), "business_profile": {"headline": "A"}}
    )

    changed = shop.api.billing_portal.configurations.update(
        made.id, {"features": {"invoice_history": {"enabled": False}}}
    )

    assert changed.features.invoice_history.enabled is False
    assert changed.features.subscription_cancel.enabled is True
    assert shop.api.billing_portal.configurations.retrieve(made.id).business_profile.headline == "A"
    assert [one.id for one in shop.api.billing_portal.configurations.list({"active": True}).data] == [made.id]


def test_without_a_configuration_the_default_one_is_used(shop: Shop) -> None:
    session = shop.api.billing_portal.sessions.create({"customer": shop.customer, "return_url": "http://shop.test/"})

    assert shop.api.billing_portal.configurations.list({"is_default": True}).data[0].id == session.configuration
    assert "You have no subscription." in shop.http.get(session.url).text

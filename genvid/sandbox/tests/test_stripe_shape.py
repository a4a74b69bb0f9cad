"""Fields of the sandbox's Stripe objects are those of the SDK's classes."""

from collections.abc import Iterator
from typing import Any

from stripe._object_classes import get_object_class  # no public name for it

from genvid.sandbox.tests.stripe_merchant import Merchant

LISTS = [
    "account",
    "checkout/sessions",
    "customers",
    "products",
    "prices",
    "coupons",
    "promotion_codes",
    "payment_intents",
    "charges",
    "refunds",
    "disputes",
    "balance_transactions",
    "radar/early_fraud_warnings",
    "subscriptions",
    "invoices",
    "invoiceitems",
    "invoice_payments",
    "events",
    "billing_portal/configurations",
    "webhook_endpoints",
    "test_helpers/test_clocks",
    "setup_intents",
    "payment_methods",
]
OPENED = {
    "checkout/sessions": ["data.line_items", "data.invoice", "data.subscription"],
    "invoices": ["data.payments", "data.discounts", "data.confirmation_secret"],
    "charges": ["data.refunds", "data.balance_transaction"],
    "customers": ["data.subscriptions", "data.sources"],
}


def everything(merchant: Merchant) -> None:
    """At least one of each kind of object."""
    coupon = merchant.api.coupons.create({"percent_off": 10, "duration": "once"}).id
    merchant.api.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon}, "code": "TEN"})
    merchant.api.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["nothing.ever"]})
    merchant.api.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000})
    subscription = merchant.subscribe(discounts=[{"coupon": coupon}])
    merchant.actions.change_price(subscription, merchant.pro)
    merchant.actions.renew(merchant.subscribe(subscription_data={"trial_period_days": 7}), succeeds=False)
    draft = merchant.api.invoices.create({"customer": merchant.customer}).id
    item = {"customer": merchant.customer, "amount": 300, "currency": "usd", "invoice": draft}
    merchant.api.invoice_items.create(item)
    charge = merchant.charge()
    merchant.actions.fail_refund(merchant.actions.refund(charge.id, 100)["id"])
    merchant.actions.close_dispute(merchant.actions.dispute(charge.id)["id"])
    merchant.actions.fraud_warning(charge.id)
    merchant.buy(invoice_creation={"enabled": True}, payment_intent_data={"setup_future_usage": "off_session"})
    merchant.actions.pay(merchant.session().id, method="bank")
    merchant.buy("4000000000000002")
    setup = {"mode": "setup", "customer": merchant.customer, "success_url": "http://shop.test/", "currency": "usd"}
    merchant.actions.pay(merchant.api.checkout.sessions.create(setup).id)
    merchant.api.billing_portal.sessions.create({"customer": merchant.customer, "return_url": "http://shop.test/"})


def objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every Stripe object in an answer, however deep."""
    if isinstance(node, list):
        for one in node:
            yield from objects(one)
    elif isinstance(node, dict):
        if isinstance(node.get("object"), str) and "id" in node:
            yield node
        for value in node.values():
            yield from objects(value)


def known_fields(kind: str) -> set[str]:
    return {name for one in get_object_class("V1", kind).__mro__ for name in getattr(one, "__annotations__", {})}


def test_every_field_is_one_that_the_sdk_knows(merchant: Merchant) -> None:
    everything(merchant)
    seen: dict[str, set[str]] = {}
    for path in LISTS:
        query = {} if path == "account" else {"limit": 100, "expand[]": OPENED.get(path, [])}
        if path == "payment_methods":
            query["customer"] = merchant.customer
        for one in objects(merchant.get(f"/v1/{path}", **query)):
            seen.setdefault(one["object"], set()).update(one)

    unknown = {kind: fields - known_fields(kind) for kind, fields in seen.items()}

    assert {kind: fields for kind, fields in unknown.items() if fields} == {}
    assert len(seen) == len(LISTS) + 4  # with items of sessions and subscriptions, lines of invoices, discounts


def test_no_internal_field_is_shown(merchant: Merchant) -> None:
    everything(merchant)

    for path in LISTS:
        query = {} if path == "account" else {"limit": 100}
        for one in objects(merchant.get(f"/v1/{path}", **query)):
            assert [name for name in one if name.startswith("_")] == []


def test_invoices_have_none_of_the_fields_that_stripe_has_removed(merchant: Merchant) -> None:
    invoice = merchant.get(f"/v1/invoices/{merchant.latest_invoice(merchant.subscribe()).id}")

    assert {"paid", "charge", "payment_intent", "subscription"} & set(invoice) == set()

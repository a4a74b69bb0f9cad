"""For each write operation of the sandbox's Stripe: something to carry it out on, and what it needs at least."""

from collections.abc import Callable
from typing import Any

from genvid.sandbox.stripe.stripe_core import API_VERSION
from genvid.sandbox.tests.stripe_shop import CANCEL, SUCCESS, Shop

Form = dict[str, Any]
Subject = Callable[[Shop], tuple[str, Form]]
FAR = 1_900_000_000
CARD = {"amount": 500, "currency": "usd", "payment_method": "pm_card_visa"}
ASKING_CARD = "pm_card_authenticationRequired"


def flat(form: Any, prefix: str = "") -> dict[str, str]:
    """Nested values in the keys of a form."""
    if isinstance(form, dict | list):
        pairs = form.items() if isinstance(form, dict) else enumerate(form)
        found: dict[str, str] = {}
        for name, value in pairs:
            found |= flat(value, f"{prefix}[{name}]" if prefix else str(name))
        return found
    return {prefix: str(form).lower() if isinstance(form, bool) else str(form)}


def post(shop: Shop, path: str, form: Form | None = None) -> Any:
    answer = shop.http.post(path, data=flat(form or {}))
    assert answer.status_code == 200, (path, form, answer.text)
    return answer.json()


def customer(shop: Shop, **form: Any) -> str:
    return str(post(shop, "/v1/customers", form)["id"])


def payer(shop: Shop) -> str:
    """A customer who has a card on file."""
    wanted = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    return customer(shop, **wanted)


def method(shop: Shop, card: str = "pm_card_visa", owner: str | None = None) -> str:
    return str(post(shop, f"/v1/payment_methods/{card}/attach", {"customer": owner or shop.customer})["id"])


def intent(shop: Shop, **form: Any) -> str:
    return str(post(shop, "/v1/payment_intents", {**CARD, **form})["id"])


def paid(shop: Shop) -> Any:
    return post(shop, "/v1/payment_intents", {**CARD, "confirm": True})


def coupon(shop: Shop, **form: Any) -> str:
    return str(post(shop, "/v1/coupons", {"percent_off": 25, "duration": "once", **form})["id"])


def promotion_code(shop: Shop, **form: Any) -> str:
    made = {"promotion": {"type": "coupon", "coupon": coupon(shop)}, **form}
    return str(post(shop, "/v1/promotion_codes", made)["id"])


def session(shop: Shop, **form: Any) -> Any:
    made = {"mode": "payment", "success_url": SUCCESS, "cancel_url": CANCEL, **form}
    return post(shop, "/v1/checkout/sessions", {"line_items": [{"price": shop.pack, "quantity": 1}], **made})


def subscription(shop: Shop, **form: Any) -> Any:
    return post(shop, "/v1/subscriptions", {"customer": payer(shop), "items": [{"price": shop.basic}], **form})


def paused(shop: Shop) -> str:
    trial = {"trial_period_days": 7, "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}}}
    made = subscription(shop, customer=customer(shop), **trial)
    owner = made["customer"]
    post(shop, f"/v1/subscriptions/{made['id']}", {"trial_end": "now"})
    chosen = {"default_payment_method": method(shop, owner=owner)}
    post(shop, f"/v1/customers/{owner}", {"invoice_settings": chosen})
    return str(made["id"])


def item(shop: Shop, owner: str, **form: Any) -> Any:
    made = {"customer": owner, "amount": 2000, "currency": "usd", **form}
    return post(shop, "/v1/invoiceitems", made)


def draft(shop: Shop, owner: str | None = None, **form: Any) -> str:
    who = owner or payer(shop)
    item(shop, who)
    wanted = {"customer": who, "pending_invoice_items_behavior": "include", **form}
    return str(post(shop, "/v1/invoices", wanted)["id"])


def sent_draft(shop: Shop) -> str:
    return draft(shop, collection_method="send_invoice", days_until_due=30)


def owed(shop: Shop, owner: str | None = None) -> str:
    made = draft(shop, owner)
    post(shop, f"/v1/invoices/{made}/finalize")
    return made


def configuration(shop: Shop) -> str:
    return str(post(shop, "/v1/billing_portal/configurations", {"features": {}})["id"])


def endpoint(shop: Shop) -> str:
    made = {"url": "http://127.0.0.1:9/", "enabled_events": ["charge.expired"], "api_version": API_VERSION}
    return str(post(shop, "/v1/webhook_endpoints", made)["id"])


def held(shop: Shop) -> str:
    return intent(shop, capture_method="manual", confirm=True)


def dispute(shop: Shop) -> str:
    return str(shop.pull.dispute(paid(shop)["latest_charge"])["id"])


def pending_refund(shop: Shop) -> str:
    return str(shop.pull.refund(paid(shop)["latest_charge"], status="pending")["id"])


def page(shop: Shop) -> tuple[str, Form]:
    card = post(shop, "/v1/payment_methods", {"type": "card", "card": {"token": "tok_visa"}})["id"]
    return f"/v1/payment_pages/{session(shop)['id']}/confirm", {"payment_method": card}


def price_of_a_new_product(shop: Shop) -> tuple[str, Form]:
    product = post(shop, "/v1/products", {"name": "A product"})["id"]
    return "/v1/prices", {"product": product, "currency": "usd", "unit_amount": 500}


def at(path: str, made: Callable[[Shop], str], **form: Any) -> Subject:
    return lambda shop: (path.format(id=made(shop)), form)


SUBJECTS: dict[str, Subject] = {
    "POST /v1/customers": lambda shop: ("/v1/customers", {}),
    "POST /v1/customers/{id}": at("/v1/customers/{id}", customer),
    "DELETE /v1/customers/{id}": at("/v1/customers/{id}", customer),
    "POST /v1/products": lambda shop: ("/v1/products", {"name": "A product"}),
    "POST /v1/products/{id}": at("/v1/products/{id}", lambda shop: shop.product),
    "DELETE /v1/products/{id}": at("/v1/products/{id}", lambda shop: shop.product),
    "POST /v1/prices": price_of_a_new_product,
    "POST /v1/prices/{id}": at("/v1/prices/{id}", lambda shop: shop.price(700)),
    "POST /v1/coupons": lambda shop: ("/v1/coupons", {"percent_off": 25}),
    "POST /v1/coupons/{id}": at("/v1/coupons/{id}", coupon),
    "DELETE /v1/coupons/{id}": at("/v1/coupons/{id}", coupon),
    "POST /v1/promotion_codes": lambda shop: ("/v1/promotion_codes", {"promotion": {"coupon": coupon(shop)}}),
    "POST /v1/promotion_codes/{id}": at("/v1/promotion_codes/{id}", promotion_code),
    "POST /v1/payment_methods": lambda shop: ("/v1/payment_methods", {"type": "card"}),
    "POST /v1/payment_methods/{id}/attach": lambda shop: (
        "/v1/payment_methods/pm_card_visa/attach",
        {"customer": shop.customer},
    ),
    "POST /v1/payment_methods/{id}/detach": at("/v1/payment_methods/{id}/detach", method),
    "POST /v1/payment_intents": lambda shop: ("/v1/payment_intents", CARD),
    "POST /v1/payment_intents/{id}": at("/v1/payment_intents/{id}", intent),
    "POST /v1/payment_intents/{id}/confirm": at("/v1/payment_intents/{id}/confirm", intent),
    "POST /v1/payment_intents/{id}/capture": at("/v1/payment_intents/{id}/capture", held),
    "POST /v1/payment_intents/{id}/cancel": at("/v1/payment_intents/{id}/cancel", intent),
    "POST /v1/setup_intents": lambda shop: ("/v1/setup_intents", {"payment_method": "pm_card_visa"}),
    "POST /v1/charges/{id}": at("/v1/charges/{id}", lambda shop: str(paid(shop)["latest_charge"])),
    "POST /v1/refunds": lambda shop: ("/v1/refunds", {"charge": paid(shop)["latest_charge"]}),
    "POST /v1/refunds/{id}": at("/v1/refunds/{id}", pending_refund),
    "POST /v1/refunds/{id}/cancel": at("/v1/refunds/{id}/cancel", pending_refund),
    "POST /v1/customers/{id}/balance_transactions": at(
        "/v1/customers/{id}/balance_transactions", customer, amount=-500, currency="usd"
    ),
    "POST /v1/disputes/{id}": at("/v1/disputes/{id}", dispute),
    "POST /v1/disputes/{id}/close": at("/v1/disputes/{id}/close", dispute),
    "POST /v1/checkout/sessions": lambda shop: (
        "/v1/checkout/sessions",
        {"mode": "payment", "success_url": SUCCESS, "line_items": [{"price": shop.pack, "quantity": 1}]},
    ),
    "POST /v1/checkout/sessions/{id}": at("/v1/checkout/sessions/{id}", lambda shop: str(session(shop)["id"])),
    "POST /v1/checkout/sessions/{id}/expire": at(
        "/v1/checkout/sessions/{id}/expire", lambda shop: str(session(shop)["id"])
    ),
    "POST /v1/payment_pages/{id}/confirm": page,
    "POST /v1/subscriptions": lambda shop: (
        "/v1/subscriptions",
        {"customer": payer(shop), "items": [{"price": shop.basic}]},
    ),
    "POST /v1/subscriptions/{id}": at("/v1/subscriptions/{id}", lambda shop: str(subscription(shop)["id"])),
    "POST /v1/subscriptions/{id}/resume": at("/v1/subscriptions/{id}/resume", paused),
    "DELETE /v1/subscriptions/{id}": at("/v1/subscriptions/{id}", lambda shop: str(subscription(shop)["id"])),
    "POST /v1/invoices": lambda shop: ("/v1/invoices", {"customer": payer(shop)}),
    "POST /v1/invoices/{id}": at("/v1/invoices/{id}", draft),
    "DELETE /v1/invoices/{id}": at("/v1/invoices/{id}", draft),
    "POST /v1/invoices/{id}/finalize": at("/v1/invoices/{id}/finalize", draft),
    "POST /v1/invoices/{id}/pay": at("/v1/invoices/{id}/pay", owed),
    "POST /v1/invoices/{id}/send": at("/v1/invoices/{id}/send", sent_draft),
    "POST /v1/invoices/{id}/void": at("/v1/invoices/{id}/void", owed),
    "POST /v1/invoices/{id}/mark_uncollectible": at("/v1/invoices/{id}/mark_uncollectible", owed),
    "POST /v1/invoiceitems": lambda shop: (
        "/v1/invoiceitems",
        {"customer": shop.customer, "amount": 700, "currency": "usd"},
    ),
    "POST /v1/invoiceitems/{id}": at("/v1/invoiceitems/{id}", lambda shop: str(item(shop, shop.customer)["id"])),
    "DELETE /v1/invoiceitems/{id}": at("/v1/invoiceitems/{id}", lambda shop: str(item(shop, shop.customer)["id"])),
    "POST /v1/billing_portal/configurations": lambda shop: (
        "/v1/billing_portal/configurations",
        {"features": {"invoice_history": {"enabled": True}}},
    ),
    "POST /v1/billing_portal/configurations/{id}": at("/v1/billing_portal/configurations/{id}", configuration),
    "POST /v1/billing_portal/sessions": lambda shop: ("/v1/billing_portal/sessions", {"customer": shop.customer}),
    "POST /v1/webhook_endpoints": lambda shop: (
        "/v1/webhook_endpoints",
        {"url": "http://127.0.0.1:9/", "enabled_events": ["charge.expired"]},
    ),
    "POST /v1/webhook_endpoints/{id}": at("/v1/webhook_endpoints/{id}", endpoint),
    "DELETE /v1/webhook_endpoints/{id}": at("/v1/webhook_endpoints/{id}", endpoint),
}

"""Path and required parameters of each write operation of the sandbox's Stripe, with the objects that it needs."""

from collections.abc import Callable
from typing import Any

from genvid.sandbox.stripe.stripe_core import API_VERSION
from genvid.sandbox.tests.stripe_merchant import CANCEL, SUCCESS, Merchant

Form = dict[str, Any]
Subject = Callable[[Merchant], tuple[str, Form]]
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


def post(merchant: Merchant, path: str, form: Form | None = None) -> Any:
    answer = merchant.http.post(path, data=flat(form or {}))
    assert answer.status_code == 200, (path, form, answer.text)
    return answer.json()


def customer(merchant: Merchant, **form: Any) -> str:
    return str(post(merchant, "/v1/customers", form)["id"])


def payer(merchant: Merchant) -> str:
    """A customer who has a card on file."""
    wanted = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    return customer(merchant, **wanted)


def method(merchant: Merchant, card: str = "pm_card_visa", owner: str | None = None) -> str:
    return str(post(merchant, f"/v1/payment_methods/{card}/attach", {"customer": owner or merchant.customer})["id"])


def intent(merchant: Merchant, **form: Any) -> str:
    return str(post(merchant, "/v1/payment_intents", {**CARD, **form})["id"])


def paid(merchant: Merchant) -> Any:
    return post(merchant, "/v1/payment_intents", {**CARD, "confirm": True})


def coupon(merchant: Merchant, **form: Any) -> str:
    return str(post(merchant, "/v1/coupons", {"percent_off": 25, "duration": "once", **form})["id"])


def promotion_code(merchant: Merchant, **form: Any) -> str:
    made = {"promotion": {"type": "coupon", "coupon": coupon(merchant)}, **form}
    return str(post(merchant, "/v1/promotion_codes", made)["id"])


def session(merchant: Merchant, **form: Any) -> Any:
    made = {"mode": "payment", "success_url": SUCCESS, "cancel_url": CANCEL, **form}
    return post(merchant, "/v1/checkout/sessions", {"line_items": [{"price": merchant.pack, "quantity": 1}], **made})


def subscription(merchant: Merchant, **form: Any) -> Any:
    return post(
        merchant, "/v1/subscriptions", {"customer": payer(merchant), "items": [{"price": merchant.basic}], **form}
    )


def paused(merchant: Merchant) -> str:
    trial = {"trial_period_days": 7, "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}}}
    made = subscription(merchant, customer=customer(merchant), **trial)
    owner = made["customer"]
    post(merchant, f"/v1/subscriptions/{made['id']}", {"trial_end": "now"})
    chosen = {"default_payment_method": method(merchant, owner=owner)}
    post(merchant, f"/v1/customers/{owner}", {"invoice_settings": chosen})
    return str(made["id"])


def item(merchant: Merchant, owner: str, **form: Any) -> Any:
    made = {"customer": owner, "amount": 2000, "currency": "usd", **form}
    return post(merchant, "/v1/invoiceitems", made)


def draft(merchant: Merchant, owner: str | None = None, **form: Any) -> str:
    who = owner or payer(merchant)
    item(merchant, who)
    wanted = {"customer": who, "pending_invoice_items_behavior": "include", **form}
    return str(post(merchant, "/v1/invoices", wanted)["id"])


def sent_draft(merchant: Merchant) -> str:
    return draft(merchant, collection_method="send_invoice", days_until_due=30)


def owed(merchant: Merchant, owner: str | None = None) -> str:
    made = draft(merchant, owner)
    post(merchant, f"/v1/invoices/{made}/finalize")
    return made


def clock(merchant: Merchant) -> str:
    return str(post(merchant, "/v1/test_helpers/test_clocks", {"frozen_time": FAR})["id"])


def configuration(merchant: Merchant) -> str:
    return str(post(merchant, "/v1/billing_portal/configurations", {"features": {}})["id"])


def endpoint(merchant: Merchant) -> str:
    made = {"url": "http://127.0.0.1:9/", "enabled_events": ["charge.expired"], "api_version": API_VERSION}
    return str(post(merchant, "/v1/webhook_endpoints", made)["id"])


def held(merchant: Merchant) -> str:
    return intent(merchant, capture_method="manual", confirm=True)


def dispute(merchant: Merchant) -> str:
    return str(merchant.actions.dispute(paid(merchant)["latest_charge"])["id"])


def pending_refund(merchant: Merchant) -> str:
    return str(merchant.actions.refund(paid(merchant)["latest_charge"], status="pending")["id"])


def page(merchant: Merchant) -> tuple[str, Form]:
    card = post(merchant, "/v1/payment_methods", {"type": "card", "card": {"token": "tok_visa"}})["id"]
    return f"/v1/payment_pages/{session(merchant)['id']}/confirm", {"payment_method": card}


def price_of_a_new_product(merchant: Merchant) -> tuple[str, Form]:
    product = post(merchant, "/v1/products", {"name": "A product"})["id"]
    return "/v1/prices", {"product": product, "currency": "usd", "unit_amount": 500}


def at(path: str, made: Callable[[Merchant], str], **form: Any) -> Subject:
    return lambda merchant: (path.format(id=made(merchant)), form)


SUBJECTS: dict[str, Subject] = {
    "POST /v1/customers": lambda merchant: ("/v1/customers", {}),
    "POST /v1/customers/{id}": at("/v1/customers/{id}", customer),
    "DELETE /v1/customers/{id}": at("/v1/customers/{id}", customer),
    "POST /v1/products": lambda merchant: ("/v1/products", {"name": "A product"}),
    "POST /v1/products/{id}": at("/v1/products/{id}", lambda merchant: merchant.product),
    "DELETE /v1/products/{id}": at("/v1/products/{id}", lambda merchant: merchant.product),
    "POST /v1/prices": price_of_a_new_product,
    "POST /v1/prices/{id}": at("/v1/prices/{id}", lambda merchant: merchant.price(700)),
    "POST /v1/coupons": lambda merchant: ("/v1/coupons", {"percent_off": 25}),
    "POST /v1/coupons/{id}": at("/v1/coupons/{id}", coupon),
    "DELETE /v1/coupons/{id}": at("/v1/coupons/{id}", coupon),
    "POST /v1/promotion_codes": lambda merchant: ("/v1/promotion_codes", {"promotion": {"coupon": coupon(merchant)}}),
    "POST /v1/promotion_codes/{id}": at("/v1/promotion_codes/{id}", promotion_code),
    "POST /v1/payment_methods": lambda merchant: ("/v1/payment_methods", {"type": "card"}),
    "POST /v1/payment_methods/{id}/attach": lambda merchant: (
        "/v1/payment_methods/pm_card_visa/attach",
        {"customer": merchant.customer},
    ),
    "POST /v1/payment_methods/{id}/detach": at("/v1/payment_methods/{id}/detach", method),
    "POST /v1/payment_intents": lambda merchant: ("/v1/payment_intents", CARD),
    "POST /v1/payment_intents/{id}": at("/v1/payment_intents/{id}", intent),
    "POST /v1/payment_intents/{id}/confirm": at("/v1/payment_intents/{id}/confirm", intent),
    "POST /v1/payment_intents/{id}/capture": at("/v1/payment_intents/{id}/capture", held),
    "POST /v1/payment_intents/{id}/cancel": at("/v1/payment_intents/{id}/cancel", intent),
    "POST /v1/setup_intents": lambda merchant: ("/v1/setup_intents", {"payment_method": "pm_card_visa"}),
    "POST /v1/charges/{id}": at("/v1/charges/{id}", lambda merchant: str(paid(merchant)["latest_charge"])),
    "POST /v1/refunds": lambda merchant: ("/v1/refunds", {"charge": paid(merchant)["latest_charge"]}),
    "POST /v1/refunds/{id}": at("/v1/refunds/{id}", pending_refund),
    "POST /v1/refunds/{id}/cancel": at("/v1/refunds/{id}/cancel", pending_refund),
    "POST /v1/customers/{id}/balance_transactions": at(
        "/v1/customers/{id}/balance_transactions", customer, amount=-500, currency="usd"
    ),
    "POST /v1/disputes/{id}": at("/v1/disputes/{id}", dispute),
    "POST /v1/disputes/{id}/close": at("/v1/disputes/{id}/close", dispute),
    "POST /v1/checkout/sessions": lambda merchant: (
        "/v1/checkout/sessions",
        {"mode": "payment", "success_url": SUCCESS, "line_items": [{"price": merchant.pack, "quantity": 1}]},
    ),
    "POST /v1/checkout/sessions/{id}": at("/v1/checkout/sessions/{id}", lambda merchant: str(session(merchant)["id"])),
    "POST /v1/checkout/sessions/{id}/expire": at(
        "/v1/checkout/sessions/{id}/expire", lambda merchant: str(session(merchant)["id"])
    ),
    "POST /v1/payment_pages/{id}/confirm": page,
    "POST /v1/subscriptions": lambda merchant: (
        "/v1/subscriptions",
        {"customer": payer(merchant), "items": [{"price": merchant.basic}]},
    ),
    "POST /v1/subscriptions/{id}": at("/v1/subscriptions/{id}", lambda merchant: str(subscription(merchant)["id"])),
    "POST /v1/subscriptions/{id}/resume": at("/v1/subscriptions/{id}/resume", paused),
    "DELETE /v1/subscriptions/{id}": at("/v1/subscriptions/{id}", lambda merchant: str(subscription(merchant)["id"])),
    "POST /v1/invoices": lambda merchant: ("/v1/invoices", {"customer": payer(merchant)}),
    "POST /v1/invoices/{id}": at("/v1/invoices/{id}", draft),
    "DELETE /v1/invoices/{id}": at("/v1/invoices/{id}", draft),
    "POST /v1/invoices/{id}/finalize": at("/v1/invoices/{id}/finalize", draft),
    "POST /v1/invoices/{id}/pay": at("/v1/invoices/{id}/pay", owed),
    "POST /v1/invoices/{id}/send": at("/v1/invoices/{id}/send", sent_draft),
    "POST /v1/invoices/{id}/void": at("/v1/invoices/{id}/void", owed),
    "POST /v1/invoices/{id}/mark_uncollectible": at("/v1/invoices/{id}/mark_uncollectible", owed),
    "POST /v1/invoiceitems": lambda merchant: (
        "/v1/invoiceitems",
        {"customer": merchant.customer, "amount": 700, "currency": "usd"},
    ),
    "POST /v1/invoiceitems/{id}": at(
        "/v1/invoiceitems/{id}", lambda merchant: str(item(merchant, merchant.customer)["id"])
    ),
    "DELETE /v1/invoiceitems/{id}": at(
        "/v1/invoiceitems/{id}", lambda merchant: str(item(merchant, merchant.customer)["id"])
    ),
    "POST /v1/billing_portal/configurations": lambda merchant: (
        "/v1/billing_portal/configurations",
        {"features": {"invoice_history": {"enabled": True}}},
    ),
    "POST /v1/billing_portal/configurations/{id}": at("/v1/billing_portal/configurations/{id}", configuration),
    "POST /v1/billing_portal/sessions": lambda merchant: (
        "/v1/billing_portal/sessions",
        {"customer": merchant.customer},
    ),
    "POST /v1/webhook_endpoints": lambda merchant: (
        "/v1/webhook_endpoints",
        {"url": "http://127.0.0.1:9/", "enabled_events": ["charge.expired"]},
    ),
    "POST /v1/webhook_endpoints/{id}": at("/v1/webhook_endpoints/{id}", endpoint),
    "DELETE /v1/webhook_endpoints/{id}": at("/v1/webhook_endpoints/{id}", endpoint),
    "POST /v1/test_helpers/test_clocks": lambda merchant: ("/v1/test_helpers/test_clocks", {"frozen_time": FAR}),
    "POST /v1/test_helpers/test_clocks/{id}/advance": at(
        "/v1/test_helpers/test_clocks/{id}/advance", clock, frozen_time=FAR + 60
    ),
    "DELETE /v1/test_helpers/test_clocks/{id}": at("/v1/test_helpers/test_clocks/{id}", clock),
}

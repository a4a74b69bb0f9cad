"""Effects of those parameters of the sandbox's Stripe that are not kept as a field."""

from collections.abc import Callable
from typing import Any

from genvid.sandbox.tests.stripe_merchant import Merchant
from genvid.sandbox.tests.stripe_samples import (
    ATTACH,
    CANCELLATION,
    CAPTURE,
    CLOCK,
    CODE,
    CONFIRM,
    CUSTOMER,
    CUSTOMERS,
    DISPUTE,
    ENDPOINT,
    FINALIZE,
    INTENT,
    INTENTS,
    INVOICE,
    INVOICES,
    ITEM,
    ITEMS,
    METHODS,
    PAGE,
    PAY,
    PRICE,
    PRICES,
    PRODUCTS,
    RESUME,
    SESSIONS,
    SETUPS,
    SUBSCRIPTION,
    SUBSCRIPTIONS,
    Key,
)
from genvid.sandbox.tests.stripe_subjects import FAR, Form

Effect = Callable[[Merchant, Form, Any], bool]
DAY = 24 * 3600


def card_of(merchant: Merchant, method: str) -> str:
    return str(merchant.get(f"/v1/payment_methods/{method}")["card"]["brand"])


def is_amex(field: str) -> Effect:
    """The field is the id of the payment method that was given."""
    return lambda merchant, form, found: card_of(merchant, found[field]) == "amex"


def is_refused(merchant: Merchant, form: Form, found: Any) -> bool:
    return found["error"]["code"] == "authentication_required" and found["error"]["type"] == "card_error"


def returns_there(merchant: Merchant, form: Form, found: Any) -> bool:
    return bool(found["next_action"]["redirect_to_url"]["return_url"] == form["return_url"])


def has_a_discount(merchant: Merchant, form: Form, found: Any) -> bool:
    wanted = form["discounts"][0]["coupon"]
    opened = merchant.get(f"/v1/{found['object']}s/{found['id']}", **{"expand[]": "discounts"})
    return [one["source"]["coupon"] for one in opened["discounts"]] == [wanted]


def saves_for_later(merchant: Merchant, form: Form, found: Any) -> bool:
    listed = merchant.get("/v1/payment_methods", customer=found["id"])["data"]
    return [one["card"]["brand"] for one in listed] == ["amex"]


def has_its_items(merchant: Merchant, form: Form, found: Any) -> bool:
    (item,), (wanted,) = found["items"]["data"], form["items"]
    return (item["price"]["id"], item["quantity"], item["metadata"]) == (
        wanted["price"],
        wanted["quantity"],
        wanted["metadata"],
    )


def intent_of_a_sale(merchant: Merchant, form: Form, found: Any) -> bool:
    """The payment intent that the buyer's payment makes has the values of `payment_intent_data`."""
    paid = merchant.actions.pay(found["id"])
    intent = merchant.get(f"/v1/payment_intents/{paid['payment_intent']}")
    data = form["payment_intent_data"]
    is_held = (intent["status"], paid["payment_status"]) == ("requires_capture", "unpaid")
    return is_held and all(_covers(value, intent[name]) for name, value in data.items())


def _covers(sent: Any, shown: Any) -> bool:
    if isinstance(sent, dict):
        return all(_covers(value, shown[name]) for name, value in sent.items())
    return bool(sent == shown)


def subscription_of_a_sale(merchant: Merchant, form: Form, found: Any) -> bool:
    made = merchant.get(f"/v1/subscriptions/{merchant.actions.pay(found['id'])['subscription']}")
    data = {**form["subscription_data"]}
    days = data.pop("trial_period_days")
    return made["trial_end"] - made["trial_start"] == days * DAY and all(
        _covers(value, made[name]) for name, value in data.items()
    )


def setup_of_a_session(merchant: Merchant, form: Form, found: Any) -> bool:
    made = merchant.get(f"/v1/setup_intents/{merchant.actions.pay(found['id'])['setup_intent']}")
    return all(made[name] == value for name, value in form["setup_intent_data"].items())


def renames_the_customer(merchant: Merchant, form: Form, found: Any) -> bool:
    merchant.actions.pay(found["id"], name="Other Name")
    return bool(merchant.get(f"/v1/customers/{found['customer']}")["name"] == "Other Name")


def sells_its_items(merchant: Merchant, form: Form, found: Any) -> bool:
    (line,) = merchant.get(f"/v1/checkout/sessions/{found['id']}/line_items")["data"]
    return (line["price"]["id"], line["quantity"]) == (form["line_items"][0]["price"], 3)


def nothing_is_billed(merchant: Merchant, form: Form, found: Any) -> bool:
    following = merchant.actions.renew(found["id"])
    return [one["amount"] for one in following["lines"]["data"]] == [10000]


def credits_the_rest(merchant: Merchant, form: Form, found: Any) -> bool:
    pending = merchant.get("/v1/events", type="customer.subscription.deleted")["data"]
    return found["status"] == "canceled" and pending[0]["data"]["object"]["id"] == found["id"]


def bills_at_once(merchant: Merchant, form: Form, found: Any) -> bool:
    invoices = merchant.get("/v1/invoices", subscription=found["id"])["data"]
    return [one["billing_reason"] for one in invoices] == ["subscription_update", "subscription_create"]


def is_due_in_days(merchant: Merchant, form: Form, found: Any) -> bool:
    return bool(found["due_date"] - found["created"] >= form["days_until_due"] * DAY)


def has(field: str, value: Any) -> Effect:
    return lambda merchant, form, found: bool(found[field] == value)


EFFECTS: dict[Key, Effect] = {
    (CUSTOMERS, "payment_method"): saves_for_later,
    (CLOCK, "frozen_time"): has("frozen_time", FAR + 90),
    (CUSTOMERS, "source"): is_amex("default_source"),
    (CUSTOMER, "source"): is_amex("default_source"),
    (PRODUCTS, "default_price_data"): lambda merchant, form, found: (
        merchant.get(f"/v1/prices/{found['default_price']}")["unit_amount"] == 900
    ),
    (PRICES, "product_data"): lambda merchant, form, found: (
        merchant.get(f"/v1/products/{found['product']}")["unit_label"] == "hour"
    ),
    (PRICES, "unit_amount_decimal"): has("unit_amount", 900),
    (PRICES, "transfer_lookup_key"): has("lookup_key", "theirs"),
    (PRICE, "transfer_lookup_key"): has("lookup_key", "theirs"),
    (METHODS, "card"): lambda merchant, form, found: (
        [found["card"][name] for name in ("last4", "exp_month", "exp_year")] == ["0005", 7, 2035]
    ),
    (METHODS, "us_bank_account"): lambda merchant, form, found: (
        [found["us_bank_account"][name] for name in ("last4", "account_holder_type", "account_type", "routing_number")]
        == ["1113", "company", "savings", "110000001"]
    ),
    **{(one, "payment_method_data"): is_amex("payment_method") for one in (INTENTS, INTENT, CONFIRM)},
    **{(one, "off_session"): is_refused for one in (INTENTS, CONFIRM)},
    **{(one, "error_on_requires_action"): is_refused for one in (INTENTS, CONFIRM)},
    **{(one, "return_url"): returns_there for one in (INTENTS, CONFIRM)},
    (INTENTS, "confirm"): has("status", "succeeded"),
    (SETUPS, "confirm"): has("status", "succeeded"),
    (CAPTURE, "amount_to_capture"): has("amount_received", 300),
    (CAPTURE, "final_capture"): has("status", "succeeded"),
    (DISPUTE, "submit"): has("status", "needs_response"),
    (ATTACH, "customer"): lambda merchant, form, found: found["customer"] == form["customer"],
    (SESSIONS, "payment_intent_data"): intent_of_a_sale,
    (SESSIONS, "subscription_data"): subscription_of_a_sale,
    (SESSIONS, "setup_intent_data"): setup_of_a_session,
    (SESSIONS, "customer_update"): renames_the_customer,
    (SESSIONS, "line_items"): sells_its_items,
    (SESSIONS, "ui_mode"): has("ui_mode", "hosted_page"),
    (SESSIONS, "discounts"): lambda merchant, form, found: (
        found["discounts"][0]["coupon"] == form["discounts"][0]["coupon"] and found["amount_total"] == 900
    ),
    (PAGE, "expected_amount"): lambda merchant, form, found: found["error"]["param"] == "expected_amount",
    (PAGE, "payment_method"): has("status", "complete"),
    **{
        (one, "default_payment_method"): is_amex("default_payment_method")
        for one in (SUBSCRIPTIONS, SUBSCRIPTION, INVOICES, INVOICE)
    },
    **{(one, "discounts"): has_a_discount for one in (SUBSCRIPTIONS, SUBSCRIPTION, INVOICES, INVOICE)},
    (SUBSCRIPTIONS, "items"): has_its_items,
    (SUBSCRIPTION, "items"): has_its_items,
    (SUBSCRIPTIONS, "off_session"): lambda merchant, form, found: (
        merchant.get(f"/v1/payment_intents/{intent_of(merchant, found)}")["status"] == "requires_payment_method"
    ),
    (SUBSCRIPTIONS, "payment_behavior"): has("status", "incomplete"),
    (SUBSCRIPTIONS, "trial_period_days"): lambda merchant, form, found: (
        found["trial_end"] - found["trial_start"] == form["trial_period_days"] * DAY
    ),
    (SUBSCRIPTION, "proration_behavior"): nothing_is_billed,
    (SUBSCRIPTION, "billing_cycle_anchor"): lambda merchant, form, found: (
        "billing_cycle_anchor" in merchant.actions.events()[-1]["data"].get("previous_attributes", {})
        or bills_at_once(merchant, form, found)
    ),
    (RESUME, "billing_cycle_anchor"): has("status", "active"),
    (CANCELLATION, "prorate"): credits_the_rest,
    (CANCELLATION, "invoice_now"): bills_at_once,
    **{(one, "days_until_due"): is_due_in_days for one in (INVOICES, INVOICE)},
    (INVOICES, "pending_invoice_items_behavior"): lambda merchant, form, found: found["lines"]["data"] == [],
    (FINALIZE, "auto_advance"): has("status", "paid"),
    (PAY, "off_session"): lambda merchant, form, found: (
        found["status"] == "open" and merchant.types()[-1] == "invoice.payment_action_required"
    ),
    (PAY, "paid_out_of_band"): lambda merchant, form, found: (
        found["status"] == "paid" and "charge.succeeded" not in merchant.types()[-4:]
    ),
    (PAY, "payment_method"): lambda merchant, form, found: (
        merchant.get("/v1/charges", customer=found["customer"])["data"][0]["payment_method_details"]["card"]["brand"]
        == "amex"
    ),
    **{(one, "unit_amount_decimal"): has("amount", 300) for one in (ITEMS, ITEM)},
    **{(one, "pricing"): has("amount", 1200) for one in (ITEMS, ITEM)},
    (ENDPOINT, "disabled"): has("status", "disabled"),
    (CODE, "active"): has("active", False),
}


def intent_of(merchant: Merchant, subscription: Any) -> str:
    payments = merchant.get("/v1/invoice_payments", invoice=subscription["latest_invoice"])["data"]
    return str(payments[0]["payment"]["payment_intent"])

"""Values of those parameters of the sandbox's Stripe that need a certain value, or other parameters beside them."""

from collections.abc import Callable
from typing import Any

from genvid.sandbox.tests import stripe_subjects as subjects
from genvid.sandbox.tests.stripe_merchant import Merchant
from genvid.sandbox.tests.stripe_subjects import ASKING_CARD, CANCEL, FAR, Form

Key = tuple[str, str]
CUSTOMERS, CUSTOMER = "POST /v1/customers", "POST /v1/customers/{id}"
PRODUCTS, PRODUCT = "POST /v1/products", "POST /v1/products/{id}"
PRICES, PRICE = "POST /v1/prices", "POST /v1/prices/{id}"
COUPONS, CODES, CODE = "POST /v1/coupons", "POST /v1/promotion_codes", "POST /v1/promotion_codes/{id}"
METHODS, ATTACH = "POST /v1/payment_methods", "POST /v1/payment_methods/{id}/attach"
INTENTS, INTENT = "POST /v1/payment_intents", "POST /v1/payment_intents/{id}"
CONFIRM, CAPTURE = INTENT + "/confirm", INTENT + "/capture"
SETUPS, REFUNDS, DISPUTE = "POST /v1/setup_intents", "POST /v1/refunds", "POST /v1/disputes/{id}"
SESSIONS, PAGE = "POST /v1/checkout/sessions", "POST /v1/payment_pages/{id}/confirm"
SUBSCRIPTIONS, SUBSCRIPTION = "POST /v1/subscriptions", "POST /v1/subscriptions/{id}"
RESUME, CANCELLATION = SUBSCRIPTION + "/resume", "DELETE /v1/subscriptions/{id}"
INVOICES, INVOICE = "POST /v1/invoices", "POST /v1/invoices/{id}"
FINALIZE, PAY = INVOICE + "/finalize", INVOICE + "/pay"
ITEMS, ITEM = "POST /v1/invoiceitems", "POST /v1/invoiceitems/{id}"
PORTALS, PORTAL = "POST /v1/billing_portal/configurations", "POST /v1/billing_portal/configurations/{id}"
PORTAL_SESSIONS = "POST /v1/billing_portal/sessions"
ENDPOINTS, ENDPOINT = "POST /v1/webhook_endpoints", "POST /v1/webhook_endpoints/{id}"
CLOCKS, CLOCK = "POST /v1/test_helpers/test_clocks", "POST /v1/test_helpers/test_clocks/{id}/advance"
SENT = {"collection_method": "send_invoice", "days_until_due": 30}
ONCE = {"mode": "setup", "line_items": None, "currency": "eur"}
TEST_CARD = {"type": "card", "card": {"token": "tok_amex"}}


def values(**form: Any) -> Callable[[Merchant], Form]:
    return lambda merchant: form


def recurring(merchant: Merchant) -> Form:
    return {"mode": "subscription", "line_items": [{"price": merchant.basic, "quantity": 1}]}


def new_data(merchant: Merchant) -> Form:
    return {"payment_method": None, "payment_method_data": TEST_CARD}


def item_of(merchant: Merchant) -> Form:
    """A change of the newest subscription's price."""
    newest = merchant.api.subscriptions.list({"limit": 1}).data[0]
    wanted = {"id": newest["items"].data[0].id, "price": merchant.pro, "quantity": 2, "metadata": {"a": "b"}}
    return {"items": [wanted]}


def priced(**form: Any) -> Callable[[Merchant], Form]:
    return lambda merchant: {"amount": None, "currency": None, **form, "pricing": {"price": merchant.pack}}


SAMPLES: dict[Key, Callable[[Merchant], Form]] = {
    **{(one, "email"): values(email="a@example.com") for one in (CUSTOMERS, CUSTOMER)},
    **{(one, "invoice_prefix"): values(invoice_prefix="ABC123") for one in (CUSTOMERS, CUSTOMER)},
    **{(one, "source"): values(source="tok_amex") for one in (CUSTOMERS, CUSTOMER)},
    (CUSTOMERS, "payment_method"): values(payment_method="pm_card_amex"),
    (CUSTOMERS, "test_clock"): lambda merchant: {"test_clock": subjects.clock(merchant)},
    **{
        (one, "invoice_settings"): values(
            invoice_settings={"custom_fields": [{"name": "a", "value": "b"}], "footer": "c"}
        )
        for one in (CUSTOMERS, CUSTOMER)
    },
    **{(one, "active"): values(active=False) for one in (PRODUCTS, PRODUCT, PRICES, PRICE, CODES, CODE, PORTAL)},
    (PRODUCTS, "id"): values(id="prod_mine"),
    (PRODUCTS, "default_price_data"): values(default_price_data={"currency": "eur", "unit_amount": 900}),
    (PRODUCT, "default_price"): lambda merchant: {"default_price": merchant.pack},
    (PRICES, "product_data"): values(product=None, product_data={"name": "Inside", "unit_label": "hour"}),
    (PRICES, "unit_amount_decimal"): values(unit_amount=None, unit_amount_decimal="900.0"),
    (PRICES, "recurring"): values(recurring={"interval": "week", "interval_count": 2, "trial_period_days": 3}),
    (PRICES, "transfer_lookup_key"): lambda merchant: {"lookup_key": taken_key(merchant)},
    (PRICE, "transfer_lookup_key"): lambda merchant: {"lookup_key": taken_key(merchant)},
    (PRICES, "product"): lambda merchant: {"product": merchant.product},
    (COUPONS, "amount_off"): values(percent_off=None, amount_off=100, currency="usd"),
    (COUPONS, "currency"): values(percent_off=None, amount_off=100, currency="eur"),
    (COUPONS, "duration_in_months"): values(duration="repeating"),
    (COUPONS, "id"): values(id="MINE"),
    (COUPONS, "redeem_by"): values(redeem_by=FAR),
    (CODES, "customer"): lambda merchant: {"customer": merchant.customer},
    (CODES, "expires_at"): values(expires_at=FAR),
    (CLOCKS, "frozen_time"): values(frozen_time=FAR + 9),
    (CLOCK, "frozen_time"): values(frozen_time=FAR + 90),
    (CODES, "promotion"): lambda merchant: {"promotion": {"type": "coupon", "coupon": subjects.coupon(merchant)}},
    (METHODS, "card"): values(card={"number": "378282246310005", "exp_month": 7, "exp_year": 2035}),
    (METHODS, "us_bank_account"): values(
        type="us_bank_account",
        us_bank_account={
            "account_number": "000111111113",
            "account_holder_type": "company",
            "account_type": "savings",
            "routing_number": "110000001",
        },
    ),
    **{(one, "amount"): values(amount=700) for one in (INTENTS, INTENT, REFUNDS)},
    (REFUNDS, "amount"): values(amount=200),
    **{(one, "currency"): values(currency="eur") for one in (INTENTS, INTENT)},
    **{
        (one, "customer"): lambda merchant: {"customer": merchant.customer}
        for one in (INTENTS, INTENT, SETUPS, ATTACH, INVOICES, SUBSCRIPTIONS, PORTAL_SESSIONS, ITEMS)
    },
    (SUBSCRIPTIONS, "customer"): lambda merchant: {"customer": subjects.payer(merchant)},
    **{
        (one, "payment_method"): lambda merchant: {
            "customer": None,
            "payment_method": subjects.post(merchant, "/v1/payment_methods", {"type": "card"})["id"],
        }
        for one in (INTENTS, INTENT, CONFIRM, SETUPS)
    },
    **{(one, "payment_method_data"): new_data for one in (INTENTS, INTENT, CONFIRM)},
    **{
        (one, "payment_method_types"): values(payment_method_types=["card"])
        for one in (INTENTS, INTENT, SETUPS, SESSIONS)
    },
    **{
        (one, "automatic_payment_methods"): values(
            automatic_payment_methods={"enabled": True, "allow_redirects": "never"}
        )
        for one in (INTENTS, SETUPS)
    },
    **{
        (INTENTS, name): values(confirm=True, payment_method=ASKING_CARD)
        for name in ("off_session", "error_on_requires_action", "return_url")
    },
    **{
        (CONFIRM, name): values(payment_method=ASKING_CARD)
        for name in ("off_session", "error_on_requires_action", "return_url")
    },
    (DISPUTE, "submit"): values(submit=False, evidence={"uncategorized_text": "kept back"}),
    (CAPTURE, "amount_to_capture"): values(amount_to_capture=300),
    (SETUPS, "usage"): values(usage="on_session"),
    (REFUNDS, "charge"): lambda merchant: {"charge": subjects.paid(merchant)["latest_charge"]},
    (REFUNDS, "payment_intent"): lambda merchant: {"charge": None, "payment_intent": subjects.paid(merchant)["id"]},
    (SESSIONS, "allow_promotion_codes"): values(allow_promotion_codes=True),
    (SESSIONS, "mode"): values(**ONCE),
    (SESSIONS, "currency"): values(**ONCE),
    (SESSIONS, "setup_intent_data"): values(**ONCE),
    (SESSIONS, "customer"): lambda merchant: {"customer": merchant.customer},
    (SESSIONS, "customer_email"): values(customer_email="b@example.com"),
    (SESSIONS, "customer_update"): lambda merchant: {
        "customer": merchant.customer,
        "customer_update": {"name": "auto"},
    },
    (SESSIONS, "discounts"): lambda merchant: {"discounts": [{"coupon": subjects.coupon(merchant)}]},
    (SESSIONS, "expires_at"): lambda merchant: {"expires_at": merchant.actions.advance_clock(0)["now"] + 7200},
    (SESSIONS, "line_items"): lambda merchant: {"line_items": [{"price": merchant.pack, "quantity": 3}]},
    (SESSIONS, "subscription_data"): lambda merchant: {
        **recurring(merchant),
        "subscription_data": {
            "description": "d",
            "metadata": {"a": "b"},
            "trial_period_days": 9,
            "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
        },
    },
    (SESSIONS, "success_url"): values(success_url="http://shop.test/other"),
    (SESSIONS, "cancel_url"): values(cancel_url=CANCEL),
    (PAGE, "expected_amount"): values(expected_amount=1199),
    (PAGE, "payment_method"): values(),
    **{(SUBSCRIPTIONS, name): values(**SENT) for name in ("collection_method", "days_until_due")},
    **{
        (one, name): values(**SENT)
        for name in ("collection_method", "days_until_due")
        for one in (SUBSCRIPTION, INVOICES, INVOICE)
    },
    **{(one, "due_date"): values(collection_method="send_invoice", due_date=FAR) for one in (INVOICES, INVOICE)},
    **{
        (one, "default_payment_method"): values(default_payment_method="pm_card_amex")
        for one in (SUBSCRIPTIONS, SUBSCRIPTION, INVOICES, INVOICE)
    },
    **{
        (one, "discounts"): lambda merchant: {"discounts": [{"coupon": subjects.coupon(merchant, duration="forever")}]}
        for one in (SUBSCRIPTIONS, SUBSCRIPTION, INVOICES, INVOICE)
    },
    (SUBSCRIPTIONS, "items"): lambda merchant: {
        "items": [{"price": merchant.basic, "quantity": 2, "metadata": {"a": "b"}}]
    },
    (SUBSCRIPTIONS, "off_session"): lambda merchant: {
        "default_payment_method": ASKING_CARD,
        "customer": subjects.customer(merchant),
    },
    **{
        (one, "trial_end"): lambda merchant: {"trial_end": merchant.actions.advance_clock(0)["now"] + 9000}
        for one in (SUBSCRIPTIONS, SUBSCRIPTION)
    },
    (SUBSCRIPTION, "items"): item_of,
    (SUBSCRIPTION, "proration_behavior"): lambda merchant: {**item_of(merchant), "proration_behavior": "none"},
    (CANCELLATION, "invoice_now"): values(prorate=True),
    (INVOICES, "currency"): values(currency="eur"),
    (PAY, "payment_method"): values(payment_method="pm_card_amex"),
    (PAY, "off_session"): values(payment_method=ASKING_CARD, off_session=False),
    **{(one, "unit_amount_decimal"): values(amount=None, currency=None, unit_amount_decimal="300") for one in (ITEM,)},
    (ITEMS, "unit_amount_decimal"): values(amount=None, unit_amount_decimal="300"),
    (ITEMS, "quantity"): values(amount=None, unit_amount_decimal="300"),
    (ITEM, "quantity"): values(unit_amount_decimal="300"),
    **{(one, "pricing"): priced() for one in (ITEMS, ITEM)},
    (ITEMS, "invoice"): lambda merchant: {"invoice": subjects.draft(merchant, merchant.customer)},
    **{(one, "discountable"): values(discountable=False) for one in (ITEMS, ITEM)},
    **{(one, "period"): values(period={"start": FAR, "end": FAR + 5}) for one in (ITEMS, ITEM)},
    (PORTAL_SESSIONS, "configuration"): lambda merchant: {"configuration": subjects.configuration(merchant)},
    **{(one, "url"): values(url="http://127.0.0.1:9/other") for one in (ENDPOINTS, ENDPOINT)},
}
for one in (PRICES, PRICE):
    SAMPLES[one, "lookup_key"] = values(lookup_key="mine")


def taken_key(merchant: Merchant) -> str:
    """A lookup key that another price has."""
    subjects.post(merchant, f"/v1/prices/{merchant.price(300)}", {"lookup_key": "theirs", "transfer_lookup_key": True})
    return "theirs"

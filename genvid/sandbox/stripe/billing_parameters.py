"""Declared parameters of billing: Checkout Sessions, coupons, subscriptions, invoices and their items."""

from genvid.sandbox.stripe.parameters import (
    CURRENCY,
    DECIMAL,
    FLAG,
    MAP,
    NUMBER,
    TEXT,
    Params,
    each,
    group,
    kept,
    text_fields,
    word,
)
from genvid.sandbox.stripe.payment_parameters import (
    CANCELLATION_REASONS,
    CUSTOM_FIELDS,
    FUTURE_USAGES,
    METHOD_OPTIONS,
    METHODS,
    NOTHING,
    PRICE_DATA,
    PRORATIONS,
    SHIPPING,
)

DISCOUNTS = each(coupon=TEXT, promotion_code=TEXT)
MESSAGE = group(message=TEXT)
COLLECTION = word("charge_automatically", "send_invoice")
TRIAL_SETTINGS = group(end_behavior=group(missing_payment_method=word("create_invoice", "pause", "cancel")))
AUTOMATIC_TAX = group(enabled=FLAG)

SESSION: Params = {
    "mode": word("payment", "subscription", "setup"),
    "allow_promotion_codes": FLAG,
    "automatic_tax": AUTOMATIC_TAX,
    "currency": CURRENCY,
    "customer": TEXT,
    "customer_creation": word("if_required", "always"),
    "customer_update": group(address=word("auto", "never"), name=word("auto", "never")),
    "discounts": DISCOUNTS,
    "expires_at": NUMBER,
    "invoice_creation": group(
        enabled=FLAG,
        invoice_data=group(custom_fields=CUSTOM_FIELDS, description=TEXT, footer=TEXT, metadata=MAP),
    ),
    "line_items": each(price=TEXT, price_data=PRICE_DATA, quantity=NUMBER),
    "metadata": MAP,
    "payment_intent_data": group(
        capture_method=word("automatic", "automatic_async", "manual"),
        **text_fields("description receipt_email statement_descriptor statement_descriptor_suffix transfer_group"),
        metadata=MAP,
        setup_future_usage=word(*FUTURE_USAGES),
        shipping=SHIPPING,
    ),
    "payment_method_collection": word("always", "if_required"),
    "payment_method_types": METHODS,
    "setup_intent_data": group(description=TEXT, metadata=MAP),
    "subscription_data": group(
        description=TEXT, metadata=MAP, trial_end=NUMBER, trial_period_days=NUMBER, trial_settings=TRIAL_SETTINGS
    ),
    "success_url": TEXT,
    "cancel_url": TEXT,
    "tax_id_collection": group(enabled=FLAG, required=word("never", "if_supported")),
    "ui_mode": word("hosted_page", "hosted"),
    **kept(
        adaptive_pricing=group(enabled=FLAG),
        billing_address_collection=word("auto", "required"),
        client_reference_id=TEXT,
        consent_collection=group(
            payment_method_reuse_agreement=group(position=word("auto", "hidden")),
            promotions=word("auto", "none"),
            terms_of_service=word("none", "required"),
        ),
        custom_text=group(
            after_submit=MESSAGE, shipping_address=MESSAGE, submit=MESSAGE, terms_of_service_acceptance=MESSAGE
        ),
        **text_fields("customer_email locale"),
        origin_context=word("web", "mobile_app"),
        payment_method_options=METHOD_OPTIONS,
        phone_number_collection=group(enabled=FLAG),
        submit_type=word("auto", "book", "donate", "pay", "subscribe"),
    ),
}
SUBSCRIPTION: Params = {
    "automatic_tax": AUTOMATIC_TAX,
    "cancel_at_period_end": FLAG,
    "default_payment_method": TEXT,
    "discounts": DISCOUNTS,
    "metadata": MAP,
    "trial_end": TEXT,
    **kept(
        collection_method=COLLECTION,
        days_until_due=NUMBER,
        description=TEXT,
        payment_settings=group(
            payment_method_options=METHOD_OPTIONS,
            payment_method_types=METHODS,
            save_default_payment_method=word("off", "on_subscription"),
        ),
        trial_settings=TRIAL_SETTINGS,
    ),
}
CANCELLATION = group(comment=TEXT, feedback=word(*CANCELLATION_REASONS))
ITEM = {"price": TEXT, "quantity": NUMBER, "metadata": MAP}
INVOICE: Params = {
    "automatic_tax": AUTOMATIC_TAX,
    "days_until_due": NUMBER,
    "default_payment_method": TEXT,
    "discounts": DISCOUNTS,
    "metadata": MAP,
    "payment_settings": group(payment_method_options=METHOD_OPTIONS, payment_method_types=METHODS),
    **kept(
        auto_advance=FLAG,
        collection_method=COLLECTION,
        custom_fields=CUSTOM_FIELDS,
        **text_fields("description footer number statement_descriptor"),
        due_date=NUMBER,
        shipping_details=SHIPPING,
    ),
}
INVOICE_ITEM: Params = {
    "amount": NUMBER,
    "metadata": MAP,
    "period": group(start=NUMBER, end=NUMBER),
    "pricing": group(price=TEXT),
    "quantity": NUMBER,
    "unit_amount_decimal": DECIMAL,
    **kept(description=TEXT, discountable=FLAG),
}

BILLING_PARAMETERS: dict[str, Params] = {
    "POST /v1/coupons": {
        "amount_off": NUMBER,
        "currency": CURRENCY,
        "duration": word("once", "repeating", "forever"),
        "duration_in_months": NUMBER,
        "id": TEXT,
        "metadata": MAP,
        "percent_off": DECIMAL,
        **kept(max_redemptions=NUMBER, name=TEXT, redeem_by=NUMBER),
    },
    "POST /v1/coupons/{id}": {"metadata": MAP, **kept(name=TEXT)},
    "DELETE /v1/coupons/{id}": NOTHING,
    "POST /v1/promotion_codes": {
        "active": FLAG,
        "code": TEXT,
        "metadata": MAP,
        "promotion": group(type=word("coupon"), coupon=TEXT),
        "restrictions": group(first_time_transaction=FLAG, minimum_amount=NUMBER, minimum_amount_currency=CURRENCY),
        **kept(customer=TEXT, expires_at=NUMBER, max_redemptions=NUMBER),
    },
    "POST /v1/promotion_codes/{id}": {"metadata": MAP, **kept(active=FLAG)},
    "POST /v1/checkout/sessions": SESSION,
    "POST /v1/checkout/sessions/{id}": {"metadata": MAP},
    "POST /v1/checkout/sessions/{id}/expire": NOTHING,
    "POST /v1/payment_pages/{id}/confirm": {"expected_amount": NUMBER, "payment_method": TEXT},
    "POST /v1/subscriptions": {
        **SUBSCRIPTION,
        "currency": CURRENCY,
        "customer": TEXT,
        "items": each(**ITEM),
        "off_session": FLAG,
        "payment_behavior": word("allow_incomplete", "default_incomplete"),
        "trial_period_days": NUMBER,
    },
    "POST /v1/subscriptions/{id}": {
        **SUBSCRIPTION,
        "billing_cycle_anchor": word("unchanged", "now"),
        "cancellation_details": CANCELLATION,
        "items": each(**ITEM, id=TEXT, deleted=FLAG),
        "proration_behavior": PRORATIONS,
        "pause_collection": group(behavior=word("keep_as_draft", "mark_uncollectible", "void"), resumes_at=NUMBER),
    },
    "POST /v1/subscriptions/{id}/resume": {"billing_cycle_anchor": word("now", "unchanged")},
    "DELETE /v1/subscriptions/{id}": {
        "cancellation_details": CANCELLATION,
        "invoice_now": FLAG,
        "prorate": FLAG,
    },
    "POST /v1/invoices": {
        **INVOICE,
        "currency": CURRENCY,
        "customer": TEXT,
        "pending_invoice_items_behavior": word("exclude", "include"),
    },
    "POST /v1/invoices/{id}": INVOICE,
    "DELETE /v1/invoices/{id}": NOTHING,
    "POST /v1/invoices/{id}/finalize": {"auto_advance": FLAG},
    "POST /v1/invoices/{id}/pay": {"off_session": FLAG, "paid_out_of_band": FLAG, "payment_method": TEXT},
    "POST /v1/invoices/{id}/send": NOTHING,
    "POST /v1/invoices/{id}/void": NOTHING,
    "POST /v1/invoices/{id}/mark_uncollectible": NOTHING,
    "POST /v1/invoiceitems": {**INVOICE_ITEM, "currency": CURRENCY, "customer": TEXT, "invoice": TEXT},
    "POST /v1/invoiceitems/{id}": INVOICE_ITEM,
    "DELETE /v1/invoiceitems/{id}": NOTHING,
}

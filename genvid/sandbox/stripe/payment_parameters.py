"""Declared parameters of customers, products, prices, payments, the portal and webhook endpoints."""

from genvid.sandbox.stripe.cards import METHOD_TYPES
from genvid.sandbox.stripe.parameters import (
    CURRENCY,
    DECIMAL,
    FLAG,
    MAP,
    NUMBER,
    TEXT,
    TEXTS,
    Params,
    each,
    group,
    kept,
    text_fields,
    texts,
    word,
)

NOTHING: Params = {}
TAX_BEHAVIORS = ("unspecified", "exclusive", "inclusive")
FUTURE_USAGES = ("on_session", "off_session")
ADDRESS = group(**text_fields("city country line1 line2 postal_code state"))
SHIPPING = group(address=ADDRESS, **text_fields("carrier name phone tracking_number"))
CUSTOM_FIELDS = each(name=TEXT, value=TEXT)
STATEMENT = kept(**text_fields("statement_descriptor statement_descriptor_suffix"))
METHODS = texts(*METHOD_TYPES)
METHOD_OPTIONS = group(
    card=group(request_three_d_secure=word("automatic", "any", "challenge")),
    us_bank_account=group(verification_method=word("automatic", "instant", "microdeposits")),
)
AUTOMATIC_METHODS = group(enabled=FLAG, allow_redirects=word("always", "never"))
METHOD_DATA = {
    "type": word(*METHOD_TYPES),
    "card": group(number=TEXT, exp_month=NUMBER, exp_year=NUMBER, cvc=TEXT, token=TEXT),
    "us_bank_account": group(
        account_holder_type=word("individual", "company"),
        account_number=TEXT,
        account_type=word("checking", "savings"),
        routing_number=TEXT,
    ),
    "billing_details": group(address=ADDRESS, **text_fields("email name phone")),
    "metadata": MAP,
    **kept(allow_redisplay=word("limited", "always", "unspecified")),
}
RECURRING = group(
    interval=word("day", "week", "month", "year"),
    interval_count=NUMBER,
    trial_period_days=NUMBER,
    usage_type=word("licensed"),
)
PRODUCT_OF_A_PRICE = {
    "id": TEXT,
    "name": TEXT,
    "active": FLAG,
    "metadata": MAP,
    **kept(**text_fields("statement_descriptor tax_code unit_label")),
}
AMOUNT_OF_A_PRICE = {
    "currency": CURRENCY,
    "unit_amount": NUMBER,
    "unit_amount_decimal": DECIMAL,
    "recurring": RECURRING,
    "tax_behavior": word(*TAX_BEHAVIORS),
}
PRICE_DATA = group(
    **AMOUNT_OF_A_PRICE,
    product=TEXT,
    product_data=group(**PRODUCT_OF_A_PRICE, description=TEXT, images=TEXTS),
)

CUSTOMER = {
    "metadata": MAP,
    "invoice_settings": group(custom_fields=CUSTOM_FIELDS, default_payment_method=TEXT, footer=TEXT),
    "source": TEXT,
    **kept(
        **text_fields("business_name description email individual_name invoice_prefix name phone"),
        address=ADDRESS,
        balance=NUMBER,
        next_invoice_sequence=NUMBER,
        preferred_locales=TEXTS,
        shipping=SHIPPING,
        tax_exempt=word("none", "exempt", "reverse"),
    ),
}
PRODUCT = {
    "metadata": MAP,
    **kept(
        **text_fields("description name statement_descriptor tax_code unit_label url"),
        active=FLAG,
        images=TEXTS,
        marketing_features=each(name=TEXT),
        package_dimensions=group(height=DECIMAL, length=DECIMAL, weight=DECIMAL, width=DECIMAL),
        shippable=FLAG,
    ),
}
INTENT = {
    "amount": NUMBER,
    "currency": CURRENCY,
    "customer": TEXT,
    "metadata": MAP,
    "payment_method": TEXT,
    "payment_method_data": group(**METHOD_DATA),
    "payment_method_types": METHODS,
    **STATEMENT,
    **kept(
        capture_method=word("automatic", "automatic_async", "manual"),
        **text_fields("description receipt_email transfer_group"),
        payment_method_options=METHOD_OPTIONS,
        setup_future_usage=word(*FUTURE_USAGES),
        shipping=SHIPPING,
    ),
}
CONFIRM = {
    "error_on_requires_action": FLAG,
    "off_session": FLAG,
    "payment_method": TEXT,
    "payment_method_data": group(**METHOD_DATA),
    "return_url": TEXT,
    **kept(
        payment_method_options=METHOD_OPTIONS,
        receipt_email=TEXT,
        setup_future_usage=word(*FUTURE_USAGES),
        shipping=SHIPPING,
    ),
}
EVIDENCE = group(
    **text_fields(
        "access_activity_log billing_address cancellation_policy_disclosure cancellation_rebuttal "
        "customer_email_address customer_name customer_purchase_ip duplicate_charge_explanation duplicate_charge_id "
        "product_description refund_policy_disclosure refund_refusal_explanation service_date uncategorized_text"
    )
)
CANCELLATION_REASONS = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)
PRORATIONS = word("none", "create_prorations", "always_invoice")
PORTAL = {
    "business_profile": group(**text_fields("headline privacy_policy_url terms_of_service_url")),
    "features": group(
        customer_update=group(
            allowed_updates=texts("address", "email", "name", "phone", "shipping", "tax_id"), enabled=FLAG
        ),
        invoice_history=group(enabled=FLAG),
        payment_method_update=group(enabled=FLAG),
        subscription_cancel=group(
            cancellation_reason=group(
                enabled=FLAG,
                options=texts(*CANCELLATION_REASONS),
            ),
            enabled=FLAG,
            mode=word("at_period_end", "immediately"),
            proration_behavior=PRORATIONS,
        ),
        subscription_update=group(
            default_allowed_updates=texts("price", "promotion_code", "quantity"),
            enabled=FLAG,
            products=each(prices=TEXTS, product=TEXT),
            proration_behavior=PRORATIONS,
        ),
    ),
    "login_page": group(enabled=FLAG),
    "metadata": MAP,
    **kept(default_return_url=TEXT, name=TEXT),
}
ENDPOINT = {"url": TEXT, "enabled_events": TEXTS, "metadata": MAP, **kept(description=TEXT)}

PAYMENT_PARAMETERS: dict[str, Params] = {
    "POST /v1/customers": {**CUSTOMER, "payment_method": TEXT, "test_clock": TEXT},
    "POST /v1/customers/{id}": CUSTOMER,
    "POST /v1/customers/{id}/balance_transactions": {
        "amount": NUMBER,
        "currency": CURRENCY,
        "description": TEXT,
        "metadata": MAP,
    },
    "DELETE /v1/customers/{id}": NOTHING,
    "POST /v1/products": {
        **PRODUCT,
        "id": TEXT,
        "default_price_data": group(**AMOUNT_OF_A_PRICE, metadata=MAP),
        **kept(type=word("service", "good")),
    },
    "POST /v1/products/{id}": {**PRODUCT, **kept(default_price=TEXT)},
    "DELETE /v1/products/{id}": NOTHING,
    "POST /v1/prices": {
        **AMOUNT_OF_A_PRICE,
        "product": TEXT,
        "product_data": group(**PRODUCT_OF_A_PRICE),
        "active": FLAG,
        "billing_scheme": word("per_unit"),
        "lookup_key": TEXT,
        "transfer_lookup_key": FLAG,
        "metadata": MAP,
        **kept(nickname=TEXT),
    },
    "POST /v1/prices/{id}": {
        "lookup_key": TEXT,
        "transfer_lookup_key": FLAG,
        "metadata": MAP,
        **kept(active=FLAG, nickname=TEXT, tax_behavior=word(*TAX_BEHAVIORS)),
    },
    "POST /v1/payment_methods": METHOD_DATA,
    "POST /v1/payment_methods/{id}/attach": {"customer": TEXT},
    "POST /v1/payment_methods/{id}/detach": NOTHING,
    "POST /v1/payment_intents": {
        **INTENT,
        **CONFIRM,
        "automatic_payment_methods": AUTOMATIC_METHODS,
        "confirm": FLAG,
        **kept(confirmation_method=word("automatic", "manual")),
    },
    "POST /v1/payment_intents/{id}": INTENT,
    "POST /v1/payment_intents/{id}/confirm": CONFIRM,
    "POST /v1/payment_intents/{id}/capture": {
        "amount_to_capture": NUMBER,
        "final_capture": FLAG,
        "metadata": MAP,
        **STATEMENT,
    },
    "POST /v1/payment_intents/{id}/cancel": {
        "cancellation_reason": word("duplicate", "fraudulent", "requested_by_customer", "abandoned")
    },
    "POST /v1/setup_intents": {
        "automatic_payment_methods": AUTOMATIC_METHODS,
        "confirm": FLAG,
        "customer": TEXT,
        "metadata": MAP,
        "payment_method": TEXT,
        "payment_method_types": METHODS,
        **kept(description=TEXT, usage=word(*FUTURE_USAGES)),
    },
    "POST /v1/charges/{id}": {
        "metadata": MAP,
        **kept(**text_fields("description receipt_email transfer_group"), shipping=SHIPPING),
    },
    "POST /v1/refunds": {
        "amount": NUMBER,
        "charge": TEXT,
        "metadata": MAP,
        "payment_intent": TEXT,
        "reason": word("duplicate", "fraudulent", "requested_by_customer"),
    },
    "POST /v1/refunds/{id}": {"metadata": MAP},
    "POST /v1/refunds/{id}/cancel": NOTHING,
    "POST /v1/disputes/{id}": {"evidence": EVIDENCE, "metadata": MAP, "submit": FLAG},
    "POST /v1/disputes/{id}/close": NOTHING,
    "POST /v1/billing_portal/configurations": PORTAL,
    "POST /v1/billing_portal/configurations/{id}": {**PORTAL, **kept(active=FLAG)},
    "POST /v1/billing_portal/sessions": {
        "configuration": TEXT,
        "customer": TEXT,
        "return_url": TEXT,
        **kept(locale=TEXT),
    },
    "POST /v1/webhook_endpoints": {**ENDPOINT, **kept(api_version=TEXT)},
    "POST /v1/webhook_endpoints/{id}": {**ENDPOINT, "disabled": FLAG},
    "DELETE /v1/webhook_endpoints/{id}": NOTHING,
    "POST /v1/test_helpers/test_clocks": {"frozen_time": NUMBER, **kept(name=TEXT)},
    "POST /v1/test_helpers/test_clocks/{id}/advance": {"frozen_time": NUMBER},
    "DELETE /v1/test_helpers/test_clocks/{id}": NOTHING,
}

"""The fields of each kind of Stripe object, with the values that they have where nothing sets them."""

import copy

from genvid.sandbox.stripe.object_store import Json

ADDRESS: Json = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
NULL_FIELDS = {
    "balance_transaction": "description exchange_rate",
    "billing_portal.configuration": "application",
    "billing_portal.session": "flow on_behalf_of",
    "charge": "application application_fee application_fee_amount balance_transaction failure_balance_transaction "
    "failure_code failure_message on_behalf_of receipt_number receipt_url review transfer_data",
    "checkout.session": "after_expiration billing_address_collection client_reference_id client_secret "
    "collected_information consent consent_collection currency_conversion customer_details customer_email invoice "
    "locale origin_context payment_intent payment_link payment_method_configuration_details permissions "
    "presentment_details recovered_from saved_payment_method_options setup_intent shipping_address_collection "
    "shipping_cost submit_type subscription url wallet_options",
    "coupon": "duration_in_months max_redemptions name redeem_by",
    "customer": "address currency default_source description discount email invoice_prefix name phone shipping "
    "test_clock",
    "customer_balance_transaction": "checkout_session credit_note description invoice",
    "discount": "checkout_session invoice invoice_item subscription subscription_item",
    "invoice": "account_tax_ids application automatically_finalizes_at custom_fields default_payment_method "
    "default_source description due_date effective_at ending_balance footer from_invoice hosted_invoice_url "
    "invoice_pdf last_finalization_error latest_revision next_payment_attempt number on_behalf_of receipt_number "
    "rendering shipping_cost shipping_details statement_descriptor test_clock webhooks_delivered_at",
    "invoice_payment": "amount_paid",
    "invoiceitem": "description parent proration_details test_clock",
    "line_item": "description invoice parent",
    "payment_intent": "application application_fee_amount automatic_payment_methods canceled_at cancellation_reason "
    "client_secret description last_payment_error latest_charge next_action on_behalf_of payment_method processing "
    "receipt_email review setup_future_usage shipping source statement_descriptor statement_descriptor_suffix "
    "transfer_data transfer_group",
    "price": "custom_unit_amount nickname tiers_mode transform_quantity",
    "product": "default_price description package_dimensions shippable statement_descriptor tax_code unit_label url",
    "promotion_code": "customer expires_at max_redemptions",
    "refund": "balance_transaction receipt_number source_transfer_reversal transfer_reversal",
    "setup_intent": "application automatic_payment_methods cancellation_reason client_secret description "
    "flow_directions last_setup_error latest_attempt mandate next_action on_behalf_of single_use_mandate",
    "subscription": "application application_fee_percent billing_cycle_anchor_config billing_thresholds cancel_at "
    "canceled_at days_until_due default_source description ended_at latest_invoice "
    "next_pending_invoice_item_invoice on_behalf_of pause_collection pending_invoice_item_interval "
    "pending_setup_intent pending_update schedule test_clock transfer_data trial_end trial_start",
    "webhook_endpoint": "api_version application description",
}
SET_FIELDS: dict[str, Json] = {
    "balance_transaction": {"balance_type": "payments", "status": "available"},
    "billing_portal.configuration": {"active": True},
    "charge": {
        "amount_refunded": 0,
        "calculated_statement_descriptor": "GENVID",
        "disputed": False,
        "fraud_details": {},
        "refunded": False,
    },
    "checkout.session": {
        "adaptive_pricing": {"enabled": False},
        "custom_fields": [],
        "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
        "discounts": [],
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "ui_mode": "hosted_page",
    },
    "coupon": {"times_redeemed": 0, "valid": True},
    "customer": {
        "balance": 0,
        "delinquent": False,
        "invoice_settings": dict.fromkeys(("custom_fields", "default_payment_method", "footer", "rendering_options")),
        "metadata": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
    },
    "customer_balance_transaction": {"metadata": {}},
    "dispute": {"balance_transactions": [], "enhanced_eligibility_types": [], "evidence": {}, "metadata": {}},
    "invoice": {
        "account_country": "US",
        "account_name": "genvid sandbox",
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "issuer": {"type": "self"},
        "payment_settings": dict.fromkeys(("default_mandate", "payment_method_options", "payment_method_types")),
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "status": "draft",
        "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    },
    "invoice_payment": {
        "is_default": True,
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    },
    "invoiceitem": {"discountable": True, "discounts": [], "proration": False, "tax_rates": []},
    "line_item": {
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "taxes": [],
    },
    "payment_intent": {
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "metadata": {},
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    },
    "payment_method": {"allow_redisplay": "limited", "metadata": {}},
    "price": {"active": True, "billing_scheme": "per_unit", "tax_behavior": "unspecified"},
    "product": {"active": True, "images": [], "marketing_features": [], "type": "service"},
    "promotion_code": {"active": True, "times_redeemed": 0},
    "refund": {
        "destination_details": {"card": {"type": "refund", "reference_status": "pending"}, "type": "card"},
    },
    "setup_intent": {
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "usage": "off_session",
    },
    "subscription": {
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_mode": {"type": "classic", "flexible": None},
        "cancel_at_period_end": False,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
    },
    "webhook_endpoint": {"status": "enabled"},
}
ABSENT_FIELDS = {
    "balance_transaction": ("livemode",),
    "discount": ("created", "livemode"),
    "invoiceitem": ("created",),
    "refund": ("livemode",),
}
"""Fields that nearly all objects have, but not these."""


def defaults(kind: str) -> Json:
    return dict.fromkeys(NULL_FIELDS.get(kind, "").split()) | copy.deepcopy(SET_FIELDS.get(kind, {}))

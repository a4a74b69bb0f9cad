from django.db import migrations
from django.db.models.functions import Now

from genvid.database_defaults import SetDatabaseDefaults


class Migration(migrations.Migration):
    # Each table is locked alone, for the moment of its own statement.
    atomic = False

    dependencies = [
        ("billing", "0012_indexes"),
    ]

    operations = [
        SetDatabaseDefaults(
            {
                "Allowance": {
                    "created_at": Now(),
                },
                "Checkout": {
                    "status": "starting",
                    "created_at": Now(),
                },
                "CreditLot": {
                    "expired": 0,
                    "created_at": Now(),
                },
                "Customer": {
                    "created_at": Now(),
                },
                "Dispute": {
                    "reason": "",
                    "created_at": Now(),
                },
                "FormerCustomer": {
                    "is_erased": False,
                    "gone_at": Now(),
                },
                "Funding": {
                    "balance_voided": 0,
                },
                "Hold": {
                    "captured": 0,
                    "provider_microdollars": 0,
                    "status": "open",
                    "created_at": Now(),
                },
                "Invoice": {
                    "number": "",
                    "hosted_url": "",
                    "pdf_url": "",
                    "attempts": 0,
                },
                "LedgerEntry": {
                    "description": "",
                    "created_at": Now(),
                },
                "Letter": {
                    "words": {},
                    "tries": 0,
                    "created_at": Now(),
                },
                "Payment": {
                    "description": "",
                    "amount_refunded": 0,
                    "amount_disputed": 0,
                    "credits_taken_back": 0,
                    "credits_forgiven": 0,
                    "credits_unused": 0,
                    "corrections": 0,
                    "receipt_url": "",
                    "created_at": Now(),
                },
                "Plan": {
                    "interval": "",
                    "currency": "usd",
                    "trial_days": 0,
                    "trial_credits": 0,
                    "features": [],
                    "position": 0,
                    "is_active": True,
                    "stripe_product_id": "",
                    "created_at": Now(),
                },
                "PlanPrice": {
                    "interval": "",
                    "is_current": True,
                    "created_at": Now(),
                },
                "Refund": {
                    "created_at": Now(),
                },
                "RenderRate": {
                    "avatar_kind": "",
                    "resolution": "",
                    "minimum_credits": 1,
                    "valid_from": Now(),
                },
                "Shop": {
                    "portal_configuration_id": "",
                },
                "SignupDay": {
                    "credits": 0,
                },
                "SignupGrant": {
                    "status": "waiting",
                    "created_at": Now(),
                },
                "StripeSync": {
                    "version": 1,
                    "tries": 0,
                    "error": "",
                    "noted_at": Now(),
                },
                "Subscription": {
                    "cancel_at_period_end": False,
                },
                "Tier": {
                    "weight": 1,
                    "requests_per_minute": 120,
                },
                "TopUp": {
                    "status": "pending",
                    "error": "",
                    "created_at": Now(),
                },
                "TopUpRule": {
                    "enabled": True,
                    "pause_reason": "",
                },
                "Wallet": {
                    "balance": 0,
                    "held": 0,
                    "low_armed": False,
                    "created_at": Now(),
                },
            }
        ),
    ]

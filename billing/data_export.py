"""Billing's rows in a person's data export."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from accounts.privacy.data_export import plain_rows
from billing.models import (
    CreditLot,
    Hold,
    Invoice,
    LedgerEntry,
    Payment,
    Refund,
    SignupGrant,
    Subscription,
    TopUp,
    TopUpRule,
    Wallet,
)


def export_parts(account_ids: list[UUID]) -> dict[str, Iterator[dict[str, Any]]]:
    return {
        "wallets": plain_rows(Wallet.objects.filter(account__in=account_ids)),
        "credit_lots": plain_rows(CreditLot.objects.filter(wallet__in=account_ids)),
        "holds": plain_rows(Hold.objects.filter(wallet__in=account_ids)),
        "payments": plain_rows(Payment.objects.filter(account__in=account_ids)),
        "refunds": plain_rows(Refund.objects.filter(payment__account__in=account_ids)),
        "invoices": plain_rows(Invoice.objects.filter(account__in=account_ids)),
        "subscriptions": plain_rows(Subscription.objects.filter(account__in=account_ids)),
        "auto_top_up": plain_rows(TopUpRule.objects.filter(account__in=account_ids)),
        "top_ups": plain_rows(TopUp.objects.filter(account__in=account_ids)),
        "signup_grants": plain_rows(SignupGrant.objects.filter(account__in=account_ids), without=("decided_by_id",)),
        "ledger": plain_rows(LedgerEntry.objects.filter(wallet__in=account_ids)),
    }

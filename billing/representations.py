"""The API's representation of a payment, in answers and webhooks."""

from typing import Any

from billing.models import Payment


def payment_data(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.pk,
        "kind": payment.kind,
        "status": payment.status,
        "description": payment.description,
        "amount": payment.amount,
        "amount_refunded": payment.amount_refunded,
        "amount_disputed": payment.amount_disputed,
        "currency": payment.currency,
        "credits_taken_back": payment.credits_taken_back,
        "receipt_url": payment.receipt_url or None,
        "paid_at": payment.paid_at,
        "created_at": payment.created_at,
    }

"""Payments, plans and subscriptions as the API shows them, in answers and in webhooks alike."""

from typing import Any

from billing.models import Invoice, Payment, Plan, Subscription


def plan_data(plan: Plan) -> dict[str, Any]:
    return {
        "id": plan.pk,
        "code": plan.code,
        "name": plan.name,
        "kind": plan.kind,
        "interval": plan.interval or None,
        "amount": plan.amount,
        "currency": plan.currency,
        "credits": plan.credits,
        "trial_days": plan.trial_days,
        "features": plan.features,
    }


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


def invoice_data(invoice: Invoice) -> dict[str, Any]:
    return {
        "id": invoice.pk,
        "number": invoice.number or None,
        "status": invoice.status,
        "amount_due": invoice.amount_due,
        "amount_paid": invoice.amount_paid,
        "currency": invoice.currency,
        "period_start": invoice.period_start,
        "period_end": invoice.period_end,
        "hosted_url": invoice.hosted_url or None,
        "pdf_url": invoice.pdf_url or None,
        "next_attempt_at": invoice.next_attempt_at,
        "created_at": invoice.created_at,
    }


NOBODY = "none"
"""The status of an account without a subscription."""


def subscription_data(subscription: Subscription | None, tier: str) -> dict[str, Any]:
    """`tier`: what the account is entitled to now, whatever it pays for."""
    if subscription is None:
        empty = ("current_period_start", "current_period_end", "trial_ends_at", "canceled_at", "grace_until")
        return {"status": NOBODY, "plan": None, "tier": tier, "cancel_at_period_end": False} | dict.fromkeys(empty)
    return {
        "status": subscription.status,
        "plan": plan_data(subscription.price.plan) | price_terms(subscription),
        "tier": tier,
        "cancel_at_period_end": subscription.cancel_at_period_end,
        "current_period_start": subscription.current_period_start,
        "current_period_end": subscription.current_period_end,
        "trial_ends_at": subscription.trial_ends_at,
        "canceled_at": subscription.canceled_at,
        "grace_until": subscription.grace_until,
    }


def price_terms(subscription: Subscription) -> dict[str, Any]:
    """What this subscriber pays and gets, which may be older than the price list."""
    price = subscription.price
    return {
        "interval": price.interval or None,
        "amount": price.amount,
        "currency": price.currency,
        "credits": price.credits,
    }

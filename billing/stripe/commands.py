"""Writes to Stripe about customers and their money. All raise BillingError; `key` is the Idempotency-Key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from billing.stripe.queries import intent_facts
from billing.stripe.stripe_client import delete, get, list_all, post
from billing.stripe.stripe_errors import BillingError
from billing.stripe.stripe_types import IntentState


@dataclass(frozen=True)
class PayPage:
    session_id: str
    url: str
    expires_at: datetime


def create_customer(*, account_id: str, email: str, name: str, key: str) -> str:
    made = post("customers", key=key, email=email, name=name, metadata={"account_id": account_id})
    return str(made["id"])


def customer_exists(customer_id: str) -> bool:
    """False for a customer that was deleted, or is of another mode or account."""
    try:
        return not get(f"customers/{customer_id}").get("deleted")
    except BillingError as error:
        if error.code != "not_found":
            raise
        return False


def account_id_in_metadata(customer_id: str) -> str:
    """Empty without one, and for a deleted customer."""
    try:
        return str((get(f"customers/{customer_id}").get("metadata") or {}).get("account_id") or "")
    except BillingError as error:
        if error.code != "not_found":
            raise
        return ""


def delete_customer(customer_id: str) -> None:
    """Stripe ends its subscriptions and deletes its cards too. A missing customer is no error."""
    try:
        delete(f"customers/{customer_id}")
    except BillingError as error:
        if error.code != "not_found":
            raise


def create_checkout_session(
    *,
    key: str,
    customer_id: str,
    price_id: str,
    is_subscription: bool,
    trial_days: int,
    success_url: str,
    cancel_url: str,
    reference: str,
) -> PayPage:
    made = post(
        "checkout/sessions",
        key=key,
        customer=customer_id,
        line_items=[{"price": price_id, "quantity": 1}],
        success_url=success_url,
        cancel_url=cancel_url,
        client_reference_id=reference,
        allow_promotion_codes=True,
        **_tax(),
        **(_subscription(reference, trial_days) if is_subscription else _payment(reference)),
    )
    return PayPage(made["id"], made["url"], datetime.fromtimestamp(made["expires_at"], UTC))


def expire_checkout_session(session_id: str) -> None:
    """Raises BillingError `invalid_request` where the session is paid or closed already."""
    post(f"checkout/sessions/{session_id}/expire", key=f"expire:{session_id}")


def _payment(reference: str) -> dict[str, Any]:
    # `off_session` saves the card for automatic purchases.
    return {
        "mode": "payment",
        "invoice_creation": {"enabled": True},
        "payment_intent_data": {"metadata": {"checkout_id": reference}, "setup_future_usage": "off_session"},
    }


def _subscription(reference: str, trial_days: int) -> dict[str, Any]:
    data: dict[str, Any] = {"metadata": {"checkout_id": reference}}
    if trial_days:
        data["trial_period_days"] = trial_days
    return {"mode": "subscription", "subscription_data": data}


def _tax() -> dict[str, Any]:
    if not settings.STRIPE_TAX:
        return {}
    return {
        "automatic_tax": {"enabled": True},
        "customer_update": {"address": "auto", "name": "auto"},
        "tax_id_collection": {"enabled": True},
    }


def create_portal_session(customer_id: str, return_url: str, *, configuration_id: str, key: str) -> str:
    chosen = {"configuration": configuration_id} if configuration_id else {}
    made = post("billing_portal/sessions", key=key, customer=customer_id, return_url=return_url, **chosen)
    return str(made["url"])


def charge_saved_card(
    *, key: str, customer_id: str, amount: int, currency: str, description: str, metadata: Mapping[str, str]
) -> IntentState:
    """Raises BillingError `no_card`, `card_declined`, `authentication_required`."""
    made = post(
        "payment_intents",
        key=key,
        customer=customer_id,
        amount=amount,
        currency=currency,
        payment_method=_saved_card(customer_id),
        description=description,
        metadata=dict(metadata),
        off_session=True,
        confirm=True,
    )
    return intent_facts(made)


def _saved_card(customer_id: str) -> str:
    customer = get(f"customers/{customer_id}")
    chosen = (customer.get("invoice_settings") or {}).get("default_payment_method")
    if chosen:
        return str(chosen)
    saved = get("payment_methods", customer=customer_id, type="card", limit=1)["data"]
    if not saved:
        raise BillingError("no_card", "The customer has no saved card.", retryable=False)
    return str(saved[0]["id"])


def create_refund(payment_intent_id: str, *, amount: int | None, key: str) -> None:
    """`amount` None: all that is left."""
    part = {} if amount is None else {"amount": amount}
    post("refunds", key=key, payment_intent=payment_intent_id, **part)


def cancel_subscriptions(customer_id: str) -> None:
    """Cancels immediately, without further invoices. A missing customer is no error."""
    try:
        for found in list_all("subscriptions", customer=customer_id):
            delete(f"subscriptions/{found['id']}")
    except BillingError as error:
        if error.code != "not_found" or customer_exists(customer_id):
            raise


def cancel_subscription(subscription_id: str) -> None:
    """Cancels immediately, without proration. An ended or missing subscription is no error."""
    try:
        delete(f"subscriptions/{subscription_id}")
    except BillingError as error:
        if error.code != "not_found":
            raise


def pause_subscription(subscription_id: str, *, key: str) -> None:
    """Stripe voids its invoices until somebody resumes it there."""
    try:
        post(f"subscriptions/{subscription_id}", key=key, pause_collection={"behavior": "void"})
    except BillingError as error:
        if error.code != "not_found":
            raise

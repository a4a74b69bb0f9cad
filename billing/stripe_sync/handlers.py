"""Handlers that re-read one Stripe object and update our tables. Must not run in a transaction; safe to repeat."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import structlog
from django.conf import settings

from billing.enums import CheckoutStatus, InvoiceStatus, SyncKind
from billing.models import Checkout, FormerCustomer, Payment
from billing.purchases import auto_top_up, customers, fundings, lost_payments, payments, refunds, subscriptions
from billing.stripe import commands, queries, webhook_endpoint
from billing.stripe.stripe_errors import BillingError
from billing.stripe.stripe_types import ChargeState
from genvid import database_clock

logger = structlog.get_logger(__name__)
Facts = TypeVar("Facts")
CHARGE_SETTLING_TIME = timedelta(hours=1)
"""A younger charge without a payment is retried, as its session may be about to complete."""


def sync_object(kind: SyncKind, object_id: str) -> None:
    """Raises BillingError where Stripe fails, or for an object with our metadata that is unknown here.

    An object without our metadata belongs to another business on the Stripe account and is ignored.
    """
    HANDLERS[kind](object_id)


def _read_or_none(read: Callable[[str], Facts], object_id: str) -> Facts | None:
    """None for an object that was deleted, or is of another mode or account."""
    try:
        return read(object_id)
    except BillingError as error:
        if error.code != "not_found":
            raise
        logger.warning("gone_at_stripe", object_id=object_id)
        return None


def _sync_session(session_id: str) -> None:
    facts, ours = _read_or_none(queries.session, session_id), Checkout.objects.filter(stripe_session_id=session_id)
    if facts is None:
        ours.filter(status=CheckoutStatus.OPEN).update(status=CheckoutStatus.EXPIRED)
        return
    if not customers.is_ours(facts.customer_id, is_marked=ours.exists()):
        return
    if facts.status != "open":
        status = CheckoutStatus.COMPLETE if facts.status == "complete" else CheckoutStatus.EXPIRED
        ours.update(status=status)
    if facts.mode == "payment" and facts.is_paid:
        payment = payments.record_pack_payment(facts)
        _sync_charge_of(payment)
    if facts.subscription_id:
        _sync_subscription(facts.subscription_id)


def _sync_invoice(invoice_id: str) -> None:
    read_at = database_clock.now()
    facts = _read_or_none(queries.invoice, invoice_id)
    if facts is None:
        subscriptions.record_invoice_gone(invoice_id)
        return
    if not customers.is_ours(facts.customer_id, is_marked=facts.is_marked):
        return
    subscriptions.record_invoice(facts, read_at=read_at)
    if not facts.subscription_id:
        # A pack's invoice: its session brings the credits.
        return
    _sync_subscription(facts.subscription_id)
    if facts.status == InvoiceStatus.PAID:
        payment = payments.record_invoice_payment(facts)
        if payment is not None:
            _sync_charge_of(payment)
            fundings.settle_balance(payment.account_id)


def _sync_subscription(subscription_id: str) -> None:
    read_at = database_clock.now()
    facts = _read_or_none(queries.subscription, subscription_id)
    if facts is None:
        subscriptions.record_subscription_gone(subscription_id)
    elif customers.is_ours(facts.customer_id, is_marked=facts.is_marked):
        subscriptions.record_subscription(facts, read_at=read_at)


def _sync_charge_of(payment: Payment) -> None:
    """Records the receipt, and refunds made before the payment was recorded."""
    if payment.stripe_payment_intent_id and not payment.stripe_charge_id:
        intent = _read_or_none(queries.intent, payment.stripe_payment_intent_id)
        charge = _read_or_none(queries.charge, intent.charge_id) if intent and intent.charge_id else None
        if charge is not None:
            _record_charge(payment, charge)


def _sync_charge(charge_id: str) -> None:
    facts = _read_or_none(queries.charge, charge_id)
    if facts is None or not facts.is_paid or not customers.is_ours(facts.customer_id, is_marked=facts.is_marked):
        return
    payment = _payment_of(facts)
    if payment is None:
        # The reconciliation reports a charge that stays unknown.
        raise BillingError(
            "unknown_payment", charge_id, retryable=database_clock.now() - facts.created_at < CHARGE_SETTLING_TIME
        )
    _record_charge(payment, facts)


def _payment_of(facts: ChargeState) -> Payment | None:
    mine = Payment.objects.filter(stripe_payment_intent_id=facts.payment_intent_id)
    return mine.first() or _record_origin(facts.payment_intent_id) or mine.first()


def _record_origin(payment_intent_id: str) -> Payment | None:
    # Several intents may have paid one invoice.
    if session_id := queries.session_of_intent(payment_intent_id):
        session = queries.session(session_id)
        if session.mode == "payment" and session.is_paid:
            return payments.record_pack_payment(session)
    elif invoice_id := queries.invoice_of_intent(payment_intent_id):
        invoice = queries.invoice(invoice_id)
        if invoice.subscription_id:
            _sync_subscription(invoice.subscription_id)
        if invoice.status == InvoiceStatus.PAID:
            return payments.record_invoice_payment(invoice)
    else:
        auto_top_up.sync_top_up(queries.intent(payment_intent_id))
    return None


def _record_charge(payment: Payment, facts: ChargeState) -> None:
    # Before the warning is recorded: after a crash in between, the refund is repeated with its key.
    if settings.STRIPE_REFUND_FRAUD_WARNINGS and facts.fraud_warned_at and payment.fraud_warned_at is None:
        _refund_warned(facts)
    refunds.record_charge_state(payment.pk, facts)
    fundings.settle_balance(payment.account_id)
    if stopped := lost_payments.apply_policy(payment.pk):
        _sync_subscription(stopped)


def _refund_warned(facts: ChargeState) -> None:
    # A refund costs less than the dispute that would follow.
    try:
        commands.create_refund(facts.payment_intent_id, amount=None, key=f"fraud:{facts.id}")
    except BillingError as error:
        if error.retryable:
            raise
        # Refunded or disputed already.
        logger.warning("fraud_not_refunded", charge=facts.id, error=str(error))


def _sync_intent(payment_intent_id: str) -> None:
    # Intents of sessions and invoices are handled with those.
    facts = _read_or_none(queries.intent, payment_intent_id)
    if facts is not None and facts.top_up_id:
        auto_top_up.sync_top_up(facts)


def _sync_customer(customer_id: str) -> None:
    if not customers.is_ours(customer_id):
        return
    customers.release_customer_if_gone(customer_id)
    # The event of our own deletion stores the customer's name in dj-stripe again.
    if FormerCustomer.objects.filter(pk=customer_id, is_erased=True).exists():
        webhook_endpoint.delete_customer_mirror(customer_id)


HANDLERS: dict[SyncKind, Callable[[str], None]] = {
    SyncKind.SESSION: _sync_session,
    SyncKind.INVOICE: _sync_invoice,
    SyncKind.SUBSCRIPTION: _sync_subscription,
    SyncKind.CHARGE: _sync_charge,
    SyncKind.PAYMENT_INTENT: _sync_intent,
    SyncKind.CUSTOMER: _sync_customer,
}

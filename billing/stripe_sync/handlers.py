"""Handlers that read one Stripe object and bring our tables in line with it.

Webhooks, returning buyers and the nightly reconciliation all end here. Stripe is read outside any transaction; the
writes may be repeated, in any order.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import structlog
from django.conf import settings
from django.utils import timezone

from billing.enums import CheckoutStatus, InvoiceStatus, SyncKind
from billing.models import Checkout, FormerCustomer, Payment
from billing.purchases import auto_top_up, customers, fundings, lost_payments, payments, refunds, subscriptions
from billing.stripe import commands, queries, webhook_endpoint
from billing.stripe.stripe_errors import BillingError
from billing.stripe.stripe_types import ChargeState

logger = structlog.get_logger(__name__)
Facts = TypeVar("Facts")
SETTLING = timedelta(hours=1)
"""Within this time everything that belongs to a charge must have turned up."""


def sync_object(kind: SyncKind, object_id: str) -> None:
    """Raises BillingError where Stripe does not answer, or for an object that looks ours and is unknown here.

    An object that Stripe has deleted counts as gone; one without our marks belongs to another business and is ignored.
    """
    HANDLERS[kind](object_id)


def _told(read: Callable[[str], Facts], object_id: str) -> Facts | None:
    """None for what Stripe does not know: deleted, or of another mode or account."""
    try:
        return read(object_id)
    except BillingError as error:
        if error.code != "not_found":
            raise
        logger.warning("gone_at_stripe", object_id=object_id)
        return None


def _session(session_id: str) -> None:
    facts, ours = _told(queries.session, session_id), Checkout.objects.filter(stripe_session_id=session_id)
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
        _charge_of(payment)
    if facts.subscription_id:
        _subscription(facts.subscription_id)


def _invoice(invoice_id: str) -> None:
    read_at = timezone.now()
    facts = _told(queries.invoice, invoice_id)
    if facts is None:
        subscriptions.record_invoice_gone(invoice_id)
        return
    if not customers.is_ours(facts.customer_id, is_marked=facts.is_marked):
        return
    subscriptions.record_invoice(facts, read_at=read_at)
    if not facts.subscription_id:
        # A pack's: its session brings the credits.
        return
    _subscription(facts.subscription_id)
    if facts.status == InvoiceStatus.PAID:
        payment = payments.record_invoice_payment(facts)
        if payment is not None:
            _charge_of(payment)
            fundings.settle_balance(payment.account_id)


def _subscription(subscription_id: str) -> None:
    read_at = timezone.now()
    facts = _told(queries.subscription, subscription_id)
    if facts is None:
        subscriptions.record_subscription_gone(subscription_id)
    elif customers.is_ours(facts.customer_id, is_marked=facts.is_marked):
        subscriptions.record_subscription(facts, read_at=read_at)


def _charge_of(payment: Payment) -> None:
    """Reads its receipt, and refunds from before the payment was recorded."""
    if payment.stripe_payment_intent_id and not payment.stripe_charge_id:
        intent = _told(queries.intent, payment.stripe_payment_intent_id)
        charge = _told(queries.charge, intent.charge_id) if intent and intent.charge_id else None
        if charge is not None:
            _note_charge(payment, charge)


def _charge(charge_id: str) -> None:
    facts = _told(queries.charge, charge_id)
    if facts is None or not facts.is_paid or not customers.is_ours(facts.customer_id, is_marked=facts.is_marked):
        return
    payment = _payment_of(facts)
    if payment is None:
        # Its session may be about to complete; one that stays unknown is for the reconciliation to report.
        raise BillingError("unknown_payment", charge_id, retryable=timezone.now() - facts.created_at < SETTLING)
    _note_charge(payment, facts)


def _payment_of(facts: ChargeState) -> Payment | None:
    """The payment's row; records the payment first where it is missing."""
    mine = Payment.objects.filter(stripe_payment_intent_id=facts.payment_intent_id)
    return mine.first() or _origin(facts.payment_intent_id) or mine.first()


def _origin(payment_intent_id: str) -> Payment | None:
    """Any of several intents that paid one invoice leads to the same row."""
    if session_id := queries.session_of_intent(payment_intent_id):
        session = queries.session(session_id)
        if session.mode == "payment" and session.is_paid:
            return payments.record_pack_payment(session)
    elif invoice_id := queries.invoice_of_intent(payment_intent_id):
        invoice = queries.invoice(invoice_id)
        if invoice.subscription_id:
            _subscription(invoice.subscription_id)
        if invoice.status == InvoiceStatus.PAID:
            return payments.record_invoice_payment(invoice)
    else:
        auto_top_up.sync_top_up(queries.intent(payment_intent_id))
    return None


def _note_charge(payment: Payment, facts: ChargeState) -> None:
    # Before the warning is noted: whoever dies in between finds it new, and asks once more with the same key.
    if settings.STRIPE_REFUND_FRAUD_WARNINGS and facts.fraud_warned_at and payment.fraud_warned_at is None:
        _refund_warned(facts)
    refunds.record_charge_state(payment.pk, facts)
    fundings.settle_balance(payment.account_id)
    if stopped := lost_payments.apply_policy(payment.pk):
        _subscription(stopped)


def _refund_warned(facts: ChargeState) -> None:
    """A refund costs less than the dispute that would follow; its own events do the rest."""
    try:
        commands.create_refund(facts.payment_intent_id, amount=None, key=f"fraud:{facts.id}")
    except BillingError as error:
        if error.retryable:
            raise
        # Refunded or disputed already.
        logger.warning("fraud_not_refunded", charge=facts.id, error=str(error))


def _intent(payment_intent_id: str) -> None:
    """Intents of sessions and invoices are handled through those."""
    facts = _told(queries.intent, payment_intent_id)
    if facts is not None and facts.top_up_id:
        auto_top_up.sync_top_up(facts)


def _customer(customer_id: str) -> None:
    """A customer of ours was deleted at Stripe; if by us, the event has brought their name back into the mirror."""
    if not customers.is_ours(customer_id):
        return
    customers.release_customer_if_gone(customer_id)
    if FormerCustomer.objects.filter(pk=customer_id, is_erased=True).exists():
        webhook_endpoint.delete_customer_mirror(customer_id)


HANDLERS: dict[SyncKind, Callable[[str], None]] = {
    SyncKind.SESSION: _session,
    SyncKind.INVOICE: _invoice,
    SyncKind.SUBSCRIPTION: _subscription,
    SyncKind.CHARGE: _charge,
    SyncKind.PAYMENT_INTENT: _intent,
    SyncKind.CUSTOMER: _customer,
}

"""Refunds of payments by staff. The sync of the charge takes back the credits."""

from uuid import UUID

from django.db import transaction

from accounts import audit_log
from accounts.enums import AuditAct
from billing.enums import SyncKind
from billing.models import Payment
from billing.stripe import commands
from billing.stripe_sync import sync_queue
from genvid.errors import InvalidState


def refund_payment(payment: Payment, *, amount: int | None = None, staff_id: UUID | None, reason: str = "") -> None:
    """Refunds `amount` minor units, by default the rest. Raises InvalidState and BillingError."""
    # The number of known refunds, failed ones included, tells a further refund of one amount from a repetition.
    wanted = _refundable(payment, amount)
    _refund_at_stripe(payment, wanted, key=f"refund:{payment.pk}:{payment.refunds.count()}:{wanted}")
    facts = {"payment": payment.pk, "amount": wanted, "currency": payment.currency, "reason": reason}
    act = AuditAct.STAFF_PAYMENT_REFUNDED
    audit_log.record_staff_action(act, account_id=payment.account_id, staff_id=staff_id, **facts)
    _request_sync(payment)


def refund_payment_once(payment: Payment, *, amount: int, reason: str, staff_id: UUID, token: UUID) -> None:
    """`refund_payment` of what a page offered under `token`. Raises AlreadyDone, InvalidState and BillingError."""
    if audit_log.was_recorded(token):
        raise audit_log.AlreadyDone
    wanted = _refundable(payment, amount)
    # Of two clicks at once, Stripe makes one refund for one key, and the second finds the first one's entry.
    _refund_at_stripe(payment, wanted, key=f"refund:{payment.pk}:{token}")
    facts = {"payment": payment.pk, "amount": wanted, "currency": payment.currency, "reason": reason}
    with transaction.atomic():
        act = AuditAct.STAFF_PAYMENT_REFUNDED
        audit_log.record_once(act, token, staff_id=staff_id, account_id=payment.account_id, **facts)
        _request_sync(payment)


def _refundable(payment: Payment, amount: int | None) -> int:
    left = payment.amount - payment.amount_lost
    wanted = left if amount is None else amount
    if not payment.stripe_payment_intent_id or wanted <= 0 or wanted > left:
        raise InvalidState(f"Of this payment, {left} can be refunded.")
    return wanted


def _refund_at_stripe(payment: Payment, amount: int, *, key: str) -> None:
    commands.create_refund(str(payment.stripe_payment_intent_id), amount=amount, key=key)


def _request_sync(payment: Payment) -> None:
    if payment.stripe_charge_id:
        sync_queue.request_sync(SyncKind.CHARGE, payment.stripe_charge_id)

"""Refunds of payments by staff. The sync of the charge takes back the credits."""

from uuid import UUID

from accounts import audit_log
from accounts.enums import AuditAct
from billing.enums import SyncKind
from billing.models import Payment
from billing.stripe import commands
from billing.stripe_sync import sync_queue
from genvid.errors import InvalidState


def refund_payment(payment: Payment, *, amount: int | None = None, staff_id: UUID | None) -> None:
    """Refunds `amount` minor units, by default the rest. Raises InvalidState and BillingError."""
    left = payment.amount - payment.amount_lost
    wanted = left if amount is None else amount
    if not payment.stripe_payment_intent_id or wanted <= 0 or wanted > left:
        raise InvalidState(f"Of this payment, {left} can be refunded.")
    # The number of known refunds, failed ones included, tells a further refund of one amount from a repetition.
    key = f"refund:{payment.pk}:{payment.refunds.count()}:{wanted}"
    commands.create_refund(payment.stripe_payment_intent_id, amount=wanted, key=key)
    facts = {"payment": payment.pk, "amount": wanted}
    audit_log.record_staff_action(AuditAct.PAYMENT_REFUNDED, account_id=payment.account_id, staff_id=staff_id, **facts)
    if payment.stripe_charge_id:
        sync_queue.request_sync(SyncKind.CHARGE, payment.stripe_charge_id)

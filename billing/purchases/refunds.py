"""Records refunds, disputes and fraud warnings, independent of the order of events.

A payment's lost amount is the sum over its rows; `billing.purchases.clawbacks` takes the credits.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet, Sum

from accounts.enums import EventType
from accounts.webhooks import outgoing_events
from billing import mails, money
from billing.enums import DISPUTE_RANK, REFUND_RANK, RETURNING, WITHDRAWN, MailKind
from billing.ledger.entries import lock_wallet
from billing.models import Dispute, Payment, Refund, TopUpRule
from billing.purchases import clawbacks
from billing.representations import payment_data
from billing.stripe.stripe_types import ChargeState, DisputeState, RefundState
from genvid import database_clock

DISPUTED = "disputed"


@transaction.atomic
def record_charge_state(payment_id: UUID, facts: ChargeState) -> None:
    account_id = Payment.objects.values_list("account_id", flat=True).get(pk=payment_id)
    lock_wallet(account_id)
    payment = Payment.objects.get(pk=payment_id)
    lost_before = payment.amount_lost
    moved = [each.id for each in facts.refunds if _record_refund(payment, each)]
    moved += [each.id for each in facts.disputes if _record_dispute(payment, each)]
    _update_totals(payment, facts)
    clawbacks.settle_clawbacks(payment_id, cause=moved[-1] if moved else facts.id)
    payment.refresh_from_db()
    if payment.amount_lost != lost_before:
        outgoing_events.publish(
            account_id, EventType.PAYMENT_REFUNDED, payment_data(payment), object_id=str(payment_id)
        )
    _record_fraud_warning(payment, facts)


def _record_refund(payment: Payment, facts: RefundState) -> bool:
    """False for a known or older status."""
    _, is_new = Refund.objects.get_or_create(
        stripe_refund_id=facts.id,
        defaults={
            "payment": payment,
            "amount": facts.amount,
            "status": facts.status,
            "created_at": facts.created_at,
        },
    )
    if is_new and facts.status in RETURNING:
        context = {"payment_id": str(payment.pk), "amount": facts.amount}
        mails.write_mail(MailKind.REFUND, facts.id, account_id=payment.account_id, **context)
    return is_new or _advance_status(Refund.objects.filter(pk=facts.id), facts.status, REFUND_RANK)


def _record_dispute(payment: Payment, facts: DisputeState) -> bool:
    """False for a known or older status. Alarms staff of a new dispute, which has a deadline of days at Stripe."""
    _, is_new = Dispute.objects.get_or_create(
        stripe_dispute_id=facts.id,
        defaults={
            "payment": payment,
            "amount": facts.amount,
            "status": facts.status,
            "reason": facts.reason,
            "created_at": facts.created_at,
        },
    )
    if is_new:
        shown = money.money_text(facts.amount, payment.currency)
        mails.alarm_staff(facts.id, f"A payment of {payment.description} over {shown} is disputed ({facts.reason}).")
        _stop_top_ups(payment)
    return is_new or _advance_status(Dispute.objects.filter(pk=facts.id), facts.status, DISPUTE_RANK)


def _advance_status(row: QuerySet[Any], status: str, ranks: Mapping[Any, int]) -> bool:
    """False unless `status` has a higher rank than the recorded one."""
    earlier = [each for each, rank in ranks.items() if rank < ranks[status]]
    return row.filter(status__in=earlier).update(status=status) == 1


def _stop_top_ups(payment: Payment) -> None:
    rules = TopUpRule.objects.filter(pk=payment.account_id, enabled=True)
    rules.update(enabled=False, pause_reason=DISPUTED)


def _update_totals(payment: Payment, facts: ChargeState) -> None:
    # Summed over the rows: the figures of Stripe's answer may be older.
    refunded = payment.refunds.filter(status__in=RETURNING).aggregate(total=Sum("amount"))["total"] or 0
    disputed = payment.disputes.filter(status__in=WITHDRAWN).aggregate(total=Sum("amount"))["total"] or 0
    Payment.objects.filter(pk=payment.pk).update(
        amount_refunded=refunded,
        amount_disputed=disputed,
        stripe_charge_id=payment.stripe_charge_id or facts.id,
        receipt_url=payment.receipt_url or facts.receipt_url,
    )


def _record_fraud_warning(payment: Payment, facts: ChargeState) -> None:
    unwarned = Payment.objects.filter(pk=payment.pk, fraud_warned_at=None)
    if facts.fraud_warned_at is None or unwarned.update(fraud_warned_at=database_clock.now()) != 1:
        return
    text = f"The card's bank warns of fraud: {payment.description}, account {payment.account_id}."
    mails.alarm_staff(f"fraud:{facts.id}", text)
    _stop_top_ups(payment)

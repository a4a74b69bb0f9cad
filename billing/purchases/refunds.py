"""Refunds, disputes and fraud warnings, independent of the order of events.

Each refund and dispute is a row whose status only moves forward; the money that a payment lost is their sum, and the
credits follow from it (`billing.purchases.clawbacks`).
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from accounts.enums import EventType
from accounts.webhooks import outgoing_events
from billing import mails, money
from billing.enums import DISPUTE_RANK, REFUND_RANK, RETURNING, WITHDRAWN, MailKind
from billing.ledger.entries import lock
from billing.models import Dispute, Payment, Refund, TopUpRule
from billing.purchases import clawbacks
from billing.representations import payment_data
from billing.stripe.stripe_types import ChargeState, DisputeState, RefundState

DISPUTED = "disputed"
"""Why automatic purchases were switched off."""


@transaction.atomic
def record_charge_state(payment_id: UUID, facts: ChargeState) -> None:
    """Records what Stripe says of a payment's charge."""
    account_id = Payment.objects.values_list("account_id", flat=True).get(pk=payment_id)
    lock(account_id)
    payment = Payment.objects.get(pk=payment_id)
    lost_before = payment.amount_lost
    moved = [each.id for each in facts.refunds if _note_refund(payment, each)]
    moved += [each.id for each in facts.disputes if _note_dispute(payment, each)]
    _add_up(payment, facts)
    clawbacks.settle_clawbacks(payment_id, cause=moved[-1] if moved else facts.id)
    payment.refresh_from_db()
    if payment.amount_lost != lost_before:
        outgoing_events.publish(
            account_id, EventType.PAYMENT_REFUNDED, payment_data(payment), object_id=str(payment_id)
        )
    _note_warning(payment, facts)


def _note_refund(payment: Payment, facts: RefundState) -> bool:
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
        words = {"payment_id": str(payment.pk), "amount": facts.amount}
        mails.write_mail(MailKind.REFUND, facts.id, account_id=payment.account_id, **words)
    return is_new or _moves_on(Refund.objects.filter(pk=facts.id), facts.status, REFUND_RANK)


def _note_dispute(payment: Payment, facts: DisputeState) -> bool:
    """False for a known or older status. Staff are told of each new dispute: it must be answered within days, at
    Stripe.
    """
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
    return is_new or _moves_on(Dispute.objects.filter(pk=facts.id), facts.status, DISPUTE_RANK)


def _moves_on(row: QuerySet[Any], status: str, ranks: Mapping[Any, int]) -> bool:
    """The one place where the status of refunds and disputes changes, and only to a later one."""
    earlier = [each for each, rank in ranks.items() if rank < ranks[status]]
    return row.filter(status__in=earlier).update(status=status) == 1


def _stop_top_ups(payment: Payment) -> None:
    """A disputed card is not charged automatically any more, until its owner switches that on again."""
    rules = TopUpRule.objects.filter(pk=payment.account_id, enabled=True)
    rules.update(enabled=False, pause_reason=DISPUTED)


def _add_up(payment: Payment, facts: ChargeState) -> None:
    """Sums over the rows, never the figures of an answer: it may be older than what we know."""
    refunded = payment.refunds.filter(status__in=RETURNING).aggregate(total=Sum("amount"))["total"] or 0
    disputed = payment.disputes.filter(status__in=WITHDRAWN).aggregate(total=Sum("amount"))["total"] or 0
    Payment.objects.filter(pk=payment.pk).update(
        amount_refunded=refunded,
        amount_disputed=disputed,
        stripe_charge_id=payment.stripe_charge_id or facts.id,
        receipt_url=payment.receipt_url or facts.receipt_url,
    )


def _note_warning(payment: Payment, facts: ChargeState) -> None:
    unwarned = Payment.objects.filter(pk=payment.pk, fraud_warned_at=None)
    if facts.fraud_warned_at is None or unwarned.update(fraud_warned_at=timezone.now()) != 1:
        return
    text = f"The card's bank warns of fraud: {payment.description}, account {payment.account_id}."
    mails.alarm_staff(f"fraud:{facts.id}", text)
    _stop_top_ups(payment)

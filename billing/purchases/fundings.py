"""Records how invoices were paid, and voids balance at Stripe that came from refunded money."""

from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q

from billing.ledger.entries import lock_wallet
from billing.models import Funding, Payment
from billing.purchases import clawbacks, credit_schedule
from billing.stripe import customer_balances
from billing.stripe.stripe_types import InvoiceState

logger = structlog.get_logger(__name__)


def record_funding(payment: Payment, facts: InvoiceState, prices: credit_schedule.Prices) -> None:
    """The caller holds the wallet's lock."""
    moved = facts.credit_after - facts.credit_before
    Funding.objects.get_or_create(
        payment=payment,
        defaults={
            "stripe_customer_id": facts.customer_id,
            "stripe_subscription_id": facts.subscription_id,
            "issued_at": facts.created_at,
            "sequence": facts.sequence,
            "balance_used": max(0, -moved),
            "balance_brought": max(0, moved),
            "time_returned": -sum(line.amount for line in facts.lines if line.is_proration and line.amount < 0),
            "credits_returned": credit_schedule.returned_credits(facts, prices),
        },
    )


def settle_balance(account_id: UUID) -> None:
    """Voids balance of refunded money at Stripe, and restores it when the money returned. Raises BillingError.

    Must not run in a transaction. Safe to repeat: Stripe's list says what was voided before.
    """
    if not Funding.objects.filter(_may_differ(), payment__account=account_id).exists():
        return
    done: set[UUID] = set()
    while differing := [each for each in clawbacks.balances_to_void(account_id) if _differs(*each, done)]:
        # Oldest first: voided balance did not pay for later invoices.
        payment, wanted = differing[0]
        _void(payment, wanted)
        done.add(payment.pk)


def _differs(payment: Payment, wanted: int, done: set[UUID]) -> bool:
    return wanted != payment.funding.balance_voided and payment.pk not in done


def _may_differ() -> Q:
    return Q(balance_brought__gt=0) & (
        Q(balance_voided__gt=0)
        | Q(payment__account__payments__amount_refunded__gt=0)
        | Q(payment__account__payments__amount_disputed__gt=0)
    )


def _void(payment: Payment, wanted: int) -> None:
    customer_id, invoice_id = payment.funding.stripe_customer_id, payment.source_id
    theirs = customer_balances.read_voided(customer_id, invoice_id)
    if theirs is None:
        return
    amount = min(wanted - theirs.amount, theirs.credit)
    if amount:
        done = theirs.transactions
        customer_balances.void_balance(customer_id, invoice_id, amount, payment.currency, transactions=done)
        logger.warning("balance_voided", account_id=str(payment.account_id), invoice=invoice_id, amount=amount)
    with transaction.atomic():
        lock_wallet(payment.account_id)
        Funding.objects.filter(pk=payment.pk).update(balance_voided=theirs.amount + amount)
        clawbacks.settle_clawbacks(payment.pk, cause=f"balance:{payment.source_id}")

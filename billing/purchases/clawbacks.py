"""Clawbacks of credits whose money was refunded or disputed. They may leave a negative balance."""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum

from billing.enums import EntryKind, LotSource
from billing.ledger import lots
from billing.ledger.entries import lock_wallet, record_entry
from billing.models import CreditLot, Payment
from billing.purchases.money_tracing import InvoiceFunding, Traced, trace_money
from genvid import database_clock

MIN_RETURNED_LIFETIME = timedelta(days=30)
"""The expiry of the credits taken back may have passed when they are returned."""


@dataclass
class _PaymentCredits:
    payment: Payment
    granted: int
    expired: int
    traced: Traced

    @property
    def owed(self) -> int:
        """Credits for the lost part of the money, rounded up; without those that a later invoice took over."""
        payment, passed = self.payment, self.traced.credits_passed
        funding = getattr(payment, "funding", None)
        used = self.granted - payment.credits_unused + (funding.credits_returned if funding else 0) - passed
        own = Fraction(payment.amount_lost, payment.amount) if payment.amount else Fraction(0)
        by_trace = math.ceil(self.traced.lost * max(0, used))
        return payment.credits_unused + max(by_trace, math.ceil(own * max(0, self.granted - passed)))

    @property
    def short(self) -> int:
        return self.owed - self.payment.credits_taken_back - self.payment.credits_forgiven


@transaction.atomic
def settle_clawbacks(payment_id: UUID, *, cause: str) -> int:
    """Takes back or returns a payment's credits, and those of invoices paid with its money, whatever the event order.

    Returns the credits moved for this payment, negative when taken. `cause`: the reference for the ledger.
    """
    account_id = Payment.objects.values_list("account_id", flat=True).get(pk=payment_id)
    lock_wallet(account_id)
    moved = 0
    for bought in _credits_of_payments(account_id, payment_id):
        if bought.payment.pk == payment_id:
            moved = _settle_payment(bought, cause)
        elif bought.short:
            _settle_payment(bought, f"{cause}:{bought.payment.pk.hex[:12]}")
    return moved


def balances_to_void(account_id: UUID) -> list[tuple[Payment, int]]:
    """Payments that added to the balance at Stripe, oldest first, with the amount of it to void."""
    funded = list(_funded(account_id).order_by("funding__issued_at", "funding__sequence"))
    traced = _traced(funded)
    return [(each, traced[each.pk].to_void) for each in funded if each.funding.balance_brought]


def _funded(account_id: UUID) -> QuerySet[Payment]:
    return Payment.objects.filter(account=account_id, funding__isnull=False).select_related("funding")


def _credits_of_payments(account_id: UUID, payment_id: UUID) -> list[_PaymentCredits]:
    """The payment first, then all payments that may have been made with its money."""
    payments = {each.pk: each for each in _funded(account_id)}
    if payment_id not in payments:
        payments = {payment_id: Payment.objects.select_related("funding").get(pk=payment_id)}
    first = sorted(payments.values(), key=lambda each: each.pk != payment_id)
    traced = _traced([each for each in first if hasattr(each, "funding")])
    by_lots = (
        CreditLot.objects.filter(payment__in=payments)
        .order_by()
        .values("payment")
        .annotate(bought=Sum("granted", filter=~Q(source=LotSource.RETURNED)), gone=Sum("expired"))
    )
    sums = {row["payment"]: (row["bought"] or 0, row["gone"] or 0) for row in by_lots}
    nothing = Traced(Fraction(0))
    return [_PaymentCredits(each, *sums.get(each.pk, (0, 0)), traced.get(each.pk, nothing)) for each in first]


def _traced(funded: Iterable[Payment]) -> dict[Hashable, Traced]:
    # Balances are per customer and currency at Stripe.
    by_customer: dict[tuple[str, str], list[InvoiceFunding]] = defaultdict(list)
    for each in funded:
        by_customer[each.funding.stripe_customer_id, each.currency].append(_invoice_funding(each))
    return {key: found for invoices in by_customer.values() for key, found in trace_money(invoices).items()}


def _invoice_funding(payment: Payment) -> InvoiceFunding:
    funding = payment.funding
    return InvoiceFunding(
        key=payment.pk,
        subscription_id=funding.stripe_subscription_id,
        order=(funding.issued_at.timestamp(), funding.sequence),
        paid=payment.amount,
        lost=payment.amount_lost,
        used=funding.balance_used,
        brought=funding.balance_brought,
        returned=funding.time_returned,
        credits_returned=funding.credits_returned,
        voided=funding.balance_voided,
    )


def _settle_payment(bought: _PaymentCredits, cause: str) -> int:
    payment = bought.payment
    taken, forgiven = _split_shortfall(bought)
    if taken == forgiven == 0:
        return 0
    Payment.objects.filter(pk=payment.pk).update(
        credits_taken_back=F("credits_taken_back") + taken,
        credits_forgiven=F("credits_forgiven") + forgiven,
        corrections=F("corrections") + 1,
    )
    reference = f"{cause}:{payment.corrections + 1}"
    if taken > 0:
        _take_credits(bought, taken, reference)
    elif taken < 0:
        _return_credits(payment, -taken, reference)
    return -taken


def _split_shortfall(bought: _PaymentCredits) -> tuple[int, int]:
    """Credits to take, and credits to skip because they expired unused."""
    payment, short = bought.payment, bought.short
    if short < 0:
        returned = min(-short, payment.credits_taken_back)
        return -returned, short + returned
    forgiven = min(short, max(0, bought.expired - payment.credits_forgiven))
    return short - forgiven, forgiven


def _take_credits(bought: _PaymentCredits, amount: int, reference: str) -> None:
    """From the payment's own lots first, then from others; the rest becomes negative balance."""
    payment = bought.payment
    left = amount - lots.consume(payment.account_id, amount, payment_id=payment.pk)
    lots.consume(payment.account_id, left)
    why = "Money back" if payment.amount_lost or bought.traced.lost else "Time not used"
    record_entry(payment.account_id, -amount, EntryKind.CLAWBACK, reference, f"{why}: {payment.description}")


def _return_credits(payment: Payment, amount: int, reference: str) -> None:
    wallet = lock_wallet(payment.account_id)
    CreditLot.objects.create(
        wallet=wallet,
        source=LotSource.RETURNED,
        reference=f"returned:{reference}",
        payment=payment,
        granted=amount,
        remaining=max(0, amount - max(0, -wallet.balance)),
        expires_at=_expiry_of(payment),
    )
    record_entry(payment.account_id, amount, EntryKind.CLAWBACK, reference, f"Returned: {payment.description}")


def _expiry_of(payment: Payment) -> datetime | None:
    bought = payment.lots.exclude(source=LotSource.RETURNED)
    found = list(bought.values_list("expires_at", flat=True))
    dates = [date for date in found if date is not None]
    if len(dates) < len(found):
        return None
    return max([*dates, database_clock.now() + MIN_RETURNED_LIFETIME])

"""Nightly backfill of `Funding` rows for payments made before these were recorded."""

from django.db import transaction

from billing.enums import PaymentKind
from billing.ledger.entries import lock_wallet
from billing.models import Funding, Payment
from billing.purchases import clawbacks, fundings
from billing.purchases.customers import account_of
from billing.purchases.payments import prices_of
from billing.stripe import queries
from billing.stripe.stripe_errors import BillingError
from billing.stripe.stripe_types import InvoiceState

BATCH_SIZE = 2_000


def backfill_fundings() -> list[str]:
    """Up to BATCH_SIZE payments, newest first. Returns a line per payment. Raises BillingError."""
    bare = list(Payment.objects.filter(kind=PaymentKind.SUBSCRIPTION, funding=None).order_by("-paid_at")[:BATCH_SIZE])
    for payment in bare:
        _backfill(payment)
    for account_id in {payment.account_id for payment in bare}:
        fundings.settle_balance(account_id)
    return [f"funding of {payment.source_id}" for payment in bare]


def _backfill(payment: Payment) -> None:
    facts = _invoice_of(payment)
    with transaction.atomic():
        lock_wallet(payment.account_id)
        if facts is None:
            _record_empty_funding(payment)
        else:
            fundings.record_funding(payment, facts, prices_of({line.price_id for line in facts.lines}))
        clawbacks.settle_clawbacks(payment.pk, cause=payment.source_id)


def _invoice_of(payment: Payment) -> InvoiceState | None:
    try:
        facts = queries.invoice(payment.source_id)
    except BillingError as error:
        if error.code != "not_found":
            raise
        return None
    return facts if account_of(facts.customer_id) == payment.account_id else None


def _record_empty_funding(payment: Payment) -> None:
    # The invoice is of another Stripe mode, so it left no balance.
    nothing = dict.fromkeys(("balance_used", "balance_brought", "time_returned", "credits_returned", "sequence"), 0)
    Funding.objects.get_or_create(payment=payment, defaults=nothing | {"issued_at": payment.paid_at})

"""Customers' balances at Stripe, which pay their next invoices. Positive amounts are in the customer's favour."""

from dataclasses import dataclass

from billing.stripe.stripe_client import get, list_all, post
from billing.stripe.stripe_errors import BillingError

MARK = "voided_invoice_id"


@dataclass(frozen=True)
class Voided:
    """What was voided for one invoice (`amount`, `transactions`), and the customer's balance left (`credit`)."""

    amount: int
    transactions: int
    credit: int


def read_voided(customer_id: str, invoice_id: str) -> Voided | None:
    """None for a deleted customer. Raises BillingError."""
    try:
        customer = get(f"customers/{customer_id}")
        if customer.get("deleted"):
            return None
        moves = list(list_all(f"customers/{customer_id}/balance_transactions"))
    except BillingError as error:
        if error.code != "not_found":
            raise
        return None
    ours = [each["amount"] for each in moves if (each.get("metadata") or {}).get(MARK) == invoice_id]
    return Voided(sum(ours), len(ours), max(0, -customer["balance"]))


def void_balance(customer_id: str, invoice_id: str, amount: int, currency: str, *, transactions: int) -> None:
    """A negative `amount` is put back. Idempotent per number of `transactions`. Raises BillingError."""
    post(
        f"customers/{customer_id}/balance_transactions",
        key=f"void:{invoice_id}:{transactions}:{amount}",
        amount=amount,
        currency=currency,
        description="Paid with refunded money" if amount > 0 else "The refunded money returned",
        metadata={MARK: invoice_id},
    )

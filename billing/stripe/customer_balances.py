"""Customers' balances at Stripe, from which the next invoices are paid. Amounts here are in the customer's favour."""

from dataclasses import dataclass

from billing.stripe.stripe_client import every, get, post
from billing.stripe.stripe_errors import BillingError

MARK = "voided_invoice_id"


@dataclass(frozen=True)
class Voided:
    """What was taken out of a balance for one invoice, in how many transactions, and what is left in it."""

    amount: int
    transactions: int
    credit: int


def read_voided(customer_id: str, invoice_id: str) -> Voided | None:
    """None for a deleted customer, whose balance is gone. Raises BillingError."""
    try:
        customer = get(f"customers/{customer_id}")
        if customer.get("deleted"):
            return None
        moves = list(every(f"customers/{customer_id}/balance_transactions"))
    except BillingError as error:
        if error.code != "not_found":
            raise
        return None
    ours = [each["amount"] for each in moves if (each.get("metadata") or {}).get(MARK) == invoice_id]
    return Voided(sum(ours), len(ours), max(0, -customer["balance"]))


def void_balance(customer_id: str, invoice_id: str, amount: int, currency: str, *, transactions: int) -> None:
    """Takes `amount` out, or puts back a negative one; idempotent per number of `transactions`. Raises BillingError."""
    post(
        f"customers/{customer_id}/balance_transactions",
        key=f"void:{invoice_id}:{transactions}:{amount}",
        amount=amount,
        currency=currency,
        description="Paid with money that went back" if amount > 0 else "Its money came again",
        metadata={MARK: invoice_id},
    )

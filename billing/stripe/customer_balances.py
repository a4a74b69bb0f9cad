"""A customer's balance at Stripe: what the next invoices are paid with. Ours are amounts in their favour."""

from dataclasses import dataclass

from billing.stripe.stripe_client import every, get, post
from billing.stripe.stripe_errors import BillingError

MARK = "voided_invoice_id"


@dataclass(frozen=True)
class Voided:
    """What was taken out of a customer's balance for one invoice, by how many transactions, and what is left in it."""

    amount: int
    transactions: int
    credit: int


def read_voided(customer_id: str, invoice_id: str) -> Voided | None:
    """None for a customer who is gone, and the balance with them. Raises BillingError."""
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
    """Take `amount` out, or put back a negative one; once after so many `transactions`. Raises BillingError."""
    post(
        f"customers/{customer_id}/balance_transactions",
        key=f"void:{invoice_id}:{transactions}:{amount}",
        amount=amount,
        currency=currency,
        description="Paid with money that went back" if amount > 0 else "Its money came again",
        metadata={MARK: invoice_id},
    )

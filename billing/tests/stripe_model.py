"""What a wallet must hold by Stripe's own books alone. Knows nothing of our rows: prices, sums and fractions."""

import math
from typing import Any

CREDITS = {1_200: 100, 5_500: 500, 20_000: 2_000, 1_900: 170, 4_900: 480, 9_900: 1_050}
"""By what is charged, in cents: packs and monthly plans."""
GONE = ("needs_response", "under_review", "lost")
KEPT = ("failed", "canceled")
WELCOME = 30

Books = dict[str, Any]


def balance(books: Books, customer_id: str = "") -> int:
    """Of one customer; left out, of the only one in these books."""
    paid = [charge for charge in books["charges"] if charge["status"] == "succeeded"]
    mine = [charge for charge in paid if customer_id in ("", charge["customer"])]
    return WELCOME + sum(worth(books, charge) for charge in mine)


def worth(books: Books, charge: dict[str, Any]) -> int:
    """Credits that a charge bought, less the part of its money that went back."""
    bought = CREDITS[charge["amount"]]
    lost = min(charge["amount"], refunded(books, charge["id"]) + disputed(books, charge["id"]))
    return bought - math.ceil(bought * lost / charge["amount"])


def refunded(books: Books, charge_id: str) -> int:
    mine = [refund for refund in books["refunds"] if refund["charge"] == charge_id]
    return sum(refund["amount"] for refund in mine if refund["status"] not in KEPT)


def disputed(books: Books, charge_id: str) -> int:
    mine = [dispute for dispute in books["disputes"] if dispute["charge"] == charge_id]
    return sum(dispute["amount"] for dispute in mine if dispute["status"] in GONE)

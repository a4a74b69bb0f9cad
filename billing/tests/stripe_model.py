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


def rest_of(books: Books, charge: dict[str, Any]) -> int:
    """What of its money is here."""
    lost = refunded(books, charge["id"]) + disputed(books, charge["id"])
    return max(0, int(charge["amount"]) - lost)


MOST_FOR_A_CENT = 1_050 * 12 / 99_000
"""A year of Business. (Its months come one by one, so that what is given at once is less.)"""


def most(books: Books) -> float:
    """More credits than this cannot come from the money that is here: by the plan that gives most for it."""
    here = sum(rest_of(books, charge) for charge in books["charges"] if charge["status"] == "succeeded")
    return WELCOME + here * MOST_FOR_A_CENT


def refunded(books: Books, charge_id: str) -> int:
    mine = [refund for refund in books["refunds"] if refund["charge"] == charge_id]
    return sum(refund["amount"] for refund in mine if refund["status"] not in KEPT)


def disputed(books: Books, charge_id: str) -> int:
    mine = [dispute for dispute in books["disputes"] if dispute["charge"] == charge_id]
    return sum(dispute["amount"] for dispute in mine if dispute["status"] in GONE)


def credit(books: Books, customer_id: str = "") -> int:
    """Cents to a customer's credit: what the next invoices are paid with. Left out, of the only one in these books."""
    mine = [each for each in books["customers"] if customer_id in ("", each["id"])]
    return sum(max(0, -each["balance"]) for each in mine if not each.get("deleted"))

"""Test model: the credits that a wallet must hold, computed from Stripe's lists alone.

`lists`: what the sandbox has stored, by kind.
"""

import math
from typing import Any

CREDITS = {1_200: 100, 5_500: 500, 20_000: 2_000, 1_900: 170, 4_900: 480, 9_900: 1_050}
"""Credits of packs and monthly plans, by their price in cents."""
WITHDRAWN = ("needs_response", "under_review", "lost")
NOT_RETURNED = ("failed", "canceled")
SIGNUP_CREDITS = 30
MAX_CREDITS_PER_CENT = 1_050 * 12 / 99_000
"""The yearly Business plan."""

Lists = dict[str, Any]


def expected_balance(lists: Lists, customer_id: str = "") -> int:
    """Of one customer, by default of all charges."""
    paid = [charge for charge in lists["charges"] if charge["status"] == "succeeded"]
    mine = [charge for charge in paid if customer_id in ("", charge["customer"])]
    return SIGNUP_CREDITS + sum(credits_of_charge(lists, charge) for charge in mine)


def credits_of_charge(lists: Lists, charge: dict[str, Any]) -> int:
    """Credits that the charge bought, less the part of its money that was lost."""
    bought = CREDITS[charge["amount"]]
    lost = min(charge["amount"], refunded(lists, charge["id"]) + disputed(lists, charge["id"]))
    return bought - math.ceil(bought * lost / charge["amount"])


def remaining_amount(lists: Lists, charge: dict[str, Any]) -> int:
    """Cents of the charge that were not refunded or disputed."""
    lost = refunded(lists, charge["id"]) + disputed(lists, charge["id"])
    return max(0, int(charge["amount"]) - lost)


def max_credits(lists: Lists) -> float:
    """Upper bound: the remaining money at the cheapest plan's price."""
    here = sum(remaining_amount(lists, charge) for charge in lists["charges"] if charge["status"] == "succeeded")
    return SIGNUP_CREDITS + here * MAX_CREDITS_PER_CENT


def refunded(lists: Lists, charge_id: str) -> int:
    mine = [refund for refund in lists["refunds"] if refund["charge"] == charge_id]
    return sum(refund["amount"] for refund in mine if refund["status"] not in NOT_RETURNED)


def disputed(lists: Lists, charge_id: str) -> int:
    mine = [dispute for dispute in lists["disputes"] if dispute["charge"] == charge_id]
    return sum(dispute["amount"] for dispute in mine if dispute["status"] in WITHDRAWN)


def customer_balance(lists: Lists, customer_id: str = "") -> int:
    """Cents in the customer's favour, by default of all customers."""
    mine = [each for each in lists["customers"] if customer_id in ("", each["id"])]
    return sum(max(0, -each["balance"]) for each in mine if not each.get("deleted"))

"""What a buyer may type into a card form, and what Stripe's form says to it."""

import re
from datetime import UTC, datetime

from genvid.sandbox.stripe import cards


def violation(given: dict[str, str]) -> str | None:
    """The first thing that is wrong with a filled-in card form."""
    number = cards.digits(given.get("number", ""))
    if len(number) < 12:
        return "Your card number is incomplete."
    if not cards.is_card_number(number):
        return "Your card number is incorrect."
    return _date_breach(given.get("expiry", "")) or _code_breach(given.get("cvc", ""))


def _date_breach(expiry: str) -> str | None:
    found = re.fullmatch(r"\s*(\d{1,2})\s*/?\s*(\d{2}|\d{4})\s*", expiry)
    if found is None or not 1 <= int(found[1]) <= 12:
        return "Your card's expiration date is incomplete."
    now, year = datetime.now(UTC), int(found[2]) % 100 + 2000
    return "Your card's expiration date is in the past." if (year, int(found[1])) < (now.year, now.month) else None


def _code_breach(code: str) -> str | None:
    return None if re.fullmatch(r"\d{3,4}", code.strip()) else "Your card's security code is incomplete."


def prefilled(given: dict[str, str]) -> dict[str, str]:
    """The form as a click on a test card fills it: the link names the card's number."""
    number = given.get("number")
    return {"number": number, "expiry": "12 / 34", "cvc": "123", "name": "Test Buyer"} if number else {}

"""Validation of the card form, with the messages of Stripe's own."""

import re
from datetime import UTC, datetime

from genvid.sandbox.stripe import cards


def form_error(given: dict[str, str]) -> str | None:
    number = cards.digits(given.get("number", ""))
    if len(number) < 12:
        return "Your card number is incomplete."
    if not cards.is_card_number(number):
        return "Your card number is incorrect."
    return _expiry_error(given.get("expiry", "")) or _cvc_error(given.get("cvc", ""))


def _expiry_error(expiry: str) -> str | None:
    found = re.fullmatch(r"\s*(\d{1,2})\s*/?\s*(\d{2}|\d{4})\s*", expiry)
    if found is None or not 1 <= int(found[1]) <= 12:
        return "Your card's expiration date is incomplete."
    now, year = datetime.now(UTC), int(found[2]) % 100 + 2000
    return "Your card's expiration date is in the past." if (year, int(found[1])) < (now.year, now.month) else None


def _cvc_error(code: str) -> str | None:
    return None if re.fullmatch(r"\d{3,4}", code.strip()) else "Your card's security code is incomplete."


def prefilled(given: dict[str, str]) -> dict[str, str]:
    number = given.get("number")
    return {"number": number, "expiry": "12 / 34", "cvc": "123", "name": "Test Buyer"} if number else {}

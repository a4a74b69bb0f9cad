"""Test cards and test bank accounts, and how each behaves: https://docs.stripe.com/testing."""

from dataclasses import dataclass
from typing import Any

from genvid.sandbox.stripe.stripe_errors import StripeError, card_error


@dataclass(frozen=True)
class Card:
    does: str
    shown: str
    brand: str = "visa"


@dataclass(frozen=True)
class Refusal:
    code: str
    message: str
    decline_code: str | None = None

    @property
    def error(self) -> StripeError:
        return card_error(self.message, self.code, decline_code=self.decline_code)


CARDS = {
    "4242424242424242": Card("pay", "Visa, pays"),
    "5555555555554444": Card("pay", "Mastercard, pays", "mastercard"),
    "378282246310005": Card("pay", "American Express, pays", "amex"),
    "4000000000000002": Card("decline", "is declined"),
    "4000000000009995": Card("insufficient_funds", "has insufficient funds"),
    "4000002500003155": Card("authenticate_once", "asks for 3-D Secure, once"),
    "4000000000003220": Card("authenticate", "asks for 3-D Secure"),
    "4000002760003184": Card("authenticate_always", "asks for 3-D Secure every time"),
    "4000000000000341": Card("charge_fails", "can be saved, then fails"),
    "4000000000000259": Card("dispute", "pays, then is disputed"),
    "4000000000001976": Card("inquiry", "pays, then its bank asks"),
    "4000000000005423": Card("fraud_warning", "pays, then a fraud warning comes"),
}
TEST_METHODS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_amex": "378282246310005",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_threeDSecureRequired": "4000000000003220",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_createDisputeInquiry": "4000000000001976",
}
PAYS = "4242424242424242"
GOOD_ACCOUNT = "000123456789"
DECLINED = Refusal("card_declined", "Your card was declined.", "generic_decline")
AUTHENTICATION_FAILED = Refusal(
    "payment_intent_authentication_failure",
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)
NEEDS_AUTHENTICATION = Refusal(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "authentication_required",
)
DEBIT_FAILED = Refusal("payment_intent_payment_attempt_failed", "The bank account could not be debited.")
# Test accounts, and why the bank sends the debit back: https://docs.stripe.com/payments/ach-direct-debit.
ACCOUNTS = {
    GOOD_ACCOUNT: None,
    "000111111113": Refusal("account_closed", "The bank account has been closed."),
    "000111111116": Refusal("no_account", "The bank account could not be found."),
    "000222222227": Refusal("insufficient_funds", "The bank account has insufficient funds."),
}
TEST_ACCOUNTS = {
    "pm_usBankAccount_success": GOOD_ACCOUNT,
    "pm_usBankAccount_accountClosed": "000111111113",
    "pm_usBankAccount_noAccount": "000111111116",
    "pm_usBankAccount_insufficientFunds": "000222222227",
}
# A card that is no test card may be somebody's real one: it is refused, and never written down.
UNKNOWN = "Your card was declined. Your request was in test mode, but used a non test card."
REFUSALS = {
    "decline": DECLINED,
    "charge_fails": DECLINED,
    "insufficient_funds": Refusal("card_declined", "Your card has insufficient funds.", "insufficient_funds"),
}
ASKING = ("authenticate", "authenticate_once", "authenticate_always")
BANK_ACCOUNT = "us_bank_account"
METHOD_TYPES = ("card", BANK_ACCOUNT)


def behaviour_of(method: dict[str, Any]) -> str:
    card = CARDS.get(method.get("_number", ""))
    return "pay" if card is None else card.does


def setup_refusal(number: str) -> Refusal | None:
    """The refusal of a card that is saved without a payment. One test card is refused only when it is charged."""
    behaviour = behaviour_of({"_number": digits(number)})
    return None if behaviour == "charge_fails" else REFUSALS.get(behaviour)


def card_saving_error(number: str) -> str | None:
    refusal = setup_refusal(number)
    return UNKNOWN if digits(number) not in CARDS else refusal.message if refusal else None


def digits(number: str) -> str:
    return "".join(character for character in number if character.isdigit())


def is_card_number(number: str) -> bool:
    reverse = [int(digit) for digit in reversed(number)]
    total = sum(reverse[0::2]) + sum(sum(divmod(2 * digit, 10)) for digit in reverse[1::2])
    return 12 <= len(number) <= 19 and total % 10 == 0


def brand_of(number: str) -> str:
    return CARDS[number].brand if number in CARDS else "visa"

"""The words of mails about money."""

from collections.abc import Callable

from django.conf import settings

from billing import money
from billing.enums import LetterKind
from billing.models import Letter, Payment

Text = tuple[str, str]


def compose(letter: Letter) -> Text:
    """Subject and text."""
    return WORDS[LetterKind(letter.kind)](letter)


def _receipt(letter: Letter) -> Text:
    payment = _payment_of(letter)
    text = (
        f"Thank you. We received {money.shown(payment.amount, payment.currency)} for {payment.description}.\n\n"
        f"Paid on {payment.paid_at:%d %B %Y}. Your invoices: {_billing_page()}\n"
    )
    if payment.receipt_url:
        text += f"The receipt: {payment.receipt_url}\n"
    return f"Receipt for {payment.description}", text


def _refund(letter: Letter) -> Text:
    payment = _payment_of(letter)
    shown = money.shown(letter.words["amount"], payment.currency)
    text = (
        f"We gave back {shown} of your payment for {payment.description}.\n"
        "It takes some days until your bank shows it.\n\n"
        "The credits that it bought were taken from your balance in proportion.\n"
    )
    return f"Refund of {shown}", text


def _payment_failed(letter: Letter) -> Text:
    words = letter.words
    again = f" We try again on {words['next_attempt'][:10]}." if words.get("next_attempt") else ""
    text = (
        f"Your payment of {_amount(letter)} for your genvid subscription failed.{again}\n\n"
        f"Pay it, or change your card: {words['url'] or _billing_page()}\n"
    )
    return "Your payment failed", text


def _downgraded(letter: Letter) -> Text:
    text = (
        "The last payment for your genvid subscription is still missing, so your account has the free tier for now.\n\n"
        f"Credits that you own stay yours. Once it is paid, your plan is back: {_billing_page()}\n"
    )
    return "Your subscription is on hold", text


def _trial_ending(letter: Letter) -> Text:
    text = (
        f"The trial of your genvid subscription ends on {letter.words['ends'][:10]}; then it is paid for.\n\n"
        f"Change or cancel it: {_billing_page()}\n"
    )
    return "Your trial ends soon", text


def _credits_low(letter: Letter) -> Text:
    text = (
        f"{letter.words['available']} credits are left on your genvid account.\n"
        "Videos that need more are refused until there are new ones.\n\n"
        f"Buy some, or have it done automatically: {_billing_page()}\n"
    )
    return "Your credits are running low", text


def _top_up_needs_action(letter: Letter) -> Text:
    text = (
        f"We tried to buy credits for you for {_amount(letter)}, as you asked us to when they run low.\n"
        "Your bank wants you to confirm it, so nothing was charged.\n\n"
        f"Pay here: {letter.words['url']}\n"
    )
    return "Please confirm a payment", text


def _top_up_failed(letter: Letter) -> Text:
    text = (
        f"We tried to buy credits for you for {_amount(letter)}, as you asked us to when they run low.\n"
        f"Your card was declined, and nothing was charged. We try again on {letter.words['again'][:10]}.\n\n"
        f"Change your card: {_billing_page()}\n"
    )
    return "An automatic payment failed", text


def _staff_alarm(letter: Letter) -> Text:
    return "Money needs somebody's eyes", f"{letter.words['text']}\n\n{letter.reference}\n"


def _amount(letter: Letter) -> str:
    return money.shown(letter.words["amount"], letter.words["currency"])


def _billing_page() -> str:
    return f"{settings.PUBLIC_URL}/?billing"


def _payment_of(letter: Letter) -> Payment:
    return Payment.objects.get(pk=letter.words["payment_id"])


WORDS: dict[LetterKind, Callable[[Letter], Text]] = {
    LetterKind.RECEIPT: _receipt,
    LetterKind.REFUND: _refund,
    LetterKind.PAYMENT_FAILED: _payment_failed,
    LetterKind.DOWNGRADED: _downgraded,
    LetterKind.TRIAL_ENDING: _trial_ending,
    LetterKind.CREDITS_LOW: _credits_low,
    LetterKind.TOP_UP_NEEDS_ACTION: _top_up_needs_action,
    LetterKind.TOP_UP_FAILED: _top_up_failed,
    LetterKind.STAFF_ALARM: _staff_alarm,
}

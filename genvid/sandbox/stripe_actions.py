"""What buyers, banks and time do at the sandbox's Stripe, as methods for tests."""

from collections.abc import Callable, Iterable
from typing import Any

Thing = dict[str, Any]
Ask = Callable[..., Thing]


class StripeActions:
    """Each method performs one action of `/_sandbox/stripe` and returns the object that it changed."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def pay(
        self,
        session_id: str,
        card: str = "4242424242424242",
        *,
        authenticate: bool | None = True,
        promotion_code: str | None = None,
        method: str = "card",
        email: str | None = None,
        name: str | None = None,
        account: str | None = None,
    ) -> Thing:
        """The session, and in `error` what the page would say. `authenticate=None` leaves 3-D Secure waiting."""
        given = {"card": card, "authenticate": authenticate, "method": method, "email": email}
        given |= {"name": name, "account": account}
        return self._run("pay", session_id, **given, promotion_code=promotion_code)

    def authenticate(self, payment_intent_id: str, passes: bool = True) -> Thing:
        """The answer to 3-D Secure; the payment intent."""
        return self._run("authenticate", payment_intent_id, passes=passes)

    def settle_bank(self, payment_intent_id: str, succeeds: bool = True) -> Thing:
        """The bank's answer to a debit; the payment intent."""
        return self._run("settle_bank", payment_intent_id, succeeds=succeeds)

    def expire(self, session_id: str) -> Thing:
        return self._run("expire", session_id)

    def renew(self, subscription_id: str, succeeds: bool = True) -> Thing:
        """One period further, whatever the clock says; the invoice."""
        return self._run("renew", subscription_id, succeeds=succeeds)

    def retry_invoice(self, invoice_id: str, succeeds: bool = True) -> Thing:
        return self._run("retry_invoice", invoice_id, succeeds=succeeds)

    def end_trial(self, subscription_id: str, succeeds: bool = True) -> Thing:
        """The first paid period begins; the invoice."""
        return self._run("end_trial", subscription_id, succeeds=succeeds)

    def change_price(
        self, subscription_id: str, price_id: str, behavior: str = "always_invoice", at_fraction: float = 0.5
    ) -> Thing:
        """Another price, when this fraction of the period has passed; the subscription."""
        given = {"price": price_id, "behavior": behavior, "at_fraction": at_fraction}
        return self._run("change_price", subscription_id, **given)

    def cancel(self, subscription_id: str, at_period_end: bool = False) -> Thing:
        return self._run("cancel", subscription_id, at_period_end=at_period_end)

    def end_period(self, subscription_id: str) -> Thing:
        """The period ends: renewal, or the end if that was asked for; the subscription."""
        return self._run("end_period", subscription_id)

    def refund(self, charge_or_intent: str, amount: int | None = None, status: str = "succeeded") -> Thing:
        return self._run("refund", charge_or_intent, amount=amount, status=status)

    def fail_refund(self, refund_id: str) -> Thing:
        return self._run("fail_refund", refund_id)

    def succeed_refund(self, refund_id: str) -> Thing:
        """A pending one has arrived."""
        return self._run("succeed_refund", refund_id)

    def dispute(
        self, charge_or_intent: str, amount: int | None = None, reason: str = "fraudulent", warning: bool = False
    ) -> Thing:
        return self._run("dispute", charge_or_intent, amount=amount, reason=reason, warning=warning)

    def close_dispute(self, dispute_id: str, status: str = "won") -> Thing:
        return self._run("close_dispute", dispute_id, status=status)

    def fraud_warning(self, charge_or_intent: str) -> Thing:
        return self._run("fraud_warning", charge_or_intent)

    def advance_clock(self, seconds: int) -> Thing:
        """The world's time moves, with all that falls due on the way."""
        return self._run("advance_clock", str(seconds))

    def events(self, after: str | None = None) -> list[Thing]:
        """All events in their order, or those after the one of this id."""
        found: list[Thing] = self._ask("GET", "/stripe/events" + (f"?after={after}" if after else ""))["events"]
        return found

    def deliver(self, event_ids: Iterable[str], copies: int = 1, parallel: bool = True) -> list[Thing]:
        """Signed POSTs now, whatever the delivery mode: `event`, `type`, `endpoint` and `status` of each."""
        body = {"event_ids": list(event_ids), "copies": copies, "parallel": parallel}
        found: list[Thing] = self._ask("POST", "/stripe/deliver", body)["deliveries"]
        return found

    def undelivered(self) -> list[Thing]:
        """Events that some endpoint has not answered with a 2xx."""
        found: list[Thing] = self._ask("GET", "/stripe/undelivered")["events"]
        return found

    def books(self) -> Thing:
        """Counts by kind, and all charges, refunds, disputes, sessions, subscriptions, invoices, deliveries."""
        return self._ask("GET", "/stripe/books")

    def _run(self, action: str, object_id: str, **given: Any) -> Thing:
        told = {name: value for name, value in given.items() if value is not None or name == "authenticate"}
        return self._ask("POST", f"/stripe/{action}/{object_id}", told)

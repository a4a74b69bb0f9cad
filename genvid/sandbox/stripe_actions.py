"""The actions of the sandbox's Stripe as methods for tests."""

from collections.abc import Callable, Iterable
from typing import Any

Json = dict[str, Any]
Ask = Callable[..., Json]


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
    ) -> Json:
        """The session, with the page's message in `error`. `authenticate=None` leaves 3-D Secure waiting."""
        given = {"card": card, "authenticate": authenticate, "method": method, "email": email}
        given |= {"name": name, "account": account}
        return self._run("pay", session_id, **given, promotion_code=promotion_code)

    def authenticate(self, payment_intent_id: str, passes: bool = True) -> Json:
        return self._run("authenticate", payment_intent_id, passes=passes)

    def settle_bank(self, payment_intent_id: str, succeeds: bool = True) -> Json:
        return self._run("settle_bank", payment_intent_id, succeeds=succeeds)

    def expire(self, session_id: str) -> Json:
        return self._run("expire", session_id)

    def renew(self, subscription_id: str, succeeds: bool = True) -> Json:
        """Begins the next period, whatever the time is. Returns the invoice."""
        return self._run("renew", subscription_id, succeeds=succeeds)

    def retry_invoice(self, invoice_id: str, succeeds: bool = True) -> Json:
        return self._run("retry_invoice", invoice_id, succeeds=succeeds)

    def end_trial(self, subscription_id: str, succeeds: bool = True) -> Json:
        return self._run("end_trial", subscription_id, succeeds=succeeds)

    def change_price(
        self, subscription_id: str, price_id: str, behavior: str = "always_invoice", at_fraction: float = 0.5
    ) -> Json:
        given = {"price": price_id, "behavior": behavior, "at_fraction": at_fraction}
        return self._run("change_price", subscription_id, **given)

    def cancel(self, subscription_id: str, at_period_end: bool = False) -> Json:
        return self._run("cancel", subscription_id, at_period_end=at_period_end)

    def end_period(self, subscription_id: str) -> Json:
        """Renews the subscription, or ends it if that was asked for. Returns the subscription."""
        return self._run("end_period", subscription_id)

    def refund(self, charge_or_intent: str, amount: int | None = None, status: str = "succeeded") -> Json:
        return self._run("refund", charge_or_intent, amount=amount, status=status)

    def fail_refund(self, refund_id: str) -> Json:
        return self._run("fail_refund", refund_id)

    def succeed_refund(self, refund_id: str) -> Json:
        return self._run("succeed_refund", refund_id)

    def dispute(
        self, charge_or_intent: str, amount: int | None = None, reason: str = "fraudulent", warning: bool = False
    ) -> Json:
        return self._run("dispute", charge_or_intent, amount=amount, reason=reason, warning=warning)

    def close_dispute(self, dispute_id: str, status: str = "won") -> Json:
        return self._run("close_dispute", dispute_id, status=status)

    def fraud_warning(self, charge_or_intent: str) -> Json:
        return self._run("fraud_warning", charge_or_intent)

    def advance_clock(self, seconds: int) -> Json:
        return self._run("advance_clock", str(seconds))

    def events(self, after: str | None = None) -> list[Json]:
        """Events in their order, those after the event of this id."""
        found: list[Json] = self._ask("GET", "/stripe/events" + (f"?after={after}" if after else ""))["events"]
        return found

    def deliver(self, event_ids: Iterable[str], copies: int = 1, parallel: bool = True) -> list[Json]:
        """Sends signed deliveries now, whatever the mode: `event`, `type`, `endpoint` and `status` of each."""
        body = {"event_ids": list(event_ids), "copies": copies, "parallel": parallel}
        found: list[Json] = self._ask("POST", "/stripe/deliver", body)["deliveries"]
        return found

    def undelivered(self) -> list[Json]:
        found: list[Json] = self._ask("GET", "/stripe/undelivered")["events"]
        return found

    def records(self) -> Json:
        """Counts by kind, and all charges, refunds, disputes, sessions, subscriptions, invoices and deliveries."""
        return self._ask("GET", "/stripe/records")

    def _run(self, action: str, object_id: str, **given: Any) -> Json:
        body = {name: value for name, value in given.items() if value is not None or name == "authenticate"}
        return self._ask("POST", f"/stripe/{action}/{object_id}", body)

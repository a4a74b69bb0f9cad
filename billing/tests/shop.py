"""Test helper: our shop at the sandbox's Stripe. The sandbox holds its events until a test delivers them."""

import json
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

from django.utils import timezone
from djstripe.models import WebhookEndpoint

from billing.credits import capture, hold
from billing.models import Allowance, Payment, Plan, StripeSync
from billing.purchases import payments
from billing.stripe.event_types import EVENT_TYPES
from billing.stripe_sync import stripe_setup, sync_queue
from billing.tests import stripe_events
from genvid.mail.models import QueuedMail
from genvid.sandbox.process import SandboxProcess
from genvid.sandbox.stripe_actions import StripeActions
from genvid.tests.asserts import data_of, the_ledger_proves
from genvid.tests.factories import Person
from genvid.tests.mail import send_due_mail

Event = dict[str, Any]
_numbers = count(1)
CHECKOUT = "/api/v1/billing/checkout"


class Shop:
    """Buys at the sandbox's Stripe, delivers its events and runs our workers, in one thread."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.stripe: StripeActions = sandbox.stripe
        sandbox.configure(stripe_webhooks="held")
        stripe_setup.set_up_stripe()
        self.secret = WebhookEndpoint.objects.get().secret
        self.last = self.stripe.events()[-1]["id"]

    # ── Purchases

    def open_checkout(self, person: Person, code: str, **more: Any) -> str:
        """Returns the session's id."""
        body = {"plan_id": str(plan(code).pk), **more}
        return str(data_of(person.client.post(CHECKOUT, body), 201)["session_id"])

    def buy(self, person: Person, code: str, **how: Any) -> dict[str, Any]:
        """Pays on Stripe's page without delivering the events. Returns the session."""
        return self.stripe.pay(self.open_checkout(person, code), **how)

    def subscribe(self, person: Person, code: str = "starter-month", **how: Any) -> str:
        """Buys, and delivers the events. Returns the subscription's id."""
        subscription_id = str(self.buy(person, code, **how)["subscription"])
        self.deliver_events()
        return subscription_id

    # ── Events

    def new_events(self) -> list[Event]:
        """Events of our types since the last call, oldest first."""
        fresh = self.stripe.events(after=self.last)
        self.last = fresh[-1]["id"] if fresh else self.last
        return [event for event in fresh if event["type"] in EVENT_TYPES]

    def post(self, event: Event) -> int:
        """Delivers one signed event. Returns the status code."""
        body = json.dumps(event).encode()
        signed = stripe_events.signature_of(body, secret=self.secret)
        return int(stripe_events.deliver(body, signed).status_code)

    def deliver_events(self, events: Iterable[Event] | None = None) -> None:
        """Delivers the new events, or `events`, and runs due syncs after each."""
        for event in self.new_events() if events is None else events:
            assert self.post(event) == 200, event["type"]
            self.run_due_syncs()

    def run_due_syncs(self) -> None:
        while waiting := due_syncs():
            for pk in waiting:
                sync_queue.run_sync(pk)

    # ── Schedules

    def grant_allowances(self, *, until: Any) -> None:
        """Grants the allowances of a yearly plan that are due until then."""
        Allowance.objects.filter(due_at__lte=until, granted_at=None).update(due_at=timezone.now())
        payments.grant_due_allowances()

    def send_mails(self) -> list[tuple[str, str]]:
        """Sends due mails and alarms. Returns kind and reference of all mails about money."""
        for kind in ("billing.", "staff_alarm"):
            send_due_mail(kind)
        keys = QueuedMail.objects.filter(kind__startswith="billing.").order_by("pk").values_list("kind", "key")
        return [(kind.removeprefix("billing."), key.removeprefix(f"{kind}:")) for kind, key in keys]


def plan(code: str) -> Plan:
    return Plan.objects.get(code=code)


def price_id(code: str) -> str:
    return plan(code).prices.get(is_current=True).stripe_price_id


def balance_of(person: Person) -> int:
    """Asserts that the ledger proves."""
    assert the_ledger_proves()
    return person.wallet.balance


def payment_of(person: Person) -> Payment:
    return Payment.objects.filter(account=person.account).latest("created_at")


def charge_of(person: Person) -> str:
    return str(payment_of(person).stripe_charge_id)


def failed_syncs() -> Sequence[tuple[str, str]]:
    """Kind and error."""
    return list(StripeSync.objects.exclude(error="").values_list("kind", "error"))


def due_syncs() -> Sequence[int]:
    return list(StripeSync.objects.due().values_list("pk", flat=True))


def spend(person: Person, credits: int) -> None:
    """Holds and captures."""
    reference = f"video:{next(_numbers)}"
    hold(person.account.pk, credits, reference=reference)
    capture(reference, credits)

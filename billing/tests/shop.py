"""A shop at the sandbox's Stripe, and its buyers: real SDK, real HTTP, real signatures, one step after the other.

Stripe keeps its events (setting `stripe_webhooks`: `held`) until a test delivers them, in whatever order it likes.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

from django.utils import timezone
from djstripe.models import WebhookEndpoint

from billing.credits import capture, hold
from billing.models import Allowance, Payment, Plan, StripeSync
from billing.purchases import payments
from billing.stripe.webhook_endpoint import EVENT_TYPES
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
    """What Stripe, its webhooks, beat and workers do, in one thread."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.stripe: StripeActions = sandbox.stripe
        sandbox.configure(stripe_webhooks="held")
        stripe_setup.set_up_stripe()
        self.secret = WebhookEndpoint.objects.get().secret
        self.last = self.stripe.events()[-1]["id"]

    # ── Buying

    def begin(self, person: Person, code: str, **more: Any) -> str:
        """Open the pay page for a plan; the session's id."""
        body = {"plan_id": str(plan(code).pk), **more}
        return str(data_of(person.client.post(CHECKOUT, body), 201)["session_id"])

    def buy(self, person: Person, code: str, **how: Any) -> dict[str, Any]:
        """Pay on the page; the session, as Stripe has it afterwards. Nobody has told us yet."""
        return self.stripe.pay(self.begin(person, code), **how)

    def subscribe(self, person: Person, code: str = "starter-month", **how: Any) -> str:
        """The subscription's id; told and worked off."""
        subscription_id = str(self.buy(person, code, **how)["subscription"])
        self.tell()
        return subscription_id

    # ── Events

    def new_events(self) -> list[Event]:
        """Events that our endpoint asks for and no test has taken yet, in their order."""
        fresh = self.stripe.events(after=self.last)
        self.last = fresh[-1]["id"] if fresh else self.last
        return [event for event in fresh if event["type"] in EVENT_TYPES]

    def post(self, event: Event) -> int:
        """One signed delivery; our answer."""
        body = json.dumps(event).encode()
        signed = stripe_events.signature_of(body, secret=self.secret)
        return int(stripe_events.deliver(body, signed).status_code)

    def tell(self, events: Iterable[Event] | None = None) -> None:
        """Deliver the new_events, or `events`, and have the workers do what follows from it after each."""
        for event in self.new_events() if events is None else events:
            assert self.post(event) == 200, event["type"]
            self.work()

    def work(self) -> None:
        """Whatever is due for a worker."""
        while waiting := due():
            for pk in waiting:
                sync_queue.run_sync(pk)

    # ── Time

    def give_allowances(self, *, until: Any) -> None:
        """As if `until` had come for what a yearly plan still owes."""
        Allowance.objects.filter(due_at__lte=until, granted_at=None).update(due_at=timezone.now())
        payments.grant_due_allowances()

    def mails(self) -> list[tuple[str, str]]:
        """Send what is owed about money, alarms too; kind and reference of all mails about money ever."""
        for kind in ("billing.", "staff_alarm"):
            send_due_mail(kind)
        keys = QueuedMail.objects.filter(kind__startswith="billing.").order_by("pk").values_list("kind", "key")
        return [(kind.removeprefix("billing."), key.removeprefix(f"{kind}:")) for kind, key in keys]


def plan(code: str) -> Plan:
    return Plan.objects.get(code=code)


def price_id(code: str) -> str:
    return plan(code).prices.get(is_current=True).stripe_price_id


def balance_of(person: Person) -> int:
    """With the ledger proved on the way."""
    assert the_ledger_proves()
    return person.wallet.balance


def payment_of(person: Person) -> Payment:
    return Payment.objects.filter(account=person.account).latest("created_at")


def charge_of(person: Person) -> str:
    return str(payment_of(person).stripe_charge_id)


def stuck() -> Sequence[tuple[str, str]]:
    """Looks that did not work out."""
    return list(StripeSync.objects.exclude(error="").values_list("kind", "error"))


def due() -> Sequence[int]:
    """Looks that a worker would take now."""
    return list(StripeSync.objects.due().values_list("pk", flat=True))


def spend(person: Person, credits: int) -> None:
    """As if videos had been made for them."""
    reference = f"video:{next(_numbers)}"
    hold(person.account.pk, credits, reference=reference)
    capture(reference, credits)

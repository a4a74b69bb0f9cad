"""Nightly comparison with Stripe: repairs what is provably right, reports the rest.

Five sources: failed syncs, events that no webhook accepted, unfinished purchases, subscriptions past their period, and
the charges of the last weeks. A charge that equals our row is skipped: there may be thousands, and reading one takes
four requests.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import structlog
from django.utils import timezone

from billing import mails
from billing.enums import LIVE, CheckoutStatus, SyncKind
from billing.models import Checkout, Invoice, Payment, StripeSync, Subscription
from billing.purchases import customers, funding_backfill
from billing.stripe import scans, webhook_endpoint
from billing.stripe.stripe_errors import BillingError
from billing.stripe_sync import handlers, sync_queue

logger = structlog.get_logger(__name__)
EVENTS_KEPT = timedelta(days=30)
TOLD = 50
SETTLED = timedelta(hours=1)
"""A purchase younger than this is still being made."""
OVERDUE = timedelta(days=1)
"""This long after its period a subscription has renewed or ended, or is of another mode and gone."""


@dataclass
class Report:
    """What was read, what was repaired, and what staff must settle."""

    looked_at: int = 0
    repaired: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """For a mail: the first unresolved ones; the log and the command list all."""
        shown = [f"unresolved: {each}" for each in self.unresolved[:TOLD]]
        more = (
            [f"and {len(self.unresolved) - TOLD} more: manage.py reconcile_stripe"]
            if len(self.unresolved) > TOLD
            else []
        )
        return "\n".join([f"{len(self.repaired)} repaired, {len(self.unresolved)} unresolved.", *shown, *more])

    def __str__(self) -> str:
        lines = [f"{self.looked_at} looked at, {len(self.repaired)} repaired, {len(self.unresolved)} unresolved."]
        lines += [f"repaired: {each}" for each in self.repaired]
        return "\n".join(lines + [f"unresolved: {each}" for each in self.unresolved])


def reconcile(days: int = 35) -> Report:
    """Re-reads everything of the last `days`. Raises BillingError only where Stripe's lists cannot be read."""
    report, since = Report(), timezone.now() - timedelta(days=days)
    report.repaired += funding_backfill.backfill_fundings()
    for target in _targets(since):
        _look(report, *target)
    if report.unresolved:
        mails.alarm_staff(f"reconcile:{timezone.now():%Y-%m-%d}", report.summary())
    logger.info("stripe_reconciled", looked_at=report.looked_at, repaired=report.repaired, unresolved=report.unresolved)
    return report


def _targets(since: datetime) -> dict[tuple[SyncKind, str], None]:
    """The objects to re-read, each once."""
    from_events = max(since, timezone.now() - EVENTS_KEPT)
    stuck = StripeSync.objects.exclude(error="").filter(noted_at__gte=since).values_list("kind", "object_id")
    found = dict.fromkeys((SyncKind(kind), object_id) for kind, object_id in stuck)
    for event_type, obj in scans.undelivered_events(from_events, webhook_endpoint.EVENT_TYPES):
        if target := sync_queue.target_of(event_type, obj):
            found[target] = None
    old = timezone.now() - SETTLED
    opened = Checkout.objects.filter(status=CheckoutStatus.OPEN, created_at__range=(since, old))
    for session_id in opened.values_list("stripe_session_id", flat=True):
        found[SyncKind.SESSION, str(session_id)] = None
    overdue = Subscription.objects.filter(status__in=LIVE, current_period_end__lt=timezone.now() - OVERDUE)
    found.update(dict.fromkeys((SyncKind.SUBSCRIPTION, pk) for pk in overdue.values_list("pk", flat=True)))
    found.update(dict.fromkeys((SyncKind.CHARGE, charge_id) for charge_id in _charges(since)))
    return found


def _charges(since: datetime) -> Iterator[str]:
    """Charges that differ from our rows or are missing; the list does not show a dispute's state."""
    # A row is made after its charge; an hour more is for clocks that differ.
    ours = Payment.objects.filter(created_at__gte=since - SETTLED, stripe_charge_id__isnull=False)
    refunded = dict(ours.values_list("stripe_charge_id", "amount_refunded"))
    is_foreign = cache(_is_foreign)
    for charge in scans.charges(since):
        differs = charge.is_disputed or refunded.get(charge.id) != charge.amount_refunded
        if differs and (charge.id in refunded or not is_foreign(charge.customer_id)):
            yield charge.id
    warned = ours.filter(fraud_warned_at__isnull=False).values_list("stripe_charge_id", flat=True)
    yield from set(scans.warned_charges(since)) - set(warned)


def _is_foreign(customer_id: str) -> bool:
    """Whether the customer is of another business on the same Stripe account. Each is looked up once a night."""
    try:
        return not customers.is_ours(customer_id)
    except BillingError:
        # It looks ours: the look will say what is wrong.
        return False


def _look(report: Report, kind: SyncKind, object_id: str) -> None:
    report.looked_at += 1
    before = _state(kind, object_id)
    try:
        handlers.sync_object(kind, object_id)
    except BillingError as error:
        report.unresolved.append(f"{kind} {object_id}: {error}"[:400])
        return
    # Whatever was wrong with an earlier look is right now.
    StripeSync.objects.filter(kind=kind, object_id=object_id).exclude(error="").update(error="", due_at=None)
    if _state(kind, object_id) != before:
        report.repaired.append(f"{kind} {object_id}")


def _state(kind: SyncKind, object_id: str) -> Any:
    """What our tables say of the object; a sync that changes this has repaired something."""
    paid = "account_id", "amount_refunded", "amount_disputed", "credits_taken_back", "fraud_warned_at"
    if kind == SyncKind.SESSION:
        session = Checkout.objects.filter(stripe_session_id=object_id).values_list("status").first()
        return session, Payment.objects.filter(source_id=object_id).values_list(*paid).first()
    if kind == SyncKind.INVOICE:
        invoice = Invoice.objects.filter(stripe_invoice_id=object_id).values_list("status", "attempts").first()
        return invoice, Payment.objects.filter(source_id=object_id).values_list(*paid).first()
    if kind == SyncKind.SUBSCRIPTION:
        shown = "status", "price", "cancel_at_period_end", "current_period_end"
        return Subscription.objects.filter(pk=object_id).values_list(*shown).first()
    return Payment.objects.filter(stripe_charge_id=object_id).values_list(*paid).first()

"""Nightly reconciliation with Stripe: re-reads what may differ, repairs our tables, reports what staff must settle."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import structlog

from billing import mails
from billing.enums import LIVE, CheckoutStatus, SyncKind
from billing.models import Checkout, Invoice, Payment, StripeSync, Subscription
from billing.purchases import customers, funding_backfill
from billing.stripe import event_types, scans
from billing.stripe.stripe_errors import BillingError
from billing.stripe_sync import handlers
from genvid import database_clock

logger = structlog.get_logger(__name__)
STRIPE_EVENT_RETENTION = timedelta(days=30)
MAX_LISTED = 50
PURCHASE_SETTLING_TIME = timedelta(hours=1)  # a younger purchase may be unfinished
OVERDUE_AFTER = timedelta(days=1)  # after its period, by when a subscription has renewed or ended


@dataclass
class Report:
    checked: int = 0
    repaired: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)

    def summary(self) -> str:
        shown = [f"unresolved: {each}" for each in self.unresolved[:MAX_LISTED]]
        more = (
            [f"and {len(self.unresolved) - MAX_LISTED} more: manage.py reconcile_stripe"]
            if len(self.unresolved) > MAX_LISTED
            else []
        )
        return "\n".join([f"{len(self.repaired)} repaired, {len(self.unresolved)} unresolved.", *shown, *more])

    def __str__(self) -> str:
        lines = [f"{self.checked} checked, {len(self.repaired)} repaired, {len(self.unresolved)} unresolved."]
        lines += [f"repaired: {each}" for each in self.repaired]
        return "\n".join(lines + [f"unresolved: {each}" for each in self.unresolved])


def reconcile(days: int = 35) -> Report:
    """Raises BillingError only where Stripe's lists cannot be read."""
    report, since = Report(), database_clock.now() - timedelta(days=days)
    report.repaired += funding_backfill.backfill_fundings()
    for target in _targets(since):
        _reconcile_object(report, *target)
    if report.unresolved:
        mails.alarm_staff(f"reconcile:{database_clock.now():%Y-%m-%d}", report.summary())
    logger.info("stripe_reconciled", checked=report.checked, repaired=report.repaired, unresolved=report.unresolved)
    return report


def _targets(since: datetime) -> dict[tuple[SyncKind, str], None]:
    from_events = max(since, database_clock.now() - STRIPE_EVENT_RETENTION)
    stuck = StripeSync.objects.exclude(error="").filter(noted_at__gte=since).values_list("kind", "object_id")
    found = dict.fromkeys((SyncKind(kind), object_id) for kind, object_id in stuck)
    for event_type, obj in scans.undelivered_events(from_events, event_types.EVENT_TYPES):
        if target := event_types.target_of(event_type, obj):
            found[target] = None
    old = database_clock.now() - PURCHASE_SETTLING_TIME
    opened = Checkout.objects.filter(status=CheckoutStatus.OPEN, created_at__range=(since, old))
    for session_id in opened.values_list("stripe_session_id", flat=True):
        found[SyncKind.SESSION, str(session_id)] = None
    overdue = Subscription.objects.filter(status__in=LIVE, current_period_end__lt=database_clock.now() - OVERDUE_AFTER)
    found.update(dict.fromkeys((SyncKind.SUBSCRIPTION, pk) for pk in overdue.values_list("pk", flat=True)))
    found.update(dict.fromkeys((SyncKind.CHARGE, charge_id) for charge_id in _charges(since)))
    return found


def _charges(since: datetime) -> Iterator[str]:
    """Charges that are missing or differ from our rows; reading every charge would take four requests each."""
    # A row is made after its charge; the margin is for clocks that differ.
    ours = Payment.objects.filter(created_at__gte=since - PURCHASE_SETTLING_TIME, stripe_charge_id__isnull=False)
    refunded = dict(ours.values_list("stripe_charge_id", "amount_refunded"))
    is_foreign = cache(_is_foreign)
    for charge in scans.charges(since):
        differs = charge.is_disputed or refunded.get(charge.id) != charge.amount_refunded
        if differs and (charge.id in refunded or not is_foreign(charge.customer_id)):
            yield charge.id
    warned = ours.filter(fraud_warned_at__isnull=False).values_list("stripe_charge_id", flat=True)
    yield from set(scans.warned_charges(since)) - set(warned)


def _is_foreign(customer_id: str) -> bool:
    try:
        return not customers.is_ours(customer_id)
    except BillingError:
        # It has our metadata: re-reading the charge reports what is wrong.
        return False


def _reconcile_object(report: Report, kind: SyncKind, object_id: str) -> None:
    report.checked += 1
    before = _state(kind, object_id)
    try:
        handlers.sync_object(kind, object_id)
    except BillingError as error:
        report.unresolved.append(f"{kind} {object_id}: {error}"[:400])
        return
    # A sync that failed earlier is resolved by this one.
    StripeSync.objects.filter(kind=kind, object_id=object_id).exclude(error="").update(error="", due_at=None)
    if _state(kind, object_id) != before:
        report.repaired.append(f"{kind} {object_id}")


def _state(kind: SyncKind, object_id: str) -> Any:
    """Our rows of the object. A sync that changes them has repaired something."""
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

"""Subscriptions as Stripe has them, and the account's tier that follows."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from billing import mails
from billing.enums import LIVE, InvoiceStatus, MailKind, SubscriptionStatus
from billing.ledger.entries import lock
from billing.models import Invoice, PlanPrice, Subscription, Wallet
from billing.purchases.customers import account_of
from billing.purchases.payments import prices_of
from billing.stripe.stripe_errors import BillingError
from billing.stripe.stripe_types import InvoiceState, SubscriptionState

TOLD_BEFORE = timedelta(days=4)
"""Owners are told of a trial's end at most this long before."""
OWING = frozenset({SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID})
A_SWEEP = 500


@transaction.atomic
def record_subscription(facts: SubscriptionState, *, read_at: datetime) -> None:
    """`read_at`: when Stripe was asked. An answer older than the recorded one changes nothing."""
    account_id = account_of(facts.customer_id)
    lock(account_id)
    known = Subscription.objects.filter(pk=facts.id).select_related("price").first()
    if known is not None and known.read_at >= read_at:
        return
    state: dict[str, Any] = {
        "price": _price(known, facts),
        "status": facts.status,
        "current_period_start": facts.current_period_start,
        "current_period_end": facts.current_period_end,
        "trial_ends_at": facts.trial_ends_at,
        "cancel_at_period_end": facts.cancel_at_period_end,
        "canceled_at": facts.canceled_at,
        "ended_at": facts.ended_at,
        "grace_until": _grace(known, facts),
        "read_at": read_at,
    }
    made = {"account_id": account_id, "created_at": facts.created_at}
    Subscription.objects.update_or_create(pk=facts.id, defaults=state, create_defaults=state | made)
    _tell_of_trial(account_id, facts)
    _tell_of_second(account_id, facts)
    settle_tier(account_id)


@transaction.atomic
def record_subscription_gone(subscription_id: str) -> None:
    """Stripe does not know it any more: nobody pays for it, and its account may start another."""
    known = Subscription.objects.filter(pk=subscription_id, status__in=LIVE).first()
    if known is None:
        return
    lock(known.account_id)
    now = timezone.now()
    ended = {"status": SubscriptionStatus.CANCELED, "ended_at": now, "canceled_at": now, "read_at": now}
    if Subscription.objects.filter(pk=subscription_id, status__in=LIVE).update(**ended, grace_until=None):
        settle_tier(known.account_id)


def _price(known: Subscription | None, facts: SubscriptionState) -> PlanPrice:
    """Our price among its items'. One that staff moved to a foreign price keeps its plan."""
    prices = prices_of(set(facts.price_ids))
    ours = next((prices[each] for each in facts.price_ids if each in prices), None)
    if ours is not None:
        return ours
    words = ", ".join(facts.price_ids)
    if known is None:
        raise BillingError("unknown_price", words, retryable=False)
    mails.alarm_staff(f"{facts.id}:{words}", f"Subscription {facts.id} has a price that gives no credits: {words}.")
    return known.price


def _tell_of_second(account_id: UUID, facts: SubscriptionState) -> None:
    """Two pay pages were paid at once. Staff decide which subscription ends and what is refunded."""
    others = Subscription.objects.filter(account=account_id, status__in=LIVE).exclude(pk=facts.id)
    if facts.status in LIVE and others.exists():
        mails.alarm_staff(f"second:{facts.id}", f"Account {account_id} pays for two subscriptions, {facts.id} is one.")


def _grace(known: Subscription | None, facts: SubscriptionState) -> datetime | None:
    """Counted from when it was first seen past due; over as soon as it pays."""
    if facts.status != SubscriptionStatus.PAST_DUE:
        return None
    if known is not None and known.grace_until is not None:
        return known.grace_until
    return timezone.now() + timedelta(days=settings.SUBSCRIPTION_GRACE_DAYS)


def _tell_of_trial(account_id: UUID, facts: SubscriptionState) -> None:
    ends = facts.trial_ends_at
    if facts.status == SubscriptionStatus.TRIALING and ends and ends - timezone.now() < TOLD_BEFORE:
        mails.write_mail(MailKind.TRIAL_ENDING, f"{facts.id}:{ends}", account_id=account_id, ends=str(ends))


def settle_tier(account_id: UUID) -> None:
    """Gives the wallet the tier of the newest subscription in good standing, else the free tier.

    The caller holds the wallet's lock.
    """
    live = Subscription.objects.filter(account=account_id).select_related("price__plan").order_by("-created_at")
    tier_id = next((each.price.plan.tier_id for each in live if each.gives_its_tier), None)
    changed = Wallet.objects.filter(pk=account_id).exclude(tier=tier_id) if tier_id else _with_tier(account_id)
    if changed.update(tier=tier_id) and tier_id is None:
        _tell_of_downgrade(account_id)


def _with_tier(account_id: UUID) -> Any:
    return Wallet.objects.filter(pk=account_id, tier__isnull=False)


def _tell_of_downgrade(account_id: UUID) -> None:
    """Only after a missing payment: who cancels knows."""
    owing = Subscription.objects.filter(account=account_id, status__in=OWING).order_by("-created_at").first()
    if owing is not None:
        reference = f"{owing.pk}:{owing.current_period_end}"
        mails.write_mail(MailKind.DOWNGRADED, reference, account_id=account_id)


def end_grace() -> int:
    """Ends grace periods that are over. Returns how many."""
    over = Subscription.objects.filter(status=SubscriptionStatus.PAST_DUE, grace_until__lte=timezone.now())
    due = over.filter(account__wallet__tier__isnull=False).values_list("account_id", flat=True)[:A_SWEEP]
    for account_id in due:
        with transaction.atomic():
            lock(account_id)
            settle_tier(account_id)
    return len(due)


def live_subscription_of(account_id: UUID) -> Subscription | None:
    """The subscription that prevents starting another."""
    mine = Subscription.objects.filter(account=account_id, status__in=LIVE)
    return mine.select_related("price__plan").order_by("-created_at").first()


def current_subscription_of(account_id: UUID) -> Subscription | None:
    """The live one, else the last."""
    latest = Subscription.objects.filter(account=account_id).select_related("price__plan").order_by("-created_at")
    return live_subscription_of(account_id) or latest.first()


@transaction.atomic
def record_invoice(facts: InvoiceState, *, read_at: datetime) -> None:
    """Records it for its customer, and tells owners of a failed payment."""
    account_id = account_of(facts.customer_id)
    lock(account_id)
    known = Invoice.objects.filter(stripe_invoice_id=facts.id).first()
    if known is not None and known.read_at >= read_at:
        return
    state = {
        "number": facts.number,
        "status": facts.status,
        "amount_due": facts.amount_due,
        "amount_paid": facts.amount_paid,
        "currency": facts.currency,
        "period_start": facts.period_start,
        "period_end": facts.period_end,
        "hosted_url": facts.hosted_url,
        "pdf_url": facts.pdf_url,
        "next_attempt_at": facts.next_attempt_at,
        "attempts": facts.attempts,
        "read_at": read_at,
    }
    made = {"account_id": account_id, "created_at": facts.created_at}
    Invoice.objects.update_or_create(stripe_invoice_id=facts.id, defaults=state, create_defaults=state | made)
    if facts.status == InvoiceStatus.OPEN and facts.attempts and facts.subscription_id:
        _tell_of_failure(account_id, facts)


def record_invoice_gone(invoice_id: str) -> None:
    """Marks an invoice that nobody can pay any more."""
    unpaid = (InvoiceStatus.DRAFT, InvoiceStatus.OPEN)
    lost = Invoice.objects.filter(stripe_invoice_id=invoice_id, status__in=unpaid)
    lost.update(status=InvoiceStatus.VOID, next_attempt_at=None, read_at=timezone.now())


def _tell_of_failure(account_id: UUID, facts: InvoiceState) -> None:
    mails.write_mail(
        MailKind.PAYMENT_FAILED,
        f"{facts.id}:{facts.attempts}",
        account_id=account_id,
        amount=facts.amount_due,
        currency=facts.currency,
        next_attempt=str(facts.next_attempt_at or ""),
        url=facts.hosted_url,
    )

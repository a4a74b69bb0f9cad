"""Records Stripe's subscriptions and invoices, and derives the account's tier."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from billing import mails
from billing.enums import LIVE, InvoiceStatus, MailKind, SubscriptionStatus
from billing.ledger.entries import lock_wallet
from billing.models import Invoice, PlanPrice, Subscription, Wallet
from billing.purchases.customers import account_of
from billing.purchases.payments import prices_of
from billing.stripe.stripe_errors import BillingError
from billing.stripe.stripe_types import InvoiceState, SubscriptionState
from genvid import database_clock

TRIAL_NOTICE = timedelta(days=4)
OWING = frozenset({SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID})
BATCH_SIZE = 500


@transaction.atomic
def record_subscription(facts: SubscriptionState, *, read_at: datetime) -> None:
    """`read_at`: when Stripe was read. Facts older than the recorded ones are ignored."""
    account_id = account_of(facts.customer_id)
    lock_wallet(account_id)
    known = Subscription.objects.filter(pk=facts.id).select_related("price").first()
    if known is not None and known.read_at >= read_at:
        return
    state: dict[str, Any] = {
        "price": _price_of(known, facts),
        "status": facts.status,
        "current_period_start": facts.current_period_start,
        "current_period_end": facts.current_period_end,
        "trial_ends_at": facts.trial_ends_at,
        "cancel_at_period_end": facts.cancel_at_period_end,
        "canceled_at": facts.canceled_at,
        "ended_at": facts.ended_at,
        "grace_until": _grace_until(known, facts),
        "read_at": read_at,
    }
    made = {"account_id": account_id, "created_at": facts.created_at}
    Subscription.objects.update_or_create(pk=facts.id, defaults=state, create_defaults=state | made)
    _mail_trial_ending(account_id, facts)
    _alarm_second_subscription(account_id, facts)
    settle_tier(account_id)


@transaction.atomic
def record_subscription_gone(subscription_id: str) -> None:
    """For a subscription that Stripe does not know: marks it canceled, so the account may start another."""
    known = Subscription.objects.filter(pk=subscription_id, status__in=LIVE).first()
    if known is None:
        return
    lock_wallet(known.account_id)
    now = database_clock.now()
    ended = {"status": SubscriptionStatus.CANCELED, "ended_at": now, "canceled_at": now, "read_at": now}
    if Subscription.objects.filter(pk=subscription_id, status__in=LIVE).update(**ended, grace_until=None):
        settle_tier(known.account_id)


def _price_of(known: Subscription | None, facts: SubscriptionState) -> PlanPrice:
    """Our price among the items. A subscription that staff moved to a foreign price keeps its plan."""
    prices = prices_of(set(facts.price_ids))
    ours = next((prices[each] for each in facts.price_ids if each in prices), None)
    if ours is not None:
        return ours
    foreign = ", ".join(facts.price_ids)
    if known is None:
        raise BillingError("unknown_price", foreign, retryable=False)
    mails.alarm_staff(f"{facts.id}:{foreign}", f"Subscription {facts.id} has a price that gives no credits: {foreign}.")
    return known.price


def _alarm_second_subscription(account_id: UUID, facts: SubscriptionState) -> None:
    # Two pay pages were paid at once. Staff decide which subscription ends and what is refunded.
    others = Subscription.objects.filter(account=account_id, status__in=LIVE).exclude(pk=facts.id)
    if facts.status in LIVE and others.exists():
        mails.alarm_staff(f"second:{facts.id}", f"Account {account_id} pays for two subscriptions, {facts.id} is one.")


def _grace_until(known: Subscription | None, facts: SubscriptionState) -> datetime | None:
    if facts.status != SubscriptionStatus.PAST_DUE:
        return None
    if known is not None and known.grace_until is not None:
        return known.grace_until
    return database_clock.now() + timedelta(days=settings.SUBSCRIPTION_GRACE_DAYS)


def _mail_trial_ending(account_id: UUID, facts: SubscriptionState) -> None:
    ends = facts.trial_ends_at
    if facts.status == SubscriptionStatus.TRIALING and ends and ends - database_clock.now() < TRIAL_NOTICE:
        mails.write_mail(MailKind.TRIAL_ENDING, f"{facts.id}:{ends}", account_id=account_id, ends=str(ends))


def settle_tier(account_id: UUID) -> None:
    """Sets the wallet's tier from the newest entitling subscription. The caller holds the wallet's lock."""
    live = Subscription.objects.filter(account=account_id).select_related("price__plan").order_by("-created_at")
    tier_id = next((each.price.plan.tier_id for each in live if each.gives_its_tier), None)
    changed = Wallet.objects.filter(pk=account_id).exclude(tier=tier_id) if tier_id else _with_tier(account_id)
    if changed.update(tier=tier_id) and tier_id is None:
        _mail_downgrade(account_id)


def _with_tier(account_id: UUID) -> Any:
    return Wallet.objects.filter(pk=account_id, tier__isnull=False)


def _mail_downgrade(account_id: UUID) -> None:
    # Only after a missing payment, not after a cancellation.
    owing = Subscription.objects.filter(account=account_id, status__in=OWING).order_by("-created_at").first()
    if owing is not None:
        reference = f"{owing.pk}:{owing.current_period_end}"
        mails.write_mail(MailKind.DOWNGRADED, reference, account_id=account_id)


def end_grace() -> int:
    over = Subscription.objects.filter(status=SubscriptionStatus.PAST_DUE, grace_until__lte=database_clock.now())
    due = over.filter(account__wallet__tier__isnull=False).values_list("account_id", flat=True)[:BATCH_SIZE]
    for account_id in due:
        with transaction.atomic():
            lock_wallet(account_id)
            settle_tier(account_id)
    return len(due)


def live_subscription_of(account_id: UUID) -> Subscription | None:
    mine = Subscription.objects.filter(account=account_id, status__in=LIVE)
    return mine.select_related("price__plan").order_by("-created_at").first()


def current_subscription_of(account_id: UUID) -> Subscription | None:
    latest = Subscription.objects.filter(account=account_id).select_related("price__plan").order_by("-created_at")
    return live_subscription_of(account_id) or latest.first()


@transaction.atomic
def record_invoice(facts: InvoiceState, *, read_at: datetime) -> None:
    """Mails owners of a failed payment. `read_at`: when Stripe was read; older facts are ignored."""
    account_id = account_of(facts.customer_id)
    lock_wallet(account_id)
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
        _mail_payment_failure(account_id, facts)


def record_invoice_gone(invoice_id: str) -> None:
    """For an invoice that Stripe does not know: voids it unless it was paid."""
    unpaid = (InvoiceStatus.DRAFT, InvoiceStatus.OPEN)
    lost = Invoice.objects.filter(stripe_invoice_id=invoice_id, status__in=unpaid)
    lost.update(status=InvoiceStatus.VOID, next_attempt_at=None, read_at=database_clock.now())


def _mail_payment_failure(account_id: UUID, facts: InvoiceState) -> None:
    mails.write_mail(
        MailKind.PAYMENT_FAILED,
        f"{facts.id}:{facts.attempts}",
        account_id=account_id,
        amount=facts.amount_due,
        currency=facts.currency,
        next_attempt=str(facts.next_attempt_at or ""),
        url=facts.hosted_url,
    )

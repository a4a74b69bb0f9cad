"""Records payments and grants their credits. Every function may be repeated, in any order and in parallel."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.enums import EventType
from accounts.webhooks import outgoing_events
from billing import credits, mails, months
from billing.enums import LotSource, MailKind, PaymentKind
from billing.ledger.entries import lock_wallet
from billing.models import Allowance, AllowanceStop, Payment, PlanPrice, Subscription, TopUp
from billing.purchases import clawbacks, credit_schedule, fundings
from billing.purchases.customers import account_of
from billing.representations import payment_data
from billing.stripe.stripe_errors import BillingError
from billing.stripe.stripe_types import IntentState, InvoiceState, SessionState
from genvid import database_clock

logger = structlog.get_logger(__name__)
BATCH_SIZE = 500


def prices_of(price_ids: set[str]) -> dict[str, PlanPrice]:
    found = PlanPrice.objects.filter(stripe_price_id__in=price_ids).select_related("plan")
    return {price.stripe_price_id: price for price in found}


@transaction.atomic
def record_pack_payment(facts: SessionState) -> Payment:
    """From a paid session of mode `payment`. Raises BillingError `unknown_price`."""
    account_id = account_of(facts.customer_id)
    prices = prices_of({line.price_id for line in facts.lines})
    unknown = [line.price_id for line in facts.lines if line.price_id not in prices]
    if unknown:
        raise BillingError("unknown_price", ", ".join(unknown), retryable=False)
    bought = sum(prices[line.price_id].credits * line.quantity for line in facts.lines)
    price = prices[facts.lines[0].price_id]
    payment = _ensure_payment(
        account_id,
        facts.id,
        kind=PaymentKind.PACK,
        price=price,
        description=price.plan.name,
        stripe_payment_intent_id=facts.payment_intent_id or None,
        amount=facts.amount,
        currency=facts.currency,
        paid_at=facts.created_at,
    )
    _grant_pack(payment, bought)
    return payment


@transaction.atomic
def record_top_up_payment(top_up: TopUp, facts: IntentState) -> Payment:
    payment = _ensure_payment(
        top_up.account_id,
        facts.id,
        kind=PaymentKind.TOP_UP,
        price=top_up.price,
        description=f"{top_up.price.plan.name}, automatic",
        stripe_payment_intent_id=facts.id,
        amount=facts.amount,
        currency=facts.currency,
        paid_at=facts.created_at,
    )
    _grant_pack(payment, top_up.price.credits)
    return payment


def _grant_pack(payment: Payment, bought: int) -> None:
    credits.grant(
        payment.account_id,
        bought,
        source=LotSource.PACK,
        reference=payment.source_id,
        expires_at=months.add_months(database_clock.now(), credit_schedule.PACK_LIFETIME_MONTHS),
        description=payment.description,
        payment_id=payment.pk,
    )
    clawbacks.settle_clawbacks(payment.pk, cause=payment.source_id)


@transaction.atomic
def record_invoice_payment(facts: InvoiceState) -> Payment | None:
    """From a subscription's paid invoice: grants what is due, schedules the rest. None when it has no effect."""
    account_id = account_of(facts.customer_id)
    prices = prices_of({line.price_id for line in facts.lines})
    given = credit_schedule.entitlements_of_invoice(facts, prices)
    stops = credit_schedule.price_stops(facts, prices)
    if not given and not stops and not facts.amount_paid and facts.credit_before == facts.credit_after:
        return None
    price = given[0].price if given else next(iter(prices.values()), None)
    payment = _ensure_payment(
        account_id,
        facts.id,
        kind=PaymentKind.SUBSCRIPTION,
        price=price,
        description=price.plan.name if price else f"Invoice {facts.number}",
        stripe_payment_intent_id=facts.payment_intent_id or None,
        amount=facts.amount_paid,
        currency=facts.currency,
        credits_unused=credit_schedule.unused_credits(facts, prices),
        paid_at=facts.paid_at or facts.created_at,
    )
    fundings.record_funding(payment, facts, prices)
    for price_id, since in stops.items():
        _stop_allowances(facts, prices[price_id], since)
    for each in given:
        _schedule_allowance(payment, facts, each)
    for pk in payment.allowances.filter(due_at__lte=database_clock.now(), granted_at=None, void_at=None).values_list(
        "pk", flat=True
    ):
        grant_allowance(pk)
    clawbacks.settle_clawbacks(payment.pk, cause=facts.id)
    return payment


def _ensure_payment(account_id: UUID, source_id: str, **facts: Any) -> Payment:
    """Creates the row once, with its event and receipt. Raises BillingError `other_account`."""
    lock_wallet(account_id)
    payment, is_new = Payment.objects.get_or_create(source_id=source_id, defaults={"account_id": account_id, **facts})
    if payment.account_id != account_id:
        raise BillingError("other_account", f"{source_id} was paid by another account.", retryable=False)
    if is_new and payment.amount:
        outgoing_events.publish(
            account_id, EventType.PAYMENT_SUCCEEDED, payment_data(payment), object_id=str(payment.pk)
        )
        mails.write_mail(MailKind.RECEIPT, source_id, account_id=account_id, payment_id=str(payment.pk))
    return payment


def _stop_allowances(facts: InvoiceState, price: PlanPrice, since: datetime) -> None:
    order = {"issued_at": facts.created_at, "sequence": facts.sequence}
    values = {"stripe_subscription_id": facts.subscription_id, "since": since, **order}
    AllowanceStop.objects.get_or_create(invoice_id=facts.id, price=price, defaults=values)
    issued_before = Q(issued_at__lt=facts.created_at) | Q(issued_at=facts.created_at, sequence__lt=facts.sequence)
    older = Allowance.objects.filter(issued_before, stripe_subscription_id=facts.subscription_id, price=price)
    # Credits due before `since` are settled by the change itself (`credit_schedule`).
    older.filter(due_at__gt=since, granted_at=None, void_at=None).update(void_at=database_clock.now())


def _schedule_allowance(payment: Payment, facts: InvoiceState, each: credit_schedule.Entitlement) -> None:
    # The invoice that stops this allowance may have been processed first.
    stops = AllowanceStop.objects.filter(stripe_subscription_id=facts.subscription_id, price=each.price)
    issued_after = Q(issued_at__gt=facts.created_at) | Q(issued_at=facts.created_at, sequence__gt=facts.sequence)
    stopped = stops.filter(issued_after, since__lt=each.due_at)
    Allowance.objects.get_or_create(
        reference=each.reference,
        defaults={
            "payment": payment,
            "stripe_subscription_id": facts.subscription_id,
            "price": each.price,
            "credits": each.credits,
            "issued_at": facts.created_at,
            "sequence": facts.sequence,
            "due_at": each.due_at,
            "expires_at": each.ends_at + timedelta(days=settings.SUBSCRIPTION_CREDIT_GRACE_DAYS),
            "void_at": database_clock.now() if stopped.exists() else None,
        },
    )


@transaction.atomic
def grant_allowance(pk: int) -> bool:
    """False when granted before, or when the subscription has ended."""
    allowance = Allowance.objects.select_related("payment", "price__plan").get(pk=pk)
    lock_wallet(allowance.payment.account_id)
    waiting = Allowance.objects.filter(pk=pk, granted_at=None, void_at=None)
    ended = Subscription.objects.filter(pk=allowance.stripe_subscription_id, ended_at__lte=allowance.due_at)
    if ended.exists():
        waiting.update(void_at=database_clock.now())
        return False
    if waiting.update(granted_at=database_clock.now()) != 1:
        return False
    grace = database_clock.now() + timedelta(days=settings.SUBSCRIPTION_CREDIT_GRACE_DAYS)
    credits.grant(
        allowance.payment.account_id,
        allowance.credits,
        source=LotSource.SUBSCRIPTION,
        reference=allowance.reference,
        # A late grant is usable for the grace period too.
        expires_at=max(allowance.expires_at, grace),
        description=allowance.price.plan.name,
        payment_id=allowance.payment_id,
    )
    clawbacks.settle_clawbacks(allowance.payment_id, cause=allowance.reference)
    return True


def grant_due_allowances() -> int:
    due = Allowance.objects.filter(due_at__lte=database_clock.now(), granted_at=None, void_at=None)
    return sum(_try_grant(pk) for pk in due.values_list("pk", flat=True)[:BATCH_SIZE])


def _try_grant(pk: int) -> bool:
    # One failure must not stop the others.
    try:
        return grant_allowance(pk)
    except Exception:
        logger.exception("allowance_failed", allowance=pk)
        return False

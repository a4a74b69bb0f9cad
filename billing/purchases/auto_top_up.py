"""Automatic purchases of credits: one at a time, within the month's limit.

The row is written before Stripe is called and holds the call's Idempotency-Key, so a retry charges once.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet, Sum

from accounts import audit_log
from accounts.caller import Caller
from accounts.enums import AuditAct
from billing import jobs, mails
from billing.enums import MailKind, PlanKind, TopUpStatus
from billing.ledger import entries
from billing.models import Plan, PlanPrice, TopUp, TopUpRule
from billing.purchases import customers, payments, stripe_prices
from billing.stripe import commands, queries
from billing.stripe.stripe_errors import BillingError
from billing.stripe.stripe_types import IntentState
from genvid import database_clock, leasing
from genvid.api.serializers import refuse_field
from genvid.leasing import Backoff, from_now

logger = structlog.get_logger(__name__)
LEASE = timedelta(seconds=180)
KEY_LIFETIME = timedelta(hours=23)
"""Stripe keeps an Idempotency-Key for at least 24 hours (https://docs.stripe.com/api/idempotent_requests)."""
BACKOFF = Backoff(first=24 * 3600, most=32 * 24 * 3600)
"""Pause after a declined card: banks penalise repeated attempts."""
BATCH_SIZE = 100
UNFINISHED_INTENT_STATUSES = ("processing", "requires_capture")
COUNTED_STATUSES = (TopUpStatus.PENDING, TopUpStatus.PAID)


def sweep_top_ups() -> int:
    for rule in _due_rules()[:BATCH_SIZE]:
        _start_purchase(rule)
    return leasing.sweep(TopUp.objects.filter(status=TopUpStatus.PENDING).due(), jobs.TOP_UP, most=BATCH_SIZE)


def _due_rules() -> QuerySet[TopUpRule]:
    now = database_clock.now()
    rules = TopUpRule.objects.filter(enabled=True).select_related("plan")
    rules = rules.filter(account__wallet__balance__lt=F("threshold") + F("account__wallet__held"))
    rules = rules.exclude(paused_until__gt=now).exclude(account__top_ups__status=TopUpStatus.PENDING)
    return rules.filter(account__customer__isnull=False, plan__is_active=True)


def _start_purchase(rule: TopUpRule) -> None:
    try:
        price = stripe_prices.price_for_sale(rule.plan)
    except BillingError as error:
        logger.warning("top_up_delayed", account_id=str(rule.account_id), error=str(error))
        return
    _create_top_up(rule.account_id, price)


@transaction.atomic
def _create_top_up(account_id: UUID, price: PlanPrice) -> None:
    # Checked again under the wallet's lock: another worker may have started a purchase.
    entries.lock_wallet(account_id)
    rule = _due_rules().filter(pk=account_id, plan=price.plan_id).first()
    if rule is None:
        return
    if spent_this_month(account_id) + price.amount > rule.monthly_limit:
        _pause(account_id, "monthly_limit", until=_next_month(database_clock.now()))
        return
    TopUp.objects.create(account_id=account_id, price=price, amount=price.amount, due_at=from_now())


def spent_this_month(account_id: UUID) -> int:
    """Minor units, unfinished purchases included."""
    now = database_clock.now()
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    counted = TopUp.objects.filter(account=account_id, created_at__gte=month, status__in=COUNTED_STATUSES)
    return counted.aggregate(total=Sum("amount"))["total"] or 0


def _next_month(now: datetime) -> datetime:
    return (now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)).replace(day=1)


def run_top_up(pk: UUID) -> bool:
    """False when the purchase was not due, or its charge failed."""
    pending = TopUp.objects.filter(pk=pk, status=TopUpStatus.PENDING).select_related("price__plan")
    top_up: TopUp | None = pending.claim(LEASE)
    if top_up is None:
        return False
    age = -(top_up.seconds_until("created_at") or 0.0)
    try:
        facts = _find_intent(top_up) if age > KEY_LIFETIME.total_seconds() else _charge_or_find(top_up)
    except BillingError as error:
        return _record_failure(top_up, error)
    sync_top_up(facts)
    return True


def _charge_or_find(top_up: TopUp) -> IntentState:
    try:
        return _charge(top_up)
    except BillingError as error:
        if error.code == "not_found" and customers.release_customer_if_gone(_customer_of(top_up)):
            raise BillingError("no_card", "The customer is gone at Stripe.", retryable=False) from error
        if error.code != "key_reused":
            raise
        # Card or pack name changed since a first call, which may have charged.
        return _find_intent(top_up)


def _charge(top_up: TopUp) -> IntentState:
    return commands.charge_saved_card(
        key=f"top_up:{top_up.pk}",
        customer_id=_customer_of(top_up),
        amount=top_up.amount,
        currency=top_up.price.currency,
        description=top_up.price.plan.name,
        metadata={"top_up_id": str(top_up.pk)},
    )


def _customer_of(top_up: TopUp) -> str:
    if customer_id := customers.customer_of(top_up.account_id):
        return customer_id
    raise BillingError("no_card", "The customer was deleted at Stripe.", retryable=False)


def _find_intent(top_up: TopUp) -> IntentState:
    """For a key that Stripe no longer knows: a repeated call might charge twice. Raises BillingError `gave_up`."""
    found = queries.intent_of_top_up(_customer_of(top_up), str(top_up.pk), since=top_up.created_at)
    if found is None:
        raise BillingError("gave_up", "Stripe could not be asked for a day.", retryable=False)
    return found


def sync_top_up(facts: IntentState) -> None:
    if not _is_uuid(facts.top_up_id):
        return
    top_up = TopUp.objects.filter(pk=facts.top_up_id).select_related("price__plan").first()
    if top_up is None:
        return
    if facts.status == "succeeded":
        with transaction.atomic():
            payments.record_top_up_payment(top_up, facts)
            # Success overrides an earlier recorded failure.
            _move_status(top_up, TopUpStatus.PAID, intent_id=facts.id, unless=(TopUpStatus.PAID,))
    elif facts.status not in UNFINISHED_INTENT_STATUSES:
        code = "authentication_required" if facts.error == "authentication_required" else "card_declined"
        _record_failure(top_up, BillingError(code, facts.error, retryable=False, payment_intent_id=facts.id))


def _is_uuid(text: str) -> bool:
    # Staff may edit the metadata at Stripe.
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _record_failure(top_up: TopUp, error: BillingError) -> bool:
    logger.warning("top_up_not_charged", top_up=str(top_up.pk), error=str(error))
    if error.retryable:
        # Retried with the same key after the lease.
        return False
    needs_action = error.code == "authentication_required"
    status = TopUpStatus.NEEDS_ACTION if needs_action else TopUpStatus.FAILED
    with transaction.atomic():
        if _move_status(top_up, status, intent_id=error.payment_intent_id, error=error.decline_code or error.code):
            until = database_clock.now() + _pause_length(top_up.account_id)
            _pause(top_up.account_id, error.code, until=until)
            kind = MailKind.TOP_UP_NEEDS_ACTION if needs_action else MailKind.TOP_UP_FAILED
            _mail_owners(top_up, kind, again=str(until))
    return False


def _pause_length(account_id: UUID) -> timedelta:
    mine = TopUp.objects.filter(account=account_id)
    paid = mine.filter(status=TopUpStatus.PAID).order_by("-created_at").values_list("created_at", flat=True).first()
    refused = mine.filter(created_at__gt=paid) if paid else mine
    return BACKOFF.delay(refused.count())


def _move_status(
    top_up: TopUp,
    status: TopUpStatus,
    *,
    intent_id: str,
    error: str = "",
    unless: tuple[TopUpStatus, ...] = (TopUpStatus.PAID, TopUpStatus.FAILED, TopUpStatus.NEEDS_ACTION),
) -> bool:
    known = {"stripe_payment_intent_id": intent_id} if intent_id else {}
    moving = TopUp.objects.filter(pk=top_up.pk).exclude(status__in=unless)
    return moving.update(status=status, error=error[:120], due_at=None, **known) == 1


def stop_rule(account_id: UUID) -> None:
    """Stops further purchases. A charge that Stripe is processing meanwhile is still recorded."""
    TopUpRule.objects.filter(pk=account_id).delete()
    for top_up in TopUp.objects.filter(account=account_id, status=TopUpStatus.PENDING):
        _move_status(top_up, TopUpStatus.FAILED, intent_id="", error="account_closed")


def _mail_owners(top_up: TopUp, kind: MailKind, *, again: str) -> None:
    mails.write_mail(
        kind,
        str(top_up.pk),
        account_id=top_up.account_id,
        amount=top_up.amount,
        currency=top_up.price.currency,
        again=again,
        url=f"{settings.PUBLIC_URL}/?billing&buy={top_up.price.plan_id}",
    )


def _pause(account_id: UUID, reason: str, *, until: datetime) -> None:
    TopUpRule.objects.filter(pk=account_id).update(paused_until=until, pause_reason=reason[:60])


@transaction.atomic
def set_rule(caller: Caller, *, enabled: bool, threshold: int, plan_id: UUID, monthly_limit: int) -> TopUpRule:
    """Replaces the account's rule and ends a pause. Raises ValidationFailed."""
    plan = Plan.objects.filter(pk=plan_id, kind=PlanKind.PACK, is_active=True).first()
    if plan is None:
        raise refuse_field("plan_id", "There is no such pack for sale.")
    if monthly_limit < plan.amount:
        raise refuse_field("monthly_limit", f"Must cover one pack at least: {plan.amount}.")
    rule_fields = {"enabled": enabled, "threshold": threshold, "plan": plan, "monthly_limit": monthly_limit}
    cleared = {"paused_until": None, "pause_reason": ""}
    rule, _ = TopUpRule.objects.update_or_create(account_id=caller.account_id, defaults=rule_fields | cleared)
    audit_log.record_by(caller, AuditAct.TOP_UP_CHANGED, **(rule_fields | {"plan": plan.pk}))
    return rule

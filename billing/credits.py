"""The public interface of billing for the apps above. Amounts are credits.

Every write is idempotent per reference and joins the caller's transaction, so credits move with what they pay for.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum

from accounts import audit_log
from accounts.api_keys import spending_limits
from accounts.enums import AuditAct
from billing.enums import EntryKind, HoldStatus, LotSource
from billing.ledger import holds, lots, overruns, usage
from billing.ledger.entries import append_entry, entry_exists, lock_wallet, record_entry
from billing.ledger.price_explanation import PriceExplanation, explain_fee, explain_price
from billing.models import CreditAdjustment, CreditLot, Hold, LedgerEntry, Wallet
from billing.plans import fees, rates
from billing.plans.fees import Fee
from billing.plans.plan_limits import (
    PLAN_OF_ACCOUNT,
    PlanLimits,
    limits_of,
    limits_of_plan,
    plan_limits_of,
    requests_per_minute,
)
from genvid import database_clock
from genvid.compiled_writes import CompiledUpdate
from genvid.errors import Conflict, InsufficientCredits
from genvid.statements import insert_if_absent, insert_together
from genvid.transactions import joined

logger = structlog.get_logger(__name__)
PriceAt = Callable[[Decimal], int]
USUAL_FACTOR = Decimal(1)
__all__ = [
    "PLAN_OF_ACCOUNT",
    "Fee",
    "PlanLimits",
    "PriceExplanation",
    "explain_fee",
    "explain_price",
    "limits_of",
    "limits_of_plan",
    "plan_limits_of",
    "requests_per_minute",
]


def available(account_id: UUID) -> int:
    return Wallet.objects.get(pk=account_id).available


def overrun_factor(account_id: UUID) -> Decimal:
    return overruns.factor_of(Wallet.objects.get(pk=account_id))


def available_and_factor(account_id: UUID) -> tuple[int, Decimal]:
    """`available` and `overrun_factor`. One query."""
    wallet = Wallet.objects.get(pk=account_id)
    return wallet.available, overruns.factor_of(wallet)


def price(*, engine: str, avatar_kind: str, resolution: str, seconds: Decimal | float) -> int:
    """Credits for `seconds` of finished video. Raises ProviderUnavailable where no rate is set."""
    return rates.price(engine=engine, avatar_kind=avatar_kind, resolution=resolution, seconds=seconds)


def pricer(*, engine: str, avatar_kind: str, resolution: str) -> Callable[[Decimal | float], int]:
    """`price` for many lengths of one kind of video."""
    return rates.pricer(engine=engine, avatar_kind=avatar_kind, resolution=resolution)


def provider_cost(*, engine: str, avatar_kind: str, resolution: str, seconds: Decimal | float) -> int:
    """Our cost in micro-dollars. Raises ProviderUnavailable where no rate is set."""
    return rates.provider_cost(engine=engine, avatar_kind=avatar_kind, resolution=resolution, seconds=seconds)


def fee(what: str) -> Fee:
    """Of a thing sold by the piece or the begun minute. Raises ProviderUnavailable where none is set."""
    return fees.fee(what)


@joined()
def hold(account_id: UUID, amount: int, *, reference: str, key_id: UUID | None = None) -> None:
    """Raises InsufficientCredits, KeyLimitReached, and Conflict for a reference held for another amount."""
    existing = _hold_unless_held(account_id, amount, reference, key_id)
    if existing is not None and (existing.wallet_id, existing.amount) != (account_id, amount):
        raise Conflict(f"{reference} already holds {existing.amount} credits.")


@joined()
def charge(
    account_id: UUID,
    amount: int,
    *,
    reference: str,
    description: str,
    provider_microdollars: int | None = 0,
    key_id: UUID | None = None,
) -> int:
    """Hold and capture at once, for what is done already. Returns the credits charged, by an earlier call too.

    An amount of 0 records our cost alone; a cost of None is unknown. Raises InsufficientCredits, KeyLimitReached, and
    Conflict for a reference that another account has, or that is held or was released.
    """
    existing = _hold_unless_held(account_id, amount, reference, key_id)
    if existing is None:
        return capture(reference, amount, description=description, provider_microdollars=provider_microdollars)
    if (existing.wallet_id, existing.status) != (account_id, HoldStatus.CAPTURED):
        raise Conflict(f"{reference} is in use.")
    return existing.captured


def _hold_unless_held(account_id: UUID, amount: int, reference: str, key_id: UUID | None) -> Hold | None:
    """The hold that has the reference already, or None. Raises InsufficientCredits and KeyLimitReached."""
    wallet = _take(account_id, amount)
    if wallet is not None and insert_if_absent(_hold_of(wallet, amount, reference, key_id)):
        _reserve(key_id, amount)
        return None
    existing = Hold.objects.filter(reference=reference).first()
    if existing is None:
        raise _insufficient(account_id, amount)
    if wallet is not None:
        Wallet.objects.filter(pk=account_id).update(held=F("held") - amount)
    return existing


@joined()
def new_hold(account_id: UUID, price_at: PriceAt, *, reference: str, key_id: UUID | None = None) -> Hold:
    """Take the credits for a new reference. The caller inserts the hold in its transaction, with what it pays for.

    `price_at` tells the amount by the account's `overrun_factor`. Raises InsufficientCredits and KeyLimitReached.
    """
    amount = price_at(USUAL_FACTOR)
    wallet = _take(account_id, amount)
    if wallet is None:
        raise _insufficient(account_id, price_at(overrun_factor(account_id)))
    if (factor := overruns.factor_of(wallet)) != USUAL_FACTOR:
        more, amount = price_at(factor) - amount, price_at(factor)
        if _take(account_id, more) is None:
            raise InsufficientCredits(_short(amount, wallet.available + amount - more))
    _reserve(key_id, amount)
    return _hold_of(wallet, amount, reference, key_id)


@joined()
def hold_many(account_id: UUID, amounts: Mapping[str, int], *, key_id: UUID | None = None) -> None:
    """Reserves all amounts or none; references must be new. Raises InsufficientCredits and KeyLimitReached."""
    total = sum(amounts.values())
    wallet = _take(account_id, total)
    if wallet is None:
        raise _insufficient(account_id, total)
    _reserve(key_id, total)
    insert_together(_hold_of(wallet, amount, reference, key_id) for reference, amount in amounts.items())


def _take(account_id: UUID, amount: int) -> Wallet | None:
    """The wallet, locked, after one statement that checked and took; None where it does not suffice."""
    taken = _taking.rows({"account_id": account_id, "amount": amount})
    return taken[0] if taken else None


def _taken(account_id: UUID, amount: int) -> tuple[QuerySet[Wallet], dict[str, Any]]:
    return Wallet.objects.filter(pk=account_id, balance__gte=F("held") + amount), {"held": F("held") + amount}


_taking = CompiledUpdate(
    Wallet, _taken, read=("balance", "held", "overrun_factor", "overrun_at"), account_id=UUID, amount=int
)


def _hold_of(wallet: Wallet, amount: int, reference: str, key_id: UUID | None) -> Hold:
    factor = overruns.factor_of(wallet)
    return Hold(wallet_id=wallet.pk, reference=reference, amount=amount, api_key_id=key_id, overrun_factor=factor)


def _insufficient(account_id: UUID, amount: int) -> InsufficientCredits:
    return InsufficientCredits(_short(amount, available(account_id)))


def _short(amount: int, available: int) -> str:
    return f"This needs {amount} credits; {available} are available."


def _reserve(key_id: UUID | None, amount: int) -> None:
    if key_id is not None:
        spending_limits.reserve_credits(key_id, amount)


def _return_to_key(held: Hold, credits: int) -> None:
    """Returns unspent credits to the API key's monthly limit."""
    if held.api_key_id is not None and credits > 0:
        spending_limits.return_credits(held.api_key_id, credits, reserved_at=held.created_at)


@transaction.atomic
def refund(reference: str, amount: int, *, description: str) -> bool:
    """Refunds a charge once, in a new lot. False when it was refunded before. Raises Conflict above the charge."""
    held = Hold.objects.get(reference=reference)
    wallet = lock_wallet(held.wallet_id)
    if entry_exists(reference, EntryKind.REFUND) or amount <= 0:
        return False
    charged = Hold.objects.values_list("captured", flat=True).get(pk=held.pk)
    if amount > charged:
        raise Conflict(f"{reference} was charged {charged} credits; {amount} cannot be refunded.")
    CreditLot.objects.create(
        wallet=wallet,
        source=LotSource.REFUND,
        reference=f"refund:{reference}",
        granted=amount,
        remaining=max(0, amount - max(0, -wallet.balance)),
    )
    record_entry(held.wallet_id, amount, EntryKind.REFUND, reference, description)
    return True


@joined()
def capture(reference: str, amount: int, *, description: str = "", provider_microdollars: int | None = 0) -> int:
    """Charges at most the hold and releases the rest. Returns the credits charged; an excess becomes an overrun.

    A cost of None is unknown.
    """
    closed = holds.close_hold(reference, charge=amount, provider_microdollars=provider_microdollars)
    if closed is None:
        return Hold.objects.values_list("captured", flat=True).get(reference=reference)
    held, charged = closed.hold, closed.hold.captured
    if charged < amount:
        logger.warning("capture_capped_at_hold", reference=reference, asked=amount, held=held.amount)
        overruns.record_overrun(held, amount)
    _return_to_key(held, held.amount - charged)
    if charged:
        lots.consume(held.wallet_id, charged)
        append_entry(held.wallet_id, -charged, EntryKind.CHARGE, reference, description, balance_after=closed.balance)
    return charged


@joined()
def release(reference: str) -> bool:
    """False when the hold was settled before."""
    closed = holds.close_hold(reference, charge=None)
    if closed is None:
        return False
    _return_to_key(closed.hold, closed.hold.amount)
    return True


@transaction.atomic
def release_many(account_id: UUID, references: Collection[str]) -> None:
    lock_wallet(account_id)
    held = list(Hold.objects.filter(wallet=account_id, reference__in=references, status=HoldStatus.OPEN))
    freed = sum(each.amount for each in held)
    ours = Hold.objects.filter(pk__in=[each.pk for each in held])
    ours.update(status=HoldStatus.RELEASED, settled_at=database_clock.now())
    Wallet.objects.filter(pk=account_id).update(held=F("held") - freed)
    for each in held:
        _return_to_key(each, each.amount)


@transaction.atomic
def grant(
    account_id: UUID,
    credits: int,
    *,
    source: LotSource,
    reference: str,
    expires_at: datetime | None = None,
    description: str = "",
    payment_id: UUID | None = None,
) -> bool:
    """Adds a lot, which pays a negative balance first. False when `reference` was granted before.

    A refund of `payment_id` takes the credits back. Raises Conflict for a reference granted to another account.
    """
    wallet = lock_wallet(account_id)
    if credits <= 0 or lots.was_granted(account_id, reference):
        return False
    debt = max(0, -wallet.balance)
    CreditLot.objects.create(
        wallet=wallet,
        source=source,
        reference=reference,
        granted=credits,
        remaining=max(0, credits - debt),
        expires_at=expires_at,
        payment_id=payment_id,
    )
    record_entry(account_id, credits, EntryKind.GRANT, reference, description)
    return True


@transaction.atomic
def adjust(
    account_id: UUID,
    credits: int,
    *,
    reference: str,
    description: str,
    staff_id: UUID | None = None,
    may_overdraw: bool = False,
    is_recorded: bool = False,
) -> bool:
    """A correction by staff. False when done before. Raises InsufficientCredits and Conflict.

    `may_overdraw`: taking may leave a negative balance. `is_recorded`: the caller writes the audit entry.
    """
    wallet = lock_wallet(account_id)
    if entry_exists(reference, EntryKind.ADJUSTMENT) or credits == 0:
        return False
    if credits < 0 and wallet.available + credits < 0 and not may_overdraw:
        raise InsufficientCredits(f"Only {wallet.available} credits are available to take.")
    if credits < 0:
        lots.consume(account_id, -credits)
    elif lots.was_granted(account_id, reference):
        raise Conflict(f"{reference} was granted before.")
    else:
        remaining = max(0, credits - max(0, -wallet.balance))
        CreditLot.objects.create(
            wallet=wallet, source=LotSource.STAFF, reference=reference, granted=credits, remaining=remaining
        )
    record_entry(account_id, credits, EntryKind.ADJUSTMENT, reference, description)
    if not is_recorded:
        facts = {"credits": credits, "reference": reference}
        audit_log.record_staff_action(AuditAct.CREDITS_ADJUSTED, account_id=account_id, staff_id=staff_id, **facts)
    return True


def expire(now: datetime | None = None) -> int:
    """Removes the rest of expired lots, except credits under an open hold. Returns the credits that expired."""
    due = CreditLot.objects.filter(expires_at__lte=now or database_clock.now(), remaining__gt=0)
    return sum(_expire_lot(pk, wallet_id) for pk, wallet_id in due.values_list("pk", "wallet_id"))


@transaction.atomic
def _expire_lot(lot_id: int, wallet_id: UUID) -> int:
    wallet = lock_wallet(wallet_id)
    lot = CreditLot.objects.get(pk=lot_id)
    amount = lot.remaining - lots.reserved_in(lot, wallet)
    if amount == 0:
        return 0
    left = lot.remaining - amount
    CreditLot.objects.filter(pk=lot_id).update(remaining=left, expired=F("expired") + amount)
    # A lot under a hold expires in steps: the remainder makes each step's reference unique.
    record_entry(wallet_id, -amount, EntryKind.EXPIRY, f"{lot.reference}:{left}", "Credits past their date")
    return amount


def wallet_state() -> tuple[int, int]:
    """Credits held over all wallets, and the number of wallets that owe credits. One query."""
    owing = Count("pk", filter=Q(balance__lt=F("held")))
    row = Wallet.objects.aggregate(total=Sum("held"), owing=owing)
    return row["total"] or 0, row["owing"]


def spent(account_id: UUID, since: datetime, until: datetime, *, by_key: bool) -> dict[Any, usage.Spent]:
    """Credits charged and refunded from `since` until before `until`, per UTC day or per API key. Two queries."""
    return (usage.by_key if by_key else usage.by_day)(account_id, since, until)


def charged_renders(since: datetime, until: datetime) -> QuerySet[Hold]:
    """Holds that were charged in that time.

    With `reference`, `captured` and our cost, `provider_microdollars`; null is unknown.
    """
    return Hold.objects.filter(status=HoldStatus.CAPTURED, settled_at__gte=since, settled_at__lt=until).order_by()


def anonymise_entries(account_id: UUID) -> None:
    """Clears descriptions written by staff, which may name people."""
    by_hand = LedgerEntry.objects.filter(wallet=account_id, kind__in=(EntryKind.ADJUSTMENT, EntryKind.REFUND))
    by_hand.exclude(description="").update(description="")
    CreditAdjustment.objects.filter(account=account_id).exclude(reason="").update(reason="")

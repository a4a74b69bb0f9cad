"""Monthly credit limits of API keys (UTC months). Call them inside the transaction that moves the credits."""

from datetime import UTC, date, datetime
from uuid import UUID

from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.models import ApiKey
from genvid.errors import KeyLimitReached


def reserve_credits(key_id: UUID, credits: int) -> None:
    """Raises KeyLimitReached."""
    month = month_of(timezone.now())
    used = Case(When(credits_month=month, then=F("credits_used")), default=Value(0)) + credits
    covered = Q(monthly_credit_limit=None) | Q(monthly_credit_limit__gte=used)
    # One statement checks and counts, so that concurrent requests cannot exceed the limit.
    if ApiKey.objects.filter(covered, pk=key_id).update(credits_month=month, credits_used=used) != 1:
        raise KeyLimitReached


def return_credits(key_id: UUID, credits: int, *, reserved_at: datetime) -> None:
    """Return unspent credits to the key's monthly limit, unless the month of the reservation is over."""
    mine = ApiKey.objects.filter(pk=key_id, credits_month=month_of(reserved_at))
    mine.update(credits_used=Greatest(F("credits_used") - credits, 0))


def used_this_month(key: ApiKey) -> int:
    return key.credits_used if key.credits_month == month_of(timezone.now()) else 0


def month_of(moment: datetime) -> date:
    return moment.astimezone(UTC).date().replace(day=1)

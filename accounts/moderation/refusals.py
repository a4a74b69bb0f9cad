"""Counts an account's refusals, and slows down one that tries on purpose.

After MODERATION_REFUSALS_PER_HOUR refusals within an hour its texts are not looked at for a minute: each is answered
429. Each further refusal doubles that, up to an hour, until an hour after a slow-down went by without one.
"""

from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from accounts.enums import Strictness
from accounts.models import ModeratedAccount
from genvid import database_clock
from genvid.errors import RateLimited
from genvid.metrics import Tally

logger = structlog.get_logger(__name__)
WINDOW = timedelta(hours=1)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
SLOWED = "Too many texts of this account were refused; wait before you send another."
_slowdowns = Tally("genvid_moderation_slowdowns_total", "Times an account was slowed down after many refusals.")


def strictness_of(account_id: UUID) -> Strictness:
    """One query. Raises RateLimited while the account is slowed down."""
    row = ModeratedAccount.objects.filter(pk=account_id).only("strictness", "blocked_until").first()
    if row is None:
        return Strictness.STANDARD
    strictness = Strictness(row.strictness)
    left = (row.blocked_until - database_clock.now()).total_seconds() if row.blocked_until else 0.0
    if left > 0 and strictness != Strictness.OFF:
        raise RateLimited(SLOWED, retry_after=ceil(left))
    return strictness


@transaction.atomic
def count_refusal(account_id: UUID) -> None:
    """Exact under concurrency: the row is locked."""
    row, now = lock_row(account_id), database_clock.now()
    row.recent = [*_within_window(row.recent, now), now.timestamp()][-max(1, settings.MODERATION_REFUSALS_PER_HOUR) :]
    row.refusals += 1
    row.last_refused_at = now
    # Requests that were under way when the slow-down began are counted, and do not prolong it.
    if row.blocked_until is None or row.blocked_until <= now:
        _slow_down(row, now)
    row.save(update_fields=["recent", "refusals", "last_refused_at", "blocks", "blocked_until"])


def _slow_down(row: ModeratedAccount, now: datetime) -> None:
    row.blocks = row.blocks + 1 if _goes_on(row, now) else 0
    if row.blocks:
        row.blocked_until = now + min(FIRST_PAUSE * 2 ** min(row.blocks - 1, 10), LONGEST_PAUSE)
        _slowdowns.add()
        logger.warning("account_slowed_down", account_id=str(row.pk), until=row.blocked_until.isoformat())


def lock_row(account_id: UUID) -> ModeratedAccount:
    """Call it in a transaction."""
    ModeratedAccount.objects.bulk_create([ModeratedAccount(account_id=account_id)], ignore_conflicts=True)
    return ModeratedAccount.objects.select_for_update(no_key=True).get(pk=account_id)


def _within_window(moments: list[float], now: datetime) -> list[float]:
    since = (now - WINDOW).timestamp()
    return [moment for moment in moments if moment > since]


def _goes_on(row: ModeratedAccount, now: datetime) -> bool:
    """Whether this refusal slows the account down."""
    limit = settings.MODERATION_REFUSALS_PER_HOUR
    if not limit:
        return False
    is_again = bool(row.blocks and row.blocked_until and now < row.blocked_until + WINDOW)
    return is_again or len(row.recent) >= limit

"""What an account may send a day and keep, by its plan."""

from datetime import timedelta
from typing import cast
from uuid import UUID

from django.db.models import Sum

from accounts.models import Account
from avatars.enums import UploadOrigin
from avatars.models import Upload
from avatars.uploads import metrics
from billing import credits
from genvid import database_clock
from genvid.errors import RateLimited, UploadTooLarge
from genvid.leasing import from_now

WINDOW = timedelta(days=1)
GIGABYTE = 1_000_000_000


def lock_account(account_id: UUID) -> None:
    """In the transaction that inserts the row, before `require_capacity`: two at once cannot both be the last."""
    Account.objects.select_for_update(no_key=True).values_list("pk").get(pk=account_id)


def require_capacity(account_id: UUID, size: int) -> None:
    """Raises RateLimited for too many uploads within a day, and UploadTooLarge for too many bytes kept."""
    limits = credits.limits_of(account_id)
    mine = Upload.objects.filter(account=account_id, origin=UploadOrigin.CUSTOMER)
    sent = mine.filter(created_at__gt=from_now(-WINDOW)).order_by("-created_at").values_list("created_at", flat=True)
    if earliest := list(sent[limits.uploads_per_day - 1 : limits.uploads_per_day]):
        metrics.refusals.add("day")
        left = (earliest[0] + WINDOW - database_clock.now()).total_seconds()
        message = f"Your plan takes {limits.uploads_per_day:,} uploads in 24 hours (`uploads_per_day`)."
        raise RateLimited(message, retry_after=max(1, round(left)))
    kept = cast("int", mine.filter(deleted_at=None).aggregate(kept=Sum("bytes", default=0))["kept"])
    if kept + size > limits.upload_bytes:
        metrics.refusals.add("kept")
        message = (
            f"Your plan keeps {limits.upload_bytes / GIGABYTE:g} GB of uploads (`upload_bytes`), of which "
            f"{kept / GIGABYTE:.2f} GB are in use. Delete what you no longer need."
        )
        raise UploadTooLarge(message)

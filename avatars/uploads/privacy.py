"""Uploads in a data export, and their removal with an erased account."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.privacy.anonymisation import redact_admin_log
from accounts.privacy.data_export import plain_rows
from avatars import jobs
from avatars.models import Upload
from avatars.uploads import removal
from avatars.uploads.references import used_of
from genvid.leasing import sweep
from genvid.media_links import lasting_link

BATCH_SIZE = 200


def parts_of(account_ids: list[UUID]) -> dict[str, Iterator[dict[str, Any]]]:
    return {"uploads": _uploads(account_ids)}


def _uploads(account_ids: list[UUID]) -> Iterator[dict[str, Any]]:
    mine = Upload.objects.filter(account__in=account_ids)
    for row in plain_rows(mine, without=("asset_key", "waiting_reason", "tries", "due_at")):
        yield row | {"file": lasting_link(row["file"]) if row["file"] else None}


def erase_uploads_of(account_id: UUID) -> str:
    """Runs one round. Returns what is left as text, "" once none of the client's files is stored anywhere."""
    mine = Upload.objects.filter(account=account_id)
    found = list(mine.filter(deleted_at=None).order_by("created_at").only("pk")[:BATCH_SIZE])
    # What a video still needs goes once the video has ended.
    used = used_of([upload.pk for upload in found])
    for upload in found:
        if upload.pk not in used:
            with transaction.atomic():
                removal.hide(upload)
    left = mine.filter(Q(deleted_at=None) | Q(due_at__isnull=False) | ~Q(file=""))
    sweep(left.exclude(deleted_at=None).due(), jobs.WORK_ON_UPLOAD, most=BATCH_SIZE)
    if count := left.count():
        return f"{count} uploads are not deleted everywhere"
    redact_admin_log(Upload, list(mine.values_list("pk", flat=True)))
    return ""

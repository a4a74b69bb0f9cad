"""Uploads that something new may be made with."""

from collections.abc import Collection
from uuid import UUID

from django.db import connections, router
from django.db.models import QuerySet

from avatars.enums import UploadOrigin, UploadStatus
from avatars.models import Upload


def usable_upload(
    account_id: UUID, upload_id: UUID, kinds: Collection[str], *, is_test: bool, lock: bool = False
) -> Upload | None:
    """The account's own, ready upload of one of these kinds and of this mode; None for any other. One query.

    `lock`: keeps it from being removed until the transaction ends in which a row begins to refer to it.
    """
    mine = Upload.objects.filter(
        pk=upload_id,
        account=account_id,
        is_test=is_test,
        kind__in=list(kinds),
        origin=UploadOrigin.CUSTOMER,
        status=UploadStatus.READY,
        deleted_at=None,
    ).order_by()
    return next(iter(kept_until_commit(mine)), None) if lock else mine.first()


def kept_until_commit(uploads: QuerySet[Upload]) -> list[Upload]:
    """Locked against removal until the transaction ends in which a row begins to refer to them. One query."""
    using = router.db_for_write(Upload)
    text, params = uploads.query.get_compiler(using).as_sql()
    # FOR KEY SHARE, which Django has no word for: orders with one picture do not wait for each other.
    ending = " FOR KEY SHARE" if connections[using].features.has_select_for_update else ""
    return list(Upload.objects.using(using).raw(text + ending, params))

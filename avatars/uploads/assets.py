"""The copy of an upload at HeyGen: sent at its first use, once, and remembered."""

from datetime import timedelta
from pathlib import PurePosixPath
from typing import BinaryIO, cast
from uuid import uuid4

import structlog
from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Case, F, When

from avatars.models import Upload
from genvid.heygen.heygen_client import HeyGenClient, get_client, get_test_client
from genvid.heygen.heygen_errors import HeyGenError, InProgress, NotFound, Refused, Unknown
from genvid.leasing import LeasedQuerySet, from_now

logger = structlog.get_logger(__name__)
UNKNOWN_AFTER = timedelta(minutes=10)
"""When a sweep asks again for the id of an asset whose answer did not come."""


def client_of(upload: Upload) -> HeyGenClient | None:
    """None once the operator has removed the test renderer, and its files with it."""
    if not upload.is_test:
        return get_client()
    return get_test_client() if settings.TEST_RENDERER_URL else None


def asset_id_of(upload: Upload, client: HeyGenClient) -> str:
    """The id of the upload's asset at HeyGen; the first call sends the file. Outside any transaction.

    The key of that call is stored before it and is the same for all workers, so that two make one asset, and one whose
    answer was lost is found again. Raises HeyGenError, and OSError for a file that cannot be read.
    """
    if upload.provider_asset_id:
        return upload.provider_asset_id
    is_first = _reserve_key(upload)
    if upload.provider_asset_id:
        return upload.provider_asset_id
    try:
        asset_id = _send(upload, client)
    except (Unknown, InProgress):
        # Perhaps it was made: the key stays, and so does the moment at which the sweep asks again.
        raise
    except HeyGenError as error:
        # Too many calls, or a refused key of ours, say nothing about an earlier call whose answer was lost.
        if is_first or isinstance(error, Refused | NotFound):
            _with_key(upload).update(asset_key="", due_at=_settled())
        raise
    _with_key(upload).update(provider_asset_id=asset_id, due_at=_settled())
    upload.provider_asset_id = asset_id
    logger.info("asset_created", upload_id=str(upload.pk), asset_id=asset_id)
    return asset_id


def _reserve_key(upload: Upload) -> bool:
    """Whether the key is new: no call was made with it before."""
    fresh = Upload.objects.filter(pk=upload.pk, asset_key="", provider_asset_id="")
    unknown = Case(When(deleted_at=None, then=from_now(UNKNOWN_AFTER)), default=F("due_at"))
    is_first = fresh.update(asset_key=f"upload:{upload.pk}:{uuid4().hex[:16]}", due_at=unknown) == 1
    upload.refresh_from_db(fields=["asset_key", "provider_asset_id"])
    return is_first


def _settled() -> Case:
    """Nothing is due any more, but for the removal of a deleted upload."""
    return Case(When(deleted_at=None, then=None), default=F("due_at"))


def _with_key(upload: Upload) -> LeasedQuerySet:
    return Upload.objects.filter(pk=upload.pk, asset_key=upload.asset_key, provider_asset_id="")


def _send(upload: Upload, client: HeyGenClient) -> str:
    stored = str(upload.file.name)
    with default_storage.open(stored, "rb") as file:
        return client.create_asset(
            cast("BinaryIO", file),
            name=PurePosixPath(stored).name,
            content_type=upload.content_type,
            size=upload.bytes,
            idempotency_key=upload.asset_key,
        )


def forget_asset(upload: Upload) -> None:
    """HeyGen no longer has the asset: the next use sends the file again."""
    known = Upload.objects.filter(pk=upload.pk, provider_asset_id=upload.provider_asset_id)
    known.update(provider_asset_id="", asset_key="")
    upload.refresh_from_db(fields=["asset_key", "provider_asset_id"])

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
from genvid.leasing import from_now

logger = structlog.get_logger(__name__)
UNKNOWN_AFTER = timedelta(minutes=10)
"""When a sweep asks again for the id of an asset whose answer did not come."""
CONFLICT = 409


def client_of(upload: Upload) -> HeyGenClient | None:
    """None once the operator has removed the test renderer, and its files with it."""
    if not upload.is_test:
        return get_client()
    return get_test_client() if settings.TEST_RENDERER_URL else None


def asset_id_of(upload: Upload, client: HeyGenClient) -> str:
    """The id of the upload's asset at HeyGen; the first call sends the file. Outside any transaction.

    The key of that call is stored before it and is the same for all workers, so that two make one asset, and one whose
    answer was lost is found again. Raises HeyGenError, and OSError for a file that cannot be read or was deleted.
    """
    if upload.provider_asset_id:
        return upload.provider_asset_id
    is_first = _reserve_key(upload)
    if upload.provider_asset_id:
        return upload.provider_asset_id
    if not upload.asset_key:
        # Its removal has begun, or is over: nobody would delete what is sent now.
        raise FileNotFoundError(f"upload {upload.pk} was deleted")
    try:
        asset_id = _send(upload, client)
    except (Unknown, InProgress):
        # Perhaps it was made: the key stays, and so does the moment at which the sweep asks again.
        raise
    except HeyGenError as error:
        _judge_refusal(upload, error, is_first=is_first)
        raise
    # Also where the key was given up meanwhile: the asset is there. A removed upload has none any more.
    unknown = Upload.objects.filter(pk=upload.pk, asset_key__in=(upload.asset_key, ""), provider_asset_id="")
    unknown = unknown.exclude(deleted_at__isnull=False, due_at=None)
    unknown.update(asset_key=upload.asset_key, provider_asset_id=asset_id, due_at=_settled())
    upload.provider_asset_id = asset_id
    logger.info("asset_created", upload_id=str(upload.pk), asset_id=asset_id)
    return asset_id


def _judge_refusal(upload: Upload, error: HeyGenError, *, is_first: bool) -> None:
    """Gives the key up if no call with it can have made the asset. Raises InProgress for a conflict with another's."""
    if error.status == CONFLICT and not is_first:
        raise InProgress(error.code, error.message, status=CONFLICT, retry_after=error.retry_after) from error
    # Too many calls, or a refused key of ours, say nothing about an earlier call whose answer was lost.
    if is_first or isinstance(error, Refused | NotFound):
        # Nor about a call of another worker with this key, which has moved `due_at` and may make it.
        same_key = Upload.objects.filter(pk=upload.pk, asset_key=upload.asset_key, provider_asset_id="")
        same_key.filter(due_at=upload.due_at).update(asset_key="", due_at=_settled())


def _reserve_key(upload: Upload) -> bool:
    """Whether the key is new: no call was made with it before. None is made for a deleted upload.

    Each call writes its own `due_at`, by which the others see that it is under way.
    """
    unsent = Upload.objects.filter(pk=upload.pk, provider_asset_id="", deleted_at=None)
    key, due_at = f"upload:{upload.pk}:{uuid4().hex[:16]}", from_now(UNKNOWN_AFTER)
    is_first = unsent.filter(asset_key="").update(asset_key=key, due_at=due_at) == 1
    if not is_first:
        unsent.exclude(asset_key="").update(due_at=due_at)
    upload.refresh_from_db(fields=["asset_key", "provider_asset_id", "due_at"])
    return is_first


def _settled() -> Case:
    """Nothing is due any more, but for the removal of a deleted upload."""
    return Case(When(deleted_at=None, then=None), default=F("due_at"))


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

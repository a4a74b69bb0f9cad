"""Deletes uploads: hidden at once, the file here and the asset at HeyGen removed soon after, by a worker."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import ProtectedError, Q
from django.utils.module_loading import import_string

from accounts import audit_log
from accounts.enums import AuditAct
from avatars import jobs
from avatars.enums import UploadOrigin, UploadStatus
from avatars.models import Upload
from avatars.uploads import completion, metrics
from avatars.uploads.assets import asset_id_of, client_of
from avatars.uploads.direct import incoming_name
from avatars.uploads.intake import SPEECH_LIFETIME, UNUSED_LIFETIME
from avatars.uploads.references import used_of
from genvid.errors import Conflict, NotFound
from genvid.heygen import gate
from genvid.heygen.heygen_errors import HeyGenError, Refused
from genvid.heygen.heygen_errors import NotFound as GoneAtHeyGen
from genvid.jobs import enqueue_on_commit
from genvid.leasing import Backoff, from_now, sweep

logger = structlog.get_logger(__name__)
LEASE = timedelta(minutes=15)
BACKOFF = Backoff(30, most=3600, jitter=0.2)
ALARM_AFTER = 8
"""Failed tries of one row: about an hour."""
BATCH_SIZE = 200
WAITING_GRACE = timedelta(hours=1)
"""Beyond the link's time: a slow client may have begun to send within it."""
TRACE_LIFETIME = timedelta(days=2)
"""Of the empty row of a deleted upload, which counts for the day."""
IN_USE = "Something is made with this upload: delete that first."


# ── Requests


def delete_upload(upload: Upload) -> None:
    """Raises Conflict while something refers to it, and NotFound if it was deleted meanwhile."""
    with transaction.atomic():
        if not _locked(upload.pk):
            raise NotFound
        if used_of([upload.pk]):
            raise Conflict(IN_USE)
        hide(upload)


@transaction.atomic
def delete_by_staff(upload: Upload, *, reason: str, staff_id: UUID) -> None:
    """`delete_upload`, with an entry in the account's audit log, where its owner reads the reason."""
    delete_upload(upload)
    facts = {"upload": str(upload.pk), "kind": upload.kind, "reason": reason}
    act = AuditAct.STAFF_UPLOAD_DELETED
    audit_log.record_staff_action(act, staff_id=staff_id, account_id=upload.account_id, **facts)


def _locked(upload_id: Any, *, skip: bool = False) -> bool:
    """Under a lock that an order which begins to refer to the upload waits for, or has waited for us to wait."""
    rows = Upload.objects.select_for_update(skip_locked=skip).filter(pk=upload_id, deleted_at=None)
    return bool(list(rows.values_list("pk")))


def hide(upload: Upload) -> None:
    """Deleted for its owner; a worker removes what is left of it. In a transaction, under the row's lock."""
    # Even over the lease of a worker that checks or sends the file: its later writes find another `due_at`.
    Upload.objects.filter(pk=upload.pk, deleted_at=None).update(deleted_at=from_now(), due_at=from_now(), tries=0)
    enqueue_on_commit(jobs.WORK_ON_UPLOAD, str(upload.pk))


# ── Workers


def work_on(upload_id: str) -> None:
    """What is due of one upload: its removal, its check, or the id of its asset."""
    upload: Upload | None = Upload.objects.filter(pk=upload_id).claim(LEASE)
    if upload is None:
        return
    if upload.deleted_at is not None:
        _remove(upload)
    elif upload.status == UploadStatus.WAITING:
        completion.check_leased(upload)
    else:
        _find_asset(upload)


def _find_asset(upload: Upload) -> None:
    """The answer to the call that sent the file did not come: the same call, with the same key, brings its id."""
    client = client_of(upload)
    if client is None or upload.provider_asset_id or not upload.asset_key:
        upload.finish()
    elif not _may_call(upload):
        upload.retry_later(BACKOFF.delay(1), "HeyGen is paused", tries=upload.tries)
    else:
        try:
            asset_id_of(upload, client)
        except (HeyGenError, OSError) as error:
            upload.retry_later(BACKOFF.delay(upload.tries + 1), repr(error))


def _may_call(upload: Upload) -> bool:
    return upload.is_test or gate.is_open()


def _remove(upload: Upload) -> None:
    try:
        if (upload.provider_asset_id or upload.asset_key) and not _may_call(upload):
            upload.retry_later(BACKOFF.delay(1), "HeyGen is paused", tries=upload.tries)
            return
        _remove_at_heygen(upload)
        for name in {str(upload.file.name or ""), incoming_name(upload.account_id, upload.pk)} - {""}:
            default_storage.delete(name)
    except Exception as error:  # noqa: BLE001 - HeyGen, a disk, a bucket's own error: the sweep tries again
        metrics.removals.add("postponed")
        logger.warning("upload_removal_postponed", upload_id=str(upload.pk), tries=upload.tries, error=repr(error))
        if upload.tries + 1 >= ALARM_AFTER:
            _alarm(upload, error)
        upload.retry_later(BACKOFF.delay(upload.tries + 1), repr(error))
        return
    metrics.removals.add("done")
    blank = {"file": "", "filename": "", "sha256": "", "notes": [], "refusal": "", "bytes": 0}
    upload.finish(**blank, provider_asset_id="", asset_key="", expires_at=from_now(TRACE_LIFETIME))
    logger.info("upload_removed", upload_id=str(upload.pk))


def _remove_at_heygen(upload: Upload) -> None:
    """Asks for the id of an asset whose answer was lost, so that none is left there. Raises HeyGenError, OSError."""
    client = client_of(upload)
    if client is None:
        return
    if upload.asset_key and not upload.provider_asset_id:
        try:
            asset_id_of(upload, client)
        except (Refused, GoneAtHeyGen, FileNotFoundError):
            # Nothing was made of it, or there is nothing left to ask with.
            return
    if upload.provider_asset_id:
        client.delete_asset(upload.provider_asset_id)


def _alarm(upload: Upload, error: Exception) -> None:
    raise_alarm: Any = import_string(settings.OPERATOR_ALARM)
    raise_alarm(
        "upload_removal_fails",
        "",
        f"Deleted uploads cannot be removed from our storage or from HeyGen; it is tried again, every hour at last. "
        f"The last error, of upload {upload.pk}: {type(error).__name__}: {error}",
    )


# ── Sweep


def sweep_uploads() -> None:
    """Deletes what expired unused, enqueues what is due, and drops the traces of what was removed."""
    expire_unused()
    sweep(Upload.objects.due(), jobs.WORK_ON_UPLOAD, most=BATCH_SIZE)
    drop_traces()


def expire_unused() -> int:
    """Never one that something refers to. Returns how many were deleted."""
    rows = Upload.objects.filter(_is_over(), deleted_at=None).order_by("expires_at")
    found = list(rows.only("pk", "origin")[:BATCH_SIZE])
    used = used_of([upload.pk for upload in found])
    for upload in found:
        if upload.pk in used:
            _prolong(upload)
    return sum(_expire(upload) for upload in found if upload.pk not in used)


def _is_over() -> Q:
    over = Q(expires_at__lte=from_now()) & ~Q(status=UploadStatus.WAITING)
    return over | Q(expires_at__lte=from_now(-WAITING_GRACE), status=UploadStatus.WAITING)


def _prolong(upload: Upload) -> None:
    lifetime = SPEECH_LIFETIME if upload.origin == UploadOrigin.SPEECH else UNUSED_LIFETIME
    Upload.objects.filter(pk=upload.pk, deleted_at=None).update(expires_at=from_now(lifetime))


@transaction.atomic
def _expire(upload: Upload) -> bool:
    # Looked at again under the lock: an order may have begun to refer to it since, or a repetition have prolonged it.
    if not _locked(upload.pk, skip=True) or used_of([upload.pk]):
        return False
    if not Upload.objects.filter(_is_over(), pk=upload.pk).exists():
        return False
    hide(upload)
    metrics.expired.add()
    logger.info("upload_expired", upload_id=str(upload.pk))
    return True


def drop_traces() -> int:
    """Rows that a deleted video still names stay, empty. Returns how many were dropped."""
    traces = Upload.objects.filter(deleted_at__isnull=False, due_at=None, expires_at__lte=from_now())
    return sum(_drop(upload) for upload in traces.only("pk")[:BATCH_SIZE])


def _drop(upload: Upload) -> bool:
    try:
        with transaction.atomic():
            upload.delete()
    except ProtectedError:
        Upload.objects.filter(pk=upload.pk).update(expires_at=None)
        return False
    return True

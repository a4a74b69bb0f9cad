"""Checks files that clients sent straight to the bucket: size, checksum, type, and a clean copy, as for any other."""

import hashlib
import shutil
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.files.storage import default_storage

from avatars import jobs
from avatars.enums import UploadStatus
from avatars.models import Upload
from avatars.uploads import filenames, metrics
from avatars.uploads.direct import incoming_name
from avatars.uploads.intake import CHUNK_BYTES, UNUSED_LIFETIME, LocalFile, facts_of, stored_name
from avatars.uploads.probing import Refusal, probed
from genvid.errors import InvalidState, UploadRefused
from genvid.jobs import enqueue
from genvid.leasing import Backoff, from_now

logger = structlog.get_logger(__name__)
LEASE = timedelta(minutes=15)
BACKOFF = Backoff(5, most=300)
AT_ONCE_BYTES = 20 * 1024**2
"""Up to this a request checks the file itself; beyond it a worker does."""
NOT_ARRIVED = "The file has not arrived in the bucket: send it to `upload_url` first."


def complete(upload: Upload) -> Upload:
    """The upload after its check, or still waiting where a worker makes it. Safe to repeat. Outside any transaction.

    Raises UploadRefused for a file that is not taken, InvalidState before its bytes have arrived.
    """
    if upload.status == UploadStatus.WAITING and upload.due_at is None:
        _require_arrived(upload)
        _hand_over(upload)
    if upload.status == UploadStatus.REFUSED:
        raise UploadRefused(upload.refusal)
    return upload


def _require_arrived(upload: Upload) -> None:
    if not default_storage.exists(incoming_name(upload.account_id, upload.pk)):
        raise InvalidState(NOT_ARRIVED)


def _hand_over(upload: Upload) -> None:
    asked = Upload.objects.filter(pk=upload.pk, status=UploadStatus.WAITING, due_at=None, deleted_at=None)
    # Long enough for the check, whatever the link's time: the sweep must not take it away meanwhile.
    if asked.update(due_at=from_now(), expires_at=from_now(UNUSED_LIFETIME)) == 1:
        if upload.bytes <= AT_ONCE_BYTES:
            check_due(str(upload.pk))
        else:
            enqueue(jobs.WORK_ON_UPLOAD, str(upload.pk))
    upload.refresh_from_db()


def check_due(upload_id: str) -> None:
    waiting = Upload.objects.filter(pk=upload_id, status=UploadStatus.WAITING, deleted_at=None)
    upload: Upload | None = waiting.claim(LEASE)
    if upload is not None:
        check_leased(upload)


def check_leased(upload: Upload) -> None:
    try:
        _check(upload)
    except Refusal as refusal:
        metrics.refusals.add(refusal.reason)
        _refuse(upload, str(refusal))
    except Exception as error:  # noqa: BLE001 - a full disk, a bucket's own error: the sweep tries again
        logger.warning("upload_check_postponed", upload_id=str(upload.pk), tries=upload.tries, error=repr(error))
        upload.retry_later(BACKOFF.delay(upload.tries + 1), repr(error))


def _refuse(upload: Upload, text: str) -> None:
    refused = upload.finish(
        status=UploadStatus.REFUSED, refusal=text[:300], bytes=0, file="", expires_at=from_now(UNUSED_LIFETIME)
    )
    if refused:
        _delete_files(upload)


def _delete_files(upload: Upload) -> None:
    default_storage.delete(incoming_name(upload.account_id, upload.pk))


def _check(upload: Upload) -> None:
    incoming = incoming_name(upload.account_id, upload.pk)
    if default_storage.size(incoming) != upload.bytes:
        raise Refusal("bytes", f"The file does not have the {upload.bytes:,} bytes that were announced.")
    folder = Path(settings.WORK_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    _require_disk(folder, 2 * upload.bytes)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="upload-") as spooled:
        _fetch(upload, incoming, spooled)
        if not upload.extend(LEASE):
            return
        with probed(Path(spooled.name)) as copy:
            if copy.kind != upload.kind:
                raise Refusal("type", f"The file is {copy.kind}, and was announced as {upload.kind}.")
            _keep(upload, copy, incoming)


def _require_disk(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free - needed < settings.VIDEO_DISK_RESERVE:
        raise OSError(f"{needed} bytes are needed, {free} are free, and VIDEO_DISK_RESERVE of them stay so")


def _fetch(upload: Upload, incoming: str, spooled: Any) -> None:
    digest = hashlib.sha256()
    with default_storage.open(incoming, "rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            spooled.write(chunk)
    spooled.flush()
    if upload.sha256 and digest.hexdigest() != upload.sha256:
        raise Refusal("checksum", "The file does not have the SHA-256 that was announced.")


def _keep(upload: Upload, copy: Any, incoming: str) -> None:
    stored = stored_name(upload.account_id, upload.pk, copy.suffix)
    # Under a name of the row's own before the file is there: what a crash leaves is removed with the row.
    if not upload.extend(LEASE, file=stored):
        return
    facts = facts_of(copy)
    with copy.path.open("rb") as raw:
        default_storage.save(stored, LocalFile(raw, name=str(copy.path)))
    filename = filenames.cleaned(upload.filename, copy.suffix)
    if upload.finish(**facts, status=UploadStatus.READY, filename=filename, expires_at=from_now(UNUSED_LIFETIME)):
        metrics.received.add(upload.kind, count=upload.bytes)
        logger.info("upload_kept", upload_id=str(upload.pk), kind=upload.kind, bytes=upload.bytes, origin=upload.origin)
    else:
        # Deleted meanwhile, or another worker's: its copy has the same name and the same bytes.
        with suppress(OSError):
            _delete_unless_ready(upload, stored)
    default_storage.delete(incoming)


def _delete_unless_ready(upload: Upload, stored: str) -> None:
    if not Upload.objects.filter(pk=upload.pk, deleted_at=None).exists():
        default_storage.delete(stored)

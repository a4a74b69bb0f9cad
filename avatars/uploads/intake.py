"""Takes files in: probed, counted against the account's limits, and kept in our storage.

The row comes before the file, with the file's name: what a crash leaves behind expires like any other upload.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction

from avatars.enums import UploadKind, UploadOrigin, UploadStatus
from avatars.models import Upload
from avatars.uploads import filenames, limits, metrics
from avatars.uploads.probing import Probed, Refusal, probed
from genvid.errors import NotFound, UploadRefused
from genvid.leasing import from_now

logger = structlog.get_logger(__name__)
UNUSED_LIFETIME = timedelta(days=7)
SPEECH_LIFETIME = timedelta(days=1)
STORING_LIFETIME = timedelta(hours=1)
"""Of a row whose file is being stored; a crash leaves it, and the sweep takes it then."""
CHUNK_BYTES = 1024**2


@dataclass(frozen=True)
class Sender:
    """Who brings a file. `user_id` and `key_id` are None for what we make ourselves."""

    account_id: UUID
    user_id: UUID | None = None
    key_id: UUID | None = None
    is_test: bool = False


class LocalFile(File):  # type: ignore[type-arg]
    """A file that storage on the same disk moves instead of copying."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def keep_file(
    account_id: UUID,
    file: BinaryIO,
    *,
    kind: UploadKind,
    filename: str = "",
    is_test: bool = False,
    origin: UploadOrigin = UploadOrigin.SPEECH,
) -> Upload:
    """A ready upload of a file of ours, with its length in seconds. Outside any transaction; no limit is counted.

    `file` is read from its beginning. Raises UploadRefused for a file that is not of this kind, and OSError.
    """
    sender = Sender(account_id, is_test=is_test)
    with tempfile.NamedTemporaryFile(dir=_work_folder(), prefix="upload-") as spooled:
        file.seek(0)
        shutil.copyfileobj(file, spooled, CHUNK_BYTES)
        spooled.flush()
        with taken(Path(spooled.name)) as copy:
            if copy.kind != kind:
                raise UploadRefused(f"The file is {copy.kind}, not {kind}.")
            return keep_copy(sender, copy, filename=filename, origin=origin)


def receive(sender: Sender, path: Path, *, filename: str, upload_id: UUID) -> Upload:
    """A ready upload of the file at `path`. Outside any transaction.

    Repeated with the same file and id after a crash, the same upload. Raises UploadRefused for a file that is not
    taken, and what `limits.require_capacity` raises.
    """
    if not Upload.objects.filter(pk=upload_id, account=sender.account_id).exists():
        limits.require_capacity(sender.account_id, path.stat().st_size)
    with taken(path) as copy:
        return keep_copy(sender, copy, filename=filename, origin=UploadOrigin.CUSTOMER, upload_id=upload_id)


@contextmanager
def taken(path: Path) -> Iterator[Probed]:
    """`probed`, with UploadRefused for a file that is not taken."""
    try:
        with probed(path) as copy:
            yield copy
    except Refusal as refusal:
        metrics.refusals.add(refusal.reason)
        raise UploadRefused(str(refusal)) from refusal


def _work_folder() -> Path:
    folder = Path(settings.WORK_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def keep_copy(
    sender: Sender, copy: Probed, *, filename: str, origin: UploadOrigin, upload_id: UUID | None = None
) -> Upload:
    facts = facts_of(copy) | {"origin": origin, "filename": filenames.cleaned(filename, copy.suffix)}
    name_of = partial(stored_name, suffix=copy.suffix)
    upload = reserve_row(sender, upload_id or uuid4(), lifetime=STORING_LIFETIME, name_of=name_of, facts=facts)
    return upload if upload.status == UploadStatus.READY else store(upload, copy.path, facts)


@transaction.atomic
def reserve_row(
    sender: Sender, upload_id: UUID, *, lifetime: timedelta, name_of: Callable[[UUID, UUID], str], facts: dict[str, Any]
) -> Upload:
    """A waiting upload for a file that is to come, or the row of an earlier try of this request.

    `facts`: columns, `bytes` and `origin` among them. `name_of` gives its name in storage. Raises what
    `limits.require_capacity` raises: files of customers are counted.
    """
    is_counted = facts["origin"] == UploadOrigin.CUSTOMER
    if is_counted:
        limits.lock_account(sender.account_id)
    earlier = _row_to_go_on_with(sender, upload_id, lifetime)
    if earlier is not None:
        return earlier
    if is_counted:
        limits.require_capacity(sender.account_id, facts["bytes"])
    # A deleted upload keeps its row, and its id, for a while.
    upload_id = uuid4() if Upload.objects.filter(pk=upload_id).exists() else upload_id
    return Upload.objects.create(
        id=upload_id,
        account_id=sender.account_id,
        created_by_id=sender.user_id,
        api_key_id=sender.key_id,
        is_test=sender.is_test,
        status=UploadStatus.WAITING,
        file=name_of(sender.account_id, upload_id),
        expires_at=from_now(lifetime),
        **facts,
    )


def _row_to_go_on_with(sender: Sender, upload_id: UUID, lifetime: timedelta) -> Upload | None:
    """The row of an earlier try of this request, which waits for so long again. Under the account's lock."""
    mine = Upload.objects.filter(pk=upload_id, account=sender.account_id, deleted_at=None)
    mine.filter(status=UploadStatus.WAITING, due_at=None).update(expires_at=from_now(lifetime))
    return mine.first()


def stored_name(account_id: UUID, upload_id: UUID, suffix: str) -> str:
    return f"uploads/{account_id}/{upload_id}.{suffix}"


def facts_of(copy: Probed) -> dict[str, Any]:
    with copy.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "kind": copy.kind,
        "content_type": copy.content_type,
        "bytes": copy.path.stat().st_size,
        "sha256": digest,
        "width": copy.width,
        "height": copy.height,
        "duration_seconds": copy.duration_seconds,
        "notes": copy.notes,
    }


def store(upload: Upload, path: Path, facts: dict[str, Any]) -> Upload:
    """Save the file under the name that the row has, and make the upload ready, with the `facts` of this very file.

    An earlier try may have left those of its own copy, written by another release. Raises OSError and a bucket's own
    errors.
    """
    present = Upload.objects.filter(pk=upload.pk, deleted_at=None)
    waiting = present.filter(status=UploadStatus.WAITING)
    try:
        with path.open("rb") as raw:
            default_storage.save(upload.file.name, LocalFile(raw, name=str(path)))
    except BaseException:
        # The row tells the sweep which file to remove; by now, rather than in an hour.
        waiting.update(expires_at=from_now())
        raise
    lifetime = SPEECH_LIFETIME if upload.origin == UploadOrigin.SPEECH else UNUSED_LIFETIME
    is_ours = waiting.update(status=UploadStatus.READY, expires_at=from_now(lifetime), **facts) == 1
    # A repetition of the request may have been faster: its file has the same name, and is a copy of the same bytes.
    if not is_ours and not present.exists():
        # Removed meanwhile: with its account, or since storing took an hour.
        default_storage.delete(str(upload.file.name))
        raise NotFound
    upload.refresh_from_db()
    if not is_ours:
        return upload
    if upload.origin == UploadOrigin.CUSTOMER:
        metrics.received.add(upload.kind, count=upload.bytes)
    logger.info("upload_kept", upload_id=str(upload.pk), kind=upload.kind, bytes=upload.bytes, origin=upload.origin)
    return upload

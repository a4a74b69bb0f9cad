"""Exports of a person's data: request, creation by a worker, mailed link, deletion after a week."""

import tempfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core import signing
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from accounts import audit_log, jobs
from accounts.caller import Caller
from accounts.enums import AuditAct, ExportStatus, MailKind
from accounts.models import Export, User
from accounts.privacy import export_archive
from genvid.errors import NotFound, RateLimited
from genvid.jobs import enqueue, enqueue_on_commit
from genvid.leasing import Backoff, from_now
from genvid.mail import outbox

logger = structlog.get_logger(__name__)
LIFETIME = timedelta(days=7)
MAX_PER_DAY = 3
LEASE = timedelta(minutes=15)
BACKOFF = Backoff(30, most=7680)
MAX_TRIES = 12
SALT = "accounts.export"


@transaction.atomic
def request_export(caller: Caller) -> Export:
    """Return the open export or a new one. Raises RateLimited beyond `MAX_PER_DAY`."""
    # Under the person's lock: two requests at once must not both begin one.
    User.objects.select_for_update(no_key=True).get(pk=caller.user_id)
    mine, now = Export.objects.filter(user=caller.user_id), timezone.now()
    running: Export | None = mine.filter(status=ExportStatus.PENDING).first()
    if running is not None:
        return running
    lately = mine.filter(created_at__gt=now - timedelta(days=1)).order_by("-created_at")[:MAX_PER_DAY]
    moments = list(lately.values_list("created_at", flat=True))
    if len(moments) == MAX_PER_DAY:
        wait = moments[-1] + timedelta(days=1) - now
        message = f"Your data can be exported {MAX_PER_DAY} times a day."
        raise RateLimited(message, retry_after=max(1, int(wait.total_seconds())))
    export = Export.objects.create(user_id=caller.user_id, due_at=from_now())
    audit_log.record_by(caller, AuditAct.EXPORT_REQUESTED, export=export.pk)
    enqueue_on_commit(jobs.WORK_ON_EXPORT, str(export.pk))
    return export


def latest_export(user_id: UUID) -> Export:
    export: Export | None = Export.objects.filter(user=user_id).first()
    if export is None:
        raise NotFound("No export of your data is kept.")
    return export


def download_link(export: Export) -> str | None:
    if export.status != ExportStatus.READY:
        return None
    # Signed without a timestamp: the link never changes, and the row has its expiry.
    token = signing.Signer(salt=SALT).sign_object(str(export.pk))
    return f"{settings.PUBLIC_URL}/api/v1/exports/{token}"


def export_of_token(token: str) -> Export:
    """Raises NotFound if the token is forged or the file is deleted."""
    try:
        pk = signing.Signer(salt=SALT).unsign_object(token)
    except signing.BadSignature:
        raise NotFound from None
    kept = Export.objects.filter(pk=pk, status=ExportStatus.READY, expires_at__gt=timezone.now())
    export: Export | None = kept.first()
    if export is None:
        raise NotFound
    return export


def run_export_step(export_id: str) -> None:
    """Do the next step of one export, if it is due. Safe to repeat, to run in parallel and to interrupt."""
    export: Export | None = Export.objects.filter(pk=export_id).select_related("user").claim(LEASE)
    if export is None:
        return
    try:
        STEPS[ExportStatus(export.status)](export)
    except Exception as error:  # noqa: BLE001 - a disk, a bucket: the sweep tries again
        logger.warning("export_postponed", export_id=export_id, tries=export.tries, error=repr(error))
        _retry_later(export, error)


def _retry_later(export: Export, error: Exception) -> None:
    if export.status == ExportStatus.PENDING and export.tries >= MAX_TRIES:
        logger.error("export_failed", export_id=str(export.pk), error=repr(error))
        export.give_up(repr(error), status=ExportStatus.FAILED, due_at=from_now(LIFETIME))
    else:
        export.retry_later(BACKOFF.delay(export.tries + 1), repr(error))


def _build(export: Export) -> None:
    settings.WORK_DIR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=settings.WORK_DIR) as raw:
        export_archive.write_archive(raw, export_archive.parts_of(export.user), after_each=lambda: _keep_lease(export))
        size = raw.tell()
        raw.seek(0)
        # A fixed name: the next attempt replaces the file of one that died here.
        name = default_storage.save(f"exports/{export.pk}.zip", File(raw, name="export.zip"))
    now = timezone.now()
    facts: dict[str, Any] = {"file": name, "bytes": size, "ready_at": now, "expires_at": now + LIFETIME}
    if export.advance(from_now(), status=ExportStatus.READY, **facts):
        logger.info("export_ready", export_id=str(export.pk), bytes=size)
        enqueue(jobs.WORK_ON_EXPORT, str(export.pk))
    elif not Export.objects.filter(pk=export.pk).exists():
        # The person was erased meanwhile.
        default_storage.delete(name)


def _keep_lease(export: Export) -> None:
    if not export.extend(LEASE):
        raise TimeoutError("another worker has taken the export over")


def _mail_or_delete(export: Export) -> None:
    if export.expires_at is None or (export.seconds_until("expires_at") or 0.0) <= 0:
        delete_export(export)
        return
    needs_mail, told_at = export.told_at is None and may_mail_link(export.user), export.told_at or timezone.now()
    with transaction.atomic():
        if export.advance(export.expires_at, told_at=told_at) and needs_mail:
            outbox.write(MailKind.EXPORT_READY, person=export.user_id, export=str(export.pk))


def may_mail_link(user: User) -> bool:
    """Unverified addresses may belong to others: they get no link. Its person finds the link after signing in."""
    return user.email_verified or not settings.REQUIRE_VERIFIED_EMAIL


def delete_export(export: Export) -> None:
    """Delete the file first: an interruption leaves a row that is found again, never a file without a row."""
    default_storage.delete(f"exports/{export.pk}.zip")
    export.delete()


STEPS: dict[ExportStatus, Callable[[Export], None]] = {
    ExportStatus.PENDING: _build,
    ExportStatus.READY: _mail_or_delete,
    ExportStatus.FAILED: delete_export,
}

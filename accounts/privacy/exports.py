"""A person's copy of their data: asked for, made by a worker, mailed as a link, removed after a week."""

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
"""How long the file is kept, and its link is good."""
MAX_PER_DAY = 3
LEASE = timedelta(minutes=15)
BACKOFF = Backoff(30, most=7680)
MAX_TRIES = 12
"""Spread over about a day."""
SALT = "accounts.export"


@transaction.atomic
def request_export(caller: Caller) -> Export:
    """The export under way, or a new one. Raises RateLimited beyond `MOST_A_DAY`."""
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
    """Raises NotFound where there is none, or none any more."""
    export: Export | None = Export.objects.filter(user=user_id).first()
    if export is None:
        raise NotFound("No export of your data is kept.")
    return export


def link_to(export: Export) -> str | None:
    """Where whoever has this link can fetch the file, as long as it is kept."""
    if export.status != ExportStatus.READY:
        return None
    # Without a moment in it: it is always the same link, and the row says how long it is good.
    token = signing.Signer(salt=SALT).sign_object(str(export.pk))
    return f"{settings.PUBLIC_URL}/api/v1/exports/{token}"


def behind(token: str) -> Export:
    """Raises NotFound for a token that is forged, or whose file is gone."""
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
    """Do the next step of one export, if it is due. Safe to run twice, in parallel, and to die in."""
    export: Export | None = Export.objects.filter(pk=export_id).select_related("user").claim(LEASE)
    if export is None:
        return
    try:
        STEPS[ExportStatus(export.status)](export)
    except Exception as error:  # noqa: BLE001 - a disk, a bucket: the sweep tries again
        logger.warning("export_postponed", export_id=export_id, tries=export.tries, error=repr(error))
        _try_later(export, error)


def _try_later(export: Export, error: Exception) -> None:
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
        # Always the same name: a try that died after this line leaves nothing that the next one does not replace.
        name = default_storage.save(f"exports/{export.pk}.zip", File(raw, name="export.zip"))
    now = timezone.now()
    facts: dict[str, Any] = {"file": name, "bytes": size, "ready_at": now, "expires_at": now + LIFETIME}
    if export.advance(from_now(), status=ExportStatus.READY, **facts):
        logger.info("export_ready", export_id=str(export.pk), bytes=size)
        enqueue(jobs.WORK_ON_EXPORT, str(export.pk))
    elif not Export.objects.filter(pk=export.pk).exists():
        # Its person was erased meanwhile.
        default_storage.delete(name)


def _keep_lease(export: Export) -> None:
    if not export.extend(LEASE):
        raise TimeoutError("another worker has taken the export over")


def _tell_or_forget(export: Export) -> None:
    if export.expires_at is None or (export.seconds_until("expires_at") or 0.0) <= 0:
        delete_export(export)
        return
    tells, told_at = export.told_at is None and is_theirs(export.user), export.told_at or timezone.now()
    with transaction.atomic():
        if export.advance(export.expires_at, told_at=told_at) and tells:
            outbox.write(MailKind.EXPORT_READY, person=export.user_id, export=str(export.pk))


def is_theirs(user: User) -> bool:
    """To an address that may be a stranger's nobody's data is sent; signed in, its person finds the link anyway."""
    return user.email_verified or not settings.REQUIRE_VERIFIED_EMAIL


def delete_export(export: Export) -> None:
    """The file goes first: dying between the two leaves a row that is found again, never a file that nobody names."""
    default_storage.delete(f"exports/{export.pk}.zip")
    export.delete()


STEPS: dict[ExportStatus, Callable[[Export], None]] = {
    ExportStatus.PENDING: _build,
    ExportStatus.READY: _tell_or_forget,
    ExportStatus.FAILED: delete_export,
}

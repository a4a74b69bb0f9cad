"""Deletes the own avatars and voices of an erased account, here and at HeyGen."""

from uuid import UUID

from accounts.privacy.anonymisation import redact_admin_log
from avatars import jobs
from avatars.models import Avatar, Creation, CreationEvent, Voice
from avatars.own import changes
from genvid.batched_rows import update_in_batches
from genvid.leasing import sweep

BATCH_SIZE = 200
ERASED = "Erased"


def erase_creations_of(account_id: UUID) -> str:
    """Runs one round. Returns what is left as text, "" once nothing of the client's is stored anywhere."""
    mine = Creation.objects.filter(account=account_id)
    for creation in mine.filter(deleted_at=None).select_related("avatar", "voice").order_by("created_at")[:BATCH_SIZE]:
        changes.withdraw(creation, reason="account_erased")
    left = mine.filter(removed_at=None)
    if count := left.order_by().count():
        sweep(left.due(), jobs.WORK_ON_CREATION, most=BATCH_SIZE)
        return f"{count} own avatars and voices are not deleted everywhere"
    _clear_texts(account_id)
    return ""


def _clear_texts(account_id: UUID) -> None:
    """The rows stay, since the ledger refers to them, and so does what may still turn up at HeyGen."""
    mine = Creation.objects.filter(account=account_id)
    blank = {"subject_name": "", "consent_address": None, "consent_user_agent": "", "consent_url": ""}
    texts = {"error_message": "", "provider_error": "", "waiting_reason": "", "language": ""}
    emptied = blank | texts
    with_texts = mine.exclude(**{name: value for name, value in emptied.items() if value is not None})
    update_in_batches(with_texts, **emptied)
    update_in_batches(mine.exclude(consent_address=None), **emptied)
    update_in_batches(CreationEvent.objects.filter(creation__account=account_id).exclude(detail=""), detail="")
    links = {Avatar: {"preview_image_url": "", "preview_video_url": ""}, Voice: {"preview_audio_url": ""}}
    for model, empty in links.items():
        owned = model.objects.filter(account=account_id, is_own=True).exclude(name=ERASED)
        update_in_batches(owned, name=ERASED, gender="", **empty)
    ids = list(mine.values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH_SIZE):
        redact_admin_log(Creation, ids[start : start + BATCH_SIZE])

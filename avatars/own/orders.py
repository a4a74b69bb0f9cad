"""Ordering an own avatar or voice: checks, consent, limit of the plan, and the hold, in one transaction."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings

from accounts import audit_log
from accounts.caller import Caller
from accounts.enums import AuditAct
from accounts.models import Account
from avatars import jobs
from avatars.enums import CreationKind, EntryStatus, UploadKind
from avatars.models import Avatar, Creation, CreationEvent, Upload, Voice
from avatars.own import consent_texts
from avatars.uploads.selection import usable_upload
from billing import credits
from genvid import database_clock, request_context
from genvid.api.serializers import refuse_field
from genvid.errors import ConsentRequired, ProviderUnavailable, SlotsFull
from genvid.jobs import enqueue_on_commit
from genvid.leasing import from_now
from genvid.transactions import joined

AVATARS = (CreationKind.PHOTO_AVATAR, CreationKind.DIGITAL_TWIN)
VOICES = (CreationKind.VOICE_CLONE,)
FILES = {
    CreationKind.PHOTO_AVATAR: UploadKind.IMAGE,
    CreationKind.DIGITAL_TWIN: UploadKind.VIDEO,
    CreationKind.VOICE_CLONE: UploadKind.AUDIO,
}
FOOTAGE_SECONDS = (15, 600)
"""Shortest and longest film for a digital twin (HeyGen, "Create a digital twin")."""


@dataclass(frozen=True)
class Consent:
    is_me: bool
    subject_name: str


@dataclass(frozen=True)
class CreationRequest:
    kind: CreationKind
    name: str
    upload_id: UUID
    consent: Consent
    language: str = ""


def consent_of(given: dict[str, Any] | None) -> Consent:
    """Raises ConsentRequired where anything of the statement is missing."""
    missing = {}
    if given is None:
        missing["consent"] = "Say whose face or voice it is, and confirm that the person agrees."
    elif given.get("is_me") is None:
        missing["consent.is_me"] = "Say whether it is your own face or voice."
    elif given.get("confirmed") is not True:
        missing["consent.confirmed"] = "Must be true."
    elif not given["is_me"] and not given.get("subject_name", "").strip():
        missing["consent.subject_name"] = "Name the person."
    if missing or given is None:
        raise ConsentRequired(details=missing)
    return Consent(given["is_me"], given.get("subject_name", "").strip())


@joined()
def order(caller: Caller, request: CreationRequest) -> Creation:
    """Raises ValidationFailed, SlotsFull, InsufficientCredits, ProviderUnavailable; then nothing was made."""
    if caller.is_test and not settings.TEST_RENDERER_URL:
        raise ProviderUnavailable("There is no test renderer at present.")
    upload = _file_for(caller, request)
    _require_free_slot(caller, request.kind)
    creation = _insert(caller, request, upload)
    _hold(creation, caller.key_id)
    _record_consent(caller, creation)
    if creation.status == EntryStatus.QUEUED:
        enqueue_on_commit(jobs.WORK_ON_CREATION, str(creation.pk))
    return creation


def _file_for(caller: Caller, request: CreationRequest) -> Upload:
    """Locked, so that nobody removes it before something refers to it."""
    kind = FILES[request.kind]
    upload = usable_upload(caller.account_id, request.upload_id, [kind], is_test=caller.is_test, lock=True)
    if upload is None:
        raise refuse_field("upload_id", f"There is no such upload of kind {kind.value} that is ready.")
    if request.kind == CreationKind.DIGITAL_TWIN:
        _require_length(upload)
    return upload


def _require_length(footage: Upload) -> None:
    """HeyGen fails a twin of other footage after minutes."""
    shortest, longest = FOOTAGE_SECONDS
    seconds = footage.duration_seconds
    if seconds is not None and not shortest <= seconds <= longest:
        said = f"Has {seconds.normalize():f} seconds: a film for a digital twin has {shortest} to {longest}."
        raise refuse_field("upload_id", said)


def _require_free_slot(caller: Caller, kind: CreationKind) -> None:
    """Under the account's lock: of two orders for the last slot one waits, and is refused."""
    Account.objects.select_for_update(no_key=True).get(pk=caller.account_id)
    kinds = VOICES if kind in VOICES else AVATARS
    limits = credits.limits_of(caller.account_id)
    most = limits.own_voices if kind in VOICES else limits.own_avatars
    mine = Creation.objects.occupying(kinds).filter(account=caller.account_id, is_test=caller.is_test)
    if mine.order_by().count() >= most:
        raise SlotsFull(f"Your plan allows {most} at once: delete one first, or change the plan.")


def _insert(caller: Caller, request: CreationRequest, upload: Upload) -> Creation:
    now = database_clock.now()
    status = _first_status(caller, request)
    review, queue = settings.OWN_AVATAR_REVIEW_DEADLINE, settings.OWN_AVATAR_QUEUE_DEADLINE
    in_review = status == EntryStatus.REVIEW
    creation = Creation(
        id=uuid4(),
        account_id=caller.account_id,
        created_by_id=caller.user_id,
        api_key_id=caller.key_id,
        request_id=request_context.current().request_id,
        is_test=caller.is_test,
        kind=request.kind,
        upload=upload,
        language=request.language,
        status=status,
        due_at=None if in_review else from_now(),
        deadline_at=now + timedelta(seconds=review if in_review else queue),
        created_at=now,
        moved_at=now,
        **_statement(request.consent, now),
        **_price(caller, request.kind),
    )
    entry = _entry_for(creation, request)
    entry.save(force_insert=True)
    setattr(creation, "voice" if request.kind in VOICES else "avatar", entry)
    creation.save(force_insert=True)
    CreationEvent.objects.create(creation=creation, to_status=status, reason="created", created_at=now)
    creation.refresh_from_db(fields=["due_at"])
    return creation


def _first_status(caller: Caller, request: CreationRequest) -> EntryStatus:
    policy = settings.OWN_AVATAR_REVIEW
    wanted = policy == "all" or (policy == "others" and not request.consent.is_me)
    return EntryStatus.REVIEW if wanted and not caller.is_test else EntryStatus.QUEUED


def _statement(consent: Consent, now: Any) -> dict[str, Any]:
    request = request_context.current()
    return {
        "is_me": consent.is_me,
        "subject_name": consent.subject_name,
        "consent_at": now,
        "consent_address": request.address if _is_address(request.address) else None,
        "consent_user_agent": request.user_agent,
        "consent_version": consent_texts.CURRENT,
        "consent_language": consent_texts.LANGUAGE,
    }


def _is_address(text: str) -> bool:
    return "." in text or ":" in text


def _price(caller: Caller, kind: CreationKind) -> dict[str, Any]:
    """The fee of this moment: a later change does not touch what is ordered."""
    if caller.is_test:
        return {"credits_held": 0, "provider_microdollars": 0}
    fee = credits.fee(kind.value)
    return {"credits_held": fee.credits, "provider_microdollars": fee.provider_microdollars}


def _entry_for(creation: Creation, request: CreationRequest) -> Avatar | Voice:
    common = {
        "provider_id": None,
        "status": creation.status,
        "name": request.name,
        "account_id": creation.account_id,
        "is_own": True,
        "is_private": True,
        "is_released": True,
        "is_test": creation.is_test,
        "created_at": creation.created_at,
        "updated_at": creation.created_at,
    }
    if request.kind in VOICES:
        return Voice(**common, language=request.language)
    return Avatar(**common, kind=request.kind.value)


def _hold(creation: Creation, key_id: UUID | None) -> None:
    if not creation.is_test:
        # Of a fee of 0 as well: the hold records what it cost us.
        credits.hold(creation.account_id, creation.credits_held, reference=creation.money_reference, key_id=key_id)


def _record_consent(caller: Caller, creation: Creation) -> None:
    audit_log.record_by(
        caller,
        AuditAct.CONSENT_GIVEN,
        kind=creation.kind,
        entry=creation.entry_id,
        is_me=creation.is_me,
        subject_name=creation.subject_name,
        version=creation.consent_version,
        language=creation.consent_language,
    )

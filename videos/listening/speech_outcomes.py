"""The two ends of a speech, each with its money in one transaction: ready and captured, or failed and released."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.db import transaction

from avatars.enums import UploadKind, UploadOrigin
from avatars.models import Upload
from billing import credits
from genvid import database_clock
from genvid.heygen.speech_wire import Spoken
from genvid.leasing import from_now
from videos import metrics, operator_alarms
from videos.enums import SpeechStatus
from videos.listening import allowances, audio_files
from videos.listening.audio_files import StoredAudio
from videos.models import Speech
from videos.models.speech import KEPT, OUR_FAULT

logger = structlog.get_logger(__name__)
MANY = 5
MANY_WITHIN = timedelta(hours=1)


def complete_speech(speech: Speech, stored: StoredAudio, spoken: Spoken) -> bool:
    """False when another worker was first, or the speech was given up meanwhile."""
    with transaction.atomic():
        allowances.lock_account(speech.account_id)
        terms = _terms(speech, stored.duration_seconds)
        if not _end(speech, SpeechStatus.READY, audio_id=speech.pk, **terms, **_heard(stored, spoken)):
            _delete_unless_ready(speech)
            return False
        _insert_audio(speech, stored)
        if not speech.is_test:
            _capture(speech)
    metrics.speeches.add("ready", "")
    metrics.speech_seconds.add(_mode(speech), count=float(stored.duration_seconds))
    metrics.speech_wait.note((database_clock.now() - speech.created_at).total_seconds())
    logger.info("speech_ready", speech_id=str(speech.pk), seconds=str(stored.duration_seconds))
    return True


def fail_speech(speech: Speech, *, code: str, message: str, why: str) -> bool:
    """`code` and `message` are for the client, `why` is for staff. False when another worker was first."""
    with transaction.atomic():
        told = {"error_code": code, "error_message": message, "free_seconds": Decimal(), "waiting_reason": why[:300]}
        if not _end(speech, SpeechStatus.FAILED, **told):
            return False
        if not speech.is_test:
            credits.release(speech.money_reference)
    metrics.speeches.add("failed", code)
    logger.warning("speech_failed", speech_id=str(speech.pk), code=code, why=why)
    # A worker that had lost its lease may have left a file of this name.
    audio_files.delete_audio(speech)
    _alarm_of_many(speech)
    return True


def _delete_unless_ready(speech: Speech) -> None:
    """Keep the file if another worker has completed the speech: it has the same name."""
    if not Speech.objects.filter(pk=speech.pk, status=SpeechStatus.READY).exists():
        audio_files.delete_audio(speech)


def _end(speech: Speech, status: SpeechStatus, **changes: Any) -> bool:
    """By compare-and-set: only the worker that still holds the lease goes on. It is looked at again once it expires."""
    ended = {"status": status, "credits_held": 0, "deadline_at": None, **changes}
    return speech.advance(speech.expires_at or from_now(KEPT), **ended)


def _terms(speech: Speech, seconds: Decimal) -> dict[str, Any]:
    if speech.is_test:
        return {}
    terms = allowances.terms_of(speech.account_id, seconds, at=speech.created_at, reserved=speech.free_seconds)
    return {"free_seconds": terms.free_seconds, "credits_charged": min(terms.credits, speech.credits_held)}


def _heard(stored: StoredAudio, spoken: Spoken) -> dict[str, Any]:
    words = [{"word": each.word, "start": each.start, "end": each.end} for each in spoken.words]
    return {"duration_seconds": stored.duration_seconds, "words": words, "ready_at": database_clock.now()}


def _insert_audio(speech: Speech, stored: StoredAudio) -> None:
    Upload.objects.create(
        pk=speech.pk,
        account_id=speech.account_id,
        created_by_id=speech.created_by_id,
        api_key_id=speech.api_key_id,
        is_test=speech.is_test,
        origin=UploadOrigin.SPEECH,
        kind=UploadKind.AUDIO,
        filename=stored.filename,
        content_type=stored.content_type,
        bytes=stored.bytes,
        sha256=stored.sha256,
        duration_seconds=stored.duration_seconds,
        file=stored.name,
    )


def _capture(speech: Speech) -> None:
    seconds = speech.duration_seconds or Decimal()
    credits.capture(
        speech.money_reference,
        speech.credits_charged,
        description=f"Speech of {seconds:.1f} seconds",
        provider_microdollars=allowances.provider_microdollars(seconds),
    )


def _mode(speech: Speech) -> str:
    return "test" if speech.is_test else "live"


def _alarm_of_many(speech: Speech) -> None:
    if speech.is_test or speech.error_code not in OUR_FAULT:
        return
    # They were asked for a deadline earlier at most; `due_at` has an index, and is when they expire.
    lately = Speech.objects.filter(status=SpeechStatus.FAILED, is_test=False, error_code__in=OUR_FAULT)
    count = lately.filter(due_at__gt=from_now(KEPT - MANY_WITHIN)).count()
    if count >= MANY:
        text = (
            f"{count} texts that clients wanted to hear within the last hour could not be spoken, through no fault of "
            f"theirs; their credits were given back. The last: {speech.waiting_reason}"
        )
        operator_alarms.raise_alarm("speeches_fail", "", text)

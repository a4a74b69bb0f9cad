"""The two ends of a speech, each with its money in one transaction: ready and captured, or failed and released."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.db import transaction

from avatars.models import Upload
from billing import credits
from genvid import database_clock
from genvid.heygen.speech_wire import Spoken
from genvid.leasing import from_now
from videos import metrics, operator_alarms
from videos.enums import SpeechStatus
from videos.listening import allowances, audio
from videos.models import Speech
from videos.models.speech import KEPT, OUR_FAULT

logger = structlog.get_logger(__name__)
MANY = 5
MANY_WITHIN = timedelta(hours=1)


def complete_speech(speech: Speech, upload: Upload, spoken: Spoken) -> bool:
    """False when another worker was first, or the speech was given up meanwhile: then the upload is dropped."""
    seconds = upload.duration_seconds or Decimal(str(spoken.duration)).quantize(Decimal("0.001"))
    if not _complete(speech, upload, seconds, spoken):
        audio.drop_audio(upload.pk)
        return False
    metrics.speeches.add("ready", "")
    metrics.speech_seconds.add(_mode(speech), count=float(seconds))
    metrics.speech_wait.note((database_clock.now() - speech.created_at).total_seconds())
    logger.info("speech_ready", speech_id=str(speech.pk), seconds=str(seconds))
    return True


def _complete(speech: Speech, upload: Upload, seconds: Decimal, spoken: Spoken) -> bool:
    with transaction.atomic():
        allowances.lock_account(speech.account_id)
        heard = {"audio_id": upload.pk, "duration_seconds": seconds, "words": _words(spoken)}
        terms = _terms(speech, seconds)
        if not _end(speech, SpeechStatus.READY, ready_at=database_clock.now(), **heard, **terms):
            return False
        if not speech.is_test:
            _capture(speech)
    return True


def fail_speech(speech: Speech, *, code: str, message: str, why: str) -> bool:
    """`code` and `message` are for the client, `why` is for staff. False when another worker was first."""
    with transaction.atomic():
        told = {"error_code": code, "error_message": message, "free_seconds": Decimal(), "waiting_reason": why[:300]}
        if not _end(speech, SpeechStatus.FAILED, **told):
            return False
        if not speech.is_test:
            _give_back(speech)
    metrics.speeches.add("failed", code)
    logger.warning("speech_failed", speech_id=str(speech.pk), code=code, why=why)
    _alarm_of_many(speech)
    return True


def _end(speech: Speech, status: SpeechStatus, **changes: Any) -> bool:
    """By compare-and-set: only the worker that still holds the lease goes on. It is looked at again once it expires."""
    ended = {"status": status, "credits_held": 0, "deadline_at": None, **changes}
    return speech.advance(speech.expires_at or from_now(KEPT), **ended)


def _terms(speech: Speech, seconds: Decimal) -> dict[str, Any]:
    if speech.is_test:
        return {}
    terms = allowances.terms_of(speech.account_id, seconds, at=speech.created_at, reserved=speech.free_seconds)
    return {"free_seconds": terms.free_seconds, "credits_charged": min(terms.credits, speech.credits_held)}


def _words(spoken: Spoken) -> list[dict[str, Any]]:
    return [{"word": each.word, "start": each.start, "end": each.end} for each in spoken.words]


def _capture(speech: Speech) -> None:
    seconds = speech.duration_seconds or Decimal()
    credits.capture(
        speech.money_reference,
        speech.credits_charged,
        description=f"Speech of {seconds:.1f} seconds",
        provider_microdollars=allowances.provider_microdollars(seconds + _seconds_of_lost_orders(speech)),
    )


def _seconds_of_lost_orders(speech: Speech) -> Decimal:
    lost = [seconds for number, seconds in speech.order_seconds.items() if number != str(speech.order_number)]
    return sum((Decimal(str(seconds)) for seconds in lost), Decimal())


def _give_back(speech: Speech) -> None:
    """All credits. What HeyGen spoke in vain it bills us: a charge of nothing records that."""
    spoken = sum((Decimal(str(seconds)) for seconds in speech.order_seconds.values()), Decimal())
    if spoken:
        cost = allowances.provider_microdollars(spoken)
        credits.capture(speech.money_reference, 0, provider_microdollars=cost)
    else:
        credits.release(speech.money_reference)


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

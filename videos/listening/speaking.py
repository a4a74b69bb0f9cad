"""Having a text spoken by HeyGen exactly once, whatever answers or none come back.

HeyGen speaks within the call and lists no speech. So an unanswered call is only repeated, with its Idempotency-Key:
HeyGen then answers what it made. The gate is obeyed but never tripped: a refusal of speech says nothing about renders.
"""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models.functions import Now

from genvid import request_context
from genvid.errors import UploadRefused
from genvid.heygen import gate
from genvid.heygen.failures import failure_of_error
from genvid.heygen.heygen_client import HeyGenClient
from genvid.heygen.heygen_errors import HeyGenError, LinkExpired, OperatorProblem, Refused
from genvid.heygen.speech_wire import SpeechSpec, Spoken
from genvid.leasing import Backoff, LeasedQuerySet, sweep
from videos import jobs, operator_alarms
from videos.enums import SpeechStatus
from videos.listening import speech_outcomes
from videos.listening.audio import keep_audio
from videos.listening.spoken_text import text_for
from videos.models import Speech
from videos.provider.heygen_clients import client_for
from videos.speech.languages import language_name, locale_of

logger = structlog.get_logger(__name__)
BATCH_SIZE = 200
MAX_PAUSE = 60.0
MAX_RETRY_AFTER = 300.0
GATE_PAUSE = 5.0
PROBE_SECONDS = 60.0
"""For reading and storing what was downloaded."""
SAME_AUDIO_TRIES = 3
SAME_LINK_TRIES = 2
"""A link may fail just after it was made; then HeyGen is asked again with the same key."""
MAX_ORDERS = 3
"""Each has its own key. A new one is paid for again: only for audio whose link is dead and stays dead."""


def creating() -> LeasedQuerySet:
    return Speech.objects.filter(status=SpeechStatus.CREATING)


def enqueue_due() -> None:
    sweep(creating().due(), jobs.SPEAK, most=BATCH_SIZE)


def speak(speech_id: str) -> None:
    on_time = creating().filter(pk=speech_id, deadline_at__gt=Now())
    speech = on_time.select_related("voice").due().first()
    if speech is not None and speech.claim(settings.VIDEO_SUBMIT_LEASE):
        _speak(speech)


@request_context.under_request_of_row
def _speak(speech: Speech) -> None:
    if not speech.voice.is_released_to(speech.account_id):
        speech_outcomes.fail_speech(speech, code="voice_unavailable", message=WITHDRAWN, why="The voice was withdrawn.")
        return
    if not speech.is_test and not gate.is_open():
        # Not a try: those are counted where the audio is asked for again.
        speech.retry_later(GATE_PAUSE, "HeyGen takes no orders at the moment.", tries=speech.tries)
        return
    client = client_for(speech)
    try:
        spoken = client.speak(spec_of(speech), idempotency_key=speech.idempotency_key)
    except Refused as error:
        _refuse(speech, error)
    except HeyGenError as error:
        _retry_later(speech, error)
    else:
        _store(speech, client, spoken)


def spec_of(speech: Speech) -> SpeechSpec:
    said = text_for(speech.script)
    return SpeechSpec(
        text=said.text,
        voice_id=speech.voice.provider_id or "",
        has_markup=said.has_markup,
        speed=speech.speed if speech.speed != 1.0 else None,
        language=(language_name(speech.language) or "").title() or None,
        locale=locale_of(speech.language) if speech.voice.supports_locale else None,
    )


def _store(speech: Speech, client: HeyGenClient, spoken: Spoken) -> None:
    # Each order that was answered is billed to us, however often its answer is asked for.
    order_seconds = speech.order_seconds | {str(speech.order_number): round(spoken.duration, 3)}
    if not speech.extend(settings.VIDEO_STORE_LEASE + PROBE_SECONDS, order_seconds=order_seconds):
        logger.info("speech_lease_lost", speech_id=str(speech.pk))
        return
    try:
        upload = keep_audio(speech, client.download_media, spoken)
    except LinkExpired as error:
        _ask_anew(speech, error)
    except UploadRefused as error:
        # A gateway's page in the place of the audio comes once; audio that we cannot read comes again and again.
        _retry_or_fail(speech, error)
    except Exception as error:  # noqa: BLE001 - a full disk, a bucket's own error: HeyGen still has the audio
        _retry_later(speech, error)
    else:
        speech_outcomes.complete_speech(speech, upload, spoken)


def _retry_or_fail(speech: Speech, error: UploadRefused) -> None:
    if speech.tries < SAME_AUDIO_TRIES:
        _retry_later(speech, error)
    else:
        speech_outcomes.fail_speech(speech, code="provider_problem", message=UNREADABLE, why=str(error))


def _refuse(speech: Speech, error: Refused) -> None:
    failure = failure_of_error(error)
    speech_outcomes.fail_speech(speech, code=failure.code, message=failure.message, why=str(error))


def _ask_anew(speech: Speech, error: LinkExpired) -> None:
    number = speech.order_number
    if speech.tries < SAME_LINK_TRIES:
        _retry_later(speech, error)
    elif number < MAX_ORDERS:
        logger.warning("speech_ordered_again", speech_id=str(speech.pk), number=number + 1)
        speech.retry_later(_pause(1), f"HeyGen: {error}", idempotency_key=speech.order_key(number + 1), tries=0)
    else:
        speech_outcomes.fail_speech(speech, code="provider_unavailable", message=LOST, why=str(error))


WITHDRAWN = "This voice may no longer be used. Nothing was charged."
UNREADABLE = "The spoken text could not be read. Nothing was charged."
LOST = "The spoken text was lost at the voice service. Nothing was charged."
LATE = "The voice service could not be reached for too long. Nothing was charged."


def _retry_later(speech: Speech, error: Exception) -> None:
    log = logger.warning if isinstance(error, HeyGenError) else logger.exception
    log("speech_not_made", speech_id=str(speech.pk), error=repr(error), tries=speech.tries)
    if isinstance(error, OperatorProblem) and not speech.is_test:
        _alarm_of_refusal(error)
    wait = min(getattr(error, "retry_after", None) or 0.0, MAX_RETRY_AFTER)
    who = "HeyGen" if isinstance(error, HeyGenError) else type(error).__name__
    speech.retry_later(_pause(speech.tries + 1, at_least=wait), f"{who}: {error}")


def _pause(attempt: int, *, at_least: float = 0.0) -> timedelta:
    return Backoff(settings.VIDEO_RETRY_SECONDS, most=MAX_PAUSE).delay(attempt, at_least=at_least)


def _alarm_of_refusal(error: OperatorProblem) -> None:
    text = (
        f"HeyGen refuses to speak texts with {error.code}: {error.message} Clients who want to hear a script wait, and "
        f"are told after {settings.SPEECH_DEADLINE:.0f} seconds that it failed, their credits given back."
    )
    operator_alarms.raise_alarm("speech_refused", error.code, text)


# ── The last deadline


def give_up_overdue() -> None:
    """Also where no worker serves the queue: the credits must not stay held."""
    overdue = creating().filter(deadline_at__lte=Now()).due()
    for speech in overdue[:BATCH_SIZE]:
        _give_up(speech)


@request_context.under_request_of_row
def _give_up(speech: Speech) -> None:
    why = speech.waiting_reason or "No worker took it."
    _end_unless_called(speech, code="provider_unavailable", message=LATE, why=why)


def end_for_erasure(speech: Speech) -> None:
    _end_unless_called(speech, code="account_erased", message="The account was erased.", why="")


def _end_unless_called(speech: Speech, *, code: str, message: str, why: str) -> None:
    # Not during a call, which may still be answered: its lease has to end first.
    if speech.claim(settings.VIDEO_STORE_LEASE):
        speech_outcomes.fail_speech(speech, code=code, message=message, why=why)

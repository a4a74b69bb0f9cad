"""A client's request to hear a script. Nothing here talks to HeyGen: a worker has it spoken."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from django.conf import settings

from accounts.caller import Caller
from avatars.models import Voice
from billing import credits
from genvid import database_clock, request_context
from genvid.api.renderers import dump
from genvid.api.serializers import StrictCharField, StrictFloatField, StrictUUIDField, refuse_field
from genvid.errors import ProviderUnavailable, RateLimited
from genvid.heygen import gate
from genvid.jobs import enqueue_on_commit
from genvid.leasing import from_now
from genvid.transactions import joined
from videos import jobs
from videos.enums import SpeechStatus
from videos.kinds.subjects import Orderer
from videos.kinds.voices import require_spoken, require_usable
from videos.lifecycle import scripts
from videos.listening import allowances
from videos.listening.spoken_text import text_for
from videos.models import Speech
from videos.models.speech import KEPT
from videos.queue import estimates
from videos.video_request import EXAMPLE_SCRIPT, SCRIPT_HELP, SCRIPT_LIMIT

LEAST_LEFT = timedelta(minutes=5)
"""A speech that expires sooner is made anew: its client needs time to order a video with it."""
MAX_SECONDS = 600
"""HeyGen takes no longer audio for a video."""
TOO_LONG = f"Would speak for longer than {MAX_SECONDS // 60} minutes."
GATE_SECONDS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequest:
    script: Annotated[
        str,
        StrictCharField(max_length=SCRIPT_LIMIT, trim_whitespace=False, help_text=SCRIPT_HELP, example=EXAMPLE_SCRIPT),
    ]
    voice_id: Annotated[UUID, StrictUUIDField("voice")]
    language: Annotated[str | None, StrictCharField(max_length=100, allow_null=True, example="English")] = None
    speed: Annotated[float, StrictFloatField(min_value=0.5, max_value=1.5, example=1.0)] = 1.0

    @property
    def sha256(self) -> str:
        said = [self.script, str(self.voice_id), self.language or "", float(self.speed)]
        return hashlib.sha256(dump(said)).hexdigest()


@joined()
def request_speech(caller: Caller, request: SpeechRequest) -> Speech:
    """A new speech, or the one that the account asked for with the same words within a day.

    Raises ValidationFailed, InsufficientCredits, KeyLimitReached, RateLimited and ProviderUnavailable; then nothing was
    made.
    """
    voice = _usable_voice(caller, request.voice_id)
    _require_speakable(request, voice)
    allowances.lock_account(caller.account_id)
    same = _same_of_today(caller, request)
    if same is not None:
        return same
    _require_renderer(caller)
    _require_turn(caller)
    return _make(caller, request, voice)


def _usable_voice(caller: Caller, voice_id: UUID) -> Voice:
    orderer = Orderer(caller.account_id, caller.is_test)
    return require_usable(orderer.voice(voice_id), orderer)


def _require_speakable(request: SpeechRequest, voice: Voice) -> None:
    scripts.require_understood(request.script, voice)
    if len(text_for(request.script).text) > SCRIPT_LIMIT:
        raise refuse_field("script", f"Is longer than {SCRIPT_LIMIT} characters with its pauses and signs written out.")
    if estimates.spoken_seconds(request.script, speed=request.speed, language=voice.language) > MAX_SECONDS:
        raise refuse_field("script", TOO_LONG)
    require_spoken(request.language or "", voice)


def _same_of_today(caller: Caller, request: SpeechRequest) -> Speech | None:
    mine = Speech.objects.filter(account=caller.account_id, text_sha256=request.sha256, is_test=caller.is_test)
    useful = mine.exclude(status=SpeechStatus.FAILED).filter(expires_at__gt=from_now(LEAST_LEFT))
    found: Speech | None = useful.select_related("audio").order_by("-created_at").first()
    return found


def _require_renderer(caller: Caller) -> None:
    if caller.is_test and not settings.TEST_RENDERER_URL:
        raise ProviderUnavailable("Test keys hear nothing here: the operator runs no test renderer.")
    if not caller.is_test and not gate.is_open():
        raise ProviderUnavailable("No text can be spoken at the moment.", retry_after=GATE_SECONDS)


def _require_turn(caller: Caller) -> None:
    """One account's requests must not keep all others waiting."""
    being_made = Speech.objects.filter(account=caller.account_id, status=SpeechStatus.CREATING)
    recent = being_made.filter(created_at__gt=from_now(-timedelta(seconds=settings.SPEECH_DEADLINE)))
    if recent.count() >= settings.SPEECHES_PER_ACCOUNT:
        raise RateLimited(f"{settings.SPEECHES_PER_ACCOUNT} texts are being spoken for you already.", retry_after=2)


def _make(caller: Caller, request: SpeechRequest, voice: Voice) -> Speech:
    now = database_clock.now()
    speech = Speech(
        account_id=caller.account_id,
        created_by_id=caller.user_id,
        api_key_id=caller.key_id,
        is_test=caller.is_test,
        request_id=request_context.current().request_id,
        script=request.script,
        voice=voice,
        language=request.language or "",
        speed=request.speed,
        text_sha256=request.sha256,
        created_at=now,
        due_at=from_now(),
        deadline_at=now + timedelta(seconds=settings.SPEECH_DEADLINE),
        expires_at=now + KEPT,
    )
    speech.idempotency_key = speech.order_key(1)
    if not speech.is_test:
        _hold(speech)
    speech.save(force_insert=True)
    enqueue_on_commit(jobs.SPEAK, str(speech.pk))
    return speech


def _hold(speech: Speech) -> None:
    """Sets aside what the longest reading would cost. A hold of nothing keeps the account of our own cost."""
    longest = allowances.longest_seconds(speech.script, speed=speech.speed, language=speech.voice.language)
    terms = allowances.terms_of(speech.account_id, longest, at=speech.created_at)
    credits.hold(speech.account_id, terms.credits, reference=speech.money_reference, key_id=speech.api_key_id)
    speech.free_seconds, speech.credits_held = terms.free_seconds, terms.credits

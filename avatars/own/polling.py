"""Reads what HeyGen is making: schedules the next look, asks for consent, and settles what has ended."""

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q

from avatars.enums import CreationKind, EntryStatus
from avatars.models import Creation, Voice
from avatars.own import alarms, consent, failures, settlement
from avatars.own.clients import maker_for
from genvid import database_clock
from genvid.heygen.avatar_making import AvatarMaker, MadeGroup, MadeLook, MadeVoice, MakingState
from genvid.heygen.heygen_errors import HeyGenError, NotFound, Refused
from genvid.heygen.heygen_types import Failure
from genvid.leasing import from_now, jittered

logger = structlog.get_logger(__name__)
FRESH = timedelta(minutes=2)
"""A new object may be missing in HeyGen's answers until then."""
PROBLEM_PAUSE = timedelta(minutes=10)
LINK_LIMIT = 2000
# Seconds between two looks, at least and at most; in between a third of the time that it has taken so far.
INTERVALS = {
    CreationKind.PHOTO_AVATAR: (15.0, 90.0),
    CreationKind.DIGITAL_TWIN: (60.0, 600.0),
    CreationKind.VOICE_CLONE: (15.0, 120.0),
}
CONSENT_INTERVAL = (60.0, 1800.0)


def look(creation: Creation) -> None:
    maker = maker_for(creation)
    try:
        if creation.kind == CreationKind.VOICE_CLONE:
            _settle_voice(creation, maker.get_voice(creation.provider_object_id))
        else:
            _look_at_avatar(creation, maker)
    except NotFound as error:
        _judge_missing(creation, error)
    except Refused as error:
        # A named refusal is definite wherever it stands.
        told = failures.of_error(error)
        settlement.fail(creation, **told, reason="refused_by_provider", provider_error=str(error))
    except HeyGenError as error:
        creation.retry_later(max(_interval(creation), timedelta(seconds=error.retry_after or 0)), str(error))


def _look_at_avatar(creation: Creation, maker: AvatarMaker) -> None:
    made = maker.get_look(creation.provider_object_id)
    if made.failure is not None:
        _fail(creation, made.failure)
        return
    # Before the look's own status: HeyGen keeps the consent at the group, and films no look without it.
    group = _group_of(creation, maker, made)
    if made.state is MakingState.PENDING_CONSENT or (group is not None and group.needs_consent):
        _wait_for_consent(creation, maker, made)
    elif made.is_usable:
        voice_id, is_confirmed = _voice_made_with(creation, made), group is None or group.is_confirmed
        settlement.complete(creation, avatar_fields(made), provider_voice_id=voice_id, is_confirmed=is_confirmed)
    else:
        _wait(creation)


def _voice_made_with(creation: Creation, made: MadeLook) -> str:
    """Of a film HeyGen may make a voice, too, which goes with the avatar; "" where the voice is anybody else's."""
    voice_id = made.look.default_voice_id or ""
    earlier = Q(created_at__lt=creation.created_at) | Q(is_own=True) | Q(account__isnull=False) | Q(is_private=False)
    is_known = Voice.objects.filter(earlier, provider_id=voice_id).exists()
    others = Creation.objects.exclude(pk=creation.pk).filter(
        Q(provider_object_id=voice_id) | Q(provider_voice_id=voice_id)
    )
    return "" if not voice_id or is_known or others.exists() else voice_id


def _group_of(creation: Creation, maker: AvatarMaker, made: MadeLook) -> MadeGroup | None:
    """None where it says nothing that the look has not said. Raises NotFound."""
    is_twin = creation.kind == CreationKind.DIGITAL_TWIN and creation.provider_group_id
    if not is_twin or made.state is MakingState.PENDING_CONSENT:
        return None
    try:
        return maker.get_group(creation.provider_group_id)
    except NotFound:
        # A look that can be filmed is not lost because its group is not found, unless a consent was still to come.
        if made.is_usable and creation.status != EntryStatus.WAITING_FOR_CONSENT:
            return None
        raise


def _wait_for_consent(creation: Creation, maker: AvatarMaker, made: MadeLook) -> None:
    if creation.status == EntryStatus.WAITING_FOR_CONSENT:
        creation.advance(from_now(_interval(creation)))
        return
    try:
        page = consent.new_page(creation, maker)
    except Refused as error:
        # A complete look is not thrown away because the group still says, or will soon say, something else.
        if not made.is_usable:
            raise
        alarms.alarm(alarms.PROVIDER, error.code, f"HeyGen refuses to ask for the consent of a complete twin: {error}")
        creation.retry_later(_interval(creation), str(error))
        return
    deadline = timedelta(seconds=settings.OWN_AVATAR_CONSENT_DEADLINE)
    creation.move(
        EntryStatus.WAITING_FOR_CONSENT,
        reason="needs_consent",
        deadline=deadline,
        due_at=from_now(CONSENT_INTERVAL[0]),
        **page,
    )


def _wait(creation: Creation) -> None:
    if creation.status == EntryStatus.WAITING_FOR_CONSENT:
        settlement.go_on_with_consent(creation, due_at=from_now(INTERVALS[CreationKind(creation.kind)][0]))
    else:
        creation.advance(from_now(_interval(creation)))


def _settle_voice(creation: Creation, made: MadeVoice) -> None:
    if made.failure is not None:
        _fail(creation, made.failure)
    elif made.state is MakingState.COMPLETED:
        settlement.complete(creation, voice_fields(creation, made))
    else:
        _wait(creation)


def _fail(creation: Creation, failure: Failure) -> None:
    said = f"{failure.raw_code}: {failure.raw_message}".strip(": ")
    if failure.operator_problem or failure.is_busy:
        # Ours, not the customer's: it is ordered again, and the failed copy is removed as an orphan.
        if not creation.is_test:
            text = f"HeyGen failed an avatar or voice: {said}. It is ordered again."
            alarms.alarm(alarms.PROVIDER, failure.raw_code.lower(), text)
        settlement.requeue(creation, reason="provider_problem", why=said, pause=PROBLEM_PAUSE)
        return
    settlement.fail(creation, **failures.of_failure(failure), reason="failed_at_provider", provider_error=said)


def _judge_missing(creation: Creation, error: NotFound) -> None:
    """HeyGen does not know an id that it gave us: somebody has deleted it there, unless it is new."""
    ordered_at = creation.ordered_at or creation.moved_at
    if database_clock.now() - ordered_at < FRESH:
        creation.retry_later(_interval(creation), str(error))
        return
    told = failures.of_failure(None)
    settlement.fail(creation, **told, reason="lost_at_provider", provider_error=str(error))


def _interval(creation: Creation) -> timedelta:
    waits = creation.status == EntryStatus.WAITING_FOR_CONSENT
    least, most = CONSENT_INTERVAL if waits else INTERVALS[CreationKind(creation.kind)]
    taken = (database_clock.now() - creation.moved_at).total_seconds()
    return jittered(min(most, max(least, taken / 3)), 0.2)


def avatar_fields(made: MadeLook) -> dict[str, Any]:
    found = made.look
    voice = Voice.objects.filter(provider_id=found.default_voice_id, is_own=False, account=None).first()
    return {
        "provider_id": found.id,
        "gender": found.gender.lower()[:20],
        "default_voice": voice if found.default_voice_id else None,
        "preview_image_url": shown_link(found.preview_image_url),
        "preview_video_url": shown_link(found.preview_video_url),
        "engines": list(found.engines),
        "orientation": found.orientation[:20],
        "tags": list(found.tags),
    }


def voice_fields(creation: Creation, made: MadeVoice) -> dict[str, Any]:
    found = made.voice
    return {
        "provider_id": found.id,
        "gender": found.gender.lower()[:20],
        "language": (found.language or creation.language)[:100],
        "preview_audio_url": shown_link(found.preview_audio_url),
        "supports_pause": found.supports_pause,
        "supports_locale": found.supports_locale,
    }


def shown_link(url: str | None) -> str:
    """A truncated address would be invalid, so a long one is dropped."""
    return url if url and len(url) <= LINK_LIMIT else ""

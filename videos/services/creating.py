"""Quotes, new videos, drafts, cancel, retry: what clients ask for. Nothing here talks to HeyGen."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.caller import Caller
from accounts.enums import EventType
from avatars.models import Avatar, Voice
from billing import credits
from genvid.api.serializers import refuse_field
from genvid.errors import InvalidState
from genvid.jobs import enqueue_on_commit
from videos import estimates, jobs, paces, waiting
from videos.enums import Status
from videos.languages import language_name, voice_speaks
from videos.models import Video, VideoEvent, after
from videos.services import announcing, scripts, settling
from videos.speech.warnings import Warned
from videos.waiting import Standing

TOO_LONG = f"Would speak for longer than {estimates.MAX_SECONDS // 60} minutes."
RETRYABLE = (Status.FAILED, Status.CANCELED)
COPIED = (
    "title",
    "script",
    "format",
    "resolution",
    "language",
    "captions",
    "background",
    "speed",
    "metadata",
)


@dataclass(frozen=True)
class Quote:
    credits: int
    """What would be held: the most that the video can cost."""
    estimated_seconds: int
    available_credits: int
    affordable: bool
    eta_seconds: int | None
    """None while nothing can be promised."""
    waiting_for: str | None
    hold_factor: float
    """What the account's holds are multiplied by, 1 to 2, after videos that were longer than was held for them."""
    warnings: list[Warned]


@dataclass(frozen=True)
class Cast:
    avatar: Avatar
    voice: Voice
    engine: str


def quote(caller: Caller, **wish: Any) -> Quote:
    """Price a video without making it. Raises ValidationFailed as `create` would."""
    video = _shaped(caller, wish)
    factor = credits.overrun_factor(caller.account_id)
    needed, available = hold_amount(video, factor), credits.available(caller.account_id)
    standing = waiting.of_next(video.account_id, is_test=video.is_test)
    return Quote(
        credits=needed,
        estimated_seconds=video.estimated_seconds,
        available_credits=available,
        affordable=available >= needed,
        eta_seconds=_wait_of(video, standing),
        waiting_for=standing.waiting_for,
        hold_factor=float(factor),
        warnings=video.warnings or [],
    )


def hold_amount(video: Video, factor: Decimal) -> int:
    """The price of what it may come to (`estimates.seconds_to_hold`); a test video has none.

    `factor`: the account's (`credits.overrun_factor`).
    """
    if video.is_test:
        return 0
    seconds = estimates.seconds_to_hold(video.script, speed=video.speed, language=video.voice.language, factor=factor)
    return credits.price(
        engine=video.engine, avatar_kind=video.avatar.kind, resolution=video.resolution, seconds=seconds
    )


@transaction.atomic
def create(caller: Caller, *, draft: bool = False, retry_of: Video | None = None, **wish: Any) -> Video:
    """Make a video, queued or as a draft. Raises ValidationFailed and InsufficientCredits; then nothing was made."""
    video = _shaped(caller, wish)
    video.retry_of, video.status = retry_of, Status.DRAFT
    video.save(force_insert=True)
    VideoEvent.objects.create(video=video, to_status=Status.DRAFT, reason="created")
    if not draft:
        _enqueue(video, caller.key_id)
    return video


@transaction.atomic
def generate(caller: Caller, video: Video) -> Video:
    """Queue a draft, on the limit of the caller's key where there is one.

    Raises InvalidState, InsufficientCredits, KeyLimitReached, and ValidationFailed if its avatar has since retired, or
    its script could not be ordered now.
    """
    video = _locked(video)
    if video.status != Status.DRAFT:
        raise InvalidState(f"Only a draft can be generated; this video is {video.get_status_display()}.")
    _usable_avatar(video.avatar_id, video.account_id)
    scripts.require_understood(video.script, _usable_voice(video.voice_id, video.account_id))
    _enqueue(video, caller.key_id)
    return video


def _locked(video: Video) -> Video:
    """The row as it is now, kept so until the transaction ends: two changes at once must see each other."""
    row: Video = Video.objects.select_for_update(of=("self",)).select_related("avatar", "voice").get(pk=video.pk)
    return row


def _enqueue(video: Video, key_id: UUID | None) -> None:
    amount = hold_amount(video, credits.overrun_factor(video.account_id))
    foreseen = waiting.of_next(video.account_id, is_test=video.is_test)
    wait = _wait_of(video, foreseen)
    queued = video.move(
        Status.QUEUED,
        reason="accepted",
        queued_at=timezone.now(),
        credits_held=amount,
        api_key_id=key_id,
        promised_at=None if wait is None else after(wait),
        deadline_at=after(settings.VIDEO_QUEUE_DEADLINE),
    )
    if not queued:
        raise InvalidState("Another request was first.")
    credits.hold(video.account_id, amount, reference=video.money_reference, key_id=key_id)
    standing = waiting.once_queued(foreseen, is_test=video.is_test)
    announcing.announce(video, EventType.VIDEO_QUEUED, standing)
    waiting.keep(video, standing)
    enqueue_on_commit(jobs.DISPATCH)


def _wait_of(video: Video, standing: Standing) -> int | None:
    """Seconds until its file is expected, were it queued now; None where nothing can be promised."""
    position = standing.promised_position
    return (
        None if position is None else estimates.queue_seconds(position, video.expected_render_seconds, standing.slots)
    )


@transaction.atomic
def update(video: Video, **changes: Any) -> Video:
    """Change title and metadata always, the rest while a draft. Raises InvalidState naming what is too late."""
    video = _locked(video)
    late = sorted(set(changes) - {"title", "metadata"})
    if late and video.status != Status.DRAFT:
        details = dict.fromkeys(late, "Can only change while the video is a draft.")
        raise InvalidState("Only title and metadata can change now.", details=details)
    wish = {name: getattr(video, name) for name in (*COPIED, "avatar_id", "voice_id")} | changes
    if late:
        if "avatar_id" in changes and "voice_id" not in changes:
            wish["voice_id"] = None
        shaped = _recast(video, wish)
        names = (*COPIED, "avatar_id", "voice_id", "engine", "warnings", "estimated_seconds", "expected_render_seconds")
        changes = {name: getattr(shaped, name) for name in names}
    Video.objects.filter(pk=video.pk).update(updated_at=timezone.now(), **changes)
    video.refresh_from_db()
    return video


def cancel(video: Video) -> Video:
    """End a video that is queued, or whose render is stuck, and give its credits back. Raises InvalidState for others.

    A render that is let go may still be finished and billed at HeyGen: that is no fault of the client's.
    """
    is_stuck = estimates.is_stuck(video)
    reason = "stuck_render_canceled" if is_stuck else "canceled"
    if not (is_stuck or video.status == Status.QUEUED) or not settling.cancel(video, reason=reason):
        raise InvalidState("Only a queued video, or one whose render is stuck, can be canceled.")
    return video


def retry(caller: Caller, video: Video) -> Video:
    """A new video with the same wishes. Raises InvalidState unless the old one failed or was canceled."""
    if video.status not in RETRYABLE:
        raise InvalidState("Only a failed or canceled video can be retried.")
    wish = {name: getattr(video, name) for name in (*COPIED, "avatar_id", "voice_id")}
    # A person may retry a test key's video: it stays what it was.
    return create(replace(caller, is_test=video.is_test), retry_of=video, **wish)


def _shaped(caller: Caller, wish: dict[str, Any]) -> Video:
    """An unsaved video, checked against the catalogue and measured."""
    ours = Video(account_id=caller.account_id, created_by_id=caller.user_id, is_test=caller.is_test)
    return _recast(ours, wish)


def _recast(video: Video, wish: dict[str, Any]) -> Video:
    """The same as if it were wished for now."""
    cast = cast_for(wish, video.account_id)
    script, speed = wish["script"], wish.get("speed") or 1.0
    scripts.require_understood(script, cast.voice)
    seconds = estimates.spoken_seconds(script, speed=speed, language=cast.voice.language)
    if seconds > estimates.MAX_SECONDS:
        raise refuse_field("script", TOO_LONG)
    return Video(
        account_id=video.account_id,
        created_by_id=video.created_by_id,
        is_test=video.is_test,
        avatar=cast.avatar,
        voice=cast.voice,
        engine=cast.engine,
        estimated_seconds=seconds,
        warnings=scripts.warnings_of(script, cast.voice, speed=speed),
        expected_render_seconds=math.ceil(paces.pace_for(cast.engine, seconds).p50),
        **{name: wish[name] for name in COPIED if wish.get(name) is not None},
    )


def cast_for(wish: Mapping[str, Any], account_id: UUID) -> Cast:
    """Who speaks, and how it is rendered. Raises ValidationFailed for what the catalogue does not offer the account."""
    avatar = _usable_avatar(wish["avatar_id"], account_id)
    voice = _voice_for(avatar, wish.get("voice_id"), wish.get("language") or "", account_id)
    return Cast(avatar, voice, _engine_for(avatar))


def _usable_avatar(avatar_id: UUID, account_id: UUID) -> Avatar:
    offered = Avatar.objects.offered_to(account_id).with_offered_voice(account_id)
    avatar: Avatar | None = offered.filter(pk=avatar_id).select_related("default_voice").first()
    if avatar is None:
        raise refuse_field("avatar_id", "There is no such avatar.")
    if not avatar.is_usable:
        raise refuse_field("avatar_id", "This avatar has been retired.")
    return avatar


def _voice_for(avatar: Avatar, voice_id: UUID | None, language: str, account_id: UUID) -> Voice:
    voice = _usable_voice(voice_id, account_id) if voice_id else _own_voice(avatar)
    if voice is None or not voice.is_usable:
        raise refuse_field("voice_id", "This avatar has no voice of its own: choose one.")
    if language and language_name(language) is None and not voice_speaks(voice.language, language):
        raise refuse_field("language", "Is neither a language nor a language code.")
    if language and not voice_speaks(voice.language, language):
        raise refuse_field("voice_id", f"This voice speaks {voice.language}, not {language}.")
    return voice


def _own_voice(avatar: Any) -> Voice | None:
    """The avatar's default voice, where the account may use that too."""
    voice: Voice | None = avatar.default_voice if avatar.offered_voice_id else None
    return voice


def _usable_voice(voice_id: UUID, account_id: UUID) -> Voice:
    voice: Voice | None = Voice.objects.offered_to(account_id).filter(pk=voice_id).first()
    if voice is None:
        raise refuse_field("voice_id", "There is no such voice.")
    if not voice.is_usable:
        raise refuse_field("voice_id", "This voice has been retired.")
    return voice


def _engine_for(avatar: Avatar) -> str:
    """The operator's engine where the avatar can do it, else the first that it can."""
    if not avatar.engines or settings.HEYGEN_ENGINE in avatar.engines:
        return str(settings.HEYGEN_ENGINE)
    return str(avatar.engines[0])

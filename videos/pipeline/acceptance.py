"""Recording that HeyGen accepted orders: one by one, or all that were accepted at the same time."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from genvid import database_clock
from genvid.heygen import call_history
from genvid.leasing import from_now
from videos.enums import TERMINAL, Status
from videos.models import Video
from videos.models.call_records import KEEP_NEWEST
from videos.models.videos import MAX_RETRY_PAUSE
from videos.queue import render_times

logger = structlog.get_logger(__name__)
ACCEPTED = "accepted_by_provider"
# By the status, attempt and calls that were read: an answer to an old order must not change the present one.
MOVE_ALL = """
WITH moved AS (
    UPDATE videos_video SET
        status = 'rendering', tries = 0, waiting_reason = '', set_aside_at = NULL,
        moved_at = %(now)s, updated_at = %(now)s, accepted_at = %(now)s,
        provider_video_id = answer.provider_video_id, stuck_at = answer.stuck_at,
        provider_calls = CASE WHEN answer.made IS NULL THEN provider_calls ELSE {kept} || answer.made END,
        due_at = statement_timestamp() + answer.pause, deadline_at = statement_timestamp() + %(deadline)s
    FROM unnest(%(ids)s::uuid[], %(attempts)s::int[], %(calls)s::int[], %(provider_ids)s::text[],
                %(stuck_at)s::timestamptz[], %(pauses)s::interval[], %(made)s::jsonb[])
        AS answer (id, attempt, calls, provider_video_id, stuck_at, pause, made)
    WHERE videos_video.id = answer.id AND status = 'submitting'
        AND videos_video.attempt = answer.attempt AND videos_video.calls = answer.calls
    RETURNING videos_video.id
), history AS (
    INSERT INTO videos_videoevent (video_id, from_status, to_status, reason, detail, created_at)
    SELECT id, 'submitting', 'rendering', %(reason)s, '', %(now)s FROM moved
)
SELECT id FROM moved""".format(kept=KEEP_NEWEST.format(column="provider_calls"))  # noqa: S608 - our own column


def record_acceptances(answers: Mapping[Video, str]) -> list[Video]:
    """Move these orders to `rendering`, with the ids that HeyGen gave them. Returns those that had not moved."""
    if len(answers) == 1 or connection.vendor != "postgresql":
        return [video for video, name in answers.items() if record_acceptance(video, name, reason=ACCEPTED)]
    try:
        with transaction.atomic():
            moved = _move_all(answers)
    except IntegrityError:
        # One has the id of another video.
        return [video for video, name in answers.items() if record_acceptance(video, name, reason=ACCEPTED)]
    for video, name in answers.items():
        if video.pk not in moved:
            _record_orphan(video, name)
    return [video for video in answers if video.pk in moved]


def _move_all(answers: Mapping[Video, str]) -> set[UUID]:
    now = database_clock.now()
    with connection.cursor() as cursor:
        cursor.execute(MOVE_ALL, _parameters([*answers], [*answers.values()], now))
        moved = {pk for (pk,) in cursor.fetchall()}
    transaction.on_commit(partial(_log, [video for video in answers if video.pk in moved], now), robust=True)
    return moved


def _parameters(videos: Sequence[Video], provider_ids: list[str], now: datetime) -> dict[str, Any]:
    expected = render_times.learned()
    return {
        "now": now,
        "reason": ACCEPTED,
        "deadline": timedelta(seconds=settings.VIDEO_RENDER_DEADLINE),
        "ids": [video.pk for video in videos],
        "attempts": [video.attempt for video in videos],
        "calls": [video.calls for video in videos],
        "provider_ids": provider_ids,
        "stuck_at": [expected.stuck_at(video, now) for video in videos],
        "made": [json.dumps(made) if (made := call_history.take(str(video.pk))) else None for video in videos],
        "pauses": [timedelta(seconds=expected.first_poll(video)) for video in videos],
    }


def _log(videos: Iterable[Video], now: datetime) -> None:
    for video in videos:
        waited = (now - video.moved_at).total_seconds()
        facts = {"error_code": "", "learned_by": ""}
        video.log_move(Status.SUBMITTING, Status.RENDERING, ACCEPTED, waited, attempt=video.attempt, **facts)


def record_acceptance(video: Video, provider_video_id: str, *, reason: str) -> bool:
    """`reason`: ACCEPTED, or that the order was found: then nobody knows when HeyGen accepted it."""
    expected, now = render_times.learned(), database_clock.now()
    video.accepted_at = now if reason == ACCEPTED else None
    try:
        moved = video.move(
            Status.RENDERING,
            reason=reason,
            provider_video_id=provider_video_id,
            set_aside_at=None,
            accepted_at=video.accepted_at,
            stuck_at=expected.stuck_at(video, video.accepted_at or video.submitted_at or now),
            due_at=from_now(expected.seconds_to_first_poll(video, now)),
            deadline_at=from_now(settings.VIDEO_RENDER_DEADLINE),
        )
    except IntegrityError:
        logger.error("provider_video_id_taken", video_id=str(video.pk), provider_video_id=provider_video_id)
        video.retry_later(MAX_RETRY_PAUSE, "HeyGen answered with the id of another video")
        return False
    if not moved:
        _record_orphan(video, provider_video_id)
    return moved


def _record_orphan(video: Video, provider_video_id: str) -> None:
    """The video ended while HeyGen accepted the order: store the id, so that deleting the video deletes it."""
    ended = Video.objects.filter(pk=video.pk, status__in=TERMINAL, provider_video_id=None, attempt=video.attempt)
    # If its client has deleted it meanwhile, the next purge deletes this render.
    if ended.update(provider_video_id=provider_video_id, purged_at=None):
        logger.error("render_orphaned", video_id=str(video.pk), provider_video_id=provider_video_id)

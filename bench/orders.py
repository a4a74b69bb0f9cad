"""Puts thousands of videos into the queue at once, outside the measured time."""

import random
import uuid
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from accounts.caller import Caller
from avatars.models import Avatar
from bench.plan import ACCOUNTS, SCRIPT, SPREAD, Case
from billing import credits
from billing.models import Tier, Wallet
from genvid.sandbox.heygen.render_queue import spread_factor
from genvid.tests.factories import Person, make_caller
from videos.enums import Status
from videos.lifecycle import video_actions
from videos.models import Video, VideoEvent, seconds_from_now
from videos.queue import render_times
from videos.video_request import VideoRequest

BALANCE = 10_000_000
MAX_IN_FLIGHT = 30_000
TRUNCATED = ("videos_video", "videos_videoevent", "videos_webhookdelivery", "videos_renderpace", "videos_providerstate")
COPY = {"id", "account", "created_by", "status", "created_at", "updated_at", "moved_at"}


def make_customers() -> list[Person]:
    Tier.objects.update(max_in_flight=MAX_IN_FLIGHT)
    people = [make_caller(balance=BALANCE) for _ in range(ACCOUNTS)]
    Wallet.objects.update(tier="business")
    return people


def truncate_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TRUNCATED)} CASCADE")
        cursor.execute("ANALYZE")


@transaction.atomic
def queue_videos(people: Sequence[Person], count: int) -> list[str]:
    avatar = Avatar.objects.filter(kind="studio_avatar", is_available=True).order_by("pk")[0]
    first = people[0]
    # Not by token: it expires after 15 minutes, and a bench takes longer.
    caller = Caller(first.user.pk, first.account.pk, first.role)
    request = VideoRequest(script=SCRIPT, avatar_id=avatar.pk, resolution="720p", title="Bench")
    pattern = video_actions.create_video(caller, request, draft=True)
    amount = video_actions.hold_amount(pattern, Decimal(1))
    videos = [_copy(pattern, people[number % len(people)], amount) for number in range(count)]
    pattern.delete()
    Video.objects.bulk_create(videos, batch_size=500)
    VideoEvent.objects.bulk_create(
        [VideoEvent(video=video, to_status=Status.QUEUED, reason="accepted") for video in videos], batch_size=500
    )
    for person in people:
        mine = {video.money_reference: amount for video in videos if video.account_id == person.account.pk}
        if mine:
            credits.hold_many(person.account.pk, mine)
    return [str(video.pk) for video in videos]


def _copy(pattern: Video, person: Person, amount: int) -> Video:
    kept: dict[str, Any] = {
        field.name: getattr(pattern, field.name) for field in Video._meta.concrete_fields if field.name not in COPY
    }
    now = timezone.now()
    kept |= {"queued_at": now, "credits_held": amount, "deadline_at": seconds_from_now(48 * 3600)}
    return Video(id=uuid.uuid4(), account=person.account, status=Status.QUEUED, **kept)


def set_render_times(case: Case) -> None:
    dice = random.Random(case.name)
    for video in Video.objects.filter(status=Status.COMPLETED):
        took = case.render_seconds * spread_factor(str(dice.random()), SPREAD)
        ended = video.provider_finished_at or video.rendered_at or timezone.now()
        begun = ended - timedelta(seconds=took)
        Video.objects.filter(pk=video.pk).update(submitted_at=begun, accepted_at=begun)
    render_times.learn_render_times()
    cache.delete_many(["videos.webhooks_arrive"])

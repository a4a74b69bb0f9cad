"""Retention of webhook deliveries and of HeyGen's error texts."""

from datetime import timedelta

import pytest
from django.utils import timezone

from genvid.tests.factories import make_video
from videos.lifecycle import retention
from videos.models import Video, VideoEvent, WebhookDelivery
from videos.tests.pipeline import fresh

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def store_delivery(key: str, *, ago: timedelta) -> None:
    facts = {"event_type": "avatar_video.success", "payload": {"url": "https://files.heygen.ai/1"}}
    WebhookDelivery.objects.create(key=key, received_at=timezone.now() - ago, **facts)


def make_failed_video(owner, *, ago: timedelta) -> Video:
    video = make_video(owner, "failed", provider_error="cannot say 'bicycle'", completed_at=timezone.now() - ago)
    VideoEvent.objects.filter(video=video, to_status="failed").update(detail="cannot say 'bicycle'")
    return video


def provider_errors_of(video: Video) -> tuple[str, list[str]]:
    return fresh(video).provider_error, [event.detail for event in video.events.all() if event.detail]


def test_webhook_deliveries_are_kept_for_thirty_days(db):
    store_delivery("old", ago=retention.DELIVERY_RETENTION + MINUTE)
    store_delivery("young", ago=retention.DELIVERY_RETENTION - MINUTE)
    retention.apply_retention()
    assert list(WebhookDelivery.objects.values_list("key", flat=True)) == ["young"]
    assert timedelta(days=30) == retention.DELIVERY_RETENTION


def test_provider_errors_are_kept_for_ninety_days(owner):
    old, young = make_failed_video(owner, ago=timedelta(days=91)), make_failed_video(owner, ago=timedelta(days=89))
    retention.apply_retention()
    assert provider_errors_of(old) == ("", [])
    assert provider_errors_of(young) == ("cannot say 'bicycle'", ["cannot say 'bicycle'"])


def test_the_public_error_of_a_video_stays(owner):
    video = make_failed_video(owner, ago=timedelta(days=91))
    told = (video.error_code, video.error_message)
    retention.apply_retention()
    assert (fresh(video).error_code, fresh(video).error_message) == told


def test_the_waiting_reason_of_a_video_is_cleared_by_its_next_move(owner):
    video = make_video(owner, "rendering", waiting_reason="HeyGen: busy")
    assert video.move("storing", reason="test")
    assert fresh(video).waiting_reason == ""

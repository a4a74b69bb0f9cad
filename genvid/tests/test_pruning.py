"""Tables that grow for ever: each loses its old rows, and no others."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import CASCADE
from django.utils import timezone
from djstripe import models as djstripe

from accounts.models import EventCounter
from accounts.webhooks.outgoing_events import publish
from billing import jobs as billing_jobs
from billing.models import StripeSync
from billing.stripe.webhook_endpoint import MIRRORED_PAYMENTS
from billing.stripe_sync import sync_queue
from genvid import batched_rows, jobs
from genvid.tests.asserts import queries_of
from genvid.tests.factories import make_endpoint, make_video
from genvid.tests.jobs import run_job
from videos import jobs as videos_jobs
from videos.lifecycle.retention import expire_due
from videos.models import Video, VideoEvent

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def ago(days: float) -> dict[str, object]:
    """Two times: one minute past the retention and one minute within it."""
    then = timezone.now() - timedelta(days=days)
    return {"old": then - MINUTE, "young": then + MINUTE}


@pytest.fixture(autouse=True)
def two_at_once(monkeypatch):
    monkeypatch.setattr(batched_rows, "BATCH_SIZE", 2)


def test_sessions_of_the_admin_are_deleted_when_they_have_ended():
    for number in range(5):
        Session.objects.create(session_key=f"old{number}", expire_date=timezone.now() - MINUTE)
    Session.objects.create(session_key="young", expire_date=timezone.now() + MINUTE)
    run_job(jobs.PRUNE)
    assert [each.session_key for each in Session.objects.all()] == ["young"]


def test_the_history_of_the_admin_is_deleted_after_its_setting(owner, settings):
    settings.ADMIN_LOG_DAYS = 7
    same = {"user": owner.user, "content_type": ContentType.objects.get_for_model(Video), "action_flag": CHANGE}
    for name, moment in ago(7).items():
        for _ in range(3):
            LogEntry.objects.create(object_repr=name, action_time=moment, **same)
    run_job(jobs.PRUNE)
    assert [each.object_repr for each in LogEntry.objects.all()] == ["young"] * 3


def test_timelines_of_videos_are_deleted_after_their_setting(owner, settings):
    settings.VIDEO_EVENT_DAYS = 30
    old, young = (make_video(owner, "completed") for _ in range(2))
    VideoEvent.objects.filter(video=old).update(created_at=ago(30)["old"])
    VideoEvent.objects.filter(video=young).update(created_at=ago(30)["young"])
    kept = set(VideoEvent.objects.filter(video=young).values_list("pk", flat=True))
    run_job(videos_jobs.RETAIN)
    assert set(VideoEvent.objects.values_list("pk", flat=True)) == kept != set()
    assert Video.objects.count() == 2


def test_old_rows_are_looked_for_at_the_oldest_end_only(owner):
    """A table with a million young rows is not read through."""
    for _ in range(5):
        make_video(owner, "completed")
    old = timezone.now() - timedelta(days=400)
    assert queries_of(lambda: batched_rows.delete_oldest(VideoEvent.objects.all(), "created_at", old)) == 1


def numbers_of(video) -> int:
    return EventCounter.objects.filter(object_id=str(video.pk)).count()


def test_the_event_numbers_of_a_deleted_video_go_with_its_files(owner):
    make_endpoint(owner)
    gone, kept = (make_video(owner, "draft") for _ in range(2))
    for video in (gone, kept):
        publish(owner.account.pk, "video.queued", {}, object_id=str(video.pk))
    assert (numbers_of(gone), numbers_of(kept)) == (1, 1)
    Video.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    run_job(videos_jobs.PURGE, str(gone.pk))
    assert (numbers_of(gone), numbers_of(kept)) == (0, 1)


def test_the_event_numbers_of_an_expired_video_go_with_its_files(owner):
    make_endpoint(owner)
    gone, kept = (make_video(owner, "completed") for _ in range(2))
    Video.objects.filter(pk=gone.pk).update(expires_at=timezone.now() - MINUTE)
    expire_due()
    assert (numbers_of(gone), numbers_of(kept)) == (0, 1)


@pytest.mark.parametrize("model", [djstripe.Charge, djstripe.PaymentIntent, djstripe.BalanceTransaction])
def test_dj_stripes_mirror_of_payments_is_deleted_after_400_days(model):
    amounts = {"amount": 1, "amount_refunded": 0, "amount_capturable": 0, "amount_received": 0, "fee": 0, "net": 1}
    names = {field.name for field in model._meta.concrete_fields}
    for name, moment in ago(400).items():
        known = {key: value for key, value in amounts.items() if key in names}
        model.objects.create(id=name, **known, **_required(names))
        model.objects.filter(id=name).update(djstripe_updated=moment)
    run_job(billing_jobs.PURGE_STRIPE_INBOX)
    assert [each.id for each in model.objects.all()] == ["young"]


def _required(names: set[str]) -> dict[str, object]:
    given = {"currency": "usd", "paid": True, "refunded": False, "client_secret": "x", "payment_method_types": []}
    given |= {"capture_method": "automatic", "confirmation_method": "automatic"}
    given |= {"available_on": timezone.now(), "fee_details": {}} if "available_on" in names else {}
    return {name: value for name, value in given.items() if name in names}


def test_no_customer_subscription_or_price_goes_with_a_mirrored_payment():
    pruned = {apps.get_model("djstripe", name) for name in MIRRORED_PAYMENTS}
    taken = set(pruned)
    waiting = list(pruned)
    while waiting:
        for relation in waiting.pop()._meta.related_objects:
            if relation.on_delete is CASCADE and relation.related_model not in taken:
                taken.add(relation.related_model)
                waiting.append(relation.related_model)
    assert {model.__name__ for model in taken - pruned} == {
        *("UpcomingInvoice", "Discount", "ApplicationFee", "ApplicationFeeRefund")
    }


def test_syncs_are_deleted_after_60_days_and_stuck_ones_after_400():
    for days, error in ((60, ""), (400, "refused")):
        for name, moment in ago(days).items():
            for number in range(3):
                sync = {"kind": "charge", "object_id": f"{name} {days} {number}", "error": error}
                StripeSync.objects.create(due_at=None, noted_at=moment, **sync)
    StripeSync.objects.create(kind="charge", object_id="due", noted_at=ago(500)["old"])
    assert sync_queue.delete_finished_syncs() == 6
    left = {name.rpartition(" ")[0] for name in StripeSync.objects.values_list("object_id", flat=True)}
    assert left == {"young 60", "young 400", ""}

"""Retention of completed videos: announcement, expiry here and at HeyGen, and the charge that stays."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import OutgoingEvent
from billing.models import Tier, Wallet
from genvid.tests.asserts import data_of, queries_of, refusal_of
from genvid.tests.factories import grant, make_endpoint, make_video
from genvid.tests.parallel import in_parallel
from videos import settlement
from videos.enums import Status
from videos.lifecycle import retention
from videos.models import Video, VideoEvent
from videos.tests.doubles import CallbackAfterDelete
from videos.tests.pipeline import charged_once, fresh, stored_files, use_storage

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def reasons(video) -> list[str]:
    kept = VideoEvent.objects.filter(video=video, from_status="completed").order_by("id")
    return list(kept.values_list("reason", flat=True))


def expiring(video, *, after: timedelta) -> Video:
    Video.objects.filter(pk=video.pk).update(expires_at=timezone.now() + after)
    return fresh(video)


def ended(video, status: Status, *, ago: timedelta) -> None:
    Video.objects.filter(pk=video.pk).update(status=status, completed_at=timezone.now() - ago)


class Killed(BaseException):
    """Passes every `except Exception`, as kill -9 would."""


def die() -> None:
    raise Killed


@pytest.fixture
def done(pipeline, owner) -> Video:
    return pipeline.run(pipeline.order(owner))


def test_a_finished_video_is_kept_as_long_as_its_plan_says(owner):
    video = make_video(owner, "completed")
    assert video.expires_at - video.completed_at == 30 * DAY


def test_a_plan_without_a_retention_keeps_videos_for_ever(owner):
    Wallet.objects.update(tier=Tier.objects.get(code="business"))
    assert make_video(owner, "completed").expires_at is None


def test_the_coming_expiry_of_a_video_is_announced_once_and_shown(owner, settings):
    video = expiring(make_video(owner, "completed"), after=(settings.RETENTION_WARNING_DAYS - 1) * DAY)
    for _ in range(2):
        retention.apply_retention()
    assert (reasons(video), fresh(video).expiry_warned_at is not None) == (["expiring"], True)
    assert data_of(owner.client.get(f"/api/v1/videos/{video.pk}"))["expires_at"] is not None


def test_a_distant_expiry_is_not_announced(owner, settings):
    video = expiring(make_video(owner, "completed"), after=(settings.RETENTION_WARNING_DAYS + 1) * DAY)
    retention.apply_retention()
    assert (reasons(video), fresh(video).expiry_warned_at) == ([], None)


def test_an_expired_video_loses_its_files_and_keeps_its_charge(done, owner):
    expiring(done, after=-DAY)
    for _ in range(2):
        retention.apply_retention()
    assert (stored_files(done), fresh(done).status, charged_once(owner, done)) == ([], Status.COMPLETED, True)
    assert reasons(done) == ["expiring", "expired"]


def test_an_expired_video_has_no_links_and_says_so(done, owner):
    expiring(done, after=-DAY)
    retention.apply_retention()
    shown = data_of(owner.client.get(f"/api/v1/videos/{done.pk}"))
    assert [shown[f"{name}_url"] for name in ("file", "thumbnail", "captions")] == [None] * 3
    answer = owner.client.get(f"/api/v1/videos/{done.pk}/file")
    assert refusal_of(answer) == (404, "not_found")
    assert "as long as its plan says" in answer.json()["error"]["message"]


def test_an_expiry_that_the_storage_refuses_is_retried(done, settings):
    expiring(done, after=-DAY)
    storages = settings.STORAGES
    use_storage(settings, "BrokenBucket")
    retention.apply_retention()
    assert fresh(done).expired_at is None
    settings.STORAGES = storages
    retention.apply_retention()
    assert (stored_files(done), fresh(done).expired_at is not None) == ([], True)


def test_an_expiry_killed_between_files_and_row_is_completed(done, owner, settings):
    expiring(done, after=-DAY)
    use_storage(settings, "CallbackAfterDelete")
    CallbackAfterDelete.callback = die
    with pytest.raises(Killed):
        retention.apply_retention()
    assert (fresh(done).expired_at, reasons(done)) == (None, ["expiring"])
    retention.apply_retention()
    assert (stored_files(done), reasons(done)) == ([], ["expiring", "expired"])
    assert charged_once(owner, done)


def test_an_expiry_that_was_prolonged_meanwhile_is_respected(pipeline, owner, settings):
    first, second = [pipeline.run(pipeline.order(owner, "Hi.")) for _ in range(2)]
    expiring(first, after=-2 * DAY)
    expiring(second, after=-DAY)
    use_storage(settings, "CallbackAfterDelete")
    CallbackAfterDelete.callback = lambda: expiring(second, after=DAY)
    retention.apply_retention()
    assert (stored_files(first), len(stored_files(second))) == ([], 4)
    assert fresh(second).expired_at is None


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_announce_and_expire_a_video_once(owner):
    videos = [expiring(make_video(owner, "completed"), after=-DAY) for _ in range(5)]
    assert in_parallel([retention.apply_retention] * 4) == [None] * 4
    assert [reasons(video) for video in videos] == [["expiring", "expired"]] * 5


def test_an_expired_video_is_deleted_at_heygen_too(done, pipeline, woken):
    expiring(done, after=-DAY)
    retention.apply_retention()
    assert ("videos.delete_render", str(done.pk)) in woken
    retention.delete_expired_render(str(done.pk))
    assert (pipeline.remote_render(done)["deleted"], fresh(done).provider_deleted_at is not None) == (1, True)


def test_a_render_is_deleted_once_it_is_stored_where_the_settings_say_so(pipeline, owner, settings, woken):
    settings.HEYGEN_DELETE_AFTER_STORE = True
    video = pipeline.run(pipeline.order(owner))
    retention.enqueue_render_deletions()
    assert ("videos.delete_render", str(video.pk)) in woken
    retention.delete_expired_render(str(video.pk))
    assert (pipeline.remote_render(video)["deleted"], len(stored_files(video))) == (1, 4)


def test_a_stored_render_stays_at_heygen_by_default(done, pipeline, woken):
    retention.apply_retention()
    assert [name for name, *_ in woken if name == "videos.delete_render"] == []
    assert pipeline.remote_render(done)["deleted"] == 0


def test_a_render_that_heygen_does_not_delete_is_retried(done, pipeline):
    pipeline.sandbox.fault(kind="status", status=503, method="DELETE", path="/v3/videos/*")
    retention.delete_expired_render(str(done.pk))
    assert fresh(done).provider_deleted_at is None
    retention.delete_expired_render(str(done.pk))
    assert fresh(done).provider_deleted_at is not None


def test_a_render_that_is_gone_already_counts_as_deleted(done, pipeline):
    pipeline.sandbox.configure(visible_after=3600)
    retention.delete_expired_render(str(done.pk))
    assert fresh(done).provider_deleted_at is not None


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELED])
def test_files_of_a_video_that_ended_while_it_was_stored_are_cleared(done, status):
    ended(done, status, ago=retention.CLEAR_AFTER)
    retention.apply_retention()
    assert (stored_files(done), fresh(done).expired_at is not None) == ([], True)


def test_files_are_not_cleared_while_a_worker_may_still_be_storing_them(done):
    ended(done, Status.FAILED, ago=retention.CLEAR_AFTER / 2)
    retention.apply_retention()
    assert (len(stored_files(done)), fresh(done).expired_at) == (4, None)


def test_files_that_cannot_be_cleared_are_retried(done, settings):
    ended(done, Status.FAILED, ago=retention.CLEAR_AFTER)
    storages = settings.STORAGES
    use_storage(settings, "BrokenBucket")
    retention.apply_retention()
    assert fresh(done).expired_at is None
    settings.STORAGES = storages
    retention.apply_retention()
    assert stored_files(done) == []


def test_a_failed_video_shows_no_expiry(owner):
    video = make_video(owner, "failed", expired_at=timezone.now())
    answer = owner.client.get(f"/api/v1/videos/{video.pk}/file")
    assert refusal_of(answer) == (404, "not_found")
    assert "plan" not in answer.json()["error"]["message"]


def test_a_canceled_video_keeps_no_links_of_heygen(pipeline, owner):
    video = pipeline.reach_storing(pipeline.order(owner))
    assert settlement.cancel_video(video, reason="test")
    assert fresh(video).render_links is None


def test_announcing_takes_as_many_queries_for_ten_videos_as_for_two(owner):
    make_endpoint(owner)
    grant(owner, 100)

    def announce(count: int) -> int:
        for _ in range(count):
            expiring(make_video(owner, "completed"), after=DAY)
        return queries_of(retention.warn_of_expiry)

    assert announce(2) == announce(10)


def test_an_announcement_reaches_the_endpoint_of_each_account(owner, outsider):
    for person in (owner, outsider):
        make_endpoint(person)
        for _ in range(2):
            expiring(make_video(person, "completed"), after=DAY)
    retention.warn_of_expiry()
    sent = OutgoingEvent.objects.filter(type="video.expiring").values_list("account", flat=True)
    assert Counter(sent) == {owner.account.pk: 2, outsider.account.pk: 2}


def test_expiring_twenty_videos_takes_one_query_more_for_each(owner):
    grant(owner, 100)

    def expire(count: int) -> int:
        for _ in range(count):
            expiring(make_video(owner, "completed"), after=-DAY)
        return queries_of(retention.expire_due)

    assert expire(20) - expire(2) == 18

"""Staff actions: effects, the name in the history, and refusals."""

from decimal import Decimal

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from billing.enums import EntryKind
from billing.models import CreditLot, LedgerEntry
from genvid.errors import Conflict, InvalidState, ProviderUnavailable, ValidationFailed
from genvid.heygen.heygen_client import get_client
from genvid.tests.asserts import lies_ahead, nothing_changes
from genvid.tests.factories import make_video
from videos.enums import TERMINAL, WAITING, Status
from videos.models import Video, seconds_from_now
from videos.pipeline import storage
from videos.staff import manual_files, staff_actions
from videos.tests.doubles import tiny_mp4
from videos.tests.pipeline import (
    CREATE,
    UNTOUCHED,
    Money,
    charged_once,
    fresh,
    history,
    money_of,
    outcome_of,
    still_held,
    stored_files,
)

pytestmark = pytest.mark.django_db
EVERY = sorted(map(str, Status))
BY = "sam@example.com"


def refused(action, video, error=InvalidState, **payload) -> str:
    """The message of a refused action; asserts that no row has changed."""
    with nothing_changes(), pytest.raises(error) as caught:
        action(video, by=BY, **payload)
    return caught.value.message


def content_of(video) -> bytes:
    with default_storage.open(fresh(video).file.name) as file:
        return file.read()


def last_detail(video) -> str:
    return video.events.first().detail


# ── Requeue


@pytest.fixture
def under_way(pipeline, owner) -> Video:
    """A video that HeyGen renders without end."""
    pipeline.sandbox.configure(stuck=True)
    return pipeline.submit(pipeline.order(owner))


@pytest.fixture
def unanswered(pipeline, owner) -> Video:
    """A video whose order HeyGen accepted with a lost answer; no worker has its lease."""
    pipeline.sandbox.fault(kind="lost", **CREATE)
    video = pipeline.submit(pipeline.order(owner))
    assert video.status == Status.SUBMITTING
    Video.objects.filter(pk=video.pk).update(due_at=timezone.now())
    return fresh(video)


def test_an_order_that_heygen_has_is_not_requeued_by_staff(under_way):
    assert "pay for both" in refused(staff_actions.requeue_by_staff, under_way, why="slow")


def test_an_order_is_abandoned_only_when_staff_confirm_it(under_way, owner):
    video = staff_actions.requeue_by_staff(under_way, by=BY, why="slow", abandon_order=True)
    assert (video.status, fresh(video).status, still_held(owner, video)) == ("queued", "queued", True)
    assert (history(video)[-1][2], last_detail(video)) == ("requeued_by_staff", f"{BY}: slow")


def test_an_abandoned_order_is_placed_anew(pipeline, under_way):
    pipeline.submit(staff_actions.requeue_by_staff(under_way, by=BY, why="slow", abandon_order=True))
    assert pipeline.count_renders(under_way) == 2


def test_an_order_that_failed_at_heygen_is_requeued(pipeline, under_way, owner):
    pipeline.sandbox.fail(under_way.provider_video_id)
    video = staff_actions.requeue_by_staff(under_way, by=BY, why="failed")
    assert (fresh(video).status, still_held(owner, video)) == ("queued", True)


def test_an_order_that_heygen_does_not_know_is_requeued(under_way):
    get_client().delete_video(under_way.provider_video_id)
    assert fresh(staff_actions.requeue_by_staff(under_way, by=BY, why="gone")).status == "queued"


def test_no_order_is_requeued_when_heygen_does_not_answer(pipeline, under_way):
    pipeline.sandbox.fault(kind="status", status=500, path="/v3/videos*", times=9)
    assert "does not say" in refused(staff_actions.requeue_by_staff, under_way, ProviderUnavailable, why="slow")


def test_an_order_whose_answer_was_lost_is_found_and_not_requeued(unanswered):
    assert "HeyGen has this order" in refused(staff_actions.requeue_by_staff, unanswered, why="stuck")


def test_an_order_that_never_arrived_is_requeued(pipeline, owner):
    pipeline.sandbox.fault(kind="drop", **CREATE)
    video = pipeline.submit(pipeline.order(owner))
    Video.objects.filter(pk=video.pk).update(due_at=timezone.now())
    video = staff_actions.requeue_by_staff(video, by=BY, why="stuck")
    assert (fresh(video).status, fresh(video).idempotency_key, still_held(owner, video)) == ("queued", None, True)


def test_an_order_that_waits_long_for_its_next_try_is_looked_up_at_once(unanswered):
    Video.objects.filter(pk=unanswered.pk).update(due_at=seconds_from_now(3600))
    assert "HeyGen has this order" in refused(staff_actions.requeue_by_staff, unanswered, why="stuck")


@pytest.mark.parametrize("abandon", [False, True])
def test_an_order_that_is_being_sent_is_not_requeued(owner, abandon):
    video = make_video(owner, "submitting", calls=1, due_at=seconds_from_now(20))
    assert "A worker may be at it" in refused(staff_actions.requeue_by_staff, video, why="stuck", abandon_order=abandon)


def test_an_order_whose_answer_was_lost_is_abandoned_only_when_staff_confirm_it(unanswered, owner):
    video = staff_actions.requeue_by_staff(unanswered, by=BY, why="stuck", abandon_order=True)
    assert (fresh(video).status, still_held(owner, video)) == ("queued", True)


def test_a_requeued_video_gets_a_new_deadline_in_the_queue(under_way, settings):
    Video.objects.filter(pk=under_way.pk).update(queued_at=seconds_from_now(-10 * 24 * 3600))
    before = timezone.now()
    video = fresh(staff_actions.requeue_by_staff(under_way, by=BY, why="old", abandon_order=True))
    assert lies_ahead(video.deadline_at, settings.VIDEO_QUEUE_DEADLINE, since=before)


def test_a_video_requeued_twice_is_refused_the_second_time(under_way):
    staff_actions.requeue_by_staff(under_way, by=BY, why="slow", abandon_order=True)
    assert "this video is queued" in refused(staff_actions.requeue_by_staff, under_way, why="slow", abandon_order=True)


@pytest.mark.parametrize("status", ["draft", "queued", "storing", "completed"])
def test_a_video_without_an_open_order_is_not_requeued(owner, status):
    assert f"is {status}" in refused(staff_actions.requeue_by_staff, make_video(owner, status), why="stuck")


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_failed_or_canceled_video_is_retried_instead_of_requeued(owner, status):
    assert "retry makes a new video" in refused(staff_actions.requeue_by_staff, make_video(owner, status), why="stuck")


# ── Fetch again


def test_a_postponed_download_is_due_at_once(owner, woken, django_capture_on_commit_callbacks):
    video = make_video(owner, "storing", due_at=seconds_from_now(300), tries=4)
    with django_capture_on_commit_callbacks(execute=True):
        staff_actions.fetch_again(video, by=BY)
    assert (fresh(video).due_at <= timezone.now(), fresh(video).tries) == (True, 0)
    assert woken == [("videos.store", str(video.pk))]


def test_a_download_under_way_is_not_restarted(owner):
    video = make_video(owner, "storing", due_at=seconds_from_now(20))
    assert "A worker may be at it" in refused(staff_actions.fetch_again, video)


@pytest.fixture
def finished(pipeline, owner) -> Video:
    return pipeline.run(pipeline.order(owner))


def test_a_damaged_file_is_replaced_and_nothing_charged(finished, owner):
    whole = content_of(finished)
    default_storage.delete(finished.file.name)
    assert storage.replace_file(str(finished.pk)) is True
    video = fresh(finished)
    assert (content_of(video), video.file_sha256, video.status) == (whole, finished.file_sha256, "completed")
    assert charged_once(owner, video)


def test_a_finished_video_is_fetched_by_a_worker(finished, woken, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        staff_actions.fetch_again(finished, by=BY)
    assert woken == [("videos.replace_file", str(finished.pk))]


def test_a_render_that_heygen_no_longer_has_cannot_be_fetched_again(finished):
    get_client().delete_video(finished.provider_video_id)
    assert refused(staff_actions.fetch_again, finished) == "HeyGen has no file of this video any more."


def test_a_failed_replacement_download_leaves_the_stored_file(pipeline, finished):
    pipeline.sandbox.fault(kind="status", status=500, path="/v3/videos*", times=9)
    before = content_of(finished)
    with nothing_changes():
        assert storage.replace_file(str(finished.pk)) is False
    assert content_of(finished) == before


def test_a_broken_replacement_leaves_the_stored_file(pipeline, finished):
    pipeline.file_at_provider(finished, "video.mp4").write_bytes(b"no film")
    before = content_of(finished)
    with nothing_changes():
        assert storage.replace_file(str(finished.pk)) is False
    assert content_of(finished) == before


@pytest.mark.parametrize("gone", ["deleted_at", "expired_at"])
def test_a_video_whose_files_are_purged_is_not_fetched_again(finished, gone):
    Video.objects.filter(pk=finished.pk).update(**{gone: timezone.now()})
    assert "deleted here" in refused(staff_actions.fetch_again, finished)


@pytest.mark.parametrize("status", ["draft", "queued", "submitting", "rendering", "failed", "canceled"])
def test_a_video_without_a_file_cannot_be_fetched_again(owner, status):
    assert "nothing to fetch" in refused(staff_actions.fetch_again, make_video(owner, status))


# ── Settle as failed


@pytest.mark.parametrize("status", sorted(WAITING))
def test_staff_fail_any_waiting_video_and_return_its_credits(owner, status):
    video = staff_actions.settle_failed(make_video(owner, status), by=BY, message="We could not make it.")
    assert outcome_of(video) == ("failed", "ended_by_operator", True)
    assert (fresh(video).error_message, money_of(owner)) == ("We could not make it.", UNTOUCHED)
    assert (history(video)[-1][2], last_detail(video)) == ("failed_by_staff", f"by {BY}")


@pytest.mark.parametrize("status", sorted({*TERMINAL, Status.DRAFT}))
def test_a_video_that_is_not_being_made_cannot_be_failed_by_staff(owner, status):
    assert f"is {status}" in refused(staff_actions.settle_failed, make_video(owner, status), message="No.")


# ── Cancel


@pytest.mark.parametrize("status", sorted(WAITING))
def test_staff_cancel_any_waiting_video_and_return_its_credits(owner, status):
    video = staff_actions.cancel_by_staff(make_video(owner, status), by=BY)
    assert (fresh(video).status, money_of(owner)) == ("canceled", UNTOUCHED)
    assert (history(video)[-1][2], last_detail(video)) == ("canceled_by_staff", f"by {BY}, 0 credits kept")


@pytest.mark.parametrize("status", ["rendering", "storing"])
def test_staff_may_charge_part_of_the_hold_once_heygen_bills(owner, status):
    video = staff_actions.cancel_by_staff(make_video(owner, status), by=BY, charge=2)
    assert (fresh(video).credits_charged, money_of(owner)) == (2, Money(balance=28, charges=1))


@pytest.mark.parametrize("status", ["queued", "submitting"])
def test_staff_charge_nothing_before_heygen_has_the_order(owner, status):
    assert "nothing may be charged" in refused(staff_actions.cancel_by_staff, make_video(owner, status), charge=1)


@pytest.mark.parametrize("charge", [-1, 1000])
def test_staff_charge_no_more_than_the_hold(owner, charge):
    video = make_video(owner, "rendering")
    assert f"Between 0 and {video.credits_held}" in refused(staff_actions.cancel_by_staff, video, charge=charge)


@pytest.mark.parametrize("status", sorted({*TERMINAL, Status.DRAFT}))
def test_a_video_that_is_not_being_made_cannot_be_canceled_by_staff(owner, status):
    assert f"is {status}" in refused(staff_actions.cancel_by_staff, make_video(owner, status))


# ── Complete by hand


def upload(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("ours.mp4", content, "video/mp4")


@pytest.mark.parametrize("status", ["rendering", "storing"])
def test_an_uploaded_file_completes_a_video_and_is_charged_by_its_length(owner, status):
    video = make_video(owner, status, due_at=seconds_from_now(-1))
    video = manual_file(video, tiny_mp4(3))
    assert (video.status, video.duration_seconds, video.credits_charged) == ("completed", Decimal(3), 3)
    assert (content_of(video), stored_files(video)) == (tiny_mp4(3), ["video.mp4"])
    assert charged_once(owner, video)


def manual_file(video: Video, content: bytes) -> Video:
    return fresh(manual_files.settle_completed(video, by=BY, file=upload(content)))


def test_render_times_ignore_an_uploaded_file(owner):
    assert manual_file(make_video(owner, "rendering"), tiny_mp4(3)).rendered_at is None


def test_the_history_names_the_staff_who_uploaded_a_file(owner):
    video = manual_file(make_video(owner, "rendering"), tiny_mp4(3))
    assert video.events.get(to_status="storing").detail == f"by {BY}"


@pytest.mark.parametrize("content", [b"", b"no film", tiny_mp4(3)[:-8]])
def test_an_upload_that_is_no_whole_mp4_is_refused(owner, content):
    refused(manual_files.settle_completed, make_video(owner, "storing"), ValidationFailed, file=upload(content))


def test_an_upload_beyond_the_size_limit_is_refused(owner, settings):
    settings.VIDEO_MAX_BYTES = 10
    refused(manual_files.settle_completed, make_video(owner, "storing"), ValidationFailed, file=upload(tiny_mp4(3)))


def test_an_upload_is_refused_while_a_worker_stores_the_video(owner):
    video = make_video(owner, "storing", due_at=seconds_from_now(20))
    refused(manual_files.settle_completed, video, file=upload(tiny_mp4(3)))
    assert stored_files(video) == []


@pytest.mark.parametrize("status", sorted({*EVERY} - {"rendering", "storing"}))
def test_an_upload_completes_only_a_video_that_heygen_has(owner, status):
    refused(manual_files.settle_completed, make_video(owner, status), file=upload(tiny_mp4(3)))


# ── Refund


def test_a_refund_of_a_video_returns_credits(owner):
    video = make_video(owner, "completed", duration=4)
    staff_actions.refund_by_staff(video, by=BY, credits=4, why="Lips out of step")
    entry = LedgerEntry.objects.get(kind=EntryKind.REFUND)
    assert (entry.credits, entry.description, entry.reference) == (4, "Lips out of step", video.money_reference)
    assert (money_of(owner).balance, CreditLot.objects.filter(source="refund").count()) == (30, 1)


def test_a_video_is_refunded_once(owner):
    video = make_video(owner, "completed", duration=4)
    staff_actions.refund_by_staff(video, by=BY, credits=4, why="First")
    assert refused(staff_actions.refund_by_staff, video, credits=4, why="Again") == "This video was refunded before."


def test_a_video_is_refunded_no_more_than_was_charged(owner):
    video = make_video(owner, "completed", duration=4)
    refused(staff_actions.refund_by_staff, video, Conflict, credits=5, why="All of it")


@pytest.mark.parametrize("credits", [0, -3])
def test_a_refund_of_no_credits_is_refused(owner, credits):
    refused(staff_actions.refund_by_staff, make_video(owner, "completed"), credits=credits, why="Nothing")


@pytest.mark.parametrize("status", sorted({*EVERY} - {"completed"}))
def test_a_video_that_was_not_charged_cannot_be_refunded(owner, status):
    refused(staff_actions.refund_by_staff, make_video(owner, status), credits=1, why="No")


def test_the_charge_of_a_canceled_video_may_be_refunded(owner):
    video = staff_actions.cancel_by_staff(make_video(owner, "rendering"), by=BY, charge=2)
    staff_actions.refund_by_staff(video, by=BY, credits=2, why="Kindness")
    assert money_of(owner) == Money(balance=30, charges=1)

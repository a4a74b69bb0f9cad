"""A queued video whose avatar or voice is not released to its account waits for staff and holds up no other."""

import pytest

from avatars.models import Avatar, Voice
from genvid.tests.asserts import data_of
from genvid.tests.factories import make_avatar, make_video
from videos.enums import Status
from videos.models import Video
from videos.pipeline import scheduler, submission, sweeper
from videos.queue.waiting_reasons import AWAITS_RELEASE, reasons

pytestmark = pytest.mark.django_db
WITHHELD = [
    {"is_private": True, "is_released": False},
    {"is_private": None},
]


def fresh(video: Video) -> Video:
    return Video.objects.get(pk=video.pk)


@pytest.mark.parametrize("model", [Avatar, Voice])
@pytest.mark.parametrize("fields", WITHHELD)
def test_a_queued_video_of_a_withheld_avatar_is_not_claimed_and_staff_see_why(owner, model, fields):
    video = make_video(owner)
    model.objects.update(**fields)
    assert scheduler.hand_out_slots() == 0
    sweeper.sweep_all()
    video = fresh(video)
    assert (video.status, video.waiting_reason) == (Status.QUEUED, AWAITS_RELEASE)
    assert video.credits_held > 0
    shown = data_of(owner.client.get(f"/api/v1/videos/{video.pk}"))
    assert (shown["waiting_for"], shown["eta_seconds"]) == ("staff", None)
    assert reasons([video]) == {video.pk: AWAITS_RELEASE}


def test_an_order_with_another_accounts_avatar_is_not_claimed(owner, outsider):
    video = make_video(owner)
    Avatar.objects.filter(pk=video.avatar_id).update(is_private=True, account=outsider.account)
    assert (scheduler.hand_out_slots(), fresh(video).status) == (0, Status.QUEUED)


def test_a_withheld_order_lets_the_others_of_its_account_pass(owner):
    withheld = make_video(owner, avatar=make_avatar())
    healthy = make_video(owner, avatar=make_avatar())
    Avatar.objects.filter(pk=withheld.avatar_id).update(**WITHHELD[0])
    scheduler.hand_out_slots()
    assert (fresh(withheld).status, fresh(healthy).status) == (Status.QUEUED, Status.SUBMITTING)


def test_a_withheld_order_goes_on_once_its_avatar_is_released(owner):
    video = make_video(owner)
    Avatar.objects.update(**WITHHELD[0])
    sweeper.sweep_all()
    Avatar.objects.update(is_released=True, account=owner.account)
    sweeper.sweep_all()
    assert fresh(video).waiting_reason == ""
    assert (scheduler.hand_out_slots(), fresh(video).status) == (1, Status.SUBMITTING)


def test_an_order_claimed_before_its_avatar_was_taken_back_is_never_sent(owner, heygen_double):
    video, sent = make_video(owner, Status.SUBMITTING), []
    heygen_double.create = lambda *args, **options: sent.append(options)
    Avatar.objects.update(**WITHHELD[0])
    submission.submit_video(str(video.pk))
    video = fresh(video)
    assert (video.status, video.waiting_reason, video.idempotency_key) == (Status.QUEUED, AWAITS_RELEASE, None)
    assert sent == []


def test_an_order_of_a_test_key_waits_for_the_release_of_its_avatar(owner, settings):
    settings.TEST_RENDERER_URL = "http://127.0.0.1:9"
    video = make_video(owner, is_test=True)
    Avatar.objects.update(**WITHHELD[0])
    assert (scheduler.hand_out_test_slots(), fresh(video).status) == (0, Status.QUEUED)

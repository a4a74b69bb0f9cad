"""Mails about finished and failed videos and batches to the user who ordered them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, User
from genvid.mail.models import QueuedMail
from genvid.tests.factories import Person, make_avatar, make_key, make_teammate, make_video, set_balance
from genvid.tests.mail import send_due_mail
from videos import settlement
from videos.batches import batch_actions
from videos.enums import Status
from videos.lifecycle import video_actions
from videos.models import Video
from videos.tests.batches import BATCHES, fail_video, make_batch, payload_for, videos_of

pytestmark = pytest.mark.django_db
MESSAGE = "The render was lost at the video service. Nothing was charged."


@pytest.fixture(autouse=True)
def site(settings):
    settings.PUBLIC_URL = "https://genvid.example"


def kinds() -> list[str]:
    """The kinds of the queued mails about videos."""
    return list(QueuedMail.objects.filter(kind__startswith="videos.").order_by("pk").values_list("kind", flat=True))


def fail(video: Video, message: str = MESSAGE) -> None:
    settlement.fail_video(
        video, code="render_lost", message=message, retryable=True, reason="test", provider_error="sk_V2_x"
    )


@pytest.fixture
def sent(mailoutbox):
    """Send the due mails; returns those about videos and batches."""

    def sent() -> list:
        send_due_mail("videos.")
        return list(mailoutbox)

    return sent


# ── One video


def test_a_finished_video_is_mailed_to_the_user_who_ordered_it(owner, teammate, sent):
    video = make_video(teammate, "completed", title="Spring sale", duration="12.500")
    Video.objects.update(credits_charged=13, expires_at=datetime(2026, 5, 4, tzinfo=UTC))
    (mail,) = sent()
    assert (mail.to, mail.subject) == ([teammate.user.email], 'Your video "Spring sale" is ready')
    assert f"https://genvid.example/?video={video.pk}\n" in mail.body
    assert "It is 12.5 seconds long and cost 13 credits." in mail.body
    assert "It is kept until 04 May 2026." in mail.body
    (html,) = mail.alternatives
    assert f'href="https://genvid.example/?video={video.pk}"' in html.content


def test_a_failed_video_is_mailed_with_its_reason_and_that_nothing_was_charged(owner, sent):
    video = make_video(owner, title="Spring sale")
    fail(video)
    (mail,) = sent()
    assert (mail.to, mail.subject) == (["owner@example.com"], 'Your video "Spring sale" could not be made')
    assert (MESSAGE in mail.body, mail.body.count("Nothing was charged."), "sk_V2" in mail.body) == (True, 1, False)
    assert f"https://genvid.example/?video={video.pk}\n" in mail.body


def test_the_mail_of_a_failed_video_says_that_nothing_was_charged_whatever_its_reason(owner, sent):
    fail(make_video(owner), "The script was refused.")
    (mail,) = sent()
    assert mail.body.startswith("Your video could not be made. The script was refused.\n\nNothing was charged. It may")


def test_a_video_mail_is_in_the_language_of_the_user(owner, sent):
    User.objects.update(preferred_language="de")
    make_video(owner, "completed", title="Aktion", duration="12.500")
    (mail,) = sent()
    assert (mail.subject, "Es ist 12,5 Sekunden lang" in mail.body) == ('Ihr Video "Aktion" ist fertig', True)


def test_a_title_in_a_mail_is_one_line_without_links_and_escaped(owner, sent):
    make_video(owner, "completed", title='<b>"\r\nBcc: a@evil.example')
    (mail,) = sent()
    assert mail.subject == 'Your video "<b>" Bcc: a@evil. example" is ready'
    assert "<b>" not in mail.alternatives[0].content


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_a_user_without_email_notifications_gets_no_video_mail(owner, sent, status):
    User.objects.update(email_notifications=False)
    make_video(owner, status)
    assert (sent(), kinds()) == ([], [])


def test_a_user_who_turns_notifications_off_before_sending_gets_no_video_mail(owner, sent):
    make_video(owner, "completed")
    User.objects.update(email_notifications=False)
    assert sent() == []


def test_a_canceled_video_is_not_mailed(owner):
    video_actions.cancel_by_client(make_video(owner))
    assert kinds() == []


def test_a_video_that_was_ordered_with_an_api_key_is_not_mailed(owner):
    video = make_video(owner, api_key=make_key(owner).key)
    fail(Video.objects.get(pk=video.pk))
    assert (Video.objects.get().status, kinds()) == ("failed", [])


def test_a_video_that_is_settled_twice_is_mailed_once(owner):
    video = make_video(owner, "completed")
    assert settlement.complete_video(video, duration=Decimal("2.5")) is False
    assert settlement.fail_video(video, code="x", message="X", retryable=True, reason="test") is False
    assert kinds() == ["videos.video_ready"]


@pytest.mark.django_db(transaction=True)
def test_a_settlement_that_is_rolled_back_mails_nothing(owner):
    video = make_video(owner)
    with pytest.raises(RuntimeError), transaction.atomic():
        fail(video)
        assert kinds() == ["videos.video_failed"]
        raise RuntimeError
    assert (Video.objects.get().status, kinds()) == ("queued", [])


# ── What has changed by the time of sending


def deactivate(person: Person) -> None:
    User.objects.filter(pk=person.user.pk).update(is_active=False)


def leave(person: Person) -> None:
    Membership.objects.filter(user=person.user).delete()


def delete_video(person: Person) -> None:
    Video.objects.update(deleted_at=timezone.now())


def retry_video(person: Person) -> None:
    Video.objects.update(status=Status.QUEUED, submitted_at=None, completed_at=None)


@pytest.mark.parametrize("change", [deactivate, leave, delete_video, retry_video])
@pytest.mark.parametrize("status", ["completed", "failed"])
def test_a_video_mail_that_is_no_longer_true_is_not_sent(owner, sent, status, change):
    person = make_teammate(owner)
    make_video(person, status)
    change(person)
    assert (sent(), kinds()) == ([], [])


def test_the_video_of_an_erased_user_is_not_mailed(owner):
    video = make_video(owner)
    Video.objects.update(created_by=None)
    fail(Video.objects.get(pk=video.pk))
    assert kinds() == []


# ── Batches


@pytest.fixture
def batch(owner):
    set_balance(owner, 100)
    return make_batch(owner, payload_for(make_avatar()))


def complete(video: Video) -> None:
    fields = {"file": "videos/x.mp4", "thumbnail": "", "subtitles": ""}
    for status in (Status.SUBMITTING, Status.RENDERING, Status.STORING):
        assert video.move(status, reason="test")
    assert settlement.complete_video(video, duration=Decimal("2.5"), **fields)


def test_a_batch_is_mailed_once_at_its_end_and_its_videos_are_not(owner, batch, sent):
    first, second, third = videos_of(batch)
    complete(first)
    complete(second)
    assert kinds() == []
    fail_video(third)
    assert kinds() == ["videos.batch_finished"]
    (mail,) = sent()
    assert mail.to == ["owner@example.com"]
    assert "of 3 videos is finished: 2 ready, 1 failed. What failed was not charged." in mail.body


def test_a_batch_that_is_canceled_whole_is_not_mailed(batch, sent):
    batch_actions.cancel_remaining(str(batch.pk))
    settlement.cancel_waiting(videos_of(batch), reason="test")
    assert (sent(), kinds()) == ([], [])


def test_a_canceled_batch_with_a_completed_video_is_mailed(batch, sent):
    first, *others = videos_of(batch)
    complete(first)
    settlement.cancel_waiting(others, reason="test")
    (mail,) = sent()
    assert "1 ready, 0 failed" in mail.body


def test_a_batch_that_was_ordered_with_an_api_key_is_not_mailed(owner):
    set_balance(owner, 100)
    program = make_key(owner)
    program.client.post(BATCHES, payload_for(make_avatar()))
    for video in Video.objects.all():
        fail_video(video)
    assert (Video.objects.filter(status="failed").count(), kinds()) == (3, [])


def test_a_user_without_email_notifications_gets_no_batch_mail(batch, sent):
    User.objects.update(email_notifications=False)
    for video in videos_of(batch):
        fail_video(video)
    assert (sent(), kinds()) == ([], [])

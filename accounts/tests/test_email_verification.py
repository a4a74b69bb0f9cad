import re
from datetime import timedelta

import pytest
import time_machine
from django.core import signing
from django.utils import timezone

from accounts.auth.email_verification import verification_token
from accounts.models import AuditEntry, User
from genvid.mail.models import QueuedMail
from genvid.tests.asserts import data_of, nothing_changes, refusal_of
from genvid.tests.factories import PASSWORD, make_video
from genvid.tests.mail import send_due_mail
from videos.models import Video

pytestmark = pytest.mark.django_db
VERIFY, RESEND = "/api/v1/auth/email/verify", "/api/v1/auth/email/verification"


def mailed_token(message) -> str:
    found = re.search(r"\?verify=(\S+)", message.body)
    assert found, message.body
    return found[1]


def test_registration_mails_a_verification_link(anonymous, mailoutbox, work_at_once, settings):
    settings.PUBLIC_URL = "https://genvid.example"
    with work_at_once():
        anonymous.post("/api/v1/auth/register", {"email": "ada@example.com", "password": PASSWORD})
    assert [message.to for message in mailoutbox] == [["ada@example.com"]]
    assert "https://genvid.example/?verify=" in mailoutbox[0].body


def test_the_mailed_token_verifies_the_address(owner, anonymous, mailoutbox):
    send_due_mail()
    data = data_of(anonymous.post(VERIFY, {"token": mailed_token(mailoutbox[0])}))
    assert data == {"email": "owner@example.com", "email_verified": True}
    assert data_of(owner.client.get("/api/v1/profile"))["email_verified"] is True


def test_verification_token_works_once(owner, anonymous):
    token = verification_token(owner.user)
    anonymous.post(VERIFY, {"token": token})
    with nothing_changes():
        assert refusal_of(anonymous.post(VERIFY, {"token": token})) == (401, "token_invalid")


def test_verification_token_is_valid_for_a_day(owner, anonymous):
    token = verification_token(owner.user)
    with time_machine.travel(timedelta(hours=23, minutes=59)):
        assert anonymous.post(VERIFY, {"token": token}).status_code == 200


def test_verification_token_expires_after_a_day(owner, anonymous):
    token = verification_token(owner.user)
    with time_machine.travel(timedelta(hours=24, seconds=2)), nothing_changes():
        assert refusal_of(anonymous.post(VERIFY, {"token": token})) == (401, "token_invalid")


def test_verification_token_of_a_former_address_is_refused(owner, anonymous):
    token = verification_token(owner.user)
    User.objects.update(email="new@example.com")
    with nothing_changes():
        assert refusal_of(anonymous.post(VERIFY, {"token": token})) == (401, "token_invalid")


def test_verification_token_verifies_only_its_user(owner, outsider, anonymous):
    anonymous.post(VERIFY, {"token": verification_token(owner.user)})
    verified = User.objects.filter(email_verified_at__isnull=False)
    assert [user.email for user in verified] == ["owner@example.com"]


def test_token_signed_for_another_purpose_does_not_verify(owner, anonymous):
    token = signing.dumps({"user": str(owner.user.pk), "email": owner.user.email}, salt="something else")
    with nothing_changes():
        assert refusal_of(anonymous.post(VERIFY, {"token": token})) == (401, "token_invalid")


@pytest.mark.parametrize("token", ["x", "a:b:c", "é", "eyJ9:1:2"])
def test_malformed_verification_token_is_refused(owner, anonymous, token):
    with nothing_changes():
        assert refusal_of(anonymous.post(VERIFY, {"token": token})) == (401, "token_invalid")


def test_verification_link_is_mailed_again_on_request(owner, mailoutbox, work_at_once):
    with work_at_once():
        assert owner.client.post(RESEND).status_code == 202
    assert [message.to for message in mailoutbox] == [["owner@example.com"]]


def test_verified_address_gets_no_verification_mail(owner, mailoutbox, work_at_once):
    User.objects.update(email_verified_at=timezone.now())
    with work_at_once():
        assert owner.client.post(RESEND).status_code == 202
    assert mailoutbox == []


def test_address_verified_meanwhile_gets_no_verification_mail(owner, mailoutbox):
    User.objects.update(email_verified_at=timezone.now())
    send_due_mail()
    assert (mailoutbox, QueuedMail.objects.count()) == ([], 0)


def test_verification_link_is_sent_later_when_the_broker_is_down(anonymous, mailoutbox, dead_broker):
    anonymous.post("/api/v1/auth/register", {"email": "ada@example.com", "password": PASSWORD})
    send_due_mail()
    assert [message.to for message in mailoutbox] == [["ada@example.com"]]


def test_verification_mails_to_one_mailbox_are_limited(owner, mailoutbox, work_at_once):
    with work_at_once():
        answers = [owner.client.post(RESEND).status_code for _ in range(5)]
    assert (answers, len(mailoutbox)) == ([202] * 5, 3)


def test_email_verification_is_audited(owner, anonymous):
    anonymous.post(VERIFY, {"token": verification_token(owner.user)})
    entry = AuditEntry.objects.get(act="user.email_verified")
    assert (entry.user, entry.account) == (owner.user, owner.account)


def test_requesting_a_verification_mail_needs_a_token(anonymous):
    assert refusal_of(anonymous.post(RESEND)) == (401, "not_authenticated")


@pytest.fixture
def strict(settings):
    settings.REQUIRE_VERIFIED_EMAIL = True


def test_unverified_user_cannot_create_a_video(owner, avatar, strict):
    with nothing_changes():
        response = owner.client.post("/api/v1/videos", {"script": "Hello.", "avatar_id": str(avatar.pk)})
    assert refusal_of(response) == (403, "email_not_verified")


def test_unverified_user_cannot_create_a_draft(owner, avatar, strict):
    body = {"script": "Hello.", "avatar_id": str(avatar.pk), "draft": True}
    with nothing_changes():
        assert refusal_of(owner.client.post("/api/v1/videos", body)) == (403, "email_not_verified")


@pytest.mark.parametrize(("status", "action"), [("draft", "generate"), ("canceled", "retry")])
def test_unverified_user_cannot_start_a_video_by_an_action(owner, strict, status, action):
    video = make_video(owner, status)
    with nothing_changes():
        response = owner.client.post(f"/api/v1/videos/{video.pk}/{action}")
    assert refusal_of(response) == (403, "email_not_verified")


def test_unverified_user_may_request_a_quote(owner, avatar, strict):
    body = {"script": "Hello.", "avatar_id": str(avatar.pk)}
    assert owner.client.post("/api/v1/videos/quote", body).status_code == 200


def test_verified_user_can_create_videos(owner, anonymous, avatar, strict):
    anonymous.post(VERIFY, {"token": verification_token(owner.user)})
    owner.client.post("/api/v1/videos", {"script": "Hello.", "avatar_id": str(avatar.pk)})
    assert Video.objects.count() == 1

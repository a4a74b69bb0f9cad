"""Mail jobs of the previous release put their mails into the outbox."""

import pytest

from accounts import jobs
from accounts.auth import totp
from accounts.models import WebhookEndpoint
from genvid.mail.models import QueuedMail
from genvid.tests.factories import make_endpoint, make_invitation
from genvid.tests.jobs import run_job

pytestmark = pytest.mark.django_db


def queued_by(job, *ids) -> list[dict]:
    """Mails in the outbox after a run of `job`."""
    QueuedMail.objects.all().delete()
    run_job(job, *map(str, ids))
    return list(QueuedMail.objects.values("kind", "person", "account", "address", "data"))


def mail(kind: str, *, person=None, account=None, address: str = "", **data) -> dict:
    return {"kind": f"accounts.{kind}", "person": person, "account": account, "address": address, "data": data}


def test_former_jobs_of_mails_to_a_person_fill_the_outbox(owner):
    user = owner.user.pk
    assert queued_by(jobs.SEND_VERIFICATION_EMAIL, user) == [mail("verification", person=user)]
    assert queued_by(jobs.SEND_PASSWORD_CHANGED_EMAIL, user) == [mail("password_changed", person=user)]
    assert queued_by(jobs.SEND_TOTP_EMAIL, user) == [mail("totp_changed", person=user, is_on=False)]
    totp.enroll_by_operator(owner.user)
    assert queued_by(jobs.SEND_TOTP_EMAIL, user) == [mail("totp_changed", person=user, is_on=True)]


def test_former_job_of_a_password_reset_fills_the_outbox(db):
    given = "nobody@example.com"
    assert queued_by(jobs.SEND_PASSWORD_RESET_EMAIL, given) == [mail("password_reset", address=given)]


def test_former_jobs_of_team_mails_fill_the_outbox(owner, teammate):
    ids = {"person": teammate.user.pk, "account": owner.account.pk}
    assert queued_by(jobs.SEND_REMOVED_EMAIL, *ids.values()) == [mail("member_removed", **ids)]
    assert queued_by(jobs.SEND_NEW_OWNER_EMAIL, *ids.values()) == [mail("new_owner", **ids)]


def test_former_job_of_an_invitation_fills_the_outbox(owner):
    invitation = make_invitation(owner, email="new@example.com")
    expected = mail("invitation", account=owner.account.pk, address="new@example.com", invitation=str(invitation.pk))
    assert queued_by(jobs.SEND_INVITATION_EMAIL, invitation.pk) == [expected]
    pk = invitation.pk
    invitation.delete()
    assert queued_by(jobs.SEND_INVITATION_EMAIL, pk) == []


def test_former_job_of_a_disabled_endpoint_fills_the_outbox(owner):
    endpoint = make_endpoint(owner)
    WebhookEndpoint.objects.update(enabled=False, disabled_reason="gone")
    expected = mail("endpoint_off", account=owner.account.pk, endpoint=str(endpoint.pk))
    assert queued_by(jobs.SEND_ENDPOINT_OFF_EMAIL, endpoint.pk) == [expected]
    assert queued_by(jobs.SEND_ENDPOINT_OFF_EMAIL, endpoint.pk) == []

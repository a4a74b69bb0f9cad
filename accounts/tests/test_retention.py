"""Retention periods of accounts, as stated in docs/privacy.md."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import audit_log, jobs
from accounts.enums import AuditAct, Role
from accounts.models import AuditEntry, Delivery, IdempotencyRecord, Invitation, OutgoingEvent, Session
from accounts.webhooks.outgoing_events import publish
from genvid import batched_rows
from genvid.tests.factories import make_endpoint, sign_in
from genvid.tests.jobs import run_job

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def ago(days: float) -> dict[str, object]:
    """Two times: one minute past the retention and one minute within it."""
    then = timezone.now() - timedelta(days=days)
    return {"old": then - MINUTE, "young": then + MINUTE}


def test_idempotency_records_are_deleted_after_a_day(owner):
    for key, moment in ago(1).items():
        IdempotencyRecord.objects.create(account=owner.account, key=key, claimed_at=moment, created_at=moment)
    run_job(jobs.PURGE)
    assert [each.key for each in IdempotencyRecord.objects.all()] == ["young"]


@pytest.mark.parametrize("end", ["expires_at", "revoked_at"])
def test_sessions_are_deleted_thirty_days_after_their_end(owner, end):
    kept = set()
    for age, moment in ago(30).items():
        session = Session.objects.get(pk=sign_in(owner.user.email).caller.session_id)
        Session.objects.filter(pk=session.pk).update(**{end: moment})
        kept |= {session.pk} if age == "young" else set()
    run_job(jobs.PURGE)
    assert set(Session.objects.exclude(pk=owner.caller.session_id).values_list("pk", flat=True)) == kept


def test_events_with_deliveries_are_deleted_after_thirty_days(owner):
    make_endpoint(owner)
    for name, moment in ago(30).items():
        publish(owner.account.pk, "video.queued", {"script": "Hi"}, object_id=name)
        OutgoingEvent.objects.filter(object_id=name).update(created_at=moment)
    run_job(jobs.PURGE)
    assert [each.event.object_id for each in Delivery.objects.select_related("event")] == ["young"]


def test_audit_entries_are_deleted_after_thirteen_months(owner):
    AuditEntry.objects.all().delete()
    for moment in ago(400).values():
        audit_log.record_by(owner.caller, AuditAct.KEY_CREATED)
        AuditEntry.objects.filter(created_at__gt=timezone.now() - MINUTE).update(created_at=moment)
    run_job(jobs.PURGE)
    assert AuditEntry.objects.count() == 1


def test_expired_invitations_are_deleted(owner):
    for name, moment in ago(0).items():
        facts = {"email": f"{name}@example.com", "role": Role.MEMBER, "expires_at": moment}
        Invitation.objects.create(account=owner.account, **facts)
    run_job(jobs.PURGE)
    assert [each.email for each in Invitation.objects.all()] == ["young@example.com"]


def test_rows_are_deleted_in_batches(owner, monkeypatch):
    monkeypatch.setattr(batched_rows, "BATCH_SIZE", 2)
    for number in range(5):
        facts = {"key": str(number), "claimed_at": timezone.now(), "fingerprint": ""}
        IdempotencyRecord.objects.create(account=owner.account, **facts)
    rows = IdempotencyRecord.objects.all()
    assert (batched_rows.delete_in_batches(rows), rows.count()) == (5, 0)

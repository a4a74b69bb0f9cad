"""Background work of this room."""

from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts.models import IdempotencyRecord, Session, User

KEEP_IDEMPOTENCY = timedelta(hours=24)
KEEP_ENDED_SESSIONS = timedelta(days=30)


@shared_task(name="accounts.send_verification_email", autoretry_for=(OSError,), retry_backoff=30, max_retries=5)
def send_verification_email(user_id: str) -> None:
    from accounts.mail import send_verification  # the allowed knot: services import tasks
    from accounts.services import verification_token

    user = User.objects.filter(pk=user_id, email_verified_at=None).first()
    if user is not None:
        send_verification(user, verification_token(user))


# A message that waited so long is worthless: the sweep has sent others.
@shared_task(name="accounts.deliver", expires=60)
def deliver(endpoint_id: str) -> None:
    from accounts.services import delivering  # the allowed knot: services import tasks

    delivering.work_lane(UUID(endpoint_id))


@shared_task(name="accounts.sweep_deliveries")
def sweep_deliveries() -> None:
    from accounts.services import delivering  # the allowed knot

    delivering.sweep()


@shared_task(name="accounts.send_endpoint_off_email", autoretry_for=(OSError,), retry_backoff=30, max_retries=5)
def send_endpoint_off_email(endpoint_id: str) -> None:
    from accounts.services import delivering  # the allowed knot

    delivering.tell_owners(UUID(endpoint_id))


@shared_task(name="accounts.purge")
def purge() -> None:
    """Forget idempotency keys after 24 hours, sessions and webhooks after a month, audit entries after thirteen."""
    from accounts import audit  # the allowed knot
    from accounts.services import purging

    now = timezone.now()
    IdempotencyRecord.objects.filter(created_at__lt=now - KEEP_IDEMPOTENCY).delete()
    Session.objects.filter(expires_at__lt=now - KEEP_ENDED_SESSIONS).delete()
    purging.forget_webhooks()
    audit.forget_old()

"""Background work of this room."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts.models import Erasure, Export, User
from genvid.broker import enqueue

MOST_WOKEN = 100


@shared_task(name="accounts.send_verification_email", autoretry_for=(OSError,), retry_backoff=30, max_retries=5)
def send_verification_email(user_id: str) -> None:
    from accounts.mail import send_verification  # the allowed knot: services import tasks
    from accounts.services import verification_token

    user = User.objects.filter(pk=user_id, email_verified_at=None).first()
    if user is not None:
        send_verification(user, verification_token(user))


@shared_task(name="accounts.send_invitation_email", autoretry_for=(OSError,), retry_backoff=30, max_retries=5)
def send_invitation_email(invitation_id: str) -> None:
    from accounts.services.teams import telling  # the allowed knot

    telling.invited(UUID(invitation_id))


@shared_task(name="accounts.send_removed_email", autoretry_for=(OSError,), retry_backoff=30, max_retries=5)
def send_removed_email(user_id: str, account_id: str) -> None:
    from accounts.services.teams import telling  # the allowed knot

    telling.removed(UUID(user_id), UUID(account_id))


@shared_task(name="accounts.send_new_owner_email", autoretry_for=(OSError,), retry_backoff=30, max_retries=5)
def send_new_owner_email(user_id: str, account_id: str) -> None:
    from accounts.services.teams import telling  # the allowed knot

    telling.made_owner(UUID(user_id), UUID(account_id))


@shared_task(name="accounts.send_password_reset_email", autoretry_for=(OSError,), retry_backoff=30, max_retries=5)
def send_password_reset_email(email: str) -> None:
    """To nobody where there is no such person: only here it is looked up, where no stranger can time it."""
    from accounts.mail import send_password_reset  # the allowed knot: services import tasks
    from accounts.services.passwords import reset_token

    user = User.objects.filter(email=email, is_active=True).first()
    if user is not None:
        send_password_reset(user, reset_token(user))


@shared_task(name="accounts.send_password_changed_email", autoretry_for=(OSError,), retry_backoff=30, max_retries=5)
def send_password_changed_email(user_id: str) -> None:
    from accounts.mail import send_password_changed  # the allowed knot

    send_password_changed(User.objects.get(pk=user_id))


@shared_task(name="accounts.send_totp_email", autoretry_for=(OSError,), retry_backoff=30, max_retries=5)
def send_totp_email(user_id: str) -> None:
    from accounts.mail import send_totp_changed  # the allowed knot
    from accounts.services.totp import authenticator_of

    user = User.objects.get(pk=user_id)
    send_totp_changed(user, is_on=authenticator_of(user) is not None)


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

    purging.forget_answers()
    purging.forget_ended_sessions()
    purging.forget_networks()
    purging.forget_webhooks()
    purging.forget_invitations()
    audit.forget_old()


@shared_task(name="accounts.work_on_export")
def work_on_export(export_id: str) -> None:
    from accounts.services import exporting  # the allowed knot: services import tasks

    exporting.work_on(export_id)


@shared_task(name="accounts.work_on_erasure")
def work_on_erasure(erasure_id: str) -> None:
    from accounts.services import erasing  # the allowed knot

    erasing.work_on(erasure_id)


@shared_task(name="accounts.sweep_privacy")
def sweep_privacy() -> None:
    """Exports and erasures that are due: a first step whose message was lost, and each that follows."""
    now = timezone.now()
    for model, task in ((Export, work_on_export), (Erasure, work_on_erasure)):
        for pk in model._default_manager.due(now).values_list("pk", flat=True)[:MOST_WOKEN]:
            enqueue(task, str(pk))

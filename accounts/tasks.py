"""Celery tasks of accounts. Each calls one service and may run twice and in parallel."""

from uuid import UUID

from celery import shared_task

from accounts import jobs
from accounts.auth import email_verification, passwords, totp
from accounts.privacy import due_requests, erasures, exports, retention
from accounts.teams import invitations, members
from accounts.webhooks import outgoing_delivery

# Mails are rows of `genvid.mail` now. These handle messages of the previous release; remove them with the next one.


@shared_task(name=jobs.SEND_VERIFICATION_EMAIL.name)
def send_verification_email(user_id: str) -> None:
    email_verification.mail_verification(UUID(user_id))


@shared_task(name=jobs.SEND_INVITATION_EMAIL.name)
def send_invitation_email(invitation_id: str) -> None:
    invitations.mail_invitation(UUID(invitation_id))


@shared_task(name=jobs.SEND_REMOVED_EMAIL.name)
def send_removed_email(user_id: str, account_id: str) -> None:
    members.mail_removal(UUID(user_id), UUID(account_id))


@shared_task(name=jobs.SEND_NEW_OWNER_EMAIL.name)
def send_new_owner_email(user_id: str, account_id: str) -> None:
    members.mail_new_owner(UUID(user_id), UUID(account_id))


@shared_task(name=jobs.SEND_PASSWORD_RESET_EMAIL.name)
def send_password_reset_email(email: str) -> None:
    passwords.mail_password_reset(email)


@shared_task(name=jobs.SEND_PASSWORD_CHANGED_EMAIL.name)
def send_password_changed_email(user_id: str) -> None:
    passwords.mail_password_changed(UUID(user_id))


@shared_task(name=jobs.SEND_TOTP_EMAIL.name)
def send_totp_email(user_id: str) -> None:
    totp.mail_current_totp_state(UUID(user_id))


@shared_task(name=jobs.SEND_ENDPOINT_OFF_EMAIL.name)
def send_endpoint_off_email(endpoint_id: str) -> None:
    outgoing_delivery.mail_owners_of_switched_off(UUID(endpoint_id))


@shared_task(name=jobs.DELIVER.name)
def deliver(endpoint_id: str) -> None:
    outgoing_delivery.deliver_next(UUID(endpoint_id))


@shared_task(name=jobs.SWEEP_DELIVERIES.name)
def sweep_deliveries() -> None:
    outgoing_delivery.sweep_deliveries()


@shared_task(name=jobs.WORK_ON_EXPORT.name)
def work_on_export(export_id: str) -> None:
    exports.run_export_step(export_id)


@shared_task(name=jobs.WORK_ON_ERASURE.name)
def work_on_erasure(erasure_id: str) -> None:
    erasures.run_erasure_step(erasure_id)


@shared_task(name=jobs.SWEEP_PRIVACY.name)
def sweep_privacy() -> None:
    due_requests.enqueue_due_steps()


@shared_task(name=jobs.PURGE.name)
def purge() -> None:
    retention.delete_expired()

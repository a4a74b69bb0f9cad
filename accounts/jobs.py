"""Background jobs of accounts; `accounts.tasks` runs them."""

from genvid.jobs import Job

# Only the previous release sends these: mails are rows of genvid.mail now.
SEND_VERIFICATION_EMAIL = Job("accounts.send_verification_email")
SEND_INVITATION_EMAIL = Job("accounts.send_invitation_email")
SEND_REMOVED_EMAIL = Job("accounts.send_removed_email")
SEND_NEW_OWNER_EMAIL = Job("accounts.send_new_owner_email")
SEND_PASSWORD_RESET_EMAIL = Job("accounts.send_password_reset_email")
SEND_PASSWORD_CHANGED_EMAIL = Job("accounts.send_password_changed_email")
SEND_TOTP_EMAIL = Job("accounts.send_totp_email")
SEND_ENDPOINT_OFF_EMAIL = Job("accounts.send_endpoint_off_email")
# An older message is useless: the sweep has sent another by then.
DELIVER = Job("accounts.deliver", queue="outgoing")
SWEEP_DELIVERIES = Job("accounts.sweep_deliveries", has_work="accounts.webhooks.outgoing_delivery.has_work")
WORK_ON_EXPORT = Job("accounts.work_on_export", queue="files")
WORK_ON_ERASURE = Job("accounts.work_on_erasure", queue="files")
SWEEP_PRIVACY = Job("accounts.sweep_privacy")
PURGE = Job("accounts.purge")

"""Choices for accounts: roles, scopes, audit actions, mail kinds, event types, statuses."""

from django.db.models import TextChoices


class Role(TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


class Invitable(TextChoices):
    """Roles that an invitation can give. A member becomes owner only by a role change or a transfer."""

    ADMIN = Role.ADMIN
    MEMBER = Role.MEMBER
    VIEWER = Role.VIEWER


class Scope(TextChoices):
    CATALOGUE_READ = "catalogue:read"
    VIDEOS_READ = "videos:read"
    VIDEOS_WRITE = "videos:write"
    UPLOADS_WRITE = "uploads:write"
    AVATARS_WRITE = "avatars:write"
    BILLING_READ = "billing:read"
    BILLING_WRITE = "billing:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    KEYS_MANAGE = "keys:manage"
    TEAM_READ = "team:read"
    TEAM_MANAGE = "team:manage"
    ACCOUNT_OWN = "account:own"
    AUDIT_READ = "audit:read"
    SELF = "self"


KEY_SCOPES = (
    Scope.CATALOGUE_READ,
    Scope.VIDEOS_READ,
    Scope.VIDEOS_WRITE,
    Scope.UPLOADS_WRITE,
    Scope.AVATARS_WRITE,
    Scope.BILLING_READ,
    Scope.BILLING_WRITE,
    Scope.WEBHOOKS_READ,
    Scope.WEBHOOKS_WRITE,
)
"""Scopes that an API key may have. Team, keys and account settings need a signed-in person."""


class KeyMode(TextChoices):
    """LIVE keys make paid videos; TEST keys make free, watermarked ones."""

    LIVE = "live"
    TEST = "test"


class Revocation(TextChoices):
    LOGOUT = "logout"
    REUSE = "reuse", "a refresh token was used twice"
    PASSWORD = "password", "the password changed"
    ERASURE = "erasure", "its person asked to be erased"
    MEMBERSHIP = "membership", "its person no longer belongs to the account"
    SWITCHED = "switched", "its person went on in another account"
    STAFF = "staff", "the operator's people ended it"


class AuditAct(TextChoices):
    REGISTERED = "user.registered"
    EMAIL_VERIFIED = "user.email_verified"
    SIGNED_IN = "session.started"
    SIGN_IN_REFUSED = "session.refused"
    SIGN_IN_THROTTLED = "session.throttled"
    SIGNED_OUT = "session.ended"
    ACCOUNT_SWITCHED = "session.switched"
    TOKEN_REUSED = "session.token_reused"  # noqa: S105 - the name of an action
    PASSWORD_CHANGED = "password.changed"  # noqa: S105
    PASSWORD_RESET = "password.reset"  # noqa: S105
    TOTP_ENABLED = "totp.enabled"
    TOTP_DISABLED = "totp.disabled"
    KEY_CREATED = "api_key.created"
    KEY_REVOKED = "api_key.revoked"
    INVITATION_SENT = "invitation.sent"
    INVITATION_REVOKED = "invitation.revoked"
    MEMBER_JOINED = "member.joined"
    ROLE_CHANGED = "member.role_changed"
    MEMBER_REMOVED = "member.removed"
    MEMBER_LEFT = "member.left"
    OWNERSHIP_TRANSFERRED = "account.ownership_transferred"
    ENDPOINT_CREATED = "webhook_endpoint.created"
    ENDPOINT_CHANGED = "webhook_endpoint.changed"
    ENDPOINT_REMOVED = "webhook_endpoint.removed"
    SECRET_ROTATED = "webhook_endpoint.secret_rotated"  # noqa: S105
    CREDITS_ADJUSTED = "credits.adjusted"
    SIGNUP_CREDITS_APPROVED = "credits.signup_approved"
    SIGNUP_CREDITS_DECLINED = "credits.signup_declined"
    TOP_UP_CHANGED = "billing.auto_top_up_changed"
    PAYMENT_REFUNDED = "billing.payment_refunded"
    EXPORT_REQUESTED = "profile.export_requested"
    ERASURE_REQUESTED = "profile.erasure_requested"
    ERASURE_WITHDRAWN = "profile.erasure_withdrawn"
    ERASED = "profile.erased"
    CATALOGUE_RELEASED = "catalogue.released"
    CATALOGUE_WITHDRAWN = "catalogue.withdrawn"
    CONSENT_GIVEN = "consent.given"
    CONSENT_REQUESTED = "consent.requested"
    CONSENT_CONFIRMED = "consent.confirmed"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    OWN_AVATAR_APPROVED = "staff.own_avatar_approved"
    OWN_AVATAR_REFUSED = "staff.own_avatar_refused"
    ACCESS_CHANGED = "staff.access_changed"
    RECORD_ADDED = "staff.record_added"
    RECORD_CHANGED = "staff.record_changed"
    RECORD_REMOVED = "staff.record_removed"
    VIDEO_ACTION = "staff.video_action"
    ORDERS_PAUSED = "staff.orders_paused"
    ORDERS_RESUMED = "staff.orders_resumed"
    GATE_OPENED = "staff.gate_opened"
    WORKER_DRAINED = "staff.worker_drained"
    STAFF_CREDITS_ADJUSTED = "staff.credits_adjusted"
    STAFF_CREDITS_REQUESTED = "staff.credits_requested"
    STAFF_CREDITS_DECLINED = "staff.credits_declined"
    STAFF_PAYMENT_REFUNDED = "staff.payment_refunded"
    STAFF_SESSIONS_ENDED = "staff.sessions_ended"
    STAFF_KEY_REVOKED = "staff.api_key_revoked"
    STAFF_DELIVERY_RESENT = "staff.delivery_resent"
    STAFF_TEXT_ALLOWED = "staff.text_allowed"
    STAFF_TEXT_REFUSED = "staff.text_refused"
    STAFF_STRICTNESS_CHANGED = "staff.strictness_changed"
    STAFF_SLOWDOWN_ENDED = "staff.slowdown_ended"
    STAFF_UPLOAD_DELETED = "staff.upload_deleted"


class MailKind(TextChoices):
    VERIFICATION = "accounts.verification"
    PASSWORD_RESET = "accounts.password_reset"  # noqa: S105 - the name of a mail
    PASSWORD_CHANGED = "accounts.password_changed"  # noqa: S105
    TOTP_CHANGED = "accounts.totp_changed"
    ENDPOINT_OFF = "accounts.endpoint_off"
    INVITATION = "accounts.invitation"
    MEMBER_REMOVED = "accounts.member_removed"
    NEW_OWNER = "accounts.new_owner"
    EXPORT_READY = "accounts.export_ready"
    ERASURE_PLANNED = "accounts.erasure_planned"
    ERASURE_WITHDRAWN = "accounts.erasure_withdrawn"
    ACCESS_CHANGED = "accounts.access_changed"
    TEXT_REVIEWED = "accounts.text_reviewed"


ALL_EVENTS = "*"
"""Subscribes an endpoint to every event type, including ones added later."""


class EventType(TextChoices):
    VIDEO_QUEUED = "video.queued"
    VIDEO_PROCESSING = "video.processing"
    VIDEO_COMPLETED = "video.completed"
    VIDEO_FAILED = "video.failed"
    VIDEO_CANCELED = "video.canceled"
    VIDEO_EXPIRING = "video.expiring"
    BATCH_COMPLETED = "batch.completed"
    AVATAR_READY = "avatar.ready"
    AVATAR_FAILED = "avatar.failed"
    VOICE_READY = "voice.ready"
    VOICE_FAILED = "voice.failed"
    CREDITS_LOW = "credits.low"
    PAYMENT_SUCCEEDED = "payment.succeeded"
    PAYMENT_REFUNDED = "payment.refunded"
    PING = "ping"


class DeliveryStatus(TextChoices):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Health(TextChoices):
    """Health of a webhook endpoint by its last answer; POOR ones share a limited number of workers."""

    NEW = "new", "never tried"
    GOOD = "good", "good and fast"
    POOR = "poor", "bad, slow or missing"


class SwitchedOff(TextChoices):
    GONE = "gone", "it answered 410 Gone"
    FAILING = "failing", "it failed for three days"


class ExportStatus(TextChoices):
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class ErasureStatus(TextChoices):
    """WAITING during the grace period, in which signing in withdraws the erasure."""

    WAITING = "waiting"
    ERASING = "erasing"
    DONE = "done"
    WITHDRAWN = "withdrawn"


OPEN_ERASURES = frozenset({ErasureStatus.WAITING, ErasureStatus.ERASING})


class RuleKind(TextChoices):
    WORD = "word"
    PATTERN = "pattern"


class Outcome(TextChoices):
    """What becomes of a text that a rule or the outside service stops."""

    REFUSE = "refuse"
    REVIEW = "review"


class Strictness(TextChoices):
    """OFF: the texts of that account are not checked at all."""

    OFF = "off"
    STANDARD = "standard"
    STRICT = "strict"


class ReviewState(TextChoices):
    WAITING = "waiting"
    ALLOWED = "allowed"
    REFUSED = "refused"

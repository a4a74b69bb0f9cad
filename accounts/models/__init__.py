"""Models of accounts. Import them from here, not from the modules below."""

from accounts.models.access import ApiKey, IdempotencyRecord
from accounts.models.audit_log import AuditEntry, StaffAct
from accounts.models.moderation import ModeratedAccount, ModerationRule, ReviewedText
from accounts.models.networks import KnownNetwork
from accounts.models.outgoing_webhooks import Delivery, DeliveryAttempt, EventCounter, OutgoingEvent, WebhookEndpoint
from accounts.models.people import Account, Membership, Session, User
from accounts.models.privacy import Erasure, Export
from accounts.models.second_factor import Authenticator, RecoveryCode
from accounts.models.teams import Invitation

__all__ = [
    "Account",
    "ApiKey",
    "AuditEntry",
    "Authenticator",
    "Delivery",
    "DeliveryAttempt",
    "Erasure",
    "EventCounter",
    "Export",
    "IdempotencyRecord",
    "Invitation",
    "KnownNetwork",
    "Membership",
    "ModeratedAccount",
    "ModerationRule",
    "OutgoingEvent",
    "RecoveryCode",
    "ReviewedText",
    "Session",
    "StaffAct",
    "User",
    "WebhookEndpoint",
]

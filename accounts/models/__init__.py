"""The rows of this room, one module a subject. Everybody imports the names below."""

from accounts.models.access import ApiKey, IdempotencyRecord
from accounts.models.audit import AuditEntry
from accounts.models.people import Account, Membership, Session, User
from accounts.models.webhooks import Delivery, DeliveryAttempt, EventCounter, OutgoingEvent, WebhookEndpoint

__all__ = [
    "Account",
    "ApiKey",
    "AuditEntry",
    "Delivery",
    "DeliveryAttempt",
    "EventCounter",
    "IdempotencyRecord",
    "Membership",
    "OutgoingEvent",
    "Session",
    "User",
    "WebhookEndpoint",
]

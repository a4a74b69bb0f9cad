from django.db import migrations
from django.db.models.functions import Now

from genvid.database_defaults import SetDatabaseDefaults


class Migration(migrations.Migration):
    # Each table is locked alone, for the moment of its own statement.
    atomic = False

    dependencies = [
        ("accounts", "0008_indexes"),
    ]

    operations = [
        SetDatabaseDefaults(
            {
                "Account": {
                    "created_at": Now(),
                },
                "ApiKey": {
                    "mode": "live",
                    "scopes": [],
                    "allowed_addresses": [],
                    "credits_used": 0,
                    "created_at": Now(),
                },
                "AuditEntry": {
                    "detail": {},
                    "user_agent": "",
                    "request_id": "",
                    "created_at": Now(),
                },
                "Authenticator": {
                    "name": "authenticator app",
                    "confirmed": False,
                    "last_step": -1,
                    "created_at": Now(),
                },
                "Delivery": {
                    "status": "pending",
                    "attempts_made": 0,
                    "urgent": False,
                    "next_attempt_at": Now(),
                    "created_at": Now(),
                },
                "DeliveryAttempt": {
                    "response_excerpt": "",
                    "error": "",
                },
                "Erasure": {
                    "tries": 0,
                    "waiting_reason": "",
                    "created_at": Now(),
                    "status": "waiting",
                    "accounts": [],
                },
                "EventCounter": {
                    "last": 0,
                },
                "Export": {
                    "tries": 0,
                    "waiting_reason": "",
                    "created_at": Now(),
                    "status": "pending",
                    "file": "",
                },
                "IdempotencyRecord": {
                    "created_at": Now(),
                },
                "Invitation": {
                    "sent_at": Now(),
                    "created_at": Now(),
                },
                "KnownNetwork": {
                    "last_used_at": Now(),
                },
                "Membership": {
                    "created_at": Now(),
                },
                "OutgoingEvent": {
                    "created_at": Now(),
                },
                "Session": {
                    "user_agent": "",
                    "created_at": Now(),
                    "last_used_at": Now(),
                    "revoked_reason": "",
                },
                "User": {
                    "full_name": "",
                    "company_name": "",
                    "preferred_language": "en",
                    "email_notifications": True,
                    "is_active": True,
                    "is_staff": False,
                    "created_at": Now(),
                },
                "WebhookEndpoint": {
                    "events": [],
                    "description": "",
                    "enabled": True,
                    "health": "new",
                    "failures": 0,
                    "disabled_reason": "",
                    "created_at": Now(),
                },
            }
        ),
    ]

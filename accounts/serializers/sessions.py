"""The shape of a sign-in."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from accounts.models import Session


class SessionAccountOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class SessionOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    account = SessionAccountOutput()
    address = serializers.IPAddressField(allow_null=True, help_text="Where it was last used from.")
    user_agent = serializers.CharField(allow_blank=True)
    current = serializers.BooleanField(help_text="Whether it is the one that asks.")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(help_text="When it last got new tokens.")
    expires_at = serializers.DateTimeField()


PLAIN = ("id", "address", "user_agent", "created_at", "last_used_at", "expires_at")


def session_data(session: Session, *, asking: UUID | None) -> dict[str, Any]:
    return {
        **{name: getattr(session, name) for name in PLAIN},
        "account": {"id": session.account_id, "name": session.account.name},
        "current": session.pk == asking,
    }

"""Serializer of a session."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from accounts.models import Session
from accounts.serializers.people import COMPANY_NAME
from genvid.api import serializers as api


class AddressField(api.Documented, serializers.IPAddressField):
    example = "203.0.113.7"


class SessionAccountOutput(api.OutputSerializer):
    id = api.IdField("account")
    name = api.TextField(example=COMPANY_NAME)


class SessionOutput(api.OutputSerializer):
    id = api.IdField()
    account = SessionAccountOutput()
    address = AddressField(allow_null=True, help_text="Where it was last used from.")
    user_agent = api.TextField(allow_blank=True, example="curl/8.5.0")
    current = api.FlagField(help_text="Whether it is the one that asks.")
    created_at = api.TimestampField()
    last_used_at = api.TimestampField(help_text="When it last got new tokens.")
    expires_at = api.TimestampField()


def session_data(session: Session, *, asking: UUID | None) -> dict[str, Any]:
    account = SessionAccountOutput.of(session.account)
    return SessionOutput.of(session, account=account, current=session.pk == asking)

"""Shapes of API keys."""

import ipaddress
from typing import Any

from rest_framework import serializers

from accounts import keys
from accounts.enums import KEY_SCOPES, KeyMode
from accounts.models import ApiKey
from accounts.spending import used_this_month
from genvid.api.serializers import (
    StrictCharField,
    StrictChoiceField,
    StrictDateTimeField,
    StrictIntegerField,
    StrictListField,
    StrictSerializer,
)

MOST_NETWORKS = 20
MOST_CREDITS = 2_000_000_000
SCOPES = [scope.value for scope in KEY_SCOPES]


class NetworkField(StrictCharField):
    """An address or a network, like "203.0.113.7" or "203.0.113.0/24"."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            return str(ipaddress.ip_network(text))
        except ValueError:
            raise serializers.ValidationError("Is neither an IP address nor a network like 203.0.113.0/24.") from None


class ApiKeyInput(StrictSerializer):
    name = StrictCharField(max_length=100)
    scopes = StrictListField(child=StrictChoiceField(choices=SCOPES), allow_empty=False, most=20)
    mode = StrictChoiceField(choices=KeyMode.choices, required=False, help_text="`test`: free, watermarked videos.")
    expires_at = StrictDateTimeField(required=False, allow_null=True)
    monthly_credit_limit = StrictIntegerField(min_value=1, max_value=MOST_CREDITS, required=False, allow_null=True)
    allowed_addresses = StrictListField(child=NetworkField(max_length=64), most=MOST_NETWORKS, required=False)


class ApiKeyOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="The part of the key that is no secret, to tell keys apart by.")
    mode = serializers.ChoiceField(choices=KeyMode.choices)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES))
    allowed_addresses = serializers.ListField(child=serializers.CharField())
    monthly_credit_limit = serializers.IntegerField(allow_null=True)
    credits_used_this_month = serializers.IntegerField(help_text="Held and charged, by calendar month (UTC).")
    created_by = serializers.UUIDField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="True to the minute.")
    created_at = serializers.DateTimeField()


class NewApiKeyOutput(ApiKeyOutput):
    key = serializers.CharField(help_text="The key itself, shown this once.")


PLAIN = (
    "id",
    "name",
    "mode",
    "scopes",
    "allowed_addresses",
    "monthly_credit_limit",
    "expires_at",
    "last_used_at",
    "created_at",
)


def key_data(key: ApiKey) -> dict[str, Any]:
    return {
        **{name: getattr(key, name) for name in PLAIN},
        "prefix": keys.shown(key.mode, key.prefix),
        "credits_used_this_month": used_this_month(key),
        "created_by": key.created_by_id,
    }

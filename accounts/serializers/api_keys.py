"""Serializers of API keys."""

import ipaddress
from typing import Any

from rest_framework import serializers

from accounts.api_keys import key_format
from accounts.api_keys.spending_limits import used_this_month
from accounts.enums import KEY_SCOPES, KeyMode
from accounts.models import ApiKey
from genvid.api import serializers as api

MAX_NETWORKS = 20
MAX_CREDITS = 2_000_000_000
NAME = "Automation"
SCOPES = [scope.value for scope in KEY_SCOPES]


class NetworkField(api.StrictCharField):
    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            return str(ipaddress.ip_network(text))
        except ValueError:
            raise serializers.ValidationError("Is neither an IP address nor a network like 203.0.113.0/24.") from None


class ApiKeyInput(api.StrictSerializer):
    name = api.StrictCharField(max_length=100, example=NAME)
    scopes = api.StrictListField(
        child=api.StrictChoiceField(choices=SCOPES), allow_empty=False, most=20, example=["videos:read", "videos:write"]
    )
    mode = api.StrictChoiceField(
        choices=KeyMode.choices, required=False, help_text="`test`: free, watermarked videos.", example="live"
    )
    expires_at = api.StrictDateTimeField(required=False, allow_null=True, example=api.EXAMPLE_TIME)
    monthly_credit_limit = api.StrictIntegerField(
        min_value=1, max_value=MAX_CREDITS, required=False, allow_null=True, example=500
    )
    allowed_addresses = api.StrictListField(
        child=NetworkField(max_length=64), most=MAX_NETWORKS, required=False, example=["203.0.113.0/24"]
    )


class ApiKeyOutput(api.OutputSerializer):
    id = api.IdField("api key")
    name = api.TextField(example=NAME)
    prefix = api.TextField(
        help_text="The part of the key that is no secret, to tell keys apart by.", example="gv_k3J9xQ2m"
    )
    mode = api.EnumField(KeyMode.choices)
    scopes = api.TextListField(child=api.EnumField(SCOPES), example=["videos:read", "videos:write"])
    allowed_addresses = api.TextListField(example=["203.0.113.0/24"])
    monthly_credit_limit = api.CreditsField(allow_null=True, example=500)
    credits_used_this_month = api.CreditsField(help_text="Held and charged, by calendar month (UTC).", example=42)
    created_by = api.IdField("person")
    expires_at = api.TimestampField(allow_null=True, example=api.EXAMPLE_TIME)
    last_used_at = api.TimestampField(allow_null=True, example=api.EXAMPLE_TIME, help_text="True to the minute.")
    created_at = api.TimestampField()


class NewApiKeyOutput(ApiKeyOutput):
    key = api.TextField(
        help_text="The key itself, shown this once.", example="gv_k3J9xQ2m_5Vn8pL0wZ4tR7yB1cD6fG9hJ2kM3nQ8s"
    )


def key_data(key: ApiKey) -> dict[str, Any]:
    return ApiKeyOutput.of(
        key,
        prefix=key_format.masked_key(key.mode, key.prefix),
        credits_used_this_month=used_this_month(key),
        created_by=key.created_by_id,
    )

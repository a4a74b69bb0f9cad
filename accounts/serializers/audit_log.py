"""Serializer of the audit log."""

from typing import Any

import django_filters

from accounts.enums import AuditAct
from accounts.models import AuditEntry
from genvid.api import serializers as api
from genvid.api.filters import GivenFilterSet, InstantFilter


class AuditFilter(GivenFilterSet):
    act = django_filters.ChoiceFilter(choices=AuditAct.choices, help_text="One act.")
    created_after = InstantFilter("created_at", lookup_expr="gt", help_text="ISO 8601.")
    created_before = InstantFilter("created_at", lookup_expr="lt", help_text="ISO 8601.")

    class Meta:
        model = AuditEntry
        fields: tuple[str, ...] = ()


class AuditEntryOutput(api.OutputSerializer):
    id = api.IdField()
    act = api.EnumField(AuditAct.choices)
    user_id = api.IdField("person", allow_null=True, help_text="Who did it; null once that person is erased.")
    api_key_id = api.IdField("api key", allow_null=True, help_text="The key that it was done with; null: none.")
    detail = api.TextDictField(help_text="What it was done to.", example={"name": "Automation"})
    by_staff = api.FlagField(help_text="The operator's people did it; where from is not told.", example=False)
    address = api.TextField(
        allow_null=True, help_text="The IP address that the request came from.", example="203.0.113.7"
    )
    user_agent = api.TextField(example="curl/8.5.0")
    request_id = api.TextField(example=api.EXAMPLE_REQUEST_ID)
    created_at = api.TimestampField()

    def to_representation(self, instance: Any) -> Any:
        shown: Any = super().to_representation(instance)
        return shown | {"address": None, "user_agent": ""} if instance.by_staff else shown

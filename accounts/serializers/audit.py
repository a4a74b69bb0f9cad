"""Shape of the audit log."""

from typing import Any

import django_filters
from rest_framework import serializers

from accounts.enums import AuditAct
from accounts.models import AuditEntry
from genvid.api.filters import InstantFilter


class AuditFilter(django_filters.FilterSet):
    act = django_filters.ChoiceFilter(choices=AuditAct.choices, help_text="One act.")
    created_after = InstantFilter("created_at", lookup_expr="gt", help_text="ISO 8601.")
    created_before = InstantFilter("created_at", lookup_expr="lt", help_text="ISO 8601.")

    class Meta:
        model = AuditEntry
        fields: tuple[str, ...] = ()


class AuditEntryOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    act = serializers.ChoiceField(choices=AuditAct.choices)
    user_id = serializers.UUIDField(allow_null=True, help_text="Who did it; null once that person is erased.")
    api_key_id = serializers.UUIDField(allow_null=True)
    detail = serializers.DictField(child=serializers.CharField(), help_text="What it was done to.")
    by_staff = serializers.BooleanField(help_text="The operator's people did it; where from is not told.")
    address = serializers.CharField(allow_null=True, help_text="The IP address that the request came from.")
    user_agent = serializers.CharField()
    request_id = serializers.CharField()
    created_at = serializers.DateTimeField()

    def to_representation(self, instance: Any) -> Any:
        """Where the operator's people work is none of a customer's business."""
        shown: Any = super().to_representation(instance)
        return shown | {"address": None, "user_agent": ""} if instance.by_staff else shown

"""The audit log of an account, for its owners."""

from collections.abc import Sequence
from typing import Any

from accounts.enums import Scope
from accounts.models import AuditEntry
from accounts.serializers.audit_log import AuditEntryOutput, AuditFilter
from accounts.viewsets import AccountViewSet
from genvid.api.endpoints import Endpoint
from genvid.api.viewsets import ListMixin


class AuditLogViewSet(ListMixin, AccountViewSet):
    tag = "Profile and team"
    queryset = AuditEntry.objects.all()
    endpoints = {
        "list": Endpoint(
            "list_audit_log",
            "List what was done that matters for security",
            scope=Scope.AUDIT_READ,
            response=AuditEntryOutput,
            many=True,
            filters=AuditFilter,
        ),
    }

    def represent(self, rows: Sequence[Any]) -> list[Any]:
        return list(AuditEntryOutput(rows, many=True).data)

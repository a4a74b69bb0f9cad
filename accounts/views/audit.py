"""The audit log of an account, for its owners."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.enums import Scope
from accounts.models import AuditEntry
from accounts.serializers.audit import AuditEntryOutput, AuditFilter
from genvid.api.filters import filter_parameters
from genvid.api.views import KeysetListView


class AuditLogView(KeysetListView):
    scopes: ClassVar = {"GET": Scope.AUDIT_READ}
    filterset_class = AuditFilter
    serializer_class = AuditEntryOutput

    @extend_schema(
        responses=AuditEntryOutput(many=True), operation_id="list_audit_log", parameters=filter_parameters(AuditFilter)
    )
    def get(self, request: Request) -> Response:
        return self.page(AuditEntry.objects.filter(account=caller_of(request).account_id))

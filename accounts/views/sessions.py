"""A person's sessions: `auth/sessions`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.auth import sessions
from accounts.enums import Scope
from accounts.serializers.sessions import SessionOutput, session_data
from accounts.viewsets import AccountViewSet
from genvid.api.endpoints import Endpoint
from genvid.api.viewsets import ListMixin


class SessionViewSet(ListMixin, AccountViewSet):
    tag = "Signing in"
    endpoints = {
        "list": Endpoint(
            "list_sessions", "List where you are signed in", scope=Scope.SELF, response=SessionOutput, many=True
        ),
        "destroy": Endpoint("end_session", scope=Scope.SELF),
        "destroy_all": Endpoint("end_all_sessions", scope=Scope.SELF),
    }

    def get_queryset(self) -> QuerySet[Any]:
        return sessions.active_sessions_of(self.caller.user_id).select_related("account")

    def represent(self, rows: Sequence[Any]) -> list[Any]:
        return [session_data(row, asking=self.caller.session_id) for row in rows]

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Sign out somewhere else."""
        sessions.end_session_by_id(self.caller, pk)
        return Response(status=204)

    def destroy_all(self, request: Request) -> Response:
        """Sign out everywhere.

        Signs out everywhere, here too.
        """
        sessions.end_all_sessions(self.caller)
        return Response(status=204)

"""A person's own sign-ins."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.enums import Scope
from accounts.serializers.sessions import SessionOutput, session_data
from accounts.services import sessions
from genvid.api.filters import PAGE_PARAMETERS
from genvid.api.views import KeysetListView, StrictAPIView


class SessionsView(KeysetListView):
    scopes: ClassVar = {"GET": Scope.SELF, "DELETE": Scope.SELF}

    @extend_schema(responses=SessionOutput(many=True), operation_id="list_sessions", parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        return self.page(sessions.living_sessions_of(caller_of(request).user_id).select_related("account"))

    @extend_schema(request=None, responses={204: None}, operation_id="end_all_sessions")
    def delete(self, request: Request) -> Response:
        """Signs out everywhere, here too."""
        sessions.end_all_of(caller_of(request))
        return Response(status=204)

    def represent(self, rows: list[Any]) -> list[Any]:
        asking = caller_of(self.request).session_id
        return [session_data(row, asking=asking) for row in rows]


class SessionView(StrictAPIView):
    scopes: ClassVar = {"DELETE": Scope.SELF}

    @extend_schema(request=None, responses={204: None}, operation_id="end_session")
    def delete(self, request: Request, pk: UUID) -> Response:
        sessions.end_one_of(caller_of(request), pk)
        return Response(status=204)

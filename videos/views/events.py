"""A video's history."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from genvid.api.filters import PAGE_PARAMETERS
from genvid.api.views import KeysetListView
from videos.enums import public
from videos.models import VideoEvent
from videos.serializers import EventOutput
from videos.views.common import SCOPES, one_of


class EventsView(KeysetListView):
    """A video's history, newest first, in the statuses that clients know."""

    scopes = SCOPES

    @extend_schema(responses=EventOutput(many=True), operation_id="list_video_events", parameters=PAGE_PARAMETERS)
    def get(self, request: Request, pk: UUID) -> Response:
        return self.page(VideoEvent.objects.filter(video=one_of(request, pk)))

    def represent(self, rows: list[Any]) -> list[Any]:
        return [
            {
                "id": event.pk,
                "from_status": public(event.from_status) or None,
                "to_status": public(event.to_status),
                "reason": event.reason,
                "created_at": event.created_at,
            }
            for event in rows
        ]

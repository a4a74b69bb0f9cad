"""A video's history, as a list or as a live stream of server-sent events: `videos/{id}/events`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from accounts.enums import Scope
from genvid.api.deferred import can_wait
from genvid.api.endpoints import Endpoint
from videos.enums import TERMINAL
from videos.models import Video, VideoEvent
from videos.representations import EventOutput
from videos.streaming import hub
from videos.views.base import RenderedViewSet

EVENT_STREAM = "text/event-stream"
LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID",
    location=OpenApiParameter.HEADER,
    description="Streams only: the id of the last event you have. For example `412`.",
)
STREAM = OpenApiResponse(
    OpenApiTypes.STR,
    examples=[
        OpenApiExample("A move", 'id: 412\nevent: status\ndata: {"id": 412, "to_status": "completed"}\n\n'),
    ],
)
NOTHING_MORE = OpenApiResponse(description="Streams only: nothing more can come.")


class VideoEventsMixin(RenderedViewSet):
    endpoints = {
        "events": Endpoint(
            "list_video_events",
            scope=Scope.VIDEOS_READ,
            response=EventOutput,
            many=True,
            status=(200, "application/json"),
            also={(200, EVENT_STREAM): STREAM, 204: NOTHING_MORE},
            parameters=(LAST_EVENT_ID,),
            errors=("overloaded",),
        ),
    }

    def allowed_query_params(self, request: Request) -> frozenset[str]:
        is_stream = self.action == "events" and wants_stream(request)
        return frozenset() if is_stream else super().allowed_query_params(request)

    @action(detail=True, methods=["get"])
    def events(self, request: Request, pk: UUID) -> HttpResponseBase:
        """Follow a video's history.

        The history, newest first.

        With `Accept: text/event-stream` it is a live stream of server-sent events, oldest first:

        - `status`, with an `id`: a move. Its data is a row of the history, and the video as it is now under `video`.
        - `progress`, without one: `{progress_percent, eta_seconds, queue_position, waiting_for}`, when one of them has
          changed.

        The stream ends after the video's last move. It may end sooner; ask again with the `id` of your last event as
        `Last-Event-ID`, and nothing is lost or told twice. When nothing more can come the answer is 204, on which an
        EventSource stops. Too many streams of one account: 429 `rate_limited`; of one server: 503 `overloaded`.
        """
        video = self.get_object()
        if wants_stream(request):
            answer = self._streamed(request, video)
        else:
            answer = self.page(VideoEvent.objects.filter(video=video), represent_events)
        answer["Vary"] = "Accept"
        return answer

    def _streamed(self, request: Request, video: Video) -> HttpResponseBase:
        known = list(VideoEvent.objects.filter(video=video).order_by("pk").values_list("pk", flat=True))
        seen = last_event_id(request, known)
        if video.status in TERMINAL and seen == known[-1]:
            return HttpResponse(status=204)
        if not can_wait(request) or request.method != "GET":
            return as_stream(HttpResponse(hub.full_history(video.pk, seen)))
        watcher = hub.Watcher(video.account_id, video.pk, seen)
        return as_stream(StreamingHttpResponse(hub.stream(watcher, self._may_watch)))

    def _may_watch(self) -> bool:
        try:
            self.get_object_again()
        except Exception:  # noqa: BLE001 - the client gets the reason when it reconnects
            return False
        return True


def represent_events(rows: Sequence[VideoEvent]) -> list[dict[str, Any]]:
    return [EventOutput.of(event) for event in rows]


def wants_stream(request: Request) -> bool:
    kinds = request.headers.get("Accept", "").split(",")
    return EVENT_STREAM in {kind.partition(";")[0].strip().lower() for kind in kinds}


def last_event_id(request: Request, known: list[int]) -> int:
    """The last event that the client has; 0, for the whole history, when it names no event of this video."""
    given = request.headers.get("Last-Event-ID", "").strip()
    return next((event_id for event_id in known if str(event_id) == given), 0)


def as_stream(answer: HttpResponseBase) -> HttpResponseBase:
    answer["Content-Type"] = EVENT_STREAM
    answer["Cache-Control"] = "no-cache, no-transform"
    # nginx would buffer the events.
    answer["X-Accel-Buffering"] = "no"
    return answer

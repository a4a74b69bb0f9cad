"""A video's history, as a list or as a live stream."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from genvid.api.filters import PAGE_PARAMETERS
from genvid.api.later import can_wait
from genvid.api.views import KeysetListView
from videos import news, streams
from videos.enums import TERMINAL
from videos.models import Video, VideoEvent
from videos.serializers import EventOutput
from videos.views.common import SCOPES, one_of

EVENT_STREAM = "text/event-stream"
LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID",
    location=OpenApiParameter.HEADER,
    description="Streams only: the id of the last event you have.",
)
NOTHING_MORE = OpenApiResponse(description="Streams only: nothing more can come.")
DESCRIPTION = """The history, newest first.

With `Accept: text/event-stream` it is a live stream of server-sent events, oldest first:

- `status`, with an `id`: a move. Its data is a row of the history, and the video as it is now under `video`.
- `progress`, without one: `{progress_percent, eta_seconds, queue_position}`, when one of them has changed.

The stream ends after the video's last move. It may end sooner; ask again with the `id` of your last event as
`Last-Event-ID`, and nothing is lost or told twice. When nothing more can come the answer is 204, on which an
EventSource stops. Too many streams of one account: 429 `rate_limited`; of one server: 503 `overloaded`."""


class EventsView(KeysetListView):
    scopes = SCOPES

    def allowed_query_params(self, request: Request) -> frozenset[str]:
        return frozenset() if wants_stream(request) else super().allowed_query_params(request)

    @extend_schema(
        responses={
            (200, "application/json"): EventOutput(many=True),
            (200, EVENT_STREAM): OpenApiTypes.STR,
            204: NOTHING_MORE,
        },
        operation_id="list_video_events",
        description=DESCRIPTION,
        parameters=[*PAGE_PARAMETERS, LAST_EVENT_ID],
    )
    def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        video = one_of(request, pk)
        answer = self.streamed(request, video) if wants_stream(request) else self.listed(video)
        answer["Vary"] = "Accept"
        return answer

    def listed(self, video: Video) -> Response:
        return self.page(VideoEvent.objects.filter(video=video))

    def represent(self, rows: list[Any]) -> list[Any]:
        return [news.event_data(event) for event in rows]

    def streamed(self, request: Request, video: Video) -> HttpResponseBase:
        known = list(VideoEvent.objects.filter(video=video).order_by("pk").values_list("pk", flat=True))
        heard = last_event_id(request, known)
        if video.status in TERMINAL and heard == known[-1]:
            return HttpResponse(status=204)
        if not can_wait(request) or request.method != "GET":
            return as_stream(HttpResponse(streams.whole_text(video.pk, heard)))
        watcher = streams.Watcher(video.account_id, video.pk, heard)
        return as_stream(StreamingHttpResponse(streams.stream(watcher, partial(self.may_watch, request, video.pk))))

    def may_watch(self, request: Request, pk: UUID) -> bool:
        """Whether the client of a running stream would still be let in, with the credentials it came with."""
        try:
            again = self.initialize_request(request._request)
            self.perform_authentication(again)
            self.check_permissions(again)
            one_of(again, pk)
        except Exception:  # noqa: BLE001 - whatever the reason: it is told when it comes again
            return False
        return True


def wants_stream(request: Request) -> bool:
    kinds = request.headers.get("Accept", "").split(",")
    return EVENT_STREAM in {kind.partition(";")[0].strip().lower() for kind in kinds}


def last_event_id(request: Request, known: list[int]) -> int:
    """What the client has heard last; 0, the whole history, when it names nothing that this video's stream has told."""
    given = request.headers.get("Last-Event-ID", "").strip()
    return next((event_id for event_id in known if str(event_id) == given), 0)


def as_stream(answer: HttpResponseBase) -> HttpResponseBase:
    answer["Content-Type"] = EVENT_STREAM
    answer["Cache-Control"] = "no-cache, no-transform"
    # nginx would hold the events back until a buffer is full.
    answer["X-Accel-Buffering"] = "no"
    return answer

"""Videos: quote, create, list, show, change, and what a client may ask of one."""

from dataclasses import asdict
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

import structlog
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.enums import Scope
from accounts.idempotency import IDEMPOTENCY_KEY, Effect, idempotent
from accounts.services import require_verified_email
from genvid.api.etags import IF_NONE_MATCH, UNCHANGED, with_etag
from genvid.api.filters import filter_parameters
from genvid.api.later import Later, can_wait
from genvid.api.pagination import KeysetPagination
from genvid.api.prefer import wanted_wait
from genvid.api.serializers import validated
from genvid.api.views import KeysetListView, StrictAPIView
from genvid.errors import Overloaded, RateLimited
from genvid.middleware import request_id_of
from videos import places, streams
from videos.enums import TERMINAL
from videos.filters import VideoFilter
from videos.models import Video
from videos.serializers import QuoteOutput, VideoCreateInput, VideoInput, VideoOutput, video_data
from videos.services import creating, deleting
from videos.views.common import SCOPES, data_of, one_of, videos_of

PREFER_WAIT = OpenApiParameter(
    "Prefer",
    location=OpenApiParameter.HEADER,
    description="`wait=n`: answer as soon as the video has ended, or after n seconds, at most 60, as it is then. "
    "`Preference-Applied` says how long the answer was ready to wait; without it, the server had no room to.",
)


class VideoPagination(KeysetPagination):
    def get_page_size(self, request: Request) -> int:
        """Who asks for certain videos gets them on one page, unless a limit is given."""
        ids = request.query_params.get("ids")
        asked = ids.count(",") + 1 if ids and "limit" not in request.query_params else 0
        return max(asked, super().get_page_size(request))


class VideosView(KeysetListView):
    scopes = SCOPES
    filterset_class = VideoFilter
    pagination_class = VideoPagination

    @extend_schema(
        responses={200: VideoOutput(many=True), 304: UNCHANGED},
        operation_id="list_videos",
        parameters=[*filter_parameters(VideoFilter), IF_NONE_MATCH],
    )
    def get(self, request: Request) -> Response:
        return with_etag(request, self.page(videos_of(request)))

    @extend_schema(
        request=VideoCreateInput,
        responses={201: VideoOutput},
        operation_id="create_video",
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent
    def post(self, request: Request) -> Effect:
        caller = caller_of(request)
        require_verified_email(caller.user_id)
        wish = validated(VideoCreateInput, request.data)
        return lambda: Response(data_of(creating.create(caller, **wish)), status=201)

    def represent(self, rows: list[Any]) -> list[Any]:
        positions = places.of_videos(rows)
        return [video_data(video, positions.get(video.pk)) for video in rows]


class QuoteView(StrictAPIView):
    scopes: ClassVar = {"POST": Scope.VIDEOS_READ}

    @extend_schema(request=VideoCreateInput, responses=QuoteOutput, operation_id="quote_video")
    def post(self, request: Request) -> Response:
        wish = validated(VideoCreateInput, request.data)
        wish.pop("draft", None)
        return Response(asdict(creating.quote(caller_of(request), **wish)))


class VideoView(StrictAPIView):
    scopes = SCOPES

    @extend_schema(
        responses={200: VideoOutput, 304: UNCHANGED},
        operation_id="get_video",
        parameters=[PREFER_WAIT, IF_NONE_MATCH],
    )
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        seconds = wanted_wait(request.headers.get("Prefer", ""))
        video = one_of(request, pk)
        if seconds is None:
            return self.shown(request, video)
        if seconds == 0 or video.status in TERMINAL:
            return self.shown(request, video, waited=seconds)
        return self.when_it_ended(request, video, seconds)

    def shown(self, request: Request, video: Video, waited: int | None = None) -> Response:
        answer = with_etag(request, Response(data_of(video)))
        if waited is not None:
            answer["Preference-Applied"] = f"wait={waited}"
        return answer

    def when_it_ended(self, request: Request, video: Video, seconds: int) -> HttpResponse:
        """The video as it is then; at once, and without `Preference-Applied`, where too many wait already."""
        if can_wait(request):
            try:
                watcher = streams.Watcher(video.account_id, video.pk)
            except (Overloaded, RateLimited):
                return self.shown(request, video)
            wait = partial(streams.wait_for_end, watcher, seconds)
            return Later(wait=wait, answer=partial(self.look_again, request, video.pk, seconds))
        if not streams.wait_in_thread(video.pk, seconds):
            return self.shown(request, video)
        return self.shown(request, one_of(request, video.pk), waited=seconds)

    def look_again(self, request: Request, pk: UUID, seconds: int) -> Response:
        """The answer after a wait, which DRF's dispatch does not see any more."""
        structlog.contextvars.bind_contextvars(request_id=request_id_of(request._request))
        try:
            self.perform_authentication(self.initialize_request(request._request))
            answer = self.shown(request, one_of(request, pk), waited=seconds)
        except Exception as error:  # noqa: BLE001 - as in dispatch: the one handler makes the answer
            answer = self.handle_exception(error)
        rendered: Response = self.finalize_response(request, answer).render()
        return rendered

    @extend_schema(request=VideoInput(partial=True), responses=VideoOutput, operation_id="update_video")
    def patch(self, request: Request, pk: UUID) -> Response:
        video = one_of(request, pk)
        changes = validated(VideoInput, request.data, partial=True)
        return Response(data_of(creating.update(video, **changes)))

    @extend_schema(responses={204: None}, operation_id="delete_video")
    def delete(self, request: Request, pk: UUID) -> Response:
        deleting.delete(one_of(request, pk))
        return Response(status=204)


class GenerateView(StrictAPIView):
    scopes = SCOPES
    reads_body: ClassVar = frozenset()

    @extend_schema(request=None, responses=VideoOutput, operation_id="generate_video", parameters=[IDEMPOTENCY_KEY])
    @idempotent
    def post(self, request: Request, pk: UUID) -> Effect:
        caller, video = caller_of(request), one_of(request, pk)
        require_verified_email(caller.user_id)
        return lambda: Response(data_of(creating.generate(caller, video)))


class CancelView(StrictAPIView):
    scopes = SCOPES
    reads_body: ClassVar = frozenset()

    @extend_schema(request=None, responses=VideoOutput, operation_id="cancel_video")
    def post(self, request: Request, pk: UUID) -> Response:
        return Response(data_of(creating.cancel(one_of(request, pk))))


class RetryView(StrictAPIView):
    scopes = SCOPES
    reads_body: ClassVar = frozenset()

    @extend_schema(request=None, responses={201: VideoOutput}, operation_id="retry_video", parameters=[IDEMPOTENCY_KEY])
    @idempotent
    def post(self, request: Request, pk: UUID) -> Effect:
        caller, video = caller_of(request), one_of(request, pk)
        require_verified_email(caller.user_id)
        return lambda: Response(data_of(creating.retry(caller, video)), status=201)

"""Videos: quote, create, list, show, change, and what a client may ask of one."""

from dataclasses import asdict
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.enums import Scope
from accounts.idempotency import Effect, idempotent
from accounts.services import require_verified_email
from genvid.api.filters import filter_parameters
from genvid.api.serializers import validated
from genvid.api.views import KeysetListView, StrictAPIView
from videos import scheduler
from videos.filters import VideoFilter
from videos.serializers import QuoteOutput, VideoCreateInput, VideoInput, VideoOutput, video_data
from videos.services import creating, deleting
from videos.views.common import IDEMPOTENCY_KEY, SCOPES, data_of, one_of, videos_of


class VideosView(KeysetListView):
    scopes = SCOPES
    filterset_class = VideoFilter

    @extend_schema(
        responses=VideoOutput(many=True),
        operation_id="list_videos",
        parameters=filter_parameters(VideoFilter),
    )
    def get(self, request: Request) -> Response:
        return self.page(videos_of(request))

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
        positions = scheduler.places(rows)
        return [video_data(video, positions.get(video.pk)) for video in rows]


class QuoteView(StrictAPIView):
    scopes: ClassVar = {"POST": Scope.VIDEOS_READ}

    @extend_schema(request=VideoCreateInput, responses=QuoteOutput, operation_id="quote_video")
    def post(self, request: Request) -> Response:
        wish = validated(VideoCreateInput, request.data)
        wish.pop("draft", None)
        return Response(asdict(creating.quote(caller_of(request).account_id, **wish)))


class VideoView(StrictAPIView):
    scopes = SCOPES

    @extend_schema(responses=VideoOutput, operation_id="get_video")
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(data_of(one_of(request, pk)))

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

    @extend_schema(request=None, responses=VideoOutput, operation_id="generate_video", parameters=[IDEMPOTENCY_KEY])
    @idempotent
    def post(self, request: Request, pk: UUID) -> Effect:
        caller, video = caller_of(request), one_of(request, pk)
        require_verified_email(caller.user_id)
        return lambda: Response(data_of(creating.generate(caller, video)))


class CancelView(StrictAPIView):
    scopes = SCOPES

    @extend_schema(request=None, responses=VideoOutput, operation_id="cancel_video")
    def post(self, request: Request, pk: UUID) -> Response:
        return Response(data_of(creating.cancel(one_of(request, pk))))


class RetryView(StrictAPIView):
    scopes = SCOPES

    @extend_schema(request=None, responses={201: VideoOutput}, operation_id="retry_video", parameters=[IDEMPOTENCY_KEY])
    @idempotent
    def post(self, request: Request, pk: UUID) -> Effect:
        caller, video = caller_of(request), one_of(request, pk)
        require_verified_email(caller.user_id)
        return lambda: Response(data_of(creating.retry(caller, video)), status=201)

"""The video endpoints. Every query starts from the caller's account."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

import structlog
from django.http import HttpResponseRedirect
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.idempotency import Effect, idempotent
from accounts.permissions import ReadOrWriteByRole
from accounts.services import require_verified_email
from genvid.api.filters import PAGE_PARAMETERS, filter_parameters
from genvid.api.serializers import validated
from genvid.api.views import KeysetListView, StrictAPIView, one_or_404
from genvid.errors import NotFound
from videos import scheduler
from videos.enums import public
from videos.filters import VideoFilter
from videos.media import signed_link
from videos.models import Video, VideoEvent
from videos.querysets import VideoQuerySet
from videos.serializers import (
    EventOutput,
    QuoteOutput,
    VideoCreateInput,
    VideoInput,
    VideoOutput,
    video_data,
)
from videos.services import creating, deleting

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description="1 to 255 of A-Z a-z 0-9 _ : . -; a repetition within 24 hours gets the first answer again.",
)
SIGNED_LINK = OpenApiResponse(description="`Location` is a signed link; it honours `Range`.")
PERMISSIONS = (IsAuthenticated, ReadOrWriteByRole)


def videos_of(request: Request) -> VideoQuerySet:
    return Video.objects.of_account(caller_of(request).account_id)


def one_of(request: Request, pk: UUID) -> Video:
    structlog.contextvars.bind_contextvars(video_id=str(pk))
    video: Video = one_or_404(videos_of(request).select_related("avatar"), pk=pk)
    return video


def data_of(video: Video) -> dict[str, Any]:
    """A video, with its place in the queue looked up if it waits there."""
    return video_data(video, scheduler.places([video]).get(video.pk))


class VideosView(KeysetListView):
    permission_classes = PERMISSIONS
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
    @extend_schema(request=VideoCreateInput, responses=QuoteOutput, operation_id="quote_video")
    def post(self, request: Request) -> Response:
        wish = validated(VideoCreateInput, request.data)
        wish.pop("draft", None)
        return Response(asdict(creating.quote(caller_of(request).account_id, **wish)))


class VideoView(StrictAPIView):
    permission_classes = PERMISSIONS

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
    permission_classes = PERMISSIONS

    @extend_schema(request=None, responses=VideoOutput, operation_id="generate_video", parameters=[IDEMPOTENCY_KEY])
    @idempotent
    def post(self, request: Request, pk: UUID) -> Effect:
        video = one_of(request, pk)
        require_verified_email(caller_of(request).user_id)
        return lambda: Response(data_of(creating.generate(video)))


class CancelView(StrictAPIView):
    permission_classes = PERMISSIONS

    @extend_schema(request=None, responses=VideoOutput, operation_id="cancel_video")
    def post(self, request: Request, pk: UUID) -> Response:
        return Response(data_of(creating.cancel(one_of(request, pk))))


class RetryView(StrictAPIView):
    permission_classes = PERMISSIONS

    @extend_schema(request=None, responses={201: VideoOutput}, operation_id="retry_video", parameters=[IDEMPOTENCY_KEY])
    @idempotent
    def post(self, request: Request, pk: UUID) -> Effect:
        caller, video = caller_of(request), one_of(request, pk)
        require_verified_email(caller.user_id)
        return lambda: Response(data_of(creating.retry(caller, video)), status=201)


class MediaView(StrictAPIView):
    """The stable address of one of a video's files: answers with a signed link that lives for an hour."""

    def redirect(self, request: Request, pk: UUID, *, stored_as: str) -> HttpResponseRedirect:
        stored = getattr(one_of(request, pk), stored_as)
        if not stored:
            raise NotFound("This video has no such file, or not yet.")
        redirect = HttpResponseRedirect(signed_link(stored.name))
        redirect["Cache-Control"] = "private, no-store"
        return redirect


class FileView(MediaView):
    @extend_schema(responses={302: SIGNED_LINK}, operation_id="get_video_file")
    def get(self, request: Request, pk: UUID) -> HttpResponseRedirect:
        return self.redirect(request, pk, stored_as="file")


class ThumbnailView(MediaView):
    @extend_schema(responses={302: SIGNED_LINK}, operation_id="get_video_thumbnail")
    def get(self, request: Request, pk: UUID) -> HttpResponseRedirect:
        return self.redirect(request, pk, stored_as="thumbnail")


class CaptionsView(MediaView):
    @extend_schema(responses={302: SIGNED_LINK}, operation_id="get_video_captions")
    def get(self, request: Request, pk: UUID) -> HttpResponseRedirect:
        return self.redirect(request, pk, stored_as="subtitles")


class EventsView(KeysetListView):
    """A video's history, newest first, in the statuses that clients know."""

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

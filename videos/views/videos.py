"""Video endpoints: quote, create, list, show, change, delete, cancel, retry."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.moderation import checks
from genvid import request_context
from genvid.api.deferred import Deferred, can_wait
from genvid.api.endpoints import Endpoint, Idempotency
from genvid.api.pagination import KeysetPagination
from genvid.api.prefer import requested_wait
from genvid.api.serializers import example_id
from genvid.errors import NotFound, Overloaded, RateLimited
from videos import video_rows
from videos.enums import TERMINAL
from videos.filters import VideoFilter
from videos.lifecycle import deletion, video_actions
from videos.models import Speech, Video
from videos.representations import VideoOutput, represent_videos
from videos.serializers import QuoteOutput, VideoCreateInput, VideoInput
from videos.streaming import hub
from videos.video_request import TEXTS, VideoRequest, texts_of
from videos.video_rows import VideoRow
from videos.views.video_files import VideoFilesMixin
from videos.views.video_history import VideoEventsMixin

PREFER_WAIT = OpenApiParameter(
    "Prefer",
    location=OpenApiParameter.HEADER,
    description="`wait=n`: answer as soon as the video has ended, or after n seconds, at most 60, as it is then. "
    "`Preference-Applied` says how long the answer was ready to wait; without it, too many requests were waiting. "
    "For example `wait=30`.",
)
REFUSED = ("content_refused",)
"""By the operator's rules for texts."""
SPENDS = (*REFUSED, "insufficient_credits", "key_limit_reached")


QUEUED = {
    "status": "queued",
    "progress_percent": 0,
    "duration_seconds": None,
    "file_url": None,
    "thumbnail_url": None,
    "captions_url": None,
    "credits": {"held": 5, "charged": 0},
    "queue_position": 1,
    "waiting_for": "slot",
    "cancel_credits": 0,
    "eta_seconds": 95,
    "submitted_at": None,
    "completed_at": None,
    "expires_at": None,
}
"""What the example of a queued video changes in that of a completed one."""


class VideoPagination(KeysetPagination):
    def get_page_size(self, request: Request) -> int:
        """A request for certain ids gets them on one page, unless a limit is given."""
        ids = request.query_params.get("ids")
        asked = ids.count(",") + 1 if ids and "limit" not in request.query_params else 0
        return max(asked, super().get_page_size(request))


class VideoViewSet(VideoFilesMixin, VideoEventsMixin):
    tag = "Videos"
    queryset = Video.objects.filter(deleted_at=None)
    pagination_class = VideoPagination
    endpoints = {
        "quote": Endpoint(
            "quote_video", scope=Scope.VIDEOS_READ, request=VideoCreateInput, response=QuoteOutput, errors=REFUSED
        ),
        "create": Endpoint(
            "create_video",
            scope=Scope.VIDEOS_WRITE,
            verified_email=True,
            request=VideoCreateInput,
            response=VideoOutput,
            example=QUEUED,
            status=201,
            idempotency=Idempotency.ATOMIC,
            errors=SPENDS,
        ),
        "list": Endpoint(
            "list_videos",
            "List the videos",
            scope=Scope.VIDEOS_READ,
            response=VideoOutput,
            many=True,
            filters=VideoFilter,
            etag=True,
            description="Newest first.",
        ),
        "retrieve": Endpoint(
            "get_video", scope=Scope.VIDEOS_READ, response=VideoOutput, parameters=(PREFER_WAIT,), etag=True
        ),
        "partial_update": Endpoint(
            "update_video",
            scope=Scope.VIDEOS_WRITE,
            request=VideoInput,
            partial=True,
            response=VideoOutput,
            errors=(*REFUSED, "invalid_state"),
        ),
        "destroy": Endpoint("delete_video", scope=Scope.VIDEOS_WRITE, errors=("invalid_state",)),
        "generate": Endpoint(
            "generate_video",
            scope=Scope.VIDEOS_WRITE,
            verified_email=True,
            response=VideoOutput,
            example=QUEUED,
            idempotency=Idempotency.ATOMIC,
            errors=(*SPENDS, "invalid_state"),
        ),
        "cancel": Endpoint(
            "cancel_video",
            scope=Scope.VIDEOS_WRITE,
            response=VideoOutput,
            example=QUEUED | {"status": "canceled", "credits": {"held": 0, "charged": 0}},
            errors=("invalid_state",),
        ),
        "retry": Endpoint(
            "retry_video",
            scope=Scope.VIDEOS_WRITE,
            verified_email=True,
            response=VideoOutput,
            example=QUEUED | {"retry_of": str(example_id("earlier video"))},
            status=201,
            idempotency=Idempotency.ATOMIC,
            errors=(*SPENDS, "invalid_state"),
        ),
    }

    def represent(self, rows: Sequence[Any]) -> list[Any]:
        return list(represent_videos(rows).values())

    def texts_to_check(self) -> Mapping[str, str]:
        if not checks.is_active():
            return {}
        # What has been allowed once, in a draft or as a speech, may be refused by newer rules.
        if self.action in ("generate", "retry"):
            return self._texts_of(VideoRequest.of_video(self.get_object()))
        if self.action == "partial_update":
            changes = self.body["changes"].values
            texts = {name: text for name in TEXTS if (text := changes.get(name))}
            return texts | self._words_of(changes.get("speech_id"))
        return self._texts_of(self.body["request"]) if self.action in ("create", "quote") else {}

    def _texts_of(self, request: VideoRequest) -> dict[str, str]:
        return texts_of(request) | self._words_of(request.speech_id)

    def _words_of(self, speech_id: UUID | None) -> dict[str, str]:
        """Nothing for a speech that the account does not have."""
        if speech_id is None:
            return {}
        mine = Speech.objects.filter(account=self.caller.account_id, pk=speech_id)
        script = mine.values_list("script", flat=True).first()
        return {"speech_id": script} if script else {}

    def get_object(self) -> Video:
        request_context.bind(video_id=self.kwargs["pk"])
        video: Video = super().get_object()
        return video

    @action(detail=False, methods=["post"])
    def quote(self, request: Request) -> Response:
        """Ask what a video would cost.

        Changes nothing. Takes the same body as creating it.
        """
        return Response(asdict(video_actions.quote_video(self.caller, self.body["request"])))

    def create(self, request: Request) -> Response:
        """Create a video.

        It is queued at once, and its credits are set aside; with `draft: true` it waits for `generate`. What is not
        used is given back when it is done. Failed and canceled videos cost nothing.
        """
        return self._shown(video_actions.create_video(self.caller, **self.body), status=201)

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change a video.

        `title` and `metadata` at any time, everything else while it is a draft.
        """
        return self._shown(video_actions.update_draft(self.get_object(), **self.body))

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete a video.

        A draft, or one that has ended. Its files go too.
        """
        deletion.delete_video(self.get_object())
        return Response(status=204)

    @action(detail=True, methods=["post"])
    def generate(self, request: Request, pk: UUID) -> Response:
        """Order a draft."""
        return self._shown(video_actions.generate_video(self.caller, self.get_object()))

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: UUID) -> Response:
        """Cancel a video that waits.

        A queued one, or one whose render is stuck: it has lasted for three times as long as nearly all such renders.
        Either costs nothing: all its credits are given back at once. `cancel_credits` of the video says beforehand
        whether it may be canceled, and what that costs.
        """
        return self._shown(video_actions.cancel_by_client(self.get_object()))

    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: UUID) -> Response:
        """Order a failed or canceled video again.

        Makes a new video; its `retry_of` is the old one.
        """
        return self._shown(video_actions.retry_video(self.caller, self.get_object()), status=201)

    def list(self, request: Request) -> Response:
        if self.is_filtered:
            return self.page_of(partial(video_rows.of_queryset, self.filtered(self.get_queryset())))
        return self.page_of(partial(video_rows.of_account, self.caller.account_id, is_test=self.visible_mode))

    # ── One video, now or once it has ended

    def retrieve(self, request: Request, pk: UUID) -> HttpResponse:
        """Show a video."""
        request_context.bind(video_id=pk)
        seconds = requested_wait(request.headers.get("Prefer", ""))
        video = video_rows.find(self.caller.account_id, pk, is_test=self.visible_mode)
        if video is None:
            raise NotFound
        if seconds is None:
            return self._shown(video)
        if seconds == 0 or video.status in TERMINAL:
            return self._shown(video, waited=seconds)
        return self._when_it_ended(request, video, seconds)

    def _shown(self, video: Video | VideoRow, *, status: int = 200, waited: int | None = None) -> Response:
        headers = {} if waited is None else {"Preference-Applied": f"wait={waited}"}
        return Response(self.represent_one(video), status=status, headers=headers)

    def _when_it_ended(self, request: Request, video: VideoRow, seconds: int) -> HttpResponse:
        """The video once it ends; at once, without `Preference-Applied`, where too many requests wait already."""
        if can_wait(request):
            try:
                watcher = hub.Watcher(video.account_id, video.pk)
            except (Overloaded, RateLimited):
                return self._shown(video)
            wait = partial(hub.wait_for_end, watcher, seconds)
            return Deferred(wait=wait, answer=partial(self._after_wait, seconds))
        if not hub.wait_in_thread(partial(hub.is_being_made, video.pk), seconds):
            return self._shown(video)
        return self._shown(self.get_object_again(), waited=seconds)

    def _after_wait(self, seconds: int) -> Response:
        """The answer after a wait, outside of `dispatch`."""
        try:
            answer = self._shown(self.get_object_again(), waited=seconds)
        except Exception as error:  # noqa: BLE001 - the exception handler makes the answer, as in dispatch
            answer = self.handle_exception(error)
        rendered: Response = self.finalize_response(self.request, answer).render()
        return rendered

"""Output serializers of videos, their history and batches, for answers, lists, streams and events."""

from collections.abc import Callable, Sequence
from typing import Any, cast
from uuid import UUID

from django.conf import settings

from genvid.api import serializers as api
from genvid.api.serializers import EXAMPLE_SITE, EXAMPLE_TIME, example_id, shown
from videos import video_request
from videos.batch_progress import progress_of
from videos.enums import PublicStatus, Resolution, Status, VideoFormat, VideoKind, WaitingFor, public_status
from videos.models import Batch, Video
from videos.queue import estimates, waiting_reasons
from videos.queue.waiting_reasons import NOT_WAITING, WaitingState
from videos.video_request import VideoRequest
from videos.video_rows import VideoRow

EXAMPLE_TITLE, EXAMPLE_SCRIPT = "Greetings", "Hi {{name}}, welcome to our spring sale."
WAITING_FOR = (
    "`slot`: for its turn; `own_slots`: until a video of its account that is being made ends; `provider`: the video "
    "service takes no orders; `staff`: this video alone waits for a decision of ours. Null unless it is queued."
)


class BackgroundOutput(api.OutputSerializer):
    example = video_request.EXAMPLE_BACKGROUND
    type = api.EnumField(["color", "image"])
    value = api.TextField(required=False)
    url = api.TextField(required=False)
    upload_id = api.IdField("upload", required=False)


class UploadReferenceOutput(api.OutputSerializer):
    example = None
    upload_id = api.IdField("upload")


def _upload_named(upload_id: UUID | None) -> dict[str, UUID] | None:
    return {"upload_id": upload_id} if upload_id else None


class RequestedOutput(api.OutputSerializer):
    id = api.IdField("video")
    kind = api.EnumField(VideoKind.choices, example="avatar")
    title = api.TextField(example=video_request.EXAMPLE_TITLE)
    script = api.TextField(
        allow_null=True, help_text="Null where an uploaded recording is heard.", example=video_request.EXAMPLE_SCRIPT
    )
    speech_id = api.IdField(allow_null=True)
    audio = shown(
        UploadReferenceOutput(allow_null=True),
        lambda asked, *_: None if asked.speech_id else _upload_named(asked.audio_id),
    )
    avatar_id = api.IdField("avatar", allow_null=True)
    picture = shown(UploadReferenceOutput(allow_null=True), lambda asked, *_: _upload_named(asked.picture_id))
    voice_id = api.IdField("voice", allow_null=True)
    format = api.EnumField(VideoFormat.choices)
    resolution = api.EnumField(Resolution.choices)
    language = shown(api.TextField(allow_null=True, example="English"), lambda asked, *_: asked.language or None)
    captions = api.FlagField(example=False)
    background = BackgroundOutput(allow_null=True)
    speed = api.FractionField()
    metadata = api.TextDictField(example=video_request.EXAMPLE_METADATA)


class PercentField(api.NumberField):
    example = 100

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=100, **options)


class VideoCreditsOutput(api.OutputSerializer):
    held = api.CreditsField(source="credits_held", help_text="Set aside while it is being made.", example=0)
    charged = api.CreditsField(source="credits_charged", help_text="What it cost in the end.", example=4)


class ErrorOutput(api.OutputSerializer):
    example = None
    code = api.TextField(source="error_code")
    message = api.TextField(source="error_message")
    retryable = api.FlagField(source="error_retryable")


class WarningOutput(api.OutputSerializer):
    """Something that the client should know, though nothing forbids it."""

    code = api.TextField(
        help_text="`voice_script_mismatch`, `uncertain_length`; more may come.", example="voice_script_mismatch"
    )
    message = api.TextField(
        example="This voice speaks English, and the script has Arabic letters: it may spell or skip them."
    )
    field = api.TextField(help_text="Of the request.", example="voice_id")


def _link_to(file: str, column: str) -> api.TextField:
    def read(video: Video | VideoRow, _: WaitingState) -> str | None:
        return f"{video.address}/{file}" if getattr(video, column) else None

    example = f"{EXAMPLE_SITE}/api/v1/videos/{example_id('video')}/{file}"
    return shown(api.TextField(allow_null=True, example=example), read)


class ProgressOutput(api.OutputSerializer):
    progress_percent = shown(PercentField(), lambda video, _: estimates.progress_percent(video))
    eta_seconds = shown(
        api.NumberField(allow_null=True, help_text="Null while nothing can be promised."),
        lambda video, state: estimates.eta_seconds(video, state.promised_position, slots=state.slots),
    )
    queue_position = shown(api.NumberField(allow_null=True), lambda _, state: state.position)
    waiting_for = shown(
        api.EnumField(WaitingFor.choices, allow_null=True, help_text=WAITING_FOR),
        lambda _, state: state.waiting_for,
    )


class VideoOutput(RequestedOutput, ProgressOutput):
    """A video, and how far it is."""

    status = shown(
        api.EnumField(PublicStatus.choices, example="completed"), lambda video, _: public_status(video.status)
    )
    batch_id = api.IdField(allow_null=True)
    retry_of = api.IdField(source="retry_of_id", allow_null=True)
    duration_seconds = shown(
        api.FractionField(allow_null=True, example=3.4),
        lambda video, _: None if video.duration_seconds is None else float(video.duration_seconds),
    )
    file_url = _link_to("file", "file")
    thumbnail_url = _link_to("thumbnail", "thumbnail")
    captions_url = _link_to("captions", "subtitles")
    credits = shown(VideoCreditsOutput(), VideoCreditsOutput.of)
    error = shown(ErrorOutput(allow_null=True), lambda video, _: ErrorOutput.of(video) if video.error_code else None)
    warnings = shown(api.TextListField(child=WarningOutput(), example=[]), lambda video, _: video.warnings or [])
    cancel_credits = shown(
        api.NumberField(
            allow_null=True, help_text="What canceling it would cost now; null where it cannot be canceled."
        ),
        lambda video, _: 0 if video.status == Status.QUEUED or estimates.is_stuck(video) else None,
    )
    created_at = api.TimestampField()
    updated_at = api.TimestampField()
    submitted_at = api.TimestampField(allow_null=True, example=EXAMPLE_TIME)
    completed_at = api.TimestampField(allow_null=True, example=EXAMPLE_TIME)
    is_test = api.FlagField(help_text="Made for a test key: free and watermarked.", example=False)
    expires_at = api.TimestampField(
        allow_null=True, help_text="Its files are removed then; null: never.", example="2026-07-30T12:00:00Z"
    )


def represent_videos(
    videos: Sequence[Video | VideoRow], output: type[ProgressOutput] = VideoOutput
) -> dict[UUID, dict[str, Any]]:
    found = waiting_reasons.waiting_states(cast("Sequence[Video]", videos))
    return {video.pk: output.of(video, found.get(video.pk, NOT_WAITING)) for video in videos}


class EventOutput(api.OutputSerializer):
    """A move of a video, in the statuses that clients know."""

    id = api.NumberField(example=412)
    from_status = shown(
        api.EnumField(PublicStatus.choices, allow_null=True, example="processing"),
        lambda event: public_status(event.from_status) or None,
    )
    to_status = shown(
        api.EnumField(PublicStatus.choices, example="completed"), lambda event: public_status(event.to_status)
    )
    reason = api.TextField(example="done")
    created_at = api.TimestampField()


class CountsOutput(api.OutputSerializer):
    queued = api.NumberField(example=0)
    processing = api.NumberField(example=0)
    completed = api.NumberField(example=2)
    failed = api.NumberField(example=0)
    canceled = api.NumberField(example=0)


def _from_progress(name: str) -> Callable[..., Any]:
    return lambda batch, progress: progress[name]


class BatchCreditsOutput(api.OutputSerializer):
    quoted = api.CreditsField(
        source="credits_quoted", help_text="What was held for all of it at the start.", example=10
    )
    held = shown(api.CreditsField(help_text="Set aside for what has not ended.", example=0), _from_progress("held"))
    charged = shown(api.CreditsField(help_text="What the finished videos cost.", example=8), _from_progress("charged"))


def _batch_status(batch: Batch, progress: Any) -> str:
    if batch.open:
        return "processing"
    return "canceled" if batch.canceled_at else "completed"


class BatchOutput(RequestedOutput):
    """Many videos of one script, and how far they are."""

    id = api.IdField("batch")
    title = api.TextField(example=EXAMPLE_TITLE)
    script = api.TextField(example=EXAMPLE_SCRIPT)
    avatar_id = api.TextField(  # type: ignore[assignment]
        allow_null=True, help_text="An id, or the `{{variable}}` of each row's.", example=str(example_id("avatar"))
    )
    status = shown(api.EnumField(["processing", "completed", "canceled"], example="completed"), _batch_status)
    columns = api.TextListField(example=["name"])
    is_test = api.FlagField(help_text="Made with a test key: free and watermarked.", example=False)
    total = api.NumberField(example=2)
    counts = shown(CountsOutput(), _from_progress("counts"))
    progress_percent = shown(
        PercentField(), lambda batch, progress: progress["progress_percent"] if batch.open else 100
    )
    credits = shown(BatchCreditsOutput(), BatchCreditsOutput.of)
    results_url = shown(
        api.TextField(
            help_text="A CSV with a line for each row.",
            example=f"{EXAMPLE_SITE}/api/v1/batches/{example_id('batch')}/results.csv",
        ),
        lambda batch, progress: f"{settings.PUBLIC_URL}/api/v1/batches/{batch.pk}/results.csv",
    )
    created_at = api.TimestampField()
    canceled_at = api.TimestampField(allow_null=True)
    completed_at = api.TimestampField(allow_null=True, example=EXAMPLE_TIME)


def represent_batches(batches: Sequence[Batch]) -> list[dict[str, Any]]:
    found = progress_of(batches)
    return [BatchOutput.of(batch, found[batch.pk], **_shared_by(batch)) for batch in batches]


def _shared_by(batch: Batch) -> dict[str, Any]:
    return RequestedOutput.of(VideoRequest.of_batch(batch), id=batch.pk)

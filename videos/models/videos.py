"""Videos, their history, and batches."""

import uuid
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.models import Account, ApiKey, User
from avatars.models import Avatar, Upload, Voice
from genvid import database_clock
from genvid import request_context as request_context_module
from genvid.leasing import Backoff, Leased
from genvid.model_fields import ExactCharField
from videos import metrics
from videos.enums import PROCESSING, SOURCES, TERMINAL, LearnedBy, Resolution, Status, VideoFormat, VideoKind
from videos.models.call_records import calls_made
from videos.models.moves import update_with_event
from videos.querysets import BEING_MADE, IN_QUEUE, VideoQuerySet

logger = structlog.get_logger(__name__)
MAX_RETRY_PAUSE = 300.0


class Video(Leased):
    """`status` moves through `move()` alone; `due_at` says when a worker must act on it next."""

    # With the status alone an answer to an old order could change the present one.
    HELD_BY = ("status", "attempt", "calls")
    WORKED_ON_BY = (
        *HELD_BY,
        *("moved_at", "tries", "is_test", "provider_video_id", "error_code", "learned_by"),
        *("request_id", "account_id", "created_by_id", "api_key_id"),
    )
    """Columns that every step of a worker reads: what identifies the row, and the request that ordered it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Without indexes of their own: `Meta` has those that a query needs. People, videos, avatars and voices are never
    # deleted, so nobody looks for their videos.
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="videos", db_index=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    api_key = models.ForeignKey(
        ApiKey, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    retry_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="retries", db_index=False
    )
    batch = models.ForeignKey(
        "Batch", null=True, blank=True, on_delete=models.PROTECT, related_name="videos", db_index=False
    )
    batch_row = models.PositiveIntegerField(null=True, blank=True, help_text="Its row in the batch, from 1.")
    variables = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="What its row put into the batch's script."
    )
    status = models.CharField(max_length=12, choices=Status.choices)
    is_test = models.BooleanField(
        default=False, db_default=False, help_text="Made for a test key: free, watermarked, not by HeyGen."
    )
    request_id = models.CharField(
        max_length=request_context_module.REQUEST_ID_LENGTH,
        blank=True,
        default="",
        db_default="",
        help_text="Of the request that ordered the video.",
    )

    # What the client asked for
    title = models.CharField(max_length=200, blank=True, default="", db_default="")
    kind = models.CharField(
        max_length=12, choices=VideoKind.choices, default=VideoKind.AVATAR, db_default=VideoKind.AVATAR
    )
    script = models.TextField(  # noqa: DJ001 - null: a recording is heard
        null=True, blank=True, help_text="What a voice says; null with a recording."
    )
    avatar = models.ForeignKey(
        Avatar, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    voice = models.ForeignKey(Voice, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    picture = models.ForeignKey(
        Upload, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    audio = models.ForeignKey(
        Upload,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="What is heard: an upload, or the audio of `speech`.",
    )
    speech = models.ForeignKey(
        "Speech", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    background_upload = models.ForeignKey(
        Upload, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    format = models.CharField(
        max_length=5, choices=VideoFormat.choices, default=VideoFormat.LANDSCAPE, db_default=VideoFormat.LANDSCAPE
    )
    resolution = models.CharField(
        max_length=5, choices=Resolution.choices, default=Resolution.FULL_HD, db_default=Resolution.FULL_HD
    )
    language = models.CharField(max_length=100, blank=True, default="", db_default="")
    captions = models.BooleanField(default=False, db_default=False)
    background = models.JSONField(null=True, blank=True)
    speed = models.FloatField(default=1.0, db_default=1.0)
    metadata = models.JSONField(default=dict, db_default={}, blank=True)
    warnings = models.JSONField(null=True, blank=True, help_text="What its client was told about script and voice.")

    # Price, in credits, and estimates, in seconds
    engine = models.CharField(max_length=20)
    estimated_seconds = models.PositiveIntegerField(default=0, db_default=0)
    expected_render_seconds = models.PositiveIntegerField(default=0, db_default=0)
    credits_held = models.PositiveIntegerField(default=0, db_default=0)
    credits_charged = models.PositiveIntegerField(default=0, db_default=0)

    # The order at HeyGen
    attempt = models.PositiveIntegerField(default=0, db_default=0, help_text="Orders placed; each has its own key.")
    idempotency_key = models.CharField(  # noqa: DJ001 - null: no order was placed
        max_length=80, null=True, blank=True, help_text="Unique without an index: it contains the id."
    )
    calls = models.PositiveIntegerField(default=0, db_default=0, help_text="Times that the present key was sent.")
    provider_video_id = ExactCharField(max_length=200, null=True, blank=True, unique=True)
    due_at = models.DateTimeField(null=True, blank=True, help_text="When somebody must act next; also the lease.")
    deadline_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0, db_default=0, help_text="Tries in this status that came to nothing.")
    waiting_reason = models.CharField(
        max_length=300, blank=True, help_text="For staff: why it is not moving.", default="", db_default=""
    )
    render_links = models.JSONField(null=True, blank=True, help_text="HeyGen's links of the moment; gone once stored.")
    provider_calls = models.JSONField(null=True, blank=True, help_text="The last calls to HeyGen about it, for staff.")
    learned_by = models.CharField(max_length=10, choices=LearnedBy.choices, blank=True, default="", db_default="")
    provider_finished_at = models.DateTimeField(null=True, blank=True, help_text="HeyGen's own clock.")

    # What was promised; a new order after a failed one must not make it worse
    promised_at = models.DateTimeField(null=True, blank=True)
    progress_floor = models.PositiveSmallIntegerField(default=0, db_default=0)
    eta_ceiling = models.PositiveIntegerField(null=True, blank=True)

    # Gate and slots
    gate_tripped_at = models.DateTimeField(null=True, blank=True, help_text="When it last closed HeyGen's gate.")
    set_aside_at = models.DateTimeField(
        null=True, blank=True, help_text="Since then it waits for staff, alone; `waiting_reason` says why."
    )
    stuck_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Three times the expected p99: from then on it takes no slot of its account, and may be canceled.",
    )

    # Result
    error_code = models.CharField(max_length=60, blank=True, default="", db_default="")
    error_message = models.CharField(max_length=300, blank=True, default="", db_default="")
    error_retryable = models.BooleanField(default=False, db_default=False)
    provider_error = models.CharField(
        max_length=500, blank=True, help_text="HeyGen's own words; never shown.", default="", db_default=""
    )
    duration_seconds = models.DecimalField(max_digits=9, decimal_places=3, null=True, blank=True)
    file = models.FileField(max_length=300, blank=True, default="", db_default="")
    thumbnail = models.FileField(max_length=300, blank=True, default="", db_default="")
    subtitles = models.FileField(max_length=300, blank=True, default="", db_default="")
    subtitles_vtt = models.FileField(max_length=300, blank=True, default="", db_default="")
    file_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    file_sha256 = models.CharField(max_length=64, blank=True, default="", db_default="")

    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    updated_at = models.DateTimeField(default=timezone.now, db_default=Now())
    moved_at = models.DateTimeField(
        default=timezone.now, db_default=Now(), help_text="When it came to its present status."
    )
    queued_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True, help_text="When HeyGen accepted the present order.")
    rendered_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    purged_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Its files are removed then; null: never.")
    expiry_warned_at = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True, help_text="Its files are gone.")
    provider_deleted_at = models.DateTimeField(null=True, blank=True, help_text="The render at HeyGen is gone.")

    objects = VideoQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["account", "-created_at", "-id"], name="video_page", condition=Q(deleted_at=None)),
            models.Index(fields=["is_test", "account", "queued_at", "id"], name="video_queue", condition=IN_QUEUE),
            models.Index(fields=["is_test", "account"], name="video_being_made", condition=BEING_MADE),
            models.Index(fields=["deadline_at"], name="video_deadlines", condition=Q(deadline_at__isnull=False)),
            models.Index(fields=["batch", "batch_row"], name="video_batch_rows", condition=Q(batch__isnull=False)),
            models.Index(fields=["api_key"], name="video_of_key", condition=Q(api_key__isnull=False)),
            models.Index(
                fields=["expires_at"],
                name="video_expiring",
                condition=Q(expires_at__isnull=False, expired_at=None, deleted_at=None),
            ),
            models.Index(
                fields=["expired_at", "completed_at"],
                name="video_kept_at_heygen",
                condition=Q(completed_at__isnull=False, provider_deleted_at=None, provider_video_id__isnull=False),
            ),
            models.Index(fields=["rendered_at"], name="video_rendered", condition=Q(rendered_at__isnull=False)),
            models.Index(fields=["account", "created_at"], name="video_usage_created"),
            models.Index(fields=["-created_at", "-id"], name="video_newest"),
            models.Index(fields=["request_id"], name="video_of_request", condition=~Q(request_id="")),
            models.Index(
                fields=["account", "completed_at"], name="video_usage_ended", condition=Q(completed_at__isnull=False)
            ),
            models.Index(fields=["completed_at"], name="video_words_old", condition=~Q(provider_error="")),
            models.Index(fields=["completed_at"], name="video_ended", condition=Q(completed_at__isnull=False)),
            models.Index(fields=["picture"], name="video_of_picture", condition=Q(picture__isnull=False)),
            models.Index(fields=["audio"], name="video_of_audio", condition=Q(audio__isnull=False)),
            models.Index(fields=["speech"], name="video_of_speech", condition=Q(speech__isnull=False)),
            models.Index(
                fields=["background_upload"],
                name="video_of_background",
                condition=Q(background_upload__isnull=False),
            ),
            models.Index(
                fields=["deleted_at"],
                name="video_to_purge",
                condition=Q(purged_at=None, deleted_at__isnull=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(status=Status.QUEUED) | IN_QUEUE, name="video_queued_is_in_queue"),
            models.CheckConstraint(
                condition=~Q(status__in=sorted(PROCESSING)) | BEING_MADE, name="video_processing_is_being_made"
            ),
            models.CheckConstraint(
                condition=Q(kind=VideoKind.AVATAR, avatar__isnull=False, picture=None)
                | Q(kind=VideoKind.PICTURE, avatar=None, picture__isnull=False),
                name="video_shows_what_its_kind_needs",
            ),
            models.CheckConstraint(
                condition=Q(script__isnull=False, voice__isnull=False, audio=None, speech=None)
                | Q(script__isnull=False, voice__isnull=False, audio__isnull=False, speech__isnull=False)
                | Q(script=None, voice=None, audio__isnull=False, speech=None),
                name="video_says_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(self.pk)

    @cached_property
    def address(self) -> str:
        return address_of(self.pk)

    @property
    def money_reference(self) -> str:
        return f"video:{self.pk}"

    @property
    def request_context(self) -> request_context_module.RequestContext:
        return request_context_module.RequestContext.of(
            request_id=self.request_id,
            account_id=self.account_id,
            user_id=self.created_by_id,
            key_id=self.api_key_id,
            video_id=self.pk,
        )

    @property
    def provider_title(self) -> str:
        return f"genvid {self.pk} {self.attempt}"

    def move(self, to: Status, *, reason: str, detail: str = "", **fields: Any) -> bool:
        """Change the status. False when another worker was first or the move is not permitted.

        Of many videos at once, `videos.pipeline.slot_claims` and `videos.pipeline.acceptance` do it in the same way: by
        the status that was read, with an event. Nothing else changes a status.
        """
        source = Status(self.status)
        if source not in SOURCES.get(to, ()):
            return False
        now, since = database_clock.now(), self.moved_at
        changes = {"due_at": None, "deadline_at": None, "tries": 0, "waiting_reason": ""}
        changes |= self._moments(to, now) | fields | {"status": to, "updated_at": now, "moved_at": now}
        changes |= calls_made(self.pk)
        event = VideoEvent(video_id=self.pk, from_status=source, to_status=to, reason=reason, detail=detail)
        if not update_with_event(self.held(), changes, event):
            return False
        facts = {name: changes.get(name, getattr(self, name)) for name in ("attempt", "error_code", "learned_by")}
        self.show(changes)
        # On commit: a move that is rolled back must not be in the log.
        log_move = partial(self.log_move, source, to, reason, (now - since).total_seconds(), **facts)
        transaction.on_commit(log_move, robust=True)
        return True

    def retry_later(self, pause: Any, error: str, **changes: Any) -> bool:
        return super().retry_later(pause, error, **calls_made(self.pk) | changes)

    def log_move_on_commit(self, source: Status, reason: str) -> None:
        """Of a video that was inserted in the status after `source`."""
        log_move = partial(self.log_move, source, Status(self.status), reason, 0.0)
        facts = {"error_code": self.error_code, "learned_by": self.learned_by}
        transaction.on_commit(partial(log_move, attempt=self.attempt, **facts), robust=True)

    def _moments(self, to: Status, now: datetime) -> dict[str, datetime | None]:
        """What goes with a status: the constraints demand it, and the indexes find the video by it."""
        if to == Status.QUEUED:
            return {"queued_at": self.queued_at or now, "submitted_at": None}
        if to == Status.SUBMITTING:
            return {"submitted_at": now}
        return {"completed_at": now} if to in TERMINAL else {}

    @request_context_module.under_request_of_row
    def log_move(self, source: Status, to: Status, reason: str, seconds: float, *, attempt: int, **facts: str) -> None:
        """One log line and one count per move. `seconds`: how long the status before it lasted."""
        ids = {"video_id": str(self.pk), "account_id": str(self.account_id)}
        words = {"from": str(source), "to": str(to), "reason": reason}
        logger.info("video_moved", **ids, **words, seconds=round(seconds, 3), attempt=attempt)
        metrics.count_move(source, to, seconds, **facts)

    def retry_pause(self, *, at_least: float = 0.0) -> timedelta:
        backoff = Backoff(settings.VIDEO_RETRY_SECONDS, most=MAX_RETRY_PAUSE)
        return backoff.delay(self.tries + 1, at_least=at_least)


def address_of(video_id: uuid.UUID) -> str:
    return f"{settings.PUBLIC_URL}/api/v1/videos/{video_id}"


def seconds_from_now(seconds: float) -> datetime:
    return database_clock.now() + timedelta(seconds=seconds)


class VideoEvent(models.Model):
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="events", db_index=False)
    from_status = models.CharField(max_length=12, blank=True, default="", db_default="")
    to_status = models.CharField(max_length=12)
    reason = models.CharField(max_length=60)
    detail = models.CharField(max_length=500, blank=True, help_text="For staff.", default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["video", "-created_at", "-id"], name="event_page")]

    def __str__(self) -> str:
        return f"{self.from_status or 'new'} → {self.to_status} ({self.reason})"


class Batch(models.Model):
    """One script for many videos, one per row of variables. Accepted whole, with all its holds, or not at all."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="batches", db_index=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    is_test = models.BooleanField(default=False, db_default=False)
    title = models.CharField(max_length=200, blank=True, default="", db_default="")
    script = models.TextField(help_text="With {{variables}}.")
    template = models.JSONField(
        default=dict, db_default={}, help_text="What all its videos share, as it was asked for."
    )
    columns = models.JSONField(
        default=list, db_default=[], help_text="The names of the variables, in the order they came."
    )
    total = models.PositiveIntegerField(help_text="Videos in it.")
    open = models.PositiveIntegerField(help_text="Those that have not ended; falls in the transaction of each end.")
    credits_quoted = models.PositiveIntegerField(help_text="What was held for all of it at the start.")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    canceled_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "batches"
        indexes = [models.Index(fields=["account", "-created_at", "-id"], name="batch_page")]

    def __str__(self) -> str:
        return self.title or str(self.pk)

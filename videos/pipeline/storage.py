"""Stores a video's files: downloads, checks and saves them in our own storage, as HeyGen's links expire."""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from genvid import database_clock, request_context
from genvid.heygen.heygen_client import HeyGenClient
from genvid.heygen.heygen_errors import HeyGenError, LinkExpired, NotFound, OperatorProblem, Refused
from genvid.http import HttpError
from genvid.jobs import enqueue
from genvid.leasing import from_now
from genvid.request_context import RequestContext
from genvid.statements import update_returning
from videos import jobs, operator_alarms, settlement
from videos.enums import Status
from videos.media import mp4, resumable_downloads
from videos.media.resumable_downloads import DiskFull, Fetch, FolderInUse, VideoEnded
from videos.media.subtitles import vtt_of
from videos.models import Video
from videos.pipeline import failed_renders
from videos.pipeline.polling import links_of
from videos.provider import provider_gate
from videos.provider.gate_decisions import MAX_BUSY_SECONDS
from videos.provider.heygen_clients import client_for

logger = structlog.get_logger(__name__)
SIDE_FILE_LIMIT = 10 * 1024 * 1024
SUBTITLES_LIMIT = 1024 * 1024
MIN_UPLOAD_SPEED = 2 * 1024 * 1024
MAX_INCOMPLETE_TRIES = 5
_waiting_for_slot: OrderedDict[str, RequestContext] = OrderedDict()
STORED_BY = (*Video.WORKED_ON_BY, "captions", "render_links", "engine", "resolution", "kind", "avatar_id", "audio_id",
             "estimated_seconds", "batch_id", "credits_held", "credits_charged")  # fmt: skip
"""Columns that storing and settling read; an event to a client has all of them read."""
NAMES = ("video.mp4", "thumbnail.jpg", "captions.srt", "captions.vtt")
NO_SIDE_FILES = {"thumbnail": "", "subtitles": "", "subtitles_vtt": ""}
Settle = Callable[..., bool]
"""Called as `settle(video, duration=…, file=…, thumbnail=…, …)`; False when somebody else has settled the video."""


class UnusableFile(Exception):
    """The download is incomplete or is not what was ordered; a retry may help."""


EXPECTED = (HeyGenError, HttpError, mp4.BrokenFile, UnusableFile, DiskFull, FolderInUse, OSError)


OUR_FAULTS = (DiskFull, OSError)
"""Of EXPECTED, those of our disk or bucket. What is not expected is a bucket's own error, or a mistake of ours."""
ALARM_SECONDS = 120


class LocalFile(File):  # type: ignore[type-arg]
    """A finished download. Storage on the same disk moves it instead of copying."""

    def temporary_file_path(self) -> str:
        return str(self.name)


@dataclass(frozen=True)
class Links:
    """Links to the files. `complete`: a missing thumbnail or missing subtitles raise UnusableFile."""

    file_url: str
    is_captioned: bool = False
    subtitles_url: str | None = None
    thumbnail_url: str | None = None
    duration: float | None = None
    complete: bool = False


@request_context.under_request_of_row
def store(video: Video, fetch: Fetch, links: Links, *, settle: Settle) -> bool:
    """Download and check a video's files, save them in our storage, and settle it. False if it was settled before.

    A retry resumes an interrupted download. Raises HeyGenError, HttpError, OSError, BrokenFile, UnusableFile, DiskFull,
    FolderInUse and VideoEnded.
    """
    with resumable_downloads.work_folder(video.pk) as folder:
        try:
            settled = _store(video, fetch, links, folder, settle)
        except (mp4.BrokenFile, DiskFull, VideoEnded):
            # There is nothing to resume, or the part would occupy disk space that others need.
            resumable_downloads.clear_folder(folder)
            raise
        resumable_downloads.clear_folder(folder)
        return settled


def _store(video: Video, fetch: Fetch, links: Links, folder: Path, settle: Settle) -> bool:
    path, taken = folder / "video.mp4", time.monotonic()
    resumable_downloads.download(fetch, links.file_url, path, video, settings.VIDEO_MAX_BYTES)
    size = path.stat().st_size
    with path.open("rb") as file:
        duration = mp4.inspect(file, size).duration_seconds
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _compare_durations(video, duration, links.duration)
    sides = _download_side_files(video, fetch, links, folder)
    resumable_downloads.renew_lease_for_upload(video, size / MIN_UPLOAD_SPEED, since=taken)
    names = {field: _save(video, path) for field, path in (sides | {"file": path}).items()}
    settled = settle(video, duration=duration, file_bytes=size, file_sha256=digest, **NO_SIDE_FILES | names)
    if not settled:
        _delete_unless_completed(video)
    return settled


def _download_side_files(video: Video, fetch: Fetch, links: Links, folder: Path) -> dict[str, Path]:
    paths = {"thumbnail": folder / "thumbnail.jpg", "subtitles": folder / "captions.srt"}
    wanted = (("thumbnail", links.thumbnail_url, SIDE_FILE_LIMIT), ("subtitles", links.subtitles_url, SUBTITLES_LIMIT))
    for field, url, limit in wanted:
        try:
            _download_side_file(video, fetch, url, paths[field], limit)
        except (HeyGenError, HttpError, UnusableFile) as error:
            if links.complete:
                raise
            logger.warning("stored_without", video_id=str(video.pk), name=paths.pop(field).name, error=repr(error))
    if subtitles := paths.get("subtitles"):
        paths["subtitles_vtt"] = subtitles.with_suffix(".vtt")
        paths["subtitles_vtt"].write_bytes(vtt_of(subtitles.read_bytes()))
    return paths


def _download_side_file(video: Video, fetch: Fetch, url: str | None, path: Path, limit: int) -> None:
    """Raises UnusableFile also for an HTML error page that a gateway sent with status 200."""
    if not url:
        raise UnusableFile(f"HeyGen names no {path.name}")
    resumable_downloads.download(fetch, url, path, video, limit)
    with path.open("rb") as file:
        is_page = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if is_page:
        path.unlink()
        raise UnusableFile(f"a page came in the place of {path.name}")


def _compare_durations(video: Video, ours: Decimal, theirs: float | None) -> None:
    if theirs is not None and abs(float(ours) - theirs) > 1:
        logger.warning("duration_differs", video_id=str(video.pk), file=str(ours), provider=theirs)


def _save(video: Video, path: Path) -> str:
    """Save under a name that every try shares, so that a retry overwrites. Returns that name."""
    with path.open("rb") as raw:
        return default_storage.save(f"{_folder(video)}/{path.name}", LocalFile(raw, name=str(path)))


def _folder(video: Video) -> str:
    return f"videos/{video.account_id}/{video.pk}"


def _delete_unless_completed(video: Video) -> None:
    """Keep the files if another worker has completed the video: they have the same names."""
    completed = Video.objects.filter(pk=video.pk, status=Status.COMPLETED, deleted_at=None, expired_at=None)
    if not completed.exists():
        delete_files(video)


def delete_files(video: Video) -> None:
    for name in NAMES:
        default_storage.delete(f"{_folder(video)}/{name}")


# ── The file of a render


def store_video(video_id: str) -> None:
    if not _acquire_slot(video_id):
        return
    try:
        _store_due(video_id)
    finally:
        _slots().release()
    _enqueue_next()


def _acquire_slot(video_id: str) -> bool:
    if _slots().acquire(blocking=False):
        return True
    _waiting_for_slot[video_id] = request_context.current()
    # A worker that released a slot since the first try has not seen this entry.
    return _slots().acquire(blocking=False)


def _enqueue_next() -> None:
    try:
        video_id, context = _waiting_for_slot.popitem(last=False)
    except KeyError:
        return
    enqueue(jobs.STORE, video_id, context=context)


@cache
def _slots() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(settings.VIDEO_DOWNLOADS)


def _store_due(video_id: str) -> None:
    due = Video.objects.filter(pk=video_id, status=Status.STORING).due()
    for video in update_returning(due, {"due_at": from_now(settings.VIDEO_STORE_LEASE)}, read=STORED_BY):
        _store_leased(video)


@request_context.under_request_of_row
def _store_leased(video: Video) -> None:
    try:
        _store_render(video, client_for(video))
    except NotFound as error:
        _fail_lost_render(video, error)
    except Refused as error:
        if error.is_named:
            failed_renders.end_refused_render(video, error)
        else:
            _retry_later(video, error)
    except VideoEnded:
        logger.info("storing_abandoned", video_id=str(video.pk))
    except Exception as error:  # noqa: BLE001 - a full disk, a bucket's own error, no price: HeyGen still has the file
        _retry_later(video, error)


def _retry_later(video: Video, error: Exception) -> None:
    # Without a status it is an untrusted host of a link, not an answer of HeyGen.
    if isinstance(error, OperatorProblem) and error.status is not None and not video.is_test:
        provider_gate.trip(error)
    expected = isinstance(error, EXPECTED)
    log = logger.error if isinstance(error, DiskFull) else logger.warning if expected else logger.exception
    log("storing_retried_later", video_id=str(video.pk), error=repr(error), tries=video.tries)
    if not expected or isinstance(error, OUR_FAULTS):
        _alarm_after_a_while(video, error)
    retry_after = min(getattr(error, "retry_after", None) or 0.0, MAX_BUSY_SECONDS)
    video.retry_later(video.retry_pause(at_least=retry_after), f"{type(error).__name__}: {error}")


def _alarm_after_a_while(video: Video, error: Exception) -> None:
    if Video.objects.filter(pk=video.pk, rendered_at__lte=from_now(-ALARM_SECONDS)).exists():
        operator_alarms.raise_alarm(
            "storing_fails",
            "",
            f"Finished videos cannot be stored for over {ALARM_SECONDS // 60} minutes. Nothing is lost yet: HeyGen "
            "keeps them, and storing is retried. `manage.py doctor --only storage --only disk` says more. The last "
            f"error, of video {video.pk}: {type(error).__name__}: {error}",
        )


def _store_render(video: Video, client: HeyGenClient) -> None:
    if stored := _stored_links(video):
        try:
            store(video, client.download_media, stored, settle=settlement.complete_video)
        except LinkExpired:
            logger.info("stored_links_expired", video_id=str(video.pk))
        else:
            return
    links = _read_links(video, client, complete=video.tries < MAX_INCOMPLETE_TRIES)
    store(video, client.download_media, links, settle=settlement.complete_video)


def _stored_links(video: Video) -> Links | None:
    stored = video.render_links
    if not stored or video.tries or (video.captions and not stored["is_captioned"]):
        return None
    return Links(**stored, complete=True)


def _read_links(video: Video, client: HeyGenClient, *, complete: bool = False) -> Links:
    remote = client.get_video(video.provider_video_id or "", captioned=video.captions)
    if not remote.file_url:
        raise UnusableFile("HeyGen names no file")
    if complete and video.captions and not remote.captioned_file_url:
        # The captioned file comes some seconds after the plain one.
        raise UnusableFile("HeyGen names no captioned file yet")
    return Links(**links_of(remote), complete=complete)


def _fail_lost_render(video: Video, error: HeyGenError) -> None:
    settlement.fail_video(
        video,
        code="render_lost",
        message="The finished video was lost at the video service. Nothing was charged.",
        reason="gone_at_provider",
        provider_error=str(error),
    )


def give_up_storing(video: Video) -> None:
    failed = settlement.fail_video(
        video,
        code="storage_failed",
        message="The finished video could not be stored. Nothing was charged.",
        reason="store_deadline",
        provider_error=video.waiting_reason,
    )
    # After the move: a video that another worker completed keeps its files.
    if failed:
        delete_files(video)


# ── Another file for a completed video


def replace_file(video_id: str) -> bool:
    """Download a completed video's files again and overwrite ours. False on failure. No credits move."""
    completed = Video.objects.filter(pk=video_id, status=Status.COMPLETED, deleted_at=None, expired_at=None)
    video: Video | None = completed.first()
    if video is None:
        return False
    client = client_for(video)
    try:
        return store(video, client.download_media, _read_links(video, client), settle=_replace)
    except EXPECTED as error:
        logger.error("file_not_replaced", video_id=video_id, error=repr(error))
        return False


def _replace(video: Video, *, duration: Decimal, **facts: Any) -> bool:
    """Keep our thumbnail and subtitles where HeyGen has none any more."""
    found = {field: value for field, value in facts.items() if value}
    kept = Video.objects.filter(pk=video.pk, deleted_at=None, expired_at=None)
    if kept.update(updated_at=database_clock.now(), **found) != 1:
        return False
    logger.info("file_replaced", video_id=str(video.pk), before=video.file_sha256, sha256=facts["file_sha256"])
    return True

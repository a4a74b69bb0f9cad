"""Bringing the finished file home: streamed, checked, kept under our own name. HeyGen's links expire, ours do not."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

import structlog
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from genvid.heygen.client import HeyGenClient
from genvid.heygen.errors import HeyGenError, LinkExpired, NotFound, OperatorProblem, Refused
from genvid.http import HttpError
from genvid.jobs import enqueue
from videos import downloads, jobs, mp4, provider
from videos.downloads import Fetched, MovedOn, NoRoom, Occupied
from videos.enums import Status
from videos.models import Video
from videos.provider_decisions import MAX_BUSY_SECONDS
from videos.renderers import client_of
from videos.services import render_ends, settling
from videos.services.rendering import links_of
from videos.subtitles import vtt_of

logger = structlog.get_logger(__name__)
SIDE_FILE_LIMIT = 10 * 1024 * 1024
SUBTITLES_LIMIT = 1024 * 1024
"""Read into memory whole; those of the longest script take a hundredth of it."""
SLOWEST_UPLOAD = 2 * 1024 * 1024
"""Bytes a second. The lease lasts as long as a storage this slow would need to take the file."""
PATIENT_TRIES = 5
"""A video may do without its thumbnail or subtitles, but not before this many tries."""
_turned_away: OrderedDict[str, None] = OrderedDict()
"""Videos for which this process had no place. What is forgotten when it ends, the sweep finds."""
NAMES = ("video.mp4", "thumbnail.jpg", "captions.srt", "captions.vtt")
EXPECTED = (HeyGenError, HttpError, mp4.BrokenFile, NoRoom, Occupied, OSError)


class Unusable(Exception):
    """What came is not what was ordered, or not all of it; trying again may help."""


class LocalFile(File):  # type: ignore[type-arg]
    """A finished download. Storage on the same disk moves it instead of copying."""

    def temporary_file_path(self) -> str:
        return str(self.name)


@dataclass(frozen=True)
class Links:
    """Where HeyGen has the files just now. `is_fresh`: read within this try."""

    file_url: str
    is_captioned: bool
    subtitles_url: str | None
    thumbnail_url: str | None
    duration: float | None
    is_fresh: bool


def store_video(video_id: str) -> None:
    """Fetch, check, keep, settle. A crash at any line leaves a lease that runs out, and the next try goes on.

    Of those that find no room in this process, the one that came first is woken when a place is free.
    """
    if not _enters(video_id):
        return
    try:
        _store_due(video_id)
    finally:
        _places().release()
    _wake_next()


def _enters(video_id: str) -> bool:
    """Whether there is a place for it now; otherwise it is noted, once, to be woken."""
    if _places().acquire(blocking=False):
        return True
    _turned_away[video_id] = None
    # Who left in between has not seen the note.
    return _places().acquire(blocking=False)


def _wake_next() -> None:
    try:
        longest_waiting, _ = _turned_away.popitem(last=False)
    except KeyError:
        return
    enqueue(jobs.STORE, longest_waiting)


@cache
def _places() -> threading.BoundedSemaphore:
    """Downloads of this process at once: each holds a thread, a connection and a file's worth of disk."""
    return threading.BoundedSemaphore(settings.VIDEO_DOWNLOADS)


def _store_due(video_id: str) -> None:
    video = Video.objects.filter(pk=video_id, status=Status.STORING).select_related("avatar").first()
    if video is None or not video.claim(settings.VIDEO_STORE_LEASE):
        return
    try:
        _store(video, client_of(video))
    except NotFound as error:
        _gone(video, error)
    except Refused as error:
        if error.is_named:
            render_ends.end_refused(video, error)
        else:
            _postpone(video, error)
    except MovedOn:
        logger.info("storing_abandoned", video_id=video_id)
    except Exception as error:  # noqa: BLE001 - a full disk, a bucket's own error, no price: HeyGen still has the file
        _postpone(video, error)


def _postpone(video: Video, error: Exception) -> None:
    # A link's host that we do not trust concerns no order: HeyGen's own answers come with a status.
    if isinstance(error, OperatorProblem) and error.status is not None and not video.is_test:
        provider.trip(error)
    expected = isinstance(error, (*EXPECTED, Unusable))
    log = logger.error if isinstance(error, NoRoom) else logger.warning if expected else logger.exception
    log("storing_postponed", video_id=str(video.pk), error=repr(error), tries=video.tries)
    retry_after = min(getattr(error, "retry_after", None) or 0.0, MAX_BUSY_SECONDS)
    video.retry_later(video.retry_pause(at_least=retry_after), f"{type(error).__name__}: {error}")


def _store(video: Video, client: HeyGenClient) -> None:
    links = _noted_links(video) or _read_links(video, client)
    with downloads.workplace(video.pk) as folder:
        try:
            _fetch_by(links, video, client, folder)
        except (mp4.BrokenFile, NoRoom, MovedOn):
            # Nothing to go on with, or a part that would wait for room and take it from others.
            downloads.clear(folder)
            raise
        downloads.clear(folder)


def _fetch_by(links: Links, video: Video, client: HeyGenClient, folder: Path) -> None:
    """With fresh links, at once, when those that were noted have expired."""
    try:
        _fetch_and_keep(video, client, links, folder)
    except LinkExpired:
        if links.is_fresh:
            raise
        _fetch_and_keep(video, client, _read_links(video, client), folder)


def _noted_links(video: Video) -> Links | None:
    """Those that came with the news of the end: good for the first try, and one read of HeyGen fewer."""
    noted = video.render_links
    if not noted or video.tries or (video.captions and not noted["is_captioned"]):
        return None
    return Links(**noted, is_fresh=False)


def _read_links(video: Video, client: HeyGenClient) -> Links:
    remote = client.get_video(video.provider_video_id or "", captioned=video.captions)
    if not remote.file_url:
        raise Unusable("HeyGen names no file")
    if video.captions and not remote.captioned_file_url and video.tries < PATIENT_TRIES:
        # The captioned file comes some seconds after the plain one.
        raise Unusable("HeyGen names no captioned file yet")
    return Links(**links_of(remote), is_fresh=True)


def _fetch_and_keep(video: Video, client: HeyGenClient, links: Links, folder: Path) -> None:
    main = downloads.fetch(client, links.file_url, folder / "video.mp4", video, settings.VIDEO_MAX_BYTES)
    with main.path.open("rb") as file:
        info = mp4.inspect(file, main.bytes)
    _compare(video, info.duration_seconds, links.duration)
    thumbnail = _fetch_side(client, links.thumbnail_url, folder / "thumbnail.jpg", video, SIDE_FILE_LIMIT)
    subtitles = _fetch_side(client, links.subtitles_url, folder / "captions.srt", video, SUBTITLES_LIMIT)
    facts = {"file_bytes": main.bytes, "file_sha256": main.sha256}
    downloads.hold_on(video, settings.VIDEO_STORE_LEASE + main.bytes / SLOWEST_UPLOAD)
    names = _keep_all(video, main, thumbnail, subtitles)
    if not settling.complete(video, duration=info.duration_seconds, **facts, **names):
        _drop_unless_completed(video)


def _keep_all(video: Video, main: Fetched, thumbnail: Fetched | None, subtitles: Fetched | None) -> dict[str, str]:
    """The names in our storage, empty for what there is not."""
    names = {"subtitles": "", "subtitles_vtt": ""}
    if subtitles:
        vtt = subtitles.path.with_suffix(".vtt")
        vtt.write_bytes(vtt_of(subtitles.path.read_bytes()))
        names = {"subtitles": _keep(video, subtitles.path), "subtitles_vtt": _keep(video, vtt)}
    names["thumbnail"] = _keep(video, thumbnail.path) if thumbnail else ""
    return names | {"file": _keep(video, main.path)}


def _drop_unless_completed(video: Video) -> None:
    """Somebody else settled it meanwhile: unless as completed, under the same names, our files belong to nobody."""
    if not Video.objects.filter(pk=video.pk, status=Status.COMPLETED, deleted_at=None).exists():
        forget_files(video)


def _compare(video: Video, ours: Decimal, theirs: float | None) -> None:
    if theirs is not None and abs(float(ours) - theirs) > 1:
        logger.warning("duration_differs", video_id=str(video.pk), file=str(ours), provider=theirs)


def _fetch_side(client: HeyGenClient, url: str | None, path: Path, video: Video, limit: int) -> Fetched | None:
    """Thumbnail or subtitles: insisted on for a while, then done without."""
    try:
        if not url:
            raise Unusable(f"HeyGen names no {path.name}")
        side = downloads.fetch(client, url, path, video, limit)
        _refuse_page(side)
    except (HeyGenError, HttpError, Unusable) as error:
        if video.tries < PATIENT_TRIES:
            raise
        logger.warning("stored_without", video_id=str(video.pk), name=path.name, error=repr(error))
        return None
    return side


def _refuse_page(side: Fetched) -> None:
    """A gateway's error page with status 200 is neither a picture nor subtitles."""
    with side.path.open("rb") as file:
        if not file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            return
    side.path.unlink()
    raise Unusable(f"a page came in the place of {side.path.name}")


def _keep(video: Video, path: Path) -> str:
    """Under a name that every try shares, so that a repeated try overwrites instead of piling up."""
    name = f"videos/{video.account_id}/{video.pk}/{path.name}"
    with path.open("rb") as raw:
        file = LocalFile(raw, name=str(path))
        return default_storage.save(name, file)


def _gone(video: Video, error: HeyGenError) -> None:
    settling.fail(
        video,
        code="render_lost",
        message="The finished video was lost at the video service. Nothing was charged.",
        retryable=True,
        reason="gone_at_provider",
        provider_error=str(error),
    )


def give_up_storing(video: Video) -> None:
    failed = settling.fail(
        video,
        code="storage_failed",
        message="The finished video could not be stored. Nothing was charged.",
        retryable=True,
        reason="store_deadline",
        provider_error=video.waiting_reason,
    )
    # Only now: whoever moves the video first decides, and a completed one keeps its files.
    if failed:
        forget_files(video)


def forget_files(video: Video) -> None:
    """Remove every file that a video of ours can have, named in its row or not. Raises OSError."""
    for name in NAMES:
        default_storage.delete(f"videos/{video.account_id}/{video.pk}/{name}")

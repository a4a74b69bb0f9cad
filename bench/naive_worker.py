"""The design that the pipeline is measured against: one long task per video, as in a Celery tutorial.

It orders the video, polls every few seconds, downloads the files, charges and ends. HeyGen client, tables, threads,
logs and database connections are ours. It lacks fairness between accounts, a limit of videos in flight (the bench
applies it), crash recovery, history and file checks. So only the design differs.
"""

import hashlib
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import django
from celery import Celery, signals
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import close_old_connections, transaction
from django.utils import timezone

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
POLL_SECONDS = float(os.environ.get("NAIVE_POLL_SECONDS", "5"))

# Not the current app: the bench imports this to send tasks, and genvid's tasks must still go to genvid.
app = Celery("naive", broker=os.environ["REDIS_URL"], set_as_current=False)
app.conf.update(task_ignore_result=True, worker_hijack_root_logger=False, worker_send_task_events=False)
app.conf.CELERY_DB_REUSE_MAX = settings.CELERY_DB_REUSE_MAX
django.setup()

# Models can be imported only now.
from avatars.uploads import assets  # noqa: E402
from billing import credits  # noqa: E402
from genvid.heygen.heygen_client import get_client  # noqa: E402
from genvid.heygen.heygen_types import RenderState  # noqa: E402
from videos.models import Video  # noqa: E402
from videos.pipeline.submission import spec_of  # noqa: E402


@signals.task_prerun.connect
def keep_database_connection(task: Any = None, **_: Any) -> None:
    # Signals are global: beside genvid's tasks they must not be connected.
    if task is not None and task.app is app:
        close_old_connections()


@signals.setup_logging.connect
def disable_celery_logging(**_: Any) -> None:
    """Celery would log a line for every poll."""


@app.task(bind=True, max_retries=None, name="naive.make_video")
def make_video(self: Any, video_id: str) -> None:
    video = Video.objects.select_related("avatar", "voice").get(pk=video_id)
    client = get_client()
    if video.provider_video_id is None:
        _order(video, client)
        raise self.retry(countdown=POLL_SECONDS)
    remote = client.get_video(video.provider_video_id)
    if remote.state is RenderState.RUNNING:
        raise self.retry(countdown=POLL_SECONDS)
    _finish(video, client, remote)


def _order(video: Any, client: Any) -> None:
    spec = spec_of(video, partial(assets.asset_id_of, client=client))
    ordered = client.create_video(spec, idempotency_key=f"naive.{video.pk}", callback_id=str(video.pk))
    video.status, video.provider_video_id, video.submitted_at = "rendering", ordered.video_id, timezone.now()
    video.save(update_fields=["status", "provider_video_id", "submitted_at"])


def _finish(video: Any, client: Any, remote: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        video.file, video.file_sha256 = _fetch(client, remote.file_url, Path(folder) / "video.mp4", video)
        video.thumbnail, _ = _fetch(client, remote.thumbnail_url, Path(folder) / "thumbnail.jpg", video)
        video.subtitles, _ = _fetch(client, remote.subtitles_url, Path(folder) / "captions.srt", video)
    video.status, video.completed_at, video.duration_seconds = "completed", timezone.now(), remote.duration
    cost = credits.price(
        engine=video.engine, avatar_kind=video.avatar.kind, resolution=video.resolution, seconds=remote.duration
    )
    with transaction.atomic():
        video.credits_charged = credits.capture(video.money_reference, cost, description="naive")
        video.save()


def _fetch(client: Any, url: str, path: Path, video: Any) -> tuple[str, str]:
    with path.open("wb") as sink:
        client.download_media(url, sink, max_bytes=2 * 1024**3)
    with path.open("rb") as raw:
        digest = hashlib.file_digest(raw, "sha256").hexdigest()
        raw.seek(0)
        return default_storage.save(f"naive/{video.pk}/{path.name}", File(raw)), digest

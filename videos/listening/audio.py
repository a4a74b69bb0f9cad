"""The audio of a speech as an upload of ours: HeyGen's link expires."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from avatars.enums import UploadKind
from avatars.models import Upload
from avatars.uploads import intake, removal
from genvid.errors import DomainError
from genvid.heygen.speech_wire import Spoken
from videos.media import resumable_downloads
from videos.models import Speech

Fetch = Callable[..., object]
"""Copies a file into a sink, with the arguments of `HeyGenClient.download_media`."""
MAX_BYTES = 128 * 1024**2
DOWNLOAD_TIMEOUT = 30.0


def keep_audio(speech: Speech, fetch: Fetch, spoken: Spoken) -> Upload:
    """Download it and keep it, with the length of its own frames. Outside any transaction.

    Raises HeyGenError, UploadRefused for what is no audio, OSError and a bucket's own errors. What is kept and then not
    referred to expires by itself.
    """
    resumable_downloads.require_disk_space(0)
    with tempfile.TemporaryFile(dir=Path(settings.WORK_DIR)) as file:
        fetch(spoken.audio_url, file, max_bytes=MAX_BYTES, timeout=DOWNLOAD_TIMEOUT)
        return intake.keep_file(
            speech.account_id, file, kind=UploadKind.AUDIO, filename="speech", is_test=speech.is_test
        )


@transaction.atomic
def remove_audio(upload_id: UUID) -> None:
    """As `drop_audio`, whatever refers to it."""
    for upload in Upload.objects.select_for_update().filter(pk=upload_id, deleted_at=None):
        removal.hide(upload)


def drop_audio(upload_id: UUID | None) -> None:
    """A worker removes the file, and its copy at HeyGen. Nothing happens while something refers to it."""
    if upload_id is None:
        return
    upload = Upload.objects.filter(pk=upload_id, deleted_at=None).first()
    if upload is None:
        return
    try:
        with transaction.atomic():
            removal.delete_upload(upload)
    except DomainError:
        # Something else refers to it, or it was deleted meanwhile.
        return

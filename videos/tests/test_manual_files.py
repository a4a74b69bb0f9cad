"""Files uploaded or fetched again by staff: resume, disk reserve and content checks."""

import hashlib
import os
import time

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from genvid.errors import Overloaded
from genvid.tests.asserts import nothing_changes
from genvid.tests.factories import make_video
from videos.media import resumable_downloads
from videos.models import Video
from videos.pipeline import storage, sweeper
from videos.staff import manual_files
from videos.tests.doubles import tiny_mp4
from videos.tests.pipeline import charged_once, fresh, stored_files

pytestmark = pytest.mark.django_db
HTML = b"<html><head><title>403 Forbidden</title></head></html>"
STAFF = "sam@example.com"


@pytest.fixture(autouse=True)
def work_dir(settings, tmp_path):
    """A work folder of this test alone."""
    settings.WORK_DIR = tmp_path / "works"
    return settings.WORK_DIR


@pytest.fixture
def finished(pipeline, owner) -> Video:
    return pipeline.run(pipeline.order(owner))


def upload(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("ours.mp4", content, "video/mp4")


def content_of(video, field: str = "file") -> bytes:
    with default_storage.open(getattr(fresh(video), field).name) as file:
        return file.read()


def replace(video) -> bool:
    return storage.replace_file(str(video.pk))


# ── Uploaded


@pytest.mark.parametrize("status", ["rendering", "storing"])
def test_an_upload_that_would_eat_into_the_disk_reserve_is_refused(owner, settings, status):
    video, settings.VIDEO_DISK_RESERVE = make_video(owner, status), 10**18
    with nothing_changes(), pytest.raises(Overloaded, match="bytes are needed"):
        manual_files.settle_completed(video, by=STAFF, file=upload(tiny_mp4(3)))
    assert stored_files(video) == []


def test_an_upload_is_not_appended_to_a_part_of_heygens_file(pipeline, owner):
    video = pipeline.reach_storing(pipeline.order(owner))
    pipeline.sandbox.configure(truncate_downloads=1)
    video = pipeline.store(video)
    pipeline.make_due(video)

    manual_files.settle_completed(video, by=STAFF, file=upload(tiny_mp4(3)))

    assert (content_of(video), fresh(video).file_sha256) == (tiny_mp4(3), hashlib.sha256(tiny_mp4(3)).hexdigest())
    assert charged_once(owner, video)


def test_an_upload_is_refused_while_a_worker_is_in_the_folder(owner):
    video = make_video(owner, "rendering")
    with resumable_downloads.work_folder(video.pk), pytest.raises(Overloaded, match="another worker"):
        manual_files.settle_completed(video, by=STAFF, file=upload(tiny_mp4(3)))
    assert (fresh(video).status, stored_files(video)) == ("storing", [])


def test_an_upload_leaves_nothing_in_the_work_folder(owner, work_dir):
    manual_files.settle_completed(make_video(owner, "rendering"), by=STAFF, file=upload(tiny_mp4(3)))
    assert list(work_dir.iterdir()) == []


# ── Downloaded again


def test_a_replacement_that_broke_off_is_resumed(pipeline, finished, heygen_double):
    starts = []

    def fetch(client, url, sink, **options):
        starts.append(options["start"])
        return client.real.download_media(url, sink, **options)

    heygen_double.download = fetch
    default_storage.delete(finished.file.name)
    pipeline.sandbox.configure(truncate_downloads=1)

    assert [replace(finished), replace(finished)] == [False, True]

    broken_off, resumed, *_ = starts
    assert (broken_off, 0 < resumed < finished.file_bytes - 1) == (0, True)
    assert hashlib.sha256(content_of(finished)).hexdigest() == finished.file_sha256


def test_a_replacement_that_would_eat_into_the_disk_reserve_is_not_begun(finished, settings):
    before, settings.VIDEO_DISK_RESERVE = content_of(finished), 10**18
    with nothing_changes():
        assert replace(finished) is False
    assert content_of(finished) == before


@pytest.mark.parametrize(("suffix", "field"), [(".jpg", "thumbnail"), (".srt", "subtitles")])
def test_an_html_page_replaces_neither_a_thumbnail_nor_subtitles(pipeline, finished, suffix, field):
    before = content_of(finished, field)
    pipeline.file_at_provider(finished, suffix).write_bytes(HTML)
    assert replace(finished) is True
    assert content_of(finished, field) == before


def test_an_html_page_replaces_no_video(pipeline, finished):
    before = content_of(finished)
    pipeline.file_at_provider(finished, "video.mp4").write_bytes(HTML)
    with nothing_changes():
        assert replace(finished) is False
    assert content_of(finished) == before


def test_a_replacement_is_refused_while_another_worker_is_in_the_folder(finished):
    with resumable_downloads.work_folder(finished.pk), nothing_changes():
        assert replace(finished) is False


def test_a_replacement_takes_no_lease_of_a_completed_video(finished, settings):
    settings.VIDEO_STORE_LEASE = 0.0
    assert (replace(finished), fresh(finished).due_at) == (True, None)


@pytest.mark.parametrize("gone", ["deleted_at", "expired_at"])
def test_a_video_deleted_during_a_replacement_gets_no_files_back(finished, heygen_double, gone):
    def fetch(client, url, sink, **options):
        Video.objects.filter(pk=finished.pk).update(**{gone: timezone.now()})
        return client.real.download_media(url, sink, **options)

    heygen_double.download = fetch

    assert (replace(finished), stored_files(finished)) == (False, [])


def test_the_partial_file_of_a_replacement_is_cleared_once_it_is_old(pipeline, finished, work_dir):
    pipeline.sandbox.configure(truncate_downloads=1)
    replace(finished)
    folder = work_dir / str(finished.pk)
    sweeper.sweep_all()
    assert folder.exists()
    old = time.time() - sweeper.LEFTOVER_SECONDS - 1
    os.utime(folder, (old, old))

    sweeper.sweep_all()

    assert list(work_dir.iterdir()) == []

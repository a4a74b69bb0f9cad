"""Errors of HeyGen's links, the network and the disk while a file is stored."""

import shutil
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from videos import settlement
from videos.enums import Status
from videos.lifecycle import deletion
from videos.media import resumable_downloads
from videos.models import OperatorAlarm, Video
from videos.pipeline import storage
from videos.tests.doubles import CallbackAfterSave
from videos.tests.pipeline import (
    UNTOUCHED,
    charged_once,
    fresh,
    gate,
    money_of,
    outcome_of,
    still_held,
    stored_files,
    use_storage,
)

HTML = b"<html><head><title>403 Forbidden</title></head></html>"


def reads_of(pipeline) -> int:
    return pipeline.sandbox.records()["requests"].get("GET /v3/videos/{video_id}", 0)


@pytest.fixture(autouse=True)
def work_dir(settings, tmp_path):
    """A work folder of this test alone."""
    settings.WORK_DIR = tmp_path / "works"
    return settings.WORK_DIR


def test_the_first_download_uses_the_links_of_the_status_read(pipeline, owner):
    video = pipeline.reach_storing(pipeline.order(owner))
    reads = reads_of(pipeline)

    video = pipeline.store(video)

    assert (video.status, video.render_links, reads_of(pipeline)) == ("completed", None, reads)


def test_a_stored_link_that_has_expired_is_replaced_at_once(pipeline, owner):
    pipeline.sandbox.configure(expired_links=1)
    video = pipeline.reach_storing(pipeline.order(owner))
    reads = reads_of(pipeline)

    video = pipeline.store(video)

    assert (video.status, video.tries, reads_of(pipeline)) == ("completed", 0, reads + 1)
    assert charged_once(owner, video)


def test_a_fresh_link_that_fails_is_retried_later(pipeline, owner):
    pipeline.sandbox.configure(expired_links=2)
    video = pipeline.store(pipeline.reach_storing(pipeline.order(owner)))

    assert (video.status, video.tries) == ("storing", 1)
    assert still_held(owner, video)
    assert pipeline.store(video).status == Status.COMPLETED
    assert charged_once(owner, video)


def test_a_link_to_an_untrusted_host_postpones_the_download_and_closes_no_gate(pipeline, owner, settings):
    video = pipeline.reach_storing(pipeline.order(owner))
    trusted, settings.HEYGEN_MEDIA_HOSTS = settings.HEYGEN_MEDIA_HOSTS, [".heygen.ai"]

    video = pipeline.store(video)

    assert (video.status, video.tries) == ("storing", 1)
    assert video.waiting_reason.startswith("OperatorProblem: media_host_not_allowed: ")
    assert (gate().closed_until, gate().needs_staff, still_held(owner, video)) == (None, False, True)
    settings.HEYGEN_MEDIA_HOSTS = trusted
    assert pipeline.store(video).status == Status.COMPLETED


def test_a_download_waits_for_free_disk_space(pipeline, owner, settings):
    video = pipeline.reach_storing(pipeline.order(owner))
    reserve, settings.VIDEO_DISK_RESERVE = settings.VIDEO_DISK_RESERVE, 10**18

    video = pipeline.store(video)

    assert video.status == Status.STORING
    assert video.waiting_reason.startswith("DiskFull: ")
    assert still_held(owner, video)
    settings.VIDEO_DISK_RESERVE = reserve
    assert pipeline.store(video).status == Status.COMPLETED


def test_storing_that_fails_for_two_minutes_is_an_alarm(pipeline, owner, settings):
    video = pipeline.reach_storing(pipeline.order(owner))
    settings.VIDEO_DISK_RESERVE = 10**18
    pipeline.store(video)
    assert alarms() == []

    Video.objects.filter(pk=video.pk).update(rendered_at=timezone.now() - timedelta(seconds=121))
    pipeline.store(video)
    pipeline.store(video)

    assert alarms() == [("storing_fails", 2)]
    assert f"of video {video.pk}: DiskFull: " in OperatorAlarm.objects.get().text


def test_a_bucket_that_fails_for_two_minutes_is_an_alarm(pipeline, owner, settings):
    video = pipeline.reach_storing(pipeline.order(owner))
    Video.objects.filter(pk=video.pk).update(rendered_at=timezone.now() - timedelta(seconds=121))
    use_storage(settings, "FullBucket")
    video = pipeline.store(video)
    assert (video.status, alarms()) == ("storing", [("storing_fails", 1)])


def test_links_that_fail_for_two_minutes_are_no_alarm_of_ours(pipeline, owner):
    pipeline.sandbox.configure(expired_links=2)
    video = pipeline.reach_storing(pipeline.order(owner))
    Video.objects.filter(pk=video.pk).update(rendered_at=timezone.now() - timedelta(seconds=121))
    assert (pipeline.store(video).status, alarms()) == ("storing", [])


def alarms() -> list[tuple[str, int]]:
    return list(OperatorAlarm.objects.values_list("code", "count"))


def test_a_download_that_would_eat_into_the_disk_reserve_is_not_begun(pipeline, owner, settings, monkeypatch):
    video = pipeline.reach_storing(pipeline.order(owner))
    size = pipeline.file_at_provider(video, "video.mp4").stat().st_size
    free = settings.VIDEO_DISK_RESERVE + size
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free - 1))

    video = pipeline.store(video)

    assert video.waiting_reason.startswith(f"DiskFull: {size} bytes are needed, {free - 1} are free")
    assert still_held(owner, video)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert pipeline.store(video).status == Status.COMPLETED


def test_a_partial_file_is_deleted_while_the_disk_is_full(pipeline, owner, settings, work_dir):
    video = pipeline.reach_storing(pipeline.order(owner))
    pipeline.sandbox.configure(truncate_downloads=1)
    pipeline.store(video)
    settings.VIDEO_DISK_RESERVE = 10**18

    pipeline.store(video)

    assert list(work_dir.iterdir()) == []


def test_a_download_stops_when_other_processes_fill_the_disk(pipeline, owner, settings, heygen_double, monkeypatch):
    video = pipeline.reach_storing(pipeline.order(owner))
    monkeypatch.setattr(resumable_downloads, "DISK_CHECK_BYTES", 1000)

    def fetch(client, url, sink, *, begin, **options):
        settings.VIDEO_DISK_RESERVE = 10**18
        return client.real.download_media(url, sink, **options)

    heygen_double.download = fetch
    video = pipeline.store(video)

    assert video.status == Status.STORING
    assert video.waiting_reason.startswith("DiskFull: ")


def test_a_video_that_was_completed_and_deleted_meanwhile_gets_no_files_back(pipeline, owner, settings):
    video = pipeline.reach_storing(pipeline.order(owner))
    use_storage(settings, "CallbackAfterSave")

    def another_worker_and_the_client() -> None:
        assert settlement.complete_video(fresh(video), duration=Decimal("2.5"))
        deletion.delete_video(fresh(video))
        deletion.purge_video(str(video.pk))

    CallbackAfterSave.callback = another_worker_and_the_client
    video = pipeline.store(video)

    assert (video.status, video.purged_at is not None, stored_files(video)) == ("completed", True, [])
    assert charged_once(owner, video)


def test_a_video_that_was_canceled_is_downloaded_no_further(pipeline, owner, settings, heygen_double, work_dir):
    video, written = pipeline.reach_storing(pipeline.order(owner)), []

    def fetch(client, url, sink, **options):
        settlement.cancel_video(fresh(video), reason="test")
        settings.VIDEO_STORE_LEASE = 0.0
        sink.write(b"a little")
        written.append(url)

    heygen_double.download = fetch
    video = pipeline.store(video)

    assert (video.status, written, stored_files(video)) == ("canceled", [], [])
    assert list(work_dir.iterdir()) == []
    assert money_of(owner) == UNTOUCHED


def test_a_worker_that_downloads_leaves_the_next_video_due(pipeline, owner, settings, woken):
    video = pipeline.reach_storing(pipeline.order(owner))
    settings.VIDEO_DOWNLOADS = 1
    storage._slots.cache_clear()

    with storage._slots():
        assert pipeline.store(video).status == Status.STORING
    woken.clear()
    storage.store_video(str(uuid4()))

    storage._slots.cache_clear()
    assert woken == [("videos.store", str(video.pk))]


def test_a_truncated_download_is_not_kept(pipeline, owner):
    video = pipeline.reach_storing(pipeline.order(owner))
    pipeline.sandbox.configure(truncate_downloads=1)

    video = pipeline.store(video)

    assert (video.status, video.file.name, stored_files(video)) == ("storing", "", [])
    assert still_held(owner, video)
    assert pipeline.store(video).status == Status.COMPLETED
    assert charged_once(owner, video)


@pytest.mark.parametrize("damage", [lambda whole: whole[: len(whole) // 2], lambda whole: b"", lambda whole: HTML])
def test_a_download_that_is_no_whole_mp4_is_not_kept(pipeline, owner, damage):
    video = pipeline.reach_storing(pipeline.order(owner))
    file = pipeline.file_at_provider(video, "video.mp4")
    whole = file.read_bytes()
    file.write_bytes(damage(whole))

    video = pipeline.store(video)

    assert (video.status, stored_files(video)) == ("storing", [])
    assert still_held(owner, video)
    file.write_bytes(whole)
    assert pipeline.store(video).status == Status.COMPLETED
    assert charged_once(owner, video)


def test_a_download_beyond_the_size_limit_is_not_kept(pipeline, owner, settings):
    settings.VIDEO_MAX_BYTES = 100
    video = pipeline.store(pipeline.reach_storing(pipeline.order(owner)))

    assert (video.status, stored_files(video)) == ("storing", [])
    settings.VIDEO_MAX_BYTES = 10_000_000
    assert pipeline.store(video).status == Status.COMPLETED
    assert charged_once(owner, video)


def test_a_missing_thumbnail_is_retried_and_then_left_out(pipeline, owner):
    video = pipeline.reach_storing(pipeline.order(owner))
    pipeline.file_at_provider(video, ".jpg").unlink()

    tries = 0
    while video.status == Status.STORING and tries < 10:
        video, tries = pipeline.store(video), tries + 1

    assert (video.status, tries) == ("completed", storage.MAX_INCOMPLETE_TRIES + 1)
    assert (video.thumbnail.name, video.subtitles.name != "") == ("", True)
    assert charged_once(owner, video)


@pytest.mark.parametrize("suffix", [".jpg", ".srt"])
def test_an_html_page_is_stored_neither_as_thumbnail_nor_as_captions(pipeline, owner, suffix):
    video = pipeline.reach_storing(pipeline.order(owner))
    file = pipeline.file_at_provider(video, suffix)
    whole = file.read_bytes()
    file.write_bytes(HTML)

    video = pipeline.store(video)

    assert (video.status, stored_files(video)) == ("storing", [])
    file.write_bytes(whole)
    assert pipeline.store(video).status == Status.COMPLETED


def test_a_full_disk_postpones_the_download(pipeline, owner, settings):
    video = pipeline.reach_storing(pipeline.order(owner))
    part = settings.WORK_DIR / str(video.pk) / "video.mp4"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")

    video = pipeline.store(video)

    assert (video.status, video.tries) == ("storing", 1)
    assert "No space left on device" in video.waiting_reason
    assert still_held(owner, video)
    part.unlink()
    assert pipeline.store(video).status == Status.COMPLETED
    assert charged_once(owner, video)


def test_a_work_folder_that_cannot_be_made_postpones_the_download(pipeline, owner, settings, tmp_path):
    video, work_dir = pipeline.reach_storing(pipeline.order(owner)), settings.WORK_DIR
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    settings.WORK_DIR = blocked / "tmp"

    video = pipeline.store(video)

    assert (video.status, video.tries) == ("storing", 1)
    assert "NotADirectoryError" in video.waiting_reason
    assert still_held(owner, video)
    settings.WORK_DIR = work_dir
    assert pipeline.store(video).status == Status.COMPLETED
    assert charged_once(owner, video)


def test_a_stored_video_leaves_nothing_in_the_work_folder(pipeline, owner, work_dir):
    video = pipeline.reach_storing(pipeline.order(owner))
    pipeline.sandbox.configure(truncate_downloads=1)
    pipeline.store(video)
    pipeline.store(video)

    assert list(work_dir.iterdir()) == []


def test_a_render_gone_from_heygen_fails_the_video(pipeline, owner):
    video = pipeline.reach_storing(pipeline.order(owner))
    Video.objects.filter(pk=video.pk).update(render_links=None)
    pipeline.sandbox.configure(visible_after=3600)

    video = pipeline.store(video)

    assert outcome_of(video) == ("failed", "render_lost", True)
    assert (money_of(owner), stored_files(video)) == (UNTOUCHED, [])


def test_a_repeated_download_replaces_the_files_of_the_last(pipeline, owner):
    video = pipeline.reach_storing(pipeline.order(owner))
    default_storage.save(f"videos/{video.account_id}/{video.pk}/video.mp4", ContentFile(b"half"))

    video = pipeline.store(video)

    assert stored_files(video) == ["captions.srt", "captions.vtt", "thumbnail.jpg", "video.mp4"]
    assert default_storage.size(video.file.name) == video.file_bytes
    assert charged_once(owner, video)

"""Resumed downloads, locks of work folders, and clearing of what is left behind."""

import hashlib
import os
import struct
import time
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage

from genvid.heygen.heygen_errors import LinkExpired, Unknown
from genvid.http import Head
from videos import settlement
from videos.enums import Status
from videos.media import resumable_downloads
from videos.pipeline import sweeper
from videos.tests.pipeline import charged_once, fresh, still_held


def is_whole(video) -> bool:
    with default_storage.open(video.file.name) as file:
        return hashlib.sha256(file.read()).hexdigest() == video.file_sha256


def tiny_box() -> bytes:
    """An MP4 box that players skip."""
    return struct.pack(">I4s", 8, b"free")


@pytest.fixture(autouse=True)
def work_dir(settings, tmp_path):
    """A work folder of this test alone."""
    settings.WORK_DIR = tmp_path / "works"
    return settings.WORK_DIR


@pytest.fixture
def starts(heygen_double) -> list[tuple[str, int]]:
    """The downloads that were requested: kind of file, and first byte."""
    asked = []

    def fetch(client, url, sink, **options):
        asked.append((url.partition("?")[0].rpartition(".")[2], options["start"]))
        return client.real.download_media(url, sink, **options)

    heygen_double.download = fetch
    return asked


def test_a_download_that_broke_off_is_resumed_where_it_stopped(pipeline, owner, starts):
    video = pipeline.reach_storing(pipeline.order(owner))
    pipeline.sandbox.configure(truncate_downloads=1)
    pipeline.store(video)

    video = pipeline.store(video)

    (_, first), (_, second), *_ = starts
    assert (video.status, first) == ("completed", 0)
    assert 0 < second < video.file_bytes - 1
    assert is_whole(video)


def test_a_file_that_changed_since_its_partial_download_is_fetched_anew(pipeline, owner):
    video = pipeline.reach_storing(pipeline.order(owner))
    pipeline.sandbox.configure(truncate_downloads=1)
    pipeline.store(video)
    remote = pipeline.file_at_provider(video, "video.mp4")
    remote.write_bytes(remote.read_bytes() + tiny_box())

    video = pipeline.store(video)

    assert (video.status, video.file_bytes) == ("completed", remote.stat().st_size)
    assert is_whole(video)


def test_a_partial_file_of_unknown_origin_is_not_resumed(pipeline, owner, work_dir):
    video = pipeline.reach_storing(pipeline.order(owner))
    folder = work_dir / str(video.pk)
    folder.mkdir(parents=True)
    (folder / "video.mp4").write_bytes(b"from nowhere")

    video = pipeline.store(video)

    assert video.status == Status.COMPLETED
    assert is_whole(video)


def test_two_workers_of_one_machine_do_not_write_the_same_file(pipeline, owner):
    video = pipeline.reach_storing(pipeline.order(owner))

    with resumable_downloads.work_folder(video.pk):
        video = pipeline.store(video)

    assert (video.status, video.tries) == ("storing", 1)
    assert still_held(owner, video)
    assert pipeline.store(video).status == Status.COMPLETED


def test_a_retry_for_the_thumbnail_does_not_fetch_the_video_again(pipeline, owner, starts):
    video = pipeline.reach_storing(pipeline.order(owner))
    thumbnail = pipeline.file_at_provider(video, ".jpg")
    hidden = thumbnail.rename(thumbnail.with_suffix(".hidden"))
    pipeline.store(video)
    hidden.rename(thumbnail)
    starts.clear()

    video = pipeline.store(video)

    assert (video.status, starts[0]) == ("completed", ("mp4", video.file_bytes - 1))
    assert is_whole(video)


def test_a_stored_thumbnail_link_that_has_expired_is_replaced_at_once(pipeline, owner, heygen_double):
    video, refused = pipeline.reach_storing(pipeline.order(owner)), []

    def fetch(client, url, sink, **options):
        if ".jpg" in url and not refused:
            refused.append(url)
            raise LinkExpired("link_expired", status=403)
        return client.real.download_media(url, sink, **options)

    heygen_double.download = fetch
    video = pipeline.store(video)

    assert (video.status, video.tries, len(refused), is_whole(video)) == ("completed", 0, 1, True)
    assert charged_once(owner, video)


@pytest.mark.parametrize("mark", [None, 'W/"1"'])
def test_a_file_without_a_strong_etag_is_fetched_anew(pipeline, owner, heygen_double, starts, mark):
    video, whole = pipeline.reach_storing(pipeline.order(owner)), heygen_double.download

    def break_off(client, url, sink, *, begin, **options):
        begin(Head(1000, mark))
        sink.write(b"half of it")
        raise Unknown("truncated")

    heygen_double.download = break_off
    pipeline.store(video)
    heygen_double.download = whole

    assert pipeline.store(video).status == Status.COMPLETED
    assert (starts[0], is_whole(fresh(video))) == (("mp4", 0), True)


def test_a_broken_partial_file_is_not_resumed(pipeline, owner, starts):
    video = pipeline.reach_storing(pipeline.order(owner))
    file = pipeline.file_at_provider(video, "video.mp4")
    whole = file.read_bytes()
    file.write_bytes(whole[:1000])
    pipeline.store(video)
    file.write_bytes(whole)

    video = pipeline.store(video)

    assert (video.status, starts[1]) == ("completed", ("mp4", 0))


def test_a_lock_on_a_removed_file_does_not_count(work_dir, monkeypatch):
    """Its holder removes the folder just before the opened file is locked."""
    video_id, really_lock = uuid4(), resumable_downloads.fcntl.flock

    def lock_too_late(file, how):
        (work_dir / str(video_id) / "lock").unlink()
        really_lock(file, how)

    monkeypatch.setattr(resumable_downloads.fcntl, "flock", lock_too_late)
    with pytest.raises(resumable_downloads.FolderInUse), resumable_downloads.work_folder(video_id):
        pass


# ── Clearing of work folders


def leave_part(pipeline, owner):
    """A video whose download has broken off, and the folder with the partial file."""
    video = pipeline.reach_storing(pipeline.order(owner))
    pipeline.sandbox.configure(truncate_downloads=1)
    return pipeline.store(video)


def parts(work_dir) -> list[str]:
    return sorted(folder.name for folder in work_dir.iterdir())


def test_the_partial_file_of_a_video_that_has_ended_is_cleared(pipeline, owner, work_dir):
    settlement.cancel_video(leave_part(pipeline, owner), reason="test")

    sweeper.sweep_all()

    assert parts(work_dir) == []


def test_the_partial_file_of_a_waiting_video_stays_however_old(pipeline, owner, work_dir):
    video = leave_part(pipeline, owner)
    make_old(work_dir / str(video.pk))

    sweeper.sweep_all()

    assert parts(work_dir) == [str(video.pk)]
    assert still_held(owner, video)


def test_a_work_folder_in_use_is_not_cleared(pipeline, owner, work_dir):
    video = leave_part(pipeline, owner)
    settlement.cancel_video(video, reason="test")

    with resumable_downloads.work_folder(video.pk):
        sweeper.sweep_all()

    assert parts(work_dir) == [str(video.pk)]


@pytest.mark.parametrize("name", ["somebody-elses", "01d55c40-7a3b-4924-9d97-9d7230938cc7"])
def test_old_work_folders_without_a_video_are_cleared(db, work_dir, name):
    folder = work_dir / name
    folder.mkdir(parents=True)
    (folder / "file").write_text("")
    sweeper.sweep_all()
    assert parts(work_dir) == [name]
    make_old(folder)

    sweeper.sweep_all()

    assert parts(work_dir) == []


def make_old(folder) -> None:
    old = time.time() - sweeper.LEFTOVER_SECONDS - 1
    os.utime(folder, (old, old))

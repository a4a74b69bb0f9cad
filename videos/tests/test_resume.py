"""Downloads that broke off go on where they stopped; two never write one file; what is left behind is cleared."""

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
    """A box of an MP4 that players skip."""
    return struct.pack(">I4s", 8, b"free")


@pytest.fixture(autouse=True)
def works(settings, tmp_path):
    """A work folder that no other test has used."""
    settings.WORK_DIR = tmp_path / "works"
    return settings.WORK_DIR


@pytest.fixture
def starts(heygen_double) -> list[tuple[str, int]]:
    """The downloads that were asked for: kind of file, and the byte it began at."""
    asked = []

    def fetch(client, url, sink, **options):
        asked.append((url.partition("?")[0].rpartition(".")[2], options["start"]))
        return client.real.download_media(url, sink, **options)

    heygen_double.download = fetch
    return asked


def test_a_download_that_broke_off_goes_on_where_it_stopped(pipeline, owner, starts):
    video = pipeline.storing(pipeline.order(owner))
    pipeline.sandbox.configure(truncate_downloads=1)
    pipeline.store(video)

    video = pipeline.store(video)

    (_, first), (_, second), *_ = starts
    assert (video.status, first) == ("completed", 0)
    assert 0 < second < video.file_bytes - 1
    assert is_whole(video)


def test_a_file_that_changed_meanwhile_is_fetched_anew(pipeline, owner):
    video = pipeline.storing(pipeline.order(owner))
    pipeline.sandbox.configure(truncate_downloads=1)
    pipeline.store(video)
    remote = pipeline.file_at_provider(video, "video.mp4")
    remote.write_bytes(remote.read_bytes() + tiny_box())

    video = pipeline.store(video)

    assert (video.status, video.file_bytes) == ("completed", remote.stat().st_size)
    assert is_whole(video)


def test_a_part_of_unknown_origin_is_not_built_upon(pipeline, owner, works):
    video = pipeline.storing(pipeline.order(owner))
    folder = works / str(video.pk)
    folder.mkdir(parents=True)
    (folder / "video.mp4").write_bytes(b"from nowhere")

    video = pipeline.store(video)

    assert video.status == Status.COMPLETED
    assert is_whole(video)


def test_two_workers_of_a_machine_do_not_write_one_file(pipeline, owner):
    video = pipeline.storing(pipeline.order(owner))

    with resumable_downloads.work_folder(video.pk):
        video = pipeline.store(video)

    assert (video.status, video.tries) == ("storing", 1)
    assert still_held(owner, video)
    assert pipeline.store(video).status == Status.COMPLETED


def test_a_video_is_not_fetched_again_for_the_sake_of_its_thumbnail(pipeline, owner, starts):
    video = pipeline.storing(pipeline.order(owner))
    thumbnail = pipeline.file_at_provider(video, ".jpg")
    hidden = thumbnail.rename(thumbnail.with_suffix(".hidden"))
    pipeline.store(video)
    hidden.rename(thumbnail)
    starts.clear()

    video = pipeline.store(video)

    assert (video.status, starts[0]) == ("completed", ("mp4", video.file_bytes - 1))
    assert is_whole(video)


def test_a_noted_link_of_a_thumbnail_that_has_expired_is_replaced_at_once(pipeline, owner, heygen_double):
    video, refused = pipeline.storing(pipeline.order(owner)), []

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
def test_a_file_without_a_strong_mark_is_fetched_anew(pipeline, owner, heygen_double, starts, mark):
    video, whole = pipeline.storing(pipeline.order(owner)), heygen_double.download

    def break_off(client, url, sink, *, begin, **options):
        begin(Head(1000, mark))
        sink.write(b"half of it")
        raise Unknown("truncated")

    heygen_double.download = break_off
    pipeline.store(video)
    heygen_double.download = whole

    assert pipeline.store(video).status == Status.COMPLETED
    assert (starts[0], is_whole(fresh(video))) == (("mp4", 0), True)


def test_a_broken_file_is_not_built_upon(pipeline, owner, starts):
    video = pipeline.storing(pipeline.order(owner))
    file = pipeline.file_at_provider(video, "video.mp4")
    whole = file.read_bytes()
    file.write_bytes(whole[:1000])
    pipeline.store(video)
    file.write_bytes(whole)

    video = pipeline.store(video)

    assert (video.status, starts[1]) == ("completed", ("mp4", 0))


def test_a_lock_whose_file_was_removed_is_no_lock(works, monkeypatch):
    """Its holder clears the folder and goes, just before we lock what we had opened."""
    video_id, really_lock = uuid4(), resumable_downloads.fcntl.flock

    def lock_too_late(file, how):
        (works / str(video_id) / "lock").unlink()
        really_lock(file, how)

    monkeypatch.setattr(resumable_downloads.fcntl, "flock", lock_too_late)
    with pytest.raises(resumable_downloads.FolderInUse), resumable_downloads.work_folder(video_id):
        pass


# ── What is left behind


def leave_part(pipeline, owner):
    """A video whose download has broken off, and the folder with its part."""
    video = pipeline.storing(pipeline.order(owner))
    pipeline.sandbox.configure(truncate_downloads=1)
    return pipeline.store(video)


def parts(works) -> list[str]:
    return sorted(folder.name for folder in works.iterdir())


def test_the_part_of_a_video_that_has_ended_is_cleared(pipeline, owner, works):
    settlement.cancel_video(leave_part(pipeline, owner), reason="test")

    sweeper.sweep_all()

    assert parts(works) == []


def test_the_part_of_a_video_that_waits_stays_however_old(pipeline, owner, works):
    video = leave_part(pipeline, owner)
    make_old(works / str(video.pk))

    sweeper.sweep_all()

    assert parts(works) == [str(video.pk)]
    assert still_held(owner, video)


def test_what_somebody_works_on_is_not_cleared(pipeline, owner, works):
    video = leave_part(pipeline, owner)
    settlement.cancel_video(video, reason="test")

    with resumable_downloads.work_folder(video.pk):
        sweeper.sweep_all()

    assert parts(works) == [str(video.pk)]


@pytest.mark.parametrize("name", ["somebody-elses", "01d55c40-7a3b-4924-9d97-9d7230938cc7"])
def test_other_folders_are_cleared_once_they_are_old(db, works, name):
    folder = works / name
    folder.mkdir(parents=True)
    (folder / "file").write_text("")
    sweeper.sweep_all()
    assert parts(works) == [name]
    make_old(folder)

    sweeper.sweep_all()

    assert parts(works) == []


def make_old(folder) -> None:
    old = time.time() - sweeper.LEFTOVER_SECONDS - 1
    os.utime(folder, (old, old))

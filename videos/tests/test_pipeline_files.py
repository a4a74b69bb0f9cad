"""Rendering, storing and deleting: what HeyGen, the network and the disk can do wrong."""

import hashlib
import struct
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from genvid.heygen.client import HeyGenClient
from videos import downloads
from videos.enums import Status
from videos.models import Video
from videos.services import deleting, storing, sweeping
from videos.tests.pipeline import (
    UNTOUCHED,
    charged_once,
    fresh,
    money_of,
    outcome_of,
    still_held,
    stored_files,
)

HTML = b"<html><head><title>403 Forbidden</title></head></html>"


def reads_of(pipeline) -> int:
    return pipeline.sandbox.books()["requests"].get("GET /v3/videos/{video_id}", 0)


def is_whole(video) -> bool:
    with default_storage.open(video.file.name) as file:
        return hashlib.sha256(file.read()).hexdigest() == video.file_sha256


def tiny_box() -> bytes:
    """A box of an MP4 that players skip."""
    return struct.pack(">I4s", 8, b"free")


class TestRendering:
    def test_a_failed_render_fails_in_our_words(self, pipeline, owner):
        video = pipeline.rendered(pipeline.order(owner, "Hello there. [[fail:rendering_failed]]"))

        video = pipeline.poll(video)

        assert outcome_of(video) == ("failed", "render_failed", True)
        assert "Avatar rendering timed out" in video.provider_error
        assert "Avatar" not in video.error_message
        assert (money_of(owner), pipeline.renders(video)) == (UNTOUCHED, 1)

    def test_an_unknown_failure_is_a_failed_render(self, pipeline, owner):
        video = pipeline.rendered(pipeline.order(owner, "Hello there. [[fail:gremlins]]"))

        assert outcome_of(pipeline.poll(video)) == ("failed", "render_failed", True)
        assert money_of(owner) == UNTOUCHED

    def test_completed_without_an_address_is_waited_for(self, pipeline, owner):
        video = pipeline.rendered(pipeline.order(owner, "Hello there. [[nourl:3]]"))

        video = pipeline.poll(video)

        assert (video.status, video.tries) == ("rendering", 1)
        assert "no file" in video.waiting_reason
        assert still_held(owner, video)
        assert pipeline.run(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    @pytest.mark.parametrize("fault", [{"status": 500}, {"status": 429}, {"kind": "html"}, {"kind": "garbage"}])
    def test_a_status_read_that_fails_is_repeated_later(self, pipeline, owner, fault):
        video = pipeline.rendered(pipeline.order(owner))
        pipeline.sandbox.fault(method="GET", path="/v3/videos/*", times=3, **fault)

        video = pipeline.poll(video)

        assert (video.status, video.tries) == ("rendering", 1)
        assert still_held(owner, video)
        assert pipeline.run(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_a_video_that_heygen_does_not_know_yet_is_waited_for(self, pipeline, owner):
        pipeline.sandbox.knobs(visible_after=3600)
        video = pipeline.submit(pipeline.order(owner))

        video = pipeline.poll(video)

        assert video.status == Status.RENDERING
        assert still_held(owner, video)
        pipeline.sandbox.knobs(visible_after=0)
        assert pipeline.run(video).status == Status.COMPLETED

    def test_a_video_that_heygen_knows_no_longer_fails(self, pipeline, owner):
        pipeline.sandbox.knobs(visible_after=3600)
        video = pipeline.submit(pipeline.order(owner))
        pipeline.age(video, 3600)

        video = pipeline.poll(video)

        assert outcome_of(video) == ("failed", "render_lost", True)
        assert money_of(owner) == UNTOUCHED

    def test_a_gateways_404_page_settles_nothing(self, pipeline, owner):
        video = pipeline.rendered(pipeline.order(owner))
        pipeline.age(video, 3600)
        pipeline.sandbox.fault(kind="html", status=404, method="GET", path="/v3/videos/*", times=3)

        assert pipeline.poll(video).status == Status.RENDERING
        assert still_held(owner, video)

    def test_all_due_renders_are_asked_about_in_one_call(self, pipeline, owner, settings):
        settings.HEYGEN_MAX_CONCURRENT = 3
        videos = [pipeline.rendered(pipeline.order(owner, "Hi.")) for _ in range(3)]
        Video.objects.update(due_at=timezone.now())

        for video in videos:
            pipeline.poll(video)

        assert [fresh(each).status for each in videos] == ["storing"] * 3
        assert pipeline.sandbox.books()["requests"]["GET /v3/videos/statuses"] == 1

    def test_a_late_failure_of_an_earlier_order_does_not_touch_the_present_one(self, pipeline, owner, door):
        """Two pollers read the same failed order; the slower one comes when a new order renders already."""
        pipeline.sandbox.wallet(0)
        video = pipeline.rendered(pipeline.order(owner))

        def slow(client, video_id, **options):
            old = client.real.get_video(video_id, **options)
            client.read = None
            pipeline.poll(video)
            pipeline.sandbox.wallet(100)
            pipeline.pass_gate()
            pipeline.submit(video)
            return old

        door.read = slow
        pipeline.poll(video)

        assert (fresh(video).status, fresh(video).attempt) == ("rendering", 2)
        pipeline.pass_gate()
        pipeline.run(video)
        assert [row["status"] for row in pipeline.orders(video)] == ["failed", "completed"]
        assert charged_once(owner, video)


class TestStoring:
    def test_the_first_try_uses_the_links_that_came_with_the_end(self, pipeline, owner):
        video = pipeline.storing(pipeline.order(owner))
        reads = reads_of(pipeline)

        video = pipeline.store(video)

        assert (video.status, video.render_links, reads_of(pipeline)) == ("completed", None, reads)

    def test_a_noted_link_that_has_expired_is_replaced_at_once(self, pipeline, owner):
        pipeline.sandbox.knobs(expired_links=1)
        video = pipeline.storing(pipeline.order(owner))
        reads = reads_of(pipeline)

        video = pipeline.store(video)

        assert (video.status, video.tries, reads_of(pipeline)) == ("completed", 0, reads + 1)
        assert charged_once(owner, video)

    def test_a_fresh_link_that_is_dead_is_tried_again_later(self, pipeline, owner):
        pipeline.sandbox.knobs(expired_links=2)
        video = pipeline.store(pipeline.storing(pipeline.order(owner)))

        assert (video.status, video.tries) == ("storing", 1)
        assert still_held(owner, video)
        assert pipeline.store(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_a_download_that_broke_off_goes_on_where_it_stopped(self, pipeline, owner, door):
        starts = []

        def fetch(client, url, sink, **options):
            starts.append(options["start"])
            return client.real.download_media(url, sink, **options)

        video = pipeline.storing(pipeline.order(owner))
        pipeline.sandbox.knobs(truncate_downloads=1)
        door.download = fetch
        pipeline.store(video)
        video = pipeline.store(video)

        assert video.status == Status.COMPLETED
        assert 0 < starts[1] < video.file_bytes
        assert is_whole(video)

    def test_a_file_that_changed_meanwhile_is_fetched_anew(self, pipeline, owner):
        video = pipeline.storing(pipeline.order(owner))
        pipeline.sandbox.knobs(truncate_downloads=1)
        pipeline.store(video)
        remote = pipeline.file_at_provider(video, "video.mp4")
        remote.write_bytes(remote.read_bytes() + tiny_box())

        video = pipeline.store(video)

        assert (video.status, video.file_bytes) == ("completed", remote.stat().st_size)
        assert is_whole(video)

    def test_a_part_of_unknown_origin_is_not_built_upon(self, pipeline, owner, settings):
        video = pipeline.storing(pipeline.order(owner))
        folder = settings.WORK_DIR / str(video.pk)
        folder.mkdir(parents=True)
        (folder / "video.mp4").write_bytes(b"from nowhere")

        video = pipeline.store(video)

        assert video.status == Status.COMPLETED
        assert is_whole(video)

    def test_two_workers_of_a_machine_do_not_write_one_file(self, pipeline, owner):
        video = pipeline.storing(pipeline.order(owner))

        with downloads.workplace(video.pk):
            video = pipeline.store(video)

        assert (video.status, video.tries) == ("storing", 1)
        assert still_held(owner, video)
        assert pipeline.store(video).status == Status.COMPLETED

    def test_a_disk_with_too_little_room_is_waited_out(self, pipeline, owner, settings):
        video = pipeline.storing(pipeline.order(owner))
        reserve, settings.VIDEO_DISK_RESERVE = settings.VIDEO_DISK_RESERVE, 10**18

        video = pipeline.store(video)

        assert video.status == Status.STORING
        assert video.waiting_reason.startswith("NoRoom: ")
        assert still_held(owner, video)
        settings.VIDEO_DISK_RESERVE = reserve
        assert pipeline.store(video).status == Status.COMPLETED

    def test_a_process_that_is_busy_leaves_the_next_one_due(self, pipeline, owner, settings, woken):
        video = pipeline.storing(pipeline.order(owner))
        settings.VIDEO_DOWNLOADS = 1
        storing._places.cache_clear()

        with storing._places():
            assert pipeline.store(video).status == Status.STORING
        woken.clear()
        storing.store_video(str(uuid4()))

        storing._places.cache_clear()
        assert woken == [("videos.store", str(video.pk))]

    def test_a_truncated_download_is_not_kept(self, pipeline, owner):
        video = pipeline.storing(pipeline.order(owner))
        pipeline.sandbox.knobs(truncate_downloads=1)

        video = pipeline.store(video)

        assert (video.status, video.file.name, stored_files(video)) == ("storing", "", [])
        assert still_held(owner, video)
        assert pipeline.store(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    @pytest.mark.parametrize("damage", [lambda whole: whole[: len(whole) // 2], lambda whole: b"", lambda whole: HTML])
    def test_what_is_not_a_whole_mp4_is_not_kept(self, pipeline, owner, damage):
        video = pipeline.storing(pipeline.order(owner))
        file = pipeline.file_at_provider(video, "video.mp4")
        whole = file.read_bytes()
        file.write_bytes(damage(whole))

        video = pipeline.store(video)

        assert (video.status, stored_files(video)) == ("storing", [])
        assert still_held(owner, video)
        file.write_bytes(whole)
        assert pipeline.store(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_a_file_beyond_the_limit_is_not_kept(self, pipeline, owner, settings):
        settings.VIDEO_MAX_BYTES = 100
        video = pipeline.store(pipeline.storing(pipeline.order(owner)))

        assert (video.status, stored_files(video)) == ("storing", [])
        settings.VIDEO_MAX_BYTES = 10_000_000
        assert pipeline.store(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_a_missing_thumbnail_is_insisted_on_and_then_done_without(self, pipeline, owner):
        video = pipeline.storing(pipeline.order(owner))
        pipeline.file_at_provider(video, ".jpg").unlink()

        tries = 0
        while video.status == Status.STORING and tries < 10:
            video, tries = pipeline.store(video), tries + 1

        assert (video.status, tries) == ("completed", storing.PATIENT_TRIES + 1)
        assert (video.thumbnail.name, video.subtitles.name != "") == ("", True)
        assert charged_once(owner, video)

    def test_a_full_disk_is_waited_out(self, pipeline, owner, settings, tmp_path):
        video, works = pipeline.storing(pipeline.order(owner)), settings.WORK_DIR
        blocked = tmp_path / "a-file"
        blocked.write_text("")
        settings.WORK_DIR = blocked / "tmp"

        video = pipeline.store(video)

        assert (video.status, video.tries) == ("storing", 1)
        assert "NotADirectoryError" in video.waiting_reason
        assert still_held(owner, video)
        settings.WORK_DIR = works
        assert pipeline.store(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_nothing_is_left_in_the_work_folder(self, pipeline, owner, settings):
        video = pipeline.storing(pipeline.order(owner))
        pipeline.sandbox.knobs(truncate_downloads=1)
        pipeline.store(video)
        pipeline.store(video)

        assert list(settings.WORK_DIR.iterdir()) == []

    def test_a_render_gone_from_heygen_fails_the_video(self, pipeline, owner):
        video = pipeline.storing(pipeline.order(owner))
        Video.objects.filter(pk=video.pk).update(render_links=None)
        pipeline.sandbox.knobs(visible_after=3600)

        video = pipeline.store(video)

        assert outcome_of(video) == ("failed", "render_lost", True)
        assert (money_of(owner), stored_files(video)) == (UNTOUCHED, [])

    def test_a_repeated_try_replaces_the_files_of_the_last(self, pipeline, owner):
        video = pipeline.storing(pipeline.order(owner))
        default_storage.save(f"videos/{video.account_id}/{video.pk}/video.mp4", ContentFile(b"half"))

        video = pipeline.store(video)

        assert stored_files(video) == ["captions.srt", "captions.vtt", "thumbnail.jpg", "video.mp4"]
        assert default_storage.size(video.file.name) == video.file_bytes
        assert charged_once(owner, video)


class TestDeleting:
    def test_the_files_vanish_here_and_at_heygen(self, pipeline, owner):
        video = pipeline.run(pipeline.order(owner))
        paid = money_of(owner)

        deleting.delete(video)
        deleting.purge_video(str(video.pk))

        video = fresh(video)
        assert (stored_files(video), video.script, video.file.name) == ([], "", "")
        assert (pipeline.remote(video)["deleted"], video.purged_at is not None) == (1, True)
        assert money_of(owner) == paid

    def test_a_purge_in_vain_is_repeated_by_the_sweep(self, pipeline, owner, woken):
        video = pipeline.run(pipeline.order(owner))
        deleting.delete(video)
        pipeline.sandbox.fault(kind="status", status=503, method="DELETE")
        deleting.purge_video(str(video.pk))
        assert (fresh(video).purged_at, pipeline.remote(video)["deleted"]) == (None, 0)
        Video.objects.filter(pk=video.pk).update(deleted_at=timezone.now() - sweeping.PURGE_AFTER)

        sweeping.sweep_all()

        assert woken == [("videos.purge", str(video.pk))]
        deleting.purge_video(str(video.pk))
        assert (fresh(video).purged_at is not None, pipeline.remote(video)["deleted"]) == (True, 1)

    def test_a_purge_twice_is_once(self, pipeline, owner):
        video = pipeline.run(pipeline.order(owner))
        deleting.delete(video)
        deleting.purge_video(str(video.pk))
        purged_at = fresh(video).purged_at

        deleting.purge_video(str(video.pk))

        assert fresh(video).purged_at == purged_at
        assert pipeline.sandbox.books()["requests"]["DELETE /v3/videos/{video_id}"] == 1

    def test_a_video_that_is_not_deleted_is_not_purged(self, pipeline, owner):
        video = pipeline.run(pipeline.order(owner))

        deleting.purge_video(str(video.pk))

        assert (fresh(video).purged_at, len(stored_files(video))) == (None, 4)

    def test_one_that_heygen_has_lost_is_purged_all_the_same(self, pipeline, owner):
        video = pipeline.run(pipeline.order(owner))
        HeyGenClient(pipeline.sandbox.url, pipeline.sandbox.api_key).delete_video(video.provider_video_id)
        deleting.delete(video)

        deleting.purge_video(str(video.pk))

        assert fresh(video).purged_at is not None

    def test_a_download_that_ends_after_the_purge_leaves_no_files(self, pipeline, owner, door):
        video = pipeline.storing(pipeline.order(owner))

        def slow(client, url, sink, **options):
            done = client.real.download_media(url, sink, **options)
            if ".srt" in url:
                pipeline.outlive(video)
                sweeping.sweep_all()
                deleting.delete(fresh(video))
                deleting.purge_video(str(video.pk))
            return done

        door.download = slow
        pipeline.store(video)

        assert (fresh(video).purged_at is not None, stored_files(video)) == (True, [])

"""Errors of HeyGen, the network and the disk while a video is rendered or deleted."""

import pytest
from django.utils import timezone

from genvid.heygen.heygen_client import HeyGenClient
from videos.enums import Status
from videos.lifecycle import deletion, retention
from videos.models import Video
from videos.pipeline import sweeper
from videos.tests.pipeline import (
    UNTOUCHED,
    charged_once,
    fresh,
    money_of,
    outcome_of,
    still_held,
    stored_files,
    use_storage,
)


class TestRendering:
    def test_a_failed_render_fails_the_video_with_our_own_message(self, pipeline, owner):
        video = pipeline.finish_render(pipeline.order(owner, "Hello there. [[fail:rendering_failed]]"))

        video = pipeline.poll(video)

        assert outcome_of(video) == ("failed", "render_failed", True)
        assert "Avatar rendering timed out" in video.provider_error
        assert "Avatar" not in video.error_message
        assert (money_of(owner), pipeline.count_renders(video)) == (UNTOUCHED, 1)

    def test_an_unknown_failure_code_fails_the_video_as_render_failed(self, pipeline, owner):
        video = pipeline.finish_render(pipeline.order(owner, "Hello there. [[fail:gremlins]]"))

        assert outcome_of(pipeline.poll(video)) == ("failed", "render_failed", True)
        assert money_of(owner) == UNTOUCHED

    def test_a_completed_render_without_a_file_address_is_polled_again(self, pipeline, owner):
        video = pipeline.finish_render(pipeline.order(owner, "Hello there. [[nourl:3]]"))

        video = pipeline.poll(video)

        assert (video.status, video.tries) == ("rendering", 1)
        assert "no file" in video.waiting_reason
        assert still_held(owner, video)
        assert pipeline.run(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    @pytest.mark.parametrize("fault", [{"status": 500}, {"status": 429}, {"kind": "html"}, {"kind": "garbage"}])
    def test_a_failed_status_read_is_repeated_later(self, pipeline, owner, fault):
        video = pipeline.finish_render(pipeline.order(owner))
        pipeline.sandbox.fault(method="GET", path="/v3/videos/*", times=3, **fault)

        video = pipeline.poll(video)

        assert (video.status, video.tries) == ("rendering", 1)
        assert still_held(owner, video)
        assert pipeline.run(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_a_video_that_heygen_does_not_know_yet_is_polled_again(self, pipeline, owner):
        pipeline.sandbox.configure(visible_after=3600)
        video = pipeline.submit(pipeline.order(owner))

        video = pipeline.poll(video)

        assert video.status == Status.RENDERING
        assert still_held(owner, video)
        pipeline.sandbox.configure(visible_after=0)
        assert pipeline.run(video).status == Status.COMPLETED

    def test_a_video_that_heygen_no_longer_knows_fails(self, pipeline, owner):
        pipeline.sandbox.configure(visible_after=3600)
        video = pipeline.submit(pipeline.order(owner))
        pipeline.backdate_order(video, 3600)

        video = pipeline.poll(video)

        assert outcome_of(video) == ("failed", "render_lost", True)
        assert money_of(owner) == UNTOUCHED

    def test_a_404_page_of_a_proxy_fails_no_video(self, pipeline, owner):
        video = pipeline.finish_render(pipeline.order(owner))
        pipeline.backdate_order(video, 3600)
        pipeline.sandbox.fault(kind="html", status=404, method="GET", path="/v3/videos/*", times=3)

        assert pipeline.poll(video).status == Status.RENDERING
        assert still_held(owner, video)

    def test_all_due_renders_are_polled_in_one_call(self, pipeline, owner, settings):
        settings.HEYGEN_MAX_CONCURRENT = 3
        videos = [pipeline.finish_render(pipeline.order(owner, "Hi.")) for _ in range(3)]
        Video.objects.update(due_at=timezone.now())

        for video in videos:
            pipeline.poll(video)

        assert [fresh(each).status for each in videos] == ["storing"] * 3
        assert pipeline.sandbox.records()["requests"]["GET /v3/videos/statuses"] == 1

    def test_a_late_failure_of_an_earlier_order_leaves_the_present_order_alone(self, pipeline, owner, heygen_double):
        """Two pollers read one failed order; the slower one reports it when a new order is rendering."""
        pipeline.sandbox.wallet(0)
        video = pipeline.finish_render(pipeline.order(owner))

        def slow(client, video_id, **options):
            old = client.real.get_video(video_id, **options)
            client.read = None
            pipeline.poll(video)
            pipeline.sandbox.wallet(100)
            pipeline.end_gate_wait()
            pipeline.submit(video)
            return old

        heygen_double.read = slow
        pipeline.poll(video)

        assert (fresh(video).status, fresh(video).attempt) == ("rendering", 2)
        pipeline.end_gate_wait()
        pipeline.run(video)
        assert [row["status"] for row in pipeline.remote_renders(video)] == ["failed", "completed"]
        assert charged_once(owner, video)


class TestDeleting:
    def test_a_purge_deletes_the_files_here_and_at_heygen(self, pipeline, owner):
        video = pipeline.run(pipeline.order(owner))
        paid = money_of(owner)

        deletion.delete_video(video)
        deletion.purge_video(str(video.pk))

        video = fresh(video)
        assert (stored_files(video), video.script, video.file.name) == ([], "", "")
        assert (pipeline.remote_render(video)["deleted"], video.purged_at is not None) == (1, True)
        assert money_of(owner) == paid

    def test_a_failed_purge_is_repeated_by_the_sweep(self, pipeline, owner, woken):
        video = pipeline.run(pipeline.order(owner))
        deletion.delete_video(video)
        pipeline.sandbox.fault(kind="status", status=503, method="DELETE")
        deletion.purge_video(str(video.pk))
        assert (fresh(video).purged_at, pipeline.remote_render(video)["deleted"]) == (None, 0)
        Video.objects.filter(pk=video.pk).update(deleted_at=timezone.now() - sweeper.PURGE_AFTER)

        sweeper.sweep_all()

        assert woken == [("videos.purge", str(video.pk))]
        deletion.purge_video(str(video.pk))
        assert (fresh(video).purged_at is not None, pipeline.remote_render(video)["deleted"]) == (True, 1)

    def test_a_purge_that_the_storage_refuses_is_repeated(self, pipeline, owner, settings):
        video = pipeline.run(pipeline.order(owner))
        deletion.delete_video(video)
        storages = settings.STORAGES
        use_storage(settings, "BrokenBucket")
        deletion.purge_video(str(video.pk))
        assert fresh(video).purged_at is None
        settings.STORAGES = storages

        deletion.purge_video(str(video.pk))

        assert (fresh(video).purged_at is not None, stored_files(video)) == (True, [])

    def test_a_render_that_was_deleted_after_storing_is_not_deleted_twice(self, pipeline, owner):
        video = pipeline.run(pipeline.order(owner))
        retention.delete_expired_render(str(video.pk))
        gone_at = fresh(video).provider_deleted_at
        deletion.delete_video(video)

        deletion.purge_video(str(video.pk))

        assert fresh(video).provider_deleted_at == gone_at
        assert pipeline.sandbox.records()["requests"]["DELETE /v3/videos/{video_id}"] == 1

    def test_a_video_is_purged_once(self, pipeline, owner):
        video = pipeline.run(pipeline.order(owner))
        deletion.delete_video(video)
        deletion.purge_video(str(video.pk))
        purged_at = fresh(video).purged_at

        deletion.purge_video(str(video.pk))

        assert fresh(video).purged_at == purged_at
        assert pipeline.sandbox.records()["requests"]["DELETE /v3/videos/{video_id}"] == 1

    def test_a_video_that_is_not_deleted_is_not_purged(self, pipeline, owner):
        video = pipeline.run(pipeline.order(owner))

        deletion.purge_video(str(video.pk))

        assert (fresh(video).purged_at, len(stored_files(video))) == (None, 4)

    def test_a_video_that_heygen_has_lost_is_purged(self, pipeline, owner):
        video = pipeline.run(pipeline.order(owner))
        HeyGenClient(pipeline.sandbox.url, pipeline.sandbox.api_key).delete_video(video.provider_video_id)
        deletion.delete_video(video)

        deletion.purge_video(str(video.pk))

        assert fresh(video).purged_at is not None

    def test_a_download_that_ends_after_the_purge_leaves_no_files(self, pipeline, owner, heygen_double):
        video = pipeline.reach_storing(pipeline.order(owner))

        def slow(client, url, sink, **options):
            done = client.real.download_media(url, sink, **options)
            if ".srt" in url:
                pipeline.expire_deadline(video)
                sweeper.sweep_all()
                deletion.delete_video(fresh(video))
                deletion.purge_video(str(video.pk))
            return done

        heygen_double.download = slow
        pipeline.store(video)

        assert (fresh(video).purged_at is not None, stored_files(video)) == (True, [])

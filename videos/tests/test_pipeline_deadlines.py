"""Deadlines of the waiting statuses, and the sweep."""

from datetime import timedelta

import pytest
from django.utils import timezone

from genvid import cache
from videos.enums import Status
from videos.models import Video
from videos.pipeline import sweeper
from videos.tests.doubles import CallbackAfterDelete
from videos.tests.pipeline import (
    CREATE,
    UNTOUCHED,
    charged_once,
    fresh,
    history,
    money_of,
    outcome_of,
    still_held,
    stored_files,
    use_storage,
)


class TestDeadlines:
    """Each waiting status ends in `failed` at its deadline, and the credits are returned."""

    def test_a_queued_video_fails_at_its_deadline(self, pipeline, owner):
        video = pipeline.order(owner)
        pipeline.expire_deadline(video)

        sweeper.sweep_all()

        assert outcome_of(video) == ("failed", "provider_unavailable", True)
        assert (money_of(owner), pipeline.count_renders(video)) == (UNTOUCHED, 0)

    def test_overdue_videos_are_ended_by_one_sweep_at_a_time(self, pipeline, owner):
        video = pipeline.order(owner)
        pipeline.expire_deadline(video)
        assert cache.is_first_in(sweeper.ENDING, sweeper.MAX_ENDING_SECONDS)

        sweeper.sweep_all()
        assert still_held(owner, video)
        cache.delete(sweeper.ENDING)
        sweeper.sweep_all()
        sweeper.sweep_all()

        assert outcome_of(video) == ("failed", "provider_unavailable", True)

    def test_an_order_that_is_put_back_keeps_its_deadline(self, pipeline, owner, settings):
        pipeline.sandbox.fault(kind="status", status=429, retry_after=3600, **CREATE)
        video = pipeline.order(owner)
        queued_at = timezone.now() - timedelta(hours=2)
        Video.objects.filter(pk=video.pk).update(queued_at=queued_at)

        video = pipeline.submit(video)

        deadline = queued_at + timedelta(seconds=settings.VIDEO_QUEUE_DEADLINE)
        assert (video.status, video.queued_at, video.deadline_at) == (Status.QUEUED, queued_at, deadline)

    def test_a_submitting_video_of_which_nothing_was_made_fails_at_its_deadline(self, pipeline, owner):
        pipeline.sandbox.fault(kind="drop", times=50, **CREATE)
        video = pipeline.submit(pipeline.order(owner))
        pipeline.make_due(video)
        pipeline.expire_deadline(video)

        sweeper.sweep_all()

        assert outcome_of(video) == ("failed", "provider_unavailable", True)
        assert history(video)[-1] == ("submitting", "failed", "submit_deadline")
        assert (money_of(owner), pipeline.count_renders(video)) == (UNTOUCHED, 0)

    def test_a_render_made_for_a_submitting_video_is_adopted_at_its_deadline(self, pipeline, owner):
        pipeline.sandbox.fault(kind="lost", **CREATE)
        video = pipeline.submit(pipeline.order(owner))
        pipeline.make_due(video)
        pipeline.expire_deadline(video)

        sweeper.sweep_all()

        assert history(video)[-1] == ("submitting", "rendering", "found_at_provider")
        assert fresh(video).provider_video_id == pipeline.remote_render(video)["id"]
        assert pipeline.run(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_a_submitting_video_stays_at_its_deadline_when_heygen_does_not_answer(self, pipeline, owner):
        pipeline.sandbox.fault(kind="lost", **CREATE)
        video = pipeline.submit(pipeline.order(owner))
        pipeline.make_due(video)
        pipeline.expire_deadline(video)
        pipeline.sandbox.fault(kind="html", status=502, method="GET", path="/v3/videos", times=3)

        sweeper.sweep_all()

        assert fresh(video).status == Status.SUBMITTING
        assert still_held(owner, video)

    def test_a_heygen_that_does_not_answer_is_not_asked_at_every_sweep(self, pipeline, owner, settings):
        settings.VIDEO_RETRY_SECONDS = 300
        pipeline.sandbox.fault(kind="lost", **CREATE)
        video = pipeline.submit(pipeline.order(owner))
        pipeline.make_due(video)
        pipeline.expire_deadline(video)
        pipeline.sandbox.fault(kind="html", status=502, method="GET", path="/v3/videos", times=50)

        sweeper.sweep_all()
        asked = pipeline.sandbox.records()["requests"]["GET /v3/videos"]
        sweeper.sweep_all()

        assert pipeline.sandbox.records()["requests"]["GET /v3/videos"] == asked

    def test_the_deadline_of_a_submitting_video_waits_for_a_call_under_way(self, pipeline, owner, heygen_double):
        """HeyGen does not list the video yet, so a look-up would not find it."""
        video = pipeline.order(owner)

        def slow(client, spec, **order):
            pipeline.expire_deadline(video)
            sweeper.sweep_all()
            return client.real.create_video(spec, **order)

        heygen_double.create = slow
        video = pipeline.submit(video)

        assert (video.status, video.provider_video_id) == ("rendering", pipeline.remote_render(video)["id"])
        assert still_held(owner, video)

    def test_a_rendering_video_fails_at_its_deadline(self, pipeline, owner):
        pipeline.sandbox.configure(stuck=True)
        video = pipeline.submit(pipeline.order(owner))
        pipeline.expire_deadline(video)

        sweeper.sweep_all()

        assert outcome_of(video) == ("failed", "render_timeout", True)
        assert (money_of(owner), pipeline.count_renders(video)) == (UNTOUCHED, 1)

    def test_a_render_that_ended_before_its_deadline_is_fetched_by_the_sweep(self, pipeline, owner):
        """After a long outage the first sweep may run before the first poll."""
        video = pipeline.finish_render(pipeline.order(owner))
        pipeline.expire_deadline(video)

        sweeper.sweep_all()

        assert pipeline.run(video, "completed", "failed").status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_a_storing_video_fails_at_its_deadline(self, pipeline, owner, settings):
        settings.VIDEO_MAX_BYTES = 100
        video = pipeline.store(pipeline.reach_storing(pipeline.order(owner)))
        pipeline.expire_deadline(video)

        sweeper.sweep_all()

        assert outcome_of(video) == ("failed", "storage_failed", True)
        assert (money_of(owner), stored_files(video)) == (UNTOUCHED, [])

    def test_a_download_that_outlives_its_deadline_leaves_no_files(self, pipeline, owner, heygen_double):
        video = pipeline.reach_storing(pipeline.order(owner))

        def slow(client, url, sink, **options):
            done = client.real.download_media(url, sink, **options)
            if ".srt" in url:
                pipeline.expire_deadline(video)
                sweeper.sweep_all()
            return done

        heygen_double.download = slow
        video = pipeline.store(video)

        assert outcome_of(video) == ("failed", "storage_failed", True)
        assert (money_of(owner), stored_files(video)) == (UNTOUCHED, [])

    def test_a_video_completed_at_the_last_moment_keeps_its_files(self, pipeline, owner, settings):
        """The sweep and the worker end the video at the same moment: the first move wins."""
        video = pipeline.reach_storing(pipeline.order(owner))
        pipeline.expire_deadline(video)
        use_storage(settings, "CallbackAfterDelete")
        CallbackAfterDelete.callback = lambda: pipeline.store(video)

        sweeper.sweep_all()

        video = fresh(video)
        kept = {"completed": ["captions.srt", "thumbnail.jpg", "video.mp4"], "failed": []}
        assert stored_files(video) == kept[video.status]
        assert money_of(owner).holds == 0

    def test_one_video_that_cannot_be_ended_does_not_stop_the_sweep(self, pipeline, owner, settings, woken):
        bad, good = pipeline.reach_storing(pipeline.order(owner)), pipeline.reach_storing(pipeline.order(owner))
        pipeline.expire_deadline(bad)
        pipeline.make_due(good)
        use_storage(settings, "BrokenBucket")

        sweeper.sweep_all()

        assert ("videos.store", str(good.pk)) in woken
        assert (fresh(bad).status, money_of(owner).holds) == ("failed", 1)


class TestSweep:
    def test_the_sweep_enqueues_due_videos_and_no_others(self, pipeline, owner, woken):
        video, other = pipeline.order(owner), pipeline.order(owner)
        pipeline.dispatch()
        Video.objects.filter(pk=other.pk).update(due_at=timezone.now() + timedelta(seconds=60))

        sweeper.sweep_all()

        assert woken == [("videos.submit", str(video.pk))]

    def test_an_order_after_a_crash_is_repeated_with_the_same_key(self, pipeline, owner, heygen_double):
        video = pipeline.order(owner)

        def dies(client, spec, **order):
            client.real.create_video(spec, **order)
            raise KeyboardInterrupt

        heygen_double.create = dies
        with pytest.raises(KeyboardInterrupt):
            pipeline.submit(video)
        assert (fresh(video).status, pipeline.count_renders(video)) == ("submitting", 1)

        heygen_double.create = None
        assert pipeline.run(video).status == Status.COMPLETED
        assert (pipeline.remote_render(video)["creates"], charged_once(owner, video)) == (2, True)

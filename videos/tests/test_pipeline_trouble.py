"""Errors of HeyGen, the network and the provider's wallet when a video is ordered, against the sandbox."""

from datetime import timedelta

import pytest
from django.utils import timezone

from genvid.heygen.heygen_errors import Busy, OperatorProblem
from genvid.tests.asserts import lies_ahead
from videos.enums import Status
from videos.models import Video
from videos.pipeline import submission
from videos.provider import provider_gate
from videos.tests.pipeline import (
    CREATE,
    UNTOUCHED,
    charged_once,
    fresh,
    gate,
    gate_seconds,
    history,
    money_of,
    outcome_of,
    still_held,
)


class TestOrdering:
    def test_an_order_whose_answer_is_lost_is_repeated_and_makes_one_video(self, pipeline, owner):
        pipeline.sandbox.fault(kind="lost", **CREATE)
        video = pipeline.submit(pipeline.order(owner))
        assert (video.status, video.tries, pipeline.count_renders(video)) == ("submitting", 1, 1)
        assert still_held(owner, video)

        video = pipeline.run(video)

        assert (video.calls, video.attempt, pipeline.remote_render(video)["creates"]) == (2, 1, 2)
        assert charged_once(owner, video)

    @pytest.mark.parametrize(
        "fault",
        [
            {"kind": "status", "status": 500},
            {"kind": "status", "status": 503},
            {"kind": "status", "status": 504},
            {"kind": "html", "status": 502},
            {"kind": "html", "status": 404},
            {"kind": "garbage", "status": 200},
            {"kind": "drop"},
        ],
        ids=lambda fault: f"{fault['kind']}-{fault.get('status', '')}",
    )
    def test_an_order_without_a_definite_answer_is_repeated_with_the_same_key(self, pipeline, owner, fault):
        pipeline.sandbox.fault(**CREATE, **fault)
        video = pipeline.submit(pipeline.order(owner))
        key = video.idempotency_key
        assert video.status == Status.SUBMITTING
        assert still_held(owner, video)
        assert gate().closed_until is None

        video = pipeline.run(video)

        assert (video.idempotency_key, pipeline.remote_render(video)["idempotency_key"]) == (key, key)
        assert (video.attempt, pipeline.count_renders(video)) == (1, 1)
        assert charged_once(owner, video)

    def test_an_order_that_heygen_says_is_in_progress_is_repeated(self, pipeline, owner):
        pipeline.sandbox.fault(kind="status", status=409, code="request_in_progress", retry_after=7, **CREATE)
        before = timezone.now()
        video = pipeline.submit(pipeline.order(owner))

        assert (video.status, video.attempt, video.calls) == ("submitting", 1, 1)
        assert lies_ahead(video.due_at, 7, since=before)
        assert pipeline.run(video).calls == 2
        assert charged_once(owner, video)

    def test_an_order_whose_avatar_is_not_ready_is_repeated(self, pipeline, owner):
        pipeline.sandbox.fault(kind="status", status=409, code="resource_not_ready", **CREATE)
        video = pipeline.submit(pipeline.order(owner))

        assert (video.status, video.tries) == ("submitting", 1)
        assert pipeline.run(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_an_avatar_that_never_gets_ready_fails_the_video(self, pipeline, owner):
        pipeline.sandbox.fault(kind="status", status=409, code="resource_not_ready", times=100, **CREATE)
        video = pipeline.order(owner)

        video = pipeline.run(video, Status.FAILED)

        assert video.calls == submission.MAX_NOT_READY_TRIES + 1
        assert (money_of(owner), pipeline.count_renders(video)) == (UNTOUCHED, 0)

    def test_a_429_requeues_the_video_and_closes_the_gate(self, pipeline, owner):
        pipeline.sandbox.fault(kind="status", status=429, retry_after=3600, **CREATE)
        before = timezone.now()
        video = pipeline.submit(pipeline.order(owner))

        assert video.status == Status.QUEUED
        assert lies_ahead(gate().closed_until, 3600, since=before)
        assert not gate().needs_staff
        assert still_held(owner, video)
        assert pipeline.dispatch() == 0

    def test_a_429_after_an_unanswered_call_keeps_the_idempotency_key(self, pipeline, owner, settings):
        """The unanswered call may still make a video that is not listed yet."""
        usual, settings.HEYGEN_WRITE_TIMEOUT = settings.HEYGEN_WRITE_TIMEOUT, 3
        pipeline.sandbox.fault(kind="delay", seconds=3600, **CREATE)
        video = pipeline.submit(pipeline.order(owner))
        key, settings.HEYGEN_WRITE_TIMEOUT = video.idempotency_key, usual

        pipeline.sandbox.fault(status=429, retry_after=1, **CREATE)
        video = pipeline.submit(video)
        assert (video.status, video.idempotency_key, video.calls) == ("submitting", key, 2)
        pipeline.sandbox.clear_faults()
        video = pipeline.run(video)

        assert (pipeline.count_renders(video), video.attempt) == (1, 1)
        assert charged_once(owner, video)

    def test_when_the_gate_opens_again_a_new_order_is_placed(self, pipeline, owner):
        pipeline.sandbox.fault(kind="status", status=429, retry_after=40, **CREATE)
        video = pipeline.submit(pipeline.order(owner))
        pipeline.end_gate_wait()

        video = pipeline.run(video)

        assert (video.attempt, pipeline.remote_render(video)["idempotency_key"]) == (2, video.idempotency_key)
        assert (pipeline.count_renders(video), gate().code) == (1, "")
        assert charged_once(owner, video)

    def test_an_order_accepted_after_a_429_does_not_shorten_the_wait_of_the_gate(self, pipeline, owner):
        refused, taken = pipeline.order(owner), pipeline.order(owner)
        pipeline.dispatch()
        pipeline.sandbox.fault(kind="status", status=429, retry_after=3600, **CREATE)

        pipeline.submit(refused)
        closed_until = gate().closed_until
        pipeline.submit(taken)

        assert (fresh(refused).status, fresh(taken).status) == ("queued", "rendering")
        assert gate().closed_until == closed_until

    def test_the_concurrency_limit_of_heygen_is_no_failure(self, pipeline, owner):
        pipeline.sandbox.configure(concurrency=1, stuck=True)
        first, second = pipeline.order(owner), pipeline.order(owner)
        pipeline.submit(first)
        pipeline.submit(second)
        assert [fresh(each).status for each in (first, second)] == ["rendering", "queued"]

        pipeline.sandbox.configure(stuck=False)
        pipeline.sandbox.complete(fresh(first).provider_video_id)
        pipeline.run(first)
        pipeline.end_gate_wait()
        pipeline.run(second)

        assert (pipeline.count_renders(first), pipeline.count_renders(second)) == (1, 1)
        assert money_of(owner).charges == 2

    def test_an_absurd_retry_after_does_not_close_the_gate_for_years(self, pipeline, owner):
        pipeline.sandbox.fault(kind="status", status=429, retry_after=99_999_999, **CREATE)

        pipeline.submit(pipeline.order(owner))

        assert gate_seconds() <= 24 * 3600

    @pytest.mark.parametrize(
        ("code", "ours"),
        [
            ("content_policy_violation", "content_refused"),
            ("voice_not_usable", "voice_unavailable"),
            ("avatar_not_found", "avatar_unavailable"),
            ("tts_text_invalid", "script_refused"),
            ("invalid_parameter", "invalid_request"),
            ("a_code_of_next_year", "invalid_request"),
        ],
    )
    def test_a_refused_order_fails_the_video_with_our_own_message(self, pipeline, owner, code, ours):
        theirs = "Their own words about sk_V2_secret"
        pipeline.sandbox.fault(kind="status", status=400, code=code, message=theirs, **CREATE)

        video = pipeline.submit(pipeline.order(owner))

        assert outcome_of(video) == ("failed", ours, False)
        assert theirs not in video.error_message
        assert theirs in video.provider_error
        assert (money_of(owner), video.credits_held, video.credits_charged) == (UNTOUCHED, 0, 0)
        assert pipeline.count_renders(video) == 0

    def test_a_refused_order_does_not_close_the_gate(self, pipeline, owner, outsider):
        refused, good = pipeline.order(owner), pipeline.order(outsider)
        pipeline.sandbox.fault(kind="status", status=400, code="content_policy_violation", **CREATE)
        pipeline.submit(refused)

        assert pipeline.run(good).status == Status.COMPLETED
        assert (money_of(owner), gate().code) == (UNTOUCHED, "")

    def test_a_refused_repetition_adopts_the_render_that_the_first_call_made(self, pipeline, owner):
        """The first answer was lost, so the video exists although HeyGen refuses the repetition."""
        pipeline.sandbox.fault(kind="lost", **CREATE)
        pipeline.sandbox.fault(kind="status", status=400, code="content_policy_violation", **CREATE)
        video = pipeline.submit(pipeline.order(owner))

        video = pipeline.submit(video)

        assert history(video)[-1] == ("submitting", "rendering", "found_at_provider")
        assert video.provider_video_id == pipeline.remote_render(video)["id"]
        assert pipeline.run(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_a_refusal_after_a_call_that_made_nothing_fails_the_video(self, pipeline, owner):
        pipeline.sandbox.fault(kind="drop", **CREATE)
        pipeline.sandbox.fault(kind="status", status=400, code="content_policy_violation", times=9, **CREATE)
        video = pipeline.submit(pipeline.order(owner))

        video = pipeline.run(video, Status.FAILED)

        assert outcome_of(video) == ("failed", "content_refused", False)
        assert video.calls == submission.LISTED_AFTER_TRIES + 1
        assert (money_of(owner), pipeline.count_renders(video)) == (UNTOUCHED, 0)

    def test_an_order_is_not_decided_when_the_look_up_fails(self, pipeline, owner):
        pipeline.sandbox.fault(kind="lost", **CREATE)
        pipeline.sandbox.fault(kind="status", status=429, **CREATE)
        pipeline.sandbox.fault(kind="status", status=503, method="GET", path="/v3/videos", times=3)
        video = pipeline.submit(pipeline.order(owner))

        video = pipeline.submit(video)

        assert video.status == Status.SUBMITTING
        assert still_held(owner, video)
        pipeline.end_gate_wait()
        assert pipeline.run(video).status == Status.COMPLETED
        assert (pipeline.count_renders(video), charged_once(owner, video)) == (1, True)

    def test_a_late_refusal_of_a_slow_call_cannot_undo_its_repetition(self, pipeline, owner, heygen_double):
        """The lease ran out during the first call, and HeyGen accepted the repetition of another worker."""
        video = pipeline.order(owner)
        pipeline.dispatch()

        def busy_after_all(client, spec, **order):
            client.create = None
            pipeline.make_due(video)
            submission.submit_video(str(video.pk))
            raise Busy("rate_limit_exceeded")

        heygen_double.create = busy_after_all
        submission.submit_video(str(video.pk))

        assert (fresh(video).status, pipeline.count_renders(video)) == ("rendering", 1)

    def test_the_lease_of_an_order_outlasts_its_call(self, settings):
        """Otherwise a refused repetition ends the order while HeyGen is still accepting it."""
        assert settings.VIDEO_SUBMIT_LEASE > settings.HEYGEN_WRITE_TIMEOUT


class TestOperatorProblems:
    def test_a_wrong_heygen_key_fails_no_video_and_closes_the_gate(self, pipeline, owner, settings):
        right = settings.HEYGEN_API_KEY
        settings.HEYGEN_API_KEY = "wrong"
        before = timezone.now()
        video = pipeline.submit(pipeline.order(owner))

        assert video.status == Status.QUEUED
        assert (gate().code, gate().needs_staff) == ("unauthorized", True)
        assert gate().closed_until >= before + timedelta(seconds=10)
        assert still_held(owner, video)
        settings.HEYGEN_API_KEY = right
        pipeline.end_gate_wait()
        assert pipeline.run(video).status == Status.COMPLETED
        assert (gate().needs_staff, charged_once(owner, video)) == (False, True)

    def test_an_empty_wallet_at_submission_waits_for_staff(self, pipeline, owner):
        pipeline.sandbox.configure(fail_with="insufficient_credit")
        video = pipeline.submit(pipeline.order(owner))

        assert (video.status, pipeline.count_renders(video)) == ("queued", 0)
        assert (gate().code, gate().needs_staff) == ("insufficient_credit", True)
        assert still_held(owner, video)
        pipeline.sandbox.configure(fail_with=None)
        pipeline.end_gate_wait()
        assert pipeline.run(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_each_failed_probe_closes_the_gate_for_longer(self, pipeline, owner):
        pipeline.sandbox.configure(fail_with="plan_upgrade_required")
        video = pipeline.order(owner)

        for wait in (15, 30, 60, 120):
            pipeline.end_gate_wait()
            before = timezone.now()
            pipeline.submit(video)
            assert lies_ahead(gate().closed_until, wait, since=before)
        assert still_held(owner, video)

    def test_one_order_at_a_time_probes_a_half_open_gate(self, pipeline, owner, settings):
        first, second = pipeline.order(owner), pipeline.order(owner)
        provider_gate.trip(OperatorProblem("unauthorized"))
        pipeline.end_gate_wait()

        assert pipeline.dispatch() == 1
        assert (fresh(first).status, fresh(second).status) == ("submitting", "queued")

    def test_a_probe_is_sent_while_others_still_render(self, pipeline, owner):
        pipeline.sandbox.configure(stuck=True)
        pipeline.submit(pipeline.order(owner))
        waiting = pipeline.order(owner)
        provider_gate.trip(OperatorProblem("unauthorized"))
        pipeline.end_gate_wait()

        assert (pipeline.dispatch(), fresh(waiting).status) == (1, "submitting")

    def test_a_render_that_failed_for_credit_is_ordered_again(self, pipeline, owner):
        pipeline.sandbox.wallet(0)
        video = pipeline.finish_render(pipeline.order(owner))
        key, before = video.idempotency_key, timezone.now()

        video = pipeline.poll(video)

        assert (video.status, video.provider_video_id, video.idempotency_key) == ("queued", None, None)
        assert history(video)[-1] == ("rendering", "queued", "provider_operator_problem")
        assert gate().needs_staff
        assert gate().closed_until >= before + timedelta(seconds=10)
        assert still_held(owner, video)
        pipeline.sandbox.wallet(100)
        pipeline.end_gate_wait()
        video = pipeline.run(video)
        assert video.idempotency_key != key
        assert [row["status"] for row in pipeline.remote_renders(video)] == ["failed", "completed"]
        assert charged_once(owner, video)

    def test_an_accepted_order_does_not_end_the_alarm_of_an_empty_wallet(self, pipeline, owner):
        """HeyGen accepts orders with an empty wallet and fails them later: only a render proves that there is money."""
        pipeline.sandbox.wallet(0)
        video = pipeline.poll(pipeline.finish_render(pipeline.order(owner)))
        pipeline.sandbox.wallet(0.001)
        pipeline.end_gate_wait()

        video = pipeline.submit(video)

        assert (video.status, gate().needs_staff) == ("rendering", True)

    def test_a_wrong_heygen_key_during_a_render_loses_nothing(self, pipeline, owner, settings):
        video, right = pipeline.finish_render(pipeline.order(owner)), settings.HEYGEN_API_KEY
        settings.HEYGEN_API_KEY = "wrong"

        video = pipeline.poll(video)

        assert (video.status, gate().needs_staff) == ("rendering", True)
        assert still_held(owner, video)
        settings.HEYGEN_API_KEY = right
        assert pipeline.run(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_thousands_of_failed_orders_do_not_stop_the_queue(self, pipeline, owner):
        video = pipeline.order(owner)
        Video.objects.filter(pk=video.pk).update(attempt=32_767)

        assert (pipeline.dispatch(), fresh(video).status) == (1, "submitting")

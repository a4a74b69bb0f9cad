"""Everything that HeyGen, the network and the disk can do wrong, with the real sandbox doing it."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from genvid.heygen.client import HeyGenClient
from genvid.heygen.errors import Busy
from videos import provider
from videos.enums import Status
from videos.models import Video
from videos.services import deleting, storing, submitting, sweeping
from videos.tests.doubles import SlowlyDeleting
from videos.tests.pipeline import Money, fresh, gate, gate_seconds, history, money_of

CREATE = {"method": "POST", "path": "/v3/videos"}
UNTOUCHED = Money(balance=30)
"""The welcome credits, all free."""
HTML = b"<html><head><title>403 Forbidden</title></head></html>"


def charged_once(person, video) -> bool:
    video = fresh(video)
    return money_of(person) == Money(balance=30 - video.credits_charged, charges=1) and video.credits_charged > 0


def still_held(person, video) -> bool:
    return money_of(person) == Money(balance=30, held=fresh(video).credits_held, holds=1)


def outcome_of(video) -> tuple[str, str, bool]:
    video = fresh(video)
    return video.status, video.error_code, video.error_retryable


def stored_files(video: Video) -> list[str]:
    folder = f"videos/{video.account_id}/{video.pk}"
    if not default_storage.exists(folder):
        return []
    return sorted(default_storage.listdir(folder)[1])


def use_storage(settings, name: str) -> None:
    settings.STORAGES = settings.STORAGES | {
        "default": settings.STORAGES["default"] | {"BACKEND": f"videos.tests.doubles.{name}"}
    }


class TestPlacingTheOrder:
    def test_a_lost_answer_is_asked_for_again_and_makes_one_video(self, pipeline, owner):
        pipeline.sandbox.fault(kind="lost", **CREATE)
        video = pipeline.submit(pipeline.order(owner))
        assert (video.status, video.tries, pipeline.renders(video)) == ("submitting", 1, 1)
        assert still_held(owner, video)

        video = pipeline.run(video)

        assert (video.calls, video.attempt, pipeline.remote(video)["creates"]) == (2, 1, 2)
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
    def test_no_verdict_is_asked_again_with_the_same_key(self, pipeline, owner, fault):
        pipeline.sandbox.fault(**CREATE, **fault)
        video = pipeline.submit(pipeline.order(owner))
        key = video.idempotency_key
        assert video.status == Status.SUBMITTING
        assert still_held(owner, video)
        assert gate().closed_until is None

        video = pipeline.run(video)

        assert (video.idempotency_key, pipeline.remote(video)["idempotency_key"]) == (key, key)
        assert (video.attempt, pipeline.renders(video)) == (1, 1)
        assert charged_once(owner, video)

    def test_a_request_in_progress_is_waited_for(self, pipeline, owner):
        pipeline.sandbox.fault(kind="status", status=409, code="request_in_progress", retry_after=7, **CREATE)
        video = pipeline.submit(pipeline.order(owner))

        assert (video.status, video.attempt, video.calls) == ("submitting", 1, 1)
        wait = (video.due_at - timezone.now()).total_seconds()
        assert 5 < wait <= 7
        assert pipeline.run(video).calls == 2
        assert charged_once(owner, video)

    def test_an_avatar_not_yet_ready_is_waited_for(self, pipeline, owner):
        pipeline.sandbox.fault(kind="status", status=409, code="resource_not_ready", **CREATE)
        video = pipeline.submit(pipeline.order(owner))

        assert (video.status, video.tries) == ("submitting", 1)
        assert pipeline.run(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_an_avatar_that_never_gets_ready_fails_the_video(self, pipeline, owner):
        pipeline.sandbox.fault(kind="status", status=409, code="resource_not_ready", times=100, **CREATE)
        video = pipeline.order(owner)

        video = pipeline.run(video, Status.FAILED)

        assert video.calls == submitting.NOT_READY_PATIENCE + 1
        assert (money_of(owner), pipeline.renders(video)) == (UNTOUCHED, 0)

    def test_too_many_requests_puts_it_back_and_closes_the_gate(self, pipeline, owner):
        pipeline.sandbox.fault(kind="status", status=429, retry_after=40, **CREATE)
        video = pipeline.submit(pipeline.order(owner))

        assert video.status == Status.QUEUED
        assert 35 < gate_seconds() <= 40
        assert not gate().needs_staff
        assert still_held(owner, video)
        assert pipeline.dispatch() == 0

    def test_when_the_gate_opens_again_a_new_order_is_placed(self, pipeline, owner):
        pipeline.sandbox.fault(kind="status", status=429, retry_after=40, **CREATE)
        video = pipeline.submit(pipeline.order(owner))
        pipeline.pass_gate()

        video = pipeline.run(video)

        assert (video.attempt, pipeline.remote(video)["idempotency_key"]) == (2, video.idempotency_key)
        assert (pipeline.renders(video), gate().code) == (1, "")
        assert charged_once(owner, video)

    def test_an_order_taken_beside_it_does_not_cut_the_wait_short(self, pipeline, owner):
        refused, taken = pipeline.order(owner), pipeline.order(owner)
        pipeline.dispatch()
        pipeline.sandbox.fault(kind="status", status=429, retry_after=40, **CREATE)

        pipeline.submit(refused)
        pipeline.submit(taken)

        assert (fresh(refused).status, fresh(taken).status) == ("queued", "rendering")
        assert gate_seconds() > 35

    def test_the_concurrency_limit_of_heygen_is_no_failure(self, pipeline, owner):
        pipeline.sandbox.knobs(concurrency=1, stuck=True)
        first, second = pipeline.order(owner), pipeline.order(owner)
        pipeline.submit(first)
        pipeline.submit(second)
        assert [fresh(each).status for each in (first, second)] == ["rendering", "queued"]

        pipeline.sandbox.knobs(stuck=False)
        pipeline.sandbox.complete(fresh(first).provider_video_id)
        pipeline.run(first)
        pipeline.pass_gate()
        pipeline.run(second)

        assert (pipeline.renders(first), pipeline.renders(second)) == (1, 1)
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
    def test_a_refusal_fails_the_video_in_our_words(self, pipeline, owner, code, ours):
        theirs = "Their own words about sk_V2_secret"
        pipeline.sandbox.fault(kind="status", status=400, code=code, message=theirs, **CREATE)

        video = pipeline.submit(pipeline.order(owner))

        assert outcome_of(video) == ("failed", ours, False)
        assert theirs not in video.error_message
        assert theirs in video.provider_error
        assert (money_of(owner), video.credits_held, video.credits_charged) == (UNTOUCHED, 0, 0)
        assert pipeline.renders(video) == 0

    def test_a_refusal_closes_nothing_for_others(self, pipeline, owner, outsider):
        refused, good = pipeline.order(owner), pipeline.order(outsider)
        pipeline.sandbox.fault(kind="status", status=400, code="content_policy_violation", **CREATE)
        pipeline.submit(refused)

        assert pipeline.run(good).status == Status.COMPLETED
        assert (money_of(owner), gate().code) == (UNTOUCHED, "")

    def test_a_refusal_of_the_repetition_adopts_what_the_first_call_made(self, pipeline, owner):
        """The answer was lost, and HeyGen then refuses: the video is there all the same."""
        pipeline.sandbox.fault(kind="lost", **CREATE)
        pipeline.sandbox.fault(kind="status", status=400, code="content_policy_violation", **CREATE)
        video = pipeline.submit(pipeline.order(owner))

        video = pipeline.submit(video)

        assert history(video)[-1] == ("submitting", "rendering", "found_at_provider")
        assert video.provider_video_id == pipeline.remote(video)["id"]
        assert pipeline.run(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_a_refusal_after_a_call_that_made_nothing_is_a_refusal(self, pipeline, owner):
        pipeline.sandbox.fault(kind="drop", **CREATE)
        pipeline.sandbox.fault(kind="status", status=400, code="content_policy_violation", **CREATE)
        video = pipeline.submit(pipeline.order(owner))

        video = pipeline.submit(video)

        assert outcome_of(video) == ("failed", "content_refused", False)
        assert (money_of(owner), pipeline.renders(video)) == (UNTOUCHED, 0)

    def test_when_the_look_up_fails_too_nothing_is_decided(self, pipeline, owner):
        pipeline.sandbox.fault(kind="lost", **CREATE)
        pipeline.sandbox.fault(kind="status", status=429, **CREATE)
        pipeline.sandbox.fault(kind="status", status=503, method="GET", path="/v3/videos", times=3)
        video = pipeline.submit(pipeline.order(owner))

        video = pipeline.submit(video)

        assert video.status == Status.SUBMITTING
        assert still_held(owner, video)
        pipeline.pass_gate()
        assert pipeline.run(video).status == Status.COMPLETED
        assert (pipeline.renders(video), charged_once(owner, video)) == (1, True)

    def test_a_late_refusal_of_a_slow_call_cannot_undo_its_repetition(self, pipeline, owner, door):
        """The lease ran out during the first call: another worker sent the same key, and HeyGen took that one."""
        video = pipeline.order(owner)
        pipeline.dispatch()

        def busy_after_all(client, spec, **order):
            client.create = None
            pipeline.make_due(video)
            submitting.submit_video(str(video.pk))
            raise Busy("rate_limit_exceeded")

        door.create = busy_after_all
        submitting.submit_video(str(video.pk))

        assert (fresh(video).status, pipeline.renders(video)) == ("rendering", 1)

    def test_the_lease_outlasts_the_call(self, settings):
        """Else a repetition is refused, and the order given up, while HeyGen is still taking it."""
        assert settings.VIDEO_SUBMIT_LEASE > settings.HEYGEN_WRITE_TIMEOUT


class TestOurOwnProblems:
    def test_a_wrong_key_waits_for_staff_and_harms_nobody(self, pipeline, owner, settings):
        right = settings.HEYGEN_API_KEY
        settings.HEYGEN_API_KEY = "wrong"
        video = pipeline.submit(pipeline.order(owner))

        assert video.status == Status.QUEUED
        assert (gate().code, gate().needs_staff, gate_seconds() > 10) == ("unauthorized", True, True)
        assert still_held(owner, video)
        settings.HEYGEN_API_KEY = right
        pipeline.pass_gate()
        assert pipeline.run(video).status == Status.COMPLETED
        assert (gate().needs_staff, charged_once(owner, video)) == (False, True)

    def test_an_empty_wallet_at_submission_waits_for_staff(self, pipeline, owner):
        pipeline.sandbox.knobs(fail_with="insufficient_credit")
        video = pipeline.submit(pipeline.order(owner))

        assert (video.status, pipeline.renders(video)) == ("queued", 0)
        assert (gate().code, gate().needs_staff) == ("insufficient_credit", True)
        assert still_held(owner, video)
        pipeline.sandbox.knobs(fail_with=None)
        pipeline.pass_gate()
        assert pipeline.run(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_each_probe_in_vain_closes_the_gate_for_longer(self, pipeline, owner, settings):
        settings.HEYGEN_API_KEY = "wrong"
        video, waits = pipeline.order(owner), []

        for _ in range(4):
            pipeline.pass_gate()
            pipeline.submit(video)
            waits.append(round(gate_seconds(), -1))

        assert waits == [10, 30, 60, 120]
        assert still_held(owner, video)

    def test_while_staff_are_needed_one_order_probes(self, pipeline, owner, settings):
        first, second = pipeline.order(owner), pipeline.order(owner)
        provider.close("unauthorized", "", needs_staff=True)
        pipeline.pass_gate()

        assert pipeline.dispatch() == 1
        assert (fresh(first).status, fresh(second).status) == ("submitting", "queued")

    def test_a_probe_is_sent_while_others_still_render(self, pipeline, owner):
        pipeline.sandbox.knobs(stuck=True)
        pipeline.submit(pipeline.order(owner))
        waiting = pipeline.order(owner)
        provider.close("unauthorized", "", needs_staff=True)
        pipeline.pass_gate()

        assert (pipeline.dispatch(), fresh(waiting).status) == (1, "submitting")

    def test_a_credit_failure_of_the_render_places_a_new_order(self, pipeline, owner):
        pipeline.sandbox.wallet(0)
        video = pipeline.rendered(pipeline.order(owner))
        key = video.idempotency_key

        video = pipeline.poll(video)

        assert (video.status, video.provider_video_id, video.idempotency_key) == ("queued", None, None)
        assert history(video)[-1] == ("rendering", "queued", "provider_operator_problem")
        assert (gate().needs_staff, gate_seconds() > 10) == (True, True)
        assert still_held(owner, video)
        pipeline.sandbox.wallet(100)
        pipeline.pass_gate()
        video = pipeline.run(video)
        assert video.idempotency_key != key
        assert [row["status"] for row in pipeline.orders(video)] == ["failed", "completed"]
        assert charged_once(owner, video)

    def test_an_order_merely_taken_does_not_call_off_the_alarm_of_an_empty_wallet(self, pipeline, owner):
        """HeyGen takes orders with an empty wallet and fails them later: only a render proves that there is money."""
        pipeline.sandbox.wallet(0)
        video = pipeline.poll(pipeline.rendered(pipeline.order(owner)))
        pipeline.pass_gate()

        video = pipeline.submit(video)

        assert (video.status, gate().needs_staff) == ("rendering", True)

    def test_a_wrong_key_while_rendering_loses_nothing(self, pipeline, owner, settings):
        video, right = pipeline.rendered(pipeline.order(owner)), settings.HEYGEN_API_KEY
        settings.HEYGEN_API_KEY = "wrong"

        video = pipeline.poll(video)

        assert (video.status, gate().needs_staff) == ("rendering", True)
        assert still_held(owner, video)
        settings.HEYGEN_API_KEY = right
        assert pipeline.run(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_thousands_of_orders_in_vain_do_not_stop_the_queue(self, pipeline, owner):
        video = pipeline.order(owner)
        Video.objects.filter(pk=video.pk).update(attempt=32_767)

        assert (pipeline.dispatch(), fresh(video).status) == (1, "submitting")


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
    def test_an_expired_link_is_replaced(self, pipeline, owner):
        video = pipeline.storing(pipeline.order(owner))
        pipeline.sandbox.knobs(expired_links=1)

        video = pipeline.store(video)

        assert (video.status, video.tries) == ("storing", 1)
        assert still_held(owner, video)
        assert pipeline.store(video).status == Status.COMPLETED
        assert charged_once(owner, video)

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
        pipeline.sandbox.knobs(visible_after=3600)

        video = pipeline.store(video)

        assert outcome_of(video) == ("failed", "render_lost", True)
        assert (money_of(owner), stored_files(video)) == (UNTOUCHED, [])

    def test_a_repeated_try_replaces_the_files_of_the_last(self, pipeline, owner):
        video = pipeline.storing(pipeline.order(owner))
        default_storage.save(f"videos/{video.account_id}/{video.pk}/video.mp4", ContentFile(b"half"))

        video = pipeline.store(video)

        assert stored_files(video) == ["captions.srt", "thumbnail.jpg", "video.mp4"]
        assert default_storage.size(video.file.name) == video.file_bytes
        assert charged_once(owner, video)


class TestDeadlines:
    """Each status that waits ends in `failed`, with everything given back."""

    def test_in_the_queue(self, pipeline, owner):
        video = pipeline.order(owner)
        pipeline.outlive(video)

        sweeping.sweep_all()

        assert outcome_of(video) == ("failed", "provider_unavailable", True)
        assert (money_of(owner), pipeline.renders(video)) == (UNTOUCHED, 0)

    def test_while_submitting_when_nothing_was_made(self, pipeline, owner):
        pipeline.sandbox.fault(kind="drop", times=50, **CREATE)
        video = pipeline.submit(pipeline.order(owner))
        pipeline.make_due(video)
        pipeline.outlive(video)

        sweeping.sweep_all()

        assert outcome_of(video) == ("failed", "provider_unavailable", True)
        assert history(video)[-1] == ("submitting", "failed", "submit_deadline")
        assert (money_of(owner), pipeline.renders(video)) == (UNTOUCHED, 0)

    def test_while_submitting_what_was_made_is_adopted(self, pipeline, owner):
        pipeline.sandbox.fault(kind="lost", **CREATE)
        video = pipeline.submit(pipeline.order(owner))
        pipeline.make_due(video)
        pipeline.outlive(video)

        sweeping.sweep_all()

        assert history(video)[-1] == ("submitting", "rendering", "found_at_provider")
        assert fresh(video).provider_video_id == pipeline.remote(video)["id"]
        assert pipeline.run(video).status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_while_submitting_nothing_is_guessed_when_heygen_is_silent(self, pipeline, owner):
        pipeline.sandbox.fault(kind="lost", **CREATE)
        video = pipeline.submit(pipeline.order(owner))
        pipeline.make_due(video)
        pipeline.outlive(video)
        pipeline.sandbox.fault(kind="html", status=502, method="GET", path="/v3/videos", times=3)

        sweeping.sweep_all()

        assert fresh(video).status == Status.SUBMITTING
        assert still_held(owner, video)

    def test_while_submitting_a_silent_heygen_is_not_asked_at_every_sweep(self, pipeline, owner):
        pipeline.sandbox.fault(kind="lost", **CREATE)
        video = pipeline.submit(pipeline.order(owner))
        pipeline.make_due(video)
        pipeline.outlive(video)
        pipeline.sandbox.fault(kind="html", status=502, method="GET", path="/v3/videos", times=50)

        sweeping.sweep_all()
        asked = pipeline.sandbox.books()["requests"]["GET /v3/videos"]
        sweeping.sweep_all()

        assert pipeline.sandbox.books()["requests"]["GET /v3/videos"] == asked

    def test_while_submitting_a_call_under_way_is_waited_for(self, pipeline, owner, door):
        """HeyGen has not written it down yet, so the look-up would find nothing."""
        video = pipeline.order(owner)

        def slow(client, spec, **order):
            pipeline.outlive(video)
            sweeping.sweep_all()
            return client.real.create_video(spec, **order)

        door.create = slow
        video = pipeline.submit(video)

        assert (video.status, video.provider_video_id) == ("rendering", pipeline.remote(video)["id"])
        assert still_held(owner, video)

    def test_while_rendering(self, pipeline, owner):
        pipeline.sandbox.knobs(stuck=True)
        video = pipeline.submit(pipeline.order(owner))
        pipeline.outlive(video)

        sweeping.sweep_all()

        assert outcome_of(video) == ("failed", "render_timeout", True)
        assert (money_of(owner), pipeline.renders(video)) == (UNTOUCHED, 1)

    def test_a_render_that_ended_while_we_were_away_is_fetched(self, pipeline, owner):
        """After a long outage of ours the first sweep may come before the first poll."""
        video = pipeline.rendered(pipeline.order(owner))
        pipeline.outlive(video)

        sweeping.sweep_all()

        assert pipeline.run(video, "completed", "failed").status == Status.COMPLETED
        assert charged_once(owner, video)

    def test_while_storing(self, pipeline, owner, settings):
        settings.VIDEO_MAX_BYTES = 100
        video = pipeline.store(pipeline.storing(pipeline.order(owner)))
        pipeline.outlive(video)

        sweeping.sweep_all()

        assert outcome_of(video) == ("failed", "storage_failed", True)
        assert (money_of(owner), stored_files(video)) == (UNTOUCHED, [])

    def test_a_download_that_outlives_its_deadline_leaves_no_files(self, pipeline, owner, door):
        video = pipeline.storing(pipeline.order(owner))

        def slow(client, url, sink, **options):
            done = client.real.download_media(url, sink, **options)
            if ".srt" in url:
                pipeline.outlive(video)
                sweeping.sweep_all()
            return done

        door.download = slow
        video = pipeline.store(video)

        assert outcome_of(video) == ("failed", "storage_failed", True)
        assert (money_of(owner), stored_files(video)) == (UNTOUCHED, [])

    def test_a_video_completed_at_the_last_moment_keeps_its_files(self, pipeline, owner, settings):
        """The sweep gives up just when a worker is done: whoever moves the video first decides alone."""
        video = pipeline.storing(pipeline.order(owner))
        pipeline.outlive(video)
        use_storage(settings, "SlowlyDeleting")
        SlowlyDeleting.meanwhile = lambda: pipeline.store(video)

        sweeping.sweep_all()

        video = fresh(video)
        kept = {"completed": ["captions.srt", "thumbnail.jpg", "video.mp4"], "failed": []}
        assert stored_files(video) == kept[video.status]
        assert money_of(owner).holds == 0

    def test_one_video_that_cannot_be_ended_does_not_stop_the_sweep(self, pipeline, owner, settings, woken):
        bad, good = pipeline.storing(pipeline.order(owner)), pipeline.storing(pipeline.order(owner))
        pipeline.outlive(bad)
        pipeline.make_due(good)
        use_storage(settings, "BrokenBucket")

        sweeping.sweep_all()

        assert ("videos.store", str(good.pk)) in woken
        assert (fresh(bad).status, money_of(owner).holds) == ("failed", 1)


class TestSweep:
    def test_it_wakes_what_is_due_and_nothing_else(self, pipeline, owner, woken):
        video, other = pipeline.order(owner), pipeline.order(owner)
        pipeline.dispatch()
        Video.objects.filter(pk=other.pk).update(due_at=timezone.now() + timedelta(seconds=60))

        sweeping.sweep_all()

        assert woken == [("videos.submit", str(video.pk))]

    def test_a_crash_after_the_call_is_repeated_with_the_same_key(self, pipeline, owner, door):
        video = pipeline.order(owner)

        def dies(client, spec, **order):
            client.real.create_video(spec, **order)
            raise KeyboardInterrupt

        door.create = dies
        with pytest.raises(KeyboardInterrupt):
            pipeline.submit(video)
        assert (fresh(video).status, pipeline.renders(video)) == ("submitting", 1)

        door.create = None
        assert pipeline.run(video).status == Status.COMPLETED
        assert (pipeline.remote(video)["creates"], charged_once(owner, video)) == (2, True)


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

        assert (fresh(video).purged_at, len(stored_files(video))) == (None, 3)

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

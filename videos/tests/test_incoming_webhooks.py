"""HeyGen's webhooks: what is accepted, what is stored, how it is processed, and the registration."""

import hashlib
import hmac
import json
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from genvid import process_cache
from genvid.heygen.heygen_client import get_client
from genvid.tests.asserts import nothing_changes, refusal_of
from videos.enums import Status
from videos.models import ProviderWebhook, WebhookDelivery
from videos.pipeline import incoming_webhooks, sweeper
from videos.provider import webhook_registration
from videos.tests.pipeline import Money, fresh, money_of

PATH = "/webhooks/heygen/"
SECRET = "whsec_of_the_test"
TOO_LARGE = 1024 * 1024 + 1


@pytest.fixture
def endpoint(db):
    return ProviderWebhook.objects.create(endpoint_id="ep_1", url="http://testserver/webhooks/heygen/", secret=SECRET)


def sign(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def success(video_id: str = "remote_1", event_id: str = "evt_1", kind: str = "avatar_video.success") -> bytes:
    data = {"video_id": video_id, "url": "https://files.heygen.ai/x.mp4", "callback_id": None}
    return json.dumps({"event_id": event_id, "event_type": kind, "event_data": data}).encode()


def post_delivery(client, body: bytes, **headers: str) -> Any:
    """Post a delivery with the documented headers; `headers` replace them, an empty one is left out."""
    given = {
        "Heygen-Signature": sign(body),
        "Heygen-Timestamp": str(int(time.time())),
        "Heygen-Event-Id": "evt_1",
    }
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {name: value for name, value in given.items() if value}
    return client.post(PATH, body, content_type="application/json", headers=sent)


def work_off_all() -> list[str]:
    for delivery in WebhookDelivery.objects.filter(processed_at=None):
        incoming_webhooks.process_delivery(delivery.pk)
    return list(WebhookDelivery.objects.order_by("pk").values_list("outcome", flat=True))


class TestReceiving:
    def test_a_signed_delivery_is_stored_raw_and_wakes_a_worker(self, client, endpoint, woken):
        body = success()

        answer = post_delivery(client, body)

        delivery = WebhookDelivery.objects.get()
        assert (answer.status_code, answer.content) == (200, b"")
        assert (delivery.key, delivery.event_type) == ("evt_1", "avatar_video.success")
        assert (delivery.provider_video_id, delivery.payload) == ("remote_1", json.loads(body))
        assert (delivery.processed_at, delivery.outcome) == (None, "")
        assert woken == [("videos.work_off_delivery", str(delivery.pk))]

    @pytest.mark.parametrize(
        "headers",
        [
            {"Heygen_Signature": ""},
            {"Heygen_Signature": "0" * 64},
            {"Heygen_Signature": "ü"},
            {"Heygen_Signature": sign(success(), "whsec_another")},
            {"Heygen_Signature": sign(success("another"))},
            {"Heygen_Timestamp": "1700000000"},
            {"Heygen_Timestamp": "yesterday"},
            {"Heygen_Timestamp": "9999999999"},
        ],
        ids=[
            "none",
            "zeros",
            "umlaut",
            "other-secret",
            "other-body",
            "old-time",
            "no-time",
            "future-time",
        ],
    )
    def test_a_delivery_without_a_valid_signature_is_refused(self, client, endpoint, headers):
        with nothing_changes():
            answer = post_delivery(client, success(), **headers)

        assert refusal_of(answer) == (401, "not_authenticated")

    def test_a_secret_that_another_process_has_just_stored_is_accepted_at_once(self, client, endpoint):
        assert post_delivery(client, success()).status_code == 200
        ProviderWebhook.objects.create(endpoint_id="ep_2", url=endpoint.url, secret="whsec_new")

        body = success(event_id="evt_2")
        signed = {"Heygen_Signature": sign(body, "whsec_new"), "Heygen_Event_Id": "evt_2"}

        assert post_delivery(client, body, **signed).status_code == 200
        assert WebhookDelivery.objects.count() == 2

    def test_every_delivery_is_refused_without_a_secret(self, client, db):
        body = success()

        assert post_delivery(client, body, Heygen_Signature=sign(body, "")).status_code == 401
        assert WebhookDelivery.objects.count() == 0

    def test_a_delivery_signed_with_the_secret_of_the_settings_is_accepted(self, client, db, settings):
        settings.HEYGEN_WEBHOOK_SECRETS = ["whsec_by_hand"]
        body = success()

        assert post_delivery(client, body, Heygen_Signature=sign(body, "whsec_by_hand")).status_code == 200

    @pytest.mark.parametrize("prefix", ["", "sha256="])
    def test_a_bare_signature_header_is_enough(self, client, endpoint, prefix):
        body = success()
        bare = {"Heygen_Signature": "", "Heygen_Timestamp": "", "Heygen_Event_Id": ""}

        answer = post_delivery(client, body, **bare, Signature=prefix + sign(body))

        assert (answer.status_code, WebhookDelivery.objects.get().key) == (200, "evt_1")

    def test_a_delivery_without_any_id_is_known_by_its_body(self, client, endpoint):
        body = b'{"event_type": "avatar_video.success", "event_data": {"video_id": "remote_1"}}'

        for _ in range(2):
            assert post_delivery(client, body, Heygen_Event_Id="").status_code == 200

        assert WebhookDelivery.objects.get().key == "sha256:" + hashlib.sha256(body).hexdigest()

    def test_a_repeated_delivery_is_stored_once(self, client, endpoint, woken):
        assert [post_delivery(client, success()).status_code for _ in range(3)] == [200, 200, 200]

        assert WebhookDelivery.objects.count() == 1
        assert len(woken) == 1

    def test_a_delivery_of_an_unknown_type_is_stored_and_not_processed(self, client, endpoint):
        assert post_delivery(client, success(kind="avatar_video_gif.success")).status_code == 200

        assert work_off_all() == ["not for us"]

    @pytest.mark.parametrize("body", [b"{}", b'{"event_type": 7, "event_data": [1]}', b'{"event_type": null}'])
    def test_a_delivery_with_unexpected_fields_is_stored(self, client, endpoint, body):
        assert post_delivery(client, body).status_code == 200

        assert work_off_all() == ["not for us"]

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}'])
    def test_a_delivery_that_is_no_json_object_is_refused(self, client, endpoint, body):
        with nothing_changes():
            answer = post_delivery(client, body)

        assert refusal_of(answer) == (400, "parse_error")

    @pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 5000, "😀" * 300])
    def test_a_delivery_with_characters_that_postgresql_refuses_is_accepted(self, client, endpoint, text):
        data = {"video_id": text, "callback_id": text}
        body = json.dumps({"event_type": text, "event_data": data, text: [text, {text: text}]}).encode()

        assert post_delivery(client, body).status_code == 200
        assert WebhookDelivery.objects.count() == 1

    def test_a_delivery_that_is_too_large_is_refused(self, client, endpoint):
        body = b'{"event_type": "' + b"x" * TOO_LARGE + b'"}'

        with nothing_changes():
            answer = post_delivery(client, body)

        assert refusal_of(answer) == (413, "payload_too_large")

    @pytest.mark.parametrize("method", ["OPTIONS", "GET", "HEAD"])
    def test_a_webhook_probe_is_answered(self, client, db, method):
        with nothing_changes():
            assert client.generic(method, PATH).status_code == 200

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_other_methods_of_the_webhook_endpoint_are_not_allowed(self, client, db, method):
        answer = client.generic(method, PATH)
        assert refusal_of(answer) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == "OPTIONS, GET, HEAD, POST"

    def test_a_refused_signature_says_how_to_authenticate(self, client, endpoint):
        with nothing_changes():
            answer = post_delivery(client, success(), Heygen_Signature="0" * 64)
        assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (401, True)

    def test_a_delivery_needs_no_session_and_no_csrf_token(self, endpoint):
        assert post_delivery(Client(enforce_csrf_checks=True), success()).status_code == 200


class TestProcessing:
    """A delivery only triggers a read of the video at HeyGen."""

    def test_a_success_delivery_starts_the_download_at_once(self, client, endpoint, pipeline, owner):
        video = pipeline.finish_render(pipeline.order(owner))
        post_delivery(client, success(video.provider_video_id))

        assert work_off_all() == ["read again"]

        assert fresh(video).status == Status.STORING

    def test_a_success_delivery_for_a_running_render_changes_nothing(self, client, endpoint, pipeline, owner):
        pipeline.sandbox.configure(stuck=True)
        video = pipeline.submit(pipeline.order(owner))
        post_delivery(client, success(video.provider_video_id))

        assert work_off_all() == ["read again"]

        assert fresh(video).status == Status.RENDERING
        assert money_of(owner) == Money(balance=30, held=video.credits_held, holds=1)

    def test_a_failure_delivery_for_a_running_render_changes_nothing(self, client, endpoint, pipeline, owner):
        pipeline.sandbox.configure(stuck=True)
        video = pipeline.submit(pipeline.order(owner))
        post_delivery(client, success(video.provider_video_id, kind="avatar_video.fail"))

        assert work_off_all() == ["read again"]

        assert fresh(video).status == Status.RENDERING
        assert money_of(owner) == Money(balance=30, held=video.credits_held, holds=1)

    def test_a_failure_delivery_for_a_failed_render_fails_the_video(self, client, endpoint, pipeline, owner):
        video = pipeline.finish_render(pipeline.order(owner, "Hello there. [[fail]]"))
        post_delivery(client, success(video.provider_video_id, kind="avatar_video.fail"))

        assert work_off_all() == ["read again"]

        assert fresh(video).status == Status.FAILED
        assert money_of(owner) == Money(balance=30)

    def test_a_late_delivery_has_no_effect(self, client, endpoint, pipeline, owner):
        video = pipeline.run(pipeline.order(owner))
        paid = money_of(owner)
        post_delivery(client, success(video.provider_video_id, kind="avatar_video.fail"))

        assert work_off_all() == ["already completed"]

        assert (fresh(video).status, money_of(owner)) == (Status.COMPLETED, paid)

    def test_a_delivery_for_a_video_that_heygen_does_not_know_is_retried(self, client, endpoint, pipeline, owner):
        pipeline.sandbox.configure(visible_after=3600)
        video = pipeline.submit(pipeline.order(owner))
        post_delivery(client, success(video.provider_video_id))

        assert work_off_all() == ["read again"]

        assert fresh(video).status == Status.RENDERING

    def test_a_delivery_that_overtakes_the_answer_to_the_order_is_retried(
        self, client, endpoint, pipeline, owner, woken
    ):
        pipeline.sandbox.fault(kind="lost", method="POST", path="/v3/videos")
        video = pipeline.submit(pipeline.order(owner))
        post_delivery(client, success(pipeline.remote_render(video)["id"]))
        assert work_off_all() == [""]

        video = pipeline.finish_render(video)
        long_ago = timezone.now() - sweeper.DELIVERY_AFTER
        WebhookDelivery.objects.update(received_at=long_ago)
        woken.clear()
        sweeper.sweep_all()

        assert woken == [("videos.work_off_delivery", str(WebhookDelivery.objects.get().pk))]
        assert work_off_all() == ["read again"]
        assert fresh(video).status == Status.STORING

    def test_a_delivery_for_an_unknown_video_is_given_up_after_a_while(self, client, endpoint, woken):
        post_delivery(client, success("somebody-elses"))
        assert work_off_all() == [""]

        WebhookDelivery.objects.update(received_at=timezone.now() - incoming_webhooks.UNKNOWN_VIDEO_TIMEOUT)

        assert work_off_all() == ["no such video"]

    def test_a_delivery_without_a_video_id_matches_no_waiting_video(self, client, endpoint, pipeline, owner):
        pipeline.order(owner)
        post_delivery(client, success(""))
        assert work_off_all() == ["names no video"]

    def test_a_delivery_processed_twice_changes_the_video_once(self, client, endpoint, pipeline, owner):
        video = pipeline.finish_render(pipeline.order(owner))
        post_delivery(client, success(video.provider_video_id))
        delivery = WebhookDelivery.objects.get()

        incoming_webhooks.process_delivery(delivery.pk)
        incoming_webhooks.process_delivery(delivery.pk)

        reads = pipeline.sandbox.records()["requests"]["GET /v3/videos/{video_id}"]
        assert (fresh(video).status, reads) == (Status.STORING, 1)

    def test_a_delivery_is_left_to_the_poller_when_heygen_does_not_answer(self, client, endpoint, pipeline, owner):
        video = pipeline.finish_render(pipeline.order(owner))
        post_delivery(client, success(video.provider_video_id))
        pipeline.sandbox.fault(kind="status", status=503, method="GET", path="/v3/videos/*", times=3)

        work_off_all()

        assert (fresh(video).status, fresh(video).tries) == (Status.RENDERING, 1)
        assert pipeline.run(video).status == Status.COMPLETED


class TestRegistration:
    def register(self, *options: str) -> str:
        said = StringIO()
        call_command("register_heygen_webhook", *options, stdout=said)
        return said.getvalue()

    def test_the_webhook_endpoint_is_registered_once(self, db, sandbox, settings):
        for _ in range(2):
            said = self.register()
            assert said == f"HeyGen calls {settings.PUBLIC_URL}/webhooks/heygen/.\n"

        (theirs,) = get_client().iter_webhooks()
        ours = ProviderWebhook.objects.get()
        assert (ours.endpoint_id, ours.url, ours.retired_at) == (theirs.id, theirs.url, None)
        assert ours.secret.startswith("whsec_")

    def test_a_rotation_of_the_webhook_secret_keeps_the_old_one_for_a_day(self, client, db, sandbox):
        self.register()
        old = ProviderWebhook.objects.get()
        self.register("--rotate")
        new = ProviderWebhook.objects.get(retired_at=None)

        assert (new.endpoint_id, new.secret != old.secret) == (old.endpoint_id, True)
        assert sorted(incoming_webhooks.signing_secrets()) == sorted([old.secret, new.secret])
        for secret in (old.secret, new.secret):
            assert post_delivery(client, success(), Heygen_Signature=sign(success(), secret)).status_code == 200

        yesterday = timezone.now() - incoming_webhooks.OLD_SECRET_LIFETIME - timedelta(seconds=1)
        ProviderWebhook.objects.filter(pk=old.pk).update(retired_at=yesterday)
        process_cache.clear_all()
        answer = post_delivery(client, success(), Heygen_Signature=sign(success(), old.secret))
        assert answer.status_code == 401

    def test_a_webhook_secret_that_was_lost_is_replaced(self, db, sandbox):
        self.register()
        ProviderWebhook.objects.all().delete()

        self.register()

        assert len(list(get_client().iter_webhooks())) == 1
        assert ProviderWebhook.objects.get().secret.startswith("whsec_")

    def test_a_webhook_endpoint_that_heygen_has_dropped_is_registered_again(self, db, sandbox):
        self.register()
        sandbox.reset()

        self.register()

        (theirs,) = get_client().iter_webhooks()
        assert ProviderWebhook.objects.get(retired_at=None).endpoint_id == theirs.id

    def test_rotating_an_unregistered_webhook_endpoint_registers_it(self, db, sandbox):
        self.register("--rotate")

        assert ProviderWebhook.objects.get().endpoint_id == next(get_client().iter_webhooks()).id

    @pytest.mark.parametrize("options", [[], ["--rotate"]])
    def test_registration_with_a_wrong_heygen_key_fails_and_changes_nothing(self, db, sandbox, settings, options):
        settings.HEYGEN_API_KEY = "wrong"

        with nothing_changes(), pytest.raises(CommandError, match="HeyGen did not answer as hoped"):
            self.register(*options)

    def test_the_webhook_secret_is_encrypted_in_the_database(self, db, sandbox):
        webhook_registration.ensure_registered()

        with connection.cursor() as cursor:
            cursor.execute("SELECT secret FROM videos_providerwebhook")
            assert not cursor.fetchone()[0].startswith("whsec_")

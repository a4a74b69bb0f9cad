"""HeyGen's knock: what is let in, what is kept, what it sets off."""

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


def knock(client, body: bytes, **headers: str) -> Any:
    """A delivery as documented, unless `headers` say otherwise; an empty one is left out."""
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


class TestTheDoor:
    def test_a_signed_delivery_is_stored_raw_and_wakes_a_worker(self, client, endpoint, woken):
        body = success()

        answer = knock(client, body)

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
    def test_what_is_not_proven_theirs_is_refused(self, client, endpoint, headers):
        with nothing_changes():
            answer = knock(client, success(), **headers)

        assert refusal_of(answer) == (401, "not_authenticated")

    def test_without_any_secret_nothing_is_let_in(self, client, db):
        body = success()

        assert knock(client, body, Heygen_Signature=sign(body, "")).status_code == 401
        assert WebhookDelivery.objects.count() == 0

    def test_a_secret_of_the_settings_is_taken_too(self, client, db, settings):
        settings.HEYGEN_WEBHOOK_SECRETS = ["whsec_by_hand"]
        body = success()

        assert knock(client, body, Heygen_Signature=sign(body, "whsec_by_hand")).status_code == 200

    @pytest.mark.parametrize("prefix", ["", "sha256="])
    def test_a_bare_signature_header_is_enough(self, client, endpoint, prefix):
        body = success()
        bare = {"Heygen_Signature": "", "Heygen_Timestamp": "", "Heygen_Event_Id": ""}

        answer = knock(client, body, **bare, Signature=prefix + sign(body))

        assert (answer.status_code, WebhookDelivery.objects.get().key) == (200, "evt_1")

    def test_a_delivery_without_any_id_is_known_by_its_body(self, client, endpoint):
        body = b'{"event_type": "avatar_video.success", "event_data": {"video_id": "remote_1"}}'

        for _ in range(2):
            assert knock(client, body, Heygen_Event_Id="").status_code == 200

        assert WebhookDelivery.objects.get().key == "sha256:" + hashlib.sha256(body).hexdigest()

    def test_the_same_delivery_twice_is_stored_once(self, client, endpoint, woken):
        assert [knock(client, success()).status_code for _ in range(3)] == [200, 200, 200]

        assert WebhookDelivery.objects.count() == 1
        assert len(woken) == 1

    def test_an_unknown_kind_is_taken_and_left_alone(self, client, endpoint):
        assert knock(client, success(kind="avatar_video_gif.success")).status_code == 200

        assert work_off_all() == ["not for us"]

    @pytest.mark.parametrize("body", [b"{}", b'{"event_type": 7, "event_data": [1]}', b'{"event_type": null}'])
    def test_odd_objects_are_taken(self, client, endpoint, body):
        assert knock(client, body).status_code == 200

        assert work_off_all() == ["not for us"]

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}'])
    def test_what_is_no_json_object_is_refused(self, client, endpoint, body):
        with nothing_changes():
            answer = knock(client, body)

        assert refusal_of(answer) == (400, "parse_error")

    @pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 5000, "😀" * 300])
    def test_texts_that_a_database_refuses_do_no_harm(self, client, endpoint, text):
        data = {"video_id": text, "callback_id": text}
        body = json.dumps({"event_type": text, "event_data": data, text: [text, {text: text}]}).encode()

        assert knock(client, body).status_code == 200
        assert WebhookDelivery.objects.count() == 1

    def test_too_large_a_body_is_not_read(self, client, endpoint):
        body = b'{"event_type": "' + b"x" * TOO_LARGE + b'"}'

        with nothing_changes():
            answer = knock(client, body)

        assert refusal_of(answer) == (413, "payload_too_large")

    @pytest.mark.parametrize("method", ["OPTIONS", "GET", "HEAD"])
    def test_probes_are_answered(self, client, db, method):
        with nothing_changes():
            assert client.generic(method, PATH).status_code == 200

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_other_methods_are_not_allowed(self, client, db, method):
        answer = client.generic(method, PATH)
        assert refusal_of(answer) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == "OPTIONS, GET, HEAD, POST"

    def test_a_refused_signature_says_how_to_authenticate(self, client, endpoint):
        with nothing_changes():
            answer = knock(client, success(), Heygen_Signature="0" * 64)
        assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (401, True)

    def test_no_session_or_csrf_token_is_asked(self, endpoint):
        assert knock(Client(enforce_csrf_checks=True), success()).status_code == 200


class TestTheWork:
    """A delivery is a nudge: what counts is what HeyGen answers when asked."""

    def test_success_stores_the_video_at_once(self, client, endpoint, pipeline, owner):
        video = pipeline.rendered(pipeline.order(owner))
        knock(client, success(video.provider_video_id))

        assert work_off_all() == ["read again"]

        assert fresh(video).status == Status.STORING

    def test_success_while_it_still_renders_changes_nothing(self, client, endpoint, pipeline, owner):
        pipeline.sandbox.configure(stuck=True)
        video = pipeline.submit(pipeline.order(owner))
        knock(client, success(video.provider_video_id))

        assert work_off_all() == ["read again"]

        assert fresh(video).status == Status.RENDERING
        assert money_of(owner) == Money(balance=30, held=video.credits_held, holds=1)

    def test_a_failure_that_is_none_changes_nothing(self, client, endpoint, pipeline, owner):
        pipeline.sandbox.configure(stuck=True)
        video = pipeline.submit(pipeline.order(owner))
        knock(client, success(video.provider_video_id, kind="avatar_video.fail"))

        assert work_off_all() == ["read again"]

        assert fresh(video).status == Status.RENDERING
        assert money_of(owner) == Money(balance=30, held=video.credits_held, holds=1)

    def test_a_failure_that_is_one_ends_the_video(self, client, endpoint, pipeline, owner):
        video = pipeline.rendered(pipeline.order(owner, "Hello there. [[fail]]"))
        knock(client, success(video.provider_video_id, kind="avatar_video.fail"))

        assert work_off_all() == ["read again"]

        assert fresh(video).status == Status.FAILED
        assert money_of(owner) == Money(balance=30)

    def test_a_late_delivery_has_no_effect(self, client, endpoint, pipeline, owner):
        video = pipeline.run(pipeline.order(owner))
        paid = money_of(owner)
        knock(client, success(video.provider_video_id, kind="avatar_video.fail"))

        assert work_off_all() == ["already completed"]

        assert (fresh(video).status, money_of(owner)) == (Status.COMPLETED, paid)

    def test_a_delivery_for_a_video_that_heygen_denies_is_asked_again(self, client, endpoint, pipeline, owner):
        pipeline.sandbox.configure(visible_after=3600)
        video = pipeline.submit(pipeline.order(owner))
        knock(client, success(video.provider_video_id))

        assert work_off_all() == ["read again"]

        assert fresh(video).status == Status.RENDERING

    def test_one_that_overtakes_the_answer_waits_until_we_know_the_video(
        self, client, endpoint, pipeline, owner, woken
    ):
        pipeline.sandbox.fault(kind="lost", method="POST", path="/v3/videos")
        video = pipeline.submit(pipeline.order(owner))
        knock(client, success(pipeline.remote(video)["id"]))
        assert work_off_all() == [""]

        video = pipeline.rendered(video)
        long_ago = timezone.now() - sweeper.DELIVERY_AFTER
        WebhookDelivery.objects.update(received_at=long_ago)
        woken.clear()
        sweeper.sweep_all()

        assert woken == [("videos.work_off_delivery", str(WebhookDelivery.objects.get().pk))]
        assert work_off_all() == ["read again"]
        assert fresh(video).status == Status.STORING

    def test_one_for_nobody_is_done_with_after_a_while(self, client, endpoint, woken):
        knock(client, success("somebody-elses"))
        assert work_off_all() == [""]

        WebhookDelivery.objects.update(received_at=timezone.now() - incoming_webhooks.PATIENCE)

        assert work_off_all() == ["no such video"]

    def test_one_that_names_no_video_is_not_taken_for_one_that_waits(self, client, endpoint, pipeline, owner):
        pipeline.order(owner)
        knock(client, success(""))
        assert work_off_all() == ["names no video"]

    def test_work_done_twice_is_done_once(self, client, endpoint, pipeline, owner):
        video = pipeline.rendered(pipeline.order(owner))
        knock(client, success(video.provider_video_id))
        delivery = WebhookDelivery.objects.get()

        incoming_webhooks.process_delivery(delivery.pk)
        incoming_webhooks.process_delivery(delivery.pk)

        reads = pipeline.sandbox.records()["requests"]["GET /v3/videos/{video_id}"]
        assert (fresh(video).status, reads) == (Status.STORING, 1)

    def test_when_heygen_is_silent_the_poller_follows(self, client, endpoint, pipeline, owner):
        video = pipeline.rendered(pipeline.order(owner))
        knock(client, success(video.provider_video_id))
        pipeline.sandbox.fault(kind="status", status=503, method="GET", path="/v3/videos/*", times=3)

        work_off_all()

        assert (fresh(video).status, fresh(video).tries) == (Status.RENDERING, 1)
        assert pipeline.run(video).status == Status.COMPLETED


class TestRegistration:
    def register(self, *options: str) -> str:
        said = StringIO()
        call_command("register_heygen_webhook", *options, stdout=said)
        return said.getvalue()

    def test_it_registers_once(self, db, sandbox, settings):
        for _ in range(2):
            said = self.register()
            assert said == f"HeyGen calls {settings.PUBLIC_URL}/webhooks/heygen/.\n"

        (theirs,) = get_client().iter_webhooks()
        ours = ProviderWebhook.objects.get()
        assert (ours.endpoint_id, ours.url, ours.retired_at) == (theirs.id, theirs.url, None)
        assert ours.secret.startswith("whsec_")

    def test_a_rotation_keeps_the_old_secret_for_a_day(self, client, db, sandbox):
        self.register()
        old = ProviderWebhook.objects.get()
        self.register("--rotate")
        new = ProviderWebhook.objects.get(retired_at=None)

        assert (new.endpoint_id, new.secret != old.secret) == (old.endpoint_id, True)
        assert sorted(incoming_webhooks.signing_secrets()) == sorted([old.secret, new.secret])
        for secret in (old.secret, new.secret):
            assert knock(client, success(), Heygen_Signature=sign(success(), secret)).status_code == 200

        yesterday = timezone.now() - incoming_webhooks.OLD_SECRET_LIFETIME - timedelta(seconds=1)
        ProviderWebhook.objects.filter(pk=old.pk).update(retired_at=yesterday)
        answer = knock(client, success(), Heygen_Signature=sign(success(), old.secret))
        assert answer.status_code == 401

    def test_a_secret_that_was_lost_is_replaced(self, db, sandbox):
        self.register()
        ProviderWebhook.objects.all().delete()

        self.register()

        assert len(list(get_client().iter_webhooks())) == 1
        assert ProviderWebhook.objects.get().secret.startswith("whsec_")

    def test_an_endpoint_that_heygen_has_dropped_is_made_anew(self, db, sandbox):
        self.register()
        sandbox.reset()

        self.register()

        (theirs,) = get_client().iter_webhooks()
        assert ProviderWebhook.objects.get(retired_at=None).endpoint_id == theirs.id

    def test_rotating_what_was_never_registered_registers_it(self, db, sandbox):
        self.register("--rotate")

        assert ProviderWebhook.objects.get().endpoint_id == next(get_client().iter_webhooks()).id

    @pytest.mark.parametrize("options", [[], ["--rotate"]])
    def test_a_silent_heygen_is_told_to_staff_and_changes_nothing(self, db, sandbox, settings, options):
        settings.HEYGEN_API_KEY = "wrong"

        with nothing_changes(), pytest.raises(CommandError, match="HeyGen did not answer as hoped"):
            self.register(*options)

    def test_the_secret_is_encrypted_in_the_database(self, db, sandbox):
        webhook_registration.ensure_registered()

        with connection.cursor() as cursor:
            cursor.execute("SELECT secret FROM videos_providerwebhook")
            assert not cursor.fetchone()[0].startswith("whsec_")

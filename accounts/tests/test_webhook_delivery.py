"""Webhook deliveries: signature, retries, timeouts, forbidden addresses, health, sweep."""

import json
import socket
from datetime import timedelta

import pytest
from django.utils import timezone
from standardwebhooks import Webhook

from accounts import jobs
from accounts.enums import Role
from accounts.models import Delivery, DeliveryAttempt, EventCounter, OutgoingEvent, WebhookEndpoint
from accounts.webhooks import enqueueing, outgoing_delivery, webhook_endpoints
from accounts.webhooks.enqueueing import enqueue_delivery
from accounts.webhooks.outgoing_events import publish
from genvid.mail.models import QueuedMail
from genvid.sandbox.tests.receiver import Receiver
from genvid.tests.asserts import data_of, nothing_changes
from genvid.tests.clocks import still_clocks
from genvid.tests.factories import make_endpoint, make_teammate
from genvid.tests.jobs import run_job
from genvid.tests.mail import send_due_mail
from genvid.tests.scripted import ScriptedServer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def patience(monkeypatch) -> None:
    """What takes seconds in production: a busy machine may take longer between two lines."""
    monkeypatch.setattr(outgoing_delivery, "SECONDS", 900.0)
    monkeypatch.setattr(outgoing_delivery, "LANE_SECONDS", 900.0)
    monkeypatch.setattr(outgoing_delivery, "LEASE", timedelta(hours=1))
    monkeypatch.setattr(enqueueing, "MESSAGE_LIFETIME_SECONDS", 900)


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def scripted():
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def endpoint(owner, receiver):
    return make_endpoint(owner, url=f"{receiver.url}/hook?from=genvid")


def tell(endpoint, event_type="video.completed", object_id="v1", **data) -> Delivery:
    publish(endpoint.account_id, event_type, {"id": object_id} | data, object_id=object_id)
    return Delivery.objects.filter(endpoint=endpoint).first()


def serve(endpoint) -> None:
    """Run a worker for one message."""
    run_job(jobs.DELIVER, str(endpoint.pk))


def fresh(row):
    row.refresh_from_db()
    return row


def try_once(endpoint, delivery: Delivery) -> DeliveryAttempt:
    serve(endpoint)
    return delivery.attempts.last()


# ── Content


def test_delivery_verifies_with_the_reference_library(endpoint, receiver):
    tell(endpoint, title="Grüße")
    serve(endpoint)
    (post,) = receiver.posts
    told = Webhook(endpoint.secret).verify(post.body, post.headers)
    assert (told["type"], told["data"]) == ("video.completed", {"id": "v1", "title": "Grüße"})


def test_delivery_has_the_documented_headers_and_body(endpoint, receiver):
    delivery = tell(endpoint)
    serve(endpoint)
    (post,) = receiver.posts
    assert post.path == "/hook?from=genvid"
    assert post.body.decode() == delivery.event.body
    assert post.headers["content-type"] == "application/json"
    assert (post.headers["webhook-id"], post.headers["webhook-sequence"]) == (delivery.event_id, "1")


def test_delivery_answered_with_2xx_is_done(endpoint, receiver):
    delivery = tell(endpoint)
    serve(endpoint)
    serve(endpoint)
    delivery = fresh(delivery)
    assert (delivery.status, delivery.attempts_made, delivery.leased_until) == ("delivered", 1, None)
    assert delivery.ended_at is not None
    assert len(receiver.posts) == 1


def test_delivery_verifies_with_both_secrets_during_a_rotation(owner, endpoint, receiver):
    rotated = webhook_endpoints.rotate_secret(owner.caller, endpoint)
    tell(endpoint)
    serve(endpoint)
    (post,) = receiver.posts
    for secret in (endpoint.secret, rotated.secret):
        assert Webhook(secret).verify(post.body, post.headers)["type"] == "video.completed"


def test_delivery_is_not_signed_with_the_old_secret_after_the_rotation(owner, endpoint, receiver):
    webhook_endpoints.rotate_secret(owner.caller, endpoint)
    WebhookEndpoint.objects.update(old_secret_until=timezone.now())
    tell(endpoint)
    serve(endpoint)
    assert len(receiver.posts[0].headers["webhook-signature"].split()) == 1


def test_retried_delivery_has_an_unchanged_id_and_body(endpoint, receiver):
    receiver.answers = [500]
    delivery = tell(endpoint)
    serve(endpoint)
    webhook_endpoints.retry_delivery(delivery)
    serve(endpoint)
    first, second = receiver.posts
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])


def test_ping_contains_the_endpoint(owner, endpoint, receiver):
    shown = data_of(owner.client.get(f"/api/v1/webhook-endpoints/{endpoint.pk}"))
    data_of(owner.client.post(f"/api/v1/webhook-endpoints/{endpoint.pk}/test"), 202)
    serve(endpoint)
    assert (receiver.posts[0].json["type"], receiver.posts[0].json["data"]) == ("ping", shown)


# ── Attempts


def test_every_attempt_is_shown(owner, endpoint, receiver):
    receiver.answers, receiver.files = [500], {endpoint.url.removeprefix(receiver.url): b"oh dear\0 \xff" + b"x" * 9000}
    delivery = tell(endpoint)
    serve(endpoint)
    (shown,) = data_of(owner.client.get(f"/api/v1/webhook-endpoints/{endpoint.pk}/deliveries"))
    (attempt,) = shown.pop("attempts")
    assert {name: shown[name] for name in ("id", "event_id", "status", "object_id")} == {
        "id": str(delivery.pk),
        "event_id": delivery.event_id,
        "status": "pending",
        "object_id": "v1",
    }
    assert (attempt["number"], attempt["status_code"], attempt["error"]) == (1, 500, "")
    assert attempt["response_excerpt"] == "oh dear\ufffd \ufffd" + "x" * 1014
    assert 0 <= attempt["duration_ms"] < 5000


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_response_counts_as_delivered(endpoint, receiver, status):
    receiver.answers = [status]
    delivery = tell(endpoint)
    serve(endpoint)
    assert fresh(delivery).status == "delivered"


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_delivery_is_retried_after_any_other_response(endpoint, receiver, status):
    receiver.answers = [status]
    delivery = tell(endpoint)
    assert try_once(endpoint, delivery).status_code == status
    assert fresh(delivery).status == "pending"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(endpoint, scripted, receiver, status):
    WebhookEndpoint.objects.update(url=scripted.url)
    scripted.says(status, headers={"Location": receiver.url})
    delivery = tell(endpoint)
    attempt = try_once(endpoint, delivery)
    assert (attempt.status_code, attempt.error) == (status, "redirects are not followed")
    assert (fresh(delivery).status, receiver.all) == ("pending", [])


def test_delivery_is_retried_after_a_closed_connection(endpoint, scripted):
    WebhookEndpoint.objects.update(url=scripted.url)
    scripted.says(hang_up=True)
    delivery = tell(endpoint)
    attempt = try_once(endpoint, delivery)
    assert (attempt.status_code, attempt.error) == (None, "connection failed: ProtocolError")
    assert fresh(delivery).status == "pending"


def test_delivery_is_retried_after_a_refused_connection(endpoint, closed_url):
    WebhookEndpoint.objects.update(url=f"{closed_url}/")
    delivery = tell(endpoint)
    assert try_once(endpoint, delivery).error == "no connection"
    assert fresh(delivery).status == "pending"


def test_delivery_times_out(endpoint, scripted, monkeypatch):
    monkeypatch.setattr(outgoing_delivery, "SECONDS", 3)
    WebhookEndpoint.objects.update(url=scripted.url)
    scripted.says(delay=60)
    attempt = try_once(endpoint, tell(endpoint))
    assert (attempt.status_code, attempt.error) == (None, "no answer in time")


def test_slow_response_is_stored_up_to_the_timeout(endpoint, scripted, monkeypatch):
    monkeypatch.setattr(outgoing_delivery, "SECONDS", 30)
    WebhookEndpoint.objects.update(url=scripted.url)
    scripted.says(body=b"x" * 1000, drip=0.1)
    attempt = try_once(endpoint, tell(endpoint))
    assert attempt.status_code == 200
    assert attempt.response_excerpt == "x" * len(attempt.response_excerpt) != "x" * 1000


# ── Forbidden addresses


def test_delivery_to_a_private_address_is_refused(endpoint, receiver, settings):
    settings.ALLOW_PRIVATE_WEBHOOK_URLS = False
    WebhookEndpoint.objects.update(url=receiver.url.replace("http:", "https:"))
    attempt = try_once(endpoint, tell(endpoint))
    assert (attempt.status_code, attempt.error) == (None, "the host is not on the public internet")
    assert receiver.all == []


def test_delivery_to_plain_http_is_refused(endpoint, receiver, settings):
    settings.ALLOW_PRIVATE_WEBHOOK_URLS = False
    assert try_once(endpoint, tell(endpoint)).error == "the address must start with https://"
    assert receiver.all == []


def test_delivery_to_a_host_that_now_resolves_to_a_private_address_is_refused(
    endpoint, receiver, settings, monkeypatch
):
    settings.ALLOW_PRIVATE_WEBHOOK_URLS = False
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
    port = receiver.url.rsplit(":", 1)[1]
    WebhookEndpoint.objects.update(url=f"https://rebound.example.com:{port}/")
    assert try_once(endpoint, tell(endpoint)).error == "the host is not on the public internet"
    assert receiver.all == []


# ── Retry schedule


def test_retry_schedule_spans_three_days():
    assert timedelta(seconds=sum(outgoing_delivery.DELAYS)) >= timedelta(days=3)
    assert list(outgoing_delivery.DELAYS) == sorted(outgoing_delivery.DELAYS)


@pytest.mark.parametrize("made", [0, 5, len(outgoing_delivery.DELAYS) - 1])
def test_next_attempt_follows_its_delay_with_jitter(endpoint, receiver, made):
    receiver.answers = [500]
    delivery = tell(endpoint)
    Delivery.objects.update(attempts_made=made)
    with still_clocks():
        serve(endpoint)
        wait = (fresh(delivery).next_attempt_at - timezone.now()).total_seconds()
    assert outgoing_delivery.DELAYS[made] <= wait <= outgoing_delivery.DELAYS[made] * 1.1


def test_delivery_fails_after_the_last_attempt(endpoint, receiver):
    receiver.answers = [500]
    delivery = tell(endpoint)
    Delivery.objects.update(attempts_made=len(outgoing_delivery.DELAYS))
    serve(endpoint)
    assert fresh(delivery).status == "failed"
    assert delivery.ended_at is not None


def test_delivery_is_not_sent_before_it_is_due(endpoint, receiver):
    tell(endpoint)
    Delivery.objects.update(next_attempt_at=timezone.now() + timedelta(hours=1))
    with nothing_changes():
        serve(endpoint)
    assert receiver.all == []


def test_leased_delivery_is_not_sent_by_another_worker(endpoint, receiver):
    tell(endpoint)
    Delivery.objects.update(leased_until=timezone.now() + timedelta(hours=1))
    with nothing_changes():
        serve(endpoint)
    assert receiver.all == []


def test_delivery_of_a_dead_worker_is_sent_after_its_lease(endpoint, receiver):
    delivery = tell(endpoint)
    Delivery.objects.update(leased_until=timezone.now())
    serve(endpoint)
    assert (fresh(delivery).status, len(receiver.posts)) == ("delivered", 1)


def test_worker_with_an_expired_lease_records_only_its_attempt(endpoint):
    delivery = tell(endpoint)
    claimed = outgoing_delivery._claim_next(endpoint.pk)
    later = timezone.now() + timedelta(seconds=60)
    Delivery.objects.update(leased_until=later)
    outgoing_delivery._record(claimed, outgoing_delivery.Outcome(timezone.now(), 30_000, 200))
    assert (fresh(delivery).status, delivery.leased_until, delivery.attempts_made) == ("pending", later, 1)


def test_delivery_deleted_while_sending_is_ignored(endpoint):
    tell(endpoint)
    claimed = outgoing_delivery._claim_next(endpoint.pk)
    OutgoingEvent.objects.all().delete()
    with nothing_changes():
        outgoing_delivery._record(claimed, outgoing_delivery.Outcome(timezone.now(), 5, 200))


# ── Health


def test_response_410_disables_the_endpoint_at_once(endpoint, receiver):
    receiver.answers = [410]
    tell(endpoint)
    tell(endpoint)
    serve(endpoint)
    assert (fresh(endpoint).enabled, endpoint.disabled_reason, len(receiver.posts)) == (False, "gone", 1)


def test_mail_to_owners_is_queued_in_the_transaction_that_disables_the_endpoint(endpoint, receiver):
    receiver.answers = [410]
    tell(endpoint)
    serve(endpoint)
    mail = QueuedMail.objects.get(kind="accounts.endpoint_off")
    assert (mail.account, mail.data) == (endpoint.account_id, {"endpoint": str(endpoint.pk)})
    assert fresh(endpoint).told_at is not None


def test_endpoint_enabled_again_is_not_mailed_as_disabled(endpoint, mailoutbox):
    WebhookEndpoint.objects.update(enabled=False, disabled_reason="gone", disabled_at=timezone.now())
    outgoing_delivery.mail_owners_of_switched_off(endpoint.pk)
    WebhookEndpoint.objects.update(enabled=True, disabled_reason="")
    send_due_mail()
    assert [mail for mail in mailoutbox if mail.subject == "A webhook endpoint was switched off"] == []


def test_three_days_of_failures_disable_the_endpoint(endpoint, receiver):
    receiver.answers = [500]
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=3))
    tell(endpoint)
    serve(endpoint)
    assert (fresh(endpoint).enabled, endpoint.disabled_reason) == (False, "failing")


def test_one_success_restarts_the_three_days_of_failures(endpoint, receiver):
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=3), failures=40, health="poor")
    tell(endpoint)
    serve(endpoint)
    fresh(endpoint)
    assert (endpoint.enabled, endpoint.failing_since, endpoint.failures, endpoint.health) == (True, None, 0, "good")


def test_endpoint_is_disabled_when_its_only_delivery_has_failed_for_three_days(endpoint, receiver):
    receiver.answers = [500] * 20
    delivery = tell(endpoint)
    moment = timezone.now()
    while fresh(delivery).status == "pending" and fresh(endpoint).enabled:
        with still_clocks(moment):
            serve(endpoint)
        moment = max(fresh(delivery).next_attempt_at, fresh(endpoint).paused_until or moment)
    assert (endpoint.disabled_reason, delivery.status, len(receiver.posts)) == ("failing", "failed", 15)


@pytest.mark.parametrize(("reason", "why"), [("gone", "410"), ("failing", "three days")])
def test_owners_get_one_mail_about_a_disabled_endpoint(owner, endpoint, mailoutbox, reason, why):
    make_teammate(owner, Role.ADMIN)
    WebhookEndpoint.objects.update(enabled=False, disabled_reason=reason, disabled_at=timezone.now())
    for _ in range(2):
        outgoing_delivery.mail_owners_of_switched_off(endpoint.pk)
    send_due_mail()
    (mail,) = [mail for mail in mailoutbox if mail.subject == "A webhook endpoint was switched off"]
    assert mail.to == [owner.user.email]
    assert endpoint.url in mail.body
    assert why in mail.body


def test_failing_endpoint_is_paused_and_a_recovered_one_gets_everything(endpoint, receiver):
    receiver.answers = [500] * 3
    for number in range(5):
        tell(endpoint, object_id=str(number))
    with still_clocks():
        serve(endpoint)
        serve(endpoint)
    assert len(receiver.posts) == 3
    with still_clocks(timezone.now() + timedelta(seconds=60)):
        serve(endpoint)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}


@pytest.mark.parametrize("before", [0, 1])
def test_first_failures_do_not_pause_an_endpoint(endpoint, receiver, before):
    receiver.answers = [500]
    WebhookEndpoint.objects.update(failures=before)
    tell(endpoint)
    serve(endpoint)
    assert (fresh(endpoint).failures, endpoint.paused_until) == (before + 1, None)


@pytest.mark.parametrize(("before", "seconds"), [(2, 5), (3, 10), (19, 300), (1999, 300)])
def test_pause_of_a_failing_endpoint_grows_to_five_minutes(endpoint, receiver, before, seconds):
    receiver.answers = [500]
    WebhookEndpoint.objects.update(failures=before)
    with still_clocks():
        tell(endpoint)
        serve(endpoint)
        rest = (fresh(endpoint).paused_until - timezone.now()).total_seconds()
    assert seconds <= rest <= seconds * 1.1


@pytest.mark.parametrize(("health", "lanes"), [("new", 1), ("good", 2), ("poor", 1)])
def test_number_of_workers_per_endpoint_is_limited(endpoint, health, lanes):
    WebhookEndpoint.objects.update(health=health)
    for number in range(3):
        tell(endpoint, object_id=str(number))
    claims = [outgoing_delivery._claim_next(endpoint.pk) for _ in range(3)]
    assert sum(claim is not None for claim in claims) == lanes


def test_number_of_workers_for_poor_endpoints_is_limited(owner, settings):
    settings.WEBHOOK_POOR_SENDS = 2
    endpoints = [make_endpoint(owner, health="poor") for _ in range(3)] + [make_endpoint(owner, health="good")]
    for each in endpoints:
        tell(each)
    claims = [outgoing_delivery._claim_next(each.pk) is not None for each in endpoints]
    assert claims == [True, True, False, True]


def test_slow_endpoint_is_poor(endpoint):
    tell(endpoint)
    claimed = outgoing_delivery._claim_next(endpoint.pk)
    outgoing_delivery._record(claimed, outgoing_delivery.Outcome(timezone.now(), outgoing_delivery.SLOW_MS, 200))
    assert fresh(endpoint).health == "poor"


def test_worker_requeues_an_endpoint_after_a_while(endpoint, receiver, monkeypatch):
    monkeypatch.setattr(outgoing_delivery, "LANE_SECONDS", 0.0)
    tell(endpoint)
    tell(endpoint)
    serve(endpoint)
    assert len(receiver.posts) == 1


def test_one_message_per_endpoint_is_queued_until_a_worker_starts(endpoint, woken):
    enqueue_delivery(endpoint.pk)
    enqueue_delivery(endpoint.pk)
    assert len(woken) == 1
    serve(endpoint)
    enqueue_delivery(endpoint.pk)
    assert len(woken) == 2


# ── Manual retries


def test_manual_retry_ignores_a_pause_and_is_sent_first(endpoint, receiver):
    tell(endpoint, object_id="first")
    mine = tell(endpoint, object_id="mine")
    Delivery.objects.filter(pk=mine.pk).update(status="failed")
    resting = {"failures": 9, "health": "poor", "paused_until": timezone.now() + timedelta(minutes=5)}
    WebhookEndpoint.objects.update(**resting)
    webhook_endpoints.retry_delivery(mine)
    receiver.answers = [500]
    serve(endpoint)
    assert [post.json["data"]["id"] for post in receiver.posts] == ["mine"]


def test_delivered_event_can_be_sent_again(endpoint, receiver):
    delivery = tell(endpoint)
    serve(endpoint)
    webhook_endpoints.retry_delivery(fresh(delivery))
    serve(endpoint)
    assert (len(receiver.posts), fresh(delivery).status, delivery.attempts_made) == (2, "delivered", 2)


# ── Sweep and retention


def served_by_sweep(woken: list[tuple[str, ...]]) -> list[str]:
    """Ids of the endpoints that a sweep enqueues."""
    woken.clear()
    run_job(jobs.SWEEP_DELIVERIES)
    return [ids[0] for name, *ids in woken if name == jobs.DELIVER.name]


def test_sweep_enqueues_due_deliveries(endpoint, woken):
    tell(endpoint)
    tell(endpoint)
    assert served_by_sweep(woken) == [str(endpoint.pk)]


@pytest.mark.parametrize(
    "changes", [{"enabled": False}, {"paused_until": "soon"}, {"next_attempt_at": "soon"}, {"leased_until": "soon"}]
)
def test_sweep_skips_deliveries_that_are_not_due(endpoint, woken, changes):
    tell(endpoint)
    given = {name: timezone.now() + timedelta(hours=1) if value == "soon" else value for name, value in changes.items()}
    model = WebhookEndpoint if set(given) & {"enabled", "paused_until"} else Delivery
    model.objects.update(**given)
    with nothing_changes():
        assert served_by_sweep(woken) == []


def test_sweep_enqueues_a_manual_retry_during_a_pause(endpoint, woken):
    webhook_endpoints.retry_delivery(tell(endpoint))
    WebhookEndpoint.objects.update(paused_until=timezone.now() + timedelta(hours=1))
    assert served_by_sweep(woken) == [str(endpoint.pk)]


def test_sweep_fails_deliveries_past_their_deadline(endpoint, woken):
    late, urgent, young = tell(endpoint), tell(endpoint), tell(endpoint)
    WebhookEndpoint.objects.update(enabled=False)
    Delivery.objects.exclude(pk=young.pk).update(created_at=timezone.now() - outgoing_delivery.GIVE_UP_AFTER)
    Delivery.objects.filter(pk=urgent.pk).update(urgent=True)
    served_by_sweep(woken)
    assert [fresh(each).status for each in (late, urgent, young)] == ["failed", "pending", "pending"]


def test_sweep_mails_owners_that_the_previous_release_did_not_mail(endpoint, woken):
    lost = timezone.now() - timedelta(hours=1)
    WebhookEndpoint.objects.update(enabled=False, disabled_reason="gone", disabled_at=lost)
    run_job(jobs.SWEEP_DELIVERIES)
    assert woken == [(jobs.SEND_ENDPOINT_OFF_EMAIL.name, str(endpoint.pk))]


def test_events_are_deleted_after_thirty_days_and_numbers_continue(endpoint, receiver):
    tell(endpoint)
    serve(endpoint)
    OutgoingEvent.objects.update(created_at=timezone.now() - timedelta(days=31))
    young = tell(endpoint)
    run_job(jobs.PURGE)
    assert list(Delivery.objects.all()) == [young]
    assert (DeliveryAttempt.objects.count(), young.event.sequence, EventCounter.objects.get().last) == (0, 2, 2)


def test_deleted_endpoint_is_purged_after_its_deliveries(owner, endpoint):
    tell(endpoint)
    webhook_endpoints.delete_endpoint(owner.caller, endpoint)
    WebhookEndpoint.objects.update(deleted_at=timezone.now() - timedelta(days=31))
    run_job(jobs.PURGE)
    assert WebhookEndpoint.objects.count() == 1
    OutgoingEvent.objects.update(created_at=timezone.now() - timedelta(days=31))
    run_job(jobs.PURGE)
    assert WebhookEndpoint.objects.count() == 0


def test_delivery_body_is_plain_json(endpoint, receiver):
    tell(endpoint, title="a\u2028b", cost=10**15)
    serve(endpoint)
    assert json.loads(receiver.posts[0].body)["data"] == {"id": "v1", "title": "a\u2028b", "cost": 10**15}

"""Deliveries: signed to the standard, tried again for three days, never to an address of ours, never for long."""

import json
import socket
from datetime import timedelta

import pytest
from django.utils import timezone
from standardwebhooks import Webhook

from accounts import jobs
from accounts.enums import Role
from accounts.models import Delivery, DeliveryAttempt, EventCounter, OutgoingEvent, WebhookEndpoint
from accounts.webhooks import outgoing_delivery, webhook_endpoints
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
    """What a worker does with one message."""
    run_job(jobs.DELIVER, str(endpoint.pk))


def fresh(row):
    row.refresh_from_db()
    return row


def try_once(endpoint, delivery: Delivery) -> DeliveryAttempt:
    serve(endpoint)
    return delivery.attempts.last()


# ── What is sent


def test_a_delivery_verifies_with_the_standards_own_library(endpoint, receiver):
    tell(endpoint, title="Grüße")
    serve(endpoint)
    (post,) = receiver.posts
    told = Webhook(endpoint.secret).verify(post.body, post.headers)
    assert (told["type"], told["data"]) == ("video.completed", {"id": "v1", "title": "Grüße"})


def test_a_delivery_says_what_the_standard_and_our_pages_say(endpoint, receiver):
    delivery = tell(endpoint)
    serve(endpoint)
    (post,) = receiver.posts
    assert post.path == "/hook?from=genvid"
    assert post.body.decode() == delivery.event.body
    assert post.headers["content-type"] == "application/json"
    assert (post.headers["webhook-id"], post.headers["webhook-sequence"]) == (delivery.event_id, "1")


def test_a_delivery_that_arrived_is_done(endpoint, receiver):
    delivery = tell(endpoint)
    serve(endpoint)
    serve(endpoint)
    delivery = fresh(delivery)
    assert (delivery.status, delivery.attempts_made, delivery.leased_until) == ("delivered", 1, None)
    assert delivery.ended_at is not None
    assert len(receiver.posts) == 1


def test_during_a_rotation_both_secrets_verify(owner, endpoint, receiver):
    rotated = webhook_endpoints.rotate_secret(owner.caller, endpoint)
    tell(endpoint)
    serve(endpoint)
    (post,) = receiver.posts
    for secret in (endpoint.secret, rotated.secret):
        assert Webhook(secret).verify(post.body, post.headers)["type"] == "video.completed"


def test_after_a_rotation_the_old_secret_signs_no_more(owner, endpoint, receiver):
    webhook_endpoints.rotate_secret(owner.caller, endpoint)
    WebhookEndpoint.objects.update(old_secret_until=timezone.now())
    tell(endpoint)
    serve(endpoint)
    assert len(receiver.posts[0].headers["webhook-signature"].split()) == 1


def test_a_repetition_is_the_same_message(endpoint, receiver):
    receiver.answers = [500]
    delivery = tell(endpoint)
    serve(endpoint)
    webhook_endpoints.retry_delivery(delivery)
    serve(endpoint)
    first, second = receiver.posts
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])


def test_a_ping_shows_the_endpoint(owner, endpoint, receiver):
    shown = data_of(owner.client.get(f"/api/v1/webhook-endpoints/{endpoint.pk}"))
    data_of(owner.client.post(f"/api/v1/webhook-endpoints/{endpoint.pk}/test"), 202)
    serve(endpoint)
    assert (receiver.posts[0].json["type"], receiver.posts[0].json["data"]) == ("ping", shown)


# ── What is written down


def test_each_attempt_is_shown(owner, endpoint, receiver):
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
def test_any_2xx_is_delivered(endpoint, receiver, status):
    receiver.answers = [status]
    delivery = tell(endpoint)
    serve(endpoint)
    assert fresh(delivery).status == "delivered"


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_any_other_answer_is_tried_again(endpoint, receiver, status):
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


def test_a_receiver_that_hangs_up_is_tried_again(endpoint, scripted):
    WebhookEndpoint.objects.update(url=scripted.url)
    scripted.says(hang_up=True)
    delivery = tell(endpoint)
    attempt = try_once(endpoint, delivery)
    assert (attempt.status_code, attempt.error) == (None, "connection failed: ProtocolError")
    assert fresh(delivery).status == "pending"


def test_a_receiver_that_is_not_there_is_tried_again(endpoint, closed_url):
    WebhookEndpoint.objects.update(url=f"{closed_url}/")
    delivery = tell(endpoint)
    assert try_once(endpoint, delivery).error == "no connection"
    assert fresh(delivery).status == "pending"


def test_a_receiver_gets_so_many_seconds_and_no_more(endpoint, scripted, monkeypatch):
    monkeypatch.setattr(outgoing_delivery, "SECONDS", 3)
    WebhookEndpoint.objects.update(url=scripted.url)
    scripted.says(delay=60)
    attempt = try_once(endpoint, tell(endpoint))
    assert (attempt.status_code, attempt.error) == (None, "no answer in time")


def test_of_an_answer_that_drips_only_what_came_in_time_is_kept(endpoint, scripted, monkeypatch):
    monkeypatch.setattr(outgoing_delivery, "SECONDS", 3)
    WebhookEndpoint.objects.update(url=scripted.url)
    scripted.says(body=b"x" * 1000, drip=0.1)
    attempt = try_once(endpoint, tell(endpoint))
    assert attempt.status_code == 200
    assert attempt.response_excerpt == "x" * len(attempt.response_excerpt) != "x" * 1000


# ── Addresses


def test_a_private_address_is_not_called_once_that_is_forbidden(endpoint, receiver, settings):
    settings.ALLOW_PRIVATE_WEBHOOK_URLS = False
    WebhookEndpoint.objects.update(url=receiver.url.replace("http:", "https:"))
    attempt = try_once(endpoint, tell(endpoint))
    assert (attempt.status_code, attempt.error) == (None, "the host is not on the public internet")
    assert receiver.all == []


def test_plain_http_is_not_called_once_that_is_forbidden(endpoint, receiver, settings):
    settings.ALLOW_PRIVATE_WEBHOOK_URLS = False
    assert try_once(endpoint, tell(endpoint)).error == "the address must start with https://"
    assert receiver.all == []


def test_a_name_that_was_public_yesterday_and_is_ours_today_is_not_called(endpoint, receiver, settings, monkeypatch):
    settings.ALLOW_PRIVATE_WEBHOOK_URLS = False
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
    port = receiver.url.rsplit(":", 1)[1]
    WebhookEndpoint.objects.update(url=f"https://rebound.example.com:{port}/")
    assert try_once(endpoint, tell(endpoint)).error == "the host is not on the public internet"
    assert receiver.all == []


# ── The schedule


def test_the_schedule_spans_three_days():
    assert timedelta(seconds=sum(outgoing_delivery.DELAYS)) >= timedelta(days=3)
    assert list(outgoing_delivery.DELAYS) == sorted(outgoing_delivery.DELAYS)


@pytest.mark.parametrize("made", [0, 5, len(outgoing_delivery.DELAYS) - 1])
def test_the_next_attempt_comes_after_its_delay_and_a_little(endpoint, receiver, made):
    receiver.answers = [500]
    delivery = tell(endpoint)
    Delivery.objects.update(attempts_made=made)
    serve(endpoint)
    wait = (fresh(delivery).next_attempt_at - timezone.now()).total_seconds()
    assert outgoing_delivery.DELAYS[made] - 5 <= wait <= outgoing_delivery.DELAYS[made] * 1.1


def test_after_the_last_attempt_a_delivery_has_failed(endpoint, receiver):
    receiver.answers = [500]
    delivery = tell(endpoint)
    Delivery.objects.update(attempts_made=len(outgoing_delivery.DELAYS))
    serve(endpoint)
    assert fresh(delivery).status == "failed"
    assert delivery.ended_at is not None


def test_nothing_is_sent_before_its_time(endpoint, receiver):
    tell(endpoint)
    Delivery.objects.update(next_attempt_at=timezone.now() + timedelta(seconds=5))
    with nothing_changes():
        serve(endpoint)
    assert receiver.all == []


def test_what_another_worker_is_sending_is_left_to_it(endpoint, receiver):
    tell(endpoint)
    Delivery.objects.update(leased_until=timezone.now() + timedelta(seconds=5))
    with nothing_changes():
        serve(endpoint)
    assert receiver.all == []


def test_a_dead_workers_delivery_is_sent_when_its_lease_is_over(endpoint, receiver):
    delivery = tell(endpoint)
    Delivery.objects.update(leased_until=timezone.now())
    serve(endpoint)
    assert (fresh(delivery).status, len(receiver.posts)) == ("delivered", 1)


def test_a_worker_that_outstayed_its_lease_notes_its_attempt_and_settles_nothing(endpoint):
    delivery = tell(endpoint)
    claimed = outgoing_delivery._claim_next(endpoint.pk)
    later = timezone.now() + timedelta(seconds=60)
    Delivery.objects.update(leased_until=later)
    outgoing_delivery._record(claimed, outgoing_delivery.Outcome(timezone.now(), 30_000, 200))
    assert (fresh(delivery).status, delivery.leased_until, delivery.attempts_made) == ("pending", later, 1)


def test_a_delivery_that_was_removed_meanwhile_is_no_trouble(endpoint):
    tell(endpoint)
    claimed = outgoing_delivery._claim_next(endpoint.pk)
    OutgoingEvent.objects.all().delete()
    with nothing_changes():
        outgoing_delivery._record(claimed, outgoing_delivery.Outcome(timezone.now(), 5, 200))


# ── Health


def test_410_switches_the_endpoint_off_at_once(endpoint, receiver):
    receiver.answers = [410]
    tell(endpoint)
    tell(endpoint)
    serve(endpoint)
    assert (fresh(endpoint).enabled, endpoint.disabled_reason, len(receiver.posts)) == (False, "gone", 1)


def test_owners_are_told_in_the_transaction_that_switches_the_endpoint_off(endpoint, receiver):
    receiver.answers = [410]
    tell(endpoint)
    serve(endpoint)
    mail = QueuedMail.objects.get(kind="accounts.endpoint_off")
    assert (mail.account, mail.data) == (endpoint.account_id, {"endpoint": str(endpoint.pk)})
    assert fresh(endpoint).told_at is not None


def test_of_an_endpoint_that_is_on_again_nobody_is_told_that_it_is_off(endpoint, mailoutbox):
    WebhookEndpoint.objects.update(enabled=False, disabled_reason="gone", disabled_at=timezone.now())
    outgoing_delivery.mail_owners_of_switched_off(endpoint.pk)
    WebhookEndpoint.objects.update(enabled=True, disabled_reason="")
    send_due_mail()
    assert [mail for mail in mailoutbox if mail.subject == "A webhook endpoint was switched off"] == []


def test_three_days_of_nothing_but_failures_switch_it_off(endpoint, receiver):
    receiver.answers = [500]
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=3))
    tell(endpoint)
    serve(endpoint)
    assert (fresh(endpoint).enabled, endpoint.disabled_reason) == (False, "failing")


def test_one_success_starts_the_three_days_anew(endpoint, receiver):
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=3), failures=40, health="poor")
    tell(endpoint)
    serve(endpoint)
    fresh(endpoint)
    assert (endpoint.enabled, endpoint.failing_since, endpoint.failures, endpoint.health) == (True, None, 0, "good")


def test_a_dead_endpoint_is_off_when_its_only_delivery_has_been_tried_for_three_days(endpoint, receiver):
    receiver.answers = [500] * 20
    delivery = tell(endpoint)
    moment = timezone.now()
    while fresh(delivery).status == "pending" and fresh(endpoint).enabled:
        with still_clocks(moment):
            serve(endpoint)
        moment = max(fresh(delivery).next_attempt_at, fresh(endpoint).paused_until or moment)
    assert (endpoint.disabled_reason, delivery.status, len(receiver.posts)) == ("failing", "failed", 15)


@pytest.mark.parametrize(("reason", "why"), [("gone", "410"), ("failing", "three days")])
def test_owners_are_told_once_why_it_is_off(owner, endpoint, mailoutbox, reason, why):
    make_teammate(owner, Role.ADMIN)
    WebhookEndpoint.objects.update(enabled=False, disabled_reason=reason, disabled_at=timezone.now())
    for _ in range(2):
        outgoing_delivery.mail_owners_of_switched_off(endpoint.pk)
    send_due_mail()
    (mail,) = [mail for mail in mailoutbox if mail.subject == "A webhook endpoint was switched off"]
    assert mail.to == [owner.user.email]
    assert endpoint.url in mail.body
    assert why in mail.body


def test_an_endpoint_that_keeps_failing_rests_and_one_that_works_again_gets_everything(endpoint, receiver):
    receiver.answers = [500] * 3
    for number in range(5):
        tell(endpoint, object_id=str(number))
    serve(endpoint)
    serve(endpoint)
    assert len(receiver.posts) == 3
    with still_clocks(timezone.now() + timedelta(seconds=60)):
        serve(endpoint)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}


@pytest.mark.parametrize("before", [0, 1])
def test_the_first_failures_give_an_endpoint_no_rest(endpoint, receiver, before):
    receiver.answers = [500]
    WebhookEndpoint.objects.update(failures=before)
    tell(endpoint)
    serve(endpoint)
    assert (fresh(endpoint).failures, endpoint.paused_until) == (before + 1, None)


@pytest.mark.parametrize(("before", "seconds"), [(2, 5), (3, 10), (19, 300), (1999, 300)])
def test_the_rest_grows_to_five_minutes(endpoint, receiver, before, seconds):
    receiver.answers = [500]
    WebhookEndpoint.objects.update(failures=before)
    with still_clocks():
        tell(endpoint)
        serve(endpoint)
        rest = (fresh(endpoint).paused_until - timezone.now()).total_seconds()
    assert seconds <= rest <= seconds * 1.1


@pytest.mark.parametrize(("health", "lanes"), [("new", 1), ("good", 2), ("poor", 1)])
def test_so_many_workers_send_to_one_endpoint(endpoint, health, lanes):
    WebhookEndpoint.objects.update(health=health)
    for number in range(3):
        tell(endpoint, object_id=str(number))
    claims = [outgoing_delivery._claim_next(endpoint.pk) for _ in range(3)]
    assert sum(claim is not None for claim in claims) == lanes


def test_only_so_many_workers_wait_for_poor_receivers(owner, settings):
    settings.WEBHOOK_POOR_SENDS = 2
    endpoints = [make_endpoint(owner, health="poor") for _ in range(3)] + [make_endpoint(owner, health="good")]
    for each in endpoints:
        tell(each)
    claims = [outgoing_delivery._claim_next(each.pk) is not None for each in endpoints]
    assert claims == [True, True, False, True]


def test_a_slow_receiver_is_poor(endpoint):
    tell(endpoint)
    claimed = outgoing_delivery._claim_next(endpoint.pk)
    outgoing_delivery._record(claimed, outgoing_delivery.Outcome(timezone.now(), outgoing_delivery.SLOW_MS, 200))
    assert fresh(endpoint).health == "poor"


def test_a_lane_goes_to_the_end_of_the_queue_after_a_while(endpoint, receiver, monkeypatch):
    monkeypatch.setattr(outgoing_delivery, "LANE_SECONDS", 0.0)
    tell(endpoint)
    tell(endpoint)
    serve(endpoint)
    assert len(receiver.posts) == 1


def test_one_message_wakes_a_worker_until_it_has_arrived(endpoint, woken):
    enqueue_delivery(endpoint.pk)
    enqueue_delivery(endpoint.pk)
    assert len(woken) == 1
    serve(endpoint)
    enqueue_delivery(endpoint.pk)
    assert len(woken) == 2


# ── By hand


def test_a_retry_goes_past_a_rest_and_ahead_of_the_others(endpoint, receiver):
    tell(endpoint, object_id="first")
    mine = tell(endpoint, object_id="mine")
    Delivery.objects.filter(pk=mine.pk).update(status="failed")
    resting = {"failures": 9, "health": "poor", "paused_until": timezone.now() + timedelta(minutes=5)}
    WebhookEndpoint.objects.update(**resting)
    webhook_endpoints.retry_delivery(mine)
    receiver.answers = [500]
    serve(endpoint)
    assert [post.json["data"]["id"] for post in receiver.posts] == ["mine"]


def test_what_arrived_can_be_sent_again(endpoint, receiver):
    delivery = tell(endpoint)
    serve(endpoint)
    webhook_endpoints.retry_delivery(fresh(delivery))
    serve(endpoint)
    assert (len(receiver.posts), fresh(delivery).status, delivery.attempts_made) == (2, "delivered", 2)


# ── Sweeping and forgetting


def served_by_sweep(woken: list[tuple[str, ...]]) -> list[str]:
    """The endpoints that a sweep sends workers to."""
    woken.clear()
    run_job(jobs.SWEEP_DELIVERIES)
    return [ids[0] for name, *ids in woken if name == jobs.DELIVER.name]


def test_the_sweep_finds_what_is_due(endpoint, woken):
    tell(endpoint)
    tell(endpoint)
    assert served_by_sweep(woken) == [str(endpoint.pk)]


@pytest.mark.parametrize(
    "changes", [{"enabled": False}, {"paused_until": "soon"}, {"next_attempt_at": "soon"}, {"leased_until": "soon"}]
)
def test_the_sweep_leaves_alone_what_is_not(endpoint, woken, changes):
    tell(endpoint)
    given = {
        name: timezone.now() + timedelta(seconds=5) if value == "soon" else value for name, value in changes.items()
    }
    model = WebhookEndpoint if set(given) & {"enabled", "paused_until"} else Delivery
    model.objects.update(**given)
    with nothing_changes():
        assert served_by_sweep(woken) == []


def test_the_sweep_sends_a_retry_past_a_rest(endpoint, woken):
    webhook_endpoints.retry_delivery(tell(endpoint))
    WebhookEndpoint.objects.update(paused_until=timezone.now() + timedelta(seconds=5))
    assert served_by_sweep(woken) == [str(endpoint.pk)]


def test_the_sweep_gives_up_what_is_past_its_time(endpoint, woken):
    late, urgent, young = tell(endpoint), tell(endpoint), tell(endpoint)
    WebhookEndpoint.objects.update(enabled=False)
    Delivery.objects.exclude(pk=young.pk).update(created_at=timezone.now() - outgoing_delivery.GIVE_UP_AFTER)
    Delivery.objects.filter(pk=urgent.pk).update(urgent=True)
    served_by_sweep(woken)
    assert [fresh(each).status for each in (late, urgent, young)] == ["failed", "pending", "pending"]


def test_the_sweep_finds_an_endpoint_whose_owners_the_release_before_did_not_tell(endpoint, woken):
    lost = timezone.now() - timedelta(hours=1)
    WebhookEndpoint.objects.update(enabled=False, disabled_reason="gone", disabled_at=lost)
    run_job(jobs.SWEEP_DELIVERIES)
    assert woken == [(jobs.SEND_ENDPOINT_OFF_EMAIL.name, str(endpoint.pk))]


def test_events_are_forgotten_after_thirty_days_and_their_numbers_go_on(endpoint, receiver):
    tell(endpoint)
    serve(endpoint)
    OutgoingEvent.objects.update(created_at=timezone.now() - timedelta(days=31))
    young = tell(endpoint)
    run_job(jobs.PURGE)
    assert list(Delivery.objects.all()) == [young]
    assert (DeliveryAttempt.objects.count(), young.event.sequence, EventCounter.objects.get().last) == (0, 2, 2)


def test_a_removed_endpoint_is_forgotten_after_its_deliveries(owner, endpoint):
    tell(endpoint)
    webhook_endpoints.delete_endpoint(owner.caller, endpoint)
    WebhookEndpoint.objects.update(deleted_at=timezone.now() - timedelta(days=31))
    run_job(jobs.PURGE)
    assert WebhookEndpoint.objects.count() == 1
    OutgoingEvent.objects.update(created_at=timezone.now() - timedelta(days=31))
    run_job(jobs.PURGE)
    assert WebhookEndpoint.objects.count() == 0


def test_the_body_is_json_that_any_reader_takes(endpoint, receiver):
    tell(endpoint, title="a\u2028b", cost=10**15)
    serve(endpoint)
    assert json.loads(receiver.posts[0].body)["data"] == {"id": "v1", "title": "a\u2028b", "cost": 10**15}

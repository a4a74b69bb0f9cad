"""Webhook endpoints: permissions, URLs, secrets, pings, retries."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.enums import Role
from accounts.models import Delivery, IdempotencyRecord, WebhookEndpoint
from accounts.webhooks.outgoing_events import publish
from genvid.tests.asserts import data_of, nothing_changes, queries_once_warm, refusal_of, wrong_fields_of
from genvid.tests.factories import make_endpoint, make_key, make_teammate
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db
ENDPOINTS = "/api/v1/webhook-endpoints"
URL = "https://93.184.216.34/hook"
PAYLOAD = {"url": URL, "events": ["video.completed", "video.failed"]}
NOWHERE = "00000000-0000-4000-8000-000000000000"


def path_of(endpoint, action: str = "") -> str:
    return f"{ENDPOINTS}/{endpoint.pk}" + (f"/{action}" if action else "")


# ── Create, read, update, delete


def test_new_endpoint_shows_its_secret_once(owner):
    made = data_of(owner.client.post(ENDPOINTS, PAYLOAD), 201)
    assert made.pop("secret").startswith("whsec_")
    assert data_of(owner.client.get(ENDPOINTS)) == [made]
    assert data_of(owner.client.get(f"{ENDPOINTS}/{made['id']}")) == made


def test_new_endpoint_is_shown_with_its_fields(owner):
    made = data_of(owner.client.post(ENDPOINTS, PAYLOAD | {"description": "CRM"}), 201)
    assert {name: made[name] for name in (*PAYLOAD, "description", "enabled")} == {
        **PAYLOAD,
        "description": "CRM",
        "enabled": True,
    }
    nulls = ("disabled_reason", "disabled_at", "failing_since", "old_secret_valid_until")
    assert [made[name] for name in nulls] == [None] * 4


def test_endpoint_secret_is_encrypted_at_rest(owner):
    secret = data_of(owner.client.post(ENDPOINTS, PAYLOAD, HTTP_IDEMPOTENCY_KEY="once"), 201)["secret"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT secret FROM accounts_webhookendpoint UNION SELECT answer FROM accounts_idempotencyrecord"
        )
        stored = [row[0] for row in cursor.fetchall()]
    assert len(stored) == 2
    assert not any(secret in text for text in stored)


def test_repeated_idempotency_key_makes_one_endpoint(owner):
    first, again = (data_of(owner.client.post(ENDPOINTS, PAYLOAD, HTTP_IDEMPOTENCY_KEY="once"), 201) for _ in range(2))
    assert (first, WebhookEndpoint.objects.count()) == (again, 1)


@pytest.mark.parametrize(
    "change", [{"url": "https://93.184.216.34/other"}, {"events": ["*"]}, {"description": "x"}, {"enabled": False}, {}]
)
def test_each_endpoint_field_can_be_changed_alone(owner, change):
    before = data_of(owner.client.post(ENDPOINTS, PAYLOAD), 201)
    after = data_of(owner.client.patch(f"{ENDPOINTS}/{before['id']}", change))
    del before["secret"]
    assert after == before | change | {"updated_at": after["updated_at"]}


def test_deleted_endpoint_is_hidden_and_gets_no_events(owner):
    endpoint = make_endpoint(owner)
    assert owner.client.delete(path_of(endpoint)).status_code == 204
    publish(owner.account.pk, "video.queued", {}, object_id="1")
    assert data_of(owner.client.get(ENDPOINTS)) == []
    assert refusal_of(owner.client.get(path_of(endpoint))) == (404, "not_found")
    assert Delivery.objects.count() == 0


def test_enabling_an_endpoint_again_resets_its_failures(owner):
    now = timezone.now()
    bad = {"health": "poor", "failures": 9, "failing_since": now, "paused_until": now}
    off = {"enabled": False, "disabled_reason": "gone", "disabled_at": now, "told_at": now}
    endpoint = make_endpoint(owner, **bad, **off)
    shown = data_of(owner.client.patch(path_of(endpoint), {"enabled": True}))
    assert shown["enabled"] is True
    assert [shown[name] for name in ("disabled_reason", "disabled_at", "failing_since")] == [None] * 3
    endpoint.refresh_from_db()
    assert (endpoint.health, endpoint.failures, endpoint.paused_until, endpoint.told_at) == ("new", 0, None, None)


# ── Validation


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": ""}, "url"),
        ({"url": 1}, "url"),
        ({"url": "ftp://93.184.216.34/"}, "url"),
        ({"url": "https://user:pass@93.184.216.34/"}, "url"),
        ({"url": "https://93.184.216.34/#part"}, "url"),
        ({"url": "https:///hook"}, "url"),
        ({"url": "https://93.184.216.34:22/"}, "url"),
        ({"url": "https://93.184.216.34/a b"}, "url"),
        ({"url": "https://93.184.216.34/" + "a" * 2048}, "url"),
        ({"events": []}, "events"),
        ({"events": "*"}, "events"),
        ({"events": ["video.eaten"]}, "events.0"),
        ({"events": [1]}, "events.0"),
        ({"events": ["*", "video.queued"]}, "events"),
        ({"description": "a" * 256}, "description"),
        ({"description": None}, "description"),
        ({"enabled": "yes"}, "enabled"),
        ({"enabled": 1}, "enabled"),
        ({"secret": "whsec_mine"}, "secret"),
    ],
)
@pytest.mark.parametrize("method", ["post", "patch"])
def test_invalid_endpoint_fields_are_refused_and_change_nothing(owner, method, change, field):
    target = ENDPOINTS if method == "post" else path_of(make_endpoint(owner))
    body = PAYLOAD | change if method == "post" else change
    with nothing_changes():
        assert wrong_fields_of(getattr(owner.client, method)(target, body)) == [field]


PRIVATE = [
    "http://93.184.216.34/",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://0x7f.1/",
    "https://127.1/",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fd00::1]/",
    "https://[fe80::1%25eth0]/",
    "https://metadata.internal/",
    "https://93.184.216.34\\@127.0.0.1/",
]


@pytest.mark.parametrize("url", PRIVATE)
@pytest.mark.parametrize("method", ["post", "patch"])
def test_in_production_only_public_https_urls_are_accepted(owner, settings, method, url):
    settings.ALLOW_PRIVATE_WEBHOOK_URLS = False
    target = ENDPOINTS if method == "post" else path_of(make_endpoint(owner))
    with nothing_changes():
        assert wrong_fields_of(getattr(owner.client, method)(target, {"url": url, "events": ["*"]})) == ["url"]


def test_in_production_a_public_url_is_accepted(owner, settings):
    settings.ALLOW_PRIVATE_WEBHOOK_URLS = False
    assert data_of(owner.client.post(ENDPOINTS, PAYLOAD), 201)["url"] == URL


def test_in_development_loopback_urls_are_accepted(owner):
    assert data_of(owner.client.post(ENDPOINTS, PAYLOAD | {"url": "http://127.0.0.1:8080/hook"}), 201)


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "[::]", "2130706433"])
def test_in_development_unusable_addresses_are_refused(owner, host):
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(ENDPOINTS, PAYLOAD | {"url": f"http://{host}/"})) == ["url"]


def test_the_twenty_first_endpoint_is_refused(owner):
    for _ in range(20):
        make_endpoint(owner)
    with nothing_changes():
        assert refusal_of(owner.client.post(ENDPOINTS, PAYLOAD)) == (409, "conflict")


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_cannot_exceed_the_endpoint_limit(owner):
    for _ in range(19):
        make_endpoint(owner)
    in_parallel([lambda: owner.client.post(ENDPOINTS, PAYLOAD) for _ in range(4)])
    assert WebhookEndpoint.objects.count() == 20


# ── Secrets


def test_secret_rotation_shows_the_new_secret_and_the_end_of_the_old_one(owner):
    endpoint = make_endpoint(owner)
    asked = timezone.now()
    shown = data_of(owner.client.post(path_of(endpoint, "rotate-secret")))
    rotated = WebhookEndpoint.objects.get()
    assert shown["secret"] == rotated.secret != endpoint.secret
    until = datetime.fromisoformat(shown["old_secret_valid_until"])
    assert asked <= until - timedelta(hours=24) <= timezone.now()


def test_both_secrets_sign_for_a_day_after_a_secret_rotation(owner):
    endpoint = make_endpoint(owner)
    owner.client.post(path_of(endpoint, "rotate-secret"))
    rotated = WebhookEndpoint.objects.get()
    until = rotated.old_secret_until
    assert rotated.secrets(until - timedelta(seconds=1)) == [rotated.secret, endpoint.secret]
    assert rotated.secrets(until) == [rotated.secret]


def test_repeated_idempotency_key_rotates_the_secret_once(owner):
    path = path_of(make_endpoint(owner), "rotate-secret")
    first, again = (data_of(owner.client.post(path, HTTP_IDEMPOTENCY_KEY="once")) for _ in range(2))
    assert first == again


# ── Pings and retries


def test_test_request_sends_a_ping_whatever_the_event_types(owner):
    endpoint = make_endpoint(owner, "video.completed")
    shown = data_of(owner.client.post(path_of(endpoint, "test")), 202)
    delivery = Delivery.objects.get()
    assert (shown["id"], shown["event_type"], shown["status"]) == (str(delivery.pk), "ping", "pending")
    assert (shown["attempts"], shown["object_id"], shown["sequence"]) == ([], str(endpoint.pk), 1)


def test_repeated_idempotency_key_sends_one_ping(owner):
    path = path_of(make_endpoint(owner), "test")
    first, again = (data_of(owner.client.post(path, HTTP_IDEMPOTENCY_KEY="once"), 202) for _ in range(2))
    assert (first, Delivery.objects.count()) == (again, 1)


def test_ping_to_a_disabled_endpoint_is_refused(owner):
    endpoint = make_endpoint(owner, enabled=False)
    with nothing_changes():
        assert refusal_of(owner.client.post(path_of(endpoint, "test"))) == (409, "invalid_state")


def test_retry_makes_a_delivery_due_at_once(owner):
    endpoint = make_endpoint(owner)
    data_of(owner.client.post(path_of(endpoint, "test")), 202)
    Delivery.objects.update(status="failed", attempts_made=15)
    delivery = Delivery.objects.get()
    shown = data_of(owner.client.post(f"/api/v1/webhook-deliveries/{delivery.pk}/retry"), 202)
    delivery.refresh_from_db()
    assert (shown["status"], delivery.status, delivery.urgent) == ("pending", "pending", True)


def test_retry_to_a_disabled_endpoint_is_refused(owner):
    make_endpoint(owner)
    publish(owner.account.pk, "video.queued", {}, object_id="1")
    WebhookEndpoint.objects.update(enabled=False)
    path = f"/api/v1/webhook-deliveries/{Delivery.objects.get().pk}/retry"
    with nothing_changes():
        assert refusal_of(owner.client.post(path)) == (409, "invalid_state")


# ── Permissions

CALLS = [
    ("get", ENDPOINTS, {}, 200),
    ("get", ENDPOINTS + "/{endpoint}", {}, 200),
    ("get", ENDPOINTS + "/{endpoint}/deliveries", {}, 200),
    ("post", ENDPOINTS, PAYLOAD, 201),
    ("patch", ENDPOINTS + "/{endpoint}", {"description": "x"}, 200),
    ("delete", ENDPOINTS + "/{endpoint}", {}, 204),
    ("post", ENDPOINTS + "/{endpoint}/rotate-secret", None, 200),
    ("post", ENDPOINTS + "/{endpoint}/test", None, 202),
    ("post", "/api/v1/webhook-deliveries/{delivery}/retry", None, 202),
]
WRITES = [call for call in CALLS if call[0] != "get"]
MINE = [call for call in CALLS if "{" in call[1]]


@pytest.fixture
def paths(owner):
    """Paths of an endpoint of the owner and of a delivery to it."""
    endpoint = make_endpoint(owner)
    publish(owner.account.pk, "video.queued", {}, object_id="1")
    return {"endpoint": endpoint.pk, "delivery": Delivery.objects.get().pk}


@pytest.mark.parametrize(("method", "path", "body", "status"), CALLS)
@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_owners_and_admins_may_manage_endpoints(owner, paths, role, method, path, body, status):
    person = owner if role == Role.OWNER else make_teammate(owner, role)
    assert getattr(person.client, method)(path.format(**paths), body).status_code == status


@pytest.mark.parametrize(("method", "path", "body", "status"), CALLS)
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_members_and_viewers_may_only_read_endpoints(owner, paths, role, method, path, body, status):
    person = make_teammate(owner, role)
    with nothing_changes():
        response = getattr(person.client, method)(path.format(**paths), body)
    if method == "get":
        assert response.status_code == 200
    else:
        assert refusal_of(response) == (403, "permission_denied")


@pytest.mark.parametrize(("method", "path", "body", "status"), MINE)
def test_endpoints_of_another_account_are_not_found(paths, outsider, method, path, body, status):
    with nothing_changes():
        assert refusal_of(getattr(outsider.client, method)(path.format(**paths), body)) == (404, "not_found")


@pytest.mark.parametrize(("method", "path", "body", "status"), CALLS)
def test_anonymous_requests_to_endpoints_are_refused(paths, anonymous, method, path, body, status):
    with nothing_changes():
        response = getattr(anonymous, method)(path.format(**paths), body)
    assert refusal_of(response) == (401, "not_authenticated")


@pytest.mark.parametrize(("method", "path", "body", "status"), WRITES)
def test_api_key_needs_the_webhooks_scope(owner, paths, method, path, body, status):
    reader, writer = make_key(owner, "webhooks:read"), make_key(owner, "webhooks:write")
    assert refusal_of(getattr(reader.client, method)(path.format(**paths), body)) == (403, "permission_denied")
    assert getattr(writer.client, method)(path.format(**paths), body).status_code == status


# ── Lists


def test_endpoint_list_query_count_does_not_depend_on_the_number_of_endpoints(owner):
    make_endpoint(owner)
    one = queries_once_warm(lambda: owner.client.get(ENDPOINTS))
    make_endpoint(owner)
    make_endpoint(owner)
    assert queries_once_warm(lambda: owner.client.get(ENDPOINTS)) == one


def test_delivery_list_is_newest_first_with_a_constant_query_count(owner):
    path = path_of(make_endpoint(owner), "deliveries")
    publish(owner.account.pk, "video.queued", {}, object_id="1")
    one = queries_once_warm(lambda: owner.client.get(path))
    for event_type in ("video.processing", "video.completed"):
        publish(owner.account.pk, event_type, {}, object_id="1")
    assert queries_once_warm(lambda: owner.client.get(path)) == one
    shown = [(each["event_type"], each["sequence"]) for each in data_of(owner.client.get(path))]
    assert shown == [("video.completed", 3), ("video.processing", 2), ("video.queued", 1)]


def test_delivery_list_is_paginated(owner):
    path = path_of(make_endpoint(owner), "deliveries")
    for number in range(3):
        publish(owner.account.pk, "video.queued", {}, object_id=str(number))
    first = owner.client.get(path, {"limit": 2}).json()
    second = owner.client.get(path, {"limit": 2, "cursor": first["meta"]["next_cursor"]})
    ids = [each["object_id"] for each in first["data"] + data_of(second)]
    assert ids == ["2", "1", "0"]


def test_unknown_endpoint_id_is_not_found(owner):
    assert refusal_of(owner.client.get(f"{ENDPOINTS}/{NOWHERE}/deliveries")) == (404, "not_found")
    assert refusal_of(owner.client.post(f"/api/v1/webhook-deliveries/{NOWHERE}/retry")) == (404, "not_found")
    assert IdempotencyRecord.objects.count() == 0

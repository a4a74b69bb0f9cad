"""API keys: creation, scopes, allowed addresses, expiry, credit limits, revocation."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.utils import timezone

from accounts.api_keys import api_keys
from accounts.enums import Role, Scope
from accounts.models import ApiKey, IdempotencyRecord, Membership, User
from billing import credits
from genvid.errors import KeyLimitReached, ValidationFailed
from genvid.tests.asserts import data_of, nothing_changes, refusal_of, the_ledger_proves, wrong_fields_of
from genvid.tests.factories import JsonClient, make_avatar, make_key, make_teammate, set_balance
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db
KEYS = "/api/v1/api-keys"
VIDEOS = "/api/v1/videos"
PAYLOAD = {"name": "CI", "scopes": ["videos:read"]}


def client_with_key(text: str, **options) -> JsonClient:
    client = JsonClient(**options)
    client.credentials(HTTP_X_API_KEY=text)
    return client


# ── Creation


def test_new_key_is_shown_once_and_works(owner):
    made = data_of(owner.client.post(KEYS, PAYLOAD), 201)
    assert data_of(client_with_key(made["key"]).get(VIDEOS)) == []
    (listed,) = data_of(owner.client.get(KEYS))
    assert listed == {name: value for name, value in made.items() if name != "key"} | {
        "last_used_at": listed["last_used_at"]
    }
    assert listed["last_used_at"] is not None


def test_key_is_shown_with_scopes_and_limits(owner):
    payload = PAYLOAD | {"monthly_credit_limit": 100, "allowed_addresses": ["203.0.113.0/24"]}
    made = data_of(owner.client.post(KEYS, payload), 201)
    assert made["key"].startswith(made["prefix"] + "_")
    assert {name: made[name] for name in payload} == payload
    assert (made["credits_used_this_month"], made["expires_at"], made["created_by"]) == (0, None, str(owner.user.pk))


def test_credit_limit_accepts_a_whole_number_with_a_decimal_point(owner):
    made = data_of(owner.client.post(KEYS, PAYLOAD | {"monthly_credit_limit": 5.0}), 201)
    assert repr(made["monthly_credit_limit"]) == "5"


def test_key_secret_is_not_stored(owner):
    made = data_of(owner.client.post(KEYS, PAYLOAD, HTTP_IDEMPOTENCY_KEY="once"), 201)
    # Split by length: the secret may contain "_".
    secret = made["key"][-43:]
    row = ApiKey.objects.values().get()
    raw = IdempotencyRecord.objects.extra(select={"stored": "answer"}).values_list("stored", flat=True).get()
    assert secret not in str(row)
    assert secret not in raw


def test_repeated_idempotency_key_returns_one_key(owner):
    first, again = (data_of(owner.client.post(KEYS, PAYLOAD, HTTP_IDEMPOTENCY_KEY="once"), 201) for _ in range(2))
    assert (first, ApiKey.objects.count()) == (again, 1)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": 1}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["videos:delete"]}, "scopes.0"),
        ({"scopes": ["keys:manage"]}, "scopes.0"),
        ({"scopes": "videos:read"}, "scopes"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": 1}, "expires_at"),
        ({"monthly_credit_limit": 0}, "monthly_credit_limit"),
        ({"monthly_credit_limit": "5"}, "monthly_credit_limit"),
        ({"monthly_credit_limit": 5.5}, "monthly_credit_limit"),
        ({"monthly_credit_limit": True}, "monthly_credit_limit"),
        ({"allowed_addresses": ["everywhere"]}, "allowed_addresses.0"),
        ({"digest": "0"}, "digest"),
    ],
)
def test_invalid_key_field_is_named(owner, change, field):
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(KEYS, PAYLOAD | change)) == [field]


def test_key_cannot_get_scopes_that_its_creator_lacks(owner):
    by_key = replace(owner.caller, key_scopes=frozenset({Scope.VIDEOS_READ}))
    with nothing_changes(), pytest.raises(ValidationFailed):
        api_keys.create_api_key(by_key, name="More", scopes=[Scope.VIDEOS_READ, Scope.VIDEOS_WRITE])


def test_number_of_keys_is_limited(owner, monkeypatch):
    monkeypatch.setattr("accounts.api_keys.api_keys.MAX_KEYS", 1)
    make_key(owner)
    with nothing_changes():
        assert refusal_of(owner.client.post(KEYS, PAYLOAD)) == (409, "conflict")


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_only_owners_and_admins_see_and_create_keys(owner, role):
    person, key = make_teammate(owner, role), make_key(owner).key
    with nothing_changes():
        assert refusal_of(person.client.get(KEYS)) == (403, "permission_denied")
        assert refusal_of(person.client.post(KEYS, PAYLOAD)) == (403, "permission_denied")
        assert refusal_of(person.client.delete(f"{KEYS}/{key.pk}")) == (403, "permission_denied")


def test_key_cannot_create_keys(owner):
    program = make_key(owner)
    with nothing_changes(but=ApiKey):
        assert refusal_of(program.client.post(KEYS, PAYLOAD)) == (403, "permission_denied")


# ── Authentication


@pytest.mark.parametrize("text", ["", "gv_live_", "gv_live_0123456789ab_" + "A" * 43, "nonsense", "é", "gv_live_x_y"])
def test_malformed_key_is_refused(owner, text):
    assert refusal_of(client_with_key(text).get(VIDEOS)) == (401, "not_authenticated")


def test_wrong_secret_with_a_known_prefix_is_refused(owner):
    text = make_key(owner).text
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    assert refusal_of(client_with_key(wrong).get(VIDEOS)) == (401, "not_authenticated")


def test_request_without_the_scope_is_refused(owner):
    program = make_key(owner, "billing:read")
    with nothing_changes(but=ApiKey):
        assert data_of(program.client.get("/api/v1/billing/wallet"))["balance"] == 30
        assert refusal_of(program.client.get(VIDEOS)) == (403, "permission_denied")
        assert refusal_of(program.client.get("/api/v1/profile")) == (403, "permission_denied")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (VIDEOS, "This API key does not have the scope videos:read."),
        ("/api/v1/profile", "This is for people who have signed in, not for API keys."),
    ],
)
def test_refusal_names_the_missing_scope(owner, path, said):
    assert make_key(owner, "billing:read").client.get(path).json()["error"]["message"] == said


def test_read_scope_does_not_allow_writing(owner, avatar):
    program = make_key(owner, "videos:read")
    with nothing_changes(but=ApiKey):
        answer = program.client.post(VIDEOS, {"script": "Hello.", "avatar_id": str(avatar.pk)})
        assert refusal_of(answer) == (403, "permission_denied")


def test_key_loses_scopes_with_its_creators_role(owner):
    admin = make_teammate(owner, Role.ADMIN)
    program = make_key(admin, "videos:write", "videos:read")
    Membership.objects.filter(user=admin.user).update(role=Role.VIEWER)
    assert data_of(program.client.get(VIDEOS)) == []
    assert refusal_of(program.client.post(VIDEOS, {})) == (403, "permission_denied")


def test_key_is_refused_after_its_creators_membership_ends(owner):
    admin = make_teammate(owner, Role.ADMIN)
    program = make_key(admin)
    Membership.objects.filter(user=admin.user).delete()
    assert refusal_of(program.client.get(VIDEOS)) == (401, "not_authenticated")


def test_key_is_refused_after_its_creators_deactivation(owner):
    program = make_key(owner)
    User.objects.filter(pk=owner.user.pk).update(is_active=False)
    assert refusal_of(program.client.get(VIDEOS)) == (401, "not_authenticated")


def test_key_is_refused_after_its_expiry(owner):
    program = make_key(owner, expires_at=timezone.now() + timedelta(hours=1))
    assert data_of(program.client.get(VIDEOS)) == []
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        assert refusal_of(program.client.get(VIDEOS)) == (401, "not_authenticated")


def test_revoked_key_is_refused_at_once(owner):
    program = make_key(owner)
    assert owner.client.delete(f"{KEYS}/{program.key.pk}").status_code == 204
    assert refusal_of(program.client.get(VIDEOS)) == (401, "not_authenticated")
    assert data_of(owner.client.get(KEYS)) == []
    assert refusal_of(owner.client.delete(f"{KEYS}/{program.key.pk}")) == (404, "not_found")


def test_key_of_another_account_is_not_found(owner, outsider):
    key = make_key(owner).key
    with nothing_changes():
        assert data_of(outsider.client.get(KEYS)) == []
        assert refusal_of(outsider.client.delete(f"{KEYS}/{key.pk}")) == (404, "not_found")


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        *[("203.0.113.9", True), ("192.0.2.7", True), ("198.51.100.1", False), ("::ffff:203.0.113.9", True)],
        # Behind a Unix socket the address of a request is unknown.
        ("", False),
    ],
)
def test_key_works_only_from_its_allowed_addresses(owner, address, allowed):
    text = make_key(owner, allowed_addresses=["203.0.113.0/24", "192.0.2.7"]).text
    answer = client_with_key(text, REMOTE_ADDR=address).get(VIDEOS)
    assert answer.status_code == (200 if allowed else 401)


def test_forwarded_address_is_trusted_only_from_our_proxy(owner, settings):
    text = make_key(owner, allowed_addresses=["203.0.113.9"]).text
    client = client_with_key(text, REMOTE_ADDR="10.0.0.1")
    forged = {"HTTP_X_FORWARDED_FOR": "203.0.113.9, 198.51.100.1"}
    assert client.get(VIDEOS, **forged).status_code == 401
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    assert client.get(VIDEOS, **forged).status_code == 401
    assert client.get(VIDEOS, HTTP_X_FORWARDED_FOR="198.51.100.1, 203.0.113.9").status_code == 200


def test_key_authentication_takes_one_query(owner, django_assert_num_queries):
    program = make_key(owner)
    data_of(program.client.get(VIDEOS))
    with django_assert_num_queries(2):
        data_of(program.client.get(VIDEOS))


# ── Credit limits


def order_video(program, avatar, script: str = "Hello and welcome to our spring sale."):
    return program.client.post(VIDEOS, {"script": script, "avatar_id": str(avatar.pk)})


def used_credits(owner) -> int:
    (key,) = data_of(owner.client.get(KEYS))
    return key["credits_used_this_month"]


def test_held_credits_of_a_video_count_on_its_key(owner, avatar):
    program = make_key(owner, monthly_credit_limit=1000)
    held = data_of(order_video(program, avatar), 201)["credits"]["held"]
    assert used_credits(owner) == held > 0


def test_video_beyond_the_key_limit_is_refused(owner, avatar):
    program = make_key(owner, monthly_credit_limit=1)
    with nothing_changes(but=ApiKey):
        assert refusal_of(order_video(program, avatar)) == (402, "key_limit_reached")
    assert used_credits(owner) == 0


def test_credit_limit_applies_to_its_key_only(owner, avatar):
    make_key(owner, monthly_credit_limit=1)
    assert data_of(order_video(owner, avatar), 201)["status"] == "queued"


def test_released_credits_no_longer_count_on_the_key(owner, avatar):
    program = make_key(owner, monthly_credit_limit=1000)
    video = data_of(order_video(program, avatar), 201)
    data_of(program.client.post(f"{VIDEOS}/{video['id']}/cancel"))
    assert used_credits(owner) == 0


def test_charge_below_its_hold_counts_as_the_charge(owner):
    program = make_key(owner, monthly_credit_limit=1000)
    credits.hold(owner.account.pk, 10, reference="video:1", key_id=program.key.pk)
    credits.capture("video:1", 4)
    assert used_credits(owner) == 4


def test_key_limit_starts_again_each_month(owner):
    program = make_key(owner, monthly_credit_limit=10)
    with time_machine.travel("2026-11-30T23:59:00Z", tick=False):
        credits.hold(owner.account.pk, 10, reference="video:1", key_id=program.key.pk)
    with time_machine.travel("2026-12-01T00:00:01Z", tick=False):
        credits.hold(owner.account.pk, 9, reference="video:2", key_id=program.key.pk)
        credits.release("video:1")
        program.key.refresh_from_db()
        assert program.key.credits_used == 9


@pytest.mark.django_db(transaction=True)
def test_parallel_videos_cannot_exceed_the_key_limit(owner):
    set_balance(owner, 1000)
    program = make_key(owner, monthly_credit_limit=3)

    def take(number: int) -> bool:
        try:
            credits.hold(owner.account.pk, 1, reference=f"video:{number}", key_id=program.key.pk)
        except KeyLimitReached:
            return False
        return True

    assert sum(in_parallel([partial(take, number) for number in range(8)])) == 3
    program.key.refresh_from_db()
    assert (program.key.credits_used, owner.wallet.held, the_ledger_proves()) == (3, 3, True)


def test_videos_of_a_key_belong_to_its_creator(owner, avatar):
    program = make_key(owner, "videos:write", "videos:read")
    video = data_of(order_video(program, make_avatar()), 201)
    assert data_of(owner.client.get(f"{VIDEOS}/{video['id']}"))["id"] == video["id"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_key_is_accepted_as_bearer_token(owner, scheme):
    program = make_key(owner)
    client = JsonClient()
    client.credentials(HTTP_AUTHORIZATION=f"{scheme} {program.text}")
    assert data_of(client.get("/api/v1/videos")) == []


def test_key_as_bearer_token_is_limited_to_its_scopes(owner):
    client = JsonClient(make_key(owner, "videos:read").text)
    with nothing_changes(but=ApiKey):
        assert refusal_of(client.post("/api/v1/videos", {})) == (403, "permission_denied")


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda text: f"{text}x", lambda text: "gv_live_"])
def test_malformed_key_as_bearer_token_is_refused(owner, change):
    client = JsonClient(change(make_key(owner).text))
    response = client.get("/api/v1/videos")
    assert (refusal_of(response), response["WWW-Authenticate"]) == ((401, "not_authenticated"), 'Bearer realm="api"')


def test_revoked_key_as_bearer_token_is_refused(owner):
    program = make_key(owner)
    ApiKey.objects.filter(pk=program.key.pk).update(revoked_at=timezone.now())
    assert refusal_of(JsonClient(program.text).get("/api/v1/videos")) == (401, "not_authenticated")


def test_key_as_bearer_token_from_another_address_is_refused(owner):
    program = make_key(owner, allowed_addresses=["203.0.113.0/24"])
    assert refusal_of(JsonClient(program.text).get("/api/v1/videos")) == (401, "not_authenticated")

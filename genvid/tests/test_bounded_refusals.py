"""A refusal and its stored part stay small, whatever a client sends."""

import json

import pytest

from accounts.models import IdempotencyRecord
from genvid.api.exceptions import error_object
from genvid.api.parsers import MAX_KEYS
from genvid.errors import ValidationFailed
from genvid.tests.asserts import nothing_changes, refusal_of

pytestmark = pytest.mark.django_db
KEYS = "/api/v1/api-keys"
ENDPOINTS = "/api/v1/webhook-endpoints"
MORE = "Some fields are not valid. Only the first 20 of {} are named."
HASTY = {"name": "Automation", "scopes": ["videos:read"]}


def unknown_fields(count: int, length: int = 10) -> dict[str, int]:
    return {f"{number}".ljust(length, "_"): 1 for number in range(count)}


def error_of(response) -> dict:
    assert refusal_of(response) == (400, "validation_error")
    return response.json()["error"]


def test_a_refusal_names_up_to_twenty_fields(owner):
    error = error_of(owner.client.post(KEYS, HASTY | unknown_fields(20)))
    assert (len(error["details"]), error["message"]) == (20, "Some fields are not valid.")


def test_a_refusal_of_more_than_twenty_fields_names_the_first_and_the_number_of_all(owner):
    error = error_of(owner.client.post(KEYS, HASTY | unknown_fields(21)))
    assert list(error["details"]) == list(unknown_fields(20))
    assert error["message"] == MORE.format(21)


def test_fields_that_are_known_are_named_before_unknown_ones(owner):
    error = error_of(owner.client.post(KEYS, unknown_fields(900)))
    assert list(error["details"])[:2] == ["name", "scopes"]


@pytest.mark.parametrize("body", [{"n" * 101: 1}, {"n" * 50_000: 1}])
def test_a_field_name_is_cut_to_a_hundred_characters(owner, body):
    assert error_of(owner.client.post(KEYS, HASTY | body))["details"] == {"n" * 100: "Unknown field."}


@pytest.mark.parametrize("query", ["&".join(f"q{number}=1" for number in range(900)), "q" * 5000 + "=1"])
def test_the_refusal_of_many_query_parameters_is_bounded(owner, query):
    details = error_of(owner.client.get(f"{KEYS}?{query}"))["details"]
    assert len(details) <= 20
    assert max(map(len, details)) <= 100


@pytest.mark.parametrize("path", ["videos", "batches"])
def test_the_refusal_of_many_fields_of_a_form_is_bounded(owner, path):
    response = owner.client.post(f"/api/v1/{path}", unknown_fields(900, 200), format="multipart")
    assert len(response.content) < 8192


def test_a_message_that_repeats_what_was_sent_is_cut():
    message = error_object(ValidationFailed(details={"mode": "m" * 100_000}))["details"]["mode"]
    assert (len(message), message[-1]) == (500, "…")


def test_the_message_of_unreadable_json_is_cut(owner):
    twice = json.dumps("k" * 100_000)
    response = owner.client.generic("POST", KEYS, f"{{{twice}: 1, {twice}: 1}}", content_type="application/json")
    assert refusal_of(response) == (400, "parse_error")
    assert len(response.json()["error"]["message"]) == 500


@pytest.mark.parametrize("path", ["api-keys", "auth/register", "videos", "batches", "webhook-endpoints"])
@pytest.mark.parametrize("nest", [lambda keys: keys, lambda keys: {"metadata": keys}, lambda keys: {"rows": [keys]}])
def test_an_object_of_more_than_a_thousand_keys_is_not_read(owner, path, nest):
    with nothing_changes():
        response = owner.client.post(f"/api/v1/{path}", nest(unknown_fields(MAX_KEYS + 1)))
    assert refusal_of(response) == (400, "parse_error")
    assert "an object has more than 1,000 keys" in response.json()["error"]["message"]


def test_an_object_of_a_thousand_keys_is_read(owner):
    assert len(error_of(owner.client.post(KEYS, unknown_fields(MAX_KEYS)))["details"]) == 20


@pytest.mark.parametrize(
    ("path", "field"), [(KEYS, "scopes"), (KEYS, "allowed_addresses"), (ENDPOINTS, "events")], ids=lambda each: each
)
def test_a_list_that_is_too_long_is_refused_before_its_items_are_looked_at(owner, path, field):
    with nothing_changes():
        error = error_of(owner.client.post(path, HASTY | {field: ["nonsense"] * 50_000}))
    assert error["details"][field].startswith("Ensure this field has no more than ")


def test_a_large_refusal_is_not_kept_under_an_idempotency_key(owner):
    body = HASTY | unknown_fields(900, 200)
    with nothing_changes():
        first, again = (owner.client.post(KEYS, body, HTTP_IDEMPOTENCY_KEY="large") for _ in range(2))
    assert error_of(first) == error_of(again)
    assert (again.headers.get("Idempotent-Replayed"), IdempotencyRecord.objects.count()) == (None, 0)


def test_after_a_large_refusal_its_key_may_be_used_with_a_right_body(owner):
    owner.client.post(KEYS, HASTY | unknown_fields(900, 200), HTTP_IDEMPOTENCY_KEY="large")
    assert owner.client.post(KEYS, HASTY, HTTP_IDEMPOTENCY_KEY="large").status_code == 201


def test_the_stored_part_of_a_refusal_is_small_whatever_was_sent(owner):
    for number, body in enumerate([HASTY | unknown_fields(900), HASTY | {"mode": "é" * 100_000}, {"\x01" * 900: 1}]):
        owner.client.post(KEYS, body, HTTP_IDEMPOTENCY_KEY=str(number))
    kept = [len(record.answer) for record in IdempotencyRecord.objects.all()]
    assert len(kept) == 3
    assert max(kept) <= 2048

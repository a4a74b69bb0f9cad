"""Real answers fit their schemas."""

import pytest

from genvid.tests.contract import check_against_document
from genvid.tests.factories import grant, make_video

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["profile", "billing/wallet", "billing/ledger", "avatars", "voices", "videos"])
def test_every_answer_to_a_get_fits_its_schema(owner, avatar, path):
    make_video(owner, "completed", avatar=avatar)
    make_video(owner, avatar=avatar)
    grant(owner, 5)
    check_against_document("get", f"/api/v1/{path}", owner.client.get(f"/api/v1/{path}"))


@pytest.mark.parametrize("path", ["avatars", "voices", "videos"])
def test_the_answer_for_one_row_fits_its_schema(owner, avatar, path):
    rows = {"avatars": avatar, "voices": avatar.default_voice, "videos": make_video(owner, "failed", avatar=avatar)}
    response = owner.client.get(f"/api/v1/{path}/{rows[path].pk}")
    check_against_document("get", f"/api/v1/{path}/{{id}}", response)


def test_the_answers_of_signing_in_fit_their_schemas(owner):
    body = {"email": owner.user.email, "password": owner.password}
    check_against_document("post", "/api/v1/auth/login", owner.client.post("/api/v1/auth/login", body))


def test_the_answer_to_a_registration_fits_its_schema(anonymous):
    body = {"email": "ada@example.com", "password": "a long enough one"}
    response = anonymous.post("/api/v1/auth/register", body)
    assert response.status_code == 201
    check_against_document("post", "/api/v1/auth/register", response)


@pytest.mark.parametrize("path", ["videos", "videos/quote"])
def test_the_answers_to_orders_and_quotes_fit_their_schemas(owner, avatar, path):
    body = {"script": "Hello.", "avatar_id": str(avatar.pk), "background": {"type": "color", "value": "#112233"}}
    check_against_document("post", f"/api/v1/{path}", owner.client.post(f"/api/v1/{path}", body))


def test_the_answers_about_webhooks_fit_their_schemas(owner):
    path, ids = "/api/v1/webhook-endpoints", "/api/v1/webhook-endpoints/{id}"
    made = owner.client.post(path, {"url": "https://93.184.216.34/", "events": ["*"]})
    check_against_document("post", path, made)
    check_against_document("get", path, owner.client.get(path))
    here = f"{path}/{made.json()['data']['id']}"
    check_against_document("post", f"{ids}/test", owner.client.post(f"{here}/test"))
    check_against_document("get", f"{ids}/deliveries", owner.client.get(f"{here}/deliveries"))


@pytest.mark.parametrize(("method", "path"), [("post", "videos"), ("get", "profile"), ("post", "auth/login")])
def test_an_error_fits_its_schema(anonymous, method, path):
    response = getattr(anonymous, method)(f"/api/v1/{path}", {})
    assert response.status_code in (400, 401)
    check_against_document(method, f"/api/v1/{path}", response)


def test_the_history_of_a_video_fits_its_schema_as_list_and_stream(owner):
    path = "/api/v1/videos/{id}/events"
    here = path.replace("{id}", str(make_video(owner, "completed").pk))
    check_against_document("get", path, owner.client.get(here))
    stream = owner.client.get(here, headers={"accept": "text/event-stream"})
    assert stream["Content-Type"] == "text/event-stream"
    check_against_document("get", path, stream)

import uuid

import pytest

from genvid.tests.factories import JsonClient, make_video

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("given", ["a", "A-b_c.9", "x" * 64, str(uuid.UUID(int=7))])
def test_a_harmless_request_id_of_the_caller_is_used(anonymous, given):
    response = anonymous.get("/healthz", HTTP_X_REQUEST_ID=given)
    assert (response["X-Request-Id"], response.json()["meta"]["request_id"]) == (given, given)


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\nb", "ä", '"', "a/b", "a;b", "a\x00"])
def test_a_harmful_request_id_is_replaced(anonymous, given):
    response = anonymous.get("/healthz", HTTP_X_REQUEST_ID=given)
    assert response["X-Request-Id"] == str(uuid.UUID(response["X-Request-Id"]))


def test_every_request_gets_an_id_of_its_own(anonymous):
    assert anonymous.get("/healthz")["X-Request-Id"] != anonymous.get("/healthz")["X-Request-Id"]


@pytest.mark.parametrize("path", ["/", "/healthz", "/nope", "/api/v1/nope", "/api/v1/profile", "/admin/"])
def test_every_answer_carries_the_request_id(anonymous, path):
    assert anonymous.get(path, HTTP_X_REQUEST_ID="abc")["X-Request-Id"] == "abc"


def test_an_answer_without_a_body_carries_the_request_id(owner):
    token = {"refresh_token": owner.tokens.refresh_token}
    response = owner.client.post("/api/v1/auth/logout", token, HTTP_X_REQUEST_ID="abc")
    assert (response.status_code, response.content, response["X-Request-Id"]) == (204, b"", "abc")


def test_a_500_carries_the_request_id(db, settings):
    settings.ROOT_URLCONF = "genvid.tests.broken_urls"
    response = JsonClient(raise_request_exception=False).get("/broken-page", HTTP_X_REQUEST_ID="abc")
    assert (response.status_code, response["X-Request-Id"]) == (500, "abc")


@pytest.mark.parametrize("given", ["abc", "not harmless", ""])
def test_every_log_line_of_a_request_carries_the_request_id(anonymous, caplog, given):
    caplog.set_level("INFO")
    body = {"email": "ada@example.com", "password": "a long enough one"}
    response = anonymous.post("/api/v1/auth/register", body, HTTP_X_REQUEST_ID=given)
    lines = [(record.msg["event"], record.msg["request_id"]) for record in caplog.records]
    events = ("audit", "account_registered", "request_finished")
    assert lines == [(event, response["X-Request-Id"]) for event in events]


def test_the_log_lines_of_a_caller_name_the_account(owner, caplog):
    caplog.set_level("INFO")
    owner.client.get("/api/v1/profile")
    finished = caplog.records[-1].msg
    assert (finished["account_id"], finished["user_id"]) == (str(owner.account.pk), str(owner.user.pk))


def test_no_password_and_no_token_is_ever_logged(anonymous, caplog):
    caplog.set_level("DEBUG")
    body = {"email": "ada@example.com", "password": "a long enough one"}
    tokens = anonymous.post("/api/v1/auth/register", body).json()["data"]
    JsonClient(tokens["access_token"]).get("/api/v1/profile")
    secrets = [body["password"], tokens["access_token"], tokens["refresh_token"]]
    assert [secret for secret in secrets if secret in caplog.text] == []


def test_the_log_lines_about_a_video_name_it(owner, caplog):
    video = make_video(owner, "draft")
    caplog.set_level("INFO")
    owner.client.get(f"/api/v1/videos/{video.pk}")
    assert caplog.records[-1].msg["video_id"] == str(video.pk)


def test_a_request_has_one_log_line_that_says_how_long_it_took(owner, caplog):
    caplog.set_level("INFO")
    owner.client.get("/api/v1/profile", HTTP_USER_AGENT="a client")
    lines = [record.msg for record in caplog.records]
    assert [(line["event"], line["code"], line["request"]) for line in lines] == [
        ("request_finished", 200, "GET /api/v1/profile")
    ]
    assert (lines[0]["user_agent"], lines[0]["ip"], lines[0]["duration_ms"] > 0) == ("a client", "127.0.0.1", True)

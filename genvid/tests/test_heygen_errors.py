from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import time_machine
from structlog.testing import capture_logs

from genvid.heygen import heygen_errors
from genvid.heygen.failures import failure_of_error, failure_of_video
from genvid.heygen.heygen_client import HeyGenClient
from genvid.heygen.heygen_errors import Busy, InProgress, NotReady, OperatorProblem, Refused, Unknown
from genvid.tests.heygen_gateway import CREATED, client_of, create, create_against
from genvid.tests.scripted import ScriptedServer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer) -> HeyGenClient:
    return client_of(server)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "unauthorized", OperatorProblem),
        (402, "insufficient_credit", OperatorProblem),
        (429, "quota_exceeded", OperatorProblem),
        (429, "rate_limit_exceeded", Busy),
        (400, "invalid_parameter", Refused),
        (400, "CONTENT_POLICY_VIOLATION", Refused),
        (400, "avatar_consent_required", Refused),
        (403, "voice_not_usable", Refused),
        (409, "request_in_progress", InProgress),
        (409, "resource_not_ready", NotReady),
        (500, "internal_error", Unknown),
        (504, "gateway_timeout", Unknown),
        (200, "insufficient_credit", OperatorProblem),
    ],
)
def test_a_known_code_decides_the_kind_of_error(server, status, code, kind):
    error = create_against(server, status, code)
    assert (type(error), error.code, error.status, error.message) == (kind, code.lower(), status, "text")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, OperatorProblem),
        (402, OperatorProblem),
        (403, OperatorProblem),
        (404, Unknown),
        (408, Unknown),
        (413, Refused),
        (422, Refused),
        (425, Unknown),
        (429, Busy),
        (500, Unknown),
        (502, Unknown),
        (599, Unknown),
        (200, Unknown),
    ],
)
def test_a_gateway_page_is_judged_by_its_status(server, status, kind):
    error = create_against(server, status, None)
    assert (type(error), error.status) == (kind, status)


def test_an_unknown_code_raises_an_alarm_and_is_judged_by_its_status(server):
    with capture_logs() as logs:
        error = create_against(server, 400, "brand_new_code")
    assert (type(error), error.code) == (Refused, "brand_new_code")
    assert [(line["code"], line["status"]) for line in logs if line["event"] == "heygen_unknown_code"] == [
        ("brand_new_code", 400)
    ]


@pytest.mark.parametrize("kind", sorted(set(heygen_errors.KINDS.values()), key=lambda kind: kind.__name__))
def test_every_kind_says_whether_a_retry_can_help(kind):
    assert kind("x").retryable is (kind in (Busy, InProgress, NotReady, Unknown))


@pytest.mark.parametrize("header", ["X-Request-Id", "x-amzn-request-id"])
def test_an_error_keeps_the_request_id_and_the_field(server, header):
    body = {"error": {"code": "invalid_parameter", "message": "bad", "param": "voice_id"}}
    server.says(400, body, headers={header: "req-1"})
    with pytest.raises(Refused) as caught:
        create(client_of(server))
    assert (caught.value.request_id, caught.value.param) == ("req-1", "voice_id")


@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("0", 0.0), ("-1", None), ("soon", None), ("9" * 50, None)])
def test_retry_after_in_seconds_is_read(server, value, seconds):
    error = create_against(server, 429, "rate_limit_exceeded", headers={"Retry-After": value})
    assert error.retry_after == seconds


@pytest.mark.parametrize(("ahead", "seconds"), [(90, 90), (-90, 0)])
def test_retry_after_as_a_date_is_read(server, ahead, seconds):
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False):
        when = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
        error = create_against(server, 429, "rate_limit_exceeded", headers={"Retry-After": when})
    assert error.retry_after == seconds


@pytest.mark.parametrize("trouble", [{"hang_up": True}, {"delay": 60}])
def test_an_order_whose_answer_is_lost_is_unknown_and_may_have_arrived(server, trouble):
    server.says(200, CREATED, **trouble)
    with pytest.raises(Unknown) as caught:
        create(client_of(server, write_timeout=3))
    assert (caught.value.sent, caught.value.status) == (True, None)


def test_an_order_that_never_left_us_says_so(server, client):
    server.__exit__()
    with pytest.raises(Unknown) as caught:
        create(client)
    assert caught.value.sent is False


def test_a_redirect_of_heygen_never_gets_our_key(server, client):
    server.says(307, headers={"Location": server.url + "/v3/elsewhere"})
    with pytest.raises(Unknown):
        create(client)
    assert [request.path for request in server.requests] == ["/v3/videos"]


def test_each_call_leaves_one_line_without_secrets(server, client):
    server.says(200, CREATED, headers={"X-Request-Id": "req-9"})
    with capture_logs() as logs:
        create(client)
    line = {name: value for name, value in logs[0].items() if name != "duration_ms"}
    assert line == {
        "event": "heygen_call", "log_level": "info", "operation": "create_video", "status": 200, "code": None,
        "provider_request_id": "req-9",
    }  # fmt: skip
    assert isinstance(logs[0]["duration_ms"], int)


@pytest.mark.parametrize(
    ("raw_code", "raw_message", "code"),
    [
        ("MOVIO_PAYMENT_INSUFFICIENT_CREDIT", "Insufficient credit.", "provider_problem"),
        ("new_code", "You have no API Balance", "provider_problem"),
        ("plan_quota_reached", "", "provider_problem"),
        ("CONTENT_POLICY_VIOLATION", "", "content_refused"),
        ("x", "Failed MODERATION", "content_refused"),
        ("rendering_failed", "Avatar rendering timed out", "render_failed"),
        ("script_too_long", "", "script_too_long"),
        ("download_failed", "", "image_unreachable"),
        ("voice_not_usable", "", "voice_unavailable"),
        ("", "", "render_failed"),
    ],
)
def test_a_failure_is_described_in_our_words(raw_code, raw_message, code):
    failure = failure_of_video(raw_code, raw_message)
    assert (failure.code, failure.raw_code, failure.raw_message) == (code, raw_code, raw_message)
    assert failure.operator_problem is (code == "provider_problem")
    assert raw_message == "" or raw_message not in failure.message


def test_a_failed_video_carries_its_failure(server, client):
    failed = {"id": "v", "status": "failed", "failure_code": "rendering_failed", "failure_message": "timed out"}
    server.says(200, {"data": failed})
    failure = client.get_video("v").failure
    assert (failure.code, failure.retryable, failure.raw_code) == ("render_failed", True, "rendering_failed")


@pytest.mark.django_db
def test_an_unknown_failure_raises_an_alarm():
    with capture_logs() as logs:
        failure_of_video("brand_new", "text")
    assert [line["event"] for line in logs] == ["operator_alarm", "heygen_unknown_failure"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("invalid_parameter", param="voice_id"), "voice_unavailable"),
        (Refused("invalid_parameter", param="background.url"), "background_refused"),
        (Refused("invalid_parameter"), "invalid_request"),
        (Refused("tts_text_invalid"), "script_refused"),
        (Refused("avatar_consent_required"), "avatar_unavailable"),
        (OperatorProblem("forbidden"), "provider_problem"),
    ],
)
def test_a_refusal_is_described_in_our_words(error, code):
    assert failure_of_error(error).code == code

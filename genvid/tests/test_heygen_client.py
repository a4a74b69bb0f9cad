import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from genvid.heygen import errors, transport
from genvid.heygen.client import HeyGenClient, get_client
from genvid.heygen.errors import (
    Busy,
    HeyGenError,
    InProgress,
    LinkExpired,
    NotFound,
    NotReady,
    OperatorProblem,
    Refused,
    Unknown,
)
from genvid.heygen.failures import failure_of_error, failure_of_video
from genvid.heygen.types import (
    Background,
    Look,
    ProviderAccount,
    RemoteVideo,
    RemoteVoice,
    RenderSpec,
    RenderState,
    Submission,
    WebhookEndpoint,
)
from genvid.tests.scripted import Answer, ScriptedServer

SPEC = RenderSpec(avatar_id="look-1", script="Hello.", title="genvid 42")
CREATED = {"data": {"video_id": "vid-1", "status": "waiting", "output_format": "mp4"}}
ANSWER_LIMIT = transport.MAX_ANSWER_BYTES

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = [
    *("id", "video_id", "voice_id", "endpoint_id", "status", "duration", "video_url", "captioned_video_url", "secret"),
    *("failure_code", "failure_message", "error", "created_at", "tags", "supported_api_engines", "name", "wallet"),
    *("subscription", "usage_based", "remaining_balance", "credits"),
]
envelopes = st.fixed_dictionaries(
    {},
    optional={
        "data": json_values
        | st.dictionaries(st.sampled_from(FIELDS), json_values)
        | st.lists(st.dictionaries(st.sampled_from(FIELDS), json_values), max_size=3),
        "error": json_values | st.dictionaries(st.sampled_from(["code", "message", "param"]), json_values),
        "has_more": json_values,
        "next_token": json_values,
    },
)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer) -> HeyGenClient:
    return client_of(server)


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch) -> None:
    monkeypatch.setattr(transport, "GET_RETRY_BASE_SECONDS", 0.001)


def client_of(server: ScriptedServer, **options) -> HeyGenClient:
    options = {"media_hosts": ["127.0.0.1"], "allow_private_media": True, "read_timeout": 5.0} | options
    return HeyGenClient(server.url, "the-key", **options)


def create(client: HeyGenClient, spec: RenderSpec = SPEC) -> Submission:
    return client.create_video(spec, idempotency_key="key-1", callback_id="ours-1")


def create_against(server: ScriptedServer, status: int, code: str | None, **options) -> HeyGenError:
    server.says(status, {"error": {"code": code, "message": "text"}} if code else b"<html>", **options)
    with pytest.raises(HeyGenError) as caught:
        create(client_of(server))
    return caught.value


# Creating


def test_a_plain_order_is_sent_with_nothing_that_was_not_asked_for(server, client):
    server.says(200, CREATED)
    assert create(client) == Submission("vid-1", "waiting")
    assert server.requests[0].json == {
        "type": "avatar", "avatar_id": "look-1", "script": "Hello.", "title": "genvid 42", "aspect_ratio": "16:9",
        "resolution": "1080p", "caption": {"file_format": "srt"}, "callback_id": "ours-1",
    }  # fmt: skip


def test_a_full_order_names_everything(server, client):
    server.says(200, CREATED)
    image = Background("image", "https://example.com/a.png")
    create(
        client,
        RenderSpec(
            "look-1", "Hi", "t", "voice-1", "9:16", "720p", True, image, 1.25, "en-US", "digital_twin", "avatar_v"
        ),
    )
    sent = server.requests[0].json
    assert (sent["voice_id"], sent["engine"]) == ("voice-1", {"type": "avatar_v"})
    assert sent["caption"] == {"file_format": "srt", "style": "default"}
    assert sent["background"] == {"type": "image", "url": "https://example.com/a.png"}
    assert sent["voice_settings"] == {"speed": 1.25, "locale": "en-US"}


def test_a_colour_is_sent_as_value(server, client):
    server.says(200, CREATED)
    create(client, RenderSpec("look-1", "Hi", "t", background=Background("color", "#ff0000")))
    assert server.requests[0].json["background"] == {"type": "color", "value": "#ff0000"}


def test_an_order_carries_our_key_and_its_own(server, client):
    server.says(200, CREATED)
    create(client)
    sent = server.requests[0]
    assert (sent.method, sent.path) == ("POST", "/v3/videos")
    assert (sent.headers["x-api-key"], sent.headers["idempotency-key"]) == ("the-key", "key-1")


@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 256, "a\n"])
def test_a_key_that_heygen_would_not_take_is_never_sent(server, client, key):
    with pytest.raises(ValueError):
        client.create_video(SPEC, idempotency_key=key, callback_id="ours-1")
    assert server.requests == []


def test_without_an_api_key_nothing_is_sent(server):
    with pytest.raises(OperatorProblem) as caught:
        create(HeyGenClient(server.url, ""))
    assert caught.value.code == "no_api_key"
    assert server.requests == []


@pytest.mark.parametrize("code", ["avatar_not_found", "voice_not_found"])
def test_an_order_for_what_is_gone_is_refused(server, code):
    error = create_against(server, 404, code)
    assert (type(error), error.code, error.status) == (Refused, code, 404)


@pytest.mark.parametrize("body", [{"data": {}}, {"data": None}, {"data": []}, {"data": {"video_id": None}}, {}, []])
def test_an_accepted_order_without_an_id_is_unknown(server, client, body):
    server.says(200, body)
    with pytest.raises(Unknown):
        create(client)


def test_an_order_is_never_sent_twice_by_itself(server, client):
    server.says(503)
    server.says(200, CREATED)
    with pytest.raises(Unknown):
        create(client)
    assert len(server.requests) == 1


# Errors


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
def test_a_known_code_decides(server, status, code, kind):
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


def test_an_unknown_code_is_loud_and_judged_by_its_status(server):
    with capture_logs() as logs:
        error = create_against(server, 400, "brand_new_code")
    assert (type(error), error.code) == (Refused, "brand_new_code")
    assert [(line["code"], line["status"]) for line in logs if line["event"] == "heygen_unknown_code"] == [
        ("brand_new_code", 400)
    ]


@pytest.mark.parametrize("kind", set(errors.BY_CODE.values()))
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
def test_retry_after_in_seconds(server, value, seconds):
    error = create_against(server, 429, "rate_limit_exceeded", headers={"Retry-After": value})
    assert error.retry_after == seconds


@pytest.mark.parametrize(("ahead", "least", "most"), [(90, 80, 90), (-90, 0, 0)])
def test_retry_after_as_a_date(server, ahead, least, most):
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
    error = create_against(server, 429, "rate_limit_exceeded", headers={"Retry-After": when})
    assert least <= error.retry_after <= most


@pytest.mark.parametrize("trouble", [{"hang_up": True}, {"delay": 0.5}])
def test_an_order_whose_answer_is_lost_is_unknown_and_may_have_arrived(server, trouble):
    server.says(200, CREATED, **trouble)
    with pytest.raises(Unknown) as caught:
        create(client_of(server, write_timeout=0.2))
    assert (caught.value.sent, caught.value.status) == (True, None)


def test_an_order_that_never_left_us_says_so(server, client):
    server.__exit__()
    with pytest.raises(Unknown) as caught:
        create(client)
    assert caught.value.sent is False


def test_a_redirect_keeps_our_key_at_home(server, client):
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


# Reading


def test_a_finished_video_is_read_in_our_words(server, client):
    video = {
        "id": "vid-1", "status": "completed", "title": "t", "created_at": 1_790_000_000, "duration": 12.5,
        "video_url": "https://f/v.mp4", "captioned_video_url": "https://f/c.mp4", "subtitle_url": "https://f/s.srt",
        "thumbnail_url": "https://f/t.jpg", "gif_url": "https://f/g.gif", "something_new": {"a": 1},
    }  # fmt: skip
    server.says(200, {"data": video, "error": None})
    created = datetime.fromtimestamp(1_790_000_000, UTC)
    assert client.get_video("vid-1") == RemoteVideo(
        "vid-1", RenderState.COMPLETED, "completed", "t", 12.5, "https://f/v.mp4", "https://f/v.mp4",
        "https://f/c.mp4", "https://f/s.srt", "https://f/t.jpg", "https://f/g.gif", None, created,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("links", "file_url"),
    [
        ({"video_url": "https://f/v", "captioned_video_url": "https://f/c"}, "https://f/c"),
        ({"video_url": "https://f/v", "captioned_video_url": None}, "https://f/v"),
        ({"video_url": None}, None),
    ],
)
def test_the_captioned_file_is_taken_where_there_is_one(server, client, links, file_url):
    server.says(200, {"data": {"id": "vid-1", "status": "completed", **links}})
    assert client.get_video("vid-1", captioned=True).file_url == file_url


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("waiting", RenderState.QUEUED),
        ("pending", RenderState.QUEUED),
        ("processing", RenderState.RUNNING),
        ("Completed", RenderState.COMPLETED),
        ("failed", RenderState.FAILED),
        ("reticulating", RenderState.RUNNING),
    ],
)
def test_a_status_is_read_and_an_unknown_one_still_runs(server, client, word, state):
    server.says(200, {"data": {"id": "vid-1", "status": word}})
    video = client.get_video("vid-1")
    assert (video.state, video.raw_status) == (state, word)


@pytest.mark.parametrize("duration", [None, True, -1, "x", [], 1e300, 10**400])
def test_a_doubtful_duration_is_no_duration(server, client, duration):
    server.says(200, {"data": {"id": "vid-1", "status": "completed", "duration": duration}})
    assert client.get_video("vid-1").duration in (None, 1e300)


def test_another_videos_answer_is_not_believed(server, client):
    for _ in range(3):
        server.says(200, {"data": {"id": "vid-2", "status": "completed"}})
    with pytest.raises(Unknown):
        client.get_video("vid-1")


def test_a_video_that_heygen_does_not_know_is_not_found(server, client):
    server.says(404, {"error": {"code": "video_not_found", "message": "Video vid-1 not found"}})
    with pytest.raises(NotFound):
        client.get_video("vid-1")


@pytest.mark.parametrize("body", [b"Not Found", {"message": "no route"}, {"error": {"code": "no_such_route"}}])
def test_a_gateways_404_settles_nothing(server, client, body):
    for _ in range(3):
        server.says(404, body)
    with pytest.raises(Unknown):
        client.get_video("vid-1")


def test_a_read_is_repeated_until_it_succeeds(server, client):
    server.says(502, b"<html>")
    server.says(hang_up=True)
    server.says(200, {"data": {"id": "vid-1", "status": "pending"}})
    assert client.get_video("vid-1").state is RenderState.QUEUED
    assert len(server.requests) == 3


def test_a_read_is_repeated_twice_at_most(server, client):
    for _ in range(4):
        server.says(500, {"error": {"code": "internal_error"}})
    with pytest.raises(Unknown):
        client.get_video("vid-1")
    assert len(server.requests) == 3


def test_a_read_that_cost_too_much_is_not_repeated(server, monkeypatch):
    monkeypatch.setattr(transport, "GET_RETRY_BUDGET_SECONDS", 0.1)
    server.says(delay=0.4)
    started = time.monotonic()
    with pytest.raises(Unknown):
        client_of(server, read_timeout=0.2).get_video("vid-1")
    assert len(server.requests) == 1
    assert time.monotonic() - started < 0.4


@pytest.mark.parametrize(("video_id", "path"), [("a/b", "/v3/videos/a%2Fb"), ("a?b#c", "/v3/videos/a%3Fb%23c")])
def test_an_id_cannot_leave_its_place_in_the_path(server, client, video_id, path):
    server.says(200, {"data": {"status": "pending"}})
    client.get_video(video_id)
    assert server.requests[0].path == path


@pytest.mark.parametrize("video_id", ["", ".", ".."])
def test_what_is_no_id_is_never_asked_for(server, client, video_id):
    with pytest.raises(ValueError):
        client.get_video(video_id)
    assert server.requests == []


def test_many_statuses_come_in_one_call(server, client):
    rows = [{"video_id": "a", "status": "completed"}, {"video_id": "b", "status": "not_found"}]
    strangers = [{"video_id": "z", "status": "failed"}, {"video_id": "c"}, "junk"]
    server.says(200, {"data": rows + strangers})
    assert client.get_statuses(["a", "b", "c"]) == {"a": RenderState.COMPLETED, "b": RenderState.NOT_FOUND}
    assert server.requests[0].query == {"video_ids": "a,b,c"}


def test_no_ids_are_no_call_and_too_many_are_a_mistake(server, client):
    assert client.get_statuses([]) == {}
    with pytest.raises(ValueError):
        client.get_statuses([str(number) for number in range(101)])
    assert server.requests == []


def test_videos_are_found_by_title_over_all_pages(server, client):
    server.says(200, {"data": [{"id": "a", "status": "pending"}], "has_more": True, "next_token": "t2"})
    server.says(200, {"data": [{"id": "b", "status": "failed"}], "has_more": False, "next_token": None})
    assert [video.id for video in client.find_videos("genvid 42")] == ["a", "b"]
    assert [request.query for request in server.requests] == [
        {"title": "genvid 42", "limit": "100"},
        {"title": "genvid 42", "limit": "100", "token": "t2"},
    ]


@pytest.mark.parametrize("token", ["t1", "", None])
def test_a_list_that_breaks_off_or_goes_in_circles_is_not_taken_for_whole(server, client, token):
    for _ in range(3):
        server.says(200, {"data": [{"id": "a"}], "has_more": True, "next_token": token})
    with pytest.raises(Unknown) as caught:
        list(client.iter_looks())
    assert caught.value.code == "pagination_loop"


def test_a_token_alone_means_more(server, client):
    server.says(200, {"data": [{"id": "a"}], "next_token": "t2"})
    server.says(200, {"data": [{"id": "b"}]})
    assert [look.id for look in client.iter_looks()] == ["a", "b"]


def test_a_look_is_read_in_our_words(server, client):
    look = {
        "id": "look-1", "name": "Ada", "avatar_type": "digital_twin", "group_id": "g", "gender": "female",
        "default_voice_id": "v", "preferred_orientation": "portrait", "preview_image_url": "https://f/i.jpg",
        "preview_video_url": None, "supported_api_engines": ["avatar_v", 3], "tags": None, "status": "processing",
    }  # fmt: skip
    server.says(200, {"data": [look]})
    assert list(client.iter_looks()) == [
        Look("look-1", "Ada", "digital_twin", "female", "v", "https://f/i.jpg", None, ("avatar_v",), "portrait",
             (), False, False, "g")
    ]  # fmt: skip


def test_public_and_private_voices_are_both_listed(server, client):
    public = {"voice_id": "a", "name": "A", "language": "English", "gender": "male", "support_pause": True}
    server.says(200, {"data": [public]})
    server.says(200, {"data": [{"voice_id": "b", "name": "B", "type": "private"}]})
    assert list(client.iter_voices()) == [
        RemoteVoice("a", "A", "English", "male", supports_pause=True),
        RemoteVoice("b", "B", is_private=True),
    ]
    assert [request.query["type"] for request in server.requests] == ["public", "private"]


@pytest.mark.parametrize(
    ("data", "account"),
    [
        ({"wallet": {"currency": "usd", "remaining_balance": 12.3}}, ProviderAccount("wallet", "usd", Decimal("12.3"))),
        ({"wallet": {"currency": "credits"}}, ProviderAccount("wallet", "credits", None)),
        (
            {"subscription": {"credits": {"premium_credits": {"remaining": 5}, "add_on_credits": {"remaining": 2}}}},
            ProviderAccount("subscription", "credits", Decimal("7.0")),
        ),
        (
            {"billing_type": "usage_based", "usage_based": {"spending_current_usd": 30, "spending_cap_usd": 100}},
            ProviderAccount("usage_based", "usd", Decimal("70.0")),
        ),
        ({}, ProviderAccount("unknown", "credits", None)),
    ],
)
def test_an_account_says_what_is_left(server, client, data, account):
    server.says(200, {"data": data})
    assert client.get_account() == account


# Deleting and webhooks


def test_deleting_says_whether_there_was_anything(server, client):
    server.says(200, {"data": {"id": "vid-1", "deleted": True}})
    server.says(404, {"error": {"code": "video_not_found"}})
    assert [client.delete_video("vid-1"), client.delete_video("vid-1")] == [True, False]


def test_a_gateways_404_does_not_prove_a_deletion(server, client):
    server.says(404, b"Not Found")
    with pytest.raises(Unknown):
        client.delete_video("vid-1")
    assert len(server.requests) == 1


def test_a_webhook_is_registered_and_its_secret_kept(server, client):
    data = {"endpoint_id": "e", "url": "https://us/hook", "status": "enabled", "secret": "whsec_1"}
    server.says(200, {"data": data})
    made = client.register_webhook("https://us/hook", ["avatar_video.success"])
    assert made == WebhookEndpoint("e", "https://us/hook", True, "whsec_1")
    assert server.requests[0].json == {"url": "https://us/hook", "events": ["avatar_video.success"]}


def test_webhooks_are_listed(server, client):
    server.says(200, {"data": [{"endpoint_id": "e", "url": "https://us", "status": "disabled", "secret": None}]})
    assert list(client.iter_webhooks()) == [WebhookEndpoint("e", "https://us", False, None)]


def test_rotating_gives_the_new_secret(server, client):
    server.says(200, {"data": {"endpoint_id": "e", "secret": "whsec_2"}})
    assert client.rotate_webhook_secret("e") == "whsec_2"
    assert (server.requests[0].method, server.requests[0].path) == ("POST", "/v3/webhooks/endpoints/e/rotate-secret")


# Files


def fetch(client: HeyGenClient, url: str, **options):
    return client.download_media(url, io.BytesIO(), **({"max_bytes": 1000, "timeout": 5.0} | options))


def test_a_file_is_fetched_without_our_key(server, client):
    server.says(200, b"film", headers={"Content-Type": "video/mp4"})
    assert fetch(client, server.url + "/v.mp4?Signature=x").bytes == 4
    assert "x-api-key" not in server.requests[0].headers


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_link_that_no_longer_works_has_expired(server, client, status):
    server.says(status)
    with pytest.raises(LinkExpired) as caught:
        fetch(client, server.url)
    assert (caught.value.retryable, caught.value.status) == (True, status)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ({"status": 500}, Unknown, "http_500"),
        ({"status": 302}, Unknown, "redirected"),
        ({"body": b"x" * 1001}, Refused, "media_too_large"),
        ({"body": b"x", "headers": {"Content-Length": "5"}}, Unknown, "truncated"),
        ({"body": b"x", "headers": {"Content-Type": "text/html"}}, Unknown, "wrongtype"),
    ],
)
def test_a_file_that_does_not_come_says_why(server, client, answer, kind, code):
    server.says(**answer)
    with pytest.raises(HeyGenError) as caught:
        fetch(client, server.url, expected_types=["video/"] if code == "wrongtype" else None)
    assert (type(caught.value), caught.value.code) == (kind, code)


def test_a_file_elsewhere_is_a_matter_for_staff(server):
    with pytest.raises(OperatorProblem) as caught:
        fetch(client_of(server, media_hosts=[".heygen.ai"]), server.url)
    assert caught.value.code == "media_host_not_allowed"
    assert server.requests == []


def test_a_signed_link_is_never_logged(server, client):
    server.says(403)
    with capture_logs() as logs, pytest.raises(LinkExpired) as caught:
        fetch(client, server.url + "/v.mp4?Signature=secret")
    assert "secret" not in f"{logs} {caught.value}"


# Failures


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
def test_a_failure_is_told_in_our_words(raw_code, raw_message, code):
    failure = failure_of_video(raw_code, raw_message)
    assert (failure.code, failure.raw_code, failure.raw_message) == (code, raw_code, raw_message)
    assert failure.operator_problem is (code == "provider_problem")
    assert raw_message == "" or raw_message not in failure.message


def test_a_failed_video_carries_its_failure(server, client):
    failed = {"id": "v", "status": "failed", "failure_code": "rendering_failed", "failure_message": "timed out"}
    server.says(200, {"data": failed})
    failure = client.get_video("v").failure
    assert (failure.code, failure.retryable, failure.raw_code) == ("render_failed", True, "rendering_failed")


def test_an_unknown_failure_is_loud():
    with capture_logs() as logs:
        failure_of_video("brand_new", "text")
    assert [line["event"] for line in logs] == ["heygen_unknown_failure"]


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
def test_a_refusal_is_told_in_our_words(error, code):
    assert failure_of_error(error).code == code


# Tolerance


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary() | envelopes.map(lambda value: json.dumps(value).encode()), status=st.sampled_from([200, 400, 500])
)
def test_no_answer_whatsoever_raises_anything_but_our_errors(server, client, body, status):
    reads = (lambda: client.get_video("vid-1"), lambda: list(client.iter_voices()), client.get_account)
    for call in (lambda: create(client), lambda: client.get_statuses(["vid-1"]), *reads):
        server.script[:] = [Answer(status, body)] * 8
        try:
            call()
        except HeyGenError as error:
            assert error.code == error.code.lower()


def test_an_endless_answer_is_unknown(server, client):
    for _ in range(3):
        server.says(200, b" " * (ANSWER_LIMIT + 1))
    with pytest.raises(Unknown) as caught:
        client.get_video("vid-1")
    assert caught.value.code == "toolarge"


def test_the_settings_describe_the_client(settings):
    settings.HEYGEN_BASE_URL, settings.HEYGEN_API_KEY = "https://api.heygen.com", " key\n"
    settings.HEYGEN_MEDIA_HOSTS, settings.ALLOW_PRIVATE_MEDIA_HOSTS = [".heygen.ai"], False
    settings.HEYGEN_READ_TIMEOUT, settings.HEYGEN_WRITE_TIMEOUT = 1.0, 2.0
    assert get_client() == HeyGenClient("https://api.heygen.com", "key", 1.0, 2.0, (".heygen.ai",), False)

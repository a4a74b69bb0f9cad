import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from genvid.heygen import transport
from genvid.heygen.heygen_client import HeyGenClient, get_client
from genvid.heygen.heygen_errors import HeyGenError, NotFound, OperatorProblem, Refused, Unknown
from genvid.heygen.heygen_types import (
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
from genvid.tests.heygen_gateway import CREATED, SPEC, client_of, create, create_against
from genvid.tests.properties import HealthCheck, given, st
from genvid.tests.properties import settings as hypothesis_settings
from genvid.tests.scripted import Answer, ScriptedServer

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
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setattr(transport, "GET_RETRY_BUDGET_SECONDS", 3600.0)
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer) -> HeyGenClient:
    return client_of(server)


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch) -> None:
    monkeypatch.setattr(transport, "GET_RETRY_BASE_SECONDS", 0.001)


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
    server.says(delay=60)
    with pytest.raises(Unknown):
        client_of(server, read_timeout=3).get_video("vid-1")
    assert len(server.requests) == 1


@pytest.mark.parametrize(("video_id", "path"), [("a/b", "/v3/videos/a%2Fb"), ("a?b#c", "/v3/videos/a%3Fb%23c")])
def test_an_id_cannot_leave_its_place_in_the_path(server, client, video_id, path):
    server.says(200, {"data": {"status": "pending"}})
    client.get_video(video_id)
    assert server.requests[0].path == path


@pytest.mark.parametrize("video_id", ["", ".", ".."])
def test_a_text_that_is_no_id_is_never_sent(server, client, video_id):
    with pytest.raises(ValueError):
        client.get_video(video_id)
    assert server.requests == []


def test_many_statuses_come_in_one_call(server, client):
    rows = [{"video_id": "a", "status": "completed"}, {"video_id": "b", "status": "not_found"}]
    strangers = [{"video_id": "z", "status": "failed"}, {"video_id": "c"}, "junk"]
    server.says(200, {"data": rows + strangers})
    assert client.get_statuses(["a", "b", "c"]) == {"a": RenderState.COMPLETED, "b": RenderState.NOT_FOUND}
    assert server.requests[0].query == {"video_ids": "a,b,c"}


def test_reading_statuses_of_no_ids_makes_no_call_and_of_too_many_is_an_error(server, client):
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


def test_the_history_of_events_is_read_over_all_pages(server, client):
    event = {"event_id": "e1", "event_type": "avatar_video.fail", "event_data": {"video_id": "v", "callback_id": "c"}}
    server.says(
        200, {"data": [event | {"created_at": "2026-11-22T12:00:00.250Z"}], "has_more": True, "next_token": "t"}
    )
    server.says(200, {"data": [{"event_id": "e2", "created_at": "soon"}, {"event_type": "x"}], "has_more": False})
    first, second = client.iter_events("avatar_video.fail")
    assert (first.key, first.event_type, first.video_id, first.callback_id) == ("e1", "avatar_video.fail", "v", "c")
    assert first.created_at == datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
    assert (second.key, second.event_type, second.video_id, second.created_at) == ("e2", "unknown", None, None)
    assert server.requests[0].query == {"limit": "100", "event_type": "avatar_video.fail"}


def test_the_time_when_a_render_ended_is_read(server, client):
    server.says(200, {"data": {"id": "v", "status": "completed", "completed_at": 1_770_000_000}})
    assert client.get_video("v").completed_at == datetime(2026, 2, 2, 2, 40, tzinfo=UTC)


@pytest.mark.parametrize("token", ["t1", "", None])
def test_a_list_that_breaks_off_or_goes_in_circles_is_not_taken_for_whole(server, client, token):
    for _ in range(3):
        server.says(200, {"data": [{"id": "a"}], "has_more": True, "next_token": token})
    with pytest.raises(Unknown) as caught:
        list(client.iter_looks())
    assert caught.value.code == "pagination_loop"


def test_a_page_token_without_has_more_means_another_page(server, client):
    server.says(200, {"data": [{"id": "a"}], "next_token": "t2"})
    server.says(200, {"data": [{"id": "b"}]})
    server.says(200, {"data": []})
    assert [look.id for look in client.iter_looks()] == ["a", "b"]


def test_a_look_is_private_when_it_stands_in_the_private_list_or_has_a_status(server, client):
    server.says(200, {"data": [{"id": "a"}, {"id": "b", "status": "completed"}]})
    server.says(200, {"data": [{"id": "c"}]})
    assert {look.id: look.is_private for look in client.iter_looks()} == {"a": False, "b": True, "c": True}


def test_a_look_is_read_in_our_words(server, client):
    look = {
        "id": "look-1", "name": "Ada", "avatar_type": "digital_twin", "group_id": "g", "gender": "female",
        "default_voice_id": "v", "preferred_orientation": "portrait", "preview_image_url": "https://f/i.jpg",
        "preview_video_url": None, "supported_api_engines": ["avatar_v", 3], "tags": None, "status": "processing",
    }  # fmt: skip
    server.says(200, {"data": []})
    server.says(200, {"data": [look]})
    assert list(client.iter_looks()) == [
        Look("look-1", "Ada", "digital_twin", "female", "v", "https://f/i.jpg", None, ("avatar_v",), "portrait",
             (), False, False, "g", is_private=True)
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


def test_deleting_a_video_says_whether_it_existed(server, client):
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


def test_the_webhook_endpoints_at_heygen_are_listed(server, client):
    server.says(200, {"data": [{"endpoint_id": "e", "url": "https://us", "status": "disabled", "secret": None}]})
    assert list(client.iter_webhooks()) == [WebhookEndpoint("e", "https://us", False, None)]


def test_rotating_a_webhook_secret_returns_the_new_one(server, client):
    server.says(200, {"data": {"endpoint_id": "e", "secret": "whsec_2"}})
    assert client.rotate_webhook_secret("e") == "whsec_2"
    assert (server.requests[0].method, server.requests[0].path) == ("POST", "/v3/webhooks/endpoints/e/rotate-secret")


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

import base64
from typing import Any

import httpx
import pytest

from genvid.sandbox.tests.receiver import Receiver
from genvid.sandbox.tests.sandbox_client import WAIT, Client, refusal_of

BAD = "invalid_parameter"
NONE = "no_such_id"

Refusal = tuple[int, str, str | None]

REFUSED: dict[str, tuple[dict[str, Any], Refusal]] = {
    "an unknown type": ({"type": "hologram"}, (400, BAD, "type")),
    "no type": ({"type": ...}, (400, BAD, "type")),
    "no avatar": ({"avatar_id": ...}, (400, BAD, "avatar_id")),
    "another arm's field": ({"scenes": []}, (400, BAD, "scenes")),
    "an invented field": ({"emotion": "happy"}, (400, BAD, "emotion")),
    "too fast": ({"voice_settings": {"speed": 3}}, (400, BAD, "voice_settings.speed")),
    "an unknown engine": ({"engine": {"type": "avatar_x"}}, (400, BAD, "engine.type")),
    "a foreign engine field": ({"engine": {"type": "avatar_iv", "a": 1}}, (400, BAD, "engine.a")),
    "an unsupported engine": ({"engine": {"type": "avatar_v"}}, (400, BAD, "engine")),
    "an empty script": ({"script": ""}, (400, BAD, "script")),
    "a long script": ({"script": "a" * 5001}, (400, BAD, "script")),
    "no script nor audio": ({"script": ...}, (400, BAD, "script")),
    "script and audio": ({"audio_url": "https://example.com/a.mp3"}, (400, BAD, "script")),
    "symbols only": ({"script": "?!... --"}, (400, "tts_text_invalid", "script")),
    "an unknown avatar": ({"avatar_id": NONE}, (404, "avatar_not_found", None)),
    "an unknown voice": ({"voice_id": NONE}, (404, "voice_not_found", None)),
    "an unknown recording": (
        {"script": ..., "audio_asset_id": NONE},
        (404, "asset_not_found", None),
    ),
    "webm with a background": (
        {"output_format": "webm", "background": {"type": "color", "value": "#ffffff"}},
        (400, BAD, "background"),
    ),
    "webm of an avatar without matting": ({"output_format": "webm"}, (400, BAD, "output_format")),
    "a colour by name": ({"background": {"type": "color", "value": "red"}}, (400, BAD, "background.value")),
    "an image background of nothing": ({"background": {"type": "image"}}, (400, BAD, "background")),
    "expressiveness of a studio avatar": ({"expressiveness": "high"}, (400, BAD, "expressiveness")),
    "a motion prompt of a studio avatar": ({"motion_prompt": "wave"}, (400, BAD, "motion_prompt")),
    "another maker's voice engine": (
        {"voice_settings": {"engine_settings": {"engine_type": "fish"}}},
        (400, BAD, "voice_settings.engine_settings"),
    ),
    "a plain callback": ({"callback_url": "http://example.com/"}, (400, BAD, "callback_url")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_order_is_refused(case: str, client: Client) -> None:
    fields, expected = REFUSED[case]

    assert client.refusal(**fields) == expected
    assert client.sandbox.records()["videos"] == []


def test_the_error_envelope_is_complete(client: Client) -> None:
    assert client.submit(voice_settings={"speed": 3}).json() == {
        "error": {
            "code": "invalid_parameter",
            "message": "3 is greater than the maximum of 1.5",
            "doc_url": "https://developers.heygen.com/docs/error-codes#invalid-parameter",
            "param": "voice_settings.speed",
        }
    }


def test_a_missing_and_a_wrong_key_get_the_same_answer(client: Client) -> None:
    answers = [httpx.get(client.sandbox.url + "/v3/users/me", headers=headers, timeout=WAIT, trust_env=False)
               for headers in ({}, {"X-Api-Key": "wrong"})]  # fmt: skip

    unauthorized = {
        "code": "unauthorized",
        "message": "Unauthorized",
        "doc_url": "https://developers.heygen.com/docs/error-codes#unauthorized",
    }
    assert [(one.status_code, one.json()) for one in answers] == [(401, {"error": unauthorized})] * 2


def test_a_bearer_token_is_accepted(client: Client) -> None:
    headers = {"Authorization": f"Bearer {client.sandbox.api_key}"}

    assert (
        httpx.get(client.sandbox.url + "/v3/users/me", headers=headers, timeout=WAIT, trust_env=False).status_code
        == 200
    )


def test_an_unknown_path_is_not_found(client: Client) -> None:
    assert refusal_of(client.get("/v3/nowhere")) == (404, "not_found", None)


def test_a_wrong_method_is_not_allowed(client: Client) -> None:
    assert refusal_of(client.put("/v3/videos")) == (405, "method_not_allowed", None)


def test_a_body_that_is_no_json_is_refused(client: Client) -> None:
    assert refusal_of(client.post("/v3/videos", content=b"{")) == (400, "invalid_parameter", "body")


@pytest.mark.parametrize(
    ("path", "most"),
    [("/v3/videos", 100), ("/v3/avatars/looks", 50), ("/v3/avatars", 50), ("/v3/voices", 100)],
)
def test_the_limit_of_a_list_has_bounds(path: str, most: int, client: Client) -> None:
    for limit in (0, most + 1, "many"):
        answer = client.get(path, params={"limit": limit})
        assert refusal_of(answer) == (400, "invalid_parameter", "limit")
        assert answer.json()["error"]["message"] == f"limit must be between 1 and {most}"


def test_a_query_value_outside_its_enum_is_refused(client: Client) -> None:
    answer = client.get("/v3/avatars/looks", params={"avatar_type": "robot"})

    assert refusal_of(answer) == (400, "invalid_parameter", "avatar_type")


def test_an_unknown_page_token_is_refused(client: Client) -> None:
    assert refusal_of(client.get("/v3/videos", params={"token": "x"})) == (400, "invalid_parameter", "token")


def test_the_error_names_the_wrong_field_of_a_scene(client: Client) -> None:
    scene = {"type": "avatar_video", "input": client.body(voice_settings={"pitch": 99})}

    answer = client.post("/v3/videos", json={"type": "studio", "scenes": [scene]})

    assert refusal_of(answer) == (400, "invalid_parameter", "scenes.0.input.voice_settings.pitch")


def test_an_image_needs_a_voice_of_its_own(client: Client, png: bytes) -> None:
    image = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(png).decode()}
    fields = {"type": "image", "avatar_id": ..., "image": image}

    assert client.refusal(**fields) == (400, "invalid_parameter", "voice_id")
    assert client.finish(**fields, voice_id=client.look()["default_voice_id"])["status"] == "completed"


def test_an_image_is_fetched_from_its_address(client: Client, receiver: Receiver, png: bytes) -> None:
    receiver.files["/face.png"] = png
    image = {"type": "url", "url": receiver.url + "/face.png"}

    video = client.finish(type="image", avatar_id=..., image=image, voice_id=client.look()["default_voice_id"])

    assert video["status"] == "completed"


def test_an_address_without_a_picture_is_a_failed_download(client: Client, receiver: Receiver) -> None:
    background = {"type": "image", "url": receiver.url + "/nothing"}

    assert client.refusal(background=background) == (400, "download_failed", "background")


def test_a_recording_takes_the_place_of_the_script(client: Client, receiver: Receiver, wav: bytes) -> None:
    receiver.files["/voice.wav"] = wav

    assert client.finish(script=..., audio_url=receiver.url + "/voice.wav")["status"] == "completed"

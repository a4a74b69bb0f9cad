import base64
import io
import time
import wave

import pytest

from genvid.sandbox.renderer.voice_profiles import VOICES
from genvid.sandbox.tests.sandbox_client import Client, refusal_of, wait_for


@pytest.fixture
def cloned(client: Client, wav: bytes) -> str:
    audio = {"type": "base64", "media_type": "audio/wav", "data": base64.b64encode(wav).decode()}
    answer = client.post("/v3/voices/clone", json={"audio": audio, "voice_name": "Mine"})
    return str(answer.json()["data"]["voice_clone_id"])


def test_every_profile_is_a_voice(client: Client) -> None:
    voices = client.data("/v3/voices", limit=100)

    assert [voice["name"] for voice in voices] == [profile.name for profile in VOICES.values()]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"language": "german"}, ["Jonas"]),
        ({"language": "Spanish", "gender": "female"}, ["Lucía"]),
        ({"engine": "elevenlabs"}, []),
        ({"type": "private"}, []),
    ],
)
def test_voices_are_found_by_their_properties(query: dict[str, str], names: list[str], client: Client) -> None:
    assert [voice["name"] for voice in client.data("/v3/voices", **query)] == names


def test_an_unknown_voice_is_not_found(client: Client) -> None:
    assert refusal_of(client.get("/v3/voices/nope")) == (404, "voice_not_found", None)


def test_a_description_finds_the_same_three_voices_again(client: Client) -> None:
    body = {"prompt": "a warm voice", "gender": "female", "seed": 7}

    found, again = (client.post("/v3/voices", json=body).json()["data"] for _ in range(2))

    assert (found, found["seed"], len(found["voices"])) == (again, 7, 3)
    assert {voice["gender"] for voice in found["voices"]} == {"female"}


def test_a_clone_speaks(client: Client, cloned: str) -> None:
    assert client.data(f"/v3/voices/{cloned}")["status"] == "complete"
    assert [voice["voice_id"] for voice in client.data("/v3/voices", type="private")] == [cloned]
    assert client.finish(voice_id=cloned)["status"] == "completed"


@pytest.mark.parametrize(("seconds", "status"), [(3600, "processing"), (0.5, "complete")])
def test_a_clone_is_processing_until_it_is_ready(client: Client, wav: bytes, seconds: float, status: str) -> None:
    client.sandbox.configure(avatar_seconds=seconds)
    begun = time.monotonic()
    audio = {"type": "base64", "media_type": "audio/wav", "data": base64.b64encode(wav).decode()}
    answer = client.post("/v3/voices/clone", json={"audio": audio, "voice_name": "Mine"})
    path = f"/v3/voices/{answer.json()['data']['voice_clone_id']}"

    wait_for(lambda: client.data(path)["status"] == status)
    assert status == "processing" or time.monotonic() - begun >= seconds


def test_a_clone_is_deleted_once(client: Client, cloned: str) -> None:
    assert client.delete(f"/v3/voices/{cloned}").json() == {"data": {"voice_id": cloned}}
    assert refusal_of(client.delete(f"/v3/voices/{cloned}")) == (404, "voice_not_found", None)


def test_public_voices_cannot_be_deleted(client: Client) -> None:
    voice_id = client.look()["default_voice_id"]

    assert refusal_of(client.delete(f"/v3/voices/{voice_id}")) == (403, "resource_access_denied", None)


def test_speech_is_really_spoken(client: Client) -> None:
    body = {"text": "Hello world", "voice_id": client.look()["default_voice_id"]}

    said = client.post("/v3/voices/speech", json=body).json()["data"]

    with wave.open(io.BytesIO(client.get(said["audio_url"]).content)) as sound:
        assert round(sound.getnframes() / sound.getframerate(), 3) == said["duration"]
    assert [word["word"] for word in said["word_timestamps"]] == ["Hello", "world"]


def test_speech_without_words_is_refused(client: Client) -> None:
    body = {"text": "...", "voice_id": client.look()["default_voice_id"]}

    assert refusal_of(client.post("/v3/voices/speech", json=body)) == (400, "tts_text_invalid", "text")


def test_ssml_is_read_as_such(client: Client) -> None:
    voice_id = client.look()["default_voice_id"]
    body = {"text": 'R &amp; D. <break time="1s"/> Yes.', "voice_id": voice_id, "input_type": "ssml"}

    said = client.post("/v3/voices/speech", json=body).json()["data"]

    assert said["word_timestamps"][0]["word"] == "R"
    assert "amp;" not in "".join(word["word"] for word in said["word_timestamps"])


def test_ssml_that_is_no_xml_is_refused(client: Client) -> None:
    body = {"text": "R & D", "voice_id": client.look()["default_voice_id"], "input_type": "ssml"}

    assert refusal_of(client.post("/v3/voices/speech", json=body)) == (400, "tts_text_invalid", "text")

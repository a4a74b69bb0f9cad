"""`HeyGenClient.speak` against a scripted server: what is sent, and what is read of the answer."""

import pytest

from genvid.heygen.heygen_errors import InProgress, Refused, Unknown
from genvid.heygen.speech_wire import SpeechSpec, Spoken, SpokenWord
from genvid.tests.heygen_gateway import client_of
from genvid.tests.scripted import ScriptedServer

SPOKEN = {"audio_url": "https://files.heygen.ai/1.mp3", "duration": 1.5}
PLAIN = SpeechSpec(text="Hello.", voice_id="voice_1")


@pytest.fixture
def server():
    with ScriptedServer() as scripted:
        yield scripted


def speak(server: ScriptedServer, spec: SpeechSpec = PLAIN, *, key: str = "speech.1") -> Spoken:
    return client_of(server).speak(spec, idempotency_key=key)


def test_only_what_is_asked_for_is_sent_with_the_key(server):
    server.says(200, {"data": SPOKEN})
    speak(server)
    (sent,) = server.requests
    assert (sent.method, sent.path, sent.headers["idempotency-key"]) == ("POST", "/v3/voices/speech", "speech.1")
    assert sent.json == {"text": "Hello.", "voice_id": "voice_1", "input_type": "text"}


def test_markup_speed_language_and_locale_are_sent(server):
    server.says(200, {"data": SPOKEN})
    speak(server, SpeechSpec("Hi", "voice_1", has_markup=True, speed=1.2, language="English", locale="en-US"))
    said = {"text": "Hi", "voice_id": "voice_1", "input_type": "ssml"}
    assert server.requests[0].json == said | {"speed": 1.2, "language": "English", "locale": "en-US"}


def test_words_with_their_times_are_read(server):
    words = [{"word": "Hello", "start": 0, "end": 0.5}, {"word": "there", "start": 0.5, "end": 1.2}]
    server.says(200, {"data": SPOKEN | {"word_timestamps": words, "request_id": "1"}})
    spoken = speak(server)
    assert spoken == Spoken(SPOKEN["audio_url"], 1.5, (SpokenWord("Hello", 0, 0.5), SpokenWord("there", 0.5, 1.2)))


@pytest.mark.parametrize(
    "words",
    [None, "Hello", [None], [{"word": "Hello"}], [{"word": "", "start": 0, "end": 1}],
     [{"word": "Hello", "start": 2, "end": 1}], [{"word": "Hello", "start": "soon", "end": 1}]],
)  # fmt: skip
def test_words_that_make_no_sense_are_left_out(server, words):
    server.says(200, {"data": SPOKEN | {"word_timestamps": words}})
    assert speak(server).words == ()


@pytest.mark.parametrize(
    "data",
    [{"duration": 1.5}, {"audio_url": "https://files.heygen.ai/1.mp3"}, SPOKEN | {"duration": 0},
     SPOKEN | {"duration": "NaN"}, SPOKEN | {"audio_url": "javascript:alert(1)"}],
)  # fmt: skip
def test_an_answer_without_link_or_length_decides_nothing(server, data):
    server.says(200, {"data": data})
    with pytest.raises(Unknown):
        speak(server)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(404, "voice_not_found", Refused), (400, "tts_text_invalid", Refused), (400, "content_policy_violation", Refused),
     (409, "request_in_progress", InProgress), (500, "internal_error", Unknown)],
)  # fmt: skip
def test_refusals_are_told_from_what_may_be_tried_again(server, status, code, kind):
    server.says(status, {"error": {"code": code, "message": "text"}})
    with pytest.raises(kind):
        speak(server)


def test_a_key_that_heygen_would_not_take_is_refused_before_the_call(server):
    with pytest.raises(ValueError, match="idempotency key"):
        speak(server, key="no spaces")
    assert server.requests == []

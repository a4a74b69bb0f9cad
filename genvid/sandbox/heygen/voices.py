"""Tag voice: the list of voices, clones, and speech."""

import hashlib
import secrets
import time
from functools import partial
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import unescape

from genvid.sandbox.api_errors import ApiError
from genvid.sandbox.heygen import looks_and_voices, made_objects, media_input, paging, test_mode, wallet
from genvid.sandbox.heygen.dispatch import Call, Operation, Reply
from genvid.sandbox.heygen.heygen_core import HeyGenCore
from genvid.sandbox.heygen.looks_and_voices import Voice
from genvid.sandbox.render_worker.handle import TaskFailed
from genvid.sandbox.renderer.script import speakable
from genvid.sandbox.renderer.voice_profiles import VOICES

ENGINE = "starfish"
SUGGESTIONS = 3
CLONE_BASES = ("clara", "miles")


async def list_all(call: Call) -> Reply:
    query = call.query
    wanted = [
        (voice.seq, voice)
        for voice in looks_and_voices.voices(call.core.store)
        if voice.private == (query["type"] == "private")
        and _same(query["language"], voice.language)
        and _same(query["gender"], VOICES[voice.profile].gender)
        and _same(query["engine"], ENGINE)
    ]
    return paging.page(call, wanted, lambda voice: show(call, voice))


def _same(wanted: str | None, actual: str) -> bool:
    return wanted is None or wanted.lower() == actual.lower()


def show(call: Call, voice: Voice) -> dict[str, Any]:
    profile = VOICES[voice.profile]
    return {
        "voice_id": voice.id,
        "name": voice.name,
        "language": voice.language,
        "gender": profile.gender,
        "type": "private" if voice.private else "public",
        "support_pause": profile.supports_pause,
        "support_locale": False,
        "preview_audio_url": call.core.links.permanent(call.base, f"previews/{voice.profile}.wav"),
    }


async def get(call: Call) -> Reply:
    voice = looks_and_voices.find_voice(call.core.store, call.path["voice_id"])
    shown = show(call, voice)
    kept = ("voice_id", "name", "language", "gender", "support_pause", "preview_audio_url")
    beyond = {
        "support_interactive_avatar": False,
        "created_at": int(voice.created_at),
        "status": voice.status,
        "failure_message": voice.failure_message,
    }
    return Reply({name: shown[name] for name in kept} | beyond)


async def search(call: Call) -> Reply:
    body = call.body
    fitting = [
        voice
        for voice in looks_and_voices.public_voices()
        if _same(body.get("gender"), VOICES[voice.profile].gender)
        and _same(body.get("locale"), VOICES[voice.profile].locale)
    ]
    seed = body.get("seed", 0)

    def closeness(voice: Voice) -> tuple[bool, str]:
        named = voice.language.lower() in body["prompt"].lower()
        mixed = hashlib.sha256(f"{seed} {body['prompt']} {voice.id}".encode()).hexdigest()
        return not named, mixed

    chosen = sorted(fitting, key=closeness)[:SUGGESTIONS]
    return Reply({"seed": seed, "voices": [show(call, voice) for voice in chosen]})


async def clone(call: Call) -> Reply:
    """The recording is only checked. The clone speaks with a voice of the catalogue."""
    await media_input.local_file(call.core, call.body["audio"], param="audio", kind="audio")
    looks_and_voices.refuse_when_full(call.core.store, call.core.settings.current.most_own)
    voice_id = secrets.token_hex(16)
    return Reply({"voice_clone_id": voice_id}, action=partial(_add_clone, call, voice_id))


def _add_clone(call: Call, voice_id: str) -> None:
    settings, now = call.core.settings, time.time()
    name, failure = call.body["voice_name"], looks_and_voices.drawn_failure(settings)
    profile = CLONE_BASES[sum(name.encode()) % len(CLONE_BASES)]
    call.core.store.add(
        "voices",
        id=voice_id,
        name=name,
        profile=profile,
        language=call.body.get("language") or VOICES[profile].language,
        created_at=now,
        ready_at=now + settings.current.avatar_seconds,
        failure=failure,
    )
    made_objects.record(call, "voice", voice_id, name=name, failure=failure)


async def delete(call: Call) -> Reply:
    voice = looks_and_voices.find_voice(call.core.store, call.path["voice_id"])
    if not voice.private:
        raise ApiError("resource_access_denied", "Public voices cannot be deleted")
    call.core.store.run("DELETE FROM voices WHERE id = ?", voice.id)
    return Reply({"voice_id": voice.id})


def _voice(core: HeyGenCore, voice_id: str) -> Voice:
    return looks_and_voices.find_voice(core.store, voice_id)


def _plain(markup: str) -> str:
    """The text of SSML, with its pauses. Refuses what is no XML."""
    try:
        list(ElementTree.fromstring(f"<speak>{markup}</speak>"))  # noqa: S314 - by the expat of this Python, no entities
    except ElementTree.ParseError as error:
        raise ApiError("tts_text_invalid", f"The SSML is malformed: {error}", param="text") from error
    return unescape(markup)


async def speak(call: Call) -> Reply:
    core, body = call.core, call.body
    voice = test_mode.voice_of(core, body["voice_id"]) if call.is_test else _voice(core, body["voice_id"])
    text = _plain(body["text"]) if body.get("input_type") == "ssml" else body["text"]
    if not speakable(text):
        raise ApiError("tts_text_invalid", "The text has nothing that can be spoken", param="text")
    name = f"speech/{secrets.token_hex(16)}.wav"
    path = core.links.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    task = {"task": "speech", "text": text, "voice": voice.profile, "speed": body.get("speed", 1)}
    try:
        said = await core.interactive_worker.run(task | {"path": str(path)})
    except TaskFailed as failure:
        code = failure.code if failure.code == "tts_text_invalid" else "voice_provider_error"
        raise ApiError(code, failure.message) from failure
    url = core.links.sign(call.base, name, lifetime=core.settings.current.link_lifetime)
    shown = {"audio_url": url, "duration": said["duration"], "word_timestamps": said["words"]}
    shown["request_id"] = call.request.state.request_id
    return Reply(shown, action=partial(_charge_speech, call, name, said["duration"]))


def _charge_speech(call: Call, name: str, seconds: float) -> None:
    charged = 0 if call.is_test else round(wallet.SPEECH * seconds)
    call.core.wallet.charge(charged)
    made_objects.record(call, "speech", name, charged=charged)


OPERATIONS = [
    Operation("GET", "/v3/voices", list_all),
    Operation("POST", "/v3/voices", search),
    Operation("POST", "/v3/voices/clone", clone),
    Operation("POST", "/v3/voices/speech", speak),
    Operation("GET", "/v3/voices/{voice_id}", get),
    Operation("DELETE", "/v3/voices/{voice_id}", delete),
]

"""A worker's steps on a speech, in the test's own thread, and what the sandbox has spoken."""

import io
import wave
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.utils import timezone

from avatars.models import Upload
from avatars.uploads import removal
from genvid.sandbox.process import SandboxProcess
from videos.listening import speaking
from videos.models import Speech

SPEECH = "/api/v1/speech"
SPEAK = {"method": "POST", "path": "/v3/voices/speech"}


def fresh_speech(speech: Speech) -> Speech:
    return Speech.objects.select_related("audio").get(pk=speech.pk)


def work_on(speech: Speech) -> Speech:
    """What a worker does next, as if the wait had just ended."""
    Speech.objects.filter(pk=speech.pk).update(due_at=timezone.now())
    speaking.speak(str(speech.pk))
    return fresh_speech(speech)


def made_by(sandbox: SandboxProcess) -> list[Path]:
    """The recordings that the sandbox has made since it was started anew."""
    return [*(sandbox.folder / "sandbox" / "files" / "speech").glob("*.wav")]


def calls_to(sandbox: SandboxProcess) -> int:
    return int(sandbox.records()["requests"].get("POST /v3/voices/speech", 0))


def stored_audio(speech: Speech) -> list[str]:
    """The files of its account's uploads, after their workers."""
    for pk in Upload.objects.exclude(deleted_at=None).exclude(due_at=None).values_list("pk", flat=True):
        Upload.objects.filter(pk=pk).update(due_at=timezone.now())
        removal.work_on(str(pk))
    folder = f"uploads/{speech.account_id}"
    return sorted(default_storage.listdir(folder)[1]) if default_storage.exists(folder) else []


def audio_name(speech: Speech) -> str:
    return f"{fresh_speech(speech).audio_id}.wav"


def frames_of(content: bytes) -> bytes:
    with wave.open(io.BytesIO(content)) as sound:
        return sound.readframes(sound.getnframes())


def ask(person: Any, voice: Any, script: str = "Hello world.", **fields: Any) -> Any:
    return person.client.post(SPEECH, {"script": script, "voice_id": str(voice.pk)} | fields)

"""The soundtrack of a job: its script spoken by its voice, or a recording it brings along."""

import wave
from dataclasses import replace
from pathlib import Path

import av
import numpy as np

from genvid.sandbox.renderer.job import RenderJob, UnreadableMedia
from genvid.sandbox.renderer.script import (
    LEAD_IN,
    LEAD_OUT,
    Unspeakable,
    parted,
    passages,
    require_speakable,
    spoken_form,
    words_of,
)
from genvid.sandbox.renderer.timeline import Samples, Speech, SpeechBuilder, normalised, spread
from genvid.sandbox.renderer.voice_profiles import VOICES, VoiceProfile

PEAK = 0.89  # of full scale
WIDEST_PITCH = 12.0  # semitones either way; the protocol allows 50, which no voice survives
RECORDING_RATE = 24_000
LONGEST_WORD = 40  # characters


def soundtrack(job: RenderJob) -> Speech:
    """A recording is heard as it is; a script has a moment of silence before and after it."""
    voiced = _recorded(job.audio, job.script) if job.audio else _spoken(job)
    builder = SpeechBuilder(voiced.rate)
    builder.add_silence(0.0 if job.audio else LEAD_IN)
    builder.add(replace(voiced, samples=normalised(voiced.samples, PEAK * min(1.0, job.volume))))
    builder.add_silence(0.0 if job.audio else LEAD_OUT)
    return builder.build()


def recording_seconds(audio: Path) -> float:
    return len(_decode(audio)) / RECORDING_RATE


def speak(script: str, voice: VoiceProfile, speed: float = 1.0, pitch: float = 0.0) -> Speech:
    require_speakable(script)
    speech = _say_passages(script, voice, speed, pitch)
    if not speech.samples.any() and voice.engine == "hibari":
        # The English model has no sounds for other alphabets; espeak at least names their letters.
        speech = _say_passages(script, replace(voice, engine="espeak"), speed, pitch)
    if not speech.samples.any():
        raise Unspeakable("The script yields no speech.")
    return speech


def write_wav(samples: Samples, rate: int, path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def _spoken(job: RenderJob) -> Speech:
    pitch = max(-WIDEST_PITCH, min(WIDEST_PITCH, job.pitch))
    return speak(job.script, VOICES[job.voice], job.speed, pitch)


def _say_passages(script: str, voice: VoiceProfile, speed: float, pitch: float) -> Speech:
    builder: SpeechBuilder | None = None
    for passage in passages(script):
        speech = _say(passage.text, voice, speed, pitch)
        builder = builder or SpeechBuilder(speech.rate)
        builder.add(speech)
        builder.add_silence(passage.pause)
    assert builder is not None  # noqa: S101 - a script has at least one passage, if an empty one
    return builder.build()


def _say(text: str, voice: VoiceProfile, speed: float, pitch: float) -> Speech:
    forms = [(word, _cut(form)) for word in parted(text).split() if (form := spoken_form(word))]
    speech = _say_plainly(" ".join(form for _, form in forms), voice, speed, pitch)
    if len(speech.words) != len(forms):
        return speech  # a word too long for the engine was cut
    words = (replace(word, text=written) for word, (written, _) in zip(speech.words, forms, strict=True))
    return replace(speech, words=tuple(words))


def _cut(form: str) -> str:
    """The engines stop speaking in the middle of an endless word, as no voice at HeyGen does."""
    return " ".join(form[at : at + LONGEST_WORD] for at in range(0, len(form), LONGEST_WORD))


def _say_plainly(text: str, voice: VoiceProfile, speed: float, pitch: float) -> Speech:
    if voice.engine == "espeak":
        from genvid.sandbox.renderer.espeak_voice import espeak_voice  # noqa: PLC0415 - loaded if a voice needs it

        return espeak_voice().say(text, voice, speed, pitch)
    from genvid.sandbox.renderer.hibari_voice import hibari_voice  # noqa: PLC0415 - loaded if a voice needs it

    return hibari_voice().say(text, voice, speed, pitch)


def _recorded(audio: Path, script: str) -> Speech:
    samples = _decode(audio)
    length = len(samples) / RECORDING_RATE
    texts = words_of(script)
    return Speech(samples, RECORDING_RATE, (), tuple(spread(texts, 0.0, length) if texts else ()))


def _decode(audio: Path) -> Samples:
    resampler = av.AudioResampler("flt", "mono", RECORDING_RATE)
    try:
        with av.open(str(audio)) as container:
            decoded = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
            decoded += resampler.resample(None)
    except (av.FFmpegError, IndexError, OSError) as error:
        raise UnreadableMedia(f"{audio.name} is not a recording that can be decoded.") from error
    if not decoded:
        raise UnreadableMedia(f"{audio.name} holds no sound.")
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in decoded]).astype(np.float32)

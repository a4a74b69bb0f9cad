"""The voices: which engine speaks them, and how they sound."""

from dataclasses import dataclass
from typing import Literal

from genvid.sandbox.renderer.personas import Gender


@dataclass(frozen=True)
class VoiceProfile:
    """A voice. The same neural model serves every English one; its timbre is moved by the four factors below.

    `formant` resamples the voice, `melody` scales its pitch curve, `breath_cut` damps breathiness in nepers,
    `tempo` is the pace. For espeak, `espeak_voice` names the voice, and `melody` and `tempo` apply too.
    """

    key: str
    name: str
    gender: Gender
    language: str
    locale: str
    engine: Literal["hibari", "espeak"]
    formant: float = 1.0
    melody: float = 1.0
    breath_cut: float = 0.0
    tempo: float = 1.0
    espeak_voice: str = "gmw/en-US"
    supports_pause: bool = True


def _american(
    key: str, gender: Gender, formant: float, melody: float, breath_cut: float, tempo: float = 1.0
) -> VoiceProfile:
    # Listeners still understand the model between formants 0.80 and 1.07, and no further.
    return VoiceProfile(key, key.title(), gender, "English", "en-US", "hibari", formant, melody, breath_cut, tempo)


def _espeak(key: str, name: str, gender: Gender, language: str, locale: str, espeak_voice: str) -> VoiceProfile:
    return VoiceProfile(key, name, gender, language, locale, "espeak", espeak_voice=espeak_voice)


_VOICES = (
    _american("clara", "female", 1.0, 1.0, 0.0),
    _american("harper", "female", 1.06, 1.08, 0.7),
    _american("sienna", "female", 0.95, 0.9, 0.7),
    _american("nora", "female", 0.98, 0.96, 0.3, tempo=0.94),
    _american("miles", "male", 0.86, 0.78, 1.5),
    _american("owen", "male", 0.82, 0.8, 1.5, tempo=1.04),
    _american("grant", "male", 0.8, 0.7, 1.5, tempo=0.97),
    _espeak("arthur", "Arthur", "male", "English", "en-GB", "gmw/en-GB-x-rp+m3"),
    _espeak("lucia", "Lucía", "female", "Spanish", "es-ES", "roa/es+f3"),
    _espeak("mateo", "Mateo", "male", "Spanish", "es-MX", "roa/es-419+m3"),
    _espeak("camille", "Camille", "female", "French", "fr-FR", "roa/fr+f3"),
    _espeak("jonas", "Jonas", "male", "German", "de-DE", "gmw/de+m3"),
    _espeak("beatriz", "Beatriz", "female", "Portuguese", "pt-BR", "roa/pt-BR+f3"),
    _espeak("giulia", "Giulia", "female", "Italian", "it-IT", "roa/it+f3"),
)

VOICES: dict[str, VoiceProfile] = {voice.key: voice for voice in _VOICES}

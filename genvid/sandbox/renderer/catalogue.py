"""Who can speak and how they sound: the presenters and the voices, as plain data."""

from dataclasses import dataclass
from typing import Literal

from genvid.sandbox.renderer.script import Unspeakable, estimate_seconds, speakable

__all__ = ["PERSONAS", "VOICES", "Persona", "Unspeakable", "VoiceProfile", "estimate_seconds", "speakable"]

Gender = Literal["female", "male"]
Kind = Literal["studio_avatar", "photo_avatar", "digital_twin"]
Orientation = Literal["landscape", "portrait", "square"]
HairStyle = Literal["bob", "long", "side", "fade", "curly", "hijab", "bun", "crop", "swept"]
Outfit = Literal["blazer", "crew", "vneck", "shirt", "turtleneck", "suit", "hoodie"]
FacialHair = Literal["none", "beard", "moustache"]


@dataclass(frozen=True)
class Persona:
    """A presenter. Colours are `#rrggbb`; `backdrop` runs from the dark corner to the light one."""

    key: str
    name: str
    role: str
    gender: Gender
    kind: Kind
    tags: tuple[str, ...]
    default_voice: str
    skin: str
    hair: str
    hair_style: HairStyle
    outfit: Outfit
    shirt: str
    backdrop: tuple[str, str, str]
    accent: str
    orientation: Orientation = "landscape"
    coat: str = "#27304f"
    iris: str = "#5a3b28"
    facial_hair: FacialHair = "none"
    glasses: bool = False
    lashes: bool = False
    earrings: bool = False


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

_PERSONAS = (
    Persona(
        key="ava",
        name="Ava",
        role="Product presenter",
        gender="female",
        kind="studio_avatar",
        tags=("business", "presenter"),
        default_voice="clara",
        skin="#f2c6a5",
        hair="#4a2c22",
        hair_style="bob",
        outfit="blazer",
        shirt="#f4f1ec",
        backdrop=("#4f46e5", "#8b5cf6", "#c4b5fd"),
        accent="#fde047",
        lashes=True,
        earrings=True,
    ),
    Persona(
        key="marcus",
        name="Marcus",
        role="Trainer",
        gender="male",
        kind="studio_avatar",
        tags=("training", "casual"),
        default_voice="miles",
        skin="#8d5a3c",
        hair="#1d1512",
        hair_style="fade",
        outfit="crew",
        shirt="#e8eef7",
        backdrop=("#0f766e", "#14b8a6", "#99f6e4"),
        accent="#fef08a",
        iris="#2e1a10",
        facial_hair="beard",
    ),
    Persona(
        key="mei",
        name="Mei",
        role="Support guide",
        gender="female",
        kind="photo_avatar",
        tags=("support", "friendly"),
        default_voice="harper",
        skin="#f7d7bd",
        hair="#17161c",
        hair_style="long",
        outfit="vneck",
        shirt="#fb7185",
        backdrop=("#be185d", "#f472b6", "#fbcfe8"),
        accent="#fef9c3",
        orientation="portrait",
        iris="#33231b",
        lashes=True,
    ),
    Persona(
        key="leo",
        name="Leo",
        role="Founder",
        gender="male",
        kind="photo_avatar",
        tags=("business", "casual"),
        default_voice="owen",
        skin="#eec09a",
        hair="#b8743a",
        hair_style="side",
        outfit="shirt",
        shirt="#1f2a44",
        backdrop=("#1d4ed8", "#38bdf8", "#bae6fd"),
        accent="#fde68a",
        orientation="portrait",
        iris="#3f6b57",
        glasses=True,
    ),
    Persona(
        key="zara",
        name="Zara",
        role="News anchor",
        gender="female",
        kind="studio_avatar",
        tags=("news", "presenter"),
        default_voice="sienna",
        skin="#a86b45",
        hair="#241a17",
        hair_style="curly",
        outfit="vneck",
        shirt="#f59e0b",
        backdrop=("#7c2d12", "#fb923c", "#fed7aa"),
        accent="#fde68a",
        iris="#3a2417",
        lashes=True,
        earrings=True,
    ),
    Persona(
        key="noor",
        name="Noor",
        role="Teacher",
        gender="female",
        kind="photo_avatar",
        tags=("education", "friendly"),
        default_voice="nora",
        skin="#e3b48c",
        hair="#0f766e",
        hair_style="hijab",
        outfit="crew",
        shirt="#134e4a",
        backdrop=("#334155", "#64748b", "#cbd5e1"),
        accent="#a7f3d0",
        orientation="square",
        iris="#4b3320",
        glasses=True,
        lashes=True,
    ),
    Persona(
        key="walter",
        name="Walter",
        role="Financial adviser",
        gender="male",
        kind="studio_avatar",
        tags=("finance", "business"),
        default_voice="grant",
        skin="#f0c8ae",
        hair="#c9ccd3",
        hair_style="swept",
        outfit="suit",
        shirt="#f8fafc",
        backdrop=("#1e293b", "#475569", "#93c5fd"),
        accent="#fcd34d",
        coat="#3f4654",
        iris="#476a8a",
        facial_hair="moustache",
        glasses=True,
    ),
    Persona(
        key="sofia",
        name="Sofia",
        role="Creator",
        gender="female",
        kind="digital_twin",
        tags=("social", "creator"),
        default_voice="sienna",
        skin="#e9b892",
        hair="#7a3b1d",
        hair_style="bun",
        outfit="turtleneck",
        shirt="#166534",
        backdrop=("#3f6212", "#84cc16", "#ecfccb"),
        accent="#fef08a",
        orientation="portrait",
        iris="#3f6b3a",
        lashes=True,
        earrings=True,
    ),
    Persona(
        key="kenji",
        name="Kenji",
        role="Developer advocate",
        gender="male",
        kind="digital_twin",
        tags=("technology", "casual"),
        default_voice="miles",
        skin="#f3cfa8",
        hair="#20222b",
        hair_style="crop",
        outfit="hoodie",
        shirt="#ef4444",
        backdrop=("#0c4a6e", "#0891b2", "#a5f3fc"),
        accent="#fde047",
        iris="#2b1d16",
    ),
)

PERSONAS: dict[str, Persona] = {persona.key: persona for persona in _PERSONAS}

"""From the body of an order to a plan: checked beyond the schema, with its media fetched and its price."""

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from genvid.sandbox.api_errors import ApiError, refuse
from genvid.sandbox.heygen import directives, looks_and_voices, media_input, wallet
from genvid.sandbox.heygen.heygen_core import HeyGenCore
from genvid.sandbox.heygen.looks_and_voices import Look
from genvid.sandbox.renderer.script import estimate_seconds, speakable

JSON = dict[str, Any]
SHORT_SIDE = {"720p": 720, "1080p": 1080, "4k": 2160}
RATIOS = {"16:9": (16, 9), "9:16": (9, 16), "4:5": (4, 5), "5:4": (5, 4), "1:1": (1, 1)}
ORIENTATION_RATIOS = {"landscape": "16:9", "portrait": "9:16", "square": "1:1"}
STILL_SECONDS = 5.0  # what an own recording or a plain picture is estimated at
EXPRESSIVE = {"studio_avatar": False, "photo_avatar": True, "digital_twin": False}


@dataclass
class Plan:
    """A video to make. `rate` is the dearest scene's, in micro-dollars a second."""

    script: str = ""
    words: JSON = field(default_factory=dict)
    scenes: list[JSON] = field(default_factory=list)
    rate: int = 0
    seconds: float = 0.0
    fixed: int | None = None
    captions: bool = False

    def job(self) -> JSON:
        estimate = self.fixed if self.fixed is not None else round(self.rate * self.seconds)
        return {**asdict(self), "estimate": estimate}


@dataclass(frozen=True)
class Frame:
    width: int
    height: int
    resolution: str | None
    burn_captions: bool


async def plan_of(core: HeyGenCore, body: JSON) -> Plan:
    makers = {"avatar": _single, "image": _single, "cinematic_avatar": _cinematic, "studio": _studio}
    return await makers[body["type"]](core, body)


async def _single(core: HeyGenCore, body: JSON) -> Plan:
    _check_output(body)
    plan = _blank(body)
    look = _usable_look(core, body["avatar_id"]) if body["type"] == "avatar" else None
    await _add_scene(core, plan, body, _frame(body, look), look, prefix="")
    return plan


async def _studio(core: HeyGenCore, body: JSON) -> Plan:
    plan, frame = _blank(body), _frame(body, None)
    for number, scene in enumerate(body["scenes"]):
        prefix = f"scenes.{number}."
        if scene["type"] == "video":
            refuse(prefix + "type", "This sandbox renders no video scenes; use avatar_video or image")
        given, prefix = (scene["input"], prefix + "input.") if "input" in scene else (scene, prefix)
        look = _usable_look(core, given["avatar_id"]) if given["type"] == "avatar" else None
        await _add_scene(core, plan, given, frame, look, prefix=prefix)
    return plan


async def _cinematic(core: HeyGenCore, body: JSON) -> Plan:
    """Has a fixed price. The first avatar speaks the prompt."""
    if body.get("aspect_ratio", "16:9") not in ("16:9", "9:16", "1:1"):
        refuse("aspect_ratio", "aspect_ratio must be 16:9, 9:16 or 1:1")
    if body.get("auto_duration") and body.get("duration") is not None:
        refuse("duration", "duration must be omitted with auto_duration")
    found = [_usable_look(core, look_id) for look_id in body["avatar_id"]]
    plan = _blank(body)
    given = {"type": "avatar", "script": body["prompt"]}
    await _add_scene(core, plan, given, _frame({"resolution": "720p", **body}, found[0]), found[0], prefix="")
    plan.fixed = wallet.CINEMATIC
    return plan


def _blank(body: JSON) -> Plan:
    return Plan(captions=body.get("caption") is not None)


def _check_output(body: JSON) -> None:
    background = body.get("background")
    if body.get("output_format") == "webm":
        if background:
            refuse("background", "background is not accepted with output_format webm")
        refuse("output_format", "This video avatar does not support webm output.")
    if not background:
        return
    if background["type"] == "color" and not re.fullmatch(r"#[0-9a-fA-F]{6}", background.get("value") or ""):
        refuse("background.value", "background.value must be a hex color like #RRGGBB")
    if background["type"] == "image" and bool(background.get("url")) == bool(background.get("asset_id")):
        refuse("background", "An image background needs exactly one of url and asset_id")


def _frame(body: JSON, look: Look | None) -> Frame:
    ratio = body.get("aspect_ratio") or "16:9"
    if ratio == "auto":
        ratio = ORIENTATION_RATIOS[look.orientation] if look else "16:9"
    across, down = RATIOS[ratio]
    resolution = body.get("resolution")
    unit = SHORT_SIDE[resolution or "1080p"] / min(across, down)
    captions = bool((body.get("caption") or {}).get("style"))
    return Frame(round(unit * across / 2) * 2, round(unit * down / 2) * 2, resolution, captions)


def _usable_look(core: HeyGenCore, look_id: str) -> Look:
    look = looks_and_voices.find_look(core.store, look_id)
    if look.status == "pending_consent":
        raise ApiError("avatar_consent_required", "This avatar's owner has not given consent", param="avatar_id")
    if not look.usable:
        raise ApiError("resource_not_ready", f"Avatar {look_id} is still processing", param="avatar_id")
    return look


async def _add_scene(
    core: HeyGenCore, plan: Plan, given: JSON, frame: Frame, look: Look | None, *, prefix: str
) -> None:
    engine = _engine(given, look, prefix)
    audio = await _audio(core, given, prefix)
    spoken = _script(plan, given, prefix, silent=look is None and bool(given.get("duration")))
    picture = await _picture(core, given, look, prefix)
    settings = given.get("voice_settings") or {}
    persona = look.persona if look else looks_and_voices.public_looks()[0].persona
    scene = {
        "script": spoken or _silence(given),
        "persona": persona,
        "voice": _voice(core, given, look, prefix, needed=bool(spoken)),
        "width": frame.width,
        "height": frame.height,
        "burn_captions": frame.burn_captions and bool(spoken),
        "speed": settings.get("speed", 1),
        "pitch": settings.get("pitch", 0),
        "volume": settings.get("volume", 1) if spoken or audio else 0,
        "audio": audio,
        "image": picture,
        **await _background(core, given.get("background"), prefix),
    }
    plan.scenes.append(scene)
    plan.seconds += estimate_seconds(spoken, scene["speed"]) if spoken else STILL_SECONDS
    plan.rate = max(plan.rate, _rate(given, look, engine, frame.resolution))


def _silence(given: JSON) -> str:
    """A script for scenes without one: the renderer needs words, but the volume is zero."""
    return f'Scene. <break time="{min(10.0, max(0.0, float(given.get("duration") or 1) - 1.5)):.1f}s"/>'


def _rate(given: JSON, look: Look | None, engine: str, resolution: str | None) -> int:
    if look is None and "source" in given:
        return wallet.NO_AVATAR
    return wallet.rate(engine, photo=look is None or look.kind == "photo_avatar", resolution=resolution)


def _engine(given: JSON, look: Look | None, prefix: str) -> str:
    chosen = (given.get("engine") or {}).get("type", "avatar_iv")
    if look is not None and chosen not in look.engines:
        refuse(
            prefix + "engine",
            f"Engine {chosen} is not supported by avatar {look.id}: {', '.join(look.engines)}",
        )
    photo = look is None or EXPRESSIVE[look.kind]
    if given.get("expressiveness") and not (photo and chosen == "avatar_iv"):
        refuse(prefix + "expressiveness", "expressiveness is for photo avatars on engine avatar_iv")
    if given.get("motion_prompt") and not (photo or chosen == "avatar_v"):
        refuse(prefix + "motion_prompt", "motion_prompt is not supported by this avatar and engine")
    return str(chosen)


async def _audio(core: HeyGenCore, given: JSON, prefix: str) -> str | None:
    sources = [name for name in ("script", "audio_url", "audio_asset_id") if given.get(name)]
    timed = given.get("duration") is not None and "source" in given
    if len(sources) + timed != 1:
        choices = (
            "duration, script, audio_url and audio_asset_id"
            if "source" in given
            else "script, audio_url and audio_asset_id"
        )
        refuse(prefix + "script", f"Exactly one of {choices} is required")
    if timed or sources == ["script"]:
        return None
    source = _source(given.get("audio_url"), given.get("audio_asset_id"))
    return await _file(core, source, param=prefix + sources[0], kind="audio")


def _source(url: str | None, asset_id: str | None) -> JSON:
    return {"type": "url", "url": url} if url else {"type": "asset_id", "asset_id": asset_id}


async def _file(core: HeyGenCore, source: JSON, *, param: str, kind: str) -> str:
    return str(core.links.asset(await media_input.local_file(core, source, param=param, kind=kind)))


def _script(plan: Plan, given: JSON, prefix: str, *, silent: bool) -> str:
    """Adds the script and its directives to the plan, and returns what is spoken."""
    spoken, words = directives.split(given.get("script") or "")
    if given.get("script") and not speakable(spoken):
        raise ApiError("tts_text_invalid", "The script has nothing that can be spoken", param=prefix + "script")
    plan.words |= directives.for_render(words)
    plan.script = " ".join(filter(None, (plan.script, given.get("script"))))
    return "" if silent else spoken


def _voice(core: HeyGenCore, given: JSON, look: Look | None, prefix: str, *, needed: bool) -> str:
    voice_id = given.get("voice_id") or (look.voice_id if look else None)
    if voice_id is None and needed:
        refuse(prefix + "voice_id", "voice_id is required with script")
    settings = (given.get("voice_settings") or {}).get("engine_settings") or {}
    if settings.get("engine_type", "starfish") != "starfish":
        refuse(
            prefix + "voice_settings.engine_settings",
            "The voice is not backed by this engine, but by starfish",
        )
    voice = looks_and_voices.find_voice(core.store, voice_id) if voice_id else looks_and_voices.public_voices()[0]
    if voice.status == "processing":
        raise ApiError("resource_not_ready", f"Voice {voice_id} is still processing", param=prefix + "voice_id")
    return voice.profile


async def _picture(core: HeyGenCore, given: JSON, look: Look | None, prefix: str) -> str | None:
    if look is not None:
        return str(core.links.asset(look.image)) if look.image else None
    name = "image" if "image" in given else "source" if "source" in given else None
    if name is None:
        return None
    return await _file(core, given[name], param=prefix + name, kind="image")


async def _background(core: HeyGenCore, background: JSON | None, prefix: str) -> JSON:
    if not background:
        return {}
    if background["type"] == "color":
        return {"color": background.get("value") or background.get("color")}
    source = _source(background.get("url"), background.get("asset_id"))
    return {"backdrop": await _file(core, source, param=prefix + "background", kind="image")}

"""Orders with the test key: free, watermarked, with a stand-in for whoever this sandbox does not have.

HeyGen's v3 has nothing like it. It lets an operator sell test keys: genvid sends those orders to a sandbox, whose
catalogue is not HeyGen's.
"""

from hashlib import sha256
from typing import Any

from genvid.sandbox.api_errors import ApiError
from genvid.sandbox.heygen import looks_and_voices
from genvid.sandbox.heygen.heygen_core import HeyGenCore
from genvid.sandbox.heygen.looks_and_voices import Voice
from genvid.sandbox.heygen.render_plans import Plan

WATERMARK = "TEST"


def with_stand_ins(core: HeyGenCore, body: dict[str, Any]) -> dict[str, Any]:
    """The order with a stand-in for an unknown avatar or voice; the same id gets the same stand-in."""
    if body["type"] != "avatar":
        return body
    changes: dict[str, Any] = {}
    if not _has(looks_and_voices.find_look, core, body["avatar_id"]):
        changes["avatar_id"] = _stand_in(body["avatar_id"], _looks_for(body))
    if body.get("voice_id") and not _has(looks_and_voices.find_voice, core, body["voice_id"]):
        changes["voice_id"] = _stand_in(body["voice_id"], [voice.id for voice in looks_and_voices.public_voices()])
    return body | changes


def voice_of(core: HeyGenCore, wanted: str) -> Voice:
    """A voice of this sandbox, or a stand-in for one of HeyGen's."""
    known = [voice.id for voice in looks_and_voices.public_voices()]
    found = wanted if _has(looks_and_voices.find_voice, core, wanted) else _stand_in(wanted, known)
    return looks_and_voices.find_voice(core.store, found)


def mark(plan: Plan) -> None:
    plan.fixed = 0
    for scene in plan.scenes:
        scene["watermark"] = WATERMARK


def _has(find: Any, core: HeyGenCore, wanted: str) -> bool:
    try:
        find(core.store, wanted)
    except ApiError:
        return False
    return True


def _looks_for(body: dict[str, Any]) -> list[str]:
    engine = (body.get("engine") or {}).get("type")
    able = [look.id for look in looks_and_voices.public_looks() if engine is None or engine in look.engines]
    return able or [look.id for look in looks_and_voices.public_looks()]


def _stand_in(wanted: str, candidates: list[str]) -> str:
    return candidates[int.from_bytes(sha256(wanted.encode()).digest()[:4]) % len(candidates)]

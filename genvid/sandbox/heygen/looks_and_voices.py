"""The avatars and voices on offer: the renderer's under opaque ids, and the account's own."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from genvid.sandbox.api_errors import ApiError
from genvid.sandbox.renderer.personas import PERSONAS
from genvid.sandbox.renderer.voice_profiles import VOICES
from genvid.sandbox.runtime_settings import StoredSettings
from genvid.sandbox.store import Store

PUBLISHED_AT = 1_735_689_600  # the start of 2025; the public catalogue never changes
ENGINES = {
    "studio_avatar": ["avatar_iv", "avatar_iii"],
    "photo_avatar": ["avatar_iv", "avatar_iii"],
    "digital_twin": ["avatar_v", "avatar_iv", "avatar_iii"],
}
MAKING_FAILURES = {
    "training_failed": "Footage is too short or too long",
    "insufficient_credit": "Insufficient credit. This operation requires 'api' credits.",
}
SIZES = {"landscape": (1920, 1080), "portrait": (1080, 1920), "square": (1080, 1080)}


@dataclass(frozen=True)
class Look:
    seq: int
    id: str
    group_id: str
    name: str
    kind: str
    persona: str
    width: int
    height: int
    tags: Sequence[str] = ()
    image: str | None = None  # the asset that was uploaded for it
    private: bool = False
    consent: str | None = None
    created_at: float = PUBLISHED_AT
    ready_at: float = PUBLISHED_AT
    failure: str | None = None

    @property
    def gender(self) -> str:
        return PERSONAS[self.persona].gender

    @property
    def voice_id(self) -> str:
        return public_id("voice", PERSONAS[self.persona].default_voice)

    @property
    def orientation(self) -> str:
        if self.width == self.height:
            return "square"
        return "landscape" if self.width > self.height else "portrait"

    @property
    def engines(self) -> list[str]:
        return ENGINES[self.kind]

    @property
    def status(self) -> str | None:
        if not self.private:
            return None
        if self.consent == "pending":
            return "pending_consent"
        if self.ready_at > time.time():
            return "processing"
        return "failed" if self.failure else "completed"

    @property
    def error(self) -> dict[str, str] | None:
        return error_of(self.failure) if self.failure and self.status == "failed" else None

    @property
    def usable(self) -> bool:
        return self.status in (None, "completed")


@dataclass(frozen=True)
class Voice:
    seq: int
    id: str
    name: str
    profile: str
    language: str
    private: bool = False
    created_at: float = PUBLISHED_AT
    ready_at: float = PUBLISHED_AT
    failure: str | None = None

    @property
    def status(self) -> str | None:
        if not self.private:
            return None
        if self.ready_at > time.time():
            return "processing"
        return "failed" if self.failure else "complete"

    @property
    def failure_message(self) -> str | None:
        return error_of(self.failure)["message"] if self.failure and self.status == "failed" else None


def error_of(code: str) -> dict[str, str]:
    return {"code": code, "message": MAKING_FAILURES.get(code, code.replace("_", " "))}


def drawn_failure(settings: StoredSettings) -> str | None:
    """What the making of a new look or voice will fail with; None where it succeeds."""
    if settings.fault_occurs("making_failure_rate"):
        return settings.rng.choice([*MAKING_FAILURES])
    return settings.current.making_failure


def refuse_when_full(store: Store, most: int) -> None:
    """An account at HeyGen has room for so many own looks and voices; how many is not published."""
    count = store.value("SELECT (SELECT COUNT(*) FROM looks) + (SELECT COUNT(*) FROM voices)")
    if most and count >= most:
        raise ApiError("resource_limit_reached", "You have no slots left")


def public_id(kind: str, key: str) -> str:
    return hashlib.sha256(f"sandbox {kind} {key}".encode()).hexdigest()[:32]


@cache
def public_looks() -> tuple[Look, ...]:
    return tuple(
        Look(
            seq=number,
            id=public_id("look", persona.key),
            group_id=public_id("group", persona.name),
            name=f"{persona.name}, {persona.role}",
            kind=persona.kind,
            persona=persona.key,
            width=SIZES[persona.orientation][0],
            height=SIZES[persona.orientation][1],
            tags=persona.tags,
        )
        for number, persona in enumerate(PERSONAS.values(), 1)
    )


def looks(store: Store) -> list[Look]:
    sql = """SELECT seq + 1000000 AS seq, id, group_id, name, kind, persona, width, height, image, consent, created_at,
             ready_at, failure FROM looks ORDER BY seq"""
    return [*public_looks(), *(Look(**row, private=True) for row in store.rows(sql))]


def find_look(store: Store, look_id: str) -> Look:
    for look in looks(store):
        if look.id == look_id:
            return look
    raise ApiError("avatar_not_found", f"Avatar {look_id} not found")


def group(store: Store, group_id: str) -> list[Look]:
    found = [look for look in looks(store) if look.group_id == group_id]
    if not found:
        raise ApiError("avatar_group_not_found", f"Avatar group {group_id} not found")
    return found


@cache
def public_voices() -> tuple[Voice, ...]:
    return tuple(
        Voice(number, public_id("voice", profile.key), profile.name, profile.key, profile.language)
        for number, profile in enumerate(VOICES.values(), 1)
    )


def voices(store: Store) -> list[Voice]:
    sql = "SELECT seq + 1000000 AS seq, id, name, profile, language, created_at, ready_at, failure FROM voices"
    return [*public_voices(), *(Voice(**row, private=True) for row in store.rows(sql))]


def find_voice(store: Store, voice_id: str) -> Voice:
    for voice in voices(store):
        if voice.id == voice_id:
            return voice
    raise ApiError("voice_not_found", f"Voice {voice_id} not found")

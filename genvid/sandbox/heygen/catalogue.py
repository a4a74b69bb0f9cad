"""The avatars and voices on offer: the renderer's, under opaque ids, and the account's own."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from genvid.sandbox.errors import ApiError
from genvid.sandbox.renderer.catalogue import PERSONAS, VOICES
from genvid.sandbox.store import Row, Store

PUBLISHED_AT = 1_735_689_600  # the start of 2025; the public catalogue never changes
ENGINES = {
    "studio_avatar": ["avatar_iv", "avatar_iii"],
    "photo_avatar": ["avatar_iv", "avatar_iii"],
    "digital_twin": ["avatar_v", "avatar_iv", "avatar_iii"],
}
SIZES = {"landscape": (1920, 1080), "portrait": (1080, 1920), "square": (1080, 1080)}


@dataclass(frozen=True)
class Look:
    seq: int
    id: str
    group_id: str
    name: str
    kind: str
    gender: str
    persona: str
    voice_id: str
    orientation: str
    size: tuple[int, int]
    tags: tuple[str, ...] = ()
    image: str | None = None  # the asset that was uploaded for it
    private: bool = False
    consent: str | None = None
    created_at: float = PUBLISHED_AT
    ready_at: float = PUBLISHED_AT

    @property
    def engines(self) -> list[str]:
        return ENGINES[self.kind]

    @property
    def status(self) -> str | None:
        if not self.private:
            return None
        if self.consent == "pending":
            return "pending_consent"
        return "completed" if self.ready_at <= time.time() else "processing"

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

    @property
    def status(self) -> str | None:
        if not self.private:
            return None
        return "complete" if self.ready_at <= time.time() else "processing"


def public_id(kind: str, key: str) -> str:
    """Opaque, and the same for ever."""
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
            gender=persona.gender,
            persona=persona.key,
            voice_id=public_id("voice", persona.default_voice),
            orientation=persona.orientation,
            size=SIZES[persona.orientation],
            tags=tuple(persona.tags),
        )
        for number, persona in enumerate(PERSONAS.values(), 1)
    )


def private_looks(store: Store) -> Iterator[Look]:
    for row in store.rows("SELECT * FROM looks ORDER BY seq"):
        yield _own_look(row)


def _own_look(row: Row) -> Look:
    persona = PERSONAS[row["persona"]]
    width, height = row["width"], row["height"]
    return Look(
        seq=1_000_000 + row["seq"],
        id=row["id"],
        group_id=row["group_id"],
        name=row["name"],
        kind=row["kind"],
        gender=persona.gender,
        persona=persona.key,
        voice_id=public_id("voice", persona.default_voice),
        orientation="square" if width == height else "landscape" if width > height else "portrait",
        size=(width, height),
        image=row["image"],
        private=True,
        consent=row["consent"],
        created_at=row["created_at"],
        ready_at=row["ready_at"],
    )


def looks(store: Store) -> list[Look]:
    return [*public_looks(), *private_looks(store)]


def find_look(store: Store, look_id: str) -> Look:
    for look in looks(store):
        if look.id == look_id:
            return look
    raise ApiError("avatar_not_found", f"Avatar {look_id} not found")


def group(store: Store, group_id: str) -> list[Look]:
    """The looks of a group; there is no group without one."""
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


def private_voices(store: Store) -> Iterator[Voice]:
    for row in store.rows("SELECT * FROM voices ORDER BY seq"):
        yield Voice(
            seq=1_000_000 + row["seq"],
            id=row["id"],
            name=row["name"],
            profile=row["profile"],
            language=row["language"] or VOICES[row["profile"]].language,
            private=True,
            created_at=row["created_at"],
            ready_at=row["ready_at"],
        )


def voices(store: Store) -> list[Voice]:
    return [*public_voices(), *private_voices(store)]


def find_voice(store: Store, voice_id: str) -> Voice:
    for voice in voices(store):
        if voice.id == voice_id:
            return voice
    raise ApiError("voice_not_found", f"Voice {voice_id} not found")

"""The avatar and voice of an order, as offered to its account: read each time, since withdrawals hold at once."""

from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

from avatars.models import Avatar, Voice
from genvid.compiled_queries import CompiledQuery

AVATAR = ("id", "status", "is_available", "is_own", "is_test", "kind", "default_voice_id", "engines")
VOICE = ("id", "status", "name", "is_available", "is_own", "is_test", "language", "supports_pause")
"""Both in the order of the model's columns; others are read on access."""


def offered_cast(account_id: UUID, avatar_id: UUID, voice_id: UUID | None) -> tuple[Avatar | None, Voice | None]:
    """Both as far as they are offered to the account; without `voice_id`, the avatar's own voice. One query.

    Includes retired ones, and those of the account that are not ready. Without the avatar, the voice is None too.
    """
    named = {"account_id": account_id, "avatar_id": avatar_id}
    found = _with_voice.rows(**named, voice_id=voice_id) if voice_id else _with_own_voice.rows(**named)
    if not found:
        return None, None
    *avatar, voice = found[0]
    return Avatar.from_db(DEFAULT_DB_ALIAS, AVATAR, avatar), _voice_of(voice)


def offered_voice(account_id: UUID, voice_id: UUID) -> Voice | None:
    """As far as it is offered to the account. Includes retired ones, and those of the account that are not ready."""
    voice: Voice | None = Voice.objects.offered_to(account_id).filter(pk=voice_id).first()
    return voice


def _voice_of(columns: dict[str, Any] | None) -> Voice | None:
    if columns is None:
        return None
    values = columns | {"id": UUID(columns["id"])}
    return Voice.from_db(DEFAULT_DB_ALIAS, VOICE, [values[name] for name in VOICE])


def _cast(account_id: UUID, avatar_id: UUID, voice_id: Any) -> QuerySet[Avatar, Any]:
    voice = Voice.objects.offered_to(account_id).filter(pk=voice_id).order_by()
    avatar: QuerySet[Avatar] = Avatar.objects.offered_to(account_id).filter(pk=avatar_id).order_by()
    shown = Subquery(voice.values(columns=JSONObject(**{name: F(name) for name in VOICE})))
    return avatar.values_list(*AVATAR, shown)


def _own_cast(account_id: UUID, avatar_id: UUID) -> QuerySet[Avatar, Any]:
    return _cast(account_id, avatar_id, OuterRef("default_voice_id"))


_with_voice = CompiledQuery(_cast)
_with_own_voice = CompiledQuery(_own_cast)

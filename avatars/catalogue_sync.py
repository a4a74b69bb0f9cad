"""Mirrors HeyGen's looks and voices into the catalogue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import structlog
from django.db import transaction
from django.utils import timezone

from avatars.enums import AvatarKind
from avatars.models import Avatar, CatalogueEntry, Creation, Voice
from avatars.own.copies import creation_id_in
from avatars.own.polling import shown_link
from avatars.own.presence import own_rows, read_presence, save_presence
from genvid.heygen.heygen_client import HeyGenClient
from genvid.heygen.heygen_types import Look, RemoteVoice

logger = structlog.get_logger(__name__)
BATCH_SIZE = 500
ID_LIMIT = 200
ListedT = TypeVar("ListedT", Look, RemoteVoice)


@dataclass(frozen=True)
class SyncResult:
    avatars: int
    voices: int
    retired: int


def sync_catalogue(client: HeyGenClient) -> SyncResult:
    """Mirror all pages of looks and voices. Raises HeyGenError, and then nothing has changed."""
    # Everything is read before anything is written: an incomplete list would retire the missing rows.
    voices, looks = list(client.iter_voices()), list(client.iter_looks())
    if not voices or not looks:
        logger.error("catalogue_empty", voices=len(voices), looks=len(looks))
        return SyncResult(0, 0, 0)
    spoken = {look.default_voice_id for look in looks if creation_id_in(look.name)}
    voices = [voice for voice in voices if not (voice.is_private and voice.id in spoken)]
    own = own_rows()
    changes = read_presence(client, own, looks, voices)
    looks, voices = _without_own(own[Avatar], looks), _without_own(own[Voice], voices)
    filmable = [look for look in looks if _is_filmable(look)]
    voices = [voice for voice in voices if len(voice.id) <= ID_LIMIT]
    with transaction.atomic():
        # Looks in training as well: an order may already name one.
        withdrawn = _classify(Avatar, looks) + _classify(Voice, voices)
        _upsert(Voice, {voice.id: _voice_fields(voice) for voice in voices})
        _upsert(Avatar, _avatar_rows(filmable))
        retired = _retire(filmable, voices)
        save_presence(changes)
    result = SyncResult(len(filmable), len(voices), retired)
    logger.info("catalogue_synced", avatars=result.avatars, voices=result.voices, retired=retired)
    if withdrawn:
        logger.warning("catalogue_entries_withdrawn", count=withdrawn)
    return result


def fill_empty_catalogue(client: HeyGenClient) -> None:
    unclassified = Avatar.objects.unclassified().exists() or Voice.objects.unclassified().exists()
    if unclassified or not Avatar.objects.shared().exists():
        sync_catalogue(client)


def _without_own(rows: Iterable[CatalogueEntry], listed: "list[ListedT]") -> "list[ListedT]":
    """Without what customers have made here: known by the id, of `rows` and more, or, before it is stored, by name."""
    ids = Creation.objects.exclude(provider_object_id="").values_list("provider_object_id", "provider_group_id")
    own = set(chain.from_iterable(ids)) - {""}
    known = {row.provider_id for row in rows}
    return [each for each in listed if not (_ids_of(each) & (own | known)) and creation_id_in(each.name) is None]


def _ids_of(listed: Look | RemoteVoice) -> set[str]:
    return {listed.id, (listed.group_id or listed.id) if isinstance(listed, Look) else listed.id}


def _is_filmable(look: Look) -> bool:
    """HeyGen also lists looks that are still being trained, and kinds that are unknown here."""
    return look.kind in AvatarKind.values and look.is_ready and len(look.id) <= ID_LIMIT


def _classify(model: type[CatalogueEntry], listed: Iterable[Look | RemoteVoice]) -> int:
    """Update whether existing rows are private. Returns how many were withdrawn from clients."""
    owned = {each.id: each.is_private for each in listed}
    # HeyGen does not render what it no longer lists, so these rows need no protection. They stay retired.
    model.objects.shared().filter(is_private=None).exclude(provider_id__in=owned).update(is_private=False)
    model.objects.classify([key for key, is_private in owned.items() if not is_private], is_private=False)
    return model.objects.classify([key for key, is_private in owned.items() if is_private], is_private=True)


def _retire(looks: Iterable[Look], voices: Iterable[RemoteVoice]) -> int:
    missing_looks = Avatar.objects.retire_missing({look.id for look in looks})
    return missing_looks + Voice.objects.retire_missing({voice.id for voice in voices})


def _upsert(model: type[CatalogueEntry], rows: dict[str, dict[str, Any]]) -> None:
    if not rows:
        return
    now = timezone.now()
    entries = [
        # New rows only: `_classify` and staff decide whether existing ones are released.
        model(provider_id=key, is_released=not row["is_private"], is_available=True, updated_at=now, **row)
        for key, row in rows.items()
    ]
    names = [*next(iter(rows.values())), "is_available", "updated_at"]
    model.objects.bulk_create(
        entries, batch_size=BATCH_SIZE, update_conflicts=True, unique_fields=["provider_id"], update_fields=names
    )


def _voice_fields(voice: RemoteVoice) -> dict[str, Any]:
    return {
        "name": voice.name[:200],
        "gender": (voice.gender or "").lower()[:20],
        "language": voice.language[:100],
        "preview_audio_url": shown_link(voice.preview_audio_url),
        "supports_pause": voice.supports_pause,
        "supports_locale": voice.supports_locale,
        "is_private": voice.is_private,
    }


def _avatar_rows(looks: Iterable[Look]) -> dict[str, dict[str, Any]]:
    voices = dict(Voice.objects.shared().values_list("provider_id", "pk"))
    return {look.id: _avatar_fields(look, voices) for look in looks}


def _avatar_fields(look: Look, voices: Mapping[str | None, Any]) -> dict[str, Any]:
    return {
        "name": look.name[:200],
        "gender": (look.gender or "").lower()[:20],
        "kind": look.kind,
        "default_voice_id": voices.get(look.default_voice_id or ""),
        "preview_image_url": shown_link(look.preview_image_url),
        "preview_video_url": shown_link(look.preview_video_url),
        "engines": list(look.engines),
        "orientation": (look.orientation or "")[:20],
        "tags": list(look.tags),
        "is_private": look.is_private,
    }

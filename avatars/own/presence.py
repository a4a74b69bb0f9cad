"""Whether own faces and voices are still at HeyGen, asked with every sync of the catalogue, and their fresh links."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.utils import timezone

from avatars.enums import EntryStatus
from avatars.models import Avatar, CatalogueEntry, Voice
from avatars.own.polling import shown_link
from genvid import database_clock
from genvid.heygen.avatar_making import AvatarMaker
from genvid.heygen.heygen_client import HeyGenClient
from genvid.heygen.heygen_errors import NotFound
from genvid.heygen.heygen_types import Look, RemoteVoice

logger = structlog.get_logger(__name__)
FRESH = timedelta(hours=1)
"""HeyGen may list a new object late."""
LINKS: dict[type[CatalogueEntry], Sequence[str]] = {
    Avatar: ("preview_image_url", "preview_video_url"),
    Voice: ("preview_audio_url",),
}


OwnRows = dict[type[CatalogueEntry], list[Any]]


@dataclass(frozen=True)
class Present:
    """Rows that differ from what HeyGen says, changed in memory. `gone`: how many it has no more."""

    changed: OwnRows
    gone: int


def own_rows() -> OwnRows:
    """All that HeyGen ever gave an id, deleted ones too. Two queries."""
    with_id: Any = {model: model.objects.filter(is_own=True, provider_id__isnull=False) for model in LINKS}
    return {model: list(rows.select_related("creation")) for model, rows in with_id.items()}


def read_presence(client: HeyGenClient, own: OwnRows, looks: Iterable[Look], voices: Iterable[RemoteVoice]) -> Present:
    """Compare the ready ones of `own` with HeyGen's complete lists. Outside any transaction. Raises HeyGenError.

    What is not listed is asked for by its id before it counts as gone.
    """
    maker = AvatarMaker(client)
    compared = [
        _compare(Avatar, own[Avatar], {look.id: look for look in looks}, maker.get_look),
        _compare(Voice, own[Voice], {voice.id: voice for voice in voices}, maker.get_voice),
    ]
    changed = dict(zip(LINKS, compared, strict=True))
    return Present(changed, sum(not row.is_available for rows in compared for row in rows))


def save_presence(found: Present) -> None:
    """As for shared rows: what is gone is refused when it is ordered with, and what is back is taken again."""
    for model, rows in found.changed.items():
        for row in rows:
            # Not one that was deleted meanwhile, which is withdrawn for good.
            changes = {name: getattr(row, name) for name in ("is_available", *LINKS[model])}
            model.objects.filter(pk=row.pk, is_released=True).update(updated_at=timezone.now(), **changes)
    if found.gone:
        logger.warning("own_entries_gone", count=found.gone)


def _compare(
    model: type[CatalogueEntry], rows: Iterable[Any], listed: dict[str, Any], find: Callable[[str], Any]
) -> list[Any]:
    """Those that differ, changed in memory."""
    before = database_clock.now() - FRESH
    settled = [row for row in rows if _is_settled(row) and row.creation.ready_at < before]
    return [row for row in settled if _differs(model, row, listed.get(row.provider_id), find)]


def _is_settled(row: Any) -> bool:
    return row.status == EntryStatus.READY and row.is_released and not row.is_test and row.creation.deleted_at is None


def _differs(model: type[CatalogueEntry], row: Any, found: Any, find: Callable[[str], Any]) -> bool:
    before = [row.is_available, *(getattr(row, name) for name in LINKS[model])]
    row.is_available = found is not None or (row.is_available and _is_there(row.provider_id, find))
    if found is not None:
        for name in LINKS[model]:
            setattr(row, name, shown_link(getattr(found, name)))
    return before != [row.is_available, *(getattr(row, name) for name in LINKS[model])]


def _is_there(provider_id: str, find: Callable[[str], Any]) -> bool:
    try:
        find(provider_id)
    except NotFound:
        return False
    return True

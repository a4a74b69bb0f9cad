"""Whether own faces and voices are still at HeyGen, asked with every sync of the catalogue, and their fresh links."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from django.utils import timezone

from avatars.enums import EntryStatus
from avatars.models import Avatar, CatalogueEntry, Voice
from avatars.own.polling import shown_link
from genvid import database_clock
from genvid.heygen.avatar_making import AvatarMaker
from genvid.heygen.heygen_client import HeyGenClient
from genvid.heygen.heygen_errors import HeyGenError, NotFound, Refused
from genvid.heygen.heygen_types import Look, RemoteVoice

logger = structlog.get_logger(__name__)
FRESH = timedelta(hours=1)
"""HeyGen may list a new object late."""
MAX_ASKED = 200
"""By id in one sync; the others are asked about in a later one."""
MAX_UNANSWERED = 5
"""So often HeyGen may say nothing definite in one sync."""
GONE_CODES = frozenset({"avatar_expired", "avatar_not_usable", "resource_access_denied", "voice_not_usable",
                        "voice_unavailable"})  # fmt: skip
"""Refusals of a look or voice that no video can use any more."""
LINKS: dict[type[CatalogueEntry], Sequence[str]] = {
    Avatar: ("preview_image_url", "preview_video_url"),
    Voice: ("preview_audio_url",),
}
OwnRows = dict[type[CatalogueEntry], list[Any]]


@dataclass(frozen=True)
class PresenceChanges:
    """Rows that differ from what HeyGen says, changed in memory. `gone`: how many it has no more."""

    changed: OwnRows
    gone: int


def own_rows() -> OwnRows:
    """All that HeyGen ever gave an id, deleted ones too. Two queries."""
    with_id: Any = {model: model.objects.filter(is_own=True, provider_id__isnull=False) for model in LINKS}
    return {model: list(rows.select_related("creation")) for model, rows in with_id.items()}


def read_presence(
    client: HeyGenClient, own: OwnRows, looks: Iterable[Look], voices: Iterable[RemoteVoice]
) -> PresenceChanges:
    """Compare the ready ones of `own` with HeyGen's complete lists. Outside any transaction.

    What is not listed is asked for by its id before it counts as gone. One of which HeyGen says nothing definite stays
    as it is: a customer's avatar must not stop the sync of what all use.
    """
    maker, questions = AvatarMaker(client), _Questions()
    compared = [
        _compare(Avatar, own[Avatar], {look.id: look for look in looks}, partial(questions.is_there, maker.get_look)),
        _compare(
            Voice, own[Voice], {voice.id: voice for voice in voices}, partial(questions.is_there, maker.get_voice)
        ),
    ]
    changed = dict(zip(LINKS, compared, strict=True))
    return PresenceChanges(changed, sum(not row.is_available for rows in compared for row in rows))


def save_presence(found: PresenceChanges) -> None:
    """As for shared rows: what is gone is refused when it is ordered with, and what is back is taken again."""
    for model, rows in found.changed.items():
        for row in rows:
            # Not one that was deleted meanwhile, which is withdrawn for good.
            changes = {name: getattr(row, name) for name in ("is_available", *LINKS[model])}
            model.objects.filter(pk=row.pk, is_released=True).update(updated_at=timezone.now(), **changes)
    if found.gone:
        logger.warning("own_entries_gone", count=found.gone)


def _compare(
    model: type[CatalogueEntry], rows: Iterable[Any], listed: dict[str, Any], is_there: Callable[[str], bool]
) -> list[Any]:
    """Those that differ, changed in memory."""
    before = database_clock.now() - FRESH
    settled = [row for row in rows if _is_settled(row) and row.creation.ready_at < before]
    # In any order: where too many are to be asked about, others have their turn with the next sync.
    random.shuffle(settled)
    return [row for row in settled if _differs(model, row, listed.get(row.provider_id), is_there)]


def _is_settled(row: Any) -> bool:
    return row.status == EntryStatus.READY and row.is_released and not row.is_test and row.creation.deleted_at is None


def _differs(model: type[CatalogueEntry], row: Any, found: Any, is_there: Callable[[str], bool]) -> bool:
    before = [row.is_available, *(getattr(row, name) for name in LINKS[model])]
    row.is_available = found is not None or (row.is_available and is_there(row.provider_id))
    if found is not None:
        for name in LINKS[model]:
            setattr(row, name, shown_link(getattr(found, name)))
    return before != [row.is_available, *(getattr(row, name) for name in LINKS[model])]


@dataclass
class _Questions:
    """Asks HeyGen about single objects, only so often in one sync."""

    left: int = field(default_factory=lambda: MAX_ASKED)
    unanswered: int = 0

    def is_there(self, find: Callable[[str], Any], provider_id: str) -> bool:
        """True as well where HeyGen says nothing definite, or was asked often enough."""
        if self.left == 0 or self.unanswered == MAX_UNANSWERED:
            return True
        self.left -= 1
        try:
            find(provider_id)
        except NotFound:
            return False
        except HeyGenError as error:
            if isinstance(error, Refused) and error.code in GONE_CODES:
                return False
            self.unanswered += 1
            logger.warning("own_entry_not_read", provider_id=provider_id, error=str(error))
        return True

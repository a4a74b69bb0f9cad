"""Finds copies at HeyGen that no avatar or voice needs: made twice, of failed orders, or of deleted ones."""

from collections.abc import Iterable, Iterator
from itertools import islice
from uuid import UUID

import structlog
from django.conf import settings

from avatars.enums import EntryStatus
from avatars.models import Creation
from avatars.own import alarms, copies
from avatars.own.copies import NamedCopy
from genvid.heygen import gate
from genvid.heygen.avatar_making import AvatarMaker
from genvid.heygen.heygen_client import get_client, get_test_client
from genvid.heygen.heygen_errors import HeyGenError

logger = structlog.get_logger(__name__)
CHUNK = 200
ENDED = (EntryStatus.FAILED, EntryStatus.REFUSED)


def remove_orphans() -> int:
    """Of both renderers. Returns how many were removed; what could not be is found by the next run."""
    removed = _remove_orphans_of(AvatarMaker(get_client())) if gate.is_open() else 0
    if settings.TEST_RENDERER_URL:
        removed += _remove_orphans_of(AvatarMaker(get_test_client()))
    return removed


def _remove_orphans_of(maker: AvatarMaker) -> int:
    removed = 0
    try:
        for named in list(_needless(copies.iter_all(maker))):
            copies.delete(named.copy, maker, is_voice=named.is_voice)
            removed += 1
            logger.warning("orphan_removed", creation=str(named.creation_id), object_id=named.copy.object_id)
    except HeyGenError as error:
        logger.warning("orphans_not_removed", error=str(error))
    return removed


def _needless(found: Iterator[NamedCopy]) -> Iterator[NamedCopy]:
    unknown = 0
    while chunk := list(islice(found, CHUNK)):
        known = _known(each.creation_id for each in chunk)
        for named in chunk:
            creation = known.get(named.creation_id)
            if creation is None:
                unknown += 1
            elif _is_needless(named, creation):
                yield named
    if unknown:
        text = (
            f"HeyGen's account has {unknown} faces or voices with our marker that this installation does not know. "
            "They may belong to another installation with the same key, so they were left alone."
        )
        alarms.alarm(alarms.UNKNOWN_COPIES, "", text)


def _known(ids: Iterable[UUID]) -> dict[UUID, Creation]:
    return {creation.pk: creation for creation in Creation.objects.filter(pk__in=set(ids))}


def _is_needless(named: NamedCopy, creation: Creation) -> bool:
    if creation.deleted_at is not None or creation.status in ENDED:
        # One that is not removed yet may still be needed by a video; its own removal waits for that.
        return creation.removed_at is not None
    is_current = named.copy.object_id == creation.provider_object_id
    # While an order is unanswered its copy is not known yet.
    return bool(creation.provider_object_id) and not is_current and not _shares_group(named, creation)


def _shares_group(named: NamedCopy, creation: Creation) -> bool:
    """Deleting it would delete the group of the one that is needed."""
    return bool(named.copy.group_id) and named.copy.group_id == creation.provider_group_id

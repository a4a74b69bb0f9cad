"""The kind of an avatar, on which the price of a second depends."""

from uuid import UUID

from avatars.models import Avatar
from genvid.process_cache import Remembered

REMEMBERED_SECONDS = 5.0
_kinds = Remembered(dict[UUID, str], REMEMBERED_SECONDS)
"""Starts again empty after that time."""


def kind_of(avatar_id: UUID) -> str:
    """Remembered by each process for REMEMBERED_SECONDS, as are the rates."""
    known = _kinds()
    if avatar_id not in known:
        known[avatar_id] = Avatar.objects.values_list("kind", flat=True).get(pk=avatar_id)
    return known[avatar_id]

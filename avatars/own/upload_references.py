"""Uploads that creations refer to; `avatars.apps` registers them with the uploads."""

from collections.abc import Collection
from uuid import UUID

from avatars.enums import PENDING
from avatars.models import Creation


def of_creations(upload_ids: Collection[UUID]) -> set[UUID]:
    """Named by a creation that is not made yet: a made face needs its picture no more. One query."""
    pending = Creation.objects.filter(upload__in=upload_ids, status__in=PENDING, deleted_at=None)
    return set(pending.order_by().values_list("upload_id", flat=True))

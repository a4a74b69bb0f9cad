"""HeyGen's webhooks about faces: hints to look sooner, never the truth."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from avatars import jobs
from avatars.enums import EntryStatus
from avatars.models import Creation
from genvid.heygen.avatar_making import ids_in_event
from genvid.jobs import enqueue
from genvid.leasing import from_now

PREFIXES = ("instant_avatar.", "photo_avatar_generation.", "photo_avatar_train.")
EVENTS = tuple(f"{prefix}{end}" for prefix in PREFIXES for end in ("success", "fail"))
LOOKED_AT = (EntryStatus.CREATING, EntryStatus.WAITING_FOR_CONSENT)


def is_about_faces(event_type: str) -> bool:
    return event_type.startswith(PREFIXES)


def look_sooner(payload: Mapping[str, Any]) -> str:
    """Returns the outcome, in words for the record of the delivery."""
    object_id, group_id = ids_in_event(payload)
    if not object_id and not group_id:
        return "names no avatar"
    named = Q(provider_object_id=object_id) if object_id else Q()
    if group_id:
        named |= Q(provider_group_id=group_id)
    waiting = Creation.objects.exclude(provider_object_id="").filter(named, status__in=LOOKED_AT, deleted_at=None)
    ids = list(waiting.values_list("pk", flat=True))
    Creation.objects.filter(pk__in=ids, due_at__gt=from_now()).update(due_at=from_now())
    for pk in ids:
        enqueue(jobs.WORK_ON_CREATION, str(pk))
    return "looked at sooner" if ids else "no such avatar"

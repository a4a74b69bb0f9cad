"""Uploads that videos and speeches refer to; `videos.apps` registers them with the uploads."""

from collections.abc import Collection
from itertools import chain
from uuid import UUID

from django.db.models import Q

from videos.models import Speech, Video


def of_videos(upload_ids: Collection[UUID]) -> set[UUID]:
    """Named by a video that was not deleted and still has its files, or will have them. One query."""
    names = Q(picture__in=upload_ids) | Q(audio__in=upload_ids) | Q(background_upload__in=upload_ids)
    rows = Video.objects.filter(names, deleted_at=None, expired_at=None).order_by()
    return set(chain.from_iterable(rows.values_list("picture_id", "audio_id", "background_upload_id"))) & set(
        upload_ids
    )


def of_speeches(upload_ids: Collection[UUID]) -> set[UUID]:
    """The audio of a speech that is offered, or that a video may be rendered with. One query."""
    kept = Speech.objects.filter(audio__in=upload_ids).exclude(due_at=None)
    return set(kept.order_by().values_list("audio_id", flat=True))

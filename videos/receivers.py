"""News from the rooms below."""

from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.signals import account_erasing, export_requested
from videos.services import erasing, exporting


@receiver(export_requested)
def export_videos(account_ids: list[UUID], **_: Any) -> dict[str, Any]:
    return exporting.parts_of(account_ids)


@receiver(account_erasing)
def erase_videos(account_id: UUID, **_: Any) -> str:
    return erasing.erase(account_id)

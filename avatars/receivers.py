"""Receivers of the catalogue for signals of accounts."""

from typing import Any
from uuid import UUID

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from accounts.signals import account_erasing, export_requested
from avatars import releases
from avatars.catalogue_pages import forget_pages
from avatars.models import Avatar, Voice
from avatars.own import account_erasure, data_export
from avatars.uploads import privacy


@receiver(account_erasing, dispatch_uid="avatars.withdraw_from_erased")
def withdraw_from_erased(*, account_id: UUID, **_: Any) -> str:
    """Withdraw the rows released to the erased account; they stay the operator's. Returns that nothing is left."""
    releases.withdraw_all_releases(account_id)
    return ""


@receiver(account_erasing, dispatch_uid="avatars.erase_creations")
def erase_creations(*, account_id: UUID, **_: Any) -> str:
    return account_erasure.erase_creations_of(account_id)


@receiver(export_requested, dispatch_uid="avatars.export_creations")
def export_creations(*, account_ids: list[UUID], **_: Any) -> dict[str, Any]:
    return data_export.parts_of(account_ids)


@receiver(account_erasing, dispatch_uid="avatars.erase_uploads")
def erase_uploads(*, account_id: UUID, **_: Any) -> str:
    return privacy.erase_uploads_of(account_id)


@receiver(export_requested, dispatch_uid="avatars.export_uploads")
def export_uploads(*, account_ids: list[UUID], **_: Any) -> dict[str, Any]:
    return privacy.parts_of(account_ids)


for _model in (Avatar, Voice):
    post_save.connect(forget_pages, sender=_model, dispatch_uid=f"avatars.saved_{_model.__name__}")
    post_delete.connect(forget_pages, sender=_model, dispatch_uid=f"avatars.deleted_{_model.__name__}")

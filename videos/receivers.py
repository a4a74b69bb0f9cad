"""Receivers of signals that accounts and the HeyGen client send."""

from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.signals import account_erasing, export_requested
from genvid.heygen.verdicts import unknown_code
from videos import operator_alarms
from videos.lifecycle import account_erasure, data_export


@receiver(export_requested)
def export_videos(account_ids: list[UUID], **_: Any) -> dict[str, Any]:
    return data_export.parts_of(account_ids)


@receiver(account_erasing)
def erase_videos(account_id: UUID, **_: Any) -> str:
    return account_erasure.erase_videos_of(account_id)


@receiver(unknown_code)
def alarm_unknown_code(code: str, message: str, status: int | None, **_: Any) -> None:
    where = "as the reason of a failed render" if status is None else f"with status {status}"
    hint = "It was classified by its message and its status; check whether that is right."
    operator_alarms.raise_alarm(
        "unknown_provider_code", code.lower(), f'HeyGen answered {code} {where}: "{message}". {hint}'
    )

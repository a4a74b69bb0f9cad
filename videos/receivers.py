"""Receivers of signals that accounts, the HeyGen client, mail, the clock and Celery send."""

import socket
from typing import Any
from uuid import UUID

from celery.signals import task_postrun
from django.dispatch import receiver

from accounts.signals import account_erasing, export_requested
from avatars.models import CatalogueEntry
from avatars.signals import entry_withdrawn, staff_needed
from genvid import database_clock
from genvid.heygen.verdicts import unknown_code
from genvid.mail import staff_alarms
from videos import operator_alarms
from videos.lifecycle import account_erasure, data_export, withdrawn_cast
from videos.provider import outages

task_postrun.connect(outages.record_calls, dispatch_uid="videos.record_calls")


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


@receiver(staff_needed, dispatch_uid="videos.alarm_staff_needed")
def alarm_staff_needed(code: str, about: str, text: str, **_: Any) -> None:
    operator_alarms.raise_alarm(code, about, text)


@receiver(staff_alarms.raised, dispatch_uid="videos.show_staff_alarm")
def show_staff_alarm(name: str, key: str, text: str, **_: Any) -> None:
    operator_alarms.record_mailed(name, key, text)


@receiver(entry_withdrawn, dispatch_uid="videos.end_videos_of_withdrawn")
def end_videos_of_withdrawn(entry: CatalogueEntry, **_: Any) -> int:
    return withdrawn_cast.end_videos_of(entry)


@receiver(database_clock.skewed)
def alarm_clock_skew(seconds: float, **_: Any) -> None:
    host = socket.gethostname()
    text = (
        f"The clock of {host} is {abs(seconds):.1f} seconds {'ahead of' if seconds > 0 else 'behind'} the database's. "
        "Leases and deadlines go by the database's, but links, tokens and logs by each machine's own. Look at its NTP "
        "service."
    )
    operator_alarms.raise_alarm("clock_skewed", host, text)

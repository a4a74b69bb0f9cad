"""Deletes what HeyGen has of a creation that was deleted, failed or refused, once no order needs it any more."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog

from avatars.enums import CreationKind
from avatars.models import Creation, CreationEvent
from avatars.own import alarms, copies
from avatars.own.clients import maker_for, may_call
from avatars.own.copies import Copy
from avatars.signals import entry_withdrawn
from genvid import database_clock
from genvid.heygen.heygen_errors import HeyGenError, Refused
from genvid.leasing import Backoff

logger = structlog.get_logger(__name__)
RETRY = Backoff(30, 3600, jitter=0.2)
ALARM_AFTER = 8
"""Failed tries of one removal: about an hour."""
IN_USE_PAUSE = timedelta(seconds=60)
SETTLE_TIME = timedelta(minutes=10)
"""An order that was under way when its avatar was deleted may make something until then; a video too."""


def remove(creation: Creation) -> None:
    """Once at once, and once more when SETTLE_TIME is over. Raises nothing: a failed removal is repeated."""
    still_used = _users_of(creation)
    if still_used:
        creation.extend(IN_USE_PAUSE, waiting_reason=f"{still_used} videos are being rendered with it.")
        return
    if not creation.attempt:
        _settle(creation)
        return
    if not may_call(creation):
        creation.extend(IN_USE_PAUSE, waiting_reason="HeyGen is not asked at present.")
        return
    try:
        _delete_copies(creation)
    except HeyGenError as error:
        if creation.tries + 1 >= ALARM_AFTER:
            _alarm(creation, error)
        creation.retry_later(RETRY.delay(creation.tries + 1, at_least=error.retry_after or 0.0), str(error))
        return
    _settle(creation)


def remove_without_renderer(creation: Creation) -> None:
    """Of a test key, where the operator has removed the test renderer, and its faces with it."""
    _users_of(creation)
    finish(creation)


def _alarm(creation: Creation, error: HeyGenError) -> None:
    text = (
        "Faces or voices that were deleted, or failed, cannot be removed from HeyGen; it is tried again, every hour at "
        f"last. The last error, of {creation}: {error}"
    )
    alarms.alarm(alarms.REMOVAL_FAILS, "", text)


def _users_of(creation: Creation) -> int:
    """Ends what was ordered with it; how much still needs the copy at HeyGen."""
    if creation.deleted_at is None:
        return 0
    answers: Any = entry_withdrawn.send(None, entry=creation.entry)
    return sum(int(count) for _, count in answers)


def _delete_copies(creation: Creation) -> None:
    maker, is_voice = maker_for(creation), creation.kind == CreationKind.VOICE_CLONE
    known = [Copy(creation.provider_object_id, creation.provider_group_id)] if creation.provider_object_id else []
    for copy in known:
        copies.delete(copy, maker, is_voice=is_voice)
    for copy in copies.all_of(creation, maker):
        copies.delete(copy, maker, is_voice=is_voice)
    if creation.provider_voice_id:
        # A public one is refused: it is not of this person.
        with suppress(Refused):
            maker.delete_voice(creation.provider_voice_id)


def _settle(creation: Creation) -> None:
    ended_at = creation.deleted_at or creation.moved_at
    left = SETTLE_TIME - (database_clock.now() - ended_at)
    if left > timedelta():
        creation.extend(left, tries=0, waiting_reason="Removed; looked at once more in a moment.")
        return
    finish(creation)


def finish(creation: Creation) -> None:
    if creation.finish(removed_at=database_clock.now()):
        CreationEvent.objects.create(
            creation=creation, from_status=creation.status, to_status=creation.status, reason="removed_at_provider"
        )

"""Orders a face or a voice at HeyGen, once: the key is stored before the call, and a lost answer is looked up."""

from datetime import timedelta

import structlog
from django.conf import settings

from avatars.enums import CreationKind, EntryStatus
from avatars.models import Creation
from avatars.own import alarms, copies, failures, settlement
from avatars.own.clients import maker_for
from avatars.own.copies import Copy
from avatars.uploads.assets import asset_id_of, forget_asset
from genvid import database_clock
from genvid.heygen.avatar_making import AvatarMaker
from genvid.heygen.heygen_errors import Busy, HeyGenError, NotFound, NotReady, OperatorProblem, Refused
from genvid.leasing import Backoff, from_now

logger = structlog.get_logger(__name__)
UNKNOWN = Backoff(15, 600, jitter=0.2)
"""Before an order whose outcome is unknown is looked up and repeated."""
BUSY = Backoff(30, 900, jitter=0.3)
FULL = timedelta(minutes=10)
PROBLEM = timedelta(minutes=5)
FIRST_LOOK = {
    CreationKind.PHOTO_AVATAR: timedelta(seconds=15),
    CreationKind.DIGITAL_TWIN: timedelta(seconds=60),
    CreationKind.VOICE_CLONE: timedelta(seconds=15),
}
TYPES = {CreationKind.PHOTO_AVATAR: "photo", CreationKind.DIGITAL_TWIN: "digital_twin"}


def begin(creation: Creation) -> None:
    """Send the file first: until the order itself goes out, nothing has been made."""
    maker = maker_for(creation)
    try:
        asset_id = asset_id_of(creation.upload, maker.client)
    except (HeyGenError, OSError) as error:
        _without_order(creation, error)
        return
    attempt = creation.attempt + 1
    begun = creation.move(
        EntryStatus.CREATING,
        reason="ordered",
        deadline=timedelta(seconds=settings.OWN_AVATAR_CREATE_DEADLINE),
        due_at=from_now(settings.OWN_AVATAR_LEASE),
        attempt=attempt,
        idempotency_key=f"{creation.pk}-{attempt}",
        ordered_at=database_clock.now(),
    )
    if begun:
        _send(creation, maker, asset_id)


def order_again(creation: Creation) -> None:
    """After a lost answer or a crash: look the order up by its name, and only then send it again with its key."""
    maker = maker_for(creation)
    try:
        found = copies.find(creation, maker)
        if found is not None:
            _record(creation, found)
            return
        asset_id = asset_id_of(creation.upload, maker.client)
    except (HeyGenError, OSError) as error:
        _retry(creation, error)
        return
    # Looking takes as long as HeyGen's list is: meanwhile it may have been deleted, or another worker's.
    if creation.extend(settings.OWN_AVATAR_LEASE):
        _send(creation, maker, asset_id, is_repeated=True)


def _send(creation: Creation, maker: AvatarMaker, asset_id: str, *, is_repeated: bool = False) -> None:
    try:
        made = _order(creation, maker, asset_id)
    except HeyGenError as error:
        _judge(creation, error, is_repeated=is_repeated)
    else:
        _record(creation, made)


def _order(creation: Creation, maker: AvatarMaker, asset_id: str) -> Copy:
    name, key = creation.name_at_provider, creation.idempotency_key
    if creation.kind == CreationKind.VOICE_CLONE:
        language = creation.language
        return Copy(maker.clone_voice(name=name, asset_id=asset_id, language=language, idempotency_key=key))
    kind = TYPES[CreationKind(creation.kind)]
    return Copy(*maker.create_avatar(kind, name=name, asset_id=asset_id, idempotency_key=key))


def _record(creation: Creation, made: Copy) -> None:
    found = {"provider_object_id": made.object_id, "provider_group_id": made.group_id}
    creation.advance(from_now(FIRST_LOOK[CreationKind(creation.kind)]), **found)


def _judge(creation: Creation, error: HeyGenError, *, is_repeated: bool) -> None:
    """What the answer to the order means. Unknown is not failed.

    That HeyGen takes nothing now says nothing about an earlier call: that one may have made it, and not be listed yet.
    Only the same key makes no second one.
    """
    if isinstance(error, NotFound):
        # HeyGen has lost the file, which it gets again.
        forget_asset(creation.upload)
        settlement.requeue(creation, reason="not_made", why=str(error), pause=BUSY.delay(creation.attempt))
    elif isinstance(error, Refused) and not failures.is_full(error):
        settlement.fail(creation, **failures.of_error(error), reason="refused_by_provider", provider_error=str(error))
    elif isinstance(error, Refused | OperatorProblem | Busy | NotReady):
        if is_repeated:
            creation.retry_later(_pause_after(creation, error), _said(creation, error))
            return
        reason = "provider_full" if failures.is_full(error) else "not_made"
        settlement.requeue(creation, reason=reason, why=_said(creation, error), pause=_pause_after(creation, error))
    else:
        _retry(creation, error)


def _without_order(creation: Creation, error: HeyGenError | OSError) -> None:
    """The file could not be sent: nothing was ordered."""
    if isinstance(error, OSError):
        creation.retry_later(PROBLEM, f"The file cannot be read: {error!r}")
    elif isinstance(error, Refused) and not failures.is_full(error):
        settlement.fail(creation, **failures.of_error(error), reason="file_refused", provider_error=str(error))
    else:
        creation.retry_later(_pause_after(creation, error), _said(creation, error))


def _pause_after(creation: Creation, error: HeyGenError) -> timedelta:
    if failures.is_full(error):
        return FULL
    if isinstance(error, OperatorProblem):
        return PROBLEM
    return BUSY.delay(max(1, creation.tries + 1, creation.attempt), at_least=error.retry_after or 0.0)


def _retry(creation: Creation, error: HeyGenError | OSError) -> None:
    if isinstance(error, OSError):
        creation.retry_later(PROBLEM, f"The file cannot be read: {error!r}")
        return
    pause = UNKNOWN.delay(creation.tries + 1, at_least=error.retry_after or 0.0)
    creation.retry_later(pause, _said(creation, error))


def _said(creation: Creation, error: HeyGenError) -> str:
    """The reason for staff, who are told at once of what only they can mend."""
    if not creation.is_test and failures.is_full(error):
        text = f"The limit of HeyGen's account is reached: {error}. Own avatars and voices wait in the queue."
        alarms.alarm(alarms.SLOTS_FULL, creation.kind, text)
    elif not creation.is_test and isinstance(error, OperatorProblem):
        text = f"HeyGen makes no avatars or voices: {error}. They wait in the queue."
        alarms.alarm(alarms.PROVIDER, error.code, text)
    return str(error)

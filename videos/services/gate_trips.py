"""An order that met a problem of the operator's closes the gate; where the order itself is to blame, it is set aside.

HeyGen may refuse one order for want of money and take the next: a long video can be dearer than what is left. Such an
order must not shut out everybody again and again. It is known by this: it closed the gate, another account's order was
accepted, and now it would close the gate once more. Then it waits for staff, alone, and the gate stays as it is. While
nobody's orders are accepted, as with an empty wallet, nothing is set aside.
"""

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from genvid.heygen.errors import OperatorProblem
from videos import operator_alarms, provider
from videos.enums import Status
from videos.models import ProviderState, Video

logger = structlog.get_logger(__name__)
ABOUT_OUR_KEY = frozenset({"unauthorized", "authentication_failed", "no_api_key", "user_blocked"})
"""No order is to blame for these."""


def trip_for(video: Video, error: OperatorProblem, ordered_at: datetime) -> None:
    """HeyGen refused the order."""
    trip(video, error.code, error.message, ordered_at=ordered_at, until_rendered=False)


@transaction.atomic
def trip(video: Video, code: str, message: str, *, ordered_at: datetime | None, until_rendered: bool) -> None:
    """Close the gate for a problem that this order met, or set the order aside. Tests of test keys never come here.

    `until_rendered`: HeyGen took the order and failed it later. `ordered_at`: when it went out.
    """
    state, _ = ProviderState.objects.select_for_update().get_or_create(name=provider.NAME)
    if provider.is_known_trouble(state, ordered_at):
        provider.close(code, message, needs_staff=True, until_rendered=until_rendered, ordered_at=ordered_at)
    elif code not in ABOUT_OUR_KEY and _others_were_accepted_since_its_last(video, until_rendered):
        _set_aside(video, code, message)
    else:
        provider.close(
            code,
            message,
            needs_staff=True,
            until_rendered=until_rendered,
            ordered_at=ordered_at,
            account_id=video.account_id,
        )
        Video.objects.filter(pk=video.pk).update(gate_tripped_at=timezone.now())


def _others_were_accepted_since_its_last(video: Video, until_rendered: bool) -> bool:
    """Where HeyGen takes every order and fails some later, only a finished render was accepted."""
    tripped_at = Video.objects.filter(pk=video.pk).values_list("gate_tripped_at", flat=True).first()
    if tripped_at is None:
        return False
    accepted = Q(rendered_at__gt=tripped_at)
    if not until_rendered:
        accepted |= Q(status__in=(Status.RENDERING, Status.STORING))
    others = Video.objects.live().filter(accepted, submitted_at__gt=tripped_at).exclude(account=video.account_id)
    return others.exists()


def _set_aside(video: Video, code: str, message: str) -> None:
    Video.objects.filter(pk=video.pk).update(set_aside_at=timezone.now())
    logger.warning("order_set_aside", video_id=str(video.pk), account_id=str(video.account_id), code=code)
    text = (
        f"HeyGen refuses video {video.pk} of account {video.account_id} with {code}: {message} Orders of others are "
        "accepted, so it was set aside: it stands in nobody's way, and fails at its deadline unless you let it go on."
    )
    operator_alarms.raise_alarm("order_set_aside", str(video.pk), text)

"""Mails staff when HeyGen's gate needs them or is paused, and when it is over; labels the admin pages."""

from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from genvid import database_clock
from genvid.mail import staff_alarms
from videos import metrics
from videos.models import ProviderState, Video
from videos.provider import provider_gate

logger = structlog.get_logger(__name__)
SUBJECTS = {
    "": "HeyGen takes orders again",
    "closed": "HeyGen takes no orders",
    "paused": "Orders to HeyGen are paused",
    "closed, paused": "HeyGen takes no orders, and they are paused",
}


def situation(state: ProviderState) -> str:
    words = {"closed": state.needs_staff, "paused": state.paused_at is not None}
    return ", ".join(word for word, is_so in words.items() if is_so)


@transaction.atomic
def mail_staff_changes() -> bool:
    """Mail staff if the situation changed since the last mail. Safe to run in parallel."""
    state = ProviderState.objects.filter(name=provider_gate.NAME).first()
    if state is None or (now := situation(state)) == state.staff_told:
        return False
    mine = ProviderState.objects.filter(pk=state.pk, staff_told=state.staff_told)
    if mine.update(staff_told=now) != 1:
        return False
    log = logger.error if now else logger.info
    log("staff_alarmed", situation=now, code=state.code, to=len(settings.ALARM_EMAILS))
    if now:
        metrics.alarms.add(now)
    staff_alarms.mail_staff(SUBJECTS[now], _text(state), link=f"{settings.PUBLIC_URL}/admin/videos/providerstate/")
    return True


def _text(state: ProviderState) -> str:
    waiting = Video.objects.live().queued().count()
    if not situation(state):
        return f"Orders go out again; {waiting} videos wait in the queue."
    lines = [*_reasons(state), f"{waiting} videos wait in the queue. Nothing fails and nothing is charged meanwhile."]
    return "\n\n".join(lines)


def _reasons(state: ProviderState) -> list[str]:
    reasons = []
    if state.needs_staff:
        since = state.needs_staff_since or state.changed_at
        reasons.append(f"Since {since:%Y-%m-%d %H:%M} UTC HeyGen answers {state.code}: {state.message}".rstrip(": "))
    if state.paused_at:
        reasons.append(f"{state.paused_by} paused it at {state.paused_at:%Y-%m-%d %H:%M} UTC.")
    return reasons


def badge(request: HttpRequest) -> list[str] | None:
    """The label on every admin page while HeyGen does not answer or takes no orders (Unfold's ENVIRONMENT callback)."""
    if not request.user.is_authenticated:
        return None
    state = ProviderState.objects.filter(name=provider_gate.NAME).first()
    if state is None:
        return None
    if state.unreachable_since is not None:
        return [f"HeyGen unreachable since {_clock(state.unreachable_since)}", "danger"]
    if not situation(state):
        return None
    if state.needs_staff:
        since = state.needs_staff_since or state.changed_at
        return [f"HeyGen closed: {state.code} since {_clock(since)}", "danger"]
    return [f"HeyGen paused since {_clock(state.paused_at or database_clock.now())}", "danger"]


def _clock(moment: datetime) -> str:
    return f"{moment:%b %d %H:%M} UTC"

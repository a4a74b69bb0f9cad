"""Staff are told when HeyGen takes no orders and only they can help, and when it is over: mail, badge, metric."""

from datetime import datetime

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.http import HttpRequest
from django.utils import timezone

from videos import metrics, provider
from videos.models import ProviderState, Video

logger = structlog.get_logger(__name__)
SUBJECTS = {
    "": "HeyGen takes orders again",
    "closed": "HeyGen takes no orders",
    "paused": "Orders to HeyGen are paused",
    "closed, paused": "HeyGen takes no orders, and they are paused",
}


def situation(state: ProviderState) -> str:
    """What staff have to know, in a word; empty when there is nothing to do. Codes may change meanwhile: no news."""
    words = {"closed": state.needs_staff, "paused": state.paused_at is not None}
    return ", ".join(word for word, is_so in words.items() if is_so)


def tell_staff() -> bool:
    """Mail what has changed since staff were told last. Run from anywhere, any number of times: one mail a change."""
    state = ProviderState.objects.filter(name=provider.NAME).first()
    if state is None or situation(state) == state.staff_told:
        return False
    # Written before the mail is sent: of many that see the change at once, one goes on.
    mine = ProviderState.objects.filter(pk=state.pk, staff_told=state.staff_told)
    if mine.update(staff_told=situation(state)) != 1:
        return False
    try:
        _send(state)
    except Exception:
        # The mail server's trouble: the next sweep tries again.
        ProviderState.objects.filter(pk=state.pk, staff_told=situation(state)).update(staff_told=state.staff_told)
        logger.exception("alarm_not_sent", situation=situation(state))
        return False
    return True


def _send(state: ProviderState) -> None:
    now = situation(state)
    log = logger.error if now else logger.info
    log("staff_alarmed", situation=now, code=state.code, to=len(settings.ALARM_EMAILS))
    if settings.ALARM_EMAILS:
        send_mail(f"[genvid] {SUBJECTS[now]}", _text(state), settings.DEFAULT_FROM_EMAIL, settings.ALARM_EMAILS)
    if now:
        metrics.alarms.add(now)


def _text(state: ProviderState) -> str:
    waiting = Video.objects.live().queued().count()
    lines = [*_reasons(state), f"{waiting} videos wait in the queue. Nothing fails and nothing is charged meanwhile."]
    if not situation(state):
        lines = [f"Orders go out again; {waiting} videos wait in the queue."]
    return "\n\n".join([*lines, f"{settings.PUBLIC_URL}/admin/videos/providerstate/", ""])


def _reasons(state: ProviderState) -> list[str]:
    reasons = []
    if state.needs_staff:
        since = state.needs_staff_since or state.changed_at
        reasons.append(f"Since {since:%Y-%m-%d %H:%M} UTC HeyGen answers {state.code}: {state.message}".rstrip(": "))
    if state.paused_at:
        reasons.append(f"{state.paused_by} paused it at {state.paused_at:%Y-%m-%d %H:%M} UTC.")
    return reasons


def badge(request: HttpRequest) -> list[str] | None:
    """The label at the top of every staff page while something is wrong (Unfold's ENVIRONMENT callback)."""
    if not request.user.is_authenticated:
        return None
    state = ProviderState.objects.filter(name=provider.NAME).first()
    if state is None or not situation(state):
        return None
    if state.needs_staff:
        since = state.needs_staff_since or state.changed_at
        return [f"HeyGen closed: {state.code} since {_clock(since)}", "danger"]
    return [f"HeyGen paused since {_clock(state.paused_at or timezone.now())}", "danger"]


def _clock(moment: datetime) -> str:
    return f"{moment:%b %d %H:%M} UTC"

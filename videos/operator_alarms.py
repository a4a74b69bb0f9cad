"""Alarms for staff about single things: a code nobody knows, an order set aside, a render given up.

`alarms` tells of the gate, which is open or closed; these have happened, and the same one is mailed once a day at most.
"""

from datetime import timedelta

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from genvid.jobs import enqueue_on_commit
from videos import jobs, metrics
from videos.models import OperatorAlarm

logger = structlog.get_logger(__name__)
MAIL_PAUSE = timedelta(days=1)
RETENTION = timedelta(days=90)
BATCH_SIZE = 20
"""Mails of one run, so that it ends."""


def raise_alarm(code: str, about: str, text: str) -> None:
    """Note it, log it, count it, and let it be mailed on commit. `about` tells apart what has the same `code`."""
    logger.error("operator_alarm", code=code, about=about, text=text)
    metrics.alarms.add(code)
    now, key = timezone.now(), f"{code}:{about}"[:200]
    if _repeat(key, text, now):
        # Mailed before, or about to be: the sweep sees to those of another day.
        return
    try:
        with transaction.atomic():
            OperatorAlarm.objects.create(key=key, code=code[:60], text=text[:1000], first_at=now, last_at=now)
    except IntegrityError:
        _repeat(key, text, now)
    else:
        enqueue_on_commit(jobs.ALARM_STAFF)


def _repeat(key: str, text: str, now: object) -> bool:
    same = OperatorAlarm.objects.filter(key=key)
    return same.update(count=F("count") + 1, last_at=now, text=text[:1000]) == 1


def mail_alarms() -> int:
    """Mail those that staff have not heard of today. Returns how many. Run from anywhere, any number of times."""
    OperatorAlarm.objects.filter(last_at__lt=timezone.now() - RETENTION).delete()
    return sum(_mail(alarm) for alarm in _unmailed()[:BATCH_SIZE])


def _unmailed() -> "QuerySet[OperatorAlarm]":
    long_ago = timezone.now() - MAIL_PAUSE
    return OperatorAlarm.objects.filter(Q(mailed_at=None) | Q(mailed_at__lt=long_ago, last_at__gt=F("mailed_at")))


def _mail(alarm: OperatorAlarm) -> bool:
    """Written before the mail is sent: of many that see the alarm at once, one goes on."""
    mine = OperatorAlarm.objects.filter(pk=alarm.pk, mailed_at=alarm.mailed_at)
    now = timezone.now()
    if mine.update(mailed_at=now) != 1:
        return False
    try:
        if settings.ALARM_EMAILS:
            subject = f"[genvid] Alarm: {alarm.code}"
            send_mail(subject, _text(alarm), settings.DEFAULT_FROM_EMAIL, settings.ALARM_EMAILS)
    except Exception:
        # The mail server's trouble: the next sweep tries again.
        OperatorAlarm.objects.filter(pk=alarm.pk, mailed_at=now).update(mailed_at=alarm.mailed_at)
        logger.exception("alarm_not_sent", code=alarm.code, key=alarm.key)
        return False
    return True


def _text(alarm: OperatorAlarm) -> str:
    times = f"{alarm.count} times since {alarm.first_at:%Y-%m-%d %H:%M} UTC." if alarm.count > 1 else ""
    lines = [alarm.text, times, f"{settings.PUBLIC_URL}/admin/videos/operatoralarm/"]
    return "\n\n".join([*filter(None, lines), ""])

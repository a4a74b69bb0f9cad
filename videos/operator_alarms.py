"""Alarms for staff about single incidents, each mailed at most once a day. `provider_alarms` reports the gate."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from genvid import database_clock
from genvid.mail import staff_alarms
from videos import metrics
from videos.models import OperatorAlarm

logger = structlog.get_logger(__name__)
MAIL_PAUSE = timedelta(days=1)
RETENTION = timedelta(days=90)
BATCH_SIZE = 20


@transaction.atomic
def raise_alarm(code: str, about: str, text: str) -> None:
    """Record, log and count an incident, and mail it the first time. `about` tells apart incidents of one `code`."""
    logger.error("operator_alarm", code=code, about=about, text=text)
    metrics.alarms.add(code)
    alarm, is_new = _record(code, about, text)
    if is_new:
        _mail(alarm)


@transaction.atomic
def record_mailed(code: str, about: str, text: str) -> None:
    """Put an alarm that `genvid.mail.staff_alarms` has logged, counted and mailed on the page of alarms."""
    alarm, _ = _record(code, about, text)
    OperatorAlarm.objects.filter(pk=alarm.pk).update(mailed_at=F("last_at"))


def _record(code: str, about: str, text: str) -> tuple[OperatorAlarm, bool]:
    seen = {"text": text[:1000], "last_at": database_clock.now()}
    first = {"code": code[:60], "first_at": seen["last_at"]}
    alarm, is_new = OperatorAlarm.objects.get_or_create(key=f"{code}:{about}"[:200], defaults=seen | first)
    if not is_new:
        OperatorAlarm.objects.filter(pk=alarm.pk).update(count=F("count") + 1, **seen)
    return alarm, is_new


def acknowledge(alarm: OperatorAlarm, *, by: str) -> bool:
    """Take an open alarm on. False when somebody was first, or when it happened again since `alarm` was read."""
    mine = OperatorAlarm.objects.unacknowledged().filter(pk=alarm.pk, last_at=alarm.last_at)
    return mine.update(acknowledged_at=database_clock.now(), acknowledged_by=by[:254]) == 1


def mail_alarms() -> int:
    OperatorAlarm.objects.filter(last_at__lt=database_clock.now() - RETENTION).delete()
    return sum(_mail(alarm) for alarm in _unmailed()[:BATCH_SIZE])


def _unmailed() -> "QuerySet[OperatorAlarm]":
    long_ago = database_clock.now() - MAIL_PAUSE
    return OperatorAlarm.objects.filter(Q(mailed_at=None) | Q(mailed_at__lt=long_ago, last_at__gt=F("mailed_at")))


@transaction.atomic
def _mail(alarm: OperatorAlarm) -> bool:
    mine = OperatorAlarm.objects.filter(pk=alarm.pk, mailed_at=alarm.mailed_at)
    if mine.update(mailed_at=database_clock.now()) != 1:
        return False
    times = f"\n\n{alarm.count} times since {alarm.first_at:%Y-%m-%d %H:%M} UTC." if alarm.count > 1 else ""
    link = f"{settings.PUBLIC_URL}/admin/videos/operatoralarm/"
    staff_alarms.mail_staff(f"Alarm: {alarm.code}", alarm.text + times, link=link)
    return True

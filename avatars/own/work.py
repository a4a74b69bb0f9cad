"""One step of a creation by a worker: order, look, or remove. A lease holds the row; each step is safe to repeat."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import QuerySet

from avatars import jobs
from avatars.enums import EntryStatus
from avatars.models import Creation
from avatars.own import alarms, making, polling, removal, settlement
from avatars.own.clients import may_call
from genvid import cache, database_clock, request_context
from genvid.leasing import Backoff, sweep

logger = structlog.get_logger(__name__)
SHUT_PAUSE = Backoff(30, 300, jitter=0.2)
BATCH_SIZE = 100
LATE_REVIEWS_SECONDS = 3600
TIMED_OUT = "It was not ready in time. Your credits were returned; please try again."
NO_CONSENT = "The person did not agree in time. Your credits were returned."
NOT_REVIEWED = "It could not be checked in time. Your credits were returned; please try again."


def work_on(creation_id: str) -> None:
    creation = Creation.objects.due().filter(pk=creation_id).select_related("upload", "avatar", "voice").first()
    if creation is None or not creation.claim(settings.OWN_AVATAR_LEASE):
        return
    with request_context.use(creation.request_context):
        _step(creation)


def _step(creation: Creation) -> None:
    if _is_over(creation):
        _remove(creation)
    elif _is_overdue(creation):
        end_overdue(creation)
    elif not may_call(creation):
        creation.extend(SHUT_PAUSE.delay(1), waiting_reason="HeyGen is not asked at present.")
    elif creation.status == EntryStatus.QUEUED:
        making.begin(creation)
    elif creation.provider_object_id:
        polling.look(creation)
    else:
        making.order_again(creation)


def _is_over(creation: Creation) -> bool:
    return creation.deleted_at is not None or creation.status in (EntryStatus.FAILED, EntryStatus.REFUSED)


def _remove(creation: Creation) -> None:
    if creation.is_test and not settings.TEST_RENDERER_URL:
        removal.remove_without_renderer(creation)
    else:
        removal.remove(creation)


def _is_overdue(creation: Creation) -> bool:
    return creation.deadline_at is not None and creation.deadline_at <= database_clock.now()


def end_overdue(creation: Creation) -> bool:
    """Every wait has an end: the credits go back, and staff hear of what HeyGen or they themselves left undone."""
    code, message = {
        EntryStatus.REVIEW: ("not_reviewed", NOT_REVIEWED),
        EntryStatus.WAITING_FOR_CONSENT: ("consent_expired", NO_CONSENT),
    }.get(EntryStatus(creation.status), ("creation_timeout", TIMED_OUT))
    status, why = creation.status, creation.waiting_reason
    ended = settlement.fail(creation, code=code, message=message, reason="deadline", provider_error=why)
    if ended and code != "consent_expired" and not creation.is_test:
        text = f"{creation} was given up after it had been {status} for too long. {why}".rstrip()
        alarms.alarm(alarms.GIVEN_UP, str(creation.pk), f"{text} Its credits were released.")
    return ended


def sweep_creations() -> None:
    sweep(Creation.objects.due(), jobs.WORK_ON_CREATION, most=BATCH_SIZE)
    for creation in _overdue_in_review()[:BATCH_SIZE]:
        end_overdue(creation)
    # A sweep comes every few seconds, and each alarm is counted.
    if cache.is_first_in("avatars.late_reviews", LATE_REVIEWS_SECONDS):
        _alarm_late_reviews()


def has_work() -> bool:
    """Whether a sweep would find anything; the rows in review may be late."""
    return Creation.objects.due().exists() or Creation.objects.in_review().exists()


def _overdue_in_review() -> "QuerySet[Creation]":
    overdue: QuerySet[Creation] = Creation.objects.in_review().filter(deadline_at__lte=database_clock.now())
    return overdue.order_by("deadline_at")


def late_reviews() -> "QuerySet[Creation]":
    before = database_clock.now() - timedelta(hours=settings.OWN_AVATAR_REVIEW_ALARM_HOURS)
    late: QuerySet[Creation] = Creation.objects.in_review().filter(moved_at__lte=before)
    return late


def _alarm_late_reviews() -> None:
    count = late_reviews().order_by().count()
    if count:
        hours = settings.OWN_AVATAR_REVIEW_ALARM_HOURS
        text = f"{count} own avatars or voices have waited for more than {hours} hours for a review by staff."
        alarms.alarm(alarms.REVIEW_LATE, database_clock.now().date().isoformat(), text)

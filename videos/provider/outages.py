"""Times in which HeyGen answers no call: noticed after each task, alarmed after a while, ended by a probe.

The probe reads our balance, so it needs no slot and costs nothing. Once HeyGen answers, all that waits goes on at once.
`genvid.heygen.reachability` knows what the calls of this process came to.
"""

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F

from genvid import cache
from genvid.heygen.heygen_client import get_client
from genvid.heygen.heygen_errors import HeyGenError, Unknown
from genvid.heygen.reachability import of_this_process
from genvid.jobs import enqueue_on_commit
from genvid.leasing import from_now
from genvid.mail import staff_alarms
from genvid.process_cache import ProcessCache
from videos import jobs, operator_alarms
from videos.enums import IN_FLIGHT, Status
from videos.models import ProviderOutage, ProviderState, Video
from videos.provider import balances
from videos.provider.provider_gate import NAME
from videos.querysets import in_statuses

logger = structlog.get_logger(__name__)
RETENTION = timedelta(days=30)
KNOWN_SECONDS = 3600.0
PROBE_SECONDS = 60.0
"""A probe that is killed keeps others away for this long."""
PROBE_KEY = "videos.outage_probe"

_known = ProcessCache(KNOWN_SECONDS, size=1)
"""Whether this process has noted an outage: its next answer ends it."""


def record_calls(**_: Any) -> None:
    """After each task. Costs no statement while HeyGen answers."""
    calls = of_this_process.take(settings.HEYGEN_BASE_URL)
    try:
        if calls.answered and _known.get(""):
            end_outage()
        if calls.unanswered_seconds is not None:
            note_outage(calls.unanswered_seconds)
    except Exception as error:  # noqa: BLE001 - the task is done, whatever becomes of this
        logger.warning("outage_not_recorded", error=repr(error))


def note_outage(seconds: float) -> None:
    """HeyGen has answered no call of this process for so long."""
    _known.keep("", True)
    state, _ = ProviderState.objects.get_or_create(name=NAME)
    if ProviderState.objects.filter(pk=state.pk, unanswered_since=None).update(unanswered_since=from_now(-seconds)):
        logger.warning("provider_unanswered", seconds=round(seconds, 1))


def probe() -> None:
    """Call HeyGen if it answered nobody lately. Alarms staff, or ends the outage."""
    if not has_outage() or not cache.is_first_in(PROBE_KEY, PROBE_SECONDS):
        return
    try:
        balances.record(get_client().get_account())
    except Unknown:
        _confirm()
    except HeyGenError:
        # A refusal is an answer; the gate deals with it.
        end_outage()
    else:
        end_outage()
    finally:
        cache.delete(PROBE_KEY)


def has_outage() -> bool:
    return ProviderState.objects.filter(name=NAME, unanswered_since__isnull=False).exists()


@transaction.atomic
def _confirm() -> None:
    """Nobody was answered: neither whoever noted it, nor the probe. Before, one kind of call alone may have failed."""
    state = ProviderState.objects.select_for_update().filter(name=NAME, unanswered_since__isnull=False).first()
    if state is None or state.unanswered_since is None:
        return
    ProviderOutage.objects.get_or_create(is_over=False, defaults={"began_at": state.unanswered_since})
    _alarm_staff()


def _alarm_staff() -> None:
    long_ago = from_now(-settings.HEYGEN_UNREACHABLE_SECONDS)
    lasting = ProviderState.objects.filter(name=NAME, unreachable_since=None, unanswered_since__lte=long_ago)
    if lasting.update(unreachable_since=F("unanswered_since")) != 1:
        return
    since = ProviderState.objects.values_list("unreachable_since", flat=True).get(name=NAME)
    text = (
        f"Since {since:%Y-%m-%d %H:%M:%S} UTC HeyGen has answered no call. Orders and finished videos wait; nothing "
        "fails and nothing is charged meanwhile. It is called every few seconds, and all goes on once it answers. Look "
        "at HeyGen's status page, and whether this machine reaches the internet."
    )
    operator_alarms.raise_alarm("provider_unreachable", f"{since:%Y-%m-%dT%H:%M:%S}", text)


@transaction.atomic
def end_outage() -> bool:
    """HeyGen has answered. False when there was no outage."""
    _known.clear()
    state = ProviderState.objects.select_for_update().filter(name=NAME, unanswered_since__isnull=False).first()
    if state is None:
        return False
    ProviderState.objects.filter(pk=state.pk).update(unanswered_since=None, unreachable_since=None)
    outage = ProviderOutage.objects.filter(is_over=False).first()
    if outage is None:
        return False
    ProviderOutage.objects.filter(pk=outage.pk).update(is_over=True, ended_at=from_now())
    ProviderOutage.objects.filter(ended_at__lt=from_now(-RETENTION)).delete()
    logger.warning("provider_answers_again", since=str(outage.began_at), woken=_wake_all())
    if state.unreachable_since is not None:
        text = f"It had answered no call since {outage.began_at:%Y-%m-%d %H:%M} UTC. All that waited goes on now."
        staff_alarms.mail_staff("HeyGen answers again", text, link=f"{settings.PUBLIC_URL}/admin/videos/providerstate/")
    return True


def _wake_all() -> int:
    """Make everything due that waits for HeyGen. Returns how many videos."""
    waiting = Video.objects.live().filter(in_statuses(IN_FLIGHT | {Status.STORING}), due_at__gt=from_now())
    # Of orders and files those that failed before; of renders all, as webhooks may have been lost.
    renders = waiting.filter(status=Status.RENDERING).update(due_at=from_now())
    tried = waiting.filter(tries__gt=0).exclude(status=Status.RENDERING).update(due_at=from_now())
    # A gate that waits to probe may do so now.
    shut = ProviderState.objects.filter(name=NAME, needs_staff=True, closed_until__gt=from_now())
    shut.update(closed_until=from_now())
    for job in (jobs.SWEEP, jobs.POLL, jobs.DISPATCH):
        enqueue_on_commit(job)
    return renders + tried
